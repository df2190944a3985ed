//! Solutions as columns: what is kept of a chunk of portfolios.

use super::columns::Columns;
use crate::batch::{Comparisons, Solutions};
use crate::methods::Method;
use crate::methods::certificate::{Certificate, Status};

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
        if comparisons.methods.is_empty() {
            return columns;
        }
        columns
            .with("methods", comparisons.methods.iter().map(|method| method.code()).collect::<Vec<u8>>())
            .with("volatilities", comparisons.volatilities)
            .with("portfolios", comparisons.portfolios)
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
            && columns.f64s("parameter").is_none_or(|all| all.len() as u64 == problems)
    }

    /// Of so many problems of `assets` assets each; none where the columns are of something else.
    pub fn from_columns(columns: &Columns, problems: u64, assets: usize) -> Option<Solutions> {
        if !Solutions::are_in(columns, problems, assets) {
            return None;
        }
        let (rc_error, kappa, volatility) =
            (columns.f64s("rc_error")?, columns.f64s("kappa")?, columns.f64s("volatility")?);
        let (sweeps, statuses, rescued) = (columns.u32s("sweeps")?, columns.u8s("status")?, columns.u8s("rescued")?);
        let certificate = |at: usize| {
            Some(Certificate {
                status: Status::from_code(statuses[at])?,
                rc_error: rc_error[at],
                kappa: kappa[at],
                sweeps: sweeps[at],
                rescued: rescued[at] != 0,
                volatility: volatility[at],
            })
        };
        let comparisons = match columns.u8s("methods") {
            None => Comparisons::default(),
            Some(methods) => Comparisons {
                methods: methods.iter().map(|&code| Method::from_code(code)).collect::<Option<_>>()?,
                volatilities: columns.f64s("volatilities")?.to_vec(),
                portfolios: columns.f64s("portfolios")?.to_vec(),
            },
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
        for compared in [false, true] {
            let columns = |rows: usize| if compared { (0..rows).map(|i| 0.1 + i as f64).collect() } else { Vec::new() };
            let solutions = Solutions {
                weights: vec![0.25, 0.75, f64::NAN, f64::NAN, 1.0 / 3.0, 2.0 / 3.0],
                certificates: vec![
                    Certificate::converged(1e-9, 7, 0.01),
                    Certificate::unsolved(Status::NoSolution),
                    Certificate { rescued: true, kappa: 3.5, ..Certificate::converged(2e-9, 11, 0.02) },
                ],
                comparisons: Comparisons {
                    methods: if compared { Method::CLOSED_FORMS.to_vec() } else { Vec::new() },
                    volatilities: columns(6),
                    portfolios: columns(6),
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
