//! The figures of eight resamples side by side: entry `l` of every vector belongs to resample `l`. Each lane sums in the
//! order of the assets, as one portfolio by itself is measured.

use std::array::from_fn;
use std::slice;

use pulp::Simd;

use super::figure::{Figure, Reference, Setting};
use crate::batch::Solutions;
use crate::lanes::{LANES, Lanes, interleave, vectors, vectors_mut};
use crate::methods::Method;

/// A smaller weight does not count as held.
const HELD: f64 = 1e-6;

/// Eight resamples' portfolios of one method.
#[derive(Debug, Default)]
pub struct Tile {
    weights: Vec<Lanes>,
    /// Of the assets.
    volatilities: Vec<Lanes>,
    /// Of the portfolio, under the resample's covariance.
    volatility: Lanes,
    rc_error: Lanes,
    parameter: Lanes,
    slack: Lanes,
    kkt_error: Lanes,
    /// Weights under volatility parity, where another risk is budgeted.
    parity: Vec<Lanes>,
    ranks: Vec<Lanes>,
    /// Realised risk shares, and the volatility that goes with them.
    shares: Vec<Lanes>,
    realised: Lanes,
    scratch: Vec<Lanes>,
}

#[inline(always)]
fn each(f: impl Fn(usize) -> f64) -> Lanes {
    Lanes(from_fn(f))
}

/// Sums of terms that come asset by asset, from what the standard library's sums start from.
#[inline(always)]
fn sums(assets: usize, term: impl Fn(usize, usize) -> f64) -> Lanes {
    let mut sum = Lanes::splat(-0.0);
    for i in 0..assets {
        for l in 0..LANES {
            sum.0[l] += term(i, l);
        }
    }
    sum
}

/// max_i of terms that are not negative.
#[inline(always)]
fn largest(assets: usize, term: impl Fn(usize, usize) -> f64) -> Lanes {
    let mut most = Lanes::default();
    for i in 0..assets {
        for l in 0..LANES {
            most.0[l] = most.0[l].max(term(i, l));
        }
    }
    most
}

/// exp(- sum_i p_i ln p_i), as [`effective_number`](crate::study::measures::effective_number).
#[inline(always)]
fn effective_number(shares: &[Lanes]) -> Lanes {
    let entropy = sums(shares.len(), |i, l| {
        let p = shares[i].0[l];
        if p > 0.0 { -p * p.ln() } else { 0.0 }
    });
    each(|l| entropy.0[l].exp())
}

fn rows<'a>(matrix: &'a [f64], n: usize, at: &[usize; LANES]) -> [&'a [f64]; LANES] {
    at.map(|at| &matrix[at * n..(at + 1) * n])
}

impl Tile {
    /// The portfolios of the problems `at` of a block.
    #[inline(always)]
    pub fn load(&mut self, method: Method, setting: &Setting, block: &Solutions, at: &[usize; LANES]) {
        let n = setting.assets.len();
        for lanes in [&mut self.weights, &mut self.volatilities] {
            lanes.resize(n, Lanes::default());
        }
        interleave(&rows(&block.comparisons.volatilities, n, at), &mut self.volatilities);
        match (method, block.comparisons.of(method)) {
            (_, Some(solved)) => interleave(&rows(&solved.weights, n, at), &mut self.weights),
            (Method::InverseVolatility, _) => {
                let total = sums(n, |i, l| self.volatilities[i].0[l].recip());
                for (weight, volatility) in self.weights.iter_mut().zip(&self.volatilities) {
                    *weight = each(|l| volatility.0[l].recip() / total.0[l]);
                }
            }
            (Method::EqualWeight | Method::Fixed(_), _) => {
                self.weights.fill(Lanes::splat(f64::NAN));
                if let Some(mix) = setting.selection.closed_form(method, &setting.full.volatilities) {
                    self.weights.iter_mut().zip(&*mix).for_each(|(weight, w)| *weight = Lanes::splat(*w));
                }
            }
            _ => interleave(&rows(&block.weights, n, at), &mut self.weights),
        }
        if let Some(parity) = block.comparisons.of(Method::VolatilityParity) {
            self.parity.resize(n, Lanes::default());
            interleave(&rows(&parity.weights, n, at), &mut self.parity);
        }
        self.slack = Lanes(at.map(|at| block.certificates[at].slack.unwrap_or(f64::NAN)));
        self.kkt_error = Lanes(at.map(|at| block.certificates[at].kkt_error.unwrap_or(f64::NAN)));
        self.volatility = Lanes(at.map(|at| block.volatility_of(method, at)));
        self.rc_error = Lanes(at.map(|at| block.certificates[at].rc_error));
        self.parameter = Lanes(at.map(|at| block.parameters.get(at).copied().unwrap_or(f64::NAN)));
    }

    /// Ranks, the largest weight first; ties share their mean rank. Half-integers and their sums are exact in any order.
    #[inline(always)]
    pub fn rank(&mut self) {
        let n = self.weights.len();
        self.ranks.clear();
        self.ranks.resize(n, Lanes::splat(1.0));
        for i in 0..n {
            let own = self.weights[i];
            let mut rank = self.ranks[i];
            for j in 0..i {
                let (other, its) = (self.weights[j], &mut self.ranks[j]);
                for l in 0..LANES {
                    let before = if own.0[l] > other.0[l] { 1.0 } else { 0.0 };
                    let tied = if own.0[l] == other.0[l] { 0.5 } else { 0.0 };
                    its.0[l] += before + tied;
                    rank.0[l] += 1.0 - before - tied;
                }
            }
            self.ranks[i] = rank;
        }
    }

    /// Risk shares under the full-sample covariance, as [`RiskModel::shares`](crate::covariance::RiskModel::shares).
    #[inline(always)]
    pub fn share<S: Simd>(&mut self, simd: S, setting: &Setting) {
        let (n, full) = (self.weights.len(), setting.full);
        self.scratch.resize(n, Lanes::default());
        for i in 0..n {
            self.scratch[i] = each(|l| self.weights[i].0[l] * full.volatilities[i]);
        }
        self.shares.clear();
        self.shares.resize(n, Lanes::default());
        for (x, row) in self.scratch.iter().zip(full.correlation.chunks_exact(n)) {
            let x = vectors::<S>(slice::from_ref(x));
            for (share, c) in self.shares.iter_mut().zip(row) {
                let c = simd.splat_f64s(*c);
                for (share, x) in vectors_mut::<S>(slice::from_mut(share)).iter_mut().zip(x) {
                    *share = simd.add_f64s(*share, simd.mul_f64s(*x, c));
                }
            }
        }
        let mut variance = Lanes::default();
        for (share, x) in self.shares.iter_mut().zip(&self.scratch) {
            for l in 0..LANES {
                share.0[l] *= x.0[l];
                variance.0[l] += share.0[l];
            }
        }
        for share in &mut self.shares {
            *share = each(|l| share.0[l] / variance.0[l]);
        }
        self.realised = each(|l| variance.0[l].max(0.0).sqrt());
        if !setting.measure.is_volatility() {
            self.share_losses(setting);
        }
    }

    /// Shares of another risk, over the full history.
    fn share_losses(&mut self, setting: &Setting) {
        for l in 0..LANES {
            let weights: Vec<f64> = self.weights.iter().map(|weight| weight.0[l]).collect();
            let (_, shares) = setting.measure.of_weights(&setting.rows, &weights, setting.panel);
            self.shares.iter_mut().zip(shares).for_each(|(share, own)| share.0[l] = own);
        }
    }

    /// A figure; those of ranks and of shares after [`Tile::rank`] and [`Tile::share`], those against the full-sample
    /// portfolio where there is one. NaN where the method has no portfolio.
    #[inline(always)]
    pub fn figure(&mut self, figure: Figure, method: Method, setting: &Setting) -> Lanes {
        let found = self.found(figure, method, setting);
        if !setting.selection.is_solved(method) {
            return found;
        }
        each(|l| if self.weights[0].0[l].is_nan() { f64::NAN } else { found.0[l] })
    }

    #[inline(always)]
    fn found(&mut self, figure: Figure, method: Method, setting: &Setting) -> Lanes {
        let n = self.weights.len();
        let (weights, shares) = (&self.weights, &self.shares);
        let point = || setting.reference(method).expect("a full-sample portfolio");
        match figure {
            Figure::RcError | Figure::BudgetMiss => self.rc_error,
            Figure::Slack => self.slack,
            Figure::KktError => self.kkt_error,
            Figure::Group(_) | Figure::Row(_) | Figure::Bought => self.limited(figure, setting),
            Figure::Beyond(i) => each(|l| weights[i].0[l] - self.parity[i].0[l]),
            Figure::Parameter => self.parameter,
            Figure::Weight(i) => weights[i],
            Figure::Rank(i) => self.ranks[i],
            Figure::Share(i) => shares[i],
            Figure::Turnover => {
                let point = &point().weights;
                let sum = sums(n, |i, l| (weights[i].0[l] - point[i]).abs());
                each(|l| 0.5 * sum.0[l])
            }
            Figure::MaxChange => {
                let point = &point().weights;
                largest(n, |i, l| (weights[i].0[l] - point[i]).abs())
            }
            Figure::RankCorrelation => self.rank_correlation(point()),
            Figure::EffectiveAssets => {
                let squares = sums(n, |i, l| weights[i].0[l] * weights[i].0[l]);
                each(|l| squares.0[l].recip())
            }
            Figure::EntropyAssets => effective_number(weights),
            Figure::Volatility => self.volatility,
            Figure::VolatilityAnnual => {
                let annual = setting.periods_per_year.map_or(f64::NAN, f64::sqrt);
                each(|l| self.volatility.0[l] * annual)
            }
            Figure::DiversificationRatio => self.diversification_ratio(),
            Figure::DiversificationRatioSquared => {
                let ratio = self.diversification_ratio();
                each(|l| ratio.0[l].powi(2))
            }
            Figure::EffectiveBets => self.effective_bets(setting),
            Figure::MaxError => largest(n, |i, l| (shares[i].0[l] / setting.budgets[i] - 1.0).abs()),
            Figure::ShareSd => self.share_sd(setting.budgets),
            Figure::Gini => self.gini(),
            Figure::EffectiveContributors => effective_number(shares),
            Figure::RealisedVolatility => self.realised,
            Figure::Held => sums(n, |i, l| if weights[i].0[l].abs() > HELD { 1.0 } else { 0.0 }),
            Figure::Aim => match method {
                Method::MinimumVariance => each(|l| self.realised.0[l] / setting.least_volatility - 1.0),
                Method::MaximumDiversification => {
                    let alone = sums(n, |i, l| weights[i].0[l] * setting.full.volatilities[i]);
                    each(|l| 1.0 - alone.0[l] / self.realised.0[l] / setting.greatest_diversification)
                }
                _ => largest(n, |i, l| (shares[i].0[l] / setting.budgets[i] - 1.0).abs()),
            },
        }
    }

    /// Sums of weights that limits are on.
    #[inline(always)]
    fn limited(&self, figure: Figure, setting: &Setting) -> Lanes {
        let (n, weights) = (self.weights.len(), &self.weights);
        let Some(limits) = setting.limits else { return Lanes::splat(f64::NAN) };
        match (figure, &limits.previous) {
            (Figure::Group(g), _) => {
                let members = &limits.groups[g].members;
                sums(members.len(), |m, l| weights[members[m]].0[l])
            }
            (Figure::Row(k), _) => {
                let coefficients = &limits.rows[k].coefficients;
                sums(n, |i, l| coefficients[i] * weights[i].0[l])
            }
            (_, Some(before)) => sums(n, |i, l| (weights[i].0[l] - before[i]).max(0.0)),
            (_, None) => Lanes::splat(f64::NAN),
        }
    }

    /// Pearson correlation of the ranks with those of the full-sample portfolio; NaN where either does not vary.
    #[inline(always)]
    fn rank_correlation(&self, point: &Reference) -> Lanes {
        let n = self.ranks.len();
        let mean = (n as f64 + 1.0) / 2.0;
        let products = sums(n, |i, l| (self.ranks[i].0[l] - mean) * point.ranks[i]);
        let squares = sums(n, |i, l| (self.ranks[i].0[l] - mean).powi(2));
        each(|l| products.0[l] / (squares.0[l] * point.rank_squares).sqrt())
    }

    #[inline(always)]
    fn diversification_ratio(&self) -> Lanes {
        let alone = sums(self.weights.len(), |i, l| self.weights[i].0[l] * self.volatilities[i].0[l]);
        each(|l| alone.0[l] / self.volatility.0[l])
    }

    /// As [`Components::effective_bets`](crate::study::measures::Components::effective_bets).
    #[inline(always)]
    fn effective_bets(&mut self, setting: &Setting) -> Lanes {
        let Some(components) = setting.components else { return Lanes::splat(f64::NAN) };
        let n = self.weights.len();
        self.scratch.clear();
        for (vector, value) in components.pairs() {
            let along = sums(n, |i, l| vector[i] * self.weights[i].0[l] * components.volatilities()[i]);
            self.scratch.push(each(|l| along.0[l].powi(2) * value));
        }
        let total = sums(n, |m, l| self.scratch[m].0[l]);
        for share in &mut self.scratch {
            *share = each(|l| share.0[l] / total.0[l]);
        }
        effective_number(&self.scratch)
    }

    /// Standard deviation over assets of r_i / b_i.
    #[inline(always)]
    fn share_sd(&self, budgets: &[f64]) -> Lanes {
        let n = budgets.len();
        if n == 1 {
            return Lanes::default();
        }
        let relative = |i: usize, l: usize| self.shares[i].0[l] / budgets[i];
        let sum = sums(n, relative);
        let mean = each(|l| sum.0[l] / n as f64);
        let squares = sums(n, |i, l| (relative(i, l) - mean.0[l]) * (relative(i, l) - mean.0[l]));
        each(|l| (squares.0[l] / (n as f64 - 1.0)).sqrt())
    }

    /// sum_ij |r_i - r_j| / (2 n sum_i |r_i|), where sum_ij |r_i - r_j| = 2 sum_k (2 k - n + 1) r_(k), k from 0 in
    /// ascending order.
    #[inline(always)]
    fn gini(&mut self) -> Lanes {
        let n = self.shares.len();
        self.scratch.clear();
        self.scratch.extend_from_slice(&self.shares);
        let sorted = &mut self.scratch;
        for end in (1..n).rev() {
            for k in 0..end {
                let (a, b) = (sorted[k], sorted[k + 1]);
                sorted[k] = each(|l| if b.0[l] < a.0[l] { b.0[l] } else { a.0[l] });
                sorted[k + 1] = each(|l| if b.0[l] < a.0[l] { a.0[l] } else { b.0[l] });
            }
        }
        let count = n as f64;
        let spread = sums(n, |k, l| (2.0 * k as f64 - count + 1.0) * self.scratch[k].0[l]);
        let size = sums(n, |i, l| self.shares[i].0[l].abs());
        each(|l| spread.0[l] / (count * size.0[l]))
    }
}
