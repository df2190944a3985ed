//! Which methods stand beside risk budgeting in a study.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::limits::Limits;
use super::{Method, RiskMeasure, equal_weight, inverse_volatility};

/// A fixed mix of the assets: nothing is estimated.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mix {
    /// As results call it.
    pub name: String,
    /// One for each asset of a problem, summing to one.
    pub weights: Vec<f64>,
}

/// Methods beside risk budgeting, in the order asked for.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Selection {
    methods: Cow<'static, [Method]>,
    mixes: Cow<'static, [Mix]>,
    within: Option<Within>,
}

/// What portfolios are within, but for mixes.
#[derive(Debug, Clone, PartialEq)]
struct Within {
    limits: Limits,
    /// Equal weights, where there are any: they do not depend on data.
    equal: Option<Vec<f64>>,
}

impl Selection {
    /// Risk budgeting alone.
    pub const NONE: Selection = Selection { methods: Cow::Borrowed(&[]), mixes: Cow::Borrowed(&[]), within: None };

    /// Those that follow from the volatilities.
    pub const CLOSED_FORMS: Selection =
        Selection { methods: Cow::Borrowed(&Method::CLOSED_FORMS), mixes: Cow::Borrowed(&[]), within: None };

    /// These methods, risk budgeting left out, then the mixes.
    pub fn new(methods: &[Method], mixes: Vec<Mix>) -> Selection {
        let mut all: Vec<Method> = Vec::new();
        for &method in methods {
            if method != Method::RiskBudgeting && !all.contains(&method) {
                all.push(method);
            }
        }
        all.extend((0..mixes.len()).map(|number| Method::Fixed(number as u8)));
        Selection { methods: all.into(), mixes: mixes.into(), within: None }
    }

    /// With volatility parity first of those beside risk budgeting, where another risk is budgeted.
    #[must_use]
    pub fn under(self, measure: RiskMeasure) -> Selection {
        if measure.is_volatility() || self.methods.contains(&Method::VolatilityParity) {
            return self;
        }
        let methods = std::iter::once(Method::VolatilityParity).chain(self.methods.iter().copied());
        Selection { methods: methods.collect(), ..self }
    }

    /// Without fixed mixes, which need no problem to be solved.
    #[must_use]
    pub fn without_mixes(self) -> Selection {
        let methods = self.methods.iter().copied().filter(|method| !matches!(method, Method::Fixed(_)));
        Selection { methods: methods.collect(), mixes: Cow::Borrowed(&[]), ..self }
    }

    /// Within these limits, where there are any. Mixes are as they are.
    #[must_use]
    pub fn within(self, limits: Option<&Limits>) -> Selection {
        let within = limits.map(|limits| Within { limits: limits.clone(), equal: equal_weight::within(limits) });
        Selection { within, ..self }
    }

    pub fn limits(&self) -> Option<&Limits> {
        self.within.as_ref().map(|within| &within.limits)
    }

    /// Whether the weights of a method have to be solved for.
    pub fn is_solved(&self, method: Method) -> bool {
        method.is_solved() || self.within.is_some() && method == Method::InverseVolatility
    }

    /// Those beside risk budgeting.
    pub fn methods(&self) -> &[Method] {
        &self.methods
    }

    /// Risk budgeting, then those beside it.
    pub fn all(&self) -> Vec<Method> {
        std::iter::once(Method::RiskBudgeting).chain(self.methods.iter().copied()).collect()
    }

    pub fn mixes(&self) -> &[Mix] {
        &self.mixes
    }

    /// Mixes and, last, equal weights within limits: what does not depend on data.
    pub fn constant(&self) -> impl Iterator<Item = &[f64]> {
        let equal = self.within.as_ref().filter(|_| self.methods.contains(&Method::EqualWeight));
        let equal = equal.and_then(|within| within.equal.as_deref());
        self.mixes.iter().map(|mix| mix.weights.as_slice()).chain(equal)
    }

    /// Those that have to be solved for.
    pub fn solved(&self) -> impl Iterator<Item = Method> {
        self.methods.iter().copied().filter(|method| self.is_solved(*method))
    }

    /// Whether all of them follow from the volatilities.
    pub fn is_closed(&self) -> bool {
        self.methods.iter().all(|method| Method::CLOSED_FORMS.contains(method) && !self.is_solved(*method))
    }

    /// The first that GPUs do not take, of problems of so many assets.
    pub fn beyond_devices(&self, assets: usize) -> Option<Method> {
        // Within limits those alone that descend, or depend on nothing.
        let solved = |method: Method| self.within.is_some() && method.is_solved();
        let taken = |method: &Method| assets <= method.most_assets_on_devices() && !solved(*method);
        self.methods.iter().copied().find(|method| !taken(method))
    }

    /// Whether GPUs take all of them, of problems of so many assets.
    pub fn is_on_devices(&self, assets: usize) -> bool {
        self.beyond_devices(assets).is_none()
    }

    /// For problems of the assets at these places alone: mixes hold the others not, and are scaled up. Limits are to be given
    /// again.
    #[must_use]
    pub fn over(&self, keep: &[usize]) -> Selection {
        let part = |mix: &Mix| {
            let held: Vec<f64> = keep.iter().map(|&place| mix.weights[place]).collect();
            let total: f64 = held.iter().sum();
            let whole = keep.len() == mix.weights.len();
            let weights = if whole { held } else { held.iter().map(|weight| weight / total).collect() };
            Mix { name: mix.name.clone(), weights }
        };
        Selection { methods: self.methods.clone(), mixes: self.mixes.iter().map(part).collect(), within: None }
    }

    /// As results call a method.
    pub fn name(&self, method: Method) -> &str {
        match method {
            Method::Fixed(number) => self.mixes.get(usize::from(number)).map_or("fixed", |mix| &mix.name),
            method => method.name(),
        }
    }

    /// Weights that follow from the volatilities, or from nothing; none of a method that is solved for.
    pub fn closed_form(&self, method: Method, volatilities: &[f64]) -> Option<Cow<'_, [f64]>> {
        match method {
            Method::InverseVolatility if self.within.is_none() => Some(inverse_volatility(volatilities).into()),
            Method::EqualWeight => match &self.within {
                Some(within) => within.equal.as_deref().map(Cow::Borrowed),
                None => Some(equal_weight(volatilities.len()).into()),
            },
            Method::Fixed(number) => self.mixes.get(usize::from(number)).map(|mix| mix.weights.as_slice().into()),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn risk_budgeting_is_always_first_and_nothing_comes_twice() {
        let mix = Mix { name: "60/40".to_string(), weights: vec![0.6, 0.4] };
        let methods = [Method::EqualWeight, Method::RiskBudgeting, Method::EqualWeight, Method::MinimumVariance];
        let selection = Selection::new(&methods, vec![mix]);
        let all = [Method::RiskBudgeting, Method::EqualWeight, Method::MinimumVariance, Method::Fixed(0)];
        assert_eq!(selection.all(), all);
        assert_eq!(all.map(|method| selection.name(method)), ["erc", "equal_weight", "min_variance", "60/40"]);
        assert_eq!(selection.closed_form(Method::Fixed(0), &[1.0, 2.0]).unwrap()[..], [0.6, 0.4]);
        assert!(selection.closed_form(Method::MinimumVariance, &[1.0, 2.0]).is_none());
        assert!(!selection.is_closed() && Selection::CLOSED_FORMS.is_closed());
        assert!(selection.is_on_devices(256) && !selection.is_on_devices(257));
        assert!(Selection::CLOSED_FORMS.is_on_devices(2000));
    }
}
