//! The first column: dates in one notation, observation numbers, or names.
//!
//! Notations: yyyy-mm-dd (also with / or ., one-digit parts, or a time of day, which is dropped), yyyymmdd, and
//! dd/mm/yyyy or mm/dd/yyyy. The column decides between the last two: a part above 12 is a day. Where none is, the
//! file is refused, for a guess would shuffle the history.

use jiff::civil::Date;

use crate::error::{Error, Result};
use crate::io::{Notices, shown};

/// What rows are ordered by.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Keys {
    Dates(Vec<Date>),
    Numbers(Vec<i64>),
    /// Names have no order of their own: the file's is kept.
    Names,
}

/// The shape of one label.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Shape {
    YearFirst([i16; 3]),
    YearLast([i16; 3]),
    /// Eight digits in a row.
    Compact([i16; 3]),
    TwoDigitYear,
    Other,
}

impl Shape {
    fn of(label: &str) -> Shape {
        let day = day_part(label);
        if day.len() == 8 && day.bytes().all(|b| b.is_ascii_digit()) {
            return match [&day[..4], &day[4..6], &day[6..]].map(str::parse::<i16>) {
                [Ok(year), Ok(month), Ok(day)] => Shape::Compact([year, month, day]),
                _ => Shape::Other,
            };
        }
        let Some(separator) = day.chars().find(|c| "-/.".contains(*c)) else { return Shape::Other };
        let parts: Vec<&str> = day.split(separator).collect();
        let [Ok(a), Ok(b), Ok(c)] = [0, 1, 2].map(|i| digits(parts.get(i).copied().unwrap_or_default())) else {
            return Shape::Other;
        };
        match [parts.len(), parts[0].len(), parts[1].len(), parts[2].len()] {
            [3, 4, 1 | 2, 1 | 2] => Shape::YearFirst([a, b, c]),
            [3, 1 | 2, 1 | 2, 4] => Shape::YearLast([a, b, c]),
            [3, 1 | 2, 1 | 2, 1 | 2] => Shape::TwoDigitYear,
            _ => Shape::Other,
        }
    }
}

fn digits(part: &str) -> std::result::Result<i16, ()> {
    match part.len() <= 4 && part.bytes().all(|b| b.is_ascii_digit()) {
        true => part.parse().map_err(|_| ()),
        false => Err(()),
    }
}

/// `2019-06-03` of `2019-06-03T16:00:00+02:00`: the day as written, in whatever zone.
fn day_part(label: &str) -> &str {
    match label.split_once(['T', ' ']) {
        Some((day, time)) if time.trim_start().starts_with(|c: char| c.is_ascii_digit()) => day,
        _ => label,
    }
}

/// Reads the labels of all rows; `place` names a row for messages.
pub(crate) fn read(labels: &[String], place: impl Fn(usize) -> String) -> Result<(Keys, Notices)> {
    let shapes: Vec<Shape> = labels.iter().map(|label| Shape::of(label)).collect();
    let is_date = |shape: &Shape| !matches!(shape, Shape::Compact(_) | Shape::Other);
    let first_is_compact = matches!(shapes.first(), Some(&Shape::Compact(parts)) if is_plausible(parts));
    if first_is_compact || shapes.iter().any(is_date) {
        return dates(labels, &shapes, place);
    }
    if let Some(numbers) = labels.iter().map(|label| observation(label)).collect() {
        return Ok((Keys::Numbers(numbers), Notices::new()));
    }
    if let Some(row) = labels.iter().position(|label| label.is_empty()) {
        return Err(Error::input(format!("{}: no date", place(row))).hint("every row needs a date in the first column"));
    }
    if labels.iter().all(|label| label.parse::<f64>().is_ok()) {
        let row = labels.iter().position(|label| observation(label).is_none()).unwrap_or(0);
        return Err(Error::input(format!(
            "{}: the first column holds numbers like {}, neither dates nor observation numbers",
            place(row),
            shown(&labels[row])
        ))
        .hint("put dates (yyyy-mm-dd) or 1, 2, 3, ... in the first column"));
    }
    let example = labels.first().map(|label| shown(label)).unwrap_or_default();
    let notice =
        format!("{}: the first column holds names like `{example}`, not dates: rows keep the file's order", place(0));
    Ok((Keys::Names, vec![notice]))
}

fn dates(labels: &[String], shapes: &[Shape], place: impl Fn(usize) -> String) -> Result<(Keys, Notices)> {
    let (day_first, notices) = match day_first(shapes) {
        Order::Settled { day_first, row } => {
            let notation = if day_first { "dd/mm/yyyy" } else { "mm/dd/yyyy" };
            let label = shown(&labels[row]);
            (day_first, vec![format!("{}: `{label}`: dates are read as {notation}", place(row))])
        }
        Order::NotAsked => (true, Notices::new()),
        Order::Contradictory { day, month } => {
            let (a, b) = (shown(&labels[day]), shown(&labels[month]));
            return Err(Error::input(format!(
                "{}: `{a}` can only be dd/mm/yyyy, but `{b}` ({}) only mm/dd/yyyy",
                place(day),
                place(month)
            ))
            .hint("write dates as yyyy-mm-dd"));
        }
        Order::Ambiguous { row } => {
            return Err(Error::input(format!(
                "{}: `{}` may be dd/mm/yyyy or mm/dd/yyyy, and no row settles it",
                place(row),
                shown(&labels[row])
            ))
            .hint("write dates as yyyy-mm-dd"));
        }
    };
    let mut dates = Vec::with_capacity(labels.len());
    for (row, (label, shape)) in labels.iter().zip(shapes).enumerate() {
        let parts = match *shape {
            Shape::YearFirst(parts) | Shape::Compact(parts) => Some(parts),
            Shape::YearLast([a, b, year]) => Some(if day_first { [year, b, a] } else { [year, a, b] }),
            Shape::TwoDigitYear | Shape::Other => None,
        };
        let date = parts.and_then(calendar_date).ok_or_else(|| {
            let what = match shape {
                _ if label.is_empty() => "no date".to_string(),
                Shape::TwoDigitYear => format!("`{}` has a year of two digits", shown(label)),
                _ => format!("`{}` is not a date", shown(label)),
            };
            Error::input(format!("{}: {what}", place(row))).hint("write dates as yyyy-mm-dd")
        })?;
        dates.push(date);
    }
    Ok((Keys::Dates(dates), notices))
}

/// Which of the first two parts of dd/mm/yyyy or mm/dd/yyyy is the day, and the row that says so.
enum Order {
    NotAsked,
    Settled { day_first: bool, row: usize },
    Contradictory { day: usize, month: usize },
    Ambiguous { row: usize },
}

fn day_first(shapes: &[Shape]) -> Order {
    let row_where = |test: fn(i16, i16) -> bool| {
        shapes.iter().position(|shape| matches!(*shape, Shape::YearLast([a, b, _]) if test(a, b)))
    };
    match (row_where(|a, _| a > 12), row_where(|_, b| b > 12), row_where(|_, _| true)) {
        (Some(day), Some(month), _) => Order::Contradictory { day, month },
        (Some(row), None, _) => Order::Settled { day_first: true, row },
        (None, Some(row), _) => Order::Settled { day_first: false, row },
        (None, None, Some(row)) => Order::Ambiguous { row },
        (None, None, None) => Order::NotAsked,
    }
}

fn calendar_date([year, month, day]: [i16; 3]) -> Option<Date> {
    Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
}

/// Eight digits are a date only when they are one of a market's: 20190603 is, observation 10000001 is not.
fn is_plausible(parts: [i16; 3]) -> bool {
    (1800..=2200).contains(&parts[0]) && calendar_date(parts).is_some()
}

/// `7` and `7.0`: pandas writes the latter when an index once had gaps.
fn observation(label: &str) -> Option<i64> {
    const EXACT: f64 = (1_i64 << 53) as f64;
    label.parse().ok().or_else(|| {
        let number = label.parse::<f64>().ok()?;
        (number.fract() == 0.0 && number.abs() < EXACT).then_some(number as i64)
    })
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn keys(labels: &[&str]) -> Result<Keys> {
        let labels: Vec<String> = labels.iter().map(|label| (*label).to_string()).collect();
        read(&labels, |row| format!("row {row}")).map(|(keys, _)| keys)
    }

    #[test]
    fn one_day_has_many_notations() {
        let day = Keys::Dates(vec![date(2019, 6, 13)]);
        for label in [
            "2019-06-13",
            "2019/6/13",
            "2019.06.13",
            "20190613",
            "2019-06-13 16:00:00",
            "2019-06-13T00:00:00.000Z",
            "2019-06-13 00:00:00-05:00",
            "13/06/2019",
            "6/13/2019",
            "13.06.2019",
            "13-06-2019",
            "20190613 1600",
        ] {
            assert_eq!(keys(&[label]).expect("a date"), day, "{label}");
        }
    }

    #[test]
    fn the_column_decides_between_day_and_month() {
        let expected = Keys::Dates(vec![date(2019, 6, 3), date(2019, 6, 13)]);
        assert_eq!(keys(&["03/06/2019", "13/06/2019"]).expect("day first"), expected);
        assert_eq!(keys(&["06/03/2019", "06/13/2019"]).expect("month first"), expected);
        assert!(keys(&["03/06/2019", "04/06/2019"]).expect_err("either").message.contains("no row settles it"));
        assert!(keys(&["13/06/2019", "06/14/2019"]).expect_err("both").message.contains("row 1"));
    }

    #[test]
    fn a_column_of_dates_holds_nothing_else() {
        for bad in ["2019-02-30", "2019-13-01", "soon", "", "03/06/19", "7", "2019-06", "20190231"] {
            assert!(keys(&["2019-01-31", bad]).is_err(), "{bad}");
        }
        assert!(keys(&["20190131", "20190231"]).is_err());
    }

    #[test]
    fn numbers_and_names_are_kept() {
        assert_eq!(keys(&["0", "1", "2"]).expect("numbers"), Keys::Numbers(vec![0, 1, 2]));
        assert_eq!(keys(&["1.0", "2.0"]).expect("numbers"), Keys::Numbers(vec![1, 2]));
        assert_eq!(keys(&["10000001", "10000002"]).expect("numbers"), Keys::Numbers(vec![10_000_001, 10_000_002]));
        assert_eq!(keys(&["w1", "w2"]).expect("names"), Keys::Names);
        assert!(keys(&["1.5", "2.25"]).expect_err("prices").message.contains("neither dates nor"));
    }
}
