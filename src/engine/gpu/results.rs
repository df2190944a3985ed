//! What comes back from resampled problems: where it lies in the staging buffer, and what it means.

use std::ops::Range;
use std::sync::Arc;

use rayon::prelude::*;

use super::limited::Limited;
use super::parameters::{DeviceCertificate, DeviceProof};
use super::plan::{Accuracy, Plan};
use super::precision::{Limits, Precision};
use super::way::Way;
use crate::batch::{Comparisons, Solutions, Solved};
use crate::methods::certificate::{Certificate, Proof, Status};
use crate::methods::{Method, Selection};

/// Twice what correlations in single precision are off by, of assets as volatile as over the history; it grows with the
/// inverse of their variance.
const CORRELATION_ROUNDING: f64 = 1e-6;

/// Byte ranges of a staging buffer.
#[derive(Debug, Clone)]
pub struct Layout {
    /// One word: how many problems still run.
    pub running: Range<u64>,
    pub weights: Range<u64>,
    pub certificates: Range<u64>,
    /// Empty unless other methods are wanted beside risk budgeting.
    pub volatilities: Range<u64>,
    /// Empty unless the estimator has one.
    pub intensities: Range<u64>,
    /// Volatilities of all problems, mix after mix.
    pub mixes: Range<u64>,
    /// Weights and proofs of each method that is solved for, within limits certificates.
    pub others: Vec<(Range<u64>, Range<u64>)>,
    beside: Selection,
    limited: Option<Arc<Limited>>,
    accuracy: Accuracy,
    /// Whether rows count by their age.
    weighs: bool,
}

impl Layout {
    pub fn new(problems: u32, plan: &Plan, beside: &Selection, limited: Option<Arc<Limited>>) -> Layout {
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
            volatilities: next(if beside.methods().is_empty() { 0 } else { sizes.assets * count }),
            intensities: next(sizes.intensities * count),
            mixes: next(sizes.mixes * count),
            others: (0..plan.others.solved).map(|_| (next(sizes.assets * count), next(sizes.proofs * count))).collect(),
            beside: beside.clone(),
            limited,
            accuracy: plan.accuracy,
            weighs: plan.way.is_some_and(Way::weighs),
        }
    }

    pub fn bytes(&self) -> u64 {
        self.others.last().map_or(self.mixes.end, |(_, proofs)| proofs.end)
    }

    pub fn running(&self, bytes: &[u8]) -> bool {
        part(bytes, &self.running).iter().any(|&byte| byte != 0)
    }

    /// Solutions in the user's units, of each part of the problems by itself. `volatilities` are those of the panel, `unit`
    /// what one unit of the device's volatilities is worth.
    pub fn solutions(&self, bytes: &[u8], parts: &[Range<usize>], volatilities: &[f64], unit: f64) -> Vec<Solutions> {
        let problems = parts.last().map_or(0, |part| part.end).max(1);
        let solutions = |positions: &Range<usize>| {
            let of = |range: &Range<u64>| {
                let all = part(bytes, range);
                let each = all.len() / problems;
                &all[positions.start * each..positions.end * each]
            };
            let parts = [&self.weights, &self.certificates, &self.volatilities, &self.intensities].map(of);
            let others = self.others.iter().map(|(weights, proofs)| [of(weights), of(proofs)]).collect();
            let mixes = self.mix_volatilities(bytes, problems, positions, unit);
            self.decoded(parts, others, &mixes, volatilities, unit)
        };
        parts.par_iter().map(solutions).collect()
    }

    /// Volatilities of each mix, of the problems at these positions.
    fn mix_volatilities(&self, bytes: &[u8], problems: usize, positions: &Range<usize>, unit: f64) -> Vec<Vec<f64>> {
        let (all, each) = (part(bytes, &self.mixes), problems * self.accuracy.precision.bytes() as usize);
        let own = |mix: &[u8]| {
            let numbers = self.accuracy.precision.decode(mix);
            numbers[positions.clone()].iter().map(|v| if *v >= 0.0 { v * unit } else { f64::NAN }).collect()
        };
        all.chunks_exact(each).map(own).collect()
    }

    /// Every number goes once from the device's memory to where it stays.
    fn decoded(
        &self,
        [weights, found, standardised, intensities]: [&[u8]; 4],
        others: Vec<[&[u8]; 2]>,
        mixes: &[Vec<f64>],
        volatilities: &[f64],
        unit: f64,
    ) -> Solutions {
        let precision = self.accuracy.precision;
        let ones = vec![1.0; volatilities.len()];
        let (mut weights, mut finite) = precision.decode_rows(weights, &ones);
        let found = precision.decode(found);
        let found: &[DeviceCertificate] = bytemuck::cast_slice(&found);
        let methods = self.beside.methods();
        let solved: Vec<Solved> = self
            .beside
            .solved()
            .zip(others)
            .map(|(method, parts)| match &self.limited {
                None => self.solved(method, parts, found, volatilities.len(), unit),
                Some(limited) => self.solved_within(limited, method, parts, volatilities.len(), unit),
            })
            .collect();
        let mut comparisons = Comparisons { methods: methods.to_vec(), ..Comparisons::default() };
        if !methods.is_empty() {
            let known;
            (comparisons.volatilities, known) = precision.decode_rows(standardised, volatilities);
            comparisons.portfolios.reserve_exact(found.len() * methods.len());
            for (at, c) in found.iter().enumerate() {
                for &method in methods {
                    let own = || solved.iter().find(|own| own.method == method);
                    let volatility = match method {
                        Method::InverseVolatility if self.limited.is_none() => c.inverse_volatility * unit,
                        Method::EqualWeight if self.limited.is_none() => c.equal_weight * unit,
                        // After the mixes.
                        Method::EqualWeight => mixes.get(self.beside.mixes().len()).map_or(f64::NAN, |own| own[at]),
                        Method::Fixed(number) => mixes[usize::from(number)][at],
                        _ => own().map_or(f64::NAN, |own| own.proofs[at].volatility),
                    };
                    // What others lack the CPU finds, and risk budgeting stays what it is.
                    let closed = self.limited.is_none() && Method::CLOSED_FORMS.contains(&method);
                    finite[at] &= volatility.is_finite() || !closed;
                    comparisons.portfolios.push(volatility);
                }
                finite[at] &= known[at];
            }
        }
        comparisons.solved = solved;
        let parameters = precision.decode(intensities);
        for (finite, intensity) in finite.iter_mut().zip(&parameters) {
            *finite &= (0.0..=1.0).contains(intensity);
        }
        let limits = self.accuracy.limits;
        let rows = found.iter().zip(&finite).zip(weights.chunks_mut(volatilities.len()));
        let certificates = rows.map(|((found, &finite), weights)| match &self.limited {
            None => certificate(found, finite, limits, unit),
            Some(limited) => certificate_within(limited, found, (weights, finite), limits, unit),
        });
        let certificates: Vec<Certificate> = certificates.collect();
        for ((certificate, weights), finite) in
            certificates.iter().zip(weights.chunks_mut(volatilities.len())).zip(finite)
        {
            if !finite || !certificate.rc_error.is_finite() {
                weights.fill(f64::NAN);
            }
        }
        Solutions { weights, certificates, comparisons, parameters }
    }
}

impl Layout {
    /// The portfolios of a method that kernels solve for, of n assets.
    fn solved(
        &self,
        method: Method,
        [weights, proofs]: [&[u8]; 2],
        certificates: &[DeviceCertificate],
        n: usize,
        unit: f64,
    ) -> Solved {
        let precision = self.accuracy.precision;
        let (mut weights, finite) = precision.decode_rows(weights, &vec![1.0; n]);
        let found = precision.decode(proofs);
        let found: &[DeviceProof] = bytemuck::cast_slice(&found);
        let mut proofs: Vec<Proof> = Vec::with_capacity(found.len());
        for ((found, certificate), finite) in found.iter().zip(certificates).zip(finite) {
            let found = proof(method, found, self.least_margin(certificate.smallest), self.accuracy, unit);
            proofs.push(if finite { found } else { Proof::unsolved(Status::Stalled) });
        }
        for (weights, proof) in weights.chunks_mut(n).zip(&proofs) {
            if proof.status != Status::Converged {
                weights.fill(f64::NAN);
            }
        }
        Solved { method, weights, proofs }
    }
}

impl Layout {
    /// The same within limits.
    fn solved_within(
        &self,
        limited: &Limited,
        method: Method,
        [weights, certificates]: [&[u8]; 2],
        n: usize,
        unit: f64,
    ) -> Solved {
        let precision = self.accuracy.precision;
        let (mut weights, finite) = precision.decode_rows(weights, &vec![1.0; n]);
        let found = precision.decode(certificates);
        let found: &[DeviceCertificate] = bytemuck::cast_slice(&found);
        let proof = |((found, finite), weights): ((&DeviceCertificate, bool), &mut [f64])| {
            let own = certificate_within(limited, found, (weights, finite), self.accuracy.limits, unit);
            if own.status != Status::Converged {
                weights.fill(f64::NAN);
                return Proof::unsolved(Status::Stalled);
            }
            let (error, volatility) = (own.kkt_error.unwrap_or(f64::NAN), own.volatility);
            Proof { status: own.status, error, margin: f64::NAN, unique: true, volatility }
        };
        let proofs = found.iter().zip(finite).zip(weights.chunks_mut(n)).map(proof).collect();
        Solved { method, weights, proofs }
    }
}

impl Layout {
    /// Trees whose merges lie nearer are left to the CPU: twice what correlations are off by, of assets of which one has no
    /// more than this share of its volatility over the history.
    fn least_margin(&self, smallest: f64) -> f64 {
        match self.accuracy.precision {
            // Variances of few rows are told down to 1/8 of their moments.
            Precision::Single if self.weighs => 8.0 * CORRELATION_ROUNDING,
            Precision::Single => (CORRELATION_ROUNDING / smallest.powi(2)).max(4.0 * CORRELATION_ROUNDING),
            // The CPU's keys are whole multiples of 2^-30.
            Precision::Double => 4.0 / f64::from(1 << 30),
        }
    }
}

/// What travels with the portfolio of another method; nothing where it is left to the CPU. The device leaves what is not
/// unique, and what single precision does not tell.
fn proof(method: Method, found: &DeviceProof, least_margin: f64, accuracy: Accuracy, unit: f64) -> Proof {
    let volatility = found.volatility * unit;
    let certified = found.error <= accuracy.limits.rc_error;
    let moves = found.volatility > 0.0 && found.volatility < f64::INFINITY;
    let hierarchical = method == Method::HierarchicalRiskParity;
    let told = !hierarchical || found.margin >= least_margin;
    if !(found.solved == 1.0 && certified && moves && told) {
        return Proof::unsolved(Status::Stalled);
    }
    let margin = match hierarchical {
        // Of one merge, or none.
        true if found.margin >= 1e30 => f64::INFINITY,
        true => found.margin,
        false => f64::NAN,
    };
    Proof { status: Status::Converged, error: found.error.max(0.0), margin, unique: true, volatility }
}

fn part<'a>(bytes: &'a [u8], range: &Range<u64>) -> &'a [u8] {
    &bytes[range.start as usize..range.end as usize]
}

/// Whether a problem is solved is decided here, in IEEE arithmetic: compilers of shaders may drop what is not a number.
fn certificate(found: &DeviceCertificate, finite: bool, limits: Limits, unit: f64) -> Certificate {
    // The device marks what is not a number by a huge one.
    let number = |x: f64| if x < 1e30 { x } else { f64::INFINITY };
    let (rc_error, kappa) = (number(found.rc_error), number(found.kappa));
    let moves = found.smallest.powi(2) >= limits.variance;
    let certified = rc_error <= limits.rc_error && kappa <= limits.kappa;
    let solved = finite && moves && certified && found.volatility > 0.0 && found.volatility < f64::INFINITY;
    Certificate {
        status: if solved { Status::Converged } else { Status::Stalled },
        rc_error,
        kappa,
        sweeps: found.sweeps as u32,
        rescued: false,
        volatility: found.volatility * unit,
        slack: None,
        kkt_error: None,
    }
}

/// The same within limits: weights are put at the bounds that hold them, and what that moves is part of the error.
fn certificate_within(
    limited: &Limited,
    found: &DeviceCertificate,
    (weights, finite): (&mut [f64], bool),
    limits: Limits,
    unit: f64,
) -> Certificate {
    let moved = if finite { limited.close(weights) } else { None };
    let error = moved.map_or(f64::INFINITY, |(_, moved)| found.kkt_error + moved);
    let judged = certificate(&DeviceCertificate { rc_error: error, ..*found }, finite, limits, unit);
    Certificate { rc_error: found.rc_error, kkt_error: Some(judged.rc_error), ..judged }
}

#[cfg(test)]
mod tests {
    use bytemuck::Zeroable as _;

    use super::*;
    use crate::engine::Precision;

    /// What a device left of two assets: certificate, weights, volatilities and intensity.
    type Left = (DeviceCertificate, [f64; 2], [f64; 2], f64);

    fn found(problems: &[Left], cut: &[Range<usize>]) -> Vec<Solutions> {
        let numbers =
            |of: &dyn Fn(&Left) -> Vec<f64>| -> Vec<u8> { Precision::Double.encode(problems.iter().flat_map(of)) };
        let parts = [
            numbers(&|problem| problem.1.to_vec()),
            numbers(&|problem| bytemuck::cast_slice(&[problem.0]).to_vec()),
            numbers(&|problem| problem.2.to_vec()),
            numbers(&|problem| vec![problem.3]),
        ];
        let mut bytes = vec![0; 16];
        let [weights, certificates, volatilities, intensities] = parts.map(|part| {
            let start = bytes.len() as u64;
            bytes.extend(part);
            start..bytes.len() as u64
        });
        let limits = Limits { rc_error: 1e-5, kappa: 32.0, variance: 0.125 };
        let accuracy = Accuracy { precision: Precision::Double, limits };
        let (beside, none) = (Selection::CLOSED_FORMS, 0..0);
        let others = Vec::new();
        let parts = (weights, certificates, volatilities, intensities);
        let (weights, certificates, volatilities, intensities) = parts;
        let layout = Layout {
            running: 0..4,
            weights,
            certificates,
            volatilities,
            intensities,
            mixes: none,
            others,
            beside,
            limited: None,
            accuracy,
            weighs: false,
        };
        layout.solutions(&bytes, cut, &[0.1, 0.2], 0.125)
    }

    #[test]
    fn what_is_no_number_is_left_to_the_cpu() {
        let good = DeviceCertificate {
            rc_error: 1e-7,
            kappa: 1.0,
            volatility: 1.0,
            inverse_volatility: 1.0,
            equal_weight: 1.5,
            smallest: 1.0,
            sweeps: 4.0,
            ..DeviceCertificate::zeroed()
        };
        let (nan, infinite) = (f64::NAN, f64::INFINITY);
        let whole = (good, [0.6, 0.4], [1.0, 1.0], 0.25);
        let certified = |certificate: DeviceCertificate| (certificate, whole.1, whole.2, whole.3);
        let problems = [
            whole,
            certified(DeviceCertificate { rc_error: nan, ..good }),
            certified(DeviceCertificate { kappa: nan, ..good }),
            certified(DeviceCertificate { volatility: nan, ..good }),
            certified(DeviceCertificate { volatility: infinite, ..good }),
            certified(DeviceCertificate { inverse_volatility: nan, ..good }),
            certified(DeviceCertificate { equal_weight: infinite, ..good }),
            certified(DeviceCertificate { smallest: nan, ..good }),
            (good, [nan, 0.4], whole.2, whole.3),
            (good, [0.6, infinite], whole.2, whole.3),
            (good, whole.1, [nan, 1.0], whole.3),
            (good, whole.1, [1.0, infinite], whole.3),
            (good, whole.1, whole.2, nan),
        ];
        let all = found(&problems, std::slice::from_ref(&(0..13))).remove(0);
        assert_eq!(all.parameters[0], 0.25);
        assert_eq!((all.certificates[0].status, all.certificates[0].volatility), (Status::Converged, 0.125));
        assert_eq!((&all.weights[..2], &all.comparisons.volatilities[..2]), (&[0.6, 0.4][..], &[0.1, 0.2][..]));
        assert_eq!(all.comparisons.portfolios[..2], [0.125, 0.1875]);
        for (at, certificate) in all.certificates.iter().enumerate().skip(1) {
            assert_eq!(certificate.status, Status::Stalled, "{at}");
        }

        let parts = found(&problems, &[0..5, 5..13]);
        assert_eq!(parts.iter().map(|part| part.certificates.len()).collect::<Vec<_>>(), [5, 8]);
        let mut joined = Solutions::default();
        parts.into_iter().for_each(|part| joined.extend(part));
        assert_eq!(format!("{joined:?}"), format!("{all:?}"));
    }
}
