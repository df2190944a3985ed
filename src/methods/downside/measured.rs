//! Every measure of losses behind one door, and the portfolio of a whole history.

use super::expected_shortfall::{self, Form};
use super::{Problem, Rows, semi_deviation};
use crate::methods::RiskMeasure;
use crate::methods::certificate::Status;
use crate::methods::risk_budgeting::{FINISHING_TOLERANCE, Options};
use crate::panel::Panel;

/// Room to solve one problem after the other in.
#[derive(Debug, Clone, Default)]
pub struct Workspace {
    semi_deviation: semi_deviation::Workspace,
    expected_shortfall: expected_shortfall::Workspace,
}

/// What travels with the weights.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Found {
    pub status: Status,
    pub rc_error: f64,
    /// Of expected shortfall, with weights.
    pub slack: Option<f64>,
    /// Of the returned weights, per period; NaN without weights.
    pub risk: f64,
    pub steps: u32,
}

fn shortfall<'a>((level, centred): (f64, bool), panel: &'a Panel, tolerance: f64) -> expected_shortfall::Options<'a> {
    let form = if centred { Form::Centred } else { Form::Raw { taken: panel.means() } };
    expected_shortfall::Options { level, form, tolerance }
}

/// Solves a problem whose rows are those of `panel` and writes its weights; NaN where there are none. With `finish`, to
/// rounding where that can be told from the solution, and to the tolerance where it cannot. Volatility is no measure of
/// losses: it has no portfolio here.
pub fn solve(
    measure: RiskMeasure,
    panel: &Panel,
    problem: Problem,
    options: Options,
    work: &mut Workspace,
    weights: &mut [f64],
) -> Found {
    let mut to = |tolerance: f64| solve_to(tolerance, measure, panel, problem, work, weights);
    if options.finish && options.tolerance > FINISHING_TOLERANCE {
        let found = to(FINISHING_TOLERANCE);
        if found.status != Status::Stalled {
            return found;
        }
    }
    to(options.tolerance)
}

fn solve_to(
    tolerance: f64,
    measure: RiskMeasure,
    panel: &Panel,
    problem: Problem,
    work: &mut Workspace,
    weights: &mut [f64],
) -> Found {
    match measure {
        RiskMeasure::Volatility => {
            weights.fill(f64::NAN);
            let nan = f64::NAN;
            Found { status: Status::Invalid, rc_error: nan, slack: None, risk: nan, steps: 0 }
        }
        RiskMeasure::SemiDeviation => {
            let found = semi_deviation::solve(problem, tolerance, &mut work.semi_deviation, weights);
            let semi_deviation::Found { status, rc_error, risk, steps } = found;
            Found { status, rc_error, slack: None, risk, steps }
        }
        RiskMeasure::ExpectedShortfall { level, centred } => {
            let options = shortfall((level, centred), panel, tolerance);
            let found = expected_shortfall::solve(problem, options, &mut work.expected_shortfall, weights);
            let expected_shortfall::Found { status, rc_error, slack, risk, steps, .. } = found;
            Found { status, rc_error, slack: Some(slack).filter(|slack| !slack.is_nan()), risk, steps }
        }
    }
}

/// The error of anybody's weights for this problem; none where it is not a number. Of expected shortfall, with the
/// rows of the tail that the portfolio itself has, which `work` solves for.
pub fn certify(
    measure: RiskMeasure,
    panel: &Panel,
    problem: Problem,
    options: Options,
    work: &mut Workspace,
    weights: &[f64],
) -> Option<f64> {
    match measure {
        RiskMeasure::Volatility => None,
        RiskMeasure::SemiDeviation => semi_deviation::certify(problem, weights).map(|found| found.rc_error),
        RiskMeasure::ExpectedShortfall { level, centred } => {
            solve(measure, panel, problem, options, work, &mut vec![0.0; weights.len()]);
            let options = shortfall((level, centred), panel, options.tolerance);
            let shares = work.expected_shortfall.shares().get(..problem.counts.len())?;
            expected_shortfall::certify(problem, options, weights, shares).map(|found| found.rc_error)
        }
    }
}

/// The portfolio of a whole history.
#[derive(Debug, Clone, PartialEq)]
pub struct Portfolio {
    /// NaN where there are none.
    pub weights: Vec<f64>,
    pub found: Found,
    /// What each asset contributes to the risk, as the certificate has it; none without weights.
    pub contributions: Option<Vec<f64>>,
    /// Where there is no solution, a long-only mix without risk that proves it: weights that sum to one.
    pub proof: Option<Vec<f64>>,
}

/// The rows of a panel, laid out for passes.
pub fn rows(panel: &Panel) -> Rows {
    Rows::new(panel.values(), panel.assets()).expect("numbers of a panel are finite, and its rows can be counted")
}

/// To rounding, where that can be told; to the tolerance where it cannot.
#[must_use]
pub fn whole(measure: RiskMeasure, panel: &Panel, budgets: &[f64], tolerance: f64) -> Portfolio {
    let counts = vec![1.0; panel.rows()];
    let rows = rows(panel);
    let problem = Problem { rows: &rows, counts: &counts, units: panel.volatilities(), budgets, start: None };
    let (mut work, mut weights) = (Workspace::default(), vec![0.0; budgets.len()]);
    let found = solve(measure, panel, problem, Options { tolerance, finish: true }, &mut work, &mut weights);
    let (contributions, direction) = match measure {
        RiskMeasure::ExpectedShortfall { level, centred } => {
            let shares = work.expected_shortfall.shares();
            let shares = &shares[..panel.rows().min(shares.len())];
            let options = shortfall((level, centred), panel, tolerance);
            let certified = expected_shortfall::certify(problem, options, &weights, shares);
            (certified.map(|found| found.contributions), work.expected_shortfall.direction())
        }
        _ => {
            let certified = semi_deviation::certify(problem, &weights);
            (certified.map(|found| found.contributions), work.semi_deviation.direction())
        }
    };
    let proof = (found.status == Status::NoSolution && !direction.is_empty()).then(|| direction.to_vec());
    Portfolio { weights, found, contributions, proof }
}
