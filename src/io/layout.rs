//! What the columns of a table are: labels, assets, or the date, asset and value of a long table.
//!
//! Text and columnar files are both sketched column by column and decided here, by the same rules. What was decided
//! beyond the plain case (labels first, then assets) is remarked.

use crate::error::{Error, Result};
use crate::io::{dates, listed, shown};

/// What most cells of a column are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Content {
    Dates,
    Numbers,
    Text,
    Empty,
}

/// A column by its name and its cells, or the first of them.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sketch {
    pub name: String,
    pub content: Content,
    /// Whole numbers that rise by one.
    pub is_count: bool,
    /// Numbers that go up and down, as labels do not.
    pub is_measured: bool,
    /// Some cell stands twice.
    pub repeats: bool,
    /// Number of different cells, at least 2 when there are more.
    pub different: usize,
    /// The file itself says that this column labels its rows.
    pub is_index: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Layout {
    /// Row labels, if there are any, and the columns of assets.
    Wide { labels: Option<usize>, assets: Vec<usize> },
    /// One column of a single asset's, such as the close of opens, highs, lows and closes.
    Single { labels: Option<usize>, value: usize },
    /// One row per date and asset.
    Long { labels: usize, asset: usize, value: usize },
}

/// Names of columns that name assets.
const ASSET_NAMES: [&str; 19] = [
    "ticker",
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
    "cusip",
    "sedol",
    "fund",
    "tic",
    "secid",
    "stock",
    "variable",
    "security id",
];
/// Names of columns that hold a price or return, the most wanted first.
const VALUE_NAMES: [&str; 18] = [
    "adj close",
    "adjclose",
    "adj price",
    "adjusted close",
    "adjusted",
    "total return index",
    "close",
    "closing price",
    "price",
    "prc",
    "px last",
    "last",
    "nav",
    "value",
    "level",
    "return",
    "ret",
    "returns",
];
/// Names of columns that number rows.
const LABEL_NAMES: [&str; 9] = ["index", "obs", "observation", "row", "n", "t", "no", "nr", "#"];
/// What data vendors give of one asset on one day.
const FIELDS: [&str; 23] = [
    "adj close",
    "adjclose",
    "adjusted close",
    "adjusted",
    "close",
    "open",
    "high",
    "low",
    "volume",
    "dividends",
    "stock splits",
    "capital gains",
    "vwap",
    "price",
    "change",
    "change %",
    "vol",
    "trades",
    "turnover",
    "bid",
    "ask",
    "px last",
    "last",
];

/// `Adj_Close` and `adj close` are the same.
fn plain(name: &str) -> String {
    name.to_lowercase().split([' ', '_', '-', '.', '*']).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

pub(crate) fn is_field(name: &str) -> bool {
    FIELDS.contains(&plain(name).as_str())
}

/// The place of the most wanted of these names of values.
pub(crate) fn preferred<'a>(names: impl Iterator<Item = &'a str>) -> Option<usize> {
    let rank = |name: &str| VALUE_NAMES.iter().position(|wanted| *wanted == plain(name));
    names.enumerate().filter_map(|(place, name)| Some((rank(name)?, place))).min().map(|(_, place)| place)
}

/// No name, or the one that pandas gives where there is none.
fn is_nameless(name: &str) -> bool {
    name.is_empty() || name.starts_with("Unnamed: ")
}

/// Whole numbers that rise by one, from zero or one.
pub(crate) fn is_count(values: &[f64]) -> bool {
    values.first().is_some_and(|first| *first == 0.0 || *first == 1.0)
        && values.windows(2).all(|pair| pair[1] - pair[0] == 1.0)
}

/// Numbers that do not label rows: they go up and down.
pub(crate) fn is_measured(values: &[f64]) -> bool {
    let rises = values.windows(2).any(|pair| pair[1] > pair[0]);
    let falls = values.windows(2).any(|pair| pair[1] < pair[0]);
    rises && falls
}

/// Decides what the columns are; a long table is sought where `long` says so, else only recognised.
pub(crate) fn decide(source: &str, columns: &[Sketch], long: bool) -> Result<(Layout, Vec<String>)> {
    let mut remarks = Vec::new();
    let labels = labels(columns);
    let mut rest: Vec<usize> = (0..columns.len()).filter(|&column| Some(column) != labels).collect();
    if let Some(labels) = labels
        && columns[labels].content == Content::Dates
    {
        let is_counter = |&column: &usize| {
            let name = &columns[column].name;
            columns[column].is_count && (is_nameless(name) || name == "index" || name == "#")
        };
        if rest.first().is_some_and(is_counter) {
            rest.remove(0);
            remarks.push("the first column numbers the rows and is left out".to_string());
        }
        // pandas puts its index last.
        if labels > 0 && !columns[labels].is_index {
            remarks.push(format!("dates stand in column {} (`{}`)", labels + 1, shown(&columns[labels].name)));
        }
    }
    if let Some(layout) = long_table(source, columns, labels, &rest, long)? {
        let Layout::Long { asset, value, .. } = layout else { unreachable!("only a long table is returned") };
        let (asset, value) = (shown(&columns[asset].name), shown(&columns[value].name));
        remarks.push(format!("a long table: `{value}` of each `{asset}`"));
        return Ok((layout, remarks));
    }
    let before = rest.len();
    rest.retain(|&column| !(columns[column].content == Content::Empty && is_nameless(&columns[column].name)));
    if rest.len() < before {
        remarks.push("columns without name and cells are left out".to_string());
    }
    // A second column of dates is no asset.
    let extra: Vec<usize> = rest.iter().copied().filter(|&column| columns[column].content == Content::Dates).collect();
    if labels.is_some() && !extra.is_empty() && extra.len() < rest.len() {
        rest.retain(|&column| columns[column].content != Content::Dates);
        let names = listed(extra.iter().map(|&column| columns[column].name.as_str()));
        remarks.push(format!("further columns of dates are left out: {names}"));
    }
    if let Some(&column) = rest.iter().find(|&&column| columns[column].name.is_empty()) {
        return Err(Error::input(format!("{source}: column {} has no name", column + 1))
            .hint("the first line names every column"));
    }
    if rest.is_empty() {
        return Err(Error::input(format!("{source}: no asset columns: there is one column only"))
            .hint("the first column holds dates, each further column an asset"));
    }
    if rest.iter().all(|&column| is_field(&columns[column].name)) {
        let fields = rest.iter().map(|&column| columns[column].name.as_str());
        if let Some(place) = preferred(fields.clone()) {
            let (value, names) = (rest[place], listed(fields.collect::<Vec<_>>().into_iter()));
            if rest.len() > 1 {
                remarks.push(format!("a table of one asset: of {names}, `{}` is read", shown(&columns[value].name)));
            }
            return Ok((Layout::Single { labels, value }, remarks));
        }
    }
    if labels.is_none() {
        remarks
            .push("no column of dates: every column is an asset, and rows keep the file's order, oldest first".into());
    }
    Ok((Layout::Wide { labels, assets: rest }, remarks))
}

/// The column that labels rows: one of dates, or else the first, unless its numbers go up and down like a price.
fn labels(columns: &[Sketch]) -> Option<usize> {
    let is_dates = |sketch: &Sketch| sketch.content == Content::Dates;
    let of_dates = columns
        .iter()
        .position(|sketch| sketch.is_index && is_dates(sketch))
        .or_else(|| columns.iter().position(|sketch| is_dates(sketch) && dates::is_date_name(&sketch.name)))
        .or_else(|| columns.iter().position(is_dates));
    let of_index = || columns.iter().position(|sketch| sketch.is_index);
    let named = || {
        let is_named = |sketch: &Sketch| {
            sketch.content == Content::Numbers && !sketch.is_measured && dates::is_date_name(&sketch.name)
        };
        columns.iter().position(is_named)
    };
    let first = || {
        let first = columns.first()?;
        let is_label = is_nameless(&first.name) || LABEL_NAMES.contains(&plain(&first.name).as_str());
        let is_asset = first.content == Content::Numbers && first.is_measured && !is_label;
        (!is_asset).then_some(0)
    };
    of_dates.or_else(of_index).or_else(named).or_else(first)
}

fn long_table(
    source: &str,
    columns: &[Sketch],
    labels: Option<usize>,
    rest: &[usize],
    asked: bool,
) -> Result<Option<Layout>> {
    const HINT: &str =
        "a long table has a date, an asset and a value on each row, under names such as date,ticker,close";
    let missing = |what: &str| Err(Error::input(format!("{source}: --long: there is no column of {what}")).hint(HINT));
    let Some(labels) = labels else { return if asked { missing("dates") } else { Ok(None) } };
    let is_asset_name = |column: usize| ASSET_NAMES.contains(&plain(&columns[column].name).as_str());
    let is_text = |column: usize| columns[column].content == Content::Text;
    let repeats = columns[labels].repeats;
    let texts: Vec<usize> = rest.iter().copied().filter(|&column| is_text(column)).collect();
    let asset = texts
        .iter()
        .copied()
        .find(|&column| is_asset_name(column))
        // Numbers may name assets too, where dates stand several times.
        .or_else(|| rest.iter().copied().find(|&column| repeats && is_asset_name(column)))
        .or_else(|| {
            texts
                .iter()
                .copied()
                .find(|&column| texts.len() == 1 && columns[column].different > 1 && (repeats || asked))
        })
        .or_else(|| rest.iter().copied().find(|_| asked));
    let Some(asset) = asset else { return if asked { missing("assets") } else { Ok(None) } };
    let values: Vec<usize> = rest
        .iter()
        .copied()
        .filter(|&column| column != asset && matches!(columns[column].content, Content::Numbers | Content::Empty))
        .collect();
    let value = match values[..] {
        [] if asked => return missing("values"),
        [] => return Ok(None),
        [one] => one,
        _ => match preferred(values.iter().map(|&column| columns[column].name.as_str())) {
            Some(place) => values[place],
            None => {
                let names = listed(values.iter().map(|&column| columns[column].name.as_str()));
                return Err(Error::input(format!(
                    "{source}: this looks like a long table, but which column is the price? {names}"
                ))
                .hint("keep three columns: date,ticker,close"));
            }
        },
    };
    Ok(Some(Layout::Long { labels, asset, value }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sketch(name: &str, content: Content) -> Sketch {
        Sketch {
            name: name.into(),
            content,
            is_count: false,
            is_measured: content == Content::Numbers,
            repeats: true,
            different: 2,
            is_index: false,
        }
    }

    fn layout(columns: &[(&str, Content)]) -> Layout {
        let columns: Vec<Sketch> = columns.iter().map(|&(name, content)| sketch(name, content)).collect();
        decide("f", &columns, false).expect("decided").0
    }

    #[test]
    fn columns_are_told_by_content_and_name() {
        use Content::{Dates, Empty, Numbers, Text};
        let wide = |labels, assets: &[usize]| Layout::Wide { labels, assets: assets.to_vec() };
        for (columns, expected) in [
            (&[("date", Dates), ("A", Numbers), ("B", Numbers)][..], wide(Some(0), &[1, 2])),
            (&[("A", Numbers), ("date", Dates), ("B", Numbers)], wide(Some(1), &[0, 2])),
            (&[("A", Numbers), ("B", Numbers)], wide(None, &[0, 1])),
            (&[("", Numbers), ("B", Numbers)], wide(Some(0), &[1])),
            (&[("date", Dates), ("", Empty), ("B", Numbers)], wide(Some(0), &[2])),
            (&[("date", Dates), ("ticker", Text), ("px", Numbers)], Layout::Long { labels: 0, asset: 1, value: 2 }),
            (&[("close", Numbers), ("who", Text), ("when", Dates)], Layout::Long { labels: 2, asset: 1, value: 0 }),
            (
                &[("date", Dates), ("ticker", Text), ("currency", Text), ("open", Numbers), ("close", Numbers)],
                Layout::Long { labels: 0, asset: 1, value: 4 },
            ),
            (&[("date", Dates), ("permno", Numbers), ("prc", Numbers)], Layout::Long { labels: 0, asset: 1, value: 2 }),
            (
                &[("Date", Dates), ("Open", Numbers), ("Close", Numbers), ("Adj Close", Numbers), ("Volume", Numbers)],
                Layout::Single { labels: Some(0), value: 3 },
            ),
            (
                &[("Date", Dates), ("Price", Numbers), ("Open", Numbers), ("Vol.", Numbers), ("Change %", Numbers)],
                Layout::Single { labels: Some(0), value: 1 },
            ),
        ] {
            assert_eq!(layout(columns), expected, "{columns:?}");
        }
    }
}
