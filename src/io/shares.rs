//! Numbers by asset name, from `A=0.3,B=0.7` or from a text file of `asset,number` rows. Percent signs may be used; of a file
//! with more columns, two are taken by their names.

use std::path::Path;

use crate::error::{Error, Result, option};
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
    /// One of them, which its column may be called.
    pub one: &'static str,
    /// What else its column may be called.
    pub columns: &'static [&'static str],
    /// What its column may not be called: numbers of something else.
    pub others: &'static [&'static str],
}

/// One named number, and where it stands.
#[derive(Debug)]
pub struct Share {
    pub place: String,
    pub name: String,
    pub value: f64,
    /// It has a percent sign, and is a fraction now.
    pub percent: bool,
}

/// Reads them all. An argument with `=` is a list, unless there is a file of that name; all else is a file, `-` standard
/// input.
///
/// # Errors
/// A file that cannot be read, names and numbers that are none.
pub fn read(argument: &str, assets: &[String], noun: Noun) -> Result<Vec<Share>> {
    let path = Path::new(argument);
    let shares = match argument.contains('=') && !path.exists() {
        true => from_list(argument, noun),
        false => from_file(&Input::from_argument(Some(path)), assets, noun),
    }?;
    // 60 beside 40% may be either.
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
    Ok(shares)
}

/// The numbers in the order of `assets`; none for those that are not named.
///
/// # Errors
/// Names that are unknown or repeated.
pub fn by_asset(shares: Vec<Share>, assets: &[String], noun: Noun) -> Result<Vec<Option<f64>>> {
    let mut found: Vec<Option<f64>> = vec![None; assets.len()];
    for Share { place, name, value, .. } in shares {
        let asset =
            assets.iter().position(|asset| *asset == name).ok_or_else(|| names::unknown(&place, &name, assets))?;
        if found[asset].replace(value).is_some() {
            return Err(
                Error::input(format!("{place}: `{}` has two {}s", shown(&name), noun.one)).hint("keep one of them")
            );
        }
    }
    Ok(found)
}

fn from_list(list: &str, noun: Noun) -> Result<Vec<Share>> {
    let numbers = Numbers::new(Decimal::Point, false);
    let mut entries = Vec::new();
    for part in list.split(',').filter(|part| !part.trim().is_empty()) {
        let place = option(noun.option).to_string();
        // The last `=`: asset names may contain one.
        let Some((name, text)) = part.rsplit_once('=') else {
            return Err(Error::input(format!("{place}: `{}` has no {}", shown(part.trim()), noun.one))
                .hint(format!("write A=0.3,B=0.7; names with commas need a file of asset,{} lines", noun.one)));
        };
        entries.push(share(place, name, text, &numbers, noun)?);
    }
    Ok(entries)
}

fn from_file(input: &Input, assets: &[String], noun: Noun) -> Result<Vec<Share>> {
    let contents = input.load(Limits::default())?;
    if contents.format != Format::Text {
        return Err(contents.not_read());
    }
    let source = contents.name.as_str();
    let (text, _) = text::decode(source, &contents.bytes)?;
    let (mut table, _) = Table::open(source, &text)?;
    let mut rows: Vec<(u64, Vec<String>)> = Vec::new();
    // A first row with a number in it is an entry, not a header.
    if let [_, text] = &table.names[..]
        && matches!(table.numbers.parse(text), Cell::Number(_) | Cell::Percent(_))
    {
        rows.push((table.header_line, table.names.clone()));
    }
    let width = table.names.len();
    if let [_, called] = &table.names[..]
        && noun.others.contains(&called.to_lowercase().trim())
    {
        return Err(Error::input(format!("{source}: the column `{}` holds no {}s", shown(called), noun.one))
            .hint(format!("give amounts of money or shares of the whole, in a column called `{}`", noun.one)));
    }
    while let Some(line) = table.next_record()? {
        if table.width() < width.max(2) || (width.max(2)..table.width()).any(|column| !table.cell(column).is_empty()) {
            let cells = if width <= 2 { "two cells".to_string() } else { count(width, "cell") };
            return Err(Error::input(format!("{source}: line {line}: not {cells}"))
                .hint(format!("write asset,{} on each line", noun.one)));
        }
        rows.push((line, (0..table.width()).map(|column| table.cell(column).to_string()).collect()));
    }
    let [name, number] = if width <= 2 { [0, 1] } else { columns(source, &table.names, &rows, assets, noun)? };
    let place = |line: u64| format!("{source}: line {line}");
    rows.iter().map(|(line, cells)| share(place(*line), &cells[name], &cells[number], &table.numbers, noun)).collect()
}

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
/// The columns of assets and numbers in a file of several, by their names: of the former the one that names most of the
/// assets, of the latter one that says what the numbers are, or else the only one.
fn columns(
    source: &str,
    header: &[String],
    rows: &[(u64, Vec<String>)],
    assets: &[String],
    noun: Noun,
) -> Result<[usize; 2]> {
    let called = |wanted: &[&str]| -> Vec<usize> {
        let plain = |name: &str| name.to_lowercase().replace(['_', '-'], " ");
        let called = |name: &str| wanted.contains(&plain(name).trim().trim_end_matches("(%)").trim_end());
        (0..header.len()).filter(|&column| called(&header[column])).collect()
    };
    let known = |column: usize| rows.iter().filter(|(_, cells)| assets.contains(&plain(&cells[column]))).count();
    // The first of those that name as many.
    let name = called(&ASSETS).into_iter().rev().max_by_key(|&column| known(column));
    let numbers = called(noun.columns);
    let said = numbers.iter().copied().find(|&column| header[column].to_lowercase().contains(noun.one));
    let number = match numbers[..] {
        [one] => Some(one),
        _ => said,
    };
    name.zip(number).map(|(name, number)| [name, number]).ok_or_else(|| {
        Error::input(format!(
            "{source}: which of the columns {} hold assets and {}s?",
            listed(header.iter().map(String::as_str)),
            noun.one
        ))
        .hint(format!("call them `asset` and `{}`, or leave the others out", noun.one))
    })
}

fn share(place: String, name: &str, text: &str, numbers: &Numbers, noun: Noun) -> Result<Share> {
    let name = plain(name);
    let cell = numbers.parse(text);
    let percent = matches!(cell, Cell::Percent(_));
    match cell {
        Cell::Number(value) | Cell::Percent(value) if value.is_finite() => Ok(Share { place, name, value, percent }),
        _ => Err(Error::input(format!(
            "{place}: the {} of `{}` is no number: `{}`",
            noun.one,
            shown(&name),
            shown(text.trim())
        ))
        .hint("write shares like 0.25 or 25%")),
    }
}
