//! `--dry-run`: what a run would take.

use std::ops::Range;
use std::process::ExitCode;
use std::time::Instant;

use equirisk::panel::Returns;
use equirisk::report::terminal::counted;
use equirisk::run::Unwatched;
use equirisk::run::chunks::chunk_size;
use equirisk::study::bootstrap::{Config, Plan};
use equirisk::{Result, Want};

use super::args::OutputArguments;
use super::machine::Machine;
use super::output;

/// Resamples solved for an estimate.
const TIMED: u64 = 1024;

/// A shard is worth starting for so many seconds.
const SHARD_SECONDS: f64 = 180.0;

/// How many shards a run of so many seconds is worth.
pub fn shards(seconds: f64, problems: u64) -> u64 {
    ((seconds / SHARD_SECONDS).ceil().max(1.0) as u64).min(problems.max(1))
}

/// A bootstrap of the resamples `own`, its share: problems, chunks, memory, an estimate of the time from some of them.
pub fn bootstrap(
    returns: &Returns,
    budgets: &[f64],
    config: &Config,
    own: Range<u64>,
    memory: f64,
    machine: &Machine,
    out: &OutputArguments,
) -> Result<ExitCode> {
    let plan = Plan::new(returns, budgets, config, &mut Unwatched)?;
    let resamples = own.end - own.start;
    let share = resamples as f64 / config.resamples as f64;
    let problems = (plan.problems() as f64 * share).ceil() as u64;
    let timed = resamples.clamp(1, TIMED);
    let job = machine.engine.prepare(plan.batch(), Want { comparisons: true })?;
    // Once to start threads and device, once for the clock.
    job.solve(0..timed.min(64))?;
    let clock = Instant::now();
    job.solve(0..timed)?;
    let seconds = clock.elapsed().as_secs_f64() * problems as f64 / timed as f64;
    let chunk = chunk_size(returns.rows(), plan.batch().assets());
    let info = machine.engine.info();
    let whole = seconds / share.max(f64::MIN_POSITIVE);
    let text = if out.json {
        output::json(&serde_json::json!({
            "dry_run": true,
            "problems": problems,
            "resamples": resamples,
            "chunk": chunk,
            "chunks": resamples.div_ceil(chunk),
            "memory_bytes": memory as u64,
            "device_bytes": machine.engine.device_bytes(plan.batch()),
            "engine": info.engine,
            "adapter": info.adapter,
            "seconds": seconds,
            "shards": shards(whole, config.resamples),
        }))?
    } else {
        let device = machine.engine.device_bytes(plan.batch());
        let device =
            device.map_or(String::new(), |bytes| format!(", up to {:.0} MB on the device", bytes as f64 / 1e6));
        format!(
            "{} in {} would be solved on {}: about {:.1} s and {:.0} MB{device}\nworth {} (--shard I/N)\n",
            counted(problems, "problem"),
            counted(resamples.div_ceil(chunk), "chunk"),
            info.adapter.as_deref().unwrap_or("the CPU"),
            seconds,
            memory / 1e6,
            counted(shards(whole, config.resamples), "shard"),
        )
    };
    output::print(&text)?;
    Ok(ExitCode::SUCCESS)
}
