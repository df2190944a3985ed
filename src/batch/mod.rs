//! What every engine agrees on: a recipe that builds problem `p` anywhere, its program, and what is asked for.
//!
//! A job is a pure function from a problem's index to its certified solution. No path, covariance or random state is
//! ever stored for all problems: engines build what they need, when they need it, in any order.

pub mod assets;
pub mod counts;
pub mod part;
pub mod request;
pub mod solutions;
pub mod source;

use std::borrow::Cow;
use std::sync::Arc;

use rayon::prelude::*;

use crate::covariance::estimator::SHORTEST;
use crate::covariance::{Estimator, Universe};
use crate::error::{Error, Result};
use crate::methods::limits::Bounds;
use crate::methods::risk_budgeting::validity;
use crate::methods::{Program, RiskMeasure};
use crate::panel::Panel;
use crate::resample::Law;
pub use crate::sampling::Rows;
use crate::subsets::Subsets;
use crate::subsets::cap::Cap;
pub use assets::Assets;
pub use request::{Block, Request};
pub use solutions::{Comparisons, Solutions, Solved};
pub use source::{Covariances, Source};

/// A batch of problems of one size with the same program.
#[derive(Debug, Clone)]
pub struct Batch<'a> {
    source: Source<'a>,
    program: Program,
    /// Of all assets of its covariances.
    bounds: Option<Bounds>,
    problems: u64,
    symmetrised: Option<Symmetrised>,
}

/// Given matrices of single-precision numbers that were symmetric up to rounding, and are so now.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Symmetrised {
    pub matrices: u64,
    /// The largest difference of mirrored entries, relative to the volatilities.
    pub largest: f64,
}

impl<'a> Batch<'a> {
    /// Given covariance matrices, row-major, n x n each for n budgets: owned, or borrowed for the length of the batch.
    ///
    /// # Errors
    /// As [`Program::new`] and [`Batch::new`].
    pub fn given(covariances: impl Into<Cow<'a, [f64]>>, budgets: &[f64]) -> Result<Batch<'a>> {
        let (matrices, assets) = (covariances.into(), budgets.len());
        let covariances = Covariances::Given { matrices, assets, assume_psd: false };
        Batch::new(Source { covariances, assets: Assets::All }, Program::new(budgets)?)
    }

    /// The sample covariances of so many resamples of one history.
    ///
    /// # Errors
    /// As [`Program::new`] and [`Batch::new`].
    pub fn resampled(panel: impl Into<Arc<Panel>>, law: Law, resamples: u64, budgets: &[f64]) -> Result<Batch<'a>> {
        Batch::estimated(panel, Rows::Resampled { law, resamples }, Estimator::Sample, budgets)
    }

    /// What an estimator makes of each of these sets of rows of one history.
    ///
    /// # Errors
    /// As [`Program::new`] and [`Batch::new`].
    pub fn estimated(
        panel: impl Into<Arc<Panel>>,
        rows: Rows,
        estimator: Estimator,
        budgets: &[f64],
    ) -> Result<Batch<'a>> {
        let covariances = Covariances::Estimated { panel: panel.into(), rows, estimator };
        Batch::new(Source { covariances, assets: Assets::All }, Program::new(budgets)?)
    }

    /// The same for a program.
    ///
    /// # Errors
    /// As [`Batch::new`] and [`Batch::under`].
    pub fn of_rows(
        panel: impl Into<Arc<Panel>>,
        rows: Rows,
        estimator: Estimator,
        program: Program,
    ) -> Result<Batch<'a>> {
        let covariances = Covariances::Estimated { panel: panel.into(), rows, estimator };
        let measure = program.measure();
        Batch::new(Source { covariances, assets: Assets::All }, program)?.under(measure)
    }

    /// The first so many subsets of one covariance, with equal budgets; those that `cap` bars are not solved.
    ///
    /// # Errors
    /// As [`Batch::new`].
    pub fn subsets(
        universe: impl Into<Arc<Universe>>,
        subsets: Subsets,
        count: u64,
        cap: Option<Cap>,
    ) -> Result<Batch<'a>> {
        let program = Program::new(&vec![1.0; subsets.size()])?;
        let covariances = Covariances::Known(universe.into());
        let source = Source { covariances, assets: Assets::Subsets { subsets, count, cap } };
        Batch::new(source, program)
    }

    /// Given matrices of single-precision numbers become symmetric here, where they are so up to rounding: certificates
    /// are computed from them as they stand in the batch. Borrowed ones are copied for that, and for nothing else.
    ///
    /// # Errors
    /// Program, panel, law, matrices and sets of assets that are not of one size.
    pub fn new(mut source: Source<'a>, program: Program) -> Result<Batch<'a>> {
        let n = program.assets();
        let assets = source.covariances.assets();
        source.assets.check(assets)?;
        let size = source.assets.size(assets);
        if size != n {
            return Err(Error::input(format!("{n} risk budgets for problems of {size} assets")));
        }
        let mut symmetrised = None;
        match &mut source.covariances {
            Covariances::Given { matrices, .. } => {
                if !matrices.len().is_multiple_of(assets * assets) {
                    return Err(Error::input(format!(
                        "{} numbers are no whole number of covariance matrices of {assets} assets",
                        matrices.len()
                    )));
                }
                symmetrised = symmetrise(matrices, assets);
            }
            Covariances::Known(_) => {}
            Covariances::Estimated { panel, rows, estimator } => {
                if !estimator.is_sound() {
                    return Err(Error::input(format!(
                        "{estimator:?}: its half-life is no number of rows from {SHORTEST} up"
                    )));
                }
                check_rows(rows, panel.rows())?;
            }
        }
        let problems = source.covariances.count().saturating_mul(source.assets.count());
        Ok(Batch { source, program, bounds: None, problems, symmetrised })
    }

    /// Takes it on trust that given matrices have no negative variances.
    #[must_use]
    pub fn assume_psd(mut self) -> Batch<'a> {
        if let Covariances::Given { assume_psd, .. } = &mut self.source.covariances {
            *assume_psd = true;
        }
        self
    }

    /// With budgets of this measure of risk: all but volatility take the rows that an estimator takes, and nothing is
    /// estimated in between.
    ///
    /// # Errors
    /// A level out of range; a measure of rows where there are none, or an estimator other than the sample's.
    pub fn under(self, measure: RiskMeasure) -> Result<Batch<'a>> {
        let rows = matches!(
            (&self.source.covariances, &self.source.assets),
            (Covariances::Estimated { estimator: Estimator::Sample, .. }, Assets::All)
        );
        if !measure.is_sound() || !(rows && !self.program.is_limited() || measure.is_volatility()) {
            return Err(Error::input(format!("{measure:?} is no risk that this batch could budget")));
        }
        Ok(Batch { program: self.program.under(measure), ..self })
    }

    /// Each set of assets within the bounds of its members: a set that these let hold nothing, or not the whole, is
    /// infeasible.
    ///
    /// # Errors
    /// Bounds of another number of assets; a program that has limits of its own, or is not of volatility.
    pub fn within(self, bounds: Option<Bounds>) -> Result<Batch<'a>> {
        let Some(bounds) = bounds else { return Ok(self) };
        let assets = self.source.covariances.assets();
        if bounds.assets() != assets || !bounds.is_sound() {
            return Err(Error::input(format!("bounds are not two numbers from 0 to 1 for each of {assets} assets")));
        }
        let of_sets = !matches!(self.source.assets, Assets::All);
        if !of_sets || self.program.is_limited() || !self.program.measure().is_volatility() {
            return Err(Error::input("bounds of sets of assets are for budgets of volatility without other limits"));
        }
        Ok(Batch { bounds: Some(bounds), ..self })
    }

    /// Of all assets of its covariances, where sets of assets have bounds.
    pub fn bounds(&self) -> Option<&Bounds> {
        self.bounds.as_ref()
    }

    /// What the portfolio of a set of assets is asked to be; none where it is infeasible.
    pub fn program_of(&self, held: &[u32]) -> Option<Cow<'_, Program>> {
        match &self.bounds {
            None => Some(Cow::Borrowed(&self.program)),
            Some(bounds) if !bounds.admit(held) => None,
            Some(bounds) => {
                let program = Program::within(self.program.budgets(), bounds.of_set(held));
                program.ok().map(Cow::Owned)
            }
        }
    }

    pub fn source(&self) -> &Source<'a> {
        &self.source
    }

    /// Number of problems.
    pub fn problems(&self) -> u64 {
        self.problems
    }

    /// Number n of assets of each problem.
    pub fn assets(&self) -> usize {
        self.program.assets()
    }

    /// What all portfolios are asked to be.
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// Risk budgets, which sum to one.
    pub fn budgets(&self) -> &[f64] {
        self.program.budgets()
    }

    /// Whether GPUs take its rows, its estimator, its measure of risk and its limits, which are of all assets there.
    pub fn fits_devices(&self) -> bool {
        self.program.measure().is_volatility()
            && self.bounds.is_none()
            && (!self.program.is_limited() || matches!(self.source.assets, Assets::All))
            && self.program.beyond_lanes().is_none()
            && match &self.source.covariances {
                Covariances::Estimated { rows, estimator, .. } => match rows {
                    Rows::Resampled { .. } => estimator.is_on_devices(),
                    // What other estimators take of the rows themselves is not shared by windows.
                    Rows::Paths { .. } => *estimator == Estimator::Sample && matches!(self.source.assets, Assets::All),
                    Rows::All | Rows::Spans(_) => false,
                },
                Covariances::Given { .. } | Covariances::Known(_) => true,
            }
    }

    /// What was made symmetric of the given matrices.
    pub fn symmetrised(&self) -> Option<Symmetrised> {
        self.symmetrised
    }

    /// Rows of the history that covariances are estimated from; zero where there is none.
    pub fn rows(&self) -> usize {
        match &self.source.covariances {
            Covariances::Estimated { panel, .. } => panel.rows(),
            Covariances::Given { .. } | Covariances::Known(_) => 0,
        }
    }

    /// The history and the index law, where problems are resamples of it.
    pub fn resamples(&self) -> Option<(&Panel, Law)> {
        match (&self.source.covariances, &self.source.assets) {
            (Covariances::Estimated { panel, rows, .. }, Assets::All) => {
                Some(panel).zip(rows.law()).map(|(p, l)| (&**p, l))
            }
            _ => None,
        }
    }
}

/// A set of rows lies within the history, and is long enough for a covariance.
fn check_rows(rows: &Rows, history: usize) -> Result<()> {
    let (law, spans) = match rows {
        Rows::All => (None, None),
        Rows::Resampled { law, .. } => (Some(law), None),
        Rows::Spans(spans) => (None, Some(spans)),
        Rows::Paths { law, spans, .. } => (Some(law), Some(spans)),
    };
    if let Some(law) = law.filter(|law| law.rows as usize != history) {
        return Err(Error::input(format!("an index law for {} rows, and a history of {history}", law.rows)));
    }
    let sound = |span: &std::ops::Range<u32>| span.end as usize <= history && span.len() > 1;
    match spans.into_iter().flat_map(|spans| spans.iter()).find(|span| !sound(span)) {
        Some(span) => Err(Error::input(format!(
            "rows {} to {} are no part of a history of {history} rows that a covariance could be made of",
            span.start, span.end
        ))),
        None => Ok(()),
    }
}

fn symmetrise(matrices: &mut Cow<[f64]>, n: usize) -> Option<Symmetrised> {
    let asymmetric = |one: &[f64]| (0..n).any(|i| (0..i).any(|j| one[i * n + j] != one[j * n + i]));
    let suspicious = |one: &[f64]| validity::Rounding::of(one) == validity::Rounding::Single && asymmetric(one);
    // One wakes no thread.
    let any = match matrices.len() == n * n {
        true => suspicious(matrices),
        false => matrices.par_chunks_exact(n * n).any(suspicious),
    };
    if !any {
        return None;
    }
    let gaps = matrices.to_mut().par_chunks_exact_mut(n * n).filter_map(|one| validity::symmetrise(one, n));
    let (matrices, largest) = gaps.map(|gap| (1, gap)).reduce(|| (0, 0.0), |a, b| (a.0 + b.0, f64::max(a.1, b.1)));
    (matrices > 0).then_some(Symmetrised { matrices, largest })
}

/// The assets with a positive budget, in order.
pub fn active(budgets: &[f64]) -> Vec<usize> {
    (0..budgets.len()).filter(|&i| budgets[i] > 0.0).collect()
}

/// Rows and columns `keep` of an n x n matrix.
pub fn submatrix(matrix: &[f64], n: usize, keep: &[usize]) -> Vec<f64> {
    keep.iter().flat_map(|&i| keep.iter().map(move |&j| matrix[i * n + j])).collect()
}
