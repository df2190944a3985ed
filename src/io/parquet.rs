//! Parquet files, as pandas, polars and Spark write them.
//!
//! Rows, cells and unpacked bytes that the footer and the pages declare are checked before a page is decoded.

use bytes::Bytes;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::error::Result;
use crate::io::frame::Frame;
use crate::io::guard::{damaged, decoding};
use crate::io::history::History;
use crate::io::pages::Pages;
use crate::io::{Detected, Limits, Request};

const NAME: &str = "Parquet file";
/// Rows decoded at a time.
const BATCH: usize = 1 << 12;

pub(crate) fn read(source: &str, bytes: Vec<u8>, request: &Request<'_>) -> Result<(Vec<History>, Detected)> {
    let frame = frame(source, bytes, request.limits)?;
    decoding(source, NAME, || frame.finish("parquet", request))
}

pub(crate) fn frame(source: &str, bytes: Vec<u8>, limits: Limits) -> Result<Frame> {
    decoding(source, NAME, || {
        let length = bytes.len() as u64;
        let bytes = Bytes::from(bytes);
        let bad = |error: parquet::errors::ParquetError| damaged(source, NAME, error);
        let builder = ParquetRecordBatchReaderBuilder::try_new(bytes.clone()).map_err(bad)?;
        let metadata = builder.metadata();
        let (mut rows, mut unpacked) = (0_u64, 0_u64);
        for group in metadata.row_groups() {
            let of_group =
                u64::try_from(group.num_rows()).map_err(|_| damaged(source, NAME, "a negative number of rows"))?;
            rows = rows.saturating_add(of_group);
            for column in group.columns() {
                let [packed, plain] = [column.compressed_size(), column.uncompressed_size()].map(u64::try_from);
                let (Ok(packed), Ok(plain)) = (packed, plain) else {
                    return Err(damaged(source, NAME, "a negative size"));
                };
                if packed > length {
                    return Err(damaged(source, NAME, format!("a column of {packed} bytes in a file of {length}")));
                }
                unpacked = unpacked.saturating_add(plain);
            }
        }
        let schema = builder.schema().clone();
        let names: Vec<String> = schema.fields().iter().map(|field| field.name().clone()).collect();
        let rows = usize::try_from(rows).unwrap_or(usize::MAX);
        limits.check(source, rows, rows.saturating_mul(names.len()))?;
        limits.check_bytes(source, unpacked)?;
        let mut pages = Pages { source, limits, unpacked: 0 };
        for column in metadata.row_groups().iter().flat_map(|group| group.columns()) {
            let (start, size) = column.byte_range();
            let chunk = usize::try_from(start).ok().zip(usize::try_from(size).ok());
            let chunk = chunk.and_then(|(start, size)| bytes.get(start..start.checked_add(size)?));
            pages
                .check(chunk.ok_or_else(|| damaged(source, NAME, "a column beyond the end"))?, column.compression())?;
        }
        let pairs = metadata.file_metadata().key_value_metadata();
        let pandas = pairs.and_then(|pairs| pairs.iter().find(|pair| pair.key == "pandas")?.value.clone());
        let mut frame = Frame::new(source, names, pandas.as_deref());
        for batch in builder.with_batch_size(BATCH).build().map_err(bad)? {
            frame.push(&batch.map_err(|error| damaged(source, NAME, error))?, limits)?;
        }
        Ok(frame)
    })
}
