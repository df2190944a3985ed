//! The stages as dispatches: `draw`, `moments`, `correlate`, `shrink`, `others`, `descend` or `limit`, `certify`.

use super::device::Device;
use super::kernel::{
    self, Covariance, Drawn, Kernel, Other, PRODUCT_ASSETS, Shrinkage, Spread, moment_entries, product_problems,
    product_tile, steps_problems,
};
use super::parameters::{Descent, DrawLaw, FourthRange, GerberRange, MomentRange, Shape, State, StepRange};
use super::plan::{
    LIMITED_SWEEP_LIMIT, Plan, ROWS_PER_DISPATCH, SLICES_PER_DISPATCH, SWEEP_LIMIT, fold, without_matrix,
};
use super::profile::Span;
use super::suffixes::Suffixes;
use super::unrolled;
use super::way::Way;
use super::windows::Windows;
use crate::resample::Law;

/// Buffers that problems descend in.
pub struct Descents {
    /// Problems there is room for.
    pub problems: u32,
    pub correlations: wgpu::Buffer,
    pub positions: wgpu::Buffer,
    pub states: wgpu::Buffer,
    pub running: wgpu::Buffer,
}

/// Buffers that generated problems live in, from what is drawn to their weights.
pub struct Room {
    pub descents: Descents,
    pub numbers: wgpu::Buffer,
    /// Counts, steps or rows, as [`Way`] has it, and ends of slices; or the assets of subsets.
    pub drawn: wgpu::Buffer,
    pub ends: wgpu::Buffer,
    pub moments: wgpu::Buffer,
    pub fourth: wgpu::Buffer,
    /// Bits of the Gerber statistic, and those of counts.
    pub planes: wgpu::Buffer,
    pub count_planes: wgpu::Buffer,
    pub intensities: wgpu::Buffer,
    pub volatilities: wgpu::Buffer,
    pub weights: wgpu::Buffer,
    pub certificates: wgpu::Buffer,
    /// Weights and proofs of each method that is solved for beside risk budgeting; within limits certificates.
    pub others: Vec<(wgpu::Buffer, wgpu::Buffer)>,
    /// Within limits, where each of these descends.
    pub positions: Vec<(wgpu::Buffer, wgpu::Buffer)>,
    /// Volatilities of all problems, mix after mix.
    pub mixes: wgpu::Buffer,
}

/// Problems within limits: what stage `limit` works on, and what certifies it.
#[derive(Clone, Copy)]
pub struct Limiting<'a> {
    /// None of assets as if they had nothing in common.
    pub correlations: Option<&'a wgpu::Buffer>,
    pub positions: &'a wgpu::Buffer,
    pub states: &'a wgpu::Buffer,
    pub running: &'a wgpu::Buffer,
    pub volatilities: &'a wgpu::Buffer,
    /// (budget, relative volatility).
    pub assets: &'a wgpu::Buffer,
    pub limits: &'a wgpu::Buffer,
}

/// Some rows of the standardised panel, row by row or asset by asset.
pub struct Slice {
    pub rows: usize,
    pub buffer: wgpu::Buffer,
}

/// Rows of one dispatch.
struct Part<'a> {
    slice: &'a Slice,
    rows: u32,
    /// In the history, and in the slice.
    first_row: u32,
    first_slice_row: u32,
}

impl Part<'_> {
    /// Whether the rows before have been summed.
    fn resumed(&self) -> u32 {
        u32::from(self.first_row > 0)
    }
}

/// All rows of a panel, as many at a time as one dispatch takes.
fn parts(slices: &[Slice]) -> impl Iterator<Item = Part<'_>> {
    let starts = slices.iter().scan(0, |rows, slice| {
        *rows += slice.rows;
        Some(*rows - slice.rows)
    });
    slices.iter().zip(starts).flat_map(|(slice, start)| {
        (0..slice.rows).step_by(ROWS_PER_DISPATCH).map(move |first| Part {
            slice,
            rows: (slice.rows - first).min(ROWS_PER_DISPATCH) as u32,
            first_row: (start + first) as u32,
            first_slice_row: first as u32,
        })
    })
}

/// What moments are summed from: all of the panel, all of its sums, or all of it and windows of paths.
pub enum History {
    Rows(Vec<Slice>),
    Sums(Vec<Suffixes>),
    Windows(Windows),
}

/// What rows count by their age.
pub struct Ages {
    pub count: u32,
    /// What one is worth.
    pub unit: f32,
    pub buffer: wgpu::Buffer,
}

impl Device {
    /// Room for so many problems to descend in.
    pub fn descents(&self, plan: &Plan, problems: u32) -> Descents {
        let count = u64::from(problems);
        Descents {
            problems,
            correlations: self.room("correlations", plan.sizes.correlations * count),
            positions: self.room("positions", plan.sizes.positions * count),
            states: self.room("states", size_of::<State>() as u64 * count),
            running: self.room("running", 4),
        }
    }

    /// Room for so many problems to be built, solved and certified in.
    pub fn problem_room(&self, plan: &Plan, problems: u32) -> Room {
        let (sizes, count) = (plan.sizes, u64::from(problems));
        Room {
            descents: self.descents(plan, problems),
            numbers: self.room("numbers", sizes.numbers * count),
            drawn: self.room("drawn", sizes.drawn * count + sizes.more_drawn),
            ends: self.room("ends", sizes.ends * count),
            moments: self.room("moments", sizes.moments * count),
            fourth: self.room("fourth", sizes.fourth * count),
            planes: self.room("planes", sizes.planes * count),
            count_planes: self.room("count planes", sizes.count_planes * count),
            intensities: self.room("intensities", sizes.intensities * count),
            volatilities: self.room("volatilities", sizes.assets * count),
            weights: self.room("weights", sizes.assets * count),
            certificates: self.room("certificates", sizes.certificates * count),
            others: (0..plan.others.solved)
                .map(|_| (self.room("other weights", sizes.assets * count), self.room("proofs", sizes.proofs * count)))
                .collect(),
            positions: (0..plan.limited.map_or(0, |_| plan.others.solved))
                .map(|_| {
                    let states = self.room("other states", size_of::<State>() as u64 * count);
                    (self.room("other positions", sizes.positions * count), states)
                })
                .collect(),
            mixes: self.room("mixes", sizes.mixes * count),
        }
    }

    pub fn encoder(&self) -> wgpu::CommandEncoder {
        self.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default())
    }

    /// Encodes a dispatch of a kernel over `groups` workgroups.
    pub fn dispatch(
        &self,
        encoder: &mut wgpu::CommandEncoder,
        kernel: Kernel,
        groups: u32,
        buffers: &[(u32, &wgpu::Buffer)],
    ) {
        let pipeline = self.pipeline(kernel);
        let bindings = self.bind(&pipeline, buffers);
        let (x, y) = fold(groups, self.facts.limits.workgroups_per_dimension);
        let span = self.profile.as_ref().map(|profile| profile.span(&self.device, kernel.stage()));
        let timestamp_writes = span.as_ref().map(Span::of_pass);
        let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor { label: None, timestamp_writes });
        pass.set_pipeline(&pipeline);
        pass.set_bind_group(0, &bindings, &[]);
        pass.dispatch_workgroups(x, y, 1);
    }

    /// Stage `draw`: counts, steps or rows of the first `problems` resamples of the room.
    pub fn draw(
        &self,
        encoder: &mut wgpu::CommandEncoder,
        plan: &Plan,
        (law, way, ages): (&Law, Way, Option<&Ages>),
        room: &Room,
        problems: u32,
    ) {
        let (tile, room_each, slices) = match way {
            Way::Counts { words } | Way::Weights { words } => (plan.draw_rows(), words, 0),
            Way::Steps { room, slices } | Way::Decays { room, slices } => (plan.draw_rows(), room, slices),
            // By position, in one go.
            Way::Windows { rows, .. } => (0, rows, 0),
        };
        let kernel = Kernel::Draw { drawn: way.drawn(), tile, wide: self.facts.wide_integers };
        for first_row in (0..law.rows).step_by(if tile > 0 { tile } else { law.rows as usize }) {
            let count = ages.map_or(0, |ages| ages.count);
            let law = DrawLaw { first_row, room: room_each, slices, ages: count, ..DrawLaw::new(law, problems) };
            let parameters = self.uniform(&law);
            let mut buffers = vec![(0, &parameters), (1, &room.numbers), (2, &room.drawn)];
            buffers.extend(ages.map(|ages| (3, &ages.buffer)));
            if slices > 0 {
                buffers.push((buffers.len() as u32, &room.ends));
            }
            self.dispatch(encoder, kernel, problems, &buffers);
        }
    }

    /// Stage `moments`. Each call of `flush` may submit what is encoded so far: no submission then holds a watchdog's
    /// worth of work.
    pub fn moments(
        &self,
        encoder: &mut wgpu::CommandEncoder,
        plan: &Plan,
        (history, ages): (&History, Option<&Ages>),
        room: &Room,
        problems: u32,
        mut flush: impl FnMut(&mut wgpu::CommandEncoder),
    ) {
        let at_once = plan.moment_problems();
        for first_problem in (0..problems).step_by(at_once as usize) {
            let problems = at_once.min(problems - first_problem);
            match (history, plan.way) {
                (
                    History::Sums(parts),
                    Some(Way::Steps { room: room_each, slices } | Way::Decays { room: room_each, slices }),
                ) => {
                    for part in parts {
                        for first_slice in (0..slices).step_by(SLICES_PER_DISPATCH as usize) {
                            let range = StepRange {
                                problems: first_problem + problems,
                                first_problem,
                                room: room_each,
                                slices,
                                first_slice,
                                last_slice: slices.min(first_slice + SLICES_PER_DISPATCH),
                                rows: plan.rows as u32,
                                tiles: part.tiles as u32,
                                first_tile: part.first_tile as u32,
                                unit: ages.map_or(1.0, |ages| ages.unit),
                            };
                            self.moments_from_steps(encoder, plan, &range, &part.buffer, room);
                            flush(encoder);
                        }
                    }
                }
                (History::Rows(slices), Some(Way::Counts { words } | Way::Weights { words })) => {
                    for part in parts(slices) {
                        let range = MomentRange {
                            problems,
                            first_problem,
                            words,
                            rows: part.rows,
                            first_row: part.first_row,
                            first_slice_row: part.first_slice_row,
                            resumed: part.resumed(),
                            unit: ages.map_or(1.0, |ages| ages.unit),
                        };
                        self.moments_from_counts(encoder, plan, &range, &part.slice.buffer, room);
                        flush(encoder);
                    }
                }
                (_, way) => unreachable!("the history was uploaded for {way:?}"),
            }
        }
    }

    fn moments_from_steps(
        &self,
        encoder: &mut wgpu::CommandEncoder,
        plan: &Plan,
        range: &StepRange,
        suffixes: &wgpu::Buffer,
        room: &Room,
    ) {
        let (parameters, precision) = (self.uniform(range), plan.accuracy.precision);
        let buffers = [(0, &parameters), (1, suffixes), (2, &room.drawn), (3, &room.ends), (4, &room.moments)];
        let groups = (range.problems - range.first_problem).div_ceil(steps_problems(precision) as u32) * range.tiles;
        let (assets, decaying) = (plan.assets, plan.way.is_some_and(Way::weighs));
        self.dispatch(encoder, Kernel::MomentsSteps { assets, decaying, precision }, groups, &buffers);
    }

    fn moments_from_counts(
        &self,
        encoder: &mut wgpu::CommandEncoder,
        plan: &Plan,
        range: &MomentRange,
        panel: &wgpu::Buffer,
        room: &Room,
    ) {
        let (assets, precision) = (plan.assets, plan.accuracy.precision);
        let groups = if assets <= PRODUCT_ASSETS {
            let tiles = moment_entries(assets).div_ceil(product_tile(assets)) as u32;
            range.problems.div_ceil(product_problems(precision) as u32) * tiles
        } else {
            range.problems * kernel::wide_groups(assets, precision) as u32
        };
        let parameters = self.uniform(range);
        let buffers = [(0, &parameters), (1, panel), (2, &room.drawn), (3, &room.moments)];
        let weighed = matches!(plan.way, Some(Way::Weights { .. }));
        self.dispatch(encoder, Kernel::Moments { assets, weighed, precision }, groups, &buffers);
    }

    /// Stage `correlate`: volatilities, then correlations in the layout that `descend` reads.
    pub fn correlate(&self, encoder: &mut wgpu::CommandEncoder, plan: &Plan, room: &Room, problems: u32) {
        let (assets, precision) = (plan.assets, plan.accuracy.precision);
        self.volatility(encoder, plan, room, problems);
        let shape = self.uniform(&shape(plan, problems));
        let cells = problems as usize * kernel::correlation_cells(assets, precision);
        if cells > 0 {
            let buffers = [(0, &shape), (1, &room.moments), (2, &room.volatilities), (3, &room.descents.correlations)];
            self.dispatch(encoder, Kernel::Correlate { assets, precision }, cells.div_ceil(64) as u32, &buffers);
        }
    }

    /// The first pass of stage `correlate`.
    fn volatility(&self, encoder: &mut wgpu::CommandEncoder, plan: &Plan, room: &Room, problems: u32) {
        let (assets, precision) = (plan.assets, plan.accuracy.precision);
        let shape = self.uniform(&shape(plan, problems));
        let buffers = [(0, &shape), (1, &room.moments), (2, &room.volatilities)];
        let groups = (problems as usize * assets).div_ceil(64) as u32;
        self.dispatch(encoder, Kernel::Volatility { assets, precision }, groups, &buffers);
    }

    /// Stages `moments` and `correlate` of the Gerber statistic. `flush` as above.
    pub fn gerber(
        &self,
        encoder: &mut wgpu::CommandEncoder,
        plan: &Plan,
        (history, offsets): (&History, &wgpu::Buffer),
        room: &Room,
        problems: u32,
        mut flush: impl FnMut(&mut wgpu::CommandEncoder),
    ) {
        let (assets, precision) = (plan.assets, plan.accuracy.precision);
        let (History::Rows(slices), Some(Way::Counts { words })) = (history, plan.way) else {
            unreachable!("the Gerber statistic counts rows")
        };
        for part in parts(slices) {
            let (first_problem, unit, resumed) = (0, 1.0, part.resumed());
            let Part { slice, rows, first_row, first_slice_row } = part;
            let range = MomentRange { problems, first_problem, words, rows, first_row, first_slice_row, resumed, unit };
            let parameters = self.uniform(&range);
            let buffers = [(0, &parameters), (1, &slice.buffer), (2, &room.drawn), (3, &room.moments)];
            self.dispatch(encoder, Kernel::MomentsDiagonal { assets, precision }, problems, &buffers);
            flush(encoder);
        }
        self.volatility(encoder, plan, room, problems);
        let all_rows = plan.rows as u32;
        let range = |rows, first_row, first_slice_row| {
            let all_words = all_rows.div_ceil(32);
            GerberRange { problems, first_problem: 0, all_rows, all_words, words, rows, first_row, first_slice_row }
        };
        for Part { slice, rows, first_row, first_slice_row } in parts(slices).filter(|_| assets > 1) {
            let parameters = self.uniform(&range(rows, first_row, first_slice_row));
            let buffers = [
                (0, &parameters),
                (1, &slice.buffer),
                (2, &room.drawn),
                (3, &room.volatilities),
                (4, offsets),
                (5, &room.planes),
                (6, &room.count_planes),
            ];
            let groups = problems * rows.div_ceil(32);
            self.dispatch(encoder, Kernel::GerberPlanes { assets, precision }, groups, &buffers);
            flush(encoder);
        }
        if assets > 1 {
            let at_once = plan.gerber_problems();
            for first_problem in (0..problems).step_by(at_once as usize) {
                let parameters = self.uniform(&GerberRange { first_problem, ..range(all_rows, 0, 0) });
                let planes = [(1, &room.planes), (2, &room.count_planes), (3, &room.descents.correlations)];
                let buffers = [&[(0, &parameters)], &planes[..]].concat();
                let blocks = (assets * (assets - 1) / 2).div_ceil(64) as u32;
                let groups = at_once.min(problems - first_problem) * blocks;
                self.dispatch(encoder, Kernel::Gerber { assets, precision }, groups, &buffers);
                flush(encoder);
            }
        }
    }

    /// Stage `shrink`: intensities, and correlations in place. `columns`: the panel asset by asset, where it is
    /// read. `flush` as above.
    pub fn shrink(
        &self,
        encoder: &mut wgpu::CommandEncoder,
        plan: &Plan,
        (shrinkage, columns): (Shrinkage, &[Slice]),
        room: &Room,
        problems: u32,
        mut flush: impl FnMut(&mut wgpu::CommandEncoder),
    ) {
        let (assets, precision) = (plan.assets, plan.accuracy.precision);
        if assets == 1 {
            // One asset has no correlations.
            return encoder.clear_buffer(&room.intensities, 0, None);
        }
        for part in parts(columns) {
            self.fourth_moments(encoder, plan, shrinkage, &part, room, problems);
            flush(encoder);
        }
        let shape = self.uniform(&shape(plan, problems));
        let buffers = [(0, &shape), (1, &room.descents.correlations), (2, &room.intensities), (3, &room.fourth)];
        let used = if shrinkage.reads_rows() { &buffers[..] } else { &buffers[..3] };
        let per_group = if kernel::interleaved(assets, precision) { 64 } else { 1 };
        self.dispatch(encoder, Kernel::Shrink { assets, shrinkage, precision }, problems.div_ceil(per_group), used);
    }

    /// The pass of stage `shrink` over some rows of the panel.
    fn fourth_moments(
        &self,
        encoder: &mut wgpu::CommandEncoder,
        plan: &Plan,
        shrinkage: Shrinkage,
        part: &Part,
        room: &Room,
        problems: u32,
    ) {
        let (drawn, room_each, slices) = match plan.way {
            Some(Way::Steps { room, slices }) => (Drawn::Steps, room, slices),
            Some(Way::Counts { words }) => (Drawn::Counts, words, 0),
            Some(Way::Weights { .. } | Way::Decays { .. } | Way::Windows { .. }) | None => {
                unreachable!("only resamples whose rows count alike are shrunk")
            }
        };
        let range = FourthRange {
            problems,
            all_rows: plan.rows as u32,
            rows: part.rows,
            first_row: part.first_row,
            first_slice_row: part.first_slice_row,
            stride: part.slice.rows as u32,
            room: room_each,
            slices,
            resumed: part.resumed(),
        };
        let parameters = self.uniform(&range);
        let mut buffers = vec![
            (0, &parameters),
            (1, &part.slice.buffer),
            (2, &room.drawn),
            (4, &room.volatilities),
            (5, &room.moments),
            (6, &room.fourth),
        ];
        if drawn == Drawn::Steps {
            buffers.push((3, &room.ends));
        }
        let (assets, cubes, precision) = (plan.assets, shrinkage.reads_cubes(), plan.accuracy.precision);
        self.dispatch(encoder, Kernel::FourthMoments { assets, drawn, cubes, precision }, problems, &buffers);
    }

    /// Stage `others`: methods beside risk budgeting, on correlations that are made. `mixes`: their weights, one after the
    /// other, where there are any.
    pub fn others(
        &self,
        encoder: &mut wgpu::CommandEncoder,
        plan: &Plan,
        (others, mixes): (&[Other], Option<&wgpu::Buffer>),
        assets: &wgpu::Buffer,
        room: &Room,
        problems: u32,
    ) {
        let (n, precision) = (plan.assets, plan.accuracy.precision);
        let shape = self.uniform(&shape(plan, problems));
        let read = [(0, &shape), (1, &room.descents.correlations), (2, &room.volatilities), (3, assets)];
        for (&other, (weights, proofs)) in others.iter().zip(&room.others) {
            let buffers = [&read[..], &[(4, weights), (5, proofs)]].concat();
            self.dispatch(encoder, Kernel::Other { assets: n, other, precision }, problems, &buffers);
        }
        if let Some(mixes) = mixes {
            let buffers = [&read[..], &[(4, mixes), (5, &room.mixes)]].concat();
            let groups = problems * plan.others.mixes as u32;
            self.dispatch(encoder, Kernel::Mixes { assets: n, precision }, groups, &buffers);
        }
    }

    /// Stage `descend`: some sweeps. `running` then says how many problems need another call.
    pub fn descend(
        &self,
        encoder: &mut wgpu::CommandEncoder,
        plan: &Plan,
        descents: &Descents,
        budgets: &wgpu::Buffer,
        problems: u32,
        resumed: bool,
    ) {
        encoder.clear_buffer(&descents.running, 0, None);
        let per_group = match plan.spread {
            Spread::Thread => unrolled::THREADS,
            Spread::Subgroup { problems } => problems,
            Spread::Workgroup | Spread::Streamed => 1,
        };
        let (assets, spread, precision) = (plan.assets, plan.spread, plan.accuracy.precision);
        let kernel = Kernel::Descend { assets, spread, precision };
        let at_once = plan.descend_problems();
        for first in (0..problems).step_by(at_once as usize) {
            if first > 0 {
                // No submission holds a watchdog's worth of work.
                self.submit(std::mem::replace(encoder, self.encoder()));
            }
            let parameters = self.uniform(&descent(plan, problems, first, resumed));
            let buffers = [
                (0, &parameters),
                (1, &descents.correlations),
                (2, budgets),
                (3, &descents.positions),
                (4, &descents.states),
                (5, &descents.running),
            ];
            self.dispatch(encoder, kernel, at_once.min(problems - first).div_ceil(per_group), &buffers);
        }
    }

    /// Stage `limit`: some sweeps. What still runs is added to `running`.
    pub fn limit(
        &self,
        encoder: &mut wgpu::CommandEncoder,
        plan: &Plan,
        problem: Limiting,
        problems: u32,
        resumed: bool,
    ) {
        let per_group = match plan.spread {
            Spread::Subgroup { problems } => problems,
            Spread::Thread | Spread::Workgroup | Spread::Streamed => 1,
        };
        let (assets, groups, precision) = (plan.assets, plan.limited.unwrap_or(0), plan.accuracy.precision);
        let uncorrelated = problem.correlations.is_none();
        let spread = if uncorrelated { without_matrix(plan.spread) } else { plan.spread };
        let kernel = Kernel::Limit { assets, groups, uncorrelated, spread, precision };
        let at_once = plan.descend_problems();
        for first in (0..problems).step_by(at_once as usize) {
            if first > 0 {
                self.submit(std::mem::replace(encoder, self.encoder()));
            }
            let descent = Descent { limit: LIMITED_SWEEP_LIMIT, ..descent(plan, problems, first, resumed) };
            let parameters = self.uniform(&descent);
            let mut buffers = vec![
                (0, &parameters),
                (2, problem.assets),
                (3, problem.positions),
                (4, problem.states),
                (5, problem.running),
                (6, problem.volatilities),
                (8, problem.limits),
            ];
            buffers.extend(problem.correlations.map(|correlations| (1, correlations)));
            self.dispatch(encoder, kernel, at_once.min(problems - first).div_ceil(per_group), &buffers);
        }
    }

    /// Stage `certify` within limits: weights and certificates.
    pub fn certify_limited(
        &self,
        encoder: &mut wgpu::CommandEncoder,
        plan: &Plan,
        (problem, room): (Limiting, &Room),
        (weights, certificates): (&wgpu::Buffer, &wgpu::Buffer),
        problems: u32,
    ) {
        let shape = self.uniform(&shape(plan, problems));
        let (covariance, made_from) = made_from(plan, room);
        let buffers = [
            (0, &shape),
            (1, made_from),
            (2, problem.volatilities),
            (3, problem.positions),
            (4, problem.assets),
            (5, problem.states),
            (6, weights),
            (7, certificates),
            (8, problem.limits),
        ];
        let (groups, uncorrelated) = (plan.limited.unwrap_or(0), problem.correlations.is_none());
        let (assets, precision) = (plan.assets, plan.accuracy.precision);
        let kernel = Kernel::CertifyLimited { assets, groups, covariance, uncorrelated, precision };
        self.dispatch(encoder, kernel, problems, &buffers);
    }

    /// Stages `correlate`, `descend` (some sweeps) and `certify` in one; `running` as above.
    pub fn solve(
        &self,
        encoder: &mut wgpu::CommandEncoder,
        plan: &Plan,
        room: &Room,
        assets: &wgpu::Buffer,
        problems: u32,
        (resumed, comparisons): (bool, bool),
    ) {
        let Spread::Subgroup { problems: per_group } = plan.spread else { unreachable!("only subgroups solve in one") };
        let descents = &room.descents;
        encoder.clear_buffer(&descents.running, 0, None);
        let parameters = self.uniform(&descent(plan, problems, 0, resumed));
        let shape = self.uniform(&shape(plan, problems));
        let buffers = [
            (0, &parameters),
            (1, &room.moments),
            (2, assets),
            (3, &descents.positions),
            (4, &descents.states),
            (5, &descents.running),
            (6, &room.weights),
            (7, &room.certificates),
            (8, &room.volatilities),
            (9, &shape),
        ];
        let kernel = Kernel::Solve { assets: plan.assets, problems: per_group, comparisons };
        self.dispatch(encoder, kernel, problems.div_ceil(per_group), &buffers);
    }

    /// Stage `certify`: weights and certificates.
    pub fn certify(
        &self,
        encoder: &mut wgpu::CommandEncoder,
        plan: &Plan,
        room: &Room,
        assets: &wgpu::Buffer,
        problems: u32,
        comparisons: bool,
    ) {
        let shape = self.uniform(&shape(plan, problems));
        let (covariance, made_from) = made_from(plan, room);
        let buffers = [
            (0, &shape),
            (1, made_from),
            (2, &room.volatilities),
            (3, &room.descents.positions),
            (4, assets),
            (5, &room.descents.states),
            (6, &room.weights),
            (7, &room.certificates),
        ];
        let precision = plan.accuracy.precision;
        let kernel = Kernel::Certify { assets: plan.assets, covariance, comparisons, precision };
        self.dispatch(encoder, kernel, problems, &buffers);
    }
}

/// What covariances are made from where they are certified.
fn made_from<'a>(plan: &Plan, room: &'a Room) -> (Covariance, &'a wgpu::Buffer) {
    match (plan.way, plan.refining) {
        (Some(_), None) => (Covariance::Moments, &room.moments),
        _ => (Covariance::Correlations, &room.descents.correlations),
    }
}

fn shape(plan: &Plan, problems: u32) -> Shape {
    let rows = plan.rows as u32;
    match plan.way {
        Some(way) if way.weighs() => Shape { problems, rows: 0, divisor: 1, total: plan.total },
        _ => Shape { problems, rows, divisor: rows.saturating_sub(1), total: 0.0 },
    }
}

/// Parameters of some sweeps of the problems from `first` on.
fn descent(plan: &Plan, problems: u32, first: u32, resumed: bool) -> Descent {
    Descent {
        problems,
        first,
        sweeps: plan.sweeps_per_dispatch,
        limit: SWEEP_LIMIT,
        resumed: u32::from(resumed),
        tolerance: plan.tolerance,
    }
}
