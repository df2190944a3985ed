//! Texts of a screen: `top.csv`, `list.csv`, `histogram.csv`, `inclusion.csv` and `report.html` beside the summary.

use super::table::{csv_of, maybe, number};
use super::{Shown, html, sentence};
use crate::error::Result;
use crate::report::terminal::{self, View};
use crate::store::origin::Origin;
use crate::study::limited::Bound;
use crate::study::screen::{Outcome, Screened};

const TOP: &str = "top.csv";
const LIST: &str = "list.csv";
const HISTOGRAM: &str = "histogram.csv";
const INCLUSION: &str = "inclusion.csv";

impl Shown for Screened {
    fn table(&self, view: View) -> String {
        terminal::screen::screen(self, view)
    }

    fn texts(&self, origin: &Origin, view: View) -> Result<Vec<(&'static str, String)>> {
        Ok(vec![
            (TOP, top_csv(self)?),
            (LIST, list_csv(&self.outcome)?),
            (HISTOGRAM, histogram_csv(&self.outcome)?),
            (INCLUSION, inclusion_csv(&self.outcome)?),
            (super::REPORT, html::screen(self, origin, view)),
        ])
    }

    fn sentence(&self) -> Option<String> {
        Some(sentence::screen::sentence(self))
    }
}

/// One line per subset of the list: its figures, then its assets, then their weights.
fn top_csv(screened: &Screened) -> Result<String> {
    let Screened { outcome, bootstrap } = screened;
    let k = outcome.run.size;
    let figures = ["volatility", "volatility_annual", "diversification_ratio", "effective_bets", "max_weight"];
    let path = ["sharpe", "sortino", "max_drawdown", "cvar95", "calmar"];
    let mut header: Vec<String> = ["place", "rank_index", "value"].map(String::from).to_vec();
    header.extend(figures.iter().chain(&["mean_correlation"]).chain(&path).map(ToString::to_string));
    // Columns of bounds, where there are any.
    let bounded = outcome.run.bounds.is_some();
    header.push("rc_error".to_string());
    header.extend(bounded.then(|| "kkt_error".to_string()));
    header.extend(["first_half", "second_half", "p_best_again"].map(String::from));
    header.extend(["p_best_of_all_again", "resampled_q05", "resampled_q95"].map(String::from));
    header.extend((1..=k).map(|i| format!("asset_{i}")));
    header.extend((1..=k).map(|i| format!("weight_{i}")));
    header.extend((1..=k).filter(|_| bounded).map(|i| format!("bound_{i}")));
    let records = outcome.top.iter().enumerate().map(|(at, entry)| {
        let f = &entry.figures;
        let mut record = vec![(at + 1).to_string(), entry.rank_index.to_string(), number(entry.value)];
        record.extend([number(f.volatility), maybe(f.volatility_annual)]);
        record.extend([f.diversification_ratio, f.effective_bets, f.max_weight].map(number));
        record.push(maybe(f.mean_correlation));
        record.extend(match &f.path {
            Some(p) => [p.sharpe, p.sortino, p.max_drawdown, p.cvar95, p.calmar.unwrap_or(f64::NAN)].map(number),
            None => [const { String::new() }; 5],
        });
        record.push(number(entry.rc_error));
        record.extend(entry.kkt_error.map(number));
        record.extend([maybe(entry.halves.map(|h| h.first)), maybe(entry.halves.map(|h| h.second))]);
        let winner = bootstrap.as_ref().and_then(|b| b.winners.get(at));
        record.push(maybe(winner.map(|winner| winner.probability)));
        record.push(maybe(winner.and_then(|winner| winner.reselected)));
        record.extend([winner.map(|winner| winner.value.q05), winner.map(|winner| winner.value.q95)].map(maybe));
        record.extend(entry.assets.iter().cloned());
        record.extend(entry.weights.iter().map(|&w| number(w)));
        record.extend(entry.bounds.iter().flatten().copied().map(held));
        record
    });
    csv_of(TOP, std::iter::once(header).chain(records))
}

/// What holds a weight; nothing where it is free.
fn held(bound: Option<Bound>) -> String {
    bound.map_or(String::new(), |bound| bound.name().to_string())
}

/// One line per place and asset: the weight, and what holds it where there are bounds.
fn list_csv(outcome: &Outcome) -> Result<String> {
    let mut header = ["place", "asset", "weight"].map(String::from).to_vec();
    header.extend(outcome.run.bounds.is_some().then(|| "bound".to_string()));
    let records = outcome.top.iter().enumerate().flat_map(|(at, entry)| {
        let place = (at + 1).to_string();
        entry.assets.iter().enumerate().map(move |(asset, name)| {
            let bound = entry.bounds.as_ref().map(|bounds| held(bounds[asset]));
            let record = vec![place.clone(), name.clone(), number(entry.weights[asset])];
            record.into_iter().chain(bound).collect()
        })
    });
    csv_of(LIST, std::iter::once(header).chain(records))
}

fn histogram_csv(outcome: &Outcome) -> Result<String> {
    let histogram = &outcome.distribution.histogram;
    let header = ["from", "to", "count"].map(String::from).to_vec();
    let bins = histogram.edges.windows(2).zip(&histogram.counts);
    let records = bins.map(|(edges, count)| vec![number(edges[0]), number(edges[1]), count.to_string()]);
    csv_of(HISTOGRAM, std::iter::once(header).chain(records))
}

fn inclusion_csv(outcome: &Outcome) -> Result<String> {
    let header = ["asset", "count", "frequency"].map(String::from).to_vec();
    let assets = outcome.inclusion.assets.iter();
    let records = assets.map(|asset| vec![asset.name.clone(), asset.count.to_string(), number(asset.frequency)]);
    csv_of(INCLUSION, std::iter::once(header).chain(records))
}
