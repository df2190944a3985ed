//! Matrices that the host has, given ones or parts of a known covariance: correlations are made on the host in f64 and go
//! up, positions come down, and certificates and figures are computed in f64 against the input.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use rayon::prelude::*;

use super::device::{Attempt, Device};
use super::driver::{Driver, Queue};
use super::kernel;
use super::limited::Limited;
use super::parameters::State;
use super::plan::{Accuracy, Origin, Plan, SWEEP_LIMIT};
use super::precision::Precision;
use super::stages::{Descents, Limiting};
use crate::batch::{Assets, Block, Comparisons, Request, Solutions};
use crate::covariance::{RiskModel, Universe};
use crate::measure::{Measured, Metric, metric};
use crate::methods::certificate::{Certificate, Status};
use crate::methods::risk_budgeting::certificate::certify;
use crate::methods::risk_budgeting::condition::condition;
use crate::methods::risk_budgeting::descent::multiply;
use crate::methods::risk_budgeting::validity;
use crate::methods::{Program, Selection, volatility};
use crate::real::Real;

/// Where the matrices are.
#[derive(Clone, Copy)]
pub enum Matrices<'a> {
    /// One after the other.
    Given { covariances: &'a [f64], assume_psd: bool },
    /// Sets of assets of one covariance.
    Parts { universe: &'a Universe, assets: &'a Assets },
}

impl Matrices<'_> {
    /// The models of the problems of `range`; none where one is not a covariance, or barred.
    fn models(&self, range: &Range<u64>, n: usize) -> Vec<Option<RiskModel>> {
        match *self {
            Matrices::Given { covariances, assume_psd } => {
                let given = &covariances[range.start as usize * n * n..range.end as usize * n * n];
                given.par_chunks(n * n).map(|covariance| validity::model(covariance, assume_psd).ok()).collect()
            }
            Matrices::Parts { universe, assets } => {
                let mut parts = Vec::new();
                assets.visit(range.clone(), |set| {
                    parts.push(set.map(|set| {
                        let mut part = RiskModel::default();
                        universe.gather(set, &mut part);
                        part
                    }));
                });
                parts
            }
        }
    }

    /// The covariance of a problem, digit for digit as it was given where it was.
    fn covariance<'a>(&'a self, problem: u64, model: &RiskModel) -> Cow<'a, [f64]> {
        let n = model.assets();
        match self {
            Matrices::Given { covariances, .. } => Cow::Borrowed(&covariances[problem as usize * n * n..][..n * n]),
            Matrices::Parts { .. } => Cow::Owned(model.covariance()),
        }
    }
}

/// A batch of given matrices on one device.
pub struct Given<'a> {
    device: Arc<Device>,
    plan: Plan,
    program: &'a Program,
    matrices: Matrices<'a>,
    request: &'a Request,
    budgets: wgpu::Buffer,
    within: Option<Within>,
    /// Free room, and where results are read from.
    rooms: Vec<Workroom>,
    under_way: Queue<Running>,
}

/// Limits of all problems.
struct Within {
    limited: Limited,
    limits: wgpu::Buffer,
    /// (budget, 1), as `limit` reads them.
    assets: wgpu::Buffer,
}

/// Buffers of a batch, and where its results are read from.
struct Workroom {
    descents: Descents,
    /// Within limits, of each problem over its largest.
    volatilities: wgpu::Buffer,
    staging: wgpu::Buffer,
}

/// A batch that the device works on.
struct Running {
    room: Workroom,
    range: Range<u64>,
    /// None where a matrix is not a covariance.
    checked: Vec<Option<RiskModel>>,
    dispatches: u32,
    submission: wgpu::SubmissionIndex,
}

/// Offsets in the staging buffer, behind the word that says how many problems still run.
struct Staged {
    states: u64,
    positions: u64,
    end: u64,
}

impl<'a> Given<'a> {
    pub fn new(
        device: Arc<Device>,
        memory: u64,
        program: &'a Program,
        matrices: Matrices<'a>,
        accuracy: Accuracy,
        request: &'a Request,
    ) -> Attempt<Self> {
        let limited = Limited::of(program, accuracy.precision);
        let origin = Origin::Given { limited: limited.as_ref().map(Limited::groups) };
        let plan = Plan::new(&device.facts, memory, origin, program.assets(), accuracy)?;
        let (budgets, within) = device.guarded(|| {
            let encode = |numbers: Vec<f64>| accuracy.precision.encode(numbers.into_iter());
            let within = limited.map(|limited| Within {
                limits: device.upload("limits", &encode(limited.numbers())),
                assets: device.upload("assets", &encode(program.budgets().iter().flat_map(|b| [*b, 1.0]).collect())),
                limited,
            });
            Ok((device.upload("budgets", &encode(program.budgets().to_vec())), within))
        })?;
        Ok(Given {
            device,
            plan,
            program,
            matrices,
            request,
            budgets,
            within,
            rooms: Vec::new(),
            under_way: Queue::default(),
        })
    }

    /// Room for at least `problems`: what is free, if it is large enough.
    fn take_room(&mut self, problems: u32) -> Attempt<Workroom> {
        if let Some(kept) = self.rooms.pop().filter(|room| room.descents.problems >= problems) {
            return Ok(kept);
        }
        let bytes = self.staged(problems).end;
        let volatilities = if self.within.is_some() { self.plan.sizes.assets * u64::from(problems) } else { 0 };
        self.device.guarded(|| {
            let descents = self.device.descents(&self.plan, problems);
            let volatilities = self.device.room("volatilities", volatilities);
            Ok(Workroom { descents, volatilities, staging: self.device.staging(bytes) })
        })
    }

    /// Where positions and states lie among the bytes that come back.
    fn staged(&self, problems: u32) -> Staged {
        let states = 16;
        let positions = states + size_of::<State>() as u64 * u64::from(problems);
        Staged { states, positions, end: positions + self.plan.sizes.positions * u64::from(problems) }
    }

    /// Sets the device to work on the problems of `range`, at most `plan.room` of them. Where one is invalid the
    /// identity takes its place.
    fn begin(&mut self, range: Range<u64>) -> Attempt<Running> {
        let n = self.plan.assets;
        let checked = self.matrices.models(&range, n);
        let (single, double);
        let matrices: &[u8] = match self.plan.accuracy.precision {
            Precision::Single => {
                single = lay_out::<f32>(&checked, n, Precision::Single);
                bytemuck::cast_slice(&single)
            }
            Precision::Double => {
                double = lay_out::<f64>(&checked, n, Precision::Double);
                bytemuck::cast_slice(&double)
            }
        };
        let room = self.take_room(checked.len() as u32)?;
        let submission = self.device.guarded(|| {
            self.device.queue.write_buffer(&room.descents.correlations, 0, matrices);
            if self.within.is_some() {
                let volatilities =
                    self.plan.accuracy.precision.encode(checked.iter().flat_map(|one| relative(one.as_ref(), n)));
                self.device.queue.write_buffer(&room.volatilities, 0, &volatilities);
            }
            let mut encoder = self.device.encoder();
            encoder.clear_buffer(&room.descents.states, 0, None);
            Ok(self.descend(encoder, &room, checked.len() as u32, false))
        })?;
        Ok(Running { room, range, checked, dispatches: 1, submission })
    }

    /// Waits for a batch, makes its weights and certifies them; what comes after it goes on meanwhile.
    fn end(&mut self, mut running: Running) -> Attempt<Block> {
        let (n, problems, precision) = (self.plan.assets, running.checked.len(), self.plan.accuracy.precision);
        let (positions, states) = self.device.guarded(|| self.wait(&mut running))?;
        let Running { room, range, checked, .. } = running;
        self.rooms.push(room);

        let mut weights = vec![f64::NAN; problems * n];
        let certificates: Vec<Certificate> = weights
            .par_chunks_mut(n)
            .enumerate()
            .map(|(p, weights)| match &checked[p] {
                None => Certificate::unsolved(Status::Invalid),
                Some(checked) => {
                    let y = |i: usize| positions[kernel::position(n, precision, problems, p, i)];
                    let covariance = self.matrices.covariance(range.start + p as u64, checked);
                    let found = match &self.within {
                        None => self.certificate(&covariance, checked, y, weights),
                        Some(within) => {
                            weights.iter_mut().enumerate().for_each(|(i, w)| *w = y(i));
                            let limits = self.plan.accuracy.limits;
                            within.limited.certificate(&covariance, checked, self.program.budgets(), limits, weights)
                        }
                    };
                    Certificate { sweeps: states[p].sweeps, ..found }
                }
            })
            .collect();
        Ok(match self.request {
            Request::Portfolios { beside } => {
                let comparisons = match beside.methods().is_empty() {
                    true => Comparisons::default(),
                    false => compare(&checked, beside, n),
                };
                Block::Portfolios(Solutions { weights, certificates, comparisons, parameters: Vec::new() })
            }
            Request::Metrics(metrics) => {
                let barred = matches!(self.matrices, Matrices::Parts { .. });
                Block::Metrics(measured(&checked, &weights, &certificates, metrics, barred))
            }
        })
    }

    /// Positions and final states.
    fn wait(&self, running: &mut Running) -> Attempt<(Vec<f64>, Vec<State>)> {
        let problems = running.checked.len() as u32;
        let (staged, most) = (self.staged(problems), SWEEP_LIMIT.div_ceil(self.plan.sweeps_per_dispatch));
        loop {
            let submission = running.submission.clone();
            let found = self.device.read(&running.room.staging, staged.end, submission, |bytes| {
                let unfinished = bytes[..4].iter().any(|&byte| byte != 0);
                let states = &bytes[staged.states as usize..staged.positions as usize];
                let positions = &bytes[staged.positions as usize..];
                let decode = || (self.plan.accuracy.precision.decode(positions), bytemuck::cast_slice(states).to_vec());
                (running.dispatches > most || !unfinished).then(decode)
            })?;
            if let Some(found) = found {
                return Ok(found);
            }
            running.submission = self.descend(self.device.encoder(), &running.room, problems, true);
            running.dispatches += 1;
        }
    }

    /// Some sweeps of stage `descend`.
    fn descend(
        &self,
        mut encoder: wgpu::CommandEncoder,
        Workroom { descents, volatilities, staging }: &Workroom,
        problems: u32,
        resumed: bool,
    ) -> wgpu::SubmissionIndex {
        let (device, staged) = (&self.device, self.staged(problems));
        match &self.within {
            None => device.descend(&mut encoder, &self.plan, descents, &self.budgets, problems, resumed),
            Some(within) => {
                encoder.clear_buffer(&descents.running, 0, None);
                let problem = Limiting {
                    correlations: Some(&descents.correlations),
                    positions: &descents.positions,
                    states: &descents.states,
                    running: &descents.running,
                    volatilities,
                    assets: &within.assets,
                    limits: &within.limits,
                };
                device.limit(&mut encoder, &self.plan, problem, problems, resumed);
            }
        }
        device.timed(&mut encoder, "download", |encoder| {
            let states = staged.positions - staged.states;
            encoder.copy_buffer_to_buffer(&descents.running, 0, staging, 0, 4);
            encoder.copy_buffer_to_buffer(&descents.states, 0, staging, staged.states, states);
            let positions = staged.end - staged.positions;
            encoder.copy_buffer_to_buffer(&descents.positions, 0, staging, staged.positions, positions);
        });
        device.submit(encoder)
    }

    /// Writes the weights of a position, rounded to the precision, and certifies them in f64 against the input.
    fn certificate(
        &self,
        covariance: &[f64],
        checked: &RiskModel,
        y: impl Fn(usize) -> f64,
        weights: &mut [f64],
    ) -> Certificate {
        for (i, (w, volatility)) in weights.iter_mut().zip(&checked.volatilities).enumerate() {
            *w = y(i) / volatility;
        }
        let Accuracy { precision, limits } = self.plan.accuracy;
        let total: f64 = weights.iter().sum();
        for w in &mut *weights {
            *w = precision.round(*w / total);
        }
        let mut product = vec![0.0; weights.len()];
        let (rc_error, variance) = certify(covariance, weights, self.program.budgets(), &mut product);
        if !rc_error.is_finite() {
            weights.fill(f64::NAN);
            return Certificate { rc_error, ..Certificate::unsolved(Status::Stalled) };
        }
        let exposures: Vec<f64> = weights.iter().zip(&checked.volatilities).map(|(w, s)| w * s).collect();
        multiply(&checked.correlation, &exposures, &mut product);
        let kappa = condition(&checked.correlation, &exposures, &mut product);
        let solved = rc_error <= limits.rc_error && kappa <= limits.kappa;
        Certificate {
            status: if solved { Status::Converged } else { Status::Stalled },
            rc_error,
            kappa,
            sweeps: 0,
            rescued: false,
            volatility: variance.sqrt(),
            slack: None,
            kkt_error: None,
        }
    }
}

impl Driver for Given<'_> {
    fn room(&self) -> u32 {
        self.plan.room
    }

    fn pieces(&self) -> usize {
        self.plan.batches
    }

    fn start(&mut self, piece: Range<u64>) -> Attempt<()> {
        let running = self.begin(piece)?;
        self.under_way.push(running);
        Ok(())
    }

    fn finish(&mut self) -> Attempt<Vec<Block>> {
        let running = self.under_way.pop()?;
        let start = running.range.start;
        Ok(self.end(running)?.cut(start))
    }

    fn abandon(&mut self) {
        self.under_way.clear();
    }
}

/// Volatilities over the largest; ones where a matrix is not a covariance.
fn relative(checked: Option<&RiskModel>, n: usize) -> Vec<f64> {
    let Some(model) = checked else { return vec![1.0; n] };
    let largest = model.volatilities.iter().fold(0.0_f64, |m, &v| m.max(v));
    model.volatilities.iter().map(|v| v / largest).collect()
}

/// Problems that a thread lays out at a time.
const TOGETHER: usize = 1024;

/// Correlations as `descend` reads them: see `shaders/correlate.wgsl`.
fn lay_out<R: Real>(checked: &[Option<RiskModel>], n: usize, precision: Precision) -> Vec<R> {
    let (problems, cells) = (checked.len(), kernel::correlation_cells(n, precision));
    let mut matrices = vec![R::ZERO; problems * cells];
    if kernel::interleaved(n, precision) {
        // A thread writes its problems' share of every row.
        let mut shares: Vec<Vec<&mut [R]>> = Vec::new();
        shares.resize_with(problems.div_ceil(TOGETHER), Vec::new);
        for row in matrices.chunks_mut(problems) {
            shares.iter_mut().zip(row.chunks_mut(TOGETHER)).for_each(|(share, own)| share.push(own));
        }
        shares.par_iter_mut().zip(checked.par_chunks(TOGETHER)).for_each(|(rows, checked)| {
            for (p, checked) in checked.iter().enumerate() {
                let Some(checked) = checked else { continue };
                let lower = (1..n).flat_map(|i| &checked.correlation[i * n..i * n + i]);
                rows.iter_mut().zip(lower).for_each(|(row, &c)| row[p] = R::from_f64(c));
            }
        });
        return matrices;
    }
    let padded = n.next_multiple_of(4);
    matrices.par_chunks_mut(cells).zip(checked).for_each(|(matrix, checked)| {
        for i in 0..n {
            for j in 0..n {
                let identity = if i == j { 1.0 } else { 0.0 };
                let c = checked.as_ref().map_or(identity, |checked| checked.correlation[i * n + j]);
                matrix[i * padded + j] = R::from_f64(c);
            }
        }
    });
    matrices
}

/// Figures, in f64. A problem without a matrix is barred or invalid.
fn measured(
    checked: &[Option<RiskModel>],
    weights: &[f64],
    certificates: &[Certificate],
    metrics: &[Metric],
    barred: bool,
) -> Measured {
    let mut measured = Measured::unmeasured(certificates.len(), metrics.len());
    let figures = |at: usize| -> Vec<f64> {
        let (Some(model), certificate) = (&checked[at], certificates[at]) else { return Vec::new() };
        if certificate.status != Status::Converged {
            return Vec::new();
        }
        let weights = &weights[at * model.assets()..][..model.assets()];
        let x: Vec<f64> = weights.iter().zip(&model.volatilities).map(|(w, s)| w * s).collect();
        let figure = |&wanted| metric(wanted, &model.correlation, weights, &x, certificate.volatility);
        metrics.iter().map(figure).collect()
    };
    let all: Vec<Vec<f64>> = (0..certificates.len()).into_par_iter().map(figures).collect();
    for (at, (figures, certificate)) in all.into_iter().zip(certificates).enumerate() {
        measured.statuses[at] = match checked[at] {
            None => (!barred).then_some(Status::Invalid),
            Some(_) => Some(certificate.status),
        };
        if certificate.status == Status::Converged {
            measured.rc_error[at] = certificate.rc_error;
        }
        measured.columns.iter_mut().zip(figures).for_each(|(column, figure)| column[at] = figure);
    }
    measured
}

/// Volatilities of the assets, and those of the portfolios that follow from a formula, in f64.
fn compare(checked: &[Option<RiskModel>], beside: &Selection, n: usize) -> Comparisons {
    let methods = beside.methods();
    let mut comparisons = Comparisons::unknown(beside, checked.len(), n);
    let rows = comparisons.volatilities.par_chunks_mut(n).zip(comparisons.portfolios.par_chunks_mut(methods.len()));
    rows.zip(checked).for_each(|((own, portfolios), problem)| {
        let Some(model) = problem else { return };
        own.copy_from_slice(&model.volatilities);
        for (found, method) in portfolios.iter_mut().zip(methods) {
            let Some(weights) = beside.closed_form(*method, &model.volatilities) else { continue };
            *found = volatility(model, &weights);
        }
    });
    comparisons
}
