//! What a careful colleague would mention about returns that can be used. At most one line per kind.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::io::{Notices, count, listed, shown};
use crate::panel::{Labels, Returns};

/// Returns beyond this are rare in daily data, and usual at splits.
const LARGE: f64 = 0.5;
/// As many rows without a move, one after the other, are hardly a market's.
const STALE_ROWS: usize = 10;
/// Nor is such a share of all rows.
const STALE_SHARE: f64 = 0.25;

pub(crate) fn about(returns: &Returns, source: &str) -> Notices {
    let figures =
        [implausible(returns), identical(returns), cases(returns), stale(returns), closed(returns), singular(returns)];
    figures.into_iter().flatten().map(|line| format!("{source}: {line}").into()).collect()
}

fn column(returns: &Returns, asset: usize) -> impl Iterator<Item = f64> {
    returns.values.iter().copied().skip(asset).step_by(returns.assets.len())
}

fn label(labels: &Labels, row: usize) -> String {
    match labels {
        Labels::Dates(dates) => dates[row].to_string(),
        Labels::Text(names) => shown(&names[row]),
    }
}

/// Returns beyond +-50 %: splits left unadjusted, figures in percent, prices taken for returns.
fn implausible(returns: &Returns) -> Option<String> {
    let n = returns.assets.len();
    let large = returns.values.iter().filter(|x| x.abs() > LARGE).count();
    let (worst, value) = returns.values.iter().enumerate().max_by(|a, b| a.1.abs().total_cmp(&b.1.abs()))?;
    if large == 0 {
        return None;
    }
    let (label, asset) = (label(&returns.labels, worst / n), shown(&returns.assets[worst % n]));
    let percent = value * 100.0;
    let percent = if percent.abs() < 1e6 { format!("{percent:+.1} %") } else { format!("{percent:+.1e} %") };
    let question = match returns.values.iter().all(|&x| x > 0.0) {
        true => "are these prices?",
        false => "an unadjusted split?",
    };
    Some(format!("{} beyond +-50 %, the largest {percent} (`{asset}`, {label}): {question}", count(large, "return")))
}

/// Assets whose returns are the same, bit by bit: the same thing under two names.
fn identical(returns: &Returns) -> Option<String> {
    const MOST: usize = 3;
    let mut seen: HashMap<u64, usize> = HashMap::new();
    let mut pairs = Vec::new();
    for asset in 0..returns.assets.len() {
        let mut hasher = DefaultHasher::new();
        column(returns, asset).for_each(|x| x.to_bits().hash(&mut hasher));
        let first = *seen.entry(hasher.finish()).or_insert(asset);
        if first < asset && column(returns, first).eq(column(returns, asset)) {
            pairs.push(format!("`{}` and `{}`", shown(&returns.assets[first]), shown(&returns.assets[asset])));
        }
    }
    if pairs.is_empty() {
        return None;
    }
    let more = if pairs.len() > MOST { format!(", and {} more pairs", pairs.len() - MOST) } else { String::new() };
    pairs.truncate(MOST);
    Some(format!("{}{more} have identical returns", pairs.join(", ")))
}

/// Names that differ in case only: one asset twice, or a slip to come.
fn cases(returns: &Returns) -> Option<String> {
    let mut seen: HashMap<String, &str> = HashMap::new();
    returns.assets.iter().find_map(|name| {
        let other = seen.insert(name.to_lowercase(), name)?;
        Some(format!("`{}` and `{}` differ in case only", shown(other), shown(name)))
    })
}

/// Prices that stand still for long: filled in on days without trading, or no longer kept up.
fn stale(returns: &Returns) -> Option<String> {
    let mut stale: Vec<(usize, usize, usize)> = Vec::new();
    for asset in 0..returns.assets.len() {
        let (mut run, mut longest, mut end, mut zeros) = (0, 0, 0, 0);
        for (row, x) in column(returns, asset).enumerate() {
            run = if x == 0.0 { run + 1 } else { 0 };
            zeros += usize::from(x == 0.0);
            if run > longest {
                (longest, end) = (run, row);
            }
        }
        if longest >= STALE_ROWS || longest > 1 && zeros as f64 > STALE_SHARE * returns.rows() as f64 {
            stale.push((asset, longest, end));
        }
    }
    let &(asset, rows, end) = stale.iter().max_by_key(|(_, longest, _)| *longest)?;
    let others: Vec<&str> =
        stale.iter().filter(|(other, ..)| *other != asset).map(|(other, ..)| returns.assets[*other].as_str()).collect();
    let others = if others.is_empty() { String::new() } else { format!("; so do {}", listed(others.into_iter())) };
    Some(format!(
        "stale prices? `{}` stands still for {rows} rows up to {}{others}",
        shown(&returns.assets[asset]),
        label(&returns.labels, end)
    ))
}

/// Rows on which nothing moves at all: days without trading that were kept.
fn closed(returns: &Returns) -> Option<String> {
    let (rows, assets) = (returns.rows(), returns.assets.len());
    let still = returns.values.chunks_exact(assets).filter(|row| row.iter().all(|&x| x == 0.0)).count();
    (still > 0 && assets > 1).then(|| {
        format!(
            "every asset returns exactly zero on {still} of {} (holidays kept in the file?): they count as periods \
             without a move",
            count(rows, "row")
        )
    })
}

fn singular(returns: &Returns) -> Option<String> {
    let (rows, assets) = (returns.rows(), returns.assets.len());
    (rows <= assets).then(|| format!("{rows} rows of returns for {assets} assets: the covariance is singular"))
}
