//! What is said of a problem without a certified portfolio.

use crate::covariance::{Estimator, RiskModel};
use crate::error::{Error, ErrorKind, option};
use crate::methods::certificate::{Certificate, Status};
use crate::methods::risk_budgeting::existence;
use crate::methods::risk_budgeting::limited::{Found, Problem, Risk, interior};
use crate::methods::{ExpectedReturns, Objective, Program, volatility};

/// "0.6000 A + 0.4000 B and 2 more": the largest first, scaled to sum to one.
pub fn mixed<'a>(weights: impl Iterator<Item = (f64, &'a str)>) -> String {
    let mut mix: Vec<(f64, &str)> = weights.collect();
    let total: f64 = mix.iter().map(|(w, _)| w).sum();
    mix.retain(|(w, _)| *w > 0.0);
    mix.sort_by(|a, b| b.0.total_cmp(&a.0));
    let more = if mix.len() > 8 { format!(" and {} more", mix.len() - 8) } else { String::new() };
    let shown: Vec<String> = mix.iter().take(8).map(|(w, name)| format!("{:.4} {name}", w / total)).collect();
    shown.join(" + ") + &more
}

/// Above this kappa it is the assets that make a problem hard.
const HEDGED: f64 = 1e4;

/// The error for a problem without a certified portfolio: what is known, and the proof where there is one.
pub fn of(
    certificate: &Certificate,
    risk: &RiskModel,
    assets: &[&str],
    tolerance: f64,
    estimator: Option<Estimator>,
) -> Error {
    let status = certificate.status.name();
    let proof = (certificate.status == Status::NoSolution)
        .then(|| existence::zero_variance_direction(&risk.correlation))
        .flatten();
    match proof {
        Some(direction) => {
            // In weights: d is in units of volatility.
            let weights = direction.iter().zip(&risk.volatilities).map(|(d, s)| d / s);
            let shown = mixed(weights.zip(assets.iter().copied()));
            Error::new(
                ErrorKind::Unsolved,
                format!(
                    "{status}: no risk-budgeting portfolio exists, because a long-only mix has no variance: {shown}"
                ),
            )
            .hint(match estimator {
                Some(Estimator::Ewma { .. }) => format!(
                    "give a longer {}: few rows count, and over these the mix does not move",
                    option("half-life")
                ),
                Some(Estimator::Sample) => format!(
                    "leave one of these assets out with {}, take a longer history, or shrink the covariance: {}",
                    option("assets"),
                    option("estimator").word("ledoit-wolf")
                ),
                _ => format!("leave one of these assets out with {}, or take a longer history", option("assets")),
            })
        }
        _ => Error::new(
            ErrorKind::Unsolved,
            format!(
                "{status}: the best weights have an rc_error of {:.1e}, above the tolerance of {tolerance:.0e} (kappa {:.3e}, {} sweeps)",
                certificate.rc_error, certificate.kappa, certificate.sweeps
            ),
        )
        .hint(if let (true, Some(Estimator::Ewma { .. })) = (certificate.kappa > HEDGED, estimator) {
            format!("over the few rows that count, assets hedge each other almost perfectly: give a longer {}", option("half-life"))
        } else if certificate.kappa > HEDGED {
            format!("the assets hedge each other almost perfectly: rounding alone exceeds the tolerance; a looser {} or fewer assets help", option("tolerance"))
        } else {
            format!("rounding alone may exceed this tolerance: try a looser {}", option("tolerance"))
        }),
    }
}

/// The same within limits: of sizes, whose signs are given.
pub fn within_limits(
    found: &Found,
    program: &Program,
    risk: &RiskModel,
    assets: &[&str],
    signs: &[f64],
    (tolerance, periods_per_year): (f64, Option<f64>),
) -> Error {
    let Found { status, portfolio, sweeps } = found;
    let name = status.name();
    let shown = |weights: &[f64]| {
        let short = |i: usize| if signs[i] < 0.0 { format!("{} short", assets[i]) } else { assets[i].to_string() };
        let names: Vec<String> = (0..assets.len()).map(short).collect();
        mixed(weights.iter().copied().zip(names.iter().map(String::as_str)))
    };
    let unsolved = |message: String| Error::new(ErrorKind::Unsolved, format!("{name}: {message}"));
    if *status != Status::NoSolution {
        return unsolved(format!(
            "the best weights have a kkt_error of {:.1e}, above the tolerance of {tolerance:.0e} ({sweeps} sweeps)",
            portfolio.kkt_error
        ))
        .hint(format!("rounding alone may exceed this tolerance: try a looser {}", option("tolerance")));
    }
    if program.objective() == Objective::Proportional {
        return unsolved(
            "no weights within the bounds have shares in proportion to the budgets: the least-variance weights between the \
             bounds sum to more than 1"
                .to_string(),
        )
        .hint(format!("{} has a portfolio for all bounds", option("objective").word("log-barrier")));
    }
    if let Some(ExpectedReturns { expected, aversion }) = program.returns() {
        // The largest ratio within the limits.
        let zeros = vec![0.0; assets.len()];
        let problem = Problem { budgets: &zeros, risk: Risk::Quadratic { linear: expected }, ..program.problem(risk) };
        let best = interior::solve(problem).weights;
        let ratio = |weights: &[f64]| {
            let mean: f64 = weights.iter().zip(expected).map(|(w, mu)| w * mu).sum();
            mean / volatility(risk, weights)
        };
        let (mix, ratio) = [&best, &portfolio.weights]
            .map(|weights| (weights, ratio(weights)))
            .into_iter()
            .filter(|(_, ratio)| !ratio.is_nan())
            .fold((&portfolio.weights, f64::NEG_INFINITY), |a, b| if b.1 > a.1 { b } else { a });
        if ratio >= *aversion {
            let (scale, year) = periods_per_year.map_or((1.0, ""), |periods| (periods.sqrt(), " a year"));
            return unsolved(format!(
                "the mix {} has a Sharpe ratio of {:.4}{year}, so that its risk is not above zero",
                shown(mix),
                ratio * scale
            ))
            .hint(format!("{} must exceed that ratio", option("risk-aversion")));
        }
    }
    unsolved(format!(
        "no risk-budgeting portfolio exists, because a mix within the limits has no variance: {}",
        shown(&portfolio.weights)
    ))
    .hint(format!(
        "leave one of these assets out with {}, or keep them apart with {} or {}",
        option("assets"),
        option("max-weight"),
        option("min-weight")
    ))
}
