//! Several histories to one, by date.
//!
//! Files that hold the same assets on different dates are one history in pieces, and are put below each other. Files of
//! different assets stand side by side: the joined history has every date of any file; what a file lacks on a date is
//! missing there, and the rule for missing cells decides: by default only dates remain on which every file has every
//! asset.
//!
//! Months beside days: the rarer dates govern. Of a more frequent file each period takes the last row on or before its
//! end and after the end of the period before. Months are joined with months whatever day ends them.

use std::collections::HashMap;

use jiff::civil::{Date, DateTime};

use crate::error::{Error, Result, Text};
use crate::io::dates::Keys;
use crate::io::history::History;
use crate::io::{Limits, Notices, count, listed, shown};

/// Joins histories that are in order and checked, and says what was done.
pub(crate) fn join(histories: Vec<History>, are_returns: bool, limits: Limits) -> Result<(History, Notices)> {
    let mut remarks = Notices::new();
    let mut histories = append(histories, &mut remarks)?;
    if histories.len() == 1 {
        return Ok((histories.remove(0), remarks));
    }
    let mut moments: Vec<Vec<DateTime>> = histories.iter().map(moments).collect::<Result<_>>()?;
    remarks.extend(by_period(&mut histories, &mut moments, are_returns)?.map(Text::from));
    let source = histories.iter().map(|history| history.source.as_str()).collect::<Vec<_>>();
    let mut sources: Vec<&str> = Vec::new();
    source.into_iter().for_each(|source| {
        if !sources.contains(&source) {
            sources.push(source);
        }
    });
    let source = sources.join(", ");
    let mut seen: HashMap<&str, &str> = HashMap::new();
    for history in &histories {
        for asset in &history.assets {
            if let Some(first) = seen.insert(asset, &history.source) {
                return Err(Error::input(format!(
                    "`{}` stands in two files: {first} and {}",
                    shown(asset),
                    history.source
                ))
                .hint(
                    "give each asset its own name, or leave one file out; pieces of one history hold the same assets",
                ));
            }
        }
    }
    let mut rows: Vec<DateTime> = moments.iter().flatten().copied().collect();
    rows.sort_unstable();
    rows.dedup();
    let assets: Vec<String> = histories.iter().flat_map(|history| history.assets.iter().cloned()).collect();
    limits.check(&source, rows.len(), rows.len().saturating_mul(assets.len()))?;
    let mut values = vec![f64::NAN; rows.len() * assets.len()];
    let mut first = 0;
    for (history, own) in histories.iter().zip(&moments) {
        let mut row = 0;
        for (place, moment) in own.iter().enumerate() {
            // Both are in order.
            while rows[row] < *moment {
                row += 1;
            }
            let start = row * assets.len() + first;
            values[start..start + history.assets.len()].copy_from_slice(history.row(place));
        }
        first += history.assets.len();
    }
    let is_within_days = histories.iter().any(|history| matches!(history.keys, Keys::Moments(_)));
    let keys = match is_within_days {
        true => Keys::Moments(rows),
        false => Keys::Dates(rows.iter().map(|moment| moment.date()).collect()),
    };
    let lines: Vec<u64> = (1..=values.len() as u64 / assets.len().max(1) as u64).collect();
    let mut joined = History {
        source,
        columns: (0..assets.len()).map(|asset| asset + 2).collect(),
        assets,
        labels: Vec::new(),
        lines,
        keys,
        cell_lines: Vec::new(),
        noun: "joined row",
        values,
    };
    joined.labels = (0..joined.lines.len()).map(|row| joined.label(row)).collect();
    Ok((joined, remarks))
}

fn moments(history: &History) -> Result<Vec<DateTime>> {
    match &history.keys {
        Keys::Dates(dates) => Ok(dates.iter().map(|date| date.at(0, 0, 0, 0)).collect()),
        Keys::Moments(moments) => Ok(moments.clone()),
        Keys::Numbers(_) | Keys::Names => {
            Err(Error::input(format!("{}: files are joined by date, and this one has none", history.source))
                .hint("put dates (yyyy-mm-dd) in the first column of each file"))
        }
    }
}

/// Puts histories of the same assets below each other.
fn append(histories: Vec<History>, remarks: &mut Notices) -> Result<Vec<History>> {
    let mut whole: Vec<(History, Vec<String>)> = Vec::new();
    for mut history in histories {
        let is_same = |other: &History| {
            other.assets.len() == history.assets.len()
                && history.assets.iter().all(|asset| other.assets.contains(asset))
        };
        let Some((first, sources)) = whole.iter_mut().find(|(other, _)| is_same(other)) else {
            let source = history.source.clone();
            whole.push((history, vec![source]));
            continue;
        };
        let order: Vec<usize> =
            first.assets.iter().filter_map(|asset| history.assets.iter().position(|other| other == asset)).collect();
        history.take_assets(&order);
        sources.push(history.source.clone());
        put_below(first, history)?;
    }
    let finish = |(mut history, sources): (History, Vec<String>)| -> Result<History> {
        if sources.len() > 1 {
            history.source = sources.join(", ");
            history.sort().map_err(|error| {
                error.hint("files that hold the same assets are put one after the other: their dates must not differ in values")
            })?;
            remarks.push(
                format!(
                    "{}: the same assets in {}: put one after the other, {}, {}",
                    history.source,
                    count(sources.len(), "file"),
                    count(history.rows(), "row"),
                    history.span()
                )
                .into(),
            );
        }
        Ok(history)
    };
    whole.into_iter().map(finish).collect()
}

fn put_below(first: &mut History, mut second: History) -> Result<()> {
    match (&mut first.keys, &mut second.keys) {
        (Keys::Dates(a), Keys::Dates(b)) => a.append(b),
        (Keys::Moments(a), Keys::Moments(b)) => a.append(b),
        _ => {
            return Err(Error::input(format!(
                "{} and {} hold the same assets ({}), and are not both labelled by dates",
                first.source,
                second.source,
                listed(first.assets.iter().map(String::as_str))
            ))
            .hint("files of the same assets are put one after the other by date"));
        }
    }
    first.labels.append(&mut second.labels);
    first.lines.append(&mut second.lines);
    first.values.append(&mut second.values);
    // Lines are those of two files now.
    first.cell_lines.clear();
    Ok(())
}

/// The usual distance of neighbouring rows, in days.
fn usual_gap(moments: &[DateTime]) -> Option<i64> {
    let mut gaps: Vec<i64> =
        moments.windows(2).map(|pair| (pair[1].date() - pair[0].date()).get_days().into()).collect();
    gaps.sort_unstable();
    gaps.get(gaps.len() / 2).copied()
}

/// Brings histories of different frequency to the rarer dates.
fn by_period(histories: &mut [History], moments: &mut [Vec<DateTime>], are_returns: bool) -> Result<Option<String>> {
    let gaps: Vec<i64> = moments.iter().map(|own| usual_gap(own).unwrap_or(0)).collect();
    let (Some(&rarest), Some(&most)) = (gaps.iter().max(), gaps.iter().min()) else { return Ok(None) };
    let are_months = gaps.iter().all(|gap| (28..=31).contains(gap));
    let is_mixed = rarest >= 5 && most * 3 <= rarest;
    if are_months {
        return Ok(months(moments));
    }
    if !is_mixed {
        return Ok(None);
    }
    let place = gaps.iter().position(|gap| *gap == rarest).unwrap_or(0);
    let governing = moments[place].clone();
    let rare = histories[place].source.clone();
    if (28..=31).contains(&rarest) && governing.iter().all(|moment| moment.day() == 1) {
        return Err(Error::input(format!(
            "{rare}: its rows are dated on the first of each month, beside days in another file: of the month before, or of \
             the month that begins?"
        ))
        .hint("write months as yyyy-mm, or date each row on the last day of its period"));
    }
    if are_returns {
        return Err(Error::input(format!(
            "{rare} has a row every {rarest} days or so, another file one every {}: returns of months and of days are not \
             joined",
            most.max(1)
        ))
        .hint("give prices, which are taken at each month's end, or returns of one period length"));
    }
    let mut without_row = 0;
    let mut empty = 0;
    for (other, (history, own)) in histories.iter_mut().zip(moments.iter_mut()).enumerate() {
        if other == place || gaps[other] * 3 > rarest {
            continue;
        }
        let (mut rows, mut dated) = (Vec::new(), Vec::new());
        for (period, end) in governing.iter().enumerate() {
            let until = own.partition_point(|moment| moment.date() <= end.date());
            let after = match period {
                0 => end.date().checked_sub(jiff::Span::new().days(rarest)).ok(),
                _ => Some(governing[period - 1].date()),
            };
            let last = until.checked_sub(1).filter(|&row| after.is_none_or(|after| own[row].date() > after));
            match last {
                Some(row) => {
                    without_row += usize::from(own[row].date() < end.date());
                    rows.push(row);
                    dated.push(*end);
                }
                None => empty += 1,
            }
        }
        history.take(&rows);
        // Rows stand for the ends of periods from here on.
        history.keys = Keys::Dates(dated.iter().map(|moment| moment.date()).collect());
        *own = dated;
    }
    let lost = if empty == 0 { String::new() } else { format!("; {} without any", count(empty, "period")) };
    Ok(Some(format!(
        "{rare} has {} and governs: of the more frequent files the last row on or before each period's end is taken \
         ({without_row} of them before it, where the end is no trading day{lost})",
        count(governing.len(), "row")
    )))
}

/// Months that end on different days are the same months: each takes the latest of its days.
fn months(moments: &mut [Vec<DateTime>]) -> Option<String> {
    let month = |moment: &DateTime| (moment.year(), moment.month());
    let is_single = |own: &Vec<DateTime>| own.windows(2).all(|pair| month(&pair[0]) != month(&pair[1]));
    let is_first = |own: &Vec<DateTime>| own.iter().all(|moment| moment.day() == 1);
    if !moments.iter().all(is_single) || moments.iter().any(is_first) && !moments.iter().all(is_first) {
        return None;
    }
    let mut last: HashMap<(i16, i8), Date> = HashMap::new();
    let mut differ = 0;
    for moment in moments.iter().flatten() {
        let date = last.entry(month(moment)).or_insert(moment.date());
        differ += usize::from(*date != moment.date());
        *date = (*date).max(moment.date());
    }
    if differ == 0 {
        return None;
    }
    for moment in moments.iter_mut().flatten() {
        *moment = last[&month(moment)].at(0, 0, 0, 0);
    }
    Some(format!("files of months are joined by month, where they end on different days ({differ} times)"))
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    /// A history of one asset: days and values.
    fn history(source: &str, asset: &str, rows: &[(Date, f64)]) -> History {
        History {
            source: source.into(),
            assets: vec![asset.into()],
            columns: vec![2],
            labels: rows.iter().map(|(day, _)| day.to_string()).collect(),
            keys: Keys::Dates(rows.iter().map(|(day, _)| *day).collect()),
            lines: (2..2 + rows.len() as u64).collect(),
            cell_lines: Vec::new(),
            noun: "line",
            values: rows.iter().map(|(_, value)| *value).collect(),
        }
    }

    fn joined(histories: Vec<History>) -> Result<(History, Notices)> {
        join(histories, false, Limits::default())
    }

    /// Business days of a span, valued by their place in it.
    fn daily(first: Date, last: Date) -> Vec<(Date, f64)> {
        let days = first.series(jiff::Span::new().days(1)).take_while(|day| *day <= last);
        days.filter(|day| day.weekday().to_monday_one_offset() < 6).zip((1..).map(f64::from)).collect()
    }

    #[test]
    fn pieces_of_one_history_are_put_in_order() {
        let [a, b] = [1, 3].map(|day| [(date(2020, 1, day), 1.0), (date(2020, 1, day + 1), 2.0)]);
        let (whole, remarks) = joined(vec![history("b", "A", &b), history("a", "A", &a)]).expect("disjoint");
        assert_eq!(whole.keys, Keys::Dates((1..=4).map(|day| date(2020, 1, day)).collect()));
        assert!(remarks[0].contains("the same assets in 2 files"), "{remarks:?}");
        let other = [(date(2020, 1, 2), 7.0), (date(2020, 1, 3), 1.0)];
        let error = joined(vec![history("a", "A", &a), history("c", "A", &other)]).expect_err("2020-01-02 twice");
        assert!(error.message.contains("2020-01-02") && error.hint.is_some(), "{error:?}");
    }

    #[test]
    fn what_a_file_lacks_on_a_date_is_missing() {
        let a = history("a", "A", &[(date(2020, 1, 1), 1.0), (date(2020, 1, 2), 2.0)]);
        let b = history("b", "B", &[(date(2020, 1, 2), 3.0), (date(2020, 1, 3), 4.0)]);
        let (both, _) = joined(vec![a, b]).expect("other assets");
        assert_eq!((both.rows(), both.assets.len()), (3, 2));
        assert!(both.row(0)[1].is_nan() && both.row(1) == [2.0, 3.0] && both.row(2)[0].is_nan(), "{both:?}");
    }

    #[test]
    fn months_take_the_last_day_of_each() {
        // 2020-02-29 and 2020-05-31 were no trading days.
        let ends: Vec<(Date, f64)> =
            (1..=6).map(|month| (date(2020, month, 1).last_of_month(), f64::from(month))).collect();
        let days = daily(date(2019, 12, 20), date(2020, 7, 10));
        let last =
            |month: i8| days.iter().rev().find(|(day, _)| day.month() == month && day.year() == 2020).map(|x| x.1);
        let expected: Vec<f64> = (1..=6).filter_map(last).collect();
        for is_first in [true, false] {
            let mut files = vec![history("months", "M", &ends), history("days", "D", &days)];
            if !is_first {
                files.reverse();
            }
            let (both, remarks) = joined(files).expect("prices");
            let column = both.assets.iter().position(|name| name == "D").expect("both are there");
            let found: Vec<f64> = (0..both.rows()).map(|row| both.row(row)[column]).collect();
            assert_eq!((both.rows(), found), (6, expected.clone()));
            assert!(remarks.iter().any(|remark| remark.contains("2 of them before it")), "{remarks:?}");
        }
        let returns = join(vec![history("months", "M", &ends), history("days", "D", &days)], true, Limits::default());
        assert!(returns.expect_err("returns of months and days").message.contains("months"));
    }

    #[test]
    fn months_that_end_on_different_days_are_the_same_months() {
        let by_calendar: Vec<(Date, f64)> = (1..=6).map(|month| (date(2020, month, 1).last_of_month(), 1.0)).collect();
        let by_trade: Vec<(Date, f64)> = (1..=6).map(|month| (date(2020, month, 28), 2.0)).collect();
        let (both, remarks) =
            joined(vec![history("a", "A", &by_calendar), history("b", "B", &by_trade)]).expect("months");
        assert_eq!((both.rows(), remarks.len()), (6, 1));
        assert!(both.values.iter().all(|x| !x.is_nan()));
    }
}
