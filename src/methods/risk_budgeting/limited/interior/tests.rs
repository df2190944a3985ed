use super::*;
use crate::methods::limits::{Conflict, Group, Limits, Row, Turnover};

/// Correlation, volatilities and budgets.
struct Case {
    correlation: Vec<f64>,
    volatilities: Vec<f64>,
    budgets: Vec<f64>,
}

impl Case {
    fn uncorrelated(volatilities: &[f64]) -> Case {
        let n = volatilities.len();
        let correlation = (0..n * n).map(|k| if k / n == k % n { 1.0 } else { 0.0 }).collect();
        Case { correlation, volatilities: volatilities.to_vec(), budgets: vec![1.0 / n as f64; n] }
    }

    fn solve(&self, limits: &Limits, risk: Risk) -> Found {
        solve(self.problem(limits, risk))
    }

    fn problem<'a>(&'a self, limits: &'a Limits, risk: Risk<'a>) -> Problem<'a> {
        let Case { correlation, volatilities, budgets } = self;
        Problem { correlation, volatilities, budgets, limits, risk }
    }
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn unit(&mut self) -> f64 {
        (self.word() >> 11) as f64 / (1u64 << 53) as f64
    }

    fn below(&mut self, n: usize) -> usize {
        (self.word() % n as u64) as usize
    }

    /// Of a covariance of 2 n + 3 observations with a common factor.
    fn case(&mut self, n: usize) -> Case {
        let t = 2 * n + 3;
        let mut x = vec![0.0; t * n];
        for row in x.chunks_exact_mut(n) {
            let common = self.unit() - 0.5;
            row.iter_mut().for_each(|x| *x = common + self.unit() - 0.5);
        }
        let product = |i: usize, j: usize| (0..t).map(|k| x[k * n + i] * x[k * n + j]).sum::<f64>();
        let size: Vec<f64> = (0..n).map(|i| product(i, i).sqrt()).collect();
        let mut case = Case::uncorrelated(&(0..n).map(|_| 0.01 * 20f64.powf(self.unit())).collect::<Vec<_>>());
        for i in 0..n {
            for j in (0..n).filter(|j| *j != i) {
                case.correlation[i * n + j] = product(i, j) / size[i] / size[j];
            }
        }
        case.budgets = self.weights(n);
        case
    }

    fn weights(&mut self, n: usize) -> Vec<f64> {
        let weights: Vec<f64> = (0..n).map(|_| 0.1 + self.unit()).collect();
        let total: f64 = weights.iter().sum();
        weights.iter().map(|w| w / total).collect()
    }

    /// Limits that some weights are strictly within.
    fn limits(&mut self, n: usize) -> Limits {
        let (w, mut limits) = (self.weights(n), Limits::none(n));
        let near = |random: &mut Random, x: f64, size: f64| {
            [x - size * 0.2 * random.unit() - 1e-3 * size, x + size * 0.2 * random.unit() + 1e-3 * size]
        };
        for i in 0..n {
            match self.below(4) {
                0 => limits.most[i] = (w[i] * (1.0 + self.unit())).min(1.0),
                1 => limits.least[i] = w[i] * self.unit(),
                2 if i > 1 => (limits.least[i], limits.most[i]) = (w[i], w[i]),
                _ => {}
            }
        }
        if self.below(2) == 0 {
            let members: Vec<usize> = (0..n).step_by(2).collect();
            let sum: f64 = members.iter().map(|&i| w[i]).sum();
            let [least, most] = near(self, sum, sum);
            limits.groups.push(Group { members, least, most: most.min(1.0) });
        }
        for _ in 0..self.below(3) {
            let scale = 1e3f64.powf(self.unit() - 0.5);
            let coefficients: Vec<f64> = (0..n).map(|_| scale * (self.unit() - 0.5)).collect();
            let sum: f64 = coefficients.iter().zip(&w).map(|(a, w)| a * w).sum();
            let [least, most] = near(self, sum, 0.3 * scale);
            limits.rows.push(Row { coefficients, least, most });
        }
        if self.below(3) == 0 {
            // Some was held in assets that have left.
            let stayed = if self.below(2) == 0 { 1.0 } else { 0.9 };
            let previous: Vec<f64> = self.weights(n).iter().map(|v| stayed * v).collect();
            let most = 1.1 * previous.iter().zip(&w).map(|(v, w)| (w - v).max(0.0)).sum::<f64>() + 1e-3;
            limits.turnover = Some(Turnover { previous, most });
        }
        limits
    }
}

/// s_i - b_i + w_i (nu + z_i + ..) relative to b_i, with the shares from the covariance and every sign and limit from
/// the weights: by another road than the solver's.
fn missed(case: &Case, limits: &Limits, risk: Risk, found: &Found) -> f64 {
    let Found { weights: w, multipliers, .. } = found;
    let n = w.len();
    let mut worst = (w.iter().sum::<f64>() - 1.0).abs();
    let mut price = vec![multipliers.sum; n];
    let mut limit = |sum: f64, least: f64, most: f64, m: f64, size: f64| {
        worst = worst.max((least - sum) / size).max((sum - most) / size);
        let end = if m > 0.0 { most } else { least };
        if m == 0.0 || (sum - end).abs() <= 1e-10 * size { m } else { f64::NAN }
    };
    for (group, &m) in limits.groups.iter().zip(&multipliers.groups) {
        let m = limit(group.members.iter().map(|&i| w[i]).sum(), group.least, group.most, m, 1.0);
        group.members.iter().for_each(|&i| price[i] += m);
    }
    for (row, &m) in limits.rows.iter().zip(&multipliers.rows) {
        let sum = row.coefficients.iter().zip(w).map(|(a, w)| a * w).sum();
        let size = row.coefficients.iter().fold(0.0, |size: f64, a| size.max(a.abs()));
        let m = limit(sum, row.least, row.most, m, size);
        price.iter_mut().zip(&row.coefficients).for_each(|(price, a)| *price += a * m);
    }
    let mut eta = 0.0;
    if let Some(turnover) = &limits.turnover {
        let bought = turnover.previous.iter().zip(w).map(|(v, w)| (w - v).max(0.0)).sum::<f64>();
        eta = limit(bought, f64::NEG_INFINITY, turnover.most, multipliers.turnover, 1.0);
        assert!(eta >= 0.0);
    }
    let at = |i: usize, j: usize| case.volatilities[i] * case.correlation[i * n + j] * case.volatilities[j];
    let slope: Vec<f64> = (0..n).map(|i| (0..n).map(|j| at(i, j) * w[j]).sum()).collect();
    let variance: f64 = slope.iter().zip(w).map(|(s, w)| s * w).sum();
    let along = |l: &[f64]| l.iter().zip(w).map(|(l, w)| l * w).sum::<f64>();
    for i in 0..n {
        let z = multipliers.bounds[i];
        assert!(limits.least[i] <= w[i] && w[i] <= limits.most[i], "{} is out of bounds", w[i]);
        assert!(z <= 0.0 || w[i] == limits.most[i], "{z} above");
        assert!(z >= 0.0 || w[i] == limits.least[i], "{z} below");
        let share = match risk {
            Risk::Volatility => w[i] * slope[i] / variance,
            Risk::Variance { factor } => factor * w[i] * slope[i],
            Risk::Returns { aversion, expected } => {
                let deviation = variance.sqrt();
                w[i] * (aversion * slope[i] / deviation - expected[i]) / (aversion * deviation - along(expected))
            }
            Risk::Quadratic { linear } => w[i] * (slope[i] / variance - linear[i] / along(linear)),
        };
        let (budget, unit) = match risk {
            Risk::Quadratic { .. } => (0.0, 1.0 / n as f64),
            _ => (case.budgets[i], case.budgets[i]),
        };
        let gap = share - budget + w[i] * (price[i] + z);
        let change = limits.turnover.as_ref().map_or(0.0, |turnover| w[i] - turnover.previous[i]);
        let gap = match change {
            0.0 => (gap.abs() - w[i] * eta).max(0.0),
            _ => (gap + w[i] * eta * change.signum()).abs(),
        };
        assert!(gap.is_finite());
        worst = worst.max(gap / unit);
    }
    worst
}

#[test]
fn capped_and_uncorrelated_weights_are_known() {
    // Unlimited 1 / sigma_i: 2 to 1 to 1.
    let case = Case::uncorrelated(&[0.1, 0.2, 0.2]);
    let limits = Limits { most: vec![0.4, 1.0, 1.0], ..Limits::none(3) };
    let found = case.solve(&limits, Risk::Volatility);
    assert_eq!((found.ending, found.weights[0]), (Ending::Optimal, 0.4));
    assert!((found.weights[1] - 0.3).abs() < 1e-15 && found.multipliers.bounds[0] > 0.0);
    assert!(missed(&case, &limits, Risk::Volatility, &found) < 1e-13);
    // The largest ratio: l_i / sigma_i^2.
    let case = Case { budgets: vec![0.0; 3], ..Case::uncorrelated(&[0.1, 0.2, 0.4]) };
    let linear = [0.01, 0.02, 0.04];
    let free = case.solve(&Limits::none(3), Risk::Quadratic { linear: &linear });
    [4.0 / 7.0, 2.0 / 7.0, 1.0 / 7.0].iter().zip(&free.weights).for_each(|(a, b)| assert!((a - b).abs() < 1e-12));
    // The least variance: 1 / sigma_i^2, without logarithms.
    let least = case.solve(&Limits::none(3), Risk::Variance { factor: 1.0 });
    [16.0, 4.0, 1.0].iter().zip(&least.weights).for_each(|(a, b)| assert!((a / 21.0 - b).abs() < 1e-12));
}

#[test]
fn every_condition_holds_on_a_family() {
    let mut random = Random(7);
    for round in 0..400 {
        let n = 2 + random.below(if round % 20 == 0 { 40 } else { 9 });
        let case = random.case(n);
        let limits = random.limits(n);
        let expected: Vec<f64> = case.volatilities.iter().map(|sigma| 0.4 * sigma * random.unit()).collect();
        let risk = match round % 4 {
            0 => Risk::Returns { aversion: 1.5, expected: &expected },
            1 => Risk::Variance { factor: 1e4 * random.unit() },
            2 => Risk::Quadratic { linear: &expected },
            _ => Risk::Volatility,
        };
        let none = vec![0.0; n];
        let budgets = if round % 4 == 2 { &none } else { &case.budgets };
        let found = solve(Problem { budgets, ..case.problem(&limits, risk) });
        let missed = missed(&case, &limits, risk, &found);
        assert!(missed < 1e-9, "{round}: {missed:e} of {found:?}");
        assert_eq!(found.ending, Ending::Optimal);
    }
}

#[test]
fn limits_that_leave_one_point_or_no_inside_are_met() {
    let case = Random(1).case(4);
    let one = |limits: Limits, weights: &[f64]| {
        let found = case.solve(&limits, Risk::Volatility);
        assert_eq!(found.ending, Ending::Optimal);
        found.weights.iter().zip(weights).for_each(|(a, b)| assert!((a - b).abs() < 1e-12, "{found:?}"));
        assert!(missed(&case, &limits, Risk::Volatility, &found) < 1e-10, "{found:?}");
    };
    let weights = [0.1, 0.2, 0.3, 0.4];
    one(Limits { most: weights.to_vec(), ..Limits::none(4) }, &weights);
    one(Limits { least: weights.to_vec(), ..Limits::none(4) }, &weights);
    let turnover = Some(Turnover { previous: weights.to_vec(), most: 0.0 });
    one(Limits { turnover, ..Limits::none(4) }, &weights);
    // Caps that leave little, boxes around equal weights, and groups whose limits leave nothing.
    let tight = Limits { most: weights.iter().map(|w| w * 1.0001).collect(), ..Limits::none(4) };
    let boxes = Limits { least: vec![0.24975; 4], most: vec![0.25025; 4], ..Limits::none(4) };
    let tiny = Limits { most: vec![1e-6, 1.0, 1.0, 1.0], ..Limits::none(4) };
    let group = |a, b, most| Group { members: vec![a, b], least: 0.0, most };
    let groups = Limits { groups: vec![group(0, 1, 0.6), group(2, 3, 0.4)], ..Limits::none(4) };
    // A tenth was held in what has left: nothing can be sold.
    let previous = weights.iter().map(|w| 0.9 * w).collect();
    let turnover = Some(Turnover { previous, most: 0.1 });
    let bought = Limits { turnover, ..Limits::none(4) };
    for limits in [tight, boxes, tiny, groups, bought] {
        let found = case.solve(&limits, Risk::Volatility);
        let missed = missed(&case, &limits, Risk::Volatility, &found);
        assert!(found.ending == Ending::Optimal && missed < 1e-9, "{missed:e} of {found:?}");
    }
}

#[test]
fn what_has_no_solution_is_proved_by_weights_within_the_limits() {
    // 2/3 of the second offset 1/3 of the first.
    let hedge = Case {
        correlation: vec![1.0, -1.0, 0.0, -1.0, 1.0, 0.0, 0.0, 0.0, 1.0],
        volatilities: vec![0.3, 0.15, 0.2],
        budgets: vec![1.0 / 3.0; 3],
    };
    let with = |most: f64, cap: f64| Limits { most: vec![most, most, cap], ..Limits::none(3) };
    let found = hedge.solve(&with(0.8, 1.0), Risk::Volatility);
    assert_eq!(found.ending, Ending::NoVariance);
    assert!((found.weights[0] - 1.0 / 3.0).abs() < 1e-6 && found.weights[2] < 1e-6, "{found:?}");
    assert!(violation(&with(0.8, 1.0), &found.weights) < 1e-9);
    assert_eq!(hedge.solve(&with(0.55, 1.0), Risk::Volatility).ending, Ending::Optimal);

    let case = Case::uncorrelated(&[0.1, 0.2, 0.3]);
    let expected = [0.1, 0.1, 0.1];
    let risk = |aversion: f64| Risk::Returns { aversion, expected: &expected };
    let limits = Limits { most: vec![0.6; 3], ..Limits::none(3) };
    let none = vec![0.0; 3];
    let largest = solve(Problem { budgets: &none, ..case.problem(&limits, Risk::Quadratic { linear: &expected }) });
    let deviation = largest.weights.iter().zip(&case.volatilities).map(|(w, s)| (w * s).powi(2)).sum::<f64>().sqrt();
    let ratio = 0.1 / deviation;
    assert_eq!(case.solve(&limits, risk(1.001 * ratio)).ending, Ending::Optimal);
    let found = case.solve(&limits, risk(0.999 * ratio));
    assert_eq!(found.ending, Ending::NoRisk);
    assert!(violation(&limits, &found.weights) < 1e-9);
}

#[test]
fn rows_that_contradict_each_other_are_named() {
    let row = |coefficients: [f64; 3], least: f64, most: f64| Row { coefficients: coefficients.to_vec(), least, most };
    let (none, all) = (f64::NEG_INFINITY, f64::INFINITY);
    // a + b >= 0.6 and b + c >= 0.6 ask for b >= 0.2; the second row binds nowhere.
    let mut limits = Limits {
        rows: vec![row([1e3, 1e3, 0.0], 600.0, all), row([1.0, -1.0, 0.0], none, 0.9), row([0.0, 1.0, 1.0], 0.6, all)],
        ..Limits::none(3)
    };
    assert_eq!(conflict(&limits), None);
    limits.groups.push(Group { members: vec![1], least: 0.0, most: 0.2 - 1e-6 });
    let named = |turnover| Some(Conflict::Rows { rows: vec![0, 2], groups: vec![0], turnover });
    assert_eq!(conflict(&limits), named(false));
    // From (0.5, 0, 0.5), b >= 0.2 takes a turnover of 0.2.
    limits.groups.clear();
    limits.turnover = Some(Turnover { previous: vec![0.5, 0.0, 0.5], most: 0.2 + 1e-6 });
    assert_eq!(conflict(&limits), None);
    limits.turnover = Some(Turnover { previous: vec![0.5, 0.0, 0.5], most: 0.2 - 1e-6 });
    assert_eq!(conflict(&limits), Some(Conflict::Rows { rows: vec![0, 2], groups: Vec::new(), turnover: true }));
}
