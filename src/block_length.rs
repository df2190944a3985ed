//! Automatic block length for the stationary and the circular bootstrap (Politis & White 2004, with the correction of
//! Patton, Politis & White 2009), in the variant of the `arch` package, equal to it to rounding.
//!
//! ```text
//! k = max(5, floor log10 N)      m_max = ceil sqrt N + k      c = 2 sqrt(log10 N / N)
//! m = smallest lag after which k autocorrelations in a row lie below c;   M = min(2 max(m, 1), m_max)
//! lambda(u) = 1 for u <= 1/2, else 2 (1 - u);   g = sum_{|j| <= M} lambda(j / M) |j| gamma_j
//! sigma2 = sum_{|j| <= M} lambda(j / M) gamma_j
//! b_stationary = (2 g^2 / (2 sigma2^2))^(1/3) N^(1/3)      b_circular = (2 g^2 / (4/3 sigma2^2))^(1/3) N^(1/3)
//! ```

use crate::stats::mean;

/// Below this many rows no block length can be estimated.
pub const FEWEST_ROWS: usize = 20;

/// Optimal block lengths of one series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BlockLength {
    /// Mean length for the stationary bootstrap.
    pub stationary: f64,
    /// Length for the circular (and the moving) bootstrap.
    pub circular: f64,
}

/// The longest block length the rule gives for `rows` observations: min(3 sqrt N, N / 3), rounded up.
pub fn longest(rows: usize) -> f64 {
    let rows = rows as f64;
    (3.0 * rows.sqrt()).min(rows / 3.0).ceil()
}

/// Optimal block lengths for the mean of a series; NaN for a constant one.
pub fn optimal(series: &[f64]) -> BlockLength {
    let count = series.len();
    let n = count as f64;
    let centre = mean(series);
    let eps: Vec<f64> = series.iter().map(|x| x - centre).collect();
    let quiet = (n.log10().floor() as usize).max(5);
    let m_max = n.sqrt().ceil() as usize + quiet;
    let band = 2.0 * (n.log10() / n).sqrt();

    // Squares of eps from the front and to the back, for the autocorrelations' denominators.
    let mut squares = vec![0.0; count + 1];
    for (t, e) in eps.iter().enumerate() {
        squares[t + 1] = squares[t] + e * e;
    }
    let lags = (m_max + 1).min(count);
    let mut gamma = vec![0.0; lags];
    let mut rho = vec![0.0; lags];
    let mut found = None;
    for lag in 0..lags {
        let cross: f64 = eps[lag..].iter().zip(&eps).map(|(a, b)| a * b).sum();
        gamma[lag] = cross / n;
        // As `arch` has it, both sums leave out one point more than the lag.
        let late = squares[count] - squares[(lag + 1).min(count)];
        let early = squares[count.saturating_sub(lag + 1)];
        rho[lag] = cross.abs() / (late * early).sqrt();
        if found.is_none() && lag >= quiet && rho[lag - quiet..lag].iter().all(|r| *r < band) {
            found = Some(lag - quiet);
        }
    }
    let window = found.map_or(m_max, |m| (2 * m.max(1)).min(m_max)).min(lags.saturating_sub(1));
    let (mut g, mut variance) = (0.0, gamma.first().copied().unwrap_or(f64::NAN));
    for (lag, gamma) in gamma.iter().enumerate().take(window + 1).skip(1) {
        let u = lag as f64 / window as f64;
        let lambda = if u <= 0.5 { 1.0 } else { 2.0 * (1.0 - u) };
        g += 2.0 * lambda * lag as f64 * gamma;
        variance += 2.0 * lambda * gamma;
    }
    let length = |scale: f64| (2.0 * g * g / (scale * variance * variance) * n).cbrt();
    let cap = |b: f64| if b > longest(count) { longest(count) } else { b };
    BlockLength { stationary: cap(length(2.0)), circular: cap(length(4.0 / 3.0)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::philox::philox4x32;

    #[test]
    fn it_equals_arch_on_autoregressive_series() {
        // START words of seed 0, cell 0, resample 0, as uniforms; x_t = phi x_{t-1} + v_t. Values from arch 8.0.0.
        let noise: Vec<f64> = (0..250)
            .flat_map(|q| philox4x32([q, 0, 0, 2], [0, 0]))
            .map(|word| f64::from(word) / 4_294_967_296.0 - 0.5)
            .collect();
        let filter = |phi: f64| {
            let mut last = 0.0;
            noise
                .iter()
                .map(|v| {
                    last = phi * last + v;
                    last
                })
                .collect::<Vec<f64>>()
        };
        let squares: Vec<f64> = filter(0.5).iter().map(|x| x * x).collect();
        for (series, stationary, circular) in [
            (filter(0.0), 0.949_244_011_407, 1.086_613_139_516),
            (filter(0.5), 11.156_134_269_490, 12.770_585_790_122),
            (squares, 6.294_770_418_372, 7.205_713_351_514),
            (filter(0.9), 38.958_708_778_428, 44.596_588_810_154),
        ] {
            let length = optimal(&series);
            assert!((length.stationary - stationary).abs() < 1e-9, "{length:?}");
            assert!((length.circular - circular).abs() < 1e-9, "{length:?}");
        }
    }

    #[test]
    fn a_constant_series_has_no_block_length() {
        assert!(optimal(&[1.0; 50]).stationary.is_nan());
    }
}
