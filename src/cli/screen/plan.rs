//! `--dry-run`: what a screen would take.

use std::process::ExitCode;
use std::time::Instant;

use equirisk::engine::Job as _;
use equirisk::engine::cpu::CpuEngine;
use equirisk::measure::Metric;
use equirisk::report::metrics;
use equirisk::report::terminal::{counted, grouped};
use equirisk::run::measure::chunk;
use equirisk::solver::Options;
use equirisk::study::screen::finalist::{Finalist, Setting};
use equirisk::study::screen::sample::SIZE;
use equirisk::study::screen::{Config, Question};
use equirisk::{Batch, Result, Source, Want};
use rayon::prelude::*;

use crate::cli::args::ScreenArguments;
use crate::cli::{output, plan};

/// Subsets timed for an estimate, in bulk and by themselves.
const TIMED: u64 = 1 << 16;
const TIMED_ALONE: u64 = 256;

/// What a screen would take: counts, memory, and an estimate of the time from some of its subsets.
pub fn dry_run(
    arguments: &ScreenArguments,
    question: &Question,
    problems: u64,
    config: &Config,
    memory: f64,
    options: Options,
) -> Result<ExitCode> {
    let space = question.subsets.space();
    let source = Source::Subsets { universe: question.universe.clone(), subsets: question.subsets.clone(), cap: None };
    let batch = Batch::new(source, &vec![1.0; space.size()])?;
    let engine = CpuEngine { options };
    let job = engine.job(&batch, Want::default());
    let timed = problems.min(TIMED);
    // Once to start the threads, once for the clock.
    job.measure(0..timed.min(1024), &[Metric::Volatility])?;
    let clock = Instant::now();
    job.measure(0..timed, &[Metric::Volatility])?;
    let in_bulk = clock.elapsed().as_secs_f64() * problems as f64 / timed as f64;
    let seconds = in_bulk + alone(arguments, question, problems, config);
    let shards = plan::shards(seconds, problems);
    let chunks = problems.div_ceil(chunk(space.size(), false));
    let plan = serde_json::json!({
        "dry_run": true,
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
        let of = space.count().map_or(format!("{:.2e}", space.approximate_count()), grouped);
        format!(
            "{} of {of} in {} would be screened: about {:.1} s and {:.0} MB\nworth {} (--shard I/N)\n",
            counted(problems, "subset"),
            counted(chunks, "chunk"),
            seconds,
            memory / 1e6,
            counted(shards, "shard")
        )
    };
    output::print(&text)?;
    Ok(ExitCode::SUCCESS)
}

/// Seconds for the subsets that are solved by themselves: a shortlist, the halves of the history, winners on resamples.
fn alone(arguments: &ScreenArguments, question: &Question, problems: u64, config: &Config) -> f64 {
    let of_the_path = config.by.is_of_the_path();
    let shortlist = if of_the_path { problems.min(config.shortlist as u64) } else { 0 };
    // Two halves of the history are as long as the whole.
    let halves = if config.halves && question.returns.is_some() { problems.min(SIZE) } else { 0 };
    let resampled = arguments.bootstrap_top.map_or(0, |count| arguments.resamples.saturating_mul(count as u64));
    let setting = Setting {
        universe: question.universe,
        returns: question.simple.filter(|_| of_the_path),
        periods_per_year: question.periods_per_year,
        bets: config.by.is_of_bets(),
    };
    let mut subsets = Vec::new();
    question.subsets.visit(0..problems.min(TIMED_ALONE), |rank, assets| subsets.push((rank, assets.to_vec())));
    let timed = subsets.len() as f64;
    let clock = Instant::now();
    std::hint::black_box(
        subsets.into_par_iter().filter_map(|(rank, assets)| Finalist::of(&setting, rank, assets)).count(),
    );
    clock.elapsed().as_secs_f64() / timed * (shortlist + halves + resampled) as f64
}
