//! Solutions as bytes: what a chunk of a resampled batch holds.
//!
//! ```text
//! problems (u64), assets (u64), comparisons (u64: 0 or 1)
//! weights (problems x assets)      f64
//! rc_error, kappa, volatility      problems x f64, one column after the other
//! sweeps                           problems x u32
//! status, rescued                  problems x u8, one column after the other
//! comparisons, where there are any: volatilities (problems x assets), inverse volatility, equal weight (problems each)
//! ```
//!
//! Little-endian; numbers keep every bit.

use crate::batch::{Comparisons, Solutions};
use crate::certificate::{Certificate, Status};

/// Reads numbers from the front of bytes; none where these end too soon.
#[derive(Debug)]
pub struct Reader<'a>(pub &'a [u8]);

impl<'a> Reader<'a> {
    pub fn bytes(&mut self, count: usize) -> Option<&'a [u8]> {
        let (front, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(front)
    }

    pub fn u64(&mut self) -> Option<u64> {
        Some(u64::from_le_bytes(self.bytes(8)?.try_into().ok()?))
    }

    pub fn f64(&mut self) -> Option<f64> {
        self.u64().map(f64::from_bits)
    }

    /// So many numbers, if there are as many bytes.
    pub fn f64s(&mut self, count: usize) -> Option<Vec<f64>> {
        let (numbers, _) = self.bytes(count.checked_mul(8)?)?.as_chunks::<8>();
        Some(numbers.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect())
    }

    pub fn u64s(&mut self, count: usize) -> Option<Vec<u64>> {
        let (numbers, _) = self.bytes(count.checked_mul(8)?)?.as_chunks::<8>();
        Some(numbers.iter().map(|bytes| u64::from_le_bytes(*bytes)).collect())
    }

    /// A number of things that take at least a byte each.
    pub fn count(&mut self) -> Option<usize> {
        let count = usize::try_from(self.u64()?).ok()?;
        (count <= self.0.len()).then_some(count)
    }
}

pub fn put_f64s(bytes: &mut Vec<u8>, numbers: impl IntoIterator<Item = f64>) {
    numbers.into_iter().for_each(|number| bytes.extend(number.to_le_bytes()));
}

pub fn put_u64s(bytes: &mut Vec<u8>, numbers: impl IntoIterator<Item = u64>) {
    numbers.into_iter().for_each(|number| bytes.extend(number.to_le_bytes()));
}

/// The byte that stands for a status.
pub fn status_code(status: Status) -> u8 {
    Status::ALL.iter().position(|known| *known == status).unwrap_or_default() as u8
}

pub fn encode(solutions: &Solutions) -> Vec<u8> {
    let Solutions { weights, certificates, comparisons } = solutions;
    let problems = certificates.len();
    let assets = weights.len() / problems.max(1);
    let compared = !comparisons.volatilities.is_empty();
    let mut bytes = Vec::with_capacity(32 + 16 * weights.len() + 64 * problems);
    put_u64s(&mut bytes, [problems as u64, assets as u64, u64::from(compared)]);
    put_f64s(&mut bytes, weights.iter().copied());
    put_f64s(&mut bytes, certificates.iter().map(|c| c.rc_error));
    put_f64s(&mut bytes, certificates.iter().map(|c| c.kappa));
    put_f64s(&mut bytes, certificates.iter().map(|c| c.volatility));
    certificates.iter().for_each(|c| bytes.extend(c.sweeps.to_le_bytes()));
    bytes.extend(certificates.iter().map(|c| status_code(c.status)));
    bytes.extend(certificates.iter().map(|c| u8::from(c.rescued)));
    for column in [&comparisons.volatilities, &comparisons.inverse_volatility, &comparisons.equal_weight] {
        put_f64s(&mut bytes, column.iter().copied());
    }
    bytes
}

/// None where the bytes are not what [`encode`] makes of solutions of `assets` assets.
pub fn decode(bytes: &[u8], assets: usize) -> Option<Solutions> {
    let mut reader = Reader(bytes);
    let problems = reader.count()?;
    let stated = reader.u64()?;
    let compared = reader.u64()?;
    if stated != assets as u64 || compared > 1 {
        return None;
    }
    let weights = reader.f64s(problems.checked_mul(assets)?)?;
    let (rc_error, kappa, volatility) = (reader.f64s(problems)?, reader.f64s(problems)?, reader.f64s(problems)?);
    let (sweeps, _) = reader.bytes(problems.checked_mul(4)?)?.as_chunks::<4>();
    let (statuses, rescued) = (reader.bytes(problems)?, reader.bytes(problems)?);
    let certificate = |at: usize| {
        Some(Certificate {
            status: *Status::ALL.get(usize::from(statuses[at]))?,
            rc_error: rc_error[at],
            kappa: kappa[at],
            sweeps: u32::from_le_bytes(sweeps[at]),
            rescued: rescued[at] != 0,
            volatility: volatility[at],
        })
    };
    let certificates = (0..problems).map(certificate).collect::<Option<_>>()?;
    let comparisons = match compared {
        0 => Comparisons::default(),
        _ => Comparisons {
            volatilities: reader.f64s(problems * assets)?,
            inverse_volatility: reader.f64s(problems)?,
            equal_weight: reader.f64s(problems)?,
        },
    };
    reader.0.is_empty().then_some(Solutions { weights, certificates, comparisons })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(compared: bool) -> Solutions {
        let columns = |rows: usize| if compared { (0..rows).map(|i| 0.1 + i as f64).collect() } else { Vec::new() };
        Solutions {
            weights: vec![0.25, 0.75, f64::NAN, f64::NAN, 1.0 / 3.0, 2.0 / 3.0],
            certificates: vec![
                Certificate::converged(1e-9, 7, 0.01),
                Certificate::unsolved(Status::NoSolution),
                Certificate { rescued: true, kappa: 3.5, ..Certificate::converged(2e-9, 11, 0.02) },
            ],
            comparisons: Comparisons {
                volatilities: columns(6),
                inverse_volatility: columns(3),
                equal_weight: columns(3),
            },
        }
    }

    #[test]
    fn solutions_come_back_bit_by_bit() {
        for compared in [false, true] {
            let bytes = encode(&sample(compared));
            let found = decode(&bytes, 2).expect("they were encoded");
            assert_eq!(encode(&found), bytes);
            assert_eq!(found.certificates[1].status, Status::NoSolution);
            assert!(found.certificates[2].rescued && found.weights[4] == 1.0 / 3.0);
        }
    }

    #[test]
    fn other_bytes_are_refused() {
        let bytes = encode(&sample(true));
        assert!(decode(&bytes, 3).is_none());
        (0..bytes.len()).for_each(|length| assert!(decode(&bytes[..length], 2).is_none(), "{length} bytes"));
        let huge = [u64::MAX.to_le_bytes(), 2_u64.to_le_bytes(), 0_u64.to_le_bytes()].concat();
        assert!(decode(&huge, 2).is_none());
    }
}
