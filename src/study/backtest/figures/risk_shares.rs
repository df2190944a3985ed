//! Who bore the risk that was realised.
//!
//! ```text
//! share_i = cov(h_i r_i, a) / var(a),  a = sum_i h_i r_i,  over all rows        they sum to 1
//! ```

use std::ops::Range;

use super::ratio::varies;
use super::rows::Track;
use crate::stats;

/// Over all rows; none where the portfolio does not vary, or nothing is known of its assets.
pub fn risk_shares(track: &Track) -> Option<Vec<f64>> {
    risk_shares_over(track, 0..track.rows())
}

/// The same over some rows.
pub fn risk_shares_over(track: &Track, rows: Range<usize>) -> Option<Vec<f64>> {
    let assets = track.assets;
    if assets == 0 || track.contributions.is_empty() || rows.is_empty() {
        return None;
    }
    let earned = &track.earned[rows.clone()];
    let (n, mean) = (rows.len() as f64, stats::mean(earned));
    let (mut shares, mut squares) = (vec![0.0; assets], 0.0);
    // The mean of one side is enough: deviations of the other sum to zero.
    let contributions = track.contributions[rows.start * assets..rows.end * assets].chunks_exact(assets);
    for (contributions, a) in contributions.zip(earned) {
        let deviation = a - mean;
        squares += deviation * deviation;
        for (share, contribution) in shares.iter_mut().zip(contributions) {
            *share += deviation * contribution;
        }
    }
    for share in &mut shares {
        *share /= squares;
    }
    varies((squares / n).sqrt()).then_some(shares)
}

/// max_i |share_i / b_i - 1| over the assets with a budget; none for a strategy without budgets.
pub fn risk_share_error(shares: &[f64], budgets: &[f64]) -> Option<f64> {
    let budgeted = shares.iter().zip(budgets).filter(|(_, b)| **b > 0.0);
    budgeted.map(|(share, b)| (share / b - 1.0).abs()).max_by(f64::total_cmp)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn track(contributions: &[f64], assets: usize) -> Track {
        let earned: Vec<f64> = contributions.chunks(assets).map(|row| row.iter().sum()).collect();
        Track { net: earned.clone(), earned, contributions: contributions.to_vec(), assets, ..Track::default() }
    }

    #[test]
    fn independent_assets_share_by_their_variances() {
        // (1, 1), (1, -1), (-1, 1), (-1, -1) are uncorrelated; the second counts twice.
        let found = risk_shares(&track(&[1.0, 2.0, 1.0, -2.0, -1.0, 2.0, -1.0, -2.0], 2)).unwrap();
        assert_eq!(found, [0.2, 0.8]);
        assert!((risk_share_error(&found, &[0.5, 0.5]).unwrap() - 0.6).abs() < 1e-15);
        assert_eq!(risk_share_error(&found, &[1.0, 0.0]), Some(0.8));
        assert_eq!(risk_share_error(&found, &[]), None);
    }

    #[test]
    fn shares_sum_to_one_whatever_the_means() {
        let contributions: Vec<f64> =
            (0..3000).map(|i| 0.03 + 0.01 * (f64::from(i) * 1.7).sin() * (f64::from(i % 3) + 1.0)).collect();
        let found = risk_shares(&track(&contributions, 3)).unwrap();
        assert!((found.iter().sum::<f64>() - 1.0).abs() < 1e-12);
    }

    #[test]
    fn nothing_is_shared_where_nothing_varies() {
        assert_eq!(risk_shares(&track(&[0.1, 0.2, 0.1, 0.2], 2)), None);
        assert_eq!(risk_shares(&Track::default()), None);
    }
}
