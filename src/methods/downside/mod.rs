//! Risk budgeting where risk is not volatility: measures of losses, from the rows of returns themselves.
//!
//! For a risk R, convex and of degree one, R(t y) = t R(y), and budgets b > 0 summing to one, the portfolio is the
//! w > 0, sum w = 1, with w_i dR/dw_i = b_i R(w). By Euler, sum_i w_i dR/dw_i = R(w). It comes from the convex program
//! without the sum constraint (Roncalli 2013, chapter 2; Cesarone & Colucci 2018 for expected shortfall):
//!
//! ```text
//! minimise R(y) - sum_i b_i ln y_i,  y > 0        stationary: y_i dR/dy_i = b_i        w = y / sum_j y_j
//! ```
//!
//! There is none exactly where a long-only mix has no risk: the objective falls along it without bound.
//!
//! - [`semi_deviation`]: the root mean square of what falls short of the mean;
//! - [`expected_shortfall`]: the mean of the worst losses.
//!
//! Nothing is estimated in between, so a problem is its rows and what each of them counts. Steps are taken relative to
//! y: multiplying the returns of one asset by a power of two divides its y by it, and changes no bit of anything else.
//!
//! What is below `solve` is inlined, so that all of it is compiled for the vector instructions of this machine, on
//! which the last bits depend.

mod drawn;
pub mod expected_shortfall;
mod factor;
pub mod measured;
mod products;
mod rows;
pub mod semi_deviation;

use pulp::Simd;

use crate::methods::risk_budgeting::existence;
use drawn::Drawn;
use products::Products;
pub use rows::Rows;

/// Keeps y positive: a step goes at most this share of the way to the boundary.
const TO_BOUNDARY: f64 = 0.95;

/// Risk contributions cannot be told from rounding below this many eps times what cancels in them.
const FLOOR: f64 = 8.0 * f64::EPSILON;

/// At or below this error rounding decides.
const RESOLVED: f64 = 1e-12;

/// Budgets sum to one up to this.
const BUDGETS: f64 = 1e-9;

/// One problem. What is not one (lengths that do not fit, budgets that are not positive or do not sum to one, counts
/// that are negative, numbers that are not finite) ends as invalid.
#[derive(Debug, Clone, Copy)]
pub struct Problem<'a> {
    /// Returns, of each asset in a unit of its own.
    pub rows: &'a Rows,
    /// What each row counts, whole or not.
    pub counts: &'a [f64],
    /// What one unit of a value is worth, asset by asset: positive.
    pub units: &'a [f64],
    pub budgets: &'a [f64],
    /// Weights to start from, such as those of volatility parity; without them, the inverse of the size of returns.
    pub start: Option<&'a [f64]>,
}

impl Problem<'_> {
    #[inline(always)]
    fn is_valid(&self) -> bool {
        let n = self.rows.assets();
        let positive = |x: &f64| *x > 0.0 && x.is_finite();
        self.budgets.len() == n
            && self.units.len() == n
            && self.counts.len() == self.rows.count()
            && self.units.iter().all(positive)
            && self.budgets.iter().all(positive)
            && (self.budgets.iter().sum::<f64>() - 1.0).abs() <= BUDGETS
            && self.counts.iter().fold(true, |all, count| all & (*count >= 0.0 && *count < f64::INFINITY))
            && self.start.is_none_or(|start| start.len() == n)
    }

    /// The y to start from, in the units of the values; no scale.
    #[inline(always)]
    fn start(&self, drawn: &Drawn, y: &mut Vec<f64>) {
        y.clear();
        if let Some(start) = self.start {
            y.extend(start.iter().zip(self.units).map(|(w, unit)| w * unit));
        }
        if y.is_empty() || !y.iter().all(|y| *y > 0.0 && y.is_finite()) {
            y.clear();
            y.extend(self.budgets.iter().zip(drawn.sizes()).map(|(b, size)| b.sqrt() / size));
        }
    }

    /// Weights of y, summing to one; y becomes the same portfolio in the units of the values, from the weights as they
    /// are returned. Returns the total of what they were before. NaN where y is no portfolio.
    #[inline(always)]
    fn write(&self, y: &mut [f64], weights: &mut [f64]) -> f64 {
        for (w, (y, unit)) in weights.iter_mut().zip(y.iter().zip(self.units)) {
            *w = y / unit;
        }
        let total: f64 = weights.iter().sum();
        for (w, (y, unit)) in weights.iter_mut().zip(y.iter_mut().zip(self.units)) {
            *w /= total;
            *y = *w * unit;
        }
        total
    }
}

/// A long-only mix whose returns, measured from the mean or from zero as the problem has it, are all zero up to the
/// rounding of their variance: weights that sum to one; none where there is none. About the mean, it is also what has
/// no volatility.
#[cold]
fn hedge<S: Simd>(
    simd: S,
    problem: &Problem,
    drawn: &Drawn,
    products: &mut Products,
    room: &mut Vec<(u32, f64)>,
) -> Option<Vec<f64>> {
    let n = problem.budgets.len();
    room.clear();
    room.extend((0..).zip(problem.counts.iter().copied()).filter(|(_, count)| *count > 0.0));
    products.clear(n);
    products.add(simd, drawn, problem.rows, room);
    let deviation = |i: usize| products.get(i, i).sqrt();
    let correlation: Vec<f64> = (0..n * n)
        .map(|k| {
            let (i, j) = (k / n, k % n);
            if i == j { 1.0 } else { products.get(i, j) / (deviation(i) * deviation(j)) }
        })
        .collect();
    if !correlation.iter().all(|c| c.is_finite()) {
        return None;
    }
    let mut direction = existence::zero_variance_direction(&correlation)?;
    for (i, d) in direction.iter_mut().enumerate() {
        *d /= deviation(i) * problem.units[i];
    }
    let total: f64 = direction.iter().sum();
    direction.iter_mut().for_each(|d| *d /= total);
    Some(direction)
}

/// Whether an error within the tolerance proves anything: what cancels in the risk of y, sum_i y_i size_i, leaves so
/// many digits of its contributions.
#[inline(always)]
fn is_sound(size: f64, risk: f64, budgets: &[f64], tolerance: f64) -> bool {
    let least = budgets.iter().copied().fold(1.0, f64::min);
    FLOOR * size <= tolerance.max(RESOLVED) * risk * least
}

/// max_i |c_i - b_i| / b_i; infinite where it is not a number.
#[inline(always)]
fn largest_error(contributions: &[f64], budgets: &[f64]) -> f64 {
    contributions.iter().zip(budgets).fold(0.0, |largest, (c, b)| {
        let error = (c - b).abs() / b;
        if error <= largest {
            largest
        } else if error.is_nan() {
            f64::INFINITY
        } else {
            error
        }
    })
}

#[cfg(test)]
mod examples {
    use pulp::Arch;

    use super::*;
    use crate::methods::risk_budgeting::newton;

    /// A sequence of pseudo-random numbers in [0, 1).
    pub struct Sequence(pub u64);

    impl Sequence {
        pub fn next(&mut self) -> f64 {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (self.0 >> 11) as f64 / (1_u64 << 53) as f64
        }

        /// Nearly normal: the sum of twelve, less six.
        pub fn normal(&mut self) -> f64 {
            (0..12).map(|_| self.next()).sum::<f64>() - 6.0
        }

        /// Returns of assets with random loadings on so many factors and noise of their own, of one size per asset.
        pub fn returns(&mut self, rows: usize, assets: usize, factors: usize) -> Vec<f64> {
            let loadings: Vec<f64> = (0..assets * factors).map(|_| self.next() - 0.2).collect();
            let sizes: Vec<f64> = (0..assets).map(|_| 0.005 + 0.03 * self.next()).collect();
            let mut values = Vec::with_capacity(rows * assets);
            for _ in 0..rows {
                // A common size of the day makes tails heavy.
                let day = 0.3 + 2.0 * self.next() * self.next();
                let common: Vec<f64> = (0..factors).map(|_| self.normal()).collect();
                for i in 0..assets {
                    let systematic: f64 = (0..factors).map(|f| loadings[i * factors + f] * common[f]).sum();
                    values.push(sizes[i] * day * (systematic + 0.7 * self.normal()));
                }
            }
            values
        }

        pub fn counts(&mut self, rows: usize) -> Vec<f64> {
            let mut counts = vec![0.0; rows];
            (0..rows).for_each(|_| counts[(self.next() * rows as f64) as usize] += 1.0);
            counts
        }
    }

    /// What a problem borrows.
    pub struct Case {
        pub rows: Rows,
        pub values: Vec<f64>,
        pub counts: Vec<f64>,
        pub units: Vec<f64>,
        pub budgets: Vec<f64>,
    }

    impl Case {
        pub fn new(values: &[f64], assets: usize) -> Case {
            let rows = Rows::new(values, assets).unwrap();
            let budgets = vec![1.0 / assets as f64; assets];
            Case { counts: vec![1.0; rows.count()], rows, values: values.to_vec(), units: vec![1.0; assets], budgets }
        }

        pub fn problem(&self) -> Problem<'_> {
            let Case { rows, counts, units, budgets, .. } = self;
            Problem { rows, counts, units, budgets, start: None }
        }

        /// Returns of a portfolio, each with what it counts.
        pub fn outcomes(&self, weights: &[f64], centred: bool) -> Vec<(f64, f64)> {
            let n = weights.len();
            let total: f64 = self.counts.iter().sum();
            let outcome = |row: &[f64]| (0..n).map(|i| row[i] * self.units[i] * weights[i]).sum::<f64>();
            let plain = || self.values.chunks_exact(n).map(outcome).zip(self.counts.iter().copied());
            let mean = plain().map(|(x, count)| x * count).sum::<f64>() / total;
            plain().map(|(x, count)| (if centred { x - mean } else { x }, count)).collect()
        }

        /// Volatility parity.
        pub fn parity(&self) -> Vec<f64> {
            let n = self.budgets.len();
            let total: f64 = self.counts.iter().sum();
            let weighted = || self.values.chunks_exact(n).zip(&self.counts);
            let mean: Vec<f64> = (0..n).map(|i| weighted().map(|(x, c)| c * x[i]).sum::<f64>() / total).collect();
            let moment = |i: usize, j: usize| {
                weighted().map(|(x, c)| c * (x[i] - mean[i]) * (x[j] - mean[j])).sum::<f64>() / total
            };
            let deviations: Vec<f64> = (0..n).map(|i| moment(i, i).sqrt()).collect();
            let correlation: Vec<f64> = (0..n * n)
                .map(|k| (k / n, k % n))
                .map(|(i, j)| if i == j { 1.0 } else { moment(i, j) / (deviations[i] * deviations[j]) })
                .collect();
            let mut y: Vec<f64> = self.budgets.iter().map(|b| b.sqrt()).collect();
            newton::minimise(&correlation, &self.budgets, 1e-12, &mut y, &mut vec![0.0; n]);
            let weights: Vec<f64> = (0..n).map(|i| y[i] / (deviations[i] * self.units[i])).collect();
            let total: f64 = weights.iter().sum();
            weights.iter().map(|w| w / total).collect()
        }
    }

    pub fn furthest(a: &[f64], b: &[f64]) -> f64 {
        assert_eq!(a.len(), b.len());
        a.iter().zip(b).fold(0.0, |m, (a, b)| if (a - b).abs() <= m { m } else { (a - b).abs() })
    }

    /// The vector instructions there are besides the widest.
    pub fn archs() -> Vec<Arch> {
        let mut archs = vec![Arch::Scalar];
        #[cfg(target_arch = "x86_64")]
        archs.extend(pulp::x86::V3::try_new().map(Arch::V3));
        archs
    }
}
