//! Dates that are written as one number: days of spreadsheets, months, seconds since 1970.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::shape::calendar_date;

/// Dates as a count of days, seconds or parts of them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Count {
    /// Days as spreadsheets count them: 1 is 1900-01-01, and there was a 29 February 1900.
    Serial,
    /// yyyymm
    Months,
    /// Seconds since 1970, times this.
    Epoch(f64),
}

impl Count {
    /// What the numbers count, if it is dates: within a market's years, and not one after the other.
    pub(super) fn of(numbers: &[f64], is_date_column: bool) -> Option<Count> {
        let within = |low: f64, high: f64| numbers.iter().all(|x| (low..=high).contains(x));
        let mut steps: Vec<f64> = numbers.windows(2).map(|pair| (pair[1] - pair[0]).abs()).collect();
        steps.sort_unstable_by(f64::total_cmp);
        let usual = *steps.get(steps.len() / 2)?;
        let [smallest, largest] = [*steps.first()?, *steps.last()?];
        let are_whole = numbers.iter().all(|x| x.fract() == 0.0);
        for scale in [1.0, 1e3, 1e6, 1e9] {
            // 1976 to 2096, at an hour or more between rows.
            if are_whole && within(2e8 * scale, 4e9 * scale) && usual >= 3_600.0 * scale {
                return Some(Count::Epoch(scale));
            }
        }
        let are_months = || numbers.iter().all(|x| (1.0..=12.0).contains(&(x % 100.0)));
        if are_whole && within(180_001.0, 220_012.0) && are_months() && (is_date_column || largest >= 89.0) {
            return Some(Count::Months);
        }
        // 1954 to 2064.
        (within(20_000.0, 60_000.0) && (is_date_column || largest > smallest)).then_some(Count::Serial)
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Count::Serial => "serial days of a spreadsheet",
            Count::Months => "months as yyyymm",
            Count::Epoch(1.0) => "seconds since 1970",
            Count::Epoch(1e3) => "milliseconds since 1970",
            Count::Epoch(1e6) => "microseconds since 1970",
            Count::Epoch(_) => "nanoseconds since 1970",
        }
    }

    pub(super) fn date(self, number: f64) -> Option<Date> {
        match self {
            // Day 25,569 of spreadsheets is day 0 of 1970.
            Count::Serial => date_of_day(number.floor() as i64 - 25_569),
            Count::Months => {
                let number = number as i32;
                calendar_date([(number / 100) as i16, (number % 100) as i16, 1]).map(Date::last_of_month)
            }
            Count::Epoch(scale) => date_of_day((number / scale / 86_400.0).floor() as i64),
        }
    }
}

/// The date so many days after 1970-01-01.
pub(crate) fn date_of_day(day: i64) -> Option<Date> {
    let second = day.checked_mul(86_400)?;
    Timestamp::from_second(second).ok().map(|time| time.to_zoned(TimeZone::UTC).date())
}
