//! A problem in the variables of its free assets, y = sigma x, with its limits as rows on the cone.
//!
//! Assets whose weight is given follow the scale, x_p = w_p t, and the free ones sum to t (1 - sum_p w_p). So
//!
//! ```text
//! t = r'y     r_i = 1 / (sigma_i (1 - sum_p w_p))     y_all = [y; sigma_p w_p t] = T y     C -> T'C T,  l -> T'l
//! ```
//!
//! Rows of bounds touch one asset and t: they are kept as pairs of numbers. The others are dense.

use nalgebra::{DMatrix, DVector};

use crate::methods::limits::Limits;

/// own y_i + total t + rise u_i >= 0.
#[derive(Debug, Clone, Copy)]
pub struct Narrow {
    pub asset: usize,
    pub own: f64,
    pub total: f64,
    pub rise: f64,
}

/// What a row says, in the limits as they were given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Says {
    Least(usize),
    Most(usize),
    GroupLeast(usize),
    GroupMost(usize),
    GroupIs(usize),
    RowLeast(usize),
    RowMost(usize),
    RowIs(usize),
    /// u_i >= x_i - v_i t.
    Rises(usize),
    /// u_i >= 0.
    Positive(usize),
    /// sum u <= tau t.
    Turnover,
    /// t is given, for a risk without a scale of its own.
    Scale,
}

/// What is minimised beside the logarithms.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Curve {
    /// y'C y / 2 - l'y.
    Quadratic,
    /// (c sqrt(y'C y) - l'y)^2 / 2.
    Square { aversion: f64 },
}

/// The problem on the cone; v = [y; u], u only with turnover.
#[derive(Debug, Clone)]
pub struct Cone {
    pub free: Vec<usize>,
    /// 1 / sigma.
    pub inverse: Vec<f64>,
    /// r.
    pub total: DVector<f64>,
    /// T'C T.
    pub matrix: DMatrix<f64>,
    /// T'l.
    pub linear: DVector<f64>,
    pub curve: Curve,
    /// Targets of y_i zeta_i.
    pub budgets: Vec<f64>,
    /// Budgets of all given weights, of ln t.
    pub given: f64,
    /// Bounds, then u_i >= x_i - v_i t of all, then u_i >= 0 of all.
    pub narrow: Vec<Narrow>,
    /// How many bounds.
    pub bounds: usize,
    /// N v >= 0, one column a row.
    pub wide: DMatrix<f64>,
    /// E v = e, one column a row.
    pub equal: DMatrix<f64>,
    pub right: DVector<f64>,
    /// Of narrow, wide and equal, in this order.
    pub says: Vec<Says>,
    /// Wide rows may be violated, at half the square of it: N v + z >= 0.
    pub soft: bool,
    /// The objective was divided by this.
    pub factor: f64,
    /// Inside the bounds.
    pub start: DVector<f64>,
}

impl Cone {
    pub fn assets(&self) -> usize {
        self.free.len()
    }

    /// Length of v.
    pub fn size(&self) -> usize {
        self.start.len()
    }

    /// Number of inequalities.
    pub fn rows(&self) -> usize {
        self.narrow.len() + self.wide.ncols()
    }

    /// t.
    pub fn scale(&self, v: &DVector<f64>) -> f64 {
        self.total.iter().zip(v.iter()).map(|(r, y)| r * y).sum()
    }

    /// C y.
    pub fn image(&self, v: &DVector<f64>) -> DVector<f64> {
        &self.matrix * v.rows(0, self.assets())
    }

    /// u_i of a row that has one.
    fn rise(&self, row: &Narrow, v: &DVector<f64>) -> f64 {
        if row.rise != 0.0 { row.rise * v[self.assets() + row.asset] } else { 0.0 }
    }

    /// n'v of one narrow row.
    pub fn along(&self, row: &Narrow, v: &DVector<f64>, t: f64) -> f64 {
        row.own * v[row.asset] + row.total * t + self.rise(row, v)
    }

    /// N v.
    pub fn slacks(&self, v: &DVector<f64>) -> DVector<f64> {
        let t = self.scale(v);
        let narrow = self.narrow.iter().map(|row| self.along(row, v, t));
        let wide = self.wide.tr_mul(v);
        DVector::from_iterator(self.rows(), narrow.chain(wide.iter().copied()))
    }

    /// What the terms of N v amount to, in absolute value. Of y_i >= 0 not less than a mean y, and of u_i that of x_i
    /// and v_i t.
    pub fn magnitudes(&self, v: &DVector<f64>) -> DVector<f64> {
        let n = self.assets();
        let t = self.scale(v);
        let mean = v.rows(0, n).sum() / n as f64;
        let narrow = self.narrow.iter().map(|row| {
            let own = if row.total == 0.0 { v[row.asset].max(mean) } else { v[row.asset] };
            row.own.abs() * own + row.total.abs() * t
        });
        let mut out = DVector::from_iterator(self.rows(), narrow.chain(self.wide.abs().tr_mul(v).iter().copied()));
        if self.size() > n {
            (0..n).for_each(|i| out[self.bounds + n + i] = out[self.bounds + i]);
        }
        out
    }

    /// N'z.
    pub fn transposed(&self, z: &DVector<f64>) -> DVector<f64> {
        let mut out = &self.wide * z.rows(self.narrow.len(), self.wide.ncols());
        self.add_narrow(z.iter().copied(), 0.0, &mut out);
        out
    }

    /// Adds n_k z_k of all narrow rows, and r t.
    pub fn add_narrow(&self, z: impl Iterator<Item = f64>, t: f64, out: &mut DVector<f64>) {
        let n = self.assets();
        let mut t = t;
        for (row, z) in self.narrow.iter().zip(z) {
            out[row.asset] += row.own * z;
            t += row.total * z;
            if row.rise != 0.0 {
                out[n + row.asset] += row.rise * z;
            }
        }
        for i in 0..n {
            out[i] += t * self.total[i];
        }
    }

    /// The weights of all assets.
    pub fn weights(&self, limits: &Limits, v: &DVector<f64>) -> Vec<f64> {
        let t = self.scale(v);
        let mut weights = limits.least.clone();
        for (k, &i) in self.free.iter().enumerate() {
            weights[i] = v[k] * self.inverse[k] / t;
        }
        weights
    }

    /// f without the logarithms: its gradient, and its Hessian where it is not C.
    pub fn derivatives(&self, v: &DVector<f64>) -> (DVector<f64>, Option<DMatrix<f64>>) {
        let n = self.assets();
        let y = v.rows(0, n);
        let image = self.image(v);
        let (slope, hessian) = match self.curve {
            Curve::Quadratic => (image - &self.linear, None),
            Curve::Square { aversion } => {
                // R (c p / s - l), and its derivative R c (C - p p' / s^2) / s + (c p / s - l)(c p / s - l)'.
                let deviation = image.dot(&y).sqrt();
                let risk = aversion * deviation - self.linear.dot(&y);
                let slope = &image * (aversion / deviation) - &self.linear;
                let bend = aversion * risk / deviation;
                let mut hessian = &self.matrix * bend;
                hessian.ger(1.0, &slope, &slope, 1.0);
                hessian.ger(-bend / (deviation * deviation), &image, &image, 1.0);
                (slope * risk, Some(hessian))
            }
        };
        let mut gradient = DVector::zeros(self.size());
        gradient.rows_mut(0, n).copy_from(&slope);
        (gradient, hessian)
    }

    /// R of [`Curve::Square`], 1 of others.
    pub fn risk(&self, v: &DVector<f64>) -> f64 {
        let Curve::Square { aversion } = self.curve else { return 1.0 };
        let y = v.rows(0, self.assets());
        aversion * self.image(v).dot(&y).sqrt() - self.linear.dot(&y)
    }

    /// What the products y_i f_i of an answer amount to: R^2, or y'C y.
    pub fn whole(&self, v: &DVector<f64>) -> f64 {
        match self.curve {
            Curve::Square { .. } => self.risk(v).powi(2),
            Curve::Quadratic if self.right.iter().all(|e| *e == 0.0) => self.image(v).dot(&v.rows(0, self.assets())),
            // The scale is that of the start.
            Curve::Quadratic => 1.0,
        }
    }
}
