//! Whether the winners would win again on resamples of the history.

use plotly::Scatter;
use plotly::common::{DashType, ErrorData, ErrorType, HoverInfo, Line, Marker, MarkerSymbol, Mode};
use plotly::layout::RangeMode;

use crate::report::html::chart::{BLUE, Chart, GREEN, GREY, ORANGE, Table, axis, layout, percent_axis, plot};
use crate::report::html::text::{label, name, percent};
use crate::report::sentence::screen as choice;
use crate::report::words::{self, counted};
use crate::study::screen::Screened;
use crate::study::winners::Winner;

const HEIGHT: usize = 420;

/// Standard errors to either side of a 95 % interval.
const BAND: f64 = 1.96;

/// None where the winners were not resampled.
pub fn again(screened: &Screened) -> Option<Chart> {
    let again = screened.bootstrap.as_ref()?;
    let (winners, figure) = (&again.winners, again.figure);
    let first = winners.first()?;
    let chance = again.places as f64 / winners.len() as f64;
    let places: Vec<f64> = winners.iter().map(|winner| winner.place as f64).collect();
    let of = |number: fn(&Winner) -> f64| -> Vec<f64> { winners.iter().map(|w| percent(number(w))).collect() };
    let hover = winners.iter().map(|winner| {
        let assets: Vec<String> = winner.assets.iter().take(6).map(|asset| label(asset)).collect();
        let error = words::percent(BAND * winner.mc_error, 1);
        format!(
            "place {}: {} ± {error}<br>{}",
            winner.place,
            words::percent(winner.probability, 1),
            assets.join("<br>")
        )
    });
    let marks = Scatter::new(places.clone(), of(|winner| winner.probability))
        .mode(Mode::Markers)
        .name("among these winners")
        .marker(Marker::new().size(9).color(BLUE))
        .error_y(ErrorData::new(ErrorType::Data).array(of(|winner| BAND * winner.mc_error)).color(BLUE).thickness(1.5))
        .hover_text_array(hover.collect::<Vec<_>>())
        .hover_info(HoverInfo::Text);
    let level = |name: &str, share: f64, colour: &'static str| {
        Scatter::new(vec![0.5, winners.len() as f64 + 0.5], vec![percent(share); 2])
            .mode(Mode::Lines)
            .name(name)
            .line(Line::new().color(colour).width(2.0).dash(DashType::Dash))
            .hover_info(HoverInfo::Skip)
    };
    let mut traces: Vec<Box<dyn plotly::Trace>> = vec![level("chance among these", chance, ORANGE), marks];
    let mut chosen = format!("; chance would be {}", words::percent(chance, 0));
    if let (Some(reselection), Some(share)) = (again.reselection, first.reselected) {
        let shares = winners.iter().map(|winner| winner.reselected.map_or(f64::NAN, percent)).collect();
        let hover = winners.iter().map(|winner| {
            let share = winner.reselected.unwrap_or(f64::NAN);
            format!("place {}: {} against all subsets", winner.place, words::percent(share, 1))
        });
        traces.push(
            Scatter::new(places, shares)
                .mode(Mode::Markers)
                .name("chosen again from all")
                .marker(Marker::new().size(9).color(GREEN).symbol(MarkerSymbol::Diamond))
                .hover_text_array(hover.collect::<Vec<_>>())
                .hover_info(HoverInfo::Text),
        );
        traces.push(level("chance among all", choice::chance(again.places, reselection.subsets), GREY));
        chosen = format!("; against all {}, in {}", counted(reselection.subsets, "subset"), words::percent(share, 0));
    }
    let whole = |winner: &Winner| winner.reselected.map_or("-".to_string(), |share| words::percent(share, 1));
    Some(Chart {
        id: "again",
        title: format!(
            "The winner is among the {} best of these {} in {} of the resamples{chosen}",
            again.places,
            winners.len(),
            words::percent(first.probability, 0)
        ),
        plot: plot(
            traces,
            layout(
                HEIGHT,
                axis("place in the screen"),
                percent_axis(&format!("among the {} best again (%)", again.places)).range_mode(RangeMode::ToZero),
            ),
        ),
        other: None,
        folded: false,
        height: HEIGHT,
        caption: format!(
            "{} Whiskers are 95 % Monte Carlo intervals. Marks near their line: the place was luck.",
            choice::caveat(again)
        ),
        table: Table {
            ends_in_words: true,
            ..Table::new(
                [
                    "place",
                    "again",
                    "Monte Carlo error",
                    "against all",
                    "mean place",
                    figure.name(),
                    "5 % to 95 %",
                    "assets",
                ],
                winners.iter().map(|winner| {
                    let names: Vec<String> = winner.assets.iter().map(|asset| name(asset)).collect();
                    [
                        winner.place.to_string(),
                        words::percent(winner.probability, 1),
                        words::percent(winner.mc_error, 2),
                        whole(winner),
                        format!("{:.1}", winner.mean_place),
                        words::figure(figure, winner.value.mean),
                        format!(
                            "{} to {}",
                            words::figure(figure, winner.value.q05),
                            words::figure(figure, winner.value.q95)
                        ),
                        names.join(", "),
                    ]
                }),
            )
        },
    })
}
