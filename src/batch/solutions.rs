//! Certified solutions, column by column.

use std::ops::Range;

use crate::methods::certificate::{Certificate, Proof, Status};
use crate::methods::{Method, Selection};

/// What other methods make of each problem, one row per problem.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Comparisons {
    pub methods: Vec<Method>,
    /// Asset volatilities, problems x n. NaN rows where the input is invalid.
    pub volatilities: Vec<f64>,
    /// Volatilities of the methods' portfolios under the problem's covariance, problems x methods.
    pub portfolios: Vec<f64>,
    /// Of the methods among these that are solved for, in their order.
    pub solved: Vec<Solved>,
}

/// The portfolios of a method that is solved for.
#[derive(Debug, Clone, PartialEq)]
pub struct Solved {
    pub method: Method,
    /// Problems x n, row-major. NaN rows where there are none.
    pub weights: Vec<f64>,
    pub proofs: Vec<Proof>,
}

impl Comparisons {
    /// Of so many problems of n assets, none known.
    pub fn unknown(beside: &Selection, problems: usize, assets: usize) -> Comparisons {
        let methods = beside.methods();
        let compared = if methods.is_empty() { 0 } else { problems };
        let unsolved = |method| Solved {
            method,
            weights: vec![f64::NAN; problems * assets],
            proofs: vec![Proof::unsolved(Status::Invalid); problems],
        };
        Comparisons {
            methods: methods.to_vec(),
            volatilities: vec![f64::NAN; compared * assets],
            portfolios: vec![f64::NAN; problems * methods.len()],
            solved: beside.solved().map(unsolved).collect(),
        }
    }

    /// Volatility of a method's portfolio under the covariance of problem `at`; none where it was not asked for.
    pub fn volatility(&self, method: Method, at: usize) -> Option<f64> {
        let place = self.methods.iter().position(|own| *own == method)?;
        self.portfolios.get(at * self.methods.len() + place).copied()
    }

    /// Whether a method that is solved for has stalled at problem `at`.
    pub fn is_stalled(&self, at: usize) -> bool {
        self.solved.iter().any(|solved| solved.proofs[at].status == Status::Stalled)
    }

    /// The portfolios of a method; none where it was not asked for, or is not solved for.
    pub fn of(&self, method: Method) -> Option<&Solved> {
        self.solved.iter().find(|solved| solved.method == method)
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
    pub fn unsolved(certificate: Certificate, problems: usize, assets: usize, beside: &Selection) -> Solutions {
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
        let solved = |solved: &Solved| Solved {
            method: solved.method,
            weights: rows(&solved.weights),
            proofs: solved.proofs[positions.clone()].to_vec(),
        };
        Solutions {
            weights: rows(&self.weights),
            certificates: self.certificates[positions.clone()].to_vec(),
            comparisons: Comparisons {
                methods: self.comparisons.methods.clone(),
                volatilities: rows(&self.comparisons.volatilities),
                portfolios: rows(&self.comparisons.portfolios),
                solved: self.comparisons.solved.iter().map(solved).collect(),
            },
            parameters: rows(&self.parameters),
        }
    }

    /// Sizes of the positions in the assets at these places alone, which have these signs, of weights of `assets` assets.
    #[must_use]
    pub fn over(self, keep: &[usize], signs: &[f64], assets: usize) -> Solutions {
        let part = |weights: Vec<f64>| -> Vec<f64> {
            let sizes = |row: &[f64]| keep.iter().zip(signs).map(|(&i, sign)| row[i] * sign).collect::<Vec<f64>>();
            weights.chunks_exact(assets).flat_map(sizes).collect()
        };
        let Comparisons { solved, .. } = self.comparisons;
        let solved = solved.into_iter().map(|own| Solved { weights: part(own.weights), ..own }).collect();
        let comparisons = Comparisons { solved, ..self.comparisons };
        Solutions { weights: part(self.weights), comparisons, ..self }
    }

    /// With the portfolios of a method that is solved for, whose errors stand in its certificates.
    pub fn join(&mut self, method: Method, found: Solutions) {
        let proof = |own: &Certificate| Proof {
            status: own.status,
            error: own.rc_error,
            margin: f64::NAN,
            unique: true,
            volatility: own.volatility,
        };
        let proofs = found.certificates.iter().map(proof).collect();
        self.comparisons.solved.push(Solved { method, weights: found.weights, proofs });
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
        if all.solved.is_empty() {
            all.solved = more.solved;
            return;
        }
        for (all, more) in all.solved.iter_mut().zip(more.solved) {
            all.weights.extend(more.weights);
            all.proofs.extend(more.proofs);
        }
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
        for (all, own) in self.comparisons.solved.iter_mut().zip(&others.comparisons.solved) {
            rows(&mut all.weights, &own.weights);
            (first..).zip(positions).for_each(|(from, &to)| all.proofs[to] = own.proofs[from]);
        }
        positions
            .iter()
            .zip(&others.certificates[first..])
            .for_each(|(&at, certificate)| self.certificates[at] = *certificate);
    }

    /// Takes what other methods lack at `at` from the solutions `others` at `from`.
    pub fn complete(&mut self, at: usize, others: &Solutions, from: usize) {
        let (all, n) = (&mut self.comparisons, self.weights.len() / self.certificates.len().max(1));
        for (all, own) in all.solved.iter_mut().zip(&others.comparisons.solved) {
            if all.proofs[at].status == Status::Stalled {
                all.proofs[at] = own.proofs[from];
                all.weights[at * n..(at + 1) * n].copy_from_slice(&own.weights[from * n..(from + 1) * n]);
            }
        }
        let count = all.methods.len();
        let portfolios = &others.comparisons.portfolios[from * count..(from + 1) * count];
        for (all, own) in all.portfolios[at * count..(at + 1) * count].iter_mut().zip(portfolios) {
            if !all.is_finite() {
                *all = *own;
            }
        }
    }

    /// The weights that a method of a selection has for problem `at`: those solved for, or those that follow from the
    /// volatilities, which a closed form needs to have been asked for. NaN where there are none.
    pub fn weights_of(&self, method: Method, beside: &Selection, at: usize) -> Vec<f64> {
        self.with_weights_of(method, beside, at, <[f64]>::to_vec)
    }

    /// Hands them to whoever needs them for a moment.
    pub fn with_weights_of<T>(
        &self,
        method: Method,
        beside: &Selection,
        at: usize,
        take: impl FnOnce(&[f64]) -> T,
    ) -> T {
        let n = self.weights.len() / self.certificates.len().max(1);
        let row = at * n..(at + 1) * n;
        let volatilities = self.comparisons.volatilities.get(row.clone()).unwrap_or_default();
        match (beside.closed_form(method, volatilities), self.comparisons.of(method)) {
            (Some(weights), _) => take(&weights),
            (None, Some(solved)) => take(&solved.weights[row]),
            (None, None) => take(&self.weights[row]),
        }
    }

    /// Volatility of these weights under the problem's own covariance; NaN where it was not asked for.
    pub fn volatility_of(&self, method: Method, at: usize) -> f64 {
        match method {
            Method::RiskBudgeting => self.certificates[at].volatility,
            other => self.comparisons.volatility(other, at).unwrap_or(f64::NAN),
        }
    }
}
