//! Device time of the stages, by timestamps around every dispatch and copy. Only where [`super::Options::profile`] asks
//! for it; else no query exists and no command is added.

use std::sync::Mutex;

use serde::Serialize;

use super::lock::lock;

/// What a stage has taken on the device.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StageTime {
    /// `draw`, `moments`, `correlate`, `descend`, `certify`, or `solve` for the last three in one; `download` for copies to where the host reads.
    pub stage: &'static str,
    /// Dispatches, or for `download` times that buffers were copied.
    pub dispatches: u64,
    /// From each dispatch's start, all work before it being done, to its end.
    pub nanoseconds: f64,
}

/// Timestamps of one query set, the most that WebGPU allows.
pub(super) const QUERIES: u32 = wgpu::QUERY_SET_MAX_QUERIES;

/// Timestamps taken and not yet read.
pub struct Profile {
    /// Whether timestamps can stand between passes, where buffers are copied.
    pub(super) between_passes: bool,
    pub(super) spans: Mutex<Spans>,
}

#[derive(Default)]
pub(super) struct Spans {
    /// Span k starts at timestamp 2 k, counted through all sets, and ends at 2 k + 1.
    pub(super) sets: Vec<wgpu::QuerySet>,
    pub(super) stages: Vec<&'static str>,
    /// Spans whose commands the device has been given without trouble.
    pub(super) sound: usize,
}

/// The two timestamps of one dispatch or copy.
pub struct Span {
    pub(super) set: wgpu::QuerySet,
    pub(super) start: u32,
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
