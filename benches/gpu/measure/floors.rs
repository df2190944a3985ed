//! The least time that a stage can take on the hardware as measured: its bytes at the speed of a copy, or its
//! operations at the speed of multiply-adds, whichever is longer. Additions, multiplications, roots and divisions count
//! as one multiply-add each. Stages hand over through the device's memory; counts of rows never need to be stored.

use super::hardware::Hardware;

/// Operations of Philox4x32-10 per call: ten rounds of two wide products (two each), four exclusive ors, two key sums.
const PHILOX: f64 = 100.0;

/// Operations of one coordinate's root: a, a^2 + 4 b, its root, a + d and d - a, the quotient, the change of y.
const ROOT: f64 = 8.0;

/// Subsets beyond this size go through the stages; up to it one thread takes all of them in its registers.
const IN_REGISTERS: usize = 10;

/// Sweeps that any descent to single precision's floor takes, where they are not reported.
const SWEEPS: f64 = 5.0;

/// What one problem asks of the hardware.
#[derive(Debug, Clone, Copy, Default)]
struct Work {
    operations: f64,
    bytes: f64,
    /// Bytes that leave the device.
    out: f64,
}

/// A problem by its size: given, or resampled from a history.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    pub assets: usize,
    /// A subset of a universe: nothing but two figures and an error leave.
    pub screened: bool,
    pub history: Option<History>,
    /// Mean number of sweeps that the solver took.
    pub sweeps: f64,
}

#[derive(Debug, Clone, Copy)]
pub struct History {
    pub rows: usize,
    pub mean_block: f64,
}

impl Shape {
    /// Least seconds of a stage for so many problems; none for what need not be done at all.
    pub fn floor(&self, stage: &str, problems: u64, hardware: &Hardware) -> Option<f64> {
        let work = self.work(stage)?;
        let seconds = (work.operations / hardware.multiply_adds_per_second)
            .max(work.bytes / hardware.copy_bytes_per_second)
            .max(work.out / hardware.download_copy_bytes_per_second);
        Some(problems as f64 * seconds)
    }

    fn work(&self, stage: &str) -> Option<Work> {
        let n = self.assets as f64;
        // Packed lower triangles in single precision: correlations without their diagonal, moments with it.
        let staged = self.screened && self.assets > IN_REGISTERS;
        let (triangle, moments) = (4.0 * n * (n - 1.0) / 2.0, 4.0 * n * (n + 1.0) / 2.0);
        match (stage, self.history) {
            ("draw", Some(History { rows, mean_block })) => {
                let calls = rows as f64 / 4.0;
                // Calls of which at least one of four positions restarts; single rows need no word to decide that.
                let restarting = calls * (1.0 - (1.0 - 1.0 / mean_block).powi(4));
                let deciding = if mean_block > 1.0 { calls } else { 0.0 };
                Some(Work { operations: PHILOX * (restarting + deciding), ..Work::default() })
            }
            ("moments", Some(History { rows, mean_block })) => {
                let rows = rows as f64;
                // Each row that occurs enters once; or each block does as the difference of two prefix sums.
                let distinct = rows * (1.0 - (1.0 - 1.0 / rows).powf(rows));
                let additions = distinct.min(2.0 * rows / mean_block);
                Some(Work { operations: additions * n * (n + 1.0) / 2.0, bytes: moments, out: 0.0 })
            }
            // Subtract the means, scale twice.
            ("correlate", Some(_)) => {
                Some(Work { operations: 3.0 * n * (n + 1.0) / 2.0, bytes: moments + triangle, out: 0.0 })
            }
            // The three stages from correlations to certificates in one: moments are read, weights leave.
            ("solve", Some(_)) => {
                let operations = 3.0 * n * (n + 1.0) / 2.0 + self.sweeps * n * (n + ROOT) + 4.0 * n * n;
                Some(Work { operations, bytes: moments + 8.0 * n, out: 0.0 })
            }
            // The assets of a subset, and its part of a covariance that stays in the caches.
            ("draw", None) if staged => Some(Work { bytes: 4.0 * n, ..Work::default() }),
            ("correlate", None) if staged => Some(Work { bytes: triangle + 8.0 * n, ..Work::default() }),
            // Fresh products at the start and at the stop; a sweep updates the product once per coordinate.
            ("descend", _) if staged || !self.screened => {
                let sweeps = if staged { SWEEPS } else { self.sweeps };
                let operations = sweeps * n * (n + ROOT) + 2.0 * n * n;
                Some(Work { operations, bytes: triangle + 4.0 * n, out: 0.0 })
            }
            // C y and |C| |y|, with both halves of C.
            ("certify", Some(_)) => Some(Work { operations: 2.0 * n * n, bytes: moments + 8.0 * n, out: 0.0 }),
            ("certify", None) if staged => Some(Work { operations: 2.0 * n * n, bytes: triangle + 8.0 * n, out: 0.0 }),
            ("measure", _) if staged => Some(Work { bytes: 4.0 * n + 12.0, ..Work::default() }),
            // At least four Newton steps, each a factorisation, two triangles solved and a product; one more to certify.
            ("measure", _) if self.screened => {
                Some(Work { operations: 4.0 * (n.powi(3) / 6.0 + 2.0 * n * n) + n * n, bytes: 12.0, out: 0.0 })
            }
            ("download", _) if self.screened => Some(Work { out: 12.0, ..Work::default() }),
            ("download", _) => Some(Work { out: 4.0 * n + 16.0, ..Work::default() }),
            _ => None,
        }
    }
}
