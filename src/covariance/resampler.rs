//! The covariance of any resample of a panel: which way its moments are summed, and what is done when they cancel.

use std::sync::OnceLock;

use crate::covariance::bridge::{self, Bridge};
use crate::covariance::gram::{self, Gram};
use crate::covariance::{RiskModel, SUSPICIOUS_VARIANCE, centred, correlate, packed};
use crate::lanes::{LANES, Lanes, interleave};
use crate::panel::Panel;
use crate::resample::{Law, Restart};
use crate::sampling::Rows;

/// Where many resamples are asked for together, blocks are summed by their ends if that costs less than row by row. A run
/// costs what so many rows do: two additions a column from the second-level cache, where a row takes less than one
/// multiply-add from the first. With [`SPAN`] resamples, blocks of eight rows are enough. Measured at T = 2,520, n = 50
/// and 500.
const RUN_ROWS: f64 = 7.75;

/// To make the tiles of the bridge costs what so many resamples row by row do.
const TILES_RESAMPLES: f64 = 32.0;

/// Of histories so long that a tile of the bridge takes more, every row is summed: each thread has a tile.
const TILE_BYTES: usize = 32 << 20;

/// Resamples whose moments are kept at a time, at most so many bytes of them: a tile of the bridge is made once for all.
const SPAN: usize = 1024;
pub const SPAN_BYTES: usize = 128 << 20;

/// Room to build one covariance after the other.
#[derive(Debug, Clone, Default)]
pub struct Workspace {
    /// What was built last.
    pub model: RiskModel,
    counts: Vec<u32>,
    moments: Vec<f64>,
    sums: gram::Sums,
}

/// Builds the covariance of any resample of a panel. Which way is taken depends on T, n, the mean block length, and whether
/// resamples are asked for in spans.
#[derive(Debug)]
pub struct Resampler<'a> {
    panel: &'a Panel,
    rows: &'a Rows,
    /// Made when it is first asked for.
    gram: OnceLock<Gram>,
    /// Where it pays for many resamples.
    bridge: Option<(Bridge, Law)>,
    /// Resamples whose moments are kept at a time.
    span: usize,
}

impl<'a> Resampler<'a> {
    pub fn new(panel: &'a Panel, rows: &'a Rows) -> Resampler<'a> {
        let span = SPAN.min(SPAN_BYTES / Bridge::sum_bytes(panel.assets()));
        let cost = |law: &Law| RUN_ROWS / law.mean_block_length() + TILES_RESAMPLES / span as f64;
        let pays = |law: &Law| law.restart != Restart::Always && cost(law) <= 1.0;
        let fits = Bridge::tile_bytes(panel.rows()) <= TILE_BYTES;
        let bridge = rows.law().filter(|law| fits && pays(law)).map(|law| (Bridge::new(panel), law));
        Resampler { panel, rows, gram: OnceLock::new(), bridge, span }
    }

    /// Entries of one problem's moments: n sums, then the packed second moments.
    pub fn entries(&self) -> usize {
        self.panel.assets() + packed(self.panel.assets())
    }

    /// How many resamples, at most, gain from being asked for together; none where they do not.
    pub fn shared(&self) -> Option<usize> {
        self.bridge.as_ref().map(|_| self.span)
    }

    /// Resamples that are asked for together, in ascending order, on all threads: to make the tiles takes what dozens of
    /// resamples do.
    pub fn span(&self, resamples: impl IntoIterator<Item = u64>) -> Span<'_> {
        let bridge = self.bridge.as_ref();
        let sums = bridge.map(|(bridge, law)| bridge.sums(law, resamples.into_iter().collect()));
        Span { resampler: self, sums }
    }

    /// Covariance of a resample by itself, as [`Span::covariance`].
    pub fn covariance(&self, resample: u64, work: &mut Workspace) -> bool {
        Span { resampler: self, sums: None }.covariance(resample, work)
    }
}

/// A span of resamples.
#[derive(Debug)]
pub struct Span<'a> {
    resampler: &'a Resampler<'a>,
    /// Moments that were summed for all.
    sums: Option<bridge::Sums<'a>>,
}

impl Span<'_> {
    /// Sums and packed second moments of a resample.
    pub fn moments(&self, resample: u64, work: &mut Workspace, moments: &mut [f64]) {
        let Resampler { panel, rows, gram, .. } = self.resampler;
        if let Some(sums) = &self.sums {
            sums.copy(resample, moments);
            return;
        }
        work.counts.resize(panel.rows(), 0);
        rows.counts(resample, &mut work.counts);
        gram.get_or_init(|| Gram::new(panel)).moments(&work.counts, &mut work.sums, moments);
    }

    /// Those of eight resamples, a lane each.
    pub fn interleave(&self, resamples: &[u64; LANES], work: &mut Workspace, moments: &mut [Lanes]) {
        if let Some(sums) = &self.sums {
            sums.interleave(resamples, moments);
            return;
        }
        let entries = self.resampler.entries();
        let mut rows = std::mem::take(&mut work.moments);
        rows.resize(LANES * entries, 0.0);
        for (lane, &resample) in resamples.iter().enumerate() {
            // Those at the end repeat the one before.
            let (done, row) = rows.split_at_mut(lane * entries);
            if lane > 0 && resample == resamples[lane - 1] {
                row[..entries].copy_from_slice(&done[(lane - 1) * entries..]);
            } else {
                self.moments(resample, work, &mut row[..entries]);
            }
        }
        interleave(&std::array::from_fn(|lane| &rows[lane * entries..(lane + 1) * entries]), moments);
        work.moments = rows;
    }

    /// Covariance of a resample, in standardised units. False where some asset's variance is zero over the drawn rows.
    pub fn covariance(&self, resample: u64, work: &mut Workspace) -> bool {
        let Resampler { panel, rows, .. } = self.resampler;
        let (length, n) = (rows.length(resample, panel.rows()), panel.assets());
        work.model.correlation.resize(n * n, 0.0);
        work.model.volatilities.resize(n, 0.0);
        let mut moments = std::mem::take(&mut work.moments);
        moments.resize(self.resampler.entries(), 0.0);
        self.moments(resample, work, &mut moments);
        let (sums, products) = moments.split_at(n);
        let smallest = correlate(sums, products, length, &mut work.model.correlation, &mut work.model.volatilities);
        work.moments = moments;
        if smallest >= SUSPICIOUS_VARIANCE {
            return true;
        }
        // The difference of moments has lost too many digits: once more, from centred rows.
        work.counts.resize(panel.rows(), 0);
        rows.counts(resample, &mut work.counts);
        centred(panel.values(), &work.counts, &mut work.model.correlation, &mut work.model.volatilities)
    }
}
