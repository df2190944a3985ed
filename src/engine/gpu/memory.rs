//! Buffers: made, filled, read back.

use std::num::NonZeroU64;
use std::sync::mpsc;

use bytemuck::Pod;
use wgpu::util::DeviceExt;

use super::device::{Attempt, Device, Trouble};

impl Device {
    /// Room on the device, at least a word of it.
    pub fn room(&self, label: &str, bytes: u64) -> wgpu::Buffer {
        self.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some(label),
            size: bytes.next_multiple_of(16).max(16),
            usage: wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        })
    }

    /// Room on the host side for what comes back.
    pub fn staging(&self, bytes: u64) -> wgpu::Buffer {
        self.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("staging"),
            size: bytes.max(16),
            usage: wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        })
    }

    pub fn upload<T: Pod>(&self, label: &str, values: &[T]) -> wgpu::Buffer {
        self.device.create_buffer_init(&wgpu::util::BufferInitDescriptor {
            label: Some(label),
            contents: bytemuck::cast_slice(values),
            usage: wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_DST,
        })
    }

    pub fn uniform<T: Pod>(&self, value: &T) -> wgpu::Buffer {
        self.device.create_buffer_init(&wgpu::util::BufferInitDescriptor {
            label: Some("parameters"),
            contents: bytemuck::bytes_of(value),
            usage: wgpu::BufferUsages::UNIFORM,
        })
    }

    /// Waits for the device and hands the first `bytes` of a staging buffer to `read`.
    pub fn read<T>(&self, staging: &wgpu::Buffer, bytes: u64, read: impl FnOnce(&[u8]) -> T) -> Attempt<T> {
        let (sender, receiver) = mpsc::channel();
        staging.map_async(wgpu::MapMode::Read, ..bytes, move |result| {
            // The receiver lives until the end of this function, unless the wait below has failed.
            let _ = sender.send(result);
        });
        let failed = |what: &dyn std::fmt::Display| Trouble::Failed(format!("results could not be read back: {what}"));
        self.device.poll(wgpu::PollType::wait_indefinitely()).map_err(|e| failed(&e))?;
        let mapped = receiver.try_recv().map_err(|e| failed(&e))?;
        mapped.map_err(|e| failed(&e))?;
        let value = {
            let view = staging.get_mapped_range(..bytes).map_err(|e| failed(&e))?;
            read(&view)
        };
        staging.unmap();
        Ok(value)
    }

    /// A bind group of whole buffers, or of their first bytes where a size is given, in binding order from `first` on.
    pub fn bind(&self, pipeline: &wgpu::ComputePipeline, buffers: &[(u32, &wgpu::Buffer)]) -> wgpu::BindGroup {
        let entries: Vec<_> = buffers
            .iter()
            .map(|&(binding, buffer)| wgpu::BindGroupEntry {
                binding,
                resource: wgpu::BindingResource::Buffer(wgpu::BufferBinding {
                    buffer,
                    offset: 0,
                    size: NonZeroU64::new(buffer.size()),
                }),
            })
            .collect();
        self.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: None,
            layout: &pipeline.get_bind_group_layout(0),
            entries: &entries,
        })
    }
}
