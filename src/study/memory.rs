//! Memory is planned before the run: a job that cannot fit is refused at once, not after hours.

use crate::covariance::resampler::SPAN_BYTES;
use crate::engine::cpu::MOST_INTERLEAVED;
use crate::error::{Error, Result, Text, option};
use crate::io::size;
use crate::store::IN_MEMORY;
use crate::study::statistics::passes::BUDGET as STATISTICS;
use crate::wording::counted;

/// Bytes per resample and asset that are kept of a resample: its weight and its asset's volatility.
const PER_WEIGHT: f64 = 16.0;

/// Bytes per resample beside its weights: certificates, and volatilities of the other methods' portfolios.
const PER_RESAMPLE: f64 = 64.0;

/// Bytes per resample of one asset's weight, which is followed over half of them.
const PER_STEP: f64 = 4.0;

/// Figures per asset that statistics hold columns of, and figures beside these: weights, ranks and risk shares of each
/// method.
const PER_ASSET: f64 = 7.0;
const FIGURES: f64 = 45.0;

/// Bytes of a column of figures, and bytes per resample of it. Measured with a thousand resamples, and with ten million.
const PER_COLUMN: f64 = 300e3;
const PER_FIGURE: f64 = 0.25;

/// Bytes that a bootstrap of `resamples` x `assets` weights holds; a run in a directory keeps its resamples there.
/// Measured, with 10 assets: 0.67 GB for ten million, of which 0.54 GB are resamples.
pub fn resamples(resamples: u64, assets: usize, directory: bool) -> f64 {
    let (count, n) = (resamples as f64, assets as f64);
    let kept = if directory { 0.0 } else { (count * (n * PER_WEIGHT + PER_RESAMPLE)).min(IN_MEMORY as f64) };
    let columns = (PER_ASSET * n + FIGURES) * (PER_COLUMN + PER_FIGURE * count);
    kept + columns.min(STATISTICS as f64) + PER_STEP * count
}

/// Matrices of n x n that a bootstrap holds for each thread at its peak. Measured: 4 at n = 1,000 and 2,000.
const PER_THREAD: f64 = 4.0;

/// Matrices of n x n that one portfolio takes at its peak: as read, without assets that are left out, its correlation, what
/// is solved, and two factors. Measured: 4.9 at n = 4,000.
const PER_PORTFOLIO: f64 = 6.0;

/// Bytes of a cell of a history beside the results: its return, the panel made of it, and its influence on the weights.
const PER_CELL: f64 = 24.0;

fn square(assets: usize) -> f64 {
    8.0 * (assets as f64).powi(2)
}

/// Bytes that the threads of a bootstrap work in, beside its history.
pub fn workspace(rows: usize, assets: usize) -> f64 {
    let threads = PER_THREAD * rayon::current_num_threads() as f64 * square(assets);
    let shared = if assets > MOST_INTERLEAVED { SPAN_BYTES as f64 } else { 0.0 };
    threads + shared + PER_CELL * rows as f64 * assets as f64
}

/// Its resamples and statistics, and what its threads work in.
///
/// # Errors
/// A bootstrap that does not fit.
pub fn check_resamples(count: u64, rows: usize, assets: usize, directory: bool, limit: Option<u64>) -> Result<()> {
    let needed = |count: u64| resamples(count, assets, directory) + workspace(rows, assets);
    let hint = |room: f64| {
        let (mut fits, mut too_many) = (0, count);
        while too_many - fits > 1 {
            let middle = fits + (too_many - fits) / 2;
            *(if needed(middle) <= room { &mut fits } else { &mut too_many }) = middle;
        }
        let kept = resamples(count, assets, true) + workspace(rows, assets);
        match fits {
            _ if kept <= room => {
                format!("{} keeps the resamples on disk, and would fit", option("output").plain("DIR")).into()
            }
            0 => fewer_assets(),
            _ => format!("up to {} would fit", option("resamples").plain(fits)).into(),
        }
    };
    check(&format!("{} of {}", counted(count, "resample"), counted(assets as u64, "asset")), needed(count), limit, hint)
}

/// Copies of what is kept of a path: with its chunk, together, and for the outcome.
const PER_PATH: f64 = 3.0;

/// Paths of a backtest, of each of which so many bytes are kept.
///
/// # Errors
/// More than fit.
pub fn check_paths(count: u64, bytes: f64, limit: Option<u64>) -> Result<()> {
    let needed = PER_PATH * bytes * count as f64;
    let fits =
        |room: f64| format!("up to {} would fit", option("paths").plain((room / (PER_PATH * bytes)) as u64)).into();
    check(&counted(count, "path"), needed, limit, fits)
}

/// # Errors
/// A portfolio whose matrices do not fit.
pub fn check_portfolio(assets: usize, limit: Option<u64>) -> Result<()> {
    check(&format!("the covariances of {assets} assets"), PER_PORTFOLIO * square(assets), limit, |_| fewer_assets())
}

fn fewer_assets() -> Text {
    format!("raise {}, or choose fewer assets with {}", option("memory"), option("assets")).into()
}

/// `hint` is given the bytes there are.
///
/// # Errors
/// What needs more than `limit` bytes, or, where no limit was given, than are available.
pub fn check(what: &str, needed: f64, limit: Option<u64>, hint: impl Fn(f64) -> Text) -> Result<()> {
    let Some(room) = beyond(needed, limit) else { return Ok(()) };
    Err(Error::usage(format!("{what} need about {}, and {}", size(needed), allowed(room, limit))).hint(hint(room)))
}

/// What a run that needs so much would be told; nothing where it fits.
pub fn refusal(needed: f64, limit: Option<u64>) -> Option<Text> {
    beyond(needed, limit).map(|room| format!("one machine refuses this run: {}", allowed(room, limit)).into())
}

/// The room there is, where it is too little.
fn beyond(needed: f64, limit: Option<u64>) -> Option<f64> {
    limit.or_else(available).map(|room| room as f64).filter(|room| needed > *room)
}

fn allowed(room: f64, limit: Option<u64>) -> String {
    match limit {
        Some(_) => format!("{} are allowed by {}", size(room), option("memory")),
        None => format!("{} are available", size(room)),
    }
}

/// Memory that can be had without swapping, where the system says so.
fn available() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kib| kib << 10)
}
