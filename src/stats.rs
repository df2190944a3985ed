//! Statistics of samples, as pure functions on slices. Sums run in index order, so that results are reproducible.

use std::cmp::Ordering;

/// Mean; NaN for no values.
pub fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Mean, standard deviation (divisor count - 1) and fourth standardised moment of a sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moments {
    pub mean: f64,
    /// NaN below two values.
    pub sd: f64,
    /// E (x - mean)^4 / sd^4; 3 for a normal sample, NaN where sd is zero.
    pub kurtosis: f64,
}

pub fn moments(values: &[f64]) -> Moments {
    let mut powers = Powers::about(mean(values));
    powers.add(values);
    powers.moments(values.len())
}

/// Sums of the second and fourth powers of deviations from a mean, of values that may come in pieces.
#[derive(Debug, Clone, Copy)]
pub struct Powers {
    mean: f64,
    second: f64,
    fourth: f64,
}

impl Powers {
    pub fn about(mean: f64) -> Powers {
        Powers { mean, second: 0.0, fourth: 0.0 }
    }

    pub fn add(&mut self, values: &[f64]) {
        for x in values {
            let square = (x - self.mean) * (x - self.mean);
            self.second += square;
            self.fourth += square * square;
        }
    }

    /// Of all `count` values that were added.
    pub fn moments(&self, count: usize) -> Moments {
        let Powers { mean, second, fourth } = *self;
        let values = count as f64;
        let sd = if count < 2 { f64::NAN } else { (second / (values - 1.0)).sqrt() };
        Moments { mean, sd, kurtosis: fourth / values / (second / values).powi(2) }
    }
}

impl Moments {
    /// Monte Carlo standard error of the mean: sd / sqrt(B).
    pub fn mean_error(&self, count: usize) -> f64 {
        self.sd / (count as f64).sqrt()
    }

    /// Monte Carlo standard error of the standard deviation: sd sqrt((kurtosis - 1) / (4 B)), the delta method.
    pub fn sd_error(&self, count: usize) -> f64 {
        if self.sd == 0.0 {
            return 0.0;
        }
        // At least 1 but for rounding; what is not a number stays so.
        let excess = if self.kurtosis < 1.0 { 0.0 } else { self.kurtosis - 1.0 };
        self.sd * (excess / (4.0 * count as f64)).sqrt()
    }
}

/// Quantile of sorted values by linear interpolation (Hyndman & Fan 1996, type 7); NaN for no values.
pub fn quantile(sorted: &[f64], q: f64) -> f64 {
    quantile_of(sorted.len(), q, |position| sorted[position])
}

/// As [`quantile`], of `count` values of which `order` gives the one at a position of the sorted values.
pub fn quantile_of(count: usize, q: f64, order: impl Fn(usize) -> f64) -> f64 {
    let Some(([low, high], above)) = quantile_positions(count, q) else { return f64::NAN };
    let (low, high) = (order(low), order(high));
    low + above * (high - low)
}

/// The positions that a quantile lies between, and how far it lies above the first.
pub fn quantile_positions(count: usize, q: f64) -> Option<([usize; 2], f64)> {
    let last = count.checked_sub(1)?;
    let position = q * last as f64;
    let below = position.floor();
    Some(([below as usize, (below as usize + 1).min(last)], position - below))
}

/// Monte Carlo standard error of a quantile, distribution-free: half the width of its 95 % order-statistic interval,
/// ranks B q -+ 1.96 sqrt(B q (1 - q)), over 1.96. NaN where the sample is too small to have these ranks.
pub fn quantile_error(sorted: &[f64], q: f64) -> f64 {
    quantile_error_of(sorted.len(), q, |position| sorted[position])
}

/// As [`quantile_error`], of values as in [`quantile_of`].
pub fn quantile_error_of(count: usize, q: f64, order: impl Fn(usize) -> f64) -> f64 {
    let Some([low, high]) = quantile_error_positions(count, q) else { return f64::NAN };
    (order(high) - order(low)) / (2.0 * 1.96)
}

/// The positions of the ends of a quantile's interval.
pub fn quantile_error_positions(count: usize, q: f64) -> Option<[usize; 2]> {
    let last = count.checked_sub(1)?;
    let count = count as f64;
    let width = 1.96 * (count * q * (1.0 - q)).sqrt();
    let (low, high) = ((count * q - width).floor() - 1.0, (count * q + width).ceil() - 1.0);
    (low >= 0.0 && high <= last as f64).then_some([low as usize, high as usize])
}

/// Monte Carlo standard error of a probability.
pub fn probability_error(p: f64, count: usize) -> f64 {
    (p * (1.0 - p) / count as f64).sqrt()
}

/// By value, NaN last.
pub fn order(a: f64, b: f64) -> Ordering {
    a.is_nan().cmp(&b.is_nan()).then(a.total_cmp(&b))
}

/// Sorts by value, NaN last.
pub fn sort(values: &mut [f64]) {
    values.sort_unstable_by(|a, b| order(*a, *b));
}

pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sort(&mut sorted);
    quantile(&sorted, 0.5)
}

/// Mean of the least `share` of the values, a fraction of one included; none of no values, which are reordered.
pub fn worst_mean(values: &mut [f64], share: f64) -> Option<f64> {
    let count = values.len();
    worst_mean_of(values, share, count)
}

/// The same of `count` values, of which `values` holds the least ones. None where these are too few to tell.
pub fn worst_mean_of(values: &mut [f64], share: f64, count: usize) -> Option<f64> {
    let last = count.checked_sub(1)?;
    let size = share * count as f64;
    let whole = (size.floor() as usize).min(last);
    if values.len() <= whole {
        return None;
    }
    let (below, &mut next, _) = values.select_nth_unstable_by(whole, f64::total_cmp);
    // In order, so that the sum does not depend on how they were selected.
    below.sort_unstable_by(f64::total_cmp);
    Some((below.iter().sum::<f64>() + (size - whole as f64) * next) / size)
}

/// Ranks from 1, the largest value first; ties share their mean rank.
pub fn descending_ranks(values: &[f64], order: &mut Vec<usize>, ranks: &mut [f64]) {
    order.clear();
    order.extend(0..values.len());
    order.sort_unstable_by(|&a, &b| values[b].total_cmp(&values[a]).then(a.cmp(&b)));
    let mut first = 0;
    while first < order.len() {
        let tied = order[first..].iter().take_while(|&&i| values[i] == values[order[first]]).count();
        for &i in &order[first..first + tied] {
            ranks[i] = first as f64 + (tied as f64 + 1.0) / 2.0;
        }
        first += tied;
    }
}

/// Pearson correlation; NaN where one side does not vary.
pub fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let (mean_a, mean_b) = (mean(a), mean(b));
    let (mut ab, mut aa, mut bb) = (0.0, 0.0, 0.0);
    for (a, b) in a.iter().zip(b) {
        ab += (a - mean_a) * (b - mean_b);
        aa += (a - mean_a).powi(2);
        bb += (b - mean_b).powi(2);
    }
    ab / (aa * bb).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_interpolate_between_order_statistics() {
        let sorted = [1.0, 2.0, 4.0, 8.0];
        assert_eq!(quantile(&sorted, 0.0), 1.0);
        assert_eq!(quantile(&sorted, 0.5), 3.0);
        // Position 2.7: seven tenths of the way from 4 to 8, up to the rounding of 0.9 x 3.
        assert!((quantile(&sorted, 0.9) - 6.8).abs() < 1e-14);
        assert_eq!(quantile(&sorted, 1.0), 8.0);
        assert!(quantile(&[], 0.5).is_nan());
        assert_eq!(quantile(&[3.0], 0.3), 3.0);
    }

    #[test]
    fn the_quantile_error_of_a_uniform_sample_is_that_of_theory() {
        let sorted: Vec<f64> = (0..10_000).map(|i| f64::from(i) / 10_000.0).collect();
        // sqrt(q (1 - q) / B) / density, density 1.
        assert!((quantile_error(&sorted, 0.25) / (0.25_f64 * 0.75 / 1e4).sqrt() - 1.0).abs() < 0.02);
    }

    #[test]
    fn what_cannot_be_estimated_is_not_a_number() {
        assert!(moments(&[]).mean.is_nan() && moments(&[]).sd.is_nan());
        assert!(moments(&[1.0]).sd.is_nan() && moments(&[1.0]).sd_error(1).is_nan());
    }

    #[test]
    fn what_is_not_a_number_sorts_last_whatever_its_sign() {
        let mut values = [1.0, f64::NAN, -f64::NAN, -1.0];
        sort(&mut values);
        assert_eq!(values[..2], [-1.0, 1.0]);
        assert!(values[2].is_nan() && values[3].is_nan());
    }

    #[test]
    fn small_samples_do_not_claim_to_know_their_tails() {
        let sorted: Vec<f64> = (0..10).map(f64::from).collect();
        assert!(quantile_error(&sorted, 0.025).is_nan() && quantile_error(&sorted[..1], 0.5).is_nan());
    }

    #[test]
    fn the_worst_part_counts_fractions_of_a_value() {
        let mut values: Vec<f64> = (1..=30).map(|i| -f64::from(i)).collect();
        // 1.5 values: 30 and half of 29.
        assert!((worst_mean(&mut values, 0.05).unwrap() + (30.0 + 0.5 * 29.0) / 1.5).abs() < 1e-14);
        // A tenth of a value is a part of the worst.
        assert!((worst_mean(&mut [0.01, -0.02], 0.05).unwrap() + 0.02).abs() < 1e-17);
        assert_eq!(worst_mean(&mut [], 0.05), None);
    }

    #[test]
    fn moments_of_two_points() {
        let m = moments(&[1.0, 3.0]);
        assert_eq!((m.mean, m.sd, m.kurtosis), (2.0, 2.0_f64.sqrt(), 1.0));
        assert_eq!(m.sd_error(2), 0.0);
    }

    #[test]
    fn tied_values_share_their_mean_rank() {
        let mut ranks = [0.0; 4];
        descending_ranks(&[0.1, 0.4, 0.1, 0.4], &mut Vec::new(), &mut ranks);
        assert_eq!(ranks, [3.5, 1.5, 3.5, 1.5]);
    }
}
