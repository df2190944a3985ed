//! Least and largest weights, of assets and of groups, and the weights before a change.

use std::path::Path;

use crate::error::{Error, ErrorKind, Result, option};
use crate::io::cells::{Cell, Decimal, Numbers};
use crate::io::ranges::{self, Ends};
use crate::io::shares::{self, Noun, SHARES, Share};
use crate::io::shown;
use crate::wording::short;

const MINIMUM: &[&str] =
    &["min", "minimum", "least", "lower", "lower bound", "min weight", "minimum weight", "least weight", "floor"];
const MAXIMUM: &[&str] =
    &["max", "maximum", "most", "upper", "upper bound", "max weight", "maximum weight", "largest weight", "cap"];

const LEAST: Noun =
    Noun { option: "min-weight", of: "asset", one: "least weight", columns: MINIMUM, others: MAXIMUM, like: SHARES };

const MOST: Noun = Noun { option: "max-weight", one: "largest weight", columns: MAXIMUM, others: MINIMUM, ..LEAST };

const PREVIOUS: Noun = Noun {
    option: "previous",
    one: "previous weight",
    columns: &[
        "weight",
        "weights",
        "previous",
        "previous weight",
        "portfolio weight",
        "allocation",
        "share",
        "percent",
        "%",
    ],
    others: &["shares", "quantity", "qty", "units", "price", "market value", "value", "amount", "number"],
    ..LEAST
};

/// How an asset is made short: what negative weights are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shorts {
    /// By its sign.
    BySigns,
    /// Not at all.
    Never,
}

/// Least weights: one number for every asset, or those of the assets that a list or a file names.
///
/// # Errors
/// Weights outside 0..1, names that are unknown or repeated, a file that cannot be read.
pub fn read_min_weight(argument: &str, assets: &[String], shorts: Shorts) -> Result<Vec<Option<f64>>> {
    weights(argument, assets, LEAST, shorts)
}

/// Largest weights, likewise.
///
/// # Errors
/// As [`read_min_weight`].
pub fn read_max_weight(argument: &str, assets: &[String], shorts: Shorts) -> Result<Vec<Option<f64>>> {
    weights(argument, assets, MOST, shorts)
}

fn weights(argument: &str, assets: &[String], noun: Noun, shorts: Shorts) -> Result<Vec<Option<f64>>> {
    let cell = Numbers::new(Decimal::Point, false).parse(argument);
    if let Cell::Number(value) | Cell::Percent(value) = cell {
        let place = option(noun.option).to_string();
        let checked = check(&place, &format!("the {}", noun.one), value, matches!(cell, Cell::Percent(_)), shorts);
        let value = checked.map_err(|error| Error { kind: ErrorKind::Usage, ..error })?;
        return Ok(vec![Some(value); assets.len()]);
    }
    if !argument.contains('=') && argument != "-" && !is_file_name(argument) && !Path::new(argument).exists() {
        return Err(Error::usage(format!(
            "{}: `{}` is neither a number nor a file",
            option(noun.option),
            shown(argument)
        ))
        .hint("write 0.1 or 10% for every asset, A=0.1,B=0.2 for some, or name a file"));
    }
    let read = shares::read(argument, assets, noun).and_then(|shares| by_name(shares, assets, noun, shorts));
    shares::typed(argument, read)
}

/// Whether it looks like the name of a file: it has a folder, or an ending of letters.
fn is_file_name(argument: &str) -> bool {
    let ending = Path::new(argument).extension().and_then(|ending| ending.to_str());
    argument.contains(['/', '\\']) || ending.is_some_and(|ending| ending.starts_with(|c: char| c.is_ascii_alphabetic()))
}

/// Least and largest weights from a file of `asset,min,max` rows.
///
/// # Errors
/// As [`read_min_weight`]; a minimum above its maximum.
pub fn read_bounds(argument: &str, assets: &[String], shorts: Shorts) -> Result<Vec<Ends>> {
    ranges(argument, assets, [LEAST, MOST].map(|noun| Noun { option: "bounds", ..noun }), shorts)
}

/// Least and largest weights of groups, from `G=0.2..0.5,H=..0.3,K=0.1` or a file of `group,min,max` rows.
///
/// # Errors
/// As [`read_bounds`].
pub fn read_group_weights(argument: &str, groups: &[String]) -> Result<Vec<Ends>> {
    let nouns = [LEAST, MOST].map(|noun| Noun { option: "group-weights", of: "group", ..noun });
    ranges(argument, groups, nouns, Shorts::BySigns)
}

fn ranges(argument: &str, names: &[String], nouns: [Noun; 2], shorts: Shorts) -> Result<Vec<Ends>> {
    let read = ranges::read(argument, names, nouns).and_then(|[least, most]| {
        let [least, most] = [by_name(least, names, nouns[0], shorts)?, by_name(most, names, nouns[1], shorts)?];
        Ok(least.into_iter().zip(most).map(|(least, most)| [least, most]).collect())
    });
    shares::typed(argument, read)
}

fn by_name(mut shares: Vec<Share>, names: &[String], noun: Noun, shorts: Shorts) -> Result<Vec<Option<f64>>> {
    for share in &mut shares {
        let whose = format!("the {} of `{}`", noun.one, shown(&share.name));
        share.value = check(&share.at(), &whose, share.value, share.percent, shorts)?;
    }
    shares::by_name(shares, names, noun)
}

/// A weight, at most 1; refuses what lies outside 0..1.
fn check(place: &str, whose: &str, value: f64, percent: bool, shorts: Shorts) -> Result<f64> {
    // Sums of decimals miss 1 by rounding.
    if (0.0..=1.0 + 1e-12).contains(&value) {
        return Ok(value.min(1.0));
    }
    if value < 0.0 {
        let error = Error::input(format!("{place}: {whose} is negative: {}", short(value)));
        return Err(match shorts {
            Shorts::BySigns => error.hint(format!("weights are sizes: {} makes an asset short", option("signs"))),
            Shorts::Never => error.hint("no asset is short: weights are from 0 to 1"),
        });
    }
    let error = Error::input(format!("{place}: {whose} is {}, not between 0 and 1", short(value)));
    Err(match value <= 100.0 && !percent {
        true => error.hint(format!("{} % is {}", short(value), short(value / 100.0))),
        false => error.hint("weights are shares of the whole: 1, or 100%, is all of it"),
    })
}

/// How far from 1 the sum of previous weights may be: people round.
const ROUNDING: f64 = 1e-6;

/// Sizes of positions before a change, summing to one. What is not named was not held.
///
/// # Errors
/// Weights that are negative or do not sum to one; names and files as in [`read_min_weight`].
pub fn read_previous(argument: &str, assets: &[String]) -> Result<Vec<f64>> {
    let read =
        shares::read(argument, assets, PREVIOUS).and_then(|shares| by_name(shares, assets, PREVIOUS, Shorts::BySigns));
    let weights: Vec<f64> = shares::typed(argument, read)?.iter().map(|weight| weight.unwrap_or(0.0)).collect();
    let total: f64 = weights.iter().sum();
    if !((total - 1.0).abs() <= ROUNDING) {
        let place = if shares::is_list(argument) { option(PREVIOUS.option).to_string() } else { shown(argument) };
        let error = Error::input(format!("{place}: the previous weights sum to {}, not to 1", short(total)));
        return shares::typed(
            argument,
            Err(error.hint("give shares of the whole that was held; what is not named counts as 0")),
        );
    }
    Ok(weights.iter().map(|weight| weight / total).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assets() -> Vec<String> {
        ["A", "S&P 500", "C"].map(String::from).to_vec()
    }

    /// The path of a file that holds a text.
    struct Folder(tempfile::TempDir);

    impl Folder {
        fn new() -> Folder {
            Folder(tempfile::tempdir().expect("a temporary folder"))
        }

        fn file(&self, text: &str) -> String {
            let path = self.0.path().join("f.csv");
            std::fs::write(&path, text).expect("written");
            path.to_str().expect("a plain path").to_string()
        }
    }

    fn told<T: std::fmt::Debug>(result: Result<T>) -> (ErrorKind, String, String) {
        let error = result.expect_err("refused");
        (error.kind, error.message.to_string(), error.hint.map_or(String::new(), |hint| hint.to_string()))
    }

    #[test]
    fn one_number_is_for_every_asset_and_a_list_for_those_it_names() {
        for argument in ["0.1", "10%", " 10 % ", ".1"] {
            assert_eq!(
                read_max_weight(argument, &assets(), Shorts::BySigns).expect(argument),
                [Some(0.1); 3],
                "{argument}"
            );
        }
        assert_eq!(
            read_min_weight("S&P 500=10%, A = 0.2", &assets(), Shorts::BySigns).expect("a list"),
            [Some(0.2), Some(0.1), None]
        );
        assert_eq!(read_max_weight("1", &assets(), Shorts::BySigns).expect("no limit"), [Some(1.0); 3]);
    }

    #[test]
    fn files_are_read_however_a_spreadsheet_writes_them() {
        let folder = Folder::new();
        let expected = [[Some(0.1), Some(0.5)], [None, Some(0.25)], [None, None]];
        for text in [
            "asset,min,max\nA,0.1,0.5\nS&P 500,,0.25\n",
            "\u{feff}asset,min,max\r\nA,0.1,0.5\r\n\"S&P 500\",,0.25\r\n",
            "asset;min;max\nA;0,1;0,5\nS&P 500;;0,25\n",
            "max,Ticker,min\n50%,A,10%\n25 %,S&P  500,\n",
            "name,asset,Max Weight,Min_Weight,note\nAlpha,A,0.5,0.1,x\nBeta,S&P 500,0.25,,\n",
            "A,0.1,0.5\nS&P 500,,0.25\nC,,\n",
            "# made by hand\nasset\tmin\tmax\nA\t0.1\t0.5\n\nS&P 500\t\t0.25\n",
        ] {
            assert_eq!(read_bounds(&folder.file(text), &assets(), Shorts::BySigns).expect(text), expected, "{text:?}");
        }
        let most = read_bounds(&folder.file("asset,max\nA,0.5\n"), &assets(), Shorts::BySigns).expect("maxima alone");
        assert_eq!(most[0], [None, Some(0.5)]);
        let text = "asset,max\nA,0.5\n";
        assert_eq!(
            read_max_weight(&folder.file(text), &assets(), Shorts::BySigns).expect(text),
            [Some(0.5), None, None]
        );
        let text = "weight,asset\n0.5,A\n".replace("weight", "cap");
        assert_eq!(
            read_max_weight(&folder.file(&text), &assets(), Shorts::BySigns).expect("turned"),
            [Some(0.5), None, None]
        );
        let text = "asset,min,max\nA,0.1,0.5\n";
        assert_eq!(
            read_min_weight(&folder.file(text), &assets(), Shorts::BySigns).expect(text),
            [Some(0.1), None, None]
        );
    }

    #[test]
    fn groups_have_ranges() {
        let groups = ["EQUITY", "BONDS", "GOLD"].map(String::from);
        let expected = [[Some(0.2), Some(0.5)], [None, Some(0.3)], [Some(0.1), Some(0.1)]];
        for list in ["EQUITY=0.2..0.5,BONDS=..0.3,GOLD=0.1", "GOLD = 10%, BONDS=.. 30%,EQUITY=20% .. 50%"] {
            assert_eq!(read_group_weights(list, &groups).expect(list), expected, "{list}");
        }
        assert_eq!(read_group_weights("GOLD=0.1..", &groups).expect("open")[2], [Some(0.1), None]);
        let folder = Folder::new();
        for text in [
            "group,min,max\nEQUITY,0.2,0.5\nBONDS,,0.3\nGOLD,0.1,0.1\n",
            "sector;max;min\nEQUITY;0,5;0,2\nBONDS;0,3;\nGOLD;0,1;0,1\n",
        ] {
            assert_eq!(read_group_weights(&folder.file(text), &groups).expect(text), expected, "{text}");
        }
        for (list, said, hint) in [
            ("EQITY=0.1", "`group-weights`: there is no group `EQITY`", "did you mean `EQUITY`?"),
            ("EQUITY=0.1,EQUITY=0.2", "two least weights", "keep one"),
            ("EQUITY=much", "that of `EQUITY` is no range: `much`", "0.2..0.5"),
            ("EQUITY=..", "no range", "0.2..0.5"),
            ("EQUITY=0.1,BONDS", "`BONDS` has no least weight", "group,min lines"),
            ("EQUITY=0.5..0.2", "the minimum of `EQUITY` is 0.5, above its maximum of 0.2", "smaller"),
            ("EQUITY=20..50", "the least weight of `EQUITY` is 20, not between 0 and 1", "20 % is 0.2"),
            ("EQUITY=-0.1..0.2", "is negative: -0.1", "weights are sizes"),
            ("EQUITY=20..50%", "is 20, above its maximum of 0.5", "smaller"),
            ("EQUITY=30,BONDS=5%", "without a percent sign", "in percent"),
        ] {
            let (kind, message, advice) = told(read_group_weights(list, &groups));
            assert_eq!(kind, ErrorKind::Usage, "{list}");
            assert!(message.contains(said) && advice.contains(hint), "{list}: {message} / {advice}");
        }
    }

    #[test]
    fn a_sum_of_decimals_that_misses_one_by_rounding_is_one() {
        let whole = 0.1 + 0.7 + 0.2 + f64::EPSILON;
        assert!(whole > 1.0);
        assert_eq!(read_max_weight(&format!("{whole:?}"), &assets(), Shorts::BySigns).unwrap()[0], Some(1.0));
        let groups = ["EQUITY".to_string()];
        assert_eq!(read_group_weights(&format!("EQUITY=0.5..{whole:?}"), &groups).unwrap(), [[Some(0.5), Some(1.0)]]);
    }

    #[test]
    fn bad_weights_on_a_flag_are_refused_there() {
        for (argument, said, hint) in [
            ("10", "`max-weight`: the largest weight is 10, not between 0 and 1", "10 % is 0.1"),
            ("2.5", "is 2.5, not", "2.5 % is 0.025"),
            ("1000", "is 1000, not", "shares of the whole"),
            ("150%", "is 1.5, not", "shares of the whole"),
            ("-0.1", "the largest weight is negative: -0.1", "weights are sizes: `signs` makes an asset short"),
            ("inf", "is inf, not", "shares"),
            ("0,1", "`0,1` is neither a number nor a file", "0.1 or 10%"),
            ("0.1x", "`0.1x` is neither a number nor a file", "0.1 or 10%"),
            ("much", "`much` is neither a number nor a file", "0.1 or 10%"),
            ("A=10", "the largest weight of `A` is 10, not between 0 and 1", "10 % is 0.1"),
            ("A=-10%", "is negative: -0.1", "`signs`"),
            ("A=much", "the largest weight of `A` is no number: `much`", "0.25 or 25%"),
            ("A=0.1,a=0.1", "there is no asset `a`", "did you mean `A`?"),
            ("S&P 50=0.1", "there is no asset `S&P 50`", "did you mean `S&P 500`?"),
            ("A=0.1,A=0.2", "`A` has two largest weights", "keep one"),
            ("A=0.1,B", "`B` has no largest weight", "asset,max lines"),
            ("A=0.1,B=20,C=10%", "without a percent sign", "in percent"),
        ] {
            let (kind, message, advice) = told(read_max_weight(argument, &assets(), Shorts::BySigns));
            assert_eq!(kind, ErrorKind::Usage, "{argument}");
            assert!(message.contains(said), "{argument}: {message}");
            assert!(advice.contains(hint), "{argument}: {advice}");
        }
    }

    #[test]
    fn bad_weights_in_a_file_are_refused_with_their_line_and_column() {
        let folder = Folder::new();
        for (text, said, hint) in [
            (
                "asset,min,max\nA,0.1,10\n",
                "line 2, column 3: the largest weight of `A` is 10, not between",
                "10 % is 0.1",
            ),
            ("max,asset,min\n0.5,A,\n0.5,C,-5%\n", "line 3, column 3: the least weight of `C` is negative", "`signs`"),
            ("asset,min,max\nA,x,0.5\n", "line 2, column 2: the least weight of `A` is no number: `x`", "0.25 or 25%"),
            ("asset,min,max\nA,0.5,0.2\n", "line 2, column 3: the minimum of `A` is 0.5, above its maximum", "smaller"),
            ("asset,min,max\nB,0.1,0.5\n", "line 2: there is no asset `B`", "there are `A`"),
            ("asset,min,max\nA,0.1,0.5\nA,0.1,0.5\n", "line 3: `A` has two least weights", "keep one"),
            ("asset,min,max\nA,0.1\n", "line 2: not 3 cells", "asset,min,max"),
            (
                "asset,from,to\nA,0.1,0.5\n",
                "which of the columns `asset`, `from`, `to` hold assets and limits?",
                "`min`, `max`",
            ),
            ("asset,min,max\n", "nothing stands below the line of names", "asset,min"),
            ("", "empty file", ""),
        ] {
            let (kind, message, advice) = told(read_bounds(&folder.file(text), &assets(), Shorts::BySigns));
            assert_eq!(kind, ErrorKind::Input, "{text:?}");
            assert!(message.contains("f.csv") && message.contains(said), "{text:?}: {message}");
            assert!(advice.contains(hint), "{text:?}: {advice}");
        }
        let (kind, message, advice) =
            told(read_max_weight(&folder.file("asset,min\nA,0.1\n"), &assets(), Shorts::BySigns));
        assert_eq!(kind, ErrorKind::Input);
        assert!(message.contains("the column `min` holds no largest weights"), "{message}");
        assert!(advice.contains("a column called `max`"), "{advice}");
        assert_eq!(told(read_max_weight("no/such/file.csv", &assets(), Shorts::BySigns)).0, ErrorKind::Input);
    }

    #[test]
    fn previous_weights_are_what_was_held_and_sum_to_one() {
        assert_eq!(read_previous("A=25%,C=75%", &assets()).expect("percent"), [0.25, 0.0, 0.75]);
        let sum: f64 = read_previous("A=0.3333333,C=0.6666666", &assets()).expect("rounded").iter().sum();
        assert_eq!(sum, 1.0);
        let folder = Folder::new();
        let path = folder.file("asset;weight\nA;0,5\nS&P 500;0,5\n");
        assert_eq!(read_previous(&path, &assets()).expect("a file"), [0.5, 0.5, 0.0]);
        for (argument, kind, said, hint) in [
            ("A=0.5,C=0.4", ErrorKind::Usage, "the previous weights sum to 0.9, not to 1", "shares of the whole"),
            ("A=1.2,C=-0.2", ErrorKind::Usage, "the previous weight of `A` is 1.2, not between", "1.2 % is 0.012"),
            ("A=-0.2", ErrorKind::Usage, "the previous weight of `A` is negative", "weights are sizes"),
            (&folder.file("asset,weight\nA,0.9\n"), ErrorKind::Input, "sum to 0.9, not to 1", "shares of the whole"),
        ] {
            let (found, message, advice) = told(read_previous(argument, &assets()));
            assert_eq!(found, kind, "{argument}");
            assert!(message.contains(said) && advice.contains(hint), "{argument}: {message} / {advice}");
        }
    }
}
