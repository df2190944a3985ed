//! How far can the portfolio of each decision be trusted? The rows of its window are resampled, and risk budgeting is solved
//! again and again.
//!
//! Resample b of decision k, counted from 0, has the rows of the index law ([`crate::resample`]) with the length of the window
//! as T, and k as its cell. At every decision 5, 50 and 95 % of the weights are told, and how often the trade would have gone
//! the same way:
//!
//! ```text
//! same direction   share of the b with sign(l w_bi - h_i) = sign(l w_i - h_i)      h: held before the trade, l: exposure
//! ```

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::account::{Account, Order};
use super::decide::Decision;
use super::plan::Plan;
use super::windows::{Window, overlapped};
use crate::batch::{Batch, Request, Rows, Solutions};
use crate::engine::Job as _;
use crate::error::{Error, Result, option};
use crate::methods::Method;
use crate::methods::certificate::Status;
use crate::panel::Panel;
use crate::resample::{Law, Scheme};
use crate::run::crosscheck::{Check, CrossCheck, Sample, sample};
use crate::run::{Context, Work, keep};
use crate::stats;
use crate::stop::Stop;
use crate::store::blocks::{Blocks as _, Stored};
use crate::store::{Checkpoint, IN_MEMORY};

/// What is drawn at each decision.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resampling {
    pub resamples: u64,
    pub scheme: Scheme,
    /// Rows of a block; null for the smaller of 21 and a quarter of the window.
    pub block: Option<f64>,
    /// Whether only what is held outside its band is traded.
    pub trades: bool,
}

impl Resampling {
    /// Whether it can be meant.
    pub fn is_sound(&self) -> bool {
        self.resamples > 0 && self.block.is_none_or(|block| block >= 1.0 && block.is_finite())
    }
}

/// Rows of a block where nothing is said, at most.
const LONGEST_BLOCK: f64 = 21.0;

/// Decisions at most: each is a cell of the index law, and a batch of the store.
const MOST_DECISIONS: usize = 1 << 24;

/// Resamples that a run on a device solves again on the CPU where no number was asked for, of all decisions together.
const CHECKED: u64 = 64;

/// The quantiles that are told; the outer two are the band.
const QUANTILES: [f64; 3] = [0.05, 0.5, 0.95];

/// The weights of one decision.
#[derive(Debug, Clone, Serialize)]
pub struct Spread {
    pub date: String,
    /// Resamples with a certified portfolio.
    pub converged: u64,
    pub block_length: f64,
    /// All assets of the study, in order.
    pub assets: Vec<OfAsset>,
}

/// Null where an asset is not eligible, or nothing is certified.
#[derive(Debug, Clone, Serialize)]
pub struct OfAsset {
    pub name: String,
    /// Of the window itself.
    pub weight: Option<f64>,
    pub q05: Option<f64>,
    pub q50: Option<f64>,
    pub q95: Option<f64>,
    /// How often the trade would have gone the same way.
    pub same_direction: Option<f64>,
}

/// Resamples of the windows, ready to be drawn.
#[derive(Debug, Clone)]
pub struct Fan {
    pub resampling: Resampling,
    seed: u64,
    crosscheck: Sample,
}

impl Fan {
    /// # Errors
    /// A block that is longer than a window; a study without risk budgeting.
    pub fn new(plan: &Plan, resampling: Resampling, (seed, crosscheck): (u64, Sample)) -> Result<Fan> {
        let resamples = option("resamples");
        if plan.strategies.place(Method::RiskBudgeting).is_none() {
            return Err(Error::usage(format!(
                "{resamples} resamples the portfolios of risk budgeting, which is not among the methods"
            ))
            .hint(format!("add erc to {}", option("methods"))));
        }
        if plan.windows.len() > MOST_DECISIONS {
            return Err(Error::usage(format!("{resamples}: {MOST_DECISIONS} decisions at most are resampled"))
                .hint(format!("take a slower {}", option("rebalance"))));
        }
        let shortest = plan.windows.iter().map(|window| window.rows.len()).min().unwrap_or(0);
        match resampling.block.filter(|block| *block > shortest as f64) {
            Some(block) => Err(Error::usage(format!(
                "{}: a window has {shortest} rows, and a block no more",
                option("fan-block").plain(block)
            ))
            .hint("take shorter blocks, or longer windows")),
            None => Ok(Fan { resampling, seed, crosscheck }),
        }
    }

    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Problems of all decisions.
    pub fn problems(&self, plan: &Plan) -> u64 {
        self.resampling.resamples * plan.windows.len() as u64
    }

    fn block(&self, window: &Window) -> f64 {
        let usual = LONGEST_BLOCK.min((window.rows.len() / 4) as f64).max(1.0);
        let block = self.resampling.block.unwrap_or(usual);
        match self.resampling.scheme {
            Scheme::Iid => 1.0,
            Scheme::Stationary => block,
            Scheme::Circular | Scheme::Moving => block.round(),
        }
    }

    /// The resamples of a decision; none where no portfolio is possible.
    fn batch(&self, plan: &Plan, number: usize) -> Result<Option<Batch<'static>>> {
        let (window, question) = (&plan.windows[number], plan.question());
        if window.assets.is_empty() || question.is_infeasible(&window.assets) {
            return Ok(None);
        }
        let returns = overlapped(&plan.market.returns, &window.assets, window.rows.clone(), plan.config.overlap);
        let law = Law::new(self.resampling.scheme, self.block(window), window.rows.len(), self.seed, number as u32)?;
        let rows = Rows::Resampled { law, resamples: self.resampling.resamples };
        let panel = Arc::new(Panel::new(&returns)?);
        Batch::of_rows(panel, rows, plan.estimator, question.program(&window.assets)?).map(Some)
    }

    /// Solves what is not kept of all decisions, for the store of `context`, which is given memory where it keeps nothing.
    ///
    /// # Errors
    /// A device that fails, a disk that is full, asked to stop.
    pub fn solve(
        &self,
        plan: &Plan,
        decisions: &[Decision],
        context: &mut Context,
    ) -> Result<(Vec<Spread>, Option<CrossCheck>)> {
        context.observer.phase("resampling windows");
        if !context.store.keeps() {
            *context.store = Checkpoint::aside(IN_MEMORY);
        }
        let sampled = if context.engine.info().on_device() { self.sampled(decisions.len()) } else { Vec::new() };
        let (mut spreads, mut check) = (Vec::with_capacity(decisions.len()), None);
        for (number, decision) in decisions.iter().enumerate() {
            let mut found = None;
            if let Some(batch) = self.batch(plan, number)? {
                let work =
                    Work { batch: &batch, request: &Request::PORTFOLIOS, number: number as u32, sample: &sampled };
                check = Check::both(check, keep(work, 0..self.resampling.resamples, context)?);
                found = Some(self.kept(plan, number, context.store)?);
            }
            spreads.push(self.spread(plan, decision, found.as_ref()));
        }
        Ok((spreads, check.map(CrossCheck::from).filter(|_| !sampled.is_empty())))
    }

    /// The resamples of each decision that are solved again on the CPU. All decisions together have about as many as were asked
    /// for.
    fn sampled(&self, decisions: usize) -> Vec<u64> {
        let each = |all: u64| Sample::Count(all.div_ceil(decisions.max(1) as u64));
        let size = match self.crosscheck {
            Sample::Default => each(CHECKED),
            Sample::Count(all) => each(all),
            Sample::All => Sample::All,
        };
        sample(self.resampling.resamples, self.seed, size)
    }

    /// What was solved of a decision.
    fn kept(&self, plan: &Plan, number: usize, store: &Checkpoint) -> Result<Solutions> {
        let assets = plan.windows[number].assets.len();
        Stored::new(store, number as u32, 0..self.resampling.resamples, assets)?.all()
    }

    fn spread(&self, plan: &Plan, decision: &Decision, found: Option<&Solutions>) -> Spread {
        let window = &decision.window;
        let place = plan.strategies.place(Method::RiskBudgeting);
        let weights = place.and_then(|own| decision.portfolios[own].weights.as_deref());
        let columns = found.map_or(Vec::new(), |found| columns(found, window.assets.len()));
        let asset = |asset: usize| {
            let column = window.assets.binary_search(&asset).ok().and_then(|place| columns.get(place));
            let [q05, q50, q95] = match column.filter(|column| !column.is_empty()) {
                Some(column) => {
                    let mut sorted = column.clone();
                    stats::sort(&mut sorted);
                    QUANTILES.map(|q| Some(stats::quantile(&sorted, q)))
                }
                None => [None; 3],
            };
            OfAsset {
                name: plan.market.returns.assets[asset].clone(),
                weight: weights.map(|weights| weights[asset]).filter(|_| window.assets.contains(&asset)),
                q05,
                q50,
                q95,
                same_direction: None,
            }
        };
        Spread {
            date: plan.market.label(window.row),
            converged: columns.first().map_or(0, |column| column.len() as u64),
            block_length: self.block(window),
            assets: (0..plan.market.assets()).map(asset).collect(),
        }
    }

    /// Tells how often the trades of risk budgeting, whose orders and account these are, would have gone the same way.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn direct(
        &self,
        plan: &Plan,
        (orders, account): (&[Order], &Account),
        spreads: &mut [Spread],
        store: &Checkpoint,
    ) -> Result<()> {
        for (number, spread) in spreads.iter_mut().enumerate() {
            let order = &orders[number];
            let before = account.before.iter().find(|before| before.row == order.row);
            let (Some(target), Some(before)) = (&order.target, before) else { continue };
            if spread.converged == 0 {
                continue;
            }
            let assets = &plan.windows[number].assets;
            let columns = columns(&self.kept(plan, number, store)?, assets.len());
            for (&asset, column) in assets.iter().zip(&columns) {
                let way = |holding: f64| (holding - before.holdings[asset]).partial_cmp(&0.0);
                let own = way(target.holdings[asset]);
                let same = column.iter().filter(|weight| way(target.scale * **weight) == own).count();
                spread.assets[asset].same_direction = Some(same as f64 / column.len() as f64);
            }
        }
        Ok(())
    }

    /// Resamples the window of a decision again, on the CPU.
    ///
    /// # Errors
    /// Asked to stop.
    pub fn again(&self, plan: &Plan, decision: &Decision, number: usize) -> Result<Spread> {
        let found = match self.batch(plan, number)? {
            Some(batch) => {
                let engine = plan.question().rough();
                let job = engine.job(&batch, &Request::PORTFOLIOS);
                Some(job.run(0..self.resampling.resamples, &Stop::NEVER)?.portfolios())
            }
            None => None,
        };
        Ok(self.spread(plan, decision, found.as_ref()))
    }
}

/// The weights of each asset in the resamples that have a portfolio.
fn columns(found: &Solutions, assets: usize) -> Vec<Vec<f64>> {
    let rows = found.weights.chunks_exact(assets).zip(&found.certificates);
    let rows: Vec<&[f64]> =
        rows.filter(|(_, certificate)| certificate.status == Status::Converged).map(|(row, _)| row).collect();
    (0..assets).map(|asset| rows.iter().map(|row| row[asset]).collect()).collect()
}

/// The band of each holding, at an exposure; none where a decision has no bands.
pub fn bands(spread: &Spread, scale: f64) -> Option<Vec<[f64; 2]>> {
    // What is not eligible is sold.
    let band = |own: &OfAsset| [own.q05, own.q95].map(|q| q.map_or(0.0, |q| scale * q));
    (spread.converged > 0).then(|| spread.assets.iter().map(band).collect())
}
