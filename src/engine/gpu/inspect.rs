//! What the stages leave behind, for the tests that compare each with its Rust twin.

use std::sync::Arc;

use super::device::{Attempt, Device, Trouble};
use super::kernel::{self, Drawn, Kernel};
use super::parameters::{DrawLaw, high, low};
use super::plan::Plan;
use super::resampled::Resampled;
use super::{GpuEngine, drivers, stages::Room};
use crate::batch::{Assets, Batch, Covariances};
use crate::error::{Error, Result};
use crate::methods::Selection;
use crate::resample::Law;

/// Buffers of a resampled batch after `certify`, problem by problem.
#[derive(Debug, Clone, Default)]
pub struct Stages {
    /// Sums, n per problem.
    pub sums: Vec<f64>,
    /// Second moments, packed by rows of the lower triangle.
    pub products: Vec<f64>,
    /// Standardised volatilities, n per problem.
    pub volatilities: Vec<f64>,
    /// Correlations, n x n per problem. Empty where they never leave the kernel that solves.
    pub correlations: Vec<f64>,
    /// Positions y, n per problem.
    pub positions: Vec<f64>,
}

impl GpuEngine {
    /// Runs problems of a resampled batch, at most as many as the device holds at once, and reads everything back.
    ///
    /// # Errors
    /// As [`crate::engine::Job::run`].
    pub fn stages(&self, batch: &Batch, problems: &[u64]) -> Result<Stages> {
        let (Covariances::Estimated { panel, rows, estimator }, Assets::All) =
            (&batch.source().covariances, &batch.source().assets)
        else {
            return Err(Error::usage("only resampled batches have stages to look at"));
        };
        let attempt = || {
            let (device, resamples) = (self.device(), drivers::resamples(panel, rows, *estimator)?);
            let how = (self.way(&resamples, panel.assets()), self.accuracy());
            let mut resampled =
                Resampled::new(device, self.memory(), batch.program(), resamples, how, &Selection::NONE)?;
            let running = resampled.begin(problems)?;
            resampled.end_whole(running)?;
            self.device().guarded(|| stages(&resampled, problems.len()))
        };
        attempt().map_err(|trouble| trouble.into_error())
    }

    /// The rows of one resample as the device draws them.
    ///
    /// # Errors
    /// As [`crate::engine::Job::run`].
    pub fn rows(&self, law: &Law, resample: u64) -> Result<Vec<u32>> {
        let device = self.device();
        device.guarded(|| device.rows(law, resample)).map_err(|trouble| trouble.into_error())
    }
}

/// What the last batch has left, of so many problems.
pub fn stages(resampled: &Resampled, problems: usize) -> Attempt<Stages> {
    let room = resampled.kept_room().ok_or_else(|| Trouble::Failed("nothing has been run".to_owned()))?;
    read(&resampled.device, room, problems, &resampled.plan)
}

fn read(device: &Arc<Device>, room: &Room, problems: usize, plan: &Plan) -> Attempt<Stages> {
    let (n, precision) = (plan.assets, plan.accuracy.precision);
    let floats = |buffer: &wgpu::Buffer| -> Attempt<Vec<f64>> {
        let staging = device.staging(buffer.size());
        let mut encoder = device.encoder();
        encoder.copy_buffer_to_buffer(buffer, 0, &staging, 0, buffer.size());
        let submission = device.submit(encoder);
        device.read(&staging, buffer.size(), submission, |bytes| precision.decode(bytes))
    };
    let mut stages = Stages::default();
    let moments = floats(&room.moments)?;
    for moments in moments.chunks(kernel::moment_entries(n)).take(problems) {
        let mut at = 1;
        for i in 0..n {
            stages.sums.push(moments[at]);
            stages.products.extend(&moments[at + 1..at + 2 + i]);
            at += i + 2;
        }
    }
    stages.volatilities = floats(&room.volatilities)?[..problems * n].to_vec();
    let (correlations, positions) = (floats(&room.descents.correlations)?, floats(&room.descents.positions)?);
    let (cells, padded) = (kernel::correlation_cells(n, precision), n.next_multiple_of(4));
    for p in 0..problems {
        for i in 0..n {
            stages.positions.push(positions[kernel::position(n, precision, problems, p, i)]);
            if plan.fused {
                continue;
            }
            stages.correlations.extend((0..n).map(|j| match (kernel::interleaved(n, precision), i.max(j), i.min(j)) {
                (true, i, j) if i == j => 1.0,
                (true, high, low) => correlations[(high * (high - 1) / 2 + low) * problems + p],
                (false, ..) => correlations[p * cells + i * padded + j],
            }));
        }
    }
    Ok(stages)
}

impl Device {
    /// The rows of one resample as the device draws them.
    pub fn rows(&self, law: &Law, resample: u64) -> Attempt<Vec<u32>> {
        let kernel = Kernel::Draw { drawn: Drawn::Rows, tile: 0, wide: self.facts.wide_integers };
        let parameters = self.uniform(&DrawLaw::new(law, 1));
        let resample = self.upload("resamples", &[low(resample), high(resample)]);
        let rows = self.room("rows", 4 * u64::from(law.rows));
        let mut words = self.run(kernel, 1, &[(0, &parameters), (1, &resample), (2, &rows)], &rows)?;
        words.truncate(law.rows as usize);
        Ok(words)
    }

    /// Runs one kernel and reads one of its buffers.
    pub fn run(
        &self,
        kernel: Kernel,
        groups: u32,
        buffers: &[(u32, &wgpu::Buffer)],
        result: &wgpu::Buffer,
    ) -> Attempt<Vec<u32>> {
        let staging = self.staging(result.size());
        let mut encoder = self.encoder();
        self.dispatch(&mut encoder, kernel, groups, buffers);
        encoder.copy_buffer_to_buffer(result, 0, &staging, 0, result.size());
        let submission = self.submit(encoder);
        self.read(&staging, result.size(), submission, |bytes| bytemuck::cast_slice(bytes).to_vec())
    }
}
