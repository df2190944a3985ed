//! Floyd's algorithm (Bentley & Floyd 1987): a uniform k-subset of 0..n from k words, without ranks. Law `floyd-1`.

use crate::philox::{Domain, philox4x32};

/// Writes subset number `draw`, ascending.
pub fn draw(draw: u64, n: usize, seed: u64, subset: &mut [u32]) {
    let k = subset.len();
    let key = [seed as u32, (seed >> 32) as u32];
    for t in 0..k {
        let counter = [(t >> 2) as u32, draw as u32, (draw >> 32) as u32, Domain::Floyd as u32];
        let word = philox4x32(counter, key)[t & 3];
        let newest = (n - k + t) as u64;
        let picked = (u64::from(word) * (newest + 1)) >> 32;
        let element = if subset[..t].contains(&(picked as u32)) { newest } else { picked };
        subset[t] = element as u32;
    }
    subset.sort_unstable();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_gives_its_published_vector() {
        let mut subset = [0; 20];
        draw(0, 500, 5, &mut subset);
        let expected =
            [59, 102, 108, 123, 125, 136, 146, 157, 159, 169, 174, 224, 256, 321, 331, 354, 375, 435, 457, 467];
        assert_eq!(subset, expected);
    }

    #[test]
    fn every_subset_is_equally_likely() {
        let draws = 60_000;
        let mut counts = std::collections::HashMap::new();
        let mut subset = [0; 3];
        for i in 0..draws {
            draw(i, 6, 5, &mut subset);
            *counts.entry(subset).or_insert(0_u32) += 1;
        }
        let expected = draws as f64 / 20.0;
        let chi: f64 = counts.values().map(|&c| (f64::from(c) - expected).powi(2) / expected).sum();
        // 19 degrees of freedom: mean 19, sd sqrt(38).
        assert!(counts.len() == 20 && chi < 19.0 + 4.0 * 38.0_f64.sqrt(), "{chi}");
    }
}
