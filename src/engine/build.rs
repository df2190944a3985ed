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
    /// The assets of the last problem; of all assets none.
    held: Vec<u32>,
}

/// A problem as it was built.
pub(super) enum Built<'a> {
    /// The cap keeps it from being solved.
    Barred,
    /// Its input is no covariance.
    Invalid,
    Model(Model<'a>),
}

/// What a problem is about.
#[derive(Debug, Clone, Copy)]
pub(super) struct Model<'a> {
    pub model: &'a RiskModel,
    /// The matrix as given, where one was.
    pub given: Option<&'a [f64]>,
    /// Of its estimator, where it has one.
    pub parameter: Option<f64>,
    /// Its assets; none where these are all.
    pub held: &'a [u32],
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
            let Workspace { model, parameter, .. } = &self.work;
            let model = Model { model, given: given(source, number), parameter: *parameter, held: &[] };
            return if sound { Built::Model(model) } else { Built::Invalid };
        }
        self.held.clear();
        let set = problem % sets;
        source.assets.visit(set..set + 1, |assets| self.held.extend_from_slice(assets.unwrap_or_default()));
        if self.held.is_empty() {
            return Built::Barred;
        }
        let held = &self.held[..];
        if let Covariances::Known(universe) = &source.covariances {
            let parameter = universe.gather(held, &mut self.part);
            return Built::Model(Model { model: &self.part, given: None, parameter, held });
        }
        let alone = resampler.map(Resampler::alone);
        let span = span.or(alone.as_ref());
        // Neighbours are parts of one covariance.
        let known = self.whole.filter(|(known, _)| *known == number);
        let (_, sound) = known.unwrap_or_else(|| {
            let sound = match span {
                Some(span) => span.whole(number, &mut self.work),
                None => covariance(source, None, None, number, &mut self.work),
            };
            (number, sound)
        });
        self.whole = Some((number, sound));
        if !sound {
            return Built::Invalid;
        }
        match span {
            Some(span) => span.part(number, held, &mut self.work, &mut self.part),
            None => self.work.model.gather(held, &mut self.part),
        }
        Built::Model(Model { model: &self.part, given: None, parameter: self.work.parameter, held })
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
        Covariances::Estimated { .. } => match (span, resampler) {
            (Some(span), _) => span.covariance(number, work),
            (None, Some(resampler)) => resampler.alone().covariance(number, work),
            (None, None) => false,
        },
        Covariances::Given { assets, assume_psd, .. } => {
            let model = &mut work.model;
            model.correlation.resize(assets * assets, 0.0);
            model.volatilities.resize(*assets, 0.0);
            given(source, number).is_some_and(|given| {
                validity::check(given, *assume_psd, &mut model.correlation, &mut model.volatilities).is_ok()
            })
        }
        Covariances::Known(universe) => {
            let all: Vec<u32> = (0..universe.assets() as u32).collect();
            universe.gather(&all, &mut work.model);
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
