//! The weights of rolling windows, with their bands.

use plotly::Scatter;
use plotly::common::{Anchor, DashType, Fill, HoverInfo, Line, Mode};
use plotly::layout::{Annotation, Axis};

use crate::report::html::chart::{BLUE, Chart, LIGHT_BLUE, ORANGE, Table, axis, layout, percent_axis, plot};
use crate::report::html::text::{label, name, percent};
use crate::report::words;
use crate::study::bootstrap::Outcome;
use crate::study::change::Banded;

/// Assets shown: those whose windows differ most.
const MOST: usize = 6;

/// Pixels of an asset's own plot.
const ROW: usize = 130;

/// The part of a row that holds its plot; the name stands in the rest.
const FILLED: f64 = 0.78;

/// None where a window has no portfolio.
pub fn rolling(outcome: &Outcome) -> Option<Chart> {
    let rolling = outcome.rolling.as_ref()?;
    // Windows know the assets that were solved for.
    let solved = super::solved(outcome);
    let column = |i: usize| rolling.bands.iter().map(move |bands| bands[i]);
    let span = |i: usize| {
        let (low, high) = column(i).fold((f64::MAX, f64::MIN), |(l, h), at| (l.min(at.weight), h.max(at.weight)));
        high - low
    };
    let mut moving: Vec<usize> = (0..solved.len()).collect();
    moving.sort_by(|&a, &b| span(b).total_cmp(&span(a)));
    let most = *moving.first()?;
    moving.truncate(MOST);
    let ends = &rolling.ends;
    let mut traces: Vec<Box<dyn plotly::Trace>> = Vec::new();
    let mut annotations = Vec::new();
    let mut axes: Vec<Axis> = Vec::new();
    let step = 1.0 / moving.len() as f64;
    for (row, &i) in moving.iter().enumerate() {
        let asset = solved[i].1;
        let y = if row == 0 { "y".to_string() } else { format!("y{}", row + 1) };
        let edge = |of: fn(&Banded) -> f64| column(i).map(|at| percent(of(&at).max(0.0))).collect::<Vec<f64>>();
        let around: Vec<f64> = edge(|at| at.upper).into_iter().chain(edge(|at| at.lower).into_iter().rev()).collect();
        let dates: Vec<String> = ends.iter().chain(ends.iter().rev()).cloned().collect();
        traces.push(
            Scatter::new(dates, around)
                .mode(Mode::Lines)
                .fill(Fill::ToSelf)
                .fill_color(LIGHT_BLUE)
                .line(Line::new().width(0.0).color(BLUE))
                .name("90 % band of a window")
                .show_legend(row == 0)
                .hover_info(HoverInfo::Skip)
                .y_axis(&y),
        );
        let hover = ends.iter().zip(column(i)).map(|(end, at)| {
            let band = words::band(at.lower.max(0.0), at.upper, 1);
            format!("{}, to {end}: {} ({band})", label(&asset.name), words::percent(at.weight, 1))
        });
        traces.push(
            Scatter::new(ends.clone(), edge(|at| at.weight))
                .mode(Mode::Lines)
                .line(Line::new().color(BLUE).width(2.0))
                .name("window")
                .show_legend(row == 0)
                .hover_text_array(hover.collect::<Vec<_>>())
                .hover_info(HoverInfo::Text)
                .y_axis(&y),
        );
        if let (Some(point), Some(first), Some(last)) = (asset.point, ends.first(), ends.last()) {
            traces.push(
                Scatter::new(vec![first.clone(), last.clone()], vec![percent(point); 2])
                    .mode(Mode::Lines)
                    .line(Line::new().color(ORANGE).width(1.5).dash(DashType::Dash))
                    .name("full history")
                    .show_legend(row == 0)
                    .hover_info(HoverInfo::Skip)
                    .y_axis(&y),
            );
        }
        let bottom = 1.0 - step * (row + 1) as f64;
        axes.push(percent_axis("").domain(&[bottom, bottom + FILLED * step]).n_ticks(4));
        annotations.push(
            Annotation::new()
                .text(label(&asset.name))
                .show_arrow(false)
                .x(0.0)
                .x_ref("paper")
                .x_anchor(Anchor::Left)
                .y(bottom + FILLED * step)
                .y_ref("paper")
                .y_anchor(Anchor::Bottom),
        );
    }
    let height = 90 + ROW * moving.len();
    // Dates stand below the last of the plots.
    let last = if axes.len() == 1 { "y".to_string() } else { format!("y{}", axes.len()) };
    let mut axes = axes.into_iter();
    let mut shape = layout(height, axis("last row of the window").anchor(&last), axes.next()?).annotations(annotations);
    let setters = [
        plotly::Layout::y_axis2,
        plotly::Layout::y_axis3,
        plotly::Layout::y_axis4,
        plotly::Layout::y_axis5,
        plotly::Layout::y_axis6,
    ];
    for (set, own) in setters.into_iter().zip(axes) {
        shape = set(shape, own);
    }
    let extremes = column(most).fold((f64::MAX, f64::MIN), |(l, h), at| (l.min(at.weight), h.max(at.weight)));
    let others = if solved.len() > moving.len() {
        format!(" Shown are the {} of {} assets whose windows differ most.", moving.len(), solved.len())
    } else {
        String::new()
    };
    let mut head = vec!["last row".to_string()];
    head.extend(moving.iter().map(|&i| name(&solved[i].1.name)));
    let numbers = ends.iter().zip(&rolling.bands).map(|(end, bands)| {
        let mut row = vec![end.clone()];
        row.extend(moving.iter().map(|&i| {
            let at = bands[i];
            format!("{} ({})", words::percent(at.weight, 2), words::band(at.lower.max(0.0), at.upper, 2))
        }));
        row
    });
    Some(Chart {
        id: "rolling",
        title: format!(
            "Over windows of {} rows, {}'s weight lay between {} and {}",
            words::grouped(rolling.length as u64),
            name(&solved[most].1.name),
            words::percent(extremes.0, 1),
            words::percent(extremes.1, 1)
        ),
        plot: plot(traces, shape),
        other: None,
        folded: false,
        height,
        caption: format!(
            "The portfolio of each window of {} rows, with the band that sampling and spells of volatility explain. A line \
             that leaves the band of another window has changed.{others}",
            words::grouped(rolling.length as u64)
        ),
        table: Table { head, rows: numbers.collect(), ends_in_words: false },
    })
}
