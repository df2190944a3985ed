//! Eight problems side by side: entry `l` of every vector belongs to problem `l` of a group.
//!
//! Coordinate descent is a serial chain inside a problem and independent across problems, so the arithmetic of a group
//! is vector arithmetic without a shuffle. What a lane computes never depends on its neighbours.

use bytemuck::{Pod, Zeroable};
use pulp::{Arch, Simd};

/// Problems of a group: a vector of AVX-512, two of AVX2.
pub const LANES: usize = 8;

/// The vector instructions that this machine offers and results depend on, by the last bits.
pub fn instructions() -> &'static str {
    match Arch::new() {
        #[cfg(target_arch = "x86_64")]
        Arch::V4(_) => "x86-64-v4",
        #[cfg(target_arch = "x86_64")]
        Arch::V3(_) => "x86-64-v3",
        #[cfg(target_arch = "aarch64")]
        Arch::Neon(_) => "neon",
        _ => "baseline",
    }
}

/// One value of each problem of a group, on one cache line.
#[derive(Debug, Clone, Copy, PartialEq, Pod, Zeroable)]
#[repr(C, align(64))]
pub struct Lanes(pub [f64; LANES]);

impl Lanes {
    pub const fn splat(x: f64) -> Lanes {
        Lanes([x; LANES])
    }
}

impl Default for Lanes {
    fn default() -> Self {
        Lanes::splat(0.0)
    }
}

/// Rows transposed at a time: short enough to stay in the first-level cache, long enough that stores have settled
/// before they are read as vectors.
const BLOCK: usize = 64;

/// Interleaves eight rows of equal length, `rows[l]` becoming lane l.
pub fn interleave(rows: &[&[f64]; LANES], out: &mut [Lanes]) {
    for start in (0..out.len()).step_by(BLOCK) {
        let end = (start + BLOCK).min(out.len());
        for (lane, row) in rows.iter().enumerate() {
            for (out, x) in out[start..end].iter_mut().zip(&row[start..end]) {
                out.0[lane] = *x;
            }
        }
    }
}

/// The vectors of `S` that a row of lanes is made of.
#[inline(always)]
pub fn vectors<S: Simd>(lanes: &[Lanes]) -> &[S::f64s] {
    S::as_simd_f64s(bytemuck::cast_slice(lanes)).0
}

#[inline(always)]
pub fn vectors_mut<S: Simd>(lanes: &mut [Lanes]) -> &mut [S::f64s] {
    S::as_mut_simd_f64s(bytemuck::cast_slice_mut(lanes)).0
}
