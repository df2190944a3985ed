//! Is what README and docs show what the program prints? Every block that begins with `$ equirisk` is run, in a folder
//! that holds the files which the text speaks of. `UPDATE_PAGES=1` writes what is printed now into the pages. A block that ends with `...` shows the beginning.

use std::fs;
use std::path::Path;

use crate::cases::data;
use crate::run::{Folder, Run, fed, npy, program, sample_covariance};

/// Pages with blocks.
fn pages() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let docs = fs::read_dir(root.join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let mut paths: Vec<_> = docs.filter(|path| path.extension().is_some_and(|kind| kind == "md")).collect();
    paths.push(root.join("README.md"));
    paths.sort();
    paths.into_iter().map(|path| (path.display().to_string(), fs::read_to_string(path).unwrap())).collect()
}

/// Commands of a page, and what they are shown to print.
fn blocks(page: &str) -> Vec<(String, String)> {
    let fenced = page.split("\n```").skip(1).step_by(2);
    let shown = fenced.filter_map(|block| block.split_once('\n')?.1.strip_prefix("$ equirisk "));
    let blocks = shown.map(|block| block.split_once('\n').expect("a block shows what its command prints"));
    blocks.map(|(command, output)| (command.to_owned(), output.to_owned())).collect()
}

/// What the examples read.
fn folder() -> Folder {
    let folder = Folder::new();
    #[cfg(unix)]
    std::os::unix::fs::symlink(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests"), folder.path("tests")).unwrap();
    // Prices as a spreadsheet of another country writes them.
    let clean = fs::read_to_string(data("messy/01_clean.csv")).unwrap();
    let abroad = clean.lines().enumerate().map(|(at, line)| match (at, line.split_once(',')) {
        (1.., Some((date, cells))) => {
            let parts: Vec<&str> = date.split('-').collect();
            format!("{}/{}/{};{}\n", parts[2], parts[1], parts[0], cells.replace(',', ";").replace('.', ","))
        }
        _ => line.replace(',', ";") + "\n",
    });
    folder.write("prices.csv", abroad.collect::<String>());
    folder.write("windows.npy", windows(&clean));
    // Bootstraps of two months. Blocks of a given length, for an estimate is printed in full by `compare`.
    for (month, last) in [("may", "2020-05"), ("june", "2020-06")] {
        let words = ["bootstrap", "prices.csv", "--to", last, "--block", "20", "--seed", "1", "-o", month];
        fed(program(&words).current_dir(folder.path("")), b"").succeeded();
    }
    folder
}

/// Covariances of returns in windows of 60 rows, as the Python beside the example makes them.
fn windows(prices: &str) -> Vec<u8> {
    let prices: Vec<Vec<f64>> = prices
        .lines()
        .skip(1)
        .map(|line| line.split(',').skip(1).map(|cell| cell.parse().unwrap()).collect())
        .collect();
    let returns: Vec<f64> = prices
        .windows(2)
        .flat_map(|pair| pair[1].iter().zip(&pair[0]).map(|(now, before)| now / before - 1.0))
        .collect();
    let (n, rows) = (prices[0].len(), prices.len() - 1);
    let windows = (60..=rows).map(|end| sample_covariance(&returns, n, &(end - 60..end).collect::<Vec<_>>()));
    let values: Vec<f64> = windows.flatten().collect();
    npy(&[values.len() / (n * n), n, n], &values)
}

/// Whether these are lines of standard error.
fn are_said(lines: &[String]) -> bool {
    let is_said = |line: &String| ["note: ", "error: ", "hint: "].iter().any(|start| line.starts_with(start));
    !lines.is_empty() && lines.iter().all(is_said)
}

/// The words of a command; those in quotes are one.
fn words(command: &str) -> Vec<&str> {
    let parts = command.split('"').enumerate();
    parts.flat_map(|(at, part)| if at % 2 == 0 { part.split_whitespace().collect() } else { vec![part] }).collect()
}

fn trimmed(text: &str) -> Vec<String> {
    // Editors trim the ends of lines.
    text.trim_end().lines().map(|line| line.trim_end().to_owned()).collect()
}

/// The lines of `devices` without what differs by machine: names, versions, numbers, and which features there are.
fn of_any_machine(lines: &[String]) -> Vec<String> {
    let plain = |line: &String| {
        let indented = line.starts_with(' ');
        let (label, rest) = line.trim_start().split_once(' ').unwrap_or((line, ""));
        match label {
            _ if !indented => "N: NAME (KIND through API)".to_owned(),
            "driver" | "features" => format!("   {label}"),
            _ => format!("   {label} {}", numberless(rest.trim_start())),
        }
    };
    lines.iter().map(plain).collect()
}

/// With a 0 for every number.
fn numberless(text: &str) -> String {
    let mut plain = String::new();
    for c in text.chars() {
        let part_of_number = c.is_ascii_digit() || (plain.ends_with('0') && ".-e".contains(c));
        if !part_of_number {
            plain.push(c);
        } else if !plain.ends_with('0') {
            plain.push('0');
        }
    }
    plain
}

#[test]
fn numbers_leave_their_words() {
    assert_eq!(numberless("(rc_error 1.3e-6), 32 KiB; 1024 lanes"), "(rc_error 0), 0 KiB; 0 lanes");
}

fn assert_shown(page: &str, command: &str, shown: &[String], run: &Run) {
    let (printed, said) = (trimmed(&run.stdout), trimmed(&run.stderr));
    let agrees = match command.split(' ').next() {
        // Of as many adapters as there are, the first.
        Some("devices") => {
            let first = printed.len().min(shown.len());
            printed[0].contains(" through ") && of_any_machine(&printed[..first]) == of_any_machine(shown)
        }
        // What is remarked, where a block shows only that.
        _ if are_said(shown) => shown.iter().all(|line| said.contains(line)),
        _ => match shown.split_last() {
            Some((last, beginning)) if last == "..." => printed.starts_with(beginning),
            _ => printed == shown,
        },
    };
    assert!(agrees, "`equirisk {command}` in {page} should show\n{}{}", run.stdout, run.stderr);
}

/// What a page should show in place of `shown`, which may be the beginning of a result; none where it is what a machine has.
fn renewed(command: &str, shown: &str, run: &Run) -> Option<String> {
    let lines = trimmed(shown);
    let is_notes = are_said(&lines);
    let printed = trimmed(if is_notes { &run.stderr } else { &run.stdout });
    if command.starts_with("devices") {
        return None;
    }
    let beginning = lines.last().filter(|last| *last == "...").map(|_| lines.len() - 1);
    let mut text = printed[..beginning.unwrap_or(printed.len()).min(printed.len())].join("\n");
    text.push_str(if beginning.is_some() { "\n..." } else { "" });
    Some(text)
}

#[test]
fn pages_show_what_the_program_prints() {
    let folder = folder();
    let mut commands = Vec::new();
    let update = std::env::var_os("UPDATE_PAGES").is_some();
    for (page, mut text) in pages() {
        if update {
            for (command, shown) in blocks(&text) {
                let words = words(&command);
                let run = fed(program(&words).current_dir(folder.path("")), b"");
                if let Some(renewed) = renewed(&command, &shown, &run) {
                    let head = format!("$ equirisk {command}\n");
                    text = text.replace(&(head.clone() + &shown), &(head + &renewed));
                }
            }
            fs::write(&page, &text).unwrap();
        }
        // Nothing that looks like a result is left out.
        assert_eq!(text.matches("$ equirisk ").count(), blocks(&text).len(), "{page}");
        for (command, shown) in blocks(&text) {
            let words = words(&command);
            let run = fed(program(&words).current_dir(folder.path("")), b"");
            assert_shown(&page, &command, &trimmed(&shown), &run);
            commands.push(words[0].to_owned());
        }
    }
    commands.sort();
    commands.dedup();
    let all = ["backtest", "batch", "bootstrap", "compare", "devices", "rows", "screen", "solve"];
    assert_eq!(commands, all, "each has an example");
}
