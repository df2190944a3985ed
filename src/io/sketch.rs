//! A column by its name and its cells, or the first of them: what roles are decided from.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use csv::StringRecord;

use crate::io::cells::{Cell, Numbers, thirty_seconds};
use crate::io::dates;
use crate::io::detect::bare;

/// The name of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Name {
    pub text: String,
    /// The asset and the field, where lines of their own name them.
    pub parts: Option<(String, String)>,
}

/// What most cells of a column are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Content {
    Dates,
    /// Times of day.
    Times,
    Numbers,
    Text,
    Empty,
}

/// How the numbers of a column run.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Figures {
    pub count: usize,
    pub are_whole: bool,
    /// Each is above the one before, or each below.
    pub are_monotone: bool,
    /// Each is one above the one before, or each one below.
    pub are_in_turn: bool,
    /// They go up and down, as labels do not.
    pub are_measured: bool,
    /// Days written as one number of eight digits.
    pub are_compact_days: bool,
    pub low: f64,
    pub high: f64,
}

impl Figures {
    pub(crate) fn of(numbers: &[f64]) -> Figures {
        let numbers: Vec<f64> = numbers.iter().copied().filter(|x| !x.is_nan()).collect();
        let steps = || numbers.windows(2).map(|pair| pair[1] - pair[0]);
        let (rises, falls) = (steps().any(|step| step > 0.0), steps().any(|step| step < 0.0));
        let is_day = |x: f64| (18_000_101.0..22_001_231.0).contains(&x) && dates::looks_like_a_date(&x.to_string());
        Figures {
            count: numbers.len(),
            are_whole: numbers.iter().all(|x| x.fract() == 0.0),
            are_monotone: steps().all(|step| step > 0.0) || steps().all(|step| step < 0.0),
            are_in_turn: steps().all(|step| step == 1.0) || steps().all(|step| step == -1.0),
            are_measured: rises && falls,
            are_compact_days: !numbers.is_empty() && numbers.iter().all(|&x| is_day(x)),
            low: numbers.iter().copied().fold(f64::INFINITY, f64::min),
            high: numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        }
    }

    /// Numbers within these bounds.
    pub(crate) fn are_within(&self, low: f64, high: f64) -> bool {
        self.count > 0 && low <= self.low && self.high <= high
    }

    /// Of the size of seconds, milli-, micro- or nanoseconds since 1970, from 1976 to 2096.
    pub(crate) fn may_be_seconds(&self) -> bool {
        [1.0, 1e3, 1e6, 1e9].iter().any(|scale| self.are_within(2e8 * scale, 4e9 * scale))
    }

    /// Of the size of days as spreadsheets count them, from 1954 to 2064, or of months as yyyymm.
    pub(crate) fn may_be_days_or_months(&self) -> bool {
        self.are_within(20_000.0, 60_000.0) || self.are_within(180_001.0, 220_012.0)
    }

    /// Whole numbers within these bounds.
    pub(crate) fn are_whole_within(&self, low: f64, high: f64) -> bool {
        self.count > 0 && self.are_whole && low <= self.low && self.high <= high
    }
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sketch {
    pub name: String,
    /// The asset and the field, where lines of names of their own give them.
    pub parts: Option<(String, String)>,
    pub content: Content,
    pub figures: Figures,
    /// Some cell stands twice.
    pub repeats: bool,
    /// Number of different cells, at least 2 when there are more.
    pub different: usize,
    /// Of a column of text: a cell that begins like a number and is none.
    pub unreadable: Option<String>,
    /// Equal where all cells are.
    pub digest: u64,
    /// The file itself says that this column labels its rows.
    pub is_index: bool,
}

impl Sketch {
    /// A column of a text, from its first rows.
    pub(crate) fn of_text(name: Name, column: usize, records: &[StringRecord], numbers: &Numbers) -> Sketch {
        let numbers = numbers.afresh();
        let (mut days, mut times, mut texts) = (0, 0, 0);
        let mut values: Vec<f64> = Vec::new();
        let mut seen = HashSet::new();
        let (mut repeats, mut unreadable) = (false, None);
        let mut digest = DefaultHasher::new();
        for cell in records.iter().map(|record| bare(record.get(column).unwrap_or_default())) {
            let parsed = numbers.parse(cell);
            cell.hash(&mut digest);
            if parsed != Cell::Missing {
                repeats |= !seen.insert(cell);
            }
            match parsed {
                Cell::Missing => {}
                // Days written as one number are dates only under such a name: they are told later.
                Cell::Number(number) | Cell::Percent(number) => values.push(number),
                Cell::Text => match cell {
                    _ if dates::looks_like_a_date(cell) => days += 1,
                    _ if dates::is_time(cell) => times += 1,
                    _ => {
                        texts += 1;
                        if begins_like_a_number(cell) {
                            unreadable.get_or_insert_with(|| cell.to_string());
                        }
                    }
                },
            }
        }
        let cells = days + times + texts + values.len();
        let content = match cells {
            0 => Content::Empty,
            _ if 2 * days > cells => Content::Dates,
            _ if 2 * times > cells => Content::Times,
            _ if 2 * values.len() >= cells => Content::Numbers,
            _ => Content::Text,
        };
        let figures = Figures::of(&values);
        let is_compact = content == Content::Numbers && texts == 0 && figures.are_compact_days;
        Sketch {
            name: name.text,
            parts: name.parts,
            content: if is_compact { Content::Dates } else { content },
            figures,
            repeats,
            different: seen.len(),
            unreadable,
            digest: digest.finish(),
            is_index: false,
        }
    }
}

/// `12.5x`, `12.5 points` and `118-16` were meant as numbers; `3M Company`, `7203.T` and `10Y` were not.
pub(crate) fn begins_like_a_number(cell: &str) -> bool {
    let start = cell.trim_start_matches(|c: char| !c.is_alphanumeric());
    let whole = start.len() - start.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let mut rest = start[whole..].chars();
    let has_fraction = matches!(rest.next(), Some('.' | ',')) && rest.next().is_some_and(|c| c.is_ascii_digit());
    let letters = cell.chars().filter(|c| c.is_alphabetic()).count();
    whole > 0 && (has_fraction || letters <= 1 && cell.len() > 3) || thirty_seconds(cell).is_some()
}
