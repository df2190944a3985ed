//! The best subsets by themselves: solved again, ranked again by what is then known, until no other could be among them.

use rayon::prelude::*;

use super::best::Candidate;
use super::figure::Figure;
use super::finalist::Finalist;
use super::passing::{Asked, passing};
use super::{Config, Question};
use crate::error::{Result, option};
use crate::measure::Metric;
use crate::observer::Observer;

/// Finalists solved again beyond those asked for, before it is known whether more are needed.
const SPARE: usize = 16;

/// A correlation near zero is compared as a number of order one.
const SMALLEST: f64 = 0.1;

/// How the best are chosen among the kept.
#[derive(Debug)]
pub struct Finals<'a> {
    pub question: &'a Question<'a>,
    pub config: &'a Config,
    /// Bulk figures lie within this of the exact ones, relative.
    pub bulk_error: f64,
}

/// What the finals chose.
#[derive(Debug)]
pub struct Selected {
    /// The list asked for, in order.
    pub list: Vec<Finalist>,
    /// Every subset that was ranked by its exact figure, where that is all of them, or all of a shortlist.
    pub ranked: Option<Ranked>,
}

/// Subsets in the order of their exact figure.
#[derive(Debug)]
pub struct Ranked {
    pub values: Vec<f64>,
    pub ranks: Vec<u64>,
    /// How many were on the shortlist, where those ranked are not all that keep the bounds of the covariance.
    pub shortlist: Option<u64>,
}

impl Finals<'_> {
    /// Chooses among the `best`, which are of `count` subsets that pass.
    ///
    /// # Errors
    /// Asked to stop.
    pub fn select(&self, best: &[Candidate], count: u64, observer: &mut dyn Observer) -> Result<Selected> {
        let Config { by, top, shortlist, .. } = *self.config;
        // What the path decides is decided among the shortlist.
        let on_the_path = self.config.filters.iter().any(|filter| filter.figure.is_of_the_path());
        let all = count <= best.len() as u64 && best.len() <= shortlist;
        let best = if by.is_of_the_path() || on_the_path { &best[..best.len().min(shortlist)] } else { best };
        if by.is_of_the_path() || (on_the_path && all) {
            let mut finalists = self.solved(best, observer)?;
            self.rank(&mut finalists);
            let ranked = Ranked {
                values: finalists.iter().map(|finalist| finalist.figures.get(by)).collect(),
                ranks: finalists.iter().map(|finalist| finalist.rank).collect(),
                shortlist: (!all).then_some(best.len() as u64),
            };
            finalists.truncate(top);
            return Ok(Selected { list: self.complete(finalists), ranked: Some(ranked) });
        }
        let mut finalists = Vec::new();
        let mut solved = 0;
        loop {
            let next = best.len().min((2 * solved).max(top.saturating_add(SPARE)));
            finalists.extend(self.solved(&best[solved..next], observer)?);
            solved = next;
            self.rank(&mut finalists);
            // The place that the next by bulk figures might still take.
            let last = finalists.get(top - 1).map(|finalist| finalist.key(by));
            let size = |last: f64| match by {
                Figure::Metric(Metric::MeanCorrelation) => last.abs().max(SMALLEST),
                _ => last.abs(),
            };
            let within = |value: f64| last.is_none_or(|last| value <= last + self.bulk_error * size(last));
            match best.get(solved) {
                Some(candidate) if within(candidate.value) => {}
                Some(_) => break,
                None => {
                    if count > best.len() as u64 {
                        self.cut_short(best, finalists.len(), within, observer);
                    }
                    break;
                }
            }
        }
        finalists.truncate(top);
        Ok(Selected { list: self.complete(finalists), ranked: None })
    }

    /// Says what might be on the list and is not among the `best`, which are not all that pass.
    fn cut_short(&self, best: &[Candidate], listed: usize, within: impl Fn(f64) -> bool, observer: &mut dyn Observer) {
        let count = best.len();
        if listed < self.config.top {
            observer.notice(
                &format!(
                    "bounds were tried on the {count} best by {}, of which {listed} keep them: a longer {} tries more",
                    self.config.by.name(),
                    option("shortlist")
                )
                .into(),
            );
        } else if best.last().is_some_and(|candidate| within(candidate.value)) {
            observer.notice(&format!(
                "more than {count} subsets are as good as the last of the list: of these, those of lowest rank are shown"
            ).into());
        }
    }

    /// Solved again by themselves; those that keep all bounds.
    fn solved(&self, candidates: &[Candidate], observer: &dyn Observer) -> Result<Vec<Finalist>> {
        let subsets = self.question.subsets;
        let set = |candidate: &Candidate| {
            let mut assets = vec![0; subsets.size()];
            subsets.assets(candidate.rank, &mut assets);
            (candidate.rank, assets)
        };
        let sets: Vec<(u64, Vec<u32>)> = candidates.par_iter().map(set).collect();
        let Config { by, filters, .. } = self.config;
        let asked = Asked { question: self.question, filters, figure: Some(*by), paths: true };
        passing(&asked, &sets, &observer.stop())
    }

    /// With every figure, now that they are few.
    fn complete(&self, mut finalists: Vec<Finalist>) -> Vec<Finalist> {
        let without = |finalist: &&mut Finalist| finalist.figures.effective_bets.is_nan();
        finalists.par_iter_mut().filter(without).for_each(|finalist| finalist.count_bets(self.question.universe));
        finalists
    }

    fn rank(&self, finalists: &mut [Finalist]) {
        let by = self.config.by;
        finalists.sort_by(|a, b| a.key(by).total_cmp(&b.key(by)).then(a.rank.cmp(&b.rank)));
    }
}
