//! Are histories of assets that come and go read with their lives, cash beside them, and rates by date?

use std::io::Write as _;

use equirisk::io::{
    Input, Kind, Missing, Notices, Rates, ReadOptions, Reading, Table, read_rates, read_returns, read_table,
};
use equirisk::panel::{Labels, Panel};
use equirisk::{ErrorKind, Result};
use jiff::ToSpan as _;
use jiff::civil::{Date, date};

const NEVER: f64 = f64::NAN;

fn lives() -> ReadOptions {
    ReadOptions::default().with_lives()
}

fn of_returns() -> ReadOptions {
    ReadOptions { kind: Kind::Returns, ..lives() }
}

fn with_cash(name: &str) -> ReadOptions {
    ReadOptions { cash: Some(name.into()), ..lives() }
}

fn bytes(name: &str, text: &str) -> Input {
    Input::Bytes { name: name.into(), bytes: text.as_bytes().to_vec() }
}

fn read(text: &str, options: &ReadOptions) -> Result<Reading> {
    read_returns(&[bytes("f.csv", text)], options)
}

/// A table of business days from 2020-01-01 on, one text of cells for each.
fn table(header: &str, rows: &[&str]) -> String {
    let days = date(2020, 1, 1).series(1.day()).filter(|day| day.weekday().to_monday_one_offset() < 6);
    let rows = days.zip(rows).map(|(day, cells)| format!("{day},{cells}\n"));
    format!("date,{header}\n{}", rows.collect::<String>())
}

/// The same numbers, and none in the same places.
fn assert_same(found: &[f64], expected: &[f64]) {
    let same = |(a, b): (&f64, &f64)| a == b || a.is_nan() && b.is_nan();
    assert!(found.len() == expected.len() && found.iter().zip(expected).all(same), "{found:?} is not {expected:?}");
}

fn days(reading: &Reading) -> Vec<Date> {
    match &reading.returns.labels {
        Labels::Dates(days) => days.clone(),
        Labels::Text(labels) => panic!("no dates: {labels:?}"),
    }
}

fn said(notices: &Notices, words: &str) -> bool {
    notices.iter().any(|notice| notice.contains(words))
}

#[test]
fn a_return_exists_where_both_of_its_prices_do() {
    let rows = ["1,,8,9", "2,,4,3", "1,4,2,5", "4,2,,7", "2,1,,5", "1,2,,6", "2,1,,5", "3,2,,4", "1,1,,8"];
    let found = read(&table("A,B,C,D", &rows), &lives()).expect("B starts late, C ends early");
    assert_eq!(found.returns.rows(), 8);
    assert_same(
        &found.returns.values[..16],
        &[
            1.0,
            NEVER,
            -0.5,
            -2.0 / 3.0,
            -0.5,
            NEVER,
            -0.5,
            2.0 / 3.0,
            3.0,
            -0.5,
            NEVER,
            0.4,
            -0.5,
            -0.5,
            NEVER,
            -2.0 / 7.0,
        ],
    );
    assert_eq!([0, 1, 2].map(|asset| found.returns.life(asset)), [Some(0..8), Some(2..8), Some(0..2)]);
    assert!(!said(&found.notices, "left out"), "{:?}", found.notices);
    assert!(Panel::new(&found.returns).is_err(), "a study of all rows takes no such history");
    // The other rules are what they were.
    let complete = read(&table("A,B,C,D", &rows), &ReadOptions::default());
    assert!(complete.is_err_and(|error| error.message.contains("1 row of prices")));
}

#[test]
fn a_row_in_which_a_living_asset_has_no_cell_leaves_for_all() {
    let rows = ["1,,3", "2,,", "4,5,6", "2,,5", "1,2,4", "2,4,5", "1,1,4", "2,3,5", "1,5,4", "2,4,6", "3,5,7"];
    let found = read(&table("A,B,C", &rows), &lives()).expect("two rows have a hole");
    // On 2020-01-02 C lives and B does not; on 2020-01-06 B lives.
    assert_eq!(days(&found)[..2], [date(2020, 1, 3), date(2020, 1, 7)]);
    assert_same(&found.returns.values[..6], &[3.0, NEVER, 1.0, -0.75, -0.6, -2.0 / 6.0]);
    let notice = &found.notices[0];
    assert!(
        notice.contains("2 of 11 rows left out") && notice.contains("`B` (1, starts 2020-01-03), `C` (1)"),
        "{notice}"
    );
}

#[test]
fn a_hole_in_returns_is_an_error_that_names_it() {
    let rows = [".01,,.03", ".02,,-.01", "-.01,.02,.01", ".03,,.02", ".01,.02,-.01", ",,.04"];
    let error = read(&table("A,B,C", &rows), &of_returns()).expect_err("B has a hole");
    assert!(error.message.starts_with("f.csv: line 5, column 3 (`B`, 2020-01-06): no return"), "{error}");
    assert!(error.hint.is_some_and(|hint| hint.contains("`exclude=\"B\"`") && hint.contains("exclude-assets")));
    let after = ReadOptions { from: Some(date(2020, 1, 6)), ..of_returns() };
    let found = read(&table("A,B,C", &rows), &after).expect("B begins later");
    assert_same(&found.returns.values, &[0.03, NEVER, 0.02, 0.01, 0.02, -0.01, NEVER, NEVER, 0.04]);
    let without = ReadOptions { missing: Missing::ExcludeAssets, ..of_returns() }.with_lives();
    assert_eq!(read(&table("A,B,C", &rows), &without).expect("C is whole").returns.assets, ["C"]);
}

#[test]
fn blank_rows_at_the_ends_are_none() {
    let blank = table("A,B", &[",", "1,2", "2,1", "1,3", "3,1", "2,2", "4,3", "1,2", "2,3", ",", ","]);
    let found = read(&blank, &lives()).expect("three rows are blank");
    assert_eq!(days(&found).len(), 7);
    assert!(said(&found.notices, "3 rows of 11 left out at the ends"), "{:?}", found.notices);
    // In the middle a blank row is a hole of whatever lives.
    let middle = table("A,B", &[".1,.2", ",", "-.1,.1"]);
    assert!(read(&middle, &of_returns()).is_err_and(|error| error.message.contains("`A`, 2020-01-02")));
}

#[test]
fn an_empty_column_is_an_error_and_a_life_elsewhere_a_notice() {
    let empty = table("A,B,C", &["1,,2", "2,,3", "1,,2", "2,,5"]);
    let error = read(&empty, &lives()).expect_err("B is empty");
    assert!(error.message.contains("`B` has no cell in any row"), "{error}");
    assert!(error.hint.is_some_and(|hint| hint.contains("`exclude=\"B\"`")));
    assert!(read(&empty, &ReadOptions { exclude: vec!["B".into()], ..lives() }).is_ok());
    // One price makes no return; nor does a price after the dates asked for.
    let later = table("A,B,C", &["1,,2", "2,,3", "1,,2", "2,4,5", "3,,4", "2,,3", "1,,2", "2,,5", "1,,3"]);
    for options in [lives(), ReadOptions { to: Some(date(2020, 1, 3)), ..lives() }] {
        let found = read(&later, &options).expect("two assets live");
        assert_eq!(found.returns.assets, ["A", "C"]);
        assert!(said(&found.notices, "1 asset left out, without a return in these rows (2020-01-02 to"));
    }
    let one_each = table("A,B", &["1,", ",2", ",", ","]);
    let error = read(&one_each, &lives()).expect_err("no two prices");
    assert!(error.hint.is_some() && error.kind == ErrorKind::Input, "{error}");
}

#[test]
fn lives_need_not_overlap() {
    let rows = ["1,", "2,", "1,", "2,", ",4", ",2", ",4", ",1", ",3"];
    let found = read(&table("A,B", &rows), &lives()).expect("one after the other");
    let b = [1.0, -0.5, 1.0];
    assert_same(&found.returns.values[..10], &[b[0], NEVER, b[1], NEVER, b[2], NEVER, NEVER, NEVER, NEVER, -0.5]);
    assert_eq!((found.returns.life(0), found.returns.life(1)), (Some(0..3), Some(4..8)));
}

#[test]
fn dates_and_last_choose_rows_before_lives_are_told() {
    let rows = ["1,,5", "2,,4", "1,4,5", "2,2,4", "1,1,3", "2,2,3", "1,1,4", "2,4,5", "3,2,4"];
    let text = table("A,B,C", &rows);
    let from = read(&text, &ReadOptions { from: Some(date(2020, 1, 3)), ..lives() }).expect("all live");
    assert!(from.returns.values.iter().all(|x| x.is_finite()));
    let last = read(&text, &ReadOptions { last: Some(7), ..lives() }).expect("seven returns");
    assert_eq!((last.returns.rows(), last.returns.life(1)), (7, Some(1..7)));
    let text = table("A,B,C", &["1,4,5", "2,3,4", "1,,5", "2,,4", "1,,3", "2,,3", "1,,4", "2,,5", "3,,4"]);
    let last = read(&text, &ReadOptions { last: Some(3), ..lives() }).expect("B ended before");
    assert_eq!(last.returns.assets, ["A", "C"]);
    assert!(said(&last.notices, "`B`"), "{:?}", last.notices);
}

#[test]
fn files_of_other_dates_are_lives_in_one_history() {
    let long = table("A", &["1", "2", "1", "2", "4", "2", "1", "2", "1", "2"]);
    let late =
        "date,B\n2020-01-06,4\n2020-01-07,2\n2020-01-08,4\n2020-01-09,1\n2020-01-10,2\n2020-01-13,4\n2020-01-14,2\n";
    let found = read_returns(&[bytes("a.csv", &long), bytes("b.csv", late)], &lives()).expect("joined");
    assert_eq!((found.returns.life(0), found.returns.life(1)), (Some(0..9), Some(3..9)));
    assert_same(&found.returns.values[4..10], &[1.0, NEVER, 1.0, -0.5, -0.5, 1.0]);
    // A piece of a history that begins late, and a file with an empty column, which the other fills.
    let first = "date,A,B\n2020-01-01,1,\n2020-01-02,2,\n2020-01-03,1,\n";
    let second =
        "date,A,B\n2020-01-06,2,\n2020-01-07,1,4\n2020-01-08,2,2\n2020-01-09,1,3\n2020-01-10,2,4\n2020-01-13,4,1\n";
    let found = read_returns(&[bytes("1.csv", first), bytes("2.csv", second)], &lives()).expect("pieces");
    assert_eq!((found.returns.rows(), found.returns.life(1)), (8, Some(4..8)));
}

#[test]
fn prices_that_may_only_be_late_are_mentioned() {
    let late = table("A,B,C", &["1,4,5", "2,3,4", "1,2,5", "2,3,4", "1,3,3", "2,5,3", "1,4,", "2,,"]);
    let found = read(&late, &lives()).expect("two end");
    let notice = found.notices.iter().find(|notice| notice.contains("shortly before the last row")).expect("said");
    assert!(notice.contains("`B`, `C` end") && notice.contains("`to=2020-01-08`"), "{notice}");
}

#[test]
fn what_is_odd_is_told_of_living_cells_alone() {
    // B and C are the same; D never moves; on two rows nothing that lives does.
    let rows = [
        "1,,,7", "2,,,7", "1,4,4,7", "1,4,4,7", "1,4,4,7", "2,2,2,", "1,4,4,", "2,1,1,", "4,2,2,", "2,1,1,", "1,2,2,",
        "2,4,4,", "1,2,2,",
    ];
    let found = read(&table("A,B,C,D", &rows), &lives()).expect("odd, and read");
    for words in
        ["`B` and `C` have identical returns", "`D` never moves", "every living asset returns exactly zero on 2 of 12"]
    {
        assert!(said(&found.notices, words), "{words}: {:?}", found.notices);
    }
    assert!(!said(&found.notices, "singular") && !said(&found.notices, "NaN"), "{:?}", found.notices);
    assert!(!said(&found.notices, "stale"), "{:?}", found.notices);
    let short = read(&table("A,B,C", &["1,2,3", "2,1,4", "1,2,3"]), &lives()).expect("two rows");
    assert!(!said(&short.notices, "singular"), "{:?}", short.notices);
}

#[test]
fn a_late_asset_does_not_make_prices_of_returns() {
    let mut rows: Vec<String> = (0..40).map(|row| format!("{},", [0.01, -0.02, 0.03, -0.01][row % 4])).collect();
    rows.extend((0..5).map(|row| format!("{},0.01{row}", [0.01, -0.02][row % 2])));
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    let found = read(&table("A,B", &rows), &lives()).expect("returns by their signs");
    assert_eq!(found.detected[0].kind, "returns");
    assert_eq!(found.returns.life(1), Some(40..45));
}

#[test]
fn who_starts_after_the_first_rows_that_are_looked_at_is_found_by_name() {
    // A column that counts is no asset unless others are named; the first 256 KiB hold no cell of B, nor of cash.
    let row = |row: usize| {
        let (a, b) = (100.0 + ((row * 7) % 31) as f64 / 8.0, 50.0 + ((row * 5) % 23) as f64 / 8.0);
        let late = if row < 20_000 { ",".to_string() } else { format!("{b},{}", 100.0 + row as f64 / 1e4) };
        format!("{},{row},{a},{late}\n", date(1900, 1, 1) + (row as i64).days())
    };
    let text: String = std::iter::once("date,N,A,B,RF\n".to_string()).chain((0..20_500).map(row)).collect();
    assert!(text.find(",50.").is_some_and(|place| place > 256 << 10));
    let assets = Some(["A", "B"].map(String::from).to_vec());
    let found = read(&text, &ReadOptions { assets, ..with_cash("RF") }).expect("named");
    assert_eq!(
        (&found.returns.assets[..], found.returns.life(1)),
        (&["A", "B"].map(String::from)[..], Some(20_000..20_499))
    );
    assert_eq!(found.cash.expect("a column").iter().filter(|x| !x.is_nan()).count(), 499);
}

#[test]
fn order_copies_long_tables_percent_and_gzip_are_read_as_elsewhere() {
    let rows = ["1,,8", "2,,4", "1,4,2", "4,2,", "2,1,", "1,2,", "2,1,", "3,2,", "1,1,"];
    let text = table("A,B,C", &rows);
    let plain = read(&text, &lives()).expect("plain").returns;
    let lines: Vec<&str> = text.lines().collect();
    let newest_first: String =
        lines[..1].iter().chain(lines[1..].iter().rev()).map(|line| format!("{line}\n")).collect();
    let with_copy = format!("{text}{}\n", lines[2]);
    let mut long = "date,ticker,close\n".to_string();
    for line in &lines[1..] {
        let cells: Vec<&str> = line.split(',').collect();
        for (name, cell) in ["A", "B", "C"].iter().zip(&cells[1..]).filter(|(_, cell)| !cell.is_empty()) {
            long += &format!("{},{name},{cell}\n", cells[0]);
        }
    }
    for other in [newest_first, with_copy, long] {
        let found = read(&other, &lives()).expect(&other).returns;
        let place = |name: &str| found.assets.iter().position(|asset| asset == name).expect("all are there");
        let found = found.select(&["A", "B", "C"].map(place));
        assert_eq!(found.labels, plain.labels);
        assert_same(&found.values, &plain.values);
    }
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packed.write_all(text.as_bytes()).unwrap();
    let packed = Input::Bytes { name: "f.csv.gz".into(), bytes: packed.finish().unwrap() };
    assert_same(&read_returns(&[packed], &lives()).expect("gzip").returns.values, &plain.values);
    let twice = format!("{text}2020-01-02,3,,4\n");
    assert!(read(&twice, &lives()).is_err_and(|error| error.message.contains("stands twice with different values")));
    let signs = table("A,B", &["1%,", "-2%,", "1%,2%", "-1%,1%"]);
    let found = read(&signs, &of_returns()).expect("percent signs").returns;
    assert_same(&found.values, &[0.01, NEVER, -0.02, NEVER, 0.01, 0.02, -0.01, 0.01]);
}

#[test]
fn a_table_in_memory_is_read_the_same() {
    let names = ["A", "B", "CASH"].map(String::from);
    let labels = Labels::Dates(date(2020, 1, 1).series(1.day()).take(4).collect());
    let values = [1.0, NEVER, NEVER, 2.0, 3.0, 100.0, 1.0, 6.0, 101.0, 2.0, 3.0, 102.0];
    let table = Table { names: &names, labels: Some(&labels), values: &values, source: "table" };
    let found = read_table(&table, &with_cash("CASH")).expect("lives and cash");
    assert_eq!(found.returns.assets, ["A", "B"]);
    assert_same(&found.returns.values, &[1.0, NEVER, -0.5, 1.0, 1.0, -0.5]);
    assert_same(&found.cash.expect("a column"), &[NEVER, 0.01, 1.0 / 101.0]);
}

#[test]
fn cash_is_a_column_and_no_asset() {
    let text = table("A,CASH,B", &["1,100,4", "2,101,2", "1,102.5,", "2,103,3", "1,104,1", "3,105,2"]);
    let all = read(&text, &with_cash("CASH")).expect("cash in the middle");
    assert_eq!(all.returns.assets, ["A", "B"]);
    assert_eq!(all.cash.as_deref().map(|cash| cash[0]), Some(0.01));
    // Named among the assets, or not.
    for assets in [&["B", "A"][..], &["B", "CASH", "A"]] {
        let assets = Some(assets.iter().map(|name| (*name).to_string()).collect());
        let found = read(&text, &ReadOptions { assets, ..with_cash("CASH") }).expect("in this order");
        assert_eq!((&found.returns.assets[..], &found.cash), (&["B".to_string(), "A".into()][..], &all.cash));
    }
    assert_eq!(read(&text, &lives()).expect("an asset").returns.assets, ["A", "CASH", "B"]);
    assert_eq!(read(&text, &lives()).expect("an asset").cash, None);
}

#[test]
fn cash_that_cannot_be_is_refused() {
    let text = table("A,CASH", &["1,100", "2,101", "1,102", "2,103"]);
    let error = read(&text, &with_cash("CSH")).expect_err("no such column");
    assert!(
        error.message.contains("there is no column `CSH`") && error.hint.as_deref() == Some("did you mean `CASH`?")
    );
    let named = |names: &[&str]| Some(names.iter().map(|name| (*name).to_string()).collect::<Vec<_>>());
    let error = read(&text, &ReadOptions { assets: named(&["A"]), ..with_cash("CSH") }).expect_err("no such column");
    assert!(error.message.contains("there is no column `CSH`"), "{error}");
    let two = [bytes("1.csv", &text), bytes("2.csv", &table("B", &["1", "2", "1", "2"]))];
    assert!(
        read_returns(&two, &with_cash("CSH")).is_err_and(|error| error.message.contains("there is no column `CSH`"))
    );
    for options in [
        ReadOptions { assets: named(&["CASH"]), ..with_cash("CASH") },
        ReadOptions { exclude: vec!["CASH".into()], ..with_cash("CASH") },
        with_cash(" "),
    ] {
        assert_eq!(read(&text, &options).expect_err("impossible").kind, ErrorKind::Usage);
    }
    let alone = read(&table("CASH", &["100", "101", "102", "103"]), &with_cash("CASH")).expect_err("no asset");
    assert!(alone.message.contains("there is no asset") && alone.hint.is_some(), "{alone}");
    let empty = read(&table("A,CASH", &["1,", "2,", "1,", "2,"]), &with_cash("CASH")).expect_err("empty");
    assert!(empty.message.contains("`CASH` has no cell in any row"), "{empty}");
}

#[test]
fn rows_without_cash_leave_within_its_life_and_rows_of_cash_alone_at_the_ends() {
    let rows = [",99", ",99.5", "1,100", "2,", "4,101", "2,101", "1,103", "2,104", "4,", "2,"];
    let found = read(&table("A,CASH", &rows), &with_cash("CASH")).expect("a hole in cash");
    assert_eq!(days(&found)[0], date(2020, 1, 7));
    assert_same(&found.returns.values, &[3.0, -0.5, -0.5, 1.0, 1.0, -0.5]);
    assert_same(&found.cash.expect("a column")[..3], &[0.01, 0.0, 2.0 / 101.0]);
    assert!(said(&found.notices, "1 of 8 rows left out"), "{:?}", found.notices);
    // Its end is that of no asset.
    assert!(!said(&found.notices, "shortly before"), "{:?}", found.notices);
    let returns = table("A,CASH", &[".01,.001", "-.02,", ".03,.001", ".01,.002"]);
    for missing in [Missing::LifeSpans, Missing::ExcludeAssets] {
        let options = ReadOptions { missing, kind: Kind::Returns, ..with_cash("CASH") };
        let error = read(&returns, &options).expect_err("a hole in returns of cash");
        assert!(
            error.message.contains("(`CASH`, 2020-01-02): no return, between the first and the last of cash"),
            "{error}"
        );
    }
    let prices = table("A,B,CASH", &["1,1,100", "2,2,", "1,,101", "2,3,102", "1,2,103"]);
    let options = ReadOptions { missing: Missing::ExcludeAssets, ..with_cash("CASH") };
    let found = read(&prices, &options).expect("cash is no asset to leave out");
    assert_eq!((&found.returns.assets[..], found.returns.rows()), (&["A".to_string()][..], 3));
}

#[test]
fn interest_is_judged_apart_from_the_assets() {
    // By their signs these are returns, in percent by their size; interest is always above zero and remembers.
    let asset = |row: usize, by: usize| 4.0 * (((row * by) % 17) as f64 - 8.0) / 8.0;
    let rows: Vec<String> = (0..120)
        .map(|row| format!("{:.4},{:.4},{:.5}", asset(row, 5), asset(row, 7), 0.02 - 0.0003 * row as f64))
        .collect();
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    let text = table("A,B,RF", &rows);
    let found = read(&text, &with_cash("RF")).expect("interest below zero at the end");
    assert_eq!(found.detected[0].kind, "returns");
    assert!((found.cash.expect("a column")[0] - 0.0002).abs() < 1e-18);
    assert!(read(&text, &lives()).is_err(), "as an asset it is a level");
}

#[test]
fn a_yield_is_no_cash() {
    let yields = table("A,IRX", &["1,1.51", "2,1.45", "1,1.30", "2,1.10", "1,1.05"]);
    let found = read(&yields, &with_cash("IRX")).expect("a doubt");
    assert!(said(&found.notices, "`cash-rate`"), "{:?}", found.notices);
    for cells in [["1,0.02", "2,0.05", "1,0.01"], ["1,0.02", "2,-0.01", "1,0.01"]] {
        let error = read(&table("A,IRX", &cells), &with_cash("IRX")).expect_err("no price");
        assert!(error.hint.is_some_and(|hint| hint.contains("`cash-rate`")), "{}", error.message);
    }
}

#[test]
fn cash_may_have_a_file_of_its_own_or_dates_of_its_own() {
    let assets = table("A,B", &["1,4", "2,2", "1,3", "2,1", "1,2", "3,4", "2,3"]);
    let cash = "date,BIL\n2020-01-02,100\n2020-01-03,101\n2020-01-06,102\n2020-01-07,103\n2020-01-08,104\n";
    let found = read_returns(&[bytes("a.csv", &assets), bytes("cash.csv", cash)], &with_cash("BIL")).expect("joined");
    assert_eq!(found.returns.assets, ["A", "B"]);
    let cash = found.cash.expect("a column");
    assert!(cash[0].is_nan() && cash[1] == 0.01 && cash[5].is_nan(), "{cash:?}");
    let blocks = "Date,A,Date,BIL\n2020-06-01,1,2020-06-02,100\n2020-06-02,3,2020-06-03,101\n2020-06-03,2,2020-06-04,102\n\
                  2020-06-04,3,2020-06-05,103\n";
    let found = read(blocks, &with_cash("BIL")).expect("series side by side");
    assert_same(&found.cash.expect("a column"), &[NEVER, 0.01, 1.0 / 101.0]);
    // Fields of vendors beside it.
    let fields = table("Close_A,Close_B,RF", &["1,4,100", "2,2,101", "1,3,102", "2,1,103"]);
    assert_eq!(read(&fields, &with_cash("RF")).expect("named").returns.assets, ["A", "B"]);
}

fn rates(text: &str) -> Result<(Rates, Notices)> {
    read_rates(&bytes("rates.csv", text))
}

#[test]
fn rates_hold_from_their_date_on() {
    let text = "observation_date,DTB3\n2020-01-02,1.51\n2020-01-03,.\n2020-01-06,\n2020-01-07,-0.25\n2020-01-08,5\n";
    let (found, notices) = rates(text).expect("as FRED writes it");
    assert_eq!(found.dates, [2, 7, 8].map(|day| date(2020, 1, day)));
    assert_eq!(found.percent, [1.51, -0.25, 5.0]);
    assert_eq!(notices, Notices::new());
    assert_eq!(found.at(date(2020, 1, 1)), None);
    assert_eq!([2, 6, 7, 8].map(|day| found.at(date(2020, 1, day))), [0.0151, 0.0151, -0.0025, 0.05].map(Some));
    assert_eq!(found.at(date(2030, 1, 1)), Some(0.05));
    let (quoted, _) =
        rates("DATE;FEDFUNDS\n01.07.1954;0,80\n01.08.1954;1,22\n15.09.1954;1,07\n").expect("other notation");
    assert_eq!((quoted.at(date(1954, 7, 31)), quoted.at(date(1954, 8, 1))), (Some(0.80 / 100.0), Some(1.22 / 100.0)));
}

#[test]
fn days_without_a_rate_are_found() {
    let text: String = (1..=12).map(|month| format!("2020-{month:02}-01,{month}\n")).collect();
    let (monthly, _) = rates(&format!("DATE,FEDFUNDS\n{text}")).expect("months");
    let days = |from: Date, to: Date| from.series(1.day()).take_while(move |day| *day <= to);
    assert_eq!(monthly.first_uncovered(days(date(2020, 1, 1), date(2021, 2, 15))), None);
    assert_eq!(monthly.first_uncovered([date(2020, 5, 1), date(2019, 12, 31)]), Some(date(2019, 12, 31)));
    let end = monthly.first_uncovered(days(date(2020, 1, 1), date(2022, 1, 1))).expect("the file ends");
    assert_eq!(end, date(2020, 12, 1) + 94.days());
}

#[test]
fn rates_come_in_any_order_notation_and_format() {
    let (found, notices) = rates("DATE,R\n2020-01-03,2\n2020-01-02,1\n2020-01-02,1\n2020-01-06,3\n").expect("mixed");
    assert_eq!(found.percent, [1.0, 2.0, 3.0]);
    assert_eq!(notices.len(), 2, "{notices:?}");
    let (signs, notices) = rates("date,rate\n2020-01-02,1.5%\n2020-01-03,0.1%\n2020-01-06,0.1%\n").expect("signs");
    assert!((signs.percent[0] - 1.5).abs() < 1e-15 && !said(&notices, "fractions"), "{signs:?} {notices:?}");
    // A yield index as a vendor writes its bars, and rates that stay whole.
    let bars: String = (1..=9).map(|day| format!("2020-01-0{day},1.5,1.6,1.4,1.5{day},1.5{day},0\n")).collect();
    let (found, notices) = rates(&format!("Date,Open,High,Low,Close,Adj Close,Volume\n{bars}")).expect("bars");
    assert_eq!(found.percent[1], 1.52);
    assert!(!said(&notices, "named"), "{notices:?}");
    let whole: String = (0..40).map(|day| format!("{},{}\n", date(2020, 1, 1) + day.days(), 5 - day / 20)).collect();
    assert_eq!(rates(&format!("date,policy rate\n{whole}")).expect("whole").0.percent[39], 4.0);
    for name in ["yield", "rate", "Value", "close", "Bank Rate", "3M"] {
        let text = format!("date,{name}\n2020-01-02,1.5\n2020-01-03,1.25\n2020-01-06,1.75\n");
        assert_eq!(rates(&text).expect(name).0.percent, [1.5, 1.25, 1.75], "{name}");
    }
}

#[test]
fn what_are_no_rates_is_refused_or_doubted() {
    let two = "date,DTB3,DGS10\n2020-01-02,1.5,2.0\n2020-01-03,1.25,1.9\n2020-01-06,1.75,1.8\n";
    let error = rates(two).expect_err("which?");
    assert!(error.message.contains("`DTB3`, `DGS10`") && error.hint.is_some(), "{error}");
    for (text, words) in [
        ("obs,R\n1,1.5\n2,1.25\n3,1.75\n", "found by date"),
        ("date,R\n2020-01-02,.\n2020-01-03,.\n2020-01-06,\n", "no rate"),
        ("date,R\n2020-01-02,1.5\n2020-01-03,inf\n2020-01-06,1.5\n", "inf"),
        ("date,R\n2020-01-02,1.5\n2020-01-03,1.6\n2020-01-02,1.7\n", "stands twice"),
        ("date,R\n2020-01-02,1.5\n2020-01-03,low\n2020-01-06,1.5\n2020-01-07,1.5\n", "`low`"),
        ("date,R\n", ""),
        ("", ""),
        ("2020-01-02\n2020-01-03\n", ""),
    ] {
        let error = rates(text).expect_err(text);
        assert!(error.message.contains(words) && error.hint.is_some(), "{text}: {error} {:?}", error.hint);
    }
    let (_, notices) = rates("date,R\n2020-01-02,0.015\n2020-01-03,0.012\n2020-01-06,0.02\n").expect("fractions");
    assert!(said(&notices, "percent a year"), "{notices:?}");
    assert_eq!(rates("date,R\n2020-01-02,0\n2020-01-03,0\n2020-01-06,0\n").expect("zero").1, Notices::new());
    let (_, notices) = rates("date,R\n2020-01-02,113.2\n2020-01-03,113.4\n2020-01-06,113.1\n").expect("prices");
    assert!(said(&notices, "prices?"), "{notices:?}");
}
