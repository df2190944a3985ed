//! The covariance of any problem on the CPU: rows -> moments -> risk model -> the assets that the problem is about.

use crate::batch::{Assets, Covariances, Source};
use crate::covariance::RiskModel;
use crate::covariance::resampler::{Resampler, Span, Workspace};
use crate::methods::risk_budgeting::validity;

/// Room to build one problem after the other in.
#[derive(Debug, Clone, Default)]
pub(super) struct Building {
    pub work: Workspace,
    /// The covariance that the last problem was part of, by its number, and whether it is one.
    whole: Option<(u64, bool)>,
    part: RiskModel,
}

/// A problem as it was built.
pub(super) enum Built<'a> {
    /// The cap keeps it from being solved.
    Barred,
    /// Its input is no covariance.
    Invalid,
    /// Its model, and the matrix as given, where one was.
    Model(&'a RiskModel, Option<&'a [f64]>),
}

impl Building {
    /// Builds a problem of `source`, of a span of resamples where it is one of them.
    #[inline(always)]
    pub fn build<'a>(
        &'a mut self,
        source: &'a Source,
        resampler: Option<&Resampler>,
        span: Option<&Span>,
        problem: u64,
    ) -> Built<'a> {
        let sets = source.assets.count();
        let number = problem / sets;
        if matches!(source.assets, Assets::All) {
            let sound = covariance(source, resampler, span, number, &mut self.work);
            return if sound { Built::Model(&self.work.model, given(source, number)) } else { Built::Invalid };
        }
        let mut held = None;
        let set = problem % sets;
        source.assets.visit(set..set + 1, |assets| held = assets.map(<[u32]>::to_vec));
        let Some(held) = held else { return Built::Barred };
        if let Covariances::Known(model) = &source.covariances {
            model.gather(&held, &mut self.part);
            return Built::Model(&self.part, None);
        }
        // Neighbours are parts of one covariance.
        let known = self.whole.filter(|(known, _)| *known == number);
        let (_, sound) = known.unwrap_or_else(|| (number, covariance(source, resampler, span, number, &mut self.work)));
        self.whole = Some((number, sound));
        if !sound {
            return Built::Invalid;
        }
        self.work.model.gather(&held, &mut self.part);
        Built::Model(&self.part, None)
    }
}

/// Builds a covariance as a whole; false where it is none.
#[inline(always)]
fn covariance(
    source: &Source,
    resampler: Option<&Resampler>,
    span: Option<&Span>,
    number: u64,
    work: &mut Workspace,
) -> bool {
    match &source.covariances {
        Covariances::Estimated { panel, .. } => {
            let moves = match (span, resampler) {
                (Some(span), _) => span.covariance(number, work),
                (None, Some(resampler)) => resampler.covariance(number, work),
                (None, None) => false,
            };
            if moves {
                for (volatility, unit) in work.model.volatilities.iter_mut().zip(panel.volatilities()) {
                    *volatility *= unit;
                }
            }
            moves
        }
        Covariances::Given { assets, assume_psd, .. } => {
            let model = &mut work.model;
            model.correlation.resize(assets * assets, 0.0);
            model.volatilities.resize(*assets, 0.0);
            given(source, number).is_some_and(|given| {
                validity::check(given, *assume_psd, &mut model.correlation, &mut model.volatilities).is_ok()
            })
        }
        Covariances::Known(model) => {
            work.model.clone_from(model);
            true
        }
    }
}

/// A given matrix.
#[inline(always)]
fn given<'a>(source: &'a Source, number: u64) -> Option<&'a [f64]> {
    match &source.covariances {
        Covariances::Given { matrices, assets, .. } => {
            let entries = assets * assets;
            Some(&matrices[number as usize * entries..][..entries])
        }
        Covariances::Known(_) | Covariances::Estimated { .. } => None,
    }
}
