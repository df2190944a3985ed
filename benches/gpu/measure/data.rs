//! Inputs with a fixed seed: returns of a market with factors and fat tails, covariances resampled from such returns.

use equirisk::covariance::{Drawn, correlate, moments, packed};
use equirisk::panel::{Labels, Panel, Returns};
use equirisk::resample::{Law, Scheme};
use rayon::prelude::*;

/// Rows that given covariances are estimated from.
const ROWS: usize = 504;

/// Multiply-adds spent on distinct covariances; beyond those they repeat.
const WORK: usize = 1_000_000_000;

/// SplitMix64 (Steele, Lea & Flood 2014).
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Random {
        Random(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Uniform on (0, 1).
    pub fn uniform(&mut self) -> f64 {
        ((self.next() >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        (-2.0 * self.uniform().ln()).sqrt() * (std::f64::consts::TAU * self.uniform()).cos()
    }

    /// Student's t with five degrees of freedom, of unit variance.
    fn fat(&mut self) -> f64 {
        let chi: f64 = (0..5).map(|_| self.normal().powi(2)).sum();
        self.normal() * (3.0 / chi).sqrt()
    }
}

/// Returns of `assets` assets: a market with betas from 0.5 to 1.5, four styles, own volatilities spread over a factor
/// of ten.
pub fn returns(rows: usize, assets: usize, seed: u64) -> Returns {
    let mut random = Random::new(seed);
    let betas: Vec<[f64; 5]> = (0..assets)
        .map(|_| std::array::from_fn(|k| if k == 0 { 0.5 + random.uniform() } else { 0.7 * random.normal() }))
        .collect();
    let own: Vec<f64> = (0..assets).map(|_| 0.005 * 10.0_f64.powf(random.uniform())).collect();
    let mut values = Vec::with_capacity(rows * assets);
    for _ in 0..rows {
        let factors: [f64; 5] = std::array::from_fn(|k| random.fat() * if k == 0 { 0.010 } else { 0.005 });
        for (beta, own) in betas.iter().zip(&own) {
            let common: f64 = beta.iter().zip(&factors).map(|(b, f)| b * f).sum();
            values.push(common + random.fat() * own);
        }
    }
    let names = (0..assets).map(|i| format!("A{i}")).collect();
    Returns { assets: names, labels: Labels::Text(Vec::new()), values }
}

/// Covariances of iid resamples of 504 such returns, row-major, one after the other; large matrices repeat.
pub fn covariances(assets: usize, problems: usize) -> Vec<f64> {
    let n = assets;
    let panel = Panel::new(&returns(ROWS, n, 1000 + n as u64)).expect("random returns move");
    let law = Law::new(Scheme::Iid, 1.0, ROWS, 3, 0).expect("a valid law");
    let distinct = (WORK / (ROWS * packed(n))).clamp(1, 4096).min(problems);
    let mut all = vec![0.0; problems * n * n];
    let (first, rest) = all.split_at_mut(distinct * n * n);
    first.par_chunks_mut(n * n).enumerate().for_each(|(p, covariance)| {
        let mut counts = vec![0; ROWS];
        law.counts(p as u64, &mut counts);
        let counts: Vec<f64> = counts.iter().map(|&count| f64::from(count)).collect();
        let (mut sums, mut products, mut volatilities) = (vec![0.0; n], vec![0.0; packed(n)], vec![0.0; n]);
        moments(panel.values(), &counts, &mut sums, &mut products, &mut Vec::new());
        correlate(&sums, &products, Drawn::rows(ROWS), covariance, &mut volatilities);
        let volatility = |i: usize| volatilities[i] * panel.volatilities()[i];
        for i in 0..n {
            for j in 0..n {
                covariance[i * n + j] *= volatility(i) * volatility(j);
            }
        }
    });
    rest.par_chunks_mut(distinct * n * n).for_each(|part| part.copy_from_slice(&first[..part.len()]));
    all
}
