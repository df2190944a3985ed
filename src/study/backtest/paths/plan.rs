//! The paths of a backtest before and after the work.

use std::ops::Range;
use std::sync::Arc;

use pulp::Arch;

use super::Resampling;
use super::lockstep;
use super::outcome::{self, PathsOutcome, Share};
use super::walk::{Walked, Walker, Walking};
use crate::batch::part::{Part, scaled};
use crate::batch::{Batch, Request, active};
use crate::engine::EngineInfo;
use crate::error::{Error, Result, Text, option};
use crate::methods::{Program, Selection};
use crate::observer::Observer;
use crate::panel::Panel;
use crate::resample::Law;
use crate::run::crosscheck::{CrossCheck, Sample, sample};
use crate::run::{Context, Work, run_whole};
use crate::sampling::Rows;
use crate::stop::Stop;
use crate::study::backtest::calendar::Period;
use crate::study::backtest::config::{Lookback, Trading};
use crate::study::backtest::figures::FIGURES;
use crate::study::backtest::plan::Plan;
use crate::study::backtest::solve::Evaluated;
use crate::study::backtest::windows::Window;
use crate::study::block::{Block, BlockEstimates, block_length, sensitivity_lengths};
use crate::wording::{counted, grouped};

/// Closes at which wealth is told.
const MARKS: usize = 240;

/// The paths in a checkpoint; those at other block lengths follow.
const MAIN: u32 = 0;

/// Paths checked where no number was asked for: this many, or one in a thousand.
const CHECKED: u64 = 8;

/// Growth a year of a path whose weights came from single precision may differ by this from that of exact ones.
const GROWTH_TOLERANCE: f64 = 1e-6;

/// Any figure of a path that is gone through again may differ by this, relative to one where it is smaller: the last bits
/// depend on the machine.
const FIGURE_TOLERANCE: f64 = 1e-9;

/// Paths, ready to be drawn.
#[derive(Debug)]
pub struct Paths {
    pub resampling: Resampling,
    seed: u64,
    crosscheck: Sample,
    pub(super) block_length: f64,
    pub(super) block_estimates: Option<BlockEstimates>,
    pub(super) law: Law,
    /// Other block lengths, with their laws.
    lengths: Vec<(f64, Law)>,
    /// The assets with a budget: on a path all have all rows.
    pub(super) assets: Vec<usize>,
    /// Of the decisions, in order.
    pub(super) windows: Vec<Window>,
    /// The rows at whose closes they are traded.
    pub(super) due: Vec<usize>,
    pub(super) selection: Selection,
    request: Request,
    panel: Arc<Panel>,
    program: Program,
    /// As strategies are run through.
    pub(super) rows: lockstep::Rows,
    /// Strategies whose wealth is told, and the closes at which it is.
    pub(super) drawn: Vec<usize>,
    pub(super) marks: Vec<usize>,
}

/// What was done for all paths, or for a part of them.
#[derive(Debug)]
pub struct Solved {
    range: Range<u64>,
    main: Walked,
    /// At the other block lengths.
    others: Vec<Walked>,
}

impl Paths {
    /// # Errors
    /// An asset that is not there in every row; a block length out of range; rows that overlap.
    pub fn new(
        plan: &Plan,
        resampling: Resampling,
        (seed, crosscheck): (u64, Sample),
        observer: &mut dyn Observer,
    ) -> Result<Paths> {
        check_lives(plan)?;
        if plan.config.overlap > 1 {
            return Err(Error::usage(format!(
                "{} is for the history: on a path, neighbours in a window did not follow each other",
                option("overlap")
            ))
            .hint(format!("leave {} or {} out", option("overlap"), option("paths"))));
        }
        let market = &plan.market;
        let rows = market.rows();
        let Resampling { scheme, block, sensitivity, .. } = resampling;
        let (estimated, block_estimates) = block_length(&market.returns, None, scheme, block, observer);
        // Where nothing can be estimated, single rows are drawn, and that is said.
        let is_chosen = block == Block::Auto
            && block_estimates.as_ref().is_some_and(|found| found.squared_returns.median.is_finite());
        let least = if is_chosen { least_block(plan.config.periods_per_year) } else { 1.0 };
        let block_length = estimated.max(least.min(rows as f64));
        let law = Law::new(scheme, block_length, rows, seed, 0)?;
        let lengths = sensitivity_lengths(&law, block_length, scheme);
        let assets = active(&plan.budgets);
        let windows = plan.windows.iter().map(|window| Window { assets: assets.clone(), ..window.clone() });
        let panel = Arc::new(Panel::new(&market.returns.select(&assets))?);
        let question = plan.question();
        let program = question.program(&assets)?;
        // Volatilities of mixes are for those who are levered by them.
        let selection = match plan.config.exposure.leverage.varies() {
            true => question.selection(&assets),
            false => question.selection(&assets).without_mixes(),
        };
        let last = rows - 1 - plan.start;
        let close = |mark: usize| mark * last / (MARKS - 1);
        let mut marks: Vec<usize> = if last < MARKS { (0..=last).collect() } else { (0..MARKS).map(close).collect() };
        marks.dedup();
        Ok(Paths {
            lengths: if sensitivity { lengths } else { Vec::new() },
            due: plan.windows.iter().map(|window| window.row + plan.config.lag).collect(),
            windows: windows.collect(),
            request: Request::Portfolios { beside: selection.clone() },
            drawn: outcome::drawn(plan),
            resampling,
            seed,
            crosscheck,
            block_length,
            block_estimates,
            law,
            assets,
            selection,
            panel,
            program,
            rows: lockstep::Rows::new(market, plan.config.costs.spread),
            marks,
        })
    }

    pub fn block_length(&self) -> f64 {
        self.block_length
    }

    /// Bytes of a path that is kept.
    pub fn bytes(&self, plan: &Plan) -> f64 {
        8.0 * (plan.strategies.len() * FIGURES + self.drawn.len() * self.marks.len()) as f64
    }

    /// Problems of a path.
    pub fn dates(&self) -> u64 {
        self.windows.len() as u64
    }

    /// Problems of the paths of a range, and of the paths at other block lengths that go with it.
    pub fn problems(&self, range: &Range<u64>) -> u64 {
        let others = self.others().filter(|(number, ..)| *number != MAIN).count() as u64;
        let tenth = self.tenth(range);
        (range.end - range.start + others * (tenth.end - tenth.start)) * self.dates()
    }

    fn tenth(&self, range: &Range<u64>) -> Range<u64> {
        scaled(range, self.resampling.paths, self.resampling.tenth())
    }

    /// The laws of other block lengths and the batches they are kept as; a length that comes to the own law takes its paths.
    fn others(&self) -> impl Iterator<Item = (u32, f64, &Law)> {
        let number = |law: &Law, number| if *law == self.law { MAIN } else { number };
        (MAIN + 1..).zip(&self.lengths).map(move |(next, (length, law))| (number(law, next), *length, law))
    }

    /// The problems of the first paths of a law.
    ///
    /// # Errors
    /// None that [`Paths::new`] has not found.
    fn batch(&self, plan: &Plan, law: Law, paths: u64) -> Result<Batch<'static>> {
        let spans = self.windows.iter().map(|window| window.rows.start as u32..window.rows.end as u32).collect();
        let rows = Rows::Paths { law, paths, spans };
        Batch::of_rows(Arc::clone(&self.panel), rows, plan.estimator, self.program.clone())
    }

    /// Solves and goes through what is not kept, for the store of `context`.
    ///
    /// # Errors
    /// A device that fails, a disk that is full, asked to stop.
    pub fn solve(&self, plan: &Plan, part: Option<Part>, context: &mut Context) -> Result<Solved> {
        context.observer.phase("going through paths");
        let paths = self.resampling.paths;
        let range = part.map_or(Ok(0..paths), |part| part.range(paths, 1))?;
        let sampled: Vec<u64> = if context.engine.info().on_device() {
            self.sampled(self.crosscheck)
                .iter()
                .flat_map(|path| path * self.dates()..(path + 1) * self.dates())
                .collect()
        } else {
            Vec::new()
        };
        let evaluated = Evaluated::after(plan, plan.start);
        let mut walked = |law: Law, paths: u64, number: u32, range: Range<u64>, sample: &[u64]| -> Result<Walked> {
            let batch = self.batch(plan, law, paths)?;
            let work = Work { batch: &batch, request: &self.request, number, sample };
            let mut walking = Walking::new(Walker { plan, paths: self, evaluated: &evaluated, law, arch: Arch::new() });
            run_whole(work, self.dates(), range, context, &mut walking)?;
            Ok(walking.walked)
        };
        let main = walked(self.law, paths, MAIN, range.clone(), &sampled)?;
        let mut others = Vec::new();
        for (number, _, law) in self.others().filter(|(number, ..)| *number != MAIN) {
            others.push(walked(*law, self.resampling.tenth(), number, self.tenth(&range), &[])?);
        }
        Ok(Solved { range, main, others })
    }

    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Paths that are gone through again.
    fn sampled(&self, size: Sample) -> Vec<u64> {
        let paths = self.resampling.paths;
        let size = match size {
            Sample::Default => Sample::Count(CHECKED.max(paths / 1000)),
            asked => asked,
        };
        sample(paths, self.seed, size)
    }

    /// Solves a sample of the paths again on the CPU, goes through them, and compares: the growth a year of what a device
    /// solved, all figures of what the CPU did. `figures` are those of all paths.
    ///
    /// # Errors
    /// None that is known of.
    pub fn check(&self, plan: &Plan, figures: &[f64], on_device: bool, size: Sample) -> Result<CrossCheck> {
        let mut check = CrossCheck::default();
        // A trade more or less is no error of either: weights that hardly differ may lie on two sides of a band.
        let Trading { band, no_trade, .. } = plan.config.trading;
        if on_device && (band.is_some() || no_trade.is_some()) {
            return Ok(check);
        }
        let each = plan.strategies.len() * FIGURES;
        let (tolerance, compared) = if on_device { (GROWTH_TOLERANCE, 1) } else { (FIGURE_TOLERANCE, FIGURES) };
        let batch = self.batch(plan, self.law, self.resampling.paths)?;
        let engine = plan.question().rough();
        let job = engine.job(&batch, &self.request);
        let evaluated = Evaluated::after(plan, plan.start);
        let walker = Walker { plan, paths: self, evaluated: &evaluated, law: self.law, arch: Arch::new() };
        for path in self.sampled(size) {
            let problems: Vec<u64> = (path * self.dates()..(path + 1) * self.dates()).collect();
            let solutions = job.run_all(&problems, &Stop::NEVER)?.portfolios();
            let own = walker.walk(path..path + 1, &solutions);
            let kept = figures[path as usize * each..][..each].chunks_exact(FIGURES);
            let agrees = |(own, kept): (&[f64; FIGURES], &[f64])| {
                own[..compared].iter().zip(kept).all(|(own, kept)| {
                    own.is_nan() && kept.is_nan() || (own - kept).abs() <= tolerance * own.abs().max(1.0)
                })
            };
            let agree = own.iter().flat_map(|walk| &walk.figures).zip(kept).all(agrees);
            check.sampled += 1;
            check.disagreements += u64::from(!agree);
        }
        Ok(check)
    }

    /// What the cross-check of a run on a device found, of weights and of whole paths; none of one on the CPU.
    ///
    /// # Errors
    /// As [`Paths::check`].
    pub fn checked(&self, plan: &Plan, solved: &Solved, info: &EngineInfo) -> Result<Option<CrossCheck>> {
        let Some(weights) = solved.main.check.filter(|_| info.on_device()) else { return Ok(None) };
        let paths = self.check(plan, &solved.main.figures, true, self.crosscheck)?;
        let found = CrossCheck::from(weights);
        Ok(Some(CrossCheck { disagreements: found.disagreements + paths.disagreements, ..found }))
    }

    /// What a reader should know of them.
    pub fn notes(&self, plan: &Plan, solved: &Solved) -> Vec<Text> {
        let unsolved = solved.main.solves.unsolved();
        let unsolved = (unsolved > 0).then(|| {
            format!(
                "{} of {} on paths have no certified portfolio, such as where an asset stands still for a whole window: what \
                 was held stays",
                grouped(unsolved),
                counted(solved.main.solves.total, "decision"),
            )
        });
        let windows = match plan.config.lookback {
            Lookback::Rolling(rows) => format!("windows of {} run", counted(rows as u64, "row")),
            Lookback::Expanding(_) => "windows run".to_string(),
        };
        let own = [
            format!(
                "paths are made of blocks of about {} of the history: {windows} across their joins, so weights and exposure \
                 know less than in life, and bands are those of the strategy on shuffled history",
                counted(self.block_length.round() as u64, "row"),
            ),
            "paths hold the rows before the first trade as well: bands are not centred on the figures of the history"
                .into(),
        ];
        unsolved.into_iter().chain(own).map(Text::from).collect()
    }

    pub fn outcome(&self, plan: &Plan, solved: &Solved) -> PathsOutcome {
        let mut others = solved.others.iter();
        let walked = self.others().filter_map(|(number, length, law)| {
            let walked = if number == MAIN { &solved.main } else { others.next()? };
            Some((length, law.threshold(), walked))
        });
        outcome::outcome(plan, self, &solved.main, walked)
    }

    pub fn share(&self, part: Part, solved: &Solved) -> Share {
        outcome::share(part, &solved.range, &solved.main)
    }
}

/// A block has at least so many rows where nothing is said: shorter ones forget the state that markets are in.
fn least_block(periods_per_year: f64) -> f64 {
    match Period::of_rows(periods_per_year) {
        Some(Period::Day) => 63.0,
        Some(Period::Week) => 26.0,
        Some(Period::Month) => 12.0,
        _ => 1.0,
    }
}

/// # Errors
/// An asset that has no return in some row.
fn check_lives(plan: &Plan) -> Result<()> {
    let (market, rows) = (&plan.market, plan.market.rows());
    let lives = || market.lives.iter().enumerate();
    let name = |asset: usize| &market.returns.assets[asset];
    let all = counted(market.assets() as u64, "asset");
    if let Some((asset, life)) = lives().max_by_key(|(_, life)| life.start).filter(|(_, life)| life.start > 0) {
        let (from, first) = (market.label(life.start), market.label(0));
        return Err(Error::input(format!(
            "paths take rows in which every asset has a return: `{}` starts {from}, and the rows {first}",
            name(asset)
        ))
        .hint(format!("{}, from where all {all} live; or leave assets out", option("from").plain(from))));
    }
    if let Some((asset, life)) = lives().min_by_key(|(_, life)| life.end).filter(|(_, life)| life.end < rows) {
        let (to, last) = (market.label(life.end - 1), market.label(rows - 1));
        return Err(Error::input(format!(
            "paths take rows in which every asset has a return: `{}` ends {to}, and the rows {last}",
            name(asset)
        ))
        .hint(format!("{}, up to where all {all} live; or leave assets out", option("to").plain(to))));
    }
    Ok(())
}
