//! Which rows of a history a covariance is estimated from.

use std::ops::Range;
use std::sync::Arc;

use super::{Weighting, WholeWeights};
use crate::resample::Law;

/// Sets of rows by number. Whoever sums moments knows them by their runs alone ([`Rows::runs`]).
#[derive(Debug, Clone, PartialEq)]
pub enum Rows {
    /// One set: all rows.
    All,
    /// So many resamples.
    Resampled { law: Law, resamples: u64 },
    /// Ranges of neighbouring rows, such as the halves of a history or the windows of a backtest.
    Spans(Arc<[Range<u32>]>),
    /// Each of these ranges of positions in each of so many resamples, resample after resample: the windows of a backtest
    /// along other paths of history.
    Paths { law: Law, paths: u64, spans: Arc<[Range<u32>]> },
}

impl Rows {
    /// Sets of rows there are.
    pub fn count(&self) -> u64 {
        match self {
            Rows::All => 1,
            Rows::Resampled { resamples, .. } => *resamples,
            Rows::Spans(spans) => spans.len() as u64,
            Rows::Paths { paths, spans, .. } => paths.saturating_mul(spans.len() as u64),
        }
    }

    /// Rows of a set, of a history of so many, repeated ones counted as often as they are.
    pub fn length(&self, set: u64, history: usize) -> usize {
        match self {
            Rows::All | Rows::Resampled { .. } => history,
            Rows::Spans(spans) => spans[set as usize].len(),
            Rows::Paths { spans, .. } => spans[(set % spans.len() as u64) as usize].len(),
        }
    }

    /// Calls `each(first row, rows)` for the runs of neighbouring rows of a set, in order. Rows of a run wrap at the end
    /// of the history.
    pub fn runs(&self, set: u64, history: usize, mut each: impl FnMut(u32, u32)) {
        match self {
            Rows::All => each(0, history as u32),
            Rows::Resampled { law, .. } => law.runs(set, each),
            Rows::Spans(spans) => {
                let span = &spans[set as usize];
                each(span.start, span.end - span.start);
            }
            Rows::Paths { law, spans, .. } => {
                let span = &spans[(set % spans.len() as u64) as usize];
                let mut position = 0;
                law.runs(set / spans.len() as u64, |start, length| {
                    let (first, last) = (position.max(span.start), (position + length).min(span.end));
                    if first < last {
                        let from = start + (first - position);
                        each(if from >= law.rows { from - law.rows } else { from }, last - first);
                    }
                    position += length;
                });
            }
        }
    }

    /// What each row of the history counts in a set: how often it occurs, or by its positions. `weights` has one entry for
    /// each row and is overwritten.
    pub fn weights(&self, set: u64, weighting: &Weighting, weights: &mut [f64]) {
        weights.fill(0.0);
        let history = weights.len();
        let mut left = self.length(set, history);
        self.runs(set, history, |start, length| {
            let (start, length) = (start as usize, length as usize);
            let before = length.min(history - start);
            for (first, rows) in [(start, before), (0, length - before)] {
                left -= rows;
                let rows = weights[first..first + rows].iter_mut();
                match weighting {
                    Weighting::Equal => rows.for_each(|weight| *weight += 1.0),
                    Weighting::Exponential(decay) if left < decay.ages() => {
                        rows.rev().zip(left..).for_each(|(weight, age)| *weight += decay.weight(age));
                    }
                    Weighting::Exponential(_) => {}
                }
            }
        });
    }

    /// The same in whole numbers.
    pub fn whole_weights(&self, set: u64, whole: &WholeWeights, weights: &mut [u32]) {
        weights.fill(0);
        let history = weights.len();
        let mut age = self.length(set, history);
        self.runs(set, history, |start, length| {
            for position in 0..length as usize {
                age -= 1;
                let row = start as usize + position;
                let row = if row < history { row } else { row - history };
                weights[row] += whole.by_age().get(age).copied().unwrap_or(0);
            }
        });
    }

    /// The law, where rows are drawn, and the windows of each draw, where windows are taken.
    pub fn draws(&self) -> Option<(&Law, Option<&[Range<u32>]>)> {
        match self {
            Rows::Resampled { law, .. } => Some((law, None)),
            Rows::Paths { law, spans, .. } => Some((law, Some(spans))),
            Rows::All | Rows::Spans(_) => None,
        }
    }

    /// The law, where rows are drawn and nothing else is done with them.
    pub fn law(&self) -> Option<Law> {
        self.draws().filter(|(_, windows)| windows.is_none()).map(|(law, _)| *law)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resample::Scheme;

    #[test]
    fn the_windows_of_a_path_are_parts_of_its_rows() {
        let rows = 40;
        for (scheme, length) in [(Scheme::Iid, 1.0), (Scheme::Stationary, 6.0), (Scheme::Circular, 7.0)] {
            let law = Law::new(scheme, length, rows, 5, 0).unwrap();
            let spans: Arc<[Range<u32>]> = [0..10, 5..25, 30..40].into();
            let windows = Rows::Paths { law, paths: 3, spans: spans.clone() };
            assert_eq!(windows.count(), 9);
            for set in 0..9 {
                let span = &spans[set as usize % 3];
                let path = law.rows(set / 3);
                let mut found = Vec::new();
                windows.runs(set, rows, |start, length| {
                    found.extend((start..start + length).map(|row| row % rows as u32));
                });
                assert_eq!(found, path[span.start as usize..span.end as usize], "{scheme:?} {set}");
                assert_eq!(windows.length(set, rows), found.len());
                let mut counts = vec![9.0; rows];
                windows.weights(set, &Weighting::Equal, &mut counts);
                assert!(
                    (0..rows).all(|row| counts[row] == found.iter().filter(|&&r| r as usize == row).count() as f64)
                );
                // The last row is the newest.
                let mut weights = vec![0.0; rows];
                for (age, row) in found.iter().rev().enumerate() {
                    weights[*row as usize] += 0.5_f64.powf(age as f64 / 3.0);
                }
                let weighting = Weighting::exponential(3.0, rows);
                windows.weights(set, &weighting, &mut counts);
                assert!(counts.iter().zip(&weights).all(|(a, b)| (a - b).abs() <= 1e-15));
                // Forty draws of one row are off by twenty units at most.
                let (whole, mut own) = (weighting.whole(found.len()).unwrap(), vec![7; rows]);
                windows.whole_weights(set, &whole, &mut own);
                let worth = weighting.divisor(found.len()) * whole.unit();
                assert!(counts.iter().zip(&own).all(|(a, b)| (a - f64::from(*b) * worth).abs() <= 20.0 * worth));
            }
        }
    }

    #[test]
    fn a_span_is_one_run() {
        let halves = Rows::Spans([0..3, 3..7].into());
        let mut runs = Vec::new();
        (0..2).for_each(|set| halves.runs(set, 7, |start, length| runs.push((start, length))));
        assert_eq!(runs, [(0, 3), (3, 4)]);
        assert_eq!((halves.count(), halves.length(1, 7)), (2, 4));
    }
}
