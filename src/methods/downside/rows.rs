//! A history of returns, laid out for passes over its rows: prepared once for all problems that draw from it.

use crate::lanes::{LANES, Lanes};

/// Blocks of eight rows that a pass takes at a time, so that they share each load and store of a sum.
pub const TOGETHER: usize = 4;

#[derive(Debug, Clone, PartialEq)]
pub struct Rows {
    count: usize,
    /// Mean of each asset over all rows: taken from the values, so that little cancels in a pass.
    centre: Vec<f64>,
    /// Row after row, each filled up with zeros to whole vectors.
    padded: Vec<Lanes>,
    /// Eight rows side by side, n vectors each. Zeros fill up the last blocks.
    blocks: Vec<Lanes>,
}

impl Rows {
    /// Of values, rows x assets, row-major. None where there are no rows, or a number or mean is not finite.
    ///
    /// # Panics
    /// Values that are no whole rows.
    pub fn new(values: &[f64], assets: usize) -> Option<Rows> {
        assert!(assets > 0 && values.len().is_multiple_of(assets), "{} values of {assets} assets", values.len());
        let count = values.len() / assets;
        u32::try_from(count).ok().filter(|&count| count > 0)?;
        let mut centre = vec![0.0; assets];
        for row in values.chunks_exact(assets) {
            for (mean, x) in centre.iter_mut().zip(row) {
                *mean += x / count as f64;
            }
        }
        let width = assets.div_ceil(LANES);
        let mut padded = vec![Lanes::default(); count * width];
        let mut blocks = vec![Lanes::default(); count.div_ceil(LANES * TOGETHER) * TOGETHER * assets];
        for (row, values) in values.chunks_exact(assets).enumerate() {
            for (i, x) in values.iter().enumerate() {
                let x = x - centre[i];
                padded[row * width + i / LANES].0[i % LANES] = x;
                blocks[row / LANES * assets + i].0[row % LANES] = x;
            }
        }
        let finite =
            centre.iter().all(|mean| mean.is_finite()) && padded.iter().all(|x| x.0.iter().all(|x| x.is_finite()));
        finite.then_some(Rows { count, centre, padded, blocks })
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.count
    }

    pub fn assets(&self) -> usize {
        self.centre.len()
    }

    /// What was taken from the values.
    pub fn centre(&self) -> &[f64] {
        &self.centre
    }

    /// One row, less the centre, filled up with zeros.
    #[inline(always)]
    pub fn padded(&self, row: usize) -> &[Lanes] {
        let width = self.assets().div_ceil(LANES);
        &self.padded[row * width..][..width]
    }

    /// One row, less the centre.
    #[inline(always)]
    pub fn row(&self, row: usize) -> &[f64] {
        &bytemuck::cast_slice(self.padded(row))[..self.assets()]
    }

    /// Eight rows each, in fours, less the centre.
    #[inline(always)]
    pub fn fours(&self) -> std::slice::ChunksExact<'_, Lanes> {
        self.blocks.chunks_exact(TOGETHER * self.assets())
    }
}
