//! Memory is planned before the run: a job that cannot fit is refused at once, not after hours.

use equirisk::{Error, Result};

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

/// Refuses a bootstrap that does not fit.
pub fn check_resamples(count: u64, assets: usize, limit: Option<u64>) -> Result<()> {
    let hint = |room: f64| format!("up to -B {:.0} would fit", (room / each(assets)).floor());
    check(&format!("{count} resamples of {assets} assets"), resamples(count, assets), limit, hint)
}

/// Refuses what needs more than `limit` bytes, or, where no limit was given, than are available.
pub fn check(what: &str, needed: f64, limit: Option<u64>, hint: impl Fn(f64) -> String) -> Result<()> {
    let Some(room) = limit.or_else(available) else { return Ok(()) };
    if needed <= room as f64 {
        return Ok(());
    }
    let gib = |bytes: f64| match bytes / (1_u64 << 30) as f64 {
        small if small < 0.1 => format!("{:.1} MiB", 1024.0 * small),
        large => format!("{large:.1} GiB"),
    };
    Err(Error::usage(format!(
        "{what} need about {}, and {} are {}",
        gib(needed),
        gib(room as f64),
        if limit.is_some() { "allowed by --memory" } else { "available" }
    ))
    .hint(hint(room as f64)))
}

/// Memory that can be had without swapping, where the system says so.
fn available() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kib| kib << 10)
}
