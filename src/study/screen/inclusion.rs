//! Which assets the best subsets hold: often more useful than the list.

use rayon::prelude::*;
use serde::Serialize;

use super::Question;
use super::figure::Figure;

/// The share of all subsets in which assets are counted.
pub const SHARE: f64 = 0.01;

/// How often each asset occurs in the best subsets.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Inclusion {
    /// What the subsets were ranked by for it.
    pub figure: Figure,
    /// The best so many.
    pub subsets: u64,
    /// Of those that were ranked by the figure: all that pass, or a shortlist.
    pub share: f64,
    pub assets: Vec<Included>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Included {
    pub name: String,
    pub count: u64,
    pub frequency: f64,
}

/// Counts each asset in the best hundredth of the `passing` subsets, of which `best` gives the ranks of the best, in order:
/// that many, or as many as there are.
pub fn inclusion(question: &Question, figure: Figure, best: &[u64], passing: u64) -> Inclusion {
    let wanted = (SHARE * passing as f64).ceil() as usize;
    let counted = &best[..best.len().min(wanted)];
    let subsets = question.subsets;
    let none = || vec![0_u64; question.assets.len()];
    let add = |mut counts: Vec<u64>, more: Vec<u64>| {
        counts.iter_mut().zip(more).for_each(|(count, more)| *count += more);
        counts
    };
    let count = |mut counts: Vec<u64>, &rank: &u64| {
        let mut assets = vec![0; subsets.size()];
        subsets.assets(rank, &mut assets);
        assets.iter().for_each(|&asset| counts[asset as usize] += 1);
        counts
    };
    let counts = counted.par_iter().fold(none, count).reduce(none, add);
    let frequency = |count: u64| if counted.is_empty() { 0.0 } else { count as f64 / counted.len() as f64 };
    Inclusion {
        figure,
        subsets: counted.len() as u64,
        share: if passing == 0 { 0.0 } else { counted.len() as f64 / passing as f64 },
        assets: question
            .assets
            .iter()
            .zip(counts)
            .map(|(name, count)| Included { name: name.clone(), count, frequency: frequency(count) })
            .collect(),
    }
}
