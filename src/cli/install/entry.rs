//! The entry for the server in a host's configuration: an object, as JSON whatever the file's form is.

use std::path::PathBuf;

use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value, json};
use url::Url;

use super::host::{Form, Host, Variables};
use crate::net::is_loopback_url;

/// The variable that holds the key.
const KEY: &str = "VENICE_API_KEY";
/// The variable that holds the token of a server behind a URL.
const TOKEN: &str = "VENICE_MCP_AUTH_TOKEN";
/// How long a host may wait for one call, in seconds: the API's longest answer takes most of it.
const CALL_TIMEOUT_SECONDS: u64 = 600;

/// The server as the host is to reach it.
pub(super) enum ServerTarget {
    /// A program that the host starts.
    Program {
        /// The program, as an absolute path.
        command: String,
        /// Its arguments.
        arguments: Vec<String>,
    },
    /// A server that runs already.
    Remote(Url),
}

/// How the host gets the key.
pub(super) enum KeyPlacement {
    /// It stands in the configuration.
    Written(SecretString),
    /// It stands in a variable of the environment, or the host asks for it.
    Variable,
    /// It stands in a file.
    File(PathBuf),
    /// There is none: the sandbox needs none.
    None,
}

/// The object that `host` keeps for the server.
pub(super) fn entry(host: &Host, server: &ServerTarget, key: &KeyPlacement) -> Map<String, Value> {
    let mut entry = match server {
        ServerTarget::Program { command, arguments } => program(host, command, arguments, key),
        ServerTarget::Remote(url) => remote(host, url, key),
    };
    match host.name {
        "cline" => insert(&mut entry, "timeout", CALL_TIMEOUT_SECONDS),
        "lmstudio" => insert(&mut entry, "timeout", CALL_TIMEOUT_SECONDS * 1000),
        "codex" => insert(&mut entry, "tool_timeout_sec", CALL_TIMEOUT_SECONDS),
        "goose" => {
            insert(&mut entry, "enabled", true);
            insert(&mut entry, "timeout", CALL_TIMEOUT_SECONDS);
        }
        "librechat" => {
            insert(&mut entry, "timeout", CALL_TIMEOUT_SECONDS * 1000);
            insert(&mut entry, "serverInstructions", true);
        }
        _ => {}
    }
    entry
}

fn insert(entry: &mut Map<String, Value>, name: &str, value: impl Into<Value>) {
    entry.insert(name.to_owned(), value.into());
}

fn program(
    host: &Host,
    command: &str,
    arguments: &[String],
    key: &KeyPlacement,
) -> Map<String, Value> {
    let mut entry = Map::new();
    match host.name {
        "claude-code" | "vscode" | "librechat" => insert(&mut entry, "type", "stdio"),
        "zed" => insert(&mut entry, "source", "custom"),
        "goose" => {
            insert(&mut entry, "name", "Venice");
            insert(&mut entry, "type", "stdio");
        }
        _ => {}
    }
    insert(&mut entry, if host.name == "goose" { "cmd" } else { "command" }, command);
    if !arguments.is_empty() || matches!(host.name, "goose" | "zed") {
        insert(&mut entry, "args", arguments);
    }
    let variables = if host.name == "goose" { "envs" } else { "env" };
    match key {
        KeyPlacement::None => {}
        KeyPlacement::Written(key) => {
            insert(&mut entry, variables, json!({KEY: key.expose_secret()}));
        }
        KeyPlacement::File(path) => {
            insert(&mut entry, variables, json!({"VENICE_API_KEY_FILE": path.to_string_lossy()}));
        }
        KeyPlacement::Variable => match host.variables {
            Variables::Named => insert(&mut entry, "env_vars", json!([KEY])),
            _ => insert(&mut entry, variables, json!({KEY: reference(host, KEY)})),
        },
    }
    entry
}

fn remote(host: &Host, url: &Url, key: &KeyPlacement) -> Map<String, Value> {
    let mut entry = Map::new();
    let (kind, address) = match host.name {
        "claude-code" | "vscode" => (Some(("type", "http")), "url"),
        "librechat" => (Some(("type", "streamable-http")), "url"),
        "cline" => (Some(("type", "streamableHttp")), "url"),
        "zed" => (Some(("source", "custom")), "url"),
        "windsurf" => (None, "serverUrl"),
        "gemini" => (None, "httpUrl"),
        "goose" => {
            insert(&mut entry, "name", "Venice");
            (Some(("type", "streamable_http")), "uri")
        }
        _ => (None, "url"),
    };
    if let Some((name, value)) = kind {
        insert(&mut entry, name, value);
    }
    insert(&mut entry, address, url.as_str());
    let mut headers = Map::new();
    // A server on this machine serves without a token.
    if !is_loopback_url(url) {
        match host.variables {
            Variables::None => {}
            Variables::Named => insert(&mut entry, "bearer_token_env_var", TOKEN),
            _ => {
                let token = format!("Bearer {}", reference(host, TOKEN));
                insert(&mut headers, "Authorization", token);
            }
        }
    }
    if let KeyPlacement::Written(key) = key {
        insert(&mut headers, "X-Venice-Api-Key", key.expose_secret());
    }
    if !headers.is_empty() {
        let name = if host.variables == Variables::Named { "http_headers" } else { "headers" };
        insert(&mut entry, name, headers);
    }
    entry
}

/// The program that an entry starts.
pub(in crate::cli) fn command(entry: &Map<String, Value>) -> Option<&str> {
    // Goose has shorter words.
    ["command", "cmd"].iter().find_map(|name| entry.get(*name)?.as_str())
}

/// The URL that an entry calls.
pub(in crate::cli) fn url(entry: &Map<String, Value>) -> Option<&str> {
    ["url", "serverUrl", "httpUrl", "uri"].iter().find_map(|name| entry.get(*name)?.as_str())
}

/// The variables of the environment that an entry sets.
pub(in crate::cli) fn variables(entry: &Map<String, Value>) -> Option<&Map<String, Value>> {
    ["env", "envs"].iter().find_map(|name| entry.get(*name)?.as_object())
}

/// Whether a host's entry is for this server: it starts a program of this name, or calls a URL.
pub(super) fn starts_this(entry: &Value) -> bool {
    let Some(entry) = entry.as_object() else { return false };
    let Some(command) = command(entry) else { return url(entry).is_some() };
    // Windows paths are read on every system: a file may be shared.
    let name = command.rsplit(['/', '\\']).next().unwrap_or(command);
    name.starts_with("venice-mcp")
}

/// How the host's configuration refers to the variable.
fn reference(host: &Host, variable: &str) -> String {
    match host.variables {
        Variables::Around(before, after) => format!("{before}{variable}{after}"),
        Variables::Asked => format!("${{input:{}}}", asked_id(variable)),
        Variables::None | Variables::Named => variable.to_owned(),
    }
}

fn asked_id(variable: &str) -> &'static str {
    if variable == TOKEN { "venice-token" } else { "venice-key" }
}

/// The questions that a host puts to its user for `entry`, where it works so.
pub(super) fn questions(host: &Host, entry: &Map<String, Value>) -> Vec<Value> {
    if host.variables != Variables::Asked {
        return Vec::new();
    }
    let text = Value::Object(entry.clone()).to_string();
    [(KEY, "Venice API key"), (TOKEN, "Token of the Venice MCP server")]
        .into_iter()
        .filter(|(variable, _)| text.contains(&reference(host, variable)))
        .map(|(variable, description)| {
            json!({
                "type": "promptString",
                "id": asked_id(variable),
                "description": description,
                "password": true,
            })
        })
        .collect()
}

/// Whether `question` is one that `install` added.
pub(super) fn is_ours(question: &Value) -> bool {
    let id = question.get("id").and_then(Value::as_str);
    id.is_some_and(|id| [KEY, TOKEN].into_iter().any(|variable| asked_id(variable) == id))
}

/// Whether the host can read a server of that kind from its configuration.
pub(super) fn is_supported(host: &Host, server: &ServerTarget) -> bool {
    match server {
        ServerTarget::Program { .. } => host.form != Form::Fields,
        ServerTarget::Remote(_) => host.name != "claude-desktop",
    }
}
