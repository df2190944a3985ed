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
