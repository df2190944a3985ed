//! How the assets move together: the correlations that the weights follow from.

use plotly::common::{Anchor, ColorBar, Orientation};

use super::shown;
use crate::report::html::cells::Cells;
use crate::report::html::chart::{Chart, Table, columns, diverging, height, layout, plot, rows};
use crate::report::html::text::{label, name, rounded};
use crate::study::bootstrap::Outcome;

/// Assets whose cells have room for their number.
const MOST_LABELLED: usize = 12;

/// None of fewer than two assets.
pub fn correlation(outcome: &Outcome) -> Option<Chart> {
    let (assets, left_out) = shown(outcome);
    let solved = super::solved(outcome);
    let n = solved.len();
    if n < 2 || outcome.correlation.len() != n * n {
        return None;
    }
    // Correlations are of the assets that were solved for.
    let places: Vec<usize> =
        assets.iter().map(|(place, _)| solved.iter().position(|(at, _)| at == place).unwrap_or_default()).collect();
    let of = |i: usize, j: usize| outcome.correlation[i * n + j];
    let values: Vec<Vec<f64>> = places.iter().map(|&i| places.iter().map(|&j| rounded(of(i, j))).collect()).collect();
    let hover: Vec<Vec<String>> = places
        .iter()
        .map(|&i| {
            let text =
                |&j: &usize| format!("{}<br>{}<br>{:.2}", label(&solved[i].1.name), label(&solved[j].1.name), of(i, j));
            places.iter().map(text).collect()
        })
        .collect();
    let number = |i: &usize| places.iter().map(|&j| format!("{:.2}", of(*i, j))).collect::<Vec<_>>();
    let texts = (places.len() <= MOST_LABELLED).then(|| places.iter().map(number).collect());
    let bar = ColorBar::new().orientation(Orientation::Horizontal).y(1.0).y_anchor(Anchor::Bottom).thickness(10);
    let cells = Cells { values, texts, hover, colours: diverging(), range: [-1.0, 1.0], bar: Some(bar) };
    let pairs = || (0..n).flat_map(|i| (i + 1..n).map(move |j| (i, j)));
    let mean = pairs().map(|(i, j)| of(i, j)).sum::<f64>() / pairs().count() as f64;
    let (a, b) = pairs().reduce(|best, pair| if of(pair.0, pair.1) > of(best.0, best.1) { pair } else { best })?;
    let height = height(places.len()) + 130;
    let names = || places.iter().map(|&i| solved[i].1.name.as_str());
    let mut head = vec!["correlation".to_string()];
    head.extend(names().map(name));
    let numbers = places.iter().map(|&i| {
        let mut row = vec![name(&solved[i].1.name)];
        row.extend(places.iter().map(|&j| format!("{:.3}", of(i, j))));
        row
    });
    Some(Chart {
        id: "correlation",
        title: format!(
            "Correlations are {mean:.2} on average, and highest between {} and {}: {:.2}",
            name(&solved[a].1.name),
            name(&solved[b].1.name),
            of(a, b)
        ),
        plot: plot(cells.traces("x", "y"), layout(height, columns(names()).tick_angle(-60.0), rows(names()))),
        other: None,
        folded: false,
        height,
        caption: format!(
            "Of the full history. Assets that move together share their risk: they get less weight than their volatility \
             alone would give them.{}",
            left_out.replace("; the table has all", "")
        ),
        table: Table { head, rows: numbers.collect(), ends_in_words: false },
    })
}
