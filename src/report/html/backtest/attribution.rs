//! Where the return of levered strategies comes from.

use plotly::Bar;
use plotly::common::{HoverInfo, Marker};

use super::StrategyOutcome;
use crate::report::html::chart::{BLUE, Chart, GREEN, GREY, ORANGE, PURPLE, Table, axis, layout, percent_axis, plot};
use crate::report::html::text::{label, name, percent};
use crate::report::words;
use crate::study::backtest::Outcome;
use crate::study::backtest::figures::Attribution;

const HEIGHT: usize = 420;

type Part = (&'static str, &'static str, fn(&Attribution) -> f64);

const PARTS: [Part; 5] = [
    ("what is held", BLUE, |own| own.source),
    ("holding more of it", GREEN, |own| own.magnification),
    ("when more was held", PURPLE, |own| own.covariance),
    ("borrowing", ORANGE, |own| own.financing),
    ("trading", GREY, |own| own.trading),
];

/// None where nothing is levered.
pub fn attribution(outcome: &Outcome) -> Option<Chart> {
    let levered = |own: &&StrategyOutcome| own.is_levered();
    let own: Vec<(&StrategyOutcome, Attribution)> =
        outcome.strategies.iter().filter(levered).filter_map(|own| Some((own, own.metrics.attribution?))).collect();
    let (first, parts) = own.first()?;
    let traces = PARTS.map(|(what, colour, of)| -> Box<dyn plotly::Trace> {
        let hover = own.iter().map(|(strategy, parts)| {
            format!("{}, {what}: {} a year", label(&strategy.label), words::signed(of(parts), 2))
        });
        let hover: Vec<String> = hover.collect();
        Bar::new(
            own.iter().map(|(strategy, _)| label(&strategy.label)).collect(),
            own.iter().map(|(_, parts)| percent(of(parts))).collect(),
        )
        .name(what)
        .marker(Marker::new().color(colour))
        .hover_text_array(hover)
        .hover_info(HoverInfo::Text)
    });
    Some(Chart {
        id: "attribution",
        title: format!(
            "Of {} a year above cash, {} earned {} by what it held and {} by holding more of it",
            words::signed(parts.excess, 1),
            name(&first.label),
            words::signed(parts.source, 1),
            words::signed(parts.magnification, 1)
        ),
        plot: plot(traces.into(), layout(HEIGHT, axis(""), percent_axis("a year above cash (%)"))),
        other: None,
        folded: false,
        height: HEIGHT,
        caption: "Parts of the mean return above cash, which sum to it (Anderson, Bianchi & Goldberg 2014): what the portfolio \
                  earned by itself, mean exposure on top of that, exposure that was high at good or bad times, the spread on \
                  what was borrowed, and trading."
            .to_string(),
        table: Table::new(
            ["strategy", "what is held", "holding more of it", "when more was held", "borrowing", "trading", "all"],
            own.iter().map(|(strategy, parts)| {
                let number = |x: f64| words::signed(x, 3);
                let [a, b, c, d, e] = PARTS.map(|(_, _, of)| number(of(parts)));
                [name(&strategy.label), a, b, c, d, e, number(parts.excess)]
            }),
        ),
    })
}
