//! How a figure is distributed over all subsets. The bins follow from a sample of the space, solved in f64, so that they
//! are the same on every machine and engine.

use serde::Serialize;

/// About as many bins as a reader can tell apart.
const BINS: f64 = 40.0;

/// Room beside the sample's range, as a share of it: the space reaches further than the sample.
const MARGIN: f64 = 0.25;

/// Counts between equally spaced edges; the first and the last bin take what lies beyond.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Histogram {
    /// One more than there are bins.
    pub edges: Vec<f64>,
    pub counts: Vec<u64>,
    #[serde(skip)]
    first: f64,
    #[serde(skip)]
    per_width: f64,
}

impl Histogram {
    /// Bins for values such as these.
    pub fn for_values(values: impl Iterator<Item = f64>) -> Histogram {
        let finite = values.filter(|value| value.is_finite());
        let (low, high) = finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), x| (l.min(x), h.max(x)));
        let (low, high) = if low <= high { (low, high) } else { (0.0, 1.0) };
        // Rounding alone is no range, and neither is zero.
        let range = (high - low).max(1e-9 * low.abs().max(high.abs())).max(1e-100);
        let (low, high) = (low - MARGIN * range, high + MARGIN * range);
        let width = round_number((high - low) / BINS);
        let from = (low / width).floor();
        let bins = ((high / width).ceil() - from).max(1.0) as usize;
        // A width below one is no binary fraction, while its reciprocal is a whole number: 57 / 50 reads 1.14.
        let edge = |number: f64| if width < 1.0 { number / width.recip().round() } else { number * width };
        Histogram {
            edges: (0..=bins).map(|bin| edge(from + bin as f64)).collect(),
            counts: vec![0; bins],
            first: from,
            per_width: width.recip(),
        }
    }

    /// Bins for these values, and how many fall into each.
    pub fn of(values: &[f64]) -> Histogram {
        let mut histogram = Histogram::for_values(values.iter().copied());
        for &value in values {
            let bin = histogram.bin(value);
            histogram.counts[bin] += 1;
        }
        histogram
    }

    /// The bin of a value.
    #[inline]
    pub fn bin(&self, value: f64) -> usize {
        let last = (self.counts.len() - 1) as f64;
        // Not a number falls into the first.
        (value * self.per_width - self.first).max(0.0).min(last) as u32 as usize
    }

    /// Adds the counts of as many bins.
    pub fn merge(&mut self, counts: &[u64]) {
        self.counts.iter_mut().zip(counts).for_each(|(count, more)| *count += more);
    }
}

/// The next of 1, 2, 2.5 and 5 times a power of ten.
fn round_number(x: f64) -> f64 {
    let power = 10.0_f64.powf(x.log10().floor());
    let step = [1.0, 2.0, 2.5, 5.0, 10.0].into_iter().find(|step| step * power >= x * (1.0 - 1e-9));
    step.unwrap_or(10.0) * power
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_falls_into_the_bin_around_it() {
        let histogram = Histogram::for_values([0.11, 0.35, f64::NAN].into_iter());
        let bins = histogram.counts.len();
        assert!((20..=41).contains(&bins) && histogram.edges.len() == bins + 1);
        for value in [-1.0, 0.1101, 0.2003, 0.34999, 7.0] {
            let bin = histogram.bin(value);
            assert!(bin == 0 || histogram.edges[bin] <= value, "{value} in bin {bin}");
            assert!(bin == bins - 1 || value < histogram.edges[bin + 1], "{value} in bin {bin}");
        }
    }

    #[test]
    fn a_single_value_has_a_histogram() {
        for value in [0.0, 1.0, -0.3] {
            let histogram = Histogram::for_values(std::iter::once(value));
            assert!(histogram.bin(value) < histogram.counts.len());
            assert!(histogram.edges[0] < value && value < histogram.edges[histogram.counts.len()]);
        }
    }

    #[test]
    fn edges_are_the_numbers_that_a_reader_would_write() {
        for values in [[1.2, 1.7], [0.011, 0.0293], [-0.31, 0.44], [3.0, 4000.0]] {
            for edge in Histogram::for_values(values.into_iter()).edges {
                assert!(edge.to_string().len() <= 7, "{edge}");
            }
        }
    }
}
