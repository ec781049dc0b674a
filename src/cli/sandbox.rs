//! `sandbox`: the stand-in for Venice as a server of its own.

use std::net::SocketAddr;
use std::process::ExitCode;

use tokio_util::sync::CancellationToken;

use super::serve::cancel_on_signal;
use super::{exit_failed, print_text};
use crate::config::Config;
use crate::sandbox::{Sandbox, SandboxSettings};

/// The command's own arguments.
#[derive(Debug, Clone, clap::Args)]
pub struct Arguments {
    /// Where to listen; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
}

pub(super) async fn run(arguments: &Arguments, config: &Config) -> ExitCode {
    let settings =
        SandboxSettings { plural: config.options.plural_paths, ..SandboxSettings::default() };
    let sandbox = match Sandbox::start_with(arguments.listen, settings).await {
        Ok(sandbox) => sandbox,
        Err(error) => {
            return exit_failed(&format!("cannot listen on {}: {error}", arguments.listen));
        }
    };
    print_text(&format!(
        "listening; set VENICE_BASE_URL={} and any VENICE_API_KEY",
        sandbox.base_url()
    ));
    let stop = CancellationToken::new();
    tokio::spawn(cancel_on_signal(stop.clone()));
    stop.cancelled().await;
    ExitCode::SUCCESS
}
