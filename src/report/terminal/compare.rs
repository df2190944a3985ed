//! The table of `equirisk compare`.

use serde_json::Value;

use super::table::{Column, table};
use super::view::View;
use super::{LEAVE_EARLY, LEAVE_NEXT, names_width};
use crate::report::words::{self, counted, cut, grouped, listed, maybe_percent, percent};
use crate::runs::{Asset, Compared, Field};

/// Assets listed at most: those that differ most.
const MOST_ASSETS: usize = 40;

/// Portfolios that differ by less are the same up to rounding.
const SAME: f64 = 1e-9;

/// Columns of a value that differs.
const VALUE: usize = 40;

pub fn compare(found: &Compared, view: View) -> String {
    let mut out = String::new();
    for (word, run) in ["first", "second"].into_iter().zip(&found.runs) {
        out.push_str(&view.dim(&view.wrapped(&format!("{word}: {} ({})", run.path, run.data))));
    }
    out.push_str(&view.bold(&view.wrapped(&sentence(found))));
    out.push('\n');
    if found.configuration.is_empty() {
        out.push_str("Data and configuration are the same.\n");
    } else {
        // A digest tells nobody anything but that the numbers are others.
        let cell = |field: &Field, value: &Value| match field.field.ends_with("sha256") {
            true => "differ".to_string(),
            false => self::value(value),
        };
        let name = |field: &Field| match field.field.strip_suffix("_sha256") {
            Some(what) => format!("{what} (numbers)"),
            None if field.field == "measure" => "risk".to_string(),
            None => field.field.replace(['_', '.'], " "),
        };
        let cells = |text: &dyn Fn(&Field) -> String| found.configuration.iter().map(text).collect::<Vec<_>>();
        let mut columns = vec![
            Column::names("differs", cells(&name), 12),
            Column::names("first", cells(&|field| cell(field, &field.first)), 5),
            Column::names("second", cells(&|field| cell(field, &field.second)), 6),
        ];
        columns[1..].iter_mut().for_each(|column| column.gap = 2);
        table(&mut out, columns, view);
    }
    out.push('\n');
    let mut shown: Vec<&Asset> = found.assets.iter().collect();
    if shown.len() > MOST_ASSETS {
        let size = |asset: &Asset| asset.difference.map_or(f64::MAX, f64::abs);
        shown.sort_by(|a, b| size(b).total_cmp(&size(a)));
        shown.truncate(MOST_ASSETS);
    }
    let width = names_width(shown.iter().map(|asset| &asset.name));
    let cells = |text: &dyn Fn(&Asset) -> String| shown.iter().map(|asset| text(asset)).collect::<Vec<_>>();
    let band = |band: Option<[f64; 2]>| band.map_or("-".to_string(), |[low, high]| words::band(low, high, 2));
    let points = |difference: f64| format!("{:+.2}", 100.0 * difference);
    let verdict = |asset: &Asset| match asset.overlaps {
        Some(true) => "overlap".to_string(),
        Some(false) => "apart".to_string(),
        None => "-".to_string(),
    };
    table(
        &mut out,
        vec![
            Column::names("asset", cells(&|asset| cut(&asset.name, width)), width),
            Column::numbers("first", cells(&|asset| maybe_percent(asset.first, 2)), 8, 2, None),
            Column::numbers("5–95 %", cells(&|asset| band(asset.first_band)), 14, 2, LEAVE_EARLY),
            Column::numbers("second", cells(&|asset| maybe_percent(asset.second, 2)), 8, 2, None),
            Column::numbers("5–95 %", cells(&|asset| band(asset.second_band)), 14, 2, LEAVE_EARLY),
            Column::numbers(
                "points",
                cells(&|asset| asset.difference.map_or("-".to_string(), points)),
                7,
                2,
                LEAVE_NEXT,
            ),
            Column::numbers("bands", cells(&verdict), 7, 2, None),
        ],
        view,
    );
    if shown.len() < found.assets.len() {
        let more = counted((found.assets.len() - shown.len()) as u64, "asset");
        out.push_str(&view.wrapped(&format!("... and {more} that differ less")));
    }
    out
}

/// What a reader wants to know first.
fn sentence(found: &Compared) -> String {
    let same = found.assets.iter().all(|asset| asset.first == asset.second && asset.first_band == asset.second_band);
    if same {
        return "Weights and bands are the same.".to_string();
    }
    let differ = found.distance.map_or("One of the runs has no full-history portfolio".to_string(), |distance| {
        format!("The portfolios differ by {}", percent(distance, 2))
    });
    let named = |is_named: &dyn Fn(&Asset) -> bool| -> Vec<String> {
        found.assets.iter().filter(|asset| is_named(asset)).map(|asset| asset.name.clone()).collect()
    };
    let alone = named(&|asset| asset.first_band.is_none() != asset.second_band.is_none());
    let apart = named(&|asset| asset.overlaps == Some(false));
    let lie = if apart.len() == 1 { "band" } else { "bands" };
    match (alone.is_empty(), apart.is_empty()) {
        (true, true) if found.distance.is_some_and(|distance| distance < SAME) => {
            "The portfolios are the same; their bands differ as other resamples do.".to_string()
        }
        (true, true) => match asked(found) {
            Some(what) => format!("{differ}; all bands overlap. {what}, which moves weights without any resampling."),
            None => format!("{differ}; all bands overlap, so resampling alone could make the difference."),
        },
        (true, false) => {
            format!("{differ}; the {lie} of {} lie apart: that is more than resampling explains.", listed(&apart))
        }
        (false, true) => {
            format!("{differ}. {} stand in one of the runs alone; all other bands overlap.", listed(&alone))
        }
        (false, false) => format!(
            "{differ}. In one of the runs alone: {}, which moves all weights. The {lie} of {} lie apart.",
            listed(&alone),
            listed(&apart)
        ),
    }
}

/// What the runs ask of a portfolio, where that is not the same.
fn asked(found: &Compared) -> Option<&'static str> {
    let differs = |names: &[&str]| found.configuration.iter().any(|field| names.contains(&field.field.as_str()));
    match (differs(&["estimator", "half_life"]), differs(&["measure", "level", "centred"])) {
        (_, true) => Some("Another risk is budgeted"),
        (true, false) => Some("The covariances are estimated otherwise"),
        (false, false) => differs(&["budgets"]).then_some("The budgets are others"),
    }
}

/// The names that a list has, or is of; none of numbers.
fn named(entries: &[Value]) -> Option<String> {
    let name = |entry: &Value| entry.as_str().or_else(|| entry["name"].as_str()).map(String::from);
    let names: Option<Vec<String>> = entries.iter().map(name).collect();
    names.map(|names| if names.is_empty() { "none".to_string() } else { names.join(", ") })
}

/// In a cell of the table.
fn value(value: &Value) -> String {
    let text = match value {
        Value::Null => "none".to_string(),
        Value::String(text) => text.clone(),
        Value::Array(entries) => named(entries).unwrap_or_else(|| counted(entries.len() as u64, "number")),
        Value::Number(number) => match (number.as_u64(), number.as_f64()) {
            (Some(whole), _) => grouped(whole),
            (None, Some(real)) => format!("{real:.4}").trim_end_matches('0').trim_end_matches('.').to_string(),
            (None, None) => number.to_string(),
        },
        other => other.to_string(),
    };
    cut(&text, VALUE)
}
