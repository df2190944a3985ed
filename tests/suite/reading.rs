//! Does nothing become an asset, a return or a date by accident?
//!
//! Histories are made, dressed as vendors dress them, and read: the same numbers come back, or a refusal that says what
//! is in doubt. The one outcome that may not be is success with other numbers.

mod dates;
mod layouts;
mod made;
mod mended;
mod numbers;

use std::fmt::Write as _;
use std::io::Write as _;

use equirisk::io::{Input, Kind, Notation, ReadOptions, Reading, read_returns as read};
use equirisk::panel::Labels;
use equirisk::{Error, ErrorKind, Result};
use jiff::civil::date;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use serde_json::Value;

use crate::cases::{data, json, numbers};
use crate::run::{Folder, Run, equirisk, uniform};

use layouts::{HELPERS, Helper, LAYOUTS, Layout, Sheet, Style};
use made::{Made, Period, as_returns, history, made};

#[test]
fn layouts_of_vendors_meet_their_expectations() {
    let cases = json("reading/expected.json");
    let cases = cases.as_array().unwrap();
    assert!(cases.len() >= 33);
    let mut wrong = String::new();
    for case in cases {
        let folder = Folder::new();
        let file = |argument: &Value| {
            let argument = argument.as_str().unwrap();
            let path = data("reading").join(argument);
            let is_file = path.extension().is_some() && path.is_file();
            let argument = if is_file { path.to_str().unwrap() } else { argument };
            argument.replace("{tmp}", folder.path("").to_str().unwrap())
        };
        let args: Vec<String> = case["args"].as_array().unwrap().iter().map(file).collect();
        let run = equirisk(&args.iter().map(String::as_str).chain(["--json"]).collect::<Vec<_>>());
        if !case["accept"].as_array().unwrap().iter().any(|accepted| meets(&run, accepted)) {
            writeln!(wrong, "{} ({}): {} {}", case["id"], case["kind"], run.code, run.stderr).unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// Whether a run ends as one of the outcomes that a case accepts.
fn meets(run: &Run, accepted: &Value) -> bool {
    let stderr = run.stderr.to_lowercase();
    let says = |words: &Value| {
        words.as_array().unwrap().iter().any(|words| stderr.contains(&words.as_str().unwrap().to_lowercase()))
    };
    if let Some(words) = accepted.get("refused") {
        return run.code != 0 && says(words) && accepted.get("but_not").is_none_or(|words| !says(words));
    }
    if run.code != 0 {
        return false;
    }
    let found = run.json();
    let number = |value: &Value| value.as_f64().unwrap();
    if let Some(weights) = accepted.get("weights") {
        let (found, expected) = (numbers(&found["weights"]), numbers(weights));
        return found.len() == expected.len()
            && found.iter().zip(&expected).all(|(a, b)| (a - b).abs() <= number(&accepted["tol"]));
    }
    if let Some(words) = accepted.get("stderr") {
        return says(words);
    }
    if let Some(converged) = accepted.get("converged") {
        return found["solves"]["converged"] == *converged;
    }
    let top = &found["top"][0];
    let mut assets: Vec<&str> = top["assets"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    assets.sort_unstable();
    let is_near = (number(&top["value"]) / number(&accepted["top_value"]) - 1.0).abs() <= number(&accepted["rel"]);
    assets == accepted["top_assets"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect::<Vec<_>>()
        && is_near
}

/// How a history is dressed: a place in each list, taken as far round as it goes.
#[derive(Debug, Clone, Copy)]
struct Dress {
    layout: usize,
    dates: usize,
    numbers: usize,
    missing: usize,
    order: usize,
    helper: Option<usize>,
    beside: usize,
    delimiter: usize,
    packing: usize,
    pieces: usize,
    seed: u64,
}

/// What stands for a missing cell, and whether it has to be said.
const MISSING: &[(&str, bool)] = &[
    ("", false),
    ("NA", false),
    ("NaN", false),
    ("ND", false),
    ("..", false),
    (".", false),
    ("#N/A N/A", false),
    ("(null)", false),
    ("#VALUE!", false),
    ("-99.99", false),
    ("-999", false),
    ("-9999", false),
    ("n/a", false),
    ("-", false),
    ("closed", true),
    ("-77", true),
    ("0", true),
];
const ORDERS: usize = 4;
/// Lines above and below the table, and the tables beside it.
const BESIDE: &[&str] = &[
    "nothing",
    "title",
    "title with commas",
    "remarks with #",
    "blank lines",
    "copyright",
    "source below",
    "totals of another kind",
    "annual table",
    "names again",
];
const DELIMITERS: &[char] = &[',', ';', '\t', '|'];
const PACKINGS: &[&str] = &["plain", "CRLF", "CR", "BOM", "UTF-16", "gzip", "zip"];

fn dress() -> impl Strategy<Value = Dress> {
    // Most often one thing is odd at a time, so that what is found is small.
    let often = |size: usize| prop_oneof![2 => Just(0), 1 => 0..size];
    let choices =
        (often(MISSING.len()), often(ORDERS), prop::option::weighted(0.3, 0..HELPERS.len()), often(BESIDE.len()));
    let marks = (0..100_usize, 0..100_usize, often(numbers::NOTATIONS.len()));
    let bytes = (often(DELIMITERS.len()), often(PACKINGS.len()), often(4), any::<u64>());
    (choices, marks, bytes).prop_map(
        |((missing, order, helper, beside), (layout, dates, numbers), (delimiter, packing, pieces, seed))| Dress {
            layout,
            dates,
            numbers,
            missing,
            order,
            helper,
            beside,
            delimiter,
            packing,
            pieces,
            seed,
        },
    )
}

/// What is asked for a dressed history, and how it is called.
struct Dressed {
    expected: Made,
    inputs: Vec<Input>,
    options: ReadOptions,
    /// In words, with the beginning of each file.
    what: String,
}

/// Dresses a history; none where the parts of the dress do not go together.
fn put_on(made: &Made, dress: &Dress) -> Option<Dressed> {
    let is_returns = made.kind == Kind::Returns;
    let layouts: Vec<&Layout> = LAYOUTS.iter().filter(|layout| layout.takes_returns || !is_returns).collect();
    let layout = layouts[dress.layout % layouts.len()];
    let dates = dates::of(made.period);
    let dates = dates[dress.dates % dates.len()];
    let written = numbers::NOTATIONS[dress.numbers];
    let (missing, is_odd) = MISSING[dress.missing];
    let helper: Option<&Helper> = dress.helper.map(|helper| &HELPERS[helper]);
    // Returns may be what a code for a missing price is; a zero is no odd return.
    let is_wearable = (!written.is_of_returns || is_returns)
        && !(is_returns && missing == "0")
        && !(layout.name.starts_with("blocks") && (dates.header.len() > 1 || helper.is_some()))
        && (layout.is_whole || dress.pieces == 0);
    if !is_wearable {
        return None;
    }
    let style = Style { dates, numbers: written, missing };
    let mut random = uniform(dress.seed);
    let mut order: Vec<usize> = (0..made.rows()).collect();
    match dress.order {
        0 => {}
        1 => order.reverse(),
        2 => order.sort_by_cached_key(|_| (1e9 * random()) as i64),
        // Two parts in the wrong order, as when the latest rows are put on top.
        _ => order.rotate_left(made.rows() / 3),
    }
    let ordered = made.take(&order);
    let rows = ordered.rows();
    let pieces = (dress.pieces + 1).min(rows / 4);
    let mut expected: Option<Made> = None;
    let mut inputs = Vec::new();
    let mut what = format!(
        "{} of {:?}, dates: {}, numbers: {}, missing: `{missing}`, order {}, helper: {}, beside: {}, {:?}, {}, {pieces} pieces\n",
        layout.name,
        made.period,
        dates.name,
        written.name,
        dress.order,
        helper.map_or("none", |helper| helper.name),
        BESIDE[dress.beside],
        DELIMITERS[dress.delimiter],
        PACKINGS[dress.packing],
    );
    for piece in 0..pieces {
        let part: Vec<usize> = (piece * rows / pieces..(piece + 1) * rows / pieces).collect();
        let (read, mut sheets) = (layout.make)(ordered.take(&part), &style);
        if let Some(helper) = helper {
            helper.add(&mut sheets, &read);
        }
        for sheet in sheets {
            let text = text(&sheet, dress, made);
            let first: Vec<&str> = text.lines().take(9).collect();
            writeln!(what, "--- {}\n{}", sheet.file, first.join("\n")).unwrap();
            let name = if pieces > 1 { format!("{piece}-{}", sheet.file) } else { sheet.file.clone() };
            inputs.push(Input::Bytes { name, bytes: packed(&text, &sheet.file, PACKINGS[dress.packing]) });
        }
        expected = Some(match expected.take() {
            None => read,
            Some(before) => Made {
                moments: [before.moments.clone(), read.moments].concat(),
                values: [before.values.clone(), read.values].concat(),
                ..before
            },
        });
    }
    let said = if is_odd { vec![missing.to_string()] } else { Vec::new() };
    let notation = Notation { missing: said, ..Notation::default() };
    let options = ReadOptions { kind: made.kind, notation, ..ReadOptions::default() };
    Some(Dressed { expected: expected?, inputs, options, what })
}

/// A sheet as text, with what stands beside the table.
fn text(sheet: &Sheet, dress: &Dress, made: &Made) -> String {
    let delimiter = DELIMITERS[dress.delimiter];
    let quoted = |cell: &String| match cell {
        // Spreadsheets that keep `="1"` as it is do not quote it.
        _ if cell.starts_with("=\"") => cell.clone(),
        _ if cell.contains([delimiter, '"']) => format!("\"{}\"", cell.replace('"', "\"\"")),
        _ => cell.clone(),
    };
    let line = |cells: &Vec<String>| cells.iter().map(quoted).collect::<Vec<_>>().join(&delimiter.to_string()) + "\n";
    let head: String = sheet.head.iter().map(line).collect();
    let rows: Vec<String> = sheet.rows.iter().map(|(_, cells)| line(cells)).collect();
    let table = head.clone() + &rows.concat();
    match BESIDE[dress.beside] {
        "title" => format!("Prices of some assets\n{table}"),
        "title with commas" => format!("\"Daily prices, adjusted, in USD\"\n\n{table}"),
        "remarks with #" => format!("# made for a test\n# missing: -88\n{table}"),
        "blank lines" => format!("\n\n{table}\n\n"),
        "copyright" => format!("{table}\n\"Copyright 2020 Some Vendor, all rights reserved.\"\n"),
        "source below" => format!("{table}Source: Some Vendor\nDownloaded on 2020-01-02\n"),
        "totals of another kind" => {
            let width = sheet.head[sheet.head.len() - 1].len();
            let delimiter = delimiter.to_string();
            format!("{table}\nSummary{}\n", vec![""; width].join(&delimiter))
        }
        "annual table" => {
            let years = (0..4).map(|year| {
                let cells = sheet.head[0].iter().skip(1).map(|_| "1.5".to_string());
                line(&std::iter::once((made.moments[0].year() + year).to_string()).chain(cells).collect())
            });
            format!("{table}\n\nAnnual averages\n{head}{}", years.collect::<String>())
        }
        "names again" => {
            let (first, second) = rows.split_at(rows.len() / 2);
            head.clone() + &first.concat() + &head + &second.concat()
        }
        _ => table,
    }
}

/// A text as the bytes of a file.
fn packed(text: &str, file: &str, packing: &str) -> Vec<u8> {
    match packing {
        "CRLF" => text.replace('\n', "\r\n").into_bytes(),
        "CR" => text.replace('\n', "\r").into_bytes(),
        "BOM" => format!("\u{feff}{text}").into_bytes(),
        "UTF-16" => [0xff, 0xfe].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect(),
        "gzip" => {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            encoder.write_all(text.as_bytes()).unwrap();
            encoder.finish().unwrap()
        }
        "zip" => {
            let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
            writer.start_file(file, zip::write::SimpleFileOptions::default()).unwrap();
            writer.write_all(text.as_bytes()).unwrap();
            writer.finish().unwrap().into_inner()
        }
        _ => text.as_bytes().to_vec(),
    }
}

fn written(labels: &Labels) -> Vec<String> {
    match labels {
        Labels::Dates(dates) => dates.iter().map(ToString::to_string).collect(),
        Labels::Text(names) => names.clone(),
    }
}

/// Whether these are the returns of that history, whatever the order of its assets.
fn is_right(found: &Reading, made: &Made, are_percent: bool) -> std::result::Result<(), String> {
    // Reading computes (after - before) / before; this divides and subtracts one: a few rounding errors of numbers near 1.
    const TOLERANCE: f64 = 1e-12;
    let expected = made.returns();
    let found = &found.returns;
    if found.assets.len() != expected.assets.len() {
        return Err(format!("the assets are {:?}", found.assets));
    }
    let mut order = Vec::new();
    for name in &found.assets {
        let place = expected.assets.iter().position(|other| other == name);
        order.push(place.ok_or_else(|| format!("the assets are {:?}", found.assets))?);
    }
    // Numbers without a name, one after the other, may be taken for those of the rows: their order is the same.
    let is_numbered = matches!((&found.labels, &expected.labels), (Labels::Text(_), Labels::Dates(_)));
    if !is_numbered && written(&found.labels) != written(&expected.labels) {
        return Err(format!("the labels are {:?} for {:?}", written(&found.labels), written(&expected.labels)));
    }
    let n = order.len();
    let unit = if are_percent { 100.0 } else { 1.0 };
    for (place, value) in found.values.iter().enumerate() {
        let wanted = expected.values[place / n * n + order[place % n]] / unit;
        if (value - wanted).abs() > TOLERANCE {
            return Err(format!("row {}, {}: {value} for {wanted}", place / n, found.assets[place % n]));
        }
    }
    Ok(())
}

/// Whether a refusal says where and what: a name, a cell or a line of the file stands in it, and there is advice.
fn says_what(error: &Error) -> bool {
    let names_a_place = [
        "`",
        "line ",
        "lines ",
        "joined by date",
        "one column only",
        "column 1 ",
        "column 2 ",
        "rows of prices",
        "row of prices",
    ]
    .iter()
    .any(|word| error.message.contains(word));
    error.kind == ErrorKind::Input && error.hint.is_some() && names_a_place
}

/// Read as it should be, or refused in words; whether it was read.
fn holds(made: &Made, dress: &Dress) -> std::result::Result<Option<std::result::Result<(), Error>>, TestCaseError> {
    let Some(dressed) = put_on(made, dress) else { return Ok(None) };
    match read(&dressed.inputs, &dressed.options) {
        Ok(reading) => {
            let verdict = is_right(&reading, &dressed.expected, false);
            verdict.map_err(|why| TestCaseError::fail(format!("{why}\n{:?}\n{}", reading.notices, dressed.what)))?;
            Ok(Some(Ok(())))
        }
        Err(error) if says_what(&error) => Ok(Some(Err(error))),
        Err(error) => Err(TestCaseError::fail(format!("refused without saying what: {error:?}\n{}", dressed.what))),
    }
}

/// The same tables in every run; PROPTEST_RNG_SEED and PROPTEST_CASES search further.
fn config(cases: u32) -> ProptestConfig {
    let usual = ProptestConfig::default();
    let rng_seed = match usual.rng_seed {
        RngSeed::Random => RngSeed::Fixed(1),
        said => said,
    };
    ProptestConfig { cases, failure_persistence: None, max_shrink_iters: 300, rng_seed, ..usual }
}

proptest! {
    #![proptest_config(config(1_500))]

    #[test]
    fn a_dressed_history_is_read_right_or_refused_in_words(made in made(false), dress in dress()) {
        holds(&made, &dress)?;
    }

    #[test]
    fn dressed_returns_are_read_right_or_refused_in_words(made in made(true), dress in dress()) {
        holds(&as_returns(&made, 6), &dress)?;
    }
}

/// A history without doubts: sixty rows of plainly named assets.
fn plain(period: Period, seed: u64) -> Made {
    history(period, date(2015, 1, 5), 60, &["SPY", "TLT", "GLD"], seed, usize::from(seed.is_multiple_of(2)) * 3)
}

const NOTHING: Dress = Dress {
    layout: 0,
    dates: 0,
    numbers: 0,
    missing: 0,
    order: 0,
    helper: None,
    beside: 0,
    delimiter: 0,
    packing: 0,
    pieces: 0,
    seed: 0,
};

/// What may be refused by itself: a week apart, days of a spreadsheet without a name may be anything; and of two columns
/// of the same days, in two notations, either may be meant.
const DOUBTS: &[(&str, Period)] = &[("serial days without a name", Period::Weeks), ("dateid", Period::Days)];

/// A reader that refuses everything would pass the tests above: alone, each piece of a dress is read.
#[test]
fn each_oddity_by_itself_is_read() {
    let mut dresses: Vec<(String, Period, Dress)> = Vec::new();
    let mut add = |what: &str, period, dress| dresses.push((what.to_string(), period, dress));
    for (layout, of) in LAYOUTS.iter().enumerate() {
        if of.name != "OpenAP" {
            add(of.name, Period::Days, Dress { layout, ..NOTHING });
        }
    }
    for period in [Period::Days, Period::Weeks, Period::Months, Period::Quarters, Period::Hours] {
        for (dates, of) in dates::of(period).iter().enumerate() {
            add(of.name, period, Dress { dates, ..NOTHING });
            add(of.name, period, Dress { dates, order: 1, ..NOTHING });
            // A long table of them, by text names.
            let layout = LAYOUTS.iter().position(|layout| layout.name == "long by asset").unwrap();
            add(of.name, period, Dress { dates, layout, ..NOTHING });
        }
    }
    for numbers in 0..numbers::NOTATIONS.len() {
        add(numbers::NOTATIONS[numbers].name, Period::Days, Dress { numbers, delimiter: 1, ..NOTHING });
    }
    (0..MISSING.len()).for_each(|missing| add(MISSING[missing].0, Period::Days, Dress { missing, ..NOTHING }));
    (0..HELPERS.len())
        .for_each(|helper| add(HELPERS[helper].name, Period::Days, Dress { helper: Some(helper), ..NOTHING }));
    (0..BESIDE.len()).for_each(|beside| add(BESIDE[beside], Period::Days, Dress { beside, ..NOTHING }));
    (0..DELIMITERS.len()).for_each(|delimiter| add("delimiter", Period::Days, Dress { delimiter, ..NOTHING }));
    (0..PACKINGS.len()).for_each(|packing| add(PACKINGS[packing], Period::Days, Dress { packing, ..NOTHING }));
    (0..4).for_each(|pieces| add("pieces", Period::Days, Dress { pieces, order: pieces, ..NOTHING }));
    let mut refused = String::new();
    for (what, period, dress) in dresses {
        for seed in 0..4 {
            let made = plain(period, seed);
            let made = if numbers::NOTATIONS[dress.numbers].is_of_returns { as_returns(&made, 6) } else { made };
            match holds(&made, &dress) {
                Ok(Some(Err(_))) if DOUBTS.contains(&(what.as_str(), period)) => {}
                Ok(Some(Err(error))) => writeln!(refused, "{what} of {period:?}, {seed}: {error}").unwrap(),
                Ok(_) => {}
                Err(error) => writeln!(refused, "{what} of {period:?}, {seed}: {error}").unwrap(),
            }
        }
    }
    assert!(refused.is_empty(), "{refused}");
}

/// Reads one text.
fn of_text(text: &str, options: &ReadOptions) -> Result<Reading> {
    read(&[Input::Bytes { name: "f.csv".into(), bytes: text.into() }], options)
}

/// A plain table of these columns; no digit is lost.
fn table(header: &str, labels: impl Iterator<Item = String>, columns: &[Vec<f64>]) -> String {
    let row = |(row, label): (usize, String)| {
        columns.iter().fold(label, |line, column| line + &format!(",{}", column[row])) + "\n"
    };
    format!("{header}\n{}", labels.enumerate().map(row).collect::<String>())
}

fn refused(text: &str, kind: Kind, words: &[&str]) -> std::result::Result<(), TestCaseError> {
    match of_text(text, &ReadOptions { kind, ..ReadOptions::default() }) {
        Ok(reading) => {
            let first: Vec<&str> = text.lines().take(6).collect();
            Err(TestCaseError::fail(format!("read: {:?}\n{}", reading.notices, first.join("\n"))))
        }
        Err(error) => {
            let message = format!("{} {}", error.message, error.hint.as_deref().unwrap_or_default());
            prop_assert!(words.iter().all(|word| message.contains(word)), "{words:?} in {message}");
            Ok(())
        }
    }
}

/// Columns of a history, each from its own numbers.
fn columns(made: &Made, of: impl Fn(&[f64]) -> Vec<f64>) -> Vec<Vec<f64>> {
    (0..made.assets.len()).map(|asset| of(&made.alone(asset).values)).collect()
}

fn days(made: &Made) -> impl Iterator<Item = String> {
    made.moments.iter().map(|moment| moment.date().to_string())
}

proptest! {
    #![proptest_config(config(200))]

    #[test]
    fn cumulative_returns_and_yields_are_no_history(seed in any::<u64>(), rows in 150_usize..300, assets in 2_usize..6) {
        let made = history(Period::Days, date(2012, 3, 1), rows, &["A", "B", "C", "D", "E"][..assets], seed, 0);
        let header = format!("date,{}", made.assets.join(","));
        // Cumulative returns against their middle, and yields around zero: both cross zero, and remember.
        let middle = |x: &[f64]| { let mut x = x.to_vec(); x.sort_by(f64::total_cmp); x[x.len() / 2] };
        let cumulative = columns(&made, |x| x.iter().map(|y| y / middle(x) - 1.0).collect());
        for kind in [Kind::Prices, Kind::Returns] {
            refused(&table(&header, days(&made), &cumulative), kind, &["`A`"])?;
        }
        let yields = columns(&made, |x| x.iter().map(|y| (200.0 * (y / middle(x) - 1.0)).round() / 100.0).collect());
        refused(&table(&header, days(&made), &yields), Kind::Returns, &["`A`"])?;
    }

    #[test]
    fn prices_are_no_returns(seed in any::<u64>(), rows in 15_usize..90, assets in 2_usize..6) {
        let made = history(Period::Days, date(2012, 3, 1), rows, &["A", "B", "C", "D", "E"][..assets], seed, 0);
        let text = table(&format!("date,{}", made.assets.join(",")), days(&made), &columns(&made, <[f64]>::to_vec));
        refused(&text, Kind::Returns, &["`A`"])?;
    }

    #[test]
    fn a_covariance_is_no_history_unless_that_is_said(seed in any::<u64>(), n in 3_usize..9, are_correlations in any::<bool>(), is_named in any::<bool>()) {
        let x = crate::run::returns(40, n, 1.0, seed);
        let sample = crate::run::sample_covariance(&x, n, &(0..40).collect::<Vec<_>>());
        let scale = |i: usize| if are_correlations { sample[i * n + i].sqrt() } else { 0.01 };
        let matrix: Vec<Vec<f64>> = (0..n).map(|i| (0..n).map(|j| sample[i * n + j] / scale(i) / scale(j)).collect()).collect();
        let names: Vec<String> = (0..n).map(|i| format!("F{}", char::from(b'A' + i as u8))).collect();
        let text = match is_named {
            true => table(&format!(",{}", names.join(",")), names.iter().cloned(), &matrix),
            false => {
                let rows = matrix.iter().map(|row| row.iter().map(ToString::to_string).collect::<Vec<_>>().join(",") + "\n");
                format!("{}\n{}", names.join(","), rows.collect::<String>())
            }
        };
        for kind in [Kind::Prices, Kind::Returns] {
            // Without names, the first column may be taken for labels that are no dates.
            refused(&text, kind, if is_named { &["`covariance`"] } else { &["f.csv"] })?;
        }
    }

    #[test]
    fn positions_are_no_history(seed in any::<u64>(), rows in 3_usize..30) {
        let mut uniform = uniform(seed);
        let mut unit = || uniform() + 0.5;
        let names = |row: usize| format!("FUND {}", char::from(b'A' + (row % 26) as u8).to_string().repeat(1 + row / 26));
        let held: Vec<Vec<f64>> = [1000.0, 90.0, 1.0].iter().map(|scale| (0..rows).map(|_| (100.0 * scale * unit()).round() / 100.0 + 0.01).collect()).collect();
        refused(&table("Name,Shares,Price,Weight", (0..rows).map(names), &held), Kind::Prices, &["`Shares`"])?;
        refused(&table("Symbol,Quantity,Price,Market Value", (0..rows).map(names), &held), Kind::Prices, &["`Quantity`"])?;
    }

    #[test]
    fn a_first_column_of_rising_whole_numbers_is_asked_after(seed in any::<u64>(), rows in 5_usize..60, step in 1_u32..5, start in 1_u32..3000) {
        let made = history(Period::Days, date(2012, 3, 1), rows, &["B", "C"], seed, 0);
        let rising = (0..rows as u32).map(|row| (start + step * row).to_string());
        refused(&table("A,B,C", rising, &columns(&made, <[f64]>::to_vec)), Kind::Prices, &["`A`"])?;
    }

    #[test]
    fn one_negative_price_is_refused_by_its_place(made in made(true), place in any::<prop::sample::Index>()) {
        let mut values = made.values.clone();
        values.iter_mut().for_each(|x| *x = if x.is_nan() { 1.0 } else { *x });
        let place = place.index(values.len());
        values[place] = -37.63;
        let made = Made { values, digits: vec![2; made.assets.len()], period: Period::Days, ..made };
        let header = format!("date,{}", made.assets.join(","));
        let asset = &made.assets[place % made.assets.len()];
        let text = table(&header, (0..made.rows()).map(|row| date(2020, 1, 1).checked_add(jiff::Span::new().days(row as i64)).unwrap().to_string()), &columns(&made, <[f64]>::to_vec));
        refused(&text, Kind::Prices, &["negative price", asset])?;
    }

    #[test]
    fn months_take_the_last_day_on_or_before_their_end(seed in any::<u64>(), months in 6_usize..40, first in 0_i64..240, style in 0_usize..4, lag in 0_usize..3) {
        let first = date(1995, 1, 1).checked_add(jiff::Span::new().months(first)).unwrap();
        let monthly = history(Period::Months, first, months, &["FUND"], seed, 0);
        // Days from some weeks before the first month's end to some weeks after the last.
        let daily = history(Period::Days, first, 22 * (months + 1), &["SPY", "TLT"], seed ^ 1, 0);
        let header = ["date", "Date", "Month", "date"][style];
        let label = |moment: &jiff::civil::DateTime| match style {
            0 => moment.date().to_string(),
            1 => moment.strftime("%Y-%m").to_string(),
            2 => moment.strftime("%b-%y").to_string(),
            // The last business day of the month.
            _ => daily_end(moment.date(), &daily).to_string(),
        };
        let rare = table(&format!("{header},FUND"), monthly.moments.iter().map(label), &columns(&monthly, <[f64]>::to_vec));
        let often = table("date,SPY,TLT", days(&daily), &columns(&daily, <[f64]>::to_vec));
        let files = [("fund.csv", &rare), ("daily.csv", &often)].map(|(name, text)| Input::Bytes { name: name.into(), bytes: text.clone().into() });
        let files = if lag == 0 { files.to_vec() } else { files.into_iter().rev().collect() };
        let reading = read(&files, &ReadOptions::default()).map_err(|error| TestCaseError::fail(error.to_string()))?;
        let found = &reading.returns;
        let at = |month: usize, asset: &str| match asset {
            "FUND" => monthly.cell(month, 0),
            _ => {
                let end = monthly.moments[month];
                let row = daily.moments.iter().rposition(|moment| *moment <= end).unwrap();
                daily.cell(row, usize::from(asset == "TLT"))
            }
        };
        // The days may end before the last months do.
        let last = monthly.moments.iter().filter(|end| *daily.moments.last().unwrap() >= **end).count();
        prop_assert!(found.rows() + 1 >= last, "{} rows of {last} months: {:?}", found.rows(), reading.notices);
        for row in 0..last - 1 {
            for (asset, name) in found.assets.iter().enumerate() {
                let expected = at(row + 1, name) / at(row, name) - 1.0;
                let value = found.values[row * found.assets.len() + asset];
                prop_assert!((value - expected).abs() < 1e-12, "month {row}, {name}: {value} for {expected}, {:?}", reading.notices);
            }
        }
    }

    #[test]
    fn returns_in_percent_are_told_by_their_size_or_asked_after(made in made(true), is_said in any::<bool>()) {
        let made = as_returns(&made, 6);
        let percent = Made { values: made.values.iter().map(|x| (1e6 * x).round() / 1e4).collect(), digits: vec![4; made.assets.len()], ..made };
        let Some(dressed) = put_on(&percent, &NOTHING) else { return Ok(()) };
        let notation = Notation { percent: is_said.then_some(true), ..Notation::default() };
        let reading = read(&dressed.inputs, &ReadOptions { kind: Kind::Returns, notation, ..ReadOptions::default() });
        let reading = match reading {
            Ok(reading) => reading,
            // Small ones are taken for fractions, of which one is below -100 %.
            Err(error) => {
                prop_assert!(!is_said && error.hint.as_ref().is_some_and(|hint| hint.contains("`percent")), "{error:?}");
                return Ok(());
            }
        };
        let said = is_right(&reading, &percent, true);
        prop_assert!(said.is_ok() || !is_said && reading.notices.iter().any(|notice| notice.contains("`percent")), "{said:?} {:?}", reading.notices);
    }
}

/// The last business day of a month.
fn daily_end(end: jiff::civil::Date, daily: &Made) -> jiff::civil::Date {
    daily.moments.iter().map(|moment| moment.date()).rfind(|day| *day <= end).unwrap_or(end)
}
