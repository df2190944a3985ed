//! Risk budgets by asset name, from `A=0.3,B=0.7` or from a text file of `asset,budget` rows. Percent signs may be used;
//! of a file with more columns, two are taken by their names.

use std::path::Path;

use crate::error::{Error, Result, option};
use crate::io::cells::{Cell, Decimal, Numbers};
use crate::io::csv::Table;
use crate::io::input::Format;
use crate::io::{Input, Limits, Notices, count, listed, names, shown, text};

/// Sums within this of 1 are 1: budgets are written by people, as thirds or sevenths.
const ROUNDING: f64 = 1e-9;

/// Budgets in the order of `assets`, summing to one. Every asset is named once; a budget of zero takes it out of the
/// problem. An argument with `=` is a list, unless there is a file of that name; all else is a file, `-` standard input.
///
/// # Errors
/// Names that are missing, unknown or repeated; budgets that are negative, not finite or all zero.
pub fn read_budgets(argument: &str, assets: &[String]) -> Result<(Vec<f64>, Notices)> {
    let path = Path::new(argument);
    let entries = match argument.contains('=') && !path.exists() {
        true => from_list(argument)?,
        false => from_file(&Input::from_argument(Some(path)), assets)?,
    };
    assign(entries, assets)
}

/// One named budget, and where it stands.
struct Entry {
    place: String,
    name: String,
    budget: f64,
}

/// A budget below this share of the largest is a slip: its asset's weight could not be told from zero.
const SMALLEST_SHARE: f64 = 1e-30;

fn from_list(list: &str) -> Result<Vec<Entry>> {
    let numbers = Numbers::new(Decimal::Point, false);
    let mut entries = Vec::new();
    for part in list.split(',').filter(|part| !part.trim().is_empty()) {
        let place = option("budgets").to_string();
        // The last `=`: asset names may contain one.
        let Some((name, text)) = part.rsplit_once('=') else {
            return Err(Error::input(format!("{place}: `{}` has no budget", shown(part.trim())))
                .hint("write A=0.3,B=0.7; names with commas need a file of asset,budget lines"));
        };
        entries.push(entry(place, name, text, &numbers)?);
    }
    Ok(entries)
}

fn from_file(input: &Input, assets: &[String]) -> Result<Vec<Entry>> {
    let contents = input.load(Limits::default())?;
    if contents.format != Format::Text {
        return Err(contents.not_read());
    }
    let source = contents.name.as_str();
    let (text, _) = text::decode(source, &contents.bytes)?;
    let (mut table, _) = Table::open(source, &text)?;
    let mut rows: Vec<(u64, Vec<String>)> = Vec::new();
    // A first row with a number in it is an entry, not a header.
    if let [_, text] = &table.names[..]
        && matches!(table.numbers.parse(text), Cell::Number(_) | Cell::Percent(_))
    {
        rows.push((table.header_line, table.names.clone()));
    }
    let width = table.names.len();
    while let Some(line) = table.next_record()? {
        if table.width() < width.max(2) || (width.max(2)..table.width()).any(|column| !table.cell(column).is_empty()) {
            let cells = if width <= 2 { "two cells".to_string() } else { count(width, "cell") };
            return Err(
                Error::input(format!("{source}: line {line}: not {cells}")).hint("write asset,budget on each line")
            );
        }
        rows.push((line, (0..table.width()).map(|column| table.cell(column).to_string()).collect()));
    }
    let [name, budget] = if width <= 2 { [0, 1] } else { columns(source, &table.names, &rows, assets)? };
    let place = |line: u64| format!("{source}: line {line}");
    rows.iter().map(|(line, cells)| entry(place(*line), &cells[name], &cells[budget], &table.numbers)).collect()
}

/// Names of columns that hold assets, and of those that hold budgets.
const ASSETS: [&str; 12] = [
    "asset",
    "assets",
    "ticker",
    "tickers",
    "symbol",
    "symbols",
    "name",
    "names",
    "instrument",
    "security",
    "fund",
    "",
];
const BUDGETS: [&str; 14] = [
    "budget",
    "budgets",
    "risk budget",
    "risk budgets",
    "risk",
    "risk share",
    "risk contribution",
    "share",
    "shares",
    "weight",
    "weights",
    "allocation",
    "percent",
    "%",
];

/// The columns of assets and budgets in a file of several, by their names: of the former the one that names most of the
/// assets, of the latter one that says budget, or else the only one.
fn columns(source: &str, header: &[String], rows: &[(u64, Vec<String>)], assets: &[String]) -> Result<[usize; 2]> {
    let called = |wanted: &[&str]| -> Vec<usize> {
        let plain = |name: &str| name.to_lowercase().replace(['_', '-'], " ");
        (0..header.len()).filter(|&column| wanted.contains(&plain(&header[column]).trim())).collect()
    };
    let known = |column: usize| rows.iter().filter(|(_, cells)| assets.contains(&plain(&cells[column]))).count();
    // The first of those that name as many.
    let name = called(&ASSETS).into_iter().rev().max_by_key(|&column| known(column));
    let budgets = called(&BUDGETS);
    let said = budgets.iter().copied().find(|&column| header[column].to_lowercase().contains("budget"));
    let budget = match budgets[..] {
        [one] => Some(one),
        _ => said,
    };
    name.zip(budget).map(|(name, budget)| [name, budget]).ok_or_else(|| {
        Error::input(format!(
            "{source}: which of the columns {} hold assets and budgets?",
            listed(header.iter().map(String::as_str))
        ))
        .hint("call them `asset` and `budget`, or leave the others out")
    })
}

/// A name without the spaces around it, and with single ones inside.
fn plain(name: &str) -> String {
    name.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn entry(place: String, name: &str, text: &str, numbers: &Numbers) -> Result<Entry> {
    let name = plain(name);
    match numbers.parse(text) {
        Cell::Number(budget) | Cell::Percent(budget) if budget.is_finite() && budget >= 0.0 => {
            Ok(Entry { place, name, budget })
        }
        Cell::Number(budget) | Cell::Percent(budget) if budget < 0.0 => {
            Err(Error::input(format!("{place}: the budget of `{}` is negative: {budget}", shown(&name)))
                .hint("risk budgets are positive shares of the risk; zero leaves an asset out"))
        }
        _ => Err(Error::input(format!(
            "{place}: the budget of `{}` is no number: `{}`",
            shown(&name),
            shown(text.trim())
        ))
        .hint("write shares like 0.25 or 25%")),
    }
}

fn assign(entries: Vec<Entry>, assets: &[String]) -> Result<(Vec<f64>, Notices)> {
    let mut budgets: Vec<Option<f64>> = vec![None; assets.len()];
    for Entry { place, name, budget } in entries {
        let asset =
            assets.iter().position(|asset| *asset == name).ok_or_else(|| names::unknown(&place, &name, assets))?;
        if budgets[asset].replace(budget).is_some() {
            return Err(Error::input(format!("{place}: `{}` has two budgets", shown(&name))).hint("keep one of them"));
        }
    }
    let named = |is_named: bool| -> Vec<&str> {
        let pairs = assets.iter().zip(&budgets).filter(|(_, budget)| budget.is_some() == is_named);
        pairs.map(|(asset, _)| asset.as_str()).collect()
    };
    let without = named(false);
    if !without.is_empty() {
        let mut hint = "name every asset; a budget of 0 leaves one out".to_string();
        let with = named(true);
        // A list that can be written on the command line.
        if !with.is_empty() && with.len() <= 10 && !with.iter().any(|name| name.contains([',', '"'])) {
            hint += &format!("; or take these alone: {}", option("assets").quoted(with.join(",")));
        }
        return Err(Error::input(format!("no budget for {}", listed(without.into_iter()))).hint(hint));
    }
    let budgets: Vec<f64> = budgets.into_iter().flatten().collect();
    let largest = budgets.iter().fold(0.0_f64, |m, b| m.max(*b));
    if largest <= 0.0 {
        return Err(Error::input("every budget is 0").hint("give at least one asset a positive budget"));
    }
    let total: f64 = budgets.iter().sum();
    let tiny = |budget: &f64| *budget > 0.0 && budget / largest < SMALLEST_SHARE;
    if let Some(asset) = budgets.iter().position(tiny) {
        return Err(Error::input(format!(
            "the budget of `{}` is {}, too small beside {largest} to be told from zero",
            shown(&assets[asset]),
            budgets[asset]
        ))
        .hint("write 0 to leave the asset out"));
    }
    if !total.is_finite() {
        return Err(Error::input("the budgets are too large to be added up").hint("write shares like 0.25"));
    }
    let mut notices = Notices::new();
    if (total - 1.0).abs() > ROUNDING {
        notices.push(format!("budgets sum to {total}: they are rescaled to sum to 1").into());
    }
    let out = assets.iter().zip(&budgets).filter(|(_, budget)| **budget == 0.0).map(|(asset, _)| asset.as_str());
    let out: Vec<&str> = out.collect();
    if !out.is_empty() {
        notices.push(format!("a budget of 0 leaves out {}", listed(out.into_iter())).into());
    }
    Ok((budgets.iter().map(|budget| budget / total).collect(), notices))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(argument: &str) -> Result<(Vec<f64>, Notices)> {
        read_budgets(argument, &["A".to_string(), "S&P 500".to_string()])
    }

    #[test]
    fn lists_are_matched_by_name() {
        assert_eq!(read("S&P 500=0.25, A = 0.75").expect("both named"), (vec![0.75, 0.25], vec![]));
        let (budgets, notices) = read("A=30,S&P 500=90,").expect("rescaled");
        assert_eq!(budgets, [0.25, 0.75]);
        assert_eq!(notices, ["budgets sum to 120: they are rescaled to sum to 1"]);
        let (budgets, notices) = read("A=1,S&P 500=0").expect("zero is allowed");
        assert_eq!(budgets, [1.0, 0.0]);
        assert_eq!(notices, ["a budget of 0 leaves out `S&P 500`"]);
        assert_eq!(read(" A = 75 % ,S&P  500=25%").expect("percent"), (vec![0.75, 0.25], vec![]));
    }

    #[test]
    fn budgets_of_some_assets_lead_to_the_option_that_takes_these_alone() {
        let hint = read("S&P 500=1").expect_err("A is missing").hint.expect("a way on");
        assert!(hint.contains("`assets=\"S&P 500\"`"), "{hint}");
    }

    #[test]
    fn every_asset_needs_exactly_one_good_budget() {
        for (list, said) in [
            ("A=1", "no budget for `S&P 500`"),
            ("A=0.5,S&P 500=0.5,B=0.1", "no asset `B`"),
            ("A=0.5,A=0.5,S&P 500=1", "two budgets"),
            ("A=-0.5,S&P 500=1", "negative"),
            ("A=nan,S&P 500=1", "no number"),
            ("A=inf,S&P 500=1", "no number"),
            ("A=-50%,S&P 500=150%", "negative"),
            ("A=,S&P 500=1", "no number"),
            ("A=0,S&P 500=0", "every budget is 0"),
            ("A=1e-200,S&P 500=1", "too small"),
            ("A=1e308,S&P 500=1e308", "too large"),
            ("A=0.5,S&P 500", "has no budget"),
        ] {
            let error = read(list).expect_err(list);
            assert!(error.message.contains(said), "{list}: {}", error.message);
        }
    }
}
