//! Passes over blocks: every block is read, its figures are computed, and each column takes its part, in index order.
//!
//! Columns are never held: the first pass sums and counts, the second knows the means and what to look for. Many columns
//! are done in groups, so that memory depends on neither their number nor that of the resamples.

use std::borrow::Cow;
use std::collections::HashMap;

use pulp::Arch;
use rayon::prelude::*;

use super::blocks::Blocks;
use super::distribution::{self, Distribution, First, Second};
use super::figure::{Column, Figure, Rule, Setting};
use super::observer::Observer;
use super::tile::Tile;
use crate::batch::{Comparisons, Solutions};
use crate::certificate::{Certificate, Status};
use crate::error::Result;
use crate::lanes::LANES;
use crate::run::Solves;
use crate::run::chunks::LARGEST;

/// Bytes that the columns of a group take at most.
const BUDGET: usize = 512 << 20;

/// Of the values of a column, at most about one of so many is kept to find quantiles, in 16 bytes.
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
pub struct Distributions(HashMap<(Rule, Figure), Distribution>);

impl Distributions {
    /// Of a column asked for.
    pub fn of(&self, rule: Rule, figure: Figure) -> &Distribution {
        &self.0[&(rule, figure)]
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
    2 * columns.div_ceil(group(problems)) as u64 * problems
}

impl Passes<'_> {
    /// The distributions of `columns`, of which no two are of one figure, and how the problems ended.
    ///
    /// # Errors
    /// Those of the blocks and the observer.
    pub fn distributions(&self, columns: Vec<Column>, observer: &mut dyn Observer) -> Result<(Distributions, Solves)> {
        let constant = |column: &Column| !column.rule.varies() && column.figure.is_of_weights();
        let (constant, varying): (Vec<Column>, Vec<Column>) = columns.into_iter().partition(constant);
        let mut found = Distributions::default();
        let mut solves = Solves::default();
        for columns in varying.chunks(group(self.problems)) {
            let figures: Vec<(Rule, Figure)> = columns.iter().map(|column| (column.rule, column.figure)).collect();
            let mut first: Vec<First> = columns.iter().map(|column| First::new(column.asked.clone())).collect();
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
        for columns in constant.chunks(abreast()) {
            observer.check()?;
            found.0.par_extend(columns.par_iter().map(|column| {
                let value = self.constant(column.rule, column.figure);
                let repeated = Distribution::repeated(column.asked.clone(), value, solves.converged as usize);
                ((column.rule, column.figure), repeated)
            }));
        }
        Ok((found, solves))
    }

    /// A figure of weights that are the same in every resample.
    fn constant(&self, rule: Rule, figure: Figure) -> f64 {
        let n = self.setting.assets.len();
        let any = Solutions {
            weights: vec![f64::NAN; n],
            certificates: vec![Certificate::converged(f64::NAN, 0, f64::NAN)],
            comparisons: Comparisons {
                volatilities: vec![f64::NAN; n],
                inverse_volatility: vec![f64::NAN],
                equal_weight: vec![f64::NAN],
            },
        };
        let mut sheet = Sheet::default();
        sheet.fill(self.setting, &[(rule, figure)], &any, 1);
        sheet.column(0)[0]
    }

    /// Reads all blocks once; `fold` gets the sheets of blocks that follow each other.
    ///
    /// # Errors
    /// Those of the blocks and the observer.
    pub fn pass(
        &self,
        figures: &[(Rule, Figure)],
        observer: &mut dyn Observer,
        mut fold: impl FnMut(&[Sheet]),
    ) -> Result<()> {
        let mut sheets: Vec<Sheet> = Vec::new();
        let (mut left, mut abreast) = (self.problems as usize, abreast());
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
            observer.advance(problems as u64);
            // Small blocks are read by more at once.
            if problems < abreast * LARGEST as usize / 2 {
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
    fn fill(&mut self, setting: &Setting, figures: &[(Rule, Figure)], block: &Solutions, problems: usize) {
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
    figures: &'a [(Rule, Figure)],
    block: &'a Solutions,
}

impl pulp::NullaryFnOnce for Fill<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Fill { sheet, setting, figures, block } = self;
        let Sheet { kept, stride, values, tile, .. } = sheet;
        for (start, at) in (0..).step_by(LANES).zip(kept.chunks(LANES)) {
            // The last lanes may stand idle: they repeat a resample.
            let at = std::array::from_fn(|l| at[l.min(at.len() - 1)]);
            let mut columns = values.chunks_exact_mut(*stride);
            for same in figures.chunk_by(|a, b| a.0 == b.0) {
                let rule = same[0].0;
                tile.load(rule, setting, block, &at);
                if same.iter().any(|(_, figure)| figure.is_of_ranks()) {
                    tile.rank();
                }
                if same.iter().any(|(_, figure)| figure.is_of_shares()) {
                    tile.share(setting);
                }
                for ((_, figure), column) in same.iter().zip(&mut columns) {
                    column[start..start + LANES].copy_from_slice(&tile.figure(*figure, rule, setting).0);
                }
            }
        }
    }
}
