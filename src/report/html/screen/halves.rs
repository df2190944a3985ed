//! The list in both halves of the history.

use plotly::Scatter;
use plotly::common::{DashType, HoverInfo, Line, Marker, Mode};

use super::{figure_axis, plotted};
use crate::report::html::chart::{BLUE, Chart, GREY, ORANGE, Table, layout, plot};
use crate::report::html::text::label;
use crate::report::sentence::screen as choice;
use crate::report::words;
use crate::study::screen::Outcome;
use crate::study::screen::halves::InHalves;

const HEIGHT: usize = 460;

/// None without a history, or where it was not cut.
pub fn halves(outcome: &Outcome) -> Option<Chart> {
    let halves = outcome.halves.as_ref()?;
    let by = outcome.run.by;
    let both: Vec<(usize, InHalves)> =
        outcome.top.iter().enumerate().filter_map(|(at, entry)| Some((at, entry.halves?))).collect();
    let values = |of: fn(&InHalves) -> f64| -> Vec<f64> { both.iter().map(|(_, h)| plotted(by, of(h))).collect() };
    let (first, second) = (values(|h| h.first), values(|h| h.second));
    let all_second = plotted(by, halves.all_second);
    let reach = first.iter().chain(&second).chain([&all_second]);
    let (low, high) = reach.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), &x| (l.min(x), h.max(x)));
    if low > high {
        return None;
    }
    let text = |x: f64| words::figure(by, x);
    let line = |name: &str, y: [f64; 2], colour: &'static str, dash| {
        Scatter::new(vec![low, high], y.to_vec())
            .mode(Mode::Lines)
            .name(name)
            .line(Line::new().color(colour).width(1.5).dash(dash))
            .hover_info(HoverInfo::Skip)
    };
    let hover = both.iter().map(|(at, h)| {
        let assets: Vec<String> = outcome.top[*at].assets.iter().take(6).map(|asset| label(asset)).collect();
        format!("place {}: {}, then {}<br>{}", at + 1, text(h.first), text(h.second), assets.join("<br>"))
    });
    let list = Scatter::new(first, second)
        .mode(Mode::Markers)
        .name("the list")
        .marker(Marker::new().size(9).color(BLUE))
        .hover_text_array(hover.collect::<Vec<_>>())
        .hover_info(HoverInfo::Text);
    Some(Chart {
        id: "halves",
        title: format!(
            "The winners of the first half beat {} of all subsets in the second; chance would be 50 %",
            words::percent(halves.winners_beat, 0)
        ),
        plot: plot(
            vec![
                line("equal in both", [low, high], GREY, DashType::Dot),
                line("mean of all in the second", [all_second; 2], ORANGE, DashType::Dash),
                list,
            ],
            layout(HEIGHT, figure_axis(by, " in the first half"), figure_axis(by, " in the second half")),
        ),
        other: None,
        folded: false,
        height: HEIGHT,
        caption: format!(
            "The subsets of the list, solved in each half by itself. Marks on the dotted line did equally well in both. {}",
            choice::out_of_sample(outcome, halves)
        ),
        table: Table::new(
            ["place", "first half", "second half", "whole"],
            both.iter()
                .map(|(at, h)| [(at + 1).to_string(), text(h.first), text(h.second), text(outcome.top[*at].value)]),
        ),
    })
}
