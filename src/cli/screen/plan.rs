//! `--dry-run`: what a screen would take.

use crate::engine::Job as _;
use crate::engine::cpu::CpuEngine;
use crate::io::Detected;
use crate::measure::Metric;
use crate::report::terminal::{self, counted, duration, grouped, size};
use crate::run::chunks;
use crate::stop::Stop;
use crate::store::metrics;
use crate::study::screen::finalist::{Finalist, Setting};
use crate::study::screen::sample::SIZE;
use crate::study::screen::{Config, Question};
use crate::study::winners::affordable;
use crate::{Batch, Request, Result, Returns};
use rayon::prelude::*;

use crate::cli::args::ScreenArguments;
use crate::cli::{output, plan};

/// Subsets timed for an estimate at most, in bulk and by themselves.
const TIMED: u64 = 1 << 16;
const TIMED_ALONE: u64 = 256;

/// Subsets timed first.
const FIRST: u64 = 64;

/// What a screen would take: counts, memory, and an estimate of the time from some of its subsets.
pub fn dry_run(
    arguments: &ScreenArguments,
    question: &Question,
    problems: u64,
    config: &Config,
    memory: f64,
    engine: CpuEngine,
    detected: &[Detected],
) -> Result<u8> {
    let space = question.subsets.space();
    let batch = Batch::subsets(question.universe.clone(), question.subsets.clone(), problems, None)?
        .within(question.bounds.cloned())?;
    let request = Request::Metrics(vec![Metric::Volatility]);
    let job = engine.job(&batch, &request);
    let probe = plan::probe(FIRST, problems.min(TIMED), &mut |count| job.run(0..count, &Stop::NEVER).map(drop))?;
    let seconds = probe.seconds * problems as f64 + alone(arguments, question, problems, config)?;
    let shards = plan::shards(seconds, problems);
    let chunks = problems.div_ceil(chunks::measured(space.size(), false));
    let plan = serde_json::json!({
        "dry_run": true,
        "files": detected,
        "subsets": {
            "space": space.count(),
            "space_approximate": space.approximate_count(),
            "screened": problems,
        },
        "chunks": chunks,
        "memory_bytes": memory as u64,
        "all_bytes": arguments.all.as_ref().map(|_| metrics::bytes(problems, space.size(), 2 + config.also.len()) as u64),
        // What figures of the path are computed for.
        "shortlist": config.by.is_of_the_path().then(|| problems.min(config.shortlist as u64)),
        "seconds": seconds,
        "shards": shards,
    });
    let text = if arguments.out.json {
        output::json(&plan)?
    } else {
        let of = match (space.count(), space.approximate_count()) {
            (Some(count), _) => grouped(count),
            (None, about) if about.is_finite() => format!("{about:.2e}"),
            _ => "more than 1e308".to_string(),
        };
        let columns = terminal::columns(detected, output::view());
        format!(
            "{columns}{} of {of} in {} would be screened: about {} and {}\nthe time is an estimate from {}\n{}{}\n",
            counted(problems, "subset"),
            counted(chunks, "chunk"),
            duration(seconds),
            size(memory),
            counted(probe.problems, "subset"),
            plan::refusal(memory, arguments.machine.memory),
            plan::split(seconds, shards)
        )
    };
    output::print(&text)?;
    Ok(0)
}

/// Seconds for the subsets that are solved by themselves: a shortlist, the halves of the history, winners on resamples, and
/// all subsets on these where the choice is repeated.
fn alone(arguments: &ScreenArguments, question: &Question, problems: u64, config: &Config) -> Result<f64> {
    let of_the_path = config.by.is_of_the_path();
    let shortlist = if of_the_path { problems.min(config.shortlist as u64) } else { 0 };
    // Two halves of the history are as long as the whole.
    let halves = if config.halves && question.returns.is_some() { problems.min(SIZE) } else { 0 };
    let resampled = arguments.bootstrap_top.map_or(0, |count| arguments.resamples.saturating_mul(count as u64));
    let rows = question.returns.map_or(0, Returns::rows);
    let again = arguments
        .bootstrap_top
        .and_then(|_| affordable(problems, question.subsets.size(), rows, config.by, arguments.resamples));
    let reselected = again.map_or(0, |resamples| resamples.saturating_mul(problems));
    let solved = (shortlist + halves).saturating_add(resampled).saturating_add(reselected);
    if solved == 0 {
        return Ok(0.0);
    }
    let setting = Setting {
        universe: question.universe,
        bounds: question.bounds,
        returns: question.simple.filter(|_| of_the_path),
        periods_per_year: question.periods_per_year,
        bets: config.by.is_of_bets(),
    };
    let probe = plan::probe(FIRST, problems.min(TIMED_ALONE), &mut |count| {
        let mut subsets = Vec::new();
        question.subsets.visit(0..count, |rank, assets| subsets.push((rank, assets.to_vec())));
        let found = subsets.into_par_iter().filter_map(|(rank, assets)| Finalist::of(&setting, rank, assets)).count();
        std::hint::black_box(found);
        Ok(())
    })?;
    Ok(probe.seconds * solved as f64)
}
