//! Resampled problems on the device: the panel goes up once, weights and certificates come down.

use std::ops::Range;
use std::sync::Arc;

use super::device::{Attempt, Device, Trouble};
use super::driver::{Driver, Queue};
use super::kernel::{Other, Refining, Shrinkage};
use super::limited::Limited;
use super::parameters::{high, low};
use super::plan::{Accuracy, Origin, Others, Plan, SWEEP_LIMIT, Sizes};
use super::results::Layout;
use super::stages::{Ages, History, Limiting, Room, Slice};
use super::suffixes::{self, Decaying};
use super::way::Way;
use super::windows::Windows;
use crate::batch::{Block, Solutions};
use crate::covariance::estimator::Estimator;
use crate::methods::{Program, Selection};
use crate::panel::Panel;
use crate::resample::Law;

/// Volatilities further apart than this leave the range of single precision on the way to weights.
pub const WIDEST_SPREAD: f64 = 1e30;

/// Below this share of its full-sample variance, an asset's variance in a window is left to the CPU: none that moves, for
/// moments of a window round at its own order, and stage `correlate` sees what that has eaten.
const SMALLEST_IN_WINDOWS: f64 = f64::MIN_POSITIVE;

/// Resamples of a history, and what is estimated from each.
#[derive(Clone, Copy)]
pub struct Resamples<'a> {
    pub panel: &'a Panel,
    pub law: Law,
    /// Problems are windows of resamples, these of each, where there are any.
    pub windows: Option<&'a [Range<u32>]>,
    pub estimator: Estimator,
}

/// A resampled batch on one device.
pub struct Resampled {
    pub device: Arc<Device>,
    pub plan: Plan,
    law: Law,
    volatilities: Vec<f64>,
    /// Other methods that are wanted.
    beside: Selection,
    others: Vec<Other>,
    /// Weights of fixed mixes, one after the other, where there are any.
    mixes: Option<wgpu::Buffer>,
    /// What one unit of the device's volatilities is worth: a power of two near the largest of the panel's.
    unit: f64,
    way: Way,
    history: History,
    /// What rows count, where that depends on their age.
    ages: Option<Ages>,
    /// The panel asset by asset, where its rows are read once more.
    columns: Vec<Slice>,
    /// Means over the history, in units of the volatilities there, where they are read.
    offsets: Option<wgpu::Buffer>,
    /// Budgets, as `descend` reads them.
    budgets: wgpu::Buffer,
    /// (budget, relative volatility), as `certify` reads them.
    assets: wgpu::Buffer,
    /// Limits, where there are any.
    within: Option<Within>,
    /// Free room, that of the last batch on top.
    rooms: Vec<Workroom>,
    under_way: Queue<(Range<u64>, Running)>,
}

/// Limits of all problems.
struct Within {
    limited: Arc<Limited>,
    limits: wgpu::Buffer,
    /// (1 / n, relative volatility): inverse volatility within limits is risk budgeting of assets that have nothing in
    /// common.
    equal: wgpu::Buffer,
}

/// Buffers of a batch, and where its results are read from.
struct Workroom {
    buffers: Room,
    staging: wgpu::Buffer,
}

/// A batch that the device works on.
pub struct Running {
    room: Workroom,
    problems: u32,
    dispatches: u32,
    submission: wgpu::SubmissionIndex,
}

impl Resampled {
    pub fn new(
        device: Arc<Device>,
        memory: u64,
        program: &Program,
        Resamples { panel, law, windows, estimator }: Resamples,
        (way, mut accuracy): (Way, Accuracy),
        beside: &Selection,
    ) -> Attempt<Self> {
        if windows.is_some() {
            accuracy.limits.variance = SMALLEST_IN_WINDOWS;
        }
        let refining = Refining::of(estimator);
        let (risk_budgets, others) = (program.budgets(), Others::of(beside));
        let limited = Limited::of(program, accuracy.precision).map(Arc::new);
        let groups = limited.as_ref().map(|limited| limited.groups());
        let origin = Origin::Resampled { rows: panel.rows(), way, refining, others, limited: groups };
        let mut plan = Plan::new(&device.facts, memory, origin, panel.assets(), accuracy)?;
        let weighting = estimator.weighting(panel.rows());
        if windows.is_none() {
            plan.total = (weighting.total(panel.rows()) / weighting.divisor(panel.rows())) as f32;
        }
        let encode = |numbers: &mut dyn Iterator<Item = f64>| accuracy.precision.encode(numbers);
        let unit = unit(panel.volatilities());
        let (history, ages, columns, [offsets, mixes], [budgets, assets], within) = device.guarded(|| {
            let ages = weighting.whole(panel.rows()).map(|whole| Ages {
                count: whole.by_age().len() as u32,
                unit: whole.unit() as f32,
                buffer: device.upload("ages", whole.by_age()),
            });
            let reads_rows = refining.and_then(Refining::shrinkage).is_some_and(Shrinkage::reads_rows);
            let columns = if reads_rows { columns(&device, &plan, panel) } else { Vec::new() };
            let history = match way {
                Way::Counts { .. } | Way::Weights { .. } => History::Rows(slices(&device, &plan, panel)),
                Way::Steps { .. } => History::Sums(suffixes::upload(&device, &plan, panel, None)),
                Way::Decays { .. } => {
                    History::Sums(suffixes::upload(&device, &plan, panel, Decaying::of(&weighting, panel.rows())))
                }
                Way::Windows { .. } => {
                    let spans = windows.unwrap_or_default();
                    History::Windows(Windows::upload(&device, spans, slice(&device, &plan, panel.values()))?)
                }
            };
            let budgets = encode(&mut risk_budgets.iter().copied());
            let pairs = risk_budgets.iter().zip(panel.volatilities()).flat_map(|(&b, sigma)| [b, sigma / unit]);
            let assets = encode(&mut pairs.into_iter());
            let mixes = beside.constant().flatten().copied();
            let mixes = (others.mixes > 0).then(|| device.upload("mixes", &encode(&mut mixes.into_iter())));
            let mut means = panel.means().iter().copied();
            let offsets = (refining == Some(Refining::Gerber)).then(|| device.upload("offsets", &encode(&mut means)));
            let always = [("budgets", budgets), ("assets", assets)].map(|(name, of)| device.upload(name, &of));
            let within = limited.map(|limited| {
                let equal = (panel.assets() as f64).recip();
                let pairs = panel.volatilities().iter().flat_map(|sigma| [equal, sigma / unit]);
                Within {
                    limits: device.upload("limits", &encode(&mut limited.numbers().into_iter())),
                    equal: device.upload("equal budgets", &encode(&mut pairs.into_iter())),
                    limited,
                }
            });
            Ok((history, ages, columns, [offsets, mixes], always, within))
        })?;
        Ok(Resampled {
            device,
            plan,
            law,
            volatilities: panel.volatilities().to_vec(),
            beside: beside.clone(),
            others: beside.solved().filter_map(Other::of).collect(),
            mixes,
            unit,
            way,
            history,
            ages,
            columns,
            offsets,
            budgets,
            assets,
            within,
            rooms: Vec::new(),
            under_way: Queue::default(),
        })
    }

    /// Room for at least `problems`: what is free, if it is large enough. Whoever takes it gives it back unless something
    /// failed: room is then freed before it is asked for again.
    fn take_room(&mut self, problems: u32) -> Attempt<Workroom> {
        if let Some(room) = self.rooms.pop().filter(|room| room.buffers.descents.problems >= problems) {
            return Ok(room);
        }
        self.device.guarded(|| {
            let buffers = self.device.problem_room(&self.plan, problems);
            Ok(Workroom { buffers, staging: self.device.staging(self.layout(problems).bytes()) })
        })
    }

    /// Whether problems have a parameter of their estimator.
    pub fn has_parameter(&self) -> bool {
        self.plan.refining.and_then(Refining::shrinkage).is_some()
    }

    /// The room of the last batch, with all that its stages have left.
    pub fn kept_room(&self) -> Option<&Room> {
        self.rooms.last().map(|room| &room.buffers)
    }

    /// As [`Driver::finish`], uncut.
    pub fn finish_whole(&mut self) -> Attempt<Solutions> {
        let (_, running) = self.under_way.pop()?;
        self.end_whole(running)
    }

    /// As [`Resampled::end`], uncut.
    pub fn end_whole(&mut self, running: Running) -> Attempt<Solutions> {
        let all = 0..running.problems as usize;
        Ok(self.end(running, std::slice::from_ref(&all))?.pop().unwrap_or_default())
    }

    fn layout(&self, problems: u32) -> Layout {
        let limited = self.within.as_ref().map(|within| Arc::clone(&within.limited));
        Layout::new(problems, &self.plan, &self.beside, limited)
    }

    /// Sets the device to work on the problems of these numbers, at most `plan.room` of them. Windows of paths follow on each
    /// other.
    pub fn begin(&mut self, numbers: &[u64]) -> Attempt<Running> {
        let follow = numbers.is_sorted_by(|before, number| before + 1 == *number);
        if matches!(self.history, History::Windows(_)) && !follow {
            return Err(Trouble::Unfit("the GPU engine does not solve windows here and there".to_owned()));
        }
        let problems = numbers.len() as u32;
        let room = self.take_room(problems)?;
        let submission = self.device.guarded(|| {
            let mut encoder = self.device.encoder();
            self.build(&mut encoder, &room.buffers, numbers);
            encoder.clear_buffer(&room.buffers.descents.states, 0, None);
            for (_, states) in &room.buffers.positions {
                encoder.clear_buffer(states, 0, None);
            }
            Ok(self.descend(encoder, &room, problems, false))
        })?;
        Ok(Running { room, problems, dispatches: 1, submission })
    }

    /// Waits for a batch and takes its results, those of each part of its problems by itself; what comes after it goes on
    /// meanwhile.
    pub fn end(&mut self, mut running: Running, parts: &[Range<usize>]) -> Attempt<Vec<Solutions>> {
        let (layout, most) = (self.layout(running.problems), SWEEP_LIMIT.div_ceil(self.plan.sweeps_per_dispatch));
        let solutions = self.device.guarded(|| {
            loop {
                let Running { room, problems, dispatches, submission } = &mut running;
                let found = self.device.read(&room.staging, layout.bytes(), submission.clone(), |bytes| {
                    let finished = *dispatches > most || !layout.running(bytes);
                    finished.then(|| layout.solutions(bytes, parts, &self.volatilities, self.unit))
                })?;
                if let Some(solutions) = found {
                    return Ok(solutions);
                }
                *submission = self.descend(self.device.encoder(), room, *problems, true);
                *dispatches += 1;
            }
        })?;
        self.rooms.push(running.room);
        Ok(solutions)
    }

    /// Some sweeps. Nearly always once: weights come back with the word that says whether they are final.
    fn descend(
        &self,
        mut encoder: wgpu::CommandEncoder,
        room: &Workroom,
        problems: u32,
        resumed: bool,
    ) -> wgpu::SubmissionIndex {
        let (device, plan, layout, buffers) = (&self.device, &self.plan, self.layout(problems), &room.buffers);
        let comparisons = !self.beside.methods().is_empty();
        if let Some(within) = &self.within {
            self.limit(&mut encoder, within, buffers, problems, resumed);
        } else if plan.fused {
            device.solve(&mut encoder, plan, buffers, &self.assets, problems, (resumed, comparisons));
        } else {
            device.descend(&mut encoder, plan, &buffers.descents, &self.budgets, problems, resumed);
            device.certify(&mut encoder, plan, buffers, &self.assets, problems, comparisons);
        }
        let mut results = vec![
            (&buffers.descents.running, layout.running),
            (&buffers.weights, layout.weights),
            (&buffers.certificates, layout.certificates),
            (&buffers.volatilities, layout.volatilities),
            (&buffers.intensities, layout.intensities),
            (&buffers.mixes, layout.mixes),
        ];
        for ((weights, proofs), (weights_at, proofs_at)) in buffers.others.iter().zip(layout.others) {
            results.extend([(weights, weights_at), (proofs, proofs_at)]);
        }
        device.timed(&mut encoder, "download", |encoder| {
            for (buffer, range) in results {
                encoder.copy_buffer_to_buffer(buffer, 0, &room.staging, range.start, range.end - range.start);
            }
        });
        device.submit(encoder)
    }

    /// Some sweeps within limits, of risk budgeting and of what is solved for beside it.
    fn limit(&self, encoder: &mut wgpu::CommandEncoder, within: &Within, room: &Room, problems: u32, resumed: bool) {
        let (device, plan, descents) = (&self.device, &self.plan, &room.descents);
        encoder.clear_buffer(&descents.running, 0, None);
        let own = Limiting {
            correlations: Some(&descents.correlations),
            positions: &descents.positions,
            states: &descents.states,
            running: &descents.running,
            volatilities: &room.volatilities,
            assets: &self.assets,
            limits: &within.limits,
        };
        device.limit(encoder, plan, own, problems, resumed);
        device.certify_limited(encoder, plan, (own, room), (&room.weights, &room.certificates), problems);
        for ((positions, states), (weights, certificates)) in room.positions.iter().zip(&room.others) {
            let beside = Limiting { correlations: None, positions, states, assets: &within.equal, ..own };
            device.limit(encoder, plan, beside, problems, resumed);
            device.certify_limited(encoder, plan, (beside, room), (weights, certificates), problems);
        }
    }

    /// Stages `draw` to `others`, those that are of their own.
    fn build(&self, encoder: &mut wgpu::CommandEncoder, room: &Room, numbers: &[u64]) {
        let (device, problems) = (&self.device, numbers.len() as u32);
        let first = numbers.first().copied().unwrap_or_default();
        let run = first..first + u64::from(problems);
        match &self.history {
            History::Windows(windows) => {
                self.draw(encoder, &self.plan, self.way, room, &windows.paths(&run).collect::<Vec<_>>());
            }
            History::Rows(_) | History::Sums(_) => self.draw(encoder, &self.plan, self.way, room, numbers),
        }
        let mut dispatches = 0;
        let mut flush = |encoder: &mut wgpu::CommandEncoder| {
            dispatches += 1;
            if dispatches > 1 {
                device.submit(std::mem::replace(encoder, device.encoder()));
            }
        };
        let (plan, history) = (&self.plan, (&self.history, self.ages.as_ref()));
        if let Some(offsets) = &self.offsets {
            device.gerber(encoder, plan, (&self.history, offsets), room, problems, &mut flush);
        } else {
            match &self.history {
                History::Windows(windows) => device.moments_of_windows(encoder, plan, windows, room, &run, &mut flush),
                _ => device.moments(encoder, plan, history, room, problems, &mut flush),
            }
            if plan.correlates {
                device.correlate(encoder, plan, room, problems);
            }
            if let Some(shrinkage) = plan.refining.and_then(Refining::shrinkage) {
                device.shrink(encoder, plan, (shrinkage, &self.columns), room, problems, &mut flush);
            }
        }
        device.others(encoder, plan, (&self.others, self.mixes.as_ref()), &self.assets, room, problems);
    }

    fn draw(&self, encoder: &mut wgpu::CommandEncoder, plan: &Plan, way: Way, room: &Room, numbers: &[u64]) {
        let words: Vec<[u32; 2]> = numbers.iter().map(|&number| [low(number), high(number)]).collect();
        self.device.queue.write_buffer(&room.numbers, 0, bytemuck::cast_slice(&words));
        let drawing = (&self.law, way, self.ages.as_ref());
        self.device.draw(encoder, plan, drawing, room, numbers.len() as u32);
    }

    fn draw_counts(&mut self, numbers: &[u64]) -> Attempt<Vec<u32>> {
        let Some(way) = self.way.of_counts(self.plan.rows) else { return Ok(Vec::new()) };
        let problems = numbers.len() as u32;
        if way == self.way {
            let room = self.take_room(problems)?;
            let counts = self.counts_in(&room.buffers, &self.plan, way, numbers)?;
            self.rooms.push(room);
            return Ok(counts);
        }
        let sizes = Sizes { numbers: 8, drawn: way.drawn_bytes(), ends: way.end_bytes(), ..Sizes::default() };
        let mut plan = self.plan;
        (plan.way, plan.sizes, plan.others) = (Some(way), sizes, Others::default());
        let room = self.device.guarded(|| Ok(self.device.problem_room(&plan, problems)))?;
        self.counts_in(&room, &plan, way, numbers)
    }

    fn counts_in(&self, room: &Room, plan: &Plan, way: Way, numbers: &[u64]) -> Attempt<Vec<u32>> {
        let (device, problems) = (&self.device, numbers.len() as u64);
        let (drawn, ends) = (way.drawn_bytes() * problems, way.end_bytes() * problems);
        device.guarded(|| {
            let staging = device.staging(drawn + ends);
            let mut encoder = device.encoder();
            self.draw(&mut encoder, plan, way, room, numbers);
            encoder.copy_buffer_to_buffer(&room.drawn, 0, &staging, 0, drawn);
            encoder.copy_buffer_to_buffer(&room.ends, 0, &staging, drawn, ends);
            let submission = device.submit(encoder);
            device.read(&staging, drawn + ends, submission, |bytes| {
                let words: &[u32] = bytemuck::cast_slice(bytes);
                let (drawn, ends) = words.split_at(drawn as usize / 4);
                let (drawn_each, ends_each) = (drawn.len() / numbers.len(), ends.len() / numbers.len());
                let counts = (0..numbers.len()).flat_map(|p| {
                    let drawn = &drawn[p * drawn_each..(p + 1) * drawn_each];
                    way.counts(drawn, &ends[p * ends_each..(p + 1) * ends_each], self.plan.rows)
                });
                counts.collect()
            })
        })
    }
}

impl Driver for Resampled {
    fn room(&self) -> u32 {
        self.plan.room
    }

    fn pieces(&self) -> usize {
        self.plan.batches
    }

    fn start(&mut self, piece: Range<u64>) -> Attempt<()> {
        let running = self.begin(&piece.clone().collect::<Vec<_>>())?;
        self.under_way.push((piece, running));
        Ok(())
    }

    fn finish(&mut self) -> Attempt<Vec<Block>> {
        let (piece, running) = self.under_way.pop()?;
        Ok(self.end(running, &Block::parts(piece))?.into_iter().map(Block::Portfolios).collect())
    }

    fn abandon(&mut self) {
        self.under_way.clear();
    }

    fn counts(&mut self, problems: &[u64]) -> Attempt<Vec<u32>> {
        self.draw_counts(problems)
    }
}

/// The panel, in as many buffers as bindings ask for.
fn slices(device: &Device, plan: &Plan, panel: &Panel) -> Vec<Slice> {
    panel.values().chunks(plan.slice_rows * plan.assets).map(|values| slice(device, plan, values)).collect()
}

/// Some rows of it.
fn slice(device: &Device, plan: &Plan, values: &[f64]) -> Slice {
    let n = plan.assets;
    // A leading one makes the sums of a column one more product.
    let led = values.chunks_exact(n).flat_map(|row| std::iter::once(1.0).chain(row.iter().copied()));
    Slice { rows: values.len() / n, buffer: device.upload("panel", &plan.accuracy.precision.encode(led)) }
}

/// The panel asset by asset, cut alike.
fn columns(device: &Device, plan: &Plan, panel: &Panel) -> Vec<Slice> {
    let n = plan.assets;
    let slices = panel.values().chunks(plan.slice_rows * n).map(|values| {
        let columns = (0..n).flat_map(|i| values.chunks_exact(n).map(move |row| row[i]));
        Slice { rows: values.len() / n, buffer: device.upload("columns", &plan.accuracy.precision.encode(columns)) }
    });
    slices.collect()
}

/// The power of two at or below the largest volatility.
fn unit(volatilities: &[f64]) -> f64 {
    let largest = volatilities.iter().fold(0.0_f64, |m, &v| m.max(v));
    2.0_f64.powi(largest.log2().floor() as i32)
}
