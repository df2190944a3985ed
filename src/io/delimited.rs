//! A history from delimited text: encoding -> dialect -> table -> head -> roles -> rows.

use std::borrow::Cow;

use crate::error::{Error, Result, Text, option};
use crate::io::cells::{Cell, Decimal, Numbers};
use crate::io::csv::Table;
use crate::io::detect::{self, Dialect};
use crate::io::head::Head;
use crate::io::history::History;
use crate::io::{Detected, Request, Rows, assemble, roles, shown, tables, text};

pub(crate) fn read(source: &str, bytes: &[u8], request: &Request<'_>) -> Result<(Vec<History>, Detected)> {
    let (text, encoding) = text::decode(source, bytes)?;
    let dialect = Dialect::detect(source, &text, request.notation)?;
    let mut detected = Detected {
        source: source.to_string(),
        format: "csv",
        encoding,
        delimiter: Some(detect::name(dialect.delimiter)),
        decimal_mark: Some(if dialect.numbers.decimal == Decimal::Comma { "comma" } else { "point" }),
        remarks: encoding.map(|name| format!("the text is in {name}").into()).into_iter().collect(),
        ..Detected::default()
    };
    detected.remarks.extend(dialect.remarks().into_iter().map(Text::from));
    let piece = tables::choose(source, &text, &dialect, request.notation.table)?;
    detected.remarks.extend(piece.remarks);
    let head = Head::read(source, detect::sample(piece.text), dialect.delimiter, &dialect.numbers)?;
    detected.remarks.extend(head.remarks);
    detected.prose = head.prose;
    let roles = roles::decide(source, &head.columns, request)?;
    detected.remarks.extend(roles.remarks.iter().cloned());
    detected.columns.clone_from(&roles.columns);
    let mut table = Table::start(source, piece.text, piece.line, dialect);
    table.skip(head.records)?;
    table.names = head.columns.into_iter().map(|column| column.name).collect();
    let histories = assemble::read(&mut table, &roles, request, &mut detected)?;
    detected.remarks.extend(table.numbers.met.remarks().map(Text::from));
    Ok((histories, detected))
}

impl Rows for Table<'_> {
    fn source(&self) -> &str {
        self.source
    }

    fn noun(&self) -> &'static str {
        "line"
    }

    fn advance(&mut self) -> Result<Option<u64>> {
        self.next()
    }

    fn text(&self, column: usize) -> Result<Cow<'_, str>> {
        Ok(Cow::Borrowed(self.cell(column)))
    }

    fn number(&self, column: usize) -> Cell {
        self.numbers.parse(self.cell(column))
    }

    fn not_a_number(&self, place: &str, asset: &str, column: usize) -> Error {
        let text = self.cell(column);
        let error = Error::input(format!("{place}: `{}` is not a number", shown(text)));
        let other = match self.numbers.decimal {
            Decimal::Point => Decimal::Comma,
            Decimal::Comma => Decimal::Point,
        };
        match Numbers::new(other, true).parse(text) {
            Cell::Text => error.hint(format!(
                "correct the cell; if it stands for a missing one, say {}; or leave `{}` out with {}",
                option("na").quoted(shown(text)),
                shown(asset),
                option("exclude")
            )),
            _ => error.hint(format!(
                "numbers take one decimal mark throughout: say {}, or {}",
                option("decimal-comma"),
                option("decimal-comma").off()
            )),
        }
    }
}
