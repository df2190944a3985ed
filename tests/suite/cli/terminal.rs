//! Does a terminal of any width get aligned lines, and colour only where it is wanted?

use std::process::Command;

use unicode_width::UnicodeWidthStr as _;

use crate::run::{Folder, equirisk, settled};

/// What the program writes to a terminal so many columns wide.
fn on_a_terminal(args: &str, columns: usize, environment: &[(&str, &str)]) -> String {
    let mut command = Command::new("script");
    command.args(["-qec", &format!("'{}' {args}", env!("CARGO_BIN_EXE_equirisk")), "/dev/null"]);
    settled(&mut command).env("COLUMNS", columns.to_string()).env("TERM", "xterm-256color");
    command.envs(environment.iter().copied());
    let output = command.stdin(std::process::Stdio::null()).output().expect("`script` opens a terminal (util-linux)");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().replace("\r\n", "\n")
}

/// Without styles.
fn plain(text: &str) -> String {
    let mut parts = text.split('\u{1b}');
    let first = parts.next().unwrap().to_string();
    parts.fold(first, |text, part| text + part.split_once('m').unwrap().1)
}

fn wide_names(folder: &Folder) -> String {
    let text = folder.read("ascii.csv");
    folder.write("prices.csv", text.replacen("A0,A1,A2", "日経平均株価,Ελλάδα,naïve résumé", 1))
}

#[test]
fn no_line_is_wider_than_the_terminal_and_columns_stay_aligned() {
    let folder = Folder::new();
    folder.write("ascii.csv", crate::run::table(&crate::run::prices(&crate::run::returns(200, 3, 0.7, 3), 3), 3));
    let data = wide_names(&folder);
    // The narrowest tables are a name beside one figure: 44 columns.
    for columns in [44, 60, 80, 100, 200] {
        for study in [
            "bootstrap -B 50",
            "bootstrap -B 50 --methods all --fixed naïve:Ελλάδα=1 --compare-estimators oas,gerber,ewma --half-life 40",
            "screen -k 2 --bootstrap-top 3 --resamples 50",
            "solve",
            "solve --methods all --estimator denoised",
        ] {
            let args = format!("{study} '{data}' --engine cpu --quiet");
            let text = plain(&on_a_terminal(
                &format!("{args}{}", if study.starts_with("solve") { "" } else { " --seed 1" }),
                columns,
                &[],
            ));
            for line in text.lines() {
                assert!(line.width() <= columns, "{study}, {columns} columns: {line}");
            }
            // A row per asset, all of whose numbers end where they end in the others.
            let ends: Vec<usize> = ["日経平均株価", "Ελλάδα", "naïve résumé"]
                .iter()
                .filter_map(|name| text.lines().find(|line| line.starts_with(&format!("{name}  "))))
                // A picture after the numbers ends where its band does.
                .map(|line| line[..=line.rfind('%').unwrap()].width())
                .collect();
            assert!(
                study.starts_with("screen") || (ends.len() == 3 && ends.iter().all(|end| *end == ends[0])),
                "{text}"
            );
        }
    }
}

#[test]
fn the_picture_stays_at_eighty_columns_and_grows_with_the_terminal() {
    let text = |columns| plain(&on_a_terminal("bootstrap -B 50 --seed 1 --quiet --engine cpu", columns, &[]));
    let [widest, wide, narrow] = [200, 110, 80].map(text);
    for (text, columns) in [(&wide, ["├", "risk share 5–95 %"]), (&narrow, ["├", "weight, 5–95 %"])] {
        assert!(columns.iter().all(|column| text.contains(column)), "{text}");
    }
    assert!(!narrow.contains("MC error"), "{narrow}");
    let line = |text: &str| text.lines().find(|line| line.contains('├')).unwrap().chars().filter(|c| *c == ' ').count();
    assert!(line(&widest) > line(&wide) && line(&wide) > 0, "{widest}");
}

#[test]
fn colour_is_for_terminals_that_want_it() {
    let args = "solve --quiet";
    assert!(on_a_terminal(args, 100, &[]).contains("\u{1b}[1m"));
    for plain in [("NO_COLOR", "1"), ("TERM", "dumb"), ("CLICOLOR", "0")] {
        let text = on_a_terminal(args, 100, &[plain]);
        assert!(!text.contains('\u{1b}'), "{plain:?}: {text}");
    }
    // Standard error is a terminal here as well.
    let missing = Folder::new().name("missing.csv");
    let failed = on_a_terminal(&format!("solve {missing} || true"), 100, &[]);
    assert!(failed.contains("\u{1b}[31merror:"), "{failed}");
}

#[test]
fn a_pipe_gets_the_same_bytes_whatever_the_terminal() {
    let args = ["bootstrap", "-B", "50", "--seed", "1", "--engine", "cpu"];
    let expected = equirisk(&args).succeeded().stdout;
    assert!(!expected.contains('\u{1b}'));
    for environment in [("COLUMNS", "40"), ("TERM", "xterm-256color"), ("CLICOLOR", "1")] {
        let mut command = crate::run::program(&args);
        let output = command.env(environment.0, environment.1).output().unwrap();
        assert_eq!(String::from_utf8(output.stdout).unwrap(), expected, "{environment:?}");
    }
}
