//! What travels with every weight vector.

use serde::Serialize;

/// How a problem ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// The certified error lies within the tolerance.
    Converged,
    /// The rounding floor or the sweep limit was reached first.
    Stalled,
    /// Within the limits there is a mix without variance, or without risk: no risk-budgeting portfolio exists.
    NoSolution,
    /// No weights are within the limits.
    Infeasible,
    /// The problem's own input is bad.
    Invalid,
}

impl Status {
    pub const ALL: [Status; 5] =
        [Status::Converged, Status::Stalled, Status::NoSolution, Status::Infeasible, Status::Invalid];

    /// The byte that stands for it in a file.
    pub const fn code(self) -> u8 {
        match self {
            Status::Converged => 0,
            Status::Stalled => 1,
            Status::NoSolution => 2,
            Status::Invalid => 3,
            Status::Infeasible => 4,
        }
    }

    pub fn from_code(code: u8) -> Option<Status> {
        Status::ALL.into_iter().find(|status| status.code() == code)
    }

    pub const fn name(self) -> &'static str {
        match self {
            Status::Converged => "converged",
            Status::Stalled => "stalled",
            Status::NoSolution => "no_solution",
            Status::Infeasible => "infeasible",
            Status::Invalid => "invalid",
        }
    }
}

/// What travels with the weights of a method beside risk budgeting that had to be solved for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Proof {
    pub status: Status,
    /// What is left of the portfolio's own conditions, from the returned weights by a fresh product: `gap` of the quadratic
    /// methods, `split_error` of hierarchical risk parity, `rc_error` of volatility parity; NaN without weights.
    pub error: f64,
    /// Of hierarchical risk parity, how far the tree is from another; NaN of other methods.
    pub margin: f64,
    /// No other portfolio is as good.
    pub unique: bool,
    /// Volatility of the returned weights under the covariance they were solved for, per period; NaN without weights.
    pub volatility: f64,
}

impl Proof {
    /// Of a problem without weights.
    pub const fn unsolved(status: Status) -> Proof {
        Proof { status, error: f64::NAN, margin: f64::NAN, unique: false, volatility: f64::NAN }
    }
}

/// What travels with every weight vector: how the problem ended and how far its weights are from the budgets.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Certificate {
    pub status: Status,
    /// max_i |w_i (S w)_i / w'S w - b_i| / b_i, from the returned weights by a fresh product; NaN without weights. Under
    /// another measure of risk R, max_i |w_i dR/dw_i / R - b_i| / b_i.
    pub rc_error: f64,
    /// max_i (|C| y)_i / |(C y)_i|: rc_error cannot go below about 8 eps kappa. NaN where it was not needed.
    pub kappa: f64,
    /// Sweeps of coordinate descent (Newton steps of the fallback included).
    pub sweeps: u32,
    /// The GPU could not finish this problem and the CPU took over.
    pub rescued: bool,
    /// Volatility of the returned weights under the covariance they were solved for, per period; NaN without weights.
    pub volatility: f64,
    /// Of expected shortfall: no portfolio is better by more than this ([`super::downside::expected_shortfall`]). None of
    /// other measures, and without weights.
    pub slack: Option<f64>,
    /// Within limits, what is left of the conditions of the best weights ([`super::risk_budgeting::limited`]): that, and not
    /// rc_error, lies within the tolerance. None without limits, and without weights.
    pub kkt_error: Option<f64>,
}

impl Certificate {
    /// The certificate of a problem whose error is so far above the rounding floor that kappa was not needed.
    pub fn converged(rc_error: f64, sweeps: u32, volatility: f64) -> Certificate {
        Certificate {
            status: Status::Converged,
            rc_error,
            sweeps,
            volatility,
            ..Certificate::unsolved(Status::Converged)
        }
    }

    /// What lies within the tolerance where the problem converged.
    pub fn error(&self) -> f64 {
        self.kkt_error.unwrap_or(self.rc_error)
    }

    /// The certificate of a problem without weights.
    pub fn unsolved(status: Status) -> Certificate {
        let nan = f64::NAN;
        Certificate {
            status,
            rc_error: nan,
            kappa: nan,
            sweeps: 0,
            rescued: false,
            volatility: nan,
            slack: None,
            kkt_error: None,
        }
    }
}
