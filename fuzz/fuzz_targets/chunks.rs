//! Files of finished chunks, and what a chunk holds.
#![no_main]

use equirisk::Solutions;
use equirisk::store::{Columns, journal};
use equirisk::study::screen::fold::{self, Fold};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    // The sums of a file keep most bytes from its chunks: these are read by themselves too.
    if let Some(columns) = Columns::decode(bytes) {
        Solutions::from_columns(&columns, 2, 3);
        Fold::of_columns(&columns, 4);
        fold::measured(&columns, 2);
    }
    if let Ok(found) = journal::scan(&mut &bytes[..], bytes.len() as u64) {
        assert!(found.records.iter().all(|record| !record.range.is_empty()));
    }
});
