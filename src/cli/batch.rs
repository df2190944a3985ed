//! `equirisk batch`: explicit covariance matrices to weights.

use std::path::Path;
use std::process::ExitCode;

use equirisk::batch::{active, submatrix};
use equirisk::engine::Kind;
use equirisk::io::atomic::{self, Existing};
use equirisk::io::{Input, npy};
use equirisk::report::terminal::{self, counted, grouped};
use equirisk::run::crosscheck::{CrossCheck, Sample, sample};
use equirisk::run::{Context, RcError, Solves, Work, gather};
use equirisk::store::Checkpoint;
use equirisk::{Batch, Error, ErrorKind, Request, Result, Status};
use serde::Serialize;

use super::args::BatchArguments;
use super::progress::Progress;
use super::study::agreed;
use super::{data, machine, output};

#[derive(Serialize)]
struct Outcome {
    problems: usize,
    assets: usize,
    solves: Solves,
    rc_error: RcError,
    statuses: Vec<&'static str>,
    crosscheck: Option<CrossCheck>,
    engine: Kind,
    adapter: Option<String>,
    weights: String,
}

pub fn run(arguments: &BatchArguments) -> Result<ExitCode> {
    let quiet = arguments.out.quiet;
    let path = arguments.output.as_deref().unwrap_or(Path::new("weights.npy"));
    let existing = if arguments.force { Existing::Replace } else { Existing::Refuse };
    if existing == Existing::Refuse && path.exists() {
        return Err(Error::usage(format!("`{}` exists already", path.display())).hint("pass --force to replace it"));
    }
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty() && !folder.is_dir()) {
        return Err(Error::usage(format!("`{}` is not a folder", folder.display())).hint("create it first"));
    }
    let array = npy::read_within(&Input::from_argument(Some(&arguments.covariances)), arguments.machine.memory)?;
    let (problems, n) = match array.shape[..] {
        [b, n, m] if n == m && n > 0 => (b, n),
        [n, m] if n == m && n > 0 => (1, n),
        _ => {
            return Err(Error::input(format!(
                "`{}` has the shape {:?}, not B x n x n",
                arguments.covariances.display(),
                array.shape
            ))
            .hint("save an array of B square covariance matrices"));
        }
    };
    let assets: Vec<String> = (0..n).map(|i| i.to_string()).collect();
    let budgets = data::budgets(&arguments.problem, &assets, quiet)?;
    let keep = active(&budgets);
    let kept: Vec<f64> = keep.iter().map(|&i| budgets[i]).collect();
    let covariances = if keep.len() == n {
        array.values
    } else {
        array.values.chunks_exact(n * n).flat_map(|matrix| submatrix(matrix, n, &keep)).collect()
    };
    let batch = Batch::given(covariances, &kept)?;
    let batch = if arguments.assume_psd { batch.assume_psd() } else { batch };

    if let Some(symmetrised) = batch.symmetrised().filter(|_| !quiet) {
        output::notice(&format!(
            "{} of {}: matrices of single-precision numbers, made symmetric as the mean of both halves; mirrored entries \
             differed by up to {:.0e} of the product of the two volatilities",
            grouped(symmetrised.matrices),
            counted(problems as u64, "problem"),
            symmetrised.largest
        ));
    }
    let work = machine::work(problems as u64, 0, keep.len());
    let machine = machine::choose(&arguments.machine, arguments.problem.tolerance, false, work, quiet)?;
    let mut progress = Progress::new(problems as u64, "problems", quiet);
    let range = 0..problems as u64;
    let engine = &*machine.engine;
    let info = engine.info();
    let sample = match info.on_device() {
        true => sample(problems as u64, 0, arguments.machine.crosscheck.unwrap_or(Sample::Default)),
        false => Vec::new(),
    };
    let work = Work { batch: &batch, request: &Request::PORTFOLIOS, number: 0, sample: &sample };
    let context = &mut Context { engine, store: &mut Checkpoint::none(), observer: &mut progress };
    let gathered = gather(work, range, context)?;
    let (solutions, checked) = (gathered.solutions, gathered.check.map(CrossCheck::from));
    progress.finish();

    // Rows of NaN where there is no certified portfolio; a zero budget is a weight of exactly zero.
    let mut weights = vec![f64::NAN; problems * n];
    let solved = solutions.weights.chunks_exact(keep.len()).zip(&solutions.certificates);
    for (row, (found, certificate)) in weights.chunks_exact_mut(n).zip(solved) {
        if certificate.status == Status::Converged {
            row.fill(0.0);
            keep.iter().zip(found).for_each(|(&i, w)| row[i] = *w);
        }
    }
    atomic::write(path, existing, |file| npy::write(file, &[problems, n], &weights))?;
    let outcome = Outcome {
        problems,
        assets: n,
        solves: Solves::count(&solutions),
        rc_error: RcError::of(&solutions, None),
        statuses: solutions.certificates.iter().map(|c| c.status.name()).collect(),
        crosscheck: checked,
        engine: info.engine,
        adapter: info.adapter,
        weights: path.display().to_string(),
    };
    let text = if arguments.out.json {
        output::json(&outcome)?
    } else {
        let error = outcome.rc_error.max.map_or(String::new(), |max| format!("; rc_error at most {max:.1e}"));
        format!(
            "{} of {}: {}{error}\nweights: {}\n",
            counted(outcome.solves.total, "problem"),
            counted(n as u64, "asset"),
            terminal::solves(&outcome.solves),
            outcome.weights
        )
    };
    output::print(&text)?;
    agreed(checked.map_or(0, |checked| checked.disagreements))?;
    if arguments.strict && outcome.solves.unsolved() > 0 {
        let message = format!(
            "{} of {} problems stayed unsolved",
            grouped(outcome.solves.unsolved()),
            grouped(outcome.solves.total)
        );
        return Err(
            Error::new(ErrorKind::Unsolved, message).hint("their rows are NaN; leave --strict out to accept that")
        );
    }
    Ok(ExitCode::SUCCESS)
}
