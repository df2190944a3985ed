//! Wealth along resampled paths, with the history drawn in.

use plotly::Scatter;
use plotly::common::{Fill, HoverInfo, Line, Mode};
use plotly::layout::AxisType;

use crate::report::html::chart::{BLUE, Chart, LIGHT_BLUE, ORANGE, Other, Table, axis, layout, plot};
use crate::report::html::text::{label, name, rounded};
use crate::report::words::{counted, maybe_percent};
use crate::study::backtest::Outcome;
use crate::study::backtest::paths::{Fan, Figure};

const HEIGHT: usize = 460;

/// None without paths.
pub fn spread(outcome: &Outcome) -> Option<Chart> {
    let found = outcome.paths.as_ref()?;
    let first = found.wealth.first()?;
    let called =
        |fan: &Fan| outcome.strategy(&fan.strategy).map_or_else(|| fan.strategy.clone(), |own| own.label.clone());
    let mut plots = found.wealth.iter().map(|fan| drawn(outcome, fan));
    let plot = plots.next()?;
    let others: Vec<plotly::Plot> = plots.collect();
    let ends = |of: &[f64]| of.last().copied().unwrap_or(f64::NAN);
    let number = |figure: Option<&Figure>, of: fn(&Figure) -> f64| {
        figure.map_or("-".to_string(), |figure| format!("{:.3}", of(figure)))
    };
    Some(Chart {
        id: "paths",
        title: format!(
            "On nine of ten of {}, one unit of {} became {:.2} to {:.2}",
            counted(found.count, "resampled path"),
            name(&called(first)),
            ends(&first.quantiles.q05),
            ends(&first.quantiles.q95)
        ),
        plot,
        other: (!others.is_empty())
            .then(|| Other { names: found.wealth.iter().map(called).map(|own| label(&own)).collect(), plots: others }),
        folded: false,
        height: HEIGHT,
        caption: format!(
            "Wealth, logarithmic: the dark band holds half of the paths, the light one nine of ten; orange is the history. Paths \
             are made of blocks of about {:.0} rows, so bands are those of the strategy on shuffled history.",
            found.block_length
        ),
        table: Table::new(
            ["strategy", "Sharpe, mean", "5 %", "95 %", "growth, 5 %", "95 %", "largest fall, 5 %", "median", "95 %"],
            found.strategies.iter().map(|own| {
                let sharpe = found.sharpe(own);
                let share = |figure: &Option<Figure>, of: fn(&Figure) -> f64| maybe_percent(figure.as_ref().map(of), 1);
                let (growth, fall) = (&own.figures.cagr, &own.figures.max_drawdown);
                [
                    name(&own.label),
                    number(sharpe, |own| own.statistics.mean),
                    number(sharpe, |own| own.statistics.q05),
                    number(sharpe, |own| own.statistics.q95),
                    share(growth, |own| own.statistics.q05),
                    share(growth, |own| own.statistics.q95),
                    share(fall, |own| own.statistics.q05),
                    share(fall, |own| own.statistics.q50),
                    share(fall, |own| own.statistics.q95),
                ]
            }),
        ),
    })
}

fn drawn(outcome: &Outcome, fan: &Fan) -> plotly::Plot {
    let at: Vec<String> = fan.at.iter().map(|close| label(close)).collect();
    let positive = |x: &f64| if *x > 0.0 { rounded(*x) } else { f64::NAN };
    let band = |low: &[f64], high: &[f64], name: &str| -> Box<dyn plotly::Trace> {
        let around: Vec<f64> = high.iter().chain(low.iter().rev()).map(positive).collect();
        let dates: Vec<String> = at.iter().chain(at.iter().rev()).cloned().collect();
        Scatter::new(dates, around)
            .mode(Mode::Lines)
            .fill(Fill::ToSelf)
            .fill_color(LIGHT_BLUE)
            .line(Line::new().width(0.0).color(BLUE))
            .name(name)
            .hover_info(HoverInfo::Skip)
    };
    let q = &fan.quantiles;
    let hover = at.iter().enumerate().map(|(mark, date)| {
        format!("{date}: median {:.3}, 90 % {:.3} to {:.3}", q.q50[mark], q.q05[mark], q.q95[mark])
    });
    let median = Scatter::new(at.clone(), q.q50.iter().map(positive).collect())
        .mode(Mode::Lines)
        .name("median")
        .line(Line::new().color(BLUE).width(2.0))
        .hover_text_array(hover.collect::<Vec<_>>())
        .hover_info(HoverInfo::Text);
    let mut traces = vec![band(&q.q05, &q.q95, "90 % of the paths"), band(&q.q25, &q.q75, "50 % of the paths"), median];
    if let Some(own) = outcome.strategy(&fan.strategy) {
        let wealth = &own.account.track.wealth;
        let level = |close: &usize| close.checked_sub(1).map_or(1.0, |row| wealth[row]);
        let history: Vec<f64> = fan.closes.iter().map(level).collect();
        let hover = at.iter().zip(&history).map(|(date, x)| format!("history, {date}: {x:.3}")).collect::<Vec<_>>();
        traces.push(
            Scatter::new(at, history.iter().map(positive).collect())
                .mode(Mode::Lines)
                .name("history")
                .line(Line::new().color(ORANGE).width(2.0))
                .hover_text_array(hover)
                .hover_info(HoverInfo::Text),
        );
    }
    plot(traces, layout(HEIGHT, axis("close"), axis("wealth, logarithmic").type_(AxisType::Log)))
}
