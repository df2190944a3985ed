//! What runs leave behind is read by other runs: are any bytes read, or refused?
//!
//! `tests/corpus/manifest` and `tests/corpus/chunks` are the seeds of the fuzz targets of these names.

use std::fs;
use std::path::{Path, PathBuf};

use equirisk::Solutions;
use equirisk::store::Columns;
use equirisk::store::journal::{self, Journal};
use equirisk::store::manifest::Manifest;
use equirisk::study::protocol::Spec as _;
use equirisk::study::screen::fold::{self, Fold};
use equirisk::study::{bootstrap, given, screen};

fn corpus(name: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus").join(name);
    let files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(!files.is_empty());
    files.into_iter().map(|path| (path.clone(), fs::read(path).unwrap())).collect()
}

/// As the fuzz target `manifest`.
fn manifest(bytes: &[u8]) -> bool {
    let Ok(manifest) = Manifest::parse(bytes) else { return false };
    manifest.identity();
    if let Ok(spec) = serde_json::from_value::<bootstrap::Spec>(manifest.job.clone()) {
        spec.is_sound();
    }
    if let Ok(spec) = serde_json::from_value::<given::Spec>(manifest.job.clone()) {
        spec.is_sound();
    }
    if let Ok(spec) = serde_json::from_value::<screen::Spec>(manifest.job.clone()) {
        spec.is_sound();
        let _ = spec.space(20);
    }
    true
}

/// As the fuzz target `chunks`.
fn chunks(bytes: &[u8]) -> bool {
    if let Some(columns) = Columns::decode(bytes) {
        Solutions::from_columns(&columns, 2, 3);
        Fold::of_columns(&columns, 4);
        fold::measured(&columns, 2);
    }
    journal::scan(&mut &bytes[..], bytes.len() as u64).is_ok()
}

#[test]
fn manifests_are_read_or_refused_whatever_they_hold() {
    for (path, bytes) in corpus("manifest") {
        let name = path.file_name().unwrap().to_str().unwrap();
        assert_eq!(manifest(&bytes), !name.starts_with("bad_"), "{name}");
        (0..bytes.trim_ascii_end().len())
            .step_by(7)
            .for_each(|length| assert!(!manifest(&bytes[..length]), "{name} cut at {length}"));
        for at in 0..bytes.len() {
            let mut other = bytes.clone();
            other[at] ^= 1;
            manifest(&other);
        }
    }
}

#[test]
fn seeds_of_manifests_hold_what_runs_are_asked_for() {
    for (path, bytes) in corpus("manifest") {
        let name = path.file_name().unwrap().to_str().unwrap();
        let Ok(manifest) = Manifest::parse(&bytes) else { continue };
        let job = manifest.job.clone();
        let sound = match manifest.job["study"].as_str() {
            Some("bootstrap") => serde_json::from_value::<bootstrap::Spec>(job).unwrap().is_sound(),
            Some("screen") => serde_json::from_value::<screen::Spec>(job).unwrap().is_sound(),
            study => panic!("{name}: {study:?}"),
        };
        assert!(sound, "{name}");
    }
}

#[test]
fn seeds_of_chunks_are_what_runs_keep() {
    for (path, bytes) in corpus("chunks") {
        let name = path.file_name().unwrap().to_str().unwrap();
        let columns = |bytes: &[u8]| Columns::decode(bytes).unwrap_or_else(|| panic!("{name} holds no columns"));
        match name {
            "solutions" => assert!(Solutions::from_columns(&columns(&bytes), 2, 3).is_some()),
            "fold" => {
                let columns = columns(&bytes);
                assert!(Fold::of_columns(&columns, 4).is_some() && fold::measured(&columns, 2).is_some());
            }
            _ => {
                let (journal, found) = Journal::open(&path, false).unwrap();
                assert!(!found.damaged && !found.records.is_empty(), "{name}");
                found.records.iter().for_each(|record| drop(columns(&journal.read(record).unwrap())));
            }
        }
    }
}

#[test]
fn chunks_are_read_or_refused_whatever_they_hold() {
    for (path, bytes) in corpus("chunks") {
        let name = path.file_name().unwrap().to_str().unwrap();
        assert_eq!(chunks(&bytes), name.starts_with("journal"), "{name}");
        for at in 0..bytes.len() {
            chunks(&bytes[..at]);
            chunks(&bytes[at..]);
            let mut other = bytes.clone();
            other[at] ^= 0x80;
            chunks(&other);
        }
    }
}
