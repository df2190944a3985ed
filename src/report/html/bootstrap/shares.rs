//! What becomes of the risk budgets when resampled weights are held under the full-history covariance.

use plotly::Scatter;
use plotly::common::{DashType, ErrorData, ErrorType, HoverInfo, Line, Marker, MarkerSymbol, Mode};

use super::{Placed, shown, solved};
use crate::report::html::chart::{BLUE, Chart, ORANGE, Table, at, height, layout, percent_axis, plot, rows};
use crate::report::html::text::{name, percent, range};
use crate::report::words;
use crate::study::bootstrap::Outcome;
use crate::study::statistics::summary::Summary;

pub fn shares(outcome: &Outcome) -> Chart {
    let (assets, left_out) = shown(outcome);
    let share = |place: usize| -> &Summary { &outcome.methods.own().realised.shares[place].summary };
    let of = |number: &dyn Fn(&Placed) -> f64| -> Vec<f64> { assets.iter().map(|a| percent(number(a))).collect() };
    let places = at(assets.len());
    let hover = |&(place, asset): &Placed| {
        let s = share(place);
        format!(
            "median {}<br>90 % of resamples {}<br>budget {}",
            words::percent(s.q50, 2),
            range(s.q05, s.q95, 2),
            words::percent(asset.budget, 2)
        )
    };
    let realised = Scatter::new(of(&|a| share(a.0).q50), places.clone())
        .mode(Mode::Markers)
        .name("realised: median, 5 % to 95 %")
        .marker(Marker::new().size(9).color(BLUE))
        .error_x(
            ErrorData::new(ErrorType::Data)
                .symmetric(false)
                .array(of(&|a| share(a.0).q95 - share(a.0).q50))
                .array_minus(of(&|a| share(a.0).q50 - share(a.0).q05))
                .color(BLUE)
                .thickness(2.0)
                .width(5),
        )
        .hover_text_array(assets.iter().map(hover).collect::<Vec<_>>())
        .hover_info(HoverInfo::Text);
    let budgets = of(&|a| a.1.budget);
    // One line where all budgets are equal, else a mark for each.
    let budget = if budgets.iter().all(|budget| *budget == budgets[0]) {
        Scatter::new(vec![budgets[0]; 2], vec![-0.5, places.len() as f64 - 0.5])
            .mode(Mode::Lines)
            .line(Line::new().color(ORANGE).width(2.0).dash(DashType::Dash))
    } else {
        Scatter::new(budgets, places)
            .mode(Mode::Markers)
            .marker(Marker::new().symbol(MarkerSymbol::Diamond).size(10).color(ORANGE))
    };
    // Relative to the budget, as the certificate is.
    let error = |&(place, asset): &Placed| {
        let s = share(place);
        (s.q95 - asset.budget).max(asset.budget - s.q05) / asset.budget
    };
    let solved = solved(outcome);
    let worst = solved.iter().copied().reduce(|a, b| if error(&b) > error(&a) { b } else { a });
    let (place, worst) = worst.expect("a study has assets");
    let height = height(assets.len());
    let y = rows(assets.iter().map(|(_, asset)| asset.name.as_str()));
    Chart {
        id: "shares",
        title: format!(
            "{} strays farthest from its risk budget of {}: {} of the risk",
            name(&worst.name),
            words::percent(worst.budget, 1),
            range(share(place).q05, share(place).q95, 1)
        ),
        plot: plot(
            vec![budget.name("budget").hover_info(HoverInfo::Skip), realised],
            layout(height, percent_axis("share of the risk (%)"), y),
        ),
        other: None,
        folded: false,
        height,
        caption: format!(
            "Every resample's weights meet the budgets exactly on that resample. Here they are held under the covariance of \
             the full history, which stands for holding estimated weights under the truth: whiskers hold 90 % of the \
             resamples, and those that reach far from the budget carry risk that nobody asked for.{left_out}"
        ),
        table: Table::new(
            ["asset", "budget", "mean", "sd", "5 %", "50 %", "95 %"],
            solved.iter().map(|&(place, asset)| {
                let (s, p) = (share(place), |x: f64| words::percent(x, 3));
                [name(&asset.name), p(asset.budget), p(s.mean), p(s.sd), p(s.q05), p(s.q50), p(s.q95)]
            }),
        ),
    }
}
