//! When a strategy decides.
//!
//! Row t carries the return from the close of t - 1 to the close of t. A decision at the close of t uses rows up to t and no
//! other; it trades `lag` rows later. A row ends a period if the next row exists and lies in a later one: whether the last
//! row of a history ends its month is not known, so it is never a decision. Holidays need no table: the rows are the days
//! there were.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// Which rows are decisions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rebalance {
    /// The last row of each period, or so many rows after it.
    Periods { period: Period, after: usize },
    /// Every so many rows, from the first on which a portfolio can be built.
    Every(usize),
    /// The first row on which a portfolio can be built, and no other.
    Never,
    /// The last row on or before each of these days.
    Dates(Vec<Date>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Period {
    Day,
    /// From Monday to Sunday (ISO 8601).
    Week,
    Month,
    Quarter,
    Year,
}

impl Period {
    const NAMED: [(&'static str, Period); 5] = [
        ("daily", Period::Day),
        ("weekly", Period::Week),
        ("monthly", Period::Month),
        ("quarterly", Period::Quarter),
        ("yearly", Period::Year),
    ];

    /// The period that a row lasts, by the rows of a year. None where that is none of these.
    pub fn of_rows(periods_per_year: f64) -> Option<Period> {
        match periods_per_year {
            a if a >= 200.0 => Some(Period::Day),
            a if (45.0..=60.0).contains(&a) => Some(Period::Week),
            a if (11.0..=13.0).contains(&a) => Some(Period::Month),
            4.0 => Some(Period::Quarter),
            1.0 => Some(Period::Year),
            _ => None,
        }
    }

    /// A number of the period that a day lies in: equal within a period, and different in the next.
    fn number(self, date: Date) -> (i16, i16) {
        let month = i16::from(date.month());
        match self {
            Period::Day => (date.year(), date.day_of_year()),
            Period::Week => (date.iso_week_date().year(), i16::from(date.iso_week_date().week())),
            Period::Month => (date.year(), month),
            Period::Quarter => (date.year(), (month - 1) / 3),
            Period::Year => (date.year(), 0),
        }
    }
}

impl Rebalance {
    /// Where rows have no dates.
    pub const WITHOUT_DATES: Rebalance = Rebalance::Every(21);

    pub const MONTHLY: Rebalance = Rebalance::Periods { period: Period::Month, after: 0 };

    /// Whether it takes dates; every row is a period of its own without them.
    pub fn needs_dates(&self) -> bool {
        match self {
            Rebalance::Periods { period, .. } => *period != Period::Day,
            Rebalance::Dates(_) => true,
            Rebalance::Every(_) | Rebalance::Never => false,
        }
    }

    /// The decisions among so many rows, in order: from the first that is `feasible` on.
    pub fn decisions(&self, rows: usize, dates: Option<&[Date]>, feasible: impl Fn(usize) -> bool) -> Vec<usize> {
        let last = rows.saturating_sub(1);
        let from_first = |candidates: Vec<usize>| -> Vec<usize> {
            candidates.into_iter().skip_while(|&row| !feasible(row)).collect()
        };
        let first = || (0..last).find(|&row| feasible(row));
        match self {
            Rebalance::Periods { period, after } => {
                let ends = |row: &usize| match dates {
                    Some(dates) => period.number(dates[*row]) != period.number(dates[row + 1]),
                    None => true,
                };
                from_first(
                    (0..last).filter(ends).map(|row| row.saturating_add(*after)).filter(|&row| row < last).collect(),
                )
            }
            Rebalance::Every(step) => first().map_or(Vec::new(), |first| (first..last).step_by(*step).collect()),
            Rebalance::Never => first().into_iter().collect(),
            Rebalance::Dates(asked) => {
                let dates = dates.unwrap_or_default();
                let before = |day: &Date| dates.partition_point(|date| date <= day).checked_sub(1);
                let mut found: Vec<usize> = asked.iter().filter_map(before).filter(|&row| row < last).collect();
                found.sort_unstable();
                found.dedup();
                from_first(found)
            }
        }
    }
}

impl fmt::Display for Rebalance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Rebalance::Periods { period, after } => {
                let name = Period::NAMED.iter().find(|(_, own)| own == period).map_or("", |(name, _)| name);
                if *after == 0 { f.write_str(name) } else { write!(f, "{name}+{after}") }
            }
            Rebalance::Every(rows) => write!(f, "every-{rows}"),
            Rebalance::Never => f.write_str("never"),
            Rebalance::Dates(dates) => write!(f, "dates ({} given)", dates.len()),
        }
    }
}

/// `monthly`, `quarterly+5`, `every-10`, `never`; days in a file are read elsewhere.
impl FromStr for Rebalance {
    type Err = String;

    fn from_str(text: &str) -> Result<Rebalance, String> {
        let wrong = || {
            "not daily, weekly, monthly, quarterly or yearly (or rows after one: monthly+5), every-N, never or dates:FILE"
                .to_string()
        };
        if text == "never" {
            return Ok(Rebalance::Never);
        }
        if let Some(rows) = text.strip_prefix("every-") {
            return rows.parse().ok().filter(|&rows| rows > 0).map(Rebalance::Every).ok_or_else(wrong);
        }
        let (name, after) = text.split_once('+').map_or((text, Ok(0)), |(name, after)| (name, after.parse()));
        let period = Period::NAMED.iter().find(|(own, _)| *own == name).map(|(_, period)| *period);
        match (period, after) {
            (Some(period), Ok(after)) => Ok(Rebalance::Periods { period, after }),
            _ => Err(wrong()),
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan as _;
    use jiff::civil::date;

    use super::*;

    /// Business days.
    fn days(first: Date, last: Date) -> Vec<Date> {
        let all = std::iter::successors(Some(first), |day| day.checked_add(1.day()).ok());
        let is_open = |day: &Date| day.weekday().to_monday_one_offset() < 6;
        all.take_while(|day| *day <= last).filter(is_open).collect()
    }

    fn decided(rule: &str, days: &[Date]) -> Vec<Date> {
        let rule: Rebalance = rule.parse().unwrap();
        rule.decisions(days.len(), Some(days), |_| true).into_iter().map(|row| days[row]).collect()
    }

    #[test]
    fn a_period_ends_where_a_later_one_begins() {
        let days = days(date(2019, 12, 2), date(2020, 3, 31));
        assert_eq!(decided("monthly", &days), [date(2019, 12, 31), date(2020, 1, 31), date(2020, 2, 28)]);
        assert_eq!(decided("quarterly", &days), [date(2019, 12, 31)]);
        assert_eq!(decided("yearly", &days), [date(2019, 12, 31)]);
        // The last of February is followed by three rows of March on which it is known.
        assert_eq!(decided("monthly+2", &days)[2], date(2020, 3, 3));
        // The first of January 2020 was a Wednesday: its week is one.
        assert_eq!(decided("weekly", &days)[3..6], [date(2019, 12, 27), date(2020, 1, 3), date(2020, 1, 10)]);
        assert_eq!(decided("daily", &days).len(), days.len() - 1);
        // A file that ends at the end of a month does not know that it does.
        assert!(!decided("monthly", &days).contains(&date(2020, 3, 31)));
    }

    #[test]
    fn rules_without_dates_count_from_the_first_feasible_row() {
        let feasible = |row: usize| row >= 2;
        let every: Rebalance = "every-2".parse().unwrap();
        assert_eq!(every.decisions(6, None, feasible), [2, 4]);
        assert_eq!(Rebalance::Never.decisions(6, None, feasible), [2]);
        assert!(every.decisions(2, None, feasible).is_empty() && every.decisions(0, None, feasible).is_empty());
    }

    #[test]
    fn a_day_without_a_row_is_the_row_before_it() {
        let days = days(date(2020, 1, 6), date(2020, 1, 31));
        let asked = [date(2020, 1, 19), date(2020, 1, 18), date(2019, 5, 1), date(2020, 1, 8), date(2020, 5, 1)];
        let found = Rebalance::Dates(asked.to_vec()).decisions(days.len(), Some(&days), |_| true);
        assert_eq!(found, [2, 9]);
    }

    #[test]
    fn rules_are_read_as_they_are_written() {
        for rule in ["daily", "weekly", "monthly", "quarterly+5", "yearly", "every-10", "never"] {
            assert_eq!(rule.parse::<Rebalance>().unwrap().to_string(), rule);
        }
        for rule in ["", "every-0", "every-", "monthly+", "monthly-1", "fortnightly", "+3"] {
            assert!(rule.parse::<Rebalance>().is_err(), "{rule}");
        }
    }
}
