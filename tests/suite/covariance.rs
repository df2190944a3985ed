//! Is a covariance the same whatever file it comes in and whatever precision it was made in, and is nothing else taken for
//! one?

use std::collections::HashMap;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow_array::{ArrayRef, Float32Array, Float64Array, RecordBatch, StringArray};
use arrow_ipc::writer::{FileWriter, StreamWriter};
use arrow_schema::{DataType, Field, Schema};
use equirisk::engine::cpu::CpuEngine;
use equirisk::io::{Input, read_covariance};
use equirisk::{Batch, ErrorKind, Solutions, Status};
use parquet::arrow::ArrowWriter;

use crate::cases::{data, numbers};
use crate::run::{Folder, apart, equirisk, npy, read_npy, returns, sample_covariance};

/// The covariance of a history of so many rows as single precision makes it: mirrored entries are added up in opposite
/// orders.
fn single(rows: usize, n: usize, seed: u64) -> Vec<f64> {
    let values: Vec<f32> = returns(rows, n, 0.7, seed).iter().map(|x| *x as f32).collect();
    let mean: Vec<f32> = (0..n).map(|i| (0..rows).map(|t| values[t * n + i]).sum::<f32>() / rows as f32).collect();
    let term = |t: usize, i: usize, j: usize| (values[t * n + i] - mean[i]) * (values[t * n + j] - mean[j]);
    let entry = |i: usize, j: usize| {
        let sum: f32 =
            if i <= j { (0..rows).map(|t| term(t, i, j)).sum() } else { (0..rows).rev().map(|t| term(t, i, j)).sum() };
        f64::from(sum / (rows - 1) as f32)
    };
    (0..n * n).map(|at| entry(at / n, at % n)).collect()
}

fn solved(covariances: &[f64], n: usize) -> Solutions {
    Batch::given(covariances, &vec![1.0 / n as f64; n]).unwrap().solve(&CpuEngine::default()).unwrap()
}

fn status(covariance: &[f64], n: usize) -> Status {
    solved(covariance, n).certificates[0].status
}

#[test]
fn matrices_made_in_single_precision_are_solved() {
    for (rows, n) in [(60, 6), (200, 40), (400, 150)] {
        let matrices: Vec<f64> = (0..9).flat_map(|seed| single(rows, n, seed)).collect();
        let found = solved(&matrices, n);
        assert!(found.certificates.iter().all(|c| c.status == Status::Converged && c.rc_error <= 1e-8), "n = {n}");
        for (seed, weights) in found.weights.chunks(n).enumerate() {
            let all: Vec<usize> = (0..rows).collect();
            let exact = solved(&sample_covariance(&returns(rows, n, 0.7, seed as u64), n, &all), n);
            // Sums of 400 products in f32, and a condition of the problem of a few.
            assert!(apart(weights, &exact.weights) <= 1e-4, "n = {n}: {:e}", apart(weights, &exact.weights));
        }
    }
}

#[test]
fn fewer_rows_than_assets_are_no_negative_variance_in_single_precision() {
    for (rows, n) in [(10, 20), (30, 60), (60, 120), (100, 300)] {
        for seed in 0..4 {
            assert_eq!(status(&single(rows, n, seed), n), Status::Converged, "{rows} rows, n = {n}, seed {seed}");
        }
    }
}

#[test]
fn single_precision_solves_what_double_precision_solves() {
    let (rows, n) = (4, 30);
    let all: Vec<usize> = (0..rows).collect();
    let mut without = 0;
    for seed in 0..20 {
        let exact = status(&sample_covariance(&returns(rows, n, 0.7, seed), n, &all), n);
        let found = status(&single(rows, n, seed), n);
        without += usize::from(exact == Status::NoSolution);
        // A long-only mix whose variance is zero may have one of +-1e-9 once it is rounded: then rounding decides.
        let agree = found == exact || exact == Status::NoSolution && found != Status::Invalid;
        assert!(agree, "seed {seed}: {exact:?}, in single precision {found:?}");
    }
    assert!((1..20).contains(&without), "{without} of 20 have no solution");
}

#[test]
fn what_is_beyond_rounding_stays_invalid() {
    let n = 20;
    let good = single(60, n, 3);
    let changed = |at: usize, factor: f32| {
        let mut matrix = good.clone();
        matrix[at] = f64::from(matrix[at] as f32 * factor);
        matrix
    };
    assert_eq!(status(&changed(27, 1.000_01), n), Status::Converged);
    assert_eq!(status(&changed(27, 1.01), n), Status::Invalid);
    // Numbers of double precision are not allowed an asymmetry of 1e-7.
    let mut double: Vec<f64> = good.iter().map(|x| x * (1.0 + 1e-12)).collect();
    assert_eq!(status(&double, n), Status::Invalid);
    for i in 0..n {
        (0..i).for_each(|j| double[i * n + j] = double[j * n + i]);
    }
    assert_eq!(status(&double, n), Status::Converged);
    // A variance below zero by a thousandth of the variances.
    let mut indefinite = single(10, n, 3);
    (0..n).for_each(|i| indefinite[i * n + i] = f64::from(indefinite[i * n + i] as f32 * 0.999));
    assert_eq!(status(&indefinite, n), Status::Invalid);
}

/// Twenty matrices of eight assets as float32 arithmetic left them: mirrored entries differ by up to 1e-7 of themselves (made-up numbers, after
/// cvxpy's issue 560).
#[test]
fn a_batch_saved_in_f32_is_solved_and_said_to_be_made_symmetric() {
    let file = data("reading/covariances_f32.npy");
    let folder = Folder::new();
    let out = folder.name("weights.npy");
    for engine in ["cpu", "gpu"] {
        let args = ["batch", file.to_str().unwrap(), "-o", &out, "--engine", engine, "--force", "--json"];
        let run = equirisk(&args).succeeded();
        assert_eq!(run.json()["solves"]["converged"], 20, "{engine}: {}", run.stderr);
        assert!(read_npy(&folder.path("weights.npy")).iter().flatten().all(|w| *w > 0.0));
        let note = run.stderr.lines().find(|line| line.contains("symmetric")).unwrap_or_default();
        assert!(note.contains("20 of 20 problems") && note.contains("e-8"), "{}", run.stderr);
    }
}

const NAMES: [&str; 3] = ["SPY", "TLT", "US Bonds"];
const VALUES: [f64; 9] = [0.04, -0.002, 0.001, -0.002, 0.01, 0.003, 0.001, 0.003, 0.0025];

fn input(path: &str) -> Input {
    Input::Path(Path::new(path).to_path_buf())
}

fn npz(folder: &Folder, name: &str, members: &[(&str, Vec<u8>)]) -> String {
    use std::io::Write as _;
    let mut archive = zip::ZipWriter::new(File::create(folder.path(name)).unwrap());
    for (name, bytes) in members {
        archive.start_file(format!("{name}.npy"), zip::write::SimpleFileOptions::default()).unwrap();
        archive.write_all(bytes).unwrap();
    }
    archive.finish().unwrap();
    folder.name(name)
}

/// An .npy file of text.
fn words(words: &[&str]) -> Vec<u8> {
    let longest = words.iter().map(|word| word.chars().count()).max().unwrap();
    let header = format!("{{'descr': '<U{longest}', 'fortran_order': False, 'shape': ({},), }}", words.len());
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend(u16::try_from(118).unwrap().to_le_bytes());
    bytes.extend(format!("{header:<117}\n").bytes());
    for word in words {
        let mut codes: Vec<u32> = word.chars().map(u32::from).collect();
        codes.resize(longest, 0);
        bytes.extend(codes.iter().flat_map(|code| code.to_le_bytes()));
    }
    bytes
}

/// The matrix as a table, after a column of names if there is to be one; `pandas` names its index.
fn batch(labels: Option<(&str, &[&str])>, values: &[f64], pandas: Option<&str>) -> RecordBatch {
    let n = NAMES.len();
    let mut columns: Vec<(String, ArrayRef)> = Vec::new();
    for (i, name) in NAMES.iter().enumerate() {
        let column: Vec<f64> = values.iter().skip(i).step_by(n).copied().collect();
        columns.push(((*name).to_string(), Arc::new(Float64Array::from(column))));
    }
    if let Some((name, labels)) = labels {
        let at = if pandas.is_some() { n } else { 0 };
        columns.insert(at, (name.to_string(), Arc::new(StringArray::from(labels.to_vec()))));
    }
    let fields: Vec<Field> =
        columns.iter().map(|(name, array)| Field::new(name, array.data_type().clone(), true)).collect();
    let metadata = pandas.map(|index| ("pandas".to_string(), format!(r#"{{"index_columns": ["{index}"]}}"#)));
    let schema = Schema::new_with_metadata(fields, metadata.into_iter().collect::<HashMap<_, _>>());
    RecordBatch::try_new(Arc::new(schema), columns.into_iter().map(|(_, array)| array).collect()).unwrap()
}

fn parquet(folder: &Folder, batch: &RecordBatch) -> String {
    let file = File::create(folder.path("c.parquet")).unwrap();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), None).unwrap();
    writer.write(batch).unwrap();
    writer.close().unwrap();
    folder.name("c.parquet")
}

#[test]
fn a_covariance_is_the_same_in_every_format() {
    let folder = Folder::new();
    let read = |path: &str| read_covariance(&input(path), None, None).unwrap_or_else(|error| panic!("{path}: {error}"));
    let same = |path: &str, names: &[&str]| {
        let (covariance, notices) = read(path);
        assert!(covariance.assets == names && covariance.values == VALUES, "{path}: {covariance:?}");
        notices
    };
    let text = "SPY,TLT,US Bonds\n0.04,-0.002,0.001\n-0.002,0.01,0.003\n0.001,0.003,0.0025\n";
    same(&folder.write("unlabelled.csv", text), &NAMES);
    let excel =
        ";SPY;TLT; US  Bonds \r\nSPY;0,04;-0,002;0,001\r\nTLT;-0,002;0,01;0,003\r\nUS Bonds;0,001;0,003;0,0025\r\n";
    assert!(same(&folder.write("excel.csv", excel), &NAMES)[0].contains("semicolon"));

    let array = npy(&[3, 3], &VALUES);
    assert_eq!(same(&folder.write("c.npy", &array), &["0", "1", "2"]), Vec::<String>::new());
    let beside = [("cov", array.clone()), ("tickers", words(&NAMES)), ("other", npy(&[2, 3], &[0.0; 6]))];
    assert!(same(&npz(&folder, "named.npz", &beside), &NAMES)[0].contains("names from `tickers`"));
    same(&npz(&folder, "plain.npz", &[("arr_0", array.clone())]), &["0", "1", "2"]);

    for (labels, pandas) in [
        (Some(("asset", &NAMES[..])), None),
        (Some(("__index_level_0__", &NAMES[..])), Some("__index_level_0__")),
        (None, None),
    ] {
        let batch = batch(labels, &VALUES, pandas);
        assert_eq!(same(&parquet(&folder, &batch), &NAMES), Vec::<String>::new());
        let mut writer = FileWriter::try_new(File::create(folder.path("c.arrow")).unwrap(), &batch.schema()).unwrap();
        writer.write(&batch).unwrap();
        writer.finish().unwrap();
        same(&folder.name("c.arrow"), &NAMES);
        let mut writer =
            StreamWriter::try_new(File::create(folder.path("c.arrows")).unwrap(), &batch.schema()).unwrap();
        writer.write(&batch).unwrap();
        writer.finish().unwrap();
        same(&folder.name("c.arrows"), &NAMES);
    }
    // The program reads them as the library does, and takes parts by name.
    let path = parquet(&folder, &batch(Some(("", &NAMES)), &VALUES, None));
    let run = equirisk(&["solve", "--covariance", &path, "--assets", "TLT,SPY", "--json"]).succeeded();
    let expected = [0.2 / 0.3, 0.1 / 0.3];
    assert!(apart(&numbers(&run.json()["weights"]), &expected) <= 1e-12, "{}", run.stdout);
    let run = equirisk(&["screen", "--covariance", &folder.name("c.npy"), "-k", "2", "--json"]).succeeded();
    assert_eq!(run.json()["subsets"].as_u64().or(Some(3)), Some(3));
}

#[test]
fn what_is_no_covariance_is_refused_with_its_place() {
    let folder = Folder::new();
    let array = |shape: &[usize], values: &[f64]| folder.write("c.npy", npy(shape, values));
    let mut hole = VALUES;
    hole[5] = f64::NAN;
    let mut negative = VALUES;
    negative[4] = -0.01;
    for (path, said) in [
        (array(&[1, 9], &VALUES), "shape [1, 9]"),
        (npz(&folder, "flat.npz", &[("cov", npy(&[9], &VALUES))]), "none is a square table"),
        (
            npz(&folder, "two.npz", &[("a", npy(&[3, 3], &VALUES)), ("b", npy(&[3, 3], &VALUES))]),
            "which of the arrays `a`, `b` is the covariance?",
        ),
        (npz(&folder, "hole.npz", &[("cov", npy(&[3, 3], &hole))]), "row 2, column 3 (`1`, `2`): missing cell"),
        (npz(&folder, "negative.npz", &[("cov", npy(&[3, 3], &negative))]), "row 2, column 2 (`1`, `1`): the variance"),
        (folder.write("percent.csv", ",A,B\nA,4,1%\nB,1%,9\n"), "line 2, column 3 (`A`, `B`): `1%` is a percentage"),
        (folder.write("long.csv", "A,B\n4,1\n1,9\n2,3\n"), "line 4: more rows than the 2 columns"),
        (folder.write("zeros.csv", ",A,B,C\nA,4,0,0\nB,1,9,0\nC,1,2,16\n"), "all entries above the diagonal are 0"),
    ] {
        let error = read_covariance(&input(&path), None, None).expect_err(said);
        assert!(error.kind == ErrorKind::Input && error.message.contains(said), "{said}: {error}");
        assert!(error.hint.is_some(), "{error}");
    }
    for (labels, said) in [
        (["SPY", "TLT", "GLD"], "row 3: row `GLD` has no column of that name"),
        (["SPY", "TLT", "TLT"], "row `TLT` stands twice: rows 2 and 3"),
    ] {
        let path = parquet(&folder, &batch(Some(("asset", &labels)), &VALUES, None));
        let error = read_covariance(&input(&path), None, None).expect_err(said);
        assert!(error.message.contains(said), "{said}: {error}");
    }
    let short = batch(Some(("asset", &NAMES)), &VALUES, None).slice(0, 2);
    let error = read_covariance(&input(&parquet(&folder, &short)), None, None).expect_err("a row is missing");
    assert!(error.message.contains("2 rows for 3 columns: there is no row `US Bonds`"), "{error}");
}

#[test]
fn a_half_that_is_empty_is_filled_from_the_other() {
    let read = |text: &str, assets: Option<&[String]>| {
        read_covariance(&Input::Bytes { name: "f".into(), bytes: text.as_bytes().to_vec() }, assets, None)
    };
    let whole = [4.0, 1.0, 2.0, 1.0, 9.0, 3.0, 2.0, 3.0, 16.0];
    for (text, empty) in
        [(",A,B,C\nA,4,,\nB,1,9,\nC,2,3,16\n", "above"), (",A,B,C\nA,4,1,2\nB,,9,3\nC,,,16\n", "below")]
    {
        let (covariance, notices) = read(text, None).unwrap();
        assert_eq!(covariance.values, whole);
        assert!(notices.len() == 1 && notices[0].contains(&format!("{empty} the diagonal are empty")), "{notices:?}");
        let part = ["C".to_string(), "A".to_string()];
        assert_eq!(read(text, Some(&part)).unwrap().0.values, [16.0, 2.0, 2.0, 4.0]);
    }
    for text in
        [",A,B,C\nA,4,,2\nB,1,9,\nC,2,3,16\n", ",A,B,C\nA,4,,2\nB,1,9,3\nC,,3,16\n", ",A,B,C\nA,,,\nB,1,9,\nC,2,3,16\n"]
    {
        assert!(read(text, None).unwrap_err().message.contains("missing cell"), "{text}");
    }
}

#[test]
fn single_precision_that_was_printed_is_known_again() {
    let n = 6;
    let matrix = single(60, n, 1);
    let mut text = (0..n).fold(String::new(), |text, i| text + &format!(",A{i}"));
    for (i, row) in matrix.chunks(n).enumerate() {
        text += &row.iter().fold(format!("\nA{i}"), |line, x| line + &format!(",{}", *x as f32));
    }
    let folder = Folder::new();
    let path = folder.write("c.csv", text);
    let run = equirisk(&["solve", "--covariance", &path, "--json"]).succeeded();
    assert!(run.stderr.contains("made symmetric"), "{}", run.stderr);
    assert!(apart(&numbers(&run.json()["weights"]), &solved(&matrix, n).weights) <= 1e-7);
    // A column of f32 in Parquet is the same matrix.
    let columns = (0..n).map(|i| {
        let column: Vec<f32> = matrix.iter().skip(i).step_by(n).map(|x| *x as f32).collect();
        (format!("A{i}"), Arc::new(Float32Array::from(column)) as ArrayRef)
    });
    let fields: Vec<Field> = (0..n).map(|i| Field::new(format!("A{i}"), DataType::Float32, false)).collect();
    let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), columns.map(|(_, array)| array).collect()).unwrap();
    let again = equirisk(&["solve", "--covariance", &parquet(&folder, &batch), "--json"]).succeeded();
    assert!(again.stderr.contains("made symmetric"), "{}", again.stderr);
    assert_eq!(again.json()["weights"], run.json()["weights"]);
}

/// Correlations saved as a covariance (made-up numbers, after HierPortfolios' issue 1).
#[test]
fn correlations_are_solved_and_called_so() {
    let file = data("reading/correlations.csv");
    let run = equirisk(&["solve", "--covariance", file.to_str().unwrap()]).succeeded();
    assert!(run.stderr.contains("these are correlations"), "{}", run.stderr);
    let quiet = equirisk(&["solve", "--covariance", file.to_str().unwrap(), "--quiet"]).succeeded();
    assert_eq!(quiet.stderr, "");
}
