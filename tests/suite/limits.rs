//! Risk budgeting within limits, where the answer is proved elsewhere.

use equirisk::engine::cpu::CpuEngine;
use equirisk::methods::limits::{Group, Limits, Row, Turnover};
use equirisk::methods::risk_budgeting::Options;
use equirisk::methods::risk_budgeting::limited::certificate::At;
use equirisk::methods::risk_budgeting::limited::descent::{self, Ending, descend};
use equirisk::methods::risk_budgeting::limited::{Found, Workspace, interior};
use equirisk::methods::risk_budgeting::validity::model;
use equirisk::methods::volatility;
use equirisk::methods::{ExpectedReturns, Objective, Program};
use equirisk::{Assets, Batch, Covariances, Method, RiskModel, Source, Status};
use serde_json::Value;

use crate::cases::{Npz, json, numbers};

/// A problem of `limits.json`: covariance under its signs, budgets, limits, expected returns.
struct Case {
    covariance: Vec<f64>,
    budgets: Vec<f64>,
    limits: Limits,
    signs: Vec<f64>,
    expected: Option<Vec<f64>>,
    aversion: f64,
    objective: Objective,
}

impl Case {
    fn of(case: &Value) -> Case {
        let n = case["n"].as_u64().unwrap() as usize;
        let get = |key: &str, default: f64| match &case[key] {
            Value::Null => vec![default; n],
            given => numbers(given),
        };
        let signs = get("signs", 1.0);
        let mut covariance = match case["covariance_file"].as_str() {
            Some(file) => Npz::open(file).array("cov").1,
            None => case["covariance"].as_array().unwrap().iter().flat_map(numbers).collect(),
        };
        for (k, s) in covariance.iter_mut().enumerate() {
            *s *= signs[k / n] * signs[k % n];
        }
        let budgets = numbers(&case["budgets"]);
        let total: f64 = budgets.iter().sum();
        let end = |value: &Value, default: f64| value.as_f64().unwrap_or(default);
        let names = case["groups"].as_array();
        let group = |(name, ends): (&String, &Value)| Group {
            members: (0..n).filter(|&i| names.unwrap()[i] == name.as_str()).collect(),
            least: end(&ends[0], 0.0),
            most: end(&ends[1], 1.0),
        };
        let row = |row: &Value| Row {
            coefficients: numbers(&row["coefficients"]).iter().zip(&signs).map(|(a, e)| a * e).collect(),
            least: end(&row["min"], f64::NEG_INFINITY),
            most: end(&row["max"], f64::INFINITY),
        };
        let turnover =
            case["max_turnover"].as_f64().map(|most| Turnover { previous: numbers(&case["previous"]), most });
        let limits = Limits {
            least: get("min_weights", 0.0),
            most: get("max_weights", 1.0),
            groups: case["group_limits"].as_object().map_or(Vec::new(), |all| all.iter().map(group).collect()),
            rows: case["rows"].as_array().map_or(Vec::new(), |all| all.iter().map(row).collect()),
            turnover,
        };
        let returns = |mu: &Value| numbers(mu).iter().zip(&signs).map(|(mu, e)| mu * e).collect();
        Case {
            covariance,
            budgets: budgets.iter().map(|b| b / total).collect(),
            limits,
            expected: (!case["expected_returns"].is_null()).then(|| returns(&case["expected_returns"])),
            signs,
            aversion: case["risk_aversion"].as_f64().unwrap_or(1.0),
            objective: match (case["objective"].as_str(), case["variance_weight"].as_f64()) {
                (Some("proportional"), _) => Objective::Proportional,
                (_, Some(gamma)) => Objective::VarianceWeight(gamma),
                _ => Objective::LogBarrier,
            },
        }
    }

    fn program(&self) -> Program {
        let program = Program::within(&self.budgets, self.limits.clone()).unwrap();
        let returns = |expected: &Vec<f64>| ExpectedReturns { expected: expected.clone(), aversion: self.aversion };
        let program = self.expected.as_ref().map(returns).into_iter().fold(program, |p, r| p.expecting(r).unwrap());
        program.seeking(self.objective).unwrap()
    }

    /// As `equirisk solve` does: with the finishing steps.
    fn solve(&self) -> Found {
        let options = Options { finish: true, ..Options::default() };
        let model = model(&self.covariance, true).unwrap();
        self.program().solve(&model, Some(&self.covariance), options, &mut Workspace::default())
    }
}

#[test]
fn weights_match_the_proved_answers() {
    let mut solved = 0;
    for case in json("limits.json").as_array().unwrap() {
        let name = &case["name"];
        let expected = &case["expected"];
        let own = Case::of(case);
        if expected["status"] == "infeasible" {
            assert!(own.limits.conflict().is_some(), "{name}");
            continue;
        }
        assert_eq!(own.limits.conflict(), None, "{name}");
        let found = own.solve();
        if expected["status"] == "no_solution" {
            assert_eq!(found.status, Status::NoSolution, "{name}");
            continue;
        }
        let weights = found.portfolio.weights.iter().zip(&own.signs).map(|(w, e)| w * e);
        let worst = weights.zip(numbers(&expected["weights"])).fold(0.0_f64, |m, (w, e)| m.max((w - e).abs()));
        println!("{name}: {worst:.1e}, {:.1e}, {} sweeps", found.portfolio.kkt_error, found.sweeps);
        assert_eq!(found.status, Status::Converged, "{name}");
        // Rounding of the covariance, amplified by the condition of the worst case.
        assert!(worst <= 2e-12, "{name}: {worst:e}");
        let shares = found.portfolio.shares.iter().zip(numbers(&expected["risk_shares"]));
        let worst = shares.fold(0.0_f64, |m, (s, e)| m.max((s - e).abs()));
        assert!(worst <= 2e-11, "{name}: risk shares off by {worst:e}");
        solved += 1;
    }
    assert!(solved >= 14, "only {solved} cases were compared");
}

/// A sequence of pseudo-random numbers in [0, 1).
struct Sequence(u64);

impl Sequence {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// The covariance of n assets with a market, a few factors and a spread of volatilities.
    fn covariance(&mut self, n: usize) -> RiskModel {
        let factors = 3;
        let volatilities: Vec<f64> = (0..n).map(|_| 0.05 + 0.4 * self.next()).collect();
        let loadings: Vec<f64> = (0..n * factors)
            .map(|k| if k % factors == 0 { 0.3 + 0.4 * self.next() } else { self.next() - 0.5 })
            .collect();
        let row = |i: usize| &loadings[i * factors..(i + 1) * factors];
        let size = |i: usize| (1.0 + row(i).iter().map(|x| x * x).sum::<f64>()).sqrt();
        let entry = |i: usize, j: usize| {
            let common: f64 = row(i).iter().zip(row(j)).map(|(a, b)| a * b).sum();
            if i == j { 1.0 } else { common / (size(i) * size(j)) }
        };
        RiskModel { correlation: (0..n * n).map(|k| entry(k / n, k % n)).collect(), volatilities }
    }
}

/// Kinds of bounds on n assets, around a portfolio where they are of one; none where no weights are within them.
fn bounds(kind: &str, n: usize, around: &[f64], random: &mut Sequence) -> Option<Limits> {
    let equal = 1.0 / n as f64;
    let mut limits = Limits::none(n);
    match kind {
        "caps" => limits.most = vec![1.5 * equal; n],
        "floors" => limits.least = vec![0.5 * equal; n],
        "both" => (limits.least, limits.most) = (vec![0.2 * equal; n], vec![2.0 * equal; n]),
        "tight" => (limits.least, limits.most) = (vec![0.999 * equal; n], vec![1.001 * equal; n]),
        "around" => {
            limits.least = around.iter().map(|w| 0.6 * w).collect();
            limits.most = around.iter().map(|w| 1.4 * w).collect();
        }
        "random" => {
            limits.least = (0..n).map(|_| random.next() * 0.8 * equal).collect();
            limits.most = limits.least.iter().map(|least| least + random.next() * 3.0 * equal).collect();
        }
        "pinned" => {
            for i in (0..n).step_by(3) {
                (limits.least[i], limits.most[i]) = (0.5 * equal, 0.5 * equal);
            }
        }
        "groups" => {
            let half = n.div_ceil(2);
            limits.groups = vec![
                Group { members: (0..half).collect(), least: 0.0, most: 0.4 },
                Group { members: (half..n - n / 4).collect(), least: 0.1, most: 1.0 },
            ];
        }
        _ => limits.most = vec![1.0001 * equal; n],
    }
    limits.most.iter_mut().for_each(|most| *most = most.min(1.0));
    limits.conflict().is_none().then_some(limits)
}

const KINDS: [&str; 9] = ["caps", "floors", "both", "tight", "around", "random", "pinned", "groups", "sum"];

fn equal(n: usize) -> Vec<f64> {
    vec![1.0 / n as f64; n]
}

fn solved(model: &RiskModel, budgets: &[f64], limits: &Limits) -> Found {
    let program = Program::within(budgets, limits.clone()).unwrap();
    let options = Options { finish: true, ..Options::default() };
    program.solve(model, None, options, &mut Workspace::default())
}

/// The reference covariances, and those of windows of the embedded sample.
fn covariances() -> Vec<(String, Vec<f64>)> {
    let index = json("reference/index.json");
    let names = index["cases"].as_array().unwrap().iter().map(|case| case["name"].as_str().unwrap().to_string());
    let reference = names.map(|name| (name.clone(), Npz::open(&format!("reference/{name}.npz")).array("cov").1));
    let mut random = Sequence(11);
    let made = [3, 5, 10, 17, 30, 50, 80, 110].into_iter().flat_map(|n| (0..6).map(move |k| (n, k)));
    let made: Vec<_> = made.map(|(n, k)| (format!("made {n} {k}"), random.covariance(n).covariance())).collect();
    reference.chain(made).collect()
}

#[test]
fn ordinary_bounds_take_about_ten_sweeps_and_nothing_that_has_a_solution_is_left() {
    let mut random = Sequence(7);
    let (mut sweeps, mut left, mut problems) = (Vec::new(), Vec::new(), 0);
    for (name, covariance) in covariances() {
        let model = model(&covariance, true).unwrap();
        let n = model.volatilities.len();
        let inverse: f64 = model.volatilities.iter().map(|s| s.recip()).sum();
        let around: Vec<f64> = model.volatilities.iter().map(|s| s.recip() / inverse).collect();
        for kind in KINDS {
            let Some(limits) = bounds(kind, n, &around, &mut random) else { continue };
            let budgets = equal(n);
            let program = Program::within(&budgets, limits.clone()).unwrap();
            problems += 1;
            let (ending, taken) = descend(program.problem(&model), 1e-10, 200, &mut descent::Workspace::default());
            if ending == Ending::Converged {
                sweeps.push(taken);
            }
            let found = program.solve(&model, None, Options::default(), &mut Workspace::default());
            if found.status != Status::Converged {
                left.push(format!("{name} {kind}: {:?} {:e}", found.status, found.portfolio.kkt_error));
            }
        }
    }
    sweeps.sort_unstable();
    let quantile = |q: usize| sweeps[sweeps.len() * q / 100];
    println!("{problems} problems, {} by descent; sweeps {} {}", sweeps.len(), quantile(50), quantile(90));
    assert!(problems >= 590, "only {problems} problems");
    assert!(quantile(50) <= 12 && sweeps.len() * 50 >= problems * 49, "{} sweeps, {}", quantile(50), sweeps.len());
    assert!(left.is_empty(), "{left:#?}");
}

#[test]
fn how_a_set_is_written_does_not_matter() {
    let case = |name: &str| {
        let all = json("limits.json");
        let case = all.as_array().unwrap().iter().find(|case| case["name"] == name).unwrap().clone();
        Case::of(&case).solve().portfolio.weights
    };
    let (bonds, equities) = (case("eight_assets_bonds_60"), case("eight_assets_equities_40"));
    assert!(bonds.iter().zip(&equities).all(|(a, b)| (a - b).abs() <= 1e-12), "{bonds:?} {equities:?}");
}

#[test]
fn weights_do_not_depend_on_units_nor_on_the_order_of_assets() {
    let mut random = Sequence(3);
    for n in [2, 7, 20] {
        let model = random.covariance(n);
        let budgets: Vec<f64> = (0..n).map(|i| (1.0 + i as f64) * 2.0 / (n * (n + 1)) as f64).collect();
        let limits = bounds("random", n, &[], &mut random).unwrap_or_else(|| Limits::none(n));
        let own = solved(&model, &budgets, &limits).portfolio.weights;
        for scale in [1e-8, 1e8] {
            let scaled =
                RiskModel { volatilities: model.volatilities.iter().map(|s| s * scale).collect(), ..model.clone() };
            let other = solved(&scaled, &budgets, &limits).portfolio.weights;
            assert!(own.iter().zip(&other).all(|(a, b)| (a - b).abs() <= 1e-13), "{n}, {scale}");
        }
        let turned = |values: &[f64]| -> Vec<f64> { values.iter().rev().copied().collect() };
        // A matrix in row-major order, turned by half a circle, has both its axes reversed.
        let reversed = RiskModel { correlation: turned(&model.correlation), volatilities: turned(&model.volatilities) };
        let limits = Limits { least: turned(&limits.least), most: turned(&limits.most), ..limits };
        let other = turned(&solved(&reversed, &turned(&budgets), &limits).portfolio.weights);
        assert!(own.iter().zip(&other).all(|(a, b)| (a - b).abs() <= 1e-12), "{n}");
    }
}

#[test]
fn limits_that_bind_nowhere_change_nothing() {
    let mut random = Sequence(5);
    for n in [2, 10, 40] {
        let model = random.covariance(n);
        let budgets = equal(n);
        let free = Method::RiskBudgeting.finished(&Program::new(&budgets).unwrap(), &model).unwrap();
        let loose = Limits {
            least: free.iter().map(|w| 0.5 * w).collect(),
            most: free.iter().map(|w| (2.0 * w).min(1.0)).collect(),
            groups: vec![Group { members: vec![0], least: 0.0, most: 1.0 }],
            rows: vec![Row { coefficients: vec![1.0; n], least: 0.5, most: 2.0 }],
            ..Limits::none(n)
        };
        let found = solved(&model, &budgets, &loose).portfolio;
        assert!(found.weights.iter().zip(&free).all(|(a, b)| (a - b).abs() <= 1e-13), "{n}");
        assert!(found.multipliers.sum.abs() <= 1e-12 && found.multipliers.rows == [0.0], "{n}");
        assert_eq!(found.at.iter().filter(|at| **at != At::Free).count(), 0, "{n}");
    }
}

/// ln R(w) - sum b ln w.
fn objective(model: &RiskModel, budgets: &[f64], weights: &[f64]) -> f64 {
    volatility(model, weights).ln() - budgets.iter().zip(weights).map(|(b, w)| b * w.ln()).sum::<f64>()
}

#[test]
fn a_tighter_limit_never_costs_less() {
    let mut random = Sequence(13);
    for n in [3, 8, 25] {
        let model = random.covariance(n);
        let budgets = equal(n);
        let mut before = f64::NEG_INFINITY;
        for cap in [1.0, 3.0, 2.0, 1.5, 1.2, 1.05, 1.0].map(|times: f64| (times / n as f64).max(1.0 / n as f64)) {
            let limits = Limits { most: vec![cap.min(1.0); n], ..Limits::none(n) };
            let limits = if before.is_finite() { limits } else { Limits::none(n) };
            let value = objective(&model, &budgets, &solved(&model, &budgets, &limits).portfolio.weights);
            assert!(value >= before - 1e-13, "{n}, {cap}: {value} after {before}");
            before = value;
        }
    }
}

/// The conditions of the best weights, from the definition and nothing else: there is nu, and multipliers with the right
/// signs, that close s_i - b_i + w_i (nu + z_i + sum a_ki m_k) = 0 of every asset.
fn misses(model: &RiskModel, budgets: &[f64], limits: &Limits, found: &Found) -> f64 {
    let n = budgets.len();
    let (weights, m) = (&found.portfolio.weights, &found.portfolio.multipliers);
    let covariance = model.covariance();
    let product: Vec<f64> =
        covariance.chunks(n).map(|row| row.iter().zip(weights).map(|(s, w)| s * w).sum::<f64>()).collect();
    let variance: f64 = product.iter().zip(weights).map(|(p, w)| p * w).sum();
    let mut worst = (weights.iter().sum::<f64>() - 1.0).abs();
    let slack = |m: f64, value: f64, least: f64, most: f64| {
        // Slack and multiplier are not both there.
        if m > 0.0 {
            m * (most - value).abs()
        } else if m < 0.0 {
            -m * (value - least).abs()
        } else {
            0.0
        }
    };
    for i in 0..n {
        let mut pull = m.sum + m.bounds[i];
        for (group, own) in limits.groups.iter().zip(&m.groups) {
            pull += if group.members.contains(&i) { *own } else { 0.0 };
        }
        for (row, own) in limits.rows.iter().zip(&m.rows) {
            pull += row.coefficients[i] * own;
        }
        let left = weights[i] * product[i] / variance - budgets[i] + weights[i] * pull;
        worst = worst.max(left.abs() / budgets[i]);
        worst = worst.max(limits.least[i] - weights[i]).max(weights[i] - limits.most[i]);
        worst = worst.max(slack(m.bounds[i], weights[i], limits.least[i], limits.most[i]));
    }
    for (group, own) in limits.groups.iter().zip(&m.groups) {
        let sum: f64 = group.members.iter().map(|&i| weights[i]).sum();
        worst = worst.max(group.least - sum).max(sum - group.most).max(slack(*own, sum, group.least, group.most));
    }
    for (row, own) in limits.rows.iter().zip(&m.rows) {
        let sum: f64 = row.coefficients.iter().zip(weights).map(|(a, w)| a * w).sum();
        worst = worst.max(row.least - sum).max(sum - row.most).max(slack(*own, sum, row.least, row.most));
    }
    worst
}

#[test]
fn descent_and_interior_point_agree_and_both_meet_the_conditions() {
    let mut random = Sequence(17);
    let mut compared = 0;
    for round in 0..60 {
        let n = 2 + round % 29;
        let model = random.covariance(n);
        let budgets = equal(n);
        for kind in KINDS {
            let Some(mut limits) = bounds(kind, n, &equal(n), &mut random) else { continue };
            if round % 3 == 0 && n > 3 {
                let coefficients = (0..n).map(|i| [1.0, -1.0, 0.0][i % 3]).collect();
                limits.rows = vec![Row { coefficients, least: f64::NEG_INFINITY, most: 0.01 }];
                if limits.conflict().is_some() {
                    continue;
                }
            }
            let found = solved(&model, &budgets, &limits);
            assert_eq!(found.status, Status::Converged, "{n} {kind}");
            assert!(misses(&model, &budgets, &limits, &found) <= 1e-9, "{n} {kind}: {found:?}");
            let program = Program::within(&budgets, limits.clone()).unwrap();
            let inner = interior::solve(program.problem(&model));
            let differs = |(a, b): (&f64, &f64)| (a - b).abs() > 1e-9;
            assert!(!inner.weights.iter().zip(&found.portfolio.weights).any(differs), "{n} {kind}");
            compared += 1;
        }
    }
    assert!(compared > 400, "only {compared} problems");
}

#[test]
fn limits_that_leave_one_point_or_a_corner_are_met() {
    let mut random = Sequence(19);
    let model = random.covariance(5);
    let budgets = equal(5);
    let limits =
        |least: [f64; 5], most: [f64; 5]| Limits { least: least.to_vec(), most: most.to_vec(), ..Limits::none(5) };
    // Caps and floors that sum to one, all but one given.
    for (least, most) in [
        ([0.0; 5], [0.1, 0.15, 0.2, 0.25, 0.3]),
        ([0.1, 0.15, 0.2, 0.25, 0.3], [1.0; 5]),
        ([0.1, 0.15, 0.2, 0.25, 0.0], [0.1, 0.15, 0.2, 0.25, 1.0]),
    ] {
        let found = solved(&model, &budgets, &limits(least, most));
        assert_eq!(found.status, Status::Converged);
        for (w, expected) in found.portfolio.weights.iter().zip([0.1, 0.15, 0.2, 0.25, 0.3]) {
            assert!((w - expected).abs() < 1e-15, "{:?}", found.portfolio.weights);
        }
    }
    // A cap that is all but zero holds its asset there, to the last bit.
    let found = solved(&model, &budgets, &limits([0.0; 5], [1e-6, 1.0, 1.0, 1.0, 1.0]));
    assert_eq!((found.status, found.portfolio.weights[0]), (Status::Converged, 1e-6));
    // Groups of one, and groups whose limits sum to one.
    let group = |members: &[usize], least, most| Group { members: members.to_vec(), least, most };
    let ones = Limits { groups: (0..5).map(|i| group(&[i], 0.1, 0.3)).collect(), ..Limits::none(5) };
    let caps = Limits { least: vec![0.1; 5], most: vec![0.3; 5], ..Limits::none(5) };
    let [a, b] = [&ones, &caps].map(|limits| solved(&model, &budgets, limits).portfolio.weights);
    assert!(a.iter().zip(&b).all(|(a, b)| (a - b).abs() <= 1e-12), "{a:?} {b:?}");
    let whole = Limits { groups: vec![group(&[0, 1], 0.0, 0.35), group(&[2, 3, 4], 0.0, 0.65)], ..Limits::none(5) };
    let found = solved(&model, &budgets, &whole).portfolio.weights;
    assert!((found[0] + found[1] - 0.35).abs() < 1e-14, "{found:?}");
}

#[test]
fn one_admissible_equal_risk_portfolio_is_the_answer_though_another_looks_as_good() {
    // Two portfolios within these bounds meet all conditions of proportional shares.
    let (v, c) = ([0.354, 2.16, 0.261], [-0.608, -0.872, 0.772]);
    let correlation = vec![1.0, c[0], c[1], c[0], 1.0, c[2], c[1], c[2], 1.0];
    let model = RiskModel { correlation, volatilities: v.to_vec() };
    let limits = Limits { least: vec![0.463, 0.0, 0.015], most: vec![0.827, 0.587, 0.898], ..Limits::none(3) };
    let found = solved(&model, &equal(3), &limits).portfolio;
    let free = Method::RiskBudgeting.finished(&Program::new(&equal(3)).unwrap(), &model).unwrap();
    assert!(found.weights.iter().zip(&free).all(|(a, b)| (a - b).abs() < 1e-12), "{:?}", found.weights);
    for (w, printed) in found.weights.iter().zip([0.480, 0.029, 0.491]) {
        assert!((w - printed).abs() < 5e-4, "{:?}", found.weights);
    }
}

#[test]
fn other_methods_are_the_best_within_the_same_limits() {
    let mut random = Sequence(23);
    for n in [4, 9, 21] {
        let model = random.covariance(n);
        for kind in ["caps", "floors", "both", "groups", "random"] {
            let Some(limits) = bounds(kind, n, &equal(n), &mut random) else { continue };
            let program = Program::within(&equal(n), limits.clone()).unwrap();
            let of =
                |method: Method| method.finished(&program, &model).unwrap_or_else(|| panic!("{n} {kind} {method:?}"));
            let [least, diversified, inverse, equal_weight] = [
                Method::MinimumVariance,
                Method::MaximumDiversification,
                Method::InverseVolatility,
                Method::EqualWeight,
            ]
            .map(of);
            let ratio =
                |w: &[f64]| w.iter().zip(&model.volatilities).map(|(w, s)| w * s).sum::<f64>() / volatility(&model, w);
            let alone = |w: &[f64]| {
                let squares: f64 = w.iter().zip(&model.volatilities).map(|(w, s)| w * w * s * s).sum();
                0.5 * squares.ln() - w.iter().map(|w| w.ln()).sum::<f64>() / n as f64
            };
            let logs = |w: &[f64]| w.iter().map(|w| w.ln()).sum::<f64>();
            for weights in [&least, &diversified, &inverse, &equal_weight] {
                assert!(limits.hold(weights, 1e-12), "{n} {kind}: {weights:?}");
                // Anything else within the limits is no better.
                assert!(volatility(&model, weights) >= volatility(&model, &least) * (1.0 - 1e-8), "{n} {kind}");
                assert!(ratio(weights) <= ratio(&diversified) * (1.0 + 1e-8), "{n} {kind}");
                if weights.iter().all(|w| *w > 0.0) {
                    assert!(alone(weights) >= alone(&inverse) - 1e-8, "{n} {kind}");
                    assert!(logs(weights) <= logs(&equal_weight) + 1e-8, "{n} {kind}");
                }
            }
        }
    }
}

#[test]
fn lanes_and_one_problem_alone_give_the_same_weights() {
    let mut random = Sequence(29);
    for n in [1, 3, 10, 31, 64] {
        let matrices: Vec<f64> = (0..19).flat_map(|_| random.covariance(n).covariance()).collect();
        for kind in ["both", "caps", "groups", "tight", "pinned"] {
            let limits = bounds(kind, n, &equal(n), &mut random).filter(|limits| !limits.is_none());
            let Some(limits) = limits else { continue };
            let program = Program::within(&equal(n), limits.clone()).unwrap();
            let covariances = Covariances::Given { matrices: matrices.as_slice().into(), assets: n, assume_psd: true };
            let batch = Batch::new(Source { covariances, assets: Assets::All }, program.clone()).unwrap();
            let found = batch.solve(&CpuEngine::default()).unwrap();
            for (p, own) in found.weights.chunks(n).enumerate() {
                let certificate = found.certificates[p];
                assert_eq!(certificate.status, Status::Converged, "{n} {kind} {p}");
                assert!(certificate.kkt_error.unwrap() <= 1e-8, "{n} {kind} {p}");
                let model = model(&matrices[p * n * n..(p + 1) * n * n], true).unwrap();
                let exact = solved(&model, &equal(n), &limits).portfolio;
                let worst = own.iter().zip(&exact.weights).fold(0.0, |m: f64, (a, b)| m.max((a / b - 1.0).abs()));
                // The certificate bounds the error of the weights, up to a factor of order one and sqrt(n).
                assert!(worst <= 1e-7 * (n as f64).sqrt(), "{n} {kind} {p}: {worst:e}");
                let on_bound = |w: f64, i: usize| w == limits.least[i] || w == limits.most[i];
                // Where all weights but one are held, multipliers are not unique.
                let unique = exact.at.iter().filter(|at| **at == At::Free).count() > 1;
                for i in (0..n).filter(|_| unique) {
                    // Bound weights equal the bound bit for bit, unless next to nothing holds them there.
                    let held = exact.multipliers.bounds[i].abs() * exact.weights[i] > 1e-5;
                    assert!(!held || on_bound(own[i], i), "{n} {kind} {p} {i}");
                }
                // A problem by itself, wherever it stands in the batch.
                let alone = Batch::new(
                    Source {
                        covariances: Covariances::Given {
                            matrices: matrices[p * n * n..(p + 1) * n * n].into(),
                            assets: n,
                            assume_psd: true,
                        },
                        assets: Assets::All,
                    },
                    program.clone(),
                );
                assert_eq!(alone.unwrap().solve(&CpuEngine::default()).unwrap().weights, own, "{n} {kind} {p}");
            }
        }
    }
}
