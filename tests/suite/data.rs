//! Are the files people have read as they would read them, and is everything else refused?

use std::fs;
use std::path::{Path, PathBuf};

use equirisk::io::{Input, Kind, Missing, Notation, ReadOptions, Reading, read_returns as read};
use equirisk::panel::{Labels, Returns};
use equirisk::{ErrorKind, Result};
use serde_json::Value;

use crate::cases::{data, json, numbers};
use crate::run::{Folder, apart, equirisk, fed, program};

fn corpus(format: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus").join(format);
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn text(name: &str, text: &str) -> Input {
    Input::Bytes { name: name.into(), bytes: text.into() }
}

fn said(notation: Notation) -> ReadOptions {
    ReadOptions { notation, ..ReadOptions::default() }
}

fn names(list: &[&str]) -> Vec<String> {
    list.iter().map(|name| (*name).to_string()).collect()
}

#[test]
fn messy_histories_meet_their_expectations() {
    let expectations = json("messy/expectations.json");
    let cases = expectations["cases"].as_array().unwrap();
    assert!(cases.len() >= 22);
    for case in cases {
        let file = case["file"].as_str().unwrap();
        let path = data("messy").join(file);
        let path = path.to_str().unwrap();
        let verdict = case["verdict"].as_str().unwrap();
        let is_returns = case["input_kind"] == "returns";
        // Returns are recognised as such where they are not declared.
        let calls = if is_returns { vec![vec!["--returns"], vec![]] } else { vec![vec![]] };
        for flags in calls {
            let run = equirisk(&[&["solve", path, "--json", "--engine", "cpu"], &flags[..]].concat());
            if verdict == "error" {
                assert!(run.stderr.contains(file) && run.stderr.contains("hint: "), "{file}: {run:?}");
                run.refused(4);
                continue;
            }
            assert_eq!(run.code, 0, "{file}: {}", run.stderr);
            assert!(verdict == "accept" || run.stderr.contains("note: "), "{file} was read without a word");
            let found = run.json();
            assert_eq!(found["assets"], case["assets"], "{file}");
            let expected = numbers(&case["erc_weights"]);
            let far = apart(&numbers(&found["weights"]), &expected);
            // What the expectations ask for: an independent solver gave them from the same numbers.
            assert!(far < 1e-6, "{file}: {far:e}");

            let kind = if is_returns { Kind::Returns } else { Kind::Prices };
            let options = ReadOptions { kind, ..ReadOptions::default() };
            let rows = read(&[Input::Path(path.into())], &options).unwrap().returns.rows();
            assert_eq!(Value::from(rows), case["returns_rows"], "{file}");
        }
    }
}

/// The history that all files `same_*` hold.
fn plain() -> Returns {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/csv/same_plain.csv");
    read(&[Input::Path(path)], &ReadOptions::default()).unwrap().returns
}

#[test]
fn one_history_in_any_notation_is_the_same_history() {
    let plain = plain();
    assert_eq!((plain.rows(), plain.assets.len()), (11, 3));
    let mut files = 0;
    for path in ["csv", "parquet", "arrow", "npy"].into_iter().flat_map(corpus) {
        let name = path.file_name().unwrap().to_str().unwrap().to_string();
        if !name.starts_with("same_") {
            continue;
        }
        files += 1;
        let reading = read(&[Input::Path(path)], &ReadOptions::default()).unwrap_or_else(|e| panic!("{name}: {e}"));
        let (found, detected) = (reading.returns, &reading.detected[0]);
        // Arrays alone have neither names nor dates.
        if matches!(found.labels, Labels::Text(_)) {
            assert!(name.ends_with(".npy") || name.ends_with(".npz"), "{name} lost its dates");
            assert_eq!(found.assets, names(&["0", "1", "2"]), "{name}");
        } else {
            assert_eq!((&found.assets.len(), &found.labels), (&3, &plain.labels), "{name}");
        }
        let order: Vec<usize> =
            match found.assets.iter().map(|name| plain.assets.iter().position(|n| n == name)).collect() {
                Some(order) => order,
                None => vec![0, 1, 2],
            };
        assert_eq!(found.values, plain.select(&order).values, "{name}");
        assert!(detected.kind == "prices" && !detected.layout.is_empty(), "{name}: {detected:?}");
        assert!(reading.notices.len() <= 1, "one line says what was detected: {:?}", reading.notices);
    }
    assert!(files >= 84, "{files}");
}

#[test]
fn damaged_files_are_refused_in_words() {
    for path in ["parquet", "arrow", "npy"].into_iter().flat_map(corpus) {
        let name = path.file_name().unwrap().to_str().unwrap().to_string();
        match read(&[Input::Path(path)], &ReadOptions::default()) {
            Ok(_) => assert!(!name.starts_with("bad_"), "{name} was read"),
            Err(error) => {
                assert!(name.starts_with("bad_"), "{name}: {error}");
                assert!(error.kind == ErrorKind::Input && error.hint.is_some(), "{name}: {error:?}");
                assert!(!error.message.chars().any(char::is_control) && error.message.len() < 500, "{name}: {error}");
            }
        }
    }
}

/// Every cut and every flipped byte of a few files of each format: read or refused, without a panic.
#[test]
fn no_cut_and_no_flipped_byte_is_more_than_an_error() {
    let options = ReadOptions { memory: Some(16 << 20), ..ReadOptions::default() };
    let attempt = |bytes: Vec<u8>| -> Result<Reading> { read(&[Input::Bytes { name: "f".into(), bytes }], &options) };
    for (format, file) in [
        ("parquet", "same_snappy.parquet"),
        ("parquet", "same_pages_2.parquet"),
        ("parquet", "same_long_category.parquet"),
        ("arrow", "same_packed.arrows"),
        ("arrow", "same_lz4.feather"),
        ("npy", "same_named.npz"),
        ("npy", "same_f32.npy"),
        ("csv", "same_utf16.csv"),
        ("csv", "same_fields.csv"),
    ] {
        let whole =
            fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus").join(format).join(file)).unwrap();
        for place in 0..whole.len() {
            if place % 7 == 0 {
                let _ = attempt(whole[..place].to_vec());
            }
            let mut flipped = whole.clone();
            flipped[place] ^= 1 << (place % 8);
            let _ = attempt(flipped);
        }
    }
}

#[test]
fn flags_say_what_detection_cannot_know() {
    let ambiguous = text("f", "date;A;B\n01/02/2020;1,234;2\n02/02/2020;2,345;3\n04/03/2020;1,111;5\n");
    assert!(read(std::slice::from_ref(&ambiguous), &ReadOptions::default()).is_err());
    let notation =
        Notation { decimal_comma: Some(true), date_format: Some("dd/mm/yyyy".into()), ..Notation::default() };
    let decimal = read(std::slice::from_ref(&ambiguous), &said(notation.clone())).unwrap();
    assert_eq!(decimal.returns.values[0], (2.345 - 1.234) / 1.234);
    let last = Labels::Dates(vec![jiff::civil::date(2020, 2, 2), jiff::civil::date(2020, 3, 4)]);
    assert_eq!(decimal.returns.labels, last);
    let thousands = read(&[ambiguous], &said(Notation { decimal_comma: Some(false), ..notation })).unwrap();
    assert_eq!(thousands.returns.values[0], 1_111.0 / 1_234.0);

    let odd = text("f", "date:A:B\n2020-01-01:1:2\n2020-01-02:2:3\n2020-01-03:1:5\n");
    assert!(read(std::slice::from_ref(&odd), &ReadOptions::default()).is_err());
    let colon = Notation { delimiter: Some(b':'), ..Notation::default() };
    assert_eq!(read(&[odd], &said(colon)).unwrap().returns.rows(), 2);

    // Numbered assets without a telling name are a long table only when that is said.
    let numbered = "d,which,much\n2020-01-01,1,5\n2020-01-01,2,7\n2020-01-02,1,6\n2020-01-02,2,5\n2020-01-03,1,7\n2020-01-03,2,6\n";
    assert!(read(&[text("f", numbered)], &ReadOptions::default()).is_err());
    let long = read(&[text("f", numbered)], &said(Notation { long: true, ..Notation::default() })).unwrap();
    assert_eq!((long.returns.assets, long.returns.values[0]), (names(&["1", "2"]), 0.2));
}

#[test]
fn files_are_joined_by_date() {
    let a = text("a.csv", "date,A,B\n2020-01-01,1,2\n2020-01-02,2,3\n2020-01-03,3,5\n2020-01-06,4,4\n2020-01-07,3,5\n");
    let c = text("c.csv", "date;C\n07/01/2020;8\n06/01/2020;7\n03/01/2020;5\n02/01/2020;6\n13/12/2019;9\n");
    let both = [a.clone(), c.clone()];
    let joined = read(&both, &ReadOptions::default()).unwrap();
    assert_eq!(joined.returns.assets, names(&["A", "B", "C"]));
    assert_eq!(joined.returns.values[..3], [0.5, 2.0 / 3.0, -1.0 / 6.0]);
    assert_eq!((joined.returns.rows(), joined.detected.len()), (3, 2));
    assert!(joined.notices.iter().any(|notice| notice.contains("2 of 6 rows left out")), "{:?}", joined.notices);

    let chosen = ReadOptions { assets: Some(names(&["C", "A"])), ..ReadOptions::default() };
    assert_eq!(read(&both, &chosen).unwrap().returns.assets, names(&["C", "A"]));
    let exact = ReadOptions { missing: Missing::Error, ..ReadOptions::default() };
    assert!(read(&both, &exact).unwrap_err().message.contains("missing cell"));
    let unknown = ReadOptions { assets: Some(names(&["C", "D"])), ..ReadOptions::default() };
    assert!(read(&both, &unknown).unwrap_err().message.contains("no asset `D`"));

    let again = text("again.csv", "date,B\n2020-01-01,1\n2020-01-02,2\n2020-01-03,1\n");
    let error = read(&[a.clone(), again], &ReadOptions::default()).unwrap_err();
    assert!(["`B`", "a.csv", "again.csv"].iter().all(|word| error.message.contains(word)), "{error}");
    let numbered = text("n.csv", "n,D\n1,1\n2,2\n3,1\n");
    assert!(read(&[a.clone(), numbered], &ReadOptions::default()).unwrap_err().message.contains("joined by date"));
    assert_eq!(read(&[a.clone(), a], &ReadOptions::default()).unwrap_err().kind, ErrorKind::Usage);
}

#[test]
fn a_file_of_one_asset_is_named_after_its_file() {
    let folder = Folder::new();
    let days = ["2020-01-01", "2020-01-02", "2020-01-03", "2020-01-06"];
    let file = |scale: f64| {
        let rows = days.iter().zip([1.0_f64, 2.0, 1.5, 1.75]);
        let rows = rows.map(|(day, x)| format!("{day},{x},{x},{x},{x},{},1000\n", x.powf(scale)));
        format!("Date,Open,High,Low,Close,Adj Close,Volume\n{}", rows.collect::<String>())
    };
    let paths = [folder.write("SPY.csv", file(1.0)), folder.write("TLT.csv", file(0.5))];
    let run = equirisk(&["solve", &paths[0], &paths[1], "--json"]).succeeded();
    assert_eq!(run.json()["assets"], serde_json::json!(["SPY", "TLT"]));
    assert!(run.stderr.contains("`Adj Close` is read"), "{}", run.stderr);
}

#[test]
fn standard_input_takes_every_format() {
    let plain = fed(&mut program(&["solve", "-", "--json"]), &fs::read(corpus_file("csv/same_plain.csv")).unwrap());
    let expected = numbers(&plain.succeeded().json()["weights"]);
    for file in ["parquet/same_brotli.parquet", "arrow/same_lz4.feather", "npy/same_named.npz", "csv/same_long.csv"] {
        let run = fed(&mut program(&["solve", "-", "--json"]), &fs::read(corpus_file(file)).unwrap()).succeeded();
        assert!(apart(&numbers(&run.json()["weights"]), &expected) == 0.0, "{file}");
    }
}

fn corpus_file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus").join(name)
}

#[test]
fn a_file_that_asks_for_more_memory_than_there_is_is_refused() {
    let folder = Folder::new();
    let rows: String = (0..2_000).map(|row| format!("{row},{}.5,{}.25\n", 100 + row % 7, 50 + row % 5)).collect();
    let big = folder.write("big.csv", format!("n,A,B\n{rows}"));
    let run = equirisk(&["solve", &big, "--memory", "64KiB"]).refused(2);
    assert!(run.stderr.contains("--memory"), "{}", run.stderr);
    let packed = folder.write("packed.csv.gz", {
        use std::io::Write as _;
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(format!("n,A,B\n{rows}").as_bytes()).unwrap();
        encoder.finish().unwrap()
    });
    equirisk(&["solve", &packed, "--memory", "16KiB"]).refused(2);
    // What a few rows of many assets lead to is refused before it is made, from a history and from a covariance.
    let row = |x: f64| (0..1_500).fold(String::new(), |row, i| row + &format!(",{}", x + f64::from(i % 7)));
    let header = (0..1_500).fold(String::from("n"), |header, i| header + &format!(",A{i}"));
    let wide =
        folder.write("wide.csv", format!("{header}\n1{}\n2{}\n3{}\n4{}\n", row(3.0), row(4.0), row(3.5), row(5.0)));
    let run = equirisk(&["solve", &wide, "--memory", "64MiB"]).refused(2);
    assert!(
        run.stderr.contains("103.0 MiB") && run.stderr.contains("64.0 MiB are allowed by --memory"),
        "{}",
        run.stderr
    );
    let matrix = folder.write("matrix.npy", crate::run::npy(&[200, 200], &vec![1.0; 40_000]));
    let run = equirisk(&["solve", "--covariance", &matrix, "--memory", "1MiB"]).refused(2);
    assert!(run.stderr.contains("1.0 MiB are allowed by --memory"), "{}", run.stderr);
    let parquet = corpus_file("parquet/same_none.parquet");
    equirisk(&["solve", parquet.to_str().unwrap(), "--memory", "600B"]).refused(2);
}

/// A history of daily prices that grow by these returns, one column per list.
fn prices(columns: &[(&str, &[f64])]) -> String {
    let mut text = String::from("date");
    columns.iter().for_each(|(name, _)| text += &format!(",{name}"));
    let mut levels = vec![100.0; columns.len()];
    for row in 0..=columns[0].1.len() {
        let day = jiff::civil::date(2020, 1, 1).checked_add(jiff::Span::new().days(row as i64)).unwrap();
        if row > 0 {
            levels.iter_mut().zip(columns).for_each(|(level, (_, returns))| *level *= 1.0 + returns[row - 1]);
        }
        text += &format!("\n{day}");
        levels.iter().for_each(|level| text += &format!(",{level}"));
    }
    text
}

#[test]
fn oddities_are_mentioned_once_each() {
    let calm: Vec<f64> = (0..60).map(|row| 0.01 * f64::from((row * 7) % 11 - 5)).collect();
    let split: Vec<f64> = calm.iter().enumerate().map(|(row, x)| if row == 20 { -0.66 } else { *x * 0.5 }).collect();
    let stale: Vec<f64> = calm.iter().enumerate().map(|(row, x)| if row >= 45 { 0.0 } else { -x }).collect();
    let said = |text_: &str, kind| {
        let options = ReadOptions { kind, ..ReadOptions::default() };
        read(&[text("f", text_)], &options).unwrap().notices
    };
    assert_eq!(said(&prices(&[("A", &calm)]), Kind::Prices), names(&[]));
    let notices = said(&prices(&[("A", &calm), ("a", &calm), ("B", &split), ("C", &stale)]), Kind::Prices);
    for (place, words) in [
        &["1 return beyond +-50 %", "-66.0 %", "`B`, 2020-01-22", "split"][..],
        &["`A` and `a` have identical returns"],
        &["`A` and `a` differ in case only"],
        &["stale", "`C` stands still for 15 rows up to 2020-03-01"],
        &["every asset returns exactly zero on 5 of 60 rows", "holidays"],
    ]
    .iter()
    .enumerate()
    {
        assert!(words.iter().all(|word| notices[place].contains(word)), "{words:?} in {notices:?}");
    }
    assert_eq!(notices.len(), 5, "{notices:?}");

    let percent: String =
        calm.iter().enumerate().map(|(row, x)| format!("{row},{},{}\n", 100.0 * x, 50.0 * x)).collect();
    let notices = said(&format!("n,A,B\n{percent}"), Kind::Returns);
    let expected = ["in percent", "exactly zero on 5 of 60 rows"];
    assert!(notices.len() == 2 && notices.iter().zip(expected).all(|(n, e)| n.contains(e)), "{notices:?}");
    let few = prices(&[("A", &calm[..3]), ("B", &split[..3]), ("C", &calm[4..7]), ("D", &calm[8..11])]);
    assert!(said(&few, Kind::Prices)[0].contains("3 rows of returns for 4 assets"), "{:?}", said(&few, Kind::Prices));
}

#[test]
fn what_was_detected_can_be_kept() {
    let long = read(&[Input::Path(corpus_file("csv/same_long_semicolon.csv"))], &ReadOptions::default()).unwrap();
    let kept = serde_json::to_value(&long.detected[0]).unwrap();
    for (key, value) in [
        ("format", "csv"),
        ("layout", "long"),
        ("kind", "prices"),
        ("dates", "dd/mm/yyyy"),
        ("delimiter", "semicolon"),
        ("decimal_mark", "comma"),
    ] {
        assert_eq!(kept[key], value, "{kept}");
    }
    assert!(!kept["remarks"].as_array().unwrap().is_empty());
}
