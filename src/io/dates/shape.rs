//! The shape of one label: which notation of a date it could be, by itself.

use std::borrow::Cow;

use jiff::civil::{Date, ISOWeekDate, Time, Weekday};

use super::words;

/// The shape of one label.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Shape {
    YearFirst([i16; 3]),
    YearLast([i16; 3]),
    /// Eight digits in a row.
    Compact([i16; 3]),
    /// Three parts of one or two digits.
    Short([i16; 3]),
    /// With the month in letters.
    Named([i16; 3]),
    /// A month, or the last of a quarter.
    Month([i16; 2]),
    /// The last day of a week, or a day of it.
    Week(Date),
    Other,
}

impl Shape {
    pub(super) fn of(label: &str) -> Shape {
        let label = &*eastern(label);
        if let Some(shape) = Shape::month(label).or_else(|| Shape::named(label)) {
            return shape;
        }
        let day = stamp(label).unwrap_or_else(|| day_part(label));
        if day.len() == 8 && day.bytes().all(|b| b.is_ascii_digit()) {
            return match [&day[..4], &day[4..6], &day[6..]].map(str::parse::<i16>) {
                [Ok(year), Ok(month), Ok(day)] => Shape::Compact([year, month, day]),
                _ => Shape::Other,
            };
        }
        let Some(separator) = day.chars().find(|c| "-/.".contains(*c)) else { return Shape::Other };
        let parts: Vec<&str> = day.split(separator).collect();
        let [Some(a), Some(b), Some(c)] = [0, 1, 2].map(|i| digits(parts.get(i).copied().unwrap_or_default())) else {
            return Shape::Other;
        };
        match [parts.len(), parts[0].len(), parts[1].len(), parts[2].len()] {
            [3, 4, 1 | 2, 1 | 2] => Shape::YearFirst([a, b, c]),
            [3, 1 | 2, 1 | 2, 4] => Shape::YearLast([a, b, c]),
            [3, 1 | 2, 1 | 2, 1 | 2] => Shape::Short([a, b, c]),
            _ => Shape::Other,
        }
    }

    /// 2019-06, 2019/06, 06/2019, 2019M06, and quarters, half-years and weeks: 2019Q2, 2Q19, Q2 2019, T2-2019, 2019-H1,
    /// 2019-W23
    fn month(label: &str) -> Option<Shape> {
        let plain = label.to_uppercase();
        let parts: Vec<&str> = plain.split(['-', '/', ' ', ':', '.']).filter(|part| !part.is_empty()).collect();
        let (year, rest) = match parts[..] {
            // 2019Q2, 2Q2019, 2Q19
            [one] => match one.find(|c: char| c.is_ascii_alphabetic())? {
                4 => one.split_at(4),
                1 => return quarter(one.get(..1)?, one.get(1..2)?, one.get(2..)?),
                0 if one.starts_with("KW") => (one.get(4..)?, one.get(..4)?),
                0 => (one.get(2..)?, one.get(..2)?),
                _ => return None,
            },
            [a, b] if a.len() == 4 && a.bytes().all(|b| b.is_ascii_digit()) => (a, b),
            [a, b] => (b, a),
            ["KW" | "W", week, year] => return week_of(digits(year).filter(|_| year.len() == 4)?, week, "7"),
            [year, week, day] if year.len() == 4 && week.starts_with('W') && day.len() == 1 => {
                return week_of(digits(year)?, &week[1..], day);
            }
            _ => return None,
        };
        let is_letter = |text: &str, letters: &[char]| text.starts_with(letters) || text.ends_with(letters);
        if is_letter(rest, &['Q', 'T', 'H', 'S']) && rest.len() == 2 {
            let (number, letter) = match rest.as_bytes()[0].is_ascii_digit() {
                true => rest.split_at_checked(1)?,
                false => rest.split_at_checked(1).map(|(letter, number)| (number, letter))?,
            };
            return quarter(number, letter, year);
        }
        let year = digits(year).filter(|_| year.len() == 4)?;
        if let Some(week) = rest.strip_prefix("KW").or_else(|| rest.strip_prefix('W')) {
            return week_of(year, week, "7");
        }
        let month = rest.strip_prefix('M').unwrap_or(rest);
        // 2010.1 may be January, or October that lost its zero.
        let is_clear = month.len() == 2 || month.len() == 1 && !plain.ends_with(&format!(".{month}"));
        Some(Shape::Month([year, digits(month).filter(|_| is_clear)?]))
    }

    /// 3 Jun 2019, 03-Jun-19, 03JUN2019, Jun 3, 2019, Monday, June 3rd 2019, 3 juin 2019, 3 de junio de 2019, Jun 2019
    fn named(label: &str) -> Option<Shape> {
        if !label.chars().any(char::is_alphabetic) {
            return None;
        }
        let mut month = None;
        let mut numbers: Vec<&str> = Vec::new();
        let mut is_time_past = false;
        for word in label.split([' ', '-', '/', '.', ',', '\'', '_']).filter(|word| !word.is_empty()) {
            if word.contains(':') {
                is_time_past = true;
                continue;
            }
            // 03JUN2019 is three words.
            let mut rest = word;
            while let Some(first) = rest.chars().next() {
                let length = rest.find(|c: char| c.is_alphabetic() != first.is_alphabetic()).unwrap_or(rest.len());
                let (part, tail) = rest.split_at(length);
                rest = tail;
                if !first.is_alphabetic() {
                    // Behind a time stands its zone: +0100.
                    if is_time_past && (part.starts_with('+') || numbers.len() >= 2) {
                        continue;
                    }
                    digits(part)?;
                    numbers.push(part);
                } else if let Some(number) = words::month(part) {
                    if month.replace((number, numbers.len())).is_some() {
                        return None;
                    }
                } else if !words::says_nothing(part) {
                    return None;
                }
            }
        }
        let (month, before) = month?;
        let year = |text: &str| match text.len() {
            4 => digits(text),
            2 => digits(text).map(century),
            _ => None,
        };
        match numbers[..] {
            [number] => Some(Shape::Month([year(number)?, month])),
            // The year leads only where it has four digits.
            [first, day] if first.len() == 4 => Some(Shape::Named([digits(first)?, month, digits(day)?])),
            [day, last] if before <= 1 => Some(Shape::Named([year(last)?, month, digits(day)?])),
            _ => None,
        }
    }
}

/// The last month of a quarter or half-year.
fn quarter(number: &str, letter: &str, year: &str) -> Option<Shape> {
    let year = match year.len() {
        4 => digits(year)?,
        2 => century(digits(year)?),
        _ => return None,
    };
    let (most, months) = match letter {
        "Q" | "T" => (4, 3),
        "H" | "S" => (2, 6),
        _ => return None,
    };
    let number = digits(number).filter(|number| (1..=most).contains(number))?;
    Some(Shape::Month([year, months * number]))
}

/// A day of an ISO week: Monday is 1.
fn week_of(year: i16, week: &str, day: &str) -> Option<Shape> {
    let week = i8::try_from(digits(week).filter(|_| week.len() <= 2)?).ok()?;
    let weekday = Weekday::from_monday_one_offset(i8::try_from(digits(day)?).ok()?).ok()?;
    ISOWeekDate::new(year, week, weekday).ok().map(|date| Shape::Week(date.date()))
}

/// 2019年6月3日 and 2019년 6월 3일 as 2019-6-3.
fn eastern(label: &str) -> Cow<'_, str> {
    if !label.contains(['年', '년']) {
        return Cow::Borrowed(label);
    }
    let marked = label.replace(['年', '月', '년', '월'], "-").replace(['日', '일', ' '], "");
    Cow::Owned(marked.trim_end_matches('-').to_string())
}

fn digits(part: &str) -> Option<i16> {
    (part.len() <= 4 && part.bytes().all(|b| b.is_ascii_digit())).then(|| part.parse().ok())?
}

/// Years of two digits, as POSIX reads them: 69 to 99 are of the last century.
pub(super) fn century(year: i16) -> i16 {
    if year < 69 { 2000 + year } else { 1900 + year }
}

/// `2019-06-03` of `2019-06-03T16:00:00+02:00`: the day as written, in whatever zone.
pub(super) fn day_part(label: &str) -> &str {
    match label.split_once(['T', ' ']) {
        Some((day, time)) if time.trim_start().starts_with(|c: char| c.is_ascii_digit()) => day,
        _ => label,
    }
}

/// The day of `202001020930` or `20200102093000`, where day and time are possible ones.
pub(super) fn stamp(label: &str) -> Option<&str> {
    if !matches!(label.len(), 12 | 14) || !label.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let (day, time) = label.split_at(8);
    let [Ok(year), Ok(month), Ok(date)] = [&day[..4], &day[4..6], &day[6..]].map(str::parse::<i16>) else {
        return None;
    };
    (is_plausible([year, month, date]) && compact(time).is_some()).then_some(day)
}

/// `1600` or `160030`.
pub(super) fn compact(text: &str) -> Option<Time> {
    if !matches!(text.len(), 4 | 6) || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let part = |at: usize| text.get(at..at + 2).map_or(Ok(0), str::parse);
    Time::new(part(0).ok()?, part(2).ok()?, part(4).ok()?, 0).ok()
}

/// Whether a cell by itself can hardly be anything but a date.
pub(crate) fn looks_like_a_date(cell: &str) -> bool {
    // 10.2010 may be a month, and a price.
    if cell.len() != 8 && cell.parse::<f64>().is_ok() && stamp(cell).is_none() {
        return false;
    }
    match Shape::of(cell) {
        Shape::YearFirst(parts) | Shape::Compact(parts) | Shape::Named(parts) => is_plausible(parts),
        Shape::YearLast([a, b, year]) => is_plausible([year, a, b]) || is_plausible([year, b, a]),
        Shape::Short([a, b, c]) => [[a, b, c], [b, a, c], [c, b, a]].into_iter().any(|[d, m, _]| d <= 31 && m <= 12),
        Shape::Month([year, month]) => is_plausible([year, month, 1]),
        Shape::Week(date) => (1800..=2200).contains(&date.year()),
        Shape::Other => false,
    }
}

pub(super) fn calendar_date([year, month, day]: [i16; 3]) -> Option<Date> {
    Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
}

/// Eight digits are a date only when they are one of a market's: 20190603 is, observation 10000001 is not.
pub(super) fn is_plausible(parts: [i16; 3]) -> bool {
    (1800..=2200).contains(&parts[0]) && calendar_date(parts).is_some()
}
