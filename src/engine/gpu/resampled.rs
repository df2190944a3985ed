//! Resampled problems on the device: the panel goes up once, weights and certificates come down.

use std::sync::Arc;

use super::device::{Attempt, Device};
use super::parameters::{DeviceCertificate, State, high, low};
use super::plan::{Plan, SWEEP_LIMIT};
use super::stages::{Room, Slice};
use super::{ACCEPTANCE, CONDITION_LIMIT};
use crate::batch::{Batch, Certificate, Comparisons, Solutions, Status, Want};
use crate::covariance::SUSPICIOUS_VARIANCE;
use crate::panel::Panel;
use crate::resample::Law;

/// Volatilities further apart than this leave the range of single precision on the way to weights.
pub const WIDEST_SPREAD: f64 = 1e30;

/// A resampled batch on one device.
pub struct Resampled<'a> {
    pub device: Arc<Device>,
    pub plan: Plan,
    law: Law,
    panel: &'a Panel,
    want: Want,
    /// What one unit of the device's volatilities is worth: a power of two near the largest of the panel's.
    unit: f64,
    slices: Vec<Slice>,
    /// Budgets, as `descend` reads them.
    budgets: wgpu::Buffer,
    /// (budget, relative volatility), as `certify` reads them.
    assets: wgpu::Buffer,
    room: Option<(Room, wgpu::Buffer)>,
}

/// What comes back for one problem, beside its weights.
#[derive(Clone, Copy)]
struct Layout {
    weights: u64,
    certificates: u64,
    volatilities: u64,
    end: u64,
}

impl<'a> Resampled<'a> {
    pub fn new(
        device: Arc<Device>,
        memory: u64,
        batch: &'a Batch,
        panel: &'a Panel,
        law: Law,
        want: Want,
    ) -> Attempt<Self> {
        let (rows, n) = (panel.rows(), panel.assets());
        let plan = Plan::new(&device.facts, memory, rows, n)?;
        let unit = unit(panel.volatilities());
        let owner = Arc::clone(&device);
        device.guarded(|| {
            let slices = panel
                .values()
                .chunks(plan.slice_rows * n)
                .map(|values| {
                    // A leading one makes the sums of a column one more product.
                    let led: Vec<f32> = values
                        .chunks_exact(n)
                        .flat_map(|row| std::iter::once(1.0).chain(row.iter().map(|&z| z as f32)))
                        .collect();
                    Slice { rows: values.len() / n, buffer: owner.upload("panel", &led) }
                })
                .collect();
            let budgets: Vec<f32> = batch.budgets().iter().map(|&b| b as f32).collect();
            let assets: Vec<[f32; 2]> =
                budgets.iter().zip(panel.volatilities()).map(|(&b, sigma)| [b, (sigma / unit) as f32]).collect();
            Ok(Resampled {
                plan,
                law,
                panel,
                want,
                unit,
                slices,
                budgets: owner.upload("budgets", &budgets),
                assets: owner.upload("assets", &assets),
                room: None,
                device: Arc::clone(&owner),
            })
        })
    }

    /// Room for at least `problems`, kept from batch to batch.
    fn make_room(&mut self, problems: u32) -> Attempt<()> {
        if self.room.as_ref().is_some_and(|(room, _)| room.problems >= problems) {
            return Ok(());
        }
        self.room = None;
        let (device, sizes, count) = (&self.device, self.plan.sizes, u64::from(problems));
        let room = device.guarded(|| {
            let room = Room {
                problems,
                resamples: device.room("resamples", 8 * count),
                counts: device.room("counts", sizes.counts * count),
                moments: device.room("moments", sizes.moments * count),
                volatilities: device.room("volatilities", sizes.assets * count),
                correlations: device.room("correlations", sizes.correlations * count),
                positions: device.room("positions", sizes.positions * count),
                states: device.room("states", size_of::<State>() as u64 * count),
                running: device.room("running", 4),
                weights: device.room("weights", sizes.assets * count),
                certificates: device.room("certificates", size_of::<DeviceCertificate>() as u64 * count),
            };
            let staging = device.staging(self.layout(problems).end.max(sizes.counts * count));
            Ok((room, staging))
        })?;
        self.room = Some(room);
        Ok(())
    }

    fn layout(&self, problems: u32) -> Layout {
        let count = u64::from(problems);
        let weights = 16;
        let certificates = weights + (self.plan.sizes.assets * count).next_multiple_of(16);
        let volatilities = certificates + size_of::<DeviceCertificate>() as u64 * count;
        let compared = if self.want.comparisons { self.plan.sizes.assets * count } else { 0 };
        Layout { weights, certificates, volatilities, end: volatilities + compared }
    }

    /// Solves the problems of these numbers, at most `plan.room` of them.
    pub fn solve(&mut self, numbers: &[u64]) -> Attempt<Solutions> {
        let problems = numbers.len() as u32;
        self.make_room(problems)?;
        let Some((room, staging)) = &self.room else { return Ok(Solutions::default()) };
        let (device, plan, layout) = (&self.device, &self.plan, self.layout(problems));
        let submit = |encoder: wgpu::CommandEncoder| device.queue.submit([encoder.finish()]);
        let new_encoder = || device.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        let descend = |encoder: &mut wgpu::CommandEncoder| {
            device.descend(encoder, plan, room, &self.budgets, problems);
            device.certify(encoder, plan, room, &self.assets, problems, self.want.comparisons);
            encoder.copy_buffer_to_buffer(&room.running, 0, staging, 0, 4);
            let (weights, certificates) =
                (layout.certificates - layout.weights, layout.volatilities - layout.certificates);
            encoder.copy_buffer_to_buffer(&room.weights, 0, staging, layout.weights, weights.min(room.weights.size()));
            encoder.copy_buffer_to_buffer(&room.certificates, 0, staging, layout.certificates, certificates);
            if self.want.comparisons {
                let bytes = layout.end - layout.volatilities;
                encoder.copy_buffer_to_buffer(&room.volatilities, 0, staging, layout.volatilities, bytes);
            }
        };
        device.guarded(|| {
            let mut encoder = new_encoder();
            self.build(&mut encoder, room, numbers);
            encoder.clear_buffer(&room.states, 0, None);
            descend(&mut encoder);
            submit(encoder);
            for _ in 0..=SWEEP_LIMIT / plan.sweeps_per_dispatch {
                let running = device.read(staging, layout.end, |bytes| bytes[..4].iter().any(|&byte| byte != 0))?;
                if !running {
                    break;
                }
                let mut encoder = new_encoder();
                descend(&mut encoder);
                submit(encoder);
            }
            device.read(staging, layout.end, |bytes| self.solutions(bytes, layout, numbers.len()))
        })
    }

    /// Stages `draw` to `correlate`.
    fn build(&self, encoder: &mut wgpu::CommandEncoder, room: &Room, numbers: &[u64]) {
        let (device, problems) = (&self.device, numbers.len() as u32);
        let words: Vec<[u32; 2]> = numbers.iter().map(|&number| [low(number), high(number)]).collect();
        device.queue.write_buffer(&room.resamples, 0, bytemuck::cast_slice(&words));
        device.draw(encoder, &self.law, room, problems);
        let mut dispatches = 0;
        device.moments(encoder, &self.plan, &self.slices, room, problems, |encoder| {
            dispatches += 1;
            if dispatches > 1 {
                let next = device.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
                device.queue.submit([std::mem::replace(encoder, next).finish()]);
            }
        });
        device.correlate(encoder, &self.plan, room, problems);
    }

    fn solutions(&self, bytes: &[u8], layout: Layout, problems: usize) -> Solutions {
        let n = self.plan.assets;
        let weights: &[f32] = bytemuck::cast_slice(&bytes[layout.weights as usize..][..4 * problems * n]);
        let certificates: &[DeviceCertificate] =
            bytemuck::cast_slice(&bytes[layout.certificates as usize..layout.volatilities as usize]);
        let mut solutions = Solutions {
            weights: weights.iter().map(|&w| f64::from(w)).collect(),
            certificates: certificates.iter().map(|c| self.certificate(c)).collect(),
            comparisons: Comparisons::default(),
        };
        for (certificate, weights) in solutions.certificates.iter().zip(solutions.weights.chunks_mut(n)) {
            if !certificate.rc_error.is_finite() {
                weights.fill(f64::NAN);
            }
        }
        if self.want.comparisons {
            let volatilities: &[f32] = bytemuck::cast_slice(&bytes[layout.volatilities as usize..layout.end as usize]);
            let units = self.panel.volatilities().iter().cycle();
            solutions.comparisons = Comparisons {
                volatilities: volatilities.iter().zip(units).map(|(&s, unit)| f64::from(s) * unit).collect(),
                inverse_volatility: certificates.iter().map(|c| f64::from(c.inverse_volatility) * self.unit).collect(),
                equal_weight: certificates.iter().map(|c| f64::from(c.equal_weight) * self.unit).collect(),
            };
        }
        solutions
    }

    fn certificate(&self, found: &DeviceCertificate) -> Certificate {
        // The device marks what is not a number by a huge one.
        let number = |x: f32| if x < 1e30 { f64::from(x) } else { f64::INFINITY };
        let (rc_error, kappa) = (number(found.rc_error), number(found.kappa));
        let moves = f64::from(found.smallest).powi(2) >= SUSPICIOUS_VARIANCE;
        let solved = moves && rc_error <= ACCEPTANCE && kappa <= CONDITION_LIMIT && found.volatility > 0.0;
        Certificate {
            status: if solved { Status::Converged } else { Status::Stalled },
            rc_error,
            kappa,
            sweeps: found.sweeps,
            rescued: false,
            volatility: f64::from(found.volatility) * self.unit,
        }
    }

    /// Counts per row of the resamples of these numbers, at most `plan.room` of them.
    pub fn counts(&mut self, numbers: &[u64]) -> Attempt<Vec<u32>> {
        let problems = numbers.len() as u32;
        self.make_room(problems)?;
        let Some((room, staging)) = &self.room else { return Ok(Vec::new()) };
        let bytes = self.plan.sizes.counts * u64::from(problems);
        self.device.guarded(|| {
            let device = &self.device;
            let words: Vec<[u32; 2]> = numbers.iter().map(|&number| [low(number), high(number)]).collect();
            device.queue.write_buffer(&room.resamples, 0, bytemuck::cast_slice(&words));
            let mut encoder = device.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
            device.draw(&mut encoder, &self.law, room, problems);
            encoder.copy_buffer_to_buffer(&room.counts, 0, staging, 0, bytes);
            device.queue.submit([encoder.finish()]);
            device.read(staging, bytes, |bytes| bytemuck::cast_slice(bytes).to_vec())
        })
    }
}

/// The power of two at or below the largest volatility.
fn unit(volatilities: &[f64]) -> f64 {
    let largest = volatilities.iter().fold(0.0_f64, |m, &v| m.max(v));
    2.0_f64.powi(largest.log2().floor() as i32)
}
