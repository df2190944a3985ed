//! The labels of rows: dates in one notation, observation numbers, or names.
//!
//! Notations: yyyy-mm-dd (also with / or ., one-digit parts, or a time of day, which is dropped), yyyymmdd, dd/mm/yyyy or
//! mm/dd/yyyy (also with years of two digits), 3 Jun 2019 and Jun 3, 2019 in English, months (2019-06, Jun 2019, 201906)
//! and quarters (2019Q2), which stand for their last day; in numbers, the serial days of spreadsheets and the seconds,
//! milli-, micro- or nanoseconds since 1970. The column decides: a part above 12 is a day, and of years of two digits
//! the part that changes least is the year. Where that settles nothing, the file is refused, for a guess would shuffle
//! the history; `--date-format` settles it.

mod count;
mod shape;

use jiff::civil::Date;
use jiff::fmt::strtime::BrokenDownTime;
use jiff::tz::TimeZone;

use crate::error::{Error, Result};
use crate::io::shown;

pub(crate) use count::date_of_day;
pub(crate) use shape::looks_like_a_date;

use count::Count;
use shape::{Shape, calendar_date, century, day_part, is_plausible};

/// What rows are ordered by.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Keys {
    Dates(Vec<Date>),
    Numbers(Vec<i64>),
    /// Names have no order of their own: the file's is kept.
    Names,
}

/// The labels understood.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Labelled {
    pub keys: Keys,
    /// Name of the notation, for the record.
    pub notation: &'static str,
    /// What was decided between readings.
    pub remark: Option<String>,
}

/// Whether a column of this name is one of dates.
pub(crate) fn is_date_name(name: &str) -> bool {
    const WORDS: [&str; 12] = [
        "date",
        "dates",
        "datetime",
        "time",
        "timestamp",
        "day",
        "month",
        "period",
        "quarter",
        "year",
        "datum",
        "tradedate",
    ];
    let name = name.to_lowercase();
    name.split(|c: char| !c.is_alphanumeric()).any(|word| WORDS.contains(&word))
}

/// Reads the labels of all rows, in a column of this name; `place` names a row for messages.
pub(crate) fn read(
    labels: &[String],
    name: &str,
    format: Option<&str>,
    place: impl Fn(usize) -> String,
) -> Result<Labelled> {
    if let Some(format) = format {
        return formatted(labels, format, place);
    }
    let shapes: Vec<Shape> = labels.iter().map(|label| Shape::of(label)).collect();
    let is_date = |shape: &Shape| !matches!(shape, Shape::Compact(_) | Shape::Other);
    let first_is_compact = matches!(shapes.first(), Some(&Shape::Compact(parts)) if is_plausible(parts));
    if first_is_compact || shapes.iter().any(is_date) {
        return dates(labels, &shapes, place);
    }
    if let Some(numbers) = labels.iter().map(|label| number(label)).collect::<Option<Vec<f64>>>()
        && let Some(count) = Count::of(&numbers, is_date_name(name))
    {
        let days: Option<Vec<Date>> = numbers.iter().map(|&number| count.date(number)).collect();
        if let Some(days) = days {
            let remark = format!("dates are {}: {} is {}", count.name(), shown(&labels[0]), days[0]);
            return Ok(Labelled { keys: Keys::Dates(days), notation: count.name(), remark: Some(remark) });
        }
    }
    if let Some(numbers) = labels.iter().map(|label| observation(label)).collect() {
        return Ok(Labelled { keys: Keys::Numbers(numbers), notation: "observation numbers", remark: None });
    }
    if let Some(row) = labels.iter().position(|label| label.is_empty()) {
        return Err(Error::input(format!("{}: no date", place(row))).hint("every row needs a date in its first column"));
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
    let remark = format!("the first column holds names like `{example}`, not dates: rows keep the file's order");
    Ok(Labelled { keys: Keys::Names, notation: "names", remark: Some(remark) })
}

/// Dates in the notation asked for.
fn formatted(labels: &[String], format: &str, place: impl Fn(usize) -> String) -> Result<Labelled> {
    let format = strptime(format);
    let mut dates = Vec::with_capacity(labels.len());
    for (row, label) in labels.iter().enumerate() {
        let read = |text: &str| {
            let mut time = BrokenDownTime::parse(&format, text).ok()?;
            if time.timestamp().is_some() {
                return time.to_timestamp().ok().map(|time| time.to_zoned(TimeZone::UTC).date());
            }
            let is_month = time.day().is_none() && time.day_of_year().is_none() && time.month().is_some();
            if is_month {
                time.set_day(Some(1)).ok()?;
            }
            let date = time.to_date().ok()?;
            Some(if is_month { date.last_of_month() } else { date })
        };
        let date = read(label).or_else(|| read(day_part(label))).ok_or_else(|| {
            Error::input(format!("{}: `{}` is not a date written {}", place(row), shown(label), shown(&format)))
                .hint("correct --date-format, as in %d/%m/%Y, or leave it out")
        })?;
        dates.push(date);
    }
    Ok(Labelled { keys: Keys::Dates(dates), notation: "as asked for", remark: None })
}

/// dd/mm/yyyy as %d/%m/%Y; what holds a percent sign is one already.
fn strptime(format: &str) -> String {
    if format.contains('%') {
        return format.to_string();
    }
    let mut text = format.to_lowercase();
    for (word, code) in [("yyyy", "%Y"), ("yy", "%y"), ("mmm", "%b"), ("mm", "%m"), ("dd", "%d")] {
        text = text.replace(word, code);
    }
    text
}

fn dates(labels: &[String], shapes: &[Shape], place: impl Fn(usize) -> String) -> Result<Labelled> {
    const HINT: &str = "say --date-format, as in %d/%m/%Y, or write dates as yyyy-mm-dd";
    let ambiguous = |row: usize, readings: &str| {
        let label = shown(&labels[row]);
        Err(Error::input(format!("{}: `{label}` may be {readings}, and no row settles it", place(row))).hint(HINT))
    };
    let Some(year_first) = short_years_lead(shapes) else {
        let row = shapes.iter().position(|shape| matches!(shape, Shape::Short(_))).unwrap_or(0);
        return ambiguous(row, "yy/mm/dd or dd/mm/yy");
    };
    let has_short = shapes.iter().any(|shape| matches!(shape, Shape::Short(_)));
    let (day_first, remark) = match day_first(shapes, year_first) {
        Order::Settled { day_first, row } => {
            let notation = match (day_first, has_short) {
                (true, false) => "dd/mm/yyyy",
                (false, false) => "mm/dd/yyyy",
                (true, true) => "dd/mm/yy",
                (false, true) => "mm/dd/yy",
            };
            (day_first, Some((notation, row)))
        }
        Order::NotAsked if has_short => (true, Some(("yy/mm/dd", 0))),
        Order::NotAsked => (true, None),
        Order::Contradictory { day, month } => {
            let (a, b) = (shown(&labels[day]), shown(&labels[month]));
            return Err(Error::input(format!(
                "{}: `{a}` can only be dd/mm/yyyy, but `{b}` ({}) only mm/dd/yyyy",
                place(day),
                place(month)
            ))
            .hint("write dates as yyyy-mm-dd"));
        }
        Order::Ambiguous { row } => return ambiguous(row, "dd/mm/yyyy or mm/dd/yyyy"),
    };
    let mut dates = Vec::with_capacity(labels.len());
    for (row, (label, shape)) in labels.iter().zip(shapes).enumerate() {
        let date = match *shape {
            Shape::YearFirst(parts) | Shape::Compact(parts) | Shape::Named(parts) => calendar_date(parts),
            Shape::YearLast([a, b, year]) => calendar_date(if day_first { [year, b, a] } else { [year, a, b] }),
            Shape::Short([year, month, day]) if year_first => calendar_date([century(year), month, day]),
            Shape::Short([a, b, year]) if day_first => calendar_date([century(year), b, a]),
            Shape::Short([a, b, year]) => calendar_date([century(year), a, b]),
            Shape::Month([year, month]) => calendar_date([year, month, 1]).map(Date::last_of_month),
            Shape::Other => None,
        };
        dates.push(date.ok_or_else(|| {
            let what =
                if label.is_empty() { "no date".to_string() } else { format!("`{}` is not a date", shown(label)) };
            Error::input(format!("{}: {what}", place(row))).hint(HINT)
        })?);
    }
    let is_monthly = shapes.iter().any(|shape| matches!(shape, Shape::Month(_)));
    let notation = match (remark, shapes.first()) {
        (Some((notation, _)), _) => notation,
        (None, Some(Shape::Compact(_))) => "yyyymmdd",
        (None, Some(Shape::Named(_))) => "with month names",
        _ if is_monthly => "months",
        _ => "yyyy-mm-dd",
    };
    let remark =
        remark.map(|(notation, row)| format!("dates are read as {notation} (`{}` settles it)", shown(&labels[row])));
    let remark = remark.or_else(|| is_monthly.then(|| "months and quarters stand for their last day".to_string()));
    Ok(Labelled { keys: Keys::Dates(dates), notation, remark })
}

/// Whether the year leads in dates of two digits each: it is the part that changes least. None where neither does.
fn short_years_lead(shapes: &[Shape]) -> Option<bool> {
    let parts: Vec<[i16; 3]> =
        shapes.iter().filter_map(|shape| if let Shape::Short(parts) = *shape { Some(parts) } else { None }).collect();
    if parts.is_empty() {
        return Some(false);
    }
    let changes = |part: usize| parts.windows(2).filter(|pair| pair[0][part] != pair[1][part]).count();
    match changes(0).cmp(&changes(2)) {
        std::cmp::Ordering::Less => Some(true),
        std::cmp::Ordering::Greater => Some(false),
        std::cmp::Ordering::Equal => None,
    }
}

/// Which of the first two parts of dd/mm/yyyy or mm/dd/yyyy is the day, and the row that says so.
enum Order {
    NotAsked,
    Settled { day_first: bool, row: usize },
    Contradictory { day: usize, month: usize },
    Ambiguous { row: usize },
}

fn day_first(shapes: &[Shape], year_first: bool) -> Order {
    let row_where = |test: fn(i16, i16) -> bool| {
        shapes.iter().position(|shape| match *shape {
            Shape::YearLast([a, b, _]) => test(a, b),
            Shape::Short([a, b, _]) if !year_first => test(a, b),
            _ => false,
        })
    };
    match (row_where(|a, _| a > 12), row_where(|_, b| b > 12), row_where(|_, _| true)) {
        (Some(day), Some(month), _) => Order::Contradictory { day, month },
        (Some(row), None, _) => Order::Settled { day_first: true, row },
        (None, Some(row), _) => Order::Settled { day_first: false, row },
        (None, None, Some(row)) => Order::Ambiguous { row },
        (None, None, None) => Order::NotAsked,
    }
}

fn number(label: &str) -> Option<f64> {
    label.parse::<f64>().ok().filter(|number| number.is_finite())
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

    fn read_as(labels: &[&str], name: &str, format: Option<&str>) -> Result<Keys> {
        let labels: Vec<String> = labels.iter().map(|label| (*label).to_string()).collect();
        read(&labels, name, format, |row| format!("row {row}")).map(|read| read.keys)
    }

    fn keys(labels: &[&str]) -> Result<Keys> {
        read_as(labels, "", None)
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
            "2019-06-13 00:00:00+00:00",
            "13/06/2019",
            "6/13/2019",
            "13.06.2019",
            "13-06-2019",
            "6/13/2019 16:00",
            "20190613 1600",
            "13-Jun-2019",
            "13-JUN-19",
            "13JUN2019",
            "Jun 13, 2019",
            "June 13 2019",
            "Thursday, 13 June 2019",
            "Thu Jun 13 00:00:00 2019",
            "13 Jun 2019 16:00",
        ] {
            assert_eq!(keys(&[label]).expect("a date"), day, "{label}");
        }
    }

    #[test]
    fn the_column_decides_between_day_and_month() {
        let expected = Keys::Dates(vec![date(2019, 6, 3), date(2019, 6, 13)]);
        assert_eq!(keys(&["03/06/2019", "13/06/2019"]).expect("day first"), expected);
        assert_eq!(keys(&["06/03/2019", "06/13/2019"]).expect("month first"), expected);
        assert_eq!(keys(&["03.06.19", "13.06.19"]).expect("day first"), expected);
        assert_eq!(keys(&["6/3/19", "6/13/19"]).expect_err("no part changes least").kind, crate::ErrorKind::Input);
        let three = Keys::Dates(vec![date(2019, 6, 3), date(2019, 6, 13), date(2019, 7, 1)]);
        assert_eq!(keys(&["6/3/19", "6/13/19", "7/1/19"]).expect("month first"), three);
        assert_eq!(keys(&["19-06-03", "19-06-13"]).expect("year first"), expected);
        assert!(keys(&["03/06/2019", "04/06/2019"]).expect_err("either").message.contains("no row settles it"));
        assert!(keys(&["13/06/2019", "06/14/2019"]).expect_err("both").message.contains("row 1"));
        let said = |format| read_as(&["03/06/2019", "13/06/2019"], "", Some(format));
        assert_eq!(said("%d/%m/%Y").expect("as said"), expected);
        assert_eq!(said("dd/mm/yyyy").expect("as said"), expected);
        assert!(said("%m/%d/%Y").expect_err("13 is no month").message.contains("row 1"));
    }

    #[test]
    fn a_column_of_dates_holds_nothing_else() {
        for bad in ["2019-02-30", "2019-13-01", "soon", "", "7", "20190231"] {
            assert!(keys(&["2019-01-31", bad]).is_err(), "{bad}");
        }
        assert!(keys(&["20190131", "20190231"]).is_err());
    }

    #[test]
    fn months_stand_for_their_last_day() {
        let expected = Keys::Dates(vec![date(2019, 12, 31), date(2020, 2, 29)]);
        for labels in [
            ["2019-12", "2020-02"],
            ["12/2019", "02/2020"],
            ["2019M12", "2020M02"],
            ["Dec-2019", "Feb-2020"],
            ["Dec 19", "Feb 20"],
            ["201912", "202002"],
        ] {
            assert_eq!(keys(&labels).expect("months"), expected, "{labels:?}");
        }
        let expected = Keys::Dates(vec![date(2019, 6, 30), date(2019, 9, 30)]);
        assert_eq!(keys(&["2019Q2", "Q3-2019"]).expect("quarters"), expected);
    }

    #[test]
    fn numbers_may_count_days_or_seconds() {
        let expected = Keys::Dates(vec![date(2019, 6, 6), date(2019, 6, 7), date(2019, 6, 10)]);
        for labels in [
            ["43622", "43623", "43626"],
            ["1559779200", "1559865600", "1560124800"],
            ["1559779200000", "1559865600000", "1560124800000"],
            ["1559779200000000000", "1559865600000000000", "1560124800000000000"],
        ] {
            assert_eq!(keys(&labels).expect("dates"), expected, "{labels:?}");
        }
        assert_eq!(keys(&["43622", "43623", "43624"]).expect("numbered"), Keys::Numbers(vec![43622, 43623, 43624]));
        assert!(matches!(read_as(&["43622", "43623", "43624"], "Date", None), Ok(Keys::Dates(_))));
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
