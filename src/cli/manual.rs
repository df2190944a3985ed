//! The manual page and completion scripts, from the flags themselves.

use crate::{Error, Result};
use clap::CommandFactory as _;
use clap_complete::Shell;

use super::args::Arguments;
use super::output;

pub fn completions(shell: Shell) -> Result<u8> {
    let mut script = Vec::new();
    let mut command = Arguments::command();
    let name = command.get_name().to_string();
    clap_complete::generate(shell, &mut command, name, &mut script);
    print(script)
}

/// One page: the program, then each of its commands.
pub fn page() -> Result<u8> {
    let mut page = Vec::new();
    let failed = |error: std::io::Error| Error::failed(format!("the manual page cannot be made: {error}"));
    let mut command = Arguments::command();
    command.build();
    clap_mangen::Man::new(command.clone()).render(&mut page).map_err(failed)?;
    for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
        let man = clap_mangen::Man::new(sub.clone());
        man.render_name_section(&mut page).map_err(failed)?;
        man.render_synopsis_section(&mut page).map_err(failed)?;
        man.render_options_section(&mut page).map_err(failed)?;
        man.render_extra_section(&mut page).map_err(failed)?;
    }
    print(page)
}

fn print(text: Vec<u8>) -> Result<u8> {
    output::print(&String::from_utf8_lossy(&text))?;
    Ok(0)
}
