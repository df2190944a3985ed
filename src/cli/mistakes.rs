//! What is said of flags and commands that do not exist: where there is another way to what is wished for, that way.

use crate::io::nearest;
use clap::Error;
use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::help::command;

/// Flags that people try, and what serves them.
const WISHES: [(&str, &str); 13] = [
    ("--max-weight", BOUNDS),
    ("--min-weight", BOUNDS),
    ("--bounds", BOUNDS),
    ("--target-vol", TARGET),
    ("--target-volatility", TARGET),
    ("-b", "the number of resamples is -B N"),
    ("-n", "the number of resamples is -B N"),
    ("-K", "the number of assets of a subset is -k K"),
    ("--holdings", "the weights you hold are given with --weights"),
    ("--start", "the first date is --from DATE"),
    ("--end", "the last date is --to DATE"),
    ("--risk-free", "there is no rate to subtract: give excess returns with --returns"),
    ("--rf", "there is no rate to subtract: give excess returns with --returns"),
];

const BOUNDS: &str = "`equirisk solve`, `bootstrap`, `screen` and `batch` take bounds of weights";
const TARGET: &str = "there is no target: risk budgets fix the weights, and cash or leverage of target / volatility does \
                      the rest";

/// The error with better advice.
pub fn advised(mut error: Error) -> Error {
    let text = |error: &Error, kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        _ => None,
    };
    match error.kind() {
        ErrorKind::UnknownArgument => {
            let flag = text(&error, ContextKind::InvalidArg).unwrap_or_default();
            let mut tips = match error.remove(ContextKind::Suggested) {
                Some(ContextValue::StyledStrs(tips)) => tips,
                _ => Vec::new(),
            };
            // Nobody means a flag to be a file.
            tips.retain(|tip| !tip.to_string().contains("as a value"));
            if let Some((_, wish)) = WISHES.iter().find(|(wished, _)| *wished == flag) {
                // The flag that was near is not what is meant.
                error.remove(ContextKind::SuggestedArg);
                error.remove(ContextKind::Usage);
                tips = vec![StyledStr::from(*wish)];
            }
            if !tips.is_empty() {
                error.insert(ContextKind::Suggested, ContextValue::StyledStrs(tips));
            }
        }
        ErrorKind::InvalidSubcommand => {
            let word = text(&error, ContextKind::InvalidSubcommand).unwrap_or_default();
            let command = command();
            let near: Vec<String> = nearest(&word, command.get_subcommands().map(|c| c.get_name()))
                .into_iter()
                .map(str::to_string)
                .collect();
            if word == "version" {
                error.remove(ContextKind::SuggestedSubcommand);
                let tip = StyledStr::from("`equirisk --version` prints it");
                error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip]));
            } else if error.get(ContextKind::SuggestedSubcommand).is_none() && !near.is_empty() {
                error.insert(ContextKind::SuggestedSubcommand, ContextValue::Strings(near));
            }
        }
        _ => {}
    }
    error
}
