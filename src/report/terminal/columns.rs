//! What the columns of each file were taken for.

use super::table::{Column, table};
use super::view::View;
use super::{counted, names_width};
use crate::io::{ColumnRole, Detected};
use crate::report::words;

/// Of more assets in a row than this, the first and the last are shown.
const MOST: usize = 12;

/// A table for each file: column, name, what it was taken for, and the asset that is read from it.
pub fn columns(detected: &[Detected], view: View) -> String {
    let mut out = String::new();
    for file in detected {
        out.push_str(&format!("{}: {} of {}, {}\n", file.source, file.kind, layout(file.layout), notation(file)));
        if !file.columns.is_empty() {
            let rows = shortened(&file.columns);
            let names: Vec<String> = rows.iter().map(|row| words::cut(&row.1, super::NAME)).collect();
            let width = names_width(names.iter());
            let assets: Vec<String> = rows.iter().map(|row| words::cut(&row.3, super::NAME)).collect();
            let mut assets = Column::names("asset", assets, 5);
            let mut roles = Column::names("taken for", rows.iter().map(|row| row.2.clone()).collect(), 9);
            let mut names = Column::names("name", names, width);
            (names.gap, roles.gap, assets.gap) = (2, 2, 2);
            let numbers = Column::numbers("column", rows.iter().map(|row| row.0.clone()).collect(), 6, 0, None);
            table(&mut out, vec![numbers, names, roles, assets], view);
        }
        out.push('\n');
    }
    out
}

fn layout(name: &str) -> &str {
    match name {
        "long" => "one row per date and asset",
        "single" => "one asset and its fields",
        "blocks" => "series side by side",
        _ => "one column per asset",
    }
}

fn notation(file: &Detected) -> String {
    file.dates.map_or("no dates".to_string(), |dates| format!("dates as {dates}"))
}

/// Number, name, role and asset of each column; long runs of plain assets cut short.
fn shortened(columns: &[ColumnRole]) -> Vec<(String, String, String, String)> {
    let is_plain = |column: &&ColumnRole| column.asset.as_ref() == Some(&column.name);
    let row = |column: &ColumnRole| {
        let asset = column.asset.clone().unwrap_or_default();
        (column.column.to_string(), column.name.clone(), column.role.to_string(), asset)
    };
    let mut rows = Vec::new();
    for run in columns.chunk_by(|a, b| is_plain(&a) && is_plain(&b)) {
        if run.len() <= MOST {
            rows.extend(run.iter().map(row));
            continue;
        }
        rows.extend(run[..3].iter().map(row));
        rows.push(("..".to_string(), "..".to_string(), counted(run.len() as u64 - 4, "more asset"), String::new()));
        rows.extend(run.last().map(row));
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_runs_of_assets_are_cut_short() {
        let asset = |column: usize| {
            let name = format!("A{column}");
            ColumnRole { column, name: name.clone(), role: "asset", asset: Some(name) }
        };
        let columns: Vec<ColumnRole> = (1..=40).map(asset).collect();
        let file = Detected { source: "f".into(), kind: "prices", layout: "wide", columns, ..Detected::default() };
        let text = super::columns(&[file], View::PLAIN);
        assert!(text.contains("36 more assets") && text.contains("A40") && text.lines().count() == 8, "{text}");
    }
}
