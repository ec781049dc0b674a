//! `completions` and `man`: files for packages, generated from the command line.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::CommandFactory as _;
use clap_complete::Shell;

use super::{Cli, exit_failed, print_text};

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

/// The arguments of `man`.
#[derive(Debug, Clone, clap::Args)]
pub struct ManArguments {
    /// Write the pages of all commands to this directory.
    #[arg(value_name = "DIRECTORY")]
    directory: Option<PathBuf>,
}

pub(super) fn pages(arguments: &ManArguments) -> ExitCode {
    if let Some(directory) = &arguments.directory {
        let written = std::fs::create_dir_all(directory)
            .and_then(|()| clap_mangen::generate_to(Cli::command(), directory));
        return match written {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => exit_failed(&format!("{}: {error}", directory.display())),
        };
    }
    let mut page = Vec::new();
    match clap_mangen::Man::new(Cli::command()).render(&mut page) {
        Ok(()) => print(&page),
        Err(error) => exit_failed(&error),
    }
}

fn print(text: &[u8]) -> ExitCode {
    print_text(String::from_utf8_lossy(text).trim_end());
    ExitCode::SUCCESS
}
