//! The command of a study as anybody could give it again: only what its results depend on, in the order of the help.

use std::ffi::OsString;

use clap::parser::ValueSource;
use clap::{ArgAction, ArgMatches, Command};

/// Where results go, how the work is divided, and what is printed.
const LEFT_OUT: [&str; 14] = [
    "output",
    "all",
    "shard",
    "problems",
    "allow_mixed",
    "force",
    "strict",
    "dry_run",
    "threads",
    "memory",
    "device",
    "json",
    "quiet",
    "seed",
];

/// The command line `words` without what results do not depend on, with the seed that was drawn; nothing where it is no
/// command line of this program.
pub fn canonical(words: &[OsString], seed: Option<u64>) -> String {
    let mut command = super::help::command();
    let Ok(matches) = command.try_get_matches_from_mut(words) else { return String::new() };
    let Some((name, matches)) = matches.subcommand() else { return String::new() };
    let Some(command) = command.find_subcommand(name) else { return String::new() };
    let mut parts = vec!["equirisk".to_string(), name.to_string()];
    parts.extend(arguments(command, matches));
    parts.extend(seed.map(|seed| format!("--seed {seed}")));
    parts.join(" ")
}

fn arguments(command: &Command, matches: &ArgMatches) -> Vec<String> {
    let mut parts = Vec::new();
    let given = command.get_arguments().filter(|argument| {
        let id = argument.get_id().as_str();
        !LEFT_OUT.contains(&id) && matches.value_source(id) == Some(ValueSource::CommandLine)
    });
    // Files first.
    let (positional, flags): (Vec<_>, Vec<_>) = given.partition(|argument| argument.is_positional());
    for argument in positional.into_iter().chain(flags) {
        let id = argument.get_id().as_str();
        let values: Vec<String> = matches
            .get_raw(id)
            .map_or(Vec::new(), |values| values.map(|value| value.to_string_lossy().into_owned()).collect());
        let long = argument.get_long().map(|long| format!("--{long}"));
        let flag = long.or_else(|| argument.get_short().map(|short| format!("-{short}")));
        match (flag, argument.get_action()) {
            (None, _) => parts.extend(values.iter().map(|value| quoted(value))),
            (Some(flag), ArgAction::SetTrue) => parts.push(flag),
            (Some(flag), _) if argument.get_value_delimiter().is_some() => {
                parts.push(format!("{flag} {}", quoted(&values.join(","))));
            }
            (Some(flag), _) if argument.is_require_equals_set() => {
                parts.extend(values.iter().map(|value| format!("{flag}={}", quoted(value))));
            }
            (Some(flag), _) => parts.extend(values.iter().map(|value| format!("{flag} {}", quoted(value)))),
        }
    }
    parts
}

/// As a shell takes it for one word.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./,:=+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_string()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(line: &str, seed: Option<u64>) -> String {
        let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        canonical(&words, seed)
    }

    #[test]
    fn what_results_do_not_depend_on_is_left_out_and_the_rest_is_in_one_order() {
        let one = of("equirisk bootstrap p.csv -o out --shard 0/3 -B 500 --returns --threads 2 --seed 4", Some(4));
        let other = of("equirisk bootstrap --returns --resamples=500 -q p.csv --seed 4", Some(4));
        assert_eq!(one, "equirisk bootstrap p.csv --resamples 500 --returns --seed 4");
        assert_eq!(one, other);
        // What it gives is itself a command.
        assert_eq!(of(&one, Some(4)), one);
    }

    #[test]
    fn words_are_quoted_for_a_shell_and_lists_are_joined() {
        let words = ["equirisk", "solve", "a b.csv", "--assets", "S&P,it's", "--percent=false"].map(OsString::from);
        assert_eq!(canonical(&words, None), "equirisk solve 'a b.csv' --assets 'S&P,it'\\''s' --percent=false");
        assert_eq!(of("another program", None), "");
    }
}
