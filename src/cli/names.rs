//! Whether the settings name only toolsets and tools that exist.

use crate::config::{Config, Invalid};
use crate::near::{did_you_mean, shorten};
use crate::tools;

/// Refuses a name that means nothing: a server without the tools that were asked for is found out late.
pub fn check_names(config: &Config) -> Result<(), Invalid> {
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
    known("--toolset or VENICE_TOOLSETS", "toolset", &config.options.toolsets, &toolsets, &every)?;
    known("--tool or VENICE_TOOLS", "tool", &config.options.tools, &names, listed)?;
    known(
        "--exclude-tool or VENICE_EXCLUDE_TOOLS",
        "tool",
        &config.options.exclude_tools,
        &names,
        listed,
    )
}

fn known(
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
