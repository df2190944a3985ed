//! Numbers by name, from `A=0.3,B=0.7` or from a text file of `asset,number` rows. Names are those of assets or of their
//! groups. Percent signs may be used; of a file with more columns, those that are wanted are taken by their names.

use std::path::Path;

use crate::error::{Error, ErrorKind, Result, option};
use crate::io::cells::{Cell, Decimal, Numbers};
use crate::io::csv::Table;
use crate::io::input::Format;
use crate::io::names::plain;
use crate::io::{Input, Limits, count, listed, names, shown, text};

/// What the numbers are.
#[derive(Debug, Clone, Copy)]
pub struct Noun {
    /// The option that gives them.
    pub option: &'static str,
    /// What has them: an asset, or a group.
    pub of: &'static str,
    /// One of them.
    pub one: &'static str,
    /// What its column may be called, the usual name first.
    pub columns: &'static [&'static str],
    /// What its column may not be called: numbers of something else.
    pub others: &'static [&'static str],
    /// How one may be written.
    pub like: &'static str,
}

/// Shares of a whole, as they may be written.
pub const SHARES: &str = "shares like 0.25 or 25%";

/// One named number, and where it stands.
#[derive(Debug, Clone)]
pub struct Share {
    /// The option, or the line of a file.
    pub place: String,
    /// From 1, in a file.
    pub column: Option<usize>,
    pub name: String,
    pub value: f64,
    /// It has a percent sign, and is a fraction now.
    pub percent: bool,
}

impl Share {
    /// Where the number itself stands.
    pub fn at(&self) -> String {
        at(&self.place, self.column)
    }
}

fn at(place: &str, column: Option<usize>) -> String {
    column.map_or(place.to_string(), |column| format!("{place}, column {column}"))
}

/// Whether an argument is a list: it has a `=`, and no file is called so. All else is a file, `-` standard input.
pub(crate) fn is_list(argument: &str) -> bool {
    argument.contains('=') && !Path::new(argument).exists()
}

/// What is wrong in a list was typed as a flag.
pub(crate) fn typed<T>(argument: &str, result: Result<T>) -> Result<T> {
    result.map_err(|error| match error.kind {
        ErrorKind::Input if is_list(argument) => Error { kind: ErrorKind::Usage, ..error },
        _ => error,
    })
}

/// Reads them all, of a list or a file.
///
/// # Errors
/// A file that cannot be read, names and numbers that are none.
pub fn read(argument: &str, names: &[String], noun: Noun) -> Result<Vec<Share>> {
    let shares = match is_list(argument) {
        true => from_list(argument, noun),
        false => from_file(&Input::from_argument(Some(Path::new(argument))), names, noun),
    }?;
    refuse_mixed(&shares, noun)?;
    Ok(shares)
}

/// 60 beside 40% may be either.
pub(crate) fn refuse_mixed(shares: &[Share], noun: Noun) -> Result<()> {
    let plain = shares.iter().find(|share| !share.percent && share.value.abs() > 1.0);
    if let (Some(plain), true) = (plain, shares.iter().any(|share| share.percent)) {
        return Err(Error::input(format!(
            "{}: the {} of `{}` is {} without a percent sign, and others have one",
            plain.place,
            noun.one,
            shown(&plain.name),
            plain.value
        ))
        .hint("write all of them in percent, or none"));
    }
    Ok(())
}

/// The numbers in the order of `names`; none for those that are not named.
///
/// # Errors
/// Names that are unknown or repeated.
pub fn by_name(shares: Vec<Share>, names: &[String], noun: Noun) -> Result<Vec<Option<f64>>> {
    let mut found: Vec<Option<f64>> = vec![None; names.len()];
    for Share { place, name, value, .. } in shares {
        let known = names.iter().position(|known| *known == name);
        let known = known.ok_or_else(|| names::unknown_of(noun.of, &place, &name, names))?;
        if found[known].replace(value).is_some() {
            return Err(
                Error::input(format!("{place}: `{}` has two {}s", shown(&name), noun.one)).hint("keep one of them")
            );
        }
    }
    Ok(found)
}

/// The entries of a list, each a name and the text behind its last `=`: names may contain one.
pub(crate) fn entries(list: &str, noun: Noun) -> Result<Vec<(&str, &str)>> {
    list.split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .map(|part| {
            part.rsplit_once('=').ok_or_else(|| {
                Error::input(format!("{}: `{}` has no {}", option(noun.option), shown(part), noun.one)).hint(format!(
                    "write A=0.3,B=0.7; names with commas need a file of {},{} lines",
                    noun.of, noun.columns[0]
                ))
            })
        })
        .collect()
}

fn from_list(list: &str, noun: Noun) -> Result<Vec<Share>> {
    let numbers = Numbers::new(Decimal::Point, false);
    let place = || option(noun.option).to_string();
    entries(list, noun)?.into_iter().map(|(name, text)| share(place(), None, name, text, &numbers, noun)).collect()
}

fn from_file(input: &Input, names: &[String], noun: Noun) -> Result<Vec<Share>> {
    let sheet = Sheet::read(input, &[noun])?;
    let [name, number] = match sheet.header[..] {
        [_, ref called] if noun.others.contains(&spaced(called).as_str()) => {
            return Err(Error::input(format!(
                "{}: the column `{}` holds no {}s",
                sheet.source,
                shown(called),
                noun.one
            ))
            .hint(format!("give {}, in a column called `{}`", noun.like, noun.columns[0])));
        }
        [] | [_] => [0, 1],
        [_, _] => sheet.columns(names, noun).unwrap_or([0, 1]),
        _ => sheet.columns(names, noun)?,
    };
    sheet.rows.iter().map(|row| sheet.share(row, [name, number], noun)).collect()
}

/// The rows of a small table.
#[derive(Debug)]
pub(crate) struct Sheet {
    pub source: String,
    /// Empty where the first row is an entry.
    pub header: Vec<String>,
    /// Lines and cells; as many cells as the header has names, or as entries have.
    pub rows: Vec<(u64, Vec<String>)>,
    numbers: Numbers,
}

impl Sheet {
    /// Of entries with a name and these numbers.
    ///
    /// # Errors
    /// A file that cannot be read, rows that are too short or too long.
    pub(crate) fn read(input: &Input, nouns: &[Noun]) -> Result<Sheet> {
        let contents = input.load(Limits::default())?;
        if contents.format != Format::Text {
            return Err(contents.not_read());
        }
        let source = contents.name.as_str();
        let (text, _) = text::decode(source, &contents.bytes)?;
        let (mut table, _) = Table::open(source, &text)?;
        let least = 1 + nouns.len();
        let (mut header, mut rows) = (table.names.clone(), Vec::new());
        // A first row with a number in it is an entry, not a header.
        let is_number = |cell: &String| matches!(table.numbers.parse(cell), Cell::Number(_) | Cell::Percent(_));
        if (2..=least).contains(&header.len()) && header[1..].iter().any(is_number) {
            header.resize(least, String::new());
            rows.push((table.header_line, std::mem::take(&mut header)));
        }
        // An asset is enough of a header, as `asset,min` is where there is no maximum.
        let width = if rows.is_empty() { header.len().max(2) } else { least };
        while let Some(line) = table.next_record()? {
            if table.width() < width || (width..table.width()).any(|column| !table.cell(column).is_empty()) {
                let cells = if width == 2 { "two cells".to_string() } else { count(width, "cell") };
                let columns: Vec<&str> = nouns.iter().map(|noun| noun.columns[0]).collect();
                return Err(Error::input(format!("{source}: line {line}: not {cells}")).hint(format!(
                    "write {},{} on each line",
                    nouns[0].of,
                    columns.join(",")
                )));
            }
            rows.push((line, (0..width).map(|column| table.cell(column).to_string()).collect()));
        }
        if rows.is_empty() {
            return Err(Error::input(format!("{source}: nothing stands below the line of names"))
                .hint(format!("write {},{} on each line", nouns[0].of, nouns[0].columns[0])));
        }
        Ok(Sheet { source: source.to_string(), header, rows, numbers: table.numbers })
    }

    /// Its columns that are called one of these.
    fn called(&self, wanted: &[&str]) -> Vec<usize> {
        (0..self.header.len()).filter(|&column| wanted.contains(&spaced(&self.header[column]).as_str())).collect()
    }

    /// The column of names: of several that may be, the one that holds most of the known ones.
    pub(crate) fn name_column(&self, names: &[String], noun: Noun) -> Option<usize> {
        let known =
            |column: usize| self.rows.iter().filter(|(_, cells)| names.contains(&plain(&cells[column]))).count();
        let called = self.called(if noun.of == "group" { &GROUPS } else { &ASSETS });
        // The first of those that name as many.
        called.into_iter().rev().max_by_key(|&column| known(column))
    }

    /// The column of numbers: the only one that may be, or else the one that says what they are.
    pub(crate) fn number_column(&self, noun: Noun) -> Option<usize> {
        let numbers = self.called(noun.columns);
        let said =
            || numbers.iter().copied().find(|&column| self.header[column].to_lowercase().contains(noun.columns[0]));
        match numbers[..] {
            [one] => Some(one),
            _ => said(),
        }
    }

    /// The columns of names and numbers in a file of several, by their names.
    fn columns(&self, names: &[String], noun: Noun) -> Result<[usize; 2]> {
        let columns = self.name_column(names, noun).zip(self.number_column(noun));
        columns.map(|(name, number)| [name, number]).ok_or_else(|| self.unclear(noun, noun.one, noun.columns[0]))
    }

    /// The error where the columns cannot be told.
    pub(crate) fn unclear(&self, noun: Noun, numbers: &str, columns: &str) -> Error {
        Error::input(format!(
            "{}: which of the columns {} hold {}s and {numbers}s?",
            self.source,
            listed(self.header.iter().map(String::as_str)),
            noun.of,
        ))
        .hint(format!("call them `{}` and `{columns}`, or leave the others out", noun.of))
    }

    /// A row as an entry, name and number in these columns.
    pub(crate) fn share(&self, row: &(u64, Vec<String>), [name, number]: [usize; 2], noun: Noun) -> Result<Share> {
        let (line, cells) = row;
        let place = format!("{}: line {line}", self.source);
        share(place, Some(number + 1), &cells[name], &cells[number], &self.numbers, noun)
    }
}

/// The name of a column in small letters, without what joins its words and without `(%)`.
fn spaced(name: &str) -> String {
    let name = name.to_lowercase().replace(['_', '-'], " ");
    name.trim().trim_end_matches("(%)").trim_end().to_string()
}

/// Names of columns that hold groups.
const GROUPS: [&str; 11] =
    ["group", "groups", "class", "asset class", "sector", "industry", "region", "country", "name", "names", ""];

/// Names of columns that hold assets.
const ASSETS: [&str; 12] = [
    "asset",
    "assets",
    "ticker",
    "tickers",
    "symbol",
    "symbols",
    "name",
    "names",
    "instrument",
    "security",
    "fund",
    "",
];

fn share(place: String, column: Option<usize>, name: &str, text: &str, numbers: &Numbers, noun: Noun) -> Result<Share> {
    let name = plain(name);
    let cell = numbers.parse(text);
    let percent = matches!(cell, Cell::Percent(_));
    match cell {
        Cell::Number(value) | Cell::Percent(value) if value.is_finite() => {
            Ok(Share { place, column, name, value, percent })
        }
        _ => Err(Error::input(format!(
            "{}: the {} of `{}` is no number: `{}`",
            at(&place, column),
            noun.one,
            shown(&name),
            shown(text.trim())
        ))
        .hint(format!("write {}", noun.like))),
    }
}
