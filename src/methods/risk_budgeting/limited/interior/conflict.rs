//! Which rows contradict each other: the least sum of squared violations over the bounds.
//!
//! ```text
//! minimise sum e_k^2 / 2   over   w within the bounds, sum w = 1,   lo_k <= a_k'w + e_k <= hi_k
//! ```
//!
//! with groups and the turnover as rows too, each in units of its largest coefficient. At the least, e is positive
//! below lo and negative above hi, and no w within the bounds has sum_k e_k a_k'w above sum_k e_k (lo_k or hi_k) - e'e.
//! That is the proof, and it holds for any e: the largest sum_k e_k a_k'w is found by filling up the assets in
//! descending order.

use super::super::problem::{Problem, Risk};
use super::conditions::largest;
use super::cone::{Cone, Says};
use super::path::follow;
use super::rows::{may_rise, only};
use crate::methods::limits::{Conflict, Limits};
use crate::methods::linear::dot;

/// Violations below this may be rounding.
const VIOLATED: f64 = 1e-9;

/// Rows with violations below this share of the largest are not part of it.
const PART: f64 = 1e-6;

/// The rows, groups and turnover that no weights within the bounds are within; none where there is no proof.
pub fn conflict(limits: &Limits) -> Option<Conflict> {
    let violations = violations(limits);
    let worst = violations.all().fold(0.0_f64, |worst, e| worst.max(e.abs()));
    if !(worst > VIOLATED) || !violations.prove(limits) {
        return None;
    }
    let part = |e: f64| e.abs() > PART * worst;
    let parts = |violations: &[f64]| (0..violations.len()).filter(|&k| part(violations[k])).collect();
    Some(Conflict::Rows {
        rows: parts(&violations.rows),
        groups: parts(&violations.groups),
        turnover: part(violations.turnover),
    })
}

/// e, in units of a row's largest coefficient.
struct Violations {
    rows: Vec<f64>,
    groups: Vec<f64>,
    turnover: f64,
}

fn violations(limits: &Limits) -> Violations {
    let n = limits.assets();
    let mut out =
        Violations { rows: vec![0.0; limits.rows.len()], groups: vec![0.0; limits.groups.len()], turnover: 0.0 };
    let bounds = Limits { groups: Vec::new(), rows: Vec::new(), turnover: None, ..limits.clone() };
    if let Some(weights) = only(&bounds) {
        let beyond = |sum: f64, least: f64, most: f64| (least - sum).max(0.0) - (sum - most).max(0.0);
        for (e, row) in out.rows.iter_mut().zip(&limits.rows) {
            *e = beyond(dot(&row.coefficients, &weights), row.least, row.most) / largest(&row.coefficients);
        }
        for (e, group) in out.groups.iter_mut().zip(&limits.groups) {
            *e = beyond(group.members.iter().map(|&i| weights[i]).sum(), group.least, group.most);
        }
        if let Some(turnover) = &limits.turnover {
            out.turnover = -(turnover.of(&weights) - turnover.most).max(0.0);
        }
        return out;
    }
    let mut correlation = vec![0.0; n * n];
    (0..n).for_each(|i| correlation[i * n + i] = 1.0);
    let (volatilities, none) = (vec![1.0; n], vec![0.0; n]);
    let problem = Problem {
        correlation: &correlation,
        volatilities: &volatilities,
        budgets: &none,
        limits: &bounds,
        risk: Risk::Variance { factor: 1.0 },
    };
    let mut cone = Cone::new(&problem, &volatilities, true);
    let rest = cone.inverse[0] / cone.total[0];
    // The bounds again, with the soft rows; x = w / rest' so that t = 1 at the start.
    let t = cone.scale(&cone.start);
    cone.start /= t;
    cone.matrix.fill(0.0);
    cone.narrow.clear();
    cone.says.clear();
    let cone = cone.limited(limits, rest, true, true, true);
    let point = follow(&cone, |_| false).point;
    let narrow = cone.narrow.len();
    for (k, says) in cone.says.iter().enumerate().take(cone.rows()).skip(narrow) {
        let e = point.z[k];
        match *says {
            Says::RowLeast(k) => out.rows[k] += e,
            Says::RowMost(k) => out.rows[k] -= e,
            Says::GroupLeast(g) => out.groups[g] += e,
            Says::GroupMost(g) => out.groups[g] -= e,
            Says::Turnover => out.turnover -= e,
            _ => {}
        }
    }
    out
}

impl Violations {
    fn all(&self) -> impl Iterator<Item = f64> {
        self.rows.iter().chain(&self.groups).copied().chain([self.turnover])
    }

    /// Whether no w within the bounds has what the rows ask for.
    fn prove(&self, limits: &Limits) -> bool {
        let n = limits.assets();
        let worst = self.all().fold(0.0_f64, |worst, e| worst.max(e.abs()));
        let kept = |e: f64| if e.abs() > PART * worst { e } else { 0.0 };
        let end = |e: f64, least: f64, most: f64| if e > 0.0 { e * least } else { e * most };
        let (mut asked, mut slopes) = (0.0, vec![0.0; n]);
        let mut squares = 0.0;
        for (row, &e) in limits.rows.iter().zip(&self.rows) {
            let e = kept(e);
            if e != 0.0 {
                let unit = largest(&row.coefficients);
                asked += end(e / unit, row.least, row.most);
                slopes.iter_mut().zip(&row.coefficients).for_each(|(slope, a)| *slope += e / unit * a);
                squares += e * e;
            }
        }
        for (group, &e) in limits.groups.iter().zip(&self.groups) {
            let e = kept(e);
            if e != 0.0 {
                asked += end(e, group.least, group.most);
                group.members.iter().for_each(|&i| slopes[i] += e);
                squares += e * e;
            }
        }
        // Pieces of each weight above its least: [width, slope]. What rises above the previous weight costs e more.
        let mut pieces: Vec<[f64; 2]> = Vec::new();
        let e = kept(self.turnover);
        let mut reached: f64 = (0..n).map(|i| slopes[i] * limits.least[i]).sum();
        if let Some(turnover) = limits.turnover.as_ref().filter(|_| e != 0.0) {
            asked += e * may_rise(turnover);
            squares += e * e;
            for i in 0..n {
                let (least, most) = (limits.least[i], limits.most[i]);
                let turn = turnover.previous[i].min(most).max(least);
                reached += e * (least - turnover.previous[i]).max(0.0);
                pieces.push([turn - least, slopes[i]]);
                pieces.push([most - turn, slopes[i] + e]);
            }
        } else {
            pieces.extend((0..n).map(|i| [limits.most[i] - limits.least[i], slopes[i]]));
        }
        pieces.sort_by(|a, b| b[1].total_cmp(&a[1]));
        let mut left = 1.0 - limits.least.iter().sum::<f64>();
        for [width, slope] in pieces {
            let width = width.min(left);
            reached += width * slope;
            left -= width;
        }
        asked - reached >= 0.5 * squares
    }
}
