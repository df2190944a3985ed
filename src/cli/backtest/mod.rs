//! `equirisk backtest`: how the strategy would have gone.

mod arguments;
mod cash;
mod costs;
mod days;
mod grid;
mod settings;
mod values;

use std::path::Path;

pub use arguments::BacktestArguments;

use super::args::SchemeChoice;
use super::data::{self, Inputs, Notes};
use super::driver::{Asked, Seed, Steps, drive};
use super::limits::{self, Asked as Limited, TermArguments};
use super::methods::{self, Name};
use super::{machine, output};
use crate::batch::active;
use crate::covariance::Estimator;
use crate::engine::{Engine, Kind, choose};
use crate::error::option;
use crate::io::{self, Detected};
use crate::methods::{Method, Mix};
use crate::observer::{Observer, Unwatched};
use crate::report::terminal::{columns, counted};
use crate::report::words;
use crate::store::digest;
use crate::store::history::Funded;
use crate::study::backtest::{Backtest, Plan, Spec, fan, paths};
use crate::study::block::Block;
use crate::study::limited::Within;
use crate::study::memory;
use crate::study::protocol::Study as _;
use crate::{Error, Result};

/// What the sample is compared with where nothing else is said.
const SAMPLE_MIX: &str = "60/40:S&P 500=0.6,US BONDS 10Y=0.4";

pub fn run(arguments: &BacktestArguments) -> Result<u8> {
    if arguments.run.part().is_some() && arguments.paths.is_none() {
        return Err(Error::usage("--shard and --problems cut paths, and a backtest of one history has none")
            .hint("leave them out, or ask for --paths"));
    }
    let draws = &arguments.resample;
    let is_drawn = arguments.paths.is_some() || arguments.resamples.is_some();
    if !is_drawn && (draws.block != Block::Auto || draws.scheme != SchemeChoice::Stationary) {
        return Err(Error::usage(
            "--scheme and --block say how rows are drawn, and a backtest of one history draws none",
        )
        .hint("add --paths P, or leave them out"));
    }
    if draws.block != Block::Auto && arguments.resamples.is_some() {
        return Err(Error::usage("--block is for paths: with -B, windows are resampled")
            .hint("say --fan-block for rows of a block within a window"));
    }
    let seed = Seed { given: draws.seed, needed: is_drawn };
    seed.check(arguments.run.part().is_some())?;
    let notes = &mut Notes::new(arguments.out.quiet);
    let inputs = data::input(&arguments.data, notes);
    let Read { data, detected, periods_per_year } = read(arguments, &inputs, notes)?;
    let spec = spec(arguments, &data, periods_per_year, notes)?;
    let history = Backtest::history(&spec, data.clone())?;
    let asked = Asked::<Backtest> {
        spec: &spec,
        data: &data,
        origin: &|digested| data::origin(&inputs, &detected, &data.returns, notes, digested),
        seed,
        run: &arguments.run,
        machine: &arguments.machine,
        tolerance: arguments.problem.tolerance,
        out: &arguments.out,
        work: work(&spec, history.plan()),
    };
    drive(&asked, &Command { arguments, spec: &spec, history, detected: &detected })
}

/// Operations that a device could take: those of paths. The history itself is solved on the CPU.
fn work(spec: &Spec, plan: &Plan) -> f64 {
    let question = plan.question();
    let assets = active(&spec.budgets);
    let problems = spec.paths.map_or(0, |paths| paths.paths * plan.windows.len() as u64);
    let selection = question.selection(&assets);
    // Windows of paths are summed on devices for the sample covariance alone. Where the CPU makes every window for other
    // methods anyway, it solves them as well.
    let fits = spec.estimator == Estimator::Sample && selection.solved().next().is_none() && spec.within.is_none();
    if !fits {
        return 0.0;
    }
    let rows = spec.config.lookback.least();
    machine::work(&[spec.estimator], &selection, assets.len(), choose::work(problems, rows, assets.len()))
}

struct Read {
    data: Funded,
    detected: Vec<Detected>,
    periods_per_year: f64,
}

/// Histories with the lives of their assets, and what cash earned.
fn read(arguments: &BacktestArguments, inputs: &Inputs, notes: &mut Notes) -> Result<Read> {
    let options = io::ReadOptions {
        log_returns: false,
        cash: arguments.cash.clone(),
        ..data::options(&arguments.data, arguments.machine.memory).with_lives()
    };
    let mut reading = data::read(inputs, &options, notes)?;
    if arguments.data.log_returns {
        if reading.detected.iter().any(|found| found.kind != io::Kind::Returns.name()) {
            return Err(Error::usage(
                "--log-returns: a portfolio's return is the mean of simple returns, and prices give these",
            )
            .hint("leave --log-returns out, or say --returns where DATA holds logarithmic returns"));
        }
        let simple = |values: &mut [f64]| values.iter_mut().for_each(|x| *x = x.exp_m1());
        simple(&mut reading.returns.values);
        reading.cash.iter_mut().for_each(|cash| simple(cash));
        notes.say(&["logarithmic returns are turned into simple ones: exp(x) - 1".into()]);
    }
    let periods_per_year = data::periods_per_year(&arguments.data, &reading.returns, notes).ok_or_else(|| {
        Error::usage("how many rows make a year cannot be told from these rows")
            .hint(format!("say {}", option("periods-per-year").plain("N")))
    })?;
    let cash = cash::rates(arguments, reading.cash, &reading.returns, periods_per_year, notes)?;
    Ok(Read { data: Funded { returns: reading.returns, cash }, detected: reading.detected, periods_per_year })
}

/// The one configuration.
fn spec(arguments: &BacktestArguments, data: &Funded, periods_per_year: f64, notes: &mut Notes) -> Result<Spec> {
    let assets = &data.returns.assets;
    let config = settings::config(arguments, &data.returns, periods_per_year)?;
    let (budgets, within) = limits(arguments, assets, notes)?;
    let sample_mix = [SAMPLE_MIX.to_string()];
    let is_sample = arguments.data.data.is_empty() && arguments.fixed.is_empty();
    let has_both = ["S&P 500", "US BONDS 10Y"].iter().all(|name| assets.iter().any(|asset| asset == name));
    let given = if is_sample && has_both { &sample_mix[..] } else { &arguments.fixed };
    let fixed = methods::mixes(given, assets, io::read_parts_of_wealth, notes)?;
    let all = [Name::All];
    let mut names: Vec<String> = Vec::new();
    let asked = arguments.methods.as_deref().unwrap_or(&all);
    for name in methods::within_limits(Some(asked), &within, notes)?.unwrap_or_default() {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let erc = Method::RiskBudgeting.name();
    if arguments.regime.is_some() && !names.iter().any(|name| name == erc) {
        return Err(Error::usage("--regime adds a twin of risk budgeting, which is not among the methods")
            .hint("add erc to --methods"));
    }
    let benchmark = benchmark(arguments, &mut names, &fixed, notes);
    let estimator = arguments.estimation.estimator()?;
    Ok(Spec {
        study: Backtest::NAME.to_string(),
        data_sha256: digest::funded(data),
        budgets,
        methods: names,
        fixed,
        benchmark,
        estimator,
        grid: grid::grid(arguments, &config, estimator)?,
        fan: arguments.resamples.map(|resamples| fan::Resampling {
            resamples,
            scheme: arguments.resample.scheme.scheme(),
            block: arguments.fan_block,
            trades: arguments.fan_band,
        }),
        paths: arguments.paths.map(|paths| paths::Resampling {
            paths,
            scheme: arguments.resample.scheme.scheme(),
            block: arguments.resample.block,
            sensitivity: !arguments.no_sensitivity,
        }),
        within: (!within.is_none()).then_some(within),
        config,
        setup: machine::setup(&arguments.machine, arguments.problem.tolerance),
    })
}

/// Budgets, and what weights are within at every decision.
fn limits(arguments: &BacktestArguments, assets: &[String], notes: &mut Notes) -> Result<(Vec<f64>, Within)> {
    if arguments.limits.max_turnover.is_some() {
        return Err(Error::usage("--max-turnover is for one portfolio: dates of a backtest are solved side by side")
            .hint("--band and --no-trade keep trades small"));
    }
    let terms = TermArguments::default();
    let Limited { budgets, within, .. } = limits::read(&arguments.problem, &arguments.limits, &terms, assets, notes)?;
    let pinned = (0..assets.len()).find(|&asset| budgets[asset] == 0.0 && within.limits.least[asset] > 0.0);
    match pinned {
        Some(asset) => Err(Error::usage(format!("`{}` has a least weight and no risk budget", assets[asset]))
            .hint("in a backtest what is held has a budget: give it a small one, or name it in --fixed")),
        None => Ok((budgets, within)),
    }
}

/// The first mix, or equal weight, which then is one of the strategies.
fn benchmark(arguments: &BacktestArguments, names: &mut Vec<String>, fixed: &[Mix], notes: &mut Notes) -> String {
    if let Some(name) = &arguments.benchmark {
        return io::plain(name);
    }
    if let Some(mix) = fixed.first() {
        return mix.name.clone();
    }
    let equal = Method::EqualWeight.name().to_string();
    if !names.contains(&equal) {
        names.push(equal.clone());
        notes.say(&["equal weight is added: what the strategies are compared with".into()]);
    }
    equal
}

struct Command<'a> {
    arguments: &'a BacktestArguments,
    spec: &'a Spec,
    history: Backtest,
    detected: &'a [Detected],
}

impl Steps<Backtest> for Command<'_> {
    fn dry_run(&self, seed: Option<u64>, engine: &dyn Engine) -> Result<u8> {
        let study = self.ready(seed, &mut Unwatched)?;
        let plan = study.plan();
        let last = plan.market.rows() - 1;
        let most = plan.windows.iter().map(|window| window.assets.len()).max().unwrap_or(0);
        let (decided, traded) = (plan.market.label(plan.windows[0].row), plan.market.label(plan.start));
        let history = plan.windows.len() as u64 + 1;
        let along = study.paths().map(|paths| (paths, paths.problems(&(0..study.problems()))));
        let fan = study.fan().map(|fan| fan.problems(plan));
        let text = if self.arguments.out.json {
            let paths = along.map(|(paths, problems)| {
                serde_json::json!({
                    "count": paths.resampling.paths,
                    "block_length": paths.block_length(),
                    "problems": problems,
                    "engine": engine.info().engine,
                })
            });
            output::json(&serde_json::json!({
                "dry_run": true,
                "files": self.detected,
                "problems": history,
                "assets": most,
                "decisions": plan.windows.len(),
                "first_decision": decided,
                "first_trade": traded,
                "evaluated_rows": last - plan.start,
                "engine": Kind::Cpu,
                "paths": paths,
                "fan_problems": fan,
            }))?
        } else {
            let paths = along.map_or(String::new(), |(paths, problems)| {
                format!(
                    "{} of blocks of {:.1} rows: {} more, on the {}\n",
                    counted(paths.resampling.paths, "path"),
                    paths.block_length(),
                    counted(problems, "problem"),
                    words::engine(engine.info().adapter.as_deref(), engine.info().precision),
                )
            });
            let fan = fan.map_or(String::new(), |problems| {
                format!("resamples of its windows: {} more\n", counted(problems, "problem"))
            });
            format!(
                "{}{} of {}, {} to {}\n{} ({}) from {decided} on, the first trade at the close of {traded}, {} held \
                 through\n{} of up to {} would be solved on the CPU\n{paths}{fan}",
                columns(self.detected, output::view()),
                counted(plan.market.rows() as u64, "row"),
                counted(plan.market.assets() as u64, "asset"),
                plan.market.label(0),
                plan.market.label(last),
                counted(plan.windows.len() as u64, "decision"),
                self.spec.config.rebalance,
                counted((last - plan.start) as u64, "row"),
                counted(history, "problem"),
                counted(most as u64, "asset"),
            )
        };
        output::print(&text)?;
        Ok(0)
    }

    /// What the history does not allow, and what does not fit, is refused before a directory is begun.
    fn check(&self, seed: Option<u64>) -> Result<()> {
        let study = self.ready(seed, &mut Unwatched)?;
        let Some(paths) = study.paths() else { return Ok(()) };
        let count = paths.resampling.paths;
        let own = self.arguments.run.part().map_or(Ok(0..count), |part| part.range(count, Backtest::PIECE))?;
        memory::check_paths(own.end - own.start, paths.bytes(study.plan()), self.arguments.machine.memory)
    }

    fn ready(&self, seed: Option<u64>, observer: &mut dyn Observer) -> Result<Backtest> {
        self.history.clone().drawing(self.spec, seed, observer)
    }
}

/// A text file that a flag names.
fn text_of(flag: &str, path: &Path) -> Result<String> {
    std::fs::read_to_string(path).map_err(|error| {
        Error::usage(format!("{}: `{}` cannot be read: {error}", option(flag), path.display())).hint("check the path")
    })
}
