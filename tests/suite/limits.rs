//! Risk budgeting within limits, where the answer is proved elsewhere.

use equirisk::Status;
use equirisk::methods::risk_budgeting::validity::model;
use equirisk::methods::limits::{Group, Limits, Row, Turnover};
use equirisk::methods::risk_budgeting::Options;
use equirisk::methods::risk_budgeting::limited::{Found, Problem, Risk, Workspace};
use equirisk::methods::{ExpectedReturns, Objective, Program};
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
        let turnover = case["max_turnover"].as_f64().map(|most| Turnover { previous: numbers(&case["previous"]), most });
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
}

/// Kinds of bounds on n assets, around a portfolio where they are of one.
fn bounds(kind: &str, n: usize, around: &[f64], random: &mut Sequence) -> Option<Limits> {
    let equal = 1.0 / n as f64;
    let mut limits = Limits::none(n);
    match kind {
        "caps" => limits.most = vec![1.5 * equal; n],
        "floors" => limits.least = vec![0.5 * equal; n],
        "both" => (limits.least, limits.most) = (vec![0.2 * equal; n], vec![2.0 * equal; n]),
        "tight" => (limits.least, limits.most) = (vec![0.9 * equal; n], vec![1.1 * equal; n]),
        "around" => {
            limits.least = around.iter().map(|w| 0.6 * w).collect();
            limits.most = around.iter().map(|w| (1.4 * w).min(1.0)).collect();
        }
        "random" => {
            limits.least = (0..n).map(|_| random.next() * 0.8 * equal).collect();
            limits.most = limits.least.iter().map(|least| (least + random.next() * 3.0 * equal).min(1.0)).collect();
        }
        "pinned" => {
            for i in (0..n).step_by(3) {
                (limits.least[i], limits.most[i]) = (0.5 * equal, 0.5 * equal);
            }
        }
        _ => limits.most = vec![1.0001 * equal; n],
    }
    limits.most.iter_mut().for_each(|most| *most = most.min(1.0));
    limits.conflict().is_none().then_some(limits)
}

/// Covariances of reference cases and of windows of the sample.
fn covariances() -> Vec<(String, Vec<f64>)> {
    let index = json("reference/index.json");
    let names = index["cases"].as_array().unwrap().iter().map(|case| case["name"].as_str().unwrap().to_string());
    names.map(|name| (name.clone(), Npz::open(&format!("reference/{name}.npz")).array("cov").1)).collect()
}

const KINDS: [&str; 8] = ["caps", "floors", "both", "tight", "around", "random", "pinned", "sum"];

#[test]
fn ordinary_bounds_take_about_ten_sweeps() {
    use equirisk::methods::risk_budgeting::limited::descent::{self, Ending, descend};
    let mut random = Sequence(7);
    let (mut sweeps, mut left) = (Vec::new(), Vec::new());
    for (name, covariance) in covariances() {
        let risk = model(&covariance, true).unwrap();
        let n = risk.volatilities.len();
        let budgets = vec![1.0 / n as f64; n];
        let inverse: f64 = risk.volatilities.iter().map(|s| s.recip()).sum();
        let around: Vec<f64> = risk.volatilities.iter().map(|s| s.recip() / inverse).collect();
        for kind in KINDS {
            let Some(limits) = bounds(kind, n, &around, &mut random) else { continue };
            let problem = Problem {
                correlation: &risk.correlation,
                volatilities: &risk.volatilities,
                budgets: &budgets,
                limits: &limits,
                risk: Risk::Volatility,
            };
            let (ending, taken) = descend(problem, 1e-10, 200, &mut descent::Workspace::default());
            if ending == Ending::Converged {
                sweeps.push(taken);
            } else {
                left.push(format!("{name} {kind} {ending:?} {taken}"));
            }
        }
    }
    sweeps.sort_unstable();
    println!("{} solved, median {}, 90 % {}, {} left: {left:#?}", sweeps.len(), sweeps[sweeps.len() / 2], sweeps[sweeps.len() * 9 / 10], left.len());
}
