//! Files in, files out: bytes become a checked history, covariance or budgets; results become NPY and Parquet.
//!
//! Reading goes one way: `input` (bytes, gzip, format) -> a reader per format -> `history` (rows in order, inside the
//! dates asked for) -> `join` (several files, by date) -> `missing` (complete rows) -> `returns` -> `warnings`.
//!
//! - Text: `text` (encoding) -> `detect` (delimiter, decimal mark) -> `tables` (which lines) -> `head` (names).
//! - Parquet and Arrow: `parquet`, `arrow` -> `frame` (typed columns).
//! - Both: `sketch` (a column by its cells) -> `roles` (what each column is) -> `layout` -> `assemble` (and `pivot`).
//! - NPY and NPZ: `npy`, `npz` -> `in_memory`, where tables of the caller's own begin.
//! - All: `codes` (numbers for missing cells) -> `nature` (prices, returns, or neither).
//!
//! Whatever was decided on the way (a delimiter, an order of dates, dropped rows) comes back as [`Detected`] and notices;
//! whatever is wrong is an error that names file, line, column, asset and date. Bytes are never trusted: sizes are
//! checked (`limits`) before memory is asked for, and a decoder that panics is an error (`guard`).

mod arrow;
mod assemble;
mod bounds;
mod budgets;
mod cash;
mod cells;
mod codes;
mod column;
mod covariance;
mod csv;
mod dates;
mod delimited;
mod detect;
mod detected;
mod expression;
mod fields;
mod frame;
mod groups;
pub(crate) mod guard;
mod head;
mod history;
mod holdings;
mod in_memory;
mod input;
mod join;
mod layout;
mod levels;
mod limits;
mod lives;
mod missing;
mod names;
mod nature;
pub mod npy;
mod npz;
mod pages;
mod parquet;
mod percentages;
mod pivot;
mod ranges;
mod rates;
mod request;
mod returns;
mod roles;
mod sample;
mod shares;
mod sketch;
mod tables;
mod terms;
mod text;
mod warnings;

pub use bounds::{Shorts, read_bounds, read_group_weights, read_max_weight, read_min_weight, read_previous};
pub use budgets::{read_budgets, read_group_budgets};
pub use covariance::read_covariance;
pub use detected::Detected;
pub use expression::{Row, read_expression};
pub use groups::{Groups, read_groups};
pub use holdings::{read_holdings, read_mix, read_parts_of_wealth};
pub use in_memory::Table;
pub use input::Input;
pub use limits::size;
pub use missing::Missing;
pub use names::{nearest, plain};
pub use ranges::Ends;
pub use rates::{Rates, read_rates};
pub use request::{Kind, Notation, ReadOptions};
pub use returns::{Reading, read_returns, read_table};
pub use roles::ColumnRole;
pub use terms::{read_expected_returns, read_net, read_signs};

use crate::error::Text;
use assemble::Rows;

pub(crate) use limits::Limits;
pub(crate) use request::Request;

/// Something a careful colleague would mention: what was detected, dropped or looks odd. One line each.
pub type Notices = Vec<Text>;

/// Positions of the `wanted` names among `names`.
///
/// # Errors
/// A name that is not there, or wanted twice.
pub fn positions(source: &str, names: &[String], wanted: &[String]) -> crate::Result<Vec<usize>> {
    names::choose(source, names, |position| position + 1, Some(wanted))
}

/// What to do about an empty file.
const EMPTY: &str = "a table has a line of names, then its rows: of a history, one per date";

/// Text from a file as it may appear in a message: short, and without control characters.
fn shown(text: &str) -> String {
    const LONGEST: usize = 40;
    let (mut short, mut length) = (String::new(), 0);
    for character in text.chars() {
        // Escaped, a character may take ten; quotes are harmless.
        let is_quote = matches!(character, '\'' | '"');
        length += if is_quote { 1 } else { character.escape_debug().len() };
        if length > LONGEST {
            return short + "...";
        }
        match is_quote {
            true => short.push(character),
            false => short.extend(character.escape_debug()),
        }
    }
    short
}

/// "`A`, `B` and 3 more"
fn listed<'a>(names: impl ExactSizeIterator<Item = &'a str>) -> String {
    const MOST: usize = 8;
    let total = names.len();
    let mut list = names.take(MOST).map(|name| format!("`{}`", shown(name))).collect::<Vec<_>>().join(", ");
    if total > MOST {
        list.push_str(&format!(" and {} more", total - MOST));
    }
    list
}

/// "1 row", "2 rows"
fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::shown;

    #[test]
    fn what_is_shown_of_a_file_is_short_however_it_is_escaped() {
        assert_eq!(shown("S&P 500"), "S&P 500");
        assert_eq!(shown(&"x".repeat(40)), "x".repeat(40));
        assert_eq!(shown(&"x".repeat(41)), "x".repeat(40) + "...");
        assert!(shown(&"\u{ad}".repeat(41)).len() <= 43);
    }
}
