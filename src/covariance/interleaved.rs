//! Stage `correlate` for eight problems at once, a lane each: from interleaved moments or matrices to interleaved
//! correlations and volatilities.

use pulp::{Arch, Simd, WithSimd};

use crate::covariance::estimator::Estimator;
use crate::covariance::estimator::fourth_moments::FourthMoments;
use crate::covariance::estimator::shrinkage::{Pairs, Shrinkage};
use crate::covariance::{Drawn, SUSPICIOUS_VARIANCE};
use crate::lanes::{LANES, Lanes, below, vectors, vectors_mut};

/// Correlations below the diagonal ([`below`]) and volatilities of eight problems from their interleaved moments (n sums,
/// then packed second moments) over the rows that each has drawn. Returns which lanes have variances that can be trusted.
pub fn correlate(
    arch: Arch,
    moments: &[Lanes],
    drawn: [Drawn; LANES],
    correlation: &mut [Lanes],
    volatilities: &mut [Lanes],
    inverses: &mut [Lanes],
) -> [bool; LANES] {
    arch.dispatch(Correlate { moments, drawn, correlation, volatilities, inverses })
}

struct Correlate<'a> {
    moments: &'a [Lanes],
    drawn: [Drawn; LANES],
    correlation: &'a mut [Lanes],
    volatilities: &'a mut [Lanes],
    /// 1 / sigma.
    inverses: &'a mut [Lanes],
}

impl WithSimd for Correlate<'_> {
    type Output = [bool; LANES];

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Self::Output {
        let Correlate { moments, drawn, correlation, volatilities, inverses } = self;
        let n = volatilities.len();
        let v = LANES / S::F64_LANES;
        let inverse_rows = [Lanes(drawn.map(|drawn| 1.0 / drawn.total))];
        let divisors = [Lanes(drawn.map(|drawn| 1.0 / drawn.divisor))];
        let (inverse_rows, divisors) = (vectors::<S>(&inverse_rows), vectors::<S>(&divisors));
        let (one, zero) = (simd.splat_f64s(1.0), simd.splat_f64s(0.0));
        let (sums, products) = moments.split_at(n);
        let (sums, products) = (vectors::<S>(sums), vectors::<S>(products));
        let (volatilities, inverses) = (vectors_mut::<S>(volatilities), vectors_mut::<S>(inverses));
        let mut trusted = Lanes::default();
        for k in 0..v {
            let (per_row, divisor) = (inverse_rows[k], divisors[k]);
            let mut smallest = simd.splat_f64s(f64::INFINITY);
            let mut first = 0;
            for i in 0..n {
                // S_ii = (M_ii - m_i m_i / W) / (W - W2 / W), as below.
                let diagonal = products[(first + i) * v + k];
                let mean = simd.mul_f64s(sums[i * v + k], per_row);
                let cross = simd.mul_f64s(mean, sums[i * v + k]);
                let variance = simd.mul_f64s(simd.sub_f64s(diagonal, cross), divisor);
                smallest = simd.min_f64s(smallest, variance);
                let positive = simd.less_than_f64s(zero, variance);
                volatilities[i * v + k] = simd.sqrt_f64s(simd.select_f64s(positive, variance, one));
                inverses[i * v + k] = simd.div_f64s(one, volatilities[i * v + k]);
                first += i + 1;
            }
            let good = simd.less_than_or_equal_f64s(simd.splat_f64s(SUSPICIOUS_VARIANCE), smallest);
            vectors_mut::<S>(std::slice::from_mut(&mut trusted))[k] = simd.select_f64s(good, one, zero);
            let mut at = 0;
            for i in 0..n {
                let mean = simd.mul_f64s(sums[i * v + k], per_row);
                let scale = simd.mul_f64s(divisor, inverses[i * v + k]);
                let row = vectors_mut::<S>(&mut correlation[below(i)]);
                for j in 0..i {
                    let cross = simd.mul_f64s(mean, sums[j * v + k]);
                    let covariance = simd.sub_f64s(products[(at + j) * v + k], cross);
                    row[j * v + k] = simd.mul_f64s(simd.mul_f64s(covariance, scale), inverses[j * v + k]);
                }
                at += i + 1;
            }
        }
        trusted.0.map(|flag| flag > 0.5)
    }
}

/// Stage `shrink`: correlations below the diagonal of eight problems of `assets` assets, over so many rows each, become what
/// an estimator makes of them. Returns the intensities, where it has one.
pub fn shrink(
    arch: Arch,
    estimator: Estimator,
    assets: usize,
    rows: [usize; LANES],
    moments: &[FourthMoments<f64>; LANES],
    correlation: &mut [Lanes],
) -> Option<[f64; LANES]> {
    arch.dispatch(Shrink { estimator, assets, rows, moments, correlation })
}

struct Shrink<'a> {
    estimator: Estimator,
    assets: usize,
    rows: [usize; LANES],
    moments: &'a [FourthMoments<f64>; LANES],
    correlation: &'a mut [Lanes],
}

impl WithSimd for Shrink<'_> {
    type Output = Option<[f64; LANES]>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> Self::Output {
        let Shrink { estimator, assets, rows, moments, correlation } = self;
        let pairs = Pairs::of(correlation.iter().map(|lanes| &lanes.0));
        let mut all = [Shrinkage::none(0.0); LANES];
        for lane in 0..LANES {
            all[lane] = Shrinkage::of(estimator, assets, rows[lane], pairs[lane], moments[lane])?;
        }
        for lanes in correlation {
            for lane in 0..LANES {
                lanes.0[lane] = all[lane].apply(lanes.0[lane]);
            }
        }
        Some(all.map(|shrinkage| shrinkage.intensity))
    }
}

/// As [`crate::methods::risk_budgeting::validity::check`] without the search for negative variances, for eight interleaved matrices
/// (n x n): correlations below the diagonal, volatilities and their inverses. Returns which lanes are sound; the others
/// need a closer look.
pub fn scale(
    arch: Arch,
    matrices: &[Lanes],
    correlation: &mut [Lanes],
    volatilities: &mut [Lanes],
    inverses: &mut [Lanes],
    rounding: f64,
) -> [bool; LANES] {
    arch.dispatch(Scale { matrices, correlation, volatilities, inverses, rounding })
}

struct Scale<'a> {
    matrices: &'a [Lanes],
    correlation: &'a mut [Lanes],
    volatilities: &'a mut [Lanes],
    inverses: &'a mut [Lanes],
    rounding: f64,
}

/// Rows and columns that are met with their mirror images at a time: whole rows would meet a column on as many pages.
const BLOCK: usize = 8;

impl WithSimd for Scale<'_> {
    type Output = [bool; LANES];

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Self::Output {
        let Scale { matrices, correlation, volatilities, inverses, rounding } = self;
        let n = volatilities.len();
        let v = LANES / S::F64_LANES;
        let matrices = vectors::<S>(matrices);
        let (volatilities, inverses) = (vectors_mut::<S>(volatilities), vectors_mut::<S>(inverses));
        let (zero, one, half) = (simd.splat_f64s(0.0), simd.splat_f64s(1.0), simd.splat_f64s(0.5));
        let mut sound = Lanes::default();
        for k in 0..v {
            let (mut smallest, mut largest) = (simd.splat_f64s(f64::INFINITY), zero);
            // A sum, since a largest value would let what is not a number slip through.
            let (mut sizes, mut gap, mut beyond) = (zero, zero, zero);
            for i in 0..n {
                let variance = matrices[(i * n + i) * v + k];
                smallest = simd.min_f64s(smallest, variance);
                largest = simd.max_f64s(largest, variance);
                volatilities[i * v + k] = simd.sqrt_f64s(variance);
                inverses[i * v + k] = simd.div_f64s(one, volatilities[i * v + k]);
                sizes = simd.add_f64s(sizes, inverses[i * v + k]);
            }
            for first in (0..n).step_by(BLOCK) {
                for column in (0..=first).step_by(BLOCK) {
                    for i in first..n.min(first + BLOCK) {
                        let (row, scale) = (vectors_mut::<S>(&mut correlation[below(i)]), inverses[i * v + k]);
                        for j in column..i.min(column + BLOCK) {
                            let inverse = simd.mul_f64s(scale, inverses[j * v + k]);
                            let lower = simd.mul_f64s(matrices[(i * n + j) * v + k], inverse);
                            let upper = simd.mul_f64s(matrices[(j * n + i) * v + k], inverse);
                            let c = simd.mul_f64s(half, simd.add_f64s(lower, upper));
                            sizes = simd.add_f64s(sizes, simd.abs_f64s(c));
                            gap = simd.max_f64s(gap, simd.abs_f64s(simd.sub_f64s(lower, upper)));
                            beyond = simd.max_f64s(beyond, simd.abs_f64s(c));
                            row[j * v + k] = c;
                        }
                    }
                }
            }
            let mut good = simd.less_than_f64s(zero, smallest);
            // Volatilities far apart are looked at one by one, and so is whatever cannot be divided by safely.
            good = simd.and_m64s(good, simd.less_than_f64s(simd.mul_f64s(largest, simd.splat_f64s(1e-20)), smallest));
            good = simd.and_m64s(good, simd.less_than_f64s(simd.splat_f64s(1e-200), smallest));
            good = simd.and_m64s(good, simd.less_than_f64s(largest, simd.splat_f64s(1e200)));
            good = simd.and_m64s(good, simd.less_than_f64s(sizes, simd.splat_f64s(f64::MAX)));
            good = simd.and_m64s(good, simd.less_than_or_equal_f64s(gap, simd.splat_f64s(rounding)));
            good = simd.and_m64s(good, simd.less_than_or_equal_f64s(beyond, simd.splat_f64s(1.0 + rounding)));
            vectors_mut::<S>(std::slice::from_mut(&mut sound))[k] = simd.select_f64s(good, one, zero);
        }
        sound.0.map(|flag| flag > 0.5)
    }
}
