//! What the adapter can do at best: the speeds that floors are made of. Plain wgpu, on a device of its own.

use std::time::{Duration, Instant};

use serde::Serialize;

/// Measured once per run, each the best of a few.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Hardware {
    /// Bytes read plus bytes written by a copy between two buffers on the device.
    pub copy_bytes_per_second: f64,
    /// Fused multiply-adds, single precision; one counts as two operations elsewhere.
    pub multiply_adds_per_second: f64,
    /// Bytes that a copy to host-visible memory moves, on the device's clock.
    pub download_copy_bytes_per_second: f64,
    /// Bytes that reach the host's own memory, from the request on.
    pub download_bytes_per_second: f64,
    /// Bytes that reach the device, from the request on.
    pub upload_bytes_per_second: f64,
    /// From submitting one tiny dispatch to knowing that it is done.
    pub submission_seconds: f64,
    /// Whether the two copies and the multiply-adds were timed by the device's clock; else by the host's.
    pub device_clock: bool,
    pub buffer_bytes: u64,
}

const REPETITIONS: usize = 5;

/// An open device for measurements.
pub struct Bare {
    pub device: wgpu::Device,
    pub queue: wgpu::Queue,
    /// Names of all features that the adapter has.
    pub features: Vec<String>,
    clock: Option<Clock>,
    buffer_bytes: u64,
}

struct Clock {
    queries: wgpu::QuerySet,
    resolved: wgpu::Buffer,
    staging: wgpu::Buffer,
    nanoseconds: f64,
}

impl Bare {
    /// Opens the adapter that the GPU engine lists under this number.
    pub fn open(index: usize, quick: bool) -> Result<Bare, String> {
        let mut descriptor = wgpu::InstanceDescriptor::new_without_display_handle_from_env();
        if std::env::var_os("WGPU_BACKEND").is_none() {
            descriptor.backends = wgpu::Backends::PRIMARY;
        }
        let adapters = pollster::block_on(wgpu::Instance::new(descriptor).enumerate_adapters(wgpu::Backends::all()));
        let adapter = adapters.get(index).ok_or("the adapter has gone")?;
        let clock = wgpu::Features::TIMESTAMP_QUERY | wgpu::Features::TIMESTAMP_QUERY_INSIDE_ENCODERS;
        let limits = adapter.limits();
        let opened = pollster::block_on(adapter.request_device(&wgpu::DeviceDescriptor {
            label: Some("measurements"),
            required_features: adapter.features() & clock,
            required_limits: limits.clone(),
            experimental_features: wgpu::ExperimentalFeatures::disabled(),
            memory_hints: wgpu::MemoryHints::Performance,
            trace: wgpu::Trace::Off,
        }));
        let (device, queue) = opened.map_err(|e| e.to_string())?;
        let has_clock = device.features().contains(clock);
        let clock = has_clock.then(|| Clock::new(&device, f64::from(queue.get_timestamp_period())));
        // Far beyond any cache where the device has one.
        let wanted = if quick { 32 << 20 } else { 1 << 30 };
        let buffer_bytes = limits.max_buffer_size.min(wanted) / 256 * 256;
        let features = adapter.features().iter_names().map(|(name, _)| name.to_owned()).collect();
        Ok(Bare { device, queue, features, clock, buffer_bytes })
    }

    pub fn buffer(&self, bytes: u64, usage: wgpu::BufferUsages) -> wgpu::Buffer {
        self.device.create_buffer(&wgpu::BufferDescriptor {
            label: None,
            size: bytes,
            usage,
            mapped_at_creation: false,
        })
    }

    pub fn storage(&self, bytes: u64) -> wgpu::Buffer {
        let usage = wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC | wgpu::BufferUsages::COPY_DST;
        self.buffer(bytes, usage)
    }

    pub fn uniform(&self, bytes: &[u8]) -> wgpu::Buffer {
        let buffer = self.buffer(bytes.len() as u64, wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST);
        self.queue.write_buffer(&buffer, 0, bytes);
        buffer
    }

    /// A kernel on its buffers, bound from 0 on.
    pub fn kernel(
        &self,
        text: &str,
        entry: &str,
        buffers: &[&wgpu::Buffer],
    ) -> (wgpu::ComputePipeline, wgpu::BindGroup) {
        let descriptor =
            wgpu::ShaderModuleDescriptor { label: Some(entry), source: wgpu::ShaderSource::Wgsl(text.into()) };
        let checks = wgpu::ShaderRuntimeChecks::unchecked();
        // SAFETY: the text is this bench's own: its one loop ends, and its indices lie within what is bound.
        let module = unsafe { self.device.create_shader_module_trusted(descriptor, checks) };
        let pipeline = self.device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: Some(entry),
            layout: None,
            module: &module,
            entry_point: Some(entry),
            compilation_options: wgpu::PipelineCompilationOptions::default(),
            cache: None,
        });
        let entries: Vec<_> = (0..)
            .zip(buffers)
            .map(|(binding, buffer)| wgpu::BindGroupEntry { binding, resource: buffer.as_entire_binding() })
            .collect();
        let layout = pipeline.get_bind_group_layout(0);
        let descriptor = wgpu::BindGroupDescriptor { label: None, layout: &layout, entries: &entries };
        let bindings = self.device.create_bind_group(&descriptor);
        (pipeline, bindings)
    }

    pub fn dispatch(
        encoder: &mut wgpu::CommandEncoder,
        (pipeline, bindings): &(wgpu::ComputePipeline, wgpu::BindGroup),
        groups: u32,
    ) {
        let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
        pass.set_pipeline(pipeline);
        pass.set_bind_group(0, bindings, &[]);
        pass.dispatch_workgroups(groups, 1, 1);
    }

    /// Encodes, submits and waits.
    pub fn submit(&self, work: impl FnOnce(&mut wgpu::CommandEncoder)) {
        let mut encoder = self.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        work(&mut encoder);
        self.queue.submit([encoder.finish()]);
        self.wait();
    }

    fn wait(&self) {
        self.device.poll(wgpu::PollType::wait_indefinitely()).expect("the device finishes what it was given");
    }

    /// The bytes of a buffer that can be mapped.
    pub fn read(&self, staging: &wgpu::Buffer) -> Vec<u8> {
        staging.map_async(wgpu::MapMode::Read, .., |mapped| mapped.expect("a staging buffer can be mapped"));
        self.wait();
        let bytes = staging.get_mapped_range(..).expect("it is mapped").to_vec();
        staging.unmap();
        bytes
    }

    /// Least seconds of some work on the device.
    fn device_seconds(&self, work: impl Fn(&mut wgpu::CommandEncoder)) -> f64 {
        let Some(clock) = &self.clock else {
            return best(|| self.submit(&work));
        };
        let seconds = || {
            self.submit(|encoder| {
                encoder.write_timestamp(&clock.queries, 0);
                work(encoder);
                encoder.write_timestamp(&clock.queries, 1);
                encoder.resolve_query_set(&clock.queries, 0..2, &clock.resolved, 0);
                encoder.copy_buffer_to_buffer(&clock.resolved, 0, &clock.staging, 0, 16);
            });
            let ticks: Vec<u64> = bytemuck::pod_collect_to_vec(&self.read(&clock.staging));
            ticks[1].saturating_sub(ticks[0]) as f64 * clock.nanoseconds / 1e9
        };
        (0..REPETITIONS).map(|_| seconds()).fold(f64::INFINITY, f64::min)
    }

    pub fn measure(&self, quick: bool) -> Hardware {
        let bytes = self.buffer_bytes;
        let (from, to) = (self.storage(bytes), self.storage(bytes));
        let copies = 4;
        let copy = self.device_seconds(|encoder| {
            for _ in 0..copies {
                encoder.copy_buffer_to_buffer(&from, 0, &to, 0, bytes);
            }
        });
        drop(to);

        let transfer = bytes.min(256 << 20);
        let staging = self.buffer(transfer, wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST);
        let download_copy =
            self.device_seconds(|encoder| encoder.copy_buffer_to_buffer(&from, 0, &staging, 0, transfer));
        let download = best(|| {
            self.submit(|encoder| encoder.copy_buffer_to_buffer(&from, 0, &staging, 0, transfer));
            self.read(&staging);
        });
        let host = vec![1_u8; transfer as usize];
        let upload = best(|| {
            self.queue.write_buffer(&from, 0, &host);
            self.submit(|_| ());
        });

        let (rounds, groups) = if quick { (256_u32, 64_u32) } else { (2048, 4096) };
        let factors = self.uniform(bytemuck::cast_slice(&[0.999_f32, 1e-3, 0.0, 0.0]));
        let sums = self.storage(1 << 20);
        let text = format!("const ROUNDS = {rounds}u;\n{}", include_str!("multiply_add.wgsl"));
        let kernel = self.kernel(&text, "multiply_add", &[&factors, &sums]);
        let tiny = best(|| self.submit(|encoder| Bare::dispatch(encoder, &kernel, 1)));
        let peak = self.device_seconds(|encoder| Bare::dispatch(encoder, &kernel, groups));
        let multiply_adds = 32.0 * f64::from(rounds) * 256.0 * f64::from(groups);

        Hardware {
            copy_bytes_per_second: (2 * copies * bytes) as f64 / copy,
            multiply_adds_per_second: multiply_adds / peak,
            download_copy_bytes_per_second: transfer as f64 / download_copy,
            download_bytes_per_second: transfer as f64 / download,
            upload_bytes_per_second: transfer as f64 / upload,
            submission_seconds: tiny,
            device_clock: self.clock.is_some(),
            buffer_bytes: bytes,
        }
    }
}

impl Clock {
    fn new(device: &wgpu::Device, nanoseconds: f64) -> Clock {
        let buffer = |usage| {
            let size = 16;
            device.create_buffer(&wgpu::BufferDescriptor { label: None, size, usage, mapped_at_creation: false })
        };
        let (ty, count) = (wgpu::QueryType::Timestamp, 2);
        Clock {
            queries: device.create_query_set(&wgpu::QuerySetDescriptor { label: None, ty, count }),
            resolved: buffer(wgpu::BufferUsages::QUERY_RESOLVE | wgpu::BufferUsages::COPY_SRC),
            staging: buffer(wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST),
            nanoseconds,
        }
    }
}

/// Least wall seconds, after a run that does not count.
fn best(mut run: impl FnMut()) -> f64 {
    run();
    let mut least = Duration::MAX;
    for _ in 0..REPETITIONS {
        let start = Instant::now();
        run();
        least = least.min(start.elapsed());
    }
    least.as_secs_f64()
}
