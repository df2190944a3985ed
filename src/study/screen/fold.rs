//! What a chunk of subsets adds to a [`tally`](super::tally), as a checkpoint keeps it: a few numbers for every piece, the
//! candidates, and every subset's metrics only where these are wanted in the end.

use super::best::Candidate;
use crate::certificate::Status;
use crate::measure::Measured;
use crate::run::codec::{Reader, put_f64s, put_u64s, status_code};
use crate::run::measure::{MetricCheck, PIECE};

/// The share of one piece of a chunk.
#[derive(Debug, Clone, PartialEq)]
pub struct Piece {
    /// Subsets that ended so, in the order of [`Status::ALL`].
    pub statuses: [u64; 4],
    pub passing: u64,
    pub largest_error: f64,
    pub histogram: Vec<u64>,
    pub sums: [f64; 2],
    pub range: [f64; 2],
    pub candidates: Vec<Candidate>,
}

impl Piece {
    /// Of no subset.
    pub fn new(bins: usize) -> Piece {
        Piece {
            statuses: [0; 4],
            passing: 0,
            largest_error: 0.0,
            histogram: vec![0; bins],
            sums: [0.0; 2],
            range: [f64::INFINITY, f64::NEG_INFINITY],
            candidates: Vec::new(),
        }
    }
}

/// What a chunk adds.
#[derive(Debug, Clone, PartialEq)]
pub struct Fold {
    pub rescued: u64,
    pub check: Option<MetricCheck>,
    pub pieces: Vec<Piece>,
}

impl Fold {
    /// Whether it may be of a chunk of so many of subsets whose ranks lie below `ranks`.
    pub fn is_of(&self, problems: u64, ranks: u64) -> bool {
        let candidates = |piece: &Piece| piece.candidates.iter().all(|candidate| candidate.rank < ranks);
        self.pieces.len() as u64 == problems.div_ceil(PIECE) && self.pieces.iter().all(candidates)
    }

    /// The bytes of a chunk: its fold, and with `measured` the metrics of every subset.
    pub fn encode(&self, measured: Option<&Measured>) -> Vec<u8> {
        let mut bytes = Vec::new();
        let bins = self.pieces.first().map_or(0, |piece| piece.histogram.len());
        put_u64s(&mut bytes, [self.rescued, u64::from(self.check.is_some())]);
        let MetricCheck { sampled, max_metric_difference, disagreements } = self.check.unwrap_or_default();
        put_u64s(&mut bytes, [sampled, disagreements]);
        put_f64s(&mut bytes, [max_metric_difference.unwrap_or(f64::NAN)]);
        put_u64s(&mut bytes, [self.pieces.len() as u64, bins as u64]);
        for piece in &self.pieces {
            put_u64s(&mut bytes, piece.statuses);
            put_u64s(&mut bytes, [piece.passing, piece.candidates.len() as u64]);
            put_f64s(&mut bytes, [piece.largest_error, piece.sums[0], piece.sums[1], piece.range[0], piece.range[1]]);
            put_u64s(&mut bytes, piece.histogram.iter().copied());
            for candidate in &piece.candidates {
                put_f64s(&mut bytes, [candidate.value]);
                put_u64s(&mut bytes, [candidate.rank]);
            }
        }
        put_u64s(&mut bytes, [measured.map_or(0, |measured| measured.statuses.len() as u64)]);
        if let Some(Measured { statuses, rescued: _, rc_error, columns }) = measured {
            put_u64s(&mut bytes, [columns.len() as u64]);
            bytes.extend(statuses.iter().map(|status| status.map_or(BARRED, status_code)));
            put_f64s(&mut bytes, rc_error.iter().copied());
            columns.iter().for_each(|column| put_f64s(&mut bytes, column.iter().copied()));
        }
        bytes
    }

    /// None where the bytes are not what [`Fold::encode`] makes of a chunk of `bins` bins; with the metrics of every
    /// subset where they are there.
    pub fn decode(bytes: &[u8], bins: usize) -> Option<(Fold, Option<Measured>)> {
        let mut reader = Reader(bytes);
        let (rescued, checked) = (reader.u64()?, reader.u64()?);
        let (sampled, disagreements, difference) = (reader.u64()?, reader.u64()?, reader.f64()?);
        let max_metric_difference = (!difference.is_nan()).then_some(difference);
        let check = (checked == 1).then_some(MetricCheck { sampled, max_metric_difference, disagreements });
        let count = reader.count()?;
        if (checked > 1) || (reader.u64()? != bins as u64 && count > 0) {
            return None;
        }
        let mut pieces = Vec::new();
        for _ in 0..count {
            let statuses = reader.u64s(4)?.try_into().ok()?;
            let (passing, candidates) = (reader.u64()?, reader.count()?);
            let [largest_error, sum, squares, least, most]: [f64; 5] = reader.f64s(5)?.try_into().ok()?;
            let histogram = reader.u64s(bins)?;
            let candidate = |reader: &mut Reader| Some(Candidate { value: reader.f64()?, rank: reader.u64()? });
            let candidates = (0..candidates).map(|_| candidate(&mut reader)).collect::<Option<_>>()?;
            let (sums, range) = ([sum, squares], [least, most]);
            pieces.push(Piece { statuses, passing, largest_error, histogram, sums, range, candidates });
        }
        let measured = match reader.count()? {
            0 => None,
            subsets => {
                let columns = reader.count()?;
                let status = |&code: &u8| match code {
                    BARRED => Some(None),
                    code => Status::ALL.get(usize::from(code)).map(|status| Some(*status)),
                };
                let statuses = reader.bytes(subsets)?.iter().map(status).collect::<Option<_>>()?;
                let rc_error = reader.f64s(subsets)?;
                let columns = (0..columns).map(|_| reader.f64s(subsets)).collect::<Option<_>>()?;
                Some(Measured { statuses, rescued, rc_error, columns })
            }
        };
        reader.0.is_empty().then_some((Fold { rescued, check, pieces }, measured))
    }
}

/// Stands for a subset that a cap barred.
const BARRED: u8 = u8::MAX;

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> (Fold, Measured) {
        let candidates = vec![Candidate { value: -1.5, rank: 3 }, Candidate { value: 0.1 + 0.2, rank: u64::MAX }];
        let piece = Piece { statuses: [1, 2, 3, 4], passing: 1, candidates, sums: [0.1, 0.2], ..Piece::new(3) };
        let check = MetricCheck { sampled: 4, max_metric_difference: Some(1e-7), disagreements: 0 };
        let measured = Measured {
            statuses: vec![Some(Status::Converged), None, Some(Status::Invalid)],
            rescued: 2,
            rc_error: vec![1e-9, 0.0, 0.5],
            columns: vec![vec![1.0, 2.0, 3.0], vec![4.0, 5.0, 6.0]],
        };
        (Fold { rescued: 2, check: Some(check), pieces: vec![piece, Piece::new(3)] }, measured)
    }

    #[test]
    fn a_chunk_comes_back_as_it_was_kept() {
        let (fold, measured) = sample();
        assert_eq!(Fold::decode(&fold.encode(None), 3), Some((fold.clone(), None)));
        assert_eq!(Fold::decode(&fold.encode(Some(&measured)), 3), Some((fold.clone(), Some(measured))));
        let unchecked = Fold { check: None, ..fold };
        assert_eq!(Fold::decode(&unchecked.encode(None), 3), Some((unchecked, None)));
    }

    #[test]
    fn other_bytes_are_refused() {
        let (fold, measured) = sample();
        let bytes = fold.encode(Some(&measured));
        assert_eq!(Fold::decode(&bytes, 4), None);
        (0..bytes.len()).for_each(|length| assert_eq!(Fold::decode(&bytes[..length], 3), None, "{length} bytes"));
    }
}
