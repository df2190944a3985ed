//! `run.json`, and the specifications that it holds.
#![no_main]

use equirisk::store::manifest::Manifest;
use equirisk::study::protocol::Spec as _;
use equirisk::study::{bootstrap, given, screen};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(manifest) = Manifest::parse(bytes) else { return };
    manifest.identity();
    if let Ok(spec) = serde_json::from_value::<bootstrap::Spec>(manifest.job.clone()) {
        spec.is_sound();
    }
    if let Ok(spec) = serde_json::from_value::<given::Spec>(manifest.job.clone()) {
        spec.is_sound();
    }
    if let Ok(spec) = serde_json::from_value::<screen::Spec>(manifest.job) {
        spec.is_sound();
        let _ = spec.space(20);
    }
});
