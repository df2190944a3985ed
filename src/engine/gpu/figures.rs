//! What comes back from subsets: an error and some figures each, where they lie in the staging buffer, and what they mean.

use bytemuck::Pod;
use rayon::prelude::*;

use super::device::{Attempt, Trouble};
use super::precision::Precision;
use super::unrolled_measure::METRICS;
use crate::measure::{Measured, Metric};
use crate::methods::certificate::Status;

/// Numbers that come back of a problem at most: its error, and all of these.
pub const MOST_NUMBERS: usize = 1 + METRICS.len();

/// Where figures start in the staging buffer: behind the word that says how many problems still run.
pub const START: u64 = 16;

/// What the shaders write where a subset was barred, and from where on it is not solved.
const BARRED: f64 = -1.0;
const HUGE: f64 = 1e30;

/// The figures asked for.
#[derive(Debug, Clone)]
pub struct Figures {
    metrics: Vec<Metric>,
    precision: Precision,
}

impl Figures {
    /// # Errors
    /// A figure that is not one of [`METRICS`].
    pub fn new(metrics: &[Metric], precision: Precision) -> Attempt<Figures> {
        match metrics.iter().find(|metric| !METRICS.contains(metric)) {
            Some(metric) => {
                Err(Trouble::Unfit(format!("the GPU engine does not screen by the figure `{}`", metric.name())))
            }
            None => Ok(Figures { metrics: metrics.to_vec(), precision }),
        }
    }

    /// One bit for each of [`METRICS`].
    pub fn bits(&self) -> u8 {
        METRICS.iter().enumerate().fold(0, |bits, (at, metric)| bits | u8::from(self.metrics.contains(metric)) << at)
    }

    /// Bytes of the figures of so many problems, that many of each together.
    pub fn bytes(&self, problems: u32) -> u64 {
        self.precision.bytes() * u64::from(1 + self.bits().count_ones()) * u64::from(problems)
    }

    /// Columns in the user's units, from the bytes of so many problems; `unit` is what one unit of the device's
    /// volatilities is worth. Subsets of one asset have no correlations.
    pub fn measured(&self, bytes: &[u8], problems: usize, unit: f64, correlated: bool) -> Measured {
        let errors = self.column(bytes, problems, 0);
        let known = |error: f64| error != BARRED && error < HUGE;
        let status = |&error: &f64| match error {
            BARRED => None,
            error if error < HUGE => Some(Status::Converged),
            // For the CPU to tell apart.
            _ => Some(Status::Stalled),
        };
        let column = |metric: &Metric| -> Vec<f64> {
            let before = METRICS.iter().take_while(|other| *other != metric);
            let values = self.column(bytes, problems, 1 + before.filter(|other| self.metrics.contains(other)).count());
            let unit = if *metric == Metric::Volatility { unit } else { 1.0 };
            let exists = correlated || *metric != Metric::MeanCorrelation;
            let solved = values.into_par_iter().zip(&errors);
            solved.map(|(value, &error)| if exists && known(error) { value * unit } else { f64::NAN }).collect()
        };
        Measured {
            statuses: errors.par_iter().map(status).collect(),
            rescued: 0,
            columns: self.metrics.iter().map(column).collect(),
            rc_error: errors.par_iter().map(|&error| if known(error) { error } else { f64::NAN }).collect(),
        }
    }

    fn column(&self, bytes: &[u8], problems: usize, at: usize) -> Vec<f64> {
        fn numbers<T: Pod + Into<f64>>(bytes: &[u8]) -> Vec<f64> {
            bytes.par_chunks_exact(size_of::<T>()).map(|b| bytemuck::pod_read_unaligned::<T>(b).into()).collect()
        }
        let length = self.precision.bytes() as usize * problems;
        let bytes = &bytes[at * length..(at + 1) * length];
        match self.precision {
            Precision::Single => numbers::<f32>(bytes),
            Precision::Double => numbers::<f64>(bytes),
        }
    }
}
