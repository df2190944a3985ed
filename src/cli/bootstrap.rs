//! `equirisk bootstrap`: how far the weights can be trusted.

use super::args::BootstrapArguments;
use super::data::{self, Notes};
use super::driver::{Asked, Seed, Steps, drive};
use super::limits;
use super::machine;
use super::{output, plan};
use crate::engine::{Engine, choose};
use crate::io::Detected;
use crate::methods::Method;
use crate::observer::Observer;
use crate::panel::Returns;
use crate::resample::Scheme;
use crate::run::crosscheck::Sample;
use crate::study::block::Block;
use crate::study::bootstrap::{Bootstrap, Config, Spec};
use crate::study::comparison::Comparison;
use crate::study::memory;
use crate::study::protocol::Study as _;
use crate::{Error, Result};

pub fn run(arguments: &BootstrapArguments) -> Result<u8> {
    let quiet = arguments.out.quiet;
    let seed = Seed { given: arguments.resample.seed, needed: true };
    seed.check(arguments.run.part().is_some())?;
    let (estimator, estimators) = arguments.estimation.compared(&arguments.compare_estimators)?;
    let measure = arguments.risk.measure(&arguments.estimation, &arguments.machine)?;
    if !measure.is_volatility() && !estimators.is_empty() {
        return Err(Error::usage("--compare-estimators is for volatility: other risks take the returns themselves")
            .hint("leave --compare-estimators or --risk out"));
    }
    let notes = &mut Notes::new(quiet);
    let input = data::input(&arguments.data, notes);
    let (returns, detected) = data::returns(&arguments.data, &input, arguments.machine.memory, notes)?;
    let limits::Asked { budgets, within, .. } =
        limits::read(&arguments.problem, &arguments.limits, &arguments.terms, &returns.assets, notes)?;
    limits::check_risk(&within, measure)?;
    let config = Config {
        resamples: arguments.resamples,
        scheme: arguments.resample.scheme.scheme(),
        block: arguments.resample.block,
        seed: 0,
        crosscheck: arguments.machine.crosscheck.unwrap_or(Sample::Default),
        sensitivity: !arguments.no_sensitivity,
        periods_per_year: data::periods_per_year(&arguments.data, &returns, notes),
        windows: arguments.windows,
        estimator,
        measure,
    };
    if config.scheme == Scheme::Iid && config.block != Block::Auto && !quiet {
        output::notice("--scheme iid draws single rows: --block is not used");
    }
    let setup = machine::setup(&arguments.machine, arguments.problem.tolerance);
    let weights = data::holdings(arguments.held.weights.as_deref(), &returns.assets, notes)?;
    let spec = Spec::of(&returns, &budgets, &config, setup);
    let comparison = Comparison {
        methods: arguments.methods.named(&within, notes)?,
        fixed: arguments.methods.mixes(&returns.assets, &budgets, notes)?,
        estimators,
    };
    let beside = comparison.selection(&Method::CLOSED_FORMS);
    limits::check_machine(&within, &beside, &arguments.machine)?;
    let fits = limits::beyond_devices(&within, &beside).is_none();
    let within = (!within.is_none()).then_some(within);
    let spec = Spec { weights, comparison, within, ..spec };
    let asked = Asked::<Bootstrap> {
        spec: &spec,
        data: &returns,
        origin: &|digested| data::origin(&input, &detected, &returns, notes, digested),
        seed,
        run: &arguments.run,
        machine: &arguments.machine,
        tolerance: arguments.problem.tolerance,
        out: &arguments.out,
        work: machine::work(
            &[&[estimator], &spec.comparison.estimators[..]].concat(),
            &spec.selection(),
            returns.assets.len(),
            choose::work(arguments.resamples, returns.rows(), returns.assets.len()),
        ) * if fits { 1.0 } else { 0.0 },
    };
    drive(&asked, &Command { arguments, spec: &spec, returns: &returns, detected: &detected })
}

struct Command<'a> {
    arguments: &'a BootstrapArguments,
    spec: &'a Spec,
    returns: &'a Returns,
    detected: &'a [Detected],
}

impl Command<'_> {
    /// Resamples of the part that is asked for.
    fn own(&self) -> Result<std::ops::Range<u64>> {
        let resamples = self.spec.config.resamples;
        self.arguments.run.part().map_or(Ok(0..resamples), |part| part.range(resamples, Bootstrap::PIECE))
    }
}

impl Steps<Bootstrap> for Command<'_> {
    fn dry_run(&self, seed: Option<u64>, engine: &dyn Engine) -> Result<u8> {
        let config = self.spec.config(seed.unwrap_or_default());
        plan::bootstrap(self.arguments, self.returns, self.spec, &config, self.own()?, engine, self.detected)
    }

    fn check(&self, _: Option<u64>) -> Result<()> {
        let own = self.own()?;
        let (rows, assets) = (self.returns.rows(), self.returns.assets.len());
        let (directory, limit) = (self.arguments.run.output.is_some(), self.arguments.machine.memory);
        memory::check_resamples(own.end - own.start, rows, assets, directory, limit)
    }

    fn ready(&self, seed: Option<u64>, observer: &mut dyn Observer) -> Result<Bootstrap> {
        Bootstrap::prepare(self.spec, seed, self.returns.clone(), observer)
    }
}
