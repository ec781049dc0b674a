//! `tools`: what there is to call.

use std::fmt::Write as _;
use std::process::ExitCode;

use rmcp::model::Tool;

use super::build::build_server;
use super::client::CommandClient;
use super::{exit_failed, print_text};
use crate::config::Config;
use crate::tools::FAMILIES;

/// The command's own arguments.
#[derive(Debug, Clone, clap::Args)]
pub struct Arguments {
    /// Print what `tools/list` answers.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(arguments: &Arguments, mut config: Config) -> ExitCode {
    // Listing needs no Venice, real or not.
    config.options.sandbox = false;
    let listed = async {
        let built = build_server(config).await.map_err(|error| error.to_string())?;
        let client = CommandClient::connect(built.server).await?;
        let tools = client.tools().await?;
        client.close().await;
        Ok::<_, String>(tools)
    };
    let tools = match listed.await {
        Ok(tools) => tools,
        Err(error) => return exit_failed(&error),
    };
    match serde_json::to_string_pretty(&tools) {
        Ok(json) if arguments.json => print_text(&json),
        _ => {
            print_text(&table(&tools));
            if let Some(line) = elsewhere(&tools) {
                print_text(&line);
            }
        }
    }
    ExitCode::SUCCESS
}

/// The toolsets that are not among the tools, and how to get them.
fn elsewhere(tools: &[Tool]) -> Option<String> {
    let offered = |name: &str| tools.iter().any(|tool| tool.name == name);
    let off = FAMILIES.iter().filter(|family| {
        family.opt_in && !family.tools.iter().any(|route| offered(route.spec.name))
    });
    let names: Vec<&str> = off.map(|family| family.name).collect();
    let flags = ["default"].iter().chain(&names).map(|name| format!("--toolset {name}"));
    let flags = flags.collect::<Vec<_>>().join(" ");
    (!names.is_empty())
        .then(|| format!("\nNot offered: {}. With {flags} they are.", names.join(", ")))
}

/// The tools by toolset, with the first sentence of each description.
fn table(tools: &[Tool]) -> String {
    let mut table = String::new();
    for family in FAMILIES {
        let own = |tool: &&Tool| family.tools.iter().any(|route| route.spec.name == tool.name);
        let own: Vec<&Tool> = tools.iter().filter(own).collect();
        if own.is_empty() {
            continue;
        }
        let _ = writeln!(table, "{}: {}", family.name, family.about);
        for tool in own {
            let description = tool.description.as_deref().unwrap_or_default();
            let first = description.split_inclusive(". ").next().unwrap_or_default().trim_end();
            let _ = writeln!(table, "  {:<28} {first}", tool.name);
        }
    }
    table.truncate(table.trim_end().len());
    table
}
