//! One subset by itself, in f64, finished to rounding, with every figure.

use super::figure::{Figure, Figures};
use super::path::PathFigures;
use crate::covariance::{RiskModel, Universe};
use crate::measure::{Metric, bets, metric};
use crate::methods::certificate::Status;
use crate::methods::limits::{Bounds, Limits};
use crate::methods::risk_budgeting::Options;
use crate::methods::{Program, Workspace};
use crate::panel::Returns;

/// What a subset is evaluated on.
#[derive(Debug, Clone, Copy)]
pub struct Setting<'a> {
    pub universe: &'a Universe,
    /// Of the weights of all assets.
    pub bounds: Option<&'a Bounds>,
    /// Simple returns of all assets, for figures of the path.
    pub returns: Option<&'a Returns>,
    pub periods_per_year: Option<f64>,
    /// Whether the effective number of bets is needed: the one figure that takes longer than the solution.
    pub bets: bool,
}

/// A certified portfolio of one subset.
#[derive(Debug, Clone, PartialEq)]
pub struct Finalist {
    pub rank: u64,
    /// Ascending.
    pub assets: Vec<u32>,
    pub weights: Vec<f64>,
    pub rc_error: f64,
    /// Within bounds, what is left of the conditions of the best weights.
    pub kkt_error: Option<f64>,
    /// Of the estimator of the subset's covariance, where it has one.
    pub parameter: Option<f64>,
    pub figures: Figures,
}

impl Finalist {
    /// None where no certified portfolio exists.
    pub fn of(setting: &Setting, rank: u64, mut assets: Vec<u32>) -> Option<Finalist> {
        assets.sort_unstable();
        let k = assets.len();
        let mut part = RiskModel::default();
        let parameter = setting.universe.gather(&assets, &mut part);
        let (budgets, mut weights) = (vec![1.0 / k as f64; k], vec![0.0; k]);
        let limits = match setting.bounds {
            Some(bounds) if !bounds.admit(&assets) => return None,
            Some(bounds) => bounds.of_set(&assets),
            None => Limits::none(k),
        };
        let program = Program::within(&budgets, limits).ok()?;
        let options = Options { finish: true, ..Options::default() };
        let certificate = program.certified(&part, None, options, &mut Workspace::default(), &mut weights);
        let RiskModel { correlation, volatilities } = part;
        if certificate.status != Status::Converged {
            return None;
        }
        let x: Vec<f64> = weights.iter().zip(&volatilities).map(|(w, s)| w * s).collect();
        let of = |wanted| metric(wanted, &correlation, &weights, &x, certificate.volatility);
        let mean_correlation = of(Metric::MeanCorrelation);
        let figures = Figures {
            volatility: certificate.volatility,
            volatility_annual: setting.periods_per_year.map(|periods| certificate.volatility * periods.sqrt()),
            diversification_ratio: of(Metric::Diversification),
            effective_bets: if setting.bets { of(Metric::EffectiveBets) } else { f64::NAN },
            max_weight: of(Metric::MaxWeight),
            mean_correlation: (k > 1).then_some(mean_correlation),
            path: setting
                .returns
                .map(|returns| PathFigures::of(&mut path(returns, &assets, &weights), setting.periods_per_year)),
        };
        Some(Finalist {
            rank,
            assets,
            weights,
            rc_error: certificate.rc_error,
            kkt_error: setting.bounds.map(|_| certificate.error()),
            parameter,
            figures,
        })
    }

    /// Fills in what [`Setting::bets`] left out.
    pub fn count_bets(&mut self, universe: &Universe) {
        let mut part = RiskModel::default();
        universe.gather(&self.assets, &mut part);
        let x: Vec<f64> = self.weights.iter().zip(&part.volatilities).map(|(w, s)| w * s).collect();
        self.figures.effective_bets = bets::of_one(&part.correlation, &x);
    }

    /// Its value as an order: smaller is better, and differences that are rounding alone are none, so that equal
    /// subsets are ordered by rank.
    pub fn key(&self, figure: Figure) -> f64 {
        let value = self.figures.get(figure);
        let value = if figure.larger_is_better() { -value } else { value };
        // To 41 bits, about twelve digits.
        f64::from_bits((value.to_bits() + (1 << 11)) & !((1 << 12) - 1))
    }
}

/// Returns of the portfolio, rebalanced every period.
pub fn path(returns: &Returns, assets: &[u32], weights: &[f64]) -> Vec<f64> {
    let n = returns.assets.len();
    let row = |row: &[f64]| assets.iter().zip(weights).map(|(&asset, w)| w * row[asset as usize]).sum();
    returns.values.chunks_exact(n).map(row).collect()
}
