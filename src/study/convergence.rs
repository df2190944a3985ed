//! How an estimate settles as resamples accumulate: the distribution of one asset's weight over the first so many of
//! them, in index order.

use super::summary::Summary;
use crate::batch::Solutions;
use crate::certificate::Status;

/// Fewer resamples have no quantiles to speak of.
const FEWEST: usize = 20;

/// The weight over the first resamples of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    pub resamples: usize,
    pub weight: Summary,
}

/// Over the first 20, 50, 100, 200, .. resamples, and over all. Only converged ones count.
pub fn convergence(solutions: &Solutions, asset: usize) -> Vec<Step> {
    let total = solutions.certificates.len();
    let assets = solutions.weights.len() / total.max(1);
    let weight = |at: usize| {
        (solutions.certificates[at].status == Status::Converged).then(|| solutions.weights[at * assets + asset])
    };
    let round = (1..).flat_map(|power| [1, 2, 5].map(|digit| digit * 10_usize.pow(power)));
    let steps = round.skip_while(|&count| count < FEWEST).take_while(|&count| count < total);
    steps
        .chain([total])
        .map(|resamples| Step { resamples, weight: Summary::of((0..resamples).filter_map(weight)) })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::certificate::Certificate;

    #[test]
    fn what_did_not_converge_does_not_count() {
        let weights: Vec<f64> = (0..60).flat_map(|p| [f64::from(p), 0.5]).collect();
        let mut certificates = vec![Certificate::converged(1e-9, 4, 0.1); 60];
        certificates[3].status = Status::Stalled;
        let solutions = Solutions { weights, certificates, ..Solutions::default() };
        let steps = convergence(&solutions, 0);
        assert_eq!(steps.iter().map(|step| step.resamples).collect::<Vec<_>>(), [20, 50, 60]);
        // 0 to 19 without 3.
        assert!((steps[0].weight.mean - 187.0 / 19.0).abs() < 1e-12);
        assert_eq!(convergence(&solutions, 1)[2].weight.mean, 0.5);
    }
}
