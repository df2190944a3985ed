//! Files: is what is read what was written, and does nothing else get through?

use std::fs;
use std::path::{Path, PathBuf};

use equirisk::io::{
    self, Input, Kind, Missing, Notices, ReadOptions, Reading, npy, read_budgets, read_covariance, read_rates,
};
use equirisk::observer::Unwatched;
use equirisk::panel::{Covariance, Labels, Returns};
use equirisk::store::atomic::{self, Existing};
use equirisk::store::weights::{Described, RC_ERROR, WeightsWriter, write_weights};
use equirisk::{Certificate, Error, ErrorKind, Result, Solutions, Status};
use jiff::civil::date;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;
use proptest::prelude::*;

/// One file's returns, and what was said.
fn read_returns(input: &Input, options: &ReadOptions) -> Result<(Returns, Notices)> {
    io::read_returns(std::slice::from_ref(input), options).map(|reading| (reading.returns, reading.notices))
}

fn bytes(bytes: impl AsRef<[u8]>) -> Input {
    Input::Bytes { name: "f".into(), bytes: bytes.as_ref().to_vec() }
}

fn prices() -> ReadOptions {
    ReadOptions::default()
}

fn returns() -> ReadOptions {
    ReadOptions { kind: Kind::Returns, ..prices() }
}

fn names(list: &[&str]) -> Vec<String> {
    list.iter().map(|name| (*name).to_string()).collect()
}

fn messy(file: &str) -> Input {
    Input::Path(Path::new("tests/data/messy").join(file))
}

fn refused(input: &Input, options: &ReadOptions) -> Error {
    let error = read_returns(input, options).expect_err("this input is to be refused");
    assert_eq!(error.kind, ErrorKind::Input, "{error}");
    error
}

const FIVE: [&str; 5] = ["AAPL", "JPM", "KO", "CVX", "WMT"];

#[test]
fn messy_histories_are_read_as_a_person_would() {
    let (clean, notices) = read_returns(&messy("01_clean.csv"), &prices()).expect("clean");
    assert_eq!(notices, Notices::new());
    // 43.140762 / 41.618198 - 1, by hand
    assert!((clean.values[0] - 0.036584092).abs() < 1e-9);
    for (file, options, rows, said) in [
        ("02_leading_nan.csv", prices(), 192, &["80 of 273 rows", "`KO` (80, starts 2019-09-25)", "2019-09-25 to"][..]),
        ("03_trailing_nan_delisted.csv", prices(), 232, &["40 of 273 rows", "`WMT` (40, ends 2020-05-04)"]),
        ("05_interior_gaps_mixed_na_tokens.csv", prices(), 263, &["9 of 273 rows", "264 kept"]),
        ("09_percent_returns.csv", returns(), 272, &["percent signs in 5 of 5 columns"]),
        ("09_percent_returns.csv", prices(), 272, &["percentages are returns"]),
        ("11_semicolon_decimal_comma.csv", prices(), 272, &["semicolon", "decimal mark is a comma"]),
        ("13_ddmmyyyy.csv", prices(), 272, &["dd/mm/yyyy"]),
        ("23_long_format.csv", prices(), 272, &["a long table: `close` of each `ticker`"]),
        ("18_bom.csv", prices(), 272, &[]),
        ("19_crlf.csv", prices(), 272, &[]),
        ("37_newest_first.csv", prices(), 272, &["newest first"]),
    ] {
        let (read, notices) = read_returns(&messy(file), &options).unwrap_or_else(|e| panic!("{file}: {e}"));
        assert_eq!((read.rows(), &read.assets), (rows, &names(&FIVE)), "{file}");
        assert_eq!(notices.is_empty(), said.is_empty(), "{file}: {notices:?}");
        for words in said {
            assert!(notices.iter().any(|notice| notice.contains(words)), "{file}: `{words}` in {notices:?}");
        }
        if rows == clean.rows() {
            assert_eq!(read.labels, clean.labels, "{file}");
            // The variants are rounded to 4 decimals of a price at worst.
            let furthest = read.values.iter().zip(&clean.values).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
            assert!(furthest < 5e-6, "{file}: {furthest:e}");
        }
    }
}

#[test]
fn damaged_histories_are_refused_with_the_place() {
    for (file, said) in [
        ("07_duplicate_dates_conflicting.csv", &["2019-10-22", "different values", "lines 101 and 102"][..]),
        ("16_constant_column.csv", &["`CASH` never moves"]),
        ("21_zero_price.csv", &["line 132, column 5 (`CVX`, 2019-12-05)", "price of 0"]),
        ("40_duplicate_ticker.csv", &["`AAPL`", "columns 2 and 4"]),
        ("44_empty.csv", &["empty file"]),
        ("48_inf_cell.csv", &["line 61, column 3 (`JPM`", "not a finite number"]),
        ("no_such_file.csv", &["cannot be read"]),
    ] {
        let error = refused(&messy(file), &prices());
        for words in said {
            assert!(error.message.contains(words), "{file}: `{words}` in `{error}`");
        }
        assert!(error.message.starts_with("tests/data/messy/"), "{error}");
        assert!(error.hint.is_some() || file.starts_with("44"), "{file}");
    }
}

#[test]
fn a_damaged_cell_matters_only_where_it_is_used() {
    let options = ReadOptions { assets: Some(names(&["WMT", "AAPL"])), ..prices() };
    let (read, _) = read_returns(&messy("21_zero_price.csv"), &options).expect("CVX is not used");
    assert_eq!(read.assets, names(&["WMT", "AAPL"]));
    let options = ReadOptions { from: Some(date(2019, 12, 6)), ..prices() };
    let (read, _) = read_returns(&messy("21_zero_price.csv"), &options).expect("that day is not used");
    assert_eq!(
        read.labels,
        Labels::Dates(match read.labels.clone() {
            Labels::Dates(dates) => dates.into_iter().filter(|day| *day > date(2019, 12, 6)).collect(),
            Labels::Text(_) => vec![],
        })
    );
}

#[test]
fn missing_cells_follow_the_rule() {
    let text = "date,A,B,C\n2020-01-01,1,2,3\n2020-01-02,,,\n2020-01-03,2,NA,4\n2020-01-06,1,3,5\n2020-01-07,3,1,4\n";
    let read = |missing| read_returns(&bytes(text), &ReadOptions { missing, ..prices() });
    let (complete, notices) = read(Missing::CompleteRows).expect("three rows are complete");
    assert_eq!(complete.values, [0.0, 0.5, 2.0 / 3.0, 2.0, -2.0 / 3.0, -0.2]);
    assert!(notices[0].contains("2 of 5 rows") && notices[0].contains("`B` (2)"), "{notices:?}");
    let (excluded, notices) = read(Missing::ExcludeAssets).expect("two assets have no gap on trading days");
    assert_eq!((&excluded.assets, excluded.rows()), (&names(&["A", "C"]), 3));
    assert!(notices[0].contains("1 row of 5") && notices[1].contains("`B`"), "{notices:?}");
    let error = read(Missing::Error).expect_err("there are missing cells");
    assert_eq!(error.message, "f: line 3, column 2 (`A`, 2020-01-02): missing cell");
}

#[test]
fn dates_choose_prices_and_last_chooses_returns() {
    let read = |options: ReadOptions| read_returns(&messy("01_clean.csv"), &options);
    let (from, to) = (Some(date(2019, 6, 8)), Some(date(2019, 6, 14)));
    // 8 June 2019 was a Saturday: five prices, Monday to Friday, make four returns.
    let (week, _) = read(ReadOptions { from, to, ..prices() }).expect("a week");
    let days = [11, 12, 13, 14].map(|day| date(2019, 6, day));
    assert_eq!(week.labels, Labels::Dates(days.to_vec()));
    let (last, notices) = read(ReadOptions { from, to, last: Some(3), ..prices() }).expect("a week");
    assert_eq!((last.rows(), &last.values[..]), (3, &week.values[5..]));
    assert!(notices.iter().any(|notice| notice.contains("singular")), "{notices:?}");
    let (all, notices) = read(ReadOptions { last: Some(9_999), ..prices() }).expect("there are fewer");
    assert_eq!((all.rows(), notices.len()), (272, 1));
    let error = read(ReadOptions { from: Some(date(2021, 1, 1)), ..prices() }).expect_err("after the end");
    assert_eq!(error.hint.as_deref(), Some("the file runs from 2019-06-03 to 2020-06-30"));
    for options in [
        ReadOptions { from: to, to: from, ..prices() },
        ReadOptions { last: Some(1), ..prices() },
        ReadOptions { assets: Some(vec![]), ..prices() },
        ReadOptions { assets: Some(names(&["AAPL", "AAPL"])), ..prices() },
    ] {
        assert_eq!(read(options).expect_err("impossible").kind, ErrorKind::Usage);
    }
    let error = read(ReadOptions { assets: Some(names(&["aapl"])), ..prices() }).expect_err("names have cases");
    assert_eq!(error.hint.as_deref(), Some("did you mean `AAPL`?"));
}

#[test]
fn observation_numbers_have_no_dates() {
    let text = "obs,A,B\n0,1,2\n1,2,3\n2,3,1\n";
    let (read, _) = read_returns(&bytes(text), &prices()).expect("numbered rows");
    assert_eq!(read.labels, Labels::Text(names(&["1", "2"])));
    let error = refused(&bytes(text), &ReadOptions { to: Some(date(2020, 1, 1)), ..prices() });
    assert!(error.message.contains("need dates"), "{error}");
}

#[test]
fn log_returns_are_taken_from_prices_and_left_alone_in_returns() {
    let text = "date,A\n2020-01-01,1\n2020-01-02,2\n2020-01-03,0.5\n";
    let log = |kind| read_returns(&bytes(text), &ReadOptions { kind, log_returns: true, ..prices() }).expect("read").0;
    assert_eq!(log(Kind::Prices).values, [2_f64.ln(), 0.25_f64.ln()]);
    assert_eq!(log(Kind::Returns).values, [1.0, 2.0, 0.5]);
}

#[test]
fn returns_do_not_change_when_prices_are_scaled_by_a_power_of_two() {
    let (clean, _) = read_returns(&messy("01_clean.csv"), &prices()).expect("clean");
    let text = fs::read_to_string("tests/data/messy/01_clean.csv").expect("present");
    let mut lines = text.lines();
    let mut scaled = lines.next().expect("a header").to_string();
    for line in lines {
        let (day, cells) = line.split_once(',').expect("a date");
        scaled.push_str(&format!("\n{day}"));
        for cell in cells.split(',') {
            let price: f64 = cell.parse().expect("a price");
            scaled.push_str(&format!(",{:e}", price * 2_f64.powi(-900)));
        }
    }
    assert_eq!(read_returns(&bytes(scaled), &prices()).expect("scaled").0, clean);
}

#[test]
fn odd_returns_are_mentioned_and_kept() {
    let text = "date,A,B,C\n2020-01-01,1,1,3\n2020-01-02,2,2,4\n2020-01-03,1,1,5\n2020-01-06,1.1,1.1,4\n2020-01-07,1,1,5\n2020-01-08,1.2,1.2,5\n";
    let (read, notices) = read_returns(&bytes(text), &prices()).expect("odd but usable");
    assert_eq!(read.rows(), 5);
    assert!(notices[0].contains("2 returns beyond +-50 %, the largest +100.0 %"), "{notices:?}");
    assert!(notices[1].contains("`A` and `B` have identical returns"), "{notices:?}");
}

#[test]
fn the_sample_is_complete() {
    let (sample, notices) = read_returns(&Input::Sample, &prices()).expect("embedded");
    assert_eq!((sample.assets.len(), sample.rows()), (10, 3971));
    assert_eq!(notices, Notices::new());
    assert!(include_bytes!("../../data/sample.csv.gz").len() <= 250_000);
}

fn read_everything(input: &Input) -> Vec<Result<Returns>> {
    let mut results = Vec::new();
    for missing in [Missing::CompleteRows, Missing::ExcludeAssets, Missing::Error] {
        for kind in [Kind::Prices, Kind::Returns] {
            for last in [None, Some(2)] {
                let options = ReadOptions { kind, missing, last, log_returns: last.is_some(), ..prices() };
                let result = read_returns(input, &options).map(|(returns, _)| returns);
                if let Ok(returns) = &result {
                    assert!(returns.rows() >= 2 && returns.values.iter().all(|x| x.is_finite()));
                    assert_eq!(returns.values.len(), returns.rows() * returns.assets.len());
                }
                results.push(result);
            }
        }
    }
    for kind in [Kind::Prices, Kind::Returns] {
        for cash in [None, Some("A".to_string())] {
            let options = ReadOptions { kind, cash, ..prices().with_lives() };
            if let Ok(reading) = io::read_returns(std::slice::from_ref(input), &options) {
                check_lives(&reading);
            }
        }
    }
    let _ = read_rates(input).map(|(rates, _)| assert!(rates.dates.is_sorted() && !rates.dates.is_empty()));
    let part = names(&["A", "B"]);
    let _ = read_covariance(input, None, None).map(|(covariance, _)| check(&covariance));
    let _ = read_covariance(input, Some(&part), None).map(|(covariance, _)| check(&covariance));
    let _ = npy::read(input);
    results
}

/// Cells are missing before and after a life, and nowhere else.
fn check_lives(reading: &Reading) {
    let Reading { returns, cash, .. } = reading;
    let n = returns.assets.len();
    assert_eq!(returns.values.len(), returns.rows() * n);
    for asset in 0..n {
        let life = returns.life(asset).expect("some return");
        for row in 0..returns.rows() {
            let x = returns.values[row * n + asset];
            assert!(if life.contains(&row) { x.is_finite() } else { x.is_nan() }, "{x} of {asset} in {row}");
        }
    }
    assert!(cash.as_ref().is_none_or(|cash| cash.len() == returns.rows() && !cash.iter().any(|x| x.is_infinite())));
}

fn check(covariance: &Covariance) {
    assert_eq!(covariance.values.len(), covariance.assets.len().pow(2));
    assert!(covariance.values.iter().all(|x| x.is_finite()));
}

#[test]
fn the_corpus_is_read_or_refused_as_its_names_say() {
    let mut files: Vec<PathBuf> =
        fs::read_dir("tests/corpus/csv").expect("present").map(|entry| entry.expect("readable").path()).collect();
    files.sort();
    assert!(files.len() >= 80, "{}", files.len());
    for path in files {
        let name = path.file_name().and_then(|name| name.to_str()).expect("plain names").to_string();
        let budgets = read_budgets(path.to_str().expect("plain names"), &names(&["A", "B"]));
        let results = read_everything(&Input::Path(path));
        match &results[0] {
            Ok(_) => assert!(!name.starts_with("bad_"), "{name} was read"),
            Err(error) => assert!(name.starts_with("bad_"), "{name}: {error}"),
        }
        for error in results.iter().filter_map(|result| result.as_ref().err()).chain(budgets.as_ref().err()) {
            assert!(!error.message.chars().any(char::is_control), "{name}: {error:?}");
            assert!(error.message.len() < 500, "{name}: {error}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_make_the_readers_panic(noise in prop::collection::vec(any::<u8>(), 0..600)) {
        read_everything(&bytes(noise));
    }

    #[test]
    fn no_text_makes_the_readers_panic(noise in "[-0-9a-c,;\t|\"\r\n. eE%+/:TN]{0,300}") {
        read_everything(&bytes(&noise));
        let _ = read_budgets(&noise, &names(&["a", "b"]));
    }

    #[test]
    fn a_few_changed_bytes_never_make_the_readers_panic(
        file in prop::sample::select(vec!["01_clean.csv", "05_interior_gaps_mixed_na_tokens.csv", "11_semicolon_decimal_comma.csv", "13_ddmmyyyy.csv"]),
        changes in prop::collection::vec((0_usize..2_000, any::<u8>()), 1..8),
        length in 0_usize..2_000,
    ) {
        let mut text = fs::read(Path::new("tests/data/messy").join(file)).expect("present");
        text.truncate(2_000 - length / 4);
        for (place, byte) in changes {
            if let Some(target) = text.get_mut(place) {
                *target = byte;
            }
        }
        read_everything(&bytes(text));
    }

    #[test]
    fn changed_arrays_matrices_and_archives_never_make_the_readers_panic(
        file in 0_usize..3,
        changes in prop::collection::vec((0_usize..200, any::<u8>()), 1..6),
    ) {
        let mut array = Vec::new();
        npy::write(&mut array, &[2, 3, 3], &[0.5; 18]).expect("writing to memory");
        let matrix = b",A,B,C\nA,4,1,0.5\nB,1,9,2\nC,0.5,2,1\n".to_vec();
        let archive = fs::read("tests/corpus/csv/ok_gzip.csv").expect("present");
        let mut changed = [array, matrix, archive][file].clone();
        for (place, byte) in changes {
            let place = place % changed.len();
            changed[place] = byte;
        }
        read_everything(&bytes(changed));
    }

    /// What is written as a table comes back exactly, whatever the notation.
    #[test]
    fn a_written_history_is_read_back(
        // Below a usual size of 30 %, where returns are taken for figures in percent.
        rows in prop::collection::vec(prop::collection::vec(0.01_f64..0.15, 3), 3..20),
        style in 0..6,
    ) {
        let (delimiter, ending) = ([",", ";", "\t", "|", ",", ";"][style as usize], ["\n", "\r\n", "\r"][style as usize % 3]);
        let decimal_comma = style == 5;
        let mut text = ["date", "A", "B", "C"].join(delimiter);
        for (day, row) in rows.iter().enumerate() {
            let label = date(2020, 1, 1).checked_add(jiff::Span::new().days(day as i64)).expect("in range").to_string();
            // Up and down: what stays up would be a level.
            let sign = if day % 2 == 0 { 1.0 } else { -1.0 };
            let cells = row.iter().map(|x| format!("{:?}", sign * x).replace('.', if decimal_comma { "," } else { "." }));
            text += &format!("{ending}{label}{delimiter}{}", cells.collect::<Vec<_>>().join(delimiter));
        }
        let read = read_returns(&bytes(text), &returns()).expect("well formed").0;
        let signs = (0..rows.len()).flat_map(|day| [if day % 2 == 0 { 1.0 } else { -1.0 }; 3]);
        let expected: Vec<f64> = rows.concat().into_iter().zip(signs).map(|(x, sign)| x * sign).collect();
        prop_assert_eq!(read.values, expected);
    }

    #[test]
    fn arrays_come_back_as_written(shape in prop::collection::vec(1_usize..6, 2..=3), seed in any::<u32>()) {
        let count = shape.iter().product::<usize>();
        let values: Vec<f64> = (0..count).map(|i| f64::from(seed) * 1e-3 + i as f64 / 3.0).collect();
        let mut file = Vec::new();
        npy::write(&mut file, &shape, &values).expect("writing to memory");
        prop_assert_eq!(file.len() % 64, count * 8 % 64);
        prop_assert_eq!(npy::read(&bytes(&file)).expect("well formed"), npy::Array { shape, values });
        for length in 0..file.len() {
            prop_assert!(npy::read(&bytes(&file[..length])).is_err());
        }
    }
}

/// An NPY file with any header and data.
fn npy_file(version: u8, header: &str, data: &[u8]) -> Vec<u8> {
    let mut file = b"\x93NUMPY".to_vec();
    file.extend([version, 0]);
    match version {
        1 => file.extend((header.len() as u16).to_le_bytes()),
        _ => file.extend((header.len() as u32).to_le_bytes()),
    }
    file.extend(header.as_bytes());
    file.extend(data);
    file
}

fn npy_header(descr: &str, fortran: &str, shape: &str) -> String {
    format!("{{'descr': {descr}, 'fortran_order': {fortran}, 'shape': {shape}, }}\n")
}

#[test]
fn arrays_are_read_in_every_layout() {
    let expected = npy::Array { shape: vec![2, 3], values: vec![0.0, 1.0, 2.0, 3.0, 4.0, 5.0] };
    let c_order = [0.0_f64, 1.0, 2.0, 3.0, 4.0, 5.0];
    let fortran = [0.0_f64, 3.0, 1.0, 4.0, 2.0, 5.0];
    for version in [1, 2, 3] {
        for (order, values) in [("False", c_order), ("True", fortran)] {
            let layouts: [(&str, Vec<u8>); 4] = [
                ("'<f8'", values.iter().flat_map(|x| x.to_le_bytes()).collect()),
                ("'>f8'", values.iter().flat_map(|x| x.to_be_bytes()).collect()),
                ("'<f4'", values.iter().flat_map(|x| (*x as f32).to_le_bytes()).collect()),
                ("'>f4'", values.iter().flat_map(|x| (*x as f32).to_be_bytes()).collect()),
            ];
            for (descr, data) in layouts {
                let file = npy_file(version, &npy_header(descr, order, "(2, 3)"), &data);
                assert_eq!(npy::read(&bytes(file)).expect("well formed"), expected, "{version} {order} {descr}");
            }
        }
    }
    // A[i][j][k] = 100 i + 10 j + k with the first index running fastest
    let data: Vec<u8> = (0..24)
        .map(|place| f64::from(100 * (place % 2) + 10 * (place / 2 % 3) + place / 6))
        .flat_map(f64::to_le_bytes)
        .collect();
    let read = npy::read(&bytes(npy_file(1, &npy_header("'<f8'", "True", "(2, 3, 4)"), &data))).expect("well formed");
    let expected = (0..24).map(|place| f64::from(100 * (place / 12) + 10 * (place / 4 % 3) + place % 4));
    assert_eq!(read.values, expected.collect::<Vec<_>>());
}

#[test]
fn hostile_arrays_are_refused_before_memory_is_asked_for() {
    for (shape, said) in [
        ("(2000000, 2000000)", "the file holds 8"),
        ("(4294967296, 4294967296)", "takes more bytes"),
        ("(4294967296, 4294967296, 4294967296)", "takes more bytes"),
        ("(1, 2)", "takes 16 bytes, the file holds 8"),
        ("(0, 5)", "is empty"),
        ("(1,)", "two or three dimensions"),
        ("(1, 1, 1, 1)", "two or three dimensions"),
        ("(18446744073709551616, 1)", "bad NPY header"),
    ] {
        let error = npy::read(&bytes(npy_file(1, &npy_header("'<f8'", "False", shape), &[0; 8]))).expect_err(shape);
        assert!(error.kind == ErrorKind::Input && error.message.contains(said), "{shape}: {error}");
    }
    let pickle = npy_file(1, &npy_header("'|O'", "False", "(1, 1)"), &[0; 8]);
    assert!(npy::read(&bytes(pickle)).expect_err("a pickle").message.contains("unpickling runs code"));
    let longer = npy_file(1, &npy_header("'<f8'", "False", "(1, 1)"), &[0; 16]);
    assert!(npy::read(&bytes(longer)).is_err(), "numbers beyond the shape");
    let mut long_header = b"\x93NUMPY\x02\x00".to_vec();
    long_header.extend(u32::MAX.to_le_bytes());
    assert!(npy::read(&bytes(long_header)).expect_err("4 GiB of header").message.contains("at most 65536"));
    assert!(npy::read(&bytes(b"\x93NUMPY\x09\x00\x10\x00")).is_err(), "version 9");
}

#[test]
fn arrays_stream_from_files() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("weights.npy");
    let values: Vec<f64> = (0..5_000).map(f64::from).collect();
    atomic::write(&path, Existing::Refuse, |file| npy::write(file, &[50, 10, 10], &values)).expect("written");
    assert_eq!(npy::read(&Input::Path(path.clone())).expect("read").values, values);
    let whole = fs::read(&path).expect("present");
    fs::write(&path, &whole[..whole.len() - 1]).expect("truncated");
    assert!(npy::read(&Input::Path(path)).expect_err("truncated").message.contains("39999"));
}

#[test]
fn covariances_are_matched_by_name() {
    let read = |text: &str, assets: Option<&[String]>| read_covariance(&bytes(text), assets, None);
    let (plain, notices) = read(",A,B\nA,4,1\nB,1,9\n", None).expect("well formed");
    assert_eq!((plain.values, notices.len()), (vec![4.0, 1.0, 1.0, 9.0], 0));
    let (swapped, notices) = read(",A,B\nB,1,9\nA,4,2\n", None).expect("rows in another order");
    assert_eq!((swapped.values, notices.len()), (vec![4.0, 2.0, 1.0, 9.0], 1));
    let part = names(&["C", "A"]);
    let (part, _) = read("x;A;B;C\nA;4,5;oops;3\nB;1;-1;\nC;3;inf;16,5\n", Some(&part)).expect("B is not used");
    assert_eq!((part.assets, part.values), (names(&["C", "A"]), vec![16.5, 3.0, 3.0, 4.5]));
    for (text, said) in [
        (",A,B\nA,4,1\n", "1 row for 2 columns: there is no row `B`"),
        (",A,B\nA,4,1\nB,1,9\nC,1,1\n", "line 4: row `C` has no column"),
        (",A,B\nA,4,1\nA,1,9\n", "`A` stands twice: lines 2 and 3"),
        (",A,A\nA,4,1\nA,1,9\n", "columns 2 and 3"),
        (",A,B\nA,4,1\nB,nan,9\n", "line 3, column 2 (`B`, `A`): missing cell"),
        (",A,B\nA,4,inf\nB,1,9\n", "line 2, column 3 (`A`, `B`): inf is not a finite number"),
        (",A,B\nA,4,1\nB,1,0\n", "line 3, column 3 (`B`, `B`): the variance of an asset must be positive"),
        (",A,B\nA,4,x\nB,1,9\n", "`x` is not a number"),
        (",A,B\nA,4\nB,1,9\n", "line 2 has 2 cells"),
        ("4,1\n1,9\n", "line 1 begins with the number 4"),
        ("A\n", "no asset columns"),
        ("", "empty file"),
    ] {
        let error = read(text, None).expect_err(text);
        assert!(error.kind == ErrorKind::Input && error.message.contains(said), "{text}: {error}");
    }
}

#[test]
fn a_long_header_alone_asks_for_no_memory() {
    let header: String = (0..90_000).map(|j| format!(",{j}")).collect();
    assert!(read_covariance(&bytes(header + "\n0"), None, None).is_err());
    let columns: String = ",x".repeat(200_000);
    assert!(refused(&bytes(format!("date{columns}\n")), &prices()).message.contains("200001 columns"));
}

#[test]
fn budget_files_may_have_a_header() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("a=b.csv");
    let argument = path.to_str().expect("a plain path");
    for text in ["asset,budget\nB,0.25\nA,0.75\n", "B,0.25\r\nA,0.75", "name;budget\n\nA;0,75\nB;0,25\n"] {
        fs::write(&path, text).expect("written");
        let (budgets, notices) = read_budgets(argument, &names(&["A", "B"])).expect(text);
        assert_eq!((budgets, notices.len()), (vec![0.75, 0.25], 0), "{text:?}");
    }
    for (text, said) in [
        ("asset,budget\nA,0.75\nB,x\n", "line 3"),
        ("asset,budget\nA,0.75\n", "no budget for `B`"),
        ("asset,budget\nA,1\nB,1\nC,1\n", "line 4: there is no asset `C`"),
        ("asset,budget\nA,1\nB\n", "line 3: not two cells"),
        ("asset,budget\nA,1,2\nB,1,2\n", "line 2: not two cells"),
        ("", "empty file"),
    ] {
        fs::write(&path, text).expect("written");
        let error = read_budgets(argument, &names(&["A", "B"])).expect_err(text);
        assert!(error.message.contains(said), "{text:?}: {error}");
    }
    assert!(read_budgets("no/such/file.csv", &names(&["A"])).is_err());
}

#[test]
fn budget_files_may_be_in_percent_and_have_more_columns() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("budgets.csv");
    let argument = path.to_str().expect("a plain path");
    for text in [
        "asset,budget\n B ,25%\nA,75 %\n",
        "Ticker,Name,Weight\nA,Alpha,0.75\nB,Beta,0.25\n",
        "sector;name;risk_budget;weight\nx;A;75%;1%\ny; B;25%;2%\n",
        ",sector,share\nB,x,0.25\nA,y,0.75\n",
        // Of two columns that may hold the names, the one that does.
        "name,asset,budget\nA,Alpha,0.75\nB,Beta,0.25\n",
    ] {
        fs::write(&path, text).expect("written");
        let (budgets, notices) = read_budgets(argument, &names(&["A", "B"])).expect(text);
        assert_eq!((budgets, notices.len()), (vec![0.75, 0.25], 0), "{text:?}");
    }
    for (text, said) in [
        ("asset,x,y\nA,1,2\nB,1,2\n", "which of the columns `asset`, `x`, `y` hold assets and budgets?"),
        ("asset,weight,share\nA,1,2\nB,1,2\n", "which of the columns `asset`, `weight`, `share`"),
        ("asset,budget,x\nA,1\nB,1,2\n", "line 2: not 3 cells"),
        ("asset,budget\nA,-5%\nB,105%\n", "line 2: the budget of `A` is negative"),
    ] {
        fs::write(&path, text).expect("written");
        let error = read_budgets(argument, &names(&["A", "B"])).expect_err(text);
        assert!(error.message.contains(said), "{text:?}: {error}");
    }
}

fn solutions(problems: usize, assets: usize) -> Solutions {
    let mut solutions = Solutions::default();
    for problem in 0..problems {
        let status = Status::ALL[if problem % 7 == 3 { 1 + problem % 3 } else { 0 }];
        let is_solved = matches!(status, Status::Converged | Status::Stalled);
        let value = |x: f64| if is_solved { x } else { f64::NAN };
        solutions.weights.extend((0..assets).map(|asset| value((1 + asset + problem) as f64 / 7.0)));
        solutions.certificates.push(Certificate {
            rc_error: value(1e-9),
            volatility: value(0.01),
            sweeps: 6,
            rescued: problem == 1,
            ..Certificate::unsolved(status)
        });
    }
    solutions
}

#[test]
fn weights_are_readable_back_with_nulls_where_there_are_none() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("weights.parquet");
    let (assets, solutions) = (names(&["A", "status", "S&P. 500"]), solutions(20, 3));
    let metadata = [("seed".to_string(), "7".to_string())];
    let described = Described {
        noun: "resample",
        assets: &assets,
        error: RC_ERROR,
        within_limits: false,
        start: 1 << 40,
        metadata: &metadata,
    };
    write_weights(&path, Existing::Refuse, &described, &solutions, &mut Unwatched).expect("written");
    assert!(write_weights(&path, Existing::Refuse, &described, &solutions, &mut Unwatched).is_err());

    let reader = SerializedFileReader::new(fs::File::open(&path).expect("present")).expect("a Parquet file");
    let file = reader.metadata().file_metadata();
    assert_eq!(file.created_by(), Some("equirisk"));
    let pairs = file.key_value_metadata().expect("metadata");
    assert_eq!((pairs.len(), pairs[0].key.as_str(), pairs[0].value.as_deref()), (1, "seed", Some("7")));
    let mut rows = 0;
    for (problem, row) in reader.get_row_iter(None).expect("rows").enumerate() {
        let columns: Vec<(String, Field)> = row.expect("a row").into_columns();
        let expected =
            ["resample", "_status", "rc_error", "sweeps", "rescued", "volatility", "A", "status", "S&P. 500"];
        assert_eq!(columns.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), expected);
        let certificate = &solutions.certificates[problem];
        assert_eq!(columns[0].1, Field::ULong((1 << 40) + problem as u64));
        assert_eq!(columns[1].1, Field::Str(certificate.status.name().to_string()));
        let number = |x: f64| if x.is_nan() { Field::Null } else { Field::Double(x) };
        assert_eq!(columns[2].1, number(certificate.rc_error));
        assert_eq!(columns[3].1, Field::UInt(6));
        assert_eq!(columns[4].1, Field::Bool(problem == 1));
        assert_eq!(columns[5].1, number(certificate.volatility));
        for asset in 0..3 {
            let weight = solutions.weights[problem * 3 + asset];
            let is_converged = certificate.status == Status::Converged;
            assert_eq!(columns[6 + asset].1, if is_converged { Field::Double(weight) } else { Field::Null });
        }
        rows += 1;
    }
    assert_eq!(rows, 20);
}

#[test]
fn the_bytes_of_weights_do_not_depend_on_the_pieces_they_come_in() {
    // 2^22 weights are one row group: 3,000 assets make groups of 1,024 rows.
    let (assets, problems): (Vec<String>, usize) = ((0..3_000).map(|j| format!("A{j}")).collect(), 1_100);
    let all = solutions(problems, assets.len());
    let described =
        Described { noun: "problem", assets: &assets, error: RC_ERROR, within_limits: false, start: 5, metadata: &[] };
    let write = |piece: usize| {
        let mut file = Vec::new();
        let mut writer = WeightsWriter::new(&mut file, &described).expect("a writer");
        for first in (0..problems).step_by(piece) {
            let range = first..(first + piece).min(problems);
            writer
                .push(&Solutions {
                    weights: all.weights[range.start * assets.len()..range.end * assets.len()].to_vec(),
                    certificates: all.certificates[range].to_vec(),
                    ..Solutions::default()
                })
                .expect("writing to memory");
        }
        writer.finish().expect("writing to memory");
        file
    };
    let whole = write(problems);
    assert!(write(256) == whole && write(1_023) == whole);
}
