//! The covariance of any set of rows of a panel: which way its moments are summed, what is done when they cancel, and what
//! the estimator makes of it.

use std::sync::OnceLock;

use pulp::Arch;

use crate::covariance::bridge::{self, Bridge};
use crate::covariance::estimator::fourth_moments::{self, FourthMoments, RowTiles};
use crate::covariance::estimator::{Estimator, Refining};
use crate::covariance::gram::{self, Gram};
use crate::covariance::{Drawn, RiskModel, SUSPICIOUS_VARIANCE, centred, correlate, interleaved, packed};
use crate::lanes::{LANES, Lanes, interleave};
use crate::panel::Panel;
use crate::resample::{Law, Restart};
use crate::sampling::{Rows, Weighting};

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
    /// Its intensity of shrinkage; none where the estimator has none.
    pub intensity: Option<f64>,
    /// Means of the drawn rows.
    means: Vec<f64>,
    weights: Vec<f64>,
    moments: Vec<f64>,
    sums: gram::Sums,
    pass: fourth_moments::Room,
}

/// Builds the covariance of any set of rows of a panel. Which way is taken depends on T, n, the mean block length, and
/// whether sets are asked for in spans.
#[derive(Debug)]
pub struct Resampler<'a> {
    panel: &'a Panel,
    rows: &'a Rows,
    estimator: Estimator,
    weighting: Weighting,
    /// Made when it is first asked for.
    gram: OnceLock<Gram>,
    tiles: OnceLock<RowTiles>,
    /// Where it pays for many resamples.
    bridge: Option<(Bridge, Law)>,
    /// Resamples whose moments are kept at a time.
    span: usize,
}

impl<'a> Resampler<'a> {
    pub fn new(panel: &'a Panel, rows: &'a Rows, estimator: Estimator) -> Resampler<'a> {
        let span = SPAN.min(SPAN_BYTES / Bridge::sum_bytes(panel.assets()));
        let cost = |law: &Law| RUN_ROWS / law.mean_block_length() + TILES_RESAMPLES / span as f64;
        let pays = |law: &Law| law.restart != Restart::Always && cost(law) <= 1.0;
        let fits = Bridge::tile_bytes(panel.rows()) <= TILE_BYTES;
        let weighting = estimator.weighting(panel.rows());
        let bridge = rows.law().filter(|law| fits && pays(law)).map(|law| (Bridge::new(panel, &weighting), law));
        Resampler { panel, rows, estimator, weighting, gram: OnceLock::new(), tiles: OnceLock::new(), bridge, span }
    }

    /// Whether problems have an intensity of shrinkage.
    pub fn shrinks(&self) -> bool {
        self.estimator.shrinks()
    }

    /// Entries of one problem's moments: n sums, then the packed second moments.
    fn entries(&self) -> usize {
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

    /// One set by itself.
    pub fn alone(&self) -> Span<'_> {
        Span { resampler: self, sums: None }
    }

    fn length(&self, set: u64) -> usize {
        self.rows.length(set, self.panel.rows())
    }

    /// What the rows of a set weigh together.
    fn drawn(&self, set: u64) -> Drawn {
        let rows = self.length(set);
        Drawn { total: self.weighting.total(rows), divisor: self.weighting.divisor(rows) }
    }

    fn refining<'b>(&'b self, set: u64, places: Option<&'b [u32]>, means: &'b [f64]) -> Refining<'b> {
        let (estimator, panel, tiles) = (self.estimator, self.panel, &self.tiles);
        Refining { estimator, panel, rows: self.length(set), places, means, tiles }
    }

    fn weigh(&self, set: u64, weights: &mut [f64]) {
        self.rows.weights(set, &self.weighting, weights);
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
    /// Sums and packed second moments of a set.
    fn moments(&self, set: u64, work: &mut Workspace, moments: &mut [f64]) {
        let Resampler { panel, gram, .. } = self.resampler;
        if let Some(sums) = &self.sums {
            sums.copy(set, moments);
            return;
        }
        work.weights.resize(panel.rows(), 0.0);
        self.resampler.weigh(set, &mut work.weights);
        gram.get_or_init(|| Gram::new(panel)).moments(&work.weights, &mut work.sums, moments);
    }

    /// Those of eight sets, a lane each.
    fn interleave(&self, sets: &[u64; LANES], work: &mut Workspace, moments: &mut [Lanes]) {
        if let Some(sums) = &self.sums {
            sums.interleave(sets, moments);
            return;
        }
        let entries = self.resampler.entries();
        let mut rows = std::mem::take(&mut work.moments);
        rows.resize(LANES * entries, 0.0);
        for (lane, &set) in sets.iter().enumerate() {
            // Those at the end repeat the one before.
            let (done, row) = rows.split_at_mut(lane * entries);
            if lane > 0 && set == sets[lane - 1] {
                row[..entries].copy_from_slice(&done[(lane - 1) * entries..]);
            } else {
                self.moments(set, work, &mut row[..entries]);
            }
        }
        interleave(&std::array::from_fn(|lane| &rows[lane * entries..(lane + 1) * entries]), moments);
        work.moments = rows;
    }

    /// The sample covariance of a set, all of its assets, in standardised units, as `work.model`. False where some
    /// asset's variance is zero over the drawn rows.
    fn sample(&self, set: u64, work: &mut Workspace) -> bool {
        let Resampler { panel, .. } = self.resampler;
        let (drawn, n) = (self.resampler.drawn(set), panel.assets());
        work.model.correlation.resize(n * n, 0.0);
        work.model.volatilities.resize(n, 0.0);
        let mut moments = std::mem::take(&mut work.moments);
        moments.resize(self.resampler.entries(), 0.0);
        self.moments(set, work, &mut moments);
        let (sums, products) = moments.split_at(n);
        let smallest = correlate(sums, products, drawn, &mut work.model.correlation, &mut work.model.volatilities);
        work.means.clear();
        work.means.extend(sums.iter().map(|sum| sum / drawn.total));
        work.moments = moments;
        if smallest >= SUSPICIOUS_VARIANCE {
            return true;
        }
        // The difference of moments has lost too many digits: once more, from centred rows.
        work.weights.resize(panel.rows(), 0.0);
        self.resampler.weigh(set, &mut work.weights);
        centred(panel.values(), &work.weights, drawn, &mut work.means, &mut work.model)
    }

    /// Covariance of a set of rows, per period, as `work.model`. False where some asset's variance is zero over the drawn
    /// rows.
    pub fn covariance(&self, set: u64, work: &mut Workspace) -> bool {
        let moves = self.sample(set, work);
        if moves {
            let Workspace { model, means, pass, .. } = work;
            let refining = self.resampler.refining(set, None, means);
            let shrinkage = refining.refine(model, pass, |weights| self.resampler.weigh(set, weights));
            work.intensity = shrinkage.map(|shrinkage| shrinkage.intensity);
        }
        moves
    }

    /// Begins with a set of rows of which parts are asked for. False where some asset's variance is zero over them.
    pub fn whole(&self, set: u64, work: &mut Workspace) -> bool {
        self.sample(set, work)
    }

    /// Covariance of these assets alone, per period, of the set that [`Span::whole`] began with.
    pub fn part(&self, set: u64, places: &[u32], work: &mut Workspace, part: &mut RiskModel) {
        let Workspace { model, means, pass, .. } = work;
        model.gather(places, part);
        let refining = self.resampler.refining(set, Some(places), means);
        let shrinkage = refining.refine(part, pass, |weights| self.resampler.weigh(set, weights));
        work.intensity = shrinkage.map(|shrinkage| shrinkage.intensity);
    }

    /// Covariances of eight sets of rows, a lane each, per period: correlations below the diagonal and volatilities, with
    /// room for their inverses. Returns which lanes can be trusted, and the intensities of shrinkage.
    pub fn group(
        &self,
        sets: &[u64; LANES],
        arch: Arch,
        work: &mut Workspace,
        moments: &mut Vec<Lanes>,
        (correlation, volatilities, inverses): (&mut [Lanes], &mut [Lanes], &mut [Lanes]),
    ) -> ([bool; LANES], Option<[f64; LANES]>) {
        let resampler = self.resampler;
        let (panel, estimator, n) = (resampler.panel, resampler.estimator, resampler.panel.assets());
        moments.resize(resampler.entries(), Lanes::default());
        self.interleave(sets, work, moments);
        let drawn = sets.map(|set| resampler.drawn(set));
        let trusted = interleaved::correlate(arch, moments, drawn, correlation, volatilities, inverses);
        let intensities = if estimator.shrinks() {
            let mut fourth = [FourthMoments::default(); LANES];
            for lane in (0..LANES).filter(|_| estimator.reads_rows()) {
                if lane > 0 && sets[lane] == sets[lane - 1] {
                    fourth[lane] = fourth[lane - 1];
                    continue;
                }
                work.means.clear();
                work.means.extend(moments[..n].iter().map(|sum| sum.0[lane] / drawn[lane].total));
                work.moments.clear();
                work.moments.extend(volatilities.iter().map(|s| s.0[lane]));
                let refining = resampler.refining(sets[lane], None, &work.means);
                let weigh = |weights: &mut [f64]| resampler.weigh(sets[lane], weights);
                fourth[lane] = refining.fourth_moments(&work.moments, &mut work.pass, weigh);
            }
            let rows = sets.map(|set| resampler.length(set));
            interleaved::shrink(arch, estimator, n, rows, &fourth, correlation)
        } else {
            None
        };
        for (volatility, unit) in volatilities.iter_mut().zip(panel.volatilities()) {
            volatility.0.iter_mut().for_each(|s| *s *= unit);
        }
        (trusted, intensities)
    }
}
