//! Tables of results in Parquet: columns by name, each of one kind. Names of the same table are told apart by underscores in
//! front, those of assets as they are.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Float64Type;
use arrow_array::{Array as _, ArrayRef, Date32Array, Float64Array, RecordBatch, StringArray, UInt64Array};
use arrow_schema::{Field, Schema};
use jiff::civil::Date;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;

use crate::error::{Error, Result, option};
use crate::io::guard;
use crate::panel::Labels;
use crate::store::atomic::{self, Existing};

/// The day that dates in files are counted from.
pub const EPOCH: Date = jiff::civil::date(1970, 1, 1);

/// Cells of one kind.
#[derive(Debug, Clone)]
pub enum Cells {
    Text(Vec<String>),
    Dates(Vec<Option<Date>>),
    /// What is not there is null.
    Labels(Vec<Option<String>>),
    Whole(Vec<u64>),
    /// What is not a number is null.
    Numbers(Vec<f64>),
}

impl Cells {
    /// The labels of these rows of a history.
    pub fn labels(labels: &Labels, rows: impl Iterator<Item = Option<usize>>) -> Cells {
        match labels {
            Labels::Dates(dates) => Cells::Dates(rows.map(|row| row.and_then(|row| dates.get(row).copied())).collect()),
            Labels::Text(text) => Cells::Labels(
                rows.map(|row| row.map(|row| text.get(row).cloned().unwrap_or_else(|| (row + 1).to_string())))
                    .collect(),
            ),
        }
    }

    fn array(self) -> ArrayRef {
        match self {
            Cells::Text(text) => Arc::new(StringArray::from_iter_values(text)),
            Cells::Dates(dates) => {
                let days = dates.iter().map(|date| date.map(|date| (date - EPOCH).get_days()));
                Arc::new(days.collect::<Date32Array>())
            }
            Cells::Labels(labels) => Arc::new(labels.into_iter().collect::<StringArray>()),
            Cells::Whole(numbers) => Arc::new(UInt64Array::from_iter_values(numbers)),
            Cells::Numbers(numbers) => {
                Arc::new(numbers.into_iter().map(|x| (!x.is_nan()).then_some(x)).collect::<Float64Array>())
            }
        }
    }
}

/// Writes a table: the columns of the study, then those of the assets.
///
/// # Errors
/// The file cannot be written.
pub fn write(path: &Path, columns: Vec<(&str, Cells)>, assets: &[String], of_assets: Vec<Vec<f64>>) -> Result<()> {
    let mut fields = Vec::with_capacity(columns.len() + assets.len());
    let mut arrays = Vec::with_capacity(columns.len() + assets.len());
    for (name, cells) in columns {
        let array = cells.array();
        fields.push(Field::new(own_name(name, assets), array.data_type().clone(), true));
        arrays.push(array);
    }
    for (name, column) in assets.iter().zip(of_assets) {
        let array = Cells::Numbers(column).array();
        fields.push(Field::new(name, array.data_type().clone(), true));
        arrays.push(array);
    }
    // Words repeat.
    save(path, fields, arrays, true)
}

/// The name of a column of our own, with underscores in front as long as an asset is called so.
pub fn own_name(name: &str, assets: &[String]) -> String {
    let mut name = name.to_string();
    while assets.contains(&name) {
        name.insert(0, '_');
    }
    name
}

/// Writes columns as one row group, with a dictionary of what repeats or without. Its bytes depend on the columns alone.
///
/// # Errors
/// The file cannot be written.
pub fn save(path: &Path, fields: Vec<Field>, arrays: Vec<ArrayRef>, dictionary: bool) -> Result<()> {
    let schema = Arc::new(Schema::new(fields));
    let failed = |error: parquet::errors::ParquetError| std::io::Error::other(error);
    atomic::write(path, Existing::Replace, |file| {
        let properties = WriterProperties::builder()
            .set_created_by("equirisk".to_string())
            .set_compression(Compression::ZSTD(ZstdLevel::try_new(3).map_err(failed)?))
            .set_dictionary_enabled(dictionary)
            .build();
        let options = ArrowWriterOptions::new().with_properties(properties).with_skip_arrow_metadata(true);
        let batch = RecordBatch::try_new(schema.clone(), arrays).map_err(std::io::Error::other)?;
        let mut writer = ArrowWriter::try_new_with_options(file, schema, options).map_err(failed)?;
        writer.write(&batch).map_err(failed)?;
        writer.close().map(drop).map_err(failed)
    })
}

/// The last so many columns of a table of numbers, row-major: NaN where there is none.
///
/// # Errors
/// The file cannot be read, or its columns are others.
pub fn read_numbers(path: &Path, columns: usize) -> Result<Vec<f64>> {
    let wrong = |what: String| {
        Error::input(format!("`{}` cannot be read: {what}", path.display()))
            .hint(format!("run the job again with {}", option("force")))
    };
    let file = File::open(path).map_err(|error| wrong(error.to_string()))?;
    // The decoder panics at some damaged files.
    guard::decoding(&path.display().to_string(), "Parquet file", || {
        let reader = ParquetRecordBatchReaderBuilder::try_new(file).and_then(ParquetRecordBatchReaderBuilder::build);
        let mut values = Vec::new();
        for batch in reader.map_err(|error| wrong(error.to_string()))? {
            let batch = batch.map_err(|error| wrong(error.to_string()))?;
            let first = batch.num_columns().checked_sub(columns);
            let found: Option<Vec<&Float64Array>> = first.and_then(|first| {
                batch.columns()[first..].iter().map(|column| column.as_primitive_opt::<Float64Type>()).collect()
            });
            let found = found.ok_or_else(|| wrong("its columns are others".to_string()))?;
            for row in 0..batch.num_rows() {
                let cell = |column: &&Float64Array| if column.is_valid(row) { column.value(row) } else { f64::NAN };
                values.extend(found.iter().map(cell));
            }
        }
        Ok(values)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back_bit_by_bit_and_gaps_as_gaps() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("table.parquet");
        let columns = vec![("date", Cells::Text(vec!["a".into(), "b".into()])), ("n", Cells::Whole(vec![1, 2]))];
        let assets = ["date".to_string(), "B".to_string()];
        write(&path, columns, &assets, vec![vec![0.1 + 0.2, f64::NAN], vec![-0.0, 1e-300]]).unwrap();
        let found = read_numbers(&path, 2).unwrap();
        assert_eq!([found[0], found[1], found[3]], [0.1 + 0.2, 0.0, 1e-300]);
        assert!(found[2].is_nan());
        assert!(read_numbers(&path, 3).is_err(), "a column that holds whole numbers");
        assert!(read_numbers(&path, 9).is_err());
    }
}
