//! Ranges by name, from `G=0.2..0.5,H=..0.3,K=0.1` or from a text file of `group,min,max` rows. Either end may be left out;
//! a number alone is both.

use std::path::Path;

use crate::error::{Error, Result, option};
use crate::io::cells::{Cell, Decimal, Numbers};
use crate::io::names::plain;
use crate::io::shares::{Noun, Share, Sheet, entries, is_list, refuse_mixed};
use crate::io::{Input, shown};
use crate::wording::short;

/// Two ends, either of which may be open.
pub type Ends = [Option<f64>; 2];

/// What joins the ends.
const DOTS: &str = "..";

/// Both ends of a range, and whether each has a percent sign: none where the text is no range.
fn ends(text: &str) -> Option<[Option<(f64, bool)>; 2]> {
    let numbers = Numbers::new(Decimal::Point, false);
    let number = |text: &str| match numbers.parse(text) {
        Cell::Number(value) if value.is_finite() => Some((value, false)),
        Cell::Percent(value) if value.is_finite() => Some((value, true)),
        _ => None,
    };
    let Some((least, most)) = text.split_once(DOTS) else {
        return number(text).map(|both| [Some(both); 2]);
    };
    let [least, most] = [least, most].map(str::trim);
    if least.is_empty() && most.is_empty() {
        return None;
    }
    let end = |text: &str| if text.is_empty() { Some(None) } else { number(text).map(Some) };
    Some([end(least)?, end(most)?])
}

/// The error of a text that is no range.
fn no_range(place: &str, what: &str, text: &str) -> Error {
    Error::input(format!("{place}: {what} is no range: `{}`", shown(text.trim())))
        .hint("write 0.2..0.5, 0.2.., ..0.5 or one number; 20%..50% is the same")
}

/// A range by itself, such as -0.2..0.2.
///
/// # Errors
/// What is no range, or ends before it begins.
pub fn read_range(place: &str, text: &str) -> Result<Ends> {
    let ends = ends(text).ok_or_else(|| no_range(place, "this", text))?;
    let [least, most] = ends.map(|end| end.map(|(value, _)| value));
    if let Some((least, most)) = least.zip(most).filter(|(least, most)| least > most) {
        return Err(Error::input(format!("{place}: {} is above {}", short(least), short(most)))
            .hint("write the smaller number first"));
    }
    Ok([least, most])
}

/// The least and the largest of each name, of a list or a file.
///
/// # Errors
/// A file that cannot be read, names and ranges that are none, and ranges that end before they begin.
pub(crate) fn read(argument: &str, names: &[String], nouns: [Noun; 2]) -> Result<[Vec<Share>; 2]> {
    let found = match is_list(argument) {
        true => from_list(argument, nouns)?,
        false => from_file(&Input::from_argument(Some(Path::new(argument))), names, nouns)?,
    };
    let all: Vec<Share> = found.iter().flatten().cloned().collect();
    refuse_mixed(&all, Noun { one: "weight", ..nouns[1] })?;
    Ok(found)
}

/// Adds one entry.
fn put(found: &mut [Vec<Share>; 2], [least, most]: [Option<Share>; 2]) -> Result<()> {
    if let (Some(least), Some(most)) = (&least, &most)
        && least.value > most.value
    {
        let (place, name) = (most.at(), shown(&most.name));
        let [least, most] = [least.value, most.value].map(short);
        return Err(Error::input(format!("{place}: the minimum of `{name}` is {least}, above its maximum of {most}"))
            .hint("write the smaller number first"));
    }
    found[0].extend(least);
    found[1].extend(most);
    Ok(())
}

fn from_list(list: &str, nouns: [Noun; 2]) -> Result<[Vec<Share>; 2]> {
    let mut found = [Vec::new(), Vec::new()];
    let place = option(nouns[0].option).to_string();
    for (name, text) in entries(list, nouns[0])? {
        let name = plain(name);
        let ends = ends(text).ok_or_else(|| no_range(&place, &format!("that of `{}`", shown(&name)), text))?;
        let share = |(value, percent)| Share { place: place.clone(), column: None, name: name.clone(), value, percent };
        put(&mut found, ends.map(|end| end.map(share)))?;
    }
    Ok(found)
}

fn from_file(input: &Input, names: &[String], nouns: [Noun; 2]) -> Result<[Vec<Share>; 2]> {
    let sheet = Sheet::read(input, &nouns)?;
    let (name, numbers) = if sheet.header.is_empty() {
        (0, [Some(1), Some(2)])
    } else {
        let numbers = nouns.map(|noun| sheet.number_column(noun));
        let name = sheet.name_column(names, nouns[0]).filter(|_| numbers != [None, None]);
        let columns = nouns.map(|noun| noun.columns[0]).join("`, `");
        (name.ok_or_else(|| sheet.unclear(nouns[0], "limit", &columns))?, numbers)
    };
    let mut found = [Vec::new(), Vec::new()];
    for row in &sheet.rows {
        let share = |end: usize| {
            // An empty cell is no limit.
            let number = numbers[end].filter(|&number| !row.1[number].trim().is_empty());
            number.map(|number| sheet.share(row, [name, number], nouns[end])).transpose()
        };
        put(&mut found, [share(0)?, share(1)?])?;
    }
    Ok(found)
}
