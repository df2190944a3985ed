//! Given matrices on the device: correlations are made on the host in f64 and go up in f32, positions come down, and
//! the certificate is computed in f64 against the input.

use std::ops::Range;
use std::sync::Arc;

use rayon::prelude::*;

use super::device::{Attempt, Device};
use super::kernel;
use super::parameters::State;
use super::plan::{Plan, SWEEP_LIMIT};
use super::stages::Descents;
use super::{ACCEPTANCE, CONDITION_LIMIT};
use crate::batch::{Batch, Comparisons, Solutions, Want};
use crate::certificate::{Certificate, Status};
use crate::solver::certificate::{certify, condition};
use crate::solver::descent::multiply;
use crate::solver::validity;

/// A batch of given matrices on one device.
pub struct Given<'a> {
    pub device: Arc<Device>,
    pub plan: Plan,
    batch: &'a Batch,
    covariances: &'a [f64],
    assume_psd: bool,
    want: Want,
    budgets: wgpu::Buffer,
    room: Option<(Descents, wgpu::Buffer)>,
}

/// A given problem in correlation units; none where the matrix is not a covariance.
struct Checked {
    correlation: Vec<f64>,
    volatilities: Vec<f64>,
}

impl<'a> Given<'a> {
    pub fn new(
        device: Arc<Device>,
        memory: u64,
        batch: &'a Batch,
        (covariances, assume_psd): (&'a [f64], bool),
        want: Want,
    ) -> Attempt<Self> {
        let plan = Plan::new(&device.facts, memory, 0, batch.assets(), None)?;
        let budgets: Vec<f32> = batch.budgets().iter().map(|&b| b as f32).collect();
        let budgets = device.guarded(|| Ok(device.upload("budgets", &budgets)))?;
        Ok(Given { device, plan, batch, covariances, assume_psd, want, budgets, room: None })
    }

    /// Room for at least `problems`: that of the last batch, if it is large enough.
    fn take_room(&mut self, problems: u32) -> Attempt<(Descents, wgpu::Buffer)> {
        if let Some(kept) = self.room.take().filter(|(descents, _)| descents.problems >= problems) {
            return Ok(kept);
        }
        self.device.guarded(|| {
            let bytes = 16 + (size_of::<State>() as u64 + self.plan.sizes.positions) * u64::from(problems);
            Ok((self.device.descents(&self.plan, problems), self.device.staging(bytes)))
        })
    }

    /// Solves the problems of `range`, at most `plan.room` of them.
    pub fn solve(&mut self, range: Range<u64>) -> Attempt<Solutions> {
        let (n, problems) = (self.plan.assets, (range.end - range.start) as usize);
        let given = &self.covariances[range.start as usize * n * n..range.end as usize * n * n];
        let checked: Vec<_> = given
            .par_chunks(n * n)
            .map(|covariance| {
                let mut checked = Checked { correlation: vec![0.0; n * n], volatilities: vec![0.0; n] };
                let result =
                    validity::check(covariance, self.assume_psd, &mut checked.correlation, &mut checked.volatilities);
                result.is_ok().then_some(checked)
            })
            .collect();
        let (positions, states) = self.descend(&checked)?;

        let mut weights = vec![f64::NAN; problems * n];
        let certificates = weights
            .par_chunks_mut(n)
            .enumerate()
            .map(|(p, weights)| match &checked[p] {
                None => Certificate::unsolved(Status::Invalid),
                Some(checked) => {
                    let y = |i: usize| f64::from(positions[kernel::position(n, problems, p, i)]);
                    let covariance = &given[p * n * n..(p + 1) * n * n];
                    Certificate { sweeps: states[p].sweeps, ..self.certificate(covariance, checked, y, weights) }
                }
            })
            .collect();
        let comparisons = if self.want.comparisons { compare(&checked, n) } else { Comparisons::default() };
        Ok(Solutions { weights, certificates, comparisons })
    }

    /// Stage `descend` on the device: positions and final states. Where a problem is invalid the identity takes its place.
    fn descend(&mut self, checked: &[Option<Checked>]) -> Attempt<(Vec<f32>, Vec<State>)> {
        let problems = checked.len() as u32;
        let (descents, staging) = self.take_room(problems)?;
        let (device, plan) = (&self.device, &self.plan);
        let matrices = lay_out(checked, plan.assets);
        let state_bytes = size_of::<State>() as u64 * u64::from(problems);
        let position_bytes = plan.sizes.positions * u64::from(problems);
        let end = 16 + state_bytes + position_bytes;
        let found = device.guarded(|| {
            device.queue.write_buffer(&descents.correlations, 0, bytemuck::cast_slice(&matrices));
            let most = SWEEP_LIMIT.div_ceil(plan.sweeps_per_dispatch);
            let mut dispatches = 0;
            loop {
                let mut encoder = device.encoder();
                if dispatches == 0 {
                    encoder.clear_buffer(&descents.states, 0, None);
                }
                device.descend(&mut encoder, plan, &descents, &self.budgets, problems, dispatches > 0);
                device.timed(&mut encoder, "download", |encoder| {
                    encoder.copy_buffer_to_buffer(&descents.running, 0, &staging, 0, 4);
                    encoder.copy_buffer_to_buffer(&descents.states, 0, &staging, 16, state_bytes);
                    encoder.copy_buffer_to_buffer(&descents.positions, 0, &staging, 16 + state_bytes, position_bytes);
                });
                device.queue.submit([encoder.finish()]);
                dispatches += 1;
                let found = device.read(&staging, end, |bytes| {
                    let running = bytes[..4].iter().any(|&byte| byte != 0);
                    let (states, positions) = bytes[16..].split_at(state_bytes as usize);
                    (dispatches > most || !running)
                        .then(|| (bytemuck::cast_slice(positions).to_vec(), bytemuck::cast_slice(states).to_vec()))
                })?;
                if let Some(found) = found {
                    return Ok(found);
                }
            }
        })?;
        self.room = Some((descents, staging));
        Ok(found)
    }

    /// Writes the weights of a position, exact in f32, and certifies them in f64 against the input.
    fn certificate(
        &self,
        covariance: &[f64],
        checked: &Checked,
        y: impl Fn(usize) -> f64,
        weights: &mut [f64],
    ) -> Certificate {
        for (i, (w, volatility)) in weights.iter_mut().zip(&checked.volatilities).enumerate() {
            *w = y(i) / volatility;
        }
        let total: f64 = weights.iter().sum();
        for w in &mut *weights {
            *w = f64::from((*w / total) as f32);
        }
        let mut product = vec![0.0; weights.len()];
        let (rc_error, variance) = certify(covariance, weights, self.batch.budgets(), &mut product);
        if !rc_error.is_finite() {
            weights.fill(f64::NAN);
            return Certificate { rc_error, ..Certificate::unsolved(Status::Stalled) };
        }
        let exposures: Vec<f64> = weights.iter().zip(&checked.volatilities).map(|(w, s)| w * s).collect();
        multiply(&checked.correlation, &exposures, &mut product);
        let kappa = condition(&checked.correlation, &exposures, &mut product);
        let solved = rc_error <= ACCEPTANCE && kappa <= CONDITION_LIMIT;
        Certificate {
            status: if solved { Status::Converged } else { Status::Stalled },
            rc_error,
            kappa,
            sweeps: 0,
            rescued: false,
            volatility: variance.sqrt(),
        }
    }
}

/// Correlations as `descend` reads them: see `shaders/correlate.wgsl`.
fn lay_out(checked: &[Option<Checked>], n: usize) -> Vec<f32> {
    let (problems, cells) = (checked.len(), kernel::correlation_cells(n));
    let mut matrices = vec![0.0_f32; problems * cells];
    if kernel::interleaved(n) {
        for (p, checked) in checked.iter().enumerate() {
            let Some(checked) = checked else { continue };
            for i in 1..n {
                for j in 0..i {
                    let e = i * (i - 1) / 2 + j;
                    matrices[e * problems + p] = checked.correlation[i * n + j] as f32;
                }
            }
        }
        return matrices;
    }
    let padded = n.next_multiple_of(4);
    matrices.par_chunks_mut(cells).zip(checked).for_each(|(matrix, checked)| {
        for i in 0..n {
            for j in 0..n {
                let identity = if i == j { 1.0 } else { 0.0 };
                let c = checked.as_ref().map_or(identity, |checked| checked.correlation[i * n + j]);
                matrix[i * padded + j] = c as f32;
            }
        }
    });
    matrices
}

/// Volatilities, and those of the portfolios that need no solver, in f64.
fn compare(checked: &[Option<Checked>], n: usize) -> Comparisons {
    let mut comparisons = Comparisons::default();
    for problem in checked {
        let Some(Checked { correlation, volatilities }) = problem else {
            comparisons.volatilities.extend(std::iter::repeat_n(f64::NAN, n));
            comparisons.inverse_volatility.push(f64::NAN);
            comparisons.equal_weight.push(f64::NAN);
            continue;
        };
        let volatility = |weight: &dyn Fn(f64) -> f64| {
            let total: f64 = volatilities.iter().map(|&s| weight(s)).sum();
            let exposures: Vec<f64> = volatilities.iter().map(|&s| weight(s) / total * s).collect();
            let mut product = vec![0.0; n];
            multiply(correlation, &exposures, &mut product);
            exposures.iter().zip(&product).map(|(x, p)| x * p).sum::<f64>().max(0.0).sqrt()
        };
        comparisons.volatilities.extend(volatilities);
        comparisons.inverse_volatility.push(volatility(&|s| s.recip()));
        comparisons.equal_weight.push(volatility(&|_| 1.0));
    }
    comparisons
}
