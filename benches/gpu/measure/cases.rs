//! One workload of one size: solved a few times, timed on both clocks, held against the CPU.

use std::borrow::Cow;
use std::time::{Duration, Instant};

use equirisk::batch::Block;
use equirisk::covariance::RiskModel;
use equirisk::covariance::{self, packed};
use equirisk::engine::Engine as _;
use equirisk::engine::gpu::{GpuEngine, StageTime};
use equirisk::measure::Metric;
use equirisk::methods::risk_budgeting;
use equirisk::observer::Observer;
use equirisk::panel::{Panel, Returns};
use equirisk::resample::{Law, Scheme};
use equirisk::run::crosscheck::{self, Check, Checker, CrossCheck, Sample};
use equirisk::run::{self, Added, Chunk, Context, Fold, Solves, Work};
use equirisk::stop::Stop;
use equirisk::store::{Checkpoint, Columns};
use equirisk::subsets::Subsets;
use equirisk::subsets::space::Space;
use equirisk::{Batch, Certificate, Request, Solutions, Status, stats};
use rayon::prelude::*;
use serde::Serialize;

use super::data;
use super::floors::{History, Shape};
use super::hardware::Hardware;

/// Runs whose least wall time counts, as far as time allows.
const REPETITIONS: u32 = 5;

/// Problems solved beforehand: kernels are compiled, and the whole is foreseen from them.
const PILOT: u64 = 1024;

#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Workload {
    /// Covariances in, weights out, in one call of the engine. Certificates are made on the host.
    Given,
    /// Returns in, statistics of weights out, as a run does it: chunk by chunk, the rest rescued on the CPU.
    Bootstrap,
    /// The same problems in one call of the engine.
    BootstrapAtOnce,
    /// One covariance in, volatility and diversification of its subsets out, as a run does it.
    Screen,
}

/// A workload of one size.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Case {
    pub workload: Workload,
    /// Of a problem.
    pub assets: usize,
    /// Assets that subsets are drawn from; null where there are no subsets.
    pub universe: Option<usize>,
    /// Rows of the history; null where covariances are given.
    pub rows: Option<usize>,
    /// Mean length of its blocks.
    pub mean_block: Option<f64>,
    pub problems: u64,
}

#[derive(Debug, Clone, Serialize)]
pub struct Outcome {
    #[serde(flatten)]
    pub case: Case,
    /// Why there is no measurement.
    pub skipped: Option<String>,
    pub measured: Option<Measured>,
}

#[derive(Debug, Clone, Serialize)]
pub struct Measured {
    pub repetitions: u32,
    /// The pilot's first run: kernels compiled, buffers made.
    pub first_call_seconds: f64,
    /// On the host's clock, transfers and host work included.
    pub wall_seconds: f64,
    pub wall_nanoseconds_per_problem: f64,
    /// On the device's clock, all stages together; null without timestamps. Uploads are not in it.
    pub device_seconds: Option<f64>,
    pub device_nanoseconds_per_problem: Option<f64>,
    pub floor_seconds: f64,
    pub ratio_to_floor: Option<f64>,
    pub stages: Vec<Stage>,
    pub sweeps_mean: f64,
    pub sweeps_most: u32,
    pub solves: Solves,
    pub rc_error_largest: f64,
    pub crosscheck: CrossCheck,
    /// Largest relative difference of a figure of the sampled subsets; null where weights are compared.
    pub max_metric_difference: Option<f64>,
}

#[derive(Debug, Clone, Serialize)]
pub struct Stage {
    pub stage: &'static str,
    pub dispatches: u64,
    pub device_seconds: f64,
    pub device_nanoseconds_per_problem: f64,
    /// Null for work that need not be done at all.
    pub floor_seconds: Option<f64>,
    pub ratio_to_floor: Option<f64>,
}

impl Case {
    pub fn given(assets: usize, problems: u64) -> Case {
        Case { workload: Workload::Given, assets, universe: None, rows: None, mean_block: None, problems }
    }

    pub fn bootstrap(workload: Workload, (rows, assets): (usize, usize), mean_block: f64, problems: u64) -> Case {
        Case { workload, assets, universe: None, rows: Some(rows), mean_block: Some(mean_block), problems }
    }

    /// The first subsets of a universe, or all of them where there are no more.
    pub fn screen(assets: usize, universe: usize, problems: u64) -> Case {
        let all = Space::of(universe, assets).ok().and_then(|space| space.count()).unwrap_or(problems);
        let (rows, mean_block, problems) = (None, None, problems.min(all));
        Case { workload: Workload::Screen, assets, universe: Some(universe), rows, mean_block, problems }
    }

    /// Measures the case within about `limit`, or says why not.
    pub fn measure(self, engine: &GpuEngine, hardware: &Hardware, limit: Duration) -> Outcome {
        let measured = if limit.is_zero() {
            Err("no time is left".to_owned())
        } else {
            let inputs = self.inputs().map_err(|error| error.to_string());
            inputs.and_then(|inputs| self.attempt(engine, hardware, limit, &inputs))
        };
        match measured {
            Ok(measured) => Outcome { case: self, skipped: None, measured: Some(measured) },
            Err(reason) => Outcome { case: self, skipped: Some(reason), measured: None },
        }
    }

    fn attempt(
        self,
        engine: &GpuEngine,
        hardware: &Hardware,
        limit: Duration,
        inputs: &Inputs,
    ) -> Result<Measured, String> {
        let say = |error: equirisk::Error| error.to_string();
        let pilot = PILOT.min(self.problems);
        let first = Instant::now();
        self.run(engine, inputs, pilot)?;
        let first_call = first.elapsed();
        let again = Instant::now();
        self.run(engine, inputs, pilot)?;
        let foreseen = again.elapsed().mul_f64(self.problems as f64 / pilot as f64);
        if foreseen > limit {
            return Err(format!("it would take {:.0} s, there are {:.0}", foreseen.as_secs_f64(), limit.as_secs_f64()));
        }
        let repetitions = (limit.as_secs_f64() / foreseen.as_secs_f64()).clamp(1.0, f64::from(REPETITIONS)) as u32;

        engine.stage_times().map_err(say)?;
        let (mut wall, mut least_device) = (f64::INFINITY, f64::INFINITY);
        let mut times = Vec::new();
        let mut found = Found::default();
        for _ in 0..repetitions {
            // Freed before the clock starts.
            drop(std::mem::take(&mut found));
            let start = Instant::now();
            found = self.run(engine, inputs, self.problems)?;
            wall = wall.min(start.elapsed().as_secs_f64());
            let stages = engine.stage_times().map_err(say)?;
            let device = total(&stages);
            if device < least_device {
                (least_device, times) = (device, stages);
            }
        }

        let Found { solutions, checked } = found;
        let converged = || solutions.certificates.iter().filter(|c| c.status == Status::Converged);
        let sweeps = |c: &Certificate| f64::from(c.sweeps);
        let sweeps_mean = converged().map(sweeps).sum::<f64>() / converged().count().max(1) as f64;
        let history = self.rows.zip(self.mean_block).map(|(rows, mean_block)| History { rows, mean_block });
        let shape = Shape { assets: self.assets, screened: self.universe.is_some(), history, sweeps: sweeps_mean };
        let stages: Vec<Stage> = times.iter().map(|time| self.stage(time, &shape, hardware)).collect();
        let floor: f64 = times.iter().filter_map(|time| shape.floor(time.stage, self.problems, hardware)).sum();
        let device = (!stages.is_empty()).then_some(least_device / 1e9);

        let crosscheck = match checked {
            Some(Check { sampled, disagreements, .. }) => {
                CrossCheck { sampled, disagreements, ..CrossCheck::default() }
            }
            None => {
                let options = risk_budgeting::Options {
                    tolerance: engine.info().tolerance,
                    ..risk_budgeting::Options::default()
                };
                let batch = inputs.batch(self.assets, self.problems).map_err(say)?;
                let job = engine.prepare(&batch, &Request::PORTFOLIOS).map_err(say)?;
                let checker = Checker::new(&batch, &Request::PORTFOLIOS, engine.info().precision, options);
                let block = Block::Portfolios(solutions.clone());
                checker.check(0, &block, &self.sample(), Some(&*job), &Stop::NEVER).map_err(say)?.into()
            }
        };
        Ok(Measured {
            repetitions,
            first_call_seconds: first_call.as_secs_f64(),
            wall_seconds: wall,
            wall_nanoseconds_per_problem: wall * 1e9 / self.problems as f64,
            device_seconds: device,
            device_nanoseconds_per_problem: device.map(|seconds| seconds * 1e9 / self.problems as f64),
            floor_seconds: floor,
            ratio_to_floor: device.map(|seconds| seconds / floor),
            stages,
            sweeps_mean,
            sweeps_most: converged().map(|c| c.sweeps).max().unwrap_or(0),
            solves: Solves::count(&solutions),
            rc_error_largest: converged().map(|c| c.rc_error).fold(0.0, f64::max),
            crosscheck,
            max_metric_difference: checked.and_then(|checked| checked.max_difference),
        })
    }

    /// Problems that the CPU solves as well.
    fn sample(&self) -> Vec<u64> {
        crosscheck::sample(self.problems, 5, Sample::Count(64))
    }

    fn stage(&self, time: &StageTime, shape: &Shape, hardware: &Hardware) -> Stage {
        let seconds = time.nanoseconds / 1e9;
        let floor = shape.floor(time.stage, self.problems, hardware);
        Stage {
            stage: time.stage,
            dispatches: time.dispatches,
            device_seconds: seconds,
            device_nanoseconds_per_problem: time.nanoseconds / self.problems as f64,
            floor_seconds: floor,
            ratio_to_floor: floor.map(|floor| seconds / floor),
        }
    }

    fn inputs(&self) -> equirisk::Result<Inputs> {
        if let Some(universe) = self.universe {
            let panel = Panel::new(&data::returns(2520, universe, 7))?;
            let n = universe;
            let mut moments = vec![0.0; n + packed(n)];
            let (sums, products) = moments.split_at_mut(n);
            covariance::moments(panel.values(), &vec![1.0; panel.rows()], sums, products, &mut Vec::new());
            let (mut correlation, mut volatilities) = (vec![0.0; n * n], vec![0.0; n]);
            covariance::correlate(
                sums,
                products,
                covariance::Drawn::rows(panel.rows()),
                &mut correlation,
                &mut volatilities,
            );
            let universe = RiskModel { correlation, volatilities };
            let subsets = Subsets::all(Space::of(n, self.assets)?)?;
            return Ok(Inputs::Given(Batch::subsets(universe, subsets, self.problems, None)?));
        }
        match self.rows.zip(self.mean_block) {
            None => {
                let covariances = data::covariances(self.assets, self.problems as usize);
                Ok(Inputs::Given(Batch::given(covariances, &vec![1.0; self.assets])?.assume_psd()))
            }
            Some((rows, mean_block)) => {
                let scheme = if mean_block > 1.0 { Scheme::Stationary } else { Scheme::Iid };
                let law = Law::new(scheme, mean_block, rows, 1, 0)?;
                Ok(Inputs::History(data::returns(rows, self.assets, 7), law))
            }
        }
    }

    /// What is timed: from inputs in the host's memory to results in it.
    fn run(&self, engine: &GpuEngine, inputs: &Inputs, problems: u64) -> Result<Found, String> {
        let say = |error: equirisk::Error| error.to_string();
        let batch = &*inputs.batch(self.assets, problems).map_err(say)?;
        let (mut trouble, store) = (Trouble::default(), &mut Checkpoint::none());
        let context = &mut Context { engine, store, observer: &mut trouble };
        let solutions = match self.workload {
            Workload::Screen => {
                let request = &Request::Metrics(vec![Metric::Volatility, Metric::Diversification]);
                let sample: Vec<u64> = self.sample().into_iter().filter(|&problem| problem < problems).collect();
                let mut found = Found::default();
                let work = Work { batch, request, number: 0, sample: &sample };
                let ended = run::run(work, 0..problems, context, &mut found);
                trouble.none()?;
                ended.map_err(say)?;
                return Ok(found);
            }
            Workload::Given | Workload::BootstrapAtOnce => {
                let job = engine.prepare(batch, &Request::PORTFOLIOS).map_err(say)?;
                job.run(0..problems, &Stop::NEVER).map_err(say)?.portfolios()
            }
            Workload::Bootstrap => {
                let work = Work { batch, request: &Request::PORTFOLIOS, number: 0, sample: &[] };
                let found = run::gather(work, 0..problems, context);
                trouble.none()?;
                found.map_err(say)?.solutions
            }
        };
        if let Workload::Bootstrap | Workload::BootstrapAtOnce = self.workload {
            std::hint::black_box(statistics(&solutions, self.assets));
        }
        Ok(Found { solutions, checked: None })
    }
}

/// Solutions, or the certificates of subsets and how a sample of them compares with the CPU.
#[derive(Default)]
struct Found {
    solutions: Solutions,
    checked: Option<Check>,
}

impl Fold for Found {
    fn columns(&self, chunk: Chunk) -> Columns {
        let Block::Metrics(measured) = &chunk.block else { return Columns::default() };
        std::hint::black_box(&measured.columns);
        let status = |status: &Option<Status>| status.unwrap_or(Status::Invalid).code();
        Columns::default()
            .with("status", measured.statuses.iter().map(status).collect::<Vec<u8>>())
            .with("rc_error", measured.rc_error.clone())
            .with("check", Check::numbers(chunk.check))
    }

    fn add(&mut self, _: &std::ops::Range<u64>, columns: &Columns) -> equirisk::Result<Added> {
        let (Some(statuses), Some(errors)) = (columns.u8s("status"), columns.f64s("rc_error")) else {
            return Ok(Added::Foreign);
        };
        let certificates = statuses.iter().zip(errors).map(|(&code, &rc_error)| {
            let status = Status::from_code(code).unwrap_or(Status::Invalid);
            Certificate { rc_error, ..Certificate::unsolved(status) }
        });
        self.solutions.certificates.extend(certificates);
        self.checked = Check::both(self.checked, columns.f64s("check").and_then(Check::of_numbers));
        Ok(Added::Taken)
    }
}

#[expect(clippy::large_enum_variant, reason = "there is one at a time")]
enum Inputs {
    /// Made once: what is timed begins with covariances.
    Given(Batch<'static>),
    History(Returns, Law),
}

impl Inputs {
    fn batch(&self, assets: usize, problems: u64) -> equirisk::Result<Cow<'_, Batch<'static>>> {
        match self {
            Inputs::Given(batch) => Ok(Cow::Borrowed(batch)),
            Inputs::History(returns, law) => {
                Batch::resampled(Panel::new(returns)?, *law, problems, &vec![1.0; assets]).map(Cow::Owned)
            }
        }
    }
}

/// A run that left the device is no measurement of it.
#[derive(Default)]
struct Trouble(Vec<String>);

impl Trouble {
    fn none(&self) -> Result<(), String> {
        self.0.first().map_or(Ok(()), |notice| Err(notice.clone()))
    }
}

impl Observer for Trouble {
    fn finished(&mut self, _: u64) {}

    fn notice(&mut self, message: &equirisk::error::Text) {
        self.0.push(message.to_string());
    }
}

/// Mean, sd, 5 % and 95 % quantile of every asset's weight.
fn statistics(solutions: &Solutions, assets: usize) -> Vec<[f64; 4]> {
    // Eight columns to a pass: a cache line of each row.
    let firsts: Vec<usize> = (0..assets).step_by(8).collect();
    let of_columns = |&first: &usize| {
        let mut columns = vec![Vec::with_capacity(solutions.certificates.len()); (assets - first).min(8)];
        for (weights, certificate) in solutions.weights.chunks_exact(assets).zip(&solutions.certificates) {
            if certificate.status == Status::Converged {
                columns.iter_mut().zip(&weights[first..]).for_each(|(column, &weight)| column.push(weight));
            }
        }
        columns.into_par_iter().map(|mut column| {
            let moments = stats::moments(&column);
            stats::sort(&mut column);
            [moments.mean, moments.sd, stats::quantile(&column, 0.05), stats::quantile(&column, 0.95)]
        })
    };
    firsts.par_iter().flat_map(of_columns).collect()
}

fn total(stages: &[StageTime]) -> f64 {
    stages.iter().map(|time| time.nanoseconds).sum()
}
