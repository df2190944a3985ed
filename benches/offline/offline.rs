//! What do compilers make of the kernels? Registers, spills, workgroup memory and residency on cards that need not be
//! there, compared with `record.json`.
//!
//! usage: cargo run --release -p offline -- check      compile every kernel; fails where one is worse than recorded
//!        cargo run --release -p offline -- record     compile and write the record
//!        cargo run --release -p offline -- table      kernels of interest, as Markdown, from the record
//!
//! AMD's are compiled by RADV (Mesa). With `--features nvidia` before and `--nvidia` after the dashes, `check` and `record`
//! take NVIDIA's too: see `nvidia.rs` for what that needs.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "the figures are what it is for")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use record::{Finding, Record};

#[cfg(feature = "nvidia")]
mod nvidia;
mod radv;
mod record;
mod table;
mod translate;

const USAGE: &str = "usage: offline check [--nvidia] | record [--nvidia] | table";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments[..] {
        ["check"] => compiled(false).and_then(check),
        ["check", "--nvidia"] => compiled(true).and_then(check),
        ["record"] => compiled(false).and_then(write),
        ["record", "--nvidia"] => compiled(true).and_then(write),
        ["table"] => read().and_then(|record| table::markdown(&record)).map(|table| print!("{table}")),
        // What the others start for each family.
        ["radv", family] => {
            radv::compile(family).and_then(|record| record.text().map_err(told)).map(|text| print!("{text}"))
        }
        _ => Err(USAGE.to_owned()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn told(error: impl std::fmt::Display) -> String {
    error.to_string()
}

fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("record.json")
}

fn read() -> Result<Record, String> {
    let text = fs::read_to_string(path()).map_err(|error| format!("record.json: {error}"))?;
    serde_json::from_str(&text).map_err(|error| format!("record.json: {error}"))
}

/// Every kernel for every target that can be had, families at the same time.
fn compiled(nvidia: bool) -> Result<Record, String> {
    let children: Vec<_> = radv::FAMILIES.iter().map(|family| radv::begin(family)).collect();
    let mut all = Record::default();
    for (family, child) in radv::FAMILIES.iter().zip(children) {
        let output = child?.wait_with_output().map_err(told)?;
        if !output.status.success() {
            return Err(format!("the kernels do not compile for {family}"));
        }
        let found: Record = serde_json::from_slice(&output.stdout).map_err(told)?;
        all.join(found);
    }
    if nvidia {
        all.join(compiled_for_nvidia()?);
    }
    Ok(all)
}

#[cfg(feature = "nvidia")]
use nvidia::compile as compiled_for_nvidia;

#[cfg(not(feature = "nvidia"))]
fn compiled_for_nvidia() -> Result<Record, String> {
    Err("this was built without the feature `nvidia`: cargo run --release -p offline --features nvidia -- ..."
        .to_owned())
}

fn check(found: Record) -> Result<(), String> {
    let mut faults = 0;
    for finding in read()?.compare(&found) {
        match finding {
            Finding::Fault(text) => {
                println!("fault: {text}");
                faults += 1;
            }
            Finding::Note(text) => println!("{text}"),
        }
    }
    match faults {
        0 => Ok(()),
        _ => Err(format!(
            "{faults} faults; where they are meant, `cargo run --release -p offline -- record` records them"
        )),
    }
}

fn write(found: Record) -> Result<(), String> {
    let mut record = if path().exists() { read()? } else { Record::default() };
    let kept: Vec<_> =
        record.compilers.keys().filter(|target| !found.compilers.contains_key(*target)).cloned().collect();
    record.take(found);
    fs::write(path(), record.text().map_err(told)?).map_err(|error| format!("record.json: {error}"))?;
    println!("{} kernels for {} targets are recorded", record.kernels.len(), record.compilers.len());
    if !kept.is_empty() {
        println!("left as they were: {}, which `--nvidia` compiles", kept.join(", "));
    }
    Ok(())
}
