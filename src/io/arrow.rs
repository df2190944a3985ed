//! Arrow IPC: streams, and files (Feather 2), which are a stream between a magic word and an index of it.
//!
//! Messages are walked before any is decoded: each must lie inside the file, and what compressed buffers say they unpack
//! to is added up and checked.

use arrow_buffer::Buffer;
use arrow_ipc::reader::StreamDecoder;
use arrow_ipc::{RecordBatch, root_as_message};

use crate::error::Result;
use crate::io::frame::Frame;
use crate::io::guard::{damaged, decoding};
use crate::io::history::History;
use crate::io::{Detected, Limits, Request};

const NAME: &str = "Arrow file";
/// `ARROW1` and two bytes of padding.
const MAGIC: usize = 8;

pub(crate) fn read(
    source: &str,
    bytes: Vec<u8>,
    is_file: bool,
    request: &Request<'_>,
) -> Result<(Vec<History>, Detected)> {
    let frame = frame(source, bytes, is_file, request.limits)?;
    decoding(source, NAME, || frame.finish("arrow", request))
}

pub(crate) fn frame(source: &str, mut bytes: Vec<u8>, is_file: bool, limits: Limits) -> Result<Frame> {
    decoding(source, NAME, || {
        // Some writers pad the magic word to 64 bytes.
        let is_message = |at: &usize| bytes.get(*at..at + 8).is_some_and(|word| word.iter().any(|byte| *byte != 0));
        let start = if is_file { (MAGIC..=64).step_by(8).find(is_message).unwrap_or(MAGIC) } else { 0 };
        let end = walk(source, &bytes, start, limits)?;
        bytes.truncate(end);
        let mut rest = Buffer::from_vec(bytes).slice(start.min(end));
        let mut decoder = StreamDecoder::new();
        let mut frame: Option<Frame> = None;
        while let Some(batch) = decoder.decode(&mut rest).map_err(|error| damaged(source, NAME, error))? {
            let frame = frame.get_or_insert_with(|| {
                let schema = batch.schema();
                let names = schema.fields().iter().map(|field| field.name().clone()).collect();
                Frame::new(source, names, schema.metadata().get("pandas").map(String::as_str))
            });
            frame.push(&batch, limits)?;
        }
        frame.ok_or_else(|| damaged(source, NAME, "no rows"))
    })
}

/// Where the messages end. All of them lie inside the bytes, and unpack to what is allowed.
fn walk(source: &str, bytes: &[u8], start: usize, limits: Limits) -> Result<usize> {
    const CONTINUATION: [u8; 4] = [0xff; 4];
    let cut = || damaged(source, NAME, "it ends in the middle of a message");
    let word = |at: usize| bytes.get(at..at.checked_add(4)?)?.first_chunk::<4>().copied();
    let (mut at, mut rows, mut columns, mut unpacked) = (start, 0_usize, 0_usize, 0_u64);
    while let Some(first) = word(at) {
        let (length, header) = match first {
            CONTINUATION => (word(at + 4).ok_or_else(cut)?, 8),
            // Before version 0.15 there was no mark.
            length => (length, 4),
        };
        let length = u32::from_le_bytes(length) as usize;
        if length == 0 {
            break;
        }
        let message_at = at + header;
        let body_at = message_at.checked_add(length).ok_or_else(cut)?;
        let message = bytes.get(message_at..body_at).ok_or_else(cut)?;
        let message = root_as_message(message).map_err(|error| damaged(source, NAME, error))?;
        let body = usize::try_from(message.bodyLength()).map_err(|_| cut())?;
        let end = body_at.checked_add(body).ok_or_else(cut)?;
        let body = bytes.get(body_at..end).ok_or_else(cut)?;
        if let Some(schema) = message.header_as_schema() {
            columns = schema.fields().map_or(0, |fields| fields.len());
        }
        let batch = message.header_as_record_batch();
        if let Some(batch) = batch {
            rows = rows.saturating_add(usize::try_from(batch.length()).unwrap_or(usize::MAX));
            limits.check(source, rows, rows.saturating_mul(columns))?;
        }
        let batch = batch.or_else(|| message.header_as_dictionary_batch().and_then(|dictionary| dictionary.data()));
        unpacked = unpacked.saturating_add(batch.map_or(0, |batch| unpacks_to(&batch, body)));
        limits.check_bytes(source, unpacked)?;
        at = end;
    }
    Ok(at)
}

/// Bytes that the buffers of a batch say they unpack to: the first eight of each, where the batch is compressed.
fn unpacks_to(batch: &RecordBatch<'_>, body: &[u8]) -> u64 {
    if batch.compression().is_none() {
        return body.len() as u64;
    }
    let declared = |offset: i64| {
        let start = usize::try_from(offset).ok()?;
        let length = i64::from_le_bytes(*body.get(start..)?.first_chunk::<8>()?);
        // -1 marks a buffer that is not compressed.
        Some(u64::try_from(length).unwrap_or(0))
    };
    let buffers = batch.buffers().into_iter().flatten();
    let total = buffers.filter_map(|buffer| declared(buffer.offset())).fold(0, u64::saturating_add);
    total.saturating_add(body.len() as u64)
}
