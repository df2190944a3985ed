//! Is a list what it says it is? Its subsets are found by their ranks and solved again.

use serde::Deserialize;

use super::Question;
use super::figure::Figure;
use super::finalist::{Finalist, Setting};
use crate::run::crosscheck::{CrossCheck, larger};

/// Weights and figures of a list are solved in f64 to the rounding floor: they differ by this at most, relative.
const EXACT: f64 = 1e-9;

/// One subset of a list, as it was written.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Listed {
    pub rank_index: u64,
    pub assets: Vec<String>,
    pub weights: Vec<f64>,
    /// None where it is not finite, as a ratio to a drawdown of zero is.
    pub value: Option<f64>,
}

/// Solves the subsets of a list, taken from the first `problems` of the question's subsets and ranked by `by`, again. A
/// disagreement is another subset, another portfolio or another figure.
pub fn verify(question: &Question, problems: u64, by: Figure, list: &[Listed]) -> CrossCheck {
    let subsets = question.subsets;
    let setting = Setting {
        universe: question.universe,
        bounds: question.bounds,
        returns: question.simple,
        periods_per_year: question.periods_per_year,
        bets: by.is_of_bets(),
    };
    let mut found = CrossCheck { sampled: list.len() as u64, ..CrossCheck::default() };
    for listed in list {
        let own = (listed.rank_index < subsets.ranks(problems)).then(|| {
            let mut assets = vec![0; subsets.size()];
            subsets.assets(listed.rank_index, &mut assets);
            // As they are listed: a rank may hold included assets first, or those of another pool.
            assets.sort_unstable();
            let names = assets.iter().map(|&asset| &question.assets[asset as usize]);
            names.eq(&listed.assets).then(|| Finalist::of(&setting, listed.rank_index, assets)).flatten()
        });
        let Some(own) = own.flatten().filter(|own| own.weights.len() == listed.weights.len()) else {
            found.disagreements += 1;
            continue;
        };
        let largest = own.weights.iter().copied().fold(0.0, f64::max);
        let pairs = own.weights.iter().zip(&listed.weights);
        let difference = pairs.fold(0.0_f64, |worst, (a, b)| worst.max((a - b).abs()));
        let value = own.figures.get(by);
        let figure_agrees = match listed.value {
            Some(listed) => (value - listed).abs() <= EXACT * value.abs().max(1.0),
            None => !value.is_finite(),
        };
        let agrees = difference <= EXACT * largest && figure_agrees;
        found.disagreements += u64::from(!agrees);
        found.max_weight_difference = larger(found.max_weight_difference, Some(difference));
        found.max_rc_error = larger(found.max_rc_error, Some(own.kkt_error.unwrap_or(own.rc_error)));
    }
    found
}
