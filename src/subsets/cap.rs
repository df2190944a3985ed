//! A cap on the correlation of any two assets of a subset, as one bit for each pair.

/// For each asset, the assets it may not be held with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cap {
    words: usize,
    barred: Vec<u64>,
}

impl Cap {
    /// Bars the pairs whose correlation exceeds `largest`.
    pub fn new(correlation: &[f64], largest: f64) -> Cap {
        let n = correlation.len().isqrt();
        let words = n.div_ceil(64);
        let mut barred = vec![0; n * words];
        for i in 0..n {
            for j in (0..n).filter(|&j| j != i && correlation[i * n + j] > largest) {
                barred[i * words + j / 64] |= 1 << (j % 64);
            }
        }
        Cap { words, barred }
    }

    /// The bits in words of 32: those of asset i are one n-th of them.
    pub fn words(&self) -> Vec<u32> {
        self.barred.iter().flat_map(|&word| [(word & 0xFFFF_FFFF) as u32, (word >> 32) as u32]).collect()
    }

    /// Whether no two of the assets bar each other.
    #[inline]
    pub fn admits(&self, assets: &[u32]) -> bool {
        let bars = |i: u32, j: u32| self.barred[i as usize * self.words + j as usize / 64] >> (j % 64) & 1 == 1;
        assets.iter().enumerate().all(|(at, &i)| assets[..at].iter().all(|&j| !bars(i, j)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_above_the_cap_are_barred_wherever_they_stand() {
        let n = 130;
        let mut correlation = vec![0.1; n * n];
        for (i, j) in [(3, 70), (64, 128)] {
            correlation[i * n + j] = 0.9;
            correlation[j * n + i] = 0.9;
        }
        let cap = Cap::new(&correlation, 0.5);
        assert!(cap.admits(&[0, 3, 64]) && cap.admits(&[70, 128]) && cap.admits(&[3]));
        assert!(!cap.admits(&[3, 4, 70]) && !cap.admits(&[128, 0, 64]));
        // Correlations at the cap are within it; an asset does not bar itself.
        assert!(Cap::new(&correlation, 0.9).admits(&[3, 70]));
    }
}
