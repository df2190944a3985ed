//! What the shader compiler makes of float arithmetic: do error-free transformations survive it, and how does it round?

use bytemuck::{Pod, Zeroable};
use serde::Serialize;

use super::data::Random;
use super::hardware::Bare;

/// Shares are of all pairs; errors are the largest, in units in the last place.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Probe {
    pub pairs: u32,
    /// A product and the sum it enters become one instruction unasked.
    pub contracted_share: f64,
    /// `fma` rounds once, as its name says.
    pub fused_share: f64,
    /// Knuth's two-sum is exact as written: nothing is reassociated.
    pub two_sum_plain_share: f64,
    /// Two-sum and Dekker's two-product are exact with every step hidden from the compiler.
    pub two_sum_hidden_share: f64,
    pub two_product_hidden_share: f64,
    pub quotient_ulp: f64,
    pub square_root_ulp: f64,
    pub inverse_square_root_ulp: f64,
    /// Denormal results are kept; else they become zero.
    pub denormals_kept_share: f64,
}

/// `Answers` of `probe.wgsl`.
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct Answers {
    contracted: f32,
    fused: f32,
    sum_plain: f32,
    sum_hidden: f32,
    product_hidden: f32,
    quotient: f32,
    root: f32,
    inverse_root: f32,
    denormal: f32,
    padding: [f32; 3],
}

const PAIRS: u32 = 1 << 16;

pub fn probe(bare: &Bare) -> Probe {
    // Magnitudes between 2^-10 and 2^10: nothing overflows, and 2^-138 times any is denormal but not zero.
    let mut random = Random::new(11);
    let mut number = || {
        let size = (20.0 * random.uniform() - 10.0).exp2() as f32;
        if random.uniform() < 0.5 { -size } else { size }
    };
    let pairs: Vec<[f32; 2]> = (0..PAIRS).map(|_| [number(), number()]).collect();

    let given = bare.storage(size_of_val(&pairs[..]) as u64);
    bare.queue.write_buffer(&given, 0, bytemuck::cast_slice(&pairs));
    let bytes = u64::from(PAIRS) * size_of::<Answers>() as u64;
    let answers = bare.storage(bytes);
    let staging = bare.buffer(bytes, wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST);
    let setup = bare.uniform(bytemuck::cast_slice(&[PAIRS, 0, 0, 0]));
    let kernel = bare.kernel(include_str!("probe.wgsl"), "probe", &[&setup, &given, &answers]);
    bare.submit(|encoder| {
        Bare::dispatch(encoder, &kernel, PAIRS.div_ceil(64));
        encoder.copy_buffer_to_buffer(&answers, 0, &staging, 0, bytes);
    });
    let answers: Vec<Answers> = bytemuck::pod_collect_to_vec(&bare.read(&staging));

    let mut found = Probe { pairs: PAIRS, ..Probe::default() };
    let share = 1.0 / f64::from(PAIRS);
    for (&[x, y], a) in pairs.iter().zip(&answers) {
        let (wide_x, wide_y) = (f64::from(x), f64::from(y));
        // Exact in f64: a product of two f32 has 48 bits, and these sums at most 45.
        let product_error = (wide_x * wide_y - f64::from(x * y)) as f32;
        let sum_error = (wide_x + wide_y - f64::from(x + y)) as f32;
        let count = |claim: bool| if claim { share } else { 0.0 };
        found.contracted_share += count(a.contracted != 0.0);
        found.fused_share += count(a.fused == product_error);
        found.two_sum_plain_share += count(a.sum_plain == sum_error);
        found.two_sum_hidden_share += count(a.sum_hidden == sum_error);
        found.two_product_hidden_share += count(a.product_hidden == product_error);
        found.denormals_kept_share += count(a.denormal != 0.0);
        found.quotient_ulp = found.quotient_ulp.max(ulps(a.quotient, wide_x / wide_y));
        found.square_root_ulp = found.square_root_ulp.max(ulps(a.root, wide_x.abs().sqrt()));
        found.inverse_square_root_ulp =
            found.inverse_square_root_ulp.max(ulps(a.inverse_root, wide_x.abs().sqrt().recip()));
    }
    found
}

/// Distance from the truth in units of the last place of the nearest f32.
fn ulps(found: f32, truth: f64) -> f64 {
    let nearest = (truth as f32).abs();
    let unit = f64::from(nearest.next_up()) - f64::from(nearest);
    (f64::from(found) - truth).abs() / unit
}
