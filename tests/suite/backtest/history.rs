//! Histories to test with: the embedded sample, and what simple rules make of it.

use std::collections::{BTreeMap, HashSet};
use std::fmt::Write as _;
use std::io::Read as _;

use serde_json::Value;

/// A table of cells as they are written, one row per date.
#[derive(Debug, Clone, PartialEq)]
pub struct History {
    pub assets: Vec<String>,
    pub dates: Vec<String>,
    pub cells: Vec<Vec<String>>,
}

impl History {
    /// Prices of the embedded sample: ten indices on 3,972 days.
    pub fn sample() -> History {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/data/sample.csv.gz");
        let mut text = String::new();
        flate2::read::GzDecoder::new(std::fs::File::open(path).unwrap()).read_to_string(&mut text).unwrap();
        let mut lines = text.lines().map(|line| line.split(',').map(str::to_owned).collect::<Vec<_>>());
        let assets = lines.next().unwrap().split_off(1);
        let mut history = History { assets, dates: Vec::new(), cells: Vec::new() };
        for mut line in lines {
            history.cells.push(line.split_off(1));
            history.dates.push(line.remove(0));
        }
        history
    }

    /// A history of numbers, every digit written.
    pub fn of(assets: &[String], dates: &[String], values: &[Vec<f64>]) -> History {
        let cell = |x: &f64| if x.is_nan() { String::new() } else { x.to_string() };
        let cells = values.iter().map(|row| row.iter().map(cell).collect()).collect();
        History { assets: assets.to_vec(), dates: dates.to_vec(), cells }
    }

    pub fn rows(&self) -> usize {
        self.dates.len()
    }

    /// The rows of these dates, both ends included.
    pub fn between(mut self, from: &str, to: &str) -> History {
        let kept: Vec<bool> = self.dates.iter().map(|date| (from..=to).contains(&date.as_str())).collect();
        let mut keep = kept.iter();
        self.cells.retain(|_| *keep.next().unwrap());
        let mut keep = kept.iter();
        self.dates.retain(|_| *keep.next().unwrap());
        self
    }

    pub fn until(self, to: &str) -> History {
        self.between("", to)
    }

    /// These assets, in this order.
    pub fn only<S: AsRef<str>>(mut self, assets: &[S]) -> History {
        let places: Vec<usize> = assets.iter().map(|name| self.place(name.as_ref())).collect();
        for row in &mut self.cells {
            *row = places.iter().map(|&place| row[place].clone()).collect();
        }
        self.assets = assets.iter().map(|name| name.as_ref().to_owned()).collect();
        self
    }

    pub fn place(&self, asset: &str) -> usize {
        self.assets.iter().position(|name| name == asset).unwrap_or_else(|| panic!("no asset {asset}"))
    }

    /// No cell of this asset before a date.
    pub fn starting(mut self, asset: &str, date: &str) -> History {
        let place = self.place(asset);
        self.empty(|history, row| history.dates[row].as_str() < date, place);
        self
    }

    /// No cell of this asset after a date.
    pub fn ending(mut self, asset: &str, date: &str) -> History {
        let place = self.place(asset);
        self.empty(|history, row| history.dates[row].as_str() > date, place);
        self
    }

    fn empty(&mut self, which: impl Fn(&History, usize) -> bool, place: usize) {
        for row in (0..self.rows()).filter(|&row| which(self, row)).collect::<Vec<_>>() {
            self.cells[row][place].clear();
        }
    }

    /// Numbers; not a number where there is no cell.
    pub fn numbers(&self) -> Vec<Vec<f64>> {
        let number = |cell: &String| cell.parse().unwrap_or(f64::NAN);
        self.cells.iter().map(|row| row.iter().map(number).collect()).collect()
    }

    /// Simple returns of prices, as a history of returns.
    pub fn returns(&self) -> History {
        let prices = self.numbers();
        let change = |pair: &[Vec<f64>]| pair[1].iter().zip(&pair[0]).map(|(b, a)| b / a - 1.0).collect();
        History::of(&self.assets, &self.dates[1..], &prices.windows(2).map(change).collect::<Vec<_>>())
    }

    /// What a case of `independent` says of its data; each rule is one that its program followed as well.
    pub fn by_rule(rule: &Value) -> History {
        let text = |key: &str, default: &'static str| rule[key].as_str().unwrap_or(default).to_owned();
        let mut history = History::sample().between(&text("from", ""), &text("to", "9999"));
        if let Some(columns) = rule["columns"].as_array() {
            history = history.only(&columns.iter().map(|name| name.as_str().unwrap()).collect::<Vec<_>>());
        }
        let step = rule["every"].as_u64().unwrap_or(1) as usize;
        history.dates = history.dates.into_iter().step_by(step).collect();
        history.cells = history.cells.into_iter().step_by(step).collect();
        if rule["log_returns"] == true {
            let returns = history.returns();
            let logarithms =
                returns.numbers().iter().map(|row| row.iter().map(|x| x.ln_1p()).collect()).collect::<Vec<_>>();
            history = History::of(&returns.assets, &returns.dates, &logarithms);
        }
        let pairs = |key: &str| -> BTreeMap<String, Value> {
            rule[key].as_object().map_or(BTreeMap::new(), |all| all.clone().into_iter().collect())
        };
        for (asset, date) in pairs("starts") {
            history = history.starting(&asset, date.as_str().unwrap());
        }
        for (asset, date) in pairs("ends") {
            history = history.ending(&asset, date.as_str().unwrap());
        }
        for (date, assets) in pairs("holes") {
            let row = history.dates.iter().position(|own| *own == date).unwrap();
            let holes: HashSet<&str> = assets.as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
            for place in 0..history.assets.len() {
                if holes.contains(history.assets[place].as_str()) {
                    history.cells[row][place].clear();
                }
            }
        }
        if rule["undated"] == true {
            history.dates = (0..history.rows()).map(|row| row.to_string()).collect();
        }
        history
    }

    /// As a file.
    pub fn csv(&self) -> String {
        let mut text = format!("date,{}\n", self.assets.join(","));
        for (date, row) in self.dates.iter().zip(&self.cells) {
            writeln!(text, "{date},{}", row.join(",")).unwrap();
        }
        text
    }
}
