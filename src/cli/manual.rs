//! Manual pages and completion scripts, from the flags themselves.

use std::io::Write as _;
use std::path::Path;

use clap::Command;
use clap_complete::Shell;

use super::args::ManArguments;
use super::help::command;
use super::output;
use crate::store::atomic::{self, Existing};
use crate::{Error, Result};

pub fn completions(shell: Shell) -> Result<u8> {
    let mut script = Vec::new();
    let mut command = command();
    let name = command.get_name().to_string();
    clap_complete::generate(shell, &mut command, name, &mut script);
    print(&script)
}

/// The page of the program or of one of its commands; with a folder, all of them as files there.
pub fn man(arguments: &ManArguments) -> Result<u8> {
    let mut program = command();
    program.build();
    if let Some(folder) = &arguments.output {
        return write(&program, folder);
    }
    let Some(name) = &arguments.command else { return print(&page(&program, None)?) };
    let Some(sub) = program.find_subcommand(name) else {
        let names = pages(&program).map(Command::get_name).collect::<Vec<_>>().join(", ");
        return Err(Error::usage(format!("there is no command `{name}`")).hint(format!("there are {names}")));
    };
    print(&page(&program, Some(sub))?)
}

/// The commands that have a page.
fn pages(program: &Command) -> impl Iterator<Item = &Command> {
    program.get_subcommands().filter(|sub| sub.get_name() != "help")
}

fn page(program: &Command, sub: Option<&Command>) -> Result<Vec<u8>> {
    let mut page = Vec::new();
    let failed = |error: std::io::Error| Error::failed(format!("the manual page cannot be made: {error}"));
    // As its page is called, which the program's own refers to.
    let called = match sub {
        Some(sub) => sub.clone().display_name(format!("equirisk-{}", sub.get_name())),
        None => program.clone(),
    };
    clap_mangen::Man::new(called).render(&mut page).map_err(failed)?;
    Ok(page)
}

fn write(program: &Command, folder: &Path) -> Result<u8> {
    std::fs::create_dir_all(folder).map_err(|error| {
        Error::failed(format!("`{}` cannot be made: {error}", folder.display())).hint("name another folder")
    })?;
    let mut names = Vec::new();
    for sub in std::iter::once(None).chain(pages(program).map(Some)) {
        let name = sub.map_or("equirisk.1".to_string(), |sub| format!("equirisk-{}.1", sub.get_name()));
        let text = page(program, sub)?;
        atomic::write(&folder.join(&name), Existing::Replace, |file| file.write_all(&text))?;
        names.push(name);
    }
    output::wrote(&format!("{}: {}", folder.display(), names.join(", ")), false);
    Ok(0)
}

fn print(text: &[u8]) -> Result<u8> {
    output::print(&String::from_utf8_lossy(text))?;
    Ok(0)
}
