//! Simulated histories whose true weights are known: normal and fat-tailed returns, and two kinds of clustered volatility.

use equirisk::covariance::full_sample;
use equirisk::methods::{Method, Program};
use equirisk::panel::{Labels, Panel, Returns};

/// Where returns come from. All have the volatilities and, in their shocks, the correlations below.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum World {
    Normal,
    /// Student's t with five degrees of freedom, one mixing variable for all assets of a row.
    Fat,
    /// GARCH(1, 1) with one volatility for all assets.
    CommonSpells,
    /// GARCH(1, 1) in which each asset has a volatility of its own.
    OwnSpells,
}

pub const ASSETS: usize = 6;

/// A year.
const VOLATILITIES: [f64; ASSETS] = [0.05, 0.06, 0.15, 0.18, 0.20, 0.25];

/// h' = 0.02 + 0.08 e^2 + 0.90 h, whose long-run mean is one.
const GARCH: [f64; 3] = [0.02, 0.08, 0.90];

/// Rows before the first that is kept.
const BURN_IN: usize = 1500;

/// Rows from which the truth is estimated.
const LONG: usize = 1_000_000;

fn correlation(i: usize, j: usize) -> f64 {
    match (i.min(j), i.max(j)) {
        (i, j) if i == j => 1.0,
        (0, 1) => 0.6,
        (0, _) => -0.15,
        (1, _) => -0.05,
        _ => 0.3,
    }
}

/// Normal numbers from SplitMix64 (Steele, Lea & Flood 2014), by Box and Muller's method.
struct Normals {
    state: u64,
    spare: Option<f64>,
}

impl Normals {
    fn uniform(&mut self) -> f64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.state ^ (self.state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (((z ^ (z >> 31)) >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    }

    fn next(&mut self) -> f64 {
        if let Some(spare) = self.spare.take() {
            return spare;
        }
        let (size, angle) = ((-2.0 * self.uniform().ln()).sqrt(), std::f64::consts::TAU * self.uniform());
        self.spare = Some(size * angle.sin());
        size * angle.cos()
    }
}

impl World {
    pub const ALL: [World; 4] = [World::Normal, World::Fat, World::CommonSpells, World::OwnSpells];

    /// So many daily returns.
    pub fn history(self, rows: usize, seed: u64) -> Returns {
        let mut normals = Normals { state: seed.wrapping_mul(0xD134_2543_DE82_EF95), spare: None };
        let mut factor = [[0.0; ASSETS]; ASSETS];
        for i in 0..ASSETS {
            for j in 0..=i {
                let rest = correlation(i, j) - (0..j).map(|k| factor[i][k] * factor[j][k]).sum::<f64>();
                factor[i][j] = if i == j { rest.sqrt() } else { rest / factor[j][j] };
            }
        }
        let mut variances = [1.0; ASSETS];
        let burn_in = if matches!(self, World::CommonSpells | World::OwnSpells) { BURN_IN } else { 0 };
        let mut values = Vec::with_capacity(rows * ASSETS);
        for row in 0..burn_in + rows {
            let independent: [f64; ASSETS] = std::array::from_fn(|_| normals.next());
            let shock = |i: usize| (0..=i).map(|k| factor[i][k] * independent[k]).sum::<f64>();
            let mixing = match self {
                // chi2 / 5 with five degrees of freedom, whose reciprocal has the mean 5 / 3.
                World::Fat => (0..5).map(|_| normals.next().powi(2)).sum::<f64>() / 3.0,
                _ => 1.0,
            };
            let e: [f64; ASSETS] = std::array::from_fn(|i| shock(i) * (variances[i] / mixing).sqrt());
            let squares = match self {
                World::CommonSpells => [e.iter().map(|e| e * e).sum::<f64>() / ASSETS as f64; ASSETS],
                _ => e.map(|e| e * e),
            };
            if burn_in > 0 {
                variances = std::array::from_fn(|i| GARCH[0] + GARCH[1] * squares[i] + GARCH[2] * variances[i]);
            }
            if row >= burn_in {
                values.extend(e.iter().zip(VOLATILITIES).map(|(e, volatility)| e * volatility / 252.0_f64.sqrt()));
            }
        }
        let assets = (0..ASSETS).map(|i| format!("A{i}")).collect();
        Returns { assets, labels: Labels::Text(Vec::new()), values }
    }

    /// Weights of equal risk contributions under the covariance of a long history.
    pub fn truth(self) -> Vec<f64> {
        let model = full_sample(&Panel::new(&self.history(LONG, u64::MAX)).unwrap());
        Method::RiskBudgeting.finished(&Program::new(&[1.0; ASSETS]).unwrap(), &model).unwrap()
    }
}
