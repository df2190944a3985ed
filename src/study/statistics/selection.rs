//! Order statistics of values that come in pieces, twice, without keeping them.
//!
//! The values are counted in bins first. The counts tell in which bins the wanted positions of the sorted values lie, and
//! of the values that come again those of these bins alone are kept and sorted. Bins only decide how much that is: what
//! is found is exact, whatever they are.

use crate::stats;

/// Values of a sample that bins are laid by, and the part of it that lies beyond them at either end.
pub const SAMPLE: usize = 4096;
const BEYOND: usize = 200;

/// Bins of equal width, one for what lies below them, and one for what lies above or is not a number.
#[derive(Debug)]
struct Bins {
    low: f64,
    /// Bins per unit.
    scale: f64,
    last: f64,
}

impl Bins {
    fn laid(sample: &[f64], bins: usize) -> Bins {
        let mut sorted = sample.to_vec();
        stats::sort(&mut sorted);
        let beyond = sorted.len() / BEYOND;
        let (low, high) = (sorted[beyond], sorted[sorted.len() - 1 - beyond]);
        Bins { low, scale: (bins - 2) as f64 / (high - low), last: (bins - 1) as f64 }
    }

    /// Never falls as x rises: subtraction and multiplication round alike for all.
    #[inline(always)]
    fn of(&self, x: f64) -> usize {
        let place = (x - self.low) * self.scale + 1.0;
        (if place < self.last { place } else { self.last }) as u32 as usize
    }
}

/// The first time: values counted in bins.
#[derive(Debug)]
pub struct Counted {
    bins: Bins,
    counts: Vec<u64>,
}

impl Counted {
    /// In so many bins, laid by a sample of the values; not empty.
    pub fn new(sample: &[f64], bins: usize) -> Counted {
        Counted { bins: Bins::laid(sample, bins), counts: vec![0; bins] }
    }

    pub fn add(&mut self, values: &[f64]) {
        for &x in values {
            self.counts[self.bins.of(x)] += 1;
        }
    }

    /// Ready for the second time, to find the values at these positions of the sorted ones.
    pub fn seek(self, mut positions: Vec<usize>) -> Sought {
        positions.sort_unstable();
        let mut positions = positions.into_iter().peekable();
        let mut wanted = vec![false; self.counts.len()];
        let (mut below, mut kept) = (0, 0);
        let mut spans = Vec::new();
        for (wanted, count) in wanted.iter_mut().zip(&self.counts) {
            let end = below + *count as usize;
            while positions.next_if(|&position| position < end).is_some() {
                *wanted = true;
            }
            if *wanted {
                spans.push(Span { below, kept });
                kept += *count as usize;
            }
            below = end;
        }
        Sought { bins: self.bins, wanted, spans, runs: Vec::new() }
    }
}

/// Where the values of a wanted bin start: among all sorted values, and among the kept ones.
#[derive(Debug, Clone, Copy)]
struct Span {
    below: usize,
    kept: usize,
}

/// The second time: the values of the wanted bins are kept, equal neighbours as one with their number.
#[derive(Debug)]
pub struct Sought {
    bins: Bins,
    wanted: Vec<bool>,
    spans: Vec<Span>,
    runs: Vec<(f64, usize)>,
}

impl Sought {
    /// The same values in the same order.
    pub fn add(&mut self, values: &[f64]) {
        for &x in values {
            if self.wanted[self.bins.of(x)] {
                match self.runs.last_mut() {
                    Some((value, count)) if value.to_bits() == x.to_bits() => *count += 1,
                    _ => self.runs.push((x, 1)),
                }
            }
        }
    }

    pub fn found(mut self) -> Found {
        self.runs.sort_unstable_by(|a, b| stats::order(a.0, b.0));
        let mut end = 0;
        for (_, count) in &mut self.runs {
            end += *count;
            *count = end;
        }
        Found { spans: self.spans, runs: self.runs }
    }
}

/// The values that were sought.
#[derive(Debug)]
pub struct Found {
    spans: Vec<Span>,
    /// Values in order, with the number of kept ones up to their last.
    runs: Vec<(f64, usize)>,
}

impl Found {
    /// The value at a position that was sought.
    pub fn at(&self, position: usize) -> f64 {
        let span = self.spans[self.spans.partition_point(|span| span.below <= position) - 1];
        let kept = span.kept + position - span.below;
        self.runs[self.runs.partition_point(|(_, end)| *end <= kept)].0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same_as_sorted(values: &[f64], sample: usize) {
        let mut sorted = values.to_vec();
        stats::sort(&mut sorted);
        let positions: Vec<usize> = (0..10).map(|k| k * (values.len() - 1) / 9).collect();
        for bins in [3, 64] {
            let mut counted = Counted::new(&values[..sample], bins);
            values.chunks(7).for_each(|piece| counted.add(piece));
            let mut sought = counted.seek(positions.clone());
            values.chunks(5).for_each(|piece| sought.add(piece));
            let found = sought.found();
            for &position in &positions {
                assert_eq!(found.at(position).to_bits(), sorted[position].to_bits(), "{position} of {values:?}");
            }
        }
    }

    #[test]
    fn what_is_found_is_what_sorting_finds() {
        let uneven = |count: u32| (0..count).map(|k| f64::from(k * 7919 % 1009).powi(3) - 4e8).collect::<Vec<_>>();
        same_as_sorted(&uneven(1000), 1000);
        same_as_sorted(&uneven(1000), 1);
        same_as_sorted(&uneven(1), 1);
    }

    #[test]
    fn ties_zeros_infinities_and_what_is_no_number_keep_their_order() {
        same_as_sorted(&[2.5; 100], 10);
        same_as_sorted(&[0.0, -0.0, 0.0, -0.0, 1.0, -1.0], 4);
        let mut odd = vec![f64::INFINITY, f64::NEG_INFINITY, f64::NAN, f64::MAX, f64::MIN, 1.0];
        same_as_sorted(&odd, 6);
        odd.reverse();
        same_as_sorted(&odd, 2);
    }
}
