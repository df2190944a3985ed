//! What comes back from resampled problems: where it lies in the staging buffer, and what it means.

use std::ops::Range;

use bytemuck::Pod;

use super::parameters::DeviceCertificate;
use super::{ACCEPTANCE, CONDITION_LIMIT};
use crate::batch::{Comparisons, Solutions};
use crate::certificate::{Certificate, Status};

/// Byte ranges of a staging buffer.
#[derive(Debug, Clone)]
pub struct Layout {
    /// One word: how many problems still run.
    pub running: Range<u64>,
    pub weights: Range<u64>,
    pub certificates: Range<u64>,
    /// Empty unless comparisons are wanted.
    pub volatilities: Range<u64>,
}

impl Layout {
    pub fn new(problems: u32, assets: usize, comparisons: bool) -> Layout {
        let count = u64::from(problems);
        let mut end = 0_u64;
        let mut next = |bytes: u64| {
            let start = end.next_multiple_of(16);
            end = start + bytes;
            start..end
        };
        Layout {
            running: next(4),
            weights: next(4 * assets as u64 * count),
            certificates: next(size_of::<DeviceCertificate>() as u64 * count),
            volatilities: next(if comparisons { 4 * assets as u64 * count } else { 0 }),
        }
    }

    pub fn bytes(&self) -> u64 {
        self.volatilities.end
    }

    pub fn running(&self, bytes: &[u8]) -> bool {
        words::<u32>(bytes, &self.running) != [0]
    }

    /// Solutions in the user's units. `volatilities` are those of the panel, `unit` what one unit of the device's
    /// volatilities is worth.
    pub fn solutions(&self, bytes: &[u8], volatilities: &[f64], unit: f64) -> Solutions {
        let found: &[DeviceCertificate] = words(bytes, &self.certificates);
        let certificates: Vec<_> = found.iter().map(|c| certificate(c, unit)).collect();
        let mut weights: Vec<_> = words::<f32>(bytes, &self.weights).iter().map(|&w| f64::from(w)).collect();
        for (certificate, weights) in certificates.iter().zip(weights.chunks_mut(volatilities.len())) {
            if !certificate.rc_error.is_finite() {
                weights.fill(f64::NAN);
            }
        }
        let standardised: &[f32] = words(bytes, &self.volatilities);
        let compared = if standardised.is_empty() { &[] } else { found };
        let comparisons = Comparisons {
            volatilities: standardised
                .iter()
                .zip(volatilities.iter().cycle())
                .map(|(&s, v)| f64::from(s) * v)
                .collect(),
            inverse_volatility: compared.iter().map(|c| f64::from(c.inverse_volatility) * unit).collect(),
            equal_weight: compared.iter().map(|c| f64::from(c.equal_weight) * unit).collect(),
        };
        Solutions { weights, certificates, comparisons }
    }
}

/// Below this share of its full-sample variance, an asset's variance in a resample is left to the CPU. Moments round at
/// the order of the full sample's, so errors of the correlations grow with its inverse: from 5e-7 at one to 4e-6 here.
const SMALLEST_VARIANCE: f64 = 1.0 / 8.0;

fn words<'a, T: Pod>(bytes: &'a [u8], range: &Range<u64>) -> &'a [T] {
    bytemuck::cast_slice(&bytes[range.start as usize..range.end as usize])
}

fn certificate(found: &DeviceCertificate, unit: f64) -> Certificate {
    // The device marks what is not a number by a huge one.
    let number = |x: f32| if x < 1e30 { f64::from(x) } else { f64::INFINITY };
    let (rc_error, kappa) = (number(found.rc_error), number(found.kappa));
    let moves = f64::from(found.smallest).powi(2) >= SMALLEST_VARIANCE;
    let solved = moves && rc_error <= ACCEPTANCE && kappa <= CONDITION_LIMIT && found.volatility > 0.0;
    Certificate {
        status: if solved { Status::Converged } else { Status::Stalled },
        rc_error,
        kappa,
        sweeps: found.sweeps,
        rescued: false,
        volatility: f64::from(found.volatility) * unit,
    }
}
