//! `equirisk screen`: which k assets make the best risk-parity portfolio.

mod bounds;
mod constraints;
mod plan;

use std::cell::RefCell;
use std::ffi::OsStr;
use std::path::Path;

use super::args::ScreenArguments;
use super::data::{self, Inputs, Notes};
use super::driver::{Asked, Seed, Steps, drive};
use super::machine;
use super::output;
use crate::covariance::Estimator;
use crate::engine::{Engine, choose};
use crate::io::Detected;
use crate::measure::Metric;
use crate::observer::{Observer, Unwatched};
use crate::panel::{Labels, Returns};
use crate::report::terminal;
use crate::run::Context;
use crate::run::crosscheck::Sample;
use crate::runs::Found;
use crate::store::atomic::{self, Existing};
use crate::store::digest;
use crate::store::directory::{CHUNKS, SUMMARY, TABLE};
use crate::store::manifest::MANIFEST;
use crate::store::metrics::{self, MetricsWriter};
use crate::study::memory;
use crate::study::protocol::Study;
use crate::study::screen::figure::Figure;
use crate::study::screen::{Again, Config, Question, Screen, Screened, Spec, allows_some};
use crate::wording::{counted, grouped};
use crate::{Error, Result};

/// What is measured of every subset where it is written.
const WRITTEN: [Metric; 2] = [Metric::Volatility, Metric::Diversification];

pub fn run(arguments: &ScreenArguments) -> Result<u8> {
    // Whether a sample is drawn depends on the data; resamples always are.
    let given = arguments.resample.seed;
    Seed { given, needed: arguments.bootstrap_top.is_some() }.check(arguments.run.part().is_some())?;
    let estimator = arguments.estimation.estimator()?;
    if arguments.covariance {
        arguments.estimation.none()?;
    }
    let mut notes = Notes::new(arguments.out.quiet);
    let Read { mut data, periods_per_year, input, detected } = read(arguments, &mut notes)?;
    let bounds = bounds::bounds(arguments, &mut data, &mut notes)?;
    if arguments.halves && arguments.covariance {
        return Err(Error::usage("--halves compares the halves of the history, and a covariance has none")
            .hint("give prices or returns in place of --covariance"));
    }
    if arguments.bootstrap_top.is_some() && arguments.covariance {
        return Err(Error::usage("--bootstrap-top resamples the history, and a covariance has none")
            .hint("give prices or returns in place of --covariance"));
    }
    if let Some(all) =
        arguments.all.as_deref().filter(|all| arguments.data.data.iter().any(|data| atomic::same(data, all)))
    {
        return Err(Error::usage(format!("`{}` holds the data", all.display())).hint("give another --all FILE"));
    }
    if let (Some(all), Some(directory)) = (&arguments.all, &arguments.run.output)
        && all.parent().is_some_and(|folder| folder == directory || atomic::same(folder, directory))
        && all.file_name().and_then(OsStr::to_str).is_some_and(is_of_a_run)
    {
        return Err(Error::usage(format!("`{}` is a file of the run itself", all.display()))
            .hint("give --all FILE another name"));
    }
    let spec = Spec { bounds, ..spec(arguments, estimator, &data, periods_per_year)? };
    let space = spec.space(data.assets.len())?;
    if let Some(bounds) = &spec.bounds {
        allows_some(bounds, &space)?;
    }
    let draws = |sample: u64| space.count().is_none_or(|count| sample < count);
    let needed = arguments.sample.is_some_and(draws) || arguments.bootstrap_top.is_some();
    let problems = space.count().unwrap_or(u64::MAX).min(arguments.sample.unwrap_or(u64::MAX));
    let asked = Asked::<Screen> {
        spec: &spec,
        data: &data,
        origin: &|digested| data::origin(&input, &detected, &data, &notes, digested),
        seed: Seed { given: given.filter(|_| needed), needed },
        run: &arguments.run,
        machine: &arguments.machine,
        tolerance: arguments.tolerance,
        out: &arguments.out,
        // Bounds are for the CPU.
        work: if spec.bounds.is_none() { work(problems, arguments.size) } else { 0.0 },
    };
    drive(&asked, &Command { arguments, spec: &spec, data: &data, detected: &detected })
}

/// What a file held: returns, or a covariance whose rows are labelled with its assets.
struct Read {
    data: Returns,
    periods_per_year: Option<f64>,
    /// Where it came from, and how it was read.
    input: Inputs,
    detected: Vec<Detected>,
}

fn read(arguments: &ScreenArguments, notes: &mut Notes) -> Result<Read> {
    let input = data::input(&arguments.data, notes);
    if !arguments.covariance {
        let (data, detected) = data::returns(&arguments.data, &input, arguments.machine.memory, notes)?;
        let periods_per_year = data::periods_per_year(&arguments.data, &data, notes);
        return Ok(Read { data, periods_per_year, input, detected });
    }
    if arguments.data.data.is_empty() {
        return Err(Error::usage("--covariance needs DATA: the embedded sample holds prices")
            .hint("name a file that holds the matrix and the names of its assets"));
    }
    let covariance = data::covariance(&arguments.data, &input, arguments.machine.memory, notes)?;
    let labels = Labels::Text(covariance.assets.clone());
    let data = Returns { assets: covariance.assets, labels, values: covariance.values };
    Ok(Read { data, periods_per_year: arguments.data.periods_per_year, input, detected: Vec::new() })
}

/// What makes two screens the same, beside the seed.
fn spec(
    arguments: &ScreenArguments,
    estimator: Estimator,
    data: &Returns,
    periods_per_year: Option<f64>,
) -> Result<Spec> {
    let (included, pools) = constraints::constraints(arguments, &data.assets)?;
    let most = arguments.top.max(arguments.bootstrap_top.unwrap_or(0));
    Ok(Spec {
        study: Screen::NAME.to_string(),
        data_sha256: digest::history(data),
        covariance: arguments.covariance,
        assume_psd: arguments.assume_psd,
        log_returns: arguments.data.log_returns,
        size: arguments.size,
        included,
        pools,
        sample: arguments.sample,
        max_correlation: arguments.max_correlation,
        bounds: None,
        config: Config {
            by: arguments.by,
            top: arguments.top,
            filters: arguments.filters.clone(),
            shortlist: arguments.shortlist.max(most.saturating_mul(4)),
            shortlist_by: arguments.shortlist_by,
            halves: !arguments.no_halves,
            also: Vec::new(),
            crosscheck: Sample::Default,
        },
        bootstrap: arguments.bootstrap_top.map(|winners| Again {
            winners,
            resamples: arguments.resamples,
            scheme: arguments.resample.scheme.scheme(),
            block: arguments.resample.block,
        }),
        estimator: (!arguments.covariance).then_some(estimator),
        periods_per_year,
        setup: machine::setup(&arguments.machine, arguments.tolerance),
    })
}

/// Whether a run directory has a file of this name.
fn is_of_a_run(name: &str) -> bool {
    let own = [SUMMARY, TABLE, CHUNKS, MANIFEST];
    Screen::FILES.iter().chain(&own).chain(Screen::DATA.as_ref()).any(|own| *own == name)
}

struct Command<'a> {
    arguments: &'a ScreenArguments,
    spec: &'a Spec,
    data: &'a Returns,
    detected: &'a [Detected],
}

impl Command<'_> {
    fn screen(&self, seed: Option<u64>) -> Result<Screen> {
        Screen::prepare(self.spec, seed, self.data.clone(), &mut Unwatched)
    }

    fn config(&self) -> Config {
        let also = if self.arguments.all.is_some() { WRITTEN.to_vec() } else { Vec::new() };
        Config { also, ..self.spec.config() }
    }
}

impl Steps<Screen> for Command<'_> {
    fn accepts(&self, found: &Found) -> Result<()> {
        let missing = self.arguments.all.as_ref().is_some_and(|all| !all.exists());
        if missing && matches!(found, Found::Finished { .. }) {
            return Err(Error::usage("this run is finished: --all has nothing to measure")
                .hint("leave -o DIR out to write the metrics alone, or say --force to run again"));
        }
        Ok(())
    }

    fn dry_run(&self, seed: Option<u64>, engine: &dyn Engine) -> Result<u8> {
        let screen = self.screen(seed)?;
        let (config, all) = (self.config(), screen.problems());
        let own = self.arguments.run.part().map_or(Ok(0..all), |part| part.range(all, Screen::PIECE))?;
        let problems = own.end - own.start;
        let needed = config.memory(problems, self.spec.size);
        let engine = engine.reserve();
        plan::dry_run(self.arguments, &screen.question(), problems, &config, needed, engine, self.detected)
    }

    fn check(&self, seed: Option<u64>) -> Result<()> {
        let screen = self.screen(seed)?;
        let (config, problems) = (self.config(), screen.problems());
        let needed = config.memory(problems, self.spec.size);
        memory::check("the best subsets and a chunk", needed, self.arguments.machine.memory, |_| {
            "choose a shorter --top or --shortlist, or draw fewer subsets with --sample".into()
        })?;
        notices(self.arguments, &screen.question(), problems, &config);
        Ok(())
    }

    fn ready(&self, seed: Option<u64>, _: &mut dyn Observer) -> Result<Screen> {
        self.screen(seed)
    }

    fn whole(&self, screen: Screen, context: &mut Context) -> Result<(Screen, Screened)> {
        let Some(path) = self.arguments.all.as_deref() else {
            let found = screen.whole(context)?;
            return Ok((screen, found));
        };
        let existing = if self.arguments.run.force { Existing::Replace } else { Existing::Refuse };
        written(path, existing, screen, context)
    }
}

/// Operations that a subset takes in the units of [`machine::choose`], by measurement: a GPU pays from a few seconds of
/// the CPU's work on.
fn work(problems: u64, size: usize) -> f64 {
    20.0 * choose::work(problems, 0, size)
}

fn notices(arguments: &ScreenArguments, question: &Question, problems: u64, config: &Config) {
    if arguments.out.quiet {
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
            "{} will hold {} rows, about {}",
            path.display(),
            grouped(problems),
            terminal::size(bytes)
        ));
    }
    let draws = problems as f64;
    let repeats = draws * draws / (2.0 * question.subsets.space().approximate_count());
    if question.subsets.space().count().is_none() && repeats > 1e-6 {
        output::notice(&format!("about {repeats:.1e} of the subsets drawn are expected to occur twice"));
    }
}

/// The screen with every subset's metrics written on the way.
fn written(path: &Path, existing: Existing, screen: Screen, context: &mut Context) -> Result<(Screen, Screened)> {
    let mut found = None;
    let done = atomic::write(path, existing, |file| {
        let writer = RefCell::new(None);
        let file = RefCell::new(Some(file));
        let result = screen.whole_with(&WRITTEN, context, &mut |_, metrics, measured| {
            let failed = |error: std::io::Error| Error::failed(format!("{}: {error}", path.display()));
            if let Some(file) = file.borrow_mut().take() {
                let question = screen.question();
                let error = if question.bounds.is_some() { "kkt_error" } else { "rc_error" };
                let new =
                    MetricsWriter::new(file, question.subsets, error, metrics, question.assets).map_err(failed)?;
                *writer.borrow_mut() = Some(new);
            }
            writer.borrow_mut().as_mut().map_or(Ok(()), |writer| writer.push(measured)).map_err(failed)
        });
        let stopped = result.is_err();
        found = Some(result);
        match writer.into_inner() {
            Some(writer) if !stopped => writer.finish(),
            // Nothing incomplete stays behind.
            _ => Err(std::io::Error::other("the screen did not finish")),
        }
    });
    match found {
        Some(Err(error)) => Err(error),
        Some(Ok(found)) => done.map(|()| (screen, found)),
        None => Err(done.err().unwrap_or_else(|| Error::failed("the screen did not run"))),
    }
}
