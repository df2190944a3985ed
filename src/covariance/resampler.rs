//! The covariance of any set of rows of a panel: which way its moments are summed, what is done when they cancel, and what
//! the estimator makes of it.

use std::sync::OnceLock;

use pulp::Arch;

use crate::covariance::bridge::{self, Bridge};
use crate::covariance::estimator::fourth_moments::FourthMoments;
use crate::covariance::estimator::{Estimator, Layouts, Refining, Room};
use crate::covariance::gram::{self, Gram};
use crate::covariance::windows::{self, Windows};
use crate::covariance::{Drawn, RiskModel, SUSPICIOUS_VARIANCE, centred, correlate, interleaved, packed};
use crate::lanes::{LANES, Lanes, below, interleave};
use crate::panel::Panel;
use crate::resample::{Law, Restart};
use crate::sampling::{Rows, Weighting, WholeWeights};

/// Where many resamples are asked for together, blocks are summed by their ends if that costs less than row by row. A run
/// costs what so many rows do: two additions a column from the second-level cache, where a row takes less than one
/// multiply-add from the first. With [`SPAN`] resamples, blocks of eight rows are enough. Measured at T = 2,520, n = 50
/// and 500.
const RUN_ROWS: f64 = 7.75;

/// To make the tiles of the bridge costs what so many resamples row by row do.
const TILES_RESAMPLES: f64 = 32.0;

/// Of histories so long that a tile of the bridge takes more, every row is summed: each thread has a tile.
const TILE_BYTES: usize = 32 << 20;

/// How many resamples are summed together, and the bytes that their moments take at most. A tile of the bridge is made once for
/// all of them, and a path is passed over once.
const SPAN: usize = 1024;
pub const SPAN_BYTES: usize = 128 << 20;

/// Room to build one covariance after the other.
#[derive(Debug, Clone, Default)]
pub struct Workspace {
    /// What was built last.
    pub model: RiskModel,
    /// The parameter of its estimator; none of some.
    pub parameter: Option<f64>,
    /// Means of the drawn rows.
    means: Vec<f64>,
    weights: Vec<f64>,
    moments: Vec<f64>,
    deviations: Vec<f64>,
    sums: gram::Sums,
    room: Room,
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
    layouts: Layouts,
    /// How sets that are asked for together are summed, where that pays.
    together: Option<(Together, Law)>,
    /// Resamples whose moments are kept at a time.
    span: usize,
}

impl<'a> Resampler<'a> {
    pub fn new(panel: &'a Panel, rows: &'a Rows, estimator: Estimator) -> Resampler<'a> {
        let most = SPAN_BYTES / Bridge::sum_bytes(panel.assets());
        let mut span = SPAN.min(most);
        let cost = |law: &Law| RUN_ROWS / law.mean_block_length() + TILES_RESAMPLES / span as f64;
        let pays = |law: &Law| law.restart != Restart::Always && cost(law) <= 1.0;
        let fits = Bridge::tile_bytes(panel.rows()) <= TILE_BYTES;
        let weighting = estimator.weighting(panel.rows());
        let together = match rows {
            Rows::Resampled { law, .. } if fits && pays(law) => {
                Some((Together::Blocks(Bridge::new(panel, &weighting)), *law))
            }
            Rows::Paths { law, spans, .. } if weighting == Weighting::Equal => {
                // Whole paths, one for each thread at least.
                let paths = (SPAN / spans.len().max(1)).max(rayon::current_num_threads());
                span = (paths * spans.len()).clamp(1, most.max(1));
                Windows::new(panel, spans).map(|windows| (Together::Windows(windows), *law))
            }
            _ => None,
        };
        Resampler {
            panel,
            rows,
            estimator,
            weighting,
            gram: OnceLock::new(),
            layouts: Layouts::default(),
            together,
            span,
        }
    }

    pub fn rows(&self) -> &Rows {
        self.rows
    }

    /// What rows count in a resample, as whole numbers; none where they count alike.
    pub fn whole_weights(&self) -> Option<WholeWeights> {
        self.weighting.whole(self.panel.rows())
    }

    /// Whether problems have a parameter of their estimator.
    pub fn has_parameter(&self) -> bool {
        self.estimator.parameter().is_some()
    }

    /// Entries of one problem's moments: n sums, then the packed second moments.
    pub fn entries(&self) -> usize {
        self.panel.assets() + packed(self.panel.assets())
    }

    /// How many resamples, at most, gain from being asked for together; none where they do not.
    pub fn shared(&self) -> Option<usize> {
        self.together.as_ref().map(|_| self.span)
    }

    /// Resamples that are asked for together, in ascending order, on all threads: to make the tiles takes what dozens of
    /// resamples do.
    pub fn span(&self, resamples: impl IntoIterator<Item = u64>) -> Span<'_> {
        let sums = self.together.as_ref().map(|(together, law)| together.sums(law, resamples.into_iter().collect()));
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
        let Resampler { panel, rows, estimator, ref layouts, .. } = *self;
        Refining { estimator, panel, rows, set, places, means, layouts }
    }

    /// What each row of the history counts in a set.
    pub fn weigh(&self, set: u64, weights: &mut [f64]) {
        self.rows.weights(set, &self.weighting, weights);
    }
}

/// A span of resamples.
#[derive(Debug)]
pub struct Span<'a> {
    resampler: &'a Resampler<'a>,
    /// Moments that were summed for all.
    sums: Option<Shared<'a>>,
}

/// What sets that are asked for together have in common.
#[derive(Debug)]
enum Together {
    /// Blocks of rows, which are known by their ends.
    Blocks(Bridge),
    /// Parts of windows that overlap.
    Windows(Windows),
}

impl Together {
    fn sums(&self, law: &Law, sets: Vec<u64>) -> Shared<'_> {
        match self {
            Together::Blocks(bridge) => Shared::Blocks(bridge.sums(law, sets)),
            Together::Windows(windows) => Shared::Windows(windows.sums(law, sets)),
        }
    }
}

/// Moments that were summed together.
#[derive(Debug)]
enum Shared<'a> {
    /// By the ends of the blocks of each resample.
    Blocks(bridge::Sums<'a>),
    /// By what windows have in common.
    Windows(windows::Sums),
}

impl Shared<'_> {
    fn copy(&self, set: u64, moments: &mut [f64]) {
        match self {
            Shared::Blocks(sums) => sums.copy(set, moments),
            Shared::Windows(sums) => sums.copy(set, moments),
        }
    }

    fn interleave(&self, sets: &[u64; LANES], moments: &mut [Lanes]) {
        match self {
            Shared::Blocks(sums) => sums.interleave(sets, moments),
            Shared::Windows(sums) => sums.interleave(sets, moments),
        }
    }
}

impl Span<'_> {
    /// Sums and packed second moments of a set.
    pub fn moments(&self, set: u64, work: &mut Workspace, moments: &mut [f64]) {
        let Resampler { panel, gram, .. } = self.resampler;
        if let Some(sums) = &self.sums {
            sums.copy(set, moments);
            return;
        }
        work.weights.resize(panel.rows(), 0.0);
        self.resampler.weigh(set, &mut work.weights);
        gram.get_or_init(|| Gram::new(panel)).moments(&work.weights, &mut work.sums, moments);
    }

    /// Those of eight sets, a lane each; and the fourth moments, where the estimator takes them.
    fn interleave(
        &self,
        sets: &[u64; LANES],
        work: &mut Workspace,
        moments: &mut [Lanes],
    ) -> [FourthMoments<f64>; LANES] {
        let mut fourth = [FourthMoments::default(); LANES];
        let reads_rows = self.resampler.estimator.reads_rows();
        if let Some(sums) = &self.sums {
            sums.interleave(sets, moments);
            for lane in (0..LANES).filter(|_| reads_rows) {
                fourth[lane] = match lane.checked_sub(1).filter(|&before| sets[lane] == sets[before]) {
                    Some(before) => fourth[before],
                    None => self.fourth_moments(sets[lane], |at| moments[at].0[lane], false, work),
                };
            }
            return fourth;
        }
        let entries = self.resampler.entries();
        let mut rows = std::mem::take(&mut work.moments);
        rows.resize(LANES * entries, 0.0);
        for (lane, &set) in sets.iter().enumerate() {
            // Those at the end repeat the one before.
            let (done, row) = rows.split_at_mut(lane * entries);
            if lane > 0 && set == sets[lane - 1] {
                row[..entries].copy_from_slice(&done[(lane - 1) * entries..]);
                fourth[lane] = fourth[lane - 1];
            } else {
                self.moments(set, work, &mut row[..entries]);
                if reads_rows {
                    fourth[lane] = self.fourth_moments(set, |at| row[at], true, work);
                }
            }
        }
        interleave(&std::array::from_fn(|lane| &rows[lane * entries..(lane + 1) * entries]), moments);
        work.moments = rows;
        fourth
    }

    /// Fourth moments of a set whose `moments` are known. With `weighed` its rows were the last that weights were drawn of.
    fn fourth_moments(
        &self,
        set: u64,
        moments: impl Fn(usize) -> f64,
        weighed: bool,
        work: &mut Workspace,
    ) -> FourthMoments<f64> {
        let resampler = self.resampler;
        let (n, drawn) = (resampler.panel.assets(), resampler.drawn(set));
        let Workspace { means, weights, room, deviations, .. } = work;
        means.clear();
        means.extend((0..n).map(|i| moments(i) / drawn.total));
        deviations.clear();
        let variance = |i: usize| (moments(n + packed(i) + i) - means[i] * moments(i)) / drawn.divisor;
        deviations.extend((0..n).map(|i| variance(i).sqrt()));
        let weigh = |to: &mut [f64]| match weighed {
            true => to.copy_from_slice(weights),
            false => resampler.weigh(set, to),
        };
        resampler.refining(set, None, means).fourth_moments(deviations, room, weigh)
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
            let Workspace { model, means, room, .. } = work;
            work.parameter = self.resampler.refining(set, None, means).refine(model, room).parameter;
        }
        moves
    }

    /// Begins with a set of rows of which parts are asked for. False where some asset's variance is zero over them.
    pub fn whole(&self, set: u64, work: &mut Workspace) -> bool {
        if self.resampler.estimator.is_entry_wise() { self.covariance(set, work) } else { self.sample(set, work) }
    }

    /// Covariance of these assets alone, per period, of the set that [`Span::whole`] began with.
    pub fn part(&self, set: u64, places: &[u32], work: &mut Workspace, part: &mut RiskModel) {
        let Workspace { model, means, room, .. } = work;
        model.gather(places, part);
        if !self.resampler.estimator.is_entry_wise() {
            work.parameter = self.resampler.refining(set, Some(places), means).refine(part, room).parameter;
        }
    }

    /// Covariances of eight sets of rows, a lane each, per period: correlations below the diagonal and volatilities, with
    /// room for their inverses. Returns which lanes can be trusted, and the parameters of the estimator, where it has one.
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
        if estimator.refines() && !estimator.is_linear() {
            return self.one_by_one(sets, work, (correlation, volatilities));
        }
        moments.resize(resampler.entries(), Lanes::default());
        let fourth = self.interleave(sets, work, moments);
        let drawn = sets.map(|set| resampler.drawn(set));
        let trusted = interleaved::correlate(arch, moments, drawn, correlation, volatilities, inverses);
        let intensities = if estimator.is_linear() {
            let rows = sets.map(|set| resampler.length(set));
            // One asset has no correlations to move.
            interleaved::shrink(arch, estimator, n, rows, &fourth, correlation).or(Some([0.0; LANES]))
        } else {
            None
        };
        for (volatility, unit) in volatilities.iter_mut().zip(panel.volatilities()) {
            volatility.0.iter_mut().for_each(|s| *s *= unit);
        }
        (trusted, intensities)
    }

    /// The same where estimates are made one by one.
    fn one_by_one(
        &self,
        sets: &[u64; LANES],
        work: &mut Workspace,
        (correlation, volatilities): (&mut [Lanes], &mut [Lanes]),
    ) -> ([bool; LANES], Option<[f64; LANES]>) {
        let n = volatilities.len();
        let (mut trusted, mut parameters) = ([false; LANES], [f64::NAN; LANES]);
        for lane in 0..LANES {
            if lane == 0 || sets[lane] != sets[lane - 1] {
                trusted[lane] = self.covariance(sets[lane], work);
            } else {
                trusted[lane] = trusted[lane - 1];
            }
            parameters[lane] = work.parameter.unwrap_or(f64::NAN);
            for i in 0..n {
                volatilities[i].0[lane] = work.model.volatilities[i];
                let row = correlation[below(i)].iter_mut().zip(&work.model.correlation[i * n..]);
                row.for_each(|(to, c)| to.0[lane] = *c);
            }
        }
        (trusted, self.resampler.has_parameter().then_some(parameters))
    }
}
