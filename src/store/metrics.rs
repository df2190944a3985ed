//! metrics.parquet: one row per screened subset, in index order.
//!
//! Columns: `rank` (u64), `status` (text; `barred` where a cap on correlations kept it from being solved), `rc_error`, or
//! within bounds of weights `kkt_error` (f64), one f64 column per metric, and `asset_1` .. `asset_k` (text, the names, in the order of the data).
//! Numbers are null unless the problem converged.

use std::io::{self, Write};
use std::sync::Arc;

use arrow_array::types::UInt32Type;
use arrow_array::{ArrayRef, DictionaryArray, Float64Array, RecordBatch, StringArray, UInt32Array, UInt64Array};
use arrow_schema::{DataType, Field, Schema};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use parquet::schema::types::ColumnPath;

use crate::measure::{Measured, Metric};
use crate::subsets::Subsets;

/// Rows of a row group, whatever pieces they arrive in.
const GROUP: usize = 1 << 16;

/// Bytes of the file, roughly, before compression.
pub fn bytes(subsets: u64, size: usize, metrics: usize) -> f64 {
    subsets as f64 * (16.0 + 8.0 * metrics as f64 + 2.0 * size as f64)
}

/// Writes metrics piece by piece.
#[derive(Debug)]
pub struct MetricsWriter<'a, W: Write + Send> {
    writer: ArrowWriter<W>,
    schema: Arc<Schema>,
    subsets: &'a Subsets,
    names: Arc<StringArray>,
    /// Number of the first pending problem.
    next: u64,
    pending: Measured,
}

impl<'a, W: Write + Send> MetricsWriter<'a, W> {
    /// `error` is what certified errors are called.
    ///
    /// # Errors
    /// Those of the file.
    pub fn new(file: W, subsets: &'a Subsets, error: &str, metrics: &[Metric], assets: &[String]) -> io::Result<Self> {
        let mut fields = vec![
            Field::new("rank", DataType::UInt64, false),
            Field::new("status", DataType::Utf8, false),
            Field::new(error, DataType::Float64, true),
        ];
        fields.extend(metrics.iter().map(|metric| Field::new(metric.name(), DataType::Float64, true)));
        let name = DataType::Dictionary(Box::new(DataType::UInt32), Box::new(DataType::Utf8));
        fields.extend((1..=subsets.size()).map(|i| Field::new(format!("asset_{i}"), name.clone(), false)));
        let schema = Arc::new(Schema::new(fields));
        let mut properties = WriterProperties::builder()
            .set_created_by("equirisk".to_string())
            .set_compression(Compression::ZSTD(ZstdLevel::try_new(1).map_err(io::Error::other)?))
            .set_max_row_group_row_count(Some(GROUP))
            // Figures hardly repeat; words and assets do.
            .set_dictionary_enabled(false)
            .set_column_dictionary_enabled(ColumnPath::from("status"), true);
        for i in 1..=subsets.size() {
            properties = properties.set_column_dictionary_enabled(ColumnPath::from(format!("asset_{i}")), true);
        }
        let options = ArrowWriterOptions::new().with_properties(properties.build()).with_skip_arrow_metadata(true);
        let writer = ArrowWriter::try_new_with_options(file, schema.clone(), options).map_err(io::Error::other)?;
        let names = Arc::new(StringArray::from_iter_values(assets));
        Ok(MetricsWriter { writer, schema, subsets, names, next: 0, pending: Measured::new(metrics.len()) })
    }

    /// Adds the subsets that follow.
    ///
    /// # Errors
    /// Those of the file.
    pub fn push(&mut self, measured: &Measured) -> io::Result<()> {
        self.pending.extend(measured);
        let whole = self.pending.statuses.len() / GROUP * GROUP;
        for start in (0..whole).step_by(GROUP) {
            self.write(start..start + GROUP)?;
        }
        if whole > 0 {
            self.next += whole as u64;
            self.pending.statuses.drain(..whole);
            self.pending.rc_error.drain(..whole);
            self.pending.columns.iter_mut().for_each(|column| drop(column.drain(..whole)));
        }
        Ok(())
    }

    /// Completes the file; the writer it goes to is not flushed.
    ///
    /// # Errors
    /// Those of the file.
    pub fn finish(mut self) -> io::Result<()> {
        let left = self.pending.statuses.len();
        if left > 0 {
            self.write(0..left)?;
        }
        self.writer.close().map(drop).map_err(io::Error::other)
    }

    fn write(&mut self, rows: std::ops::Range<usize>) -> io::Result<()> {
        let k = self.subsets.size();
        let known = |&value: &f64| (!value.is_nan()).then_some(value);
        let floats = |column: &[f64]| Arc::new(column.iter().map(known).collect::<Float64Array>()) as ArrayRef;
        let (mut ranks, mut assets) = (Vec::with_capacity(rows.len()), vec![Vec::with_capacity(rows.len()); k]);
        self.subsets.visit(self.next + rows.start as u64..self.next + rows.end as u64, |rank, subset| {
            ranks.push(rank);
            assets.iter_mut().zip(subset).for_each(|(column, &asset)| column.push(asset));
        });
        let status = |status: &Option<crate::Status>| status.map_or("barred", crate::Status::name);
        let Measured { statuses, rc_error, columns, .. } = &self.pending;
        let mut arrays: Vec<ArrayRef> = vec![
            Arc::new(UInt64Array::from(ranks)),
            Arc::new(StringArray::from_iter_values(statuses[rows.clone()].iter().map(status))),
            floats(&rc_error[rows.clone()]),
        ];
        arrays.extend(columns.iter().map(|column| floats(&column[rows.clone()])));
        for column in assets {
            let named = DictionaryArray::<UInt32Type>::try_new(UInt32Array::from(column), Arc::clone(&self.names) as _);
            arrays.push(Arc::new(named.map_err(io::Error::other)?));
        }
        let batch = RecordBatch::try_new(self.schema.clone(), arrays).map_err(io::Error::other)?;
        self.writer.write(&batch).map_err(io::Error::other)?;
        self.writer.flush().map_err(io::Error::other)
    }
}
