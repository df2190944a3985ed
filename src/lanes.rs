//! Eight problems side by side: entry `l` of every vector belongs to problem `l` of a group.
//!
//! Coordinate descent is a serial chain inside a problem and independent across problems, so the arithmetic of a group
//! is vector arithmetic without a shuffle. What a lane computes never depends on its neighbours.

use std::ops::Range;

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

/// Asks for the cache line of `values[at]`, which may lie beyond their end, to be brought to the second-level cache. The
/// first-level cache has room for few lines that are awaited: asked to go there, they would come at half the speed.
#[inline(always)]
pub fn prefetch(values: &[f64], at: usize) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T1, _mm_prefetch};
        // SAFETY: no access: an address that is not mapped is ignored. Every x86-64 processor has the instruction.
        unsafe { _mm_prefetch::<_MM_HINT_T1>(values.as_ptr().wrapping_add(at).cast()) }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (values, at);
}

/// Entries of row i of a triangle without its diagonal, kept row after row; those of n rows end where row n starts.
pub const fn below(i: usize) -> Range<usize> {
    let end = i * (i + 1) / 2;
    end - i..end
}

/// Entries of a row transposed at a time, where vectors cannot be: few enough to stay in the first-level cache, enough
/// that stores have settled before they are read as vectors.
const BLOCK: usize = 64;

/// How far ahead memory is asked for: eight streams are more than the processor follows by itself.
#[cfg(target_arch = "x86_64")]
const AHEAD: usize = 256;

/// Interleaves eight rows of equal length, `rows[l]` becoming lane l.
pub fn interleave(rows: &[&[f64]; LANES], out: &mut [Lanes]) {
    let mut done = 0;
    #[cfg(target_arch = "x86_64")]
    if let Some(simd) = pulp::x86::V4::try_new() {
        done = out.len() / LANES * LANES;
        let rows = rows.map(|row| row[..done].as_chunks().0);
        simd.vectorize(Transpose { simd, rows, out: out.as_chunks_mut().0 });
    }
    for start in (done..out.len()).step_by(BLOCK) {
        let end = (start + BLOCK).min(out.len());
        for (lane, row) in rows.iter().enumerate() {
            for (out, x) in out[start..end].iter_mut().zip(&row[start..end]) {
                out.0[lane] = *x;
            }
        }
    }
}

/// Transposes squares of eight by eight in registers.
#[cfg(target_arch = "x86_64")]
struct Transpose<'a> {
    simd: pulp::x86::V4,
    rows: [&'a [[f64; LANES]]; LANES],
    out: &'a mut [[Lanes; LANES]],
}

#[cfg(target_arch = "x86_64")]
impl pulp::NullaryFnOnce for Transpose<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        /// Of four pairs each, the first and third of `a`, then of `b`; and the second and fourth.
        const ODD: i32 = 0b10_00_10_00;
        const EVEN: i32 = 0b11_01_11_01;
        let Transpose { simd, rows, out } = self;
        let avx = simd.avx512f;
        for (at, square) in out.iter_mut().enumerate() {
            for row in rows {
                prefetch(row.as_flattened(), at * LANES + AHEAD);
            }
            // Pairs (row 2 p, row 2 p + 1) of columns 0, 2, 4, 6, and of columns 1, 3, 5, 7.
            let mut pairs = [[avx._mm512_setzero_pd(); 2]; 4];
            for p in 0..4 {
                let (a, b) = (pulp::cast(rows[2 * p][at]), pulp::cast(rows[2 * p + 1][at]));
                pairs[p] = [avx._mm512_unpacklo_pd(a, b), avx._mm512_unpackhi_pd(a, b)];
            }
            for c in 0..2 {
                let [a, b, d, e] = [pairs[0][c], pairs[1][c], pairs[2][c], pairs[3][c]];
                // Columns c and c + 4, then c + 2 and c + 6, of the first four rows and of the last.
                let (first, last) = (avx._mm512_shuffle_f64x2::<ODD>(a, b), avx._mm512_shuffle_f64x2::<ODD>(d, e));
                square[c] = pulp::cast(avx._mm512_shuffle_f64x2::<ODD>(first, last));
                square[c + 4] = pulp::cast(avx._mm512_shuffle_f64x2::<EVEN>(first, last));
                let (first, last) = (avx._mm512_shuffle_f64x2::<EVEN>(a, b), avx._mm512_shuffle_f64x2::<EVEN>(d, e));
                square[c + 2] = pulp::cast(avx._mm512_shuffle_f64x2::<ODD>(first, last));
                square[c + 6] = pulp::cast(avx._mm512_shuffle_f64x2::<EVEN>(first, last));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn row_l_becomes_lane_l() {
        for n in [0, 1, 7, 8, 9, 16, 67, 130] {
            let rows: Vec<Vec<f64>> =
                (0..LANES).map(|lane| (0..n).map(|at| (1000 * lane + at) as f64).collect()).collect();
            let mut out = vec![Lanes::default(); n];
            interleave(&std::array::from_fn(|lane| &rows[lane][..]), &mut out);
            for (at, lanes) in out.iter().enumerate() {
                assert_eq!(*lanes, Lanes(std::array::from_fn(|lane| rows[lane][at])), "{at} of {n}");
            }
        }
    }
}
