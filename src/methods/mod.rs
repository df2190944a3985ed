//! Methods: from a covariance to weights. Slices in, certified weights out.
//!
//! [`Method`] is closed on purpose: kernels and lanes have to be enumerable. What a portfolio is asked to be, whatever
//! makes it, is its [`Program`]; which methods a study compares, its [`Selection`].

pub mod certificate;
pub mod downside;
pub(crate) mod equal_weight;
pub mod hierarchical;
mod inverse_volatility;
pub mod limits;
mod linear;
mod program;
pub mod quadratic;
pub mod risk_budgeting;
mod risk_measure;
mod selection;

use crate::covariance::RiskModel;
use certificate::{Proof, Status};
pub use equal_weight::equal_weight;
pub use inverse_volatility::inverse_volatility;
use limits::Limits;
pub use program::{ExpectedReturns, Objective, Program};
use quadratic::Aim;
use risk_budgeting::descent::multiply;
use risk_budgeting::{Options, Problem, limited};
pub use risk_measure::RiskMeasure;
pub use selection::{Mix, Selection};

/// How weights are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    /// [`risk_budgeting`]: equal risk contribution, where budgets are equal.
    RiskBudgeting,
    InverseVolatility,
    EqualWeight,
    /// [`quadratic`]: the least variance without short positions.
    MinimumVariance,
    /// [`quadratic`]: the greatest diversification ratio without short positions.
    MaximumDiversification,
    /// [`hierarchical`]: hierarchical risk parity.
    HierarchicalRiskParity,
    /// Risk budgeting of volatility, beside that of another measure.
    VolatilityParity,
    /// A mix of a [`Selection`], by its number there.
    Fixed(u8),
}

/// Room to solve one problem after the other in.
#[derive(Debug, Clone, Default)]
pub struct Workspace {
    pub risk_budgeting: risk_budgeting::Workspace,
    pub limited: limited::Workspace,
    pub quadratic: quadratic::Workspace,
    pub hierarchical: hierarchical::Workspace,
}

impl Method {
    /// Those that can be asked for by name.
    pub const NAMED: [Method; 6] = [
        Method::RiskBudgeting,
        Method::MinimumVariance,
        Method::MaximumDiversification,
        Method::HierarchicalRiskParity,
        Method::InverseVolatility,
        Method::EqualWeight,
    ];

    /// Those whose weights follow from the volatilities of the assets.
    pub const CLOSED_FORMS: [Method; 2] = [Method::InverseVolatility, Method::EqualWeight];

    /// Mixes of a selection at most.
    pub const MOST_FIXED: usize = 64;

    /// The byte of the first mix.
    const FIXED: u8 = 64;

    /// As results call it; a mix is called by its own name.
    pub const fn name(self) -> &'static str {
        match self {
            Method::RiskBudgeting => "erc",
            Method::InverseVolatility => "inverse_volatility",
            Method::EqualWeight => "equal_weight",
            Method::MinimumVariance => "min_variance",
            Method::MaximumDiversification => "max_diversification",
            Method::HierarchicalRiskParity => "hrp",
            Method::VolatilityParity => "volatility_parity",
            Method::Fixed(_) => "fixed",
        }
    }

    /// As people call it; a mix is called by its own name.
    pub const fn words(self) -> &'static str {
        match self {
            Method::RiskBudgeting => "risk budgeting",
            Method::InverseVolatility => "inverse volatility",
            Method::EqualWeight => "equal weight",
            Method::MinimumVariance => "minimum variance",
            Method::MaximumDiversification => "max. diversification",
            Method::HierarchicalRiskParity => "hierarchical parity",
            Method::VolatilityParity => "volatility parity",
            Method::Fixed(_) => "fixed mix",
        }
    }

    /// What its certified errors are called.
    pub const fn error(self) -> &'static str {
        match self {
            Method::MinimumVariance | Method::MaximumDiversification => "gap",
            Method::HierarchicalRiskParity => "split_error",
            _ => "rc_error",
        }
    }

    /// The byte that stands for it in a file.
    pub const fn code(self) -> u8 {
        match self {
            Method::RiskBudgeting => 0,
            Method::InverseVolatility => 1,
            Method::EqualWeight => 2,
            Method::MinimumVariance => 3,
            Method::MaximumDiversification => 4,
            Method::HierarchicalRiskParity => 5,
            Method::VolatilityParity => 6,
            Method::Fixed(number) => Method::FIXED + number,
        }
    }

    pub fn from_code(code: u8) -> Option<Method> {
        let fixed = code.checked_sub(Method::FIXED).filter(|number| usize::from(*number) < Method::MOST_FIXED);
        let mut others = Method::NAMED.into_iter().chain([Method::VolatilityParity]);
        fixed.map(Method::Fixed).or_else(|| others.find(|method| method.code() == code))
    }

    /// Whether its weights depend on the covariance.
    pub fn varies(self) -> bool {
        !matches!(self, Method::EqualWeight | Method::Fixed(_))
    }

    /// Whether it is the best at something that can be measured under any covariance.
    pub fn aims(self) -> bool {
        matches!(self, Method::RiskBudgeting | Method::MinimumVariance | Method::MaximumDiversification)
    }

    /// Assets of a problem that devices take it for at most, beside risk budgeting: what a workgroup has memory for; of
    /// hierarchical risk parity, beyond which single precision would leave too many trees to the CPU.
    pub const fn most_assets_on_devices(self) -> usize {
        match self {
            Method::MinimumVariance | Method::MaximumDiversification => 256,
            Method::HierarchicalRiskParity => 128,
            Method::VolatilityParity => 0,
            _ => usize::MAX,
        }
    }

    /// Whether its weights, beside those of risk budgeting, have to be solved for.
    pub fn is_solved(self) -> bool {
        use Method::{HierarchicalRiskParity, MaximumDiversification, MinimumVariance, VolatilityParity};
        matches!(self, MinimumVariance | MaximumDiversification | HierarchicalRiskParity | VolatilityParity)
    }

    /// What a quadratic method is best at; none of others.
    pub const fn aim(self) -> Option<Aim> {
        match self {
            Method::MinimumVariance => Some(Aim::MinimumVariance),
            Method::MaximumDiversification => Some(Aim::MaximumDiversification),
            _ => None,
        }
    }

    /// The weights of one portfolio, to rounding; none where there is none, and of mixes. Risk is volatility.
    pub fn finished(self, program: &Program, model: &RiskModel) -> Option<Vec<f64>> {
        let (mut weights, mut work) = (vec![0.0; program.assets()], Workspace::default());
        let options = Options { finish: true, ..Options::default() };
        let limits = program.is_limited().then(|| program.limits());
        let status = match self {
            Method::RiskBudgeting if program.is_limited() => {
                let found = program.solve(model, None, options, &mut work.limited);
                weights = found.portfolio.weights;
                found.status
            }
            Method::RiskBudgeting | Method::VolatilityParity => {
                let RiskModel { correlation, volatilities } = model;
                let problem = Problem { correlation, volatilities, budgets: program.budgets(), covariance: None };
                risk_budgeting::solve(problem, options, &mut work.risk_budgeting, &mut weights).status
            }
            _ => {
                let selection = Selection::new(&[self], Vec::new()).within(limits);
                match selection.closed_form(self, &model.volatilities) {
                    Some(weights) => return Some(weights.into_owned()),
                    None => self.solve(model, limits, options.tolerance, &mut work, &mut weights)?.status,
                }
            }
        };
        (status == Status::Converged).then_some(weights)
    }

    /// Solves for the weights of one portfolio, within limits where there are any; NaN where there is none. None of a method
    /// that is not solved for, and of risk budgeting.
    #[inline(always)]
    pub fn solve(
        self,
        model: &RiskModel,
        limits: Option<&Limits>,
        tolerance: f64,
        work: &mut Workspace,
        weights: &mut [f64],
    ) -> Option<Proof> {
        let RiskModel { correlation, volatilities } = model;
        let aim = match (self, limits) {
            (Method::HierarchicalRiskParity, _) => {
                let found = hierarchical::solve(correlation, volatilities, &mut work.hierarchical, weights);
                let hierarchical::Found { status, split_error, margin, volatility } = found;
                return Some(Proof { status, error: split_error, margin, unique: true, volatility });
            }
            (Method::InverseVolatility, Some(limits)) => {
                return Some(inverse_volatility::within(model, limits, tolerance, &mut work.limited, weights));
            }
            _ => self.aim()?,
        };
        let problem = quadratic::Problem { correlation, volatilities };
        let found = match limits {
            Some(limits) => quadratic::limited::solve(aim, problem, limits, tolerance, &mut work.quadratic, weights),
            None => quadratic::solve(aim, problem, tolerance, &mut work.quadratic, weights),
        };
        let quadratic::Found { status, gap, unique, volatility, .. } = found;
        Some(Proof { status, error: gap, margin: f64::NAN, unique, volatility })
    }
}

/// sqrt(w' S w).
pub fn volatility(model: &RiskModel, weights: &[f64]) -> f64 {
    let exposures: Vec<f64> = weights.iter().zip(&model.volatilities).map(|(w, s)| w * s).collect();
    let mut product = vec![0.0; weights.len()];
    multiply(&model.correlation, &exposures, &mut product);
    exposures.iter().zip(&product).map(|(x, p)| x * p).sum::<f64>().max(0.0).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_methods_agree_where_assets_are_alike_and_none_depends_on_units() {
        let model = RiskModel { correlation: vec![1.0, 0.3, 0.3, 1.0], volatilities: vec![0.2, 0.2] };
        let program = Program::new(&[1.0, 1.0]).unwrap();
        for method in Method::NAMED {
            let weights = method.finished(&program, &model).unwrap();
            assert!(weights.iter().all(|w| (w - 0.5).abs() < 1e-15), "{method:?}: {weights:?}");
            // sqrt(0.65) of the volatility of either.
            assert!((volatility(&model, &weights) / 0.2 - 0.65_f64.sqrt()).abs() < 1e-15, "{method:?}");
            assert_eq!(Method::from_code(method.code()), Some(method));
        }
        assert_eq!(Method::from_code(Method::VolatilityParity.code()), Some(Method::VolatilityParity));
        assert_eq!(Method::from_code(Method::Fixed(7).code()), Some(Method::Fixed(7)));
        assert_eq!((Method::from_code(63), Method::from_code(200)), (None, None));
        let inverse = Selection::NONE.closed_form(Method::InverseVolatility, &[0.5, 0.25]).unwrap();
        assert_eq!(inverse[..], [1.0 / 3.0, 2.0 / 3.0]);
    }
}
