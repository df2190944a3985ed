//! How far wealth falls below its highest before.
//!
//! ```text
//! D_t = 1 - W_t / max_{s <= t} W_s,  W_0 = 1 counted      max drawdown  max_t D_t      ulcer index  sqrt(mean D_t^2)
//! ```

use super::ratio::varies;

/// The deepest and the quadratic mean of all drawdowns (Martin & McCann 1989).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Depth {
    pub max: f64,
    pub ulcer: f64,
}

impl Depth {
    /// None without rows.
    pub fn of(wealth: &[f64]) -> Option<Depth> {
        let (mut high, mut max, mut squares) = (1.0_f64, 0.0_f64, 0.0);
        for &w in wealth {
            if w > high {
                high = w;
            }
            let drawdown = 1.0 - w / high;
            if drawdown > max {
                max = drawdown;
            }
            squares += drawdown * drawdown;
        }
        Depth::of_sums(wealth.len(), max, squares)
    }

    /// From `rows` rows: the largest drawdown, and the sum of the squares of all.
    pub fn of_sums(rows: usize, max: f64, squares: f64) -> Option<Depth> {
        (rows > 0).then(|| Depth { max, ulcer: (squares / rows as f64).sqrt() })
    }
}

/// From a high to the first close that is as high. Closes are numbered from 0, at which wealth is 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fall {
    /// The last close at the high.
    pub peak: usize,
    /// The first close at the depth.
    pub trough: usize,
    pub recovery: Option<usize>,
    pub depth: f64,
}

/// All falls in order. They do not overlap.
pub fn falls(wealth: &[f64]) -> Vec<Fall> {
    let (mut high, mut peak) = (1.0, 0);
    let (mut falls, mut falling): (Vec<Fall>, Option<Fall>) = (Vec::new(), None);
    for (close, &w) in (1..).zip(wealth) {
        if w >= high {
            falls.extend(falling.take().map(|fall| Fall { recovery: Some(close), ..fall }));
            (high, peak) = (w, close);
            continue;
        }
        let depth = 1.0 - w / high;
        let fall = falling.get_or_insert(Fall { peak, trough: close, recovery: None, depth });
        if depth > fall.depth {
            (fall.trough, fall.depth) = (close, depth);
        }
    }
    falls.extend(falling);
    falls.retain(|fall| varies(fall.depth));
    falls
}

/// So many of the deepest falls, the deepest first, the earlier of equals first.
pub fn deepest(wealth: &[f64], count: usize) -> Vec<Fall> {
    let mut falls = falls(wealth);
    falls.sort_by(|a, b| b.depth.total_cmp(&a.depth));
    falls.truncate(count);
    falls
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fall_lasts_from_the_last_close_at_the_high_to_the_first_as_high() {
        let wealth = [1.0, 0.9, 0.8, 0.8, 1.0, 1.2, 0.9, 1.1];
        let first = Fall { peak: 1, trough: 3, recovery: Some(5), depth: 1.0 - 0.8 };
        let second = Fall { peak: 6, trough: 7, recovery: None, depth: 1.0 - 0.9 / 1.2 };
        assert_eq!(falls(&wealth), [first, second]);
        assert_eq!(deepest(&wealth, 5), [second, first]);
        assert_eq!(deepest(&wealth, 1), [second]);
    }

    #[test]
    fn the_first_close_counts_as_a_high() {
        assert_eq!(falls(&[0.75]), [Fall { peak: 0, trough: 1, recovery: None, depth: 0.25 }]);
        assert_eq!(Depth::of(&[0.75, 1.0]), Some(Depth { max: 0.25, ulcer: (0.0625_f64 / 2.0).sqrt() }));
    }

    #[test]
    fn the_deepest_fall_is_the_largest_drawdown() {
        let wealth: Vec<f64> =
            (0..500).map(|t| 1.0 + 0.5 * (f64::from(t) * 0.7).sin() * (f64::from(t) * 0.13).cos()).collect();
        assert_eq!(deepest(&wealth, 1)[0].depth, Depth::of(&wealth).unwrap().max);
    }

    #[test]
    fn wealth_that_rises_never_falls_and_a_ruin_is_for_good() {
        assert!(falls(&[1.0, 1.1, 1.1]).is_empty());
        assert_eq!(falls(&[1.1, 0.0, 0.0]), [Fall { peak: 1, trough: 2, recovery: None, depth: 1.0 }]);
        assert_eq!(Depth::of(&[]), None);
    }
}
