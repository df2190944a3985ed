//! Binomial coefficients C(i, j) in 64 bits.

/// C(i, j) for i <= n, j <= k. What does not fit into 64 bits stands as [`Binomials::TOO_LARGE`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binomials {
    k: usize,
    values: Vec<u64>,
}

impl Binomials {
    /// Larger than every rank, so that it may be compared with one.
    pub const TOO_LARGE: u64 = u64::MAX;

    pub fn new(n: usize, k: usize) -> Binomials {
        let width = k + 1;
        let mut values = vec![0_u64; (n + 1) * width];
        for i in 0..=n {
            values[i * width] = 1;
            for j in 1..=k.min(i) {
                let (above, left) = (values[(i - 1) * width + j], values[(i - 1) * width + j - 1]);
                values[i * width + j] = above.saturating_add(left);
            }
        }
        Binomials { k, values }
    }

    #[inline]
    pub fn get(&self, i: usize, j: usize) -> u64 {
        self.values[i * (self.k + 1) + j]
    }

    /// All of them, C(i, j) at i (k + 1) + j.
    pub fn values(&self) -> &[u64] {
        &self.values
    }

    /// None where it does not fit.
    pub fn exact(&self, i: usize, j: usize) -> Option<u64> {
        Some(self.get(i, j)).filter(|&value| value != Self::TOO_LARGE)
    }
}

/// C(n, k) in floating point, for spaces beyond 64 bits.
pub fn approximate(n: usize, k: usize) -> f64 {
    if k > n {
        return 0.0;
    }
    (1..=k.min(n - k)).fold(1.0, |c, j| c * (n - k.min(n - k) + j) as f64 / j as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coefficients_are_exact_up_to_64_bits_and_say_where_they_end() {
        let table = Binomials::new(100, 50);
        assert_eq!(table.get(50, 5), 2_118_760);
        assert_eq!(table.get(64, 32), 1_832_624_140_942_590_534);
        // The largest central coefficient below 2^64.
        assert_eq!(table.exact(67, 33), Some(14_226_520_737_620_288_370));
        assert_eq!(table.exact(68, 34), None);
        assert_eq!(table.exact(100, 50), None);
        assert_eq!(table.get(3, 5), 0);
    }

    #[test]
    fn large_counts_are_known_to_a_few_digits() {
        assert!((approximate(500, 20) / 2.667e35 - 1.0).abs() < 1e-3);
        assert!((approximate(50, 45) - 2_118_760.0).abs() < 1e-3);
        assert_eq!(approximate(3, 5), 0.0);
    }
}
