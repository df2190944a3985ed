//! What comes back from resampled problems: where it lies in the staging buffer, and what it means.

use std::ops::Range;

use super::parameters::DeviceCertificate;
use super::plan::{Accuracy, Plan};
use super::precision::Limits;
use crate::batch::{Comparisons, Solutions};
use crate::methods::Method;
use crate::methods::certificate::{Certificate, Status};

/// Byte ranges of a staging buffer.
#[derive(Debug, Clone)]
pub struct Layout {
    /// One word: how many problems still run.
    pub running: Range<u64>,
    pub weights: Range<u64>,
    pub certificates: Range<u64>,
    /// Empty unless other methods are wanted beside risk budgeting.
    pub volatilities: Range<u64>,
    beside: Vec<Method>,
    accuracy: Accuracy,
}

impl Layout {
    pub fn new(problems: u32, plan: &Plan, beside: &[Method]) -> Layout {
        let (count, sizes) = (u64::from(problems), plan.sizes);
        let mut end = 0_u64;
        let mut next = |bytes: u64| {
            let start = end.next_multiple_of(16);
            end = start + bytes;
            start..end
        };
        Layout {
            running: next(4),
            weights: next(sizes.assets * count),
            certificates: next(sizes.certificates * count),
            volatilities: next(if beside.is_empty() { 0 } else { sizes.assets * count }),
            beside: beside.to_vec(),
            accuracy: plan.accuracy,
        }
    }

    pub fn bytes(&self) -> u64 {
        self.volatilities.end
    }

    pub fn running(&self, bytes: &[u8]) -> bool {
        part(bytes, &self.running).iter().any(|&byte| byte != 0)
    }

    /// Solutions in the user's units. `volatilities` are those of the panel, `unit` what one unit of the device's
    /// volatilities is worth.
    pub fn solutions(&self, bytes: &[u8], volatilities: &[f64], unit: f64) -> Solutions {
        let numbers = |range| self.accuracy.precision.decode(part(bytes, range));
        let found = numbers(&self.certificates);
        let found: &[DeviceCertificate] = bytemuck::cast_slice(&found);
        let certificates: Vec<_> = found.iter().map(|c| certificate(c, self.accuracy.limits, unit)).collect();
        let mut weights = numbers(&self.weights);
        for (certificate, weights) in certificates.iter().zip(weights.chunks_mut(volatilities.len())) {
            if !certificate.rc_error.is_finite() {
                weights.fill(f64::NAN);
            }
        }
        let mut standardised = numbers(&self.volatilities);
        let compared = if standardised.is_empty() { &[] } else { found };
        standardised.iter_mut().zip(volatilities.iter().cycle()).for_each(|(s, v)| *s *= v);
        let of = |method: Method, c: &DeviceCertificate| match method {
            Method::InverseVolatility => c.inverse_volatility * unit,
            Method::EqualWeight => c.equal_weight * unit,
            Method::RiskBudgeting => f64::NAN,
        };
        let portfolios = compared.iter().flat_map(|c| self.beside.iter().map(move |&method| of(method, c))).collect();
        let comparisons = Comparisons { methods: self.beside.clone(), volatilities: standardised, portfolios };
        Solutions { weights, certificates, comparisons }
    }
}

fn part<'a>(bytes: &'a [u8], range: &Range<u64>) -> &'a [u8] {
    &bytes[range.start as usize..range.end as usize]
}

fn certificate(found: &DeviceCertificate, limits: Limits, unit: f64) -> Certificate {
    // The device marks what is not a number by a huge one.
    let number = |x: f64| if x < 1e30 { x } else { f64::INFINITY };
    let (rc_error, kappa) = (number(found.rc_error), number(found.kappa));
    let moves = found.smallest.powi(2) >= limits.variance;
    let solved = moves && rc_error <= limits.rc_error && kappa <= limits.kappa && found.volatility > 0.0;
    Certificate {
        status: if solved { Status::Converged } else { Status::Stalled },
        rc_error,
        kappa,
        sweeps: found.sweeps as u32,
        rescued: false,
        volatility: found.volatility * unit,
    }
}
