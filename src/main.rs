//! The `venice-mcp` binary: arguments become settings, and a command runs with them.

use std::process::ExitCode;

use venice_mcp::cli::{self, Cli};
use venice_mcp::config::Config;

fn main() -> ExitCode {
    let (command, flags) = match Cli::from_process() {
        Ok(parsed) => parsed,
        Err(code) => return code,
    };
    let config = match Config::load(&flags) {
        Ok(config) => config,
        Err(error) => return cli::exit_refused(&error),
    };
    if let Err(error) = cli::check_tool_names(&config) {
        return cli::exit_refused(&error);
    }
    if let Err(error) = cli::start_log(&config) {
        return cli::exit_refused(&error);
    }
    // One worker is the main thread itself: a call that goes from thread to thread costs twice as much.
    let workers = cli::workers(&config);
    let mut runtime = match workers {
        1 => tokio::runtime::Builder::new_current_thread(),
        _ => tokio::runtime::Builder::new_multi_thread(),
    };
    let runtime = runtime
        .worker_threads(workers)
        .max_blocking_threads(32)
        .thread_name("venice-mcp")
        .enable_all()
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => return cli::exit_refused(&error),
    };
    // A worker, where there are several, runs the command too.
    let code = runtime.block_on(async {
        let running = tokio::spawn(cli::run(command, config));
        running.await.unwrap_or(ExitCode::FAILURE)
    });
    // A thread may still wait for input that never comes.
    runtime.shutdown_background();
    code
}
