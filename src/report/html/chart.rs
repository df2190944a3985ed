//! What all charts share: their frame on the page, their colours and axes.
//!
//! Colours of text, grid and paper are the page's, so that one style sheet serves light, dark and paper. Those of the data
//! stand out on each of these, and are told apart without seeing red and green (Okabe & Ito 2008, in middle tones).

use std::fmt::Write as _;

use plotly::common::{Anchor, ColorScale, ColorScaleElement, Font, Label, Orientation, TickMode, Title};
use plotly::configuration::{DisplayModeBar, ModeBarButtonName};
use plotly::layout::{Axis, AxisRange, DragMode, HoverMode, Layout, Legend, Margin};
use plotly::{Configuration, Plot, Trace};

use super::text::{escaped, label};
use crate::report::words::counted;

pub const BLUE: &str = "#2f80c3";
pub const LIGHT_BLUE: &str = "rgba(47,128,195,0.35)";
pub const ORANGE: &str = "#d9730d";
pub const GREEN: &str = "#17936b";
pub const PURPLE: &str = "#8e5ea2";
pub const RED: &str = "#b8474a";
pub const GREY: &str = "#858b93";

/// On a cell of a heat map.
pub const INK: &str = "#15202b";

/// Rows of a chart at most: more are not told apart.
pub const MOST_ROWS: usize = 40;

/// A chart on the page.
pub struct Chart {
    /// Short and fixed: its address on the page.
    pub id: &'static str,
    /// What it found.
    pub title: String,
    pub plot: Plot,
    /// The same in other ways, and what all are called; a reader changes between them.
    pub other: Option<Other>,
    pub height: usize,
    /// How to read it.
    pub caption: String,
    pub table: Table,
    /// Waits for a click: it answers a question that few readers ask.
    pub folded: bool,
}

/// Further drawings of a chart, with the names of all: that of the first comes first.
pub struct Other {
    pub names: Vec<String>,
    pub plots: Vec<Plot>,
}

/// The numbers of a chart. The first column names the row.
pub struct Table {
    pub head: Vec<String>,
    pub rows: Vec<Vec<String>>,
    /// Whether the last column holds words.
    pub ends_in_words: bool,
}

impl Table {
    pub fn new<const N: usize>(head: [&str; N], rows: impl Iterator<Item = [String; N]>) -> Table {
        Table { head: head.map(String::from).to_vec(), rows: rows.map(Vec::from).collect(), ends_in_words: false }
    }

    /// With further columns, as many rows of them.
    #[must_use]
    pub fn and<const N: usize>(mut self, head: [&str; N], rows: impl Iterator<Item = [String; N]>) -> Table {
        self.head.extend(head.map(String::from));
        self.rows.iter_mut().zip(rows).for_each(|(row, more)| row.extend(more));
        self
    }

    fn write(&self, out: &mut String, title: &str) {
        let _ = write!(
            out,
            "<details class=\"numbers\"><summary>The numbers ({})</summary>\n<div class=\"wide\" tabindex=\"0\" role=\"region\" \
             aria-label=\"Numbers: {title}\"><table>\n<thead><tr>",
            counted(self.rows.len() as u64, "row")
        );
        let class =
            |column: usize| if self.ends_in_words && column + 1 == self.head.len() { " class=\"text\"" } else { "" };
        for (column, cell) in self.head.iter().enumerate() {
            let _ = write!(out, "<th scope=\"col\"{}>{}</th>", class(column), escaped(cell));
        }
        out.push_str("</tr></thead>\n<tbody>\n");
        for row in &self.rows {
            out.push_str("<tr>");
            for (column, cell) in row.iter().enumerate() {
                let cell = escaped(cell);
                let _ = match column {
                    0 => write!(out, "<th scope=\"row\">{cell}</th>"),
                    _ => write!(out, "<td{}>{cell}</td>", class(column)),
                };
            }
            out.push_str("</tr>\n");
        }
        out.push_str("</tbody></table></div></details>\n");
    }
}

impl Chart {
    pub fn write(&self, out: &mut String) {
        let Chart { id, height, .. } = self;
        let title = escaped(&self.title);
        // A `<` in the data must not end the script.
        let data = |plot: &Plot| plot.to_json().replace('<', "\\u003c");
        let heading = format!("<h2 id=\"{id}-title\">{title}</h2>");
        let _ = writeln!(out, "<section id=\"{id}\" aria-labelledby=\"{id}-title\">");
        match self.folded {
            true => out.push_str(&format!("<details class=\"folded\"><summary>{heading}</summary>\n")),
            false => out.push_str(&heading),
        }
        let _ = write!(
            out,
            "\n<figure>\n<div class=\"plot\" id=\"{id}-plot\" role=\"img\" aria-label=\"{title}\" \
             style=\"height:{height}px\"></div>\n<script type=\"application/json\" data-plot=\"{id}-plot\">{}</script>\n",
            data(&self.plot)
        );
        if let Some(Other { names, plots }) = &self.other {
            let first = names.first().map_or("", |name| name.as_str());
            for (name, plot) in names.iter().skip(1).zip(plots) {
                let _ = writeln!(
                    out,
                    "<script type=\"application/json\" data-other=\"{id}-plot\" data-first=\"{}\" \
                     data-name=\"{}\">{}</script>",
                    escaped(first),
                    escaped(name),
                    data(plot)
                );
            }
        }
        let _ = writeln!(out, "<figcaption>{}</figcaption>", escaped(&self.caption));
        self.table.write(out, &title);
        out.push_str(if self.folded { "</figure>\n</details>\n</section>\n" } else { "</figure>\n</section>\n" });
    }
}

/// A plot of traces on a layout from [`layout`].
pub fn plot(traces: Vec<Box<dyn Trace>>, layout: Layout) -> Plot {
    let mut plot = Plot::new();
    plot.add_traces(traces);
    plot.set_layout(layout);
    plot.set_configuration(
        Configuration::new()
            .responsive(true)
            .typeset_math(false)
            .display_logo(false)
            .display_mode_bar(DisplayModeBar::Hover)
            .mode_bar_buttons_to_remove(vec![ModeBarButtonName::Select2d, ModeBarButtonName::Lasso2d])
            .show_tips(false),
    );
    plot
}

/// Without a background, sized by its place on the page. Dragging is left to scrolling.
pub fn layout(height: usize, x: Axis, y: Axis) -> Layout {
    Layout::new()
        .height(height)
        .auto_size(true)
        .font(Font::new().family("system-ui, sans-serif").size(13))
        .margin(Margin::new().left(8).right(16).top(36).bottom(8).auto_expand(true))
        .paper_background_color("rgba(0,0,0,0)")
        .plot_background_color("rgba(0,0,0,0)")
        .hover_mode(HoverMode::Closest)
        .hover_label(Label::new().font(Font::new().family("system-ui, sans-serif").size(13)).align("left"))
        .drag_mode(DragMode::False)
        .show_legend(true)
        .legend(
            Legend::new()
                .orientation(Orientation::Horizontal)
                .x(0.0)
                .x_anchor(Anchor::Left)
                .y(1.0)
                .y_anchor(Anchor::Bottom)
                .item_click(plotly::layout::ItemClick::False)
                .item_double_click(plotly::layout::ItemClick::False),
        )
        .x_axis(x)
        .y_axis(y)
}

/// An axis of numbers.
pub fn axis(title: &str) -> Axis {
    Axis::new().title(heading(title)).auto_margin(true).zero_line(false).separate_thousands(true)
}

/// The title of an axis, in letters of the ticks' size.
pub fn heading(title: &str) -> Title {
    Title::with_text(title).font(Font::new().size(13))
}

/// An axis of percentages.
pub fn percent_axis(title: &str) -> Axis {
    axis(title).tick_suffix(" %")
}

/// A vertical axis with a row per name, the first on top.
pub fn rows<'a>(names: impl Iterator<Item = &'a str>) -> Axis {
    let names: Vec<String> = names.map(label).collect();
    let last = names.len() as f64 - 0.5;
    places(names).range(AxisRange::new(last, -0.5))
}

/// A horizontal axis with a column per name.
pub fn columns<'a>(names: impl Iterator<Item = &'a str>) -> Axis {
    let names: Vec<String> = names.map(label).collect();
    let last = names.len() as f64 - 0.5;
    places(names).range(AxisRange::new(-0.5, last))
}

/// Positions 0, 1, .. in place of categories: names that are cut may be equal.
fn places(names: Vec<String>) -> Axis {
    Axis::new()
        .tick_mode(TickMode::Array)
        .tick_values((0..names.len()).map(|place| place as f64).collect())
        .tick_text(names)
        .auto_margin(true)
        .show_grid(false)
        .zero_line(false)
        .fixed_range(true)
}

/// The places of so many rows.
pub fn at(count: usize) -> Vec<f64> {
    (0..count).map(|place| place as f64).collect()
}

/// Pixels for so many rows, with legend and axis.
pub fn height(rows: usize) -> usize {
    130 + 26 * rows.max(3)
}

/// Blue below, orange above, pale in the middle.
pub fn diverging() -> ColorScale {
    scale(&["#5fa8dc", "#f3f3f0", "#f0a04b"])
}

/// Pale to blue.
pub fn sequential() -> ColorScale {
    scale(&["#c3dcf0", "#14619f"])
}

/// Pale to a blue on which numbers stand out.
pub fn faint() -> ColorScale {
    scale(&["#f3f3f0", "#5fa8dc"])
}

fn scale(colours: &[&str]) -> ColorScale {
    let last = (colours.len() - 1) as f64;
    let elements = colours.iter().enumerate();
    ColorScale::Vector(elements.map(|(i, &c)| ColorScaleElement(i as f64 / last, c.to_string())).collect())
}
