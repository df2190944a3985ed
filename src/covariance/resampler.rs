//! The covariance of any resample of a panel: which way its moments are summed, and what is done when they cancel.

use crate::covariance::bridge::{Bridge, Runs};
use crate::covariance::gram::{Gram, Sums};
use crate::covariance::{SUSPICIOUS_VARIANCE, centred, correlate, packed};
use crate::panel::Panel;
use crate::resample::{Law, Restart};

/// Blocks this long on average are summed by their ends, shorter ones row by row: a run costs two additions a column
/// from the second-level cache, a row less than one multiply-add from the first. Measured at T = 2,520, n = 50.
const BRIDGE_BLOCK_LENGTH: f64 = 8.0;

/// The bridge is kept whole up to this many bytes.
const BRIDGE_BYTES: usize = 128 << 20;

/// Room to build one covariance after the other.
#[derive(Debug, Clone, Default)]
pub struct Workspace {
    /// n x n.
    pub correlation: Vec<f64>,
    pub volatilities: Vec<f64>,
    counts: Vec<u32>,
    moments: Vec<f64>,
    sums: Sums,
    runs: Runs,
}

/// Builds the covariance of any resample of a panel. Which way is taken depends on (T, n, mean block length) alone.
#[derive(Debug)]
pub struct Resampler<'a> {
    panel: &'a Panel,
    law: Law,
    way: Way,
}

#[derive(Debug)]
enum Way {
    Bridge(Bridge),
    Gram(Gram),
}

impl<'a> Resampler<'a> {
    pub fn new(panel: &'a Panel, law: Law) -> Resampler<'a> {
        let pays = law.restart != Restart::Always && law.mean_block_length() >= BRIDGE_BLOCK_LENGTH;
        let fits = Bridge::bytes(panel.rows(), panel.assets()) <= BRIDGE_BYTES;
        let way = if pays && fits { Way::Bridge(Bridge::new(panel)) } else { Way::Gram(Gram::new(panel)) };
        Resampler { panel, law, way }
    }

    /// Entries of one problem's moments: n sums, then the packed second moments.
    pub fn entries(&self) -> usize {
        self.panel.assets() + packed(self.panel.assets())
    }

    /// Sums and packed second moments of resamples, one row of `moments` for each.
    pub fn moments(&self, resamples: &[u64], work: &mut Workspace, moments: &mut [f64]) {
        match &self.way {
            Way::Bridge(bridge) => bridge.moments(&self.law, resamples, &mut work.runs, moments),
            Way::Gram(gram) => {
                work.counts.resize(self.panel.rows(), 0);
                for (&resample, moments) in resamples.iter().zip(moments.chunks_exact_mut(self.entries())) {
                    self.law.counts(resample, &mut work.counts);
                    gram.moments(&work.counts, &mut work.sums, moments);
                }
            }
        }
    }

    /// Covariance of a resample, in standardised units. False where some asset's variance is zero over the drawn rows.
    pub fn covariance(&self, resample: u64, work: &mut Workspace) -> bool {
        let (rows, n) = (self.panel.rows(), self.panel.assets());
        work.correlation.resize(n * n, 0.0);
        work.volatilities.resize(n, 0.0);
        let mut moments = std::mem::take(&mut work.moments);
        moments.resize(self.entries(), 0.0);
        self.moments(&[resample], work, &mut moments);
        let (sums, products) = moments.split_at(n);
        let smallest = correlate(sums, products, rows, &mut work.correlation, &mut work.volatilities);
        work.moments = moments;
        if smallest >= SUSPICIOUS_VARIANCE {
            return true;
        }
        // The difference of moments has lost too many digits: once more, from centred rows.
        work.counts.resize(rows, 0);
        self.law.counts(resample, &mut work.counts);
        centred(self.panel.values(), &work.counts, &mut work.correlation, &mut work.volatilities)
    }
}
