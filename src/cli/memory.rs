//! Memory is planned before the run: a job that cannot fit is refused at once, not after hours.

use crate::report::terminal::size;
use crate::{Error, Result};

/// Bytes per resample and asset that the bootstrap study holds at its peak: weights, volatilities, the three methods'
/// weights and shares, ranks, and what is being sorted. Measured: 7.2 values of 8 bytes at T = 2,520, n = 50.
const PER_WEIGHT: f64 = 9.0 * 8.0;

/// Bytes per resample beside its weights: certificates and each method's scalars.
const PER_RESAMPLE: f64 = 256.0;

/// Bytes that a bootstrap of `resamples` x `assets` weights holds.
pub fn resamples(resamples: u64, assets: usize) -> f64 {
    resamples as f64 * each(assets)
}

fn each(assets: usize) -> f64 {
    assets as f64 * PER_WEIGHT + PER_RESAMPLE
}

/// Matrices of n x n that a bootstrap holds for each thread at its peak. Measured: 4 at n = 1,000 and 2,000.
const PER_THREAD: f64 = 4.0;

/// Matrices of n x n that one portfolio takes at its peak: as read, without assets that are left out, its correlation, what
/// is solved, and two factors. Measured: 4.9 at n = 4,000.
const PER_PORTFOLIO: f64 = 6.0;

/// Bytes of a cell of a history beside the results: its return, and the panel made of it.
const PER_CELL: f64 = 16.0;

fn square(assets: usize) -> f64 {
    8.0 * (assets as f64).powi(2)
}

/// Bytes that the threads of a bootstrap work in, beside its history.
pub fn workspace(rows: usize, assets: usize) -> f64 {
    PER_THREAD * rayon::current_num_threads() as f64 * square(assets) + PER_CELL * rows as f64 * assets as f64
}

/// Refuses a bootstrap that does not fit: its resamples, and what its threads work in.
pub fn check_resamples(count: u64, rows: usize, assets: usize, limit: Option<u64>) -> Result<()> {
    let workspace = workspace(rows, assets);
    let hint = |room: f64| match ((room - workspace) / each(assets)).floor() {
        fit if fit >= 1.0 => format!("up to -B {fit:.0} would fit"),
        _ => "raise --memory, or choose fewer assets with --assets".to_string(),
    };
    check(&format!("{count} resamples of {assets} assets"), resamples(count, assets) + workspace, limit, hint)
}

/// Refuses a portfolio whose matrices do not fit.
pub fn check_portfolio(assets: usize, limit: Option<u64>) -> Result<()> {
    check(&format!("the covariances of {assets} assets"), PER_PORTFOLIO * square(assets), limit, |_| {
        "raise --memory, or choose fewer assets with --assets".to_string()
    })
}

/// Refuses what needs more than `limit` bytes, or, where no limit was given, than are available.
pub fn check(what: &str, needed: f64, limit: Option<u64>, hint: impl Fn(f64) -> String) -> Result<()> {
    let Some(room) = beyond(needed, limit) else { return Ok(()) };
    Err(Error::usage(format!("{what} need about {}, and {}", size(needed), allowed(room, limit))).hint(hint(room)))
}

/// What a run that needs so much would be told; nothing where it fits.
pub fn refusal(needed: f64, limit: Option<u64>) -> Option<String> {
    beyond(needed, limit).map(|room| format!("one machine refuses this run: {}", allowed(room, limit)))
}

/// The room there is, where it is too little.
fn beyond(needed: f64, limit: Option<u64>) -> Option<f64> {
    limit.or_else(available).map(|room| room as f64).filter(|room| needed > *room)
}

fn allowed(room: f64, limit: Option<u64>) -> String {
    format!("{} are {}", size(room), if limit.is_some() { "allowed by --memory" } else { "available" })
}

/// Memory that can be had without swapping, where the system says so.
fn available() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kib| kib << 10)
}
