//! What the stages of a device have taken, read from its [`Profile`](super::profile::Profile).

use super::device::{Attempt, Device};
use super::lock::lock;
use super::profile::{QUERIES, StageTime};

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
