//! The distribution of a column: one number of every converged resample, which come in pieces, in index order, twice.

use serde::Serialize;

use super::selection::{Counted, Found, SAMPLE, Sought};
use crate::stats::{self, Moments, Powers};

/// Quantiles that every figure is summarised by.
pub const CENTRAL: &[f64] = &[0.05, 0.5, 0.95];

/// Those of a figure that is reported in full.
pub const QUANTILES: [f64; 7] = [0.025, 0.05, 0.25, 0.5, 0.75, 0.95, 0.975];

/// One number per statistic of a figure that is reported in full.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Statistics {
    pub mean: f64,
    pub sd: f64,
    pub q025: f64,
    pub q05: f64,
    pub q25: f64,
    pub q50: f64,
    pub q75: f64,
    pub q95: f64,
    pub q975: f64,
}

impl Statistics {
    /// Of the same numbers with the other sign.
    #[must_use]
    pub fn negated(&self) -> Statistics {
        Statistics {
            mean: -self.mean,
            sd: self.sd,
            q025: -self.q975,
            q05: -self.q95,
            q25: -self.q75,
            q50: -self.q50,
            q75: -self.q25,
            q95: -self.q05,
            q975: -self.q025,
        }
    }

    /// Errors of the same.
    #[must_use]
    pub fn turned(&self) -> Statistics {
        let negated = self.negated();
        let Statistics { mean, sd, q025, q05, q25, q50, q75, q95, q975 } = negated;
        Statistics { mean: -mean, sd, q025: -q025, q05: -q05, q25: -q25, q50: -q50, q75: -q75, q95: -q95, q975: -q975 }
    }
}

/// Bins that the values of a column are counted in: one for so many values, and at most so many bins.
const VALUES: usize = 64;
const BINS: usize = 4096;

/// Bytes of a column at most while its values come, beside the values kept: counts of 8 bytes, then flags.
pub const BYTES: usize = 9 * BINS;

/// How often what happens is asked: its number over the number of values is a probability.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Event {
    Above(f64),
    Below(f64),
    UpTo(f64),
}

impl Event {
    fn count(self, values: &[f64]) -> usize {
        let hits = |happens: fn(f64, f64) -> bool, bound: f64| values.iter().filter(|x| happens(**x, bound)).count();
        match self {
            Event::Above(bound) => hits(|x, bound| x > bound, bound),
            Event::Below(bound) => hits(|x, bound| x < bound, bound),
            Event::UpTo(bound) => hits(|x, bound| x <= bound, bound),
        }
    }
}

/// What is asked of a column beside its moments.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
    pub quantiles: &'static [f64],
    pub events: Vec<Event>,
    /// Only finite values count.
    pub finite: bool,
}

impl Asked {
    pub fn quantiles(quantiles: &'static [f64]) -> Asked {
        Asked { quantiles, events: Vec::new(), finite: false }
    }

    /// The pieces, of which one is prepared by `f` where only finite values count.
    fn each(&self, values: &[f64], f: impl FnOnce(&[f64])) {
        if self.finite {
            f(&values.iter().copied().filter(|x| x.is_finite()).collect::<Vec<_>>());
        } else {
            f(values);
        }
    }
}

/// A quantile with its Monte Carlo error.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quantile {
    pub value: f64,
    pub error: f64,
}

/// What was asked.
#[derive(Debug, Clone)]
pub struct Distribution {
    pub count: usize,
    pub sum: f64,
    pub moments: Moments,
    /// One for each event: how many values it happened to.
    pub hits: Vec<usize>,
    asked: &'static [f64],
    quantiles: Vec<Quantile>,
}

impl Distribution {
    /// One of the quantiles asked for.
    pub fn quantile(&self, q: f64) -> Quantile {
        let at = self.asked.iter().position(|asked| *asked == q).expect("a quantile asked for");
        self.quantiles[at]
    }

    /// All statistics of a column of which [`QUANTILES`] were asked, and their Monte Carlo errors.
    pub fn statistics(&self) -> [Statistics; 2] {
        let all = |mean, sd, [q025, q05, q25, q50, q75, q95, q975]: [f64; 7]| Statistics {
            mean,
            sd,
            q025,
            q05,
            q25,
            q50,
            q75,
            q95,
            q975,
        };
        let (moments, found) = (self.moments, QUANTILES.map(|q| self.quantile(q)));
        [
            all(moments.mean, moments.sd, found.map(|q| q.value)),
            all(moments.mean_error(self.count), moments.sd_error(self.count), found.map(|q| q.error)),
        ]
    }

    /// Of values that are at hand.
    pub fn of(asked: Asked, values: &[f64]) -> Distribution {
        let mut first = First::new(asked, values.len());
        first.add(values);
        let mut second = first.end();
        second.add(values);
        second.end()
    }

    /// Of a value that comes `count` times: rounded as the sums of a column are.
    pub fn repeated(asked: Asked, value: f64, count: usize) -> Distribution {
        const PIECE: usize = 1024;
        let piece = [value; PIECE];
        let pieces = || (0..count).step_by(PIECE).map(|start| &piece[..PIECE.min(count - start)]);
        let mut first = First { ordered: false, ..First::new(asked, count) };
        pieces().for_each(|piece| first.add(piece));
        let mut second = first.end();
        pieces().for_each(|piece| second.add(piece));
        second.distribution(|_| value)
    }
}

/// The first time: the sum, events, and values counted in bins.
#[derive(Debug)]
pub struct First {
    asked: Asked,
    count: usize,
    sum: f64,
    hits: Vec<usize>,
    /// Whether quantiles are to be found.
    ordered: bool,
    bins: usize,
    counted: Option<Counted>,
}

impl First {
    /// Of about so many values.
    pub fn new(asked: Asked, values: usize) -> First {
        let hits = vec![0; asked.events.len()];
        let ordered = !asked.quantiles.is_empty();
        // What the standard library's sums start from.
        First { asked, count: 0, sum: -0.0, hits, ordered, bins: (values / VALUES).clamp(3, BINS), counted: None }
    }

    pub fn add(&mut self, values: &[f64]) {
        let First { asked, count, sum, hits, ordered, bins, counted } = self;
        asked.each(values, |values| {
            *count += values.len();
            *sum = values.iter().fold(*sum, |sum, x| sum + x);
            for (hits, event) in hits.iter_mut().zip(&asked.events) {
                *hits += event.count(values);
            }
            if *ordered && !values.is_empty() {
                counted.get_or_insert_with(|| Counted::new(&values[..SAMPLE.min(values.len())], *bins)).add(values);
            }
        });
    }

    /// Ready for the second time.
    pub fn end(self) -> Second {
        let First { asked, count, sum, hits, counted, .. } = self;
        let positions = asked.quantiles.iter().flat_map(|&q| {
            let quantile = stats::quantile_positions(count, q).map(|(positions, _)| positions);
            [quantile, stats::quantile_error_positions(count, q)].into_iter().flatten().flatten()
        });
        let sought = counted.map(|counted| counted.seek(positions.collect()));
        Second { asked, count, sum, hits, powers: Powers::about(sum / count as f64), sought }
    }
}

/// The second time, the same values in the same order: powers of deviations from the mean, and the values sought.
#[derive(Debug)]
pub struct Second {
    asked: Asked,
    count: usize,
    sum: f64,
    hits: Vec<usize>,
    powers: Powers,
    sought: Option<Sought>,
}

impl Second {
    pub fn add(&mut self, values: &[f64]) {
        let Second { asked, powers, sought, .. } = self;
        asked.each(values, |values| {
            powers.add(values);
            if let Some(sought) = sought {
                sought.add(values);
            }
        });
    }

    pub fn end(mut self) -> Distribution {
        let found = self.sought.take().map(Sought::found);
        // Without values no position is asked for.
        self.distribution(|position| found.as_ref().map_or(f64::NAN, |found: &Found| found.at(position)))
    }

    fn distribution(self, order: impl Fn(usize) -> f64) -> Distribution {
        let Second { asked, count, sum, hits, powers, .. } = self;
        let quantile = |&q: &f64| Quantile {
            value: stats::quantile_of(count, q, &order),
            error: stats::quantile_error_of(count, q, &order),
        };
        let quantiles = asked.quantiles.iter().map(quantile).collect();
        Distribution { count, sum, moments: powers.moments(count), hits, asked: asked.quantiles, quantiles }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bits(d: &Distribution) -> Vec<u64> {
        let mut all = vec![d.sum, d.moments.mean, d.moments.sd, d.moments.kurtosis];
        all.extend(d.quantiles.iter().flat_map(|q| [q.value, q.error]));
        all.into_iter().map(f64::to_bits).collect()
    }

    fn in_pieces(asked: &Asked, values: &[f64], piece: usize) -> Distribution {
        let mut first = First::new(asked.clone(), values.len());
        values.chunks(piece).for_each(|piece| first.add(piece));
        let mut second = first.end();
        values.chunks(piece).for_each(|piece| second.add(piece));
        second.end()
    }

    #[test]
    fn a_column_in_pieces_has_the_statistics_of_the_whole() {
        let values: Vec<f64> = (0..10_000).map(|k| (f64::from(k) * 0.754_877_666).fract().powi(5)).collect();
        let mut sorted = values.clone();
        stats::sort(&mut sorted);
        let moments = stats::moments(&values);
        let asked = Asked { events: vec![Event::Above(0.5), Event::UpTo(0.1)], ..Asked::quantiles(CENTRAL) };
        for piece in [1, 13, 4096, 10_000] {
            let found = in_pieces(&asked, &values, piece);
            assert_eq!(found.moments, moments);
            for q in CENTRAL {
                let expected =
                    Quantile { value: stats::quantile(&sorted, *q), error: stats::quantile_error(&sorted, *q) };
                assert_eq!(found.quantile(*q), expected);
            }
            let count = |happens: fn(f64) -> bool| values.iter().filter(|x| happens(**x)).count();
            assert_eq!(found.hits, [count(|x| x > 0.5), count(|x| x <= 0.1)]);
        }
    }

    #[test]
    fn a_repeated_value_is_a_column_of_it() {
        for count in [0, 1, 2, 1023, 5000] {
            let asked = Asked::quantiles(CENTRAL);
            let repeated = Distribution::repeated(asked.clone(), 0.1, count);
            assert_eq!(bits(&repeated), bits(&in_pieces(&asked, &vec![0.1; count], 4096)), "{count}");
        }
    }

    #[test]
    fn where_only_finite_values_count_others_do_not() {
        let asked = Asked { finite: true, ..Asked::quantiles(CENTRAL) };
        let found = in_pieces(&asked, &[f64::NAN, 1.0, f64::INFINITY, 3.0], 3);
        assert_eq!((found.count, found.moments.mean, found.quantile(0.5).value), (2, 2.0, 2.0));
        assert_eq!(in_pieces(&asked, &[f64::NAN], 1).count, 0);
    }
}
