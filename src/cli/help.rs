//! The command line as it is helped with: examples of each command, the flags that most calls need first, and what a shell
//! may complete.

use clap::builder::{TypedValueParser, ValueHint};
use clap::{Arg, Command, CommandFactory as _};

use super::args::Arguments;

/// Flags that stand above the others, in this order.
const COMMON: [&str; 19] = [
    "data",
    "resamples",
    "size",
    "by",
    "top",
    "weights",
    "budgets",
    "methods",
    "rebalance",
    "lookback",
    "target_vol",
    "cost_bps",
    "estimator",
    "returns",
    "covariance",
    "from",
    "seed",
    "output",
    "json",
];

/// Flags whose lists may be files as well.
const LISTS: [&str; 14] = [
    "budgets",
    "groups",
    "weights",
    "fixed",
    "max_weight",
    "min_weight",
    "bounds",
    "group_weights",
    "previous",
    "group_budgets",
    "signs",
    "expected_returns",
    "cash_rate",
    "periods",
];

/// Commands whose flags are many enough to be ordered.
const ORDERED: [&str; 5] = ["bootstrap", "screen", "backtest", "solve", "batch"];

/// What people call a command with.
const EXAMPLES: [(&str, &str); 11] = [
    (
        "bootstrap",
        "equirisk bootstrap prices.csv -o study                  a table, and charts in study/report.html
  equirisk bootstrap prices.csv --weights mine.csv        what you hold beside the bands
  equirisk bootstrap prices.csv --methods all             minimum variance, hierarchical parity, .. on the same rows
  equirisk bootstrap prices.csv --from 2015 -B 100k       the years from 2015 on, more resamples
  equirisk bootstrap returns.parquet --returns --json     returns in place of prices; JSON",
    ),
    (
        "screen",
        "equirisk screen prices.csv -k 5                         every five assets, by diversification
  equirisk screen prices.csv -k 5 --by sharpe --bootstrap-top 50 -o picks
  equirisk screen prices.csv -k 8 --sample 1M --where \"max-weight<0.3\"",
    ),
    (
        "backtest",
        "equirisk backtest prices.csv -o study                   a table, every portfolio, and wealth row by row
  equirisk backtest prices.csv --fixed 60/40:SPY=0.6,TLT=0.4 --target-vol match:60/40
  equirisk backtest prices.csv --target-vol 0.10 --cash-rate DTB3.csv --regime 63
  equirisk backtest returns.csv --returns --cash Cash     returns, one column of them cash
  equirisk backtest prices.csv --grid lookback=126,252 --grid lag=1,2",
    ),
    (
        "solve",
        "equirisk solve prices.csv -o weights.csv                one portfolio, for a spreadsheet
  equirisk solve prices.csv --budgets SPY=60%,TLT=40%     unequal shares of the risk
  equirisk solve matrix.csv --covariance                  a covariance of your own",
    ),
    ("batch", "equirisk batch covariances.npy -o weights.npy"),
    ("compare", "equirisk compare may june"),
    ("merge", "equirisk merge part0 part1 part2 -o study"),
    ("verify", "equirisk verify study"),
    ("rows", "equirisk rows prices.csv --resample 0..3 --seed 1"),
    ("completions", "equirisk completions bash > ~/.local/share/bash-completion/completions/equirisk"),
    ("man", "equirisk man bootstrap | man -l -"),
];

/// The command line, built from the flags.
pub fn command() -> Command {
    let command = Arguments::command();
    let names: Vec<String> = command.get_subcommands().map(|sub| sub.get_name().to_string()).collect();
    names.into_iter().fold(command, |command, name| command.mut_subcommand(name, helped))
}

fn helped(mut sub: Command) -> Command {
    let name = sub.get_name().to_string();
    if let Some((_, examples)) = EXAMPLES.iter().find(|(command, _)| *command == name) {
        let examples = format!("Examples:\n  {examples}");
        let longer = |more: Option<&clap::builder::StyledStr>| match more {
            Some(more) => format!("{examples}\n\n{more}"),
            None => examples.clone(),
        };
        let (short, long) = (longer(sub.get_after_help()), longer(sub.get_after_long_help().or(sub.get_after_help())));
        sub = sub.after_help(short).after_long_help(long);
    }
    if ORDERED.contains(&name.as_str()) {
        for (place, id) in COMMON.into_iter().enumerate() {
            if sub.get_arguments().any(|argument| argument.get_id() == id) {
                sub = sub.mut_arg(id, |argument: Arg| argument.help_heading(None).display_order(place));
            }
        }
    }
    for id in LISTS {
        if sub.get_arguments().any(|argument| argument.get_id() == id) {
            sub = sub.mut_arg(id, |argument| argument.value_hint(ValueHint::FilePath));
        }
    }
    sub
}

/// A parser of values that have names, which a shell can complete.
#[derive(Debug, Clone)]
pub struct Named<T> {
    pub parse: fn(&str) -> Result<T, String>,
    pub names: Vec<&'static str>,
}

impl<T: Clone + Send + Sync + 'static> TypedValueParser for Named<T> {
    type Value = T;

    fn parse_ref(&self, command: &Command, argument: Option<&Arg>, value: &std::ffi::OsStr) -> Result<T, clap::Error> {
        TypedValueParser::parse_ref(&self.parse, command, argument, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = clap::builder::PossibleValue> + '_>> {
        Some(Box::new(self.names.iter().map(clap::builder::PossibleValue::new)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_example_is_a_command_line() {
        command().debug_assert();
        for (name, examples) in EXAMPLES {
            for line in examples.lines() {
                // Words up to the explanation, or to another program.
                let example = line.trim().split("   ").next().unwrap_or_default();
                let example =
                    example.split([" > ", " | "].into_iter().find(|mark| example.contains(mark)).unwrap_or("\0"));
                let example = example.map(str::trim).next().unwrap_or_default();
                let words: Vec<String> = example.split_whitespace().map(|word| word.replace('"', "")).collect();
                let found = command().try_get_matches_from(&words);
                assert!(found.is_ok(), "{example}: {}", found.err().map_or(String::new(), |error| error.to_string()));
                assert_eq!(words[1], name);
            }
        }
    }

    #[test]
    fn common_flags_stand_first_and_nothing_is_lost() {
        let help = |sub: &str| {
            let mut command = command();
            command.find_subcommand_mut(sub).map(|sub| sub.render_help().to_string()).unwrap_or_default()
        };
        let bootstrap = help("bootstrap");
        let at = |flag: &str| bootstrap.find(flag).unwrap_or_else(|| panic!("{flag}: {bootstrap}"));
        assert!(at("--resamples") < at("--seed") && at("--output") < at("Data:"), "{bootstrap}");
        assert!(bootstrap.contains("Examples:") && help("batch").contains("weights.parquet"));
        let plain = Arguments::command();
        for sub in plain.get_subcommands() {
            for argument in sub.get_arguments().filter(|argument| !argument.is_hide_set()) {
                let flag = argument.get_long().map_or(String::new(), |long| format!("--{long}"));
                assert!(help(sub.get_name()).contains(&flag), "{} {flag}", sub.get_name());
            }
        }
    }
}
