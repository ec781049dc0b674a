//! The command line: one file a command.

mod assemble;
mod call;
mod client;
mod demo;
mod log;
mod sandbox;
mod serve;
mod tools;

use std::fmt::Display;
use std::io::Write as _;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::{Config, Flags};

pub use log::start_log;

/// How many threads run tasks: a call mostly waits, and each thread costs memory.
pub const WORKERS: usize = 2;

/// The exit code of a tool, demo or check that failed.
const FAILED: u8 = 1;
/// The exit code of bad usage or configuration.
const REFUSED: u8 = 2;

/// Gives AI agents the Venice.ai API as MCP tools. Without a command it serves MCP on stdin and stdout.
#[derive(Debug, Parser)]
#[command(name = "venice-mcp", version, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    flags: Flags,
}

/// What to do, other than to serve on stdin and stdout.
#[derive(Debug, Clone, Subcommand)]
pub enum Command {
    /// Show the whole at work, with no key: a sandbox, the server, a client, a picture and speech.
    Demo,
    /// Call one tool and print its result.
    Call(call::Arguments),
    /// List the tools.
    Tools(tools::Arguments),
    /// Serve the stand-in for Venice that --sandbox uses.
    Sandbox(sandbox::Arguments),
}

impl Cli {
    /// The command and the flags of this process. `Err` is the exit code of a process that has said all:
    /// help and version on stdout, anything wrong as one line on stderr.
    pub fn read() -> Result<(Option<Command>, Flags), ExitCode> {
        match Self::try_parse() {
            Ok(cli) => Ok((cli.command, cli.flags)),
            Err(error) if error.use_stderr() => {
                let text = error.render().to_string();
                let line = text.lines().next().unwrap_or_default();
                let line = line.trim_start_matches("error: ");
                Err(refuse(&format!("{line} (see venice-mcp --help)")))
            }
            Err(error) => {
                let _ = error.print();
                Err(ExitCode::SUCCESS)
            }
        }
    }
}

/// Runs a command to its end.
pub async fn run(command: Option<Command>, config: Config) -> ExitCode {
    match command {
        None => serve::run(config).await,
        Some(Command::Demo) => demo::run(config).await,
        Some(Command::Call(arguments)) => call::run(arguments, config).await,
        Some(Command::Tools(arguments)) => tools::run(&arguments, config).await,
        Some(Command::Sandbox(arguments)) => sandbox::run(&arguments, &config).await,
    }
}

/// Says why nothing was started, in one line.
pub fn refuse(why: &dyn Display) -> ExitCode {
    let _ = writeln!(std::io::stderr(), "venice-mcp: {why}");
    ExitCode::from(REFUSED)
}

/// Says what failed.
fn fail(why: &dyn Display) -> ExitCode {
    let _ = writeln!(std::io::stderr(), "venice-mcp: {why}");
    ExitCode::from(FAILED)
}

/// Writes a text to stdout. A reader that has gone away is not an error.
fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out
        .write_all(text.as_bytes())
        .and_then(|()| out.write_all(b"\n"))
        .and_then(|()| out.flush());
}
