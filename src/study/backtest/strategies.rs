//! What is compared: methods over the eligible assets, fixed mixes, and a twin of risk budgeting that holds less in wild
//! times.

use crate::methods::{Method, Mix};

/// A strategy by what makes its weights.
#[derive(Debug, Clone, PartialEq)]
pub struct Strategy {
    /// As results call it.
    pub name: String,
    pub kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// All that is not a mix.
    Method(Method),
    /// The portfolios of risk budgeting, held less while the last rows are wilder than the window.
    Regime,
    /// A mix, by its number.
    Fixed(usize),
}

impl Kind {
    /// What its weights are made by.
    pub fn method(self) -> Method {
        match self {
            Kind::Method(method) => method,
            Kind::Regime => Method::RiskBudgeting,
            Kind::Fixed(number) => Method::Fixed(number as u8),
        }
    }

    pub fn is_mix(self) -> bool {
        matches!(self, Kind::Fixed(_))
    }
}

/// The strategies of a study, in the order of its tables.
#[derive(Debug, Clone, PartialEq)]
pub struct Strategies {
    all: Vec<Strategy>,
    mixes: Vec<Mix>,
}

/// As results call the twin.
pub const REGIME: &str = "erc+regime";

impl Strategies {
    /// These methods in this order, the twin behind risk budgeting, then the mixes.
    pub fn new(methods: &[Method], regime: bool, mixes: &[Mix]) -> Strategies {
        let mut all: Vec<Strategy> = Vec::new();
        for &method in methods {
            all.push(Strategy { name: method.name().to_string(), kind: Kind::Method(method) });
            if regime && method == Method::RiskBudgeting {
                all.push(Strategy { name: REGIME.to_string(), kind: Kind::Regime });
            }
        }
        let mix = |(number, mix): (usize, &Mix)| Strategy { name: mix.name.clone(), kind: Kind::Fixed(number) };
        all.extend(mixes.iter().enumerate().map(mix));
        Strategies { all, mixes: mixes.to_vec() }
    }

    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Strategy> {
        self.all.iter()
    }

    pub fn len(&self) -> usize {
        self.all.len()
    }

    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    pub fn get(&self, number: usize) -> &Strategy {
        &self.all[number]
    }

    pub fn mixes(&self) -> &[Mix] {
        &self.mixes
    }

    /// The methods whose weights are sought at each decision, risk budgeting left out where it is not asked for.
    pub fn methods(&self) -> Vec<Method> {
        let methods = self.all.iter().filter_map(|strategy| match strategy.kind {
            Kind::Method(method) => Some(method),
            Kind::Regime | Kind::Fixed(_) => None,
        });
        methods.collect()
    }

    /// A strategy by its name, hyphens or underscores.
    pub fn position(&self, name: &str) -> Option<usize> {
        let exact = self.all.iter().position(|strategy| strategy.name == name);
        exact.or_else(|| self.all.iter().position(|strategy| strategy.name == name.replace('-', "_")))
    }

    /// The place of a method.
    pub fn place(&self, method: Method) -> Option<usize> {
        self.all.iter().position(|strategy| strategy.kind == Kind::Method(method))
    }

    /// The assets that some mix holds.
    pub fn held_by_mixes(&self) -> impl Iterator<Item = usize> + '_ {
        let held = |mix: &Mix| mix.weights.iter().map(|weight| *weight != 0.0).collect::<Vec<bool>>();
        let held: Vec<Vec<bool>> = self.mixes.iter().map(held).collect();
        let assets = held.first().map_or(0, Vec::len);
        (0..assets).filter(move |&asset| held.iter().any(|mix| mix[asset]))
    }
}
