//! What another measure of risk changes beside volatility parity.

use plotly::Scatter;
use plotly::common::{HoverInfo, Line, Marker, MarkerSymbol, Mode};

use super::shown;
use crate::report::html::chart::{BLUE, Chart, GREY, ORANGE, Table, at, height, layout, percent_axis, plot, rows};
use crate::report::html::text::{name, percent};
use crate::report::words;
use crate::study::bootstrap::Outcome;
use crate::study::statistics::paired::Difference;

/// None where risk is volatility.
pub fn paired(outcome: &Outcome) -> Option<Chart> {
    let paired = outcome.paired.as_ref()?;
    let (assets, left_out) = shown(outcome);
    let own: Vec<&Difference> = assets.iter().map(|(place, _)| &paired.assets[*place]).collect();
    let joined = |of: &dyn Fn(usize) -> [f64; 3]| (0..own.len()).flat_map(of).collect::<Vec<f64>>();
    let lines = Scatter::new(
        joined(&|k| [percent(own[k].q025), percent(own[k].q975), f64::NAN]),
        joined(&|k| [k as f64, k as f64, f64::NAN]),
    )
    .mode(Mode::Lines)
    .line(Line::new().color(GREY).width(3.0))
    .name("95 % of the resamples")
    .hover_info(HoverInfo::Skip);
    let marks = |name: &str, clear: bool, colour: &'static str| {
        let some: Vec<usize> = (0..own.len()).filter(|&k| own[k].clear == clear).collect();
        let middle = |k: &usize| own[*k].point.unwrap_or(own[*k].mean);
        Scatter::new(
            some.iter().map(|k| percent(middle(k))).collect(),
            some.iter().map(|k| at(own.len())[*k]).collect(),
        )
        .mode(Mode::Markers)
        .name(name)
        .marker(Marker::new().symbol(MarkerSymbol::Circle).size(10).color(colour))
        .hover_text_array(some.iter().map(|k| words::signed(middle(k), 2)).collect::<Vec<_>>())
        .hover_info(HoverInfo::Text)
    };
    let (inside, outside) = (marks("within its noise", false, BLUE), marks("clear of zero", true, ORANGE));
    let height = height(own.len());
    let measure = words::measure(&outcome.run.risk);
    let title = match paired.distance {
        Some(distance) => format!(
            "Budgets of {measure} move {} of the portfolio beside volatility parity",
            words::percent(distance, 1)
        ),
        None => format!("Budgets of {measure} beside volatility parity"),
    };
    let sentence = words::paired(outcome)?;
    let signed = |x: f64| words::signed(x, 2);
    Some(Chart {
        id: "paired",
        title,
        plot: plot(
            vec![lines, inside, outside],
            layout(
                height,
                percent_axis("difference of the weight (% of the portfolio)"),
                rows(own.iter().map(|difference| difference.name.as_str())),
            ),
        ),
        other: None,
        folded: false,
        height,
        caption: format!(
            "{sentence} Both portfolios are made from the same rows of each resample, so that what moves both of them \
             cancels.{left_out}"
        ),
        table: Table::new(
            ["asset", "difference", "2.5 %", "97.5 %", "clear of zero"],
            paired.assets.iter().map(|difference| {
                [
                    name(&difference.name),
                    difference.point.map_or("-".to_string(), signed),
                    signed(difference.q025),
                    signed(difference.q975),
                    if difference.clear { "yes" } else { "no" }.to_string(),
                ]
            }),
        ),
    })
}
