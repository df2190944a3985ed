//! What comes back from subsets: an error and some figures each, where they lie in the staging buffer, and what they mean.

use bytemuck::Pod;
use rayon::prelude::*;

use super::device::{Attempt, Trouble};
use super::precision::{Precision, numbers};
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
        match self.precision {
            Precision::Single => self.decoded::<f32>(bytes, problems, unit, correlated),
            Precision::Double => self.decoded::<f64>(bytes, problems, unit, correlated),
        }
    }

    /// Every number goes once from the device's memory to where it stays, on all threads.
    fn decoded<T: Pod + Into<f64>>(&self, bytes: &[u8], problems: usize, unit: f64, correlated: bool) -> Measured {
        let column = |at: usize| &bytes[at * size_of::<T>() * problems..(at + 1) * size_of::<T>() * problems];
        // Of each metric its bytes, its unit, and whether there is such a figure.
        let metrics = self.metrics.iter().map(|metric| {
            let before = METRICS.iter().take_while(|other| *other != metric);
            let at = 1 + before.filter(|other| self.metrics.contains(other)).count();
            let unit = if *metric == Metric::Volatility { unit } else { 1.0 };
            (column(at), unit, correlated || *metric != Metric::MeanCorrelation)
        });
        let metrics: Vec<(&[u8], f64, bool)> = metrics.collect();
        let errors = column(0);
        let mut all = Measured {
            statuses: vec![None; problems],
            rescued: 0,
            rc_error: vec![0.0; problems],
            columns: vec![vec![0.0; problems]; self.metrics.len()],
        };
        let mut columns: Vec<_> = all.columns.iter_mut().map(|column| column.chunks_mut(TOGETHER)).collect();
        let parts = all.statuses.chunks_mut(TOGETHER).zip(all.rc_error.chunks_mut(TOGETHER));
        let parts = parts.map(|(statuses, rc_error)| {
            (statuses, rc_error, columns.iter_mut().filter_map(Iterator::next).collect::<Vec<&mut [f64]>>())
        });
        let parts: Vec<_> = parts.collect();
        parts.into_par_iter().enumerate().for_each(|(number, (statuses, rc_error, mut columns))| {
            let first = number * TOGETHER * size_of::<T>();
            let own = first..first + statuses.len() * size_of::<T>();
            for ((status, error), found) in
                statuses.iter_mut().zip(&mut *rc_error).zip(numbers::<T>(&errors[own.clone()]))
            {
                let known = (0.0..HUGE).contains(&found);
                *error = if known { found } else { f64::NAN };
                *status = match found {
                    BARRED => None,
                    _ if known => Some(Status::Converged),
                    // For the CPU to tell apart.
                    _ => Some(Status::Stalled),
                };
            }
            for (column, &(bytes, unit, exists)) in columns.iter_mut().zip(&metrics) {
                let solved = statuses.iter_mut().zip(&mut *rc_error);
                for ((figure, (status, error)), found) in
                    column.iter_mut().zip(solved).zip(numbers::<T>(&bytes[own.clone()]))
                {
                    *figure = f64::NAN;
                    if !exists || error.is_nan() {
                        continue;
                    }
                    if (found * unit).is_finite() {
                        *figure = found * unit;
                    } else {
                        // A small error does not make a number of it: compilers of shaders may drop what is none.
                        (*status, *error) = (Some(Status::Stalled), f64::NAN);
                    }
                }
            }
        });
        all
    }
}

/// Problems that a thread decodes at a time.
const TOGETHER: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_that_is_no_number_is_left_to_the_cpu() {
        let metrics = [Metric::Volatility, Metric::MeanCorrelation];
        let figures = Figures::new(&metrics, Precision::Single).unwrap();
        let errors = [1e-7_f32, 1e-7, 1e-7, BARRED as f32, f32::NAN, 2e30, 1e-7];
        let volatilities = [0.5_f32, f32::NAN, 0.25, 0.0, 0.5, 0.5, f32::INFINITY];
        let correlations = [0.25_f32, 0.25, f32::NEG_INFINITY, 0.0, 0.25, 0.25, 0.25];
        let bytes: Vec<u8> =
            [errors, volatilities, correlations].iter().flatten().flat_map(|x| x.to_ne_bytes()).collect();
        assert_eq!(bytes.len() as u64, figures.bytes(7));
        let (good, left) = (Some(Status::Converged), Some(Status::Stalled));
        let measured = figures.measured(&bytes, 7, 2.0, true);
        assert_eq!(measured.statuses, [good, left, left, None, left, left, left]);
        assert_eq!(
            (measured.rc_error[0], measured.columns[0][0], measured.columns[1][0]),
            (1e-7_f32.into(), 1.0, 0.25)
        );
        assert!(measured.rc_error[1..].iter().all(|error| error.is_nan()));
        // A single asset has no correlation, whatever stands there.
        let alone = figures.measured(&bytes, 7, 2.0, false);
        assert_eq!(alone.statuses, [good, left, good, None, left, left, left]);
        assert!(alone.columns[1].iter().all(|correlation| correlation.is_nan()));
    }
}
