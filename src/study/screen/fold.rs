//! What a chunk of subsets adds to a [`tally`](super::tally), as a checkpoint keeps it: a few numbers for every piece, the
//! candidates, and every subset's metrics only where these are wanted in the end.

use super::best::Candidate;
use crate::measure::Measured;
use crate::methods::certificate::Status;
use crate::run::chunks::PIECE;
use crate::run::crosscheck::Check;
use crate::store::Columns;

/// Statuses that a subset may end with, and the first so many, which it may without bounds.
const STATUSES: usize = Status::ALL.len();
const UNBOUNDED: usize = Status::Infeasible.code() as usize;

/// The share of one piece of a chunk.
#[derive(Debug, Clone, PartialEq)]
pub struct Piece {
    /// Subsets that ended so, in the order of [`Status::code`].
    pub statuses: [u64; STATUSES],
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
            statuses: [0; STATUSES],
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
    pub check: Option<Check>,
    pub pieces: Vec<Piece>,
}

impl Fold {
    /// Whether it may be of a chunk of so many of subsets whose ranks lie below `ranks`.
    pub fn is_of(&self, problems: u64, ranks: u64) -> bool {
        let candidates = |piece: &Piece| piece.candidates.iter().all(|candidate| candidate.rank < ranks);
        self.pieces.len() as u64 == problems.div_ceil(PIECE) && self.pieces.iter().all(candidates)
    }

    /// The chunk as it is kept: its fold, and with `measured` the metrics of every subset.
    pub fn columns(&self, measured: Option<Measured>) -> Columns {
        let pieces = &self.pieces;
        let candidates = || pieces.iter().flat_map(|piece| &piece.candidates);
        let unbounded = |piece: &Piece| piece.statuses[..UNBOUNDED].to_vec();
        let infeasible: Vec<u64> = pieces.iter().map(|piece| piece.statuses[UNBOUNDED]).collect();
        let columns = Columns::default()
            .with("rescued", vec![self.rescued])
            .with("check", Check::numbers(self.check))
            .with("statuses", pieces.iter().flat_map(unbounded).collect::<Vec<u64>>())
            .with("passing", pieces.iter().map(|piece| piece.passing).collect::<Vec<u64>>())
            .with("largest_error", pieces.iter().map(|piece| piece.largest_error).collect::<Vec<f64>>())
            .with("histogram", pieces.iter().flat_map(|piece| piece.histogram.iter().copied()).collect::<Vec<u64>>())
            .with("sums", pieces.iter().flat_map(|piece| piece.sums).collect::<Vec<f64>>())
            .with("range", pieces.iter().flat_map(|piece| piece.range).collect::<Vec<f64>>())
            .with("candidates", pieces.iter().map(|piece| piece.candidates.len() as u64).collect::<Vec<u64>>())
            .with("value", candidates().map(|candidate| candidate.value).collect::<Vec<f64>>())
            .with("rank", candidates().map(|candidate| candidate.rank).collect::<Vec<u64>>());
        let columns = match infeasible.iter().any(|count| *count > 0) {
            true => columns.with(INFEASIBLE, infeasible),
            false => columns,
        };
        let Some(measured) = measured else { return columns };
        let status = |status: &Option<Status>| status.map_or(BARRED, Status::code);
        let columns = columns
            .with("status", measured.statuses.iter().map(status).collect::<Vec<u8>>())
            .with("rc_error", measured.rc_error);
        let metrics = measured.columns.into_iter().enumerate();
        metrics.fold(columns, |columns, (at, metric)| columns.with(format!("metric_{at}"), metric))
    }

    /// None where the columns are not what [`Fold::columns`] makes of a chunk of `bins` bins.
    pub fn of_columns(columns: &Columns, bins: usize) -> Option<Fold> {
        let &[rescued] = columns.u64s("rescued")? else { return None };
        let (statuses, rest) = columns.u64s("statuses")?.as_chunks::<UNBOUNDED>();
        let infeasible = columns.u64s(INFEASIBLE);
        let (sums, odd_sum) = columns.f64s("sums")?.as_chunks::<2>();
        let (ranges, odd_end) = columns.f64s("range")?.as_chunks::<2>();
        let (passing, errors) = (columns.u64s("passing")?, columns.f64s("largest_error")?);
        let (histogram, counts) = (columns.u64s("histogram")?, columns.u64s("candidates")?);
        let (values, ranks) = (columns.f64s("value")?, columns.u64s("rank")?);
        let pieces = statuses.len();
        let lengths = [sums.len(), ranges.len(), passing.len(), errors.len(), counts.len()];
        let whole = rest.is_empty() && odd_sum.is_empty() && odd_end.is_empty() && values.len() == ranks.len();
        let infeasible_too = infeasible.is_none_or(|infeasible| infeasible.len() == pieces);
        if !whole
            || !infeasible_too
            || lengths.iter().any(|&length| length != pieces)
            || histogram.len() != pieces.checked_mul(bins)?
        {
            return None;
        }
        let mut candidates = values.iter().zip(ranks).map(|(&value, &rank)| Candidate { value, rank });
        let mut piece = |at: usize| {
            let count = usize::try_from(counts[at]).ok().filter(|&count| count <= values.len())?;
            let own: Vec<Candidate> = candidates.by_ref().take(count).collect();
            (own.len() == count).then(|| Piece {
                statuses: std::array::from_fn(|code| match statuses[at].get(code) {
                    Some(count) => *count,
                    None => infeasible.map_or(0, |infeasible| infeasible[at]),
                }),
                passing: passing[at],
                largest_error: errors[at],
                histogram: histogram[at * bins..(at + 1) * bins].to_vec(),
                sums: sums[at],
                range: ranges[at],
                candidates: own,
            })
        };
        let pieces = (0..pieces).map(&mut piece).collect::<Option<Vec<Piece>>>()?;
        let check = columns.f64s("check").and_then(Check::of_numbers);
        candidates.next().is_none().then_some(Fold { rescued, check, pieces })
    }
}

/// The metrics of every subset of a chunk, where they were kept.
pub fn measured(columns: &Columns, metrics: usize) -> Option<Measured> {
    let status = |&code: &u8| match code {
        BARRED => Some(None),
        code => Status::from_code(code).map(Some),
    };
    let statuses = columns.u8s("status")?.iter().map(status).collect::<Option<Vec<Option<Status>>>>()?;
    let column = |name: &str| columns.f64s(name).filter(|column| column.len() == statuses.len()).map(<[f64]>::to_vec);
    let columns = (0..metrics).map(|at| column(&format!("metric_{at}"))).collect::<Option<_>>()?;
    Some(Measured { rescued: 0, rc_error: column("rc_error")?, columns, statuses })
}

/// The column of subsets that no weights are within the bounds of.
const INFEASIBLE: &str = "infeasible";

/// Stands for a subset that a cap barred.
const BARRED: u8 = u8::MAX;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chunk_comes_back_as_it_was_kept() {
        let candidates = vec![Candidate { value: -1.5, rank: 3 }, Candidate { value: 0.1 + 0.2, rank: u64::MAX }];
        let piece = Piece { statuses: [1, 2, 3, 4, 0], passing: 1, candidates, sums: [0.1, 0.2], ..Piece::new(3) };
        let check = Check { sampled: 4, max_difference: Some(1e-7), ..Check::default() };
        let kept = Measured {
            statuses: vec![Some(Status::Converged), None, Some(Status::Invalid)],
            rescued: 0,
            rc_error: vec![1e-9, 0.0, 0.5],
            columns: vec![vec![1.0, 2.0, 3.0], vec![4.0, 5.0, 6.0]],
        };
        let fold = Fold { rescued: 2, check: Some(check), pieces: vec![piece, Piece::new(3)] };
        assert_eq!(Fold::of_columns(&fold.columns(None), 3), Some(fold.clone()));
        assert_eq!(measured(&fold.columns(None), 2), None);
        let columns = fold.columns(Some(kept.clone()));
        assert_eq!((Fold::of_columns(&columns, 3), measured(&columns, 2)), (Some(fold.clone()), Some(kept)));
        assert_eq!((Fold::of_columns(&columns, 4), measured(&columns, 3)), (None, None));
        // What has no bounds is kept as it was before there were any.
        assert_eq!(fold.columns(None).u64s(INFEASIBLE), None);
        let mut bounded = fold.clone();
        bounded.pieces[1].statuses[UNBOUNDED] = 7;
        assert_eq!(bounded.columns(None).u64s(INFEASIBLE), Some(&[0, 7][..]));
        assert_eq!(Fold::of_columns(&bounded.columns(None), 3), Some(bounded));
        let unchecked = Fold { check: None, ..fold };
        assert_eq!(Fold::of_columns(&unchecked.columns(None), 3), Some(unchecked));
    }
}
