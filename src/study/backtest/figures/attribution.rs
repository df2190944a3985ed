//! Where the excess of a levered portfolio over cash comes from (Anderson, Bianchi & Goldberg 2014), a year.
//!
//! ```text
//! l_t = sum_i h_i                       exposure at the start of the row
//! u_t = a_t / l_t - y_t                 excess of the same portfolio without leverage; 0 where l = 0
//!
//! source         A mean u
//! magnification  A (mean l - 1) mean u
//! covariance     A cov(l, u), divisor N
//! financing    - A mean((l - 1)^+ s)
//! trading        A mean(r - g)
//! excess         A mean(r - y), the sum of the five
//! ```

use serde::Serialize;

use super::rows::{Market, Track};

#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Attribution {
    /// What the portfolio would have earned without leverage.
    pub source: f64,
    /// What mean leverage makes of it.
    pub magnification: f64,
    /// Whether leverage was high when the portfolio earned much.
    pub covariance: f64,
    pub financing: f64,
    pub trading: f64,
    pub excess: f64,
}

/// What is known of exposure, and of what is levered by it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Leverage {
    /// mean l.
    pub mean: f64,
    /// mean u.
    pub unlevered: f64,
    /// A cov(l, u): the part of the attribution.
    pub covariance: f64,
}

impl Leverage {
    /// None without rows. `unlevered` is room for u.
    pub fn of(market: &Market, track: &Track, unlevered: &mut Vec<f64>) -> Option<Leverage> {
        unlevered.clear();
        let earned = track.earned.iter().zip(&track.exposure).zip(market.cash);
        unlevered.extend(earned.map(|((a, l), y)| {
            let u = a / l - y;
            if *l == 0.0 { 0.0 } else { u }
        }));

        let (n, mut mean, mut mean_u, mut covariance) = (track.exposure.len() as f64, 0.0, 0.0, 0.0);
        for (l, u) in track.exposure.iter().zip(&*unlevered) {
            mean += l;
            mean_u += u;
        }
        (mean, mean_u) = (mean / n, mean_u / n);
        for (l, u) in track.exposure.iter().zip(&*unlevered) {
            covariance += (l - mean) * (u - mean_u);
        }
        Leverage::of_sums(track.exposure.len(), [mean, mean_u], covariance, market.timeline.periods_per_year)
    }

    /// From `rows` rows: the means of l and u, and the sum of the products of their deviations.
    pub fn of_sums(rows: usize, [mean, unlevered]: [f64; 2], products: f64, periods_per_year: f64) -> Option<Leverage> {
        // Zero added, here and below: what is nothing has no sign.
        let covariance = periods_per_year * products / rows as f64 + 0.0;
        (rows > 0).then_some(Leverage { mean, unlevered, covariance })
    }
}

impl Attribution {
    pub fn of(market: &Market, track: &Track, leverage: Leverage) -> Attribution {
        let (mut borrowed, mut trading, mut excess) = (0.0, 0.0, 0.0);
        for (l, s) in track.exposure.iter().zip(market.spread) {
            borrowed += (l - 1.0).max(0.0) * s;
        }
        for ((r, g), y) in track.net.iter().zip(&track.gross).zip(market.cash) {
            trading += r - g;
            excess += r - y;
        }
        let annual = |mean: f64| market.timeline.periods_per_year * mean + 0.0;
        let n = track.rows() as f64;
        Attribution {
            source: annual(leverage.unlevered),
            magnification: annual((leverage.mean - 1.0) * leverage.unlevered),
            covariance: leverage.covariance,
            financing: annual(-borrowed / n),
            trading: annual(trading / n),
            excess: annual(excess / n),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::rows::Timeline;
    use super::*;

    fn attribution(market: &Market, track: &Track) -> Option<Attribution> {
        Leverage::of(market, track, &mut Vec::new()).map(|leverage| Attribution::of(market, track, leverage))
    }

    /// Rows of an account that levers as it likes; `ruin` ends it there.
    fn account(rows: usize, ruin: Option<usize>) -> (Vec<f64>, Vec<f64>, Track) {
        let wave = |t: usize, step: f64| (t as f64 * step).sin();
        let cash: Vec<f64> = (0..rows).map(|t| 1e-4 * (1.0 + wave(t, 0.1))).collect();
        let spread = vec![2e-5; rows];
        let mut track = Track::default();
        for t in 0..rows {
            let after = ruin.is_some_and(|ruin| t > ruin);
            let exposure = if after || t % 17 == 0 { 0.0 } else { 1.5 + wave(t, 0.05) };
            let earned = if ruin == Some(t) { -1.2 } else { exposure * 0.01 * wave(t, 1.3) };
            let rate = if exposure > 1.0 { cash[t] + spread[t] } else { cash[t] };
            let gross = earned + (1.0 - exposure) * rate;
            let net = match ruin {
                Some(ruin) if t == ruin => -1.0,
                Some(ruin) if t > ruin => 0.0,
                _ => (1.0 + gross) * (1.0 - 1e-4 * (t % 5) as f64) - 1.0,
            };
            track.exposure.push(exposure);
            track.earned.push(earned);
            track.gross.push(gross);
            track.net.push(net);
        }
        (cash, spread, track)
    }

    #[test]
    fn the_five_parts_sum_to_the_excess() {
        for ruin in [None, Some(300)] {
            let (cash, spread, track) = account(1000, ruin);
            let timeline = Timeline::new(vec![String::new(); 1001], None, 252.0);
            let market = Market { timeline: &timeline, cash: &cash, spread: &spread };
            let found = attribution(&market, &track).unwrap();
            let sum = found.source + found.magnification + found.covariance + found.financing + found.trading;
            assert!((sum - found.excess).abs() < 1e-12, "{sum} {found:?}");
        }
    }

    #[test]
    fn a_portfolio_without_leverage_costs_or_rows_has_no_parts_of_them() {
        let timeline = Timeline::new(vec![String::new(); 3], None, 4.0);
        let market = Market { timeline: &timeline, cash: &[0.01, 0.01], spread: &[0.005, 0.005] };
        let returns = vec![0.02, -0.01];
        let track = Track {
            net: returns.clone(),
            gross: returns.clone(),
            earned: returns,
            exposure: vec![1.0, 1.0],
            ..Track::default()
        };
        let found = attribution(&market, &track).unwrap();
        let parts = [found.magnification, found.covariance, found.financing, found.trading];
        assert!(parts.iter().all(|part| *part == 0.0 && part.is_sign_positive()), "{found:?}");
        assert!((found.source - 4.0 * -0.005).abs() < 1e-16 && (found.excess - found.source).abs() < 1e-16);
        assert_eq!(attribution(&market, &Track::default()), None);
    }
}
