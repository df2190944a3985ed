//! Subsets on the device: one covariance and a table of binomials go up once; a batch is a number to start from, and its
//! errors and figures come down.
//!
//! Small subsets are numbered, gathered, solved and measured by one thread each, in its registers. Larger ones go through
//! the stages `draw -> correlate -> descend -> certify -> measure`, as resampled problems do.

use std::ops::Range;
use std::sync::Arc;

use super::device::{Attempt, Device, Trouble};
use super::driver::{Driver, Queue};
use super::facts::AdapterFacts;
use super::figures::{Figures, MOST_NUMBERS, START};
use super::kernel::Kernel;
use super::parameters::{self, Acceptance, Screen, high, low};
use super::plan::{Accuracy, Origin, Plan, SWEEP_LIMIT};
use super::precision::Precision;
use super::stages::Room;
use super::unrolled_measure::THREADS;
use crate::batch::Block;
use crate::covariance::RiskModel;
use crate::measure::{Measured, Metric};
use crate::methods::risk_budgeting::small;
use crate::subsets::binomial::Binomials;
use crate::subsets::cap::Cap;
use crate::subsets::{Draw, Subsets};

/// Small subsets of a batch at most: several batches to a chunk, so that one is read while another is computed.
const MOST: u64 = 1 << 18;

/// Assets of a subset at most: the loops over its pairs must stay below llvmpipe's limit.
const MOST_HELD: usize = 256;

/// Assets of a universe at most: unranking walks through them, and llvmpipe ends long loops without a word.
const MOST_ASSETS: usize = 4096;

/// Newton's steps end at single precision's floor, a few times 1e-7.
const AIM: f32 = 2e-6;

/// The subsets of one universe on one device.
pub struct Screened<'a> {
    device: Arc<Device>,
    subsets: &'a Subsets,
    accuracy: Accuracy,
    /// How larger subsets go through the stages; none for small ones.
    plan: Option<Plan>,
    assets: usize,
    included: usize,
    pool: usize,
    /// 32-bit words of a row of `barred`; none without a cap.
    words: usize,
    /// What volatilities were divided by.
    unit: f64,
    binomials: wgpu::Buffer,
    held: wgpu::Buffer,
    correlation: wgpu::Buffer,
    volatilities: wgpu::Buffer,
    barred: wgpu::Buffer,
    /// Budgets, as `descend` reads them, and (budget, 1), as `certify` does.
    budgets: wgpu::Buffer,
    shares: wgpu::Buffer,
    /// Problems of a batch, and batches under way.
    room: u32,
    batches: usize,
    rooms: Vec<Workroom>,
    metrics: Vec<Metric>,
    under_way: Queue<Running>,
}

/// Buffers of a batch, and where its figures are read from.
struct Workroom {
    problems: u32,
    stages: Option<Room>,
    figures: wgpu::Buffer,
    staging: wgpu::Buffer,
}

/// A batch that the device works on.
pub struct Running {
    room: Workroom,
    problems: u32,
    figures: Figures,
    dispatches: u32,
    submission: wgpu::SubmissionIndex,
}

impl<'a> Screened<'a> {
    pub fn new(
        device: Arc<Device>,
        memory: u64,
        budgets: &[f64],
        (universe, subsets, cap): (&RiskModel, &'a Subsets, Option<&Cap>),
        accuracy: Accuracy,
        metrics: &[Metric],
    ) -> Attempt<Self> {
        let (n, precision) = (universe.assets(), accuracy.precision);
        Figures::new(metrics, precision)?;
        let Arrangement { plan, room, batches, .. } =
            arrange(&device.facts, memory, (universe, subsets, cap), accuracy)?;
        let (included, pool) = subsets.space().plain();
        let choices = if ranked(subsets) { [pool.len(), subsets.size() - included.len()] } else { [0, 0] };
        let table = Binomials::new(choices[0], choices[1]);
        let binomials: Vec<[u32; 2]> = table.values().iter().map(|&c| [low(c), high(c)]).collect();
        let held = [included, pool].concat();
        // Of order one, whatever the unit.
        let unit = universe.volatilities.iter().fold(0.0_f64, |m, &s| m.max(s));
        let volatilities: Vec<f64> = universe.volatilities.iter().map(|s| s / unit).collect();
        if volatilities.iter().any(|&s| s < f64::from(f32::MIN_POSITIVE)) {
            return Err(unfit("volatilities so far apart".to_owned()));
        }
        let barred = cap.map_or(vec![0], Cap::words);
        let words = cap.map_or(0, |_| barred.len() / n);
        let shares = budgets.iter().flat_map(|&b| [b, 1.0]);
        let (included, pool) = (included.len(), pool.len());
        Arc::clone(&device).guarded(|| {
            let numbers =
                |label, numbers: &mut dyn Iterator<Item = f64>| device.upload(label, &precision.encode(numbers));
            Ok(Screened {
                binomials: device.upload("binomials", &binomials),
                held: device.upload("held", &held),
                correlation: numbers("correlation", &mut universe.correlation.iter().copied()),
                volatilities: numbers("volatilities", &mut volatilities.into_iter()),
                barred: device.upload("barred", &barred),
                budgets: numbers("budgets", &mut budgets.iter().copied()),
                shares: numbers("shares", &mut shares.into_iter()),
                device,
                subsets,
                accuracy,
                plan,
                assets: n,
                included,
                pool,
                words,
                unit,
                room,
                batches,
                rooms: Vec::new(),
                metrics: metrics.to_vec(),
                under_way: Queue::default(),
            })
        })
    }

    /// Room for at least `problems`: what is free, if it is large enough.
    fn take_room(&mut self, problems: u32) -> Attempt<Workroom> {
        if let Some(room) = self.rooms.pop().filter(|room| room.problems >= problems) {
            return Ok(room);
        }
        let bytes = self.accuracy.precision.bytes() * MOST_NUMBERS as u64 * u64::from(problems);
        self.device.guarded(|| {
            Ok(Workroom {
                problems,
                stages: self.plan.map(|plan| self.device.problem_room(&plan, problems)),
                figures: self.device.room("figures", bytes),
                staging: self.device.staging(START + bytes),
            })
        })
    }

    fn parameters(&self, range: Range<u64>) -> Screen {
        let (size, seed, half) = match self.subsets.draw() {
            Draw::All => (0, 0, 0),
            Draw::Floyd { seed } => (0, seed, 0),
            Draw::Permuted { seed } => {
                let size = self.subsets.space().count().expect("a permuted space has its ranks");
                (size, seed, (u64::BITS - (size - 1).max(1).leading_zeros()).div_ceil(2))
            }
        };
        Screen {
            problems: (range.end - range.start) as u32,
            start_lo: low(range.start),
            start_hi: high(range.start),
            assets: self.assets as u32,
            pool: self.pool as u32,
            words: self.words as u32,
            half,
            size_lo: low(size),
            size_hi: high(size),
            seed_lo: low(seed),
            seed_hi: high(seed),
            aim: AIM,
            acceptance: at_most(self.accuracy.limits.rc_error),
            condition: at_most(self.accuracy.limits.kappa),
        }
    }

    /// Sets the device to work on the problems of `range`, at most `room` of them.
    fn begin(&mut self, range: Range<u64>) -> Attempt<Running> {
        let figures = Figures::new(&self.metrics, self.accuracy.precision)?;
        let problems = (range.end - range.start) as u32;
        let room = self.take_room(problems)?;
        let screen = self.parameters(range);
        let submission = self.device.guarded(|| {
            let mut encoder = self.device.encoder();
            match (&room.stages, &self.plan) {
                (Some(stages), Some(plan)) => {
                    self.build(&mut encoder, stages, &screen);
                    encoder.clear_buffer(&stages.descents.states, 0, None);
                    Ok(self.descend(encoder, &room, (plan, stages), &figures, problems, false))
                }
                _ => {
                    self.measure(&mut encoder, &room, &figures, &screen);
                    Ok(self.hand_over(encoder, &room, &figures, problems))
                }
            }
        })?;
        Ok(Running { room, problems, figures, dispatches: 1, submission })
    }

    /// Waits for a batch and takes its figures; what comes after it goes on meanwhile.
    fn end(&mut self, mut running: Running) -> Attempt<Measured> {
        let most = self.plan.map_or(0, |plan| SWEEP_LIMIT.div_ceil(plan.sweeps_per_dispatch));
        let correlated = self.subsets.size() > 1;
        let measured = self.device.guarded(|| {
            loop {
                let Running { room, problems, figures, dispatches, submission } = &mut running;
                let bytes = START + figures.bytes(*problems);
                let found = self.device.read(&room.staging, bytes, submission.clone(), |bytes| {
                    let finished = *dispatches > most || bytes[..4].iter().all(|&byte| byte == 0);
                    let bytes = &bytes[START as usize..];
                    finished.then(|| figures.measured(bytes, *problems as usize, self.unit, correlated))
                })?;
                match (found, &room.stages, &self.plan) {
                    (None, Some(stages), Some(plan)) => {
                        let encoder = self.device.encoder();
                        *submission = self.descend(encoder, room, (plan, stages), figures, *problems, true);
                        *dispatches += 1;
                    }
                    (found, ..) => return Ok(found.unwrap_or_default()),
                }
            }
        })?;
        self.rooms.push(running.room);
        Ok(measured)
    }

    /// All stages of small subsets in one.
    fn measure(&self, encoder: &mut wgpu::CommandEncoder, room: &Workroom, figures: &Figures, screen: &Screen) {
        let (device, parameters) = (&self.device, self.device.uniform(screen));
        let (assets, included, wide) = (self.subsets.size(), self.included, device.facts.wide_integers);
        let kernel = Kernel::Measure { assets, included, metrics: figures.bits(), wide };
        let buffers = [
            (0, &parameters),
            (1, &self.binomials),
            (2, &self.held),
            (3, &self.correlation),
            (4, &self.volatilities),
            (5, &self.barred),
            (6, &room.figures),
        ];
        device.dispatch(encoder, kernel, screen.problems.div_ceil(THREADS), &buffers);
    }

    /// Stages `draw` and `correlate`.
    fn build(&self, encoder: &mut wgpu::CommandEncoder, room: &Room, screen: &Screen) {
        let (device, assets, precision) = (&self.device, self.subsets.size(), self.accuracy.precision);
        let (ranked, wide) = (ranked(self.subsets), device.facts.wide_integers);
        let parameters = device.uniform(screen);
        let drawn = [(0, &parameters), (2, &self.held), (5, &self.barred), (6, &room.drawn), (1, &self.binomials)];
        let used = if ranked { &drawn[..] } else { &drawn[..4] };
        let kernel = Kernel::DrawSubset { assets, included: self.included, ranked, wide };
        device.dispatch(encoder, kernel, screen.problems.div_ceil(THREADS), used);

        let parameters =
            device.uniform(&parameters::Universe { problems: screen.problems, assets: self.assets as u32 });
        let gathered = [
            (0, &parameters),
            (1, &room.drawn),
            (2, &self.correlation),
            (3, &self.volatilities),
            (4, &room.volatilities),
            (5, &room.descents.correlations),
        ];
        let cells = super::kernel::correlation_cells(assets, precision).max(assets) as u32;
        let groups = (screen.problems * cells).div_ceil(64);
        device.dispatch(encoder, Kernel::CorrelateSubset { assets, precision }, groups, &gathered);
    }

    /// Some sweeps, and what comes after them. Nearly always once: figures come back with the word that says whether
    /// they are final.
    fn descend(
        &self,
        mut encoder: wgpu::CommandEncoder,
        room: &Workroom,
        (plan, stages): (&Plan, &Room),
        figures: &Figures,
        problems: u32,
        resumed: bool,
    ) -> wgpu::SubmissionIndex {
        let (device, assets, precision) = (&self.device, plan.assets, self.accuracy.precision);
        device.descend(&mut encoder, plan, &stages.descents, &self.budgets, problems, resumed);
        device.certify(&mut encoder, plan, stages, &self.shares, problems, false);
        let limits = self.accuracy.limits;
        let acceptance = Acceptance { problems, rc_error: at_most(limits.rc_error), kappa: at_most(limits.kappa) };
        let parameters = device.uniform(&acceptance);
        let buffers = [
            (0, &parameters),
            (1, &stages.drawn),
            (2, &stages.volatilities),
            (3, &stages.descents.correlations),
            (4, &stages.weights),
            (5, &stages.certificates),
            (6, &room.figures),
        ];
        let kernel = Kernel::MeasureCertified { assets, metrics: figures.bits(), precision };
        device.dispatch(&mut encoder, kernel, problems.div_ceil(THREADS), &buffers);
        self.hand_over(encoder, room, figures, problems)
    }

    fn hand_over(
        &self,
        mut encoder: wgpu::CommandEncoder,
        room: &Workroom,
        figures: &Figures,
        problems: u32,
    ) -> wgpu::SubmissionIndex {
        self.device.timed(&mut encoder, "download", |encoder| {
            if let Some(stages) = &room.stages {
                encoder.copy_buffer_to_buffer(&stages.descents.running, 0, &room.staging, 0, 4);
            }
            encoder.copy_buffer_to_buffer(&room.figures, 0, &room.staging, START, figures.bytes(problems));
        });
        self.device.submit(encoder)
    }
}

impl Driver for Screened<'_> {
    fn room(&self) -> u32 {
        self.room
    }

    fn pieces(&self) -> usize {
        self.batches
    }

    fn start(&mut self, piece: Range<u64>) -> Attempt<()> {
        let running = self.begin(piece)?;
        self.under_way.push(running);
        Ok(())
    }

    fn finish(&mut self) -> Attempt<Vec<Block>> {
        let running = self.under_way.pop()?;
        Ok(vec![Block::Metrics(self.end(running)?)])
    }

    fn abandon(&mut self) {
        self.under_way.clear();
    }
}

/// How subsets are run.
pub struct Arrangement {
    /// Through which stages; none for small ones.
    plan: Option<Plan>,
    room: u32,
    batches: usize,
    /// Of all buffers together.
    pub bytes: u64,
}

/// # Errors
/// Subsets that the device does not screen, or cannot hold.
pub fn arrange(
    facts: &AdapterFacts,
    memory: u64,
    (universe, subsets, cap): (&RiskModel, &Subsets, Option<&Cap>),
    accuracy: Accuracy,
) -> Attempt<Arrangement> {
    let (n, k, real) = (universe.assets(), subsets.size(), accuracy.precision.bytes());
    if k > MOST_HELD {
        return Err(unfit(format!("subsets of {k} assets (at most {MOST_HELD})")));
    }
    if !subsets.space().is_plain() {
        return Err(unfit("limits on groups".to_owned()));
    }
    let (included, pool) = subsets.space().plain();
    if included.len() == k {
        return Err(unfit("a single subset".to_owned()));
    }
    if n > MOST_ASSETS {
        return Err(unfit(format!("{n} assets (at most {MOST_ASSETS})")));
    }
    let correlations = real * (n * n) as u64;
    if correlations > facts.limits.binding_bytes {
        return Err(unfit(format!("{n} assets, whose correlations it cannot bind")));
    }
    let binomials = if ranked(subsets) { 8 * (pool.len() + 1) * (k - included.len() + 1) } else { 0 };
    let barred = cap.map_or(0, |_| n * n.div_ceil(32) * 4);
    let shared = correlations + real * n as u64 + (binomials + 4 * n + barred) as u64;
    if accuracy.precision == Precision::Single && k <= small::MOST && ranked(subsets) {
        let each = real * MOST_NUMBERS as u64;
        // On both sides, of two batches.
        let room = MOST.min(memory / (4 * each)).min(facts.limits.binding_bytes / each).max(1);
        return Ok(Arrangement { plan: None, room: room as u32, batches: 2, bytes: shared + 4 * room * each });
    }
    let origin = Origin::Subsets { universe: shared, figures: MOST_NUMBERS };
    let plan = Plan::new(facts, memory, origin, k, accuracy)?;
    Ok(Arrangement { plan: Some(plan), room: plan.room, batches: plan.batches, bytes: plan.bytes })
}

/// Whether problems have ranks on the device.
fn ranked(subsets: &Subsets) -> bool {
    !matches!(subsets.draw(), Draw::Floyd { .. })
}

/// The largest number of single precision below `x`.
fn at_most(x: f64) -> f32 {
    (x as f32).next_down()
}

fn unfit(what: String) -> Trouble {
    Trouble::Unfit(format!("the GPU engine does not screen {what}"))
}
