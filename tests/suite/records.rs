//! What runs leave behind is read by other runs: are any bytes read, or refused?
//!
//! `tests/corpus/manifest` and `tests/corpus/chunks` are the seeds of the fuzz targets of these names.

use std::fs;
use std::path::{Path, PathBuf};

use equirisk::Solutions;
use equirisk::report::manifest::Manifest;
use equirisk::report::{bootstrap, screen};
use equirisk::store::{Columns, journal};
use equirisk::study::screen::fold::{self, Fold};

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
    if let Ok(job) = serde_json::from_value::<bootstrap::Job>(manifest.job.clone()) {
        job.config(0);
    }
    if let Ok(job) = serde_json::from_value::<screen::Job>(manifest.job.clone()) {
        job.config();
        let _ = job.space(20);
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
        (0..bytes.len()).step_by(7).for_each(|length| assert!(!manifest(&bytes[..length]), "{name} cut at {length}"));
        for at in 0..bytes.len() {
            let mut other = bytes.clone();
            other[at] ^= 1;
            manifest(&other);
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

#[test]
#[ignore = "temporary"]
fn make_corpus() {
    use equirisk::batch::Comparisons;
    use equirisk::measure::Measured;
    use equirisk::run::crosscheck::Check;
    use equirisk::store::Checkpoint;
    use equirisk::study::screen::best::Candidate;
    use equirisk::study::screen::fold::Piece;
    use equirisk::{Certificate, Status};
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/chunks");
    let solutions = Solutions {
        weights: vec![0.25, 0.5, 0.25, f64::NAN, f64::NAN, f64::NAN],
        certificates: vec![
            Certificate { rescued: true, kappa: 3.5, ..Certificate::converged(2e-9, 11, 0.02) },
            Certificate::unsolved(Status::NoSolution),
        ],
        comparisons: Comparisons {
            volatilities: vec![0.01, 0.02, 0.03, 0.01, 0.02, 0.03],
            inverse_volatility: vec![0.01, 0.015],
            equal_weight: vec![0.012, 0.017],
        },
    };
    let check = Check { sampled: 4, max_difference: Some(1e-7), ..Check::default() };
    let solved = || Columns::from(&solutions).with("check", Check::numbers(Some(check)));
    let candidates = vec![Candidate { value: -1.5, rank: 3 }, Candidate { value: 0.25, rank: 70 }];
    let piece = Piece { statuses: [1, 2, 3, 4], passing: 1, candidates, sums: [0.1, 0.2], ..Piece::new(4) };
    let fold = Fold { rescued: 1, check: None, pieces: vec![piece] };
    let measured = Measured {
        statuses: vec![Some(Status::Converged), None, Some(Status::Invalid)],
        rescued: 0,
        rc_error: vec![1e-9, f64::NAN, f64::NAN],
        columns: vec![vec![1.0, f64::NAN, f64::NAN], vec![4.0, f64::NAN, f64::NAN]],
    };
    let folded = || fold.columns(Some(&measured));
    fs::write(folder.join("solutions"), solved().encode().unwrap()).unwrap();
    fs::write(folder.join("fold"), folded().encode().unwrap()).unwrap();
    for (name, range, columns) in [("journal_bootstrap", 0..2, solved()), ("journal_screen", 0..3, folded())] {
        let path = folder.join(name);
        let bytes = fs::read(&path).unwrap();
        let found = journal::scan(&mut &bytes[..], bytes.len() as u64).unwrap();
        println!("{name}: {} {:?}", found.header, found.records);
        Checkpoint::create(&path, &found.header).unwrap().of(0).keep(range, columns).unwrap();
    }
}
