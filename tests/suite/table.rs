//! Is a table in memory checked as the file that holds the same?

use equirisk::io::{Input, Kind, Missing, Notation, ReadOptions, Reading, Table, read_returns, read_table};
use equirisk::panel::Labels;
use equirisk::{ErrorKind, Result};
use jiff::ToSpan as _;
use jiff::civil::{Date, date};

/// What a table owns.
#[derive(Debug, Clone)]
struct Made {
    names: Vec<String>,
    labels: Labels,
    values: Vec<f64>,
}

impl Made {
    /// Columns over business days.
    fn daily(columns: &[(&str, Vec<f64>)]) -> Made {
        let rows = columns[0].1.len();
        let days = date(2020, 1, 1).series(1.day()).filter(|day| day.weekday().to_monday_one_offset() < 6);
        Made {
            names: columns.iter().map(|(name, _)| (*name).to_string()).collect(),
            labels: Labels::Dates(days.take(rows).collect()),
            values: (0..rows).flat_map(|row| columns.iter().map(move |(_, column)| column[row])).collect(),
        }
    }

    fn rows(&self) -> usize {
        self.values.len() / self.names.len()
    }

    /// Rows in another order, or some of them, or one of them twice.
    fn taking(&self, rows: &[usize]) -> Made {
        let n = self.names.len();
        let labels = match &self.labels {
            Labels::Dates(days) => Labels::Dates(rows.iter().map(|&row| days[row]).collect()),
            Labels::Text(labels) => Labels::Text(rows.iter().map(|&row| labels[row].clone()).collect()),
        };
        let values = rows.iter().flat_map(|&row| self.values[row * n..(row + 1) * n].iter().copied()).collect();
        Made { names: self.names.clone(), labels, values }
    }

    fn with(&self, row: usize, asset: usize, value: f64) -> Made {
        let mut made = self.clone();
        made.values[row * self.names.len() + asset] = value;
        made
    }

    fn labelled(&self, label: impl Fn(usize) -> String) -> Made {
        Made { labels: Labels::Text((0..self.rows()).map(label).collect()), ..self.clone() }
    }

    fn in_memory(&self, options: &ReadOptions) -> Result<Reading> {
        let Made { names, labels, values } = self;
        read_table(&Table { names, labels: Some(labels), values, source: "table" }, options)
    }

    fn as_file(&self, options: &ReadOptions) -> Result<Reading> {
        let mut text = format!("date,{}\n", self.names.join(","));
        for (row, cells) in self.values.chunks_exact(self.names.len()).enumerate() {
            let cells = cells.iter().map(|x| if x.is_nan() { String::new() } else { x.to_string() });
            let label = match &self.labels {
                Labels::Dates(days) => days[row].to_string(),
                Labels::Text(labels) => labels[row].clone(),
            };
            text += &format!("{label},{}\n", cells.collect::<Vec<_>>().join(","));
        }
        read_returns(&[Input::Bytes { name: "file.csv".into(), bytes: text.into_bytes() }], options)
    }
}

/// What is said of a table, as it would be said of the file: that has a line of names above and a column of dates before.
fn of_file(text: &str) -> String {
    let words: Vec<&str> = text.split(' ').collect();
    let bare = |place: usize| words.get(place).map_or("", |word| word.trim_matches(|c: char| !c.is_alphanumeric()));
    let number = |place: usize| bare(place).parse::<u64>().ok();
    let mut said: Vec<String> = words.iter().map(|word| (*word).to_string()).collect();
    for place in (0..words.len()).filter(|&place| number(place + 1).is_some()) {
        let numbers = match bare(place) {
            "row" | "column" => place + 1..place + 2,
            // "rows 3 and 5"
            "rows" | "columns" => place + 1..place + 4,
            _ => continue,
        };
        said[place] = said[place].replace("row", "line");
        for place in numbers {
            if let Some(number) = number(place) {
                said[place] = said[place].replace(bare(place), &(number + 1).to_string());
            }
        }
    }
    said.join(" ").replace("table: ", "file.csv: ")
}

/// The reading of a table, which is that of the file.
fn read(what: &str, made: &Made, options: &ReadOptions) -> Result<Reading> {
    let table = made.in_memory(options);
    match (&table, made.as_file(options)) {
        (Ok(table), Ok(file)) => {
            assert_eq!(table.returns, file.returns, "{what}");
            let notices: Vec<String> = table.notices.iter().map(|notice| of_file(notice)).collect();
            // A file's columns have roles, and one of them is said.
            let of_file = file.notices.iter().filter(|notice| !notice.contains("(as asked)"));
            assert_eq!(of_file.map(ToString::to_string).collect::<Vec<_>>(), notices, "{what}");
            assert_eq!(table.detected[0].kind, file.detected[0].kind, "{what}");
            assert_eq!(table.detected[0].dates, file.detected[0].dates, "{what}");
        }
        (Err(table), Err(file)) => {
            assert_eq!(table.kind, file.kind, "{what}");
            assert_eq!(of_file(&table.message), file.message.to_string(), "{what}");
            let hint = table.hint.as_ref().map(ToString::to_string);
            assert_eq!(hint, file.hint.as_ref().map(ToString::to_string), "{what}");
        }
        (table, file) => panic!("{what}: {table:?} in memory, {file:?} from a file"),
    }
    table
}

/// A path of prices, and one of returns, each of its own.
fn noise(seed: u64, rows: usize) -> Vec<f64> {
    let uniform = |row: usize, part: u64| {
        let mut x =
            (row as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ seed.wrapping_mul(0xD1B5_4A32_D192_ED03) ^ part;
        for shift in [30, 27, 31] {
            x = (x ^ (x >> shift)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        }
        (x >> 11) as f64 / (1_u64 << 53) as f64
    };
    (0..rows).map(|row| 0.02 * ((0..4).map(|part| uniform(row, part)).sum::<f64>() - 2.0)).collect()
}

fn path(seed: u64, rows: usize) -> Vec<f64> {
    let mut price = 100.0;
    let step = |change: f64| {
        price *= 1.0 + change;
        (price * 1e4_f64).round() / 1e4
    };
    noise(seed, rows).into_iter().map(step).collect()
}

const ROWS: usize = 60;

fn prices() -> Made {
    Made::daily(&[("A", path(1, ROWS)), ("S&P 500", path(2, ROWS)), ("C", path(3, ROWS))])
}

fn returns() -> Made {
    Made::daily(&[("A", noise(4, ROWS)), ("B", noise(5, ROWS))])
}

fn of(kind: Kind) -> ReadOptions {
    ReadOptions { kind, ..ReadOptions::default() }
}

#[test]
fn prices_are_read_as_those_of_a_file() {
    let options = of(Kind::Prices);
    let plain = read("prices", &prices(), &options).unwrap();
    assert_eq!((plain.returns.rows(), plain.notices.len()), (ROWS - 1, 0));
    let descending: Vec<usize> = (0..ROWS).rev().collect();
    let shuffled: Vec<usize> = (0..ROWS).map(|row| 7 * row % ROWS).collect();
    let copied: Vec<usize> = (0..ROWS).chain([20]).collect();
    for (what, rows, said) in [
        ("descending", descending, "newest first"),
        ("shuffled", shuffled, "out of order"),
        ("copied", copied, "1 row left out"),
    ] {
        let read = read(what, &prices().taking(&rows), &options).unwrap();
        assert_eq!(read.returns, plain.returns, "{what}");
        assert!(read.notices[0].contains(said), "{what}: {:?}", read.notices);
    }
    let cases = [
        ("two values", prices().taking(&(0..ROWS).chain([20]).collect::<Vec<_>>()).with(ROWS, 1, 7.0), "stands twice"),
        ("zero", prices().with(30, 1, 0.0), "a price of 0"),
        ("negative", prices().with(30, 1, -5.0), "a negative price"),
        ("nines", prices().with(30, 1, 9_999.0), "far above"),
        ("two rows", prices().taking(&[0, 1]), "2 rows of prices"),
        ("constant", Made::daily(&[("A", path(1, ROWS)), ("B", vec![5.0; ROWS])]), "never moves"),
        (
            "scattered",
            Made::daily(&[
                ("A", path(1, ROWS)),
                ("B", noise(9, ROWS).iter().map(|x| 1e6 * (1.0 + 20.0 * x)).collect()),
            ]),
            "scatters",
        ),
        ("one name twice", Made::daily(&[("A", path(1, ROWS)), ("A", path(2, ROWS))]), "two columns are named `A`"),
    ];
    for (what, made, said) in cases {
        let error = read(what, &made, &options).unwrap_err();
        assert!(error.message.contains(said), "{what}: {error}");
    }
    let code = read("code", &prices().with(30, 1, -999.0), &options).unwrap();
    assert!(code.notices[0].contains("-999 stands for a missing cell"), "{:?}", code.notices);
    let still: Vec<f64> =
        path(1, ROWS).iter().enumerate().map(|(row, &x)| if (20..40).contains(&row) { 50.0 } else { x }).collect();
    let stale = read("stale", &Made::daily(&[("A", still), ("B", path(2, ROWS))]), &options).unwrap();
    assert!(stale.notices.iter().any(|notice| notice.contains("stale prices?")), "{:?}", stale.notices);
}

#[test]
fn gaps_are_left_to_the_same_rule() {
    let gap = prices().with(30, 1, f64::NAN).with(31, 1, f64::NAN).with(5, 0, f64::NAN);
    for (missing, notices) in
        [(Missing::CompleteRows, Some(1)), (Missing::ExcludeAssets, Some(1)), (Missing::Error, None)]
    {
        let read = read(&format!("{missing:?}"), &gap, &ReadOptions { missing, ..of(Kind::Prices) });
        assert_eq!(read.ok().map(|read| read.notices.len()), notices, "{missing:?}");
    }
}

#[test]
fn returns_are_read_as_those_of_a_file() {
    let plain = read("returns", &returns(), &of(Kind::Returns)).unwrap();
    assert_eq!(plain.returns.values, returns().values);
    let unsaid = read("returns unsaid", &returns(), &of(Kind::Prices)).unwrap();
    assert!(unsaid.notices[0].contains("these are returns, not prices"), "{:?}", unsaid.notices);
    let times = |factor: f64| Made { values: returns().values.iter().map(|x| x * factor).collect(), ..returns() };
    for percent in [None, Some(true), Some(false)] {
        let options = ReadOptions { notation: Notation { percent, ..Notation::default() }, ..of(Kind::Returns) };
        for factor in [1.0, 10.0, 25.0, 100.0] {
            let what = format!("returns times {factor}, percent {percent:?}");
            let _ = read(&what, &times(factor), &options);
        }
        let percent = read("percent", &times(100.0), &options);
        match options.notation.percent {
            Some(false) => assert!(percent.unwrap_err().message.contains("below -100 %")),
            _ => assert!(percent.unwrap().notices[0].contains("returns are in percent")),
        }
    }
    let error = read("prices for returns", &prices(), &of(Kind::Returns)).unwrap_err();
    assert!(error.message.contains("far above zero"), "{error}");
    let _ = read("a loss of more than all", &returns().with(10, 0, -1.5), &of(Kind::Returns));
}

#[test]
fn parts_are_taken_as_those_of_a_file() {
    let names = |list: &[&str]| list.iter().map(|name| (*name).to_string()).collect::<Vec<_>>();
    let plain = of(Kind::Prices);
    let (from, to): (Option<Date>, Option<Date>) = (Some(date(2020, 1, 10)), Some(date(2020, 2, 20)));
    for (what, options) in [
        ("from and to", ReadOptions { from, to, ..plain.clone() }),
        ("nothing left", ReadOptions { from: Some(date(2030, 1, 1)), ..plain.clone() }),
        ("last", ReadOptions { last: Some(10), ..plain.clone() }),
        ("more than all", ReadOptions { last: Some(1_000), ..plain.clone() }),
        ("assets", ReadOptions { assets: Some(names(&["C", "S&P 500"])), ..plain.clone() }),
        ("no such asset", ReadOptions { assets: Some(names(&["D"])), ..plain.clone() }),
        ("exclude", ReadOptions { exclude: names(&["A"]), ..plain.clone() }),
        ("no such exclusion", ReadOptions { exclude: names(&["D"]), ..plain.clone() }),
        ("in both", ReadOptions { assets: Some(names(&["A"])), exclude: names(&["A"]), ..plain.clone() }),
        ("logarithms", ReadOptions { log_returns: true, ..plain.clone() }),
        ("bytes", ReadOptions { memory: Some(64), ..plain.clone() }),
    ] {
        let table = prices().in_memory(&options);
        match what {
            // A file of that size is not even opened.
            "bytes" => assert_eq!(table.unwrap_err().kind, ErrorKind::Usage),
            _ => _ = read(what, &prices(), &options),
        }
    }
    let all = ReadOptions { exclude: prices().names, ..plain };
    assert!(prices().in_memory(&all).unwrap_err().message.contains("every asset is left out"));
}

#[test]
fn labels_of_text_are_read_as_those_of_a_file() {
    let options = of(Kind::Prices);
    let Labels::Dates(days) = prices().labels else { unreachable!("days") };
    let dotted = prices().labelled(|row| days[row].strftime("%d.%m.%Y").to_string());
    let read_as = |made: &Made, what| read(what, made, &options);
    assert_eq!(read_as(&dotted, "dotted").unwrap().returns.labels, Labels::Dates(days[1..].to_vec()));
    assert!(read_as(&prices().labelled(|row| (row + 1).to_string()), "numbers").is_ok());
    assert!(read_as(&prices().labelled(|row| format!("x{}", 7 * row % 11)), "words").is_err());
    let none = Notation { date_format: Some("none".into()), ..Notation::default() };
    let unordered = prices().labelled(|row| format!("x{}", 7 * row % 11));
    assert!(read("words as they are", &unordered, &ReadOptions { notation: none, ..options }).is_ok());
}

#[test]
fn rows_without_labels_keep_their_order() {
    let Made { names, labels: _, values } = prices();
    let table = Table { names: &names, labels: None, values: &values, source: "array" };
    let plain = read_table(&table, &of(Kind::Prices)).unwrap();
    assert_eq!(plain.returns.values, prices().in_memory(&of(Kind::Prices)).unwrap().returns.values);
    assert_eq!(plain.notices.len(), 0);
    let from = ReadOptions { from: Some(date(2020, 1, 1)), ..of(Kind::Prices) };
    assert!(read_table(&table, &from).unwrap_err().message.contains("need dates"));
    // A column that numbers the rows is hardly an asset.
    let numbered = Made::daily(&[("n", (1..=60).map(f64::from).collect()), ("A", path(1, ROWS))]);
    let table = Table { names: &numbered.names, labels: None, values: &numbered.values, source: "array" };
    let error = read_table(&table, &of(Kind::Prices)).unwrap_err();
    assert!(error.message.contains("column 1 (`n`)"), "{error}");
    assert_eq!(error.hint.unwrap(), "leave it out with `exclude=\"n\"`, or name the columns to read with `assets`");
    assert!(read_table(&table, &ReadOptions { exclude: vec!["n".into()], ..of(Kind::Prices) }).is_ok());
}

#[test]
fn what_is_no_table_is_refused() {
    let names = ["A".to_string(), "B".to_string()];
    let days = Labels::Dates(vec![date(2020, 1, 1)]);
    for (names, labels, values, said) in [
        (&names[..0], None, &[][..], "no assets"),
        (&names[..], None, &[][..], "no rows"),
        (&names[..], None, &[1.0, 2.0, 3.0][..], "3 cells for 2 assets"),
        (&names[..], Some(&days), &[1.0, 2.0, 3.0, 4.0][..], "1 label for 2 rows"),
        (&names[..], None, &[1.0, 0.5, 0.5, 1.0][..], "2 rows of prices"),
    ] {
        let error = read_table(&Table { names, labels, values, source: "t" }, &ReadOptions::default()).unwrap_err();
        assert!(error.kind == ErrorKind::Input && error.message.contains(said), "{error}");
    }
    let bars: Vec<(&str, Vec<f64>)> = ["w", "x", "y", "z"]
        .iter()
        .zip([1.0, 1.02, 0.98, 1.005])
        .map(|(name, scale)| {
            let wobble = if scale == 1.0 { 0.5 } else { 0.0 };
            (*name, path(1, ROWS).iter().zip(noise(8, ROWS)).map(|(x, e)| x * (scale + wobble * e)).collect())
        })
        .collect();
    let error = read("bars", &Made::daily(&bars), &ReadOptions::default()).unwrap_err();
    assert!(error.message.contains("open, high, low and close"), "{error}");
}
