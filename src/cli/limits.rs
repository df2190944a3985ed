//! The flags that limit weights, and those that say what else is known: from words to numbers for each asset.

use clap::{Args, ValueEnum};

use super::args::{EngineChoice, MachineArguments, ProblemArguments};
use super::data::Notes;
use super::values::positive;
use crate::error::option;
pub use crate::io::Shorts;
use crate::io::{self, Ends, Groups, Input, plain};
use crate::methods::limits::MOST_GROUPS;
use crate::methods::{RiskMeasure, Selection};
use crate::study::limited::Within;
use crate::study::limits::{Expected, NamedGroup, NamedLimits, NamedRow, Objective, Terms, budgets_of_groups, settle};
use crate::{Error, Result};

/// Least and largest weights.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Limits")]
pub struct BoundArguments {
    /// Largest weight: of every asset, such as 0.1 or 10%, or of those named: `A=0.1,B=20%` or a CSV file `asset,max`
    #[arg(long, value_name = "X|A=0.1,B=0.2|FILE", allow_negative_numbers = true)]
    pub max_weight: Option<String>,
    /// Least weight, likewise
    #[arg(long, value_name = "X|A=0.1,B=0.2|FILE", allow_negative_numbers = true)]
    pub min_weight: Option<String>,
    /// Least and largest weights: a CSV file `asset,min,max`, a cell empty where there is none. Of several bounds of an
    /// asset the tighter holds
    #[arg(long, value_name = "FILE")]
    pub bounds: Option<String>,
}

impl BoundArguments {
    /// The least and the largest weight of each asset.
    ///
    /// # Errors
    /// As the readers of [`io`].
    pub fn read(&self, assets: &[String], shorts: Shorts) -> Result<[Vec<f64>; 2]> {
        let (mut least, mut most) = (vec![0.0; assets.len()], vec![1.0; assets.len()]);
        let mut tighten = |asset: usize, [low, high]: Ends| {
            least[asset] = low.unwrap_or(0.0).max(least[asset]);
            most[asset] = high.unwrap_or(1.0).min(most[asset]);
        };
        if let Some(argument) = &self.min_weight {
            let found = io::read_min_weight(argument, assets, shorts)?;
            found.into_iter().enumerate().for_each(|(asset, low)| tighten(asset, [low, None]));
        }
        if let Some(argument) = &self.max_weight {
            let found = io::read_max_weight(argument, assets, shorts)?;
            found.into_iter().enumerate().for_each(|(asset, high)| tighten(asset, [None, high]));
        }
        if let Some(argument) = &self.bounds {
            let found = io::read_bounds(argument, assets, shorts)?;
            found.into_iter().enumerate().for_each(|(asset, ends)| tighten(asset, ends));
        }
        Ok([least, most])
    }
}

/// What weights may be.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Limits")]
pub struct LimitArguments {
    #[command(flatten)]
    pub bounds: BoundArguments,
    /// Groups of assets: a CSV file `asset,group`
    #[arg(long, value_name = "FILE")]
    pub groups: Option<String>,
    /// What groups hold together: `G=0.2..0.5,H=..30%,K=0.1` (0.1 and no other) or a CSV file `group,min,max`
    #[arg(long, value_name = "G=0.2..0.5,H=..0.3|FILE", requires = "groups")]
    pub group_weights: Option<String>,
    /// A limit on weights of assets and groups, such as "TECH <= 0.5 * EQUITY" or "'S&P 500' >= NIKKEI + 2%"; may be
    /// given several times
    #[arg(long = "limit", value_name = "EXPR", allow_hyphen_values = true)]
    pub rows: Vec<String>,
    /// Weights before: `A=0.3,B=70%` or a CSV file `asset,weight`; what is not named was not held
    #[arg(long, value_name = "FILE|A=0.3,B=0.7", requires = "max_turnover")]
    pub previous: Option<String>,
    /// Half the sum of the absolute changes of weights, at most
    #[arg(long, value_name = "X", value_parser = turnover, allow_negative_numbers = true, requires = "previous")]
    pub max_turnover: Option<f64>,
    /// What is sought within the limits [default: log-barrier]
    #[arg(long, value_name = "OBJECTIVE", value_enum)]
    pub objective: Option<ObjectiveName>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ObjectiveName {
    /// The least risk for the budget-weighted mean of log weights, which has one answer
    LogBarrier,
    /// Shares in proportion to budgets where no bound holds (Richard & Roncalli 2019); bounds only
    Proportional,
}

/// What is known beside the data.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Problem")]
pub struct TermArguments {
    /// Risk budgets of groups, which their assets share as --budgets says: `G=0.6,H=40%` or a CSV file `group,budget`
    #[arg(long, value_name = "FILE|G=0.6,H=0.4", requires = "groups")]
    pub group_budgets: Option<String>,
    /// Assets that are short: `A=-1,B=-1` or a CSV file `asset,sign`; the others are long
    #[arg(long, value_name = "FILE|A=-1,B=-1")]
    pub signs: Option<String>,
    /// What long less short weights sum to, where all sizes sum to 1: --net=-0.2..0.2
    #[arg(long, value_name = "LO..HI", allow_hyphen_values = true, requires = "signs")]
    pub net: Option<String>,
    /// Expected returns above cash, a year: `A=0.05,B=2%` or a CSV file `asset,return`. Risk is C times the volatility
    /// less the expected return
    #[arg(long, value_name = "FILE|A=0.05,B=0.02")]
    pub expected_returns: Option<String>,
    /// C, for --expected-returns [default: 2]
    #[arg(long, value_name = "C", value_parser = positive, allow_negative_numbers = true, requires = "expected_returns")]
    pub risk_aversion: Option<f64>,
    /// Weight of the variance beside the budgets: the larger, the closer to minimum variance
    #[arg(long, value_name = "G", value_parser = positive, allow_negative_numbers = true)]
    #[arg(conflicts_with = "expected_returns")]
    pub variance_weight: Option<f64>,
}

/// What was asked for, settled.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
    /// Of all assets, summing to one. 0 of those that leave, and of those that are held at one weight without a budget.
    pub budgets: Vec<f64>,
    /// Of all assets.
    pub within: Within,
    /// Places of the assets that take part.
    pub keep: Vec<usize>,
}

/// Budgets, limits and terms of these assets.
///
/// # Errors
/// Bad values, unknown names, and limits that contradict each other.
pub fn read(
    problem: &ProblemArguments,
    limits: &LimitArguments,
    terms: &TermArguments,
    assets: &[String],
    notes: &mut Notes,
) -> Result<Asked> {
    limits.check_objective(terms)?;
    let groups = limits.groups(assets)?;
    let known = terms.read(assets)?;
    let mut named = limits.read(assets, groups.as_ref(), &known)?;
    named.rows.extend(terms.net(assets, &known)?);
    let mut budgets = vec![1.0 / assets.len() as f64; assets.len()];
    if let Some(argument) = &problem.budgets {
        let (found, notices) = io::read_budgets(argument, assets)?;
        notes.say(&notices);
        budgets = found;
    }
    if let (Some(argument), Some(groups)) = (&terms.group_budgets, &groups) {
        let (found, notices) = io::read_group_budgets(argument, &groups.names)?;
        notes.say(&notices);
        budgets = budgets_of_groups(&found, &budgets, &named, assets)?;
    }
    let mut notices = Vec::new();
    let leave = settle(&mut budgets, &mut named, assets, &mut notices)?;
    notes.say(&notices);
    let keep: Vec<usize> = (0..assets.len()).filter(|asset| !leave.contains(asset)).collect();
    if named.over(&keep).is_none() {
        // Who leaves is known by the budgets.
        named.least.fill(0.0);
        named.most.fill(1.0);
    }
    Ok(Asked { budgets, within: Within { limits: named, terms: known }, keep })
}

/// Limits are for volatility.
///
/// # Errors
/// Limits with another risk.
pub fn check_risk(within: &Within, measure: RiskMeasure) -> Result<()> {
    if !within.is_none() && !measure.is_volatility() {
        return Err(Error::usage(format!(
            "limits, signs and expected returns are for volatility, not for {}",
            measure.words()
        ))
        .hint(format!("leave {} or the limits out", option("risk"))));
    }
    Ok(())
}

/// What of this GPUs do not take; none where they take all.
pub fn beyond_devices(within: &Within, beside: &Selection) -> Option<String> {
    let solved = beside.methods().iter().find(|method| method.is_solved() && !within.limits.is_none());
    let solved = solved.map(|method| format!("`{}` within limits", beside.name(*method)));
    within.beyond_lanes().map(str::to_string).or(solved)
}

/// # Errors
/// A GPU is asked for, and does not take all of it.
pub fn check_machine(within: &Within, beside: &Selection, machine: &MachineArguments) -> Result<()> {
    let asked = machine.engine == EngineChoice::Gpu || machine.device.is_some();
    match beyond_devices(within, beside).filter(|_| asked) {
        None => Ok(()),
        Some(what) => {
            Err(Error::usage(format!("a GPU takes bounds, and limits on up to {MOST_GROUPS} groups, but not {what}"))
                .hint(format!("leave {} out: the CPU takes all of them", option("engine").word("gpu"))))
        }
    }
}

/// One portfolio within limits is no work for a GPU.
///
/// # Errors
/// A GPU is asked for.
pub fn check_on_cpu(within: &Within, machine: &MachineArguments) -> Result<()> {
    if !within.is_none() && (machine.engine == EngineChoice::Gpu || machine.device.is_some()) {
        return Err(Error::usage("one portfolio within limits, with signs or expected returns is solved on the CPU")
            .hint(format!("leave {} out, or the limits", option("engine").word("gpu"))));
    }
    Ok(())
}

impl LimitArguments {
    fn groups(&self, assets: &[String]) -> Result<Option<Groups>> {
        let input = |path: &String| Input::from_argument(Some(path.as_ref()));
        self.groups.as_ref().map(|path| io::read_groups(&input(path), assets)).transpose()
    }

    /// Before what leaves is settled.
    fn read(&self, assets: &[String], groups: Option<&Groups>, terms: &Terms) -> Result<NamedLimits> {
        let [least, most] = self.bounds.read(assets, Shorts::BySigns)?;
        let mut limits = NamedLimits { least, most, ..NamedLimits::none(assets.len()) };
        if let Some(groups) = groups {
            let ranges = match &self.group_weights {
                Some(argument) => io::read_group_weights(argument, &groups.names)?,
                None => vec![[None, None]; groups.names.len()],
            };
            let group = |(number, (name, [least, most])): (usize, (&String, Ends))| NamedGroup {
                name: name.clone(),
                members: (0..assets.len()).filter(|&asset| groups.of[asset] == Some(number)).collect(),
                least: least.unwrap_or(0.0),
                most: most.unwrap_or(1.0),
            };
            limits.groups = groups.names.iter().zip(ranges).enumerate().map(group).collect();
        }
        for text in &self.rows {
            for row in io::read_expression(text, assets, groups)? {
                let signed = |(asset, coefficient): (usize, f64)| coefficient * terms.sign(asset);
                limits.rows.push(NamedRow {
                    expression: plain(text),
                    coefficients: row.coefficients.into_iter().enumerate().map(signed).collect(),
                    least: row.ends[0],
                    most: row.ends[1],
                });
            }
        }
        limits.previous = self.previous.as_ref().map(|argument| io::read_previous(argument, assets)).transpose()?;
        limits.max_turnover = self.max_turnover;
        if self.objective == Some(ObjectiveName::Proportional) {
            limits.objective = Objective::Proportional;
        }
        Ok(limits)
    }

    /// Proportional shares know bounds alone.
    fn check_objective(&self, terms: &TermArguments) -> Result<()> {
        if self.objective != Some(ObjectiveName::Proportional) {
            return Ok(());
        }
        let others = [
            ("group-weights", self.group_weights.is_some()),
            ("limit", !self.rows.is_empty()),
            ("max-turnover", self.max_turnover.is_some()),
            ("net", terms.net.is_some()),
            ("expected-returns", terms.expected_returns.is_some()),
            ("variance-weight", terms.variance_weight.is_some()),
        ];
        match others.into_iter().find(|(_, given)| *given) {
            None => Ok(()),
            Some((other, _)) => Err(Error::usage(format!(
                "{} takes bounds of assets alone, and {} is given",
                option("objective").word("proportional"),
                option(other)
            ))
            .hint(format!("leave one of them out: {} takes both", option("objective").word("log-barrier")))),
        }
    }
}

impl TermArguments {
    fn read(&self, assets: &[String]) -> Result<Terms> {
        let returns = self.expected_returns.as_ref().map(|argument| io::read_expected_returns(argument, assets));
        let risk_aversion = self.risk_aversion.unwrap_or(Expected::RISK_AVERSION);
        Ok(Terms {
            signs: self.signs.as_ref().map(|argument| io::read_signs(argument, assets)).transpose()?,
            expected: returns.transpose()?.map(|returns| Expected { returns, risk_aversion }),
            variance_weight: self.variance_weight,
        })
    }

    /// The row of signs that --net is.
    fn net(&self, assets: &[String], terms: &Terms) -> Result<Option<NamedRow>> {
        let row = |argument: &String| {
            let [least, most] = io::read_net(argument)?;
            let coefficients = (0..assets.len()).map(|asset| terms.sign(asset)).collect();
            Ok(NamedRow { expression: format!("net {}", plain(argument)), coefficients, least, most })
        };
        self.net.as_ref().map(row).transpose()
    }
}

/// A share of the whole.
fn turnover(text: &str) -> std::result::Result<f64, String> {
    let (number, scale) = text.trim().strip_suffix('%').map_or((text, 1.0), |number| (number, 100.0));
    let found = number.trim().parse().ok().map(|number: f64| number / scale);
    match found {
        Some(most) if (0.0..=1.0).contains(&most) => Ok(most),
        Some(most) if (1.0..=100.0).contains(&most) && scale == 1.0 => {
            Err(format!("not between 0 and 1: {most} % is {}", crate::wording::short(most / 100.0)))
        }
        _ => Err("not a number from 0 to 1, such as 0.2 or 20%".to_string()),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::ErrorKind;

    #[derive(Debug, Parser)]
    struct Arguments {
        #[command(flatten)]
        problem: ProblemArguments,
        #[command(flatten)]
        limits: LimitArguments,
        #[command(flatten)]
        terms: TermArguments,
    }

    fn assets() -> Vec<String> {
        ["A", "B", "C", "D"].map(String::from).to_vec()
    }

    fn parsed(words: &[&str]) -> std::result::Result<Arguments, clap::Error> {
        Arguments::try_parse_from([&["equirisk"], words].concat())
    }

    fn asked(words: &[&str]) -> Result<Asked> {
        let Arguments { problem, limits, terms } = parsed(words).unwrap_or_else(|error| panic!("{words:?}: {error}"));
        read(&problem, &limits, &terms, &assets(), &mut Notes::new(true))
    }

    fn groups(folder: &tempfile::TempDir) -> String {
        let path = folder.path().join("groups.csv");
        std::fs::write(&path, "asset,group\nA,EQUITY\nB,EQUITY\nC,BONDS\nD,BONDS\nX,OTHER\n").unwrap();
        path.to_str().unwrap().to_string()
    }

    #[test]
    fn nothing_asked_for_is_no_limit() {
        let asked = asked(&[]).unwrap();
        assert!(asked.within.limits.is_none() && asked.within.terms.is_none());
        assert_eq!((asked.budgets, asked.keep), (vec![0.25; 4], vec![0, 1, 2, 3]));
        assert_eq!(asked.within.limits, NamedLimits::none(4));
    }

    #[test]
    fn of_several_bounds_the_tighter_holds() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bounds.csv");
        std::fs::write(&path, "asset,min,max\nA,0.2,0.5\nB,,0.3\n").unwrap();
        let bounds = path.to_str().unwrap();
        let found =
            asked(&["--bounds", bounds, "--max-weight", "40%", "--min-weight", "A=0.1,C=0.1"]).unwrap().within.limits;
        assert_eq!(found.least, [0.2, 0.0, 0.1, 0.0]);
        assert_eq!(found.most, [0.4, 0.3, 0.4, 0.4]);
    }

    #[test]
    fn all_groups_are_kept_for_the_report_and_ranges_limit_them() {
        let folder = tempfile::tempdir().unwrap();
        let path = groups(&folder);
        let found = asked(&["--groups", &path, "--group-weights", "EQUITY=..30%"]).unwrap().within.limits;
        assert_eq!(found.groups.len(), 2);
        assert_eq!((found.groups[0].most, found.groups[1].most), (0.3, 1.0));
        assert_eq!(found.limits().groups.len(), 1);
        let found =
            asked(&["--groups", &path, "--group-budgets", "EQUITY=0.8,BONDS=0.2", "--budgets", "A=1,B=3,C=1,D=1"]);
        let budgets: Vec<String> = found.unwrap().budgets.into_iter().map(crate::wording::short).collect();
        assert_eq!(budgets, ["0.2", "0.6", "0.1", "0.1"]);
        let left = asked(&["--groups", &path, "--group-weights", "BONDS=0"]).unwrap();
        assert_eq!((left.keep, left.budgets), (vec![0, 1], vec![0.5, 0.5, 0.0, 0.0]));
    }

    #[test]
    fn rows_speak_of_signed_weights_and_a_net_is_a_row_of_signs() {
        let found =
            asked(&["--signs", "B=-1", "--limit", "B >= -0.5", "--limit=-A <= 0.5 * B", "--net=-0.2..0.2"]).unwrap();
        let rows: Vec<(&str, &[f64])> =
            found.within.limits.rows.iter().map(|row| (row.expression.as_str(), &row.coefficients[..])).collect();
        assert_eq!(
            rows,
            [
                ("B >= -0.5", &[0.0, -1.0, 0.0, 0.0][..]),
                ("-A <= 0.5 * B", &[-1.0, 0.5, 0.0, 0.0]),
                ("net -0.2..0.2", &[1.0, -1.0, 1.0, 1.0]),
            ]
        );
        assert_eq!((found.within.limits.rows[2].least, found.within.limits.rows[2].most), (Some(-0.2), Some(0.2)));
        assert_eq!(found.within.terms.signs, Some(vec![1, -1, 1, 1]));
        assert!(asked(&["--signs", "B=-1", "--net", "-0.2..0.2"]).is_ok());
    }

    #[test]
    fn turnover_and_returns_are_read() {
        let found = asked(&["--previous", "A=50%,B=50%", "--max-turnover", "20%"]).unwrap().within.limits;
        assert_eq!((found.previous, found.max_turnover), (Some(vec![0.5, 0.5, 0.0, 0.0]), Some(0.2)));
        let returns = "A=5%,B=4%,C=3%,D=0";
        let expected = asked(&["--expected-returns", returns]).unwrap().within.terms.expected.unwrap();
        assert_eq!(expected, Expected { returns: vec![0.05, 0.04, 0.03, 0.0], risk_aversion: 2.0 });
        let averse = asked(&["--expected-returns", returns, "--risk-aversion", "3"]).unwrap();
        assert_eq!(averse.within.terms.expected.unwrap().risk_aversion, 3.0);
        assert_eq!(asked(&["--variance-weight", "0.5"]).unwrap().within.terms.variance_weight, Some(0.5));
    }

    #[test]
    fn flags_that_need_others_or_exclude_them_say_so() {
        for (words, said) in [
            (&["--max-turnover", "0.2"][..], "--previous"),
            (&["--previous", "A=1"], "--max-turnover"),
            (&["--group-weights", "G=0.1"], "--groups"),
            (&["--group-budgets", "G=1"], "--groups"),
            (&["--net=0..0.2"], "--signs"),
            (&["--risk-aversion", "3"], "--expected-returns"),
            (&["--variance-weight", "1", "--expected-returns", "A=1"], "cannot be used with"),
            (&["--risk-aversion", "-3", "--expected-returns", "A=1"], "not a positive number"),
            (&["--max-turnover", "20", "--previous", "A=1"], "20 % is 0.2"),
            (&["--max-turnover", "-1", "--previous", "A=1"], "0.2 or 20%"),
            (&["--objective", "least-squares"], "log-barrier, proportional"),
        ] {
            let error = parsed(words).expect_err("refused");
            assert_eq!(error.exit_code(), 2, "{words:?}");
            assert!(error.to_string().contains(said), "{words:?}: {error}");
        }
    }

    #[test]
    fn proportional_shares_take_bounds_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = groups(&folder);
        let proportional =
            |words: &[&str]| asked(&[&["--objective", "proportional", "--groups", &path], words].concat());
        let found = proportional(&["--max-weight", "0.3", "--group-budgets", "EQUITY=0.5,BONDS=0.5"]).unwrap();
        assert_eq!(found.within.limits.objective, Objective::Proportional);
        for words in [
            &["--group-weights", "EQUITY=0.1"][..],
            &["--limit", "A <= B"],
            &["--previous", "A=1", "--max-turnover", "0.1"],
            &["--signs", "A=-1", "--net=0..1"],
            &["--expected-returns", "A=1,B=1,C=1,D=1"],
            &["--variance-weight", "1"],
        ] {
            let error = proportional(words).expect_err("refused");
            assert_eq!(error.kind, ErrorKind::Usage, "{words:?}");
            assert!(error.message.contains("takes bounds of assets alone"), "{words:?}: {error}");
        }
    }

    #[test]
    fn limits_that_contradict_each_other_are_refused_before_any_work() {
        let folder = tempfile::tempdir().unwrap();
        let path = groups(&folder);
        for (words, said, hint) in [
            (
                &["--max-weight", "0.2"][..],
                "the largest weights sum to 0.8, below 1",
                "raise `max-weight` to 0.25 or more",
            ),
            (&["--min-weight", "30%"], "the least weights sum to 1.2, above 1", "lower `min-weight` to 0.25 or less"),
            (
                &["--max-weight", "A=0.1", "--min-weight", "A=0.2"],
                "A: at least 0.2, but at most 0.1",
                "the tighter holds",
            ),
            (
                &["--groups", &path, "--group-weights", "EQUITY=0.6..", "--max-weight", "A=0.24,B=0.24"],
                "EQUITY: at least 0.6, but its members hold at most 0.48",
                "`max-weight`",
            ),
            (
                &["--groups", &path, "--group-weights", "EQUITY=..0.5,BONDS=..0.45"],
                "the limits on EQUITY and BONDS let them hold at most 0.95",
                "raise one of them",
            ),
        ] {
            let error = asked(words).expect_err("nothing is within them");
            assert_eq!(error.kind, ErrorKind::Usage, "{words:?}");
            assert_eq!(error.message, said);
            let advice = error.hint.map_or(String::new(), |hint| hint.to_string());
            assert!(advice.contains(hint), "{words:?}: {advice}");
        }
    }

    #[test]
    fn what_is_wrong_in_a_file_has_the_code_of_files() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("caps.csv");
        std::fs::write(&path, "asset,max\nA,10\n").unwrap();
        let error = asked(&["--max-weight", path.to_str().unwrap()]).expect_err("10 of 1");
        assert_eq!(error.kind, ErrorKind::Input);
        assert!(error.message.contains("line 2, column 2"), "{error}");
        let error = asked(&["--groups", "no/such.csv"]).expect_err("no file");
        assert_eq!(error.kind, ErrorKind::Input);
        assert_eq!(asked(&["--max-weight", "A=10"]).expect_err("10 of 1").kind, ErrorKind::Usage);
    }
}
