//! Certified solutions, column by column.

use crate::certificate::Certificate;

/// What the portfolios that need no solver make of each problem, one entry (or n entries) per problem.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Comparisons {
    /// Asset volatilities, problems x n. NaN rows where the input is invalid.
    pub volatilities: Vec<f64>,
    /// Volatility of the inverse-volatility portfolio under the problem's covariance.
    pub inverse_volatility: Vec<f64>,
    /// Volatility of the equal-weight portfolio under the problem's covariance.
    pub equal_weight: Vec<f64>,
}

/// Certified solutions of consecutive problems, in order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Solutions {
    /// Weights, problems x n, row-major. NaN rows where there are none (`no_solution`, `invalid`).
    pub weights: Vec<f64>,
    pub certificates: Vec<Certificate>,
    pub comparisons: Comparisons,
}

impl Solutions {
    /// Appends the solutions of the problems that follow.
    pub fn extend(&mut self, next: Solutions) {
        self.weights.extend(next.weights);
        self.certificates.extend(next.certificates);
        let (all, more) = (&mut self.comparisons, next.comparisons);
        all.volatilities.extend(more.volatilities);
        all.inverse_volatility.extend(more.inverse_volatility);
        all.equal_weight.extend(more.equal_weight);
    }

    /// Replaces the solutions at `positions` by those of `others`, in order.
    pub fn replace(&mut self, positions: &[usize], others: &Solutions) {
        let n = self.weights.len() / self.certificates.len().max(1);
        let (all, own) = (&mut self.comparisons, &others.comparisons);
        for (from, &to) in positions.iter().enumerate() {
            let (row, other) = (to * n..(to + 1) * n, from * n..(from + 1) * n);
            self.weights[row.clone()].copy_from_slice(&others.weights[other.clone()]);
            self.certificates[to] = others.certificates[from];
            if !own.volatilities.is_empty() {
                all.volatilities[row].copy_from_slice(&own.volatilities[other]);
                all.inverse_volatility[to] = own.inverse_volatility[from];
                all.equal_weight[to] = own.equal_weight[from];
            }
        }
    }
}
