//! Weights that somebody holds, by asset name.

use std::path::Path;

use crate::error::{Error, Result, Text, option};
use crate::io::budgets::ROUNDING;
use crate::io::names::plain;
use crate::io::shares::{self, Noun};
use crate::io::{Notices, listed, shown};

const WEIGHTS: Noun = Noun {
    option: "weights",
    of: "asset",
    one: "weight",
    columns: &[
        "weight",
        "weights",
        "portfolio weight",
        "allocation",
        "share",
        "holding",
        "market value",
        "value",
        "amount",
        "percent",
        "%",
        "yours",
    ],
    others: &["shares", "quantity", "qty", "units", "price", "position", "number"],
    like: "amounts of money, or shares of the whole like 0.25 or 25%",
};

const MIX: Noun = Noun { option: "fixed", ..WEIGHTS };

/// Of long and short positions that cancel but for less than this, no shares of the whole can be told.
const LEAST_NET: f64 = 0.05;

/// Weights in the order of `assets`, summing to one: shares, percentages or amounts of money. Assets that are not named are
/// not held; weights below zero are short positions.
///
/// # Errors
/// Names that are unknown or repeated; numbers that are not finite, or do not sum to more than zero.
pub fn read_holdings(argument: &str, assets: &[String]) -> Result<(Vec<f64>, Notices)> {
    let found = shares::by_name(shares::read(argument, assets, WEIGHTS)?, assets, WEIGHTS)?;
    let absent: Vec<&str> =
        assets.iter().zip(&found).filter(|(_, weight)| weight.is_none()).map(|(asset, _)| asset.as_str()).collect();
    let weights: Vec<f64> = found.iter().map(|weight| weight.unwrap_or(0.0)).collect();
    let (scaled, said) = scaled(&weights, "the weights that are held")?;
    let mut notices = Notices::new();
    if !absent.is_empty() {
        notices.push(format!("no weight for {}: taken as not held", listed(absent.into_iter())).into());
    }
    notices.extend(short(assets, &weights, "held short"));
    notices.extend(said);
    Ok((scaled, notices))
}

/// Which weights are below zero; nothing where none is.
fn short(assets: &[String], weights: &[f64], what: &str) -> Option<Text> {
    let is_short = assets.iter().zip(weights).filter(|(_, weight)| **weight < 0.0);
    let short: Vec<String> = is_short.map(|(asset, weight)| format!("`{}` ({weight})", shown(asset))).collect();
    let told = || format!("{what}: {}; the study's own portfolio holds nothing short", short.join(", "));
    (!short.is_empty()).then(|| told().into())
}

/// A fixed mix in the order of `assets`, with its name, from `A=0.6,B=0.4`, a file, or either behind `NAME:`. Weights sum to
/// one; assets that are not named are not held.
///
/// # Errors
/// As [`read_holdings`].
pub fn read_mix(argument: &str, assets: &[String]) -> Result<(Option<String>, Vec<f64>, Notices)> {
    let Mix { name, weights, whose } = mix(argument, assets)?;
    let (scaled, said) = scaled(&weights, &whose)?;
    let mut notices: Notices =
        short(assets, &weights, &format!("short in `{}`", shown(name.as_deref().unwrap_or("fixed"))))
            .into_iter()
            .collect();
    notices.extend(said);
    Ok((name, scaled, notices))
}

/// The same where weights are parts of wealth, none of them below zero: what is left of it is cash, and what goes beyond is
/// borrowed. Weights that sum to a hundred are in percent.
///
/// # Errors
/// Names that are unknown or repeated; numbers that are not finite, below zero, all zero, or sum to more than ten.
pub fn read_parts_of_wealth(argument: &str, assets: &[String]) -> Result<(Option<String>, Vec<f64>, Notices)> {
    let Mix { name, mut weights, whose } = shares::typed(argument, mix(argument, assets))?;
    if let Some(asset) = (0..weights.len()).find(|&asset| weights[asset] < 0.0) {
        return Err(Error::usage(format!("{whose}: {} of `{}` is short", weights[asset], shown(&assets[asset])))
            .hint("a backtest holds nothing short: give weights from zero up"));
    }
    let mut notices = Notices::new();
    let mut total: f64 = weights.iter().sum();
    if (total - 100.0).abs() <= 0.1 {
        notices.push(format!("{whose} sum to {total}: they are taken for percent").into());
        weights.iter_mut().for_each(|weight| *weight /= 100.0);
        total /= 100.0;
    }
    if !(total > 0.0 && total <= MOST_HELD) {
        return Err(Error::usage(format!("{whose} sum to {total} times wealth"))
            .hint("write parts of wealth like 0.6, or percent like 60%: below one leaves cash, above one borrows"));
    }
    if (total - 1.0).abs() <= ROUNDING {
        return Ok((name, weights, notices));
    }
    let rest = if total < 1.0 { "the rest is cash" } else { "what goes beyond one is borrowed" };
    notices.push(format!("{whose} sum to {}: {rest}", crate::wording::short(total)).into());
    Ok((name, weights, notices))
}

/// Of wealth, at most, that somebody would hold on purpose.
const MOST_HELD: f64 = 10.0;

/// A mix as it was written.
struct Mix {
    name: Option<String>,
    weights: Vec<f64>,
    /// For messages.
    whose: String,
}

fn mix(argument: &str, assets: &[String]) -> Result<Mix> {
    let named = argument.split_once(':').filter(|(name, list)| {
        let is_list = list.contains('=') || Path::new(list).exists();
        // An asset may have a colon in its name.
        let first = argument.split(',').next().and_then(|entry| entry.rsplit_once('='));
        let is_asset = first.is_some_and(|(first, _)| assets.contains(&plain(first)));
        is_list && !is_asset && !name.contains(['=', ',']) && !Path::new(argument).exists()
    });
    let (name, list) = named.map_or((None, argument), |(name, list)| (Some(plain(name)), list));
    if list.trim().trim_end_matches(':').is_empty() {
        return Err(Error::usage(format!("{}: `{argument}` names no asset", option(MIX.option)))
            .hint("write NAME:A=0.6,B=0.4, or name a file of asset,weight lines"));
    }
    let found = shares::by_name(shares::read(list, assets, MIX)?, assets, MIX)?;
    let weights = found.iter().map(|weight| weight.unwrap_or(0.0)).collect();
    let name = name.filter(|name| !name.is_empty());
    let whose = format!("{}: the weights of `{}`", option(MIX.option), shown(name.as_deref().unwrap_or(list)));
    Ok(Mix { name, weights, whose })
}

/// Weights that sum to one, and what is said where they did not.
fn scaled(weights: &[f64], whose: &str) -> Result<(Vec<f64>, Notices)> {
    let total: f64 = weights.iter().sum();
    let gross: f64 = weights.iter().map(|weight| weight.abs()).sum();
    if !(total > LEAST_NET * gross && gross.is_finite()) {
        return Err(Error::input(format!("{whose} sum to {total}, too little beside what is held"))
            .hint("give the shares, percentages or amounts of what is held"));
    }
    let mut notices = Notices::new();
    // People round to a hundredth of a percent.
    if (total - 1.0).abs() > 1e-3 && (total - 100.0).abs() > 0.1 {
        notices.push(format!("weights sum to {total}: they are taken as parts of that").into());
    }
    let exact = (total - 1.0).abs() <= ROUNDING;
    Ok((weights.iter().map(|weight| if exact { *weight } else { weight / total }).collect(), notices))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(argument: &str) -> Result<(Vec<f64>, Notices)> {
        read_holdings(argument, &["A", "B", "S&P 500"].map(String::from))
    }

    #[test]
    fn shares_percentages_and_amounts_mean_the_same() {
        for list in ["A=0.25,B=0.75,S&P 500=0", "A=25%,B=75%,S&P 500=0%", "A=25,B=75,S&P 500=0"] {
            assert_eq!(read(list).expect(list), (vec![0.25, 0.75, 0.0], vec![]), "{list}");
        }
        let (weights, notices) = read("A=3000,B=9000").expect("amounts");
        assert_eq!(weights, [0.25, 0.75, 0.0]);
        assert_eq!(
            notices,
            ["no weight for `S&P 500`: taken as not held", "weights sum to 12000: they are taken as parts of that"]
        );
        assert_eq!(read("A=1.5,B=-0.5").expect("a short position").0, [1.5, -0.5, 0.0]);
    }

    #[test]
    fn an_export_of_a_broker_is_read_by_its_weights_and_counts_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("holdings.csv");
        let name = path.to_str().unwrap();
        let export = "Symbol,Name,Shares,Price,Market Value,Weight (%)\nA,Ay,10,30,300,75\nB,Bee,10,10,100,25\n";
        std::fs::write(&path, export).unwrap();
        assert_eq!(read(name).expect("an export").0, [0.75, 0.25, 0.0]);
        std::fs::write(&path, "Symbol,Shares\nA,10\nB,10\n").unwrap();
        let error = read(name).expect_err("counts are no weights");
        assert!(error.message.contains("`Shares` holds no weights"), "{}", error.message);
    }

    #[test]
    fn parts_of_wealth_may_leave_cash_or_borrow() {
        let read = |mix: &str| read_parts_of_wealth(mix, &["A", "B", "S&P 500"].map(String::from));
        assert_eq!(read("calm:A=0.3,B=30%").unwrap().1, [0.3, 0.3, 0.0]);
        assert_eq!(read("A=1.5,S&P 500=0.5").unwrap().1, [1.5, 0.0, 0.5]);
        let (name, weights, said) = read("60/40:A=60,B=40").unwrap();
        assert_eq!((name.as_deref(), &weights[..]), (Some("60/40"), &[0.6, 0.4, 0.0][..]));
        assert!(said[0].contains("taken for percent"));
        for (mix, said) in [("A=1.5,B=-0.5", "is short"), ("A=3000", "sum to 3000 times wealth"), ("A=0", "sum to 0")] {
            let error = read(mix).expect_err(mix);
            assert!(error.message.contains(said), "{mix}: {}", error.message);
        }
    }

    #[test]
    fn what_is_no_portfolio_is_refused() {
        for (list, said) in [
            ("A=1,C=2", "no asset `C`"),
            ("A=1,A=2", "two weights"),
            ("A=x", "no number"),
            ("A=1,B=-1", "sum to 0"),
            ("A=0", "sum to 0"),
            ("A=0.5,B=-0.49", "too little"),
            ("A=60,B=40%", "without a percent sign"),
            ("A=1,B", "has no weight"),
        ] {
            let error = read(list).expect_err(list);
            assert!(error.message.contains(said), "{list}: {}", error.message);
        }
    }
}
