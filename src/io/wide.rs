//! Wide text: one row per date, one column per asset, labels first.

use crate::error::{Error, Result};
use crate::io::cells::{self, Cell, Decimal};
use crate::io::csv::Table;
use crate::io::history::History;
use crate::io::{Notices, dates, names, shown};

/// More cells than this are refused: a gibibyte of numbers.
const MOST_CELLS: usize = 1 << 27;
/// More rows than this are refused: 40 years of minutes still fit.
const MOST_ROWS: usize = 1 << 22;

/// Reads the assets asked for, all others are not even looked at. Percentages are taken only when `percent` is set.
pub(crate) fn read(source: &str, bytes: &[u8], assets: Option<&[String]>, percent: bool) -> Result<(History, Notices)> {
    let (mut table, mut notices) = Table::open(source, bytes)?;
    let Some((_, columns)) = table.names.split_first().filter(|(_, columns)| !columns.is_empty()) else {
        return Err(Error::input(format!("{source}: no asset columns: there is one column only"))
            .hint("the first column holds dates, each further column an asset"));
    };
    refuse_data_as_header(&table)?;
    let chosen = names::choose(source, columns, assets)?;
    let mut history = History {
        source: source.to_string(),
        assets: chosen.iter().map(|&asset| columns[asset].clone()).collect(),
        columns: chosen.iter().map(|asset| asset + 2).collect(),
        labels: Vec::new(),
        keys: dates::Keys::Names,
        lines: Vec::new(),
        values: Vec::new(),
    };
    let mut percentages = Percentages::new(chosen.len());
    while let Some(line) = table.next()? {
        history.lines.push(line);
        history.labels.push(table.cell(0).to_string());
        for (asset, &column) in history.columns.iter().enumerate() {
            let text = table.cell(column - 1);
            let cell = cells::parse(text, table.decimal);
            percentages.see(asset, line, cell);
            history.values.push(match cell {
                Cell::Missing => f64::NAN,
                Cell::Number(number) => number,
                Cell::Percent(number) if percent => number,
                Cell::Percent(_) | Cell::Text => return Err(unreadable(&table, &history, line, asset, text)),
            });
        }
        if history.values.len() > MOST_CELLS || history.labels.len() > MOST_ROWS {
            return Err(Error::input(format!("{source}: more than {MOST_ROWS} rows or {MOST_CELLS} cells"))
                .hint("cut it down to the assets and dates that are needed"));
        }
    }
    if history.labels.is_empty() {
        return Err(Error::input(format!("{source}: a header and no rows")));
    }
    let (keys, more) = dates::read(&history.labels, |row| format!("{source}: line {}", history.lines[row]))?;
    history.keys = keys;
    notices.extend(more);
    notices.extend(percentages.finish(&history)?);
    Ok((history, notices))
}

/// A first line that holds data itself: taking its numbers for names would lose it.
fn refuse_data_as_header(table: &Table<'_>) -> Result<()> {
    let (label, names) = (&table.names[..1], &table.names[1..]);
    let is_data = match dates::read(label, |_| String::new()) {
        Ok((dates::Keys::Dates(_), _)) => true,
        Ok((dates::Keys::Numbers(_), _)) => names.iter().all(|name| name.parse::<f64>().is_ok()),
        _ => false,
    };
    match is_data {
        false => Ok(()),
        true => Err(Error::input(format!(
            "{}: line {}: the first line begins with `{}` and holds data: there is no header",
            table.source,
            table.header_line,
            shown(&label[0])
        ))
        .hint("put a line of column names first: date,ASSET,ASSET,...")),
    }
}

fn unreadable(table: &Table<'_>, history: &History, line: u64, asset: usize, text: &str) -> Error {
    let (source, column, label) = (table.source, history.columns[asset], shown(table.cell(0)));
    let is_number = |column| matches!(cells::parse(table.cell(column), table.decimal), Cell::Number(_));
    if column == 2 && table.names.len() == 3 && is_number(2) && history.labels.len() == 1 {
        return Error::input(format!(
            "{source}: line {line}: the second column holds names like `{}`: this looks like a long table, one row per date and asset",
            shown(text)
        ))
        .hint("pivot it to one column per asset; long tables are not read yet");
    }
    let name = shown(&history.assets[asset]);
    let error = Error::input(format!(
        "{source}: line {line}, column {column} (`{name}`, {label}): `{}` is not a number",
        shown(text)
    ));
    match cells::parse(text, Decimal::Point) {
        Cell::Percent(_) => error.hint("a percentage is a return: say --returns"),
        _ if text.contains(',') => error.hint("numbers take a decimal point and no thousands separators"),
        _ => error.hint(format!("correct the cell, empty it if it is missing, or leave `{name}` out with --assets")),
    }
}

/// Whether each column writes percent signs; a column that writes some is not to be trusted.
struct Percentages {
    /// First line with a percent sign and first line without one, per asset. A bare zero says nothing.
    seen: Vec<[Option<u64>; 2]>,
}

impl Percentages {
    fn new(assets: usize) -> Percentages {
        Percentages { seen: vec![[None; 2]; assets] }
    }

    fn see(&mut self, asset: usize, line: u64, cell: Cell) {
        let [with, without] = &mut self.seen[asset];
        match cell {
            Cell::Percent(_) => _ = with.get_or_insert(line),
            Cell::Number(number) if number != 0.0 => _ = without.get_or_insert(line),
            _ => {}
        }
    }

    fn finish(&self, history: &History) -> Result<Option<String>> {
        for (asset, seen) in self.seen.iter().enumerate() {
            if let [Some(with), Some(without)] = seen {
                return Err(Error::input(format!(
                    "{}: column {} (`{}`) has a percent sign in line {with} and none in line {without}",
                    history.source,
                    history.columns[asset],
                    shown(&history.assets[asset])
                ))
                .hint("write the whole column with percent signs or without"));
            }
        }
        let columns = self.seen.iter().filter(|seen| seen[0].is_some()).count();
        Ok((columns > 0).then(|| {
            format!("{}: percent signs in {columns} of {} columns: 1.25% is 0.0125", history.source, self.seen.len())
        }))
    }
}
