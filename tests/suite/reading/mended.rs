//! Tables that were once read as something they are not. Each is refused in words now, or read as it was meant.

use equirisk::io::{Input, Kind, Notation, ReadOptions, Reading, read_returns};
use equirisk::{Error, Result};

const ROWS: usize = 70;

/// Numbers in [-0.5, 0.5): a linear congruential sequence.
fn noise(seed: u64) -> Vec<f64> {
    let mut state = seed;
    let next = |_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as f64 / f64::from(1_u32 << 31) - 0.5
    };
    (0..ROWS).map(next).collect()
}

/// A price of this size that moves by a few percent a day.
fn price(seed: u64, size: f64) -> Vec<f64> {
    let mut level = size;
    noise(seed)
        .into_iter()
        .map(|x| {
            level *= 1.0 + 0.05 * x;
            level
        })
        .collect()
}

fn volume(seed: u64) -> Vec<f64> {
    noise(seed).into_iter().map(|x| (1e6 * (1.0 + x)).round()).collect()
}

fn days() -> Vec<String> {
    let first = jiff::civil::date(2020, 1, 1);
    (0..ROWS as i64).map(|day| (first + jiff::Span::new().days(day)).to_string()).collect()
}

/// A table of days and columns of numbers, four digits behind the point.
fn table(header: &str, columns: &[Vec<f64>]) -> String {
    let mut text = format!("{header}\n");
    for (row, day) in days().iter().enumerate() {
        let cells: Vec<String> = columns.iter().map(|column| format!("{:.4}", column[row])).collect();
        text += &format!("{day},{}\n", cells.join(","));
    }
    text
}

fn read(text: &str, kind: Kind) -> Result<Reading> {
    let input = Input::Bytes { name: "ALFA.csv".into(), bytes: text.as_bytes().to_vec() };
    read_returns(&[input], &ReadOptions { kind, ..ReadOptions::default() })
}

fn refused(text: &str, kind: Kind) -> Error {
    match read(text, kind) {
        Err(error) => error,
        Ok(reading) => panic!("{:?} was read from {}", reading.returns.assets, &text[..120]),
    }
}

fn assets(text: &str, kind: Kind) -> Vec<String> {
    read(text, kind).unwrap_or_else(|error| panic!("{error}: {}", &text[..120])).returns.assets
}

#[test]
fn volumes_are_no_assets_under_any_name() {
    let columns = [price(1, 100.0), price(2, 50.0), volume(3)];
    for name in ["Ticks", "ZZZ", "obem"] {
        let error = refused(&table(&format!("date,A,B,{name}"), &columns), Kind::Prices);
        assert!(error.message.contains(name), "{error}");
    }
    let bars = |names: &str| {
        let close = price(1, 100.0);
        let near = |seed, by: f64| close.iter().zip(noise(seed)).map(|(x, e)| x * (1.0 + by + 0.01 * e)).collect();
        table(names, &[near(4, 0.0), near(5, 0.02), near(6, -0.02), close.clone(), volume(7)])
    };
    for names in [
        "日付,始値,高値,安値,終値,出来高",
        "Data,Otwarcie,Najwyzszy,Najnizszy,Zamkniecie,Wolumen",
        "Date,OPEN_PRC,HIGH_1,LOW_1,TRDPRC_1,ACVOL_UNS",
        "t,o,h,l,c,v",
    ] {
        assert_eq!(assets(&bars(names), Kind::Prices), ["ALFA"], "{names}");
    }
    // In words that nobody knows, the order of the columns in every row tells.
    assert!(refused(&bars("date,aa,bb,cc,dd,ee"), Kind::Prices).hint.is_some());
}

#[test]
fn fields_are_told_from_assets_by_their_neighbours() {
    let [a, b, v] = [price(1, 100.0), price(2, 50.0), volume(3)];
    for (header, expected) in [
        ("date,SPYClose,TLTClose,SPYVolume,TLTVolume", vec!["SPY", "TLT"]),
        ("date,SPY,TLT,SPY_mcap,TLT_mcap", vec!["SPY", "TLT"]),
        ("date,SPY_mid,TLT_mid,SPY_bid,TLT_bid", vec!["SPY", "TLT"]),
    ] {
        let found = assets(&table(header, &[a.clone(), b.clone(), v.clone(), v.clone()]), Kind::Prices);
        assert_eq!(found, expected, "{header}");
    }
    let error = refused(&table("date,SPY_bid,SPY_ask,TLT_bid,TLT_ask", &[a.clone(), a, b.clone(), b]), Kind::Prices);
    assert!(error.message.contains("SPY_bid"), "{error}");
}

#[test]
fn one_column_of_levels_among_returns_is_named() {
    let returns = |seed| -> Vec<f64> { noise(seed).into_iter().map(|x| 0.04 * x).collect() };
    let sums = |column: Vec<f64>| -> Vec<f64> {
        let mut sum = 0.0;
        column
            .into_iter()
            .map(|x| {
                sum += x;
                sum
            })
            .collect()
    };
    for odd in [price(3, 100.0), price(3, 0.05), sums(returns(3))] {
        let error = refused(&table("date,A,B,ODD", &[returns(1), returns(2), odd]), Kind::Returns);
        assert!(error.message.contains("`ODD`") && !error.message.contains("`A`"), "{error}");
    }
    let cumulative = [sums(returns(1)), sums(returns(2)), sums(returns(3))];
    let percent = table("date,A,B,C", &cumulative).replace('\n', "%\n").replacen('%', "", 1);
    let percent: String = percent.lines().map(|line| line.replace(',', "%,").replacen('%', "", 1) + "\n").collect();
    for (text, kind) in [
        (table("date,A,B,C", &cumulative), Kind::Returns),
        (table("date,A,B,C", &cumulative), Kind::Prices),
        (percent.replacen("%,", ",", 3), Kind::Prices),
    ] {
        let error = refused(&text, kind);
        assert!(error.hint.as_ref().is_none_or(|hint| !hint.contains("say `returns`")), "{error:?}");
    }
    let gross = [1, 2, 3].map(|seed| returns(seed).into_iter().map(|x| 1.0 + x).collect());
    assert!(refused(&table("date,A,B,C", &gross), Kind::Prices).message.contains("plus one"));
}

#[test]
fn codes_do_not_make_percent_of_fractions() {
    let mut columns = [1, 2, 3].map(|seed| -> Vec<f64> { noise(seed).into_iter().map(|x| 0.04 * x).collect() });
    for code in [-66.0, -99.0, -9.99, 9999.0] {
        columns.iter_mut().for_each(|column| column[..4].fill(code));
        let error = refused(&table("date,A,B,C", &columns), Kind::Returns);
        assert!(error.hint.as_ref().is_some_and(|hint| hint.contains("`na=")), "{code}: {error:?}");
    }
    let mut prices = [price(1, 100.0), price(2, 50.0)];
    prices[1][30] = 9999.0;
    assert!(refused(&table("date,A,B", &prices), Kind::Prices).hint.is_some_and(|hint| hint.contains("`na=9999`")));
}

#[test]
fn what_may_date_the_rows_is_no_asset() {
    let [a, b] = [price(1, 100.0), price(2, 50.0)];
    let shuffled = |of: fn(i64) -> i64, name: &str| {
        let mut text = format!("{name},A,B\n");
        for row in 0..ROWS {
            let place = (row * 29 % ROWS) as i64;
            text += &format!("{},{:.4},{:.4}\n", of(place), a[row], b[row]);
        }
        text
    };
    for of in [|day| 43_831 + day, |day| 1_577_836_800 + 86_400 * day, |day| 2_020_001 + day] as [fn(i64) -> i64; 3] {
        assert!(refused(&shuffled(of, "ALFB"), Kind::Prices).message.contains("ALFB"));
    }
    let year: Vec<f64> = (0..ROWS).map(|day| 2020.0 + day as f64 / 366.0).collect();
    assert!(
        refused(&table("date,fraction,A,B", &[year, a.clone(), b.clone()]), Kind::Prices).message.contains("fraction")
    );
    let left: Vec<f64> = (0..ROWS).map(|day| 900.0 - 2.0 * day as f64).collect();
    let mut text = table("date,A,Days to maturity", &[a, left]);
    text = text.replace(".0000\n", "\n");
    assert!(refused(&text, Kind::Prices).message.contains("Days to maturity"));
    let month_day: String = days().iter().zip(&b).fold("Date,A\n".to_string(), |text, (day, x)| {
        let date: jiff::civil::Date = day.parse().unwrap();
        text + &format!("{},{x:.4}\n", date.strftime("%b %d"))
    });
    assert!(refused(&month_day, Kind::Prices).message.contains("a day and its month"));
}

#[test]
fn assets_asked_for_are_read_whatever_they_look_like() {
    let [a, b] = [price(1, 100.0), price(2, 50.0)];
    let text = table("Date,A,B,Volume", &[a, b, volume(3)]);
    assert!(refused(&text, Kind::Prices).message.contains("Volume"));
    let input = |name: &str| Input::Bytes { name: name.into(), bytes: text.as_bytes().to_vec() };
    let chosen = ReadOptions { assets: Some(vec!["A".into(), "B".into()]), ..ReadOptions::default() };
    assert_eq!(read_returns(&[input("f.csv")], &chosen).unwrap().returns.assets, ["A", "B"]);
    // Of several files, one may hold nothing that is asked for.
    let alone = |name: &str, seed| Input::Bytes {
        name: format!("{name}.csv"),
        bytes: table(&format!("date,{name}"), &[price(seed, 100.0)]).into_bytes(),
    };
    let files = [alone("SPY", 1), alone("TLT", 2), alone("GLD", 3)];
    for options in [
        ReadOptions { assets: Some(vec!["SPY".into(), "TLT".into()]), ..ReadOptions::default() },
        ReadOptions { exclude: vec!["GLD".into()], ..ReadOptions::default() },
    ] {
        assert_eq!(read_returns(&files, &options).unwrap().returns.assets, ["SPY", "TLT"]);
    }
    let rows = ReadOptions {
        notation: Notation { date_format: Some("none".into()), ..Notation::default() },
        ..ReadOptions::default()
    };
    let words = Input::Bytes { name: "w".into(), bytes: b"state,A,B\nbull,1,2\nbear,2,1\nflat,1,3\n".to_vec() };
    assert!(read_returns(std::slice::from_ref(&words), &ReadOptions::default()).is_err());
    assert_eq!(read_returns(&[words], &rows).unwrap().returns.rows(), 2);
}
