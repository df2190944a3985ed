//! Layouts of tables, as vendors and spreadsheets write them: a history becomes one or several sheets of cells.

use super::dates::{self, serial};
use super::made::Made;
use super::numbers;

/// How labels and numbers are written.
#[derive(Clone, Copy)]
pub struct Style {
    pub dates: dates::Notation,
    pub numbers: numbers::Notation,
    /// What stands in the place of a missing cell.
    pub missing: &'static str,
}

/// A table of cells: lines of names, then rows, each with its row in the history.
#[derive(Debug, Clone)]
pub struct Sheet {
    pub file: String,
    pub head: Vec<Vec<String>>,
    pub rows: Vec<(usize, Vec<String>)>,
}

/// A layout: the history as it can be read again, and its sheets.
#[derive(Clone, Copy)]
pub struct Layout {
    pub name: &'static str,
    pub make: fn(Made, &Style) -> (Made, Vec<Sheet>),
    /// Returns are written so too.
    pub takes_returns: bool,
    /// One sheet holds all assets, a row per label.
    pub is_whole: bool,
}

impl Style {
    fn labels(&self, made: &Made, row: usize) -> Vec<String> {
        (self.dates.cells)(made.moments[row])
    }

    fn header(&self) -> Vec<String> {
        self.dates.header.iter().map(|name| (*name).to_string()).collect()
    }

    fn number(&self, plain: &str) -> String {
        if plain.is_empty() { self.missing.to_string() } else { (self.numbers.write)(plain) }
    }

    fn cell(&self, made: &Made, row: usize, asset: usize) -> String {
        self.number(&made.written(row, asset))
    }

    /// Another field of an asset: `factor` times its price, or a count.
    fn field(&self, made: &Made, row: usize, asset: usize, field: &str) -> String {
        let (price, digits) = (made.cell(row, asset), made.digits[asset]);
        if price.is_nan() {
            return self.missing.to_string();
        }
        let noise = (row * 7_919 + asset * 104_729 + field.len() * 31) % 97;
        let plain = match field {
            "Close" => format!("{:.digits$}", price * (1.2 - 0.002 * row as f64)),
            "Open" => format!("{:.digits$}", price * (0.99 + 0.0002 * noise as f64)),
            "High" => format!("{:.digits$}", price * (1.01 + 0.0002 * noise as f64)),
            "Low" => format!("{:.digits$}", price * (0.96 + 0.0002 * noise as f64)),
            "market_cap" => format!("{:.2}", price * 1.9e7),
            "zero" => "0".to_string(),
            _ => (1_000_000 + 13_577 * noise).to_string(),
        };
        self.number(&plain)
    }
}

fn strings(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_string()).collect()
}

fn sheet(file: &str, head: Vec<Vec<String>>, rows: impl Iterator<Item = Vec<String>>) -> Sheet {
    Sheet { file: file.to_string(), head, rows: rows.enumerate().collect() }
}

fn wide(made: Made, style: &Style) -> (Made, Vec<Sheet>) {
    let head = [style.header(), made.assets.clone()].concat();
    let row = |row| {
        let cells = (0..made.assets.len()).map(|asset| style.cell(&made, row, asset)).collect();
        [style.labels(&made, row), cells].concat()
    };
    let sheets = vec![sheet("prices.csv", vec![head], (0..made.rows()).map(row))];
    (made, sheets)
}

/// A file per asset, with these fields under these names; the last gives the price.
fn files(made: Made, style: &Style, fields: &[(&str, &str)]) -> (Made, Vec<Sheet>) {
    let file = |asset: usize| {
        let head = [style.header(), fields.iter().map(|(name, _)| (*name).to_string()).collect()].concat();
        let cell = |row: usize, field: &str| match field {
            "price" => style.cell(&made, row, asset),
            _ => style.field(&made, row, asset, field),
        };
        let row = |row| [style.labels(&made, row), fields.iter().map(|(_, field)| cell(row, field)).collect()].concat();
        sheet(&format!("{}.csv", made.assets[asset]), vec![head], (0..made.rows()).map(row))
    };
    let sheets = (0..made.assets.len()).map(file).collect();
    (made, sheets)
}

/// One table, fields of each asset under names that this writes.
fn flat(made: Made, style: &Style, fields: &[(&str, &str)], name: fn(&str, &str) -> String) -> (Made, Vec<Sheet>) {
    let columns: Vec<(usize, &str, &str)> = fields
        .iter()
        .flat_map(|(named, field)| (0..made.assets.len()).map(move |asset| (asset, *named, *field)))
        .collect();
    let names = columns.iter().map(|(asset, named, _)| name(&made.assets[*asset], named)).collect();
    let head = [style.header(), names].concat();
    let cell = |row: usize, asset: usize, field: &str| match field {
        "price" => style.cell(&made, row, asset),
        _ => style.field(&made, row, asset, field),
    };
    let row = |row| {
        [style.labels(&made, row), columns.iter().map(|(asset, _, field)| cell(row, *asset, field)).collect()].concat()
    };
    let sheets = vec![sheet("prices.csv", vec![head], (0..made.rows()).map(row))];
    (made, sheets)
}

/// Two lines of names: fields above tickers (as yfinance writes), or tickers above fields; the dates' own name below.
fn two_lines(made: Made, style: &Style, are_fields_above: bool, has_third: bool) -> (Made, Vec<Sheet>) {
    let fields = [("Close", "price"), ("High", "High"), ("Volume", "Volume")];
    let (made, mut sheets) = flat(made, style, &fields, |asset, named| format!("{named}\t{asset}"));
    let names = sheets[0].head[0].clone();
    let labels = style.header();
    let part = |place: usize| -> Vec<String> {
        let parts =
            names[labels.len()..].iter().map(|name| name.split('\t').nth(place).unwrap_or_default().to_string());
        parts.collect()
    };
    let (above, below) = if are_fields_above { (part(0), part(1)) } else { (part(1), part(0)) };
    let blank = vec![String::new(); labels.len()];
    sheets[0].head = match has_third {
        true => {
            let pandas = |name: &str| [vec![name.to_string()], blank[1..].to_vec()].concat();
            let rest = vec![String::new(); names.len() - labels.len()];
            vec![[pandas("Price"), above].concat(), [pandas("Ticker"), below].concat(), [labels, rest].concat()]
        }
        false => vec![[blank, above].concat(), [labels, below].concat()],
    };
    (made, sheets)
}

/// Dates and values of each asset side by side; the second and third start later, and end above the last row.
fn blocks(mut made: Made, style: &Style, head: fn(&[String]) -> Vec<Vec<String>>) -> (Made, Vec<Sheet>) {
    let n = made.assets.len();
    let mut in_time: Vec<usize> = (0..made.rows()).collect();
    in_time.sort_by_key(|&row| made.moments[row]);
    for asset in 1..n {
        for &row in &in_time[..(asset * 3).min(made.rows() / 3)] {
            made.values[row * n + asset] = f64::NAN;
        }
    }
    let series = |asset: usize| -> Vec<Vec<String>> {
        let rows = (0..made.rows()).filter(|&row| !made.cell(row, asset).is_nan());
        rows.map(|row| [style.labels(&made, row), vec![style.cell(&made, row, asset)]].concat()).collect()
    };
    let all: Vec<Vec<Vec<String>>> = (0..n).map(series).collect();
    let longest = all.iter().map(Vec::len).max().unwrap_or(0);
    let width = style.header().len() + 1;
    let row = |row: usize| {
        let of = |series: &Vec<Vec<String>>| series.get(row).cloned().unwrap_or_else(|| vec![String::new(); width]);
        all.iter().flat_map(of).collect::<Vec<String>>()
    };
    let sheets = vec![sheet("bdh.csv", head(&made.assets), (0..longest).map(row))];
    (made, sheets)
}

/// One row per date and asset: labels, name, further cells, value.
fn long(
    made: Made,
    style: &Style,
    names: [&str; 2],
    extra: &[&str],
    name: fn(usize, &str) -> String,
    is_by_asset: bool,
) -> (Made, Vec<Sheet>) {
    let made =
        Made { assets: made.assets.iter().enumerate().map(|(asset, given)| name(asset, given)).collect(), ..made };
    let head = [style.header(), strings(&[names[0]]), strings(extra), strings(&[names[1]])].concat();
    let (rows, n) = (made.rows(), made.assets.len());
    let places: Vec<(usize, usize)> = match is_by_asset {
        true => (0..n).flat_map(|asset| (0..rows).map(move |row| (row, asset))).collect(),
        false => (0..rows).flat_map(|row| (0..n).map(move |asset| (row, asset))).collect(),
    };
    let cells = |&(row, asset): &(usize, usize)| {
        let extra = extra.iter().map(|field| style.field(&made, row, asset, field)).collect();
        let own = vec![made.assets[asset].clone()];
        (row, [style.labels(&made, row), own, extra, vec![style.cell(&made, row, asset)]].concat())
    };
    let rows = places.iter().map(cells).collect();
    let sheets = vec![Sheet { file: "long.csv".to_string(), head: vec![head], rows }];
    (made, sheets)
}

fn itself(_: usize, name: &str) -> String {
    name.to_string()
}

/// Numbers as CRSP gives to shares.
fn permno(asset: usize, _: &str) -> String {
    (10_107 + 4_486 * asset).to_string()
}

const fn whole(name: &'static str, make: fn(Made, &Style) -> (Made, Vec<Sheet>), takes_returns: bool) -> Layout {
    Layout { name, make, takes_returns, is_whole: true }
}

const fn other(name: &'static str, make: fn(Made, &Style) -> (Made, Vec<Sheet>), takes_returns: bool) -> Layout {
    Layout { name, make, takes_returns, is_whole: false }
}

pub const LAYOUTS: &[Layout] = &[
    whole("wide", wide, true),
    other(
        "Yahoo",
        |made, style| {
            let fields = ["Open", "High", "Low", "Close", "Adj Close", "Volume"]
                .map(|field| (field, if field == "Adj Close" { "price" } else { field }));
            files(made, style, &fields)
        },
        false,
    ),
    other(
        "bars",
        |made, style| {
            let fields = [
                ("Open", "Open"),
                ("High", "High"),
                ("Low", "Low"),
                ("Close", "price"),
                ("Volume", "Volume"),
                ("OpenInterest", "zero"),
            ];
            files(made, style, &fields)
        },
        false,
    ),
    other(
        "Nasdaq",
        |made, style| {
            files(
                made,
                style,
                &[("Close/Last", "price"), ("Volume", "Volume"), ("Open", "Open"), ("High", "High"), ("Low", "Low")],
            )
        },
        false,
    ),
    other(
        "investing.com",
        |made, style| {
            files(
                made,
                style,
                &[("Price", "price"), ("Open", "Open"), ("High", "High"), ("Low", "Low"), ("Vol.", "Volume")],
            )
        },
        false,
    ),
    other(
        "Stooq",
        |made, style| {
            files(
                made,
                style,
                &[
                    ("<OPEN>", "Open"),
                    ("<HIGH>", "High"),
                    ("<LOW>", "Low"),
                    ("<CLOSE>", "price"),
                    ("<VOL>", "Volume"),
                    ("<OPENINT>", "zero"),
                ],
            )
        },
        false,
    ),
    other(
        "CoinGecko",
        |made, style| {
            files(made, style, &[("price", "price"), ("market_cap", "market_cap"), ("total_volume", "Volume")])
        },
        false,
    ),
    other("closes in files", |made, style| files(made, style, &[("Close", "price")]), false),
    other(
        "adjusted by Tiingo",
        |made, style| {
            files(
                made,
                style,
                &[
                    ("close", "Close"),
                    ("volume", "Volume"),
                    ("adjClose", "price"),
                    ("adjVolume", "Volume"),
                    ("divCash", "zero"),
                ],
            )
        },
        false,
    ),
    whole(
        "Close_X",
        |made, style| {
            flat(made, style, &[("Close", "price"), ("Volume", "Volume")], |asset, named| format!("{named}_{asset}"))
        },
        false,
    ),
    whole(
        "X_Close",
        |made, style| {
            flat(made, style, &[("Close", "price"), ("High", "High"), ("Volume", "Volume")], |asset, named| {
                format!("{asset}_{named}")
            })
        },
        false,
    ),
    whole(
        "X.Adjusted",
        |made, style| {
            let fields = [("Open", "Open"), ("Close", "Close"), ("Volume", "Volume"), ("Adjusted", "price")];
            flat(made, style, &fields, |asset, named| format!("{asset}.{named}"))
        },
        false,
    ),
    whole(
        "('Close', 'X')",
        |made, style| {
            let fields = [("Adj Close", "price"), ("Close", "Close"), ("Volume", "Volume")];
            flat(made, style, &fields, |asset, named| format!("('{named}', '{asset}')"))
        },
        false,
    ),
    whole(
        "X Close",
        |made, style| {
            flat(made, style, &[("Close", "price"), ("Volume", "Volume")], |asset, named| format!("{asset} {named}"))
        },
        false,
    ),
    whole(
        "closes alone, named Close_X",
        |made, style| flat(made, style, &[("Close", "price")], |asset, named| format!("{named}_{asset}")),
        false,
    ),
    whole("fields above tickers", |made, style| two_lines(made, style, true, false), false),
    whole("tickers above fields", |made, style| two_lines(made, style, false, false), false),
    whole("yfinance", |made, style| two_lines(made, style, true, true), false),
    other(
        "blocks under tickers",
        |made, style| {
            blocks(made, style, |assets| {
                let names = assets.iter().flat_map(|asset| ["Date".to_string(), asset.clone()]).collect();
                vec![names]
            })
        },
        false,
    ),
    other(
        "blocks of Bloomberg",
        |made, style| {
            blocks(made, style, |assets| {
                let above = assets.iter().flat_map(|asset| [asset.clone(), String::new()]).collect();
                vec![above, assets.iter().flat_map(|_| strings(&["Date", "PX_LAST"])).collect()]
            })
        },
        false,
    ),
    other("long by date", |made, style| long(made, style, ["ticker", "close"], &[], itself, false), true),
    other("long by asset", |made, style| long(made, style, ["symbol", "price"], &["volume"], itself, true), true),
    other(
        "long with fields",
        |made, style| long(made, style, ["Symbol", "Adj Close"], &["Open", "Close", "Volume"], itself, false),
        true,
    ),
    other("CRSP", |made, style| long(made, style, ["permno", "prc"], &["shrout"], permno, true), false),
    other("OpenAP", |made, style| long(made, style, ["permno", "ret"], &[], permno, true), true),
    other("molten", |made, style| long(made, style, ["variable", "value"], &[], itself, true), true),
];

/// A column that is no asset, beside the dates.
#[derive(Clone, Copy)]
pub struct Helper {
    pub name: &'static str,
    pub header: &'static str,
    /// From the number of the row in the file and the row in the history.
    pub cell: fn(usize, usize, &Made) -> String,
    pub is_first: bool,
}

const fn helper(
    name: &'static str,
    header: &'static str,
    is_first: bool,
    cell: fn(usize, usize, &Made) -> String,
) -> Helper {
    Helper { name, header, cell, is_first }
}

pub const HELPERS: &[Helper] = &[
    helper("id", "id", true, |number, _, _| (4_711 + number).to_string()),
    helper("pandas index", "", true, |number, _, _| number.to_string()),
    helper("unnamed index", "Unnamed: 0", true, |number, _, _| number.to_string()),
    helper("Row", "Row", true, |number, _, _| (1 + number).to_string()),
    helper("seq", "seq", false, |number, _, _| (1 + number).to_string()),
    helper("rows of the history", "obs", false, |_, row, _| row.to_string()),
    helper("unix", "unix", true, |_, row, made| {
        ((serial(made.moments[row]) - 25_569.0) * 86_400.0).round().to_string()
    }),
    helper("unix behind", "unix", false, |_, row, made| {
        ((serial(made.moments[row]) - 25_569.0) * 86_400.0).round().to_string()
    }),
    helper("Excel day", "Excel day", false, |_, row, made| serial(made.moments[row]).floor().to_string()),
    helper("serial", "serial", true, |_, row, made| serial(made.moments[row]).floor().to_string()),
    helper("dateid", "date_id", false, |_, row, made| made.moments[row].strftime("%Y%m%d").to_string()),
    helper("weekday", "weekday", false, |_, row, made| {
        made.moments[row].date().weekday().to_monday_one_offset().to_string()
    }),
    helper("Day", "Day", false, |_, row, made| made.moments[row].strftime("%a").to_string()),
    helper("week", "Week", false, |_, row, made| made.moments[row].strftime("%V").to_string()),
    helper("year", "Year", false, |_, row, made| made.moments[row].year().to_string()),
    helper("month", "month", false, |_, row, made| made.moments[row].month().to_string()),
    helper("currency", "Currency", false, |_, _, _| "USD".to_string()),
    helper("note", "note", false, |number, _, _| if number % 5 == 0 { "revised".to_string() } else { String::new() }),
    helper("nothing", "", false, |_, _, _| String::new()),
    helper("second date", "Updated Date", false, |_, _, _| "2021-03-04".to_string()),
];

impl Helper {
    pub fn add(&self, sheets: &mut [Sheet], made: &Made) {
        for sheet in sheets {
            let last = sheet.head.len() - 1;
            for (line, names) in sheet.head.iter_mut().enumerate() {
                let name = if line == last { self.header } else { "" };
                let at = if self.is_first { 0 } else { names.len() };
                names.insert(at, name.to_string());
            }
            for (number, (row, cells)) in sheet.rows.iter_mut().enumerate() {
                let at = if self.is_first { 0 } else { cells.len() };
                cells.insert(at, (self.cell)(number, *row, made));
            }
        }
    }
}
