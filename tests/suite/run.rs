//! Runs the program as a user does, and writes and reads the files they exchange.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, UInt64Type};
use arrow_array::{Array, ArrayRef};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::Value;

/// What a user sees of one call.
#[derive(Debug)]
pub struct Run {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

pub fn program(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_equirisk"));
    settled(command.args(args));
    command
}

/// In surroundings that do not depend on who runs the tests: what decides colour and width is what a test says. (`CI`
/// asks for colour where a terminal may have none.)
pub fn settled(command: &mut Command) -> &mut Command {
    for name in ["CI", "CLICOLOR", "CLICOLOR_FORCE", "COLUMNS", "NO_COLOR"] {
        command.env_remove(name);
    }
    if std::env::var_os("XDG_RUNTIME_DIR").is_none() {
        // Mesa's software driver complains on standard error without it.
        command.env("XDG_RUNTIME_DIR", std::env::temp_dir());
    }
    command
}

pub fn equirisk(args: &[&str]) -> Run {
    fed(&mut program(args), b"")
}

/// Runs with `input` on standard input. No call may panic, be killed, or hang on its input.
pub fn fed(command: &mut Command, input: &[u8]) -> Run {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    // A program that needs no input may end before it has read any.
    let feeder = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let output = child.wait_with_output().unwrap();
    feeder.join().unwrap();
    let run = Run {
        code: output.status.code().unwrap_or_else(|| panic!("{command:?} was killed: {output:?}")),
        stdout: String::from_utf8(output.stdout).expect("standard output is UTF-8"),
        stderr: String::from_utf8(output.stderr).expect("standard error is UTF-8"),
    };
    assert!(run.code != 101 && !run.stderr.contains("panicked"), "{command:?} panicked: {}", run.stderr);
    run
}

impl Run {
    pub fn succeeded(self) -> Run {
        assert_eq!(self.code, 0, "{}", self.stderr);
        self
    }

    /// The one JSON object on standard output.
    pub fn json(&self) -> Value {
        let value = serde_json::from_str(&self.stdout).unwrap_or_else(|e| panic!("{e}: {self:?}"));
        assert!(matches!(value, Value::Object(_)), "{value}");
        value
    }

    /// An error on standard error, and nothing that could be taken for a result.
    pub fn refused(self, code: i32) -> Run {
        assert_eq!(self.code, code, "{self:?}");
        assert!(self.stderr.lines().any(|line| line.starts_with("error: ")), "{self:?}");
        assert_eq!(self.stdout, "", "{}", self.stderr);
        self
    }
}

/// A successful call's JSON.
pub fn json(args: &[&str]) -> Value {
    equirisk(args).succeeded().json()
}

/// A directory that goes away at the end of the test.
pub struct Folder(tempfile::TempDir);

impl Folder {
    pub fn new() -> Folder {
        Folder(tempfile::tempdir().unwrap())
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A path as an argument of the command line.
    pub fn name(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }

    pub fn write(&self, name: &str, contents: impl AsRef<[u8]>) -> String {
        std::fs::write(self.path(name), contents).unwrap();
        self.name(name)
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }
}

/// Numbers from a seed, uniform on [-1/2, 1/2).
pub fn uniform(seed: u64) -> impl FnMut() -> f64 {
    let mut state = seed;
    move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1_u64 << 53) as f64 - 0.5
    }
}

/// Returns, row by row: asset i moves by its own volatility times (market + its own noise).
pub fn returns(rows: usize, assets: usize, market: f64, seed: u64) -> Vec<f64> {
    let mut uniform = uniform(seed);
    let mut values = Vec::new();
    for _ in 0..rows {
        let common = market * uniform();
        values.extend((0..assets).map(|i| 0.01 * (1.0 + i as f64) * (common + uniform())));
    }
    values
}

/// The prices these returns lead to from 100.
pub fn prices(returns: &[f64], assets: usize) -> Vec<f64> {
    let mut values = vec![100.0; assets];
    for r in returns {
        values.push(values[values.len() - assets] * (1.0 + r));
    }
    values
}

/// A table as the program reads it: dates, then one column per asset A0, A1, ..., every digit written.
pub fn table(values: &[f64], assets: usize) -> String {
    let mut text = String::from("date");
    (0..assets).for_each(|i| write!(text, ",A{i}").unwrap());
    for (t, row) in values.chunks(assets).enumerate() {
        write!(text, "\n{}-{:02}-{:02}", 2000 + t / 336, 1 + t / 28 % 12, 1 + t % 28).unwrap();
        row.iter().for_each(|x| write!(text, ",{x:e}").unwrap());
    }
    text + "\n"
}

/// A covariance file: a label row and a label column.
pub fn covariance(values: &[f64], columns: usize) -> String {
    let mut text = String::new();
    (0..columns).for_each(|i| write!(text, ",A{i}").unwrap());
    for (i, row) in values.chunks(columns).enumerate() {
        write!(text, "\nA{i}").unwrap();
        row.iter().for_each(|x| write!(text, ",{x:e}").unwrap());
    }
    text + "\n"
}

/// A budget file.
pub fn budgets(values: &[f64]) -> String {
    values.iter().enumerate().fold(String::from("asset,budget\n"), |text, (i, b)| text + &format!("A{i},{b:e}\n"))
}

/// An .npy file of f64.
pub fn npy(shape: &[usize], values: &[f64]) -> Vec<u8> {
    let shape: String = shape.iter().map(|n| format!("{n}, ")).collect();
    let header = format!("{{'descr': '<f8', 'fortran_order': False, 'shape': ({shape}), }}");
    let length = (11 + header.len()).next_multiple_of(64) - 10;
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend(u16::try_from(length).unwrap().to_le_bytes());
    bytes.extend(format!("{header:<width$}\n", width = length - 1).bytes());
    bytes.extend(values.iter().flat_map(|x| x.to_le_bytes()));
    bytes
}

/// The rows of a two-dimensional .npy file of f64.
pub fn read_npy(path: &Path) -> Vec<Vec<f64>> {
    let bytes = std::fs::read(path).unwrap();
    let length = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    let header = std::str::from_utf8(&bytes[10..length]).unwrap();
    assert!(header.contains("'<f8'") && header.contains("'fortran_order': False"), "{header}");
    let shape = header.split_once('(').unwrap().1.split_once(')').unwrap().0;
    let shape: Vec<usize> = shape.split(',').filter_map(|n| n.trim().parse().ok()).collect();
    let values: Vec<f64> = bytes[length..].chunks_exact(8).map(|b| f64::from_le_bytes(b.try_into().unwrap())).collect();
    assert_eq!((shape.len(), shape.iter().product()), (2, values.len()), "{header}");
    values.chunks(shape[1]).map(<[f64]>::to_vec).collect()
}

/// One row of weights.parquet.
#[derive(Debug, Clone, PartialEq)]
pub struct Solved {
    pub resample: u64,
    pub status: String,
    pub rc_error: Option<f64>,
    pub volatility: Option<f64>,
    pub weights: Vec<Option<f64>>,
}

/// The rows of weights.parquet; the weights are the columns named after the assets.
pub fn read_weights(path: &Path, assets: &[&str]) -> Vec<Solved> {
    let file = std::fs::File::open(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let mut solved = Vec::new();
    for batch in ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap() {
        let batch = batch.unwrap();
        let column = |name: &str| batch.column_by_name(name).unwrap_or_else(|| panic!("no column {name}"));
        let number = |column: &ArrayRef, row: usize| {
            let values = column.as_primitive::<Float64Type>();
            values.is_valid(row).then(|| values.value(row))
        };
        for row in 0..batch.num_rows() {
            solved.push(Solved {
                resample: column("resample").as_primitive::<UInt64Type>().value(row),
                status: column("status").as_string::<i32>().value(row).to_owned(),
                rc_error: number(column("rc_error"), row),
                volatility: number(column("volatility"), row),
                weights: assets.iter().map(|asset| number(column(asset), row)).collect(),
            });
        }
    }
    solved
}

/// Sample covariance of the chosen rows: their own mean removed, divisor T - 1.
pub fn sample_covariance(values: &[f64], assets: usize, rows: &[usize]) -> Vec<f64> {
    let count = rows.len() as f64;
    let mean: Vec<f64> =
        (0..assets).map(|i| rows.iter().map(|t| values[t * assets + i]).sum::<f64>() / count).collect();
    let mut covariance = vec![0.0; assets * assets];
    for t in rows {
        for i in 0..assets {
            for j in 0..assets {
                covariance[i * assets + j] +=
                    (values[t * assets + i] - mean[i]) * (values[t * assets + j] - mean[j]) / (count - 1.0);
            }
        }
    }
    covariance
}

/// Volatility and risk shares of a portfolio, from the definition.
pub fn risk(covariance: &[f64], weights: &[f64]) -> (f64, Vec<f64>) {
    let n = weights.len();
    let parts: Vec<f64> =
        (0..n).map(|i| weights[i] * (0..n).map(|j| covariance[i * n + j] * weights[j]).sum::<f64>()).collect();
    let variance: f64 = parts.iter().sum();
    (variance.sqrt(), parts.iter().map(|part| part / variance).collect())
}

/// Largest relative difference.
pub fn apart(found: &[f64], expected: &[f64]) -> f64 {
    assert_eq!(found.len(), expected.len());
    found.iter().zip(expected).fold(0.0, |worst: f64, (f, e)| {
        let difference = if f == e { 0.0 } else { (f / e - 1.0).abs() };
        assert!(!difference.is_nan(), "{f} against {e}");
        worst.max(difference)
    })
}
