//! A line per place: its figure and how far that moves, its halves, and what it holds.

use std::fmt::Write as _;

use super::{MOST_PLACES, holding};
use crate::report::html::text::escaped;
use crate::report::words;
use crate::study::screen::Screened;
use crate::study::winners::Winner;

pub fn overview(screened: &Screened) -> String {
    let (outcome, again) = (&screened.outcome, screened.bootstrap.as_ref());
    let by = outcome.run.by;
    let top = &outcome.top[..outcome.top.len().min(MOST_PLACES)];
    let (resampled, halves) = (again.is_some(), top.iter().any(|entry| entry.halves.is_some()));
    let reselected = again.is_some_and(|again| again.reselection.is_some());
    let heads = [
        (true, by.name()),
        (resampled, "5 % to 95 % of resamples"),
        (halves, "first half"),
        (halves, "second half"),
        (resampled, "P(again)"),
        (reselected, "P(again, all)"),
    ];
    let shown = heads.iter().filter(|(shown, _)| *shown);
    let heads: String = shown.map(|(_, head)| format!("<th scope=\"col\">{}</th>", escaped(head))).collect();
    let mut out = format!(
        "<section id=\"places\" aria-labelledby=\"places-title\">\n<h2 id=\"places-title\">The best, and what they hold</h2>\n\
         <div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"Places\"><table class=\"overview\">\n<thead><tr>\
         <th scope=\"col\">place</th>{heads}<th scope=\"col\" class=\"text\">assets and weights</th></tr></thead>\n<tbody>\n"
    );
    for (at, entry) in top.iter().enumerate() {
        let winner = again.and_then(|again| again.winners.get(at));
        let text = |x: f64| words::figure(by, x);
        let of = |text: &dyn Fn(&Winner) -> String| winner.map_or("-".to_string(), text);
        let half = |value: Option<f64>| value.map_or("-".to_string(), text);
        let cells = [
            (true, text(entry.value)),
            (resampled, of(&|winner| format!("{} to {}", text(winner.value.q05), text(winner.value.q95)))),
            (halves, half(entry.halves.map(|halves| halves.first))),
            (halves, half(entry.halves.map(|halves| halves.second))),
            (resampled, of(&|winner| words::percent(winner.probability, 0))),
            (reselected, of(&|winner| words::percent(winner.reselected.unwrap_or(f64::NAN), 0))),
        ];
        let shown = cells.iter().filter(|(shown, _)| *shown);
        let cells: String = shown.map(|(_, cell)| format!("<td>{}</td>", escaped(cell))).collect();
        let place = at + 1;
        let held = escaped(&holding(entry));
        let _ = writeln!(out, "<tr><th scope=\"row\">{place}</th>{cells}<td class=\"text\">{held}</td></tr>");
    }
    let mut how = format!("{by}: of the whole history, in double precision.");
    if halves {
        how += " First and second half: each half of the history solved by itself.";
    }
    if resampled {
        how += " P(again): how often a subset is among the best of these winners on resamples, which is optimistic, for they were \
                chosen on the same history.";
    }
    if reselected {
        how += " P(again, all): the same against all subsets, which repeats the choice.";
    }
    if top.len() < outcome.top.len() {
        how += &format!(" Shown are the first {} of {} places.", top.len(), outcome.top.len());
    }
    let _ = writeln!(out, "</tbody></table></div>\n<p class=\"how\">{}</p>\n</section>", escaped(&how));
    out
}
