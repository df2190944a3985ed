//! `returns.parquet`: the data as they were used, so that a run can be verified and shards merged where the file they came
//! from is not.
//!
//! Column `date` (date32), or `label` (text) where rows have no dates, then one f64 column per asset, of returns or of a
//! covariance matrix; a column whose name an asset has too is the first. Before and after the life of an asset cells are
//! null. Of a backtest, the last column is `cash`: what cash returns over each row. Where an asset is called so, the name
//! of a column of our own begins with `_`.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Float64Type};
use arrow_array::{Array as _, ArrayRef, Date32Array, Float64Array, StringArray};
use arrow_schema::{DataType, Field};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::digest;
use super::table::{EPOCH, own_name, save};
use crate::error::{Error, Result};
use crate::io::guard;
use crate::panel::{Labels, Returns};

pub const NAME: &str = "returns.parquet";

/// The last column, of a history with cash.
const CASH: &str = "cash";

/// Returns of assets, NaN before and after their lives, and of cash beside them.
#[derive(Debug, Clone, PartialEq)]
pub struct Funded {
    pub returns: Returns,
    /// One a row; NaN where it is not known.
    pub cash: Vec<f64>,
}

/// Writes a history, unless the file holds it already.
///
/// # Errors
/// The file cannot be written.
pub fn write(path: &Path, history: &Returns) -> Result<()> {
    match read(path).is_ok_and(|held| are_same(&held, history)) {
        true => Ok(()),
        false => write_columns(path, history, None),
    }
}

/// The same of a history with cash.
///
/// # Errors
/// The file cannot be written.
pub fn write_funded(path: &Path, data: &Funded) -> Result<()> {
    let is_held = |held: &Funded| are_same(&held.returns, &data.returns) && are_alike(&held.cash, &data.cash);
    match read(path).and_then(split).is_ok_and(|held| is_held(&held)) {
        true => Ok(()),
        false => write_columns(path, &data.returns, Some(&data.cash)),
    }
}

/// The same numbers, or no number, in each place.
fn are_alike(a: &[f64], b: &[f64]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a == b || a.is_nan() && b.is_nan())
}

fn are_same(a: &Returns, b: &Returns) -> bool {
    a.assets == b.assets && a.labels == b.labels && are_alike(&a.values, &b.values)
}

fn write_columns(path: &Path, history: &Returns, cash: Option<&[f64]>) -> Result<()> {
    let n = history.assets.len();
    let (label, labels): (&str, ArrayRef) = match &history.labels {
        Labels::Dates(dates) => {
            ("date", Arc::new(Date32Array::from_iter_values(dates.iter().map(|&date| (date - EPOCH).get_days()))))
        }
        Labels::Text(labels) => ("label", Arc::new(labels.iter().map(Some).collect::<StringArray>())),
    };
    let mut fields = vec![Field::new(own_name(label, &history.assets), labels.data_type().clone(), false)];
    let mut columns = vec![labels];
    let mut push = |name: &str, values: Vec<f64>| {
        let has_nulls = values.iter().any(|x| x.is_nan());
        fields.push(Field::new(name, DataType::Float64, has_nulls));
        columns.push(match has_nulls {
            false => Arc::new(Float64Array::from(values)) as ArrayRef,
            true => Arc::new(values.iter().map(|x| (!x.is_nan()).then_some(*x)).collect::<Float64Array>()),
        });
    };
    for (asset, name) in history.assets.iter().enumerate() {
        push(name, history.values.iter().skip(asset).step_by(n).copied().collect());
    }
    if let Some(cash) = cash {
        push(&own_name(CASH, &history.assets), cash.to_vec());
    }
    save(path, fields, columns, false)
}

/// Reads a history back, bit by bit, and checks that it is the one with this digest.
///
/// # Errors
/// The file is missing, or holds something else.
pub fn read_known(path: &Path, sha256: &str) -> Result<Returns> {
    known(path, sha256, read(path), digest::history)
}

/// The same of a history with cash.
///
/// # Errors
/// The file is missing, or holds something else.
pub fn read_funded(path: &Path, sha256: &str) -> Result<Funded> {
    known(path, sha256, read(path).and_then(split), digest::funded)
}

fn known<T>(
    path: &Path,
    sha256: &str,
    read: std::result::Result<T, String>,
    digest: impl Fn(&T) -> String,
) -> Result<T> {
    let wrong = |what: &str| {
        Error::input(format!("`{}` {what}", path.display())).hint("run the job again: the data it used are damaged")
    };
    let data = read.map_err(|error| wrong(&format!("cannot be read: {error}")))?;
    if digest(&data) != sha256 {
        return Err(wrong("does not hold the data of this run"));
    }
    Ok(data)
}

/// The last column is cash.
fn split(history: Returns) -> std::result::Result<Funded, String> {
    let cash = history.assets.len().checked_sub(1).ok_or("no column of cash")?;
    let assets: Vec<usize> = (0..cash).collect();
    if history.assets[cash] != own_name(CASH, &history.assets[..cash]) {
        return Err("no column of cash".to_string());
    }
    Ok(Funded { cash: history.column(cash).collect(), returns: history.select(&assets) })
}

fn read(path: &Path) -> std::result::Result<Returns, String> {
    let shown = path.display().to_string();
    // The decoder panics at some damaged files.
    guard::decoding(&shown, "Parquet file", || read_columns(path).map_err(Error::input))
        .map_err(|error| error.message.nested())
}

fn read_columns(path: &Path) -> std::result::Result<Returns, String> {
    let say = |error: &dyn std::fmt::Display| error.to_string();
    let file = File::open(path).map_err(|error| say(&error))?;
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|error| say(&error))?;
    let dated = builder.schema().fields().first().is_some_and(|field| *field.data_type() == DataType::Date32);
    let assets: Vec<String> = builder.schema().fields().iter().skip(1).map(|field| field.name().clone()).collect();
    let (mut dates, mut labels, mut values) = (Vec::new(), Vec::new(), Vec::new());
    for batch in builder.build().map_err(|error| say(&error))? {
        let batch = batch.map_err(|error| say(&error))?;
        let first = batch.columns().first().ok_or("no labels")?;
        if dated {
            let days =
                first.as_primitive_opt::<Date32Type>().filter(|days| days.null_count() == 0).ok_or("no dates")?;
            for &day in days.values() {
                let span = jiff::Span::new().try_days(day).map_err(|error| say(&error))?;
                dates.push(EPOCH.checked_add(span).map_err(|error| say(&error))?);
            }
        } else {
            let text = first.as_string_opt::<i32>().ok_or("no labels")?;
            labels.extend(text.iter().map(|label| label.unwrap_or_default().to_string()));
        }
        let columns: Option<Vec<&Float64Array>> =
            batch.columns().iter().skip(1).map(|column| column.as_primitive_opt::<Float64Type>()).collect();
        let columns = columns.ok_or("a column that holds no numbers")?;
        let cell = |column: &Float64Array, row: usize| if column.is_null(row) { f64::NAN } else { column.value(row) };
        (0..batch.num_rows()).for_each(|row| values.extend(columns.iter().map(|column| cell(column, row))));
    }
    let labels = if dated { Labels::Dates(dates) } else { Labels::Text(labels) };
    Ok(Returns { assets, labels, values })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_history_comes_back_bit_by_bit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(NAME);
        let dates = ["1899-12-31", "2000-02-29"].map(|date| date.parse().unwrap()).to_vec();
        for labels in [Labels::Dates(dates), Labels::Text(vec!["1".into(), "a\u{e9},\"".into()])] {
            let assets = vec!["label".to_string(), "S&P 500".into(), String::new()];
            let values = vec![0.1 + 0.2, -0.0, 5e-324, f64::MAX, 1.0 / 3.0, -7.25];
            let history = Returns { assets, labels, values };
            write(&path, &history).unwrap();
            let found = read_known(&path, &digest::history(&history)).unwrap();
            assert_eq!(digest::history(&found), digest::history(&history));
            assert_eq!(found, history);
            // Anybody's reader sees dates.
            let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(&path).unwrap()).unwrap();
            let kind = reader.schema().field(0).data_type().clone();
            assert_eq!(kind == DataType::Date32, matches!(found.labels, Labels::Dates(_)));
        }
        assert!(read_known(&path, "0").is_err() && read_funded(&path, "0").is_err());
        std::fs::write(&path, b"PAR1").unwrap();
        assert!(read_known(&path, "0").is_err());
    }
    #[test]
    fn lives_and_cash_come_back_bit_by_bit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(NAME);
        let dates = ["1899-12-31", "2000-02-29", "2000-03-01"].map(|date| date.parse().unwrap()).to_vec();
        // Assets that begin late, end early, live throughout; the last two have names of our own columns.
        let (never, assets) = (f64::NAN, ["A", "date", "cash"].map(String::from).to_vec());
        let values = vec![never, 0.1 + 0.2, -0.0, 5e-324, -1.0 / 3.0, f64::MAX, 7.25, never, 1e-300];
        let returns = Returns { assets, labels: Labels::Dates(dates), values };
        let data = Funded { returns, cash: vec![never, 0.001, -0.0] };
        let sha256 = digest::funded(&data);
        write_funded(&path, &data).unwrap();
        let found = read_funded(&path, &sha256).unwrap();
        let bits = |values: &[f64]| values.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&found.returns.values), bits(&data.returns.values));
        assert_eq!(bits(&found.cash), bits(&data.cash));
        assert_eq!((&found.returns.assets, &found.returns.labels), (&data.returns.assets, &data.returns.labels));
        // What is held already is left alone.
        let written = std::fs::metadata(&path).unwrap().modified().unwrap();
        write_funded(&path, &data).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().modified().unwrap(), written);
        // Anybody's reader sees nulls, and names that differ.
        let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(&path).unwrap()).unwrap();
        let names: Vec<String> = reader.schema().fields().iter().map(|field| field.name().clone()).collect();
        assert_eq!(names, ["_date", "A", "date", "cash", "_cash"]);
        let nulls: usize = reader.build().unwrap().map(|batch| batch.unwrap().columns()[1].null_count()).sum();
        assert_eq!(nulls, 1);
        // Another history is written over, and one without cash has none.
        let later = Funded { cash: vec![0.0; 3], ..data.clone() };
        write_funded(&path, &later).unwrap();
        assert!(read_funded(&path, &sha256).is_err());
        write(&path, &data.returns.select(&[0, 1])).unwrap();
        let error = read_funded(&path, &sha256).unwrap_err();
        assert!(error.message.contains("no column of cash"), "{error}");
        assert!(read_known(&path, &digest::history(&data.returns.select(&[0, 1]))).is_ok());
    }
}
