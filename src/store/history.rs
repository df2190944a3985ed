//! `returns.parquet`: the data as they were used, so that a run can be verified and shards merged where the file they came
//! from is not.
//!
//! Column `date` (date32), or `label` (text) where rows have no dates, then one f64 column per asset, of returns or of a
//! covariance matrix; a column whose name an asset has too is the first.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Float64Type};
use arrow_array::{Array as _, ArrayRef, Date32Array, Float64Array, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema};
use jiff::civil::Date;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;

use super::digest;
use crate::error::{Error, Result};
use crate::io::guard;
use crate::panel::{Labels, Returns};
use crate::store::atomic::{self, Existing};

pub const NAME: &str = "returns.parquet";

/// The day that dates in files are counted from.
const EPOCH: Date = jiff::civil::date(1970, 1, 1);

/// Writes a history, unless the file holds it already.
///
/// # Errors
/// The file cannot be written.
pub fn write(path: &Path, history: &Returns) -> Result<()> {
    if read(path).is_ok_and(|held| held == *history) {
        return Ok(());
    }
    let n = history.assets.len();
    let (label, labels): (&str, ArrayRef) = match &history.labels {
        Labels::Dates(dates) => {
            ("date", Arc::new(Date32Array::from_iter_values(dates.iter().map(|&date| (date - EPOCH).get_days()))))
        }
        Labels::Text(labels) => ("label", Arc::new(labels.iter().map(Some).collect::<StringArray>())),
    };
    let mut label = label.to_string();
    while history.assets.contains(&label) {
        label.insert(0, '_');
    }
    let mut fields = vec![Field::new(label, labels.data_type().clone(), false)];
    fields.extend(history.assets.iter().map(|name| Field::new(name, DataType::Float64, false)));
    let schema = Arc::new(Schema::new(fields));
    let mut columns = vec![labels];
    columns.extend((0..n).map(|asset| {
        let column = history.values.iter().skip(asset).step_by(n);
        Arc::new(Float64Array::from_iter_values(column.copied())) as ArrayRef
    }));
    let failed = |error: parquet::errors::ParquetError| std::io::Error::other(error);
    atomic::write(path, Existing::Replace, |file| {
        let properties = WriterProperties::builder()
            .set_created_by("equirisk".to_string())
            .set_compression(Compression::ZSTD(ZstdLevel::try_new(3).map_err(failed)?))
            .set_dictionary_enabled(false)
            .build();
        let options = ArrowWriterOptions::new().with_properties(properties).with_skip_arrow_metadata(true);
        let batch = RecordBatch::try_new(schema.clone(), columns).map_err(std::io::Error::other)?;
        let mut writer = ArrowWriter::try_new_with_options(file, schema, options).map_err(failed)?;
        writer.write(&batch).map_err(failed)?;
        writer.close().map(drop).map_err(failed)
    })
}

/// Reads a history back, bit by bit, and checks that it is the one with this digest.
///
/// # Errors
/// The file is missing, or holds something else.
pub fn read_known(path: &Path, sha256: &str) -> Result<Returns> {
    let wrong = |what: &str| {
        Error::input(format!("`{}` {what}", path.display())).hint("run the job again: the data it used are damaged")
    };
    let history = read(path).map_err(|error| wrong(&format!("cannot be read: {error}")))?;
    if digest::history(&history) != sha256 {
        return Err(wrong("does not hold the data of this run"));
    }
    Ok(history)
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
        let columns: Option<Vec<&Float64Array>> = batch
            .columns()
            .iter()
            .skip(1)
            .map(|column| column.as_primitive_opt::<Float64Type>().filter(|column| column.null_count() == 0))
            .collect();
        let columns = columns.ok_or("a column that holds no numbers")?;
        (0..batch.num_rows()).for_each(|row| values.extend(columns.iter().map(|column| column.value(row))));
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
        assert!(read_known(&path, "0").is_err());
        std::fs::write(&path, b"PAR1").unwrap();
        assert!(read_known(&path, "0").is_err());
    }
}
