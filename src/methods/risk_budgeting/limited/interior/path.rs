//! The path: Mehrotra's predictor and corrector with targets that stay.
//!
//! ```text
//! grad f(v) - zeta - zeta_t r - N'z + E'lambda = 0     N v = q  (soft: N v + z = q)     E v = e
//! y_i zeta_i = b_i     t zeta_t = b_t     q_k z_k = mu -> 0
//! ```
//!
//! All but the products are linear (where f is quadratic), so their residuals fall with the step. Budgets below the
//! first mu start as limits do: y_i zeta_i = max(b_i, mu). The target must not outrun the rest: it stays above a share
//! of the first mu times what is left of the other residuals, and a step is cut while some q_k z_k lies far below that.

use nalgebra::DVector;

use super::cone::{Cone, Curve};
use super::system::System;

const STEP_LIMIT: u32 = 100;

/// The first q_k z_k, in budgets of n assets.
const FIRST: f64 = 0.1;

/// The target stays above this share of the first, times what is left of the other residuals.
const BEHIND: f64 = 0.3;

/// The least q_k z_k, in the same unit.
const LEAST: f64 = 1e-3;

/// Slacks of dense rows start at this share of their terms, at least.
const OPEN: f64 = 0.1;

/// A step goes at most this share of the way to the boundary.
const TO_BOUNDARY: f64 = 0.98;

/// No answer is better.
const EXACT: f64 = 1e-14;

/// Where the error has not halved in some steps, it has met rounding below the first, and is stuck above it.
const ROUNDING: f64 = 1e-8;
const STEPS_TO_HALVE: [u32; 2] = [3, 20];

#[derive(Debug, Clone)]
pub struct Point {
    /// [y; u].
    pub v: DVector<f64>,
    /// Slacks.
    pub q: DVector<f64>,
    /// Multipliers of inequalities.
    pub z: DVector<f64>,
    /// Multipliers of equations.
    pub lambda: DVector<f64>,
    zeta: DVector<f64>,
    zeta_total: f64,
}

pub struct Followed {
    /// Of the least error where that is small, else the last.
    pub point: Point,
    pub steps: u32,
    /// Of the equations, relative to budgets.
    pub error: f64,
    /// The watch ended it.
    pub ended: bool,
}

/// What is left of the equations at a point.
struct Residuals {
    dual: DVector<f64>,
    primal: DVector<f64>,
    equal: DVector<f64>,
    /// Mean of q_k z_k, and of y_i zeta_i - b_i of small budgets.
    mu: f64,
    /// The largest, beside q_k z_k.
    rest: f64,
    /// The largest of all, relative to budgets.
    error: f64,
}

/// Follows the path; `watch` sees every v and may end it.
pub fn follow(cone: &Cone, mut watch: impl FnMut(&DVector<f64>) -> bool) -> Followed {
    let first_mu = FIRST / cone.assets() as f64;
    let mut point = start(cone, first_mu);
    let mut best = Followed { point: point.clone(), steps: 0, error: f64::INFINITY, ended: false };
    let (mut halved, mut since) = (f64::INFINITY, 0);
    let mut first_rest = 0.0;
    for step in 0..=STEP_LIMIT {
        best.steps = step;
        if watch(&point.v) {
            return Followed { point, steps: step, error: f64::INFINITY, ended: true };
        }
        let (gradient, own) = cone.derivatives(&point.v);
        let left = residuals(cone, &point, gradient, first_mu);
        if !(left.error.is_finite() && point.v.iter().chain(point.z.iter()).all(|x| x.is_finite())) {
            break;
        }
        if step == 0 {
            first_rest = left.rest.max(LEAST);
        }
        if left.error < best.error {
            best.error = left.error;
            best.point.clone_from(&point);
        }
        since += 1;
        if best.error < 0.5 * halved {
            (halved, since) = (best.error, 0);
        }
        if best.error <= EXACT || since >= STEPS_TO_HALVE[usize::from(best.error > ROUNDING)] || step == STEP_LIMIT {
            if best.error > ROUNDING {
                best.point = point;
            }
            break;
        }
        let hessian = own.as_ref().unwrap_or(&cone.matrix);
        let Some(system) = System::new(cone, hessian, &point.v, &point.q, &point.z, &point.zeta, point.zeta_total)
        else {
            break;
        };
        let change = change(cone, &system, &point, &left, first_mu, first_rest);
        let length = shortened(cone, &point, &change, &left, first_mu, first_rest);
        point.v.axpy(length, &change.v, 1.0);
        point.q.axpy(length, &change.q, 1.0);
        point.z.axpy(length, &change.z, 1.0);
        point.lambda.axpy(length, &change.lambda, 1.0);
        point.zeta.axpy(length, &change.zeta, 1.0);
        point.zeta_total += length * change.zeta_total;
    }
    best
}

fn start(cone: &Cone, first_mu: f64) -> Point {
    let v = cone.start.clone();
    let (slacks, magnitudes) = (cone.slacks(&v), cone.magnitudes(&v));
    // Bounds are kept at the start; what else is not starts open.
    let open = |k: usize| if k < cone.bounds { 1e-9 } else { OPEN };
    let q = DVector::from_fn(cone.rows(), |k, _| slacks[k].max(open(k) * magnitudes[k]).max(f64::MIN_POSITIVE));
    Point {
        z: q.map(|q| first_mu / q),
        lambda: DVector::zeros(cone.equal.ncols()),
        zeta: DVector::from_fn(cone.assets(), |i, _| target(cone, first_mu, i) / v[i]),
        zeta_total: cone.given / cone.scale(&v),
        v,
        q,
    }
}

/// Of y_i zeta_i.
fn target(cone: &Cone, mu: f64, asset: usize) -> f64 {
    let budget = cone.budgets[asset];
    if budget > 0.0 { budget.max(mu) } else { 0.0 }
}

/// How many budgets start at mu.
fn small(cone: &Cone, first_mu: f64) -> usize {
    cone.budgets.iter().filter(|b| **b > 0.0 && **b < first_mu).count()
}

/// The mean that goes to zero.
fn mean(cone: &Cone, v: &DVector<f64>, q: &DVector<f64>, z: &DVector<f64>, zeta: &DVector<f64>, first_mu: f64) -> f64 {
    let small = small(cone, first_mu);
    let mut sum = q.dot(z);
    if small > 0 {
        sum += (0..cone.assets()).map(|i| (v[i] * zeta[i] - cone.budgets[i]).max(0.0)).sum::<f64>();
    }
    sum / (cone.rows() + small).max(1) as f64
}

fn residuals(cone: &Cone, point: &Point, gradient: DVector<f64>, first_mu: f64) -> Residuals {
    let Point { v, q, z, lambda, zeta, zeta_total } = point;
    let n = cone.assets();
    let t = cone.scale(v);
    let mut dual = gradient - cone.transposed(z) + &cone.equal * lambda;
    for i in 0..n {
        dual[i] -= zeta[i] + zeta_total * cone.total[i];
    }
    let mut primal = cone.slacks(v) - q;
    if cone.soft {
        (cone.narrow.len()..cone.rows()).for_each(|k| primal[k] += z[k]);
    }
    let equal = cone.equal.tr_mul(v) - &cone.right;
    let mu = mean(cone, v, q, z, zeta, first_mu);

    // One asset's share of what all products sum to.
    let budgets = cone.budgets.iter().sum::<f64>() + cone.given;
    let variance = cone.image(v).dot(&v.rows(0, n));
    let whole = match (budgets > 0.0, cone.linear.amax() > 0.0) {
        (true, _) => budgets,
        (false, true) => variance.max(f64::MIN_POSITIVE),
        (false, false) => 1.0,
    };
    let share = whole / n as f64;
    let mut rest = (t * zeta_total - cone.given).abs();
    let mut error = rest / whole;
    for (i, dual) in dual.iter().enumerate() {
        let gap = (v[i] * dual).abs();
        rest = rest.max(gap);
        if i >= n {
            error = error.max(gap / share);
            continue;
        }
        let product = v[i] * zeta[i];
        let budget = cone.budgets[i];
        let aim = target(cone, mu.min(first_mu), i);
        rest = rest.max((product - aim).max(budget - product));
        let unit = if budget > 0.0 { budget } else { share };
        error = error.max(gap / unit).max((product - budget).abs() / unit);
    }
    let sizes = cone.magnitudes(v);
    for k in 0..cone.rows() {
        let gap = primal[k].abs() / sizes[k];
        rest = rest.max(gap);
        error = error.max(gap).max(q[k] * z[k] / share);
    }
    let sizes = cone.equal.abs().tr_mul(v);
    for (gap, size) in equal.iter().zip(sizes.iter()) {
        rest = rest.max(gap.abs() / size);
        error = error.max(gap.abs() / size);
    }
    Residuals { dual, primal, equal, mu, rest, error }
}

/// The products that a step aims at beyond mu: second-order terms.
struct Terms {
    rows: DVector<f64>,
    logs: DVector<f64>,
    total: f64,
}

/// Predictor, straight for the targets; then the corrector, recentred, with second-order terms.
fn change(cone: &Cone, system: &System, point: &Point, left: &Residuals, first_mu: f64, first_rest: f64) -> Point {
    let (n, rows) = (cone.assets(), cone.rows());
    let none = Terms { rows: DVector::zeros(rows), logs: DVector::zeros(n), total: 0.0 };
    let predicted = step(cone, system, point, left, 0.0, &none);
    let a = longest(cone, point, &predicted);
    let mut mu = 0.0;
    if left.mu > 0.0 {
        let moved = |x: &DVector<f64>, dx: &DVector<f64>| x + dx * a;
        let ahead = mean(
            cone,
            &moved(&point.v, &predicted.v),
            &moved(&point.q, &predicted.q),
            &moved(&point.z, &predicted.z),
            &moved(&point.zeta, &predicted.zeta),
            first_mu,
        );
        let behind = BEHIND * first_mu * (left.rest / first_rest).min(1.0);
        mu = ((ahead / left.mu).clamp(0.0, 1.0).powi(3).max(1e-8) * left.mu).max(behind.min(left.mu));
    }
    let second = a * a;
    let half = |aim: f64, term: f64| term.clamp(-0.5 * aim, 0.5 * aim);
    let terms = Terms {
        rows: DVector::from_fn(rows, |k, _| {
            (second * predicted.q[k] * predicted.z[k]).clamp(-0.5 * mu - 0.1 * left.mu, 10.0 * left.mu)
        }),
        logs: DVector::from_fn(n, |i, _| half(target(cone, mu, i), second * predicted.v[i] * predicted.zeta[i])),
        total: half(cone.given, second * cone.scale(&predicted.v) * predicted.zeta_total),
    };
    step(cone, system, point, left, mu, &terms)
}

/// One Newton step: with row = aim - term - z dq for a product,
///
/// ```text
/// dz = (mu - term - z dq) / q - z     dzeta = (b - term - zeta dy) / y - zeta     dq = N dv + primal (+ dz)
/// ```
///
/// put into the first equation.
fn step(cone: &Cone, system: &System, point: &Point, left: &Residuals, mu: f64, terms: &Terms) -> Point {
    let Point { v, q, z, zeta, zeta_total, .. } = point;
    let (n, rows, narrow) = (cone.assets(), cone.rows(), cone.narrow.len());
    let (wide, equal) = (cone.wide.ncols(), cone.equal.ncols());
    let t = cone.scale(v);
    let products = DVector::from_fn(rows, |k, _| mu - terms.rows[k]);
    let mut a = -&left.dual;
    for i in 0..n {
        a[i] += (target(cone, mu, i) - terms.logs[i]) / v[i] - zeta[i];
    }
    let pushes = (0..narrow).map(|k| (products[k] - z[k] * left.primal[k]) / q[k] - z[k]);
    cone.add_narrow(pushes, (cone.given - terms.total) / t - zeta_total, &mut a);
    let b = DVector::from_fn(wide + equal, |k, _| {
        let row = narrow + k;
        if k < wide { products[row] / z[row] - q[row] - left.primal[row] } else { -left.equal[k - wide] }
    });
    let (dv, m) = system.solve(&a, &b);
    let mut dq = cone.slacks(&dv) + &left.primal;
    let dz =
        DVector::from_fn(
            rows,
            |k, _| {
                if k < narrow { (products[k] - z[k] * dq[k]) / q[k] - z[k] } else { m[k - narrow] }
            },
        );
    if cone.soft {
        (narrow..rows).for_each(|k| dq[k] += dz[k]);
    }
    Point {
        zeta: DVector::from_fn(n, |i, _| (target(cone, mu, i) - terms.logs[i] - zeta[i] * dv[i]) / v[i] - zeta[i]),
        zeta_total: (cone.given - terms.total - zeta_total * cone.scale(&dv)) / t - zeta_total,
        lambda: -m.rows(wide, equal),
        v: dv,
        q: dq,
        z: dz,
    }
}

/// The longest step, at most 1, that leaves everything positive.
fn longest(cone: &Cone, point: &Point, change: &Point) -> f64 {
    let mut a = 1.0_f64;
    let mut keep = |x: f64, dx: f64| {
        if dx < 0.0 {
            a = a.min(-x / dx);
        }
    };
    for k in 0..cone.rows() {
        keep(point.q[k], change.q[k]);
        keep(point.z[k], change.z[k]);
    }
    for i in (0..cone.assets()).filter(|&i| cone.budgets[i] > 0.0) {
        keep(point.v[i], change.v[i]);
        keep(point.zeta[i], change.zeta[i]);
    }
    keep(cone.scale(&point.v), cone.scale(&change.v));
    if cone.given > 0.0 {
        keep(point.zeta_total, change.zeta_total);
    }
    a
}

/// The length of the step: inside the boundary, where R is positive, and not ahead of the rest.
fn shortened(cone: &Cone, point: &Point, change: &Point, left: &Residuals, first_mu: f64, first_rest: f64) -> f64 {
    let n = cone.assets();
    let mut a = longest(cone, point, change);
    if a < 1.0 {
        a *= TO_BOUNDARY;
    }
    if matches!(cone.curve, Curve::Square { .. }) {
        let risk = cone.risk(&point.v);
        for _ in 0..50 {
            if cone.risk(&(&point.v + &change.v * a)) > 0.1 * risk {
                break;
            }
            a *= 0.7;
        }
    }
    let products = |a: f64| {
        (0..cone.rows())
            .map(|k| (point.q[k] + a * change.q[k]) * (point.z[k] + a * change.z[k]))
            .fold(f64::INFINITY, f64::min)
    };
    let straight = (0..cone.size()).map(|i| (point.v[i] * left.dual[i]).abs()).fold(0.0, f64::max);
    let now = products(0.0);
    for _ in 0..30 {
        let logs = (0..n).map(|i| {
            let product = (point.v[i] + a * change.v[i]) * (point.zeta[i] + a * change.zeta[i]);
            (product - target(cone, left.mu.min(first_mu), i)).max(cone.budgets[i] - product)
        });
        let ahead = logs.fold(0.0, f64::max).max((1.0 - a) * straight);
        let ahead_product = products(a);
        if ahead_product >= LEAST * first_mu * (ahead / first_rest).min(1.0) || ahead_product >= 0.5 * now {
            break;
        }
        a *= 0.7;
    }
    a
}
