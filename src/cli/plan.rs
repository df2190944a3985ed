//! `--dry-run`: what a run would take.

use std::ops::Range;
use std::time::Instant;

use crate::engine::{Engine, Job};
use crate::io::Detected;
use crate::methods::Method;
use crate::observer::Unwatched;
use crate::panel::Returns;
use crate::report::terminal::{self, counted, duration, size};
use crate::run::chunks::chunk_size;
use crate::stop::Stop;
use crate::study::bootstrap::{Config, Plan, Spec};
use crate::study::comparison::Comparison;
use crate::study::limited::Within;
use crate::study::memory;
use crate::{Request, Result};

use super::args::BootstrapArguments;
use super::output;

/// A probe solves more and more problems, about so many seconds in all.
const SECONDS: f64 = 2.0;

/// Problems that are solved at once for the sake of speed, where they are small.
const TOGETHER: u64 = 8;

/// Operations of a core in a second, at least: where one problem would take longer than a probe may, a smaller one is timed.
const PER_SECOND: f64 = 1e10;

/// Assets of a problem that is timed at most: before it the portfolio of the whole history is found, by Cholesky factors.
const MOST_TIMED: usize = 1500;

/// A shard is worth starting for so many seconds.
const SHARD_SECONDS: f64 = 180.0;

/// How many shards a run of so many seconds is worth.
pub fn shards(seconds: f64, problems: u64) -> u64 {
    ((seconds / SHARD_SECONDS).ceil().max(1.0) as u64).min(problems.max(1))
}

/// "suggested split: 3 shards (--shard 0/3 .. 2/3), about 3.0 minutes each"
pub fn split(seconds: f64, shards: u64) -> String {
    match shards {
        0 | 1 => "suggested split: none".to_string(),
        _ => {
            let each = duration(seconds / shards as f64);
            format!(
                "suggested split: {} (--shard 0/{shards} .. {}/{shards}), about {each} each",
                counted(shards, "shard"),
                shards - 1
            )
        }
    }
}

/// What problems take, from a few of them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Probe {
    /// Of one problem, all threads being busy.
    pub seconds: f64,
    /// Problems that were timed.
    pub problems: u64,
}

/// Times `solve`, which solves so many problems of those there are: `first`, then twice as many, until the time is used up.
/// The last batch counts, since those before it start threads and devices.
pub fn probe(first: u64, most: u64, solve: &mut dyn FnMut(u64) -> Result<()>) -> Result<Probe> {
    let start = Instant::now();
    let mut problems = first.min(most).max(1);
    loop {
        let clock = Instant::now();
        solve(problems)?;
        let seconds = clock.elapsed().as_secs_f64();
        if problems >= most || start.elapsed().as_secs_f64() + 2.0 * seconds > SECONDS {
            return Ok(Probe { seconds: seconds / problems as f64, problems });
        }
        problems = (2 * problems).min(most);
    }
}

/// Problems that keep all threads busy, where one takes about so many seconds.
pub fn first(seconds: f64) -> u64 {
    let threads = rayon::current_num_threads() as u64;
    if seconds * TOGETHER as f64 <= 0.25 * SECONDS { TOGETHER * threads } else { threads }
}

/// Seconds of one resample of `rows` x `assets` on a core, by its operations.
fn guess(rows: usize, assets: usize) -> f64 {
    (rows as f64 + 40.0) * (assets as f64).powi(2) / PER_SECOND
}

/// A bootstrap of the resamples `own`, its share: problems, chunks, memory, an estimate of the time from some of them.
pub fn bootstrap(
    arguments: &BootstrapArguments,
    returns: &Returns,
    spec: &Spec,
    config: &Config,
    own: Range<u64>,
    engine: &dyn Engine,
    detected: &[Detected],
) -> Result<u8> {
    let (limit, out) = (arguments.machine.memory, &arguments.out);
    let none = Within::none(spec.budgets.len());
    let within = spec.within.as_ref().unwrap_or(&none);
    let keep = within.keep(&spec.budgets);
    let (rows, assets) = (returns.rows(), keep.len());
    let resamples = own.end - own.start;
    let needed = memory::resamples(resamples, assets, arguments.run.output.is_some()) + memory::workspace(rows, assets);
    // As many assets as can be timed; a problem's work is proportional to their square.
    let timed = (assets as f64 * (SECONDS / guess(rows, assets)).sqrt().min(1.0)) as usize;
    let timed = timed.clamp(2, MOST_TIMED).min(assets);
    let scale = (assets as f64 / timed as f64).powi(2);
    let plan = if timed == assets {
        Plan::within(returns, &spec.budgets, within, config, &mut Unwatched)?
    } else {
        // Limits of some of the assets would be others.
        let part: Vec<f64> = keep[..timed].iter().map(|&asset| spec.budgets[asset].max(f64::MIN_POSITIVE)).collect();
        Plan::new(&returns.select(&keep[..timed]), &part, config, &mut Unwatched)?
    };
    // Mixes take no time.
    let comparison = Comparison { fixed: Vec::new(), ..spec.comparison.clone() };
    let program = plan.batch().program();
    let beside = comparison.selection(&Method::CLOSED_FORMS);
    let beside = beside.within(program.is_limited().then(|| program.limits()));
    let share = resamples as f64 / config.resamples as f64;
    let problems = (plan.problems() as f64 * share).ceil() as u64;
    let request = Request::Portfolios { beside };
    let job = engine.prepare(plan.batch(), &request)?;
    let probe = probe(first(guess(rows, timed)), resamples.max(1), &mut |count| {
        Job::run(&*job, 0..count, &Stop::NEVER).map(drop)
    })?;
    let seconds = scale * probe.seconds * problems as f64;
    let chunk = chunk_size(rows, assets);
    let info = engine.info();
    let whole = seconds / share.max(f64::MIN_POSITIVE);
    let shards = shards(whole, config.resamples);
    let device = engine.device_bytes(plan.batch()).filter(|_| timed == assets);
    let text = if out.json {
        output::json(&serde_json::json!({
            "dry_run": true,
            "files": detected,
            "problems": problems,
            "resamples": resamples,
            "chunk": chunk,
            "chunks": resamples.div_ceil(chunk),
            "memory_bytes": needed as u64,
            "device_bytes": device,
            "engine": info.engine,
            "adapter": info.adapter,
            "seconds": seconds,
            "shards": shards,
        }))?
    } else {
        let device = device.map_or(String::new(), |bytes| format!(", up to {} on the device", size(bytes as f64)));
        let of = if timed < assets { format!(" of {}", counted(timed as u64, "asset")) } else { String::new() };
        let columns = terminal::columns(detected, output::view());
        format!(
            "{columns}{} in {} would be solved on {}: about {} and {}{device}\n\
             the time is an estimate from {}{of}\n{}{}\n",
            counted(problems, "problem"),
            counted(resamples.div_ceil(chunk), "chunk"),
            info.adapter.as_deref().unwrap_or("the CPU"),
            duration(seconds),
            size(needed),
            counted(probe.problems, "problem"),
            refusal(needed, limit),
            split(whole, shards),
        )
    };
    output::print(&text)?;
    Ok(0)
}

/// A line about memory, where there is too little.
pub fn refusal(needed: f64, limit: Option<u64>) -> String {
    memory::refusal(needed, limit).map_or(String::new(), |refusal| refusal.render(output::option) + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_probe_ends_in_time_whatever_a_problem_takes() {
        let mut batches = Vec::new();
        let slow = probe(2, 1 << 40, &mut |count| {
            batches.push(count);
            std::thread::sleep(std::time::Duration::from_millis(100 * count));
            Ok(())
        });
        let slow = slow.unwrap();
        // 0.2 + 0.4 + 0.8 s; twice as many would take too long.
        assert_eq!((batches, slow.problems), (vec![2, 4, 8], 8));
        assert!(slow.seconds >= 0.1 && slow.seconds < 0.15, "{slow:?}");
        let few = probe(16, 5, &mut |_| Ok(())).unwrap();
        assert_eq!(few.problems, 5);
    }

    #[test]
    fn a_split_names_its_first_and_last_shard() {
        assert_eq!(
            split(500.0, shards(500.0, 1000)),
            "suggested split: 3 shards (--shard 0/3 .. 2/3), about 2.8 minutes each"
        );
        assert_eq!(split(100.0, shards(100.0, 1000)), "suggested split: none");
    }
}
