//! Are runs in directories alike, whatever the study: gone on with, made in parts of any cut, joined and verified?

use std::fs;
use std::path::Path;

use crate::interrupted::{assert_equal, killed, results};
use crate::run::{Folder, equirisk, fed, npy, program, returns, uniform};

/// Covariances of six assets, the last of them flat in every tenth.
fn covariances(folder: &Folder, problems: usize) -> String {
    let mut uniform = uniform(3);
    let values: Vec<f64> = (0..problems)
        .flat_map(|p| {
            let exposures: Vec<f64> = (0..6).map(|_| uniform()).collect();
            let own: Vec<f64> =
                (0..6).map(|i| if p % 10 == 9 && i == 5 { 0.0 } else { 0.5 + uniform() / 2.0 }).collect();
            let entry = move |k: usize| {
                let (i, j) = (k / 6, k % 6);
                let flat = own[i] == 0.0 || own[j] == 0.0;
                if flat { 0.0 } else { exposures[i] * exposures[j] + if i == j { own[i] } else { 0.0 } }
            };
            (0..36).map(entry).collect::<Vec<f64>>()
        })
        .collect();
    folder.write("covariances.npy", npy(&[problems, 6, 6], &values))
}

const BOOTSTRAP: [&str; 8] = ["bootstrap", "-B", "600", "--seed", "5", "--last", "300", "--quiet"];
/// 9,880 subsets: three pieces of 4,096 at most.
const SCREEN: [&str; 13] =
    ["screen", "--size", "3", "--top", "9", "--by", "volatility", "--bootstrap-top", "4", "-B", "60", "--seed", "2"];

fn joined(args: &[&str], cuts: &[&[&str]]) {
    let folder = Folder::new();
    equirisk(&[args, &["-o", &folder.name("whole")]].concat()).succeeded();
    let mut parts: Vec<String> = Vec::new();
    for cut in cuts {
        let out = folder.name(&cut.join("_").replace('/', "_"));
        equirisk(&[args, cut, &["-o", &out]].concat()).succeeded();
        parts.insert(0, out);
    }
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let out = folder.name("joined");
    equirisk(&[&["merge"], &parts[..], &["-o", &out]].concat()).succeeded();
    assert_equal(&folder.path("joined"), &results(&folder.path("whole")));
    equirisk(&["verify", &out]).succeeded();
}

#[test]
fn parts_of_any_cut_make_the_whole_of_every_study() {
    for engine in ["cpu", "gpu"] {
        let with = |args: &[&'static str]| [args, &["--engine", engine]].concat();
        joined(&with(&BOOTSTRAP), &[&["--problems", "0..1"], &["--problems", "1..350"], &["--problems", "350..600"]]);
        joined(&with(&BOOTSTRAP), &[&["--shard", "0/2"], &["--problems", "300..300"], &["--problems", "300..600"]]);
    }
    let folder = Folder::new();
    let data = folder.write("returns.csv", table(40));
    let screen = [&["screen", &data, "--returns"], &SCREEN[1..], &["--engine", "cpu", "--quiet"]].concat();
    joined(&screen, &[&["--problems", "0..4096"], &["--shard", "1/3"], &["--problems", "8192..9880"]]);
    let data = covariances(&folder, 213);
    let batch = ["batch", &data, "--budgets", "0=1,1=2,2=1,3=0,4=1.5,5=1", "--quiet", "--engine", "cpu"];
    joined(&batch, &[&["--problems", "0..7"], &["--problems", "7..200"], &["--problems", "200..213"]]);
    joined(&[&batch[..6], &["gpu"]].concat(), &[&["--shard", "0/2"], &["--shard", "1/2"]]);
}

/// Returns of so many assets.
fn table(assets: usize) -> String {
    let names: Vec<String> = (0..assets).map(|i| format!("A{i}")).collect();
    let mut text = format!("date,{}\n", names.join(","));
    for (t, row) in returns(120, assets, 0.4, 7).chunks(assets).enumerate() {
        let cells: Vec<String> = row.iter().map(|r| format!("{:.9}", 0.01 * r)).collect();
        text += &format!("{},{}\n", jiff::civil::date(2020, 1, 1) + jiff::Span::new().days(t as i64), cells.join(","));
    }
    text
}

#[test]
fn what_is_missing_or_given_twice_is_named_and_nothing_is_written() {
    let folder = Folder::new();
    let part = |range: &str| {
        let out = folder.name(range);
        equirisk(&[&BOOTSTRAP[..], &["--engine", "cpu", "--problems", range, "-o", &out]].concat()).succeeded();
        out
    };
    let (first, last, over) = (part("0..250"), part("400..600"), part("200..600"));
    let merged = |parts: &[&str], into: &str| equirisk(&[&["merge"], parts, &["-o", &folder.name(into)]].concat());
    let run = merged(&[&first, &last], "gap").refused(4);
    assert!(run.stderr.contains("problems 250 to 400 are in none of the parts"), "{}", run.stderr);
    let run = merged(&[&first, &over], "overlap").refused(4);
    assert!(run.stderr.contains("problems 250 to 600") && run.stderr.contains("overlaps"), "{}", run.stderr);
    assert!(!folder.path("gap").exists() && !folder.path("overlap").exists());
    // A part is no place for the whole.
    let before = results(Path::new(&first));
    let run = equirisk(&["merge", &first, &over, "-o", &first, "--force"]).refused(2);
    assert!(run.stderr.contains("holds one of the parts"), "{}", run.stderr);
    assert!(results(Path::new(&first)) == before);
    // Chunks of one run beside the manifest of another.
    let text = folder.read("0..250/run.json").replace("\"seed\": 5", "\"seed\": 6");
    folder.write("0..250/run.json", text);
    let text = folder.read("200..600/run.json").replace("\"seed\": 5", "\"seed\": 6");
    folder.write("200..600/run.json", text);
    let run = merged(&[&first, &over], "forged").refused(4);
    assert!(run.stderr.contains("is not of the run"), "{}", run.stderr);
}

#[test]
fn a_batch_and_a_screens_halves_and_winners_go_on_where_they_were_killed() {
    let folder = Folder::new();
    let matrices = covariances(&folder, 60_000);
    let data = folder.write("returns.csv", table(40));
    let batch: Vec<&str> = vec!["batch", &matrices, "--engine", "cpu"];
    let screen = |engine: &'static str, resamples: &'static str| {
        let again = ["--bootstrap-top", "30", "-B", resamples, "--seed", "2", "--engine", engine];
        [&["screen", &data, "--returns", "--size", "3"], &again[..]].concat()
    };
    for (name, args) in [("batch", batch), ("cpu", screen("cpu", "8000")), ("gpu", screen("gpu", "400"))] {
        let (own, whole) = (folder.name(name), folder.name(&format!("{name}-whole")));
        killed(&args, &own, 1);
        let run = equirisk(&[&args[..], &["-o", &own]].concat()).succeeded();
        assert!(run.stderr.contains("problems are solved already"), "{name}: {}", run.stderr);
        let once = equirisk(&[&args[..], &["-o", &whole]].concat()).succeeded();
        assert_eq!(run.stdout, once.stdout, "{name}");
        assert_equal(Path::new(&own), &results(Path::new(&whole)));
    }
}

#[test]
fn a_screen_with_constraints_is_verified_by_its_list() {
    // Ranks hold included assets first, and those of a pool together; lists hold all in the order of the history.
    let folder = Folder::new();
    let data = folder.write("returns.csv", table(12));
    let groups: String = (0..12).map(|i| format!("A{i},{}\n", ["x", "y", "z"][i % 3])).collect();
    let groups = folder.write("groups.csv", format!("asset,group\n{groups}"));
    let constrained: [&[&str]; 3] = [
        &["--include", "A9,A4"],
        &["--groups", &groups, "--group-max", "x=1"],
        &["--include", "A11", "--sample", "99"],
    ];
    for (at, constraints) in constrained.into_iter().enumerate() {
        let out = folder.name(&at.to_string());
        let args = ["screen", &data, "--returns", "--size", "4", "--seed", "1", "--engine", "cpu", "-o", &out];
        equirisk(&[&args[..], constraints].concat()).succeeded();
        equirisk(&["verify", &out]).succeeded();
    }
}

#[test]
fn runs_of_another_version_and_of_another_study_are_not_misread() {
    let folder = Folder::new();
    let out = folder.name("out");
    let args = [&BOOTSTRAP[..], &["--engine", "cpu", "-o", &out]].concat();
    equirisk(&args).succeeded();
    let manifest = folder.read("out/run.json");
    folder.write("out/run.json", manifest.replace("\"schema\": 4", "\"schema\": 3"));
    for refused in [equirisk(&args), equirisk(&["verify", &out]), equirisk(&["merge", &out, "-o", &folder.name("m")])] {
        let refused = refused.refused(2);
        assert!(refused.stderr.contains("schema 3") && refused.stderr.contains("hint: "), "{}", refused.stderr);
    }
    // Its files are as they were, until they are replaced.
    folder.write("out/run.json", &manifest);
    equirisk(&["verify", &out]).succeeded();
    let screen = ["screen", "--size", "3", "--engine", "cpu", "-o", &out];
    let refused = equirisk(&screen).refused(2);
    assert!(refused.stderr.contains("a bootstrap, now a screen"), "{}", refused.stderr);
    equirisk(&[&screen[..], &["--force"]].concat()).succeeded();
    assert!(!folder.path("out/weights.parquet").exists() && folder.path("out/top.csv").exists());
    equirisk(&["verify", &out]).succeeded();
    // What is merged takes the place of what was there, too.
    let part = folder.name("part");
    equirisk(&[&BOOTSTRAP[..], &["--engine", "cpu", "--shard", "0/1", "-o", &part]].concat()).succeeded();
    equirisk(&["merge", &part, "-o", &out]).refused(2);
    equirisk(&["merge", &part, "-o", &out, "--force"]).succeeded();
    assert!(folder.path("out/weights.parquet").exists() && !folder.path("out/top.csv").exists());
}

#[test]
fn parts_are_counted_and_asked_for_before_any_work() {
    let folder = Folder::new();
    let data = covariances(&folder, 40);
    let out = folder.name("out");
    let plan = |args: &[&str]| equirisk(&[args, &["--dry-run", "--json", "-o", &out]].concat());
    let batch = ["batch", &data, "--engine", "cpu"];
    assert_eq!(plan(&[&batch[..], &["--shard", "0/4"]].concat()).json()["problems"], 10);
    plan(&[&batch[..], &["--problems", "39..41"]].concat()).refused(2);
    let screen = ["screen", "--size", "3", "--engine", "cpu", "--problems"];
    assert_eq!(plan(&[&screen[..], &["0..120"]].concat()).json()["subsets"]["screened"], 120);
    plan(&[&screen[..], &["0..7"]].concat()).refused(2);
    // What cannot be read again is no run that could be merged or verified.
    let mut stdin = program(&["batch", "-", "-o", &out]);
    let run = fed(&mut stdin, &fs::read(&data).unwrap()).refused(2);
    assert!(run.stderr.contains("standard input") && !folder.path("out").exists(), "{}", run.stderr);
    // Nor may results take the place of what they are made of.
    let before = fs::read(&data).unwrap();
    equirisk(&["batch", &data, "-o", &data, "--force"]).refused(2);
    assert!(fs::read(&data).unwrap() == before);
    equirisk(&["bootstrap", "-B", "18446744073709551615", "--problems", "0..5", "--seed", "1", "-o", &out]).refused(2);
}

#[cfg(unix)]
#[test]
fn names_that_are_no_text_are_names_all_the_same() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;
    let folder = Folder::new();
    let out = folder.path("").join(OsStr::from_bytes(b"\xff"));
    let mut command = program(&[&BOOTSTRAP[..], &["--engine", "cpu", "-o"]].concat());
    fed(command.arg(&out), b"").succeeded();
    let mut command = program(&["verify"]);
    fed(command.arg(&out), b"").succeeded();
}

#[test]
fn a_device_that_solves_nothing_leaves_all_to_the_cpu_at_once() {
    // Single precision never certifies this.
    let folder = Folder::new();
    let run = |engine: &str| {
        let out = folder.name(engine);
        let args =
            ["bootstrap", "-B", "2500", "--seed", "5", "--last", "300", "--tolerance", "1e-9", "--no-sensitivity"];
        equirisk(&[&args[..], &["--engine", engine, "-o", &out]].concat()).succeeded()
    };
    let (gpu, cpu) = (run("gpu"), run("cpu"));
    assert!(gpu.stderr.contains("solves none of 16 problems"), "{}", gpu.stderr);
    assert!(!cpu.stderr.contains("solves none"));
    assert_eq!(folder.read("gpu/assets.csv"), folder.read("cpu/assets.csv"));
    let solves: serde_json::Value = serde_json::from_str(&folder.read("gpu/summary.json")).unwrap();
    assert_eq!((&solves["solves"]["rescued"], &solves["solves"]["converged"]), (&2500.into(), &2500.into()));
}
