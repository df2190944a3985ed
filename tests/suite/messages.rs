//! Does the program say what `tests/messages` shows, and end with the code it shows?
//!
//! A page is run from top to bottom in a folder of its own, where `data` is `tests/data`. A block shows a command, the
//! code it ends with unless that is 0, and all that it prints: results first, then what goes to standard error. `[..]`
//! stands for what differs from machine to machine. `UPDATE_MESSAGES=1 cargo test messages` writes pages anew: read the
//! difference before you keep it.

use std::fs;
use std::path::Path;

use crate::run::{Folder, fed, program};

/// What a block should show.
fn shown(folder: &Path, command: &str) -> String {
    let words = words(command);
    let mut program = program(&words.iter().map(String::as_str).collect::<Vec<_>>());
    let run = fed(program.current_dir(folder).env("COLUMNS", "100"), b"");
    let code = if run.code == 0 { String::new() } else { format!("? {}\n", run.code) };
    let all = format!("{code}{}{}", run.stdout, run.stderr);
    all.lines().map(|line| line.trim_end().to_owned() + "\n").collect()
}

/// As a shell would cut them, as far as pages need it.
fn words(command: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for (at, part) in command.split('"').enumerate() {
        if at % 2 == 1 {
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    words
}

/// Whether a line is as expected, `[..]` being anything.
fn fits(line: &str, expected: &str) -> bool {
    let Some((first, rest)) = expected.split_once("[..]") else { return line == expected };
    let Some(line) = line.strip_prefix(first) else { return false };
    line.char_indices().any(|(at, _)| fits(&line[at..], rest)) || fits("", rest)
}

#[test]
fn pages_show_what_the_program_says() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut pages: Vec<_> = fs::read_dir(root.join("tests/messages")).unwrap().map(|e| e.unwrap().path()).collect();
    pages.sort();
    assert!(pages.len() >= 3, "pages are missing");
    let update = std::env::var_os("UPDATE_MESSAGES").is_some();
    for page in pages {
        let text = fs::read_to_string(&page).unwrap();
        let folder = Folder::new();
        #[cfg(unix)]
        std::os::unix::fs::symlink(root.join("tests/data"), folder.path("data")).unwrap();
        let mut written = String::new();
        let mut rest = text.as_str();
        while let Some((before, block)) = rest.split_once("```console\n$ equirisk ") {
            let (command, block) = block.split_once('\n').unwrap();
            let (expected, after) = block.split_once("```").unwrap();
            let found = shown(&folder.path(""), command);
            let agrees = found.lines().count() == expected.lines().count()
                && found.lines().zip(expected.lines()).all(|(line, expected)| fits(line, expected));
            assert!(agrees || update, "`equirisk {command}` in {} should show\n{found}", page.display());
            let kept = if agrees { expected } else { &found };
            written += &format!("{before}```console\n$ equirisk {command}\n{kept}```");
            rest = after;
        }
        if update {
            fs::write(&page, written + rest).unwrap();
        }
    }
}
