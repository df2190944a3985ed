//! The table of `equirisk compare`.

use serde_json::Value;

use super::table::{Column, table};
use super::view::View;
use super::{LEAVE_EARLY, LEAVE_NEXT, names_width};
use crate::report::words::{self, counted, cut, maybe_percent, percent};
use crate::runs::{Asset, Compared, Field};

/// Assets listed at most: those that differ most.
const MOST_ASSETS: usize = 40;

/// Names in a sentence at most.
const MOST_NAMES: usize = 8;

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
        let cells = |text: &dyn Fn(&Field) -> String| found.configuration.iter().map(text).collect::<Vec<_>>();
        let mut columns = vec![
            Column::names("differs", cells(&|field| field.field.replace('_', " ")), 12),
            Column::names("first", cells(&|field| value(&field.first)), 5),
            Column::names("second", cells(&|field| value(&field.second)), 6),
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
    let differ = found.distance.map_or("One of the runs has no full-history portfolio".to_string(), |distance| {
        format!("The portfolios differ by {}", percent(distance, 2))
    });
    let alone = found.assets.iter().filter(|asset| asset.overlaps.is_none() && asset.difference.is_none()).count();
    let alone = match alone {
        0 => String::new(),
        count => format!(" {} in one of the runs alone.", are(count)),
    };
    let apart: Vec<String> =
        found.assets.iter().filter(|asset| asset.overlaps == Some(false)).map(|asset| cut(&asset.name, 24)).collect();
    let bands = match apart.len() {
        0 => "all bands overlap, so resampling alone could make the difference.".to_string(),
        count => {
            let more = if count > MOST_NAMES { format!(" and {} more", count - MOST_NAMES) } else { String::new() };
            let listed = apart[..count.min(MOST_NAMES)].join(", ");
            format!("the bands of {listed}{more} lie apart: that is more than resampling explains.")
        }
    };
    format!("{differ}; {bands}{alone}")
}

fn are(count: usize) -> String {
    if count == 1 { "1 asset is".to_string() } else { format!("{count} assets are") }
}

/// In a cell of the table.
fn value(value: &Value) -> String {
    let text = match value {
        Value::Null => "none".to_string(),
        Value::String(text) => text.clone(),
        Value::Array(entries) => counted(entries.len() as u64, "number"),
        other => other.to_string(),
    };
    cut(&text, VALUE)
}
