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

/// `has_lives`: assets come and go, and no covariance of all rows is taken.
pub(crate) fn about(returns: &Returns, source: &str, has_lives: bool) -> Notices {
    let of_kind = if has_lives { still(returns) } else { singular(returns) };
    let figures = [implausible(returns), identical(returns), cases(returns), stale(returns), closed(returns), of_kind];
    figures.into_iter().flatten().map(|line| format!("{source}: {line}").into()).collect()
}

/// The returns of an asset while it lives.
pub(crate) fn lived(returns: &Returns, asset: usize) -> impl Iterator<Item = f64> {
    returns.column(asset).filter(|x| !x.is_nan())
}

/// Whether an asset never moves while it lives.
pub(crate) fn is_constant(returns: &Returns, asset: usize) -> bool {
    let first = lived(returns, asset).next();
    first.is_some_and(|first| lived(returns, asset).all(|x| x == first))
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
    let there = returns.values.iter().enumerate().filter(|(_, x)| !x.is_nan());
    let (worst, value) = there.max_by(|a, b| a.1.abs().total_cmp(&b.1.abs()))?;
    if large == 0 {
        return None;
    }
    let (label, asset) = (label(&returns.labels, worst / n), shown(&returns.assets[worst % n]));
    let percent = value * 100.0;
    let percent = if percent.abs() < 1e6 { format!("{percent:+.1} %") } else { format!("{percent:+.1e} %") };
    let question = match returns.values.iter().all(|&x| x > 0.0 || x.is_nan()) {
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
    let bits = |asset: usize| returns.column(asset).map(f64::to_bits);
    for asset in (0..returns.assets.len()).filter(|&asset| !is_constant(returns, asset)) {
        let mut hasher = DefaultHasher::new();
        bits(asset).for_each(|bits| bits.hash(&mut hasher));
        let first = *seen.entry(hasher.finish()).or_insert(asset);
        if first < asset && bits(first).eq(bits(asset)) {
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
    // What never moves is said elsewhere.
    for asset in (0..returns.assets.len()).filter(|&asset| !is_constant(returns, asset)) {
        let (mut run, mut longest, mut end, mut zeros) = (0, 0, 0, 0);
        for (row, x) in returns.column(asset).enumerate() {
            run = if x == 0.0 { run + 1 } else { 0 };
            zeros += usize::from(x == 0.0);
            if run > longest {
                (longest, end) = (run, row);
            }
        }
        if longest >= STALE_ROWS || longest > 1 && zeros as f64 > STALE_SHARE * lived(returns, asset).count() as f64 {
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

/// Rows on which nothing moves at all: days without trading that were kept. One asset that stands still does not say so.
fn closed(returns: &Returns) -> Option<String> {
    let assets = returns.assets.len();
    let is_closed = |row: &&[f64]| {
        let still = row.iter().filter(|x| **x == 0.0).count();
        still > 1 && still == row.iter().filter(|x| !x.is_nan()).count()
    };
    let still = returns.values.chunks_exact(assets.max(1)).filter(is_closed).count();
    let has_lives = returns.values.iter().any(|x| x.is_nan());
    (still > 0).then(|| {
        format!(
            "every {} returns exactly zero on {still} of {} (holidays kept in the file?): they count as periods without a \
             move",
            if has_lives { "living asset" } else { "asset" },
            count(returns.rows(), "row")
        )
    })
}

/// Assets that never move: elsewhere they are refused.
fn still(returns: &Returns) -> Option<String> {
    let is_still = |asset: &usize| is_constant(returns, *asset) && lived(returns, *asset).nth(1).is_some();
    let still: Vec<&str> =
        (0..returns.assets.len()).filter(is_still).map(|asset| returns.assets[asset].as_str()).collect();
    let verb = if still.len() == 1 { "never moves" } else { "never move" };
    let names = listed(still.iter().copied());
    (!still.is_empty()).then(|| format!("{names} {verb}: without a variance an asset is not eligible"))
}

fn singular(returns: &Returns) -> Option<String> {
    let (rows, assets) = (returns.rows(), returns.assets.len());
    (rows <= assets).then(|| format!("{rows} rows of returns for {assets} assets: the covariance is singular"))
}
