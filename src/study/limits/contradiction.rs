//! What is said of limits that no weights are within: which ones they are, and by how much they fail.

use super::NamedLimits;
use crate::error::{Error, option};
use crate::methods::limits::{Conflict, Side};
use crate::wording::{counted, joined, short, short_above, short_beside};

/// The error of limits that contradict each other: a usage error, before any work.
pub fn contradiction(conflict: &Conflict, limits: &NamedLimits, assets: &[String]) -> Error {
    let group = |number: usize| limits.limited().nth(number).map_or("a group", |group| group.name.as_str());
    match conflict {
        Conflict::Bounds { asset, least, most } => {
            let (low, high) = (short_beside(*least, *most), short_beside(*most, *least));
            Error::usage(format!("{}: at least {low}, but at most {high}", assets[*asset])).hint(format!(
                "of several bounds the tighter holds: {}, {}, {}",
                option("min-weight"),
                option("max-weight"),
                option("bounds")
            ))
        }
        Conflict::Sum { side, total } => of_sum(*side, *total, limits),
        Conflict::Crossed { group: number, least, most } => {
            let (low, high) = (short_beside(*least, *most), short_beside(*most, *least));
            Error::usage(format!("{}: at least {low}, but at most {high}", group(*number)))
                .hint(format!("let its range in {} begin below its end", option("group-weights")))
        }
        Conflict::Members { group: number, side, asked, holds } => {
            let (name, asked, holds) = (group(*number), short_beside(*asked, *holds), short_beside(*holds, *asked));
            let (own, others, bound) = match side {
                Side::Least => ("least", "most", "max-weight"),
                Side::Most => ("most", "least", "min-weight"),
            };
            let error = Error::usage(format!("{name}: at {own} {asked}, but its members hold at {others} {holds}"));
            let (change, other) = match side {
                Side::Least => ("lower", "raise"),
                Side::Most => ("raise", "lower"),
            };
            error.hint(format!(
                "{change} what {} asks of it, or {other} the bounds of its members: {}",
                option("group-weights"),
                option(bound)
            ))
        }
        Conflict::Groups { groups, side, total, all } => {
            let names: Vec<String> = groups.iter().map(|&number| group(number).to_string()).collect();
            let (is_one, names) = (names.len() == 1, joined(&names));
            let total = short_beside(*total, 1.0);
            let limits = if is_one { format!("the limit on {names}") } else { format!("the limits on {names}") };
            let who = match (all, is_one) {
                (false, _) => "all assets",
                (true, true) => "it",
                (true, false) => "them",
            };
            let s = if is_one { "s" } else { "" };
            let (said, hint) = match side {
                Side::Most => (format!("{limits} let{s} {who} hold at most {total}"), "raise"),
                Side::Least => (format!("{limits} make{s} {who} hold at least {total}"), "lower"),
            };
            let which = if is_one { "it" } else { "one of them" };
            Error::usage(said).hint(format!("weights sum to 1: {hint} {which} in {}", option("group-weights")))
        }
        Conflict::Turnover { needed, most } => Error::usage(format!(
            "the bounds ask for a turnover of at least {}, and {} is {}",
            short_beside(*needed, *most),
            option("max-turnover"),
            short_beside(*most, *needed)
        ))
        .hint(format!("raise {} to {} or more", option("max-turnover"), short_above(*needed))),
        Conflict::Nothing { assets: left } => {
            let names: Vec<String> = left.iter().map(|&asset| format!("`{}`", assets[asset])).collect();
            let (it, them, its, s) = match names.len() {
                1 => ("it", "it", "its largest weight", "s"),
                _ => ("they", "them", "their largest weights", ""),
            };
            Error::usage(format!("the limits let {} hold nothing", joined(&names))).hint(format!(
                "loosen the limits, or leave {them} out: with {its} 0 ({}) {it} take{s} no part",
                option("max-weight")
            ))
        }
        Conflict::Rows { rows, groups, turnover } => {
            let mut names: Vec<String> = Vec::new();
            for row in rows.iter().filter_map(|&row| limits.rows.get(row)) {
                let name = format!("\"{}\"", row.expression);
                // A chain is several rows.
                if !names.contains(&name) {
                    names.push(name);
                }
            }
            names.extend(groups.iter().map(|&number| format!("the limit on {}", group(number))));
            names.extend(turnover.then(|| option("max-turnover").to_string()));
            let (said, hint) = match &names[..] {
                [one] => (format!("{one} asks for what the bounds do not allow"), "let it ask for less"),
                _ => (
                    format!("{} contradict each other", joined(&names)),
                    "leave one of them out, or let it ask for less",
                ),
            };
            Error::usage(said).hint(hint)
        }
    }
}

/// Bounds whose sum is on the wrong side of 1.
fn of_sum(side: Side, total: f64, limits: &NamedLimits) -> Error {
    let total_said = short_beside(total, 1.0);
    let (said, bounds) = match side {
        Side::Most => (format!("the largest weights sum to {total_said}, below 1"), &limits.most),
        Side::Least => (format!("the least weights sum to {total_said}, above 1"), &limits.least),
    };
    Error::usage(said).hint(mended(side, total, bounds, limits.assets()))
}

/// The error of bounds of all assets whose sum over any subset of so many is on the wrong side of 1, at best `total`.
pub fn of_subsets(side: Side, total: f64, bounds: &[f64], size: usize) -> Error {
    let (assets, bound) = (counted(size as u64, "asset"), short_beside(bounds[0], 1.0));
    let hold = if size == 1 { "holds" } else { "hold" };
    let total_said = short_beside(total, 1.0);
    let said = match (side, is_one(bounds)) {
        (Side::Most, true) => format!("{assets} of at most {bound} {hold} at most {total_said}, below 1"),
        (Side::Least, true) => format!("{assets} of at least {bound} {hold} at least {total_said}, above 1"),
        (Side::Most, false) => format!("the largest weights of any {assets} sum to at most {total_said}, below 1"),
        (Side::Least, false) => format!("the least weights of any {assets} sum to at least {total_said}, above 1"),
    };
    Error::usage(said).hint(mended(side, total, bounds, size))
}

fn is_one(bounds: &[f64]) -> bool {
    bounds.iter().all(|bound| *bound == bounds[0])
}

/// How far bounds have to go so that those of so many assets sum to 1.
fn mended(side: Side, total: f64, bounds: &[f64], assets: usize) -> String {
    let even = 1.0 / assets as f64;
    let (flag, change, beyond, even) = match side {
        Side::Most => ("max-weight", "raise", "more", short_above(even)),
        // Rounded down, the sum is at most 1.
        Side::Least => ("min-weight", "lower", "less", short((even * 1e5).floor() / 1e5)),
    };
    match is_one(bounds) {
        true => format!("{change} {} to {even} or {beyond}", option(flag)),
        false => {
            let missing = short_above((1.0 - total).abs());
            format!("{change} some of them, by {missing} in all: {} or {}", option(flag), option("bounds"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{NamedGroup, NamedRow};
    use super::*;

    /// Groups without limits before, between and behind those that have some, as users have them.
    fn limits() -> NamedLimits {
        let group = |name: &str, members: &[usize], least: f64, most: f64| NamedGroup {
            name: name.to_string(),
            members: members.to_vec(),
            least,
            most,
        };
        let row = |expression: &str| NamedRow {
            expression: expression.to_string(),
            coefficients: vec![1.0; 10],
            least: None,
            most: Some(0.5),
        };
        NamedLimits {
            groups: vec![
                group("CASH", &[0], 0.0, 1.0),
                group("BONDS", &[1, 2], 0.0, 0.3),
                group("EQUITY", &[3, 4], 0.6, 1.0),
                group("GOLD", &[5], 0.0, 1.0),
                group("ALT", &[6, 7, 8, 9], 0.0, 0.25),
            ],
            rows: ["a >= 0.7", "b >= 0.7", "c <= 0.3"].map(row).to_vec(),
            most: vec![0.09; 10],
            least: [vec![0.2; 9], vec![0.0]].concat(),
            ..NamedLimits::none(10)
        }
    }

    fn said(conflict: &Conflict) -> [String; 2] {
        let assets: Vec<String> = (0..10).map(|asset| format!("A{asset}")).collect();
        let error = contradiction(conflict, &limits(), &assets);
        assert_eq!(error.kind, crate::ErrorKind::Usage);
        [error.message.to_string(), error.hint.map_or(String::new(), |hint| hint.to_string())]
    }

    #[test]
    fn every_conflict_names_what_conflicts_and_what_to_do() {
        let rows = |rows: &[usize], groups: &[usize], turnover| Conflict::Rows {
            rows: rows.to_vec(),
            groups: groups.to_vec(),
            turnover,
        };
        let groups =
            |groups: &[usize], side, total, all| Conflict::Groups { groups: groups.to_vec(), side, total, all };
        for (conflict, message, hint) in [
            (
                Conflict::Bounds { asset: 3, least: 0.1 + 0.2, most: 0.25 },
                "A3: at least 0.3, but at most 0.25",
                "the tighter holds: `min-weight`, `max-weight`, `bounds`",
            ),
            (
                Conflict::Sum { side: Side::Most, total: 0.09 * 10.0 },
                "the largest weights sum to 0.9, below 1",
                "raise `max-weight` to 0.1 or more",
            ),
            (
                Conflict::Sum { side: Side::Least, total: 1.8 },
                "the least weights sum to 1.8, above 1",
                "lower some of them, by 0.8 in all: `min-weight` or `bounds`",
            ),
            (
                Conflict::Members { group: 1, side: Side::Least, asked: 0.6, holds: 0.24 + 0.24 },
                "EQUITY: at least 0.6, but its members hold at most 0.48",
                "lower what `group-weights` asks of it, or raise the bounds of its members: `max-weight`",
            ),
            (
                Conflict::Members { group: 2, side: Side::Most, asked: 0.25, holds: 0.8 },
                "ALT: at most 0.25, but its members hold at least 0.8",
                "`min-weight`",
            ),
            (
                Conflict::Crossed { group: 0, least: 0.4, most: 0.3 },
                "BONDS: at least 0.4, but at most 0.3",
                "`group-weights`",
            ),
            (
                groups(&[0, 1, 2], Side::Most, 0.95, true),
                "the limits on BONDS, EQUITY and ALT let them hold at most 0.95",
                "weights sum to 1: raise one of them in `group-weights`",
            ),
            (
                groups(&[0, 2], Side::Most, 0.95, false),
                "the limits on BONDS and ALT let all assets hold at most 0.95",
                "raise one of them",
            ),
            (
                groups(&[1], Side::Least, 1.1, false),
                "the limit on EQUITY makes all assets hold at least 1.1",
                "lower it",
            ),
            (
                Conflict::Turnover { needed: 1.0 / 3.0, most: 0.2 },
                "the bounds ask for a turnover of at least 0.333333, and `max-turnover` is 0.2",
                "raise `max-turnover` to 0.333334 or more",
            ),
            (
                rows(&[0, 1, 2], &[], false),
                "\"a >= 0.7\", \"b >= 0.7\" and \"c <= 0.3\" contradict each other",
                "leave one of them out",
            ),
            (
                rows(&[0], &[1], true),
                "\"a >= 0.7\", the limit on EQUITY and `max-turnover` contradict each other",
                "leave one of them out",
            ),
            (rows(&[0], &[], false), "\"a >= 0.7\" asks for what the bounds do not allow", "let it ask for less"),
        ] {
            let [found, advice] = said(&conflict);
            assert_eq!(found, message);
            assert!(advice.contains(hint), "{message}: {advice}");
        }
    }

    #[test]
    fn what_rounding_would_hide_is_shown() {
        let [message, _] = said(&Conflict::Sum { side: Side::Most, total: 0.99999999 });
        assert_eq!(message, "the largest weights sum to 0.99999999, below 1");
    }

    #[test]
    fn a_hint_suffices() {
        let assets = ["A", "B", "C"].map(String::from);
        let low = NamedLimits { most: vec![0.3; 3], ..NamedLimits::none(3) };
        let hint = contradiction(&low.limits().conflict().unwrap(), &low, &assets).hint.unwrap();
        assert_eq!(hint, "raise `max-weight` to 0.333334 or more");
        assert_eq!(NamedLimits { most: vec![0.333334; 3], ..low }.limits().conflict(), None);
        let high = NamedLimits { least: vec![0.4; 3], ..NamedLimits::none(3) };
        let hint = contradiction(&high.limits().conflict().unwrap(), &high, &assets).hint.unwrap();
        assert_eq!(hint, "lower `min-weight` to 0.33333 or less");
        assert_eq!(NamedLimits { least: vec![0.33333; 3], ..high }.limits().conflict(), None);
    }
}
