//! The labels of rows: dates in one notation, moments within days, or observation numbers.
//!
//! Notations: yyyy-mm-dd (also with / or ., one-digit parts, or a time of day), yyyymmdd, dd/mm/yyyy or mm/dd/yyyy (also
//! with years of two digits), 3 Jun 2019 and Jun 3, 2019 with months in several languages, the dates of mails (RFC 2822),
//! months (2019-06, 06.2019, Jun 2019, 201906), quarters (2019Q2), half-years and ISO weeks (2019-W23), which stand for
//! their last day; in numbers, years, the serial days of spreadsheets and the seconds, milli-, micro- or nanoseconds
//! since 1970. The column decides: a part above 12 is a day, and of years of two digits the part that changes least is
//! the year. Where that settles nothing, the file is refused, for a guess would shuffle the history; `--date-format`
//! settles it. Labels that are not understood are refused too: the order of rows is never taken on trust, unless
//! `--date-format none` says so.
//!
//! Times of day are dropped where each day has one row, and order the rows where a day has several.

mod clock;
mod count;
mod shape;
mod words;

use std::collections::HashSet;

use jiff::civil::{Date, DateTime};
use jiff::fmt::strtime::BrokenDownTime;
use jiff::tz::TimeZone;

use crate::error::{Error, Result, option};
use crate::io::fields::{is_date_name, is_row_name};
use crate::io::shown;

pub(crate) use clock::{is_time, written as written_time};
pub(crate) use count::date_of_day;
pub(crate) use shape::looks_like_a_date;

use clock::Clock;
use count::Count;
use shape::{Shape, calendar_date, century, day_part, is_plausible};

/// Whether a word names a month, in full or in its first letters.
pub(crate) fn is_month_name(word: &str) -> bool {
    words::month(word).is_some()
}

/// The format that takes labels as they are, rows in the order of the file.
pub(crate) const NO_DATES: &str = "none";

/// The notation of days in order of their size, year first.
pub(crate) const ISO: &str = "yyyy-mm-dd";

/// What rows are ordered by.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Keys {
    Dates(Vec<Date>),
    /// Several rows a day.
    Moments(Vec<DateTime>),
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

/// Reads the labels of all rows, in a column of this name; `place` names a row for messages.
pub(crate) fn read(
    labels: &[String],
    name: &str,
    format: Option<&str>,
    place: impl Fn(usize) -> String,
) -> Result<Labelled> {
    match format {
        Some(NO_DATES) => {
            let remark = Some("rows keep the order of the file, oldest first".to_string());
            return Ok(Labelled { keys: Keys::Names, notation: "none", remark });
        }
        Some(format) => return formatted(labels, format, place),
        None => {}
    }
    let labels = &decimal_months(labels);
    let shapes: Vec<Shape> = labels.iter().map(|label| Shape::of(label)).collect();
    let is_date = |shape: &Shape| !matches!(shape, Shape::Compact(_) | Shape::Other);
    // Months of numbers may be prices, but for the name.
    let is_number = |label: &String| label.len() != 8 && label.parse::<f64>().is_ok() && shape::stamp(label).is_none();
    let are_numbers = !is_date_name(name) && labels.iter().all(is_number);
    let first_is_compact = matches!(shapes.first(), Some(&Shape::Compact(parts)) if is_plausible(parts));
    if first_is_compact || !are_numbers && shapes.iter().any(is_date) {
        return dates(labels, &shapes, place);
    }
    let numbers = labels.iter().map(|label| number(label)).collect::<Option<Vec<f64>>>();
    if let Some(numbers) = &numbers
        && let Some(count) = Count::of(numbers, is_date_name(name))
    {
        let moments: Option<Vec<DateTime>> = numbers.iter().map(|&number| count.moment(number)).collect();
        if let Some(moments) = moments {
            let keys = days_or_moments(moments);
            let first = match &keys {
                Keys::Moments(moments) => moments[0].to_string(),
                Keys::Dates(dates) => dates[0].to_string(),
                Keys::Numbers(_) | Keys::Names => String::new(),
            };
            let remark = format!("dates are {}: {} is {first}", count.name(), shown(&labels[0]));
            return Ok(Labelled { keys, notation: count.name(), remark: Some(remark) });
        }
    }
    if let Some(numbers) = numbered(labels)
        && (are_in_turn(&numbers) || is_row_name(name) && (numbers.is_sorted() || are_in_turn(&sorted(&numbers))))
    {
        return Ok(Labelled { keys: Keys::Numbers(numbers), notation: "observation numbers", remark: None });
    }
    if let Some(row) = labels.iter().position(|label| label.is_empty()) {
        return Err(Error::input(format!("{}: no date", place(row))).hint("every row needs a date in its first column"));
    }
    let odd = |label: &&String| numbers.is_none() || observation(label).is_none();
    let row = labels.iter().position(|label| odd(&label)).unwrap_or(0);
    let (column, label) = (shown(name), shown(labels.get(row).map_or("", |label| label)));
    let column = if name.is_empty() { "the first column".to_string() } else { format!("column `{column}`") };
    let hint = format!(
        "write dates as yyyy-mm-dd, or say {}, as in %d/%m/%Y; {} takes the rows in the order of the file, oldest first",
        option("date-format"),
        option("date-format").word(NO_DATES)
    );
    Err(Error::input(match numbers {
        Some(_) => {
            format!("{}: {column} holds numbers like {label}, neither dates nor observation numbers", place(row))
        }
        None => format!("{}: {column} holds labels like `{label}`, which are no dates that are understood", place(row)),
    })
    .hint(hint))
}

/// Months written as numbers: a float loses the last zero of 10.2010 and of 2010.10.
fn decimal_months(labels: &[String]) -> Vec<String> {
    let split = |label: &String| {
        let (a, b) = label.split_once('.')?;
        (a.bytes().all(|c| c.is_ascii_digit()) && b.bytes().all(|c| c.is_ascii_digit())).then_some((a.len(), b.len()))
    };
    let lengths: Option<HashSet<(usize, usize)>> = labels.iter().map(split).collect();
    let within = |allowed: &[(usize, usize)], needed: &[(usize, usize)]| {
        lengths.as_ref().is_some_and(|lengths| {
            lengths.iter().all(|pair| allowed.contains(pair)) && needed.iter().any(|pair| lengths.contains(pair))
        })
    };
    // January to September have a zero where October to December have lost theirs.
    let is_year_first = within(&[(4, 1), (4, 2)], &[(4, 2)]) && labels.iter().any(|label| label.contains(".0"));
    let is_year_last = within(&[(1, 4), (2, 4), (1, 3), (2, 3)], &[(1, 4), (2, 4)]);
    let restored = |label: &String| match split(label) {
        Some((4, 1)) if is_year_first => format!("{label}0"),
        Some((_, 3)) if is_year_last => format!("{label}0"),
        _ => label.clone(),
    };
    labels.iter().map(restored).collect()
}

/// Moments where a day has several, else days.
fn days_or_moments(moments: Vec<DateTime>) -> Keys {
    let dates: Vec<Date> = moments.iter().map(|moment| moment.date()).collect();
    let (days, different) = (count_different(&dates), count_different(&moments));
    if days < different { Keys::Moments(moments) } else { Keys::Dates(dates) }
}

fn count_different<T: Copy + Eq + std::hash::Hash>(all: &[T]) -> usize {
    all.iter().copied().collect::<HashSet<T>>().len()
}

/// Observation numbers, also behind a word that all labels share: 7, w7, obs 7.
fn numbered(labels: &[String]) -> Option<Vec<i64>> {
    let first = labels.first()?;
    let word = &first[..first.find(|c: char| c.is_ascii_digit() || c == '-').unwrap_or(0)];
    labels.iter().map(|label| observation(label.strip_prefix(word)?)).collect()
}

fn sorted(numbers: &[i64]) -> Vec<i64> {
    let mut sorted = numbers.to_vec();
    sorted.sort_unstable();
    sorted
}

/// Whole numbers one after the other, upwards or downwards.
fn are_in_turn(numbers: &[i64]) -> bool {
    let step = |wanted: i64| numbers.windows(2).all(|pair| pair[1].checked_sub(pair[0]) == Some(wanted));
    step(1) || step(-1)
}

/// Dates in the notation asked for.
fn formatted(labels: &[String], format: &str, place: impl Fn(usize) -> String) -> Result<Labelled> {
    let format = strptime(format);
    let mut dates = Vec::with_capacity(labels.len());
    for (row, label) in labels.iter().enumerate() {
        let read = |text: &str| {
            let mut time = BrokenDownTime::parse(&format, text).ok()?;
            if time.timestamp().is_some() {
                return time.to_timestamp().ok().map(|time| time.to_zoned(TimeZone::UTC).datetime());
            }
            let is_month = time.day().is_none() && time.day_of_year().is_none() && time.month().is_some();
            if is_month {
                time.set_day(Some(1)).ok()?;
            }
            let date = time.to_date().ok()?;
            let date = if is_month { date.last_of_month() } else { date };
            let clock = time.hour().and_then(|_| time.to_time().ok()).or_else(|| Some(Clock::of(label)?.time));
            Some(date.to_datetime(clock.unwrap_or_default()))
        };
        let date = read(label).or_else(|| read(day_part(label))).ok_or_else(|| {
            Error::input(format!("{}: `{}` is not a date written {}", place(row), shown(label), shown(&format)))
                .hint(format!("correct {}, as in %d/%m/%Y, or leave it out", option("date-format")))
        })?;
        dates.push(date);
    }
    Ok(Labelled { keys: days_or_moments(dates), notation: "as asked for", remark: None })
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
    let hint = || format!("say {}, as in %d/%m/%Y, or write dates as yyyy-mm-dd", option("date-format"));
    let ambiguous = |row: usize, readings: &str| {
        let label = shown(&labels[row]);
        Err(Error::input(format!("{}: `{label}` may be {readings}, and no row settles it", place(row))).hint(hint()))
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
            Shape::Week(date) => Some(date),
            Shape::Other => None,
        };
        dates.push(date.ok_or_else(|| {
            let what =
                if label.is_empty() { "no date".to_string() } else { format!("`{}` is not a date", shown(label)) };
            const SUMMARIES: [&str; 9] = ["total", "sum", "average", "avg", "mean", "median", "min", "max", "std"];
            let is_summary = SUMMARIES.iter().any(|word| label.to_lowercase().starts_with(word));
            let hint = if is_summary { "take rows of totals and averages out of the file".to_string() } else { hint() };
            Error::input(format!("{}: {what}", place(row))).hint(hint)
        })?);
    }
    if let Some(row) = mixed_orders(shapes, &dates, day_first) {
        return ambiguous(row, "dd/mm/yyyy or mm/dd/yyyy: rows are in order only if both stand in the column");
    }
    let is_monthly = shapes.iter().any(|shape| matches!(shape, Shape::Month(_)));
    // `Mar 25` may be the 25th of March.
    let short = labels.iter().position(|label| is_short_month(label));
    if let Some(row) = short.filter(|_| is_monthly && !are_regular(&dates)) {
        return ambiguous(row, "a month and its year, or a day and its month");
    }
    let is_weekly = shapes.iter().any(|shape| matches!(shape, Shape::Week(_)));
    let notation = match (remark, shapes.first()) {
        (Some((notation, _)), _) => notation,
        (None, Some(Shape::Compact(_))) => "yyyymmdd",
        (None, Some(Shape::Named(_))) => "with month names",
        _ if is_monthly => "months",
        _ if is_weekly => "weeks",
        _ => ISO,
    };
    let remark =
        remark.map(|(notation, row)| format!("dates are read as {notation} (`{}` settles it)", shown(&labels[row])));
    let last_day = |what: &str| format!("{what} stand for their last day");
    let remark = remark
        .or_else(|| is_monthly.then(|| last_day("months and quarters")))
        .or_else(|| is_weekly.then(|| last_day("weeks")));
    let keys = moments(labels, dates, place)?;
    let within = matches!(keys, Keys::Moments(_)).then(|| "rows within days are told apart by their time".to_string());
    let remark = [remark, within].into_iter().flatten().reduce(|a, b| format!("{a}; {b}"));
    Ok(Labelled { keys, notation, remark })
}

/// Days with one row each, or moments where some day has several rows that its times tell apart.
fn moments(labels: &[String], dates: Vec<Date>, place: impl Fn(usize) -> String) -> Result<Keys> {
    if count_different(&dates) == dates.len() {
        return Ok(Keys::Dates(dates));
    }
    let clocks: Vec<Option<Clock>> = labels.iter().map(|label| Clock::of(label)).collect();
    let times: HashSet<_> = clocks.iter().flatten().map(|clock| (clock.time, clock.offset)).collect();
    if times.len() < 2 {
        return Ok(Keys::Dates(dates));
    }
    if let Some(row) = clocks.iter().position(Option::is_none) {
        return Err(Error::input(format!(
            "{}: `{}` has no time of day, and other rows have",
            place(row),
            shown(&labels[row])
        ))
        .hint("write a time in every row, or keep one row per day"));
    }
    let at = |with_zone: bool| -> Vec<DateTime> {
        let moment = |(date, clock): (&Date, &Option<Clock>)| {
            let clock = clock.expect("every label has one");
            let ahead = clock.offset.filter(|_| with_zone).unwrap_or(0);
            date.to_datetime(clock.time).saturating_sub(jiff::SignedDuration::from_secs(i64::from(ahead)))
        };
        dates.iter().zip(&clocks).map(moment).collect()
    };
    // The clock on the wall, but for the hour that autumn repeats.
    let wall = at(false);
    let is_repeated =
        count_different(&wall) < wall.len() && clocks.iter().flatten().all(|clock| clock.offset.is_some());
    Ok(days_or_moments(if is_repeated { at(true) } else { wall }))
}

/// `Mar 25`, but not `Mar 2025`.
fn is_short_month(label: &str) -> bool {
    let digits = label.chars().filter(char::is_ascii_digit).count();
    label.chars().any(char::is_alphabetic) && digits <= 2
}

/// Whether most dates are as far apart as the others, once they are in order.
fn are_regular(dates: &[Date]) -> bool {
    let mut months: Vec<i32> = dates.iter().map(|date| i32::from(date.year()) * 12 + i32::from(date.month())).collect();
    months.sort_unstable();
    let steps: Vec<i32> = months.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let mut ordered = steps.clone();
    ordered.sort_unstable();
    let Some(&usual) = ordered.get(ordered.len() / 2) else { return true };
    10 * steps.iter().filter(|step| **step == usual).count() >= 7 * steps.len()
}

/// The first row whose day and month stand the other way round, where rows are in order if that is taken so, and out of
/// order if not: a spreadsheet of another country has swapped what it took for dates.
fn mixed_orders(shapes: &[Shape], dates: &[Date], day_first: bool) -> Option<usize> {
    let in_order = |dates: &[Date]| dates.is_sorted() || dates.iter().rev().is_sorted();
    if in_order(dates) {
        return None;
    }
    let swapped = |(shape, date): (&Shape, &Date)| match *shape {
        Shape::YearLast([a, b, year]) if a <= 12 && b <= 12 && a != b => {
            calendar_date(if day_first { [year, a, b] } else { [year, b, a] })
        }
        _ => Some(*date),
    };
    let other: Vec<Date> = shapes.iter().zip(dates).map(swapped).collect::<Option<_>>()?;
    if !in_order(&other) {
        return None;
    }
    other.iter().zip(dates).position(|(a, b)| a != b)
}

/// Whether the year leads in dates of two digits each: it is the part that changes least, and the rows are then in order.
/// None where that settles nothing: the days of month ends change little too.
fn short_years_lead(shapes: &[Shape]) -> Option<bool> {
    let parts: Vec<[i16; 3]> =
        shapes.iter().filter_map(|shape| if let Shape::Short(parts) = *shape { Some(parts) } else { None }).collect();
    if parts.is_empty() {
        return Some(false);
    }
    let changes = |part: usize| parts.windows(2).filter(|pair| pair[0][part] != pair[1][part]).count();
    let leads = match changes(0).cmp(&changes(2)) {
        std::cmp::Ordering::Less => true,
        std::cmp::Ordering::Greater => false,
        std::cmp::Ordering::Equal => return None,
    };
    // Steps against the direction of most.
    let breaks = |date: fn([i16; 3]) -> [i16; 3]| {
        let steps = || parts.windows(2).map(|pair| date(pair[0]).cmp(&date(pair[1])));
        let count = |wanted| steps().filter(|step| *step == wanted).count();
        count(std::cmp::Ordering::Less).min(count(std::cmp::Ordering::Greater))
    };
    let first = breaks(|[year, month, day]| [century(year), month, day]);
    let last = breaks(|[day, month, year]| [century(year), month, day])
        .min(breaks(|[month, day, year]| [century(year), month, day]));
    let (own, other) = if leads { (first, last) } else { (last, first) };
    // A part above 31, or a month above 12, leaves one reading only.
    let is_date = |parts: [i16; 3]| calendar_date([century(parts[0]), parts[1], parts[2]]).is_some();
    let may_lead = parts.iter().all(|part| is_date(*part));
    let may_end = parts.iter().all(|&[a, b, year]| is_date([year, a, b]) || is_date([year, b, a]));
    match (may_lead, may_end) {
        (true, false) => Some(true),
        (false, true) => Some(false),
        _ => (2 * own <= other && 4 * own <= parts.len()).then_some(leads),
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
    fn month_ends_of_two_digit_years_are_read_in_order_or_not_at_all() {
        let ends = ["31.12.08", "31.01.09", "28.02.09", "31.03.09", "30.04.09", "31.05.09", "30.06.09", "31.07.09"];
        let expected = |months: &[i8]| {
            let last = |&month: &i8| date(if month == 12 { 2008 } else { 2009 }, month, 1).last_of_month();
            Keys::Dates(months.iter().map(last).collect())
        };
        assert_eq!(keys(&ends).expect("in order"), expected(&[12, 1, 2, 3, 4, 5, 6, 7]));
        // Out of order, what changes least is the day; only that there is no 9 February 28 settles it, or nothing does.
        let shuffled = ["31.03.08", "30.09.10", "31.10.10", "31.07.11", "31.01.10", "30.09.08", "31.12.08", "31.05.09"];
        let error = keys(&shuffled).expect_err("days or years");
        assert!(error.message.contains("yy/mm/dd"), "{error}");
        let settled = ["31.12.98", "30.04.98", "31.05.97", "30.06.99", "31.01.98", "30.11.98"];
        assert!(keys(&settled).is_ok_and(|keys| matches!(&keys, Keys::Dates(days) if days[0] == date(1998, 12, 31))));
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
    fn a_date_may_be_written_for_mail_or_in_another_language() {
        for label in [
            "Thu, 13 Jun 2019 00:00:00 GMT",
            "Thu, 13 Jun 2019 16:00:00 -0500",
            "13 juin 2019",
            "jeu. 13 juin 2019",
            "13. Juni 2019",
            "13 de junio de 2019",
            "June 13th, 2019",
            "2019年6月13日",
            "2019년 6월 13일",
        ] {
            assert_eq!(keys(&[label]).expect(label), Keys::Dates(vec![date(2019, 6, 13)]), "{label}");
        }
        let weeks = Keys::Dates(vec![date(2019, 6, 9), date(2019, 6, 16)]);
        for labels in [["2019-W23", "2019-W24"], ["2019W23", "2019W24"], ["KW 23 2019", "KW 24 2019"]] {
            assert_eq!(keys(&labels).expect("weeks"), weeks, "{labels:?}");
        }
        for label in ["2019Q2", "2Q19", "2Q2019", "Q2 2019", "Q2-19", "T2 2019", "H1 2019", "2019-06", "06.2019"] {
            let read = read_as(&[label], "date", None).expect(label);
            assert_eq!(read, Keys::Dates(vec![date(2019, 6, 30)]), "{label}");
        }
    }

    #[test]
    fn months_survive_being_floats() {
        let days = |year, months: &[i8]| {
            Keys::Dates(months.iter().map(|&month| date(year, month, 1).last_of_month()).collect())
        };
        assert_eq!(read_as(&["2010.09", "2010.1", "2010.11"], "Date", None).expect("months"), days(2010, &[9, 10, 11]));
        assert_eq!(read_as(&["9.201", "10.201", "1.2012"], "Date", None).expect("months"), {
            Keys::Dates(vec![date(2010, 9, 30), date(2010, 10, 31), date(2012, 1, 31)])
        });
        assert!(read_as(&["2010.1", "2010.2"], "Date", None).is_err(), "January or October");
        assert_eq!(read_as(&["201003", "201001"], "Date", None).expect("months"), days(2010, &[3, 1]));
    }

    #[test]
    fn rows_within_a_day_are_moments() {
        let Keys::Moments(moments) =
            keys(&["2021-01-01 09:00", "2021-01-01 10:00", "2021-01-02 09:00"]).expect("hours")
        else {
            panic!("several rows a day")
        };
        assert_eq!(moments[1].to_string(), "2021-01-01T10:00:00");
        // The hour that autumn repeats is told by its zone.
        let autumn = ["2021-10-31 02:30:00+02:00", "2021-10-31 02:30:00+01:00"];
        assert!(matches!(keys(&autumn), Ok(Keys::Moments(moments)) if moments[0] < moments[1]));
        assert!(keys(&["2021-01-01 09:00", "2021-01-01 10:00", "2021-01-02"]).is_err());
        assert!(matches!(keys(&["2021-01-01 16:00", "2021-01-02 13:00"]), Ok(Keys::Dates(_))));
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
        assert_eq!(keys(&["w1", "w2"]).expect("numbers"), Keys::Numbers(vec![1, 2]));
        assert_eq!(read_as(&["b", "a"], "", Some("none")).expect("as said"), Keys::Names);
        for labels in [["bull", "bear"], ["25032020", "24032020"], ["120", "7"]] {
            assert!(keys(&labels).is_err(), "the order of {labels:?} is not known");
        }
        assert!(keys(&["1.5", "2.25"]).expect_err("prices").message.contains("neither dates nor"));
    }
}
