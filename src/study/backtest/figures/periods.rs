//! Good and bad markets: every strategy on the same rows, and nothing shorter than a year as a return a year.
//!
//! - drawdowns: the benchmark's five deepest falls, from the row after the peak to the trough;
//! - volatility: rows by the benchmark's volatility over the v rows up to them, v = max(12, round(A / 4)): thirds by
//!   its quantiles 1/3 and 2/3, low <= q1 < middle <= q2 < high. It describes, and decides nothing; asked for 3 v rows
//!   at least;
//! - named: the rows dated within spans of days.

use jiff::civil::Date;
use serde::Serialize;

use super::drawdown::{self, Depth};
use super::performance::Performance;
use super::rows::{Market, Track};
use crate::stats;

/// So many falls of the benchmark.
const FALLS: usize = 5;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Drawdown,
    Volatility,
    Named,
}

/// Days from the first to the last of each span, both included. Spans may lie apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedPeriod {
    pub name: String,
    pub spans: Vec<(Date, Date)>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Period {
    pub kind: Kind,
    pub name: String,
    /// Labels of the first and the last of its rows; null without rows. Those between need not all belong to it.
    pub from: Option<String>,
    pub to: Option<String>,
    /// Of a drawdown: the close before its first row.
    pub peak: Option<String>,
    pub depth: Option<f64>,
    /// Of a drawdown: the first close as high as its peak; null where there is none yet.
    pub recovery: Option<String>,
    pub figures: Vec<PeriodFigures>,
}

/// One strategy within a period. Null where a figure does not exist.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PeriodFigures {
    pub strategy: String,
    pub rows: usize,
    pub total_return: Option<f64>,
    /// A mean r; of thirds by volatility alone, which are scattered over the run.
    pub mean: Option<f64>,
    pub volatility: Option<f64>,
    pub sharpe: Option<f64>,
    /// Of wealth that is 1 before the first row of the period, and pauses where rows do not belong to it.
    pub max_drawdown: Option<f64>,
}

/// All periods: drawdowns and thirds by volatility of the benchmark, then the named ones.
pub fn periods(
    market: &Market,
    strategies: &[(&str, &Track)],
    benchmark: &Track,
    named: &[NamedPeriod],
) -> Vec<Period> {
    let drawdowns = drawdown::deepest(&benchmark.wealth, FALLS).into_iter().enumerate().map(|(rank, fall)| {
        let rows: Vec<usize> = (fall.peak..fall.trough).collect();
        Period {
            peak: Some(market.timeline.label(fall.peak)),
            depth: Some(fall.depth),
            recovery: fall.recovery.map(|close| market.timeline.label(close)),
            ..period(market, strategies, Kind::Drawdown, &format!("fall {}", rank + 1), &rows)
        }
    });
    let volatilities = thirds(&benchmark.net, market.timeline.periods_per_year).into_iter().flatten();
    let volatilities = volatilities.map(|(name, rows)| period(market, strategies, Kind::Volatility, name, &rows));
    let named = named.iter().map(|named| {
        let rows = rows_within(market, &named.spans);
        period(market, strategies, Kind::Named, &named.name, &rows)
    });
    drawdowns.chain(volatilities).chain(named).collect()
}

fn period(market: &Market, strategies: &[(&str, &Track)], kind: Kind, name: &str, rows: &[usize]) -> Period {
    // A row carries the label of the close at its end.
    let label = |row: Option<&usize>| row.map(|row| market.timeline.label(row + 1));
    Period {
        kind,
        name: name.to_string(),
        from: label(rows.first()),
        to: label(rows.last()),
        peak: None,
        depth: None,
        recovery: None,
        figures: strategies.iter().map(|(name, track)| figures(market, name, track, kind, rows)).collect(),
    }
}

fn figures(market: &Market, name: &str, track: &Track, kind: Kind, rows: &[usize]) -> PeriodFigures {
    let returns = rows.iter().map(|&row| (track.net[row], market.cash[row]));
    let performance = Performance::of(returns, market.timeline.periods_per_year);
    let growth = |wealth: &mut f64, &row: &usize| {
        *wealth *= 1.0 + track.net[row];
        Some(*wealth)
    };
    let wealth: Vec<f64> = rows.iter().scan(1.0, growth).collect();
    PeriodFigures {
        strategy: name.to_string(),
        rows: performance.rows,
        total_return: wealth.last().map(|wealth| wealth - 1.0),
        mean: performance.mean.filter(|_| kind == Kind::Volatility),
        volatility: performance.volatility,
        sharpe: performance.sharpe,
        max_drawdown: Depth::of(&wealth).map(|depth| depth.max),
    }
}

/// v: rows of a quarter of a year, twelve at least.
pub fn quarter(periods_per_year: f64) -> usize {
    (periods_per_year / 4.0).round().max(12.0) as usize
}

/// Volatility per row over the last `window` rows, from the first row that has as many on.
pub fn trailing(returns: &[f64], window: usize) -> impl Iterator<Item = f64> {
    returns.windows(window).map(|rows| stats::moments(rows).sd)
}

/// Rows at low, middle and high trailing volatility; none where the run is too short.
fn thirds(returns: &[f64], periods_per_year: f64) -> Option<[(&'static str, Vec<usize>); 3]> {
    let window = quarter(periods_per_year);
    if returns.len() < 3 * window {
        return None;
    }
    let trailing: Vec<f64> = trailing(returns, window).collect();
    let mut sorted = trailing.clone();
    stats::sort(&mut sorted);
    let [low, high] = [1.0 / 3.0, 2.0 / 3.0].map(|q| stats::quantile(&sorted, q));
    let rows = |belongs: &dyn Fn(f64) -> bool| -> Vec<usize> {
        trailing.iter().zip(window - 1..).filter(|(volatility, _)| belongs(**volatility)).map(|(_, row)| row).collect()
    };
    Some([
        ("low", rows(&|volatility| volatility <= low)),
        ("middle", rows(&|volatility| low < volatility && volatility <= high)),
        ("high", rows(&|volatility| high < volatility)),
    ])
}

/// Rows dated within any of the spans; none without dates.
fn rows_within(market: &Market, spans: &[(Date, Date)]) -> Vec<usize> {
    let dates = market.timeline.dates.as_deref().unwrap_or_default();
    let within = |date: &Date| spans.iter().any(|(from, to)| (from..=to).contains(&date));
    dates.iter().skip(1).enumerate().filter(|(_, date)| within(date)).map(|(row, _)| row).collect()
}

#[cfg(test)]
mod tests {
    use super::super::rows::Timeline;
    use super::*;

    fn daily(rows: i32) -> Timeline {
        let first = Date::constant(2020, 1, 1);
        let dates: Vec<Date> = std::iter::successors(Some(first), |day| day.tomorrow().ok())
            .take(usize::try_from(rows).unwrap() + 1)
            .collect();
        Timeline::new(dates.iter().map(Date::to_string).collect(), Some(dates), 48.0)
    }

    fn track(net: &[f64]) -> Track {
        let growth = |wealth: &mut f64, r: &f64| {
            *wealth *= 1.0 + r;
            Some(*wealth)
        };
        Track { net: net.to_vec(), wealth: net.iter().scan(1.0, growth).collect(), ..Track::default() }
    }

    #[test]
    fn a_drawdown_holds_the_rows_between_its_peak_and_its_trough() {
        let timeline = daily(5);
        let market = Market { timeline: &timeline, cash: &[0.0; 5], spread: &[0.0; 5] };
        let (own, benchmark) = (track(&[0.0, 0.5, -0.5, 0.1, 0.0]), track(&[0.1, -0.2, -0.5, 2.0, 0.0]));
        let found = periods(&market, &[("own", &own), ("benchmark", &benchmark)], &benchmark, &[]);
        assert_eq!(found.len(), 1);
        let period = &found[0];
        assert_eq!((period.kind, period.name.as_str()), (Kind::Drawdown, "fall 1"));
        assert_eq!(period.peak.as_deref(), Some("2020-01-02"));
        assert_eq!(period.from.as_deref(), Some("2020-01-03"));
        assert_eq!((period.to.as_deref(), period.recovery.as_deref()), (Some("2020-01-04"), Some("2020-01-05")));
        assert!((period.depth.unwrap() - 0.6).abs() < 1e-15);
        let figures = &period.figures[0];
        assert_eq!((figures.rows, figures.total_return, figures.max_drawdown), (2, Some(-0.25), Some(0.5)));
        assert_eq!((figures.mean, figures.sharpe), (None, Some(0.0)));
    }

    #[test]
    fn thirds_hold_every_row_with_a_trailing_volatility_once() {
        let returns: Vec<f64> = (0..96).map(|t| 1e-4 * f64::from(t) * f64::from(1 - 2 * (t % 2))).collect();
        let [(_, low), (_, middle), (_, high)] = thirds(&returns, 48.0).unwrap();
        // Volatility rises, so that thirds follow one another.
        let all: Vec<usize> = [&low[..], &middle, &high].concat();
        assert_eq!(all, (11..96).collect::<Vec<_>>());
        assert_eq!((low.len(), middle.len(), high.len()), (29, 28, 28));
        assert!(thirds(&returns[..36], 48.0).is_some() && thirds(&returns[..35], 48.0).is_none());
    }

    #[test]
    fn a_named_period_is_the_union_of_its_spans_and_may_be_empty() {
        let timeline = daily(5);
        let market = Market { timeline: &timeline, cash: &[0.0; 5], spread: &[0.0; 5] };
        let own = track(&[0.1, 0.1, 0.1, -0.5, 0.5]);
        let day = |day| Date::constant(2020, 1, day);
        let spans = vec![(day(6), day(9)), (day(1), day(2)), (day(2), day(2))];
        let named = [
            NamedPeriod { name: "ends".to_string(), spans },
            NamedPeriod { name: "later".to_string(), spans: vec![(day(8), day(9))] },
        ];
        let found = periods(&market, &[("own", &own)], &track(&[0.0; 5]), &named);
        let [ends, later] = &found[..] else { panic!("{found:?}") };
        assert_eq!((ends.from.as_deref(), ends.to.as_deref()), (Some("2020-01-02"), Some("2020-01-06")));
        assert_eq!((ends.figures[0].rows, later.figures[0].rows), (2, 0));
        assert!((ends.figures[0].total_return.unwrap() - 0.65).abs() < 1e-15);
        assert_eq!((later.from.as_ref(), later.figures[0].total_return), (None, None));
    }
}
