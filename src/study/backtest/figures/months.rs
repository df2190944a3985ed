//! Calendar months and years of returns.

use std::ops::Range;

use jiff::civil::{Date, Weekday};
use serde::Serialize;

use super::growth::compound;
use super::rows::Timeline;

/// Months of a year.
pub const PER_YEAR: f64 = 12.0;

/// The rows of a calendar month. A month that the rows do not cover whole counts as well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Month {
    pub year: i16,
    pub month: i8,
    pub rows: Range<usize>,
}

/// Compounded return of a calendar month.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct MonthReturn {
    pub year: i16,
    pub month: i8,
    #[serde(rename = "return")]
    pub compounded: f64,
}

/// Compounded return of a calendar year, or of that part of it which was evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct YearReturn {
    pub year: i16,
    #[serde(rename = "return")]
    pub compounded: f64,
    /// Whether the rows do not cover it whole.
    pub partial: bool,
}

/// The months of rows whose closes have these dates, the first of them before the first row. None of rows that are
/// longer than months: a quarter is not the return of its last month.
pub fn group(dates: &[Date], periods_per_year: f64) -> Vec<Month> {
    let mut months: Vec<Month> = Vec::new();
    if periods_per_year < PER_YEAR {
        return months;
    }
    for (row, date) in dates.iter().skip(1).enumerate() {
        match months.last_mut() {
            Some(last) if (last.year, last.month) == (date.year(), date.month()) => last.rows.end = row + 1,
            _ => months.push(Month { year: date.year(), month: date.month(), rows: row..row + 1 }),
        }
    }
    months
}

/// Compounded returns of all months.
pub fn monthly<'a>(timeline: &'a Timeline, returns: &'a [f64]) -> impl Iterator<Item = f64> + Clone + 'a {
    timeline.months.iter().map(|month| compound(&returns[month.rows.clone()]))
}

pub fn month_returns(timeline: &Timeline, returns: &[f64]) -> Vec<MonthReturn> {
    let named = |(month, compounded): (&Month, f64)| MonthReturn { year: month.year, month: month.month, compounded };
    timeline.months.iter().zip(monthly(timeline, returns)).map(named).collect()
}

/// None without dates.
pub fn year_returns(timeline: &Timeline, returns: &[f64]) -> Vec<YearReturn> {
    let Some([start, ends @ ..]) = timeline.dates.as_deref() else { return Vec::new() };
    let mut years: Vec<YearReturn> = Vec::new();
    let mut first = 0;
    for same in ends.chunk_by(|a, b| a.year() == b.year()) {
        let year = same[0].year();
        let compounded = compound(&returns[first..first + same.len()]);
        years.push(YearReturn { year, compounded, partial: year == start.year() });
        first += same.len();
    }
    if let Some(last) = years.last_mut() {
        last.partial |= another_row_was_due(start, ends);
    }
    years
}

/// Whether the last row is followed by another one in its year, by the distance of the rows before it.
fn another_row_was_due(start: &Date, ends: &[Date]) -> bool {
    let Some(last) = ends.last() else { return false };
    let mut days: Vec<i32> =
        std::iter::once(start).chain(ends).zip(ends).map(|(from, to)| (*to - *from).get_days()).collect();
    days.sort_unstable();
    let distance = days[days.len() / 2];
    if distance >= DAYS_OF_A_MONTH {
        let months = (f64::from(distance) / 30.44).round();
        return f64::from(last.month()) + months <= PER_YEAR;
    }
    // Days without rows at the end of a year are no gap if they are weekends, and no row ever lay on one.
    let weekends_count = ends.iter().any(is_weekend);
    std::iter::successors(last.tomorrow().ok(), |day| day.tomorrow().ok())
        .take_while(|day| day.year() == last.year())
        .skip(usize::try_from(distance - 1).unwrap_or(0))
        .any(|day| weekends_count || !is_weekend(&day))
}

/// From this distance on, rows are counted by months.
const DAYS_OF_A_MONTH: i32 = 28;

fn is_weekend(day: &Date) -> bool {
    matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timeline(dates: &[(i16, i8, i8)], periods_per_year: f64) -> Timeline {
        let dates: Vec<Date> = dates.iter().map(|&(year, month, day)| Date::constant(year, month, day)).collect();
        Timeline::new(dates.iter().map(Date::to_string).collect(), Some(dates), periods_per_year)
    }

    fn weekdays(from: Date, to: Date) -> Vec<(i16, i8, i8)> {
        std::iter::successors(Some(from), |day| day.tomorrow().ok())
            .take_while(|day| *day <= to)
            .filter(|day| !is_weekend(day))
            .map(|day| (day.year(), day.month(), day.day()))
            .collect()
    }

    fn partial(dates: &[(i16, i8, i8)], periods_per_year: f64) -> Vec<(i16, bool)> {
        let timeline = timeline(dates, periods_per_year);
        let years = year_returns(&timeline, &vec![0.0; dates.len() - 1]);
        years.iter().map(|year| (year.year, year.partial)).collect()
    }

    #[test]
    fn months_and_years_compound_their_rows() {
        let dates = [(2019, 12, 30), (2019, 12, 31), (2020, 1, 2), (2020, 1, 3), (2020, 2, 3)];
        let (timeline, returns) = (timeline(&dates, 252.0), [0.5, 0.5, -0.5, 0.25]);
        let months = month_returns(&timeline, &returns);
        assert_eq!(months.iter().map(|m| (m.year, m.month)).collect::<Vec<_>>(), [(2019, 12), (2020, 1), (2020, 2)]);
        assert_eq!(months.iter().map(|m| m.compounded).collect::<Vec<_>>(), [0.5, -0.25, 0.25]);
        let years = year_returns(&timeline, &returns);
        assert_eq!(years.iter().map(|y| (y.year, y.compounded)).collect::<Vec<_>>(), [(2019, 0.5), (2020, -0.0625)]);
    }

    #[test]
    fn quarters_are_not_months() {
        assert!(timeline(&[(2019, 12, 31), (2020, 3, 31)], 4.0).months.is_empty());
        assert_eq!(timeline(&[(2019, 12, 31), (2020, 1, 31)], 12.0).months.len(), 1);
    }

    #[test]
    fn a_year_is_whole_from_the_last_close_of_the_one_before_to_its_own_last() {
        // 2017 ends with a weekend, of which no row is missing.
        let whole = weekdays(Date::constant(2016, 12, 30), Date::constant(2017, 12, 29));
        assert_eq!(partial(&whole, 252.0), [(2017, false)]);
        assert_eq!(partial(&whole[..whole.len() - 1], 252.0), [(2017, true)]);
        assert_eq!(partial(&whole[1..], 252.0), [(2017, true)]);
        let both = weekdays(Date::constant(2016, 6, 1), Date::constant(2018, 6, 1));
        assert_eq!(partial(&both, 252.0), [(2016, true), (2017, false), (2018, true)]);
    }

    #[test]
    fn a_year_of_longer_rows_ends_with_the_last_that_fits() {
        let december = [(2016, 12, 30), (2017, 9, 29), (2017, 10, 31), (2017, 11, 30), (2017, 12, 29)];
        assert_eq!(partial(&december, 12.0), [(2017, false)]);
        // The last two days of the year are a weekend, but December is missing.
        assert_eq!(partial(&december[..4], 12.0), [(2017, true)]);
        assert_eq!(partial(&[(2015, 12, 1), (2016, 10, 1), (2016, 11, 1), (2016, 12, 1)], 12.0), [(2016, false)]);
        assert_eq!(partial(&[(2016, 9, 30), (2016, 12, 30), (2017, 3, 31)], 4.0), [(2016, true), (2017, true)]);
        let weeks = [(2008, 12, 12), (2008, 12, 19), (2008, 12, 26)];
        assert_eq!(partial(&weeks, 52.0), [(2008, true)]);
        assert_eq!(partial(&[(2007, 12, 28), (2008, 12, 12), (2008, 12, 19), (2008, 12, 26)], 52.0), [(2008, false)]);
    }
}
