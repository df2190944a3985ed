//! Do the parts that several machines made join to what one machine would have made?

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::run::{Folder, equirisk, json};

const BOOTSTRAP: [&str; 9] = ["bootstrap", "-B", "1000", "--seed", "5", "--last", "400", "--block", "12"];
const SCREEN: [&str; 8] = ["screen", "--size", "4", "--by", "volatility", "--top", "12", "--seed"];

fn files(directory: &Path) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap());
    let mut files: Vec<(String, Vec<u8>)> = entries
        .map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap()))
        .filter(|(name, _)| name != "run.json")
        .collect();
    files.sort();
    files
}

/// Runs the command whole and in `of` shards, joins these, and holds the two against each other.
fn joined(args: &[&str], of: u64) {
    let folder = Folder::new();
    let whole = equirisk(&[args, &["-o", &folder.name("whole"), "--json"]].concat()).succeeded();
    let mut shards: Vec<String> = Vec::new();
    for index in 0..of {
        let out = folder.name(&format!("shard{index}"));
        let shard = format!("{index}/{of}");
        let part = json(&[args, &["--shard", &shard, "-o", &out, "--json"]].concat());
        assert_eq!(part["shard"]["index"].as_u64(), Some(index));
        shards.push(out);
    }
    // In any order.
    shards.reverse();
    let shards: Vec<&str> = shards.iter().map(String::as_str).collect();
    let out = folder.name("joined");
    let merge = [&["merge"], &shards[..], &["-o", &out, "--json"]].concat();
    assert_eq!(equirisk(&merge).succeeded().stdout, whole.stdout, "{of} shards");
    let (found, expected) = (files(&folder.path("joined")), files(&folder.path("whole")));
    assert_eq!(found.iter().map(|f| &f.0).collect::<Vec<_>>(), expected.iter().map(|f| &f.0).collect::<Vec<_>>());
    found.iter().zip(&expected).for_each(|(a, b)| assert!(a.1 == b.1, "{of} shards: {} differs", a.0));
    // Once more: it is there already.
    assert_eq!(equirisk(&merge).succeeded().stdout, whole.stdout);
    equirisk(&["verify", &folder.name("joined")]).succeeded();
}

#[test]
fn a_bootstrap_in_shards_is_the_bootstrap_byte_by_byte() {
    [1, 3, 7].into_iter().for_each(|of| joined(&[&BOOTSTRAP[..], &["--engine", "cpu"]].concat(), of));
}

#[test]
fn a_screen_in_shards_is_the_screen_byte_by_byte() {
    let data = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/sp500_20_daily_px.csv.gz");
    // More subsets than one piece holds: 15,504; and with the winners on resamples, of a sample.
    let five = ["screen", data, "--size", "5", "--by", "volatility", "--top", "12", "--engine", "cpu"];
    [1, 3, 7].into_iter().for_each(|of| joined(&five, of));
    let again = ["--bootstrap-top", "5", "-B", "50", "--sample", "9000", "--seed", "1", "--max-correlation", "0.7"];
    joined(&[&five[..], &again].concat(), 2);
    // Bounds on what the halves are compared over, a figure of the path, and the choice repeated after the parts are joined.
    let path = ["screen", data, "--size", "5", "--by", "sharpe", "--top", "12", "--engine", "cpu"];
    let bounds = ["--where", "max-weight<0.3", "--where", "max-drawdown<0.6", "--sample", "9000", "--seed", "1"];
    joined(&[&path[..], &bounds].concat(), 3);
    let four = ["screen", data, "--size", "4", "--where", "max-weight<0.5", "--top", "9", "--engine", "cpu"];
    joined(&[&four[..], &["--bootstrap-top", "6", "-B", "100", "--seed", "4"]].concat(), 2);
}

#[test]
fn shards_of_a_gpu_run_carry_their_cross_checks() {
    joined(&[&BOOTSTRAP[..], &["--engine", "gpu"]].concat(), 3);
    joined(&[&SCREEN[..], &["1", "--engine", "gpu"]].concat(), 2);
}

#[test]
fn more_shards_than_problems_leave_some_empty() {
    joined(&["bootstrap", "-B", "2", "--seed", "5", "--last", "60", "--engine", "cpu"], 5);
}

#[test]
fn what_does_not_belong_together_is_not_joined() {
    let folder = Folder::new();
    let shard = |name: &str, index: &str, more: &[&str]| {
        let out = folder.name(name);
        equirisk(&[&BOOTSTRAP[..], &["--engine", "cpu", "--shard", index, "-o", &out], more].concat()).succeeded();
        out
    };
    let (a, b, c) = (shard("a", "0/3", &[]), shard("b", "1/3", &[]), shard("c", "2/3", &[]));
    let merged = folder.name("merged");
    let merge = |shards: &[&str], code: i32| {
        let run = equirisk(&[&["merge"], shards, &["-o", &merged]].concat()).refused(code);
        assert!(!folder.path("merged/summary.json").exists());
        run.stderr
    };
    let said = merge(&[&a, &c], 2);
    assert!(said.contains("--shard 1/3 is missing"), "{said}");
    assert!(merge(&[&a, &b, &b, &c], 2).contains("given twice"));
    let other = shard("other", "1/3", &["--budgets", "S&P 500=2,NIKKEI=1", "--assets", "S&P 500,NIKKEI"]);
    assert!(merge(&[&a, &other, &c], 2).contains("different runs"));
    let fourth = shard("fourth", "1/4", &[]);
    assert!(merge(&[&a, &fourth, &c], 2).contains("equally many"));
    let whole = folder.name("whole");
    equirisk(&[&BOOTSTRAP[..], &["--engine", "cpu", "-o", &whole]].concat()).succeeded();
    assert!(merge(&[&a, &whole], 2).contains("not a shard"));
    assert!(merge(&[&folder.name("nowhere")], 2).contains("holds no run"));

    // What another machine made is joined only when told to.
    let manifest = folder.read("b/run.json");
    let mut foreign: Value = serde_json::from_str(&manifest).unwrap();
    foreign["maker"]["cpu"] = "other".into();
    folder.write("b/run.json", foreign.to_string());
    let said = merge(&[&a, &b, &c], 2);
    assert!(said.contains("CPU instructions") && said.contains("--allow-mixed"), "{said}");
    equirisk(&["merge", &a, &b, &c, "-o", &folder.name("mixed"), "--allow-mixed"]).succeeded();
    folder.write("b/run.json", manifest);

    // A damaged shard is named.
    let chunks = fs::read(folder.path("b/chunks.part")).unwrap();
    for damaged in [&chunks[..chunks.len() - 1], &[&chunks[..], b"x"].concat(), b""] {
        folder.write("b/chunks.part", damaged);
        let said = merge(&[&a, &b, &c], 2);
        assert!(said.contains("--shard 1/3 is damaged"), "{said}");
    }
    // The same command mends it.
    shard("b", "1/3", &[]);
    equirisk(&["merge", &a, &b, &c, "-o", &merged]).succeeded();
}

#[test]
fn a_shard_needs_a_seed_a_directory_and_a_number_below_its_count() {
    equirisk(&["bootstrap", "--shard", "0/3", "--seed", "1"]).refused(2);
    let folder = Folder::new();
    let run = equirisk(&["bootstrap", "--shard", "0/3", "-o", &folder.name("out")]).refused(2);
    assert!(run.stderr.contains("--seed"), "{}", run.stderr);
    for shard in ["3/3", "-1/3", "1", "a/b", "0/0"] {
        let shard = format!("--shard={shard}");
        equirisk(&["bootstrap", &shard, "--seed", "1", "-o", &folder.name("out")]).refused(2);
    }
    assert!(!folder.path("out").exists());
}

#[test]
fn a_finished_shard_is_shown_again_and_is_not_the_whole() {
    let folder = Folder::new();
    let out = folder.name("out");
    let shard = [&BOOTSTRAP[..], &["--engine", "cpu", "--shard", "0/2", "-o", &out]].concat();
    let first = equirisk(&shard).succeeded();
    let again = equirisk(&shard).succeeded();
    assert_eq!(again.stdout, first.stdout);
    assert!(again.stderr.contains("holds this run already"), "{}", again.stderr);
    equirisk(&[&BOOTSTRAP[..], &["--engine", "cpu", "-o", &out]].concat()).refused(2);
    equirisk(&["verify", &out]).refused(2);
}
