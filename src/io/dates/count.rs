//! Dates that are written as one number: days of spreadsheets, months, seconds since 1970.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

use super::shape::calendar_date;

/// Dates as a count of days, seconds or parts of them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Count {
    /// Days as spreadsheets count them: 1 is 1900-01-01, and there was a 29 February 1900.
    Serial,
    /// yyyymm
    Months,
    /// yyyy
    Years,
    /// Seconds since 1970, times this.
    Epoch(f64),
}

impl Count {
    /// What the numbers count, if it is dates: within a market's years, and, in a column that is not named as one of
    /// dates, not one after the other.
    pub(super) fn of(numbers: &[f64], is_date_column: bool) -> Option<Count> {
        let within = |low: f64, high: f64| numbers.iter().all(|x| (low..=high).contains(x));
        let mut steps: Vec<f64> = numbers.windows(2).map(|pair| (pair[1] - pair[0]).abs()).collect();
        steps.sort_unstable_by(f64::total_cmp);
        let usual = steps.get(steps.len() / 2).copied().filter(|_| !numbers.is_empty());
        let usual = if is_date_column { usual.or(Some(0.0)) } else { usual }?;
        let [smallest, largest] = [steps.first().copied().unwrap_or(0.0), steps.last().copied().unwrap_or(0.0)];
        let are_whole = numbers.iter().all(|x| x.fract() == 0.0);
        for scale in [1.0, 1e3, 1e6, 1e9] {
            // 1976 to 2096; a column without a name for dates has an hour or more between rows.
            let is_slow = is_date_column || are_whole && usual >= 3_600.0 * scale;
            if within(2e8 * scale, 4e9 * scale) && is_slow {
                return Some(Count::Epoch(scale));
            }
        }
        let are_months = || numbers.iter().all(|x| (1.0..=12.0).contains(&(x % 100.0)));
        if are_whole && within(180_001.0, 220_012.0) && are_months() && (is_date_column || largest >= 89.0) {
            return Some(Count::Months);
        }
        if are_whole && is_date_column && within(1_800.0, 2_200.0) {
            return Some(Count::Years);
        }
        // 1954 to 2064.
        (within(20_000.0, 60_000.0) && (is_date_column || largest > smallest)).then_some(Count::Serial)
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Count::Serial => "serial days of a spreadsheet",
            Count::Months => "months as yyyymm",
            Count::Years => "years",
            Count::Epoch(1.0) => "seconds since 1970",
            Count::Epoch(1e3) => "milliseconds since 1970",
            Count::Epoch(1e6) => "microseconds since 1970",
            Count::Epoch(_) => "nanoseconds since 1970",
        }
    }

    pub(super) fn moment(self, number: f64) -> Option<DateTime> {
        let midnight = |date: Date| date.at(0, 0, 0, 0);
        match self {
            Count::Months => {
                let number = number as i32;
                calendar_date([(number / 100) as i16, (number % 100) as i16, 1]).map(Date::last_of_month).map(midnight)
            }
            Count::Years => calendar_date([number as i16, 12, 31]).map(midnight),
            // Day 25,569 of spreadsheets is day 0 of 1970. Seconds are as fine as a spreadsheet's days.
            Count::Serial => moment_of_second(((number - 25_569.0) * 86_400.0).round() as i64),
            Count::Epoch(scale) => moment_of_second((number / scale).floor() as i64),
        }
    }
}

fn moment_of_second(second: i64) -> Option<DateTime> {
    Timestamp::from_second(second).ok().map(|time| time.to_zoned(TimeZone::UTC).datetime())
}

/// The date so many days after 1970-01-01.
pub(crate) fn date_of_day(day: i64) -> Option<Date> {
    let second = day.checked_mul(86_400)?;
    Timestamp::from_second(second).ok().map(|time| time.to_zoned(TimeZone::UTC).date())
}
