//! Levels or changes: does each value of a column stay close to the one before?
//!
//! ```text
//! v = sum_t (x_t - x_{t-1})^2 / sum_t (x_t - mean)^2 = 2 (1 - rho) for a first autocorrelation rho (von Neumann 1941)
//! ```
//!
//! Changes have v near 2, with a standard deviation of 2 / sqrt(T). Levels have v near 0: the v of a random walk of 60 rows
//! lies below 0.5 in 97 of 100 cases. Means over several assets decide better still. Limits stay below what returns of
//! traded assets show: v = 0.5 is an autocorrelation of 0.75.

use crate::error::{Error, Result, option};
use crate::io::history::History;
use crate::io::{listed, shown};

/// Fewer values tell nothing.
const LEAST_ROWS: usize = 8;
/// The limits of v by the number of rows: shorter walks need more room.
const LIMITS: [(usize, f64); 3] = [(20, 0.5), (60, 0.8), (usize::MAX, 0.5)];
/// Standard deviations of the mean v of changes that its limit stays away from 2.
const SURE: f64 = 3.5;
/// A single column beside changes is a level below this, if it is long.
const CERTAINLY_A_LEVEL: f64 = 0.2;
const LONG: usize = 60;
/// Above this v a column scatters about a constant, if it has so many rows.
const SCATTERED: f64 = 1.2;
const LEAST_SCATTERED: usize = 40;
/// Changes of a price this large from row to row, and back, are those of a volume. A currency that is pegged scatters too,
/// by less.
const LARGE_CHANGE: f64 = 0.1;
/// Returns scatter around zero; prices lie more than so many standard deviations above it, the more the fewer rows there
/// are.
const FAR_FROM_ZERO: [(usize, f64); 2] = [(10, 10.0), (usize::MAX, 3.0)];
/// Of prices at least this share is above zero: futures have been below.
const NEARLY_ALL: f64 = 0.85;
/// A standard deviation in middle distances from the middle, of a normal distribution.
const DEVIATION: f64 = 1.4826;

fn limit<T: Copy>(limits: &[(usize, T)], rows: usize) -> T {
    limits.iter().find(|(most, _)| rows < *most).map_or(limits[limits.len() - 1].1, |(_, limit)| *limit)
}

/// The values of a column that are there.
pub(super) fn column(history: &History, asset: usize) -> Vec<f64> {
    history.values.iter().copied().skip(asset).step_by(history.assets.len()).filter(|x| x.is_finite()).collect()
}

fn mean_and_sd(column: &[f64]) -> (f64, f64) {
    let rows = column.len().max(1) as f64;
    let mean = column.iter().sum::<f64>() / rows;
    (mean, (column.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / rows).sqrt())
}

/// The figure above; none where too few rows tell, or none moves.
fn von_neumann(column: &[f64]) -> Option<f64> {
    let (mean, _) = mean_and_sd(column);
    let squares: f64 = column.iter().map(|x| (x - mean).powi(2)).sum();
    let steps: f64 = column.windows(2).map(|pair| (pair[1] - pair[0]).powi(2)).sum();
    (column.len() >= LEAST_ROWS && squares > 0.0).then_some(steps / squares)
}

/// Refuses returns that run like levels: all together, or one column that can be nothing else. Gives what is to be
/// remarked: interest on cash runs so too.
pub(super) fn refuse_levels(history: &History, what: &str) -> Result<Option<String>> {
    const HINT: &str = "give prices, or the change from each row to the next; cumulative returns plus one are prices";
    let n = history.assets.len();
    let figures: Vec<(usize, f64)> =
        (0..n).filter_map(|asset| Some((asset, von_neumann(&column(history, asset))?))).collect();
    if figures.is_empty() {
        return Ok(None);
    }
    let values = figures.iter().map(|(asset, _)| column(history, *asset).len()).sum::<usize>() as f64;
    let limit = limit(&LIMITS, history.rows()).min(2.0 - SURE * 2.0 / values.sqrt());
    let mean = figures.iter().map(|(_, v)| v).sum::<f64>() / figures.len() as f64;
    let names = |assets: &[usize]| listed(assets.iter().map(|&asset| history.assets[asset].as_str()));
    if mean < limit {
        let levels: Vec<usize> = figures.iter().filter(|(_, v)| *v < limit).map(|(asset, _)| *asset).collect();
        return Err(Error::input(format!(
            "{}: {} {what}: each value is close to the one before (squared steps over variance {mean:.2}, where returns \
             have about 2)",
            history.source,
            names(&levels)
        ))
        .hint(HINT));
    }
    let is_long = |asset: usize| column(history, asset).len() >= LONG;
    let is_level = |(asset, v): &&(usize, f64)| *v < CERTAINLY_A_LEVEL && is_long(*asset);
    let levels: Vec<usize> = figures.iter().filter(is_level).map(|(asset, _)| *asset).collect();
    if levels.is_empty() {
        return Ok(None);
    }
    // A sure return is smaller than the risk of the others; what is larger, or crosses zero, is no interest.
    let risks: Vec<f64> = figures
        .iter()
        .filter(|(_, v)| *v >= CERTAINLY_A_LEVEL)
        .map(|(asset, _)| mean_and_sd(&column(history, *asset)).1)
        .collect();
    let usual = middle(risks);
    let is_interest = |&asset: &usize| {
        let column = column(history, asset);
        column.iter().all(|x| *x >= 0.0) && mean_and_sd(&column).0 < usual
    };
    let odd: Vec<usize> = levels.iter().copied().filter(|asset| !is_interest(asset)).collect();
    if let Some(&first) = odd.first() {
        let name = shown(&history.assets[first]);
        return Err(Error::input(format!(
            "{}: {} {what}: each value is close to the one before, unlike those of the other columns",
            history.source,
            names(&odd)
        ))
        .hint(format!("leave it out with {}, or make returns of it", option("exclude").quoted(&name))));
    }
    let interest = || format!("{} is close to its value before in every row: interest on cash?", names(&levels));
    Ok(Some(interest()))
}

/// The middle one of the figures; of an even number the upper of two. Zero of none.
pub(super) fn middle(mut figures: Vec<f64>) -> f64 {
    figures.sort_unstable_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(0.0)
}

/// Refuses a history most of whose columns lie far above zero: prices where returns are asked for.
pub(super) fn refuse_prices(history: &History) -> Result<()> {
    let n = history.assets.len();
    let is_far = |&asset: &usize| {
        let column = column(history, asset);
        let above = column.iter().filter(|x| **x > 0.0).count();
        // By the middle and the middle distance from it, which one price below zero does not move.
        let center = middle(column.clone());
        let spread = DEVIATION * middle(column.iter().map(|x| (x - center).abs()).collect());
        let is_above = column.len() >= 3 && above as f64 >= NEARLY_ALL * column.len() as f64;
        is_above && center > limit(&FAR_FROM_ZERO, column.len()) * spread
    };
    let far: Vec<usize> = (0..n).filter(is_far).collect();
    // One beside returns is interest, unless it is larger than their risk.
    let near: Vec<f64> =
        (0..n).filter(|asset| !far.contains(asset)).map(|asset| mean_and_sd(&column(history, asset)).1).collect();
    let usual = middle(near);
    let far: Vec<usize> = match 2 * far.len() <= n {
        true => far.into_iter().filter(|&asset| mean_and_sd(&column(history, asset)).0 > usual).collect(),
        false => far,
    };
    if far.is_empty() {
        return Ok(());
    }
    let names = listed(far.iter().map(|&asset| history.assets[asset].as_str()));
    Err(Error::input(format!(
        "{}: {names} are far above zero in nearly every row, as prices and levels are: these are no returns",
        history.source
    ))
    .hint(format!(
        "leave {} out if the file holds prices, or leave such columns out with {}",
        option("returns"),
        option("exclude")
    )))
}

/// Refuses prices that scatter about a constant: volumes, or one plus a return.
pub(super) fn refuse_scattered(history: &History) -> Result<()> {
    let n = history.assets.len();
    let logs = |asset: usize| -> Vec<f64> { column(history, asset).into_iter().map(f64::ln).collect() };
    let scattered: Vec<usize> = (0..n)
        .filter(|&asset| {
            let logs = logs(asset);
            logs.len() >= LEAST_SCATTERED && von_neumann(&logs).is_some_and(|v| v > SCATTERED)
        })
        .collect();
    if scattered.is_empty() {
        return Ok(());
    }
    let change = |&asset: &usize| {
        let logs = logs(asset);
        mean_and_sd(&logs.windows(2).map(|pair| pair[1] - pair[0]).collect::<Vec<f64>>()).1
    };
    let (is_all, near_one) = (scattered.len() == n, |&asset: &usize| {
        let (mean, sd) = mean_and_sd(&column(history, asset));
        (mean - 1.0).abs() < sd
    });
    if is_all && n > 1 && scattered.iter().all(near_one) {
        return Err(Error::input(format!(
            "{}: every column scatters about 1, and prices do not: are these returns plus one?",
            history.source
        ))
        .hint(format!("take one from each number, and say {}", option("returns"))));
    }
    let Some(&first) = scattered.iter().find(|asset| change(asset) > LARGE_CHANGE) else { return Ok(()) };
    let name = shown(&history.assets[first]);
    Err(Error::input(format!(
        "{}: column {} (`{name}`) scatters about a constant, as volumes do and prices do not",
        history.source, history.columns[first]
    ))
    .hint(format!("leave it out with {}", option("exclude").quoted(&name))))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers in [-0.5, 0.5): a linear congruential sequence.
    fn noise(seed: u64, count: usize) -> Vec<f64> {
        let mut state = seed;
        (0..count)
            .map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (state >> 33) as f64 / f64::from(1_u32 << 31) - 0.5
            })
            .collect()
    }

    fn history(columns: &[Vec<f64>]) -> History {
        let rows = columns[0].len();
        History {
            source: "f".into(),
            assets: (0..columns.len()).map(|asset| format!("A{asset}")).collect(),
            columns: (0..columns.len()).map(|asset| asset + 2).collect(),
            labels: (0..rows).map(|row| row.to_string()).collect(),
            keys: crate::io::dates::Keys::Names,
            lines: (2..2 + rows as u64).collect(),
            cell_lines: Vec::new(),
            noun: "line",
            values: (0..rows).flat_map(|row| columns.iter().map(move |column| column[row])).collect(),
        }
    }

    fn sums(steps: &[f64]) -> Vec<f64> {
        let add = |sum: &mut f64, x: &f64| {
            *sum += x;
            Some(*sum)
        };
        steps.iter().scan(0.0, add).collect()
    }

    #[test]
    fn levels_remember_the_row_before_and_returns_do_not() {
        let returns: Vec<Vec<f64>> = (1..4).map(|seed| noise(seed, 120)).collect();
        assert!(refuse_levels(&history(&returns), "x").expect("returns").is_none());
        let levels: Vec<Vec<f64>> = returns.iter().map(|column| sums(column)).collect();
        assert!(refuse_levels(&history(&levels), "x").is_err());
        let one = [returns[0].clone(), returns[1].clone(), levels[2].clone()];
        let error = refuse_levels(&history(&one), "x").expect_err("one is a level");
        assert!(error.message.contains("`A2`") && !error.message.contains("`A0`"), "{error}");
        // Interest is small, sure, and remembers.
        let interest = sums(&noise(9, 120)).iter().map(|x| 0.01 + 1e-4 * x).collect();
        let cash = [returns[0].clone(), returns[1].clone(), interest];
        let remark = refuse_levels(&history(&cash), "x").expect("cash beside risk");
        assert!(remark.is_some_and(|remark| remark.contains("`A2`")));
    }

    #[test]
    fn volumes_and_gross_returns_are_no_prices_and_pegged_currencies_are() {
        let walk: Vec<f64> = sums(&noise(1, 60)).iter().map(|x| 100.0 * (0.02 * x).exp()).collect();
        let volume: Vec<f64> = noise(2, 60).iter().map(|x| 1e6 * (1.0 + x)).collect();
        let pegged: Vec<f64> = noise(3, 60).iter().map(|x| 1.0 + 1e-3 * x).collect();
        let error = refuse_scattered(&history(&[walk.clone(), volume])).expect_err("a volume");
        assert!(error.message.contains("`A1`"), "{error}");
        assert!(refuse_scattered(&history(&[walk, pegged])).is_ok());
        let gross: Vec<Vec<f64>> =
            (4..7).map(|seed| noise(seed, 60).iter().map(|x| 1.0 + 0.02 * x).collect()).collect();
        assert!(refuse_scattered(&history(&gross)).is_err_and(|error| error.message.contains("plus one")));
    }
}
