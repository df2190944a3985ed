//! Sums of pair products, what stage `moments` takes steps over: from a row to the end of its slice of the history, or up to a
//! row, the earlier ones counting less.

use super::device::Device;
use super::kernel::{self, steps_columns};
use super::plan::Plan;
use super::way::{SLICE_ROWS, tiles};
use crate::panel::Panel;
use crate::sampling::Weighting;

use rayon::prelude::*;

/// Some tiles of columns in one buffer.
pub struct Suffixes {
    pub first_tile: usize,
    pub tiles: usize,
    pub buffer: wgpu::Buffer,
}

/// How much less a row counts than the one after it, and what all rows of a resample count together.
#[derive(Debug, Clone, Copy)]
pub struct Decaying {
    lambda: f64,
    total: f64,
}

impl Decaying {
    /// None where all rows count alike. In units in which the divisor of the covariance is one.
    pub fn of(weighting: &Weighting, rows: usize) -> Option<Decaying> {
        let Weighting::Exponential(decay) = weighting else { return None };
        Some(Decaying { lambda: decay.lambda(), total: weighting.total(rows) / weighting.divisor(rows) })
    }
}

/// All tiles of a panel, in as many buffers as bindings ask for.
pub fn upload(device: &Device, plan: &Plan, panel: &Panel, decaying: Option<Decaying>) -> Vec<Suffixes> {
    let precision = plan.accuracy.precision;
    let (all, cells) = (tiles(plan.assets, precision), (panel.rows() + 1) * steps_columns(precision));
    (0..all)
        .step_by(plan.part_tiles)
        .map(|first_tile| {
            let tiles = plan.part_tiles.min(all - first_tile);
            let mut values = vec![0.0; tiles * cells];
            values.par_chunks_mut(cells).enumerate().for_each(|(tile, values)| {
                fill(panel, decaying, (first_tile + tile) * steps_columns(precision), values);
            });
            let buffer = device.upload("suffixes", &precision.encode(values.into_iter()));
            Suffixes { first_tile, tiles, buffer }
        })
        .collect()
}

/// T rows of R and one of T mean q, for the pairs (i, j) from `first` on; summed in f64.
///
/// ```text
/// q_t = z_ti z_tj      R_t = sum of (q_u - mean q) over rows u >= t of the slice of t
/// decaying:            R_t = lambda R_{t-1} + q_t - mean q, over all of the history; W mean q
/// ```
fn fill(panel: &Panel, decaying: Option<Decaying>, first: usize, values: &mut [f64]) {
    let n = panel.assets();
    let columns = values.len() / (panel.rows() + 1);
    let mut pairs = vec![(0, 0); columns.min(kernel::moment_entries(n) - first)];
    let (mut i, mut j) = (0, first);
    while j > i {
        i += 1;
        j -= i;
    }
    for pair in &mut pairs {
        *pair = (i, j);
        (i, j) = if j < i { (i, j + 1) } else { (i + 1, 0) };
    }
    // Column zero of the panel is a leading one.
    let value = |z: &[f64], i: usize| if i == 0 { 1.0 } else { z[i - 1] };
    let (suffixes, totals) = values.split_at_mut(panel.rows() * columns);

    let mut means = vec![0.0; columns];
    for z in panel.values().chunks_exact(n) {
        for (mean, &(i, j)) in means.iter_mut().zip(&pairs) {
            // The sum of the counts stays what it is.
            let counted = if i > 0 || decaying.is_some() { 1.0 } else { 0.0 };
            *mean += counted * value(z, i) * value(z, j);
        }
    }
    for (mean, total) in means.iter_mut().zip(totals) {
        *total = *mean;
        *mean /= panel.rows() as f64;
        if let Some(Decaying { total: all, .. }) = decaying {
            *total = *mean * all;
        }
    }
    if let Some(Decaying { lambda, .. }) = decaying {
        let mut sums = vec![0.0; columns];
        for (values, z) in suffixes.chunks_exact_mut(columns).zip(panel.values().chunks_exact(n)) {
            for (c, &(i, j)) in pairs.iter().enumerate() {
                sums[c] = lambda * sums[c] + (value(z, i) * value(z, j) - means[c]);
                values[c] = sums[c];
            }
        }
        return;
    }
    let slices = suffixes.chunks_mut(SLICE_ROWS * columns).zip(panel.values().chunks(SLICE_ROWS * n));
    for (suffixes, rows) in slices {
        let mut sums = vec![0.0; columns];
        for (suffixes, z) in suffixes.rchunks_exact_mut(columns).zip(rows.rchunks_exact(n)) {
            for (c, &(i, j)) in pairs.iter().enumerate() {
                sums[c] += value(z, i) * value(z, j) - means[c];
                suffixes[c] = sums[c];
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::gpu::precision::Precision;
    use crate::panel::{Labels, Returns};

    #[test]
    fn sums_start_anew_in_every_slice_and_pairs_are_packed_by_rows() {
        let (rows, n) = (600, 8);
        let values: Vec<f64> = (0..rows * n).map(|k| ((k * k + 7 * k) % 101) as f64).collect();
        let assets = (0..n).map(|i| i.to_string()).collect();
        let panel = Panel::new(&Returns { assets, labels: Labels::Text(Vec::new()), values }).unwrap();
        let led = |t: usize, i: usize| if i == 0 { 1.0 } else { panel.values()[t * n + i - 1] };
        let columns = steps_columns(Precision::Single);
        // Order n + 1 = 9: 45 entries, two tiles.
        for tile in 0..2 {
            let mut found = vec![0.0; (rows + 1) * columns];
            fill(&panel, None, tile * columns, &mut found);
            for t in [0, 5, 255, 256, 511, 512, 599] {
                let end = (t / SLICE_ROWS + 1) * SLICE_ROWS;
                let mut at = 0;
                for i in 0..=n {
                    for j in 0..=i {
                        if at / columns == tile {
                            let q = |u: usize| led(u, i) * led(u, j);
                            let total: f64 = if i > 0 { (0..rows).map(q).sum() } else { 0.0 };
                            let sum: f64 = (t..end.min(rows)).map(|u| q(u) - total / rows as f64).sum();
                            let found = |t: usize| found[t * columns + at % columns];
                            // Of the order of 100, summed in another order.
                            assert!((found(t) - sum).abs() <= 1e-11, "row {t}, entry {at}");
                            assert!((found(rows) - total).abs() <= 1e-10, "total of entry {at}");
                        }
                        at += 1;
                    }
                }
            }
        }
    }
}
