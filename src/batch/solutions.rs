//! Certified solutions, column by column.

use std::ops::Range;

use crate::methods::Method;
use crate::methods::certificate::Certificate;

/// What other methods make of each problem, one row per problem.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Comparisons {
    pub methods: Vec<Method>,
    /// Asset volatilities, problems x n. NaN rows where the input is invalid.
    pub volatilities: Vec<f64>,
    /// Volatilities of the methods' portfolios under the problem's covariance, problems x methods.
    pub portfolios: Vec<f64>,
}

impl Comparisons {
    /// Of so many problems of n assets, none known.
    pub fn unknown(methods: &[Method], problems: usize, assets: usize) -> Comparisons {
        let problems = if methods.is_empty() { 0 } else { problems };
        Comparisons {
            methods: methods.to_vec(),
            volatilities: vec![f64::NAN; problems * assets],
            portfolios: vec![f64::NAN; problems * methods.len()],
        }
    }

    /// Volatility of a method's portfolio under the covariance of problem `at`; none where it was not asked for.
    pub fn volatility(&self, method: Method, at: usize) -> Option<f64> {
        let place = self.methods.iter().position(|own| *own == method)?;
        self.portfolios.get(at * self.methods.len() + place).copied()
    }
}

/// Certified solutions of consecutive problems, in order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Solutions {
    /// Weights, problems x n, row-major. NaN rows where there are none (`no_solution`, `invalid`).
    pub weights: Vec<f64>,
    pub certificates: Vec<Certificate>,
    pub comparisons: Comparisons,
    /// The parameter of the estimator; none of estimators that have none, NaN where the input is invalid.
    pub parameters: Vec<f64>,
}

impl Solutions {
    /// So many problems, none of which is solved.
    pub fn unsolved(certificate: Certificate, problems: usize, assets: usize, beside: &[Method]) -> Solutions {
        Solutions {
            weights: vec![f64::NAN; problems * assets],
            certificates: vec![certificate; problems],
            comparisons: Comparisons::unknown(beside, problems, assets),
            parameters: Vec::new(),
        }
    }

    /// With parameters of the estimator, none of which is known.
    #[must_use]
    pub fn with_parameters(self) -> Solutions {
        Solutions { parameters: vec![f64::NAN; self.certificates.len()], ..self }
    }

    /// Those of the problems at these positions.
    #[must_use]
    pub fn part(&self, positions: Range<usize>) -> Solutions {
        let problems = self.certificates.len().max(1);
        let rows = |values: &[f64]| {
            let each = values.len() / problems;
            values[positions.start * each..positions.end * each].to_vec()
        };
        Solutions {
            weights: rows(&self.weights),
            certificates: self.certificates[positions.clone()].to_vec(),
            comparisons: Comparisons {
                methods: self.comparisons.methods.clone(),
                volatilities: rows(&self.comparisons.volatilities),
                portfolios: rows(&self.comparisons.portfolios),
            },
            parameters: rows(&self.parameters),
        }
    }

    /// Appends the solutions of the problems that follow.
    pub fn extend(&mut self, next: Solutions) {
        self.weights.extend(next.weights);
        self.certificates.extend(next.certificates);
        self.parameters.extend(next.parameters);
        let (all, more) = (&mut self.comparisons, next.comparisons);
        all.methods = more.methods;
        all.volatilities.extend(more.volatilities);
        all.portfolios.extend(more.portfolios);
    }

    /// Replaces the solutions at `positions` by those of `others` from the one at `first` on, in order.
    pub fn replace(&mut self, positions: &[usize], others: &Solutions, first: usize) {
        let problems = self.certificates.len().max(1);
        let rows = |all: &mut [f64], own: &[f64]| {
            let each = all.len() / problems;
            for (from, &to) in (first..).zip(positions).filter(|_| !own.is_empty()) {
                all[to * each..(to + 1) * each].copy_from_slice(&own[from * each..(from + 1) * each]);
            }
        };
        rows(&mut self.weights, &others.weights);
        rows(&mut self.comparisons.volatilities, &others.comparisons.volatilities);
        rows(&mut self.comparisons.portfolios, &others.comparisons.portfolios);
        rows(&mut self.parameters, &others.parameters);
        positions
            .iter()
            .zip(&others.certificates[first..])
            .for_each(|(&at, certificate)| self.certificates[at] = *certificate);
    }

    /// The weights that a method has for problem `at`: those solved for, or those that follow from the volatilities,
    /// which a closed form needs to have been asked for.
    pub fn weights_of(&self, method: Method, at: usize) -> Vec<f64> {
        let n = self.weights.len() / self.certificates.len().max(1);
        let row = at * n..(at + 1) * n;
        match method.closed_form(self.comparisons.volatilities.get(row.clone()).unwrap_or_default()) {
            Some(weights) => weights,
            None => self.weights[row].to_vec(),
        }
    }

    /// Volatility of these weights under the problem's own covariance; NaN where it was not asked for.
    pub fn volatility_of(&self, method: Method, at: usize) -> f64 {
        match method {
            Method::RiskBudgeting => self.certificates[at].volatility,
            closed_form => self.comparisons.volatility(closed_form, at).unwrap_or(f64::NAN),
        }
    }
}
