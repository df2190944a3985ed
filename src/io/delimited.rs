//! A history from delimited text: encoding -> dialect -> head -> layout -> rows.

use crate::error::{Error, Result};
use crate::io::cells::Decimal;
use crate::io::csv::Table;
use crate::io::detect::{self, Dialect};
use crate::io::head::Head;
use crate::io::history::History;
use crate::io::layout::{self, Layout};
use crate::io::{Detected, EMPTY, Kind, Request, shown, text, wide};

pub(crate) fn read(source: &str, bytes: &[u8], request: &Request<'_>) -> Result<(History, Detected)> {
    let (text, encoding) = text::decode(source, bytes)?;
    let dialect = Dialect::detect(source, &text, request.notation)?;
    let mut detected = Detected {
        source: source.to_string(),
        format: "csv",
        encoding,
        delimiter: Some(detect::name(dialect.delimiter)),
        decimal_mark: Some(if dialect.numbers.decimal == Decimal::Comma { "comma" } else { "point" }),
        remarks: encoding.map(|name| format!("the text is in {name}")).into_iter().collect(),
        ..Detected::default()
    };
    detected.remarks.extend(dialect.remarks());
    let head = Head::read(source, detect::sample(&text), dialect.delimiter, &dialect.numbers)?;
    detected.remarks.extend(head.remarks);
    let (columns, places): (Vec<_>, Vec<usize>) =
        head.columns.iter().cloned().zip(0..).filter(|(_, place)| head.left_out.binary_search(place).is_err()).unzip();
    // Positions among the columns that are read, back to those of the file.
    let in_file = |column: usize| places[column];
    let (layout, remarks) = layout::decide(source, &columns, request.notation.long)?;
    detected.remarks.extend(remarks);
    let mut table = Table::start(source, &text, dialect);
    table.skip(head.records)?;
    table.names = head.columns.into_iter().map(|column| column.name).collect();

    let (mut history, percentages, labels) = match layout {
        Layout::Long { labels, asset, value } => {
            detected.layout = "long";
            let places = [labels, asset, value].map(in_file);
            let (mut history, percentages, remark) = wide::read_long(&mut table, places, request.limits)?;
            detected.remarks.extend(remark);
            let column = in_file(value) + 1;
            let chosen = request.choose(source, &history.assets, |_| column)?;
            history.take_assets(&chosen);
            (history, percentages, Some(labels))
        }
        Layout::Wide { labels, .. } | Layout::Single { labels, .. } => {
            let (assets, names): (Vec<usize>, Vec<String>) = match &layout {
                Layout::Wide { assets, .. } => {
                    detected.layout = "wide";
                    (assets.clone(), assets.iter().map(|&column| columns[column].name.clone()).collect())
                }
                Layout::Single { value, .. } | Layout::Long { value, .. } => {
                    detected.layout = "single";
                    (vec![*value], vec![Request::name_of_single(source, &columns[*value].name, &mut detected.remarks)])
                }
            };
            let chosen = request.choose(source, &names, |asset| in_file(assets[asset]) + 1)?;
            let places: Vec<usize> = chosen.iter().map(|&asset| in_file(assets[asset])).collect();
            let names = chosen.iter().map(|&asset| names[asset].clone()).collect();
            let (history, percentages) = wide::read(&mut table, labels.map(in_file), names, &places, request.limits)?;
            (history, percentages, labels)
        }
    };
    if history.labels.is_empty() {
        return Err(Error::input(format!("{source}: a header and no rows")).hint(EMPTY));
    }
    detected.remarks.extend(table.numbers.met.remarks());
    let remark = percentages.finish(&history)?;
    history.read_labels(labels.map(|labels| columns[labels].name.as_str()), request.notation, &mut detected)?;
    let is_percent = remark.is_some();
    detected.remarks.extend(remark);
    if is_percent && request.kind == Kind::Prices {
        // Bonds are quoted in percent too: only what falls below zero is certain to be no price.
        let are_returns = percentages.are_all() && history.values.iter().any(|x| *x < 0.0);
        if let Some((asset, line)) = percentages.first().filter(|_| !are_returns) {
            let (column, name) = (history.columns[asset], shown(&history.assets[asset]));
            return Err(Error::input(format!(
                "{source}: line {line}, column {column} (`{name}`): a percentage, where prices are asked for"
            ))
            .hint("say --returns if the file holds returns"));
        }
        detected.remarks.push("percentages are returns".to_string());
        detected.kind = Kind::Returns.name();
    }
    Ok((history, detected))
}
