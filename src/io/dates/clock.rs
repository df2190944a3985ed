//! The time of day in a label, where there is one.

use jiff::civil::Time;

use super::shape::{compact, stamp};

/// A time of day, and the seconds by which its zone is ahead of UTC where the label says so.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Clock {
    pub time: Time,
    pub offset: Option<i32>,
}

impl Clock {
    /// `16:00`, `16:00:30.5`, `4:00 PM` and `16:00+02:00` anywhere in a label; `1600` and `160030` behind a date.
    pub(super) fn of(label: &str) -> Option<Clock> {
        let Some(colon) = label.find(':') else {
            if let Some(day) = stamp(label) {
                return compact(&label[day.len()..]).map(|time| Clock { time, offset: None });
            }
            let (_, rest) = label.split_once([' ', 'T'])?;
            return compact(rest.trim()).map(|time| Clock { time, offset: None });
        };
        let start = label[..colon].rfind(|c: char| !c.is_ascii_digit()).map_or(0, |place| place + 1);
        let is_part = |c: char| c.is_ascii_digit() || c == ':' || c == '.';
        let end = label[colon..].find(|c| !is_part(c)).map_or(label.len(), |place| colon + place);
        let (digits, rest) = (&label[start..end], label[end..].trim());
        let mut parts = digits.split(':');
        let hour: i8 = parts.next()?.parse().ok()?;
        let minute: i8 = parts.next()?.parse().ok()?;
        let (second, fraction) = parts.next().map_or(("0", ""), |text| text.split_once('.').unwrap_or((text, "")));
        if parts.next().is_some() {
            return None;
        }
        let nanosecond: i32 = format!("{fraction:0<9}").get(..9)?.parse().ok()?;
        let lower = rest.to_ascii_lowercase();
        let hour = match hour {
            12 if lower.starts_with("am") => 0,
            1..=11 if lower.starts_with("pm") => hour + 12,
            _ => hour,
        };
        let time = Time::new(hour, minute, second.parse().ok()?, nanosecond).ok()?;
        Some(Clock { time, offset: offset(rest) })
    }
}

/// Seconds of `Z`, `+02:00` or `-0500`.
fn offset(text: &str) -> Option<i32> {
    if text.eq_ignore_ascii_case("z") || text.eq_ignore_ascii_case("utc") || text.eq_ignore_ascii_case("gmt") {
        return Some(0);
    }
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+')?),
    };
    let digits: String = rest.chars().take_while(|c| c.is_ascii_digit() || *c == ':').filter(|c| *c != ':').collect();
    let part = |at: usize| digits.get(at..at + 2).map_or(Some(0), |text| text.parse::<i32>().ok());
    (matches!(digits.len(), 2 | 4)).then_some(())?;
    Some(sign * (part(0)? * 3_600 + part(2)? * 60))
}

/// A cell of a column of times as it is written behind a date: `9:30`, `093000`, `930` and `9` are all in the morning.
pub(crate) fn written(cell: &str) -> String {
    if cell.contains(':') || cell.is_empty() || !cell.bytes().all(|b| b.is_ascii_digit()) {
        return cell.to_string();
    }
    match cell.len() {
        1 | 2 => format!("{cell:0>2}:00"),
        3 | 4 => format!("{cell:0>4}"),
        _ => format!("{cell:0>6}"),
    }
}

/// Whether a cell holds a time of day and nothing else.
pub(crate) fn is_time(cell: &str) -> bool {
    let rest = cell.trim_end_matches(|c: char| c.is_ascii_alphabetic() || c == ' ' || c == '.');
    let is_clock = rest.contains(':') && rest.bytes().all(|b| b.is_ascii_digit() || b == b':' || b == b'.');
    is_clock && rest.len() <= 15 && Clock::of(cell).is_some()
}

#[cfg(test)]
mod tests {
    use jiff::civil::time;

    use super::*;

    #[test]
    fn a_time_of_day_has_many_notations() {
        for (label, expected) in [
            ("2021-01-01 09:30", time(9, 30, 0, 0)),
            ("2021-01-01T09:30:00.000Z", time(9, 30, 0, 0)),
            ("1/2/2021 9:30 AM", time(9, 30, 0, 0)),
            ("1/2/2021 9:30:00 pm", time(21, 30, 0, 0)),
            ("1/2/2021 12:05 AM", time(0, 5, 0, 0)),
            ("20210101 0930", time(9, 30, 0, 0)),
            ("Fri Jan 1 09:30:00 2021", time(9, 30, 0, 0)),
        ] {
            assert_eq!(Clock::of(label).map(|clock| clock.time), Some(expected), "{label}");
        }
        assert_eq!(Clock::of("2021-01-01 09:30:00-05:00").and_then(|clock| clock.offset), Some(-18_000));
        for label in ["2021-01-01", "25:00", "a:b", "1:2:3:4", ""] {
            assert_eq!(Clock::of(label), None, "{label}");
        }
        assert!(is_time("09:30") && is_time("9:30 PM") && !is_time("2021-01-01 09:30") && !is_time("930"));
        assert_eq!([written("930"), written("0"), written("93000")], ["0930", "00:00", "093000"]);
    }
}
