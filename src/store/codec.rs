//! Columns as bytes, and back: an Arrow IPC stream of one row, each list of numbers a cell of it. Numbers keep every bit.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{ArrowPrimitiveType, Float64Type, UInt8Type, UInt32Type, UInt64Type};
use arrow_array::{Array as _, ArrayRef, LargeListArray, PrimitiveArray, RecordBatch};
use arrow_buffer::{OffsetBuffer, ScalarBuffer};
use arrow_ipc::reader::StreamReader;
use arrow_ipc::root_as_message;
use arrow_ipc::writer::StreamWriter;
use arrow_schema::{ArrowError, DataType, Field, Schema};

use super::columns::{Column, Columns};
use crate::error::Error;
use crate::io::guard;

impl Columns {
    /// As they are kept in a file.
    ///
    /// # Errors
    /// None that is known of.
    pub fn encode(self) -> crate::Result<Vec<u8>> {
        encode(self).map_err(|error| Error::failed(error.to_string()))
    }

    /// From what was kept; none where the bytes are something else.
    pub fn decode(bytes: &[u8]) -> Option<Columns> {
        decode(bytes)
    }
}

fn encode(columns: Columns) -> Result<Vec<u8>, ArrowError> {
    let room = columns.bytes() as usize + 4096;
    let cells: Vec<(String, ArrayRef)> = columns
        .into_lists()
        .map(|(name, column)| {
            let cell = match column {
                Column::F64(numbers) => cell::<Float64Type>(numbers.into()),
                Column::U64(numbers) => cell::<UInt64Type>(numbers.into()),
                Column::U32(numbers) => cell::<UInt32Type>(numbers.into()),
                Column::U8(numbers) => cell::<UInt8Type>(numbers.into()),
            };
            (name, cell)
        })
        .collect();
    let fields: Vec<Field> =
        cells.iter().map(|(name, cell)| Field::new(name, cell.data_type().clone(), false)).collect();
    let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), cells.into_iter().map(|(_, cell)| cell).collect())?;
    let mut writer = StreamWriter::try_new(Vec::with_capacity(room), &batch.schema())?;
    writer.write(&batch)?;
    writer.into_inner()
}

fn cell<T: ArrowPrimitiveType>(numbers: ScalarBuffer<T::Native>) -> ArrayRef {
    let field = Arc::new(Field::new("item", T::DATA_TYPE, false));
    let offsets = OffsetBuffer::from_lengths([numbers.len()]);
    Arc::new(LargeListArray::new(field, offsets, Arc::new(PrimitiveArray::<T>::new(numbers, None)), None))
}

/// None where the bytes are not what [`encode`] makes.
fn decode(bytes: &[u8]) -> Option<Columns> {
    let decoded = || Ok(if is_plain(bytes) { columns(bytes) } else { None });
    guard::decoding("chunk", "Arrow stream", decoded).ok().flatten()
}

/// Whether a stream is of whole messages, none compressed: such a one could ask for any memory.
fn is_plain(mut bytes: &[u8]) -> bool {
    const CONTINUATION: [u8; 4] = [0xff; 4];
    while let Some((head, rest)) = bytes.split_at_checked(8) {
        let (mark, length) = head.split_at(4);
        let length = u32::from_le_bytes([length[0], length[1], length[2], length[3]]) as usize;
        if mark != CONTINUATION {
            return false;
        }
        if length == 0 {
            return true;
        }
        let Some((message, rest)) = rest.split_at_checked(length) else { return false };
        let Ok(message) = root_as_message(message) else { return false };
        let plain = message.header_as_record_batch().is_some_and(|batch| batch.compression().is_none());
        let body = usize::try_from(message.bodyLength()).ok().and_then(|body| rest.get(body..));
        match body.filter(|_| plain || message.header_as_schema().is_some()) {
            Some(rest) => bytes = rest,
            None => return false,
        }
    }
    bytes.is_empty()
}

fn columns(bytes: &[u8]) -> Option<Columns> {
    let mut reader = StreamReader::try_new(bytes, None).ok()?;
    let batch = reader.next()?.ok()?;
    if batch.num_rows() != 1 {
        return None;
    }
    let mut columns = Columns::default();
    for (field, cell) in batch.schema().fields().iter().zip(batch.columns()) {
        let list = cell.as_list_opt::<i64>()?;
        let numbers = list.values().slice(list.value_offsets()[0] as usize, list.value_length(0) as usize);
        let column: Column = match numbers.data_type() {
            DataType::Float64 => numbers.as_primitive::<Float64Type>().values().to_vec().into(),
            DataType::UInt64 => numbers.as_primitive::<UInt64Type>().values().to_vec().into(),
            DataType::UInt32 => numbers.as_primitive::<UInt32Type>().values().to_vec().into(),
            DataType::UInt8 => numbers.as_primitive::<UInt8Type>().values().to_vec().into(),
            _ => return None,
        };
        columns = columns.with(field.name(), column);
    }
    Some(columns)
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_ipc::CompressionType;
    use arrow_ipc::writer::IpcWriteOptions;

    fn sample() -> Columns {
        Columns::default()
            .with("weights", vec![0.1 + 0.2, f64::NAN, -0.0, 5e-324])
            .with("ranks", vec![u64::MAX, 0])
            .with("sweeps", vec![7_u32])
            .with("nothing", Vec::<f64>::new())
            .with("status", vec![0_u8, 255, 3])
    }

    #[test]
    fn columns_come_back_bit_by_bit() {
        let columns = sample();
        let bytes = encode(columns.clone()).unwrap();
        let found = decode(&bytes).expect("they were encoded");
        let bits =
            |columns: &Columns| -> Vec<u64> { columns.f64s("weights").unwrap().iter().map(|x| x.to_bits()).collect() };
        assert_eq!(bits(&found), bits(&columns));
        assert_eq!(encode(found.clone()).unwrap(), bytes);
        assert_eq!((found.u64s("ranks"), found.u32s("sweeps")), (Some(&[u64::MAX, 0][..]), Some(&[7][..])));
        assert_eq!((found.u8s("status"), found.f64s("nothing")), (Some(&[0, 255, 3][..]), Some(&[][..])));
        assert_eq!(found.f64s("ranks"), None);
    }

    #[test]
    fn damaged_bytes_are_read_or_refused() {
        // Whatever is flipped or cut away, nothing panics and no memory is asked for that is not there.
        let bytes = encode(sample()).unwrap();
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut other = bytes.clone();
                other[at] ^= 1 << bit;
                decode(&other);
            }
            for word in [0, 0x7f, 0xff] {
                let mut other = bytes.clone();
                let end = (at + 8).min(bytes.len());
                other[at..end].fill(word);
                decode(&other);
            }
            decode(&bytes[at..]);
        }
    }

    #[test]
    fn a_compressed_stream_is_refused() {
        let numbers: ArrayRef = Arc::new(PrimitiveArray::<Float64Type>::from_iter_values([0.0; 1000]));
        let batch = RecordBatch::try_from_iter([("weights", numbers)]).unwrap();
        let options = IpcWriteOptions::default().try_with_compression(Some(CompressionType::ZSTD)).unwrap();
        let mut writer = StreamWriter::try_new_with_options(Vec::new(), &batch.schema(), options).unwrap();
        writer.write(&batch).unwrap();
        let bytes = writer.into_inner().unwrap();
        assert!(!is_plain(&bytes) && is_plain(&encode(sample()).unwrap()));
    }

    #[test]
    fn other_bytes_are_refused() {
        let bytes = encode(sample()).unwrap();
        // The end of a stream says nothing: whole batches are believed.
        (0..bytes.len() - 8).for_each(|length| assert!(decode(&bytes[..length]).is_none(), "{length} bytes"));
        assert!(decode(b"neither").is_none());
    }
}
