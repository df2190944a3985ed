//! The beginning of a text table: remarks, one or several lines of names, and where the data start.
//!
//! Data start at the first row with a date in the column that holds dates in most rows, or, without dates, at the first
//! row that begins with a number after one that does not. The rows before are names, levels of names (as pandas and data
//! vendors write them), units, or prose.

use csv::StringRecord;

use crate::error::{Error, Result};
use crate::io::cells::{Cell, Numbers};
use crate::io::layout::{self, Content, Sketch};
use crate::io::{count, dates, detect, listed, shown};

const MOST_COLUMNS: usize = 100_000;
const LONGEST_NAME: usize = 200;

pub(crate) struct Head {
    /// One sketch per column, with its name.
    pub columns: Vec<Sketch>,
    /// Columns that are not read, in order: other fields than the one chosen.
    pub left_out: Vec<usize>,
    /// Rows before the data, blank lines and remarks (`#`) not counted.
    pub records: usize,
    pub remarks: Vec<String>,
}

impl Head {
    /// Reads the beginning of a table from the first records of its text.
    pub(crate) fn read(source: &str, sample: &str, delimiter: u8, numbers: &Numbers) -> Result<Head> {
        let (comments, mut records): (Vec<StringRecord>, Vec<StringRecord>) =
            detect::records(sample, delimiter).partition(detect::is_comment);
        let mut remarks = Vec::new();
        if !comments.is_empty() {
            remarks.push(format!("{} with # left out", count(comments.len(), "line")));
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
        if levels.iter().any(|(_, names)| is_full(names)) {
            levels.retain(|(_, names)| is_full(names));
        }
        if levels.is_empty() {
            // numpy.savetxt writes the names as a remark.
            let named = comments.iter().rev().find(|comment| comment.len() == width);
            let Some(named) = named else { return Err(no_header(source, &records[start.min(records.len() - 1)])) };
            let mut names = names_of(named);
            names[0] = names[0].trim_start_matches('#').trim().to_string();
            remarks.push("names are taken from a line with #".to_string());
            levels.push((0, names));
        }
        let prose = start - levels.iter().filter(|(row, _)| *row < start).count().min(start);
        if prose > 0 {
            remarks.push(format!("{} beside the names left out", count(prose, "line")));
        }
        let mut levels: Vec<Vec<String>> = levels.into_iter().map(|(_, names)| names).collect();
        // R leaves the name of its row names out.
        if let [names] = &mut levels[..]
            && names.len() + 1 == width
            && records[start..].iter().all(|record| record.len() == width && !record[width - 1].trim().is_empty())
            && !dates::is_date_name(&names[0])
        {
            names.insert(0, String::new());
        }
        let (names, left_out) = combine(&mut levels, &mut remarks);
        check(source, &names)?;
        let dated = names.iter().filter(|name| dates::looks_like_a_date(name)).count();
        if dated > 2 && 2 * dated > names.len() {
            return Err(Error::input(format!(
                "{source}: dates run across the columns: `{}`",
                shown(&names[names.len() - 1])
            ))
            .hint("exchange rows and columns: dates in the first column, one column per asset"));
        }
        start = start.min(records.len());
        records.drain(..start);
        let columns =
            names.into_iter().enumerate().map(|(column, name)| sketch(name, column, &records, numbers)).collect();
        Ok(Head { columns, left_out, records: start, remarks })
    }
}

/// The row at which data start.
fn data_start(records: &[StringRecord]) -> usize {
    let cell = |row: usize, column: usize| records[row].get(column).map_or("", str::trim);
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
        record.iter().map(|name| name.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    while names.len() > 1 && names.last().is_some_and(String::is_empty) {
        names.pop();
    }
    names
}

pub(crate) fn check(source: &str, names: &[String]) -> Result<()> {
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

/// One name per column from several levels, and the columns of fields that are not read.
pub(crate) fn combine(levels: &mut Vec<Vec<String>>, remarks: &mut Vec<String>) -> (Vec<String>, Vec<usize>) {
    if levels.len() == 1 {
        return (levels.remove(0), Vec::new());
    }
    let width = levels.iter().map(Vec::len).max().unwrap_or(0);
    let last = levels.len() - 1;
    for (level, names) in levels.iter_mut().enumerate() {
        names.resize(width, String::new());
        // Merged cells of a spreadsheet: the name stands above the first of its columns.
        for column in 2..width {
            if level < last && names[column].is_empty() {
                names[column] = names[column - 1].clone();
            }
        }
    }
    let different = |level: &Vec<String>| level[1..].iter().collect::<std::collections::HashSet<_>>().len();
    let mut left_out = Vec::new();
    let fields = levels.iter().position(|level| level[1..].iter().all(|name| layout::is_field(name)));
    let mut naming: Vec<usize> = (0..levels.len()).filter(|&level| Some(level) != fields).collect();
    if let Some(fields) = fields {
        let names = &levels[fields];
        let mut kinds: Vec<&str> = Vec::new();
        names[1..].iter().for_each(|name| {
            if !kinds.contains(&name.as_str()) {
                kinds.push(name);
            }
        });
        if let Some(place) = layout::preferred(kinds.iter().copied()).filter(|_| kinds.len() > 1) {
            let chosen = kinds[place];
            left_out = (1..width).filter(|&column| names[column] != chosen).collect();
            remarks.push(format!("of {}, `{}` is read", listed(kinds.iter().copied()), shown(chosen)));
        }
    }
    // Names that tell all columns apart are the assets'; what is the same everywhere, or left, is units.
    let columns: Vec<usize> = (1..width).filter(|column| left_out.binary_search(column).is_err()).collect();
    let tells_apart = |level: &usize| {
        let names: std::collections::HashSet<&String> = columns.iter().map(|&column| &levels[*level][column]).collect();
        names.len() == columns.len()
    };
    if let Some(&level) = naming.iter().find(|level| tells_apart(level)) {
        naming = vec![level];
    } else {
        naming.retain(|&level| different(&levels[level]) > 1);
    }
    if naming.is_empty() {
        naming.push(0);
    }
    remarks.push(format!("{} of names", count(levels.len(), "line")));
    let name = |column: usize| {
        let parts: Vec<&str> =
            naming.iter().map(|&level| levels[level][column].as_str()).filter(|part| !part.is_empty()).collect();
        parts.join(" ")
    };
    (std::iter::once(levels[0][0].clone()).chain((1..width).map(name)).collect(), left_out)
}

/// What the cells of a column are, by its first rows.
fn sketch(name: String, column: usize, records: &[StringRecord], numbers: &Numbers) -> Sketch {
    let cells = records.iter().map(|record| record.get(column).map_or("", str::trim));
    let numbers = Numbers::new(numbers.decimal, numbers.is_certain);
    let (mut dates, mut amounts, mut texts) = (0, 0, 0);
    let mut values: Vec<f64> = Vec::new();
    let mut seen = std::collections::HashSet::new();
    let mut repeats = false;
    for cell in cells {
        let parsed = numbers.parse(cell);
        if parsed != Cell::Missing {
            repeats |= !seen.insert(cell);
        }
        match parsed {
            Cell::Missing => {}
            // Days written as one number are dates only under such a name: they are told later.
            Cell::Number(number) => {
                amounts += 1;
                values.push(number);
            }
            Cell::Percent(number) => {
                amounts += 1;
                values.push(number);
            }
            Cell::Text if dates::looks_like_a_date(cell) => dates += 1,
            Cell::Text => texts += 1,
        }
    }
    let content = match dates + amounts + texts {
        0 => Content::Empty,
        cells if 2 * dates > cells => Content::Dates,
        cells if 2 * amounts >= cells => Content::Numbers,
        _ => Content::Text,
    };
    let is_compact = content == Content::Numbers
        && values.iter().all(|x| (18_000_101.0..22_001_231.0).contains(x) && dates::looks_like_a_date(&x.to_string()));
    Sketch {
        name,
        content: if is_compact { Content::Dates } else { content },
        is_count: layout::is_count(&values),
        is_measured: layout::is_measured(&values),
        repeats,
        different: seen.len(),
        is_index: false,
    }
}
