//! What limits did to a portfolio: which hold it, what they cost, and where the budgets are missed.

use serde::{Deserialize, Serialize, Serializer};

use super::limits::{Expected, NamedGroup, NamedLimits, NamedRow, Objective, Terms, contradiction};
use crate::covariance::RiskModel;
use crate::error::Result;
use crate::methods::risk_budgeting::limited::certificate::{At, End};
use crate::methods::risk_budgeting::limited::{self, Found, Problem, Risk};
use crate::methods::{self, ExpectedReturns, Method, Program, limits};

/// A sum is at its limit where it is off by rounding alone.
const ROUNDING: f64 = 1e-9;

/// What a study asks of weights beside budgets, over all assets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Within {
    pub limits: NamedLimits,
    pub terms: Terms,
}

impl Within {
    /// Nothing, of n assets.
    pub fn none(assets: usize) -> Within {
        Within { limits: NamedLimits::none(assets), terms: Terms::default() }
    }

    pub fn is_none(&self) -> bool {
        self.limits.is_none() && self.terms.is_none()
    }

    /// Whether it can be meant for so many assets.
    pub fn is_sound(&self, assets: usize) -> bool {
        self.limits.is_sound(assets) && self.terms.is_sound(assets)
    }

    /// What descent in many lanes at once, on the CPU and on GPUs, does not know of it; none where it knows all.
    pub fn beyond_lanes(&self) -> Option<&'static str> {
        match self.limits.objective {
            _ if self.terms.expected.is_some() => Some("expected returns"),
            Objective::Proportional => Some("proportional shares"),
            Objective::LogBarrier if self.terms.variance_weight.is_some() => Some("a weight of the variance"),
            Objective::LogBarrier => self.limits.limits().beyond_lanes(),
        }
    }

    /// Places of the assets that take part: what is held at a given weight needs no budget.
    pub fn keep(&self, budgets: &[f64]) -> Vec<usize> {
        (0..budgets.len()).filter(|&i| budgets[i] > 0.0 || self.limits.least[i] > 0.0).collect()
    }

    /// Of the assets at these places, with their budgets.
    ///
    /// # Errors
    /// Limits that contradict each other.
    pub fn program(
        &self,
        budgets: &[f64],
        keep: &[usize],
        assets: &[String],
        periods_per_year: Option<f64>,
    ) -> Result<Program> {
        let limits = self.limits.over(keep);
        if let Some(conflict) = limits.limits().conflict() {
            let names: Vec<String> = keep.iter().map(|&i| assets[i].clone()).collect();
            return Err(contradiction(&conflict, &limits, &names));
        }
        let mut program = Program::within(budgets, limits.limits())?;
        let terms = self.terms.over(keep);
        if let Some(Expected { returns, risk_aversion }) = terms.of_sizes(periods_per_year) {
            program = program.expecting(ExpectedReturns { expected: returns, aversion: risk_aversion })?;
        }
        match (limits.objective, terms.variance_weight) {
            (Objective::Proportional, _) => program.seeking(methods::Objective::Proportional),
            (Objective::LogBarrier, Some(gamma)) => program.seeking(methods::Objective::VarianceWeight(gamma)),
            (Objective::LogBarrier, None) => Ok(program),
        }
    }
}

/// Of one portfolio, over all assets.
#[derive(Debug, Clone, Serialize)]
pub struct Limited {
    pub objective: Objective,
    /// What is left of the conditions of the best weights, relative to the budgets.
    pub kkt_error: f64,
    /// ln R(w) - sum b ln w, less what it is without limits; null where there is no portfolio without limits.
    pub limits_cost: Option<f64>,
    /// Volatility of the portfolio without limits, per period.
    pub unlimited_volatility: Option<f64>,
    pub bounds: Vec<Option<Bound>>,
    /// Risk shares less budgets.
    pub budget_misses: Vec<f64>,
    pub groups: Vec<Group>,
    pub limits: Vec<Row>,
    pub multipliers: Multipliers,
    /// Sizes of all positions.
    pub gross: f64,
    /// Long less short.
    pub net: f64,
    /// What is bought of the weights before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub turnover: Option<f64>,
    /// A year; per period where the periods of a year are unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected_return: Option<f64>,
    /// Of proportional shares: s_i = theta b_i where no bound holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub theta: Option<f64>,
}

/// What holds a weight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Bound {
    Min,
    Max,
    Pinned,
    Previous,
    /// Of a sum whose least is its most.
    Equal,
}

impl Bound {
    pub const fn name(self) -> &'static str {
        match self {
            Bound::Min => "min",
            Bound::Max => "max",
            Bound::Pinned => "pinned",
            Bound::Previous => "previous",
            Bound::Equal => "equal",
        }
    }

    fn of(at: At) -> Option<Bound> {
        match at {
            At::Free => None,
            At::Least => Some(Bound::Min),
            At::Most => Some(Bound::Max),
            At::Pinned => Some(Bound::Pinned),
            At::Previous => Some(Bound::Previous),
        }
    }

    /// Of a weight that was put on its bounds exactly; nobody asked for 0 and 1.
    pub fn of_weight(weight: f64, [least, most]: [f64; 2]) -> Option<Bound> {
        match () {
            () if least == most => Some(Bound::Pinned),
            () if weight <= least && least > 0.0 => Some(Bound::Min),
            () if weight >= most && most < 1.0 => Some(Bound::Max),
            () => None,
        }
    }

    /// Of a sum within its limits.
    pub fn of_sum(sum: f64, least: f64, most: f64) -> Option<Bound> {
        match End::of(sum, least, most, ROUNDING) {
            End::Inside => None,
            End::Least => Some(Bound::Min),
            End::Most => Some(Bound::Max),
            End::Both => Some(Bound::Equal),
        }
    }
}

/// A group of assets.
#[derive(Debug, Clone, Serialize)]
pub struct Group {
    pub name: String,
    pub members: Vec<String>,
    pub weight: f64,
    pub min: f64,
    pub max: f64,
    pub at: Option<Bound>,
    pub budget: f64,
    pub risk_share: f64,
}

/// A limit on a sum of weights.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    pub expression: String,
    pub value: f64,
    pub min: Option<f64>,
    pub max: Option<f64>,
    pub at: Option<Bound>,
}

/// What one unit of weight of relaxation saves in `limits_cost`: positive at an upper limit, negative at a lower one.
#[derive(Debug, Clone, Serialize)]
pub struct Multipliers {
    pub sum: f64,
    /// One for each asset.
    pub bounds: Vec<f64>,
    /// By name.
    #[serde(serialize_with = "as_map")]
    pub groups: Vec<(String, f64)>,
    /// One for each of `limits`.
    pub limits: Vec<f64>,
    pub turnover: f64,
}

fn as_map<S: Serializer>(pairs: &[(String, f64)], serializer: S) -> std::result::Result<S::Ok, S::Error> {
    serializer.collect_map(pairs.iter().map(|(name, value)| (name, value)))
}

/// Where a portfolio stands among all assets.
#[derive(Debug, Clone, Copy)]
pub struct Placed<'a> {
    pub assets: &'a [String],
    /// Places of the assets that take part.
    pub keep: &'a [usize],
    /// Over all assets.
    pub limits: &'a NamedLimits,
    /// 1 or -1, over those that take part.
    pub signs: &'a [f64],
    /// A year, of weights over those that take part; none without expected returns.
    pub expected: Option<&'a [f64]>,
}

impl Limited {
    /// Of a portfolio that was found under `model`, all of the assets that take part.
    pub fn of(placed: Placed, program: &Program, model: &RiskModel, found: &Found) -> Limited {
        let Placed { assets, keep, limits, signs, expected } = placed;
        let (n, portfolio, budgets) = (assets.len(), &found.portfolio, program.budgets());
        let spread = |values: &mut dyn Iterator<Item = f64>| {
            let mut all = vec![0.0; n];
            keep.iter().zip(values).for_each(|(&i, value)| all[i] = value);
            all
        };
        let mut bounds = vec![None; n];
        for (&i, at) in keep.iter().zip(&portfolio.at) {
            // Nobody asked for 0 and 1.
            let unasked = match at {
                At::Least => limits.least[i] <= 0.0,
                At::Most => limits.most[i] >= 1.0,
                _ => false,
            };
            bounds[i] = Bound::of(*at).filter(|_| !unasked);
        }
        let free = Method::RiskBudgeting.finished(&program.clone().unlimited(), model);
        let value = |weights: &[f64]| objective(program.problem(model), weights);
        let cost = free.as_ref().map(|free| value(&portfolio.weights) - value(free));
        let own = limits.over(keep);
        let group = |group: &NamedGroup| {
            let sum = |values: &[f64]| group.members.iter().map(|&i| values[i]).sum::<f64>();
            let weight = sum(&portfolio.weights);
            let (least, most) = limits::Group { members: Vec::new(), least: group.least, most: group.most }.ends();
            Group {
                name: group.name.clone(),
                members: group.members.iter().map(|&i| assets[keep[i]].clone()).collect(),
                weight,
                min: group.least,
                max: group.most,
                at: Bound::of_sum(weight, least, most),
                budget: sum(budgets),
                risk_share: sum(&portfolio.shares),
            }
        };
        let row = |row: &NamedRow| {
            let value: f64 = row.coefficients.iter().zip(&portfolio.weights).map(|(a, w)| a * w).sum();
            let (least, most) = (row.least.unwrap_or(f64::NEG_INFINITY), row.most.unwrap_or(f64::INFINITY));
            Row {
                expression: row.expression.clone(),
                value,
                min: row.least,
                max: row.most,
                at: Bound::of_sum(value, least, most),
            }
        };
        let limited::Multipliers { sum, bounds: z, groups, rows, turnover, theta } = &portfolio.multipliers;
        let names = own.limited().map(|group| group.name.clone());
        let signed = |w: (&f64, &f64)| w.0 * w.1;
        Limited {
            objective: limits.objective,
            kkt_error: portfolio.kkt_error,
            // Below rounding there is none.
            limits_cost: cost.map(|cost| if cost.abs() < 1e-14 { 0.0 } else { cost }),
            unlimited_volatility: free.as_ref().map(|free| methods::volatility(model, free)),
            bounds,
            budget_misses: spread(&mut portfolio.shares.iter().zip(budgets).map(|(share, b)| share - b)),
            groups: own.groups.iter().map(group).collect(),
            limits: own.rows.iter().map(row).collect(),
            multipliers: Multipliers {
                sum: *sum,
                bounds: spread(&mut z.iter().copied()),
                groups: names.zip(groups.iter().copied()).collect(),
                limits: rows.clone(),
                turnover: *turnover,
            },
            gross: portfolio.weights.iter().sum(),
            net: portfolio.weights.iter().zip(signs).map(signed).sum(),
            turnover: program.limits().turnover.as_ref().map(|turnover| turnover.of(&portfolio.weights)),
            expected_return: expected.map(|mu| {
                let weights = portfolio.weights.iter().zip(signs).map(signed);
                weights.zip(mu).map(|(w, mu)| w * mu).sum()
            }),
            theta: *theta,
        }
    }

    /// Assets that a bound, or their weight before, holds.
    pub fn held(&self) -> usize {
        self.bounds.iter().flatten().count()
    }
}

/// ln R(w) - sum b ln w.
fn objective(problem: Problem, weights: &[f64]) -> f64 {
    let model = RiskModel { correlation: problem.correlation.to_vec(), volatilities: problem.volatilities.to_vec() };
    let volatility = methods::volatility(&model, weights);
    let risk = match problem.risk {
        Risk::Returns { aversion, expected } => {
            aversion * volatility - expected.iter().zip(weights).map(|(mu, w)| mu * w).sum::<f64>()
        }
        _ => volatility,
    };
    let logs = problem.budgets.iter().zip(weights).filter(|(b, _)| **b > 0.0).map(|(b, w)| b * w.ln());
    risk.ln() - logs.sum::<f64>()
}
