//! Subsets on the device: one covariance and a table of binomials go up once; a chunk is a number to start from, and its
//! errors and figures come down.

use std::ops::Range;
use std::sync::Arc;

use rayon::prelude::*;

use super::device::{Attempt, Device, Trouble};
use super::kernel::Kernel;
use super::parameters::{Screen, high, low};
use super::precision::Precision;
use super::unrolled_measure::{METRICS, THREADS};
use super::{ACCEPTANCE, CONDITION_LIMIT};
use crate::certificate::Status;
use crate::measure::{Measured, Metric};
use crate::solver::small;
use crate::subsets::binomial::Binomials;
use crate::subsets::cap::Cap;
use crate::subsets::universe::Universe;
use crate::subsets::{Draw, Subsets};

/// Subsets of a dispatch at most.
const MOST: u64 = 1 << 20;

/// Assets of a universe at most: unranking walks through them, and llvmpipe ends long loops without a word.
const MOST_ASSETS: usize = 4096;

/// Newton's steps end at single precision's floor, a few times 1e-7.
const AIM: f32 = 2e-6;

/// What the shader writes where a subset was barred, and where it is not solved.
const BARRED: f32 = -1.0;
const HUGE: f32 = 1e30;

/// The subsets of one universe on one device.
pub struct Screened<'a> {
    device: Arc<Device>,
    subsets: &'a Subsets,
    assets: usize,
    included: usize,
    pool: usize,
    /// 32-bit words of a row of `barred`; none without a cap.
    words: usize,
    /// What volatilities were divided by.
    unit: f64,
    /// Size of the space and seed, where problems are permuted.
    permuted: Option<(u64, u64)>,
    binomials: wgpu::Buffer,
    held: wgpu::Buffer,
    correlation: wgpu::Buffer,
    volatilities: wgpu::Buffer,
    barred: wgpu::Buffer,
    pub room: u32,
    /// Figures and their staging buffer, of the last chunk's size.
    buffers: Option<(u64, wgpu::Buffer, wgpu::Buffer)>,
}

impl<'a> Screened<'a> {
    pub fn new(
        device: Arc<Device>,
        memory: u64,
        universe: &Universe,
        subsets: &'a Subsets,
        cap: Option<&Cap>,
        precision: Precision,
    ) -> Attempt<Self> {
        let (n, k) = (universe.assets(), subsets.size());
        if precision == Precision::Double {
            return Err(unfit("in double precision".to_owned()));
        }
        if k > small::MOST {
            return Err(unfit(format!("subsets of {k} assets (at most {})", small::MOST)));
        }
        if !subsets.space().is_plain() {
            return Err(unfit("limits on groups".to_owned()));
        }
        if subsets.space().plain().0.len() == k {
            return Err(unfit("a single subset".to_owned()));
        }
        let permuted = match subsets.draw() {
            Draw::All => None,
            Draw::Permuted { seed } => subsets.space().count().map(|count| (count, seed)),
            Draw::Floyd { .. } => return Err(unfit("spaces beyond 2^62".to_owned())),
        };
        if n > MOST_ASSETS {
            return Err(unfit(format!("{n} assets (at most {MOST_ASSETS})")));
        }
        let (included, pool) = subsets.space().plain();
        let table = Binomials::new(pool.len(), k - included.len());
        let binomials: Vec<[u32; 2]> = table.values().iter().map(|&c| [low(c), high(c)]).collect();
        let held = [included, pool].concat();
        let correlation: Vec<f32> = universe.correlation.iter().map(|&c| c as f32).collect();
        // Of order one, whatever the unit.
        let unit = universe.volatilities.iter().fold(0.0_f64, |m, &s| m.max(s));
        let volatilities: Vec<f32> = universe.volatilities.iter().map(|s| (s / unit) as f32).collect();
        if volatilities.iter().any(|s| !s.is_normal()) {
            return Err(unfit("volatilities so far apart".to_owned()));
        }
        let barred = cap.map_or(vec![0], Cap::words);
        let words = cap.map_or(0, |_| barred.len() / n);
        // A chunk's errors and four figures, on both sides.
        let room = MOST.min(memory / (2 * 4 * 5)).min(device.facts.limits.binding_bytes / (4 * 5)).max(1) as u32;
        let (included, pool) = (included.len(), pool.len());
        device.clone().guarded(|| {
            Ok(Screened {
                binomials: device.upload("binomials", &binomials),
                held: device.upload("held", &held),
                correlation: device.upload("correlation", &correlation),
                volatilities: device.upload("volatilities", &volatilities),
                barred: device.upload("barred", &barred),
                device,
                subsets,
                assets: n,
                included,
                pool,
                words,
                unit,
                permuted,
                room,
                buffers: None,
            })
        })
    }

    /// Measures the problems of `range`, at most `room` of them.
    pub fn measure(&mut self, range: Range<u64>, metrics: &[Metric]) -> Attempt<Measured> {
        let problems = (range.end - range.start) as u32;
        let count = problems as usize;
        let mut bits = 0_u8;
        for metric in metrics {
            let Some(at) = METRICS.iter().position(|known| known == metric) else {
                return Err(unfit(format!("the figure `{}`", metric.name())));
            };
            bits |= 1 << at;
        }
        let columns = bits.count_ones() as usize;
        let bytes = 4 * (1 + columns as u64) * u64::from(problems);
        let (figures, staging) = match self.buffers.take() {
            Some((size, figures, staging)) if size == bytes => (figures, staging),
            _ => self.device.guarded(|| Ok((self.device.room("figures", bytes), self.device.staging(bytes))))?,
        };
        let (size, seed) = self.permuted.unwrap_or((0, 0));
        let half = match self.permuted {
            Some((size, _)) => (u64::BITS - (size - 1).max(1).leading_zeros()).div_ceil(2),
            None => 0,
        };
        let parameters = Screen {
            problems,
            start_lo: low(range.start),
            start_hi: high(range.start),
            assets: self.assets as u32,
            pool: self.pool as u32,
            words: self.words as u32,
            half,
            size_lo: low(size),
            size_hi: high(size),
            seed_lo: low(seed),
            seed_hi: high(seed),
            aim: AIM,
            acceptance: ACCEPTANCE as f32,
            condition: CONDITION_LIMIT as f32,
        };
        let device = &self.device;
        let wide = device.facts.wide_integers;
        let kernel = Kernel::Measure { assets: self.subsets.size(), included: self.included, metrics: bits, wide };
        let values: Vec<f32> = device.guarded(|| {
            let parameters = device.uniform(&parameters);
            let mut encoder = device.encoder();
            let buffers = [
                (0, &parameters),
                (1, &self.binomials),
                (2, &self.held),
                (3, &self.correlation),
                (4, &self.volatilities),
                (5, &self.barred),
                (6, &figures),
            ];
            device.dispatch(&mut encoder, kernel, problems.div_ceil(THREADS), &buffers);
            encoder.copy_buffer_to_buffer(&figures, 0, &staging, 0, bytes);
            let submission = device.queue.submit([encoder.finish()]);
            device.read(&staging, bytes, submission, |bytes| bytemuck::cast_slice(bytes).to_vec())
        })?;
        self.buffers = Some((bytes, figures, staging));

        let (errors, figures) = values.split_at(count);
        let status = |&error: &f32| match error {
            BARRED => None,
            error if error < HUGE => Some(Status::Converged),
            // For the CPU to tell apart.
            _ => Some(Status::Stalled),
        };
        let certified = |&error: &f32| if (0.0..HUGE).contains(&error) { f64::from(error) } else { f64::NAN };
        let column = |metric: &Metric| -> Vec<f64> {
            let before = METRICS.iter().take_while(|known| *known != metric);
            let at = before.enumerate().filter(|(bit, _)| bits >> bit & 1 == 1).count();
            let unit = if *metric == Metric::Volatility { self.unit } else { 1.0 };
            let solved = figures[at * count..(at + 1) * count].par_iter().zip(errors);
            // One asset has no correlation.
            let exists = *metric != Metric::MeanCorrelation || self.subsets.size() > 1;
            let known = |error: f32| exists && error != BARRED && error < HUGE;
            solved.map(|(&value, &error)| if known(error) { f64::from(value) * unit } else { f64::NAN }).collect()
        };
        Ok(Measured {
            statuses: errors.par_iter().map(status).collect(),
            rescued: 0,
            rc_error: errors.par_iter().map(certified).collect(),
            columns: metrics.iter().map(column).collect(),
        })
    }
}

fn unfit(what: String) -> Trouble {
    Trouble::Unfit(format!("the GPU engine does not screen {what}"))
}
