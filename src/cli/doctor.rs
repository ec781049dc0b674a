//! `doctor`: what is missing between this machine and a picture in a host, and how to mend it.

mod api;
mod files;
mod hosts;

use std::fmt::Write as _;
use std::process::ExitCode;

use serde::Serialize;

use super::{FAILED, fail, say};
use crate::config::Config;
use crate::venice::{KeySource, NoKey};

/// The arguments of `doctor`.
#[derive(Debug, Clone, clap::Args)]
pub struct Arguments {
    /// Print the findings as JSON.
    #[arg(long)]
    json: bool,
}

/// How one check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    /// As it should be.
    Ok,
    /// It works, but not as one would think.
    Warning,
    /// Calls will fail.
    Problem,
}

/// One check.
#[derive(Debug, Serialize)]
struct Check {
    name: &'static str,
    state: State,
    /// What was found, in one line.
    found: String,
    /// What to do, in one line.
    #[serde(skip_serializing_if = "Option::is_none")]
    mend: Option<String>,
}

impl Check {
    fn ok(name: &'static str, found: impl Into<String>) -> Self {
        Self { name, state: State::Ok, found: found.into(), mend: None }
    }

    fn warning(name: &'static str, found: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { name, state: State::Warning, found: found.into(), mend: Some(mend.into()) }
    }

    fn problem(name: &'static str, found: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { name, state: State::Problem, found: found.into(), mend: Some(mend.into()) }
    }
}

pub(super) async fn run(arguments: &Arguments, config: &Config) -> ExitCode {
    let mut checks = vec![Check::ok("version", concat!("venice-mcp ", env!("CARGO_PKG_VERSION")))];
    checks.push(key(config));
    checks.extend(network(config));
    checks.extend(match api::look(config).await {
        Ok(found) => found,
        Err(error) => return fail(&format!("the sandbox could not be started: {error}")),
    });
    checks.push(files::output(config).await);
    checks.extend(files::inputs(config));
    checks.extend(hosts::look(config));
    let sound = checks.iter().all(|check| check.state != State::Problem);
    let text = if arguments.json {
        let report = serde_json::json!({"ok": sound, "checks": checks});
        serde_json::to_string_pretty(&report).unwrap_or_default()
    } else {
        table(&checks, sound)
    };
    say(&text);
    ExitCode::from(if sound { 0 } else { FAILED })
}

/// Whether a key was found, and where; the key itself is never shown.
fn key(config: &Config) -> Check {
    let place = match (config.key_variable, &config.key_file) {
        (Some("VENICE_API_KEY_FILE"), Some(file)) => file.display().to_string(),
        (Some(variable), _) => variable.to_owned(),
        (None, _) => "no variable".to_owned(),
    };
    if config.options.sandbox {
        return Check::ok("key", "the sandbox needs none");
    }
    match &config.key {
        KeySource::Key(_) => Check::ok("key", format!("found in {place}")),
        KeySource::Command(words) => {
            let program = words.first().map_or("", String::as_str);
            Check::ok("key", format!("printed by `{program}` ({place})"))
        }
        KeySource::None { why: NoKey::Missing } => Check::problem(
            "key",
            "there is none",
            "make one at https://venice.ai/settings/api and set VENICE_API_KEY, or VENICE_API_KEY_FILE to a file \
             that holds it",
        ),
        KeySource::None { why: NoKey::Unsubstituted } => Check::problem(
            "key",
            format!("{place} is a placeholder that was not filled in"),
            "set VENICE_API_KEY where the host is started, or use venice-mcp install HOST --write --with-key",
        ),
    }
}

/// The proxies, by the names of their variables: their values may hold passwords.
fn network(config: &Config) -> Option<Check> {
    let names = &config.proxy_variables;
    (!names.is_empty()).then(|| Check::ok("proxy", format!("set by {}", names.join(", "))))
}

fn table(checks: &[Check], sound: bool) -> String {
    let mut text = String::new();
    for check in checks {
        let mark = match check.state {
            State::Ok => "ok",
            State::Warning => "note",
            State::Problem => "FAIL",
        };
        let _ = writeln!(text, "{mark:<5} {:<8} {}", check.name, check.found);
        if let Some(mend) = &check.mend {
            let _ = writeln!(text, "{:<15}-> {mend}", "");
        }
    }
    text.push_str(if sound {
        "\nCalls will work."
    } else {
        "\nWhat is marked FAIL will not work until it is mended."
    });
    text
}
