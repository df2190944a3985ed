//! The best subsets by themselves: solved again, ranked again by what is then known, until no other could be among them.

use rayon::prelude::*;

use super::best::Candidate;
use super::figure::{Figure, Filter};
use super::finalist::{Finalist, Setting};
use super::{Config, Question};
use crate::error::option;
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

impl Finals<'_> {
    /// The list asked for, in order, and the length of the shortlist where there was one. `passing` is how many subsets
    /// the best were taken from.
    pub fn select(
        &self,
        best: &[Candidate],
        passing: u64,
        observer: &mut dyn Observer,
    ) -> (Vec<Finalist>, Option<u64>) {
        let Config { by, top, shortlist, .. } = *self.config;
        if by.is_of_the_path() {
            let list = &best[..best.len().min(shortlist)];
            let mut finalists = self.solved(list);
            self.rank(&mut finalists);
            finalists.truncate(top);
            return (self.complete(finalists), Some(list.len() as u64));
        }
        // What the path decides is decided among the shortlist.
        let on_the_path = self.config.filters.iter().any(|filter| filter.figure.is_of_the_path());
        let best = if on_the_path { &best[..best.len().min(shortlist)] } else { best };
        let mut finalists = Vec::new();
        let mut solved = 0;
        loop {
            let next = best.len().min((2 * solved).max(top.saturating_add(SPARE)));
            finalists.extend(self.solved(&best[solved..next]));
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
                    if passing > best.len() as u64 {
                        self.cut_short(best, finalists.len(), within, observer);
                    }
                    break;
                }
            }
        }
        finalists.truncate(top);
        (self.complete(finalists), None)
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
    fn solved(&self, candidates: &[Candidate]) -> Vec<Finalist> {
        let Question { universe, simple: returns, periods_per_year, subsets, .. } = *self.question;
        let bets = self.config.by.is_of_bets() || self.config.filters.iter().any(|filter| filter.figure.is_of_bets());
        let setting = Setting { universe, returns, periods_per_year, bets };
        let keeps = |finalist: &Finalist| {
            let holds = |filter: &Filter| filter.relation.holds(finalist.figures.get(filter.figure), filter.bound);
            self.config.filters.iter().all(holds) && !finalist.figures.get(self.config.by).is_nan()
        };
        let solve = |candidate: &Candidate| {
            let mut assets = vec![0; subsets.size()];
            subsets.assets(candidate.rank, &mut assets);
            Finalist::of(&setting, candidate.rank, assets).filter(keeps)
        };
        candidates.par_iter().filter_map(solve).collect()
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
