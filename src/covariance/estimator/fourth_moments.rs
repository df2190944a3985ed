//! Fourth moments of the rows of a problem, in one pass over them.
//!
//! In correlation units the fourth co-moments that an intensity is made of factor by rows:
//!
//! ```text
//! y_i = z_i / s0_i - m_i / (T s0_i)        p = sum_i y_i    q = sum_i y_i^2    c = sum_i y_i^3    f = sum_i y_i^4
//! A = sum_t omega_t q_t^2 / T              B = sum_t omega_t f_t / T           D = sum_t omega_t c_t p_t / T
//! ```
//!
//! That is T n work, where moments take T n^2. Eight rows are taken at a time, a lane each.

use pulp::{Arch, Simd, WithSimd};

use crate::lanes::{LANES, Lanes, vectors, vectors_mut};
use crate::panel::Panel;
use crate::real::Real;

/// Sums over the drawn rows, per row.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct FourthMoments<R> {
    /// A = mean (sum_i y_i^2)^2.
    pub norms: R,
    /// B = mean sum_i y_i^4.
    pub fourths: R,
    /// D = mean (sum_i y_i^3) (sum_i y_i).
    pub cubes: R,
}

/// How y follows from z: y = scale z - offset.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Units<R> {
    pub scale: R,
    pub offset: R,
}

impl<R: Real> Units<R> {
    /// From the mean of an asset over `rows` drawn rows, and its volatility of divisor T - 1.
    #[inline(always)]
    pub fn of(mean: R, volatility: R, rows: usize) -> Units<R> {
        let rows = rows as f64;
        let scale = R::from_f64((rows / (rows - 1.0)).sqrt()) / volatility;
        Units { scale, offset: mean * scale }
    }
}

/// Tiles whose rows are summed together: they share what is known of an asset.
const TOGETHER: usize = 4;

/// A panel in tiles of eight rows: of each tile, the rows of each asset side by side.
#[derive(Debug)]
pub struct RowTiles {
    assets: usize,
    rows: usize,
    /// Tiles x n, a whole number of [`TOGETHER`] tiles; rows beyond the last are zero.
    values: Vec<Lanes>,
    arch: Arch,
}

/// Room for a pass.
#[derive(Debug, Clone, Default)]
pub struct Room {
    weights: Vec<Lanes>,
    pub units: Vec<Units<f64>>,
}

impl RowTiles {
    pub fn new(panel: &Panel) -> RowTiles {
        let (rows, assets) = (panel.rows(), panel.assets());
        let tiles = rows.div_ceil(LANES * TOGETHER) * TOGETHER;
        let mut values = vec![Lanes::default(); tiles * assets];
        for (row, z) in panel.values().chunks_exact(assets).enumerate() {
            let tile = &mut values[row / LANES * assets..][..assets];
            tile.iter_mut().zip(z).for_each(|(lanes, z)| lanes.0[row % LANES] = *z);
        }
        RowTiles { assets, rows, values, arch: Arch::new() }
    }

    /// Of `total` drawn rows, where `weigh` says how often each row is; over the assets at these places, whose `units` are
    /// in `room`. With `cubes` all three sums, without it the norms alone.
    pub fn moments(
        &self,
        places: Option<&[u32]>,
        total: f64,
        cubes: bool,
        room: &mut Room,
        weigh: impl FnOnce(&mut [f64]),
    ) -> FourthMoments<f64> {
        let Room { weights, units } = room;
        // What lies beyond the last row stays zero.
        weights.resize(self.values.len() / self.assets, Lanes::default());
        weigh(&mut bytemuck::cast_slice_mut::<Lanes, f64>(weights)[..self.rows]);
        let sums = if cubes {
            self.arch.dispatch(Pass::<true> { tiles: self, places, weights, units })
        } else {
            self.arch.dispatch(Pass::<false> { tiles: self, places, weights, units })
        };
        let [norms, fourths, cubes] = sums.map(|sums| sums.0.iter().sum::<f64>() / total);
        FourthMoments { norms, fourths, cubes }
    }
}

struct Pass<'a, const CUBES: bool> {
    tiles: &'a RowTiles,
    places: Option<&'a [u32]>,
    weights: &'a [Lanes],
    units: &'a [Units<f64>],
}

impl<const CUBES: bool> WithSimd for Pass<'_, CUBES> {
    type Output = [Lanes; 3];

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> [Lanes; 3] {
        let Pass { tiles, places, weights, units } = self;
        let mut sums = [Lanes::default(); 3];
        let groups = tiles.values.chunks_exact(TOGETHER * tiles.assets).zip(weights.as_chunks::<TOGETHER>().0);
        for (values, weights) in groups {
            // Rows that were not drawn cost nothing.
            if weights.iter().all(|lanes| lanes.0 == [0.0; LANES]) {
                continue;
            }
            match places {
                None => add_rows::<S, CUBES>(simd, values, weights, units.iter().enumerate(), &mut sums),
                Some(places) => {
                    let assets = places.iter().map(|place| *place as usize).zip(units);
                    add_rows::<S, CUBES>(simd, values, weights, assets, &mut sums);
                }
            }
        }
        sums
    }
}

/// Adds what the rows of some tiles contribute to the sums.
#[inline(always)]
fn add_rows<'a, S: Simd, const CUBES: bool>(
    simd: S,
    values: &[Lanes],
    weights: &[Lanes; TOGETHER],
    assets: impl Iterator<Item = (usize, &'a Units<f64>)> + Clone,
    sums: &mut [Lanes; 3],
) {
    let v = LANES / S::F64_LANES;
    let n = values.len() / TOGETHER;
    let zero = simd.splat_f64s(0.0);
    for k in 0..v {
        let (mut p, mut q, mut c, mut f) = ([zero; TOGETHER], [zero; TOGETHER], [zero; TOGETHER], [zero; TOGETHER]);
        for (asset, units) in assets.clone() {
            let (scale, offset) = (simd.splat_f64s(units.scale), simd.splat_f64s(-units.offset));
            for r in 0..TOGETHER {
                let z = vectors::<S>(std::slice::from_ref(&values[r * n + asset]))[k];
                let y = simd.mul_add_e_f64s(z, scale, offset);
                if CUBES {
                    let square = simd.mul_f64s(y, y);
                    p[r] = simd.add_f64s(p[r], y);
                    q[r] = simd.add_f64s(q[r], square);
                    c[r] = simd.mul_add_e_f64s(square, y, c[r]);
                    f[r] = simd.mul_add_e_f64s(square, square, f[r]);
                } else {
                    q[r] = simd.mul_add_e_f64s(y, y, q[r]);
                }
            }
        }
        for r in 0..TOGETHER {
            let weight = vectors::<S>(std::slice::from_ref(&weights[r]))[k];
            let [norms, fourths, cubes] =
                sums.each_mut().map(|sum| &mut vectors_mut::<S>(std::slice::from_mut(sum))[k]);
            *norms = simd.mul_add_e_f64s(simd.mul_f64s(weight, q[r]), q[r], *norms);
            if CUBES {
                *fourths = simd.mul_add_e_f64s(weight, f[r], *fourths);
                *cubes = simd.mul_add_e_f64s(simd.mul_f64s(weight, c[r]), p[r], *cubes);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::panel::{Labels, Returns};

    /// As the formulas stand.
    fn plain(rows: &[Vec<f64>], weights: &[f64]) -> FourthMoments<f64> {
        let total: f64 = weights.iter().sum();
        let mean = |of: &dyn Fn(&[f64]) -> f64| {
            rows.iter().zip(weights).map(|(row, weight)| weight * of(row)).sum::<f64>() / total
        };
        let power = |row: &[f64], k: i32| row.iter().map(|y| y.powi(k)).sum::<f64>();
        FourthMoments {
            norms: mean(&|row| power(row, 2).powi(2)),
            fourths: mean(&|row| power(row, 4)),
            cubes: mean(&|row| power(row, 3) * power(row, 1)),
        }
    }

    #[test]
    fn eight_rows_at_a_time_make_the_sums_of_the_formulas() {
        let noise = |k: usize| (k as f64 * 0.754_877_666).fract() - 0.5;
        // Rows below, at and above whole tiles.
        for (rows, n) in [(3, 1), (31, 2), (32, 9), (33, 5), (200, 17)] {
            let returns = Returns {
                assets: (0..n).map(|i| i.to_string()).collect(),
                labels: Labels::Text(Vec::new()),
                values: (0..rows * n).map(|k| noise(k * k + 3) + 0.2 * noise(k / n)).collect(),
            };
            let panel = Panel::new(&returns).unwrap();
            let tiles = RowTiles::new(&panel);
            let weights: Vec<f64> = (0..rows).map(|t| (t % 3) as f64).collect();
            let total = weights.iter().sum();
            let unit = |i: usize| Units { scale: 1.0 + 0.1 * i as f64, offset: 0.3 * noise(i) };
            let all: Vec<u32> = (0..n as u32).collect();
            let some: Vec<u32> = all.iter().copied().step_by(2).collect();
            let mut room = Room::default();
            for places in [None, Some(&all[..]), Some(&some[..])] {
                let held = places.unwrap_or(&all);
                room.units = held.iter().map(|&i| unit(i as usize)).collect();
                let row = |row: &[f64]| -> Vec<f64> {
                    let y = |&i: &u32| row[i as usize] * unit(i as usize).scale - unit(i as usize).offset;
                    held.iter().map(y).collect()
                };
                let expected = plain(&panel.values().chunks_exact(n).map(row).collect::<Vec<_>>(), &weights);
                let found = tiles.moments(places, total, true, &mut room, |to| to.copy_from_slice(&weights));
                let norms = tiles.moments(places, total, false, &mut room, |to| to.copy_from_slice(&weights));
                let close = |a: f64, b: f64| (a - b).abs() <= 1e-13 * expected.norms;
                assert!(close(found.norms, expected.norms) && close(norms.norms, expected.norms), "{rows} x {n}");
                assert!(close(found.fourths, expected.fourths) && close(found.cubes, expected.cubes), "{rows} x {n}");
            }
        }
    }
}
