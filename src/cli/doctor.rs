//! `doctor`: checks the setup (key, network, directories, hosts) and says how to fix what is wrong.

mod api;
mod files;
mod hosts;

use std::fmt::Write as _;
use std::process::ExitCode;

use serde::Serialize;

use super::{FAILED, exit_failed, print_text};
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
    /// It works, but perhaps not as intended.
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
    fix: Option<String>,
}

impl Check {
    fn ok(name: &'static str, found: impl Into<String>) -> Self {
        Self { name, state: State::Ok, found: found.into(), fix: None }
    }

    fn warning(name: &'static str, found: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { name, state: State::Warning, found: found.into(), fix: Some(fix.into()) }
    }

    fn problem(name: &'static str, found: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { name, state: State::Problem, found: found.into(), fix: Some(fix.into()) }
    }
}

pub(super) async fn run(arguments: &Arguments, config: &Config) -> ExitCode {
    let mut checks = vec![Check::ok("version", concat!("venice-mcp ", env!("CARGO_PKG_VERSION")))];
    checks.push(check_key(config));
    checks.extend(check_proxies(config));
    checks.extend(match api::check_api(config).await {
        Ok(found) => found,
        Err(error) => return exit_failed(&format!("the sandbox could not be started: {error}")),
    });
    checks.push(files::check_output(config).await);
    checks.extend(files::check_inputs(config));
    checks.extend(hosts::check_hosts(config));
    let sound = checks.iter().all(|check| check.state != State::Problem);
    let text = if arguments.json {
        let report = serde_json::json!({"ok": sound, "checks": checks});
        serde_json::to_string_pretty(&report).unwrap_or_default()
    } else {
        format_table(&checks, sound)
    };
    print_text(&text);
    ExitCode::from(if sound { 0 } else { FAILED })
}

/// Whether a key was found, and where; the key itself is never shown.
fn check_key(config: &Config) -> Check {
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

/// The proxies, by the names of their variables. The values may hold passwords.
fn check_proxies(config: &Config) -> Option<Check> {
    let names = &config.proxy_variables;
    (!names.is_empty()).then(|| Check::ok("proxy", format!("set by {}", names.join(", "))))
}

fn format_table(checks: &[Check], sound: bool) -> String {
    let mut text = String::new();
    for check in checks {
        let mark = match check.state {
            State::Ok => "ok",
            State::Warning => "note",
            State::Problem => "FAIL",
        };
        let _ = writeln!(text, "{mark:<5} {:<8} {}", check.name, check.found);
        if let Some(fix) = &check.fix {
            let _ = writeln!(text, "{:<15}-> {fix}", "");
        }
    }
    text.push_str(if sound {
        "\nCalls will work."
    } else {
        "\nCalls will not work until everything marked FAIL is fixed."
    });
    text
}
