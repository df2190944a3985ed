//! Assets by name: the ones asked for, found exactly once.

use std::collections::HashMap;

use crate::error::{Error, Result};
use crate::io::{listed, shown};

/// Positions in `names` of the assets `wanted`, in the order wanted; of all, in their own order, when none are named.
/// `column` tells the place of a name in its file.
pub(crate) fn choose(
    source: &str,
    names: &[String],
    column: impl Fn(usize) -> usize,
    wanted: Option<&[String]>,
) -> Result<Vec<usize>> {
    let mut places: HashMap<&str, (usize, Option<usize>)> = HashMap::with_capacity(names.len());
    for (position, name) in names.iter().enumerate() {
        places.entry(name).and_modify(|(_, second)| *second = second.or(Some(position))).or_insert((position, None));
    }
    let mut chosen = Vec::new();
    let mut taken = vec![false; names.len()];
    for name in wanted.unwrap_or(names) {
        let &(position, second) = places.get(name.as_str()).ok_or_else(|| unknown(source, name, names))?;
        if let Some(second) = second {
            let (first, second) = (column(position), column(second));
            return Err(Error::input(format!(
                "{source}: two columns are named `{}`: columns {first} and {second}",
                shown(name)
            ))
            .hint("give each asset its own name"));
        }
        if std::mem::replace(&mut taken[position], true) {
            return Err(
                Error::usage(format!("asset `{}` is asked for twice", shown(name))).hint("name every asset once")
            );
        }
        chosen.push(position);
    }
    Ok(chosen)
}

/// A name without the spaces around it, and with single ones inside.
pub fn plain(name: &str) -> String {
    name.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The error for the name of an asset that is not there: the nearest names, or else what there is.
pub(crate) fn unknown(source: &str, name: &str, names: &[String]) -> Error {
    unknown_of("asset", source, name, names)
}

/// The same of groups, say.
pub(crate) fn unknown_of(what: &str, source: &str, name: &str, names: &[String]) -> Error {
    let near = nearest(name, names.iter().map(String::as_str));
    let hint = match near.is_empty() {
        false => format!("did you mean {}?", listed(near.into_iter())),
        true => format!("there are {}", listed(names.iter().map(String::as_str))),
    };
    Error::input(format!("{source}: there is no {what} `{}`", shown(name))).hint(hint)
}

/// The names that may have been meant, in their own order: equal but for case and spaces, one the beginning of the other,
/// or at most two typing errors apart.
pub fn nearest<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    names.filter(|other| is_near(name, other)).collect()
}

fn is_near(a: &str, b: &str) -> bool {
    let plain = |text: &str| text.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ");
    let (a, b) = (plain(a), plain(b));
    let longer = a.chars().count().max(b.chars().count());
    let is_beginning = !a.is_empty() && !b.is_empty() && (a.starts_with(&b) || b.starts_with(&a));
    is_beginning || (3..=64).contains(&longer) && edit_distance(&a, &b) <= (longer / 3).min(2)
}

/// The fewest insertions, deletions, substitutions and swaps of neighbours that turn one text into the other, no part
/// being edited twice (optimal string alignment; Damerau 1964).
fn edit_distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let substituted = above[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut fewest = substituted.min(above[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                fewest = fewest.min(before[j - 2] + 1);
            }
            row.push(fewest);
        }
        before = std::mem::replace(&mut above, row);
    }
    above[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(position: usize) -> usize {
        position + 2
    }

    fn names(list: &[&str]) -> Vec<String> {
        list.iter().map(|name| (*name).to_string()).collect()
    }

    #[test]
    fn assets_come_in_the_order_asked_for() {
        let all = names(&["A", "B", "C"]);
        assert_eq!(choose("f", &all, place, Some(&names(&["C", "A"]))).expect("both are there"), [2, 0]);
        assert_eq!(choose("f", &all, place, None).expect("all are there"), [0, 1, 2]);
    }

    #[test]
    fn a_repeated_name_matters_only_when_asked_for() {
        let all = names(&["A", "B", "A"]);
        assert!(choose("f", &all, place, None).expect_err("A twice").message.contains("columns 2 and 4"));
        assert_eq!(choose("f", &all, place, Some(&names(&["B"]))).expect("B is there once"), [1]);
    }

    #[test]
    fn an_unknown_name_is_answered_with_its_neighbours() {
        let all = names(&["AAPL", "JPM", "US BONDS 10Y"]);
        let hint = |name: &str| unknown("f", name, &all).hint.expect("always one");
        assert_eq!(hint("appl"), "did you mean `AAPL`?");
        assert_eq!(hint("us bonds"), "did you mean `US BONDS 10Y`?");
        assert_eq!(hint("MSFT"), "there are `AAPL`, `JPM`, `US BONDS 10Y`");
    }

    #[test]
    fn edit_distance_counts_typing_errors() {
        assert_eq!(edit_distance("kitten", "sitting"), 3);
        assert_eq!(edit_distance("", "abc"), 3);
        assert_eq!(edit_distance("abc", "abc"), 0);
        // Two letters that changed places are one slip.
        assert_eq!([edit_distance("ttl", "tlt"), edit_distance("abcd", "badc")], [1, 2]);
        assert_eq!(nearest("TTL", ["SPY", "TLT", "GLD"].into_iter()), ["TLT"]);
    }
}
