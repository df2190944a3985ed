//! Does a run survive what kills it? Whatever happens in between, the same command ends with the same bytes.

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use equirisk::store::journal::Journal;
use serde_json::Value;

use crate::interrupted::{assert_equal, begun, killed, results, waited};
use crate::run::{Folder, Run, equirisk, program, uniform};

/// Long enough to be interrupted: some seconds of one core, a chunk every few milliseconds.
const BOOTSTRAP: [&str; 8] = ["bootstrap", "-B", "150000", "--seed", "3", "--engine", "cpu", "--quiet"];

#[test]
fn a_run_killed_at_random_moments_ends_as_if_nothing_had_happened() {
    let folder = Folder::new();
    let started = Instant::now();
    let whole = equirisk(&[&BOOTSTRAP[..], &["-o", &folder.name("whole")]].concat()).succeeded();
    let takes = started.elapsed();
    let expected = results(&folder.path("whole"));
    // Twenty moments, from the first kept chunk to the writing of the results.
    let mut random = uniform(7);
    let out = folder.name("killed");
    let mut interrupted = 0;
    for moment in 0..20 {
        let mut child = begun(&BOOTSTRAP, &out);
        waited(&mut child, &folder.path("killed"), 1);
        std::thread::sleep(takes.mul_f64((random() + 0.5) * 0.15));
        // Killed, not asked: there is no time to tidy up.
        child.kill().unwrap();
        let ended = child.wait().unwrap();
        interrupted += usize::from(!ended.success());
        assert!(ended.code().is_none() || ended.success(), "moment {moment}: {ended:?}");
    }
    assert!(interrupted >= 5, "only {interrupted} of 20 runs were interrupted");
    let last = equirisk(&[&BOOTSTRAP[..], &["-o", &out]].concat()).succeeded();
    assert_eq!(last.stdout, whole.stdout);
    assert_equal(&folder.path("killed"), &expected);
}

#[test]
fn what_is_kept_is_not_solved_again() {
    let folder = Folder::new();
    let out = folder.name("out");
    killed(&BOOTSTRAP, &out, 16_384);
    let args: Vec<&str> = BOOTSTRAP.into_iter().filter(|arg| *arg != "--quiet").collect();
    let run = equirisk(&[&args[..], &["-o", &out]].concat()).succeeded();
    let said = run.stderr.lines().find(|line| line.contains("was interrupted")).unwrap_or_else(|| panic!("{run:?}"));
    let solved: u64 = said.split_whitespace().find_map(|word| word.parse().ok()).unwrap();
    assert!((1024..180_000).contains(&solved), "{said}");
}

/// A machine that loses power may leave less of a file than was written, or other bytes.
#[test]
fn a_damaged_file_of_chunks_costs_time_and_nothing_else() {
    let folder = Folder::new();
    let args = ["bootstrap", "-B", "60000", "--seed", "3", "--engine", "cpu", "--quiet"];
    equirisk(&[&args[..], &["-o", &folder.name("whole")]].concat()).succeeded();
    let expected = results(&folder.path("whole"));
    killed(&args, &folder.name("begun"), 4096);
    let bytes = fs::read(folder.path("begun/chunks.part")).unwrap();
    let manifest = folder.read("begun/run.json");
    for (name, damaged) in [
        ("cut", bytes[..bytes.len() - 1].to_vec()),
        ("half", bytes[..bytes.len() / 2].to_vec()),
        ("empty", Vec::new()),
        ("junk", b"junk".to_vec()),
        ("flipped", bytes.iter().enumerate().map(|(i, b)| b ^ u8::from(i == bytes.len() / 3)).collect()),
        ("zeros", [&bytes[..bytes.len() / 2], &vec![0; 5000]].concat()),
    ] {
        fs::create_dir(folder.path(name)).unwrap();
        folder.write(&format!("{name}/run.json"), &manifest);
        folder.write(&format!("{name}/chunks.part"), damaged);
        equirisk(&[&args[..], &["-o", &folder.name(name)]].concat()).succeeded();
        assert_equal(&folder.path(name), &expected);
    }
}

#[cfg(unix)]
#[test]
fn a_signal_ends_the_run_within_a_second_and_says_how_to_go_on() {
    let folder = Folder::new();
    for (signal, code) in [("-INT", 130), ("-TERM", 143)] {
        let out = folder.name(signal);
        let mut child = begun(&BOOTSTRAP, &out);
        assert!(waited(&mut child, &folder.path(signal), 1));
        let sent = Instant::now();
        std::process::Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
        let output = child.wait_with_output().unwrap();
        // A second for the program; the machine that tests it may be busy with other tests.
        assert!(sent.elapsed() < Duration::from_secs(10), "{:?}", sent.elapsed());
        assert_eq!(output.status.code(), Some(code));
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains("error: interrupted") && said.contains("the same command goes on"), "{said}");
        let left = fs::read_dir(folder.path(signal)).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
        assert!(left.into_iter().all(|name| !name.starts_with(".equirisk")), "a temporary file stays behind");
    }
}

#[test]
fn an_interrupted_run_lends_its_seed_and_other_jobs_are_refused() {
    let folder = Folder::new();
    let out = folder.name("out");
    let args = ["bootstrap", "-B", "60000", "--engine", "cpu"];
    killed(&args, &out, 1);
    let manifest: Value = serde_json::from_str(&folder.read("out/run.json")).unwrap();
    assert_eq!(manifest["finished"], false);
    let seed = manifest["seed"].as_u64().unwrap();
    equirisk(&[&args[..], &["-o", &out, "--block", "7"]].concat()).refused(2);
    equirisk(&[&args[..], &["-o", &out, "--seed", &(seed + 1).to_string()]].concat()).refused(2);
    let run = equirisk(&[&args[..], &["-o", &out, "--json"]].concat()).succeeded();
    assert_eq!(run.json()["run"]["seed"].as_u64(), Some(seed));
}

#[test]
fn force_replaces_results_and_goes_on_with_what_it_has_begun() {
    let folder = Folder::new();
    let out = folder.name("out");
    equirisk(&["bootstrap", "-B", "20", "--seed", "1", "--engine", "cpu", "-o", &out]).succeeded();
    let args = ["bootstrap", "-B", "60000", "--engine", "cpu", "--force"];
    killed(&args, &out, 4096);
    let manifest: Value = serde_json::from_str(&folder.read("out/run.json")).unwrap();
    let run = equirisk(&[&args[..], &["-o", &out, "--json"]].concat()).succeeded();
    assert!(run.stderr.contains("was interrupted"), "{}", run.stderr);
    assert_eq!(run.json()["run"]["seed"], manifest["seed"]);
}

/// The same chunks, as if this maker had made them.
fn made_by(directory: &Path, change: impl FnOnce(&mut Value)) {
    let path = directory.join("chunks.part");
    let (before, scan) = Journal::open(&path, false).unwrap();
    let mut header: Value = serde_json::from_str(&scan.header).unwrap();
    change(&mut header["maker"]);
    let mut after = Journal::create(&directory.join("changed"), &header.to_string()).unwrap();
    for record in &scan.records {
        after.append(record.batch, record.range.clone(), &before.read(record).unwrap()).unwrap();
    }
    fs::rename(directory.join("changed"), path).unwrap();
}

#[test]
fn a_run_whose_device_is_gone_goes_on_without_it_and_says_so() {
    let folder = Folder::new();
    let out = folder.name("out");
    // The engine is left to choose: it had a device once.
    let args = ["bootstrap", "-B", "60000", "--seed", "3", "--no-sensitivity"];
    killed(&args, &out, 4096);
    made_by(&folder.path("out"), |maker| {
        maker["engine"] = "gpu".into();
        maker["adapter"] = "Yesterday's Card".into();
        maker["precision"] = "f32".into();
    });
    let run = equirisk(&[&args[..], &["-o", &out, "--json"]].concat()).succeeded();
    assert!(run.stderr.contains("Yesterday's Card is not there"), "{}", run.stderr);
    let (found, manifest) = (run.json(), folder.read("out/run.json"));
    assert_eq!((&found["run"]["engine"], &found["run"]["adapter"]), (&"gpu".into(), &"Yesterday's Card".into()));
    let rescued = found["solves"]["rescued"].as_u64().unwrap();
    assert!((1..60_000).contains(&rescued) && found["solves"]["converged"] == 60_000, "{rescued}");
    assert!(manifest.contains("is not there") && manifest.contains("\"remedy\": \"cpu\""), "{manifest}");
}

#[test]
fn what_another_machine_has_begun_is_not_mixed_unless_told_to() {
    let folder = Folder::new();
    let out = folder.name("out");
    killed(&BOOTSTRAP, &out, 4096);
    made_by(&folder.path("out"), |maker| maker["cpu"] = "other".into());
    let command = [&BOOTSTRAP[..], &["-o", &out]].concat();
    let refused = equirisk(&command).refused(2);
    assert!(refused.stderr.contains("CPU instructions") && refused.stderr.contains("--allow-mixed"), "{refused:?}");
    let held = ["run.json", "chunks.part"].map(|name| (name, fs::read(folder.path("out").join(name)).unwrap()));
    let mixed = equirisk(&[&command[..], &["--allow-mixed"]].concat()).succeeded();
    // Or it is left, and all is solved here.
    held.iter().for_each(|(name, bytes)| fs::write(folder.path("out").join(name), bytes).unwrap());
    assert_eq!(equirisk(&[&command[..], &["--force"]].concat()).succeeded().stdout, mixed.stdout);
}

#[test]
fn two_programs_do_not_work_in_one_directory() {
    let folder = Folder::new();
    let out = folder.name("out");
    let mut child = begun(&BOOTSTRAP, &out);
    assert!(waited(&mut child, &folder.path("out"), 1));
    let run = equirisk(&[&BOOTSTRAP[..], &["-o", &out]].concat());
    assert!(child.try_wait().unwrap().is_none(), "the first is still at work");
    let run = run.refused(2);
    assert!(run.stderr.contains("another program"), "{}", run.stderr);
    child.kill().unwrap();
    child.wait().unwrap();
}

/// A file system without room: chunks cannot be kept, and the program says so.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_said_and_what_was_kept_stays() {
    let folder = Folder::new();
    let out = folder.name("out");
    // The shell's limit on file sizes stands for a disk that is full.
    let limited = |limit: &str| -> Run {
        let command = [&BOOTSTRAP[..], &["-o", &out]].concat().join(" ");
        let mut shell = std::process::Command::new("bash");
        let script = format!("trap '' XFSZ; ulimit -f {limit}; exec {} {command}", env!("CARGO_BIN_EXE_equirisk"));
        crate::run::fed(crate::run::settled(&mut shell).args(["-c", &script]), b"")
    };
    // In blocks of 1,024 bytes.
    let run = limited("3000").refused(1);
    assert!(run.stderr.contains("chunks.part") && run.stderr.contains("same command goes on"), "{}", run.stderr);
    assert!(fs::metadata(folder.path("out/chunks.part")).unwrap().len() > 1 << 20);
    equirisk(&[&BOOTSTRAP[..], &["-o", &out]].concat()).succeeded();
    equirisk(&[&BOOTSTRAP[..], &["-o", &folder.name("whole")]].concat()).succeeded();
    assert_equal(&folder.path("out"), &results(&folder.path("whole")));
}

#[test]
fn an_interrupted_screen_goes_on_with_the_metrics_of_every_subset() {
    let folder = Folder::new();
    let args = |out: &str| -> Vec<String> {
        let all = folder.name(&format!("{out}.parquet"));
        let data = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/sp500_20_daily_px.csv.gz");
        let args = ["screen", data, "--size", "9", "--engine", "cpu", "--top", "20", "--quiet", "--all", &all, "-o"];
        args.iter().map(ToString::to_string).chain([folder.name(out)]).collect()
    };
    let run = |out: &str| equirisk(&args(out).iter().map(String::as_str).collect::<Vec<_>>()).succeeded();
    let whole = run("whole");
    let own = args("killed");
    let mut child = program(&own.iter().map(String::as_str).collect::<Vec<_>>())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    assert!(waited(&mut child, &folder.path("killed"), 4096));
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(run("killed").stdout, whole.stdout);
    assert_equal(&folder.path("killed"), &results(&folder.path("whole")));
    assert!(fs::read(folder.path("killed.parquet")).unwrap() == fs::read(folder.path("whole.parquet")).unwrap());
}
