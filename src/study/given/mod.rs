//! Explicit covariance matrices to weights, each with its certificate.

mod spec;

use std::borrow::Cow;
use std::ops::Range;
use std::path::Path;

use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::batch::part::Part;
use crate::batch::{Assets, Batch, Covariances, Request, Solutions, Source, submatrix};
use crate::engine::{EngineInfo, Kind, Precision};
use crate::error::{Error, Result};
use crate::io::{Input, npy};
use crate::methods::certificate::Status;
use crate::methods::risk_budgeting::Options;
use crate::methods::{Method, Selection};
use crate::observer::{Observer, Unwatched};
use crate::run::crosscheck::{Checker, CrossCheck, Sample, sample};
use crate::run::{Context, Gathered, RcError, Solves, Work, gather};
use crate::stop::Stop;
use crate::store::atomic::{self, Existing};
use crate::store::blocks::{Blocks as _, OfMethod};
use crate::store::manifest::Manifest;
use crate::store::weights::{Described, read_weights, write_weights};
use crate::store::{Checkpoint, digest};
use crate::study::limited::Within;
use crate::study::protocol::{Ending, Study};
use crate::study::statistics::evidence::{Evidence, evidence};
use crate::study::statistics::limited::KktError;
use crate::study::statistics::reading::Reading;
pub use spec::Spec;

/// Weights, B x n; rows of NaN where there is no certified portfolio.
pub const ARRAY: &str = "weights.npy";
/// The same with certificates.
pub const WEIGHTS: &str = "weights.parquet";

/// The one batch of the study in a checkpoint.
const MATRICES: u32 = 0;

/// Covariance matrices, one after the other.
#[derive(Debug, Clone, PartialEq)]
pub struct Matrices<'a> {
    /// Problems x n x n.
    pub values: Cow<'a, [f64]>,
    pub problems: u64,
    pub assets: usize,
}

impl Matrices<'_> {
    /// From an array B x n x n or n x n in a file.
    ///
    /// # Errors
    /// A file that cannot be read, or holds no square matrices.
    pub fn read(input: &Input, memory: Option<u64>) -> Result<Matrices<'static>> {
        let array = npy::read_within(input, memory)?;
        let (problems, assets) = match array.shape[..] {
            [b, n, m] if n == m && n > 0 => (b, n),
            [n, m] if n == m && n > 0 => (1, n),
            _ => {
                return Err(Error::input(format!("`{input}` has the shape {:?}, not B x n x n", array.shape))
                    .hint("save an array of B square covariance matrices"));
            }
        };
        Ok(Matrices { values: array.values.into(), problems: problems as u64, assets })
    }

    /// What `--budgets` calls the assets: 0, 1, 2, ..
    pub fn names(&self) -> Vec<String> {
        (0..self.assets).map(|i| i.to_string()).collect()
    }

    /// The same, borrowed.
    pub fn borrowed(&self) -> Matrices<'_> {
        Matrices { values: Cow::Borrowed(&self.values), ..*self }
    }

    pub fn sha256(&self) -> String {
        digest::numbers(&self.names(), &self.problems.to_string(), &self.values)
    }
}

/// What was found.
#[derive(Debug, Clone, Serialize)]
pub struct Outcome {
    pub problems: u64,
    pub assets: usize,
    pub solves: Solves,
    pub rc_error: RcError,
    /// Within limits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kkt_error: Option<KktError>,
    pub statuses: Vec<Status>,
    pub crosscheck: Option<CrossCheck>,
    pub engine: Kind,
    pub adapter: Option<String>,
    /// The file that holds the weights.
    pub weights: String,
    /// The methods beside risk budgeting that were asked for.
    pub methods: Further,
    /// Over all assets.
    #[serde(skip)]
    pub solutions: Solutions,
}

/// Methods beside risk budgeting whose weights depend on the matrices.
#[derive(Debug, Clone, Default)]
pub struct Further(Vec<Portfolios>);

/// The portfolios of such a method.
#[derive(Debug, Clone, Serialize)]
pub struct Portfolios {
    #[serde(skip)]
    pub method: Method,
    /// The file that holds the weights.
    pub weights: String,
    #[serde(flatten)]
    pub evidence: Evidence,
    /// Over all assets, certificates those of the method.
    #[serde(skip)]
    pub solutions: Solutions,
}

impl Further {
    pub fn iter(&self) -> impl Iterator<Item = &Portfolios> {
        self.0.iter()
    }

    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Portfolios> {
        self.0.iter_mut()
    }
}

impl Serialize for Further {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter().map(|portfolios| (portfolios.method.name(), portfolios)))
    }
}

/// What one machine of several found.
#[derive(Debug, Clone, Serialize)]
pub struct Share {
    pub shard: Part,
    /// Problems from the first up to, but without, the second.
    pub range: [u64; 2],
    pub solves: Solves,
    pub rc_error: RcError,
    pub crosscheck: Option<CrossCheck>,
}

/// A batch of given matrices, ready to be solved.
#[derive(Debug)]
pub struct Given<'a> {
    batch: Batch<'a>,
    sample: Sample,
    /// Of all assets, those with a budget.
    assets: usize,
    keep: Vec<usize>,
    /// 1 or -1 for each of these: matrices are of sizes.
    signs: Vec<f64>,
    /// Methods beside risk budgeting, over the assets with a budget.
    selection: Selection,
    request: Request,
}

/// The weights of methods beside risk budgeting: their arrays, and the same with certificates.
const FURTHER: [(Method, [&str; 2]); 4] = [
    (Method::InverseVolatility, ["weights.inverse_volatility.npy", "weights.inverse_volatility.parquet"]),
    (Method::MinimumVariance, ["weights.min_variance.npy", "weights.min_variance.parquet"]),
    (Method::MaximumDiversification, ["weights.max_diversification.npy", "weights.max_diversification.parquet"]),
    (Method::HierarchicalRiskParity, ["weights.hrp.npy", "weights.hrp.parquet"]),
];

/// Its files, where it has some.
fn files(method: Method) -> Option<[&'static str; 2]> {
    FURTHER.into_iter().find(|(own, _)| *own == method).map(|(_, files)| files)
}

impl<'a> Given<'a> {
    pub fn batch(&self) -> &Batch<'a> {
        &self.batch
    }

    fn solve(&self, range: Range<u64>, context: &mut Context) -> Result<Gathered> {
        let sample = match context.engine.info().on_device() {
            true => sample(self.batch.problems(), 0, self.sample),
            false => Vec::new(),
        };
        let work = Work { batch: &self.batch, request: &self.request, number: MATRICES, sample: &sample };
        gather(work, range, context)
    }

    /// Weights over all assets: zero where the budget is, NaN where there is no certified portfolio.
    fn all_assets(&self, solutions: Solutions) -> Solutions {
        let mut all = vec![f64::NAN; solutions.certificates.len() * self.assets];
        let solved = solutions.weights.chunks_exact(self.keep.len()).zip(&solutions.certificates);
        for (row, (found, certificate)) in all.chunks_exact_mut(self.assets).zip(solved) {
            if certificate.status == Status::Converged {
                row.fill(0.0);
                let weights = found.iter().zip(&self.signs).map(|(w, sign)| w * sign);
                self.keep.iter().zip(weights).for_each(|(&i, w)| row[i] = w);
            }
        }
        Solutions { weights: all, ..solutions }
    }
}

impl Given<'_> {
    /// The portfolios of the methods beside risk budgeting whose weights depend on the matrices.
    fn further(&self, solutions: &Solutions) -> Result<Further> {
        let selection = &self.selection;
        let evidence = evidence(selection, Evidence::default(), solutions, &mut Unwatched)?;
        let mut all = Vec::new();
        for (&method, evidence) in selection.methods().iter().zip(evidence.into_iter().skip(1)) {
            let Some([array, _]) = files(method) else { continue };
            let blocks = OfMethod { blocks: solutions, method, beside: selection };
            let solutions = self.all_assets(blocks.all()?);
            all.push(Portfolios { method, weights: array.to_string(), evidence, solutions });
        }
        Ok(Further(all))
    }
}

/// The precision of certificates that a device made. Those of given matrices are always computed on the host.
const CERTIFIED: Option<Precision> = None;

/// Writes weights as an array.
///
/// # Errors
/// The file exists and may not be replaced, or it cannot be written.
pub fn write_array(solutions: &Solutions, assets: usize, path: &Path, existing: Existing) -> Result<()> {
    let shape = [solutions.certificates.len(), assets];
    atomic::write(path, existing, |file| npy::write(file, &shape, &solutions.weights))
}

impl<'a> Study for Given<'a> {
    type Spec = Spec;
    type Data = Matrices<'a>;
    type Outcome = Outcome;
    type Share = Share;

    const NAME: &'static str = "batch";
    const NOUN: &'static str = "problem";
    const PIECE: u64 = 1;
    const FILES: &'static [&'static str] = &[ARRAY, WEIGHTS];
    const FURTHER: &'static [&'static str] = &[
        FURTHER[0].1[0],
        FURTHER[0].1[1],
        FURTHER[1].1[0],
        FURTHER[1].1[1],
        FURTHER[2].1[0],
        FURTHER[2].1[1],
        FURTHER[3].1[0],
        FURTHER[3].1[1],
    ];
    const DATA: Option<&'static str> = None;
    const LAST_OF_PART: u32 = MATRICES;
    const SOLVES_JOINED: bool = false;

    fn prepare(spec: &Spec, _: Option<u64>, data: Matrices<'a>, _: &mut dyn Observer) -> Result<Given<'a>> {
        let assets = data.assets;
        if spec.budgets.len() != assets {
            return Err(Error::input(format!("{} risk budgets for {assets} assets", spec.budgets.len())));
        }
        let none = Within::none(assets);
        let within = spec.within.as_ref().unwrap_or(&none);
        let keep = within.keep(&spec.budgets);
        let signs: Vec<f64> = keep.iter().map(|&i| within.terms.sign(i)).collect();
        let budgets: Vec<f64> = keep.iter().map(|&i| spec.budgets[i]).collect();
        let names: Vec<String> = (0..assets).map(|i| i.to_string()).collect();
        let program = within.program(&budgets, &keep, &names, None)?;
        let mut matrices: Cow<[f64]> = if keep.len() == assets {
            data.values
        } else {
            let parts = data.values.chunks_exact(assets * assets).flat_map(|matrix| submatrix(matrix, assets, &keep));
            parts.collect::<Vec<f64>>().into()
        };
        if signs.contains(&-1.0) {
            let n = keep.len();
            let entries = matrices.to_mut().iter_mut().enumerate();
            entries.for_each(|(k, s)| *s *= signs[k / n % n] * signs[k % n]);
        }
        let limits = program.is_limited().then(|| program.limits().clone());
        let covariances = Covariances::Given { matrices, assets: keep.len(), assume_psd: false };
        let batch = Batch::new(Source { covariances, assets: Assets::All }, program)?;
        let batch = if spec.assume_psd { batch.assume_psd() } else { batch };
        // Nothing but what was asked for.
        let selection = spec.comparison.selection(&[]).over(&keep).within(limits.as_ref());
        let request = Request::Portfolios { beside: selection.clone() };
        Ok(Given { batch, sample: spec.setup.crosscheck, assets, keep, signs, selection, request })
    }

    fn further(&self) -> Vec<&'static str> {
        self.selection.methods().iter().filter_map(|method| files(*method)).flatten().collect()
    }

    fn problems(&self) -> u64 {
        self.batch.problems()
    }

    fn work(&self, range: &Range<u64>, part: bool) -> u64 {
        let problems = range.end - range.start;
        problems + if part { 0 } else { Reading::work(problems) }
    }

    fn whole(&self, context: &mut Context) -> Result<Outcome> {
        let found = self.solve(0..self.problems(), context)?;
        let info = context.engine.info();
        let certificates = &found.solutions.certificates;
        Ok(Outcome {
            problems: self.problems(),
            assets: self.assets,
            solves: Solves::count(&found.solutions),
            rc_error: RcError::of(&found.solutions, CERTIFIED),
            kkt_error: KktError::of(certificates),
            statuses: certificates.iter().map(|certificate| certificate.status).collect(),
            crosscheck: found.check.map(CrossCheck::from),
            engine: info.engine,
            adapter: info.adapter,
            weights: ARRAY.to_string(),
            methods: self.further(&found.solutions)?,
            solutions: self.all_assets(found.solutions),
        })
    }

    fn part(&self, part: Part, context: &mut Context) -> Result<Share> {
        let range = part.range(self.problems(), Self::PIECE)?;
        let found = self.solve(range.clone(), context)?;
        Ok(Share {
            shard: part,
            range: [range.start, range.end],
            solves: Solves::count(&found.solutions),
            rc_error: RcError::of(&found.solutions, CERTIFIED),
            crosscheck: found.check.map(CrossCheck::from),
        })
    }

    fn shared(share: &Share) -> Ending {
        let disagreements = share.crosscheck.map_or(0, |checked| checked.disagreements);
        Ending { solves: share.solves, disagreements, part: true }
    }

    fn ending(outcome: &Outcome) -> Ending {
        let disagreements = outcome.crosscheck.map_or(0, |checked| checked.disagreements);
        Ending { solves: outcome.solves, disagreements, part: false }
    }

    fn state(outcome: &Outcome) -> Value {
        serde_json::json!({
            "range": [0, outcome.problems], "solves": outcome.solves, "crosscheck": outcome.crosscheck,
        })
    }

    fn state_of_part(share: &Share) -> Value {
        serde_json::json!({ "range": share.range, "solves": share.solves, "crosscheck": share.crosscheck })
    }

    fn write(
        &self,
        outcome: &Outcome,
        _: &mut Checkpoint,
        observer: &mut dyn Observer,
        directory: &Path,
    ) -> Result<()> {
        let names: Vec<String> = (0..self.assets).map(|i| i.to_string()).collect();
        let own = (Method::RiskBudgeting, [ARRAY, WEIGHTS], &outcome.solutions);
        let further = outcome.methods.iter();
        let further = further.filter_map(|found| Some((found.method, files(found.method)?, &found.solutions)));
        let observer = &mut Reading::new(observer);
        for (method, [array, table], solutions) in std::iter::once(own).chain(further) {
            write_array(solutions, self.assets, &directory.join(array), Existing::Replace)?;
            let error = method.error();
            let within_limits = method == Method::RiskBudgeting && self.batch.program().is_limited();
            let described =
                Described { noun: Self::NOUN, assets: &names, error, within_limits, start: 0, metadata: &[] };
            write_weights(&directory.join(table), Existing::Replace, &described, solutions, observer)?;
        }
        Ok(())
    }

    fn keep(_: &Matrices<'a>, _: &Path) -> Result<()> {
        // Matrices may be larger than all that comes of them: `run.json` says where they are, and their digest.
        Ok(())
    }

    fn data(manifest: &Manifest, spec: &Spec, _: &Path) -> Result<Matrices<'a>> {
        let path = manifest.input.files.first().map_or("", |file| file.source.as_str());
        let wrong = |what: &str| {
            Error::input(format!("the matrices of this run were read from `{path}`, {what}"))
                .hint("put the file back to where it was")
        };
        let input = Input::from_argument(Some(Path::new(path)));
        let matrices =
            Matrices::read(&input, None).map_err(|error| wrong(&format!("which cannot be read: {error}")))?;
        if matrices.sha256() != spec.data_sha256 {
            return Err(wrong("which holds others now"));
        }
        Ok(matrices)
    }

    fn verify(&self, maker: &EngineInfo, size: Sample, directory: &Path) -> Result<CrossCheck> {
        let mut solutions = read_weights(&directory.join(WEIGHTS), self.assets, self.problems())?;
        for method in self.selection.solved() {
            let Some([_, table]) = files(method) else { continue };
            solutions.join(method, read_weights(&directory.join(table), self.assets, self.problems())?);
        }
        let block = crate::batch::Block::Portfolios(solutions.over(&self.keep, &self.signs, self.assets));
        let options = Options { tolerance: maker.tolerance, ..Options::default() };
        let checker = Checker::new(&self.batch, &self.request, maker.precision, options);
        let sample = sample(self.problems(), 0, size);
        checker.check(0, &block, &sample, None, &Stop::NEVER).map(CrossCheck::from)
    }
}
