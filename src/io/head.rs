//! The beginning of a text table: remarks, one or several lines of names, and where the data start.
//!
//! Data start at the first row with a date in the column that holds dates in most rows, or, without dates, at the first
//! row that begins with a number after one that does not. The rows before are names, levels of names (as pandas and data
//! vendors write them), units, or prose.

use std::collections::HashSet;

use csv::StringRecord;

use crate::error::{Error, Result};
use crate::io::cells::Numbers;
use crate::io::detect::bare;
use crate::io::sketch::{Content, Name, Sketch};
use crate::io::{Notices, count, dates, detect, fields, shown};

const MOST_COLUMNS: usize = 100_000;
const LONGEST_NAME: usize = 200;

pub(crate) struct Head {
    /// One sketch per column, with its name.
    pub columns: Vec<Sketch>,
    /// What stands above the names, and in remarks.
    pub prose: Vec<String>,
    /// Rows before the data, blank lines and remarks (`#`) not counted.
    pub records: usize,
    pub remarks: Notices,
}

impl Head {
    /// Reads the beginning of a table from the first records of its text.
    pub(crate) fn read(source: &str, sample: &str, delimiter: u8, numbers: &Numbers) -> Result<Head> {
        let (comments, mut records): (Vec<StringRecord>, Vec<StringRecord>) =
            detect::records(sample, delimiter).partition(detect::is_comment);
        let mut remarks = Notices::new();
        if !comments.is_empty() {
            remarks.push(format!("{} with # left out", count(comments.len(), "line")).into());
        }
        let Some(width) = detect::usual_width(&records) else {
            return Err(Error::input(format!("{source}: nothing but remarks")).hint(crate::io::EMPTY));
        };
        if records.first().is_some_and(|first| first.len() > MOST_COLUMNS) {
            return Err(Error::input(format!("{source}: {} columns, at most {MOST_COLUMNS}", records[0].len()))
                .hint("cut the file down to the assets that are needed"));
        }
        let mut start = data_start(&records);
        let lines: Vec<Vec<String>> = records[..start].iter().map(names_of).collect();
        let mut levels: Vec<(usize, Vec<String>)> = lines
            .into_iter()
            .enumerate()
            .filter(|(_, names)| names.iter().skip(1).any(|name| !name.is_empty()) || start == 1)
            .collect();
        // A line as wide as the data names their columns; narrower ones beside it are prose.
        let is_full = |names: &Vec<String>| names.len() + 1 >= width;
        // Names of assets above dates and fields, each above the first of its columns.
        let dated = |names: &Vec<String>| -> Vec<usize> {
            (0..names.len()).filter(|&column| fields::is_date_name(&names[column])).collect()
        };
        let of_fields = levels.last().filter(|(_, names)| is_full(names) && dated(names).len() > 1);
        let of_fields = of_fields.map(|(_, names)| dated(names));
        let stands_above = |names: &Vec<String>| {
            let filled: Vec<usize> = (0..names.len()).filter(|&column| !names[column].is_empty()).collect();
            of_fields.as_ref().is_some_and(|dates| *dates == filled)
        };
        if levels.iter().any(|(_, names)| is_full(names)) {
            levels.retain(|(_, names)| is_full(names) || stands_above(names));
        }
        if levels.is_empty() {
            // numpy.savetxt writes the names as a remark.
            let named = comments.iter().rev().find(|comment| comment.len() == width);
            let Some(named) = named else { return Err(no_header(source, &records[start.min(records.len() - 1)])) };
            let mut names = names_of(named);
            names[0] = names[0].trim_start_matches('#').trim().to_string();
            remarks.push("names are taken from a line with #".into());
            levels.push((0, names));
        }
        let is_name = |row: usize| levels.iter().any(|(level, _)| *level == row);
        let above = records[..start].iter().enumerate().filter(|(row, _)| !is_name(*row)).map(|(_, record)| record);
        let said = |record: &StringRecord| record.iter().collect::<Vec<_>>().join(",");
        let prose_text: Vec<String> = comments.iter().chain(above).map(said).collect();
        let prose = start - levels.iter().filter(|(row, _)| *row < start).count().min(start);
        if prose > 0 {
            remarks.push(format!("{} beside the names left out", count(prose, "line")).into());
        }
        let mut levels: Vec<Vec<String>> = levels.into_iter().map(|(_, names)| names).collect();
        // R leaves the name of its row names out.
        if let [names] = &mut levels[..]
            && names.len() + 1 == width
            && records[start..].iter().all(|record| record.len() == width && !record[width - 1].trim().is_empty())
            && !fields::is_date_name(&names[0])
        {
            names.insert(0, String::new());
        }
        let names = combine(&mut levels, &mut remarks);
        check(source, names.iter().map(|name| name.text.as_str()))?;
        let dated = names.iter().filter(|name| dates::looks_like_a_date(&name.text)).count();
        let (total, last) = (names.len(), names.last().map_or(String::new(), |name| shown(&name.text)));
        start = start.min(records.len());
        records.drain(..start);
        let columns: Vec<Sketch> = names
            .into_iter()
            .enumerate()
            .map(|(column, name)| Sketch::of_text(name, column, &records, numbers))
            .collect();
        // Assets may be named like dates, as futures are, but then the rows have dates of their own.
        let is_dated = |column: &Sketch| {
            column.content == Content::Dates || column.content == Content::Numbers && fields::is_date_name(&column.name)
        };
        if dated > 2 && 2 * dated > total && !columns.iter().any(is_dated) {
            return Err(Error::input(format!("{source}: dates run across the columns: `{last}`"))
                .hint("exchange rows and columns: dates in the first column, one column per asset"));
        }
        Ok(Head { columns, records: start, prose: prose_text, remarks })
    }
}

/// The row at which data start.
fn data_start(records: &[StringRecord]) -> usize {
    let cell = |row: usize, column: usize| records[row].get(column).map_or("", bare);
    let width = records.iter().map(StringRecord::len).max().unwrap_or(0);
    // Dates stand in the first columns; a table is not searched whole.
    const DATE_COLUMNS: usize = 20;
    for column in 0..width.min(DATE_COLUMNS) {
        let dated: Vec<usize> = (0..records.len()).filter(|&row| dates::looks_like_a_date(cell(row, column))).collect();
        // A header of dates has one in each column; a column of dates has them in most rows.
        if 2 * dated.len() >= records.len() && (dated.len() > 1 || records.len() <= 2) {
            return dated[0];
        }
    }
    let is_number = |row: usize| cell(row, 0).parse::<f64>().is_ok();
    match (0..records.len()).find(|&row| is_number(row)) {
        Some(0) => {
            // Numbers may name columns only beside others that are no numbers.
            usize::from(records[0].iter().any(|name| !name.trim().is_empty() && name.trim().parse::<f64>().is_err()))
        }
        Some(row) if row <= records.len() / 2 => row,
        _ => 1.min(records.len()),
    }
}

fn no_header(source: &str, first: &StringRecord) -> Error {
    let label = shown(first.get(0).unwrap_or_default().trim());
    Error::input(format!("{source}: line 1: the first line begins with `{label}` and holds data: there is no header"))
        .hint("put a line of column names first: date,ASSET,ASSET,...")
}

/// One line of words each: a quoted name may span lines.
pub(crate) fn names_of(record: &StringRecord) -> Vec<String> {
    let mut names: Vec<String> =
        record.iter().map(|name| bare(name).split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    while names.len() > 1 && names.last().is_some_and(String::is_empty) {
        names.pop();
    }
    names
}

pub(crate) fn check<'a>(source: &str, names: impl ExactSizeIterator<Item = &'a str>) -> Result<()> {
    if names.len() > MOST_COLUMNS {
        return Err(Error::input(format!("{source}: {} columns, at most {MOST_COLUMNS}", names.len()))
            .hint("cut the file down to the assets that are needed"));
    }
    for name in names {
        if name.len() > LONGEST_NAME || name.chars().any(char::is_control) {
            return Err(Error::input(format!("{source}: `{}` is no name for a column", shown(name)))
                .hint("names are short and without control characters; is a quote left open?"));
        }
    }
    Ok(())
}

/// One name per column from several lines of names. A line of fields (`Close`, `Volume`) is kept apart from the assets'.
pub(crate) fn combine(levels: &mut Vec<Vec<String>>, remarks: &mut Notices) -> Vec<Name> {
    let plain = |text: String| Name { text, parts: None };
    if levels.len() == 1 {
        return levels.remove(0).into_iter().map(plain).collect();
    }
    let width = levels.iter().map(Vec::len).max().unwrap_or(0);
    let last = levels.len() - 1;
    let is_field = |name: &String| fields::field(name).is_some();
    let is_fields = |level: &Vec<String>| {
        level[1..].iter().any(is_field)
            && level[1..].iter().all(|name| is_field(name) || fields::is_date_name(name) || name.is_empty())
    };
    let of_fields = levels.iter().position(is_fields);
    for (level, names) in levels.iter_mut().enumerate() {
        names.resize(width, String::new());
        // Merged cells of a spreadsheet: the name stands above the first of its columns, which may be one of dates.
        let first = if of_fields.is_some_and(|fields| fields != level) { 1 } else { 2 };
        for column in first..width {
            if level < last && names[column].is_empty() {
                names[column] = names[column - 1].clone();
            }
        }
    }
    let different = |level: &Vec<String>| level[1..].iter().collect::<HashSet<_>>().len();
    let mut naming: Vec<usize> = (0..levels.len()).filter(|&level| Some(level) != of_fields).collect();
    // Names that tell all columns (or all of each field) apart are the assets'; what is the same everywhere is units.
    let field_of = |column: usize| of_fields.map_or("", |level| levels[level][column].as_str());
    // A column under the same words as the first is one of dates too: series stand side by side.
    let is_title = |column: usize| {
        column > 0
            && levels.iter().all(|names| names[column] == names[0])
            && levels.iter().any(|names| !names[0].is_empty())
    };
    let tells_apart = |level: &usize| {
        let columns = || (1..width).filter(|&column| !is_title(column));
        let names: HashSet<(&str, &str)> =
            columns().map(|column| (levels[*level][column].as_str(), field_of(column))).collect();
        names.len() == columns().count()
    };
    if let Some(&level) = naming.iter().find(|level| tells_apart(level)) {
        naming = vec![level];
    } else {
        naming.retain(|&level| different(&levels[level]) > 1);
    }
    if naming.is_empty() {
        naming.push(0);
    }
    remarks.push(format!("{} of names", count(levels.len(), "line")).into());
    let asset = |column: usize| {
        let parts: Vec<&str> =
            naming.iter().map(|&level| levels[level][column].as_str()).filter(|part| !part.is_empty()).collect();
        parts.join(" ")
    };
    let firsts = || levels.iter().map(|level| level[0].as_str());
    let first = firsts().rev().find(|name| fields::is_date_name(name)).or_else(|| firsts().next()).unwrap_or_default();
    let name = |column: usize| match of_fields.map(|level| &levels[level][column]) {
        _ if is_title(column) => plain(first.to_string()),
        Some(field) if fields::is_date_name(field) => plain(field.clone()),
        Some(field) if !field.is_empty() => {
            Name { text: format!("{field} {}", asset(column)), parts: Some((asset(column), field.clone())) }
        }
        _ => plain(asset(column)),
    };
    std::iter::once(plain(first.to_string())).chain((1..width).map(name)).collect()
}
