//! Device time of the stages, by timestamps around every dispatch and copy. Only where [`super::Options::profile`] asks
//! for it; else no query exists and no command is added.

use std::sync::Mutex;

use serde::Serialize;

use super::device::{Attempt, Device, lock};

/// What a stage has taken on the device.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StageTime {
    /// `draw`, `moments`, `correlate`, `descend` or `certify`; `download` for copies to where the host reads.
    pub stage: &'static str,
    /// Dispatches, or for `download` times that buffers were copied.
    pub dispatches: u64,
    /// From each dispatch's start, all work before it being done, to its end.
    pub nanoseconds: f64,
}

/// Timestamps of one query set, the most that WebGPU allows.
const QUERIES: u32 = wgpu::QUERY_SET_MAX_QUERIES;

/// Timestamps taken and not yet read.
pub struct Profile {
    /// Whether timestamps can stand between passes, where buffers are copied.
    between_passes: bool,
    spans: Mutex<Spans>,
}

#[derive(Default)]
struct Spans {
    /// Span k starts at timestamp 2 k, counted through all sets, and ends at 2 k + 1.
    sets: Vec<wgpu::QuerySet>,
    stages: Vec<&'static str>,
    /// Spans whose commands the device has been given without trouble.
    sound: usize,
}

/// The two timestamps of one dispatch or copy.
pub struct Span {
    set: wgpu::QuerySet,
    start: u32,
}

impl Span {
    pub fn of_pass(&self) -> wgpu::ComputePassTimestampWrites<'_> {
        wgpu::ComputePassTimestampWrites {
            query_set: &self.set,
            beginning_of_pass_write_index: Some(self.start),
            end_of_pass_write_index: Some(self.start + 1),
        }
    }
}

impl Profile {
    /// The features that timestamps need.
    pub const FEATURES: wgpu::Features =
        wgpu::Features::TIMESTAMP_QUERY.union(wgpu::Features::TIMESTAMP_QUERY_INSIDE_ENCODERS);

    /// None where the device was opened without timestamps.
    pub fn new(features: wgpu::Features) -> Option<Profile> {
        let between_passes = features.contains(wgpu::Features::TIMESTAMP_QUERY_INSIDE_ENCODERS);
        let profile = Profile { between_passes, spans: Mutex::default() };
        features.contains(wgpu::Features::TIMESTAMP_QUERY).then_some(profile)
    }

    pub fn span(&self, device: &wgpu::Device, stage: &'static str) -> Span {
        let mut spans = lock(&self.spans);
        let first = 2 * spans.stages.len() as u32;
        let (set, start) = ((first / QUERIES) as usize, first % QUERIES);
        if set == spans.sets.len() {
            spans.sets.push(device.create_query_set(&wgpu::QuerySetDescriptor {
                label: Some("profile"),
                ty: wgpu::QueryType::Timestamp,
                count: QUERIES,
            }));
        }
        spans.stages.push(stage);
        Span { set: spans.sets[set].clone(), start }
    }

    /// Ends a piece of work. Timestamps of one that failed may never be written, and to wait for those is to hang.
    pub fn settle(&self, sound: bool) {
        let mut spans = lock(&self.spans);
        if sound {
            spans.sound = spans.stages.len();
        } else {
            let sound = spans.sound;
            spans.stages.truncate(sound);
        }
    }
}

impl Device {
    /// Encodes copies as a stage of their own.
    pub fn timed(
        &self,
        encoder: &mut wgpu::CommandEncoder,
        stage: &'static str,
        work: impl FnOnce(&mut wgpu::CommandEncoder),
    ) {
        let profile = self.profile.as_ref().filter(|profile| profile.between_passes);
        let span = profile.map(|profile| profile.span(&self.device, stage));
        if let Some(span) = &span {
            encoder.write_timestamp(&span.set, span.start);
        }
        work(encoder);
        if let Some(span) = &span {
            encoder.write_timestamp(&span.set, span.start + 1);
        }
    }

    /// Device time by stage since the last call, in the order in which stages first ran.
    pub fn stage_times(&self) -> Attempt<Vec<StageTime>> {
        let Some(profile) = &self.profile else { return Ok(Vec::new()) };
        let (sets, stages) = {
            let mut spans = lock(&profile.spans);
            spans.sound = 0;
            (spans.sets.clone(), std::mem::take(&mut spans.stages))
        };
        let bytes = u64::from(QUERIES * wgpu::QUERY_SIZE);
        let resolved = self.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("timestamps"),
            size: bytes,
            usage: wgpu::BufferUsages::QUERY_RESOLVE | wgpu::BufferUsages::COPY_SRC,
            mapped_at_creation: false,
        });
        let staging = self.staging(bytes);
        let period = f64::from(self.queue.get_timestamp_period());
        let mut times: Vec<StageTime> = Vec::new();
        for (set, stages) in sets.iter().zip(stages.chunks(QUERIES as usize / 2)) {
            let mut encoder = self.encoder();
            encoder.resolve_query_set(set, 0..2 * stages.len() as u32, &resolved, 0);
            encoder.copy_buffer_to_buffer(&resolved, 0, &staging, 0, bytes);
            let submission = self.submit(encoder);
            let ticks: Vec<u64> = self.read(&staging, bytes, submission, bytemuck::pod_collect_to_vec)?;
            for (stage, ticks) in stages.iter().zip(ticks.chunks(2)) {
                let time = match times.iter_mut().find(|time| time.stage == *stage) {
                    Some(time) => time,
                    None => {
                        times.push(StageTime { stage, dispatches: 0, nanoseconds: 0.0 });
                        times.last_mut().expect("just pushed")
                    }
                };
                time.dispatches += 1;
                time.nanoseconds += ticks[1].saturating_sub(ticks[0]) as f64 * period;
            }
        }
        Ok(times)
    }
}
