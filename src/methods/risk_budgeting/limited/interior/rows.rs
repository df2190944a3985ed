//! From limits to the cone: what is given, where to start, and the rows.

use nalgebra::{DMatrix, DVector};

use super::super::problem::{Problem, Risk};
use super::conditions::largest;
use super::cone::{Cone, Curve, Narrow, Says};
use crate::methods::limits::{Limits, Turnover};

/// Ends of a limit no further apart than this are one.
pub const SAME: f64 = 1e-12;

/// Equations that the others imply to this are left out.
const IMPLIED: f64 = 1e-9;

/// Variances below this share of (sum y)^2 give no scale.
const VANISHING: f64 = 1e-9;

/// The start keeps this share of the width of each bound.
const INSIDE: f64 = 0.1;

/// The weights, where bounds or previous weights leave one point.
pub fn only(limits: &Limits) -> Option<Vec<f64>> {
    let n = limits.assets();
    let rounding = SAME * n as f64;
    let least: f64 = limits.least.iter().sum();
    let most: f64 = limits.most.iter().sum();
    let mut free = (0..n).filter(|&i| !limits.is_pinned(i));
    if most <= 1.0 + rounding {
        Some(limits.most.clone())
    } else if least >= 1.0 - rounding {
        Some(limits.least.clone())
    } else if let Some(turnover) = limits.turnover.as_ref().filter(|turnover| turnover.most <= 0.0) {
        Some((0..n).map(|i| turnover.previous[i].max(limits.least[i]).min(limits.most[i])).collect())
    } else if let (Some(one), None) = (free.next(), free.next()) {
        let mut weights = limits.least.clone();
        let others: f64 = (0..n).filter(|&i| i != one).map(|i| weights[i]).sum();
        weights[one] = (1.0 - others).clamp(limits.least[one], limits.most[one]);
        Some(weights)
    } else {
        None
    }
}

/// Weights strictly inside the bounds that sum to one: a multiple of `aim`, clipped.
pub fn inside(limits: &Limits, aim: &[f64]) -> Vec<f64> {
    let n = limits.assets();
    let gap = |i: usize| (limits.most[i] - limits.least[i]).min(1.0 / n as f64);
    let room = (limits.most.iter().sum::<f64>() - 1.0).min(1.0 - limits.least.iter().sum::<f64>());
    let share = (0.5 * room / (0..n).map(gap).sum::<f64>()).clamp(0.0, INSIDE);
    let clipped = |scale: f64, i: usize| {
        let margin = share * gap(i);
        (scale * aim[i]).max(limits.least[i] + margin).min(limits.most[i] - margin)
    };
    let (mut low, mut high) = (f64::MIN_POSITIVE.ln(), f64::MAX.ln());
    for _ in 0..64 {
        let middle = 0.5 * (low + high);
        let total: f64 = (0..n).map(|i| clipped(middle.exp(), i)).sum();
        if total < 1.0 { low = middle } else { high = middle }
    }
    (0..n).map(|i| clipped(low.exp(), i)).collect()
}

/// Weights between the previous ones and these that leave half of what the turnover has beyond its least.
fn near_previous(limits: &Limits, weights: Vec<f64>) -> Vec<f64> {
    let Some(turnover) = &limits.turnover else { return weights };
    let before: Vec<f64> =
        (0..weights.len()).map(|i| turnover.previous[i].max(limits.least[i]).min(limits.most[i])).collect();
    let total: f64 = before.iter().sum();
    let before: Vec<f64> = before.iter().map(|v| v / total).collect();
    let (least, whole) = (turnover.of(&before), turnover.of(&weights));
    if !(whole > turnover.most) {
        return weights;
    }
    let share = (0.5 * (turnover.most - least) / (whole - least)).clamp(0.0, 1.0);
    before.iter().zip(&weights).map(|(v, w)| v + share * (w - v)).collect()
}

impl Cone {
    /// Of a problem that leaves more than one point, started near the weights `aim`; `bounded`: with its bounds.
    pub fn new(problem: &Problem, aim: &[f64], bounded: bool) -> Cone {
        let limits = problem.limits;
        let (assets, sigma) = (limits.assets(), problem.volatilities);
        let (pinned, free): (Vec<usize>, Vec<usize>) = (0..assets).partition(|&i| limits.is_pinned(i));
        let n = free.len();
        let rest = 1.0 - pinned.iter().map(|&p| limits.least[p]).sum::<f64>();
        let inverse: Vec<f64> = free.iter().map(|&i| 1.0 / sigma[i]).collect();
        let total = DVector::from_iterator(n, inverse.iter().map(|inverse| inverse / rest));

        // T'C T = C_ff + c r' + r c' + a r r' with c = C_fp s, a = s'C_pp s, s = sigma_p w_p.
        let held = |i: usize| -> f64 {
            pinned.iter().map(|&p| problem.correlation[i * assets + p] * sigma[p] * limits.least[p]).sum()
        };
        let cross: Vec<f64> = free.iter().map(|&i| held(i)).collect();
        let alone: f64 = pinned.iter().map(|&p| sigma[p] * limits.least[p] * held(p)).sum();
        let mut matrix = DMatrix::from_fn(n, n, |i, j| {
            let own = problem.correlation[free[i] * assets + free[j]];
            own + cross[i] * total[j] + total[i] * cross[j] + alone * total[i] * total[j]
        });
        let reduced = |linear: &[f64]| {
            let held: f64 = pinned.iter().map(|&p| linear[p] * limits.least[p]).sum();
            DVector::from_iterator(n, (0..n).map(|k| linear[free[k]] * inverse[k] + held * total[k]))
        };
        let mut linear = DVector::zeros(n);
        let mut curve = Curve::Quadratic;
        let mut budgets: Vec<f64> = free.iter().map(|&i| problem.budgets[i]).collect();
        let mut given: f64 = pinned.iter().map(|&p| problem.budgets[p]).sum();
        let mut factor = 1.0;

        let weights = inside(limits, &near_previous(limits, inside(limits, aim)));
        let mut y = DVector::from_iterator(n, free.iter().map(|&i| weights[i] * sigma[i]));
        let variance = (&matrix * &y).dot(&y).max(VANISHING * y.sum().powi(2));
        y /= variance.sqrt();
        match problem.risk {
            Risk::Volatility => {}
            Risk::Returns { aversion, expected } => {
                linear = reduced(expected);
                curve = Curve::Square { aversion };
                // R = 1 at the answer.
                y /= (aversion - linear.dot(&y)).max(1e-3 * aversion);
            }
            Risk::Quadratic { linear: all } => {
                // l'y = y'C y = 1 at the start, where l'y is positive there.
                linear = reduced(all);
                let (along, largest) = (linear.dot(&y), linear.amax().max(f64::MIN_POSITIVE));
                linear /= if along > 1e-3 * largest { along } else { largest };
            }
            Risk::Variance { factor: multiple } => {
                let multiple = multiple * variance;
                factor = multiple.max(1.0);
                matrix *= multiple / factor;
                budgets.iter_mut().for_each(|b| *b /= factor);
                given = 0.0;
            }
        }
        let cone = Cone {
            free,
            inverse,
            total,
            matrix,
            linear,
            curve,
            budgets,
            given,
            narrow: Vec::new(),
            bounds: 0,
            wide: DMatrix::zeros(n, 0),
            equal: DMatrix::zeros(n, 0),
            right: DVector::zeros(0),
            says: Vec::new(),
            soft: false,
            factor,
            start: y,
        };
        cone.limited(limits, rest, bounded, matches!(problem.risk, Risk::Variance { .. }), false)
    }

    /// With its rows; `fixed`: with its scale given; `soft`: dense rows may be violated.
    pub fn limited(mut self, limits: &Limits, rest: f64, bounded: bool, fixed: bool, soft: bool) -> Cone {
        let n = self.assets();
        self.soft = soft;
        let mut dense = Dense { size: n, rest, wide: Vec::new(), equal: Vec::new() };
        if fixed {
            let t = self.scale(&self.start);
            dense.equal.push((&self.total / t, 1.0, Says::Scale));
        }
        for k in 0..if bounded { n } else { 0 } {
            let (i, inverse) = (self.free[k], self.inverse[k]);
            if limits.most[i] < 1.0 {
                self.narrow.push(Narrow { asset: k, own: -inverse, total: limits.most[i], rise: 0.0 });
                self.says.push(Says::Most(i));
            }
            if limits.least[i] > 0.0 || self.budgets[k] == 0.0 {
                self.narrow.push(Narrow { asset: k, own: inverse, total: -limits.least[i], rise: 0.0 });
                self.says.push(Says::Least(i));
            }
        }
        self.bounds = self.narrow.len();
        for (g, group) in limits.groups.iter().enumerate() {
            let mut member = vec![0.0; limits.assets()];
            group.members.iter().for_each(|&i| member[i] = 1.0);
            let least = if group.least > 0.0 { group.least } else { f64::NEG_INFINITY };
            let most = if group.most < 1.0 { group.most } else { f64::INFINITY };
            dense.add(
                &self,
                limits,
                &member,
                [least, most],
                [Says::GroupLeast(g), Says::GroupMost(g), Says::GroupIs(g)],
            );
        }
        for (k, row) in limits.rows.iter().enumerate() {
            let says = [Says::RowLeast(k), Says::RowMost(k), Says::RowIs(k)];
            dense.add(&self, limits, &row.coefficients, [row.least, row.most], says);
        }
        if limits.turnover.is_some() {
            self.turn_over(limits, &mut dense);
        }
        independent(&mut dense.equal, &self.start);
        let Dense { size, wide, equal, .. } = dense;
        self.says.extend(wide.iter().map(|(_, says)| *says).chain(equal.iter().map(|(_, _, says)| *says)));
        self.right = DVector::from_iterator(equal.len(), equal.iter().map(|(_, right, _)| *right));
        let entry = |row: &DVector<f64>, i: usize| if i < row.len() { row[i] } else { 0.0 };
        self.wide = DMatrix::from_fn(size, wide.len(), |i, k| entry(&wide[k].0, i));
        self.equal = DMatrix::from_fn(size, equal.len(), |i, k| entry(&equal[k].0, i));
        self
    }

    /// u_i >= x_i - v_i t, u_i >= 0, sum u <= tau t.
    fn turn_over(&mut self, limits: &Limits, dense: &mut Dense) {
        let Some(turnover) = &limits.turnover else { return };
        let n = self.assets();
        let t = self.scale(&self.start);
        for k in 0..n {
            let i = self.free[k];
            self.narrow.push(Narrow { asset: k, own: -self.inverse[k], total: turnover.previous[i], rise: 1.0 });
            self.says.push(Says::Rises(i));
        }
        for k in 0..n {
            self.narrow.push(Narrow { asset: k, own: 0.0, total: 0.0, rise: 1.0 });
            self.says.push(Says::Positive(self.free[k]));
        }
        let pinned = (0..limits.assets()).filter(|&i| limits.is_pinned(i));
        let held: f64 = pinned.map(|i| (limits.least[i] - turnover.previous[i]).max(0.0)).sum();
        let most = may_rise(turnover) - held;
        // At the start what rises, and half of what may.
        let rises: Vec<f64> =
            (0..n).map(|k| (self.start[k] * self.inverse[k] - turnover.previous[self.free[k]] * t).max(0.0)).collect();
        let room = (most * t - rises.iter().sum::<f64>()).max(0.1 * t * most.max(1e-6));
        let u = rises.iter().map(|rise| rise + 0.5 * room / n as f64);
        self.start = DVector::from_iterator(2 * n, self.start.iter().copied().chain(u).collect::<Vec<_>>());
        let mut row = DVector::from_element(2 * n, -1.0);
        row.rows_mut(0, n).copy_from(&(&self.total * most));
        dense.size = 2 * n;
        dense.wide.push((row, Says::Turnover));
    }
}

/// The largest sum of all rises: turnover, but for the rounding of previous weights.
pub fn may_rise(turnover: &Turnover) -> f64 {
    turnover.most + 0.5 * (1.0 - turnover.previous.iter().sum::<f64>() - turnover.left())
}

/// Dense rows as they come.
struct Dense {
    size: usize,
    /// What given weights leave.
    rest: f64,
    wide: Vec<(DVector<f64>, Says)>,
    equal: Vec<(DVector<f64>, f64, Says)>,
}

impl Dense {
    /// a'x - lo t >= 0 and hi t - a'x >= 0, or an equation; none for what always holds.
    fn add(&mut self, cone: &Cone, limits: &Limits, coefficients: &[f64], ends: [f64; 2], says: [Says; 3]) {
        let n = cone.assets();
        let held: f64 =
            (0..limits.assets()).filter(|&i| limits.is_pinned(i)).map(|i| coefficients[i] * limits.least[i]).sum();
        let most = largest(coefficients);
        let t = cone.scale(&cone.start);
        let row = |end: f64, sign: f64| {
            let own = |k: usize| coefficients[cone.free[k]] - (end - held) / self.rest;
            let row = DVector::from_iterator(n, (0..n).map(|k| sign * own(k) * cone.inverse[k] / most));
            let amount: f64 = row.iter().zip(cone.start.iter()).map(|(a, y)| a.abs() * y).sum();
            (amount > SAME * (1.0 + end.abs() / most) * t).then_some(row)
        };
        if ends[1] - ends[0] <= SAME * most && !cone.soft {
            self.equal.extend(row(0.5 * (ends[0] + ends[1]), 1.0).map(|row| (row, 0.0, says[2])));
            return;
        }
        for (end, sign, says) in [(ends[0], 1.0, says[0]), (ends[1], -1.0, says[1])] {
            if end.is_finite() {
                self.wide.extend(row(end, sign).map(|row| (row, says)));
            }
        }
    }
}

/// Keeps equations that the ones before do not imply, in units of the start.
fn independent(equal: &mut Vec<(DVector<f64>, f64, Says)>, start: &DVector<f64>) {
    let mut basis: Vec<DVector<f64>> = Vec::new();
    equal.retain(|(row, _, _)| {
        let mut direction = DVector::from_iterator(row.len(), row.iter().zip(start.iter()).map(|(a, y)| a * y));
        let length = direction.norm();
        for _ in 0..2 {
            for other in &basis {
                let along = other.dot(&direction);
                direction.axpy(-along, other, 1.0);
            }
        }
        let left = direction.norm();
        let own = left > IMPLIED * length;
        if own {
            basis.push(direction / left);
        }
        own
    });
}
