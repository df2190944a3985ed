//! Does the program say no in the agreed way: the exit code, the message, and nothing that looks like a result?

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::Stdio;

use crate::cases::data;
use crate::law::printed;
use crate::run::{Folder, equirisk, fed, npy, prices, program, returns, table, uniform};

#[test]
fn a_call_that_makes_no_sense_is_exit_code_2() {
    for args in [
        &["bootstrap", "-B", "0"][..],
        &["bootstrap", "-B", "x"],
        &["bootstrap", "-B", "-5"],
        &["bootstrap", "--seed", "x"],
        &["bootstrap", "--seed", "-1"],
        &["bootstrap", "--seed", "18446744073709551616"],
        &["bootstrap", "--scheme", "wild"],
        &["bootstrap", "--block", "0"],
        &["bootstrap", "--block", "-3"],
        &["bootstrap", "--block", "NaN"],
        &["bootstrap", "--block", "inf"],
        &["bootstrap", "--block", "soon"],
        &["rows", "--rows", "10", "--block", "2", "--resample", "5..3"],
        &["rows", "--rows", "10", "--block", "2", "--resample", "5"],
        &["rows", "--rows", "10", "--block", "2", "--resample", "a..b"],
        &["rows", "--rows", "10", "--block", "2", "--resample", "-1..3"],
        &["rows", "--rows", "10", "--block", "2"],
        &["rows", "--rows", "-10", "--block", "2", "--resample", "0..1"],
        &["rows", "--rows", "10", "--resample", "0..1"],
        &["solve", "--engine", "tpu"],
        &["solve", "--tolerance", "0"],
        &["solve", "--tolerance", "-1e-8"],
        &["solve", "--tolerance", "NaN"],
        &["solve", "--estimator", "guess"],
        &["solve", "--missing", "maybe"],
        &["solve", "--from", "2020-13-01"],
        &["solve", "--from", "yesterday"],
        &["solve", "--last", "x"],
        &["solve", "--threads", "0"],
        &["solve", "--periods-per-year", "0"],
        &["solve", "--periods-per-year", "NaN"],
        &["solve", "--memory", "much"],
        &["solve", "--no-such-flag"],
        &["solve", "one.csv", "one.csv"],
        &["solve", "--delimiter", "ab"],
        &["solve", "--decimal-comma=maybe"],
        &["solve", "--date-format", "dd/mm"],
        &["solve", "--covariance", "one.csv", "two.csv"],
        &["solve", "--returns", "--covariance", "one.csv"],
        &["batch"],
        &["unknown"],
    ] {
        let run = equirisk(args);
        assert_eq!(run.code, 2, "{args:?}: {run:?}");
        run.refused(2);
    }
    assert_eq!(equirisk(&[]).code, 2);
}

#[test]
fn a_covariance_flag_needs_a_covariance() {
    // The embedded sample holds prices.
    equirisk(&["solve", "--covariance"]).refused(2);
}

#[test]
fn data_that_cannot_be_used_is_exit_code_4_and_the_message_says_where() {
    let folder = Folder::new();
    let three = prices(&returns(30, 3, 1.0, 1), 3);
    let good = folder.write("good.csv", table(&three, 3));
    let text = table(&three, 3);
    let broken = |name: &str, from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        folder.write(name, text.replacen(from, to, 1))
    };
    let cell = format!("{:e}", three[3 * 7 + 1]);
    let missing = folder.name("missing.csv");
    let cases: [(&[&str], &[&str]); 18] = [
        (&[&missing], &["missing.csv"]),
        (&[&folder.name("")], &["folder"]),
        (&[&folder.write("empty.csv", "")], &["empty.csv", "empty"]),
        (&[&folder.write("header.csv", "date,A0,A1\n")], &["header.csv"]),
        (&[&folder.write("one.csv", "date,A0,A1\n2020-01-01,1,2\n")], &["one.csv"]),
        (&[&broken("text.csv", &cell, "dear")], &["text.csv", "line 9", "column 3", "A1", "2000-01-08", "dear"]),
        (&[&broken("zero.csv", &cell, "0")], &["zero.csv", "line 9", "column 3", "A1", "2000-01-08"]),
        (&[&broken("negative.csv", &cell, "-1")], &["negative.csv", "line 9", "column 3", "A1"]),
        (&[&broken("infinite.csv", &cell, "inf")], &["infinite.csv", "line 9", "column 3", "A1"]),
        (&[&broken("twice.csv", "2000-01-08", "2000-01-07")], &["twice.csv", "2000-01-07", "8", "9"]),
        (&[&broken("named.csv", "A2", "A0")], &["named.csv", "A0"]),
        (&[&good, "--assets", "A0,B"], &["good.csv", "B", "A1"]),
        (&[&good, "--budgets", "A0=0.5,A1=0.5"], &["A2"]),
        (&[&good, "--budgets", "A0=0.4,A1=0.3,A2=0.2,B=0.1"], &["B"]),
        (&[&good, "--budgets", "A0=0.5,A1=0.6,A2=-0.1"], &["A2", "-0.1"]),
        (&[&good, "--budgets", "A0=0.5,A1=0.6,A2=much"], &["A2", "much"]),
        (&[&good, "--budgets", "A0=0,A1=0,A2=0"], &["0"]),
        (&[&good, "--budgets", &missing], &["missing.csv"]),
    ];
    for (args, words) in cases {
        for command in [&["solve", "--json"][..], &["bootstrap", "-B", "10", "--json"]] {
            let run = equirisk(&[command, args].concat());
            assert_eq!(run.code, 4, "{args:?}: {run:?}");
            let said = run.refused(4).stderr;
            assert!(words.iter().all(|word| said.contains(word)), "{args:?}, {words:?}: {said}");
        }
    }
}

#[test]
fn every_refusal_of_data_says_what_to_do_next() {
    let folder = Folder::new();
    let empty = folder.write("empty.csv", "");
    let short = folder.write("short.csv", "date,A0,A1\n2020-01-01,1,2\n2020-01-02,1.1,2.1\n");
    let missing = folder.name("missing");
    let bad = folder.write("bad.npy", npy(&[2, 2], &[1.0, 3.0, 3.0, 1.0]));
    let silent: Vec<String> = [
        &["solve", &missing][..],
        &["solve", &empty],
        &["solve", &short],
        &["solve", "--last", "1"],
        &["solve", "--from", "2030-01-01"],
        &["solve", "--assets", "NIKKEI,NIKKEI"],
        &["solve", "--assets", "NOWHERE"],
        &["solve", "--assets", "NIKKEI", "--budgets", "NIKKEI=0"],
        &["solve", "--assets", "NIKKEI", "--budgets", "NIKKEI=1,NIKKEI=1"],
        &["solve", "--device", "nowhere", "--engine", "gpu"],
        &["rows", "--rows", "10", "--resample", "0..1"],
        &["rows", "--rows", "10", "--block", "11", "--resample", "0..1"],
        &["rows", "--rows", "0", "--block", "1", "--resample", "0..1"],
        &["bootstrap", "--last", "1", "-B", "10"],
        &["bootstrap", "-B", "10", "-o", &empty],
        &["batch", &missing],
        &["batch", &bad, "--strict", "-o", &folder.name("out.npy")],
        &["batch", &bad, "-o", &folder.name("no/such/folder/out.npy")],
    ]
    .into_iter()
    .filter_map(|args| {
        let run = equirisk(args);
        assert_ne!(run.code, 0, "{args:?}");
        (!run.stderr.contains("hint: ")).then(|| format!("{args:?}: {}", run.stderr))
    })
    .collect();
    assert!(silent.is_empty(), "no hint:\n{}", silent.join("\n"));
}

#[test]
fn without_a_device_the_gpu_is_exit_code_5_and_auto_takes_the_cpu() {
    let folder = Folder::new();
    let matrices = folder.write("one.npy", npy(&[1, 2, 2], &[4.0, 1.0, 1.0, 9.0]));
    let bare = |args: &[&str]| {
        let mut command = program(args);
        command.env("VK_ICD_FILENAMES", "/nonexistent").env("VK_DRIVER_FILES", "/nonexistent");
        fed(&mut command, b"")
    };
    let out = folder.name("weights.npy");
    for args in [&["solve"][..], &["bootstrap", "-B", "50", "--seed", "1"], &["batch", &matrices, "-o", &out]] {
        let run = bare(&[args, &["--engine", "gpu"]].concat()).refused(5);
        assert!(run.stderr.contains("hint: ") && run.stderr.contains("--engine cpu"), "{}", run.stderr);
        let auto = bare(&[args, &["--engine", "auto", "--json"]].concat()).succeeded();
        assert!(auto.json().to_string().contains("\"engine\":\"cpu\""));
    }
    let list = bare(&["devices"]).refused(5);
    assert!(list.stderr.contains("docs/gpu.md"), "{list:?}");
    let list = bare(&["devices", "--json"]);
    let printed: serde_json::Value = serde_json::from_str(&list.stdout).unwrap();
    assert!(list.code == 5 && printed["devices"] == serde_json::json!([]), "{printed}");
    // What is missing depends on whether the machine has a card.
    assert!(printed["missing"].is_array() && printed["chosen"].is_null(), "{printed}");
    equirisk(&["solve", "--engine", "gpu", "--device", "no such adapter"]).refused(5);
}

#[test]
fn results_go_to_standard_output_and_only_notices_to_standard_error() {
    let folder = Folder::new();
    let matrices = folder.write("one.npy", npy(&[1, 2, 2], &[4.0, 1.0, 1.0, 9.0]));
    let out = folder.name("weights.npy");
    for args in [
        &["solve"][..],
        &["bootstrap", "-B", "5000", "--seed", "1"],
        &["bootstrap", "-B", "5000", "--seed", "1", "--engine", "gpu"],
        &["rows", "--resample", "0..2"],
        &["batch", &matrices, "-o", &out, "--force"],
    ] {
        let loud = equirisk(args).succeeded();
        assert!(loud.stderr.lines().all(|line| line.starts_with("note: ")), "{args:?}: {}", loud.stderr);
        assert!(!loud.stdout.is_empty() && !loud.stdout.contains('\x1b'), "{args:?}");
        let quiet = equirisk(&[args, &["--quiet"]].concat()).succeeded();
        assert_eq!(quiet.stderr, "", "{args:?}");
        if args[0] != "rows" {
            assert_eq!(quiet.stdout, loud.stdout, "{args:?}");
            let json = equirisk(&[args, &["--json"]].concat()).succeeded();
            json.json();
            assert_eq!(json.stderr, loud.stderr, "{args:?}");
        }
    }
    // Quiet is not silent about failure.
    assert!(equirisk(&["solve", "--quiet", "/nonexistent"]).refused(4).stderr.contains("/nonexistent"));
}

#[test]
fn the_embedded_sample_is_named_where_it_is_used() {
    for args in [&["solve"][..], &["bootstrap", "-B", "5"], &["rows", "--resample", "0..1"]] {
        assert!(equirisk(args).succeeded().stderr.contains("sample"), "{args:?}");
    }
    // And only there.
    for args in [&["batch", "/nonexistent.npy"][..], &["solve", "--budgets", "/nonexistent.csv", "-q"]] {
        let run = equirisk(args).refused(4);
        assert!(!run.stderr.contains("sample"), "{args:?}: {}", run.stderr);
    }
}

#[test]
fn a_reader_that_closes_early_is_no_error() {
    let mut command = program(&["rows", "--rows", "100000", "--block", "5", "--resample", "0..100", "--quiet"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "resample,position,row\n");
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    child.wait().unwrap();
    assert_eq!(said, "");
}

#[test]
fn messy_files_are_read_or_refused_but_never_panic() {
    let folder = Folder::new();
    let mut files = Vec::new();
    for place in [data("messy"), data("../corpus/csv")] {
        files.extend(std::fs::read_dir(place).unwrap().map(|entry| entry.unwrap().path().to_str().unwrap().to_owned()));
    }
    assert!(files.len() > 50, "{}", files.len());
    let mut noise = uniform(1);
    for size in [1, 2, 64, 4096] {
        let bytes: Vec<u8> = (0..size).map(|_| ((noise() + 0.5) * 256.0) as u8).collect();
        files.push(folder.write(&format!("noise{size}"), bytes));
    }
    let whole = table(&prices(&returns(30, 3, 1.0, 1), 3), 3);
    for end in (0..whole.len()).step_by(97) {
        files.push(folder.write(&format!("cut{end}.csv"), &whole[..end]));
    }
    for file in &files {
        for flags in
            [&["solve", "--json", file][..], &["solve", "--covariance", "--json", file], &["solve", "--budgets", file]]
        {
            let run = equirisk(flags);
            assert!([0, 2, 3, 4].contains(&run.code), "{flags:?}: {run:?}");
            if run.code == 0 {
                assert!(run.stderr.lines().all(|line| line.starts_with("note: ")), "{flags:?}: {}", run.stderr);
                assert!(!run.stdout.contains("NaN"), "{flags:?}: {}", run.stdout);
            } else {
                let code = run.code;
                run.refused(code);
            }
        }
        let name = file.rsplit('/').next().unwrap();
        if file.contains("corpus") {
            let run = equirisk(&["bootstrap", file, "-B", "5", "--seed", "1", "--engine", "cpu", "--json"]);
            match name.split_once('_').unwrap().0 {
                "bad" => drop(run.refused(4)),
                _ => drop(run.succeeded().json()),
            }
        }
    }
}

#[test]
fn help_and_version_are_results() {
    for args in [&["--help"][..], &["--version"], &["bootstrap", "--help"], &["help", "solve"]] {
        let run = equirisk(args).succeeded();
        assert!(!run.stdout.is_empty() && run.stderr.is_empty(), "{args:?}: {run:?}");
    }
    let help = equirisk(&["--help"]).stdout;
    for command in ["bootstrap", "solve", "batch", "rows", "devices"] {
        assert!(help.contains(command), "{command}: {help}");
    }
}

#[test]
fn the_environment_says_which_gpu_and_not_whether_one_is_used() {
    let with = |args: &[&str], name: &str, value: &str| fed(program(args).env(name, value), b"");
    let solve = ["solve", "--engine", "gpu"];
    let said = with(&solve, "EQUIRISK_DEVICE", "nonesuch").refused(5).stderr;
    assert!(said.contains("no adapter matches `nonesuch` (EQUIRISK_DEVICE) by name"), "{said}");
    with(&solve, "EQUIRISK_DEVICE", "0").succeeded();
    with(&[&solve[..], &["--device", "0"]].concat(), "EQUIRISK_DEVICE", "nonesuch").succeeded();
    // Where the CPU is asked for, or pays, there is nothing to find.
    with(&["solve", "--engine", "cpu"], "EQUIRISK_DEVICE", "nonesuch").succeeded();
    let auto = with(&["solve", "--json"], "EQUIRISK_DEVICE", "nonesuch").succeeded();
    assert!(auto.json().to_string().contains("\"engine\":\"cpu\""));
    // The list of what there is stays a list.
    let list = with(&["devices"], "EQUIRISK_DEVICE", "nonesuch").succeeded();
    assert!(list.stderr.contains("no adapter matches") && list.stdout.contains("self-test"), "{list:?}");
    let list = with(&["devices", "--json"], "EQUIRISK_DEVICE", "0").succeeded();
    assert!(list.json()["chosen"] == 0 && list.stderr.contains("a run on the GPU takes 0"), "{list:?}");
    // CUDA's variable says nothing of the adapters of others.
    let others = |device: &serde_json::Value| device["vendor"] != 0x10de;
    if list.json()["devices"].as_array().unwrap().iter().any(others) {
        let run = with(&solve, "CUDA_VISIBLE_DEVICES", "-1").succeeded();
        assert!(!run.stderr.contains("error"), "{run:?}");
    }
}

#[test]
fn every_device_is_listed_with_the_outcome_of_its_self_test() {
    let run = equirisk(&["devices", "--json"]).succeeded();
    let devices = run.json()["devices"].as_array().unwrap().clone();
    assert!(!devices.is_empty() && devices.iter().all(|device| device["name"].is_string()), "{devices:?}");
    let text = equirisk(&["devices"]).succeeded().stdout;
    for device in &devices {
        assert!(text.contains(device["name"].as_str().unwrap()), "{text}");
    }
    // A device can be asked for by what the list shows.
    let first = &devices[0];
    for name in [first["name"].as_str().unwrap(), "0"] {
        let run = equirisk(&["rows", "--rows", "5", "--block", "1", "--resample", "0..1", "--seed", "1"]).succeeded();
        assert_eq!(printed(&run).len(), 1);
        equirisk(&["solve", "--engine", "gpu", "--device", name]).succeeded();
    }
}
