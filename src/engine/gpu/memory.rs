//! Buffers: made, filled, read back.

use std::sync::mpsc;
use std::time::Duration;

use bytemuck::Pod;

use super::device::{Attempt, Device, Trouble};

/// How long a callback may take once the device has finished.
const CALLBACK_PATIENCE: Duration = Duration::from_secs(60);

impl Device {
    /// Room on the device, at least a word of it.
    pub fn room(&self, label: &str, bytes: u64) -> wgpu::Buffer {
        self.allocates(bytes);
        self.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some(label),
            size: bytes.next_multiple_of(16).max(16),
            usage: wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        })
    }

    /// Room on the host side for what comes back.
    pub fn staging(&self, bytes: u64) -> wgpu::Buffer {
        self.allocates(bytes);
        self.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("staging"),
            size: bytes.max(16),
            usage: wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        })
    }

    pub fn upload<T: Pod>(&self, label: &str, values: &[T]) -> wgpu::Buffer {
        let bytes = bytemuck::cast_slice(values);
        let buffer = self.room(label, bytes.len() as u64);
        self.queue.write_buffer(&buffer, 0, bytes);
        buffer
    }

    pub fn uniform<T: Pod>(&self, value: &T) -> wgpu::Buffer {
        // Not `create_buffer_init`: it panics where the device cannot allocate.
        let buffer = self.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("parameters"),
            size: size_of::<T>().next_multiple_of(16) as u64,
            usage: wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        self.queue.write_buffer(&buffer, 0, bytemuck::bytes_of(value));
        buffer
    }

    /// Waits until a submission is done, not for what came after it, and hands the first `bytes` of a staging buffer to
    /// `read`.
    pub fn read<T>(
        &self,
        staging: &wgpu::Buffer,
        bytes: u64,
        submission: wgpu::SubmissionIndex,
        read: impl FnOnce(&[u8]) -> T,
    ) -> Attempt<T> {
        let (sender, receiver) = mpsc::channel();
        staging.map_async(wgpu::MapMode::Read, ..bytes, move |result| {
            // The receiver lives until the end of this function, unless the wait below has failed.
            let _ = sender.send(result);
        });
        let failed = |what: &dyn std::fmt::Display| Trouble::Failed(format!("results could not be read back: {what}"));
        self.wait(Some(submission))?;
        // Another thread that waits for the same device may be the one to call back, a moment later.
        let mapped = receiver.recv_timeout(CALLBACK_PATIENCE).map_err(|e| failed(&e))?;
        mapped.map_err(|e| failed(&e))?;
        let value = {
            let view = staging.get_mapped_range(..bytes).map_err(|e| failed(&e))?;
            read(&view)
        };
        staging.unmap();
        Ok(value)
    }

    /// A bind group of whole buffers by binding number.
    pub fn bind(&self, pipeline: &wgpu::ComputePipeline, buffers: &[(u32, &wgpu::Buffer)]) -> wgpu::BindGroup {
        let entries: Vec<_> = buffers
            .iter()
            .map(|&(binding, buffer)| wgpu::BindGroupEntry { binding, resource: buffer.as_entire_binding() })
            .collect();
        self.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: None,
            layout: &pipeline.get_bind_group_layout(0),
            entries: &entries,
        })
    }
}
