//! Heat maps that write their numbers into their cells.

use plotly::common::{ColorBar, ColorScale, Font, HoverInfo, Mode};
use plotly::{HeatMap, Scatter, Trace};

use super::chart::{INK, at};

/// What is drawn, row by row, the first on top. A value that is no number leaves a gap.
pub struct Cells {
    pub values: Vec<Vec<f64>>,
    /// In the cells; none where they have no room.
    pub texts: Option<Vec<Vec<String>>>,
    pub hover: Vec<Vec<String>>,
    pub colours: ColorScale,
    /// The values at the ends of the colours.
    pub range: [f64; 2],
    pub bar: Option<ColorBar>,
}

impl Cells {
    /// On a horizontal and a vertical axis, such as `x2` and `y2`.
    pub fn traces(self, x: &str, y: &str) -> Vec<Box<dyn Trace>> {
        let Cells { values, texts, hover, colours, range: [least, most], bar } = self;
        let (rows, columns) = (values.len(), values.first().map_or(0, Vec::len));
        let mut map = HeatMap::new(at(columns), at(rows), values)
            .color_scale(colours)
            .zmin(least)
            .zmax(most)
            .x_gap(1)
            .y_gap(1)
            .hover_on_gaps(false)
            .hover_text_matrix(hover)
            .hover_info(HoverInfo::Text)
            .x_axis(x)
            .y_axis(y);
        map = match bar {
            Some(bar) => map.color_bar(bar),
            None => map.show_scale(false),
        };
        let mut traces: Vec<Box<dyn Trace>> = vec![map];
        if let Some(texts) = texts {
            let places = (0..rows).flat_map(|row| (0..columns).map(move |column| (column as f64, row as f64)));
            let (across, down) = places.unzip();
            traces.push(
                Scatter::<f64, f64>::new(across, down)
                    .mode(Mode::Text)
                    .text_array(texts.into_iter().flatten().collect::<Vec<_>>())
                    .text_font(Font::new().color(INK).size(11))
                    .hover_info(HoverInfo::Skip)
                    .show_legend(false)
                    .x_axis(x)
                    .y_axis(y),
            );
        }
        traces
    }
}
