//! What a problem is told beside its budgets: which assets are short, the net of long and short, expected returns.

use crate::error::{Error, ErrorKind, Result, option};
use crate::io::ranges::{self, Ends};
use crate::io::shares::{self, Noun};
use crate::io::{listed, shown};
use crate::wording::short;

const SIGNS: Noun = Noun {
    option: "signs",
    of: "asset",
    one: "sign",
    columns: &["sign", "signs", "side", "direction"],
    others: &[],
    like: "-1 for an asset that is short and 1 for one that is long",
};

const RETURNS: Noun = Noun {
    option: "expected-returns",
    one: "expected return",
    columns: &[
        "return",
        "returns",
        "expected return",
        "expected returns",
        "excess return",
        "mu",
        "mean",
        "percent",
        "%",
    ],
    like: "returns like 0.05 or 5%",
    ..SIGNS
};

/// 1 or -1 for each asset: 1 where it is not named.
///
/// # Errors
/// Signs that are neither, names that are unknown or repeated, a file that cannot be read.
pub fn read_signs(argument: &str, assets: &[String]) -> Result<Vec<i8>> {
    let read = || -> Result<Vec<i8>> {
        let shares = shares::read(argument, assets, SIGNS)?;
        if let Some(share) = shares.iter().find(|share| share.value.abs() != 1.0 || share.percent) {
            let error = Error::input(format!(
                "{}: the sign of `{}` is {}, neither 1 nor -1",
                share.at(),
                shown(&share.name),
                short(share.value)
            ));
            return Err(match share.value == 0.0 {
                true => {
                    error.hint(format!("write {}; to leave it out, {}", SIGNS.like, option("max-weight").plain("A=0")))
                }
                false => error.hint(format!("write {}", SIGNS.like)),
            });
        }
        let signs = shares::by_name(shares, assets, SIGNS)?;
        Ok(signs.into_iter().map(|sign| if sign == Some(-1.0) { -1 } else { 1 }).collect())
    };
    shares::typed(argument, read())
}

/// Expected returns in the order of `assets`, each of which is named.
///
/// # Errors
/// Names that are missing, unknown or repeated, what is no number, a file that cannot be read.
pub fn read_expected_returns(argument: &str, assets: &[String]) -> Result<Vec<f64>> {
    let read = || -> Result<Vec<f64>> {
        let found = shares::by_name(shares::read(argument, assets, RETURNS)?, assets, RETURNS)?;
        let without = assets.iter().zip(&found).filter(|(_, found)| found.is_none()).map(|(asset, _)| asset.as_str());
        let without: Vec<&str> = without.collect();
        if !without.is_empty() {
            return Err(Error::input(format!("no expected return for {}", listed(without.into_iter())))
                .hint("name every asset; 0 is a return like any other"));
        }
        Ok(found.into_iter().flatten().collect())
    };
    shares::typed(argument, read())
}

/// The net of long and short weights, where sizes sum to one.
///
/// # Errors
/// What is no range within -1..1.
pub fn read_net(argument: &str) -> Result<Ends> {
    let place = option("net").to_string();
    let read = ranges::read_range(&place, argument).and_then(|ends| {
        match ends.into_iter().flatten().find(|end| !(-1.0..=1.0).contains(end)) {
            Some(end) => Err(Error::input(format!("{place}: {} is not between -1 and 1", short(end)))
                .hint("sizes sum to 1: their net is 1 where all are long and -1 where all are short")),
            None => Ok(ends),
        }
    });
    read.map_err(|error| Error { kind: ErrorKind::Usage, ..error })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io::read_group_budgets;

    fn assets() -> Vec<String> {
        ["A", "B", "C"].map(String::from).to_vec()
    }

    fn told<T: std::fmt::Debug>(result: Result<T>) -> (ErrorKind, String, String) {
        let error = result.expect_err("refused");
        (error.kind, error.message.to_string(), error.hint.map_or(String::new(), |hint| hint.to_string()))
    }

    #[test]
    fn what_has_no_sign_is_long() {
        assert_eq!(read_signs("B=-1, C=+1", &assets()).expect("a list"), [1, -1, 1]);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("signs.csv");
        std::fs::write(&path, "sign;asset\n-1;C\n").unwrap();
        assert_eq!(read_signs(path.to_str().unwrap(), &assets()).expect("a file"), [1, 1, -1]);
        std::fs::write(&path, "asset,sign\nA,1\nC,0\n").unwrap();
        let (kind, message, advice) = told(read_signs(path.to_str().unwrap(), &assets()));
        assert_eq!(kind, ErrorKind::Input);
        assert!(message.contains("line 3, column 2: the sign of `C` is 0, neither 1 nor -1"), "{message}");
        assert!(advice.contains("to leave it out, `max-weight=A=0`"), "{advice}");
        for (list, said) in
            [("A=0", "is 0, neither"), ("A=2", "is 2, neither"), ("A=-100%", "is -1, neither"), ("D=-1", "`D`")]
        {
            let (kind, message, _) = told(read_signs(list, &assets()));
            assert!(kind == ErrorKind::Usage && message.contains(said), "{list}: {message}");
        }
    }

    #[test]
    fn every_asset_has_an_expected_return() {
        assert_eq!(read_expected_returns("A=5%,B=-0.02,C=0", &assets()).expect("a list"), [0.05, -0.02, 0.0]);
        let (kind, message, hint) = told(read_expected_returns("A=0.05", &assets()));
        assert_eq!((kind, message.as_str()), (ErrorKind::Usage, "no expected return for `B`, `C`"));
        assert!(hint.contains("name every asset"), "{hint}");
        assert!(told(read_expected_returns("A=x,B=1,C=1", &assets())).2.contains("returns like 0.05 or 5%"));
    }

    #[test]
    fn a_net_is_a_range_between_all_short_and_all_long() {
        assert_eq!(read_net("-0.2..0.2").expect("both"), [Some(-0.2), Some(0.2)]);
        assert_eq!(read_net("..20%").expect("open"), [None, Some(0.2)]);
        assert_eq!(read_net("0").expect("neutral"), [Some(0.0); 2]);
        for (text, said) in [
            ("-2..0.2", "-2 is not between -1 and 1"),
            ("0.2..-0.2", "0.2 is above -0.2"),
            ("..", "no range"),
            ("much", "no range: `much`"),
        ] {
            let (kind, message, _) = told(read_net(text));
            assert!(kind == ErrorKind::Usage && message.contains(said), "{text}: {message}");
        }
    }

    #[test]
    fn every_group_has_a_budget() {
        let groups = ["EQUITY", "BONDS"].map(String::from);
        assert_eq!(read_group_budgets("EQUITY=60%,BONDS=40%", &groups).expect("a list").0, [0.6, 0.4]);
        let (budgets, notices) = read_group_budgets("EQUITY=3,BONDS=1", &groups).expect("rescaled");
        assert_eq!((budgets, notices.len()), (vec![0.75, 0.25], 1));
        for (list, said, hint) in [
            ("EQUITY=1", "no budget for `BONDS`", "name every group; a budget of 0 leaves one out"),
            ("EQUITY=1,BOND=1", "there is no group `BOND`", "did you mean `BONDS`?"),
            ("EQUITY=-1,BONDS=2", "the budget of `EQUITY` is negative", "positive shares"),
            ("EQUITY=0,BONDS=0", "every budget is 0", "at least one group"),
        ] {
            let (kind, message, advice) = told(read_group_budgets(list, &groups));
            assert_eq!(kind, ErrorKind::Usage, "{list}");
            assert!(message.contains(said) && advice.contains(hint), "{list}: {message} / {advice}");
        }
    }
}
