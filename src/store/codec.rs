//! Columns as bytes, and back: an Arrow IPC stream of one row, each list of numbers a cell of it. Numbers keep every bit.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{ArrowPrimitiveType, Float64Type, UInt8Type, UInt32Type, UInt64Type};
use arrow_array::{Array as _, ArrayRef, LargeListArray, PrimitiveArray, RecordBatch};
use arrow_buffer::{OffsetBuffer, ScalarBuffer};
use arrow_ipc::reader::StreamReader;
use arrow_ipc::writer::StreamWriter;
use arrow_schema::{ArrowError, DataType, Field, Schema};

use super::columns::{Column, Columns};

/// # Errors
/// None that is known of.
pub fn encode(columns: Columns) -> Result<Vec<u8>, ArrowError> {
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
pub fn decode(bytes: &[u8]) -> Option<Columns> {
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
    fn other_bytes_are_refused() {
        let bytes = encode(sample()).unwrap();
        // The end of a stream says nothing: whole batches are believed.
        (0..bytes.len() - 8).for_each(|length| assert!(decode(&bytes[..length]).is_none(), "{length} bytes"));
        assert!(decode(b"neither").is_none());
    }
}
