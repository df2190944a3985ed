//! Runs that end before their time, and what they leave in their directory.

use std::fs;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use equirisk::store::journal::Journal;

use crate::run::program;

/// What a run leaves beside run.json, which alone holds the command and timings.
pub fn results(directory: &Path) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
    let mut files: Vec<_> =
        entries.filter(|path| name(path) != "run.json").map(|path| (name(&path), fs::read(path).unwrap())).collect();
    files.sort();
    files
}

pub fn assert_equal(directory: &Path, expected: &[(String, Vec<u8>)]) {
    let found = results(directory);
    let names = |files: &[(String, Vec<u8>)]| files.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    assert_eq!(names(&found), names(expected));
    found.iter().zip(expected).for_each(|(a, b)| assert!(a.1 == b.1, "{} differs", a.0));
}

pub fn begun(args: &[&str], out: &str) -> Child {
    program(&[args, &["-o", out]].concat()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Problems in chunks that are whole. The length of the file would count a chunk that is still being written.
pub fn kept(directory: &Path) -> u64 {
    let whole = Journal::open(&directory.join("chunks.part"), false).map_or(Vec::new(), |(_, scan)| scan.records);
    whole.iter().map(|record| record.range.end - record.range.start).sum()
}

/// Waits until so many problems are kept. False where the run ended before.
pub fn waited(child: &mut Child, directory: &Path, problems: u64) -> bool {
    let patience = Instant::now() + Duration::from_secs(60);
    while kept(directory) < problems {
        if child.try_wait().unwrap().is_some() {
            return false;
        }
        assert!(Instant::now() < patience, "nothing was kept");
        std::thread::sleep(Duration::from_millis(1));
    }
    true
}

/// A run that is killed once so many problems are kept: it has no time to tidy up.
pub fn killed(args: &[&str], out: &str, problems: u64) {
    let mut child = begun(args, out);
    assert!(waited(&mut child, Path::new(out), problems), "it ended before {problems} problems were kept");
    child.kill().unwrap();
    child.wait().unwrap();
}
