//! Device and wall time of the GPU engine, stage by stage, beside the floors of the hardware; `benches/README.md`.
//!
//! usage: cargo bench --bench gpu -- [--device NAME|INDEX|PCI] [--out FILE|DIR] [--quick] [--seconds S] [--memory MiB]
//!                                   [--assets 5,10,..] [--date D] [--commit C]

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "the figures are what it is for")]

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use measure::{Report, Settings};

mod measure;

const USAGE: &str = "usage: gpu [--device NAME|INDEX|PCI] [--out FILE|DIR] [--quick] [--seconds S] [--memory MiB] \
                     [--assets 5,10,..] [--date D] [--commit C]";

fn main() -> ExitCode {
    match work() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn work() -> Result<(), String> {
    let mut settings = Settings {
        device: None,
        memory: None,
        quick: None,
        assets: vec![5, 10, 16, 20, 32, 50, 64, 100, 200, 500],
        limit: Duration::from_secs(240),
        date: None,
        commit: None,
        cold_start: std::env::current_exe().ok().map(|program| (program, vec!["--first-result".to_owned()])),
    };
    let (mut out, mut first_result) = (PathBuf::from("."), false);
    let mut arguments = std::env::args().skip(1);
    while let Some(flag) = arguments.next() {
        let mut value = || arguments.next().ok_or_else(|| format!("{flag} needs a value\n{USAGE}"));
        let wrong = |_| format!("{flag} needs a number\n{USAGE}");
        match flag.as_str() {
            // Cargo's own.
            "--bench" => {}
            "--quick" => settings.quick = Some(true),
            "--first-result" => first_result = true,
            "--device" => settings.device = Some(value()?),
            "--out" => out = PathBuf::from(value()?),
            "--seconds" => settings.limit = Duration::from_secs(value()?.parse().map_err(wrong)?),
            "--memory" => settings.memory = Some(value()?.parse::<u64>().map_err(wrong)? << 20),
            "--assets" => {
                settings.assets = value()?.split(',').map(str::parse).collect::<Result<_, _>>().map_err(wrong)?;
            }
            "--date" => settings.date = Some(value()?),
            "--commit" => settings.commit = Some(value()?),
            _ => return Err(format!("`{flag}` is not known\n{USAGE}")),
        }
    }
    if first_result {
        println!("{}", measure::first_result(&settings)?);
        return Ok(());
    }
    // Whatever ends the run, what is measured by then is on disk.
    let mut saved = Ok(PathBuf::new());
    let report = measure::run(&settings, &mut |report, line| {
        println!("{line}");
        saved = save(report, &out);
    })?;
    saved?;
    println!("{}", save(&report, &out)?.display());
    Ok(())
}

/// Writes the report: to the file named, or under its own name in a directory.
fn save(report: &Report, out: &Path) -> Result<PathBuf, String> {
    let file = if out.is_dir() { out.join(measure::file_name(&report.adapter.name)) } else { out.to_owned() };
    let text = serde_json::to_string_pretty(report).map_err(|e| e.to_string())?;
    std::fs::write(&file, text + "\n").map_err(|e| format!("{} cannot be written: {e}", file.display()))?;
    Ok(file)
}
