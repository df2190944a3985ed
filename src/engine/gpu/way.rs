//! Which way the moments of a resample are summed, and what `draw` leaves for that: counts times rows, or steps of counts
//! times sums of rows; and the same where rows count by their age. See `shaders/moments_tile.wgsl` and
//! `shaders/moments_steps.wgsl`. Windows of a path are summed from its rows, once for all windows: see
//! `shaders/moments_windows.wgsl`.
//!
//! What a problem costs, by counting, with E = (n + 1)(n + 2) / 2 moments, T rows and blocks of mean length L:
//!
//! - counts: T E multiply-adds from registers. T bytes of counts are written once and read by every tile of columns,
//!   mostly from the second-level cache; to draw them again in each tile would take fewer bytes and more integer
//!   operations than the multiply-adds they feed.
//! - steps: 2 T / L rows of E numbers from workgroup memory, whose 128 bytes a cycle and multiprocessor are the limit.
//!   At n = 50, T = 2,520, L = 20 that is 1.3 MB a problem where counts take 3.3 million multiply-adds.

use crate::covariance::estimator::Estimator;
use crate::resample::{Law, Restart};

use super::kernel::{self, Drawn};
use super::precision::Precision;

/// Blocks this long on average are summed by steps. Where 128 lanes multiply and add in the cycle in which workgroup
/// memory gives 32 numbers, both ways cost the same at a length of 8.
const LONG_BLOCKS: f64 = 8.0;

/// Up to so many rows of half-life, sums over all rows before stay of the order of those over a slice, and so does their
/// rounding.
const LONGEST_HALF_LIFE: f64 = 256.0;

/// Sums of rows are kept up to this many bytes.
const MOST_BYTES: u64 = 256 << 20;

/// Rows of a slice of the history, as in `shaders/draw_steps.wgsl` and `shaders/moments_steps.wgsl`.
pub const SLICE_ROWS: usize = 256;

/// Bytes of workgroup memory that hold a tile of a slice.
const SLICE_BYTES: u32 = 128 * SLICE_ROWS as u32;

/// How moments are summed: a function of (T, n, law, estimator, precision) and the adapter's workgroup memory alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// From counts, four rows a word, whole rows of 16.
    Counts { words: u32 },
    /// From steps, at most so many groups of four per problem.
    Steps { room: u32, slices: u32 },
    /// From what rows count by their age, a word each, whole rows of 16.
    Weights { words: u32 },
    /// From ends of runs that count by their age, at most so many groups of two per problem.
    Decays { room: u32, slices: u32 },
    /// The windows of paths: the rows of a path, and its windows.
    Windows { rows: u32, windows: u32 },
}

impl Way {
    /// `memory`: bytes of workgroup memory. Those who have no more than Vulkan asks for, 16 KiB, take counts.
    pub fn of(law: &Law, estimator: Estimator, assets: usize, precision: Precision, memory: u32) -> Way {
        let counts = Way::Counts { words: 4 * law.rows.div_ceil(16) };
        if estimator == Estimator::Gerber {
            // Products of rows are not summed.
            return counts;
        }
        let long = law.restart != Restart::Always && law.mean_block_length() >= LONG_BLOCKS;
        let fits = tiles(assets, precision) as u64 * tile_bytes(law.rows) <= MOST_BYTES && memory >= SLICE_BYTES;
        let slices = law.rows.div_ceil(SLICE_ROWS as u32);
        if let Estimator::Ewma { half_life } = estimator {
            if long && fits && half_life <= LONGEST_HALF_LIFE {
                // A run ends and comes after a row; one that wraps ends twice.
                return Way::Decays { room: (3 * most_runs(law)).min(law.rows).div_ceil(2) + slices, slices };
            }
            return Way::Weights { words: law.rows.next_multiple_of(16) };
        }
        if long && fits {
            // A run steps up and down; slices step at their first row, and end with a group that is not full.
            let steps = (2 * most_runs(law) + slices).min(law.rows);
            return Way::Steps { room: steps.div_ceil(4) + slices, slices };
        }
        counts
    }

    pub fn drawn(self) -> Drawn {
        match self {
            Way::Counts { .. } => Drawn::Counts,
            Way::Steps { .. } => Drawn::Steps,
            Way::Weights { .. } => Drawn::Weights,
            Way::Decays { .. } => Drawn::Decays,
            Way::Windows { .. } => Drawn::Rows,
        }
    }

    /// Bytes per problem of counts, steps or weights; of rows, which all windows of a path share.
    pub fn drawn_bytes(self) -> u64 {
        match self {
            Way::Windows { rows, windows } => (4 * u64::from(rows)).div_ceil(u64::from(windows)),
            Way::Counts { words } | Way::Weights { words } => 4 * u64::from(words),
            Way::Steps { room, .. } | Way::Decays { room, .. } => 16 * u64::from(room),
        }
    }

    /// Bytes beside these, however many problems there are: the first and the last may be windows of paths of which
    /// nothing else is wanted.
    pub fn more_drawn_bytes(self) -> u64 {
        match self {
            Way::Windows { rows, .. } => 2 * 4 * u64::from(rows),
            _ => 0,
        }
    }

    /// Bytes per problem of the ends of slices.
    pub fn end_bytes(self) -> u64 {
        match self {
            Way::Counts { .. } | Way::Weights { .. } | Way::Windows { .. } => 0,
            Way::Steps { slices, .. } | Way::Decays { slices, .. } => 4 * u64::from(slices),
        }
    }

    /// What each row of the history counts, from what `draw` left of one problem.
    pub fn counts(self, drawn: &[u32], ends: &[u32], rows: usize) -> Vec<u32> {
        let mut counts = vec![0; rows];
        match self {
            Way::Counts { .. } => {
                for (row, count) in counts.iter_mut().enumerate() {
                    *count = drawn[row / 4] >> (8 * (row % 4)) & 0xFF;
                }
            }
            Way::Weights { .. } => counts.copy_from_slice(&drawn[..rows]),
            Way::Steps { room, .. } if ends.iter().all(|&end| end <= room) => {
                let mut begin = 0;
                for (slice, &end) in counts.chunks_mut(SLICE_ROWS).zip(ends) {
                    let mut before = 0;
                    let mut steps = drawn[4 * begin..4 * end as usize].iter().peekable();
                    for (row, count) in slice.iter_mut().enumerate() {
                        while let Some(step) = steps.next_if(|&step| (step & 0xFF) as usize == row) {
                            before += f32::from_bits(step & !0xFF) as i32;
                        }
                        *count = before as u32;
                    }
                    begin = end as usize;
                }
            }
            // The draw found no room: its moments are zero, too.
            Way::Steps { .. } => {}
            Way::Decays { .. } | Way::Windows { .. } => unreachable!("see `Way::of_counts`"),
        }
        counts
    }

    /// The way whose draw says what each row counts. None where rows are not counted.
    pub fn of_counts(self, rows: usize) -> Option<Way> {
        match self {
            Way::Decays { .. } => Some(Way::Weights { words: (rows as u32).next_multiple_of(16) }),
            Way::Windows { .. } => None,
            way => Some(way),
        }
    }

    /// Whether what rows count is in the moments: by their age, or by the length of their window.
    pub const fn weighs(self) -> bool {
        matches!(self, Way::Weights { .. } | Way::Decays { .. } | Way::Windows { .. })
    }
}

/// Tiles of columns that hold a problem's moments.
pub const fn tiles(assets: usize, precision: Precision) -> usize {
    kernel::moment_entries(assets).div_ceil(kernel::steps_columns(precision))
}

/// Bytes of one tile of sums: 128 a row, and a row of totals.
pub fn tile_bytes(rows: u32) -> u64 {
    128 * (u64::from(rows) + 1)
}

/// Runs of a resample at most. Those of random length are binomial: beyond 12 deviations from the mean there is none in
/// 1e30 resamples, and a problem without room comes back unsolved.
fn most_runs(law: &Law) -> u32 {
    match law.restart {
        Restart::Always => law.rows,
        Restart::Every(length) => law.rows.div_ceil(length),
        Restart::Below(threshold) => {
            let p = f64::from(threshold) / 4_294_967_296.0;
            let trials = f64::from(law.rows - 1);
            let most = 1.0 + trials * p + 12.0 * (trials * p * (1.0 - p)).sqrt() + 16.0;
            law.rows.min(most as u32)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resample::Scheme;

    #[test]
    fn long_blocks_go_by_steps_while_their_sums_are_small() {
        let law = |scheme, length, rows| Law::new(scheme, length, rows, 1, 0).unwrap();
        let in_memory = |law: Law, assets, memory| Way::of(&law, Estimator::Sample, assets, Precision::Single, memory);
        let way = |scheme, length, rows, assets| in_memory(law(scheme, length, rows), assets, 32 << 10);
        let steps = |way| matches!(way, Way::Steps { .. });
        assert!(steps(way(Scheme::Stationary, 20.0, 2520, 50)) && steps(way(Scheme::Circular, 8.0, 100_000, 3)));
        assert!(!steps(way(Scheme::Iid, 1.0, 2520, 50)) && !steps(way(Scheme::Moving, 7.0, 2520, 50)));
        assert!(!steps(way(Scheme::Stationary, 20.0, 2520, 500)));
        let small = in_memory(law(Scheme::Stationary, 20.0, 2520), 50, 16 << 10);
        assert!(!steps(small), "a slice does not fit into 16 KiB");
    }

    #[test]
    fn no_draw_runs_out_of_room() {
        for (scheme, length, rows) in [
            (Scheme::Stationary, 8.0, 300),
            (Scheme::Stationary, 100.0, 100),
            (Scheme::Circular, 9.0, 1000),
            (Scheme::Moving, 30.0, 31),
        ] {
            let law = Law::new(scheme, length, rows, 3, 0).unwrap();
            for resample in 0..2000 {
                let mut runs = 0;
                law.runs(resample, |_, _| runs += 1);
                assert!(runs <= most_runs(&law), "{scheme:?}: {runs} runs of mean length {length} over {rows} rows");
            }
        }
    }
}
