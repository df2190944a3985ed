//! Does the library speak of options without saying how they are given? Its users may be on the command line, in Rust
//! or in Python.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::run::equirisk;

/// They hold lines for other programs, which have flags of their own.
const OTHER_PROGRAMS: [&str; 2] = ["src/engine/gpu/missing.rs", "src/engine/gpu/packages.rs"];

/// Sources of the library: all but those of the command line.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let (folders, files): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
    let files = files.into_iter().filter(|path| path.extension().is_some_and(|kind| kind == "rs"));
    let inner = folders.iter().filter(|path| **path != root.join("cli")).flat_map(|path| sources(path));
    files.chain(inner).filter(|path| *path != root.join("main.rs")).collect()
}

/// String literals, with the number of the line in which each begins.
fn literals(source: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < source.len() {
        let rest = &source[at..];
        let hashes = rest.trim_start_matches('r').bytes().take_while(|&byte| byte == b'#').count();
        let until =
            |end: &str, from: usize| rest[from..].find(end).map_or(rest.len(), |place| from + place + end.len());
        let length = if rest.starts_with("//") {
            until("\n", 0)
        } else if rest.starts_with("/*") {
            until("*/", 0)
        } else if rest.starts_with('r') && rest[1 + hashes..].starts_with('"') {
            until(&format!("\"{}", "#".repeat(hashes)), 2 + hashes)
        } else if rest.starts_with('"') {
            end_of(rest, '"')
        } else if rest.starts_with("'\\") {
            end_of(rest, '\'')
        } else if rest.starts_with('\'') && rest.chars().nth(2) == Some('\'') {
            rest.char_indices().nth(3).map_or(rest.len(), |(end, _)| end)
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
            continue;
        };
        if rest.starts_with(['"', 'r']) {
            found.push((1 + source[..at].matches('\n').count(), &rest[..length]));
        }
        at += length;
    }
    found
}

/// Where a literal with escapes ends.
fn end_of(text: &str, quote: char) -> usize {
    let mut is_escaped = false;
    let end = text.char_indices().skip(1).find(|&(_, c)| {
        let ends = c == quote && !is_escaped;
        is_escaped = c == '\\' && !is_escaped;
        ends
    });
    end.map_or(text.len(), |(place, _)| place + 1)
}

/// The first flag in a text: `--last` or `-o`.
fn flag(text: &str) -> Option<&str> {
    text.split(|c: char| c.is_whitespace() || "\"'`()[],;:=".contains(c)).find(|word| {
        let is_long = word.strip_prefix("--").is_some_and(|name| name.starts_with(|c: char| c.is_ascii_lowercase()));
        let is_short = word.strip_prefix('-').is_some_and(|name| name.len() == 1 && name != "-");
        is_long || is_short && word.ends_with(|c: char| c.is_ascii_alphabetic())
    })
}

#[test]
fn no_text_of_the_library_holds_a_flag() {
    let files = sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    assert!(files.len() > 100);
    let mut count = 0;
    let is_ours = |file: &PathBuf| !OTHER_PROGRAMS.iter().any(|other| file.ends_with(other));
    let (files, others): (Vec<_>, Vec<_>) = files.into_iter().partition(is_ours);
    assert_eq!(others.len(), OTHER_PROGRAMS.len());
    for file in files {
        let source = fs::read_to_string(&file).unwrap();
        for (line, literal) in literals(&source) {
            count += 1;
            assert!(flag(literal).is_none(), "{}:{line}: name the option by `option`: {literal}", file.display());
        }
    }
    assert!(count > 1_000);
}

#[test]
fn every_option_that_the_library_names_is_one_of_the_command_line() {
    let mut named = BTreeSet::new();
    for file in sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src")) {
        let source = fs::read_to_string(&file).unwrap();
        let source = source.split("#[cfg(test)]").next().unwrap();
        let code = source.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
        named.extend(code.split("option(\"").skip(1).map(|rest| rest.split('"').next().unwrap().to_string()));
    }
    assert!(named.len() > 20, "{named:?}");
    let commands = ["bootstrap", "screen", "solve", "backtest", "batch", "merge"];
    let help: String = commands.iter().map(|command| equirisk(&[command, "--help"]).stdout).collect();
    let known: BTreeSet<&str> = help
        .split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'))
        .filter_map(|word| word.strip_prefix("--"))
        .collect();
    for name in named {
        assert!(known.contains(name.as_str()), "there is no flag --{name}");
    }
}

#[test]
fn literals_and_flags_are_found() {
    let source =
        "let a = \"x \\\" -o\"; // \"--no\"\nlet b = r#\"--raw \"\"#; let c = '\"'; let d: &'a str = \"--last 5\";";
    let found = literals(source);
    assert_eq!(found, [(1, "\"x \\\" -o\""), (2, "r#\"--raw \"\"#"), (2, "\"--last 5\"")]);
    assert!(found.iter().all(|(_, literal)| flag(literal).is_some()));
    for plain in ["a - b", "-5", "3--4", "-99.99", "-- ", "x-y", "--"] {
        assert_eq!(flag(plain), None, "{plain}");
    }
}
