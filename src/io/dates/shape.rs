//! The shape of one label: which notation of a date it could be, by itself.

use jiff::civil::Date;

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
    Other,
}

impl Shape {
    pub(super) fn of(label: &str) -> Shape {
        if let Some(shape) = Shape::month(label).or_else(|| Shape::named(label)) {
            return shape;
        }
        let day = day_part(label);
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

    /// 2019-06, 2019/06, 06/2019, 2019M06, 2019Q2, 2019-Q2, Q2 2019
    fn month(label: &str) -> Option<Shape> {
        let plain = label.to_ascii_uppercase();
        let parts: Vec<&str> = plain.split(['-', '/', ' ']).filter(|part| !part.is_empty()).collect();
        let (year, rest) = match parts[..] {
            [one] => one.split_at_checked(4).filter(|(_, rest)| rest.starts_with(['M', 'Q']))?,
            [a, b] if a.len() == 4 => (a, b),
            [a, b] if b.len() == 4 => (b, a),
            _ => return None,
        };
        let year = digits(year).filter(|_| year.len() == 4)?;
        let month = match rest.strip_prefix('Q') {
            Some(quarter) => digits(quarter).filter(|quarter| (1..=4).contains(quarter))? * 3,
            None => {
                let month = rest.strip_prefix('M').unwrap_or(rest);
                digits(month).filter(|_| month.len() <= 2)?
            }
        };
        Some(Shape::Month([year, month]))
    }

    /// 3 Jun 2019, 03-Jun-19, 03JUN2019, Jun 3, 2019, Monday, June 3 2019, Jun 2019
    fn named(label: &str) -> Option<Shape> {
        if !label.bytes().any(|b| b.is_ascii_alphabetic()) {
            return None;
        }
        let mut month = None;
        let mut numbers: Vec<&str> = Vec::new();
        for word in label.split([' ', '-', '/', '.', ',']).filter(|word| !word.is_empty() && !word.contains(':')) {
            // 03JUN2019 is three words.
            let mut rest = word;
            while let Some(first) = rest.chars().next() {
                let length = rest.find(|c: char| c.is_alphabetic() != first.is_alphabetic()).unwrap_or(rest.len());
                let (part, tail) = rest.split_at(length);
                rest = tail;
                if !first.is_alphabetic() {
                    digits(part)?;
                    numbers.push(part);
                } else if let Some(number) = month_named(part) {
                    if month.replace((number, numbers.len())).is_some() {
                        return None;
                    }
                } else if !is_weekday(part) {
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

fn month_named(word: &str) -> Option<i16> {
    const MONTHS: [&str; 12] = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    let word = word.to_ascii_lowercase();
    let position = MONTHS
        .iter()
        .position(|name| word.len() >= 3 && name.starts_with(&word) || word == "sept" && *name == "september")?;
    Some(position as i16 + 1)
}

fn is_weekday(word: &str) -> bool {
    const DAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    let word = word.to_ascii_lowercase();
    word.len() >= 3 && DAYS.iter().any(|name| name.starts_with(&word))
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

/// Whether a cell by itself can hardly be anything but a date.
pub(crate) fn looks_like_a_date(cell: &str) -> bool {
    match Shape::of(cell) {
        Shape::YearFirst(parts) | Shape::Compact(parts) | Shape::Named(parts) => is_plausible(parts),
        Shape::YearLast([a, b, year]) => is_plausible([year, a, b]) || is_plausible([year, b, a]),
        Shape::Short([a, b, c]) => [[a, b, c], [b, a, c], [c, b, a]].into_iter().any(|[d, m, _]| d <= 31 && m <= 12),
        Shape::Month([year, month]) => is_plausible([year, month, 1]),
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
