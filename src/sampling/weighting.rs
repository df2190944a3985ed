//! What the rows of a set count, by their position in it.

/// Ages beyond this many half-lives are left out: what is there weighs less than 2^-64 of the newest row.
const HALF_LIVES: f64 = 64.0;

/// What a row counts. Of a set of T rows, whose last is the newest,
///
/// ```text
/// omega_u = 1, or lambda^u                      u = T - 1 - position, lambda = 2^(-1 / half-life)
/// W = sum omega_u        W2 = sum omega_u^2
/// S = (M - m m' / W) / (W - W2 / W)             m, M the weighted sums and second moments
/// ```
///
/// so that the divisor is T - 1 where all rows count alike.
#[derive(Debug, Clone, PartialEq)]
pub enum Weighting {
    Equal,
    Exponential(Decay),
}

/// Weights that halve with every half-life.
#[derive(Debug, Clone, PartialEq)]
pub struct Decay {
    half_life: f64,
    /// lambda^u by age u.
    by_age: Vec<f64>,
}

impl Weighting {
    /// For sets of up to so many rows.
    pub fn exponential(half_life: f64, rows: usize) -> Weighting {
        // One more than there are ages: a run of rows begins where the one before it ends.
        let ages = (rows + 1).min(((HALF_LIVES * half_life).ceil() as usize).saturating_add(1));
        let by_age = (0..ages).map(|age| (-(age as f64) / half_life).exp2()).collect();
        Weighting::Exponential(Decay { half_life, by_age })
    }

    /// W of so many rows.
    pub fn total(&self, rows: usize) -> f64 {
        match self {
            Weighting::Equal => rows as f64,
            Weighting::Exponential(decay) => decay.sum(rows),
        }
    }

    /// W - W2 / W of so many rows.
    pub fn divisor(&self, rows: usize) -> f64 {
        match self {
            Weighting::Equal => (rows - 1) as f64,
            Weighting::Exponential(decay) => {
                // W^2 - W2 is twice the sum of lambda^(u + v) over u < v, which does not cancel:
                // 2 lambda (1 - lambda^(T-1)) (1 - lambda^T) / ((1 - lambda)^2 (1 + lambda)).
                let lambda = decay.lambda();
                2.0 * lambda * decay.sum(rows - 1) / (1.0 + lambda)
            }
        }
    }

    /// Weights of so many rows as whole numbers; none where all rows count alike.
    pub fn whole(&self, rows: usize) -> Option<WholeWeights> {
        let Weighting::Exponential(decay) = self else { return None };
        let (total, divisor) = (self.total(rows), self.divisor(rows));
        // Below 2^29, and so many halves of a unit more.
        let shift = 28 - (total / divisor).log2().floor() as i32;
        let scale = f64::from(shift).exp2() / divisor;
        // One more than there are ages, as there.
        let by_age = (0..(rows + 1).min(decay.ages())).map(|age| (decay.weight(age) * scale).round() as u32);
        Some(WholeWeights { by_age: by_age.take_while(|weight| *weight > 0).collect(), shift })
    }

    /// W^2 / W2: as many rows, counted alike, estimate a mean as well.
    pub fn effective_rows(&self, rows: usize) -> f64 {
        match self {
            Weighting::Equal => rows as f64,
            Weighting::Exponential(decay) => {
                // W2 = (1 - lambda^2T) / (1 - lambda^2).
                let (lambda, power) = (decay.lambda(), decay.power(rows));
                decay.sum(rows) * (1.0 + lambda) / (1.0 + power)
            }
        }
    }
}

/// Exponential weights as whole numbers: their sums do not depend on the order, so that every machine finds the same.
///
/// ```text
/// omega_u / (W - W2 / W) in units of 2^-shift, the largest for which the sum over all rows stays below 2^30
/// ```
///
/// With these weights the divisor of the covariance is one. A weight is off by no more than half a unit, which is 2^-30 to
/// 2^-31 of their sum.
#[derive(Debug, Clone, PartialEq)]
pub struct WholeWeights {
    by_age: Vec<u32>,
    shift: i32,
}

impl WholeWeights {
    /// By age, the newest first, those of zero left out.
    pub fn by_age(&self) -> &[u32] {
        &self.by_age
    }

    /// What one is worth: a power of two.
    pub fn unit(&self) -> f64 {
        f64::from(-self.shift).exp2()
    }
}

impl Decay {
    /// lambda.
    pub fn lambda(&self) -> f64 {
        self.power(1)
    }

    fn power(&self, age: usize) -> f64 {
        (-(age as f64) / self.half_life).exp2()
    }

    /// 1 + lambda + .. + lambda^(rows - 1).
    fn sum(&self, rows: usize) -> f64 {
        let rate = std::f64::consts::LN_2 / self.half_life;
        (-(rate * rows as f64)).exp_m1() / (-rate).exp_m1()
    }

    /// lambda^age; zero where it no longer counts.
    pub fn weight(&self, age: usize) -> f64 {
        self.by_age.get(age).copied().unwrap_or(0.0)
    }

    /// Ages that count.
    pub fn ages(&self) -> usize {
        self.by_age.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_weights_are_weights_over_their_divisor() {
        assert_eq!(Weighting::Equal.whole(10), None);
        for (half_life, rows) in [(0.1, 2), (1.0, 2), (11.2, 30), (63.0, 252), (500.0, 40), (1e9, 1 << 18)] {
            let weighting = Weighting::exponential(half_life, rows);
            let whole = weighting.whole(rows).unwrap();
            let sum: u64 = whole.by_age().iter().take(rows).map(|&weight| u64::from(weight)).sum();
            assert!(sum < 1 << 30 && sum > 1 << 27, "{half_life}, {rows}: {sum}");
            let (total, divisor) = (weighting.total(rows), weighting.divisor(rows));
            // Half a unit for every row, and what was left out.
            let off = (sum as f64 * whole.unit() - total / divisor).abs();
            assert!(off <= 0.5 * rows as f64 * whole.unit(), "{half_life}, {rows}: {off:e}");
            let newest = f64::from(whole.by_age()[0]) * whole.unit();
            assert!((newest - 1.0 / divisor).abs() <= 0.5 * whole.unit(), "{half_life}, {rows}");
        }
    }

    #[test]
    fn sums_of_weights_are_what_they_say() {
        for (half_life, rows) in [(1.0, 2), (11.2, 30), (63.0, 252), (500.0, 40), (0.3, 12)] {
            let weighting = Weighting::exponential(half_life, rows);
            let lambda = 0.5_f64.powf(1.0 / half_life);
            let weights: Vec<f64> = (0..rows).map(|age| lambda.powi(age as i32)).collect();
            let (w, w2) = (weights.iter().sum::<f64>(), weights.iter().map(|x| x * x).sum::<f64>());
            let close = |a: f64, b: f64| (a / b - 1.0).abs() <= 1e-13;
            assert!(close(weighting.total(rows), w), "{half_life}");
            assert!(close(weighting.effective_rows(rows), w * w / w2), "{half_life}");
            // The plain difference cancels by itself.
            assert!((weighting.divisor(rows) - (w - w2 / w)).abs() <= 1e-13 * w, "{half_life}");
        }
    }

    #[test]
    fn a_long_half_life_counts_all_rows_alike() {
        let weighting = Weighting::exponential(1e12, 500);
        let close = |a: f64, b: f64| (a / b - 1.0).abs() <= 1e-8;
        assert!(close(weighting.total(500), 500.0) && close(weighting.divisor(500), 499.0));
        assert!(close(weighting.effective_rows(500), 500.0));
    }

    #[test]
    fn what_is_very_old_does_not_count() {
        let Weighting::Exponential(decay) = Weighting::exponential(2.0, 10_000) else { unreachable!() };
        assert_eq!((decay.ages(), decay.weight(4), decay.weight(200)), (129, 0.25, 0.0));
    }
}
