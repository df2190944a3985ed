//! Shrinkage in the units of the returns, as libraries have it: Ledoit-Wolf (2004) and oracle approximating shrinkage
//! (Chen, Wiesel, Eldar & Hero 2010), both towards a multiple of the identity.
//!
//! With deviations d_t of the drawn rows from their mean, S = d'd / T and mu = tr S / n,
//!
//! ```text
//! Ledoit-Wolf   rho = min(1, (F - |S|^2) / (T |S - mu I|^2))                     F = 1/T sum_t |d_t|^4
//! OAS           rho = min(1, (|S|^2 + n^2 mu^2) / ((T + 1) |S - mu I|^2))
//!
//! S* = ((1 - rho) S + rho mu I) T / (T - 1)
//! ```
//!
//! |S - mu I|^2 is |S|^2 - n mu^2 without the difference. scikit-learn has the same intensities and no T / (T - 1).
//! All is computed relative to the largest volatility: nothing overflows, and returns multiplied by the same power of
//! two have the same intensity to the last bit. These two alone depend on the units of each asset: the target gives an
//! asset of little volatility a share of that of the others.

/// The sums that both intensities are made of, per square of the largest volatility, S with divisor T - 1.
struct Sums {
    /// tr S / n.
    mean: f64,
    /// |S|^2.
    square: f64,
    /// |S - mu I|^2.
    distance: f64,
}

/// Ledoit-Wolf in place, from the sample correlation and volatilities (divisor T - 1) of `rows` rows; returns the
/// intensity. `fourth` is F in units of the largest of the volatilities: the mean of (|d_t| / max_i s_i)^4.
///
/// Where S is a multiple of the identity already, the intensity is 0.
pub fn ledoit_wolf_raw(correlation: &mut [f64], volatilities: &mut [f64], rows: usize, fourth: f64) -> f64 {
    let sums = Sums::of(correlation, volatilities);
    let rows = rows as f64;
    // S has divisor T, its sums here T - 1.
    let divisor = ((rows - 1.0) / rows).powi(2);
    let rho = if sums.distance > 0.0 {
        // A mean of squares is at least the square of the mean: below zero is rounding.
        ((fourth - divisor * sums.square) / (rows * divisor * sums.distance)).clamp(0.0, 1.0)
    } else {
        0.0
    };
    shrink(correlation, volatilities, rho, sums.mean);
    rho
}

/// Oracle approximating shrinkage in place, from the sample correlation and volatilities (divisor T - 1) of `rows`
/// rows; returns the intensity.
///
/// Where S is a multiple of the identity already, the intensity is 1.
pub fn oas_raw(correlation: &mut [f64], volatilities: &mut [f64], rows: usize) -> f64 {
    let sums = Sums::of(correlation, volatilities);
    let n = volatilities.len() as f64;
    // Above and below are of the same degree in S: its divisor cancels.
    let trace = n * sums.mean;
    let rho = if sums.distance > 0.0 {
        ((sums.square + trace * trace) / ((rows as f64 + 1.0) * sums.distance)).min(1.0)
    } else {
        1.0
    };
    shrink(correlation, volatilities, rho, sums.mean);
    rho
}

fn largest(volatilities: &[f64]) -> f64 {
    volatilities.iter().copied().fold(0.0, f64::max)
}

impl Sums {
    /// ```text
    /// v_i = s_i / max s        S_ij = v_i v_j C_ij
    /// mu = 1/n sum_i v_i^2
    /// |S|^2        = sum_i v_i^4        + 2 sum_{j < i} S_ij^2
    /// |S - mu I|^2 = sum_i (v_i^2 - mu)^2 + 2 sum_{j < i} S_ij^2
    /// ```
    fn of(correlation: &[f64], volatilities: &[f64]) -> Sums {
        let n = volatilities.len();
        let unit = largest(volatilities);
        let v: Vec<f64> = volatilities.iter().map(|s| s / unit).collect();
        let mean = v.iter().map(|v| v * v).sum::<f64>() / n as f64;
        let (mut between, mut squares, mut spread) = (0.0, 0.0, 0.0);
        for i in 0..n {
            let row = &correlation[i * n..][..i];
            between += v[i] * v[i] * row.iter().zip(&v).map(|(c, v)| (v * c) * (v * c)).sum::<f64>();
            squares += v[i].powi(4);
            spread += (v[i] * v[i] - mean).powi(2);
        }
        Sums { mean, square: squares + 2.0 * between, distance: spread + 2.0 * between }
    }
}

/// ```text
/// s*_i^2 = (1 - rho) s_i^2 + rho mu        g_i = sqrt(1 - rho) s_i / s*_i        C*_ij = g_i g_j C_ij
/// ```
fn shrink(correlation: &mut [f64], volatilities: &mut [f64], rho: f64, mean: f64) {
    let n = volatilities.len();
    // Intensity 0 changes nothing, even where a square v_i^2 underflows to 0; one asset is its own mean.
    if rho == 0.0 || n == 1 {
        return;
    }
    let unit = largest(volatilities);
    let mut kept = vec![0.0; n];
    for (kept, s) in kept.iter_mut().zip(volatilities) {
        let v = *s / unit;
        let shrunk = ((1.0 - rho) * (v * v) + rho * mean).sqrt();
        *kept = (1.0 - rho).sqrt() * v / shrunk;
        *s = unit * shrunk;
    }
    for i in 0..n {
        for j in 0..i {
            let c = kept[i] * kept[j] * correlation[i * n + j];
            correlation[i * n + j] = c;
            correlation[j * n + i] = c;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::spectrum::tests::noise;
    use super::*;

    /// Deviations of `rows` rows of n assets of unlike volatilities from their mean.
    fn deviations(n: usize, rows: usize) -> Vec<Vec<f64>> {
        let mut d: Vec<Vec<f64>> = (0..rows)
            .map(|t| (0..n).map(|i| (noise(t * n + i) + noise(5_000 + t)) * 0.01 * (1 + i) as f64).collect())
            .collect();
        for i in 0..n {
            let mean = d.iter().map(|d| d[i]).sum::<f64>() / rows as f64;
            d.iter_mut().for_each(|d| d[i] -= mean);
        }
        d
    }

    /// S with divisor T, n x n.
    fn covariance(d: &[Vec<f64>]) -> Vec<f64> {
        let n = d[0].len();
        (0..n * n).map(|k| d.iter().map(|d| d[k / n] * d[k % n]).sum::<f64>() / d.len() as f64).collect()
    }

    /// Sample correlation, volatilities (divisor T - 1), and the fourth power relative to the largest of them.
    fn sample(d: &[Vec<f64>]) -> (Vec<f64>, Vec<f64>, f64) {
        let (n, rows, s) = (d[0].len(), d.len() as f64, covariance(d));
        let roots: Vec<f64> = (0..n).map(|i| s[i * n + i].sqrt()).collect();
        let volatilities: Vec<f64> = roots.iter().map(|root| root * (rows / (rows - 1.0)).sqrt()).collect();
        let correlation =
            (0..n * n).map(|k| if k / n == k % n { 1.0 } else { s[k] / (roots[k / n] * roots[k % n]) }).collect();
        let unit = largest(&volatilities);
        let fourth = d.iter().map(|d| d.iter().map(|d| (d / unit).powi(2)).sum::<f64>().powi(2)).sum::<f64>() / rows;
        (correlation, volatilities, fourth)
    }

    /// Asserts that C* and s* are those of ((1 - rho) S + rho mu I) T / (T - 1).
    fn is_shrunk(d: &[Vec<f64>], rho: f64, correlation: &[f64], volatilities: &[f64]) {
        let (n, rows, s) = (volatilities.len(), d.len() as f64, covariance(d));
        let mu = (0..n).map(|i| s[i * n + i]).sum::<f64>() / n as f64;
        for k in 0..n * n {
            let (i, j) = (k / n, k % n);
            let target = if i == j { mu } else { 0.0 };
            let expected = ((1.0 - rho) * s[k] + rho * target) * rows / (rows - 1.0);
            let entry = correlation[k] * volatilities[i] * volatilities[j];
            assert!(
                (entry - expected).abs() <= 1e-14 * volatilities[i] * volatilities[j],
                "{i} {j}: {entry} {expected}"
            );
        }
        assert!((0..n).all(|i| correlation[i * n + i] == 1.0));
    }

    #[test]
    fn ledoit_wolf_equals_its_definition() {
        for (n, rows) in [(2, 3), (3, 40), (12, 8), (20, 300)] {
            let d = deviations(n, rows);
            let (mut correlation, mut volatilities, fourth) = sample(&d);
            let rho = ledoit_wolf_raw(&mut correlation, &mut volatilities, rows, fourth);
            // Mean square distance of d_t d_t' from S over T, and the square distance of S from mu I.
            let s = covariance(&d);
            let distance = |t: &[f64]| (0..n * n).map(|k| (t[k / n] * t[k % n] - s[k]).powi(2)).sum::<f64>();
            let noise = d.iter().map(|d| distance(d)).sum::<f64>() / (rows * rows) as f64;
            let mu = (0..n).map(|i| s[i * n + i]).sum::<f64>() / n as f64;
            let signal: f64 = (0..n * n).map(|k| (s[k] - if k / n == k % n { mu } else { 0.0 }).powi(2)).sum();
            assert!((rho - (noise / signal).min(1.0)).abs() < 1e-14, "{n} assets, {rows} rows: {rho}");
            is_shrunk(&d, rho, &correlation, &volatilities);
        }
    }

    #[test]
    fn oas_equals_its_definition() {
        for (n, rows) in [(2, 3), (3, 40), (12, 8), (20, 300)] {
            let d = deviations(n, rows);
            let (mut correlation, mut volatilities, _) = sample(&d);
            let rho = oas_raw(&mut correlation, &mut volatilities, rows);
            let s = covariance(&d);
            let alpha = s.iter().map(|s| s * s).sum::<f64>() / (n * n) as f64;
            let mu = (0..n).map(|i| s[i * n + i]).sum::<f64>() / n as f64;
            let expected = (alpha + mu * mu) / ((rows as f64 + 1.0) * (alpha - mu * mu / n as f64));
            assert!((rho - expected.min(1.0)).abs() < 1e-13, "{n} assets, {rows} rows: {rho} {expected}");
            is_shrunk(&d, rho, &correlation, &volatilities);
        }
    }

    #[test]
    fn power_of_two_times_all_assets_changes_no_intensity() {
        let (n, rows) = (7, 30);
        let d = deviations(n, rows);
        for k in [-900, -1, 3, 900] {
            let factor = 2.0_f64.powi(k);
            for ledoit_wolf in [true, false] {
                let shrink = |correlation: &mut [f64], volatilities: &mut [f64], fourth| {
                    if ledoit_wolf {
                        ledoit_wolf_raw(correlation, volatilities, rows, fourth)
                    } else {
                        oas_raw(correlation, volatilities, rows)
                    }
                };
                let (mut correlation, mut volatilities, fourth) = sample(&d);
                let (mut same, mut scaled) = (correlation.clone(), volatilities.clone());
                scaled.iter_mut().for_each(|s| *s *= factor);
                let rho = shrink(&mut correlation, &mut volatilities, fourth);
                assert_eq!(shrink(&mut same, &mut scaled, fourth), rho);
                volatilities.iter_mut().for_each(|s| *s *= factor);
                assert_eq!((same, scaled), (correlation, volatilities));
            }
        }
    }

    #[test]
    fn power_of_two_times_one_asset_changes_the_intensity() {
        let (n, rows) = (4, 30);
        let mut d = deviations(n, rows);
        let intensity = |d: &[Vec<f64>]| {
            let (mut correlation, mut volatilities, fourth) = sample(d);
            ledoit_wolf_raw(&mut correlation, &mut volatilities, rows, fourth)
        };
        let before = intensity(&d);
        d.iter_mut().for_each(|d| d[0] *= 8.0);
        assert!((intensity(&d) - before).abs() > 1e-3);
    }

    #[test]
    fn two_rows_shrink_nothing() {
        let d = deviations(5, 2);
        let (mut correlation, mut volatilities, fourth) = sample(&d);
        assert!(ledoit_wolf_raw(&mut correlation, &mut volatilities, 2, fourth) < 1e-15);
    }

    #[test]
    fn multiple_of_the_identity_stays() {
        for n in [1, 3] {
            let identity: Vec<f64> = (0..n * n).map(|k| f64::from(u8::from(k / n == k % n))).collect();
            let (mut correlation, mut volatilities) = (identity.clone(), vec![0.01; n]);
            assert_eq!(ledoit_wolf_raw(&mut correlation, &mut volatilities, 10, 3.0), 0.0);
            assert_eq!(oas_raw(&mut correlation, &mut volatilities, 10), 1.0);
            assert_eq!(correlation, identity);
            assert!(volatilities.iter().all(|s| (s - 0.01).abs() < 1e-17));
        }
    }

    #[test]
    fn asset_beside_one_of_vast_volatility_stays_finite() {
        for tiny in [1e-30, 1e-200, 1e-300] {
            for fourth in [0.0, 0.3, 1e3] {
                let (mut correlation, mut volatilities) = (vec![1.0, 0.5, 0.5, 1.0], vec![tiny, 1.0]);
                let rho = ledoit_wolf_raw(&mut correlation, &mut volatilities, 10, fourth);
                assert!((0.0..=1.0).contains(&rho));
                assert!(correlation.iter().chain(&volatilities).all(|x| x.is_finite()), "{tiny} {fourth}");
                assert!(volatilities.iter().all(|&s| s > 0.0));
            }
        }
    }
}
