//! One linear system of a step, factored once and solved twice:
//!
//! ```text
//! [ K    -G' ] [ dv ]   [ a ]      K = H + diag(zeta / y) + (zeta_t / t) r r' + sum over narrow rows of (z / q) n n'
//! [ G     D  ] [ m  ] = [ b ]      G = wide rows, then equations,  D = diag(q / z + soft, 0)
//! ```
//!
//! K is the Hessian plus a diagonal and rank two; the changes u have a diagonal block, which leaves first:
//! with p = z / q of u_i >= x_i - v_i t and s = z / q of u_i >= 0, the row counts p s / (p + s).

use nalgebra::{Cholesky, DMatrix, DVector, Dyn};

use super::cone::{Cone, Narrow};

/// Times that a solution is refined: z / q grows without bound, and rounding with it.
const REFINEMENTS: usize = 1;

pub struct System<'a> {
    cone: &'a Cone,
    hessian: &'a DMatrix<f64>,
    /// zeta / y, then zeta_t / t.
    logs: DVector<f64>,
    log_total: f64,
    /// z / q of the narrow rows.
    ratio: Vec<f64>,
    diagonal: DVector<f64>,
    factor: Cholesky<f64, Dyn>,
    /// G, one column a row.
    dense: DMatrix<f64>,
    /// K^-1 G'.
    solved: DMatrix<f64>,
    schur: Option<Cholesky<f64, Dyn>>,
}

impl<'a> System<'a> {
    pub fn new(
        cone: &'a Cone,
        hessian: &'a DMatrix<f64>,
        v: &DVector<f64>,
        q: &DVector<f64>,
        z: &DVector<f64>,
        zeta: &DVector<f64>,
        zeta_total: f64,
    ) -> Option<System<'a>> {
        let n = cone.assets();
        let logs = DVector::from_fn(n, |i, _| zeta[i] / v[i]);
        let log_total = zeta_total / cone.scale(v);
        let narrow = cone.narrow.len();
        let ratio: Vec<f64> = (0..narrow).map(|k| z[k] / q[k]).collect();
        let mut diagonal = logs.clone();
        let mut slope = vec![0.0; n];
        let mut corner = log_total;
        let mut add = |row: &Narrow, weight: f64| {
            diagonal[row.asset] += weight * row.own * row.own;
            slope[row.asset] += weight * row.own * row.total;
            corner += weight * row.total * row.total;
        };
        for k in 0..cone.bounds {
            add(&cone.narrow[k], ratio[k]);
        }
        let changes = cone.size() - n;
        for k in cone.bounds..cone.bounds + changes {
            let (p, s) = (ratio[k], ratio[k + changes]);
            add(&cone.narrow[k], p * s / (p + s));
        }
        let r = &cone.total;
        let mut matrix = DMatrix::zeros(n, n);
        for j in 0..n {
            let from = hessian.column(j);
            let mut to = matrix.column_mut(j);
            let (along, across) = (slope[j] + corner * r[j], r[j]);
            for i in j..n {
                to[i] = from[i] + r[i] * along + slope[i] * across;
            }
            to[j] += diagonal[j];
        }
        let factor = factor(matrix)?;
        let wide = cone.wide.ncols();
        let equal = cone.equal.ncols();
        let mut dense = DMatrix::zeros(cone.size(), wide + equal);
        dense.columns_mut(0, wide).copy_from(&cone.wide);
        dense.columns_mut(wide, equal).copy_from(&cone.equal);
        let soft = if cone.soft { 1.0 } else { 0.0 };
        let diagonal = DVector::from_iterator(
            wide + equal,
            (0..wide + equal).map(|k| if k < wide { q[narrow + k] / z[narrow + k] + soft } else { 0.0 }),
        );
        let mut system = System {
            cone,
            hessian,
            logs,
            log_total,
            ratio,
            diagonal,
            factor,
            solved: DMatrix::zeros(cone.size(), 0),
            dense,
            schur: None,
        };
        if wide + equal > 0 {
            let mut solved = DMatrix::zeros(cone.size(), wide + equal);
            for k in 0..wide + equal {
                solved.set_column(k, &system.inner(&system.dense.column(k).clone_owned()));
            }
            let mut schur = system.dense.tr_mul(&solved);
            for k in 0..wide + equal {
                schur[(k, k)] += system.diagonal[k];
            }
            system.solved = solved;
            system.schur = Some(self::factor(schur)?);
        }
        Some(system)
    }

    /// K^-1 a.
    fn inner(&self, a: &DVector<f64>) -> DVector<f64> {
        let (cone, n) = (self.cone, self.cone.assets());
        let changes = cone.size() - n;
        let mut head = a.rows(0, n).clone_owned();
        let mut t = 0.0;
        for i in 0..changes {
            let k = cone.bounds + i;
            let (p, s) = (self.ratio[k], self.ratio[k + changes]);
            // K_uu = p + s, K_yu = p n.
            let share = p / (p + s) * a[n + i];
            head[i] -= share * cone.narrow[k].own;
            t -= share * cone.narrow[k].total;
        }
        if changes > 0 {
            head.axpy(t, &cone.total, 1.0);
        }
        self.factor.solve_mut(&mut head);
        if changes == 0 {
            return head;
        }
        let t = cone.scale(&head);
        let mut out = DVector::zeros(cone.size());
        out.rows_mut(0, n).copy_from(&head);
        for i in 0..changes {
            let k = cone.bounds + i;
            let (p, s) = (self.ratio[k], self.ratio[k + changes]);
            let row = &cone.narrow[k];
            out[n + i] = a[n + i] / (p + s) - p / (p + s) * (row.own * head[i] + row.total * t);
        }
        out
    }

    /// K v.
    fn product(&self, v: &DVector<f64>) -> DVector<f64> {
        let (cone, n) = (self.cone, self.cone.assets());
        let mut out = DVector::zeros(cone.size());
        out.rows_mut(0, n).copy_from(&(self.hessian * v.rows(0, n)));
        for i in 0..n {
            out[i] += self.logs[i] * v[i];
        }
        let t = cone.scale(v);
        let along = cone.narrow.iter().zip(&self.ratio).map(|(row, ratio)| ratio * cone.along(row, v, t));
        cone.add_narrow(along, self.log_total * t, &mut out);
        out
    }

    fn once(&self, a: &DVector<f64>, b: &DVector<f64>) -> (DVector<f64>, DVector<f64>) {
        let mut v = self.inner(a);
        let Some(schur) = &self.schur else { return (v, DVector::zeros(0)) };
        let m = schur.solve(&(b - self.dense.tr_mul(&v)));
        v += &self.solved * &m;
        (v, m)
    }

    /// dv and m, refined once.
    pub fn solve(&self, a: &DVector<f64>, b: &DVector<f64>) -> (DVector<f64>, DVector<f64>) {
        let (mut v, mut m) = self.once(a, b);
        for _ in 0..REFINEMENTS {
            let mut left = a - self.product(&v);
            let mut below = b.clone();
            if !m.is_empty() {
                left += &self.dense * &m;
                below -= self.dense.tr_mul(&v) + self.diagonal.component_mul(&m);
            }
            let (dv, dm) = self.once(&left, &below);
            v += dv;
            m += dm;
        }
        (v, m)
    }
}

/// Cholesky, with a little on the diagonal where rounding asks for it.
fn factor(matrix: DMatrix<f64>) -> Option<Cholesky<f64, Dyn>> {
    let mut ridge = 0.0;
    for _ in 0..6 {
        let mut trial = matrix.clone();
        for i in 0..trial.nrows() {
            trial[(i, i)] *= 1.0 + ridge;
        }
        if let Some(factor) = Cholesky::new(trial) {
            return Some(factor);
        }
        ridge = if ridge == 0.0 { 1e-15 } else { ridge * 100.0 };
    }
    None
}
