//! How an estimate settles as resamples accumulate: the distribution of one asset's weight over the first so many of
//! them, in index order.

use super::distribution::{Asked, CENTRAL, Distribution};
use super::figure::Figure;
use super::passes::Passes;
use super::summary::Summary;
use crate::error::Result;
use crate::methods::Method;
use crate::observer::Observer;

/// Fewer resamples have no quantiles to speak of.
const FEWEST: u64 = 20;

/// The weight over the first resamples of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    pub resamples: u64,
    pub weight: Summary,
}

/// 20, 50, 100, 200, .. below `total`.
fn counts(total: u64) -> impl Iterator<Item = u64> {
    // Up to five times the largest power of ten that fits.
    let round = (1..19).flat_map(|power| [1, 2, 5].map(|digit| digit * 10_u64.pow(power)));
    round.skip_while(|&count| count < FEWEST).take_while(move |&count| count < total)
}

/// Problems read for the steps of so many.
pub fn work(total: u64) -> u64 {
    counts(total).last().unwrap_or_default()
}

/// The risk-budgeting weight of an asset over the first 20, 50, 100, 200, .. resamples, and over `all`. Only converged
/// ones count.
///
/// # Errors
/// Those of the blocks and the observer.
pub fn convergence(passes: &Passes, asset: usize, all: Summary, observer: &mut dyn Observer) -> Result<Vec<Step>> {
    let total = passes.problems;
    let passes = Passes { problems: work(total), ..*passes };
    let mut weights = Vec::new();
    let mut steps = Vec::new();
    let mut due = counts(total).peekable();
    let mut start = 0;
    passes.pass(&[(Method::RiskBudgeting, Figure::Weight(asset))], observer, |sheets| {
        for sheet in sheets {
            let end = start + sheet.problems as u64;
            while let Some(resamples) = due.next_if(|&count| count <= end) {
                let before = sheet.kept.partition_point(|&at| start + (at as u64) < resamples);
                steps.push((resamples, weights.len() + before));
            }
            weights.extend_from_slice(sheet.column(0));
            start = end;
        }
    })?;
    let mut found = Vec::with_capacity(steps.len() + 1);
    for (resamples, converged) in steps {
        observer.check()?;
        let weight = Distribution::of(Asked::quantiles(CENTRAL), &weights[..converged]);
        found.push(Step { resamples, weight: Summary::from(&weight) });
    }
    found.push(Step { resamples: total, weight: all });
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::{Comparisons, Solutions};
    use crate::covariance::full_sample;
    use crate::methods::certificate::{Certificate, Status};
    use crate::methods::{Program, Selection};
    use crate::observer::Unwatched;
    use crate::panel::{Labels, Panel, Returns};
    use crate::resample::{Law, Scheme};
    use crate::study::statistics::figure::Setting;

    #[test]
    fn what_did_not_converge_does_not_count() {
        let assets = vec!["A".to_string(), "B".to_string()];
        let labels = Labels::Text(["1", "2", "3"].map(String::from).to_vec());
        let returns = Returns { assets: assets.clone(), labels, values: vec![0.01, 0.0, 0.0, 0.02, -0.01, 0.01] };
        let panel = Panel::new(&returns).unwrap();
        let law = Law::new(Scheme::Iid, 1.0, 3, 1, 0).unwrap();
        let full = full_sample(&panel);
        let beside = Selection::NONE;
        let program = Program::new(&[0.5, 0.5]).unwrap();
        let setting = Setting::new((&panel, &law), (&full, &full, None), (&assets, &program), (&beside, &[None]), None);
        // More than a block.
        let total = 6000;
        let mut certificates = vec![Certificate::converged(1e-9, 4, 0.1); total];
        certificates[3].status = Status::Stalled;
        let solutions = Solutions {
            weights: (0..total).flat_map(|p| [p as f64, 0.5]).collect(),
            certificates,
            comparisons: Comparisons { volatilities: vec![0.1; 2 * total], ..Comparisons::default() },
            parameters: Vec::new(),
        };
        let passes = Passes { setting: &setting, blocks: &solutions, problems: total as u64 };
        let steps = convergence(&passes, 0, Summary::of([1.0, 2.0]), &mut Unwatched).unwrap();
        let resamples: Vec<u64> = steps.iter().map(|step| step.resamples).collect();
        assert_eq!(resamples, [20, 50, 100, 200, 500, 1000, 2000, 5000, 6000]);
        for step in &steps[..8] {
            let weights = (0..step.resamples).filter(|p| *p != 3).map(|p| p as f64);
            // As text, for the errors of small samples are no numbers.
            assert_eq!(format!("{:?}", step.weight), format!("{:?}", Summary::of(weights)));
        }
        assert_eq!(steps[8].weight.mean, 1.5);
    }
}
