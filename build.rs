//! The commit that the program is built from, for `run.json`; none outside a repository.

use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let log = ".git/logs/HEAD";
    if !Path::new(log).exists() {
        return;
    }
    println!("cargo::rerun-if-changed={log}");
    let commit = Command::new("git").args(["rev-parse", "--short=12", "HEAD"]).output();
    if let Some(commit) = commit.ok().filter(|output| output.status.success()) {
        println!("cargo::rustc-env=EQUIRISK_COMMIT={}", String::from_utf8_lossy(&commit.stdout).trim());
    }
}
