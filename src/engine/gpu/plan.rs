//! What runs where: which `descend` kernel, how many problems at a time, how many sweeps and rows a dispatch.
//!
//! Nothing here changes a result: problems do not know their neighbours, and rows are summed in the same order however
//! the work is cut.

use super::device::{Attempt, Trouble};
use super::facts::AdapterFacts;
use super::kernel::{self, MOST_ASSETS, Refining, SUBGROUP_ASSETS, SUBGROUP_LANES, Shrinkage, Spread};
use super::parameters::{DeviceCertificate, DeviceProof, State};
use super::precision::{Limits, Precision};
use super::way::{self, Way};
use crate::methods::Selection;

/// Rows summed by one dispatch before they join the moments: a constant, so that the order of sums is. Also keeps loops
/// short: llvmpipe ends every loop of an invocation, without a word, after 65,535 iterations in total.
pub const ROWS_PER_DISPATCH: usize = 4096;

/// Slices of the history that one dispatch takes steps in: the same for steps.
pub const SLICES_PER_DISPATCH: u32 = 64;

/// Rows of the history that one dispatch draws, at least and at most: see `shaders/draw_changes.wgsl`.
const ROWS_PER_DRAW: [usize; 2] = [256, 4096];

/// Bytes of results that are worth a batch: a few milliseconds of work, which the transfers of the batches before and
/// after hide behind.
const RESULT_BYTES: u64 = 8 << 20;

/// Bytes of given matrices that are uploaded at a time.
const UPLOAD_BYTES: u64 = 64 << 20;

/// Bytes of subsets' matrices that are worth a batch: several times what a large card works on at once.
const GATHERED_BYTES: u64 = 256 << 20;

/// Multiply-adds of one dispatch of `moments` at most, and bytes that one of `descend` reads of matrices: 100 ms on a small
/// integrated GPU, far below any watchdog.
const WORK_PER_DISPATCH: usize = 20_000_000_000;
const BYTES_PER_DISPATCH: u64 = 4_000_000_000;

/// A discrete card does so many times as much in that time, and wants it: the workgroups with which a dispatch ends leave
/// most of the card idle.
const DISCRETE: usize = 10;

/// Sweeps a problem may take on the device. What needs more is hedged, and better served by Newton on the CPU.
pub const SWEEP_LIMIT: u32 = 200;

/// The same within limits, where a few take hundreds: the interior point of the CPU serves them better.
pub const LIMITED_SWEEP_LIMIT: u32 = 64;

/// Groups of a problem at most that eight lanes of a subgroup share.
pub const SUBGROUP_GROUPS: usize = 8;

/// Rows of a history at most: the 512 rounds in which they are then drawn stay below llvmpipe's loop limit.
pub const MOST_ROWS: usize = 1 << 18;

/// Descent in double precision aims a little below the tolerance, so that the certificate meets it.
const AIM: f64 = 0.9;

/// Where descent stops. In single precision its floor grows with n (3e-7 for 10 assets, 5e-7 for 50, 2e-6 for 2,000 on
/// lavapipe, a few ulp more where roots round worse), and certificates are accepted at [`crate::engine::ACCEPTANCE`].
fn tolerance(assets: usize, precision: Precision, accepted: f64) -> f32 {
    match precision {
        Precision::Single => (2e-6 * (assets as f32 / 50.0).max(1.0).sqrt()).min(4e-6),
        Precision::Double => (AIM * accepted) as f32,
    }
}

/// In which numbers a batch is computed, and what is accepted of it.
#[derive(Debug, Clone, Copy)]
pub struct Accuracy {
    pub precision: Precision,
    pub limits: Limits,
}

/// Where problems come from.
#[derive(Debug, Clone, Copy)]
pub enum Origin {
    /// Matrices that the host has; within limits the sums of so many groups are limited.
    Given { limited: Option<usize> },
    /// Resamples of so many rows.
    Resampled { rows: usize, way: Way, refining: Option<Refining>, others: Others, limited: Option<usize> },
    /// Subsets of a universe that takes so many bytes; up to so many numbers of each come back.
    Subsets { universe: u64, figures: usize },
}

/// What is wanted beside risk budgeting and closed forms.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Others {
    /// Methods that are solved for.
    pub solved: usize,
    pub mixes: usize,
}

impl Others {
    pub fn of(beside: &Selection) -> Others {
        Others { solved: beside.solved().count(), mixes: beside.constant().count() }
    }
}

/// Bytes on the device per problem, by buffer.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sizes {
    /// Numbers of resamples.
    pub numbers: u64,
    /// Counts, steps, rows, or the assets of a subset.
    pub drawn: u64,
    /// Beside these of all problems, not of each.
    pub more_drawn: u64,
    /// Ends of slices.
    pub ends: u64,
    pub moments: u64,
    pub correlations: u64,
    pub positions: u64,
    /// Fourth moments.
    pub fourth: u64,
    pub intensities: u64,
    /// Bits of the Gerber statistic, and those of counts.
    pub planes: u64,
    pub count_planes: u64,
    /// Of a method that is solved for; within limits they are certificates.
    pub proofs: u64,
    /// Volatilities of all mixes.
    pub mixes: u64,
    /// Volatilities, and also weights.
    pub assets: u64,
    pub certificates: u64,
}

/// How a batch of one shape is run.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    pub assets: usize,
    /// Rows T of the history; zero where there is none.
    pub rows: usize,
    /// How moments are summed; none where there are none.
    pub way: Option<Way>,
    pub spread: Spread,
    /// What becomes of the correlations of the sample.
    pub refining: Option<Refining>,
    /// Stages `correlate`, `descend` and `certify` are one kernel, `Solve`.
    pub fused: bool,
    /// Whether correlations leave the kernel that makes them: where it is one of its own, and where others read them.
    pub correlates: bool,
    /// Within limits, how many groups' sums are limited.
    pub limited: Option<usize>,
    pub others: Others,
    pub sizes: Sizes,
    /// Problems of a batch.
    pub room: u32,
    /// Batches under way: two, so that one is computed while another is uploaded or read, where there is memory for two.
    pub batches: usize,
    /// Of all buffers together, those that the host reads included.
    pub bytes: u64,
    /// Rows of the panel that one binding holds: all, or a multiple of [`ROWS_PER_DISPATCH`].
    pub slice_rows: usize,
    /// Tiles of columns that one binding holds of the sums that steps are taken over.
    pub part_tiles: usize,
    pub sweeps_per_dispatch: u32,
    /// How many times [`WORK_PER_DISPATCH`] and [`BYTES_PER_DISPATCH`] this adapter takes.
    scale: usize,
    /// What all rows of a resample count together, where they are weighed.
    pub total: f32,
    /// Where descent stops.
    pub tolerance: f32,
    pub accuracy: Accuracy,
}

impl Plan {
    /// # Errors
    /// The adapter cannot hold even one problem.
    pub fn new(facts: &AdapterFacts, memory: u64, origin: Origin, assets: usize, accuracy: Accuracy) -> Attempt<Plan> {
        let Accuracy { precision, limits: accepted } = accuracy;
        let (rows, way, refining, others) = match origin {
            Origin::Resampled { rows, way, refining, others, .. } => (rows, Some(way), refining, others),
            Origin::Given { .. } | Origin::Subsets { .. } => (0, None, None, Others::default()),
        };
        let limited = match origin {
            Origin::Given { limited } | Origin::Resampled { limited, .. } => limited,
            Origin::Subsets { .. } => None,
        };
        let shrinkage = refining.and_then(Refining::shrinkage);
        let reads_rows = shrinkage.is_some_and(Shrinkage::reads_rows);
        let words = if refining == Some(Refining::Gerber) { rows.div_ceil(32) as u64 } else { 0 };
        let real = precision.bytes();
        let too_large = |what: String| {
            Trouble::Unfit(format!("adapter `{}` cannot run {assets} assets over {rows} rows: {what}", facts.name))
        };
        if assets > MOST_ASSETS {
            return Err(too_large(format!("the GPU engine takes at most {MOST_ASSETS} assets")));
        }
        if rows > MOST_ROWS {
            return Err(too_large(format!("the GPU engine takes at most {MOST_ROWS} rows")));
        }
        let limits = facts.limits;
        let spread = match limited {
            Some(groups) => limited_spread(facts, assets, groups, precision),
            None => spread(facts, assets, precision),
        };
        let fused = way.is_some()
            && limited.is_none()
            && refining.is_none()
            && matches!(spread, Spread::Subgroup { .. })
            && precision == Precision::Single;
        let correlates = !fused || others != Others::default();
        let sizes = Sizes {
            numbers: if rows > 0 { 8 } else { 0 },
            drawn: match origin {
                Origin::Given { .. } => 0,
                Origin::Resampled { way, .. } => way.drawn_bytes(),
                Origin::Subsets { .. } => 4 * assets as u64,
            },
            more_drawn: way.map_or(0, Way::more_drawn_bytes),
            ends: way.map_or(0, Way::end_bytes),
            moments: if rows > 0 { real * kernel::moment_entries(assets) as u64 } else { 0 },
            correlations: if correlates { real * kernel::correlation_cells(assets, precision) as u64 } else { 0 },
            positions: real * kernel::position_cells(assets, precision) as u64,
            fourth: if reads_rows { 4 * real } else { 0 },
            intensities: if shrinkage.is_some() { real } else { 0 },
            planes: words * 8 * assets as u64,
            count_planes: words * 32,
            proofs: real
                * match limited {
                    Some(_) => DeviceCertificate::NUMBERS as u64,
                    None => DeviceProof::NUMBERS as u64,
                },
            mixes: real * others.mixes as u64,
            assets: real * assets as u64,
            certificates: real * DeviceCertificate::NUMBERS as u64,
        };
        let largest = sizes.drawn.max(sizes.moments).max(sizes.correlations).max(sizes.planes).max(sizes.count_planes);
        // Indices are 32 bits wide.
        let binding = limits.binding_bytes.min(limits.buffer_bytes).min(1 << 31).saturating_sub(sizes.more_drawn);
        let solved = others.solved as u64 * (sizes.assets + sizes.proofs);
        let results = 2 * sizes.assets + sizes.certificates + sizes.intensities + solved + sizes.mixes;
        let returned = match origin {
            Origin::Given { .. } | Origin::Resampled { .. } => results,
            Origin::Subsets { figures, .. } => 2 * real * figures as u64,
        };
        let draws = sizes.numbers + sizes.drawn + sizes.ends;
        // Within limits what is solved for beside descends too.
        let beside = if limited.is_some() { others.solved as u64 } else { 0 };
        let descent = sizes.correlations + (1 + beside) * (sizes.positions + size_of::<State>() as u64);
        let refined = sizes.fourth + sizes.planes + sizes.count_planes;
        let per_problem = draws + sizes.moments + refined + descent + results + returned;
        let row_bytes = real * (assets as u64 + 1);
        let tile_bytes = way::tile_bytes(rows as u32);
        let shared = match origin {
            Origin::Given { .. } => 0,
            Origin::Resampled { way: Way::Steps { .. } | Way::Decays { .. }, .. } => {
                way::tiles(assets, precision) as u64 * tile_bytes
            }
            Origin::Resampled { way: Way::Counts { .. } | Way::Weights { .. } | Way::Windows { .. }, .. } => {
                rows as u64 * row_bytes
            }
            Origin::Subsets { universe, .. } => universe,
        };
        let shared = shared + if reads_rows { rows as u64 * row_bytes } else { 0 };
        let left = memory.saturating_sub(shared + 2 * sizes.more_drawn);
        let batches = if left / per_problem > 1 { 2 } else { 1 };
        let room = (binding / largest.max(sizes.assets).max(sizes.mixes).max(32)).min(left / per_problem / batches);
        if room == 0 {
            return Err(too_large(format!(
                "a problem takes {per_problem} bytes, its largest part {largest}; {binding} bytes can be bound, {left} \
                 are left beside what all problems share"
            )));
        }
        let block = ROWS_PER_DISPATCH as u64 * row_bytes;
        let slice_rows =
            if rows as u64 * row_bytes <= binding { rows } else { (binding / block) as usize * ROWS_PER_DISPATCH };
        let (worth, each) = match origin {
            Origin::Given { .. } => (UPLOAD_BYTES, sizes.correlations.max(64)),
            Origin::Resampled { .. } => (RESULT_BYTES, results),
            Origin::Subsets { .. } => (GATHERED_BYTES, sizes.correlations.max(64)),
        };
        let part_tiles = (binding / tile_bytes) as usize;
        let (least, fits) = match way {
            Some(Way::Steps { .. }) if reads_rows => (tile_bytes.max(block), part_tiles > 0 && slice_rows > 0),
            Some(Way::Steps { .. } | Way::Decays { .. }) => (tile_bytes, part_tiles > 0),
            Some(Way::Counts { .. } | Way::Weights { .. }) => (block, slice_rows > 0),
            Some(Way::Windows { .. }) => (rows as u64 * row_bytes, slice_rows == rows),
            None => (0, true),
        };
        if !fits {
            return Err(too_large(format!("{least} bytes of the history have to be bound, {binding} can be")));
        }
        let room = room.min((worth / each).max(1));
        Ok(Plan {
            assets,
            rows,
            way,
            refining,
            spread,
            fused,
            correlates,
            limited,
            others,
            sizes,
            room: room as u32,
            batches: batches as usize,
            bytes: shared + batches * (sizes.more_drawn + room * per_problem),
            slice_rows,
            part_tiles,
            // llvmpipe's loop limit again.
            sweeps_per_dispatch: (20_000 / assets as u32).clamp(1, 25),
            scale: if facts.device_type == "discrete" { DISCRETE } else { 1 },
            total: 0.0,
            tolerance: tolerance(assets, precision, accepted.rc_error),
            accuracy,
        })
    }

    /// Rows of one dispatch of `draw`: a tile that is not much longer than the history.
    pub fn draw_rows(&self) -> usize {
        let [least, most] = ROWS_PER_DRAW;
        // A word a row, where two share one otherwise.
        let most = if self.way.is_some_and(Way::weighs) { most / 2 } else { most };
        self.rows.next_power_of_two().clamp(least, most)
    }

    /// Problems of one dispatch of `moments`.
    pub fn moment_problems(&self) -> u32 {
        let entries = kernel::moment_entries(self.assets);
        let problems = |rows: usize| (self.scale * WORK_PER_DISPATCH / (entries * rows)).max(1);
        match self.way {
            Some(Way::Steps { room, .. } | Way::Decays { room, .. }) => {
                problems(4 * room as usize).next_multiple_of(kernel::steps_problems(self.accuracy.precision)) as u32
            }
            _ if self.assets <= kernel::PRODUCT_ASSETS => problems(self.rows.min(ROWS_PER_DISPATCH))
                .next_multiple_of(kernel::product_problems(self.accuracy.precision))
                as u32,
            _ => problems(self.rows.min(ROWS_PER_DISPATCH)) as u32,
        }
    }

    /// How many paths one dispatch of `moments` takes, where it sums this many rows of each.
    pub fn moment_paths(&self, rows: u64) -> u32 {
        let work = rows * kernel::moment_entries(self.assets) as u64;
        ((self.scale * WORK_PER_DISPATCH) as u64 / work.max(1)).clamp(1, u64::from(u32::MAX)) as u32
    }

    /// Problems of one dispatch of the Gerber statistic: a word of a pair of assets takes about as long as 16 multiply-adds.
    pub fn gerber_problems(&self) -> u32 {
        let words = self.assets * self.assets / 2 * self.rows.div_ceil(32);
        (self.scale * WORK_PER_DISPATCH / (16 * words)).clamp(1, u32::MAX as usize) as u32
    }

    /// Problems of one dispatch of `descend`. Matrices that are streamed are read in every sweep. The sweeps of a dispatch
    /// depend on the assets alone, for so does what the last digits of a problem are.
    pub fn descend_problems(&self) -> u32 {
        if self.spread != Spread::Streamed {
            return u32::MAX;
        }
        // Within limits once more for a fresh product.
        let times = if self.limited.is_some() { 2 } else { 1 };
        let read = times * self.sizes.correlations * u64::from(self.sweeps_per_dispatch);
        (self.scale as u64 * BYTES_PER_DISPATCH / read).clamp(1, u64::from(u32::MAX)) as u32
    }
}

/// How a problem of `descend` is spread on such an adapter.
pub fn spread(facts: &AdapterFacts, assets: usize, precision: Precision) -> Spread {
    if kernel::interleaved(assets, precision) {
        return Spread::Thread;
    }
    let (memory, bytes) = (facts.limits.workgroup_memory_bytes, precision.bytes() as u32);
    let triangle = bytes * kernel::triangle_cells(assets) as u32;
    let subgroups = facts.subgroup_sizes.is_some_and(|[least, _]| least % SUBGROUP_LANES == 0 && least > 0);
    let shared = triangle + bytes * kernel::kept_cells(assets) as u32;
    if subgroups && assets <= SUBGROUP_ASSETS && shared <= memory {
        // Four problems fill a subgroup of 32.
        return Spread::Subgroup { problems: (memory / shared).min(4) };
    }
    // Beside the triangle: a board of two quads, a number per lane, and whether there is anything to do.
    if triangle <= memory.saturating_sub(2048 + 80) { Spread::Workgroup } else { Spread::Streamed }
}

/// The same within limits: lanes share a problem of any size, and sum four numbers at a time. In double precision, or with
/// more groups, eight lanes have too few registers for a problem; and RADV of Mesa 22.3 fails to compile for RDNA 2 what
/// shuffles and spills.
pub fn limited_spread(facts: &AdapterFacts, assets: usize, groups: usize, precision: Precision) -> Spread {
    let (memory, bytes) = (facts.limits.workgroup_memory_bytes, precision.bytes() as u32);
    let triangle = bytes * kernel::triangle_cells(assets) as u32;
    let subgroups = facts.subgroup_sizes.is_some_and(|[least, _]| least % SUBGROUP_LANES == 0 && least > 0);
    let few = assets <= SUBGROUP_ASSETS && groups <= SUBGROUP_GROUPS && precision == Precision::Single;
    if subgroups && few && triangle <= memory {
        return Spread::Subgroup { problems: (memory / triangle).min(4) };
    }
    let shared = bytes * kernel::workgroup_cells(assets) as u32 + 16;
    if triangle + shared <= memory { Spread::Workgroup } else { Spread::Streamed }
}

/// The same where assets have nothing in common: nothing is streamed.
pub const fn without_matrix(spread: Spread) -> Spread {
    match spread {
        Spread::Streamed => Spread::Workgroup,
        spread => spread,
    }
}

/// Workgroups beyond an adapter's limit per dimension are folded into a second one; shaders unfold and guard.
pub fn fold(groups: u32, limit: u32) -> (u32, u32) {
    let y = groups.div_ceil(limit).max(1);
    (groups.div_ceil(y), y)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folded_groups_cover_all_and_waste_less_than_a_row() {
        for groups in [1, 2, 65_535, 65_536, 65_537, 131_071, 1_000_003] {
            let (x, y) = fold(groups, 65_535);
            assert!(x <= 65_535 && y <= 65_535);
            assert!(x * y >= groups && x * y - groups < y, "{groups}: {x} x {y}");
        }
    }
}
