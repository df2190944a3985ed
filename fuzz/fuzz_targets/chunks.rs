//! Files of finished chunks, and what a chunk holds.
#![no_main]

use equirisk::run::{codec, journal};
use equirisk::study::screen::fold::Fold;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    // The sums of a file keep most bytes from its chunks: these are read by themselves too.
    codec::decode(bytes, 3);
    Fold::decode(bytes, 4);
    if let Ok(found) = journal::scan(&mut &bytes[..], bytes.len() as u64) {
        assert!(found.records.iter().all(|record| !record.range.is_empty()));
    }
});
