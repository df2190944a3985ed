//! Names of columns as data vendors write them: the fields of an asset, and names of assets, dates and rows.
//!
//! `Adj Close`, `adjClose`, `5. adjusted close` and `<ADJ_CLOSE>` are one name. `Close_SPY`, `SPY.Close` and `SPY Close`
//! are a field of an asset.

/// What a vendor gives of one asset on one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Field {
    /// A price or level, by how much it is wanted: 0 most.
    Price(u8),
    Return,
    /// Open, high or low.
    Range,
    /// Anything that is neither a price nor a return: volumes, dividends, counts.
    Other,
}

/// Prices and levels, the most wanted first: adjusted before total return before close.
const PRICES: [&[&str]; 8] = [
    &[
        "adj close",
        "adjclose",
        "adjusted close",
        "close adjusted",
        "close adj",
        "adjusted",
        "adj price",
        "adj prc",
        "adjusted price",
        "adjusted closing price",
        "adj closing price",
        "adj last",
        "adj nav",
        "adjusted nav",
    ],
    &["total return index", "tot return index", "tr index", "tri", "tot return index gross dvds"],
    &[
        "close",
        "close last",
        "closing price",
        "close price",
        "last close",
        "price close",
        "px last",
        "px close",
        "closing",
        "closing value",
        "index close",
        "schlusskurs",
        "schluss",
        "clôture",
        "cloture",
        "cierre",
        "último",
        "ultimo",
        "kurs",
        "dernier",
        "zamknięcie",
        "zamkniecie",
        "fechamento",
        "chiusura",
        "slutkurs",
        "slotkoers",
        "закрытие",
        "終値",
        "收盘",
        "收盘价",
        "收盤價",
        "종가",
        "senast",
        "şimdi",
        "kapanış",
        "цена",
        "ende",
        "clot",
        "slot",
        "preult",
        "trdprc 1",
        "hst close",
        "official close",
    ],
    &["settle", "settlement", "settlement price", "px settle"],
    &["last", "last price", "ltp"],
    &[
        "price",
        "prices",
        "prc",
        "prccd",
        "prccm",
        "dlyprc",
        "mthprc",
        "px",
        "px mid",
        "mid",
        "mid price",
        "fixing",
        "rate",
    ],
    &["nav", "net asset value", "nav per share", "unit price"],
    &["price index", "price return index", "value", "val", "level", "index level", "index value", "obs value"],
];
const RETURNS: &[&str] = &[
    "return",
    "returns",
    "ret",
    "retx",
    "total return",
    "tot return",
    "daily return",
    "daily returns",
    "monthly return",
    "monthly returns",
    "weekly return",
    "simple return",
    "log return",
    "logret",
    "log ret",
    "pct change",
    "pct chg",
    "change %",
    "change pct",
    "change percent",
    "chg %",
    "% change",
    "% chg",
    "percent change",
    "mret",
    "trt1m",
    "dlyret",
    "mthret",
    "ret exc",
    "retadj",
    "total returns",
    "log returns",
];
const RANGES: &[&str] = &[
    "open",
    "high",
    "low",
    "opening price",
    "open price",
    "high price",
    "low price",
    "px open",
    "px high",
    "px low",
    "adj open",
    "adj high",
    "adj low",
    "adjopen",
    "adjhigh",
    "adjlow",
    "day high",
    "day low",
    "eröffnung",
    "ouverture",
    "apertura",
    "abertura",
    "otwarcie",
    "открытие",
    "hoch",
    "tief",
    "höchst",
    "tiefst",
    "tageshoch",
    "tagestief",
    "plus haut",
    "plus bas",
    "máximo",
    "maximo",
    "mínimo",
    "minimo",
    "máxima",
    "mínima",
    "massimo",
    "najwyższy",
    "najwyzszy",
    "najniższy",
    "najnizszy",
    "始値",
    "高値",
    "安値",
    "开盘",
    "开盘价",
    "最高",
    "最高价",
    "最低",
    "最低价",
    "시가",
    "고가",
    "저가",
    "preabe",
    "premax",
    "premin",
    "premed",
    "開盤價",
    "最高價",
    "最低價",
    "öppen",
    "högst",
    "lägst",
    "åbning",
    "açılış",
    "yüksek",
    "düşük",
    "otevírací",
    "максимум",
    "минимум",
    "eröffnungskurs",
    "höchstkurs",
    "tiefstkurs",
    "anfang",
    "ouv",
    "haut",
    "bas",
    "laag",
    "hoog",
    "open prc",
    "high 1",
    "low 1",
];
const OTHERS: &[&str] = &[
    "wolumen",
    "volumen",
    "volumes",
    "obrót",
    "obrot",
    "umsatz",
    "出来高",
    "売買代金",
    "成交量",
    "成交额",
    "거래량",
    "объем",
    "voltot",
    "quatot",
    "totneg",
    "acvol uns",
    "acvol 1",
    "volume usd",
    "mid change",
    "bid price",
    "ask price",
    "offer price",
    "offer",
    "buy",
    "sell",
    "aum",
    "net assets",
    "net",
    "% chg",
    "average",
    "barcount",
    "number of shares",
    "no of shares",
    "shares",
    "changeovertime",
    "pre close",
    "成交股數",
    "成交金額",
    "volym",
    "hacim",
    "objem",
    "volumi",
    "volume",
    "vol",
    "px volume",
    "total volume",
    "volume traded",
    "shares traded",
    "tickvol",
    "tick volume",
    "adj volume",
    "quote asset volume",
    "quote volume",
    "base volume",
    "taker buy base asset volume",
    "taker buy quote asset volume",
    "taker buy base volume",
    "taker buy quote volume",
    "ignore",
    "turnover",
    "amount",
    "trades",
    "tradecount",
    "trade count",
    "number of trades",
    "no of trades",
    "openinterest",
    "openint",
    "open interest",
    "open int",
    "oi",
    "market cap",
    "marketcap",
    "market capitalization",
    "mcap",
    "dividend",
    "dividends",
    "div cash",
    "ex dividend",
    "stock split",
    "stock splits",
    "split ratio",
    "split factor",
    "split coefficient",
    "dividend amount",
    "capital gains",
    "vwap",
    "wap",
    "average price",
    "bid",
    "ask",
    "bidlo",
    "askhi",
    "spread",
    "change",
    "chg",
    "net change",
    "prev close",
    "previous close",
    "prevclose",
    "shrout",
    "shares outstanding",
    "repaired?",
    "per",
];
/// A word that no asset's name holds beside a field's: `Volume USD`, `52W High`.
const OTHER_WORDS: [&str; 13] = [
    "volume",
    "vol",
    "trades",
    "turnover",
    "dividend",
    "dividends",
    "split",
    "splits",
    "interest",
    "52w",
    "deliverable",
    "deliverble",
    "delivery",
];

/// Names of columns that name assets.
const ASSETS: &[&str] = &[
    "ticker",
    "tickers",
    "symbol",
    "asset",
    "name",
    "code",
    "isin",
    "instrument",
    "security",
    "id",
    "ric",
    "permno",
    "permco",
    "gvkey",
    "cusip",
    "sedol",
    "fund",
    "tic",
    "secid",
    "stock",
    "stock code",
    "variable",
    "security id",
    "bbgid",
    "figi",
    "series id",
    "series name",
    "currency pair",
    "contract",
    "contract month",
    "expiry",
    "maturity",
    "delivery",
    "stock id",
    "instrument id",
    "asset id",
    "fund id",
    "ticker id",
    "d0",
    "d1",
    "key",
    "pair",
    "index name",
];
/// Names of columns that number rows.
const ROWS: [&str; 18] = [
    "index",
    "obs",
    "observation",
    "row",
    "rows",
    "rownum",
    "row number",
    "row id",
    "rowid",
    "row names",
    "n",
    "t",
    "no",
    "nr",
    "#",
    "sno",
    "s no",
    "scenario",
];
/// Names of columns of whole numbers that count, date or classify, beside the dates of a table.
const HELPERS: &[&str] = &[
    "id",
    "unix",
    "unixtime",
    "unix time",
    "unix timestamp",
    "epoch",
    "timestamp",
    "ts",
    "time",
    "serial",
    "serial date",
    "excel",
    "excel day",
    "excel date",
    "exceldate",
    "datenum",
    "matlab date",
    "julian",
    "julian day",
    "weekday",
    "week day",
    "day of week",
    "dayofweek",
    "dow",
    "wday",
    "week",
    "week number",
    "weeknum",
    "week of year",
    "year",
    "yr",
    "month",
    "day",
    "hour",
    "minute",
    "quarter",
    "day of month",
    "day of year",
    "dayofyear",
    "doy",
    "yday",
    "count",
    "seq",
    "sequence",
    "key",
    "is holiday",
    "holiday",
    "regime",
    "cluster",
    "signal",
    "date id",
    "dateid",
    "open time",
    "close time",
];
/// Names of columns of dates, besides those with a word such as `date` in them.
const DATES: [&str; 44] = [
    "time",
    "timestamp",
    "day",
    "month",
    "period",
    "quarter",
    "year",
    "week",
    "ds",
    "dt",
    "asof",
    "as of",
    "caldt",
    "mcaldt",
    "yyyymm",
    "yyyymmdd",
    "yyyy mm",
    "yyyy mm dd",
    "yearmonth",
    "year month",
    "ym",
    "month end",
    "month ending",
    "week ending",
    "period ending",
    "period end",
    "time period",
    "snapped at",
    "session",
    "open time",
    "jour",
    "tag",
    "mois",
    "monat",
    "zeit",
    "zeitpunkt",
    "dag",
    "fiscal quarter",
    "trading day",
    "unix",
    "unix time",
    "unixtime",
    "unix timestamp",
    "epoch",
];
const DATE_WORDS: [&str; 17] = [
    "date",
    "dates",
    "datetime",
    "timestamp",
    "datum",
    "fecha",
    "tradedate",
    "datadate",
    "handelsdatum",
    "dato",
    "päivämäärä",
    "tarih",
    "дата",
    "日期",
    "日付",
    "날짜",
    "asofdate",
];
const TIMES: [&str; 14] = [
    "time",
    "hour",
    "minute",
    "time of day",
    "tod",
    "hhmm",
    "hhmmss",
    "uhrzeit",
    "heure",
    "hora",
    "ora",
    "zeit",
    "bar time",
    "local time",
];

/// A name in lower case, its words parted by one space: `Adj_Close`, `adjClose` and `5. Adj Close*` are the same.
pub(crate) fn plain(name: &str) -> String {
    let mut spaced = String::with_capacity(name.len() + 4);
    let mut before_is_small = false;
    for c in name.chars() {
        if c.is_uppercase() && before_is_small {
            spaced.push(' ');
        }
        before_is_small = c.is_lowercase();
        let parts =
            matches!(c, '_' | '-' | '.' | '*' | '/' | '(' | ')' | '<' | '>' | '[' | ']' | '\'' | '"' | ',' | ':' | '|');
        if parts {
            spaced.push(' ');
        } else {
            if c == '%' && !spaced.ends_with(' ') {
                spaced.push(' ');
            }
            spaced.extend(c.to_lowercase());
        }
    }
    let words: Vec<&str> = spaced.split_whitespace().collect();
    // `1. open`: the number counts columns.
    let skip = usize::from(words.len() > 1 && words[0].len() == 1 && words[0].bytes().all(|b| b.is_ascii_digit()));
    words[skip..].join(" ")
}

/// No name, or the one that pandas or R gives where there is none.
pub(crate) fn is_nameless(name: &str) -> bool {
    name.is_empty() || name.starts_with("Unnamed: ")
}

/// Whether a column of this name is one of dates.
pub(crate) fn is_date_name(name: &str) -> bool {
    let name = plain(name);
    DATES.contains(&name.as_str()) || name.split(' ').any(|word| DATE_WORDS.contains(&word))
}

pub(crate) fn is_time_name(name: &str) -> bool {
    TIMES.contains(&plain(name).as_str())
}

pub(crate) fn is_asset_name(name: &str) -> bool {
    ASSETS.contains(&plain(name).as_str())
}

/// Whether a column of this name numbers rows, its cells being whole numbers.
pub(crate) fn is_row_name(name: &str) -> bool {
    is_nameless(name) || ROWS.contains(&plain(name).as_str())
}

/// Whether a column of this name, its cells being whole numbers, counts or dates rows and is no asset.
pub(crate) fn is_helper_name(name: &str) -> bool {
    let plain = plain(name);
    is_row_name(name) || HELPERS.contains(&plain.as_str()) || plain.ends_with(" id")
}

/// Whether a column of text of this name says something of the rows beside the assets.
pub(crate) fn is_remark_name(name: &str) -> bool {
    const REMARKS: [&str; 34] = [
        "currency",
        "ccy",
        "note",
        "notes",
        "comment",
        "comments",
        "remark",
        "remarks",
        "source",
        "exchange",
        "market",
        "country",
        "region",
        "sector",
        "industry",
        "flag",
        "flags",
        "status",
        "description",
        "unit",
        "units",
        "type",
        "event",
        "events",
        "regime",
        "holiday",
        "series",
        "interval",
        "frequency",
        "per",
        "period type",
        "session",
        "bemerkung",
        "remarque",
    ];
    let plain = plain(name);
    REMARKS.contains(&plain.as_str()) || HELPERS.contains(&plain.as_str()) || is_asset_name(name) || is_date_name(name)
}

/// A part of a date that stands in a column of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Year,
    Quarter,
    Month,
    Day,
}

impl Part {
    pub(crate) fn of(name: &str) -> Option<Part> {
        // `D` and `M` are shares.
        if matches!(name, "Y" | "M" | "D") {
            return None;
        }
        Some(match plain(name).as_str() {
            "year" | "yr" | "yyyy" | "y" | "date year" | "calendar year" | "cal year" | "fiscal year" | "jahr"
            | "année" | "annee" | "año" | "anno" | "ano" | "jaar" => Part::Year,
            "quarter" | "qtr" | "quartal" | "trimestre" => Part::Quarter,
            "month" | "mon" | "mm" | "mo" | "m" | "mth" | "mnth" | "date month" | "calendar month" | "cal month"
            | "monat" | "mois" | "mes" | "mese" | "mês" | "maand" => Part::Month,
            "day" | "dd" | "d" | "date day" | "tag" | "jour" | "día" | "dia" | "giorno" | "dag" => Part::Day,
            _ => return None,
        })
    }
}

/// The field of this name, if it is one by itself.
pub(crate) fn field(name: &str) -> Option<Field> {
    // As some feeds abbreviate; in capitals these are shares.
    match name {
        "o" | "h" | "l" => return Some(Field::Range),
        "c" => return Some(Field::Price(2)),
        "v" | "vw" => return Some(Field::Other),
        _ => {}
    }
    let name = plain(name);
    let of = |name: &str| {
        let rank = PRICES.iter().position(|names| names.contains(&name)).map(|rank| Field::Price(rank as u8));
        let is = |names: &[&str], field| names.contains(&name).then_some(field);
        rank.or_else(|| is(RETURNS, Field::Return))
            .or_else(|| is(RANGES, Field::Range))
            .or_else(|| is(OTHERS, Field::Other))
    };
    // `Close (USD)`
    let without_currency = || {
        const CURRENCIES: [&str; 12] =
            ["usd", "eur", "gbp", "jpy", "chf", "inr", "cny", "cad", "aud", "$", "€", "usdt"];
        let (rest, last) = name.rsplit_once(' ')?;
        CURRENCIES.contains(&last).then(|| of(rest)).flatten()
    };
    of(&name).or_else(without_currency)
}

/// Whether a name can only be a field's: in `SPY, Volume` it is no asset, where `LOW` may be one.
pub(crate) fn is_certainly_a_field(name: &str) -> bool {
    const MAY_BE_ASSETS: [&str; 6] = ["per", "oi", "ignore", "change", "spread", "amount"];
    let plain = plain(name);
    field(name) == Some(Field::Other) && !MAY_BE_ASSETS.contains(&plain.as_str()) && plain.len() > 3
}

/// Whether a name speaks of something beside a price, in a table of one asset's fields.
pub(crate) fn is_other_field(name: &str) -> bool {
    plain(name).split(' ').any(|word| OTHER_WORDS.contains(&word))
}

/// An asset and its field, as in `Close_SPY`, `SPY.Close`, `SPY Adj Close` or `('Close', 'SPY')`.
pub(crate) fn asset_and_field(name: &str) -> Option<(String, Field, String)> {
    const MARKS: [char; 8] = [' ', '_', '.', '|', ':', '/', '-', ','];
    /// Words that are part of many assets' names: `Small Value`.
    const WORDS: &[&str] = &[
        "value",
        "val",
        "level",
        "rate",
        "last",
        "change",
        "amount",
        "turnover",
        "index close",
        "index level",
        "index value",
    ];
    if field(name).is_some() {
        return None;
    }
    let name = name.trim_matches(|c: char| matches!(c, '(' | ')' | '[' | ']'));
    let clean = |part: &str| {
        part.trim_matches(|c: char| MARKS.contains(&c) || matches!(c, '\'' | '"' | '(' | ')' | '[' | ']')).to_string()
    };
    let mut best: Option<(usize, (String, Field, String))> = None;
    // A mark parts the two, or, without one, a capital letter: `SPYClose`, `closeSPY`.
    let is_one_word = !name.contains(MARKS);
    let marks = name.char_indices().filter(|(_, c)| MARKS.contains(c)).map(|(at, mark)| (at, mark.len_utf8()));
    let capitals = name.char_indices().skip(1).filter(|(_, c)| is_one_word && c.is_uppercase()).map(|(at, _)| (at, 0));
    for (at, width) in marks.chain(capitals) {
        let (before, after) = (clean(&name[..at]), clean(&name[at + width..]));
        for (asset, named) in [(&before, &after), (&after, &before)] {
            if asset.is_empty() || named.is_empty() {
                continue;
            }
            // The longest name of a field: `SPY Adj Close` is `Adj Close` of SPY.
            if let Some(field) = field(named)
                && !WORDS.contains(&plain(named).as_str())
                && best.as_ref().is_none_or(|(length, _)| named.len() > *length)
            {
                best = Some((named.len(), (asset.clone(), field, named.clone())));
            }
        }
    }
    best.map(|(_, found)| found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_field_has_many_spellings() {
        for name in
            ["Adj Close", "adjClose", "ADJ_CLOSE", "Adj. Close", "5. adjusted close", "<Adj_Close>", "Adj Close**"]
        {
            assert_eq!(field(name), Some(Field::Price(0)), "{name}");
        }
        for (name, expected) in [
            ("Close/Last", Field::Price(2)),
            ("PX_LAST", Field::Price(2)),
            ("Close (USD)", Field::Price(2)),
            ("<CLOSE>", Field::Price(2)),
            ("4. close", Field::Price(2)),
            ("Change %", Field::Return),
            ("OpenInterest", Field::Other),
            ("<OPENINT>", Field::Other),
            ("Vol.", Field::Other),
            ("market_cap", Field::Other),
        ] {
            assert_eq!(field(name), Some(expected), "{name}");
        }
        for name in ["SPY", "S&P 500", "High Yield", "A", "Iboxx HY US"] {
            assert_eq!(field(name), None, "{name}");
        }
    }

    #[test]
    fn a_field_may_stand_before_or_behind_its_asset() {
        for (name, asset) in [
            ("Close_SPY", "SPY"),
            ("SPY.Close", "SPY"),
            ("SPY Adj Close", "SPY"),
            ("('Close', 'SPY')", "SPY"),
            ("BRK.B.Close", "BRK.B"),
            ("BTC-USD_close", "BTC-USD"),
            ("SPX Index PX_LAST", "SPX Index"),
            ("MSCI World Index.Close", "MSCI World Index"),
        ] {
            let (found, field, _) = asset_and_field(name).expect(name);
            assert!(found == asset && matches!(field, Field::Price(_)), "{name}: {found} {field:?}");
        }
        assert_eq!(asset_and_field("S&P 500"), None);
    }
}
