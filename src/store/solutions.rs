//! Solutions as columns: what is kept of a chunk of portfolios.

use super::columns::Columns;
use crate::batch::solutions::Solved;
use crate::batch::{Comparisons, Solutions};
use crate::methods::Method;
use crate::methods::certificate::{Certificate, Proof, Status};

impl From<Solutions> for Columns {
    fn from(solutions: Solutions) -> Columns {
        let Solutions { weights, certificates, comparisons, parameters } = solutions;
        let floats = |of: fn(&Certificate) -> f64| certificates.iter().map(of).collect::<Vec<f64>>();
        let columns = Columns::default()
            .with("weights", weights)
            .with("rc_error", floats(|c| c.rc_error))
            .with("kappa", floats(|c| c.kappa))
            .with("volatility", floats(|c| c.volatility))
            .with("sweeps", certificates.iter().map(|c| c.sweeps).collect::<Vec<u32>>())
            .with("status", certificates.iter().map(|c| c.status.code()).collect::<Vec<u8>>())
            .with("rescued", certificates.iter().map(|c| u8::from(c.rescued)).collect::<Vec<u8>>());
        let columns = if parameters.is_empty() { columns } else { columns.with("parameter", parameters) };
        // Of few measures of risk, and with limits.
        let some = |columns: Columns, name: &str, of: fn(&Certificate) -> Option<f64>| {
            let all: Vec<f64> = certificates.iter().map(|c| of(c).unwrap_or(f64::NAN)).collect();
            if all.iter().all(|x| x.is_nan()) { columns } else { columns.with(name, all) }
        };
        let columns = some(columns, "slack", |c| c.slack);
        let columns = some(columns, "kkt_error", |c| c.kkt_error);
        if comparisons.methods.is_empty() {
            return columns;
        }
        let mut columns = columns
            .with("methods", comparisons.methods.iter().map(|method| method.code()).collect::<Vec<u8>>())
            .with("volatilities", comparisons.volatilities)
            .with("portfolios", comparisons.portfolios);
        for Solved { method, weights, proofs } in comparisons.solved {
            let floats = |of: fn(&Proof) -> f64| proofs.iter().map(of).collect::<Vec<f64>>();
            let bytes = |of: fn(&Proof) -> u8| proofs.iter().map(of).collect::<Vec<u8>>();
            columns = columns
                .with(of(method, "weights"), weights)
                .with(of(method, "error"), floats(|proof| proof.error))
                .with(of(method, "margin"), floats(|proof| proof.margin))
                .with(of(method, "volatility"), floats(|proof| proof.volatility))
                .with(of(method, "status"), bytes(|proof| proof.status.code()))
                .with(of(method, "unique"), bytes(|proof| u8::from(proof.unique)));
        }
        columns
    }
}

/// The name of a column of a method.
fn of(method: Method, what: &str) -> String {
    format!("{}.{what}", method.name())
}

impl Solved {
    fn from_columns(columns: &Columns, method: Method, problems: usize, assets: usize) -> Option<Solved> {
        let floats = |what: &str, each: usize| {
            columns.f64s(&of(method, what)).filter(|numbers| numbers.len() == problems * each)
        };
        let bytes = |what: &str| columns.u8s(&of(method, what)).filter(|bytes| bytes.len() == problems);
        let (error, margin, volatility) = (floats("error", 1)?, floats("margin", 1)?, floats("volatility", 1)?);
        let (status, unique) = (bytes("status")?, bytes("unique")?);
        let proof = |at: usize| {
            let status = Status::from_code(status[at])?;
            let (error, margin, volatility) = (error[at], margin[at], volatility[at]);
            Some(Proof { status, error, margin, unique: unique[at] != 0, volatility })
        };
        let weights = floats("weights", assets)?.to_vec();
        Some(Solved { method, weights, proofs: (0..problems).map(proof).collect::<Option<_>>()? })
    }
}

impl Solutions {
    /// Whether the columns are of so many problems of `assets` assets each.
    pub fn are_in(columns: &Columns, problems: u64, assets: usize) -> bool {
        let floats = |name: &str, each: usize| {
            columns.f64s(name).is_some_and(|numbers| Some(numbers.len() as u64) == problems.checked_mul(each as u64))
        };
        let methods = columns.u8s("methods");
        let compared = |methods: &[u8]| {
            methods.iter().all(|&code| Method::from_code(code).is_some())
                && floats("volatilities", assets)
                && floats("portfolios", methods.len())
        };
        let statuses = columns.u8s("status").unwrap_or_default();
        floats("weights", assets)
            && ["rc_error", "kappa", "volatility"].iter().all(|name| floats(name, 1))
            && columns.u32s("sweeps").is_some_and(|sweeps| sweeps.len() as u64 == problems)
            && columns.u8s("rescued").is_some_and(|rescued| rescued.len() as u64 == problems)
            && statuses.len() as u64 == problems
            && statuses.iter().all(|&code| Status::from_code(code).is_some())
            && methods.is_none_or(compared)
            && ["parameter", "slack", "kkt_error"]
                .iter()
                .all(|name| columns.f64s(name).is_none_or(|all| all.len() as u64 == problems))
    }

    /// Of so many problems of `assets` assets each; none where the columns are of something else.
    pub fn from_columns(columns: &Columns, problems: u64, assets: usize) -> Option<Solutions> {
        if !Solutions::are_in(columns, problems, assets) {
            return None;
        }
        let (rc_error, kappa, volatility) =
            (columns.f64s("rc_error")?, columns.f64s("kappa")?, columns.f64s("volatility")?);
        let (sweeps, statuses, rescued) = (columns.u32s("sweeps")?, columns.u8s("status")?, columns.u8s("rescued")?);
        let maybe = |all: Option<&[f64]>, at: usize| all.map(|all| all[at]).filter(|x| !x.is_nan());
        let (slack, kkt_error) = (columns.f64s("slack"), columns.f64s("kkt_error"));
        let certificate = |at: usize| {
            Some(Certificate {
                status: Status::from_code(statuses[at])?,
                rc_error: rc_error[at],
                kappa: kappa[at],
                sweeps: sweeps[at],
                rescued: rescued[at] != 0,
                volatility: volatility[at],
                slack: maybe(slack, at),
                kkt_error: maybe(kkt_error, at),
            })
        };
        let comparisons = match columns.u8s("methods") {
            None => Comparisons::default(),
            Some(codes) => {
                let methods: Vec<Method> = codes.iter().map(|&code| Method::from_code(code)).collect::<Option<_>>()?;
                let kept = |method: Method| columns.f64s(&of(method, "weights")).is_some();
                let solved = methods.iter().filter(|method| method.is_solved() || kept(**method));
                let solved = solved.map(|&method| Solved::from_columns(columns, method, problems as usize, assets));
                Comparisons {
                    solved: solved.collect::<Option<_>>()?,
                    methods,
                    volatilities: columns.f64s("volatilities")?.to_vec(),
                    portfolios: columns.f64s("portfolios")?.to_vec(),
                }
            }
        };
        let certificates = (0..statuses.len()).map(certificate).collect::<Option<_>>()?;
        let parameters = columns.f64s("parameter").unwrap_or_default().to_vec();
        Some(Solutions { weights: columns.f64s("weights")?.to_vec(), certificates, comparisons, parameters })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn solutions_come_back_bit_by_bit() {
        let solved = Solved {
            method: Method::HierarchicalRiskParity,
            weights: vec![0.5, 0.5, f64::NAN, f64::NAN, 0.1, 0.9],
            proofs: [Status::Converged, Status::NoSolution, Status::Stalled]
                .map(|status| Proof { margin: 1.0 / 3.0, ..Proof::unsolved(status) })
                .to_vec(),
        };
        for compared in [false, true] {
            let columns = |rows: usize| if compared { (0..rows).map(|i| 0.1 + i as f64).collect() } else { Vec::new() };
            let solutions = Solutions {
                weights: vec![0.25, 0.75, f64::NAN, f64::NAN, 1.0 / 3.0, 2.0 / 3.0],
                certificates: vec![
                    Certificate::converged(1e-9, 7, 0.01),
                    Certificate::unsolved(Status::NoSolution),
                    Certificate {
                        rescued: true,
                        kappa: 3.5,
                        slack: Some(1e-9),
                        kkt_error: Some(3e-9),
                        ..Certificate::converged(2e-9, 11, 0.02)
                    },
                ],
                comparisons: Comparisons {
                    methods: if compared { vec![Method::Fixed(1), solved.method] } else { Vec::new() },
                    volatilities: columns(6),
                    portfolios: columns(6),
                    solved: if compared { vec![solved.clone()] } else { Vec::new() },
                },
                parameters: columns(3),
            };
            let kept = Columns::from(solutions.clone());
            let found = Solutions::from_columns(&kept, 3, 2).expect("they were kept");
            assert_eq!(format!("{found:?}"), format!("{solutions:?}"));
            assert!(Solutions::from_columns(&kept, 3, 3).is_none() && Solutions::from_columns(&kept, 2, 2).is_none());
        }
    }
}
