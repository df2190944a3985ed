//! weights.parquet: one row per problem, in index order.
//!
//! Columns: `resample` or what else a problem is called (u64), `status` (text), `rc_error` (f64), `sweeps` (u32), `rescued` (bool), `volatility` (f64),
//! within limits `kkt_error` (f64), then one f64 column per asset under the asset's name. Weights are null unless the problem converged; errors and
//! `volatility` are null without weights. A fixed column whose name is also an asset's is prefixed with `_`: by
//! position the six fixed columns always come first, or seven within limits.
//!
//! The bytes depend on the solutions alone, not on the pieces they arrive in: one row group is one write, its size a
//! function of the number of assets, and neither times nor versions are recorded.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, UInt32Type};
use arrow_array::{
    Array as _, ArrayRef, BooleanArray, Float64Array, RecordBatch, StringArray, UInt32Array, UInt64Array,
};
use arrow_schema::{DataType, Field, Schema};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;

use crate::batch::Solutions;
use crate::error::{Error, Result, option};
use crate::io::guard;
use crate::methods::certificate::{Certificate, Status};
use crate::observer::Observer;
use crate::store::atomic::{self, Existing};
use crate::store::blocks::Blocks;
use crate::store::table::own_name;

/// What the errors of risk budgeting are called.
pub const RC_ERROR: &str = "rc_error";

/// After the number of the problem.
const FIXED: [(&str, DataType); 5] = [
    ("status", DataType::Utf8),
    (RC_ERROR, DataType::Float64),
    ("sweeps", DataType::UInt32),
    ("rescued", DataType::Boolean),
    ("volatility", DataType::Float64),
];
/// Within limits, after those.
const KKT_ERROR: &str = "kkt_error";
/// Columns before those of the assets, without it.
const NUMBERS: usize = 1 + FIXED.len();
const MOST_ROWS: usize = 1 << 16;
/// A row group of up to 32 MiB of weights is held in memory.
const MOST_WEIGHTS: usize = 1 << 22;

/// What a file of weights is of.
#[derive(Debug, Clone, Copy)]
pub struct Described<'a> {
    /// What a problem is called.
    pub noun: &'a str,
    pub assets: &'a [String],
    /// What certified errors are called.
    pub error: &'a str,
    /// Whether certificates have a `kkt_error` beside.
    pub within_limits: bool,
    /// Number of the first problem.
    pub start: u64,
    /// Key-value pairs of the file.
    pub metadata: &'a [(String, String)],
}

/// Writes solutions block by block.
///
/// # Errors
/// The file exists and may not be replaced, or it cannot be written; those of the blocks and the observer.
pub fn write_weights(
    path: &Path,
    existing: Existing,
    described: &Described,
    blocks: &dyn Blocks,
    observer: &mut dyn Observer,
) -> Result<()> {
    let mut stopped = None;
    let written = atomic::write(path, existing, |file| {
        let mut writer = WeightsWriter::new(file, described)?;
        for block in 0..blocks.count() {
            match observer.check().and_then(|()| blocks.read(block)) {
                Ok(solutions) => {
                    writer.push(&solutions)?;
                    observer.finished(solutions.certificates.len() as u64);
                }
                Err(error) => {
                    stopped = Some(error);
                    return Err(io::Error::other("stopped"));
                }
            }
        }
        writer.finish()
    });
    stopped.map_or(written, Err)
}

/// Reads back the solutions of problems 0..`problems`, over `assets` assets: weights and what the file holds of their
/// certificates.
///
/// # Errors
/// The file cannot be read, or holds something else.
pub fn read_weights(path: &Path, assets: usize, problems: u64) -> Result<Solutions> {
    let wrong = |what: String| {
        Error::input(format!("`{}` cannot be read: {what}", path.display()))
            .hint(format!("run the job again with {}", option("force")))
    };
    let file = File::open(path).map_err(|error| wrong(error.to_string()))?;
    let mut solutions = Solutions::default();
    // The decoder panics at some damaged files.
    guard::decoding(&path.display().to_string(), "Parquet file", || {
        let reader = ParquetRecordBatchReaderBuilder::try_new(file).and_then(ParquetRecordBatchReaderBuilder::build);
        for batch in reader.map_err(|error| wrong(error.to_string()))? {
            let batch = batch.map_err(|error| wrong(error.to_string()))?;
            read_batch(&batch, assets, &mut solutions).ok_or_else(|| wrong("its columns are others".to_string()))?;
        }
        Ok(())
    })?;
    if solutions.certificates.len() as u64 != problems {
        return Err(wrong(format!("it holds {} of {problems} problems", solutions.certificates.len())));
    }
    Ok(solutions)
}

fn read_batch(batch: &RecordBatch, assets: usize, solutions: &mut Solutions) -> Option<()> {
    let columns = batch.columns();
    let numbers = columns.len().checked_sub(assets).filter(|numbers| [NUMBERS, NUMBERS + 1].contains(numbers))?;
    let floats = |at: usize| columns[at].as_primitive_opt::<Float64Type>();
    let number = |column: &Float64Array, row: usize| if column.is_valid(row) { column.value(row) } else { f64::NAN };
    let statuses = columns[1].as_string_opt::<i32>()?;
    let (rc_error, volatility) = (floats(2)?, floats(5)?);
    let sweeps = columns[3].as_primitive_opt::<UInt32Type>()?;
    let rescued = columns[4].as_boolean_opt()?;
    let kkt_error = if numbers > NUMBERS { Some(floats(NUMBERS)?) } else { None };
    let weights = (numbers..columns.len()).map(floats).collect::<Option<Vec<_>>>()?;
    for row in 0..batch.num_rows() {
        solutions.certificates.push(Certificate {
            status: Status::ALL.into_iter().find(|status| status.name() == statuses.value(row))?,
            rc_error: number(rc_error, row),
            kappa: f64::NAN,
            sweeps: sweeps.value(row),
            rescued: rescued.value(row),
            volatility: number(volatility, row),
            slack: None,
            kkt_error: kkt_error.map(|column| number(column, row)).filter(|error| !error.is_nan()),
        });
        solutions.weights.extend(weights.iter().map(|column| number(column, row)));
    }
    Some(())
}

/// Writes solutions piece by piece.
pub struct WeightsWriter<W: Write + Send> {
    writer: ArrowWriter<W>,
    schema: Arc<Schema>,
    assets: usize,
    within_limits: bool,
    /// Index of the first pending problem.
    next: u64,
    weights: Vec<f64>,
    certificates: Vec<Certificate>,
}

impl<W: Write + Send> WeightsWriter<W> {
    /// # Errors
    /// Those of the file.
    pub fn new(file: W, described: &Described) -> io::Result<Self> {
        let Described { noun, assets, error, within_limits, start, metadata } = *described;
        let schema = Arc::new(schema(noun, error, within_limits, assets));
        let fixed = |column: usize| ColumnPath::from(schema.field(column).name().as_str());
        let metadata: Vec<KeyValue> =
            metadata.iter().map(|(key, value)| KeyValue::new(key.clone(), value.clone())).collect();
        let properties = WriterProperties::builder()
            .set_created_by("equirisk".to_string())
            .set_compression(Compression::ZSTD(ZstdLevel::try_new(3).map_err(failed)?))
            .set_max_row_group_row_count(Some(group_rows(assets.len())))
            .set_statistics_enabled(EnabledStatistics::Chunk)
            // Weights hardly repeat; words do.
            .set_dictionary_enabled(false)
            .set_column_dictionary_enabled(fixed(1), true)
            .set_column_dictionary_enabled(fixed(3), true)
            .set_key_value_metadata((!metadata.is_empty()).then_some(metadata))
            .build();
        let options = ArrowWriterOptions::new().with_properties(properties).with_skip_arrow_metadata(true);
        let writer = ArrowWriter::try_new_with_options(file, schema.clone(), options).map_err(failed)?;
        Ok(WeightsWriter {
            writer,
            schema,
            assets: assets.len(),
            within_limits,
            next: start,
            weights: Vec::new(),
            certificates: Vec::new(),
        })
    }

    /// Adds the solutions of the problems that follow.
    ///
    /// # Errors
    /// Those of the file.
    pub fn push(&mut self, solutions: &Solutions) -> io::Result<()> {
        assert_eq!(solutions.weights.len(), solutions.certificates.len() * self.assets, "one weight per asset");
        self.weights.extend_from_slice(&solutions.weights);
        self.certificates.extend_from_slice(&solutions.certificates);
        let group = group_rows(self.assets);
        while self.certificates.len() >= group {
            self.write_group(group)?;
        }
        Ok(())
    }

    /// Completes the file; the writer it goes to is not flushed.
    ///
    /// # Errors
    /// Those of the file.
    pub fn finish(mut self) -> io::Result<()> {
        if !self.certificates.is_empty() {
            self.write_group(self.certificates.len())?;
        }
        self.writer.close().map(drop).map_err(failed)
    }

    fn write_group(&mut self, rows: usize) -> io::Result<()> {
        let certificates: Vec<Certificate> = self.certificates.drain(..rows).collect();
        let weights: Vec<f64> = self.weights.drain(..rows * self.assets).collect();
        let known = |value: f64| (!value.is_nan()).then_some(value);
        let indices = self.next..self.next + rows as u64;
        self.next = indices.end;
        let mut columns: Vec<ArrayRef> = vec![
            Arc::new(UInt64Array::from_iter_values(indices)),
            Arc::new(StringArray::from_iter_values(certificates.iter().map(|c| c.status.name()))),
            Arc::new(certificates.iter().map(|c| known(c.rc_error)).collect::<Float64Array>()),
            Arc::new(UInt32Array::from_iter_values(certificates.iter().map(|c| c.sweeps))),
            Arc::new(certificates.iter().map(|c| Some(c.rescued)).collect::<BooleanArray>()),
            Arc::new(certificates.iter().map(|c| known(c.volatility)).collect::<Float64Array>()),
        ];
        if self.within_limits {
            let errors = certificates.iter().map(|c| c.kkt_error.and_then(known));
            columns.push(Arc::new(errors.collect::<Float64Array>()));
        }
        for asset in 0..self.assets {
            let column = weights.iter().skip(asset).step_by(self.assets).zip(&certificates);
            let column = column.map(|(&weight, c)| (c.status == Status::Converged).then_some(weight));
            columns.push(Arc::new(column.collect::<Float64Array>()));
        }
        let batch = RecordBatch::try_new(self.schema.clone(), columns).map_err(io::Error::other)?;
        self.writer.write(&batch).map_err(failed)?;
        self.writer.flush().map_err(failed)
    }
}

/// A power of two, so that chunks of problems fill row groups evenly.
fn group_rows(assets: usize) -> usize {
    let most = (MOST_WEIGHTS / assets.max(1)).clamp(1, MOST_ROWS);
    1 << most.ilog2()
}

fn schema(noun: &str, error: &str, within_limits: bool, assets: &[String]) -> Schema {
    let mut fields = Vec::with_capacity(NUMBERS + 1 + assets.len());
    let kkt_error = within_limits.then_some((KKT_ERROR, DataType::Float64));
    for (name, data_type) in std::iter::once((noun, DataType::UInt64)).chain(FIXED).chain(kkt_error) {
        let name = own_name(if name == RC_ERROR { error } else { name }, assets);
        let is_nullable = matches!(data_type, DataType::Float64);
        fields.push(Field::new(name, data_type, is_nullable));
    }
    fields.extend(assets.iter().map(|name| Field::new(name, DataType::Float64, true)));
    Schema::new(fields)
}

fn failed(error: ParquetError) -> io::Error {
    io::Error::other(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn row_groups_hold_a_bounded_number_of_weights() {
        assert_eq!(group_rows(10), 1 << 16);
        assert_eq!(group_rows(64), 1 << 16);
        assert_eq!(group_rows(65), 1 << 15);
        assert_eq!(group_rows(500), 1 << 13);
        assert_eq!(group_rows(1 << 30), 1);
    }

    #[test]
    fn a_fixed_column_steps_aside_for_an_asset_of_its_name() {
        let schema = schema("resample", RC_ERROR, false, &["status".into(), "_status".into(), "A".into()]);
        let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
        assert_eq!(names[..3], ["resample", "__status", "rc_error"]);
        assert_eq!(names[6..], ["status", "_status", "A"]);
    }
}
