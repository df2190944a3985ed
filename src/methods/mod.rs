//! Methods: from a covariance to weights. Slices in, certified weights out.
//!
//! [`Method`] is closed on purpose: kernels and lanes have to be enumerable. What a portfolio is asked to be, whatever
//! makes it, is its [`Program`].

pub mod certificate;
mod equal_weight;
mod inverse_volatility;
mod program;
pub mod risk_budgeting;

use crate::covariance::RiskModel;
use certificate::{Certificate, Status};
pub use equal_weight::equal_weight;
pub use inverse_volatility::inverse_volatility;
pub use program::Program;
use risk_budgeting::descent::multiply;
use risk_budgeting::{Options, Problem, Workspace};

/// How weights are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    /// [`risk_budgeting`]: equal risk contribution, where budgets are equal.
    RiskBudgeting,
    InverseVolatility,
    EqualWeight,
}

impl Method {
    pub const ALL: [Method; 3] = [Method::RiskBudgeting, Method::InverseVolatility, Method::EqualWeight];

    /// Those that need no solver: their weights follow from the volatilities.
    pub const CLOSED_FORMS: [Method; 2] = [Method::InverseVolatility, Method::EqualWeight];

    /// As results call it.
    pub const fn name(self) -> &'static str {
        match self {
            Method::RiskBudgeting => "erc",
            Method::InverseVolatility => "inverse_volatility",
            Method::EqualWeight => "equal_weight",
        }
    }

    /// The byte that stands for it in a file.
    pub const fn code(self) -> u8 {
        match self {
            Method::RiskBudgeting => 0,
            Method::InverseVolatility => 1,
            Method::EqualWeight => 2,
        }
    }

    pub fn from_code(code: u8) -> Option<Method> {
        Method::ALL.into_iter().find(|method| method.code() == code)
    }

    /// Whether its weights depend on the covariance.
    pub fn varies(self) -> bool {
        self != Method::EqualWeight
    }

    /// Weights from the volatilities alone; none where these do not tell.
    pub fn closed_form(self, volatilities: &[f64]) -> Option<Vec<f64>> {
        match self {
            Method::RiskBudgeting => None,
            Method::InverseVolatility => Some(inverse_volatility(volatilities)),
            Method::EqualWeight => Some(equal_weight(volatilities.len())),
        }
    }

    /// The weights of one portfolio, to rounding; none where there is none.
    pub fn finished(self, program: &Program, model: &RiskModel) -> Option<Vec<f64>> {
        let mut weights = vec![0.0; program.assets()];
        let options = Options { finish: true, ..Options::default() };
        let certificate = self.allocate(program, model, options, &mut Workspace::default(), &mut weights);
        (certificate.status == Status::Converged).then_some(weights)
    }

    /// Writes the weights of one portfolio; NaN where there are none. `options` are those of solvers; closed forms have
    /// no error to certify.
    pub fn allocate(
        self,
        program: &Program,
        model: &RiskModel,
        options: Options,
        work: &mut Workspace,
        weights: &mut [f64],
    ) -> Certificate {
        let RiskModel { correlation, volatilities } = model;
        match self.closed_form(volatilities) {
            Some(found) => {
                weights.copy_from_slice(&found);
                Certificate::exact(volatility(model, weights))
            }
            None => {
                let problem = Problem { correlation, volatilities, budgets: program.budgets(), covariance: None };
                risk_budgeting::solve(problem, options, work, weights)
            }
        }
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
        let finish = Options { finish: true, ..Options::default() };
        for method in Method::ALL {
            let mut weights = [f64::NAN; 2];
            let certificate = method.allocate(&program, &model, finish, &mut Workspace::default(), &mut weights);
            assert_eq!(certificate.status, Status::Converged, "{method:?}");
            assert!(weights.iter().all(|w| (w - 0.5).abs() < 1e-15), "{method:?}: {weights:?}");
            // sqrt(0.65) of the volatility of either.
            assert!((certificate.volatility / 0.2 - 0.65_f64.sqrt()).abs() < 1e-15, "{method:?}");
            assert_eq!(method.closed_form(&[0.1, 0.3]).is_some(), Method::CLOSED_FORMS.contains(&method));
        }
        assert_eq!(Method::InverseVolatility.closed_form(&[0.5, 0.25]).unwrap(), [1.0 / 3.0, 2.0 / 3.0]);
    }
}
