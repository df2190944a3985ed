//! Is the backtest what `docs/method.md` says it is? Each test runs the program and reads what it wrote.

mod ahead;
mod cases;
mod defaults;
mod directory;
mod fan;
mod grid;
mod history;
mod identities;
mod odd;
mod paths;
mod refusals;
mod risk;
mod units;
mod worked;

use std::collections::BTreeMap;
use std::path::Path;

use arrow_array::cast::AsArray as _;
use arrow_array::types::{Date32Type, Float64Type, UInt64Type};
use arrow_array::{Array as _, ArrayRef};
use arrow_schema::DataType;
use jiff::ToSpan as _;
use jiff::civil::date;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::Value;

use crate::run::{Folder, Run, fed, program};

/// 60/40 of the sample.
const MIX: &str = "60/40:S&P 500=0.6,US BONDS 10Y=0.4";

/// A finished backtest: what was printed and what was written.
struct Finished {
    summary: Value,
    /// One line per strategy and decision.
    weights: Table,
    /// One line per strategy and evaluated row.
    wealth: Table,
    /// One line per strategy and trade.
    holdings: Table,
}

/// `equirisk backtest`, in a folder.
fn backtest(folder: &Folder, args: &[&str]) -> Run {
    fed(program(&[&["backtest"], args].concat()).current_dir(folder.path("")), b"")
}

/// The same, into the directory `out` of the folder, which is replaced.
fn finished(folder: &Folder, args: &[&str]) -> Finished {
    let run = backtest(folder, &[args, &["--json", "--force", "-o", "out"]].concat()).succeeded();
    assert_eq!(run.stdout, folder.read("out/summary.json"));
    let table = |name: &str| Table::read(&folder.path("out").join(name));
    Finished {
        summary: run.json(),
        weights: table("weights.parquet"),
        wealth: table("wealth.parquet"),
        holdings: table("holdings.parquet"),
    }
}

impl Finished {
    /// The names of the strategies, in order.
    fn strategies(&self) -> Vec<String> {
        let name = |own: &Value| own["name"].as_str().unwrap().to_owned();
        self.summary["strategies"].as_array().unwrap().iter().map(name).collect()
    }

    fn strategy(&self, name: &str) -> &Value {
        let all = self.summary["strategies"].as_array().unwrap();
        all.iter().find(|own| own["name"] == name).unwrap_or_else(|| panic!("no strategy {name}"))
    }

    fn metric(&self, strategy: &str, key: &str) -> f64 {
        let found = &self.strategy(strategy)["metrics"][key];
        found.as_f64().unwrap_or_else(|| panic!("{strategy}: {key} is {found}"))
    }

    fn assets(&self) -> Vec<String> {
        let name = |own: &Value| own["name"].as_str().unwrap().to_owned();
        self.summary["assets"].as_array().unwrap().iter().map(name).collect()
    }
}

/// A Parquet file. Dates are texts, as in JSON; what is null is an empty text or not a number.
#[derive(Debug)]
struct Table {
    rows: usize,
    texts: BTreeMap<String, Vec<String>>,
    numbers: BTreeMap<String, Vec<f64>>,
}

impl Table {
    fn read(path: &Path) -> Table {
        let file = std::fs::File::open(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let mut table = Table { rows: 0, texts: BTreeMap::new(), numbers: BTreeMap::new() };
        for batch in ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap() {
            let batch = batch.unwrap();
            table.rows += batch.num_rows();
            for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
                table.append(field.name(), column);
            }
        }
        table
    }

    fn append(&mut self, name: &str, column: &ArrayRef) {
        let there = |row: &usize| column.is_valid(*row);
        let rows = 0..column.len();
        let day = |row: usize| (date(1970, 1, 1) + column.as_primitive::<Date32Type>().value(row).days()).to_string();
        match column.data_type() {
            DataType::Float64 => {
                let number = |row: usize| {
                    Some(row).filter(there).map_or(f64::NAN, |row| column.as_primitive::<Float64Type>().value(row))
                };
                self.numbers.entry(name.to_owned()).or_default().extend(rows.map(number));
            }
            DataType::UInt64 => {
                let number = |row: usize| column.as_primitive::<UInt64Type>().value(row) as f64;
                self.numbers.entry(name.to_owned()).or_default().extend(rows.map(number));
            }
            DataType::Date32 => {
                let text = |row: usize| Some(row).filter(there).map_or(String::new(), day);
                self.texts.entry(name.to_owned()).or_default().extend(rows.map(text));
            }
            _ => {
                let text = |row: usize| {
                    Some(row).filter(there).map_or("", |row| column.as_string::<i32>().value(row)).to_owned()
                };
                self.texts.entry(name.to_owned()).or_default().extend(rows.map(text));
            }
        }
    }

    fn text(&self, column: &str, row: usize) -> &str {
        &self.texts.get(column).unwrap_or_else(|| panic!("no column {column}"))[row]
    }

    fn number(&self, column: &str, row: usize) -> f64 {
        self.column(column)[row]
    }

    fn column(&self, column: &str) -> &[f64] {
        self.numbers.get(column).unwrap_or_else(|| panic!("no column {column}"))
    }

    /// Numbers of one row.
    fn across(&self, columns: &[String], row: usize) -> Vec<f64> {
        columns.iter().map(|column| self.number(column, row)).collect()
    }

    /// The rows of a strategy, in order.
    fn of(&self, strategy: &str) -> Vec<usize> {
        (0..self.rows).filter(|&row| self.text("strategy", row) == strategy).collect()
    }

    /// The row of a strategy at a label.
    fn at(&self, strategy: &str, column: &str, label: &str) -> usize {
        let found = self.of(strategy).into_iter().find(|&row| self.text(column, row) == label);
        found.unwrap_or_else(|| panic!("{strategy} has no row at {label}"))
    }

    /// A column of a strategy.
    fn series(&self, strategy: &str, column: &str) -> Vec<f64> {
        self.of(strategy).into_iter().map(|row| self.number(column, row)).collect()
    }
}

/// Not a number is the same as not a number; all else to the last bit.
fn same(a: f64, b: f64) -> bool {
    a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan()
}

fn close(a: f64, b: f64, tolerance: f64) -> bool {
    (a - b).abs() <= tolerance || a.is_nan() && b.is_nan()
}
