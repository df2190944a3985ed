//! Arrow files and streams.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| equirisk_fuzz::read_history(bytes));
