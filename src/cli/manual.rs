//! `completions` and `man`: what packages put beside the program, made from its own command line.

use std::process::ExitCode;

use clap::CommandFactory as _;
use clap_complete::Shell;

use super::{Cli, fail, say};

/// The arguments of `completions`.
#[derive(Debug, Clone, clap::Args)]
pub struct Arguments {
    /// The shell.
    shell: Shell,
}

pub(super) fn completions(arguments: &Arguments) -> ExitCode {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Cli::command(), "venice-mcp", &mut script);
    print(&script)
}

pub(super) fn page() -> ExitCode {
    let mut page = Vec::new();
    match clap_mangen::Man::new(Cli::command()).render(&mut page) {
        Ok(()) => print(&page),
        Err(error) => fail(&error),
    }
}

fn print(text: &[u8]) -> ExitCode {
    say(String::from_utf8_lossy(text).trim_end());
    ExitCode::SUCCESS
}
