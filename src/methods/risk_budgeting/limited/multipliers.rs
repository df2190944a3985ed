//! Multipliers by scalar equations: the sum of weights, of a group, or of what rises, falls as its multiplier grows, and
//! Newton's method with a bracket finds where it is what it has to be.

/// A sum differs from its target by rounding alone, relative to the whole.
const ROUNDING: f64 = 1e-14;

/// An equation f(at) = 0 of a decreasing function.
#[derive(Debug, Clone, Copy)]
pub struct Equation {
    pub at: f64,
    low: f64,
    high: f64,
}

impl Equation {
    pub fn from(at: f64) -> Equation {
        Equation { at, low: f64::NEG_INFINITY, high: f64::INFINITY }
    }

    /// Moves on from f(at) = `value`, where f falls by `slope`. False where `at` is the answer, or stands still.
    #[inline(always)]
    pub fn moves(&mut self, value: f64, slope: f64, size: f64) -> bool {
        if !(value.abs() > ROUNDING * size) {
            return false;
        }
        if value > 0.0 {
            self.low = self.low.max(self.at);
        } else {
            self.high = self.high.min(self.at);
        }
        let newton = self.at + value / slope;
        let next = if slope > 0.0 && newton > self.low && newton < self.high {
            newton
        } else if self.low.is_finite() && self.high.is_finite() {
            0.5 * (self.low + self.high)
        } else {
            // One side alone is known: nothing bends there, or the step went nowhere.
            self.at + self.at.abs().max(1.0).copysign(value)
        };
        let moved = next != self.at;
        self.at = next;
        moved
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_is_found_from_either_side_across_a_flat() {
        // 1 up to 2, then falling to 0 at 4, and to -1 at 6 where it stays.
        let function = |x: f64| match x {
            x if x <= 2.0 => (1.0, 0.0),
            x if x < 6.0 => (1.0 - (x - 2.0) / 2.0, 0.5),
            _ => (-1.0, 0.0),
        };
        for start in [-1e6, 0.0, 3.0, 1e6] {
            let mut equation = Equation::from(start);
            let steps = (0..80).take_while(|_| {
                let (value, slope) = function(equation.at);
                equation.moves(value, slope, 1.0)
            });
            assert!(steps.count() < 60, "from {start}");
            assert!((equation.at - 4.0).abs() < 1e-12, "from {start}: {}", equation.at);
        }
    }
}
