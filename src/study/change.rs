//! How far a portfolio changes within its history: what no resample of the whole can show.
//!
//! The halves of the history, and eight windows that do not overlap, are histories of their own: each has its portfolio and
//! its robust standard errors ([`influence`](super::influence)). Where weights differ by more than these say, the world moves.

use rayon::prelude::*;
use serde::Serialize;

use super::influence::{Band, Influence};
use crate::covariance::full_sample;
use crate::methods::{Method, Program};
use crate::panel::{Panel, Returns};

/// Windows of the history.
const WINDOWS: usize = 8;

/// The share of a fresh sample's weights that lie in the 90 % band of a sample of equal length: the difference of two has
/// the variance of two, and P(|Z| <= 1.645 / sqrt(2)) is about this.
const EXPECTED: f64 = 0.75;

/// The portfolio of each half of the history.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Halves {
    /// Label of the first row of the second half.
    pub cut: Option<String>,
    /// Half the absolute change of all weights.
    pub distance: f64,
    /// Weights of the second half within the robust band of the first, and how many of a fresh sample would be.
    pub inside: usize,
    pub expected_inside: f64,
}

/// A weight in each half.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct HalvesOfAsset {
    pub first: f64,
    pub second: f64,
    /// second - first, with its standard error.
    pub difference: f64,
    pub se: f64,
}

/// The portfolios of successive windows.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Windows {
    pub count: usize,
    /// Root mean square over the assets of the standard deviation of a weight over the windows.
    pub between_sd: f64,
    /// Root mean square over assets and windows of the standard error of a weight.
    pub within_se: f64,
    /// The one over the other: near one, sampling explains how windows differ.
    pub ratio: f64,
}

/// Both, and each asset's weights in the halves.
#[derive(Debug, Clone, Default)]
pub struct Change {
    pub halves: Option<(Halves, Vec<HalvesOfAsset>)>,
    pub windows: Option<Windows>,
}

impl Change {
    /// None of what has a part without a portfolio or too short for standard errors.
    pub fn of(returns: &Returns, budgets: &[f64]) -> Change {
        Change { halves: halves(returns, budgets), windows: windows(returns, budgets) }
    }
}

/// Weights with their bands.
type Estimate = (Vec<f64>, Vec<Band>);

/// The portfolios of successive parts of the history, of equal length up to a row.
fn estimates(returns: &Returns, budgets: &[f64], parts: usize) -> Option<Vec<Estimate>> {
    let rows = returns.rows();
    let part = |part: usize| {
        let (first, last) = (rows * part / parts, rows * (part + 1) / parts);
        estimate(&returns.part(first..last), budgets)
    };
    (0..parts).into_par_iter().map(part).collect()
}

fn estimate(returns: &Returns, budgets: &[f64]) -> Option<Estimate> {
    let panel = Panel::new(returns).ok()?;
    let full = full_sample(&panel);
    let weights = Method::RiskBudgeting.finished(&Program::new(budgets).ok()?, &full)?;
    let bands = Influence::of(&panel, &full, &weights, budgets)?.bands()?;
    Some((weights, bands))
}

fn halves(returns: &Returns, budgets: &[f64]) -> Option<(Halves, Vec<HalvesOfAsset>)> {
    let all = estimates(returns, budgets, 2)?;
    let [(first, bands), (second, others)] = all.as_slice() else { return None };
    let asset = |i: usize| HalvesOfAsset {
        first: first[i],
        second: second[i],
        difference: second[i] - first[i],
        se: bands[i].se.hypot(others[i].se),
    };
    let assets: Vec<HalvesOfAsset> = (0..first.len()).map(asset).collect();
    let inside = bands.iter().zip(second).filter(|(band, w)| (band.lower..=band.upper).contains(w)).count();
    let halves = Halves {
        cut: returns.labels.get(returns.rows() / 2),
        distance: 0.5 * assets.iter().map(|asset| asset.difference.abs()).sum::<f64>(),
        inside,
        expected_inside: EXPECTED * assets.len() as f64,
    };
    Some((halves, assets))
}

fn windows(returns: &Returns, budgets: &[f64]) -> Option<Windows> {
    let all = estimates(returns, budgets, WINDOWS)?;
    let n = budgets.len();
    let variance = |i: usize| {
        let mean = all.iter().map(|(weights, _)| weights[i]).sum::<f64>() / WINDOWS as f64;
        all.iter().map(|(weights, _)| (weights[i] - mean).powi(2)).sum::<f64>() / (WINDOWS - 1) as f64
    };
    let between_sd = ((0..n).map(variance).sum::<f64>() / n as f64).sqrt();
    let squares = all.iter().flat_map(|(_, bands)| bands).map(|band| band.se.powi(2)).sum::<f64>();
    let within_se = (squares / (WINDOWS * n) as f64).sqrt();
    Some(Windows { count: WINDOWS, between_sd, within_se, ratio: between_sd / within_se })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::panel::Labels;
    use crate::philox::philox4x32;

    /// Two independent assets, the second of which moves `times` as much from the middle on.
    fn history(rows: usize, times: f64) -> Returns {
        let value = |t: usize, i: usize| {
            let words = philox4x32([t as u32, i as u32, 0, 0], [1, 2]);
            let size = if i == 1 && t >= rows / 2 { times } else { 1.0 };
            size * words.iter().map(|&word| f64::from(word) / f64::from(u32::MAX) - 0.5).sum::<f64>()
        };
        let values = (0..rows).flat_map(|t| [value(t, 0), value(t, 1)]).collect();
        let labels = Labels::Text((0..rows).map(|t| format!("row {t}")).collect());
        Returns { assets: vec!["A".to_owned(), "B".to_owned()], labels, values }
    }

    #[test]
    fn what_does_not_change_differs_by_as_much_as_its_errors_say() {
        let change = Change::of(&history(4000, 1.0), &[0.5, 0.5]);
        let (halves, assets) = change.halves.unwrap();
        assert_eq!(halves.cut.as_deref(), Some("row 2000"));
        // Two weights that sum to one: both are inside, or none.
        assert_eq!((halves.inside, halves.expected_inside), (2, 1.5));
        assert!(halves.distance <= 0.02 && assets[0].difference.abs() <= 3.0 * assets[0].se);
        // A standard deviation over eight windows, and standard errors of eight degrees each.
        assert!((0.4..2.0).contains(&change.windows.unwrap().ratio), "{:?}", change.windows);
    }

    #[test]
    fn what_changes_is_seen() {
        // By inverse volatility: half of each, then a quarter of the second.
        let change = Change::of(&history(4000, 3.0), &[0.5, 0.5]);
        let (halves, assets) = change.halves.unwrap();
        assert_eq!(halves.inside, 0);
        assert!((halves.distance - 0.25).abs() <= 0.03, "{halves:?}");
        assert!((assets[1].difference + 0.25).abs() <= 0.03 && assets[1].difference < -3.0 * assets[1].se);
        assert!(change.windows.unwrap().ratio > 5.0, "{:?}", change.windows);
    }

    #[test]
    fn short_histories_have_no_parts() {
        let change = Change::of(&history(40, 1.0), &[0.5, 0.5]);
        assert!(change.halves.is_some() && change.windows.is_none());
        assert!(Change::of(&history(20, 1.0), &[0.5, 0.5]).halves.is_none());
    }
}
