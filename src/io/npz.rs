//! NPZ: a zip archive of NPY arrays. One of them is the history; others may name its assets and date its rows.

use std::io::{Cursor, Read};

use zip::ZipArchive;

use crate::error::{Error, Result};
use crate::io::guard::damaged;
use crate::io::history::History;
use crate::io::npy::history::tabulate;
use crate::io::npy::member::{Cells, Member, parse};
use crate::io::{Detected, Kind, Limits, Notices, Request, listed, shown};

const NAME: &str = "NPZ archive";
/// More arrays than this are no history.
const MOST_MEMBERS: usize = 1_000;

const PRICES: [&str; 8] = ["prices", "price", "close", "adj_close", "px", "levels", "data", "arr_0"];
const RETURNS: [&str; 7] = ["returns", "return", "rets", "ret", "r", "data", "arr_0"];
const ASSETS: [&str; 8] = ["assets", "tickers", "symbols", "columns", "names", "asset_names", "names_", "labels"];
const DATES: [&str; 6] = ["dates", "date", "index", "time", "timestamps", "days"];

pub(crate) fn read(source: &str, bytes: &[u8], request: &Request<'_>) -> Result<(Vec<History>, Detected)> {
    let mut remarks = Notices::new();
    let mut members = members(source, bytes, request.limits, &mut remarks)?;
    let tables: Vec<usize> = (0..members.len())
        .filter(|&place| {
            let Member { shape, cells } = &members[place].1;
            shape.len() == 2 && matches!(cells, Cells::Numbers(_))
        })
        .collect();
    let named = |wanted: &[&str]| {
        let position = |name: &&str| tables.iter().copied().find(|&place| members[place].0.eq_ignore_ascii_case(name));
        wanted.iter().find_map(position)
    };
    let kinds: [&[&str]; 2] = if request.kind == Kind::Returns { [&RETURNS, &PRICES] } else { [&PRICES, &RETURNS] };
    let names = || listed_names(&members);
    let table = match tables[..] {
        [one] => one,
        [] => {
            return Err(Error::input(format!("{source}: of the arrays {} none is a table of numbers", names()))
                .hint("save the history as one array, rows x assets: numpy.savez(path, prices=..)"));
        }
        _ => named(kinds[0]).or_else(|| named(kinds[1])).ok_or_else(|| {
            Error::input(format!("{source}: which of the arrays {} is the history?", names()))
                .hint("call it `prices` or `returns`")
        })?,
    };
    let [rows, n] = members[table].1.shape[..] else { unreachable!("a table has two dimensions") };
    let assets = names_beside(&members, n);
    let dates = list(&members, &DATES, rows, |cells| matches!(cells, Cells::Text(_) | Cells::Dates(_)));
    if members.len() > 1 {
        let name = |place: usize| format!("`{}`", shown(&members[place].0));
        let mut remark = format!("of the arrays {}, {} is read", names(), name(table));
        remark += &assets.map_or(String::new(), |place| format!(", with names from {}", name(place)));
        remark += &dates.map_or(String::new(), |place| format!(", with dates from {}", name(place)));
        remarks.push(remark.into());
    }
    let mut detected =
        Detected { source: source.to_string(), format: "npz", layout: "wide", remarks, ..Detected::default() };
    let mut words = |place: Option<usize>| take_words(&mut members[place?].1);
    let (assets, dates) = (words(assets), words(dates));
    let history = tabulate(source, members.swap_remove(table).1, assets, dates, request, &mut detected)?;
    Ok((vec![history], detected))
}

/// "`a`, `b`"
pub(crate) fn listed_names(members: &[(String, Member)]) -> String {
    listed(members.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().into_iter())
}

/// The array that names so many assets.
pub(crate) fn names_beside(members: &[(String, Member)], assets: usize) -> Option<usize> {
    list(members, &ASSETS, assets, |cells| matches!(cells, Cells::Text(_)))
}

/// The array of this length whose name is one of those wanted.
fn list(
    members: &[(String, Member)],
    wanted: &[&str],
    length: usize,
    is_good: impl Fn(&Cells) -> bool,
) -> Option<usize> {
    members.iter().position(|(name, Member { shape, cells })| {
        shape[..] == [length] && is_good(cells) && wanted.iter().any(|wanted| name.eq_ignore_ascii_case(wanted))
    })
}

/// The words of an array, which holds none any more.
pub(crate) fn take_words(member: &mut Member) -> Option<Vec<String>> {
    match std::mem::replace(&mut member.cells, Cells::Numbers(Vec::new())) {
        Cells::Text(words) | Cells::Dates(words) => Some(words),
        Cells::Numbers(_) => None,
    }
}

/// The arrays that can be read, with their names.
pub(crate) fn members(
    source: &str,
    bytes: &[u8],
    limits: Limits,
    remarks: &mut Notices,
) -> Result<Vec<(String, Member)>> {
    let bad = |error: zip::result::ZipError| damaged(source, NAME, error);
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(bad)?;
    if archive.file_names().flatten().any(|name| name.starts_with("xl/") || name == "[Content_Types].xml") {
        return Err(Error::input(format!("{source}: this is an Excel workbook"))
            .hint("save the sheet as CSV: dates in the first column, one column per asset"));
    }
    if archive.len() > MOST_MEMBERS {
        return Err(damaged(source, NAME, format!("{} members", archive.len())));
    }
    let mut unpacked = 0_u64;
    let mut members = Vec::new();
    let mut refused: Option<Error> = None;
    for place in 0..archive.len() {
        let mut member = archive.by_index(place).map_err(bad)?;
        let name = member.name().map_err(bad)?.strip_suffix(".npy").map(str::to_string);
        let Some(name) = name else { continue };
        unpacked = unpacked.saturating_add(member.size());
        limits.check_bytes(source, unpacked)?;
        let length = member.size();
        let place = format!("{source}: `{}`", shown(&name));
        // No more is unpacked than was declared, whatever the member holds.
        match parse(&place, (&mut member).take(length), length) {
            Ok(array) => {
                // The checksum is compared at the end.
                let end = member.read(&mut [0]).map_err(|error| damaged(&place, NAME, error))?;
                if end > 0 {
                    return Err(damaged(&place, NAME, "more bytes than it says"));
                }
                members.push((name, array));
            }
            // Pickles among other arrays are passed over; alone they are what is wrong. A damaged array always is.
            Err(error) => {
                std::io::copy(&mut member, &mut std::io::sink()).map_err(|error| damaged(&place, NAME, error))?;
                remarks.push(format!("`{}` is not read ({})", shown(&name), error.message.nested()).into());
                refused = refused.or(Some(error));
            }
        }
    }
    match (members.is_empty(), refused) {
        (true, Some(error)) => Err(error),
        (true, None) => Err(Error::input(format!("{source}: a zip archive without NPY arrays"))
            .hint("unpack it first, or save the history as CSV")),
        _ => Ok(members),
    }
}
