//! Whether the number of resamples is large enough.

use plotly::Scatter;
use plotly::common::{Fill, HoverInfo, Line, Marker, MarkerSymbol, Mode};
use plotly::layout::AxisType;

use super::mover;
use crate::report::html::chart::{BLUE, Chart, GREEN, ORANGE, Table, axis, layout, percent_axis, plot};
use crate::report::html::text::{name, percent};
use crate::report::words::{self, grouped};
use crate::study::bootstrap::Outcome;
use crate::study::statistics::summary::{Summary, SummaryError};

const HEIGHT: usize = 420;

/// Standard errors to either side of a 95 % band.
const BAND: f64 = 1.96;

type Number<T> = fn(&T) -> f64;

/// A quantile: its name, itself, its error, how it is drawn.
type Drawn = (&'static str, Number<Summary>, Number<SummaryError>, &'static str, &'static str, MarkerSymbol);

const DRAWN: [Drawn; 3] = [
    ("95 % quantile", |s| s.q95, |e| e.q95, ORANGE, "rgba(217,115,13,0.22)", MarkerSymbol::TriangleUp),
    ("median", |s| s.q50, |e| e.q50, BLUE, "rgba(47,128,195,0.22)", MarkerSymbol::Circle),
    ("5 % quantile", |s| s.q05, |e| e.q05, GREEN, "rgba(23,147,107,0.22)", MarkerSymbol::TriangleDown),
];

pub fn settling(outcome: &Outcome) -> Chart {
    let asset = mover(outcome);
    let steps = &outcome.convergence;
    let mut traces: Vec<Box<dyn plotly::Trace>> = Vec::new();
    for (label, number, error, colour, shade, symbol) in DRAWN {
        // A small sample does not know its tails.
        let known = || steps.iter().filter(|step| error(&step.weight.mc_error).is_finite());
        let counts = || known().map(|step| step.resamples as f64);
        let edge =
            |sign: f64| known().map(move |s| percent(number(&s.weight) + sign * BAND * error(&s.weight.mc_error)));
        let band = Scatter::new(counts().chain(counts().collect::<Vec<_>>().into_iter().rev()).collect(), {
            let lower: Vec<f64> = edge(-1.0).collect();
            edge(1.0).chain(lower.into_iter().rev()).collect()
        });
        traces.push(
            band.mode(Mode::Lines)
                .fill(Fill::ToSelf)
                .fill_color(shade)
                .line(Line::new().width(0.0).color(colour))
                .hover_info(HoverInfo::Skip)
                .show_legend(false),
        );
        let hover = steps.iter().map(|step| {
            let error = words::percent(BAND * error(&step.weight.mc_error), 2);
            format!("{} of {}: {} ± {error}", label, grouped(step.resamples), words::percent(number(&step.weight), 2))
        });
        traces.push(
            Scatter::new(
                steps.iter().map(|step| step.resamples as f64).collect(),
                steps.iter().map(|step| percent(number(&step.weight))).collect(),
            )
            .mode(Mode::LinesMarkers)
            .name(label)
            .line(Line::new().color(colour).width(2.0))
            .marker(Marker::new().symbol(symbol).size(7).color(colour))
            .hover_text_array(hover.collect::<Vec<_>>())
            .hover_info(HoverInfo::Text),
        );
    }
    let errors = &asset.mc_error;
    let known = BAND * errors.q05.max(errors.q95);
    let title = if known.is_finite() {
        format!(
            "With {} resamples {}'s 90 % range is known to within {:.*} percentage points",
            grouped(outcome.run.resamples),
            name(&asset.name),
            if known < 1e-3 { 3 } else { 2 },
            100.0 * known
        )
    } else {
        format!(
            "{} resamples are too few to say how well {}'s 90 % range is known",
            grouped(outcome.run.resamples),
            name(&asset.name)
        )
    };
    Chart {
        id: "convergence",
        title,
        plot: plot(
            traces,
            layout(
                HEIGHT,
                axis("resamples used").type_(AxisType::Log).dtick(1.0).tick_format(",d"),
                percent_axis(&format!("weight of {} (%)", crate::report::html::text::label(&asset.name))),
            ),
        ),
        other: None,
        folded: true,
        height: HEIGHT,
        caption: format!(
            "The weight of {}, the asset that moves most, over the first so many resamples. Bands are 95 % Monte Carlo \
             intervals: they shrink with the square root of the resamples. More resamples sharpen these lines; they do not \
             bring the outer two together, for only a longer history does. A question mark stands \
             where the resamples are too few to tell.",
            name(&asset.name)
        ),
        table: Table::new(
            ["resamples", "5 % quantile", "median", "95 % quantile", "mean", "sd"],
            steps.iter().map(|step| {
                let (w, e) = (&step.weight, &step.weight.mc_error);
                let both = |x: f64, error: f64| {
                    let error = if error.is_finite() { format!("{:.3}", 100.0 * error) } else { "?".to_string() };
                    if x.is_finite() { format!("{:.3} ± {error} %", 100.0 * x) } else { "-".to_string() }
                };
                [
                    grouped(step.resamples),
                    both(w.q05, e.q05),
                    both(w.q50, e.q50),
                    both(w.q95, e.q95),
                    both(w.mean, e.mean),
                    both(w.sd, e.sd),
                ]
            }),
        ),
    }
}
