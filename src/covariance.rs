//! Building a problem's covariance: stages `moments` and `correlate`.
//!
//! With row counts c of a resample, a standardised panel z (T x n) and the divisor T - 1,
//!
//! ```text
//! m_i  = sum_t c_t z_ti        M_ij = sum_t c_t z_ti z_tj        (stage moments)
//! S_ij = (M_ij - m_i m_j / T) / (T - 1)
//! s_i  = sqrt(S_ii)            C_ij = S_ij / (s_i s_j)           (stage correlate)
//! ```
//!
//! Second moments are packed by rows of the lower triangle, diagonal included: M_ij at i (i + 1) / 2 + j, j <= i.
//! WGSL twins: `shaders/moments.wgsl`, `shaders/correlate.wgsl`.

use crate::panel::Panel;
use crate::real::Real;
use crate::resample::{Law, Restart};

/// Rows summed before they join the total: keeps rounding at the order of the tile, not of T.
pub const TILE_ROWS: usize = 64;

/// Below this share of its full-sample variance, an asset's variance in a resample is computed again from centred
/// rows: the difference of moments has lost too many digits.
pub const SUSPICIOUS_VARIANCE: f64 = 1.0 / 64.0;

/// An asset whose standard deviation over the drawn rows lies below this share of its mean size did not move.
const CONSTANT: f64 = 1024.0 * f64::EPSILON;

/// Blocks this long on average are summed by their ends (`bridge`), shorter ones row by row.
/// A run costs two additions a column, a row one multiply-add.
const BRIDGE_BLOCK_LENGTH: f64 = 4.0;

/// The bridge is kept whole up to this many bytes.
const BRIDGE_BYTES: usize = 128 << 20;

/// Entries of a packed lower triangle of order n, diagonal included.
pub const fn packed(n: usize) -> usize {
    n * (n + 1) / 2
}

/// Sums and second moments of the rows of `values` (T x n, row-major), each taken `counts` times.
pub fn moments<R: Real>(values: &[R], counts: &[u32], sums: &mut [R], products: &mut [R], tile: &mut Vec<R>) {
    let n = sums.len();
    sums.fill(R::ZERO);
    products.fill(R::ZERO);
    tile.clear();
    tile.resize(n + products.len(), R::ZERO);
    for (rows, counts) in values.chunks(TILE_ROWS * n).zip(counts.chunks(TILE_ROWS)) {
        let (tile_sums, tile_products) = tile.split_at_mut(n);
        tile_sums.fill(R::ZERO);
        tile_products.fill(R::ZERO);
        for (z, &count) in rows.chunks_exact(n).zip(counts) {
            if count == 0 {
                continue;
            }
            let count = R::from_f64(f64::from(count));
            let mut at = 0;
            for i in 0..n {
                let weighted = count * z[i];
                tile_sums[i] += weighted;
                for (product, &zj) in tile_products[at..=at + i].iter_mut().zip(&z[..=i]) {
                    *product += weighted * zj;
                }
                at += i + 1;
            }
        }
        for (sum, &part) in sums.iter_mut().zip(&*tile_sums) {
            *sum += part;
        }
        for (product, &part) in products.iter_mut().zip(&*tile_products) {
            *product += part;
        }
    }
}

/// Correlations (n x n, row-major, unit diagonal) and volatilities from moments over `rows` rows. Returns the smallest
/// variance; where it is not positive, the correlations mean nothing.
pub fn correlate<R: Real>(sums: &[R], products: &[R], rows: usize, correlation: &mut [R], volatilities: &mut [R]) -> R {
    let n = sums.len();
    let per_row = R::ONE / R::from_f64(rows as f64);
    let divisor = R::ONE / R::from_f64((rows - 1) as f64);
    let mut at = 0;
    let mut smallest = R::from_f64(f64::INFINITY);
    for i in 0..n {
        let mean = sums[i] * per_row;
        for j in 0..=i {
            correlation[i * n + j] = (products[at + j] - mean * sums[j]) * divisor;
        }
        at += i + 1;
        let variance = correlation[i * n + i];
        if !(variance >= smallest) {
            smallest = variance;
        }
        volatilities[i] = variance.sqrt();
    }
    scale_to_correlation(correlation, volatilities);
    smallest
}

/// Divides the lower triangle of a covariance by the volatilities and mirrors it.
fn scale_to_correlation<R: Real>(matrix: &mut [R], volatilities: &[R]) {
    let n = volatilities.len();
    for i in 0..n {
        let scale = R::ONE / volatilities[i];
        for j in 0..i {
            let c = matrix[i * n + j] * scale / volatilities[j];
            matrix[i * n + j] = c;
            matrix[j * n + i] = c;
        }
        matrix[i * n + i] = R::ONE;
    }
}

/// Prefix sums of the pair products, tied down at both ends (a bridge):
///
/// ```text
/// q_t = (z_t, packed z_t z_t')     B_t = sum_{u < t} (q_u - mean q)     B_0 = B_T = 0
/// sum of q over rows [s, e) = B_e - B_s + (e - s) mean q
/// ```
///
/// so a block of any length costs two rows of B, and a block that wraps past T costs nothing more than its ends.
#[derive(Debug)]
struct Bridge {
    /// (T + 1) x (n + packed n).
    prefix: Vec<f64>,
    /// T times mean q: what all runs of a resample add up to beside their ends.
    total: Vec<f64>,
}

impl Bridge {
    fn new(panel: &Panel) -> Bridge {
        let (rows, n) = (panel.rows(), panel.assets());
        let columns = n + packed(n);
        let fill = |q: &mut [f64], z: &[f64]| {
            let (sums, products) = q.split_at_mut(n);
            sums.copy_from_slice(z);
            let mut at = 0;
            for i in 0..n {
                for j in 0..=i {
                    products[at + j] = z[i] * z[j];
                }
                at += i + 1;
            }
        };
        let mut q = vec![0.0; columns];
        let mut total = vec![0.0; columns];
        for z in panel.values().chunks_exact(n) {
            fill(&mut q, z);
            for (total, q) in total.iter_mut().zip(&q) {
                *total += q;
            }
        }
        let mut prefix = vec![0.0; (rows + 1) * columns];
        for (t, z) in panel.values().chunks_exact(n).enumerate().take(rows - 1) {
            fill(&mut q, z);
            let (before, after) = prefix.split_at_mut((t + 1) * columns);
            for (column, (next, previous)) in after.iter_mut().zip(&before[t * columns..]).enumerate() {
                *next = previous + (q[column] - total[column] / rows as f64);
            }
        }
        Bridge { prefix, total }
    }

    fn moments(&self, law: &Law, resample: u64, sums: &mut [f64], products: &mut [f64]) {
        let (n, columns) = (sums.len(), self.total.len());
        sums.copy_from_slice(&self.total[..n]);
        products.copy_from_slice(&self.total[n..]);
        law.runs(resample, |start, length| {
            let end = start + length;
            let end = if end > law.rows { end - law.rows } else { end };
            let row = |t: u32| &self.prefix[t as usize * columns..][..columns];
            let (head, tail) = (row(start), row(end));
            for ((sum, &s), &e) in sums.iter_mut().zip(head).zip(tail) {
                *sum += e - s;
            }
            for ((product, &s), &e) in products.iter_mut().zip(&head[n..]).zip(&tail[n..]) {
                *product += e - s;
            }
        });
    }
}

/// One problem's covariance, as its correlations and volatilities, and the room to build the next one in.
#[derive(Debug, Clone, Default)]
pub struct Workspace {
    pub correlation: Vec<f64>,
    pub volatilities: Vec<f64>,
    counts: Vec<u32>,
    moments: Vec<f64>,
    tile: Vec<f64>,
}

/// Builds the covariance of any resample of a panel. Which way is taken depends on (T, n, mean block length) alone.
#[derive(Debug)]
pub struct Resampler<'a> {
    panel: &'a Panel,
    law: Law,
    bridge: Option<Bridge>,
}

impl<'a> Resampler<'a> {
    pub fn new(panel: &'a Panel, law: Law) -> Resampler<'a> {
        let n = panel.assets();
        let bytes = (panel.rows() + 1) * (n + packed(n)) * size_of::<f64>();
        let pays = law.restart != Restart::Always && law.mean_block_length() >= BRIDGE_BLOCK_LENGTH;
        Resampler { panel, law, bridge: (pays && bytes <= BRIDGE_BYTES).then(|| Bridge::new(panel)) }
    }

    /// Entries of one problem's moments: n sums, then the packed second moments.
    pub fn entries(&self) -> usize {
        self.panel.assets() + packed(self.panel.assets())
    }

    /// Sums and packed second moments of a resample.
    pub fn moments(&self, resample: u64, work: &mut Workspace, moments: &mut [f64]) {
        let (sums, products) = moments.split_at_mut(self.panel.assets());
        if let Some(bridge) = &self.bridge {
            bridge.moments(&self.law, resample, sums, products);
        } else {
            work.counts.resize(self.panel.rows(), 0);
            self.law.counts(resample, &mut work.counts);
            self::moments(self.panel.values(), &work.counts, sums, products, &mut work.tile);
        }
    }

    /// Covariance of a resample, in standardised units. False where some asset's variance is zero over the drawn rows.
    pub fn covariance(&self, resample: u64, work: &mut Workspace) -> bool {
        let (rows, n) = (self.panel.rows(), self.panel.assets());
        work.correlation.resize(n * n, 0.0);
        work.volatilities.resize(n, 0.0);
        let mut moments = std::mem::take(&mut work.moments);
        moments.resize(self.entries(), 0.0);
        self.moments(resample, work, &mut moments);
        work.moments = moments;
        work.counts.resize(rows, 0);
        let Workspace { correlation, volatilities, counts, moments, .. } = work;
        let (sums, products) = moments.split_at_mut(n);
        if correlate(sums, products, rows, correlation, volatilities) >= SUSPICIOUS_VARIANCE {
            return true;
        }
        self.law.counts(resample, counts);
        centred_covariance(self.panel.values(), counts, sums, correlation);
        let mut moves = true;
        for i in 0..n {
            let variance = correlation[i * n + i];
            moves &= variance > (CONSTANT * sums[i] / rows as f64).powi(2);
            volatilities[i] = variance.sqrt();
        }
        if moves {
            scale_to_correlation(correlation, volatilities);
        }
        moves
    }
}

/// The covariance again, from rows centred by their mean: nothing cancels. Lower triangle of `covariance`; `sums` are
/// overwritten with the sums over the drawn rows.
fn centred_covariance(values: &[f64], counts: &[u32], sums: &mut [f64], covariance: &mut [f64]) {
    let n = sums.len();
    let drawn = || values.chunks_exact(n).zip(counts).filter(|(_, count)| **count > 0);
    sums.fill(0.0);
    for (z, &count) in drawn() {
        for (sum, &z) in sums.iter_mut().zip(z) {
            *sum += f64::from(count) * z;
        }
    }
    let rows = counts.len() as f64;
    covariance.fill(0.0);
    for (z, &count) in drawn() {
        for i in 0..n {
            let weighted = f64::from(count) / (rows - 1.0) * (z[i] - sums[i] / rows);
            for j in 0..=i {
                covariance[i * n + j] += weighted * (z[j] - sums[j] / rows);
            }
        }
    }
}

/// The covariance of the whole history: correlations and volatilities per period.
pub fn full_sample(panel: &Panel) -> (Vec<f64>, Vec<f64>) {
    let (rows, n) = (panel.rows(), panel.assets());
    let (mut sums, mut products) = (vec![0.0; n], vec![0.0; packed(n)]);
    let (mut correlation, mut volatilities) = (vec![0.0; n * n], vec![0.0; n]);
    moments(panel.values(), &vec![1; rows], &mut sums, &mut products, &mut Vec::new());
    correlate(&sums, &products, rows, &mut correlation, &mut volatilities);
    volatilities.iter_mut().zip(panel.volatilities()).for_each(|(s, unit)| *s *= unit);
    (correlation, volatilities)
}
