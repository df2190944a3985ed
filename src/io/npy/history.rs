//! A history of numbers alone, or with what names and dates an archive holds beside them.

use crate::error::Result;
use crate::io::history::History;
use crate::io::{Detected, Request, in_memory};
use crate::panel::Labels;

use super::member::{Cells, Member, parse};
use super::refuse;

/// A history of numbers alone: rows x assets, or the rows of one asset.
pub(crate) fn read(name: &str, bytes: &[u8], request: &Request<'_>) -> Result<(Vec<History>, Detected)> {
    let member = parse(name, bytes, bytes.len() as u64)?;
    let mut detected = Detected { source: name.to_string(), format: "npy", layout: "wide", ..Detected::default() };
    let history = tabulate(name, member, None, None, request, &mut detected)?;
    Ok((vec![history], detected))
}

/// Rows x assets with what names and labels there are; without, assets are called 0, 1, 2, ..
pub(crate) fn tabulate(
    source: &str,
    member: Member,
    assets: Option<Vec<String>>,
    labels: Option<Vec<String>>,
    request: &Request<'_>,
    detected: &mut Detected,
) -> Result<History> {
    let Member { shape, cells } = member;
    let n = match shape[..] {
        [_] => 1,
        [_, n] => n,
        _ => {
            return Err(refuse(source, format!("an array of shape {shape:?}, where rows x assets are needed")));
        }
    };
    let Cells::Numbers(values) = cells else {
        return Err(refuse(source, format!("an array of {}, where numbers are needed", cells.name())));
    };
    let names = assets.unwrap_or_else(|| (0..n).map(|asset| asset.to_string()).collect());
    let has_labels = labels.is_some();
    let history = in_memory::history(source, names, labels.map(Labels::Text), values, request, detected)?;
    in_memory::chosen(history, has_labels, request)
}
