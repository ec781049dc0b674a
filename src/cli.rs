//! The command line: one file a command.

mod build;
mod call;
mod client;
mod demo;
mod doctor;
mod install;
mod log;
mod manual;
mod sandbox;
mod serve;
mod tool_names;
mod tools;

use std::ffi::OsString;
use std::fmt::Display;
use std::io::Write as _;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::{Config, Flags, Setting};

pub use build::serve_with_sender;
pub use log::start_log;
pub use tool_names::check_tool_names;

/// How many threads run tasks. Calls mostly wait, and slow work runs on threads of its own, so one thread is enough for
/// one client. An HTTP server, which has many, gets a second.
#[must_use]
pub const fn workers(config: &Config) -> usize {
    if config.http.is_some() { 2 } else { 1 }
}

/// The exit code of a tool, demo or check that failed.
const FAILED: u8 = 1;
/// The exit code of bad usage or configuration.
const REFUSED: u8 = 2;

/// Gives AI agents the Venice.ai API as MCP tools. Without a command it serves MCP on stdin and stdout.
#[derive(Debug, Parser)]
#[command(
    name = "venice-mcp",
    version,
    max_term_width = 100,
    after_help = "The API key comes from VENICE_API_KEY, else from the file that VENICE_API_KEY_FILE names, else \
                  from what VENICE_API_KEY_COMMAND prints."
)]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    flags: Flags,
}

/// What to do, other than to serve on stdin and stdout.
#[derive(Debug, Clone, Subcommand)]
pub enum Command {
    /// Show everything working, without a key: a sandbox, the server, a client, an image, and speech.
    Demo(demo::Arguments),
    /// Check what the server needs to make an image: key, network, directories, hosts.
    Doctor(doctor::Arguments),
    /// Print the configuration that a host needs for this server, or write it.
    Install(install::Arguments),
    /// Take this server out of a host's configuration.
    Uninstall(install::Removal),
    /// Call one tool and print its result.
    Call(call::Arguments),
    /// List the tools.
    Tools(tools::Arguments),
    /// Serve the stand-in for Venice that --sandbox uses.
    Sandbox(sandbox::Arguments),
    /// Print completions for a shell.
    Completions(manual::Arguments),
    /// Print the manual page, or write those of all commands.
    Man(manual::ManArguments),
}

/// A flag of the server that was given along with a command.
#[derive(Debug, Clone)]
struct GivenFlag {
    setting: &'static Setting,
    /// The flag, with its dashes.
    flag: &'static str,
    /// Its values as they were given; none for a switch.
    values: Vec<String>,
}

impl GivenFlag {
    /// The flag as the words of a command line.
    fn words(&self) -> Vec<String> {
        if self.values.is_empty() {
            return vec![self.flag.to_owned()];
        }
        self.values.iter().flat_map(|value| [self.flag.to_owned(), value.clone()]).collect()
    }

    /// All flags that were given. Directories become absolute, because a host starts the server elsewhere.
    fn all(flags: &Flags) -> Vec<Self> {
        let given = flags.given().filter_map(|(setting, values)| {
            let flag = setting.flag?;
            let text = |value: &OsString| match std::path::absolute(value) {
                Ok(path) if setting.is_directory() => path.to_string_lossy().into_owned(),
                _ => value.to_string_lossy().into_owned(),
            };
            Some(Self { setting, flag, values: values.iter().map(text).collect() })
        });
        given.collect()
    }
}

impl Cli {
    /// Parses the arguments of this process. `Err` is the exit code if there is nothing left to do: help and version were
    /// printed on stdout, or an error as one line on stderr.
    pub fn from_process() -> Result<(Option<Command>, Flags), ExitCode> {
        // Hosts mostly set variables only, and building the command line takes a tenth of a start.
        if std::env::args_os().len() <= 1 {
            return Ok((None, Flags::default()));
        }
        let parsed = Self::try_parse().map(|mut cli| {
            match &mut cli.command {
                Some(Command::Install(arguments)) => arguments.given = GivenFlag::all(&cli.flags),
                Some(Command::Demo(arguments)) => arguments.given = GivenFlag::all(&cli.flags),
                _ => {}
            }
            cli
        });
        match parsed {
            Ok(cli) => Ok((cli.command, cli.flags)),
            Err(error) if error.use_stderr() => {
                let line = one_line(&error.render().to_string());
                Err(exit_refused(&format!("{line} (see venice-mcp --help)")))
            }
            Err(error) => {
                let _ = error.print();
                Err(ExitCode::SUCCESS)
            }
        }
    }
}

/// Clap's message about bad usage as one line, with what is missing or allowed.
fn one_line(text: &str) -> String {
    let mut lines = text.lines();
    let line = lines.next().unwrap_or_default().trim_start_matches("error: ");
    let goes_on = |next: &&str| line.ends_with(':') || next.contains("[possible values: ");
    let rest = lines.next().filter(goes_on).map_or("", str::trim);
    format!("{line} {rest}").trim_end().to_owned()
}

/// Runs a command to its end.
pub async fn run(command: Option<Command>, config: Config) -> ExitCode {
    match command {
        None => Box::pin(serve::run(config)).await,
        Some(Command::Demo(arguments)) => demo::run(&arguments, config).await,
        Some(Command::Doctor(arguments)) => doctor::run(&arguments, &config).await,
        Some(Command::Install(arguments)) => install::run(&arguments, &config),
        Some(Command::Uninstall(arguments)) => install::remove(&arguments, &config),
        Some(Command::Call(arguments)) => call::run(arguments, config).await,
        Some(Command::Tools(arguments)) => tools::run(&arguments, config).await,
        Some(Command::Sandbox(arguments)) => sandbox::run(&arguments, &config).await,
        Some(Command::Completions(arguments)) => manual::completions(&arguments),
        Some(Command::Man(arguments)) => manual::pages(&arguments),
    }
}

/// Prints one line on why nothing was started, and returns the exit code.
pub fn exit_refused(why: &dyn Display) -> ExitCode {
    let _ = writeln!(std::io::stderr(), "venice-mcp: {why}");
    ExitCode::from(REFUSED)
}

/// Prints what failed, and returns the exit code.
fn exit_failed(why: &dyn Display) -> ExitCode {
    let _ = writeln!(std::io::stderr(), "venice-mcp: {why}");
    ExitCode::from(FAILED)
}

/// Prints a text to stdout. A closed pipe is not an error.
fn print_text(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out
        .write_all(text.as_bytes())
        .and_then(|()| out.write_all(b"\n"))
        .and_then(|()| out.flush());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_arguments_are_read_as_the_defaults() {
        let read = Cli::try_parse_from(["venice-mcp"]).unwrap();
        assert!(read.command.is_none());
        assert_eq!(format!("{:?}", read.flags), format!("{:?}", Flags::default()));
    }
}
