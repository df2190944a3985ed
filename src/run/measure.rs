//! Measuring the subsets of a screen: chunk by chunk in index order, rescued where the GPU could not finish.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::batch::{Batch, Want};
use crate::certificate::Status;
use crate::engine::cpu::{CpuEngine, CpuJob};
use crate::engine::{Engine, Job as _};
use crate::error::Result;
use crate::measure::{Measured, Metric};
use crate::run::ahead::ahead;
use crate::run::crosscheck::{WEIGHT_TOLERANCE, larger};
use crate::run::{Watch, faults};
use crate::solver::Options;

/// Chunks are multiples of this many subsets, so that sums over these do not depend on the chunks.
pub const PIECE: u64 = 4096;

/// Subsets per chunk on the CPU: well under a second of work.
const LARGEST: u64 = 1 << 18;

/// On a device, which takes a chunk at once.
const LARGEST_ON_DEVICE: u64 = 1 << 20;

/// Subsets of k assets per chunk, from k alone.
pub fn chunk(size: usize, device: bool) -> u64 {
    let largest = if device { LARGEST_ON_DEVICE } else { LARGEST };
    (largest / (size * size).div_ceil(256) as u64).max(PIECE) / PIECE * PIECE
}

/// What the cross-check of a screen on a device found: some of its subsets, measured again on the CPU in f64.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct MetricCheck {
    pub sampled: u64,
    /// Largest relative difference of a metric; null where no sampled subset converged on both.
    pub max_metric_difference: Option<f64>,
    /// Subsets whose status differs, or a metric beyond tolerance.
    pub disagreements: u64,
}

/// Metrics may differ by this, relative: what weights may.
const METRIC_TOLERANCE: f64 = WEIGHT_TOLERANCE;

/// A correlation near zero is compared as a number of order one.
const SMALLEST: f64 = 0.1;

impl MetricCheck {
    /// What two cross-checks of different problems found together.
    #[must_use]
    pub fn and(self, other: MetricCheck) -> MetricCheck {
        MetricCheck {
            sampled: self.sampled + other.sampled,
            max_metric_difference: larger(self.max_metric_difference, other.max_metric_difference),
            disagreements: self.disagreements + other.disagreements,
        }
    }

    /// Compares what a chunk from `start` on found with the CPU, for the sampled problems in it.
    fn add(&mut self, start: u64, measured: &Measured, sample: &[u64], cpu: &CpuJob, metrics: &[Metric]) {
        let end = start + measured.statuses.len() as u64;
        let inside = &sample[sample.partition_point(|&p| p < start)..sample.partition_point(|&p| p < end)];
        let exact = cpu.measure_all(inside, metrics);
        for (own, &problem) in inside.iter().enumerate() {
            let at = (problem - start) as usize;
            self.sampled += 1;
            if exact.statuses[own] != measured.statuses[at] || exact.statuses[own] != Some(Status::Converged) {
                self.disagreements += u64::from(exact.statuses[own] != measured.statuses[at]);
                continue;
            }
            let differences = metrics.iter().enumerate().map(|(column, metric)| {
                let (a, b) = (measured.columns[column][at], exact.columns[column][own]);
                let size = if *metric == Metric::MeanCorrelation { b.abs().max(SMALLEST) } else { b.abs() };
                // Of one asset there is none.
                if a.is_nan() && b.is_nan() { 0.0 } else { (a - b).abs() / size }
            });
            let largest = differences.fold(0.0, |m: f64, d| if d <= m { m } else { d });
            self.disagreements += u64::from(!(largest <= METRIC_TOLERANCE));
            self.max_metric_difference = larger(self.max_metric_difference, Some(largest));
        }
    }
}

/// What is measured, and how it is cut.
#[derive(Debug, Clone, Copy)]
pub struct Screening<'a> {
    pub batch: &'a Batch,
    pub metrics: &'a [Metric],
    /// Problems at a time: a multiple of [`PIECE`].
    pub chunk: u64,
    /// Problems, in order, that a run on a device compares with the CPU.
    pub sample: &'a [u64],
}

/// A chunk of a screen, finished: what was measured from problem `start` on, and on a device, how the sampled ones among
/// these compare with the CPU.
#[derive(Debug)]
pub struct Chunk {
    pub start: u64,
    pub measured: Measured,
    pub check: Option<MetricCheck>,
}

/// Measures the problems of `range`, which starts at a multiple of [`PIECE`], on `engine` and hands each chunk to `each`,
/// in order.
///
/// # Errors
/// Those of `each`; the CPU engine does not fail.
pub fn measure(
    screening: &Screening,
    engine: &dyn Engine,
    options: Options,
    range: Range<u64>,
    watch: &mut dyn Watch,
    mut each: impl FnMut(Chunk) -> Result<()>,
) -> Result<()> {
    let Screening { batch, metrics, chunk, sample } = *screening;
    assert!(chunk > 0 && chunk.is_multiple_of(PIECE), "a chunk of {chunk}");
    let cpu = CpuEngine { options };
    let cpu_job = cpu.job(batch, Want::default());
    let device = engine.info().on_device();
    let mut job = None;
    if device {
        match engine.prepare(batch, Want::default()) {
            Ok(ready) => job = Some(ready),
            Err(error) => faults::given_up(&error, range.start, engine, watch),
        }
    }
    let mut left = range.clone();
    if let Some(job) = job {
        ahead(&*job, parts(range, chunk), metrics, |part, measured| {
            let measured = match measured {
                Ok(columns) => {
                    faults::overcome(engine, watch);
                    rescued(columns, part.start, &cpu_job, metrics)
                }
                Err(error) => {
                    faults::given_up(&error, part.start, engine, watch);
                    return Ok(());
                }
            };
            let mut check = MetricCheck::default();
            check.add(part.start, &measured, sample, &cpu_job, metrics);
            each(Chunk { start: part.start, measured, check: Some(check) })?;
            watch.finished(part.end - part.start);
            left.start = part.end;
            Ok(())
        })?;
    }
    for part in parts(left, chunk) {
        let measured = cpu_job.measure(part.clone(), metrics)?;
        let rescued = if device { part.end - part.start } else { 0 };
        each(Chunk { start: part.start, measured: Measured { rescued, ..measured }, check: None })?;
        watch.finished(part.end - part.start);
    }
    Ok(())
}

/// `range` in chunks from its start on.
fn parts(range: Range<u64>, chunk: u64) -> impl Iterator<Item = Range<u64>> {
    let Range { start, end } = range;
    (0..(end - start).div_ceil(chunk)).map(move |at| {
        let first = start + at * chunk;
        first..end.min(first.saturating_add(chunk))
    })
}

/// Measures on the CPU what the device did not converge.
fn rescued(mut measured: Measured, start: u64, cpu: &CpuJob, metrics: &[Metric]) -> Measured {
    let unsolved = |status: &Option<Status>| status.is_some_and(|status| status != Status::Converged);
    let left: Vec<usize> = (0..measured.statuses.len()).filter(|&at| unsolved(&measured.statuses[at])).collect();
    // All together: the CPU measures eight subsets at a time.
    let problems: Vec<u64> = left.iter().map(|&at| start + at as u64).collect();
    let rescued = cpu.measure_all(&problems, metrics);
    measured.rescued = left.len() as u64;
    for (from, to) in left.into_iter().enumerate() {
        measured.statuses[to] = rescued.statuses[from];
        measured.rc_error[to] = rescued.rc_error[from];
        for (column, own) in measured.columns.iter_mut().zip(&rescued.columns) {
            column[to] = own[from];
        }
    }
    measured
}
