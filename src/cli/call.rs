//! `call`: one tool, once.

use std::process::ExitCode;
use std::time::Duration;

use serde_json::{Map, Value};

use super::assemble::assemble;
use super::client::{Client, texts};
use super::{FAILED, fail, refuse, say};
use crate::config::Config;
use crate::context::OutputMode;

/// The command's own arguments.
#[derive(Debug, Clone, clap::Args)]
pub struct Arguments {
    /// The tool's name, such as `venice_image_generate`.
    #[arg(value_name = "TOOL")]
    name: String,
    /// Its arguments as a JSON object.
    #[arg(value_name = "JSON", default_value = "{}")]
    given: String,
    /// Print the whole result as JSON.
    #[arg(long)]
    json: bool,
}

/// How long media may take to reach the disk after the result.
const PATIENCE: Duration = Duration::from_secs(30);

pub(super) async fn run(arguments: Arguments, mut config: Config) -> ExitCode {
    let given: Map<String, Value> = match serde_json::from_str(&arguments.given) {
        Ok(given) => given,
        Err(error) => return refuse(&format!("the arguments must be a JSON object: {error}")),
    };
    if config.output == OutputMode::Auto && !arguments.json {
        config.output = OutputMode::File;
    }
    let assembled = match assemble(config).await {
        Ok(assembled) => assembled,
        Err(error) => return fail(&format!("the sandbox could not be started: {error}")),
    };
    let client = match Client::connect(assembled.server.clone()).await {
        Ok(client) => client,
        Err(error) => return fail(&error),
    };
    let result = client.call(&arguments.name, given).await;
    client.close().await;
    assembled.server.settle(PATIENCE).await;
    let result = match result {
        Ok(result) => result,
        Err(error) => return refuse(&error),
    };
    let failed = result.is_error == Some(true);
    match serde_json::to_string_pretty(&result) {
        Ok(json) if arguments.json => say(&json),
        _ if failed => return fail(&texts(&result).join("\n")),
        _ => say(&texts(&result).join("\n")),
    }
    ExitCode::from(if failed { FAILED } else { 0 })
}
