//! Which assets the best subsets hold.

use plotly::common::{DashType, HoverInfo, Line, Marker, Mode, Orientation};
use plotly::layout::RangeMode;
use plotly::{Bar, Scatter};

use super::histogram::unknown;
use crate::report::html::chart::{BLUE, Chart, MOST_ROWS, ORANGE, Table, at, height, layout, percent_axis, plot, rows};
use crate::report::html::text::{name, percent};
use crate::report::sentence::screen as choice;
use crate::report::words::{self, counted, grouped};
use crate::study::screen::Outcome;
use crate::study::screen::inclusion::Included;

/// None where no subset counts.
pub fn inclusion(outcome: &Outcome) -> Option<Chart> {
    let (run, inclusion) = (&outcome.run, &outcome.inclusion);
    let mut assets: Vec<&Included> = inclusion.assets.iter().filter(|asset| asset.count > 0).collect();
    assets.sort_by_key(|asset| std::cmp::Reverse(asset.count));
    let first = *assets.first()?;
    let shown = &assets[..assets.len().min(MOST_ROWS)];
    let left_out = if shown.len() < assets.len() {
        format!(" Shown are the {} of {} assets held most often; the table has all.", shown.len(), assets.len())
    } else {
        String::new()
    };
    let chance = run.size as f64 / run.assets as f64;
    let bars = Bar::new(shown.iter().map(|asset| percent(asset.frequency)).collect(), at(shown.len()))
        .orientation(Orientation::Horizontal)
        .name("held by")
        .marker(Marker::new().color(BLUE))
        .hover_text_array(
            shown
                .iter()
                .map(|asset| format!("{}: {}", words::percent(asset.frequency, 1), counted(asset.count, "subset")))
                .collect::<Vec<_>>(),
        )
        .hover_info(HoverInfo::Text);
    let line = Scatter::new(vec![percent(chance); 2], vec![-0.5, shown.len() as f64 - 0.5])
        .mode(Mode::Lines)
        .name("drawn blindly")
        .line(Line::new().color(ORANGE).width(2.0).dash(DashType::Dash))
        .hover_info(HoverInfo::Skip);
    let height = height(shown.len());
    Some(Chart {
        id: "inclusion",
        title: format!(
            "{} is in {} of the best {}, where blind draws would put {}",
            name(&first.name),
            words::percent(first.frequency, 0),
            counted(inclusion.subsets, "subset"),
            words::percent(chance, 0)
        ),
        plot: plot(
            vec![bars, line],
            layout(
                height,
                percent_axis("share of the best subsets (%)").range_mode(RangeMode::ToZero),
                rows(shown.iter().map(|asset| asset.name.as_str())),
            ),
        ),
        other: None,
        folded: false,
        height,
        caption: format!(
            "How many of the best {} by {} ({} of {}) hold each asset.{} The line is {} of {}, the share that draws \
             without any limits would give. Assets far above it are what the good portfolios have in common, which is more \
             robust than the list.{left_out}",
            counted(inclusion.subsets, "subset"),
            inclusion.figure,
            words::percent(inclusion.share, 1),
            lower(&choice::ranked(outcome)),
            unknown(outcome),
            run.size,
            run.assets
        ),
        table: Table::new(
            ["asset", "subsets", "share"],
            assets.iter().map(|asset| [name(&asset.name), grouped(asset.count), words::percent(asset.frequency, 2)]),
        ),
    })
}

/// Inside a sentence.
fn lower(text: &str) -> String {
    text.replacen("All ", "all ", 1).replacen("The ", "the ", 1)
}
