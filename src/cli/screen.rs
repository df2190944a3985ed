//! `equirisk screen`: which k assets make the best risk-parity portfolio.

use std::process::ExitCode;
use std::time::Instant;

use equirisk::covariance::full_sample;
use equirisk::engine::Job as _;
use equirisk::engine::cpu::CpuEngine;
use equirisk::io::atomic::{self, Existing};
use equirisk::io::{Groups, Input, read_groups};
use equirisk::measure::Metric;
use equirisk::panel::{Panel, Returns};
use equirisk::report::directory::{self, Found, Manifest};
use equirisk::report::metrics::{self, MetricsWriter};
use equirisk::report::screen::{self as files, Screened};
use equirisk::report::terminal::{self, counted, grouped};
use equirisk::run::Watch as _;
use equirisk::run::crosscheck::Sample;
use equirisk::solver::{Options, validity};
use equirisk::study::screen::figure::Figure;
use equirisk::study::screen::finalist::{Finalist, Setting};
use equirisk::study::screen::sample::SIZE;
use equirisk::study::screen::{Config, Outcome, Question, check, screen};
use equirisk::study::solve::rejected;
use equirisk::study::winners;
use equirisk::subsets::Subsets;
use equirisk::subsets::space::{Pool, Space};
use equirisk::subsets::universe::Universe;
use equirisk::{Batch, Error, ErrorKind, Result, Source, Want};
use rayon::prelude::*;

use super::args::ScreenArguments;
use super::progress::Progress;
use super::{bootstrap, data, machine, memory, output};

/// Subsets timed for an estimate, in bulk and by themselves.
const TIMED: u64 = 1 << 16;
const TIMED_ALONE: u64 = 256;

/// What is screened, as read.
struct Universal {
    assets: Vec<String>,
    universe: Universe,
    /// Simple returns.
    returns: Option<Returns>,
    periods_per_year: Option<f64>,
    /// What tells these data from others.
    digest: String,
    input: String,
}

pub fn run(arguments: &ScreenArguments) -> Result<ExitCode> {
    let started = Instant::now();
    let quiet = arguments.out.quiet;
    let data = read(arguments)?;
    let groups = arguments
        .groups
        .as_ref()
        .map(|path| read_groups(&Input::from_argument(Some(path)), &data.assets))
        .transpose()?;
    let space = space(arguments, &data.assets, groups.as_ref())?;
    let draws = |sample: u64| space.count().is_none_or(|count| sample < count);
    let needs_seed = arguments.sample.is_some_and(draws) || arguments.bootstrap_top.is_some();
    let mut seed = needs_seed.then(|| bootstrap::seed(arguments.resample.seed));
    if arguments.halves && data.returns.is_none() {
        return Err(Error::usage("--halves compares the halves of the history, and a covariance has none")
            .hint("give prices or returns in place of --covariance"));
    }
    if arguments.bootstrap_top.is_some() && data.returns.is_none() {
        return Err(Error::usage("--bootstrap-top resamples the history, and a covariance has none")
            .hint("give prices or returns in place of --covariance"));
    }
    let manifest = Manifest::new(
        &job(arguments, &data, groups.as_ref()),
        arguments.resample.seed.filter(|_| needs_seed),
        &files::RESULTS,
        std::env::args().collect(),
        data.input.clone(),
    )?;
    if let Some(path) = arguments.output.as_ref().filter(|_| !arguments.dry_run) {
        match directory::examine(path, &manifest, arguments.force)? {
            Found::Finished { .. } if arguments.all.as_ref().is_some_and(|all| !all.exists()) => {
                return Err(Error::usage(format!(
                    "`{}` holds this run already, finished: --all has nothing to measure",
                    path.display()
                ))
                .hint("leave -o DIR out to write the metrics alone, or say --force to run again"));
            }
            Found::Finished { summary, table, unsolved, disagreements } => {
                if !quiet {
                    let path = path.display();
                    output::notice(&format!("`{path}` holds this run already, finished: here is its summary"));
                }
                output::print(if arguments.out.json { &summary } else { &table })?;
                return ended(arguments, unsolved, disagreements);
            }
            Found::Unfinished { seed: lent } => seed = lent.or(seed),
            Found::Nothing => {}
        }
    }
    let subsets = match arguments.sample {
        Some(sample) => Subsets::sampled(space, sample, seed.unwrap_or_default())?,
        None => Subsets::all(space)?,
    };
    let asked = arguments.sample.unwrap_or(u64::MAX);
    let problems = subsets.space().count().map_or(asked, |count| count.min(asked));

    let config = config(arguments);
    let question = Question {
        assets: &data.assets,
        universe: &data.universe,
        returns: data.returns.as_ref(),
        subsets: &subsets,
        max_correlation: arguments.max_correlation,
        periods_per_year: data.periods_per_year,
    };
    check(&question, &config)?;
    let work = work(problems, subsets.size());
    let machine = machine::choose(&arguments.machine, arguments.tolerance, false, work, quiet)?;
    let needed = config.memory(problems, subsets.size());
    if arguments.dry_run {
        return dry_run(arguments, &question, problems, &config, needed, machine.options);
    }
    memory::check("the best subsets and a chunk", needed, arguments.machine.memory, |_| {
        "choose a shorter --top or --shortlist, or draw fewer subsets with --sample".to_string()
    })?;
    notices(arguments, &question, problems, &config, quiet);
    if let Some(path) = &arguments.output {
        directory::begin(path, &manifest, seed)?;
    }
    let resamples = arguments.bootstrap_top.map_or(0, |_| arguments.resamples);
    let mut progress = Progress::new(problems + resamples, "subsets", quiet);
    let mut outcome = screened(arguments, &question, problems, &config, &machine, &mut progress)?;
    let again = match (arguments.bootstrap_top, &data.returns) {
        (Some(count), Some(returns)) if !outcome.winners.is_empty() => {
            let config = winners::Config {
                resamples: arguments.resamples,
                scheme: arguments.resample.scheme.scheme(),
                block: arguments.resample.block,
                seed: seed.unwrap_or_default(),
                periods_per_year: data.periods_per_year,
            };
            let count = outcome.winners.len().min(count);
            Some(winners::winners(returns, &outcome.winners[..count], arguments.by, &config, &mut progress)?)
        }
        _ => None,
    };
    outcome.top.truncate(arguments.top);
    if let Some(seed) = seed.filter(|_| arguments.resample.seed.is_none()) {
        progress.notice(&format!("seed {seed}: pass --seed {seed} for the same draws"));
    }
    progress.finish();

    let screened = Screened { outcome, bootstrap: again };
    let summary = output::json(&screened)?;
    let table = terminal::screen::screen(&screened);
    if let Some(path) = &arguments.output {
        files::finish(path, &screened, seed, &summary, &table, &manifest, started.elapsed().as_secs_f64())?;
    }
    output::print(if arguments.out.json { &summary } else { &table })?;
    let outcome = &screened.outcome;
    ended(arguments, outcome.solves.unsolved(), outcome.crosscheck.map_or(0, |checked| checked.disagreements))
}

fn ended(arguments: &ScreenArguments, unsolved: u64, disagreements: u64) -> Result<ExitCode> {
    bootstrap::agreed(disagreements)?;
    if arguments.strict && unsolved > 0 {
        let message = format!("{} stayed unsolved", counted(unsolved, "subset"));
        return Err(Error::new(ErrorKind::Unsolved, message).hint("leave --strict out to accept that"));
    }
    Ok(ExitCode::SUCCESS)
}

/// The history or the covariance, checked once for all subsets.
fn read(arguments: &ScreenArguments) -> Result<Universal> {
    let quiet = arguments.out.quiet;
    let input = data::input(&arguments.data, quiet || arguments.covariance);
    if arguments.covariance {
        if arguments.data.data.is_empty() {
            return Err(Error::usage("--covariance needs DATA: the embedded sample holds prices")
                .hint("name a CSV file with a label row and a label column"));
        }
        let covariance = data::covariance(&arguments.data, &input, quiet)?;
        let n = covariance.assets.len();
        let mut universe = Universe { correlation: vec![0.0; n * n], volatilities: vec![0.0; n] };
        let names: Vec<&str> = covariance.assets.iter().map(String::as_str).collect();
        validity::check(
            &covariance.values,
            arguments.assume_psd,
            &mut universe.correlation,
            &mut universe.volatilities,
        )
        .map_err(|flaw| rejected(flaw, &names))?;
        return Ok(Universal {
            digest: directory::digest_of(&covariance.assets, "", &covariance.values),
            assets: covariance.assets,
            universe,
            returns: None,
            periods_per_year: arguments.data.periods_per_year,
            input: input.to_string(),
        });
    }
    let (mut returns, _) = data::returns(&arguments.data, &input, arguments.machine.memory, quiet)?;
    let digest = directory::digest(&returns);
    let periods_per_year = data::periods_per_year(&arguments.data, &returns);
    let (correlation, volatilities) = full_sample(&Panel::new(&returns)?);
    if arguments.data.log_returns {
        // A portfolio's return is the mean of simple ones.
        returns.values.iter_mut().for_each(|r| *r = r.exp_m1());
    }
    Ok(Universal {
        assets: returns.assets.clone(),
        universe: Universe { correlation, volatilities },
        returns: Some(returns),
        periods_per_year,
        digest,
        input: input.to_string(),
    })
}

/// The subsets that the constraints allow.
fn space(arguments: &ScreenArguments, assets: &[String], groups: Option<&Groups>) -> Result<Space> {
    let find = |flag: &str, names: &[String]| -> Result<Vec<u32>> {
        let mut found = equirisk::io::positions(flag, assets, names)?;
        found.sort_unstable();
        Ok(found.into_iter().map(|position| position as u32).collect())
    };
    let included = find("--include", &arguments.include)?;
    let excluded = find("--exclude", &arguments.exclude)?;
    if let Some(&both) = included.iter().find(|asset| excluded.contains(asset)) {
        return Err(
            Error::usage(format!("`{}` is both included and excluded", assets[both as usize])).hint("name it once")
        );
    }
    let size = arguments.size;
    let free: Vec<u32> =
        (0..assets.len() as u32).filter(|asset| !included.contains(asset) && !excluded.contains(asset)).collect();
    let Some(groups) = groups else {
        return Space::new(size, included, vec![Pool { assets: free, least: 0, most: size }]);
    };
    let limits = |flag: &str, list: &Option<String>| match list {
        Some(list) => groups.limits(flag, list),
        None => Ok(vec![None; groups.names.len()]),
    };
    let (least, most) = (limits("--group-min", &arguments.group_min)?, limits("--group-max", &arguments.group_max)?);
    let mut pools = Vec::new();
    for (number, name) in groups.names.iter().enumerate() {
        let in_group = |asset: &&u32| groups.of[**asset as usize] == Some(number);
        // Assets always held count towards their group.
        let held = included.iter().filter(in_group).count();
        if let Some(most) = most[number].filter(|&most| held > most) {
            return Err(Error::usage(format!("--include holds {held} of group `{name}`, --group-max allows {most}"))
                .hint("include fewer of them or raise the limit"));
        }
        pools.push(Pool {
            assets: free.iter().filter(in_group).copied().collect(),
            least: least[number].unwrap_or(0).saturating_sub(held),
            most: most[number].map_or(size, |most| most - held),
        });
    }
    let others: Vec<u32> = free.iter().filter(|&&asset| groups.of[asset as usize].is_none()).copied().collect();
    if !others.is_empty() {
        pools.push(Pool { assets: others, least: 0, most: size });
    }
    Space::new(size, included, pools)
}

fn config(arguments: &ScreenArguments) -> Config {
    let top = arguments.top.max(arguments.bootstrap_top.unwrap_or(0));
    let written = arguments.all.is_some();
    Config {
        by: arguments.by,
        top,
        filters: arguments.filters.clone(),
        shortlist_by: arguments.shortlist_by,
        shortlist: arguments.shortlist.max(top.saturating_mul(4)),
        halves: !arguments.no_halves,
        also: if written { vec![Metric::Volatility, Metric::Diversification] } else { Vec::new() },
        crosscheck: arguments.machine.crosscheck.unwrap_or(Sample::Default),
        chunk: None,
    }
}

/// Operations that a subset takes in the units of [`machine::choose`], by measurement: a GPU pays from a few seconds of
/// the CPU's work on.
fn work(problems: u64, size: usize) -> f64 {
    20.0 * machine::work(problems, 0, size)
}

fn notices(arguments: &ScreenArguments, question: &Question, problems: u64, config: &Config, quiet: bool) {
    if quiet {
        return;
    }
    let of_volatility = |figure: Figure| figure == Figure::Metric(Metric::Volatility);
    if question.periods_per_year.is_some() && arguments.filters.iter().any(|filter| of_volatility(filter.figure)) {
        output::notice("--where volatility is per period; volatility-annual is per year");
    }
    if let (Some(sample), Some(count)) = (arguments.sample, question.subsets.space().count())
        && sample > count
    {
        output::notice(&format!("there are only {}: all of them are screened", counted(count, "subset")));
    }
    if let Some(path) = &arguments.all {
        let columns = 2 + config.also.len();
        let bytes = metrics::bytes(problems, question.subsets.size(), columns);
        output::notice(&format!(
            "{} will hold {} rows, about {:.1} MB",
            path.display(),
            grouped(problems),
            bytes / 1e6
        ));
    }
    let draws = problems as f64;
    let repeats = draws * draws / (2.0 * question.subsets.space().approximate_count());
    if question.subsets.space().count().is_none() && repeats > 1e-6 {
        output::notice(&format!("about {repeats:.1e} of the subsets drawn are expected to occur twice"));
    }
}

/// The screen itself, with every subset's metrics written on the way where that was asked for.
fn screened(
    arguments: &ScreenArguments,
    question: &Question,
    problems: u64,
    config: &Config,
    machine: &machine::Machine,
    progress: &mut Progress,
) -> Result<Outcome> {
    let (engine, options) = (&*machine.engine, machine.options);
    let Some(path) = &arguments.all else {
        return screen(question, problems, config, engine, options, progress, &mut |_, _, _| Ok(()));
    };
    let existing = if arguments.force { Existing::Replace } else { Existing::Refuse };
    let mut outcome = None;
    let written = atomic::write(path, existing, |file| {
        let mut file = Some(file);
        let mut writer = None;
        let result = screen(question, problems, config, engine, options, progress, &mut |_, metrics, measured| {
            let failed = |error: std::io::Error| Error::failed(format!("{}: {error}", path.display()));
            if let Some(file) = file.take() {
                writer = Some(MetricsWriter::new(file, question.subsets, metrics, question.assets).map_err(failed)?);
            }
            writer.as_mut().map_or(Ok(()), |writer| writer.push(measured)).map_err(failed)
        });
        let stopped = result.is_err();
        outcome = Some(result);
        match writer {
            Some(writer) if !stopped => writer.finish(),
            // Nothing incomplete stays behind.
            _ => Err(std::io::Error::other("the screen did not finish")),
        }
    });
    match outcome {
        Some(Err(error)) => Err(error),
        Some(outcome) => written.and(outcome),
        None => Err(written.err().unwrap_or_else(|| Error::failed("the screen did not run"))),
    }
}

/// What a screen would take: counts, memory, and an estimate of the time from some of its subsets.
fn dry_run(
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
    let plan = serde_json::json!({
        "dry_run": true,
        "subsets": {
            "space": space.count(),
            "space_approximate": space.approximate_count(),
            "screened": problems,
        },
        "memory_bytes": memory as u64,
        "all_bytes": arguments.all.as_ref().map(|_| metrics::bytes(problems, space.size(), 2 + config.also.len()) as u64),
        // What figures of the path are computed for.
        "shortlist": config.by.is_of_the_path().then(|| problems.min(config.shortlist as u64)),
        "seconds": seconds,
    });
    let text = if arguments.out.json {
        output::json(&plan)?
    } else {
        let of = space.count().map_or(format!("{:.2e}", space.approximate_count()), grouped);
        format!(
            "{} of {of} would be screened: about {:.1} s and {:.0} MB\n",
            counted(problems, "subset"),
            seconds,
            memory / 1e6
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
        returns: question.returns.filter(|_| of_the_path),
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

/// What makes two screens the same, beside the seed.
fn job(arguments: &ScreenArguments, data: &Universal, groups: Option<&Groups>) -> serde_json::Value {
    let bootstrap = arguments.bootstrap_top.map(|count| {
        serde_json::json!({
            "winners": count,
            "resamples": arguments.resamples,
            "scheme": arguments.resample.scheme.scheme().name(),
            "block": arguments.resample.block.to_string(),
        })
    });
    let groups = groups.map(|groups| directory::digest_of(&groups.names, &format!("{:?}", groups.of), &[]));
    serde_json::json!({
        "study": "screen",
        "data_sha256": data.digest,
        "size": arguments.size,
        "by": arguments.by.name(),
        "top": arguments.top,
        "sample": arguments.sample,
        "include": arguments.include,
        "exclude": arguments.exclude,
        "groups_sha256": groups,
        "group_min": arguments.group_min,
        "group_max": arguments.group_max,
        "max_correlation": arguments.max_correlation,
        "where": arguments.filters.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "shortlist": arguments.shortlist,
        "shortlist_by": arguments.shortlist_by.name(),
        "halves": !arguments.no_halves,
        "bootstrap": bootstrap,
        "engine": arguments.machine.engine.name(),
        "tolerance": arguments.tolerance,
        "periods_per_year": data.periods_per_year,
    })
}
