//! The rows of a problem that count, laid out for passes over all of them: eight rows side by side.
//!
//! ```text
//! d_t = x_t - m,  m = 1/W sum_t omega_t x_t,  W = sum_t omega_t        centred
//! d_t = x_t + o                                                        raw: o is what was taken from the returns
//! ```

use super::Problem;
use crate::lanes::{LANES, Lanes};

/// Sizes below this share of the mean may be rounding: it is looked at whether the asset moves at all.
const SUSPICIOUS: f64 = 1e-10;

/// What the rows are measured from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Origin<'a> {
    /// Their mean.
    Mean,
    /// Zero, of returns from which this was taken, in the units of the values.
    Zero(&'a [f64]),
}

#[derive(Debug, Clone, Default)]
pub struct Drawn {
    /// Rows that count, in rising order.
    numbers: Vec<u32>,
    /// Omega, then zeros up to whole eights.
    counts: Vec<f64>,
    /// Ceil(rows / 8) x n: entry l of block k is row 8 k + l; the last row fills up the last block.
    blocks: Vec<Lanes>,
    /// What is added to values: -m or o.
    offsets: Vec<f64>,
    /// sqrt(1/W sum omega d_i^2).
    sizes: Vec<f64>,
    /// W.
    total: f64,
    sums: Vec<Lanes>,
}

impl Drawn {
    /// Reads the rows of a valid problem. False where none counts, a number is not finite, or an asset never moves from
    /// the mean.
    #[inline(always)]
    pub fn read(&mut self, problem: &Problem, origin: Origin) -> bool {
        let n = problem.budgets.len();
        let Drawn { numbers, counts, blocks, offsets, sizes, total, sums } = self;
        // Every row is written, and written over where it does not count: whether it does cannot be foretold.
        numbers.resize(problem.counts.len() + LANES, 0);
        let mut found = 0;
        for (row, &count) in (0..).zip(problem.counts) {
            numbers[found] = row;
            found += usize::from(count > 0.0);
        }
        let Some(last) = found.checked_sub(1) else { return false };
        let whole = found.next_multiple_of(LANES);
        let filling = numbers[last];
        numbers[found..whole].fill(filling);
        counts.clear();
        counts.extend(numbers[..found].iter().map(|&row| problem.counts[row as usize]));
        counts.resize(whole, 0.0);
        *total = counts.iter().sum();

        blocks.resize(whole / LANES * n, Lanes::default());
        sums.clear();
        sums.resize(n, Lanes::default());
        let (fours, _) = numbers[..whole].as_chunks::<LANES>();
        let (weights, _) = counts.as_chunks::<LANES>();
        for ((block, numbers), counts) in blocks.chunks_exact_mut(n).zip(fours).zip(weights) {
            let mut rows: [&[f64]; LANES] = [&[]; LANES];
            for l in 0..LANES {
                rows[l] = &problem.values[numbers[l] as usize * n..][..n];
            }
            for i in 0..n {
                for l in 0..LANES {
                    block[i].0[l] = rows[l][i];
                }
                for l in 0..LANES {
                    sums[i].0[l] += counts[l] * block[i].0[l];
                }
            }
        }
        numbers.truncate(found);
        offsets.clear();
        match origin {
            Origin::Mean => offsets.extend(sums.iter().map(|lanes| -(sum(lanes) / *total))),
            Origin::Zero(taken) => offsets.extend_from_slice(taken),
        }

        sums.fill(Lanes::default());
        for (block, counts) in blocks.chunks_exact_mut(n).zip(weights) {
            for i in 0..n {
                for l in 0..LANES {
                    block[i].0[l] += offsets[i];
                    sums[i].0[l] += counts[l] * (block[i].0[l] * block[i].0[l]);
                }
            }
        }
        sizes.clear();
        sizes.extend(sums.iter().map(|lanes| (sum(lanes) / *total).sqrt()));
        let finite = sizes.iter().zip(&*offsets).all(|(size, offset)| size.is_finite() && offset.is_finite());
        finite && (origin != Origin::Mean || (0..n).all(|i| self.moves(problem, i)))
    }

    /// Whether an asset of centred rows moves.
    #[inline(always)]
    fn moves(&self, problem: &Problem, asset: usize) -> bool {
        self.sizes[asset] > SUSPICIOUS * self.offsets[asset].abs() || self.differs(problem, asset)
    }

    #[cold]
    fn differs(&self, problem: &Problem, asset: usize) -> bool {
        let value = |row: &u32| problem.values[*row as usize * problem.budgets.len() + asset];
        self.sizes[asset] > 0.0 && self.numbers.iter().any(|row| value(row) != value(&self.numbers[0]))
    }

    /// Rows that count.
    pub fn len(&self) -> usize {
        self.numbers.len()
    }

    /// Which row of the problem is at this position.
    pub fn number(&self, position: usize) -> usize {
        self.numbers[position] as usize
    }

    /// What the rows count, then zeros up to whole eights.
    pub fn counts(&self) -> &[f64] {
        &self.counts
    }

    pub fn total(&self) -> f64 {
        self.total
    }

    pub fn sizes(&self) -> &[f64] {
        &self.sizes
    }

    /// Eight rows each, asset by asset.
    #[inline(always)]
    pub fn blocks(&self) -> std::slice::ChunksExact<'_, Lanes> {
        self.blocks.chunks_exact(self.offsets.len())
    }

    /// The row at this position, from the values of the problem.
    #[inline(always)]
    pub fn row<'a>(&'a self, values: &'a [f64], position: usize) -> impl Iterator<Item = f64> + 'a {
        let n = self.offsets.len();
        values[self.number(position) * n..][..n].iter().zip(&self.offsets).map(|(x, offset)| x + offset)
    }

    /// losses = -d'y.
    #[inline(always)]
    pub fn losses(&self, y: &[f64], losses: &mut Vec<Lanes>) {
        losses.resize(self.counts.len() / LANES, Lanes::default());
        for (losses, block) in losses.iter_mut().zip(self.blocks()) {
            let mut sum = [0.0; LANES];
            for (d, &y) in block.iter().zip(y) {
                for l in 0..LANES {
                    sum[l] -= d.0[l] * y;
                }
            }
            losses.0 = sum;
        }
    }

    /// gradient_i = -sum_t p_t d_ti, over the rows at these positions.
    #[inline(always)]
    pub fn gradient(&self, values: &[f64], rows: &[u32], shares: &[f64], gradient: &mut [f64]) {
        gradient.fill(0.0);
        for (&row, &p) in rows.iter().zip(shares) {
            if p > 0.0 {
                for (g, d) in gradient.iter_mut().zip(self.row(values, row as usize)) {
                    *g -= p * d;
                }
            }
        }
    }
}

/// The lanes together, in a fixed order.
#[inline(always)]
pub fn sum(lanes: &Lanes) -> f64 {
    let [a, b, c, d, e, f, g, h] = lanes.0;
    ((a + b) + (c + d)) + ((e + f) + (g + h))
}
