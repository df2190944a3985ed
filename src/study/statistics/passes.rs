//! Passes over blocks: every block is read, its figures are computed, and each column takes its part, in index order.
//!
//! Columns are not held: the first pass sums and counts, the second knows the means and what to look for. Many columns are
//! done in groups, so that memory does not depend on their number, and hardly on that of the resamples.

use std::borrow::Cow;
use std::collections::HashMap;

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::distribution::{self, Distribution, First, Second};
use super::figure::{Column, Figure, Setting};
use super::tile::Tile;
use crate::batch::Solutions;
use crate::batch::counts::Solves;
use crate::error::Result;
use crate::lanes::LANES;
use crate::methods::Method;
use crate::methods::certificate::{Certificate, Status};
use crate::observer::Observer;
use crate::run::chunks::LARGEST;
use crate::store::blocks::Blocks;

/// Bytes that the columns of a group take at most.
pub const BUDGET: usize = 512 << 20;

/// Of the values of a long column, about one of so many is kept to find quantiles, in 16 bytes.
const KEPT: u64 = 64;

/// The first problems of some blocks, as one setting looks at them.
#[derive(Clone, Copy)]
pub struct Passes<'a> {
    pub setting: &'a Setting<'a>,
    pub blocks: &'a dyn Blocks,
    pub problems: u64,
}

/// The distributions of columns.
#[derive(Debug, Default)]
pub struct Distributions(HashMap<(Method, Figure), Distribution>);

impl Distributions {
    /// Of a column that may not have been asked for.
    pub fn get(&self, method: Method, figure: Figure) -> Option<&Distribution> {
        self.0.get(&(method, figure))
    }

    /// Of a column asked for.
    pub fn of(&self, method: Method, figure: Figure) -> &Distribution {
        &self.0[&(method, figure)]
    }
}

/// Blocks read at once: enough for all threads to have two.
fn abreast() -> usize {
    2 * rayon::current_num_threads()
}

/// Columns of a group, of so many problems.
fn group(problems: u64) -> usize {
    let sheets = 8 * abreast() as u64 * LARGEST;
    let each = sheets + distribution::BYTES as u64 + problems.div_ceil(KEPT) * 16;
    (BUDGET as u64 / each).max(1) as usize
}

/// Problems read, all in all, for the distributions of so many columns of so many problems.
pub fn work(columns: usize, problems: u64) -> u64 {
    (2 * columns.div_ceil(group(problems)) as u64).saturating_mul(problems)
}

impl Passes<'_> {
    /// The distributions of `columns`, of which no two are of one figure, and how the problems ended.
    ///
    /// # Errors
    /// Those of the blocks and the observer.
    pub fn distributions(&self, columns: Vec<Column>, observer: &mut dyn Observer) -> Result<(Distributions, Solves)> {
        let constant = |column: &Column| !column.method.varies() && column.figure.is_of_weights();
        let (constant, varying): (Vec<Column>, Vec<Column>) = columns.into_iter().partition(constant);
        let mut found = Distributions::default();
        let mut solves = Solves::default();
        for columns in varying.chunks(group(self.problems)) {
            let figures: Vec<(Method, Figure)> = columns.iter().map(|column| (column.method, column.figure)).collect();
            let problems = self.problems as usize;
            let mut first: Vec<First> =
                columns.iter().map(|column| First::new(column.asked.clone(), problems)).collect();
            solves = Solves::default();
            self.pass(&figures, observer, |sheets| {
                sheets.iter().for_each(|sheet| solves += sheet.solves);
                first.par_iter_mut().enumerate().for_each(|(at, first)| {
                    sheets.iter().for_each(|sheet| first.add(sheet.column(at)));
                });
            })?;
            let mut second: Vec<Second> = first.into_iter().map(First::end).collect();
            self.pass(&figures, observer, |sheets| {
                second.par_iter_mut().enumerate().for_each(|(at, second)| {
                    sheets.iter().for_each(|sheet| second.add(sheet.column(at)));
                });
            })?;
            let mut left = figures.into_iter().zip(second);
            while left.len() > 0 {
                observer.check()?;
                let some: Vec<_> = left.by_ref().take(abreast()).collect();
                found.0.par_extend(some.into_par_iter().map(|(figure, second)| (figure, second.end())));
            }
        }
        let values = self.constants(&constant);
        let constant: Vec<(Column, f64)> = constant.into_iter().zip(values).collect();
        for columns in constant.chunks(abreast()) {
            observer.check()?;
            found.0.par_extend(columns.par_iter().map(|(column, value)| {
                let repeated = Distribution::repeated(column.asked.clone(), *value, solves.converged as usize);
                ((column.method, column.figure), repeated)
            }));
        }
        Ok((found, solves))
    }

    /// Figures of weights that are the same in every resample.
    fn constants(&self, columns: &[Column]) -> Vec<f64> {
        let n = self.setting.assets.len();
        let certificate = Certificate::converged(f64::NAN, 0, f64::NAN);
        let any = Solutions::unsolved(certificate, 1, n, self.setting.selection);
        let figures: Vec<(Method, Figure)> = columns.iter().map(|column| (column.method, column.figure)).collect();
        let mut sheet = Sheet::default();
        sheet.fill(self.setting, &figures, &any, 1);
        (0..figures.len()).map(|at| sheet.column(at)[0]).collect()
    }

    /// Reads all blocks once; `fold` gets the sheets of blocks that follow each other.
    ///
    /// # Errors
    /// Those of the blocks and the observer.
    pub fn pass(
        &self,
        figures: &[(Method, Figure)],
        observer: &mut dyn Observer,
        mut fold: impl FnMut(&[Sheet]),
    ) -> Result<()> {
        let mut sheets: Vec<Sheet> = Vec::new();
        let (mut left, mut abreast) = (self.problems as usize, abreast());
        let most = abreast * LARGEST as usize;
        let mut next = 0;
        while left > 0 && next < self.blocks.count() {
            observer.check()?;
            let end = (next + abreast).min(self.blocks.count());
            let read = (next..end).into_par_iter().map(|block| self.blocks.read(block));
            let read: Vec<Cow<Solutions>> = read.collect::<Result<_>>()?;
            let before = left;
            let taken = |block: &Cow<Solutions>| {
                let problems = left.min(block.certificates.len());
                left -= problems;
                problems
            };
            let taken: Vec<usize> = read.iter().map(taken).collect();
            sheets.resize_with(read.len(), Sheet::default);
            let work = sheets.par_iter_mut().zip(&read).zip(&taken);
            work.for_each(|((sheet, block), &problems)| sheet.fill(self.setting, figures, block, problems));
            fold(&sheets);
            let problems = before - left;
            observer.finished(problems as u64);
            // Small blocks are read by more at once, up to as many problems as large ones hold.
            if problems < most / 2 {
                abreast *= 2;
            }
            next = end;
        }
        Ok(())
    }
}

/// Figures of the converged problems of a block, column by column.
#[derive(Debug, Default)]
pub struct Sheet {
    /// Problems of the block, how they ended, and the positions of those that converged.
    pub problems: usize,
    pub solves: Solves,
    pub kept: Vec<usize>,
    /// From column to column.
    stride: usize,
    values: Vec<f64>,
    tile: Tile,
}

impl Sheet {
    pub fn column(&self, at: usize) -> &[f64] {
        &self.values[at * self.stride..][..self.kept.len()]
    }

    /// From the first `problems` of a block.
    fn fill(&mut self, setting: &Setting, figures: &[(Method, Figure)], block: &Solutions, problems: usize) {
        let certificates = &block.certificates[..problems];
        self.problems = problems;
        self.solves = Solves::of(certificates);
        self.kept.clear();
        self.kept.extend((0..problems).filter(|&at| certificates[at].status == Status::Converged));
        // A power of two apart, all columns would fall on the same lines of the cache.
        self.stride = (self.kept.len().div_ceil(LANES) + 1) * LANES;
        self.values.resize(self.stride * figures.len(), 0.0);
        Arch::new().dispatch(Fill { sheet: self, setting, figures, block });
    }
}

struct Fill<'a> {
    sheet: &'a mut Sheet,
    setting: &'a Setting<'a>,
    figures: &'a [(Method, Figure)],
    block: &'a Solutions,
}

impl WithSimd for Fill<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Fill { sheet, setting, figures, block } = self;
        let Sheet { kept, stride, values, tile, .. } = sheet;
        for (start, at) in (0..).step_by(LANES).zip(kept.chunks(LANES)) {
            // The last lanes may stand idle: they repeat a resample.
            let at = std::array::from_fn(|l| at[l.min(at.len() - 1)]);
            let mut columns = values.chunks_exact_mut(*stride);
            for same in figures.chunk_by(|a, b| a.0 == b.0) {
                let method = same[0].0;
                tile.load(method, setting, block, &at);
                if same.iter().any(|(_, figure)| figure.is_of_ranks()) {
                    tile.rank();
                }
                if same.iter().any(|(_, figure)| figure.is_of_shares()) {
                    tile.share(simd, setting);
                }
                for ((_, figure), column) in same.iter().zip(&mut columns) {
                    column[start..start + LANES].copy_from_slice(&tile.figure(*figure, method, setting).0);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::covariance::full_sample;
    use crate::methods::{Mix, Program, Selection};
    use crate::panel::{Labels, Panel, Returns};
    use crate::resample::{Law, Scheme};
    use crate::stats;
    use crate::study::measures::{self, Components};

    fn figures(n: usize) -> impl Iterator<Item = Figure> {
        use Figure as F;
        let single = [F::RcError, F::Weight(n - 1), F::Rank(n / 2), F::Share(0), F::Turnover, F::MaxChange];
        let weights = [F::RankCorrelation, F::EffectiveAssets, F::EntropyAssets, F::Volatility, F::VolatilityAnnual];
        let bets = [F::DiversificationRatio, F::DiversificationRatioSquared, F::EffectiveBets];
        let shares = [F::MaxError, F::ShareSd, F::Gini, F::EffectiveContributors, F::RealisedVolatility];
        let single = single.into_iter().chain([F::Parameter, F::Held, F::Aim]);
        single.chain(weights).chain(bets).chain(shares)
    }

    /// As one portfolio by itself is measured.
    fn alone(
        setting: &Setting,
        method: Method,
        figure: Figure,
        weights: &[f64],
        volatilities: &[f64],
        own: f64,
    ) -> f64 {
        let n = weights.len();
        let point = &setting.reference(method).unwrap().weights;
        let mut shares = vec![0.0; n];
        let realised = setting.full.shares(weights, &mut vec![0.0; n], &mut shares);
        let relative: Vec<f64> = shares.iter().zip(setting.budgets).map(|(r, b)| r / b).collect();
        let ranks = |weights: &[f64]| {
            let mut ranks = vec![0.0; n];
            stats::descending_ranks(weights, &mut Vec::new(), &mut ranks);
            ranks
        };
        let changes = || weights.iter().zip(point).map(|(w, p)| (w - p).abs());
        let ratio = weights.iter().zip(volatilities).map(|(w, s)| w * s).sum::<f64>() / own;
        match figure {
            Figure::RcError => 1e-9,
            Figure::Weight(i) => weights[i],
            Figure::Rank(i) => ranks(weights)[i],
            Figure::Share(i) => shares[i],
            Figure::Turnover => 0.5 * changes().sum::<f64>(),
            Figure::MaxChange => changes().fold(0.0, f64::max),
            Figure::RankCorrelation => stats::correlation(&ranks(weights), &ranks(point)),
            Figure::EffectiveAssets => weights.iter().map(|w| w * w).sum::<f64>().recip(),
            Figure::EntropyAssets => measures::effective_number(weights),
            Figure::Volatility => own,
            Figure::VolatilityAnnual => own * 12.0_f64.sqrt(),
            Figure::DiversificationRatio => ratio,
            Figure::DiversificationRatioSquared => ratio.powi(2),
            Figure::EffectiveBets => setting.components.unwrap().effective_bets(weights),
            Figure::MaxError => relative.iter().fold(0.0, |m, r| m.max((r - 1.0).abs())),
            Figure::ShareSd => {
                if n > 1 {
                    stats::moments(&relative).sd
                } else {
                    0.0
                }
            }
            Figure::Gini => {
                let mut sorted = shares.clone();
                stats::sort(&mut sorted);
                let spread: f64 = (0..n).map(|k| (2.0 * k as f64 - n as f64 + 1.0) * sorted[k]).sum();
                spread / (n as f64 * shares.iter().map(|r| r.abs()).sum::<f64>())
            }
            Figure::EffectiveContributors => measures::effective_number(&shares),
            Figure::RealisedVolatility => realised,
            Figure::Held => weights.iter().filter(|weight| weight.abs() > 1e-6).count() as f64,
            Figure::Aim => match method {
                Method::MinimumVariance => realised / setting.least_volatility - 1.0,
                Method::MaximumDiversification => {
                    let alone: f64 = weights.iter().zip(&setting.full.volatilities).map(|(w, s)| w * s).sum();
                    1.0 - alone / realised / setting.greatest_diversification
                }
                _ => relative.iter().fold(0.0, |m, r| m.max((r - 1.0).abs())),
            },
            Figure::Parameter
            | Figure::Slack
            | Figure::Beyond(_)
            | Figure::KktError
            | Figure::BudgetMiss
            | Figure::Group(_)
            | Figure::Row(_)
            | Figure::Bought => unreachable!("not asked for"),
        }
    }

    #[test]
    fn a_lane_computes_what_one_portfolio_does() {
        for n in [1, 2, 9, 33] {
            let noise = |k: usize| (k as f64 * 0.754_877_666).fract() + 0.01;
            let names: Vec<String> = (0..n).map(|i| i.to_string()).collect();
            let values = (0..50 * n).map(|k| (noise(k * k + 3) - 0.5) * (1 + k % n) as f64).collect();
            let labels = Labels::Text((0..50).map(|t| t.to_string()).collect());
            let panel = Panel::new(&Returns { assets: names.clone(), labels, values }).unwrap();
            let law = Law::new(Scheme::Iid, 1.0, 50, 1, 0).unwrap();
            let full = full_sample(&panel);
            let components = Components::of(&full);
            let total: f64 = (0..n).map(noise).sum();
            let point: Vec<f64> = (0..n).map(|i| noise(i) / total).collect();
            let budgets: Vec<f64> = (0..n).map(|i| noise(i + 5)).collect();
            let beside = Selection::new(
                &Method::NAMED,
                vec![Mix { name: "mix".to_string(), weights: (0..n).map(|i| noise(i + 9)).collect() }],
            );
            let methods = beside.all();
            let points: Vec<Option<Vec<f64>>> = methods.iter().map(|_| Some(point.clone())).collect();
            let full_models = (&full, &full, Some(&components));
            let program = Program::new(&budgets).unwrap();
            let setting = Setting::new((&panel, &law), full_models, (&names, &program), (&beside, &points), Some(12.0));
            // Every third weight is tied with others; one problem did not converge.
            let problems = 11;
            let weights = (0..problems * n).map(|k| if k % 3 == 0 { 0.125 } else { noise(7 * k + 1) }).collect();
            let certificate = |p: usize| match p {
                3 => Certificate::unsolved(Status::Stalled),
                _ => Certificate::converged(1e-9, 5, noise(p + 2)),
            };
            let unsolved = Solutions::unsolved(Certificate::unsolved(Status::Invalid), problems, n, &beside);
            let mut block = Solutions {
                weights,
                certificates: (0..problems).map(certificate).collect(),
                parameters: (0..problems).map(|k| noise(k + 17)).collect(),
                ..unsolved
            };
            block.comparisons.volatilities = (0..problems * n).map(|k| noise(k + 11)).collect();
            block.comparisons.portfolios = (0..methods.len() * problems).map(|k| noise(k + 3)).collect();
            for (number, solved) in block.comparisons.solved.iter_mut().enumerate() {
                solved.weights = (0..problems * n).map(|k| noise(k + 23 * number + 2)).collect();
                // One has no portfolio where risk budgeting has one.
                solved.weights[5 * n..6 * n].fill(f64::NAN);
            }
            let figures: Vec<(Method, Figure)> =
                methods.iter().flat_map(|&method| figures(n).map(move |f| (method, f))).collect();
            let mut sheet = Sheet::default();
            sheet.fill(&setting, &figures, &block, problems);
            assert_eq!(sheet.kept, [0, 1, 2, 4, 5, 6, 7, 8, 9, 10]);
            for (at, &(method, figure)) in figures.iter().enumerate() {
                for (&p, found) in sheet.kept.iter().zip(sheet.column(at)) {
                    let weights = block.weights_of(method, &beside, p);
                    let volatilities = &block.comparisons.volatilities[p * n..(p + 1) * n];
                    let (own, parameter) = (block.volatility_of(method, p), block.parameters[p]);
                    let expected = match figure {
                        _ if weights[0].is_nan() => f64::NAN,
                        Figure::Parameter => parameter,
                        _ => alone(&setting, method, figure, &weights, volatilities, own),
                    };
                    let same = found.to_bits() == expected.to_bits() || expected.is_nan() && found.is_nan();
                    assert!(same, "{method:?} {figure:?}, problem {p}, {n} assets: {found} {expected}");
                }
            }
        }
    }
}
