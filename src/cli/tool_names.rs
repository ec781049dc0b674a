//! Whether the settings name only toolsets and tools that exist.

use crate::config::{Config, Invalid};
use crate::near::{did_you_mean, shorten};
use crate::tools;

/// Refuses unknown names: otherwise it would be noticed late that the server lacks tools that were asked for.
pub fn check_tool_names(config: &Config) -> Result<(), Invalid> {
    if [&config.options.toolsets, &config.options.tools, &config.options.exclude_tools]
        .iter()
        .all(|names| names.is_empty())
    {
        return Ok(());
    }
    let toolsets: Vec<&str> = tools::toolsets().collect();
    let names: Vec<&str> = tools::all().map(|route| route.spec.name).collect();
    let every = format!("there are {}", toolsets.join(", "));
    let listed = "`venice-mcp tools --toolset all` lists them";
    check_known(
        "--toolset or VENICE_TOOLSETS",
        "toolset",
        &config.options.toolsets,
        &toolsets,
        &every,
    )?;
    check_known("--tool or VENICE_TOOLS", "tool", &config.options.tools, &names, listed)?;
    check_known(
        "--exclude-tool or VENICE_EXCLUDE_TOOLS",
        "tool",
        &config.options.exclude_tools,
        &names,
        listed,
    )
}

fn check_known(
    setting: &str,
    kind: &str,
    given: &[String],
    names: &[&str],
    otherwise: &str,
) -> Result<(), Invalid> {
    let Some(unknown) = given.iter().find(|name| !names.contains(&name.as_str())) else {
        return Ok(());
    };
    let hint = did_you_mean(unknown, names.iter().copied()).unwrap_or_else(|| otherwise.to_owned());
    let message = format!("there is no {kind} `{}`; {hint}", shorten(unknown));
    Err(Invalid { setting: setting.to_owned(), message })
}
