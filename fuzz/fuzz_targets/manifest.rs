//! `run.json`, and the jobs that it describes.
#![no_main]

use equirisk::report::manifest::Manifest;
use equirisk::report::{bootstrap, screen};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(manifest) = Manifest::parse(bytes) else { return };
    manifest.identity();
    if let Ok(job) = serde_json::from_value::<bootstrap::Job>(manifest.job.clone()) {
        job.config(0);
    }
    if let Ok(job) = serde_json::from_value::<screen::Job>(manifest.job) {
        job.config();
        let _ = job.space(20);
    }
});
