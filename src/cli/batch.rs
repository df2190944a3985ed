//! `equirisk batch`: explicit covariance matrices to weights.

use std::path::{Path, PathBuf};

use super::args::{BatchArguments, RunArguments};
use super::data::Notes;
use super::driver::{Asked, Seed, Steps, drive};
use super::limits;
use super::machine;
use super::methods::{names, within_limits};
use super::{output, plan};
use crate::engine::{Engine, choose};
use crate::io::Input;
use crate::methods::Method;
use crate::observer::Observer;
use crate::report::terminal::{duration, size};
use crate::run::Context;
use crate::stop::Stop;
use crate::store::atomic::{self, Existing};
use crate::store::origin::{Origin, SourceFile};
use crate::study::comparison::Comparison;
use crate::study::given::{Given, Matrices, Outcome, Spec, write_array};
use crate::study::limited::Within;
use crate::study::protocol::Study;
use crate::wording::{counted, grouped};
use crate::{Error, Request, Result};

/// Where weights go unless a place is named.
const DEFAULT: &str = "weights.npy";

pub fn run(arguments: &BatchArguments) -> Result<u8> {
    let file = arguments.run.output.as_deref().unwrap_or(Path::new(DEFAULT));
    let alone = file.extension().is_some_and(|extension| extension == "npy");
    if alone {
        let methods = arguments.methods.as_deref().map_or(Vec::new(), names);
        let further = Method::NAMED.into_iter().filter(|method| methods.iter().any(|name| name == method.name()));
        for file in std::iter::once(file.to_path_buf()).chain(further.map(|method| beside(file, method))) {
            check_file(&file, &arguments.covariances, &arguments.run)?;
        }
    }
    let quiet = arguments.out.quiet;
    if !alone && arguments.covariances == Path::new("-") {
        return Err(Error::usage("a run in a directory needs its matrices again, to be merged or verified")
            .hint("name a file in place of standard input, or write the weights alone with -o FILE.npy"));
    }
    if !alone && arguments.covariances.to_str().is_none() {
        return Err(Error::usage("a run in a directory keeps the name of its matrices, and this one is no text")
            .hint("give the file a name of letters, or write the weights alone with -o FILE.npy"));
    }
    let input = Input::from_argument(Some(&arguments.covariances));
    let matrices = Matrices::read(&input, arguments.machine.memory)?;
    let mut notes = Notes::new(quiet);
    let limits::Asked { budgets, within, keep } =
        limits::read(&arguments.problem, &arguments.limits, &arguments.terms, &matrices.names(), &mut notes)?;
    let methods = within_limits(arguments.methods.as_deref(), &within, &mut notes)?;
    let spec = Spec {
        study: Given::NAME.to_string(),
        // Of a run that is kept.
        data_sha256: if alone { String::new() } else { matrices.sha256() },
        problems: matrices.problems,
        budgets,
        assume_psd: arguments.assume_psd,
        comparison: Comparison { methods, ..Comparison::default() },
        within: (!within.is_none()).then_some(within),
        setup: machine::setup(&arguments.machine, arguments.problem.tolerance),
    };
    let none = Within::none(spec.budgets.len());
    let (within, beside) = (spec.within.as_ref().unwrap_or(&none), spec.comparison.selection(&[]));
    limits::check_machine(within, &beside, &arguments.machine)?;
    let fits = limits::beyond_devices(within, &beside).is_none();
    let origin = |digested: bool| {
        let source = std::path::absolute(&arguments.covariances).unwrap_or_else(|_| arguments.covariances.clone());
        let file = SourceFile { source: source.display().to_string(), ..SourceFile::default() };
        let file = file.digested(Some(arguments.covariances.as_path()).filter(|_| digested));
        Origin { files: vec![file], notes: notes.kept.clone(), ..Origin::default() }
    };
    // Weights alone are no run that is kept.
    let run = RunArguments { output: arguments.run.output.clone().filter(|_| !alone), ..arguments.run.clone() };
    let asked = Asked::<Given> {
        spec: &spec,
        data: &matrices,
        origin: &origin,
        seed: Seed { given: None, needed: false },
        run: &run,
        machine: &arguments.machine,
        tolerance: arguments.problem.tolerance,
        out: &arguments.out,
        // Devices take no other methods of given matrices, and not all limits.
        work: match fits && beside.is_closed() {
            true => choose::work(matrices.problems, 0, keep.len()),
            false => 0.0,
        },
    };
    let file = alone.then(|| file.to_path_buf());
    drive(&asked, &Command { arguments, spec: &spec, matrices: &matrices, file })
}

/// `weights.hrp.npy` beside `weights.npy`; risk budgeting has the file itself.
fn beside(file: &Path, method: Method) -> PathBuf {
    if method == Method::RiskBudgeting {
        file.to_path_buf()
    } else {
        file.with_extension(format!("{}.npy", method.name()))
    }
}

/// Whether weights may be written to this file.
fn check_file(path: &Path, matrices: &Path, run: &RunArguments) -> Result<()> {
    if run.part().is_some() {
        return Err(Error::usage("a part of a run needs a directory").hint("give -o DIR in place of a file"));
    }
    if atomic::same(path, matrices) {
        return Err(Error::usage(format!("`{}` holds the matrices", path.display())).hint("give another -o FILE.npy"));
    }
    if !run.force && !run.dry_run && path.exists() {
        return Err(Error::usage(format!("`{}` exists already", path.display())).hint("pass --force to replace it"));
    }
    match path.parent().filter(|folder| !folder.as_os_str().is_empty() && !folder.is_dir()) {
        Some(folder) => Err(Error::usage(format!("`{}` is not a folder", folder.display())).hint("create it first")),
        None => Ok(()),
    }
}

struct Command<'a> {
    arguments: &'a BatchArguments,
    spec: &'a Spec,
    matrices: &'a Matrices<'a>,
    /// Where the weights alone go.
    file: Option<PathBuf>,
}

impl<'a> Steps<Given<'a>> for Command<'a> {
    fn dry_run(&self, _: Option<u64>, engine: &dyn Engine) -> Result<u8> {
        let given = Given::prepare(self.spec, None, self.matrices.borrowed(), &mut crate::observer::Unwatched)?;
        let (batch, all) = (given.batch(), given.problems());
        let own = self.arguments.run.part().map_or(Ok(0..all), |part| part.range(all, Given::PIECE))?;
        let problems = own.end - own.start;
        let job = engine.prepare(batch, &Request::PORTFOLIOS)?;
        let first = plan::first(0.0).min(problems.max(1));
        let probe = plan::probe(first, problems.max(1), &mut |count| job.run(0..count, &Stop::NEVER).map(drop))?;
        let seconds = probe.seconds * problems as f64;
        let info = engine.info();
        let bytes = 8.0 * (self.matrices.values.len() as f64 + problems as f64 * self.matrices.assets as f64);
        let text = if self.arguments.out.json {
            output::json(&serde_json::json!({
                "dry_run": true,
                "problems": problems,
                "assets": self.matrices.assets,
                "memory_bytes": bytes as u64,
                "device_bytes": engine.device_bytes(batch),
                "engine": info.engine,
                "adapter": info.adapter,
                "seconds": seconds,
                "shards": plan::shards(seconds, problems),
            }))?
        } else {
            format!(
                "{} would be solved on {}: about {} and {}\nthe time is an estimate from {}\n{}\n",
                counted(problems, "problem"),
                info.adapter.as_deref().unwrap_or("the CPU"),
                duration(seconds),
                size(bytes),
                counted(probe.problems, "problem"),
                plan::split(seconds, plan::shards(seconds, problems)),
            )
        };
        output::print(&text)?;
        Ok(0)
    }

    fn check(&self, _: Option<u64>) -> Result<()> {
        Ok(())
    }

    fn ready(&self, _: Option<u64>, observer: &mut dyn Observer) -> Result<Given<'a>> {
        let given = Given::prepare(self.spec, None, self.matrices.borrowed(), observer)?;
        if let Some(symmetrised) = given.batch().symmetrised() {
            observer.notice(&format!(
                "{} of {}: matrices of single-precision numbers, made symmetric as the mean of both halves; mirrored \
                 entries differed by up to {:.0e} of the product of the two volatilities",
                grouped(symmetrised.matrices),
                counted(given.problems(), "problem"),
                symmetrised.largest
            ).into());
        }
        Ok(given)
    }

    fn whole(&self, given: Given<'a>, context: &mut Context) -> Result<(Given<'a>, Outcome)> {
        let mut outcome = given.whole(context)?;
        if let Some(path) = &self.file {
            let existing = if self.arguments.run.force { Existing::Replace } else { Existing::Refuse };
            let assets = outcome.assets;
            write_array(&outcome.solutions, assets, path, existing)?;
            outcome.weights = path.display().to_string();
            for found in outcome.methods.iter_mut() {
                let path = beside(path, found.method);
                write_array(&found.solutions, assets, &path, existing)?;
                found.weights = path.display().to_string();
            }
        }
        Ok((given, outcome))
    }
}
