//! `install` and `uninstall`: the server in the configuration of a host.
//!
//! Without `--write` no file is touched: the configuration goes to stdout, and what to do with it to stderr. A key is
//! written only if that is asked for. Otherwise the host passes it in a variable, or the server reads it from a file.

mod edit;
pub(super) mod entry;
pub(super) mod file;
pub(super) mod host;
mod json;
mod toml;
mod yaml;

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::builder::PossibleValuesParser;
use serde_json::{Map, Value, json};
use url::Url;

pub(super) use self::edit::servers;
use self::entry::{KeyPlacement, ServerTarget};
use self::host::{Form, HOSTS, Host};
use super::{GivenFlag, exit_failed, exit_refused, print_text};
use crate::config::Config;
use crate::net::is_loopback_url;
use crate::venice::KeySource;

/// The server's name in every configuration.
const NAME: &str = "venice";

/// The URL of a server that was started with the default address.
const LOCAL_URL: &str = "http://127.0.0.1:3333/mcp";

/// The arguments of `install`. Flags of the server that stand beside them become part of the configuration.
#[derive(Debug, Clone, clap::Args)]
pub struct Arguments {
    /// The host.
    #[arg(value_name = "HOST", value_parser = hosts())]
    host: String,
    /// Merge the configuration into the host's file, of which a copy is kept.
    #[arg(long)]
    write: bool,
    /// Put the key itself into the configuration.
    #[arg(long)]
    with_key: bool,
    /// Configure a server that is reached at this URL instead of a program.
    #[arg(long, value_name = "URL")]
    url: Option<Url>,
    /// The program that the host starts instead of this one.
    #[arg(long, value_name = "PATH", conflicts_with = "url")]
    command: Option<PathBuf>,
    /// The host's file to use instead of the usual one.
    #[arg(long, value_name = "PATH")]
    config_file: Option<PathBuf>,
    /// The flags of the server that were given.
    #[arg(skip)]
    pub(super) given: Vec<GivenFlag>,
}

/// The arguments of `uninstall`.
#[derive(Debug, Clone, clap::Args)]
pub struct Removal {
    /// The host.
    #[arg(value_name = "HOST", value_parser = hosts())]
    host: String,
    /// The host's file to use instead of the usual one.
    #[arg(long, value_name = "PATH")]
    config_file: Option<PathBuf>,
}

fn hosts() -> PossibleValuesParser {
    PossibleValuesParser::new(HOSTS.iter().map(|host| host.name))
}

/// Refuses a name that occurs twice at the top of a file: hosts use the last one.
fn once(names: impl Iterator<Item = String>) -> Result<(), String> {
    let mut seen = BTreeSet::new();
    for name in names {
        if let Some(twice) = seen.replace(name) {
            return Err(format!("it has `{twice}` twice"));
        }
    }
    Ok(())
}

/// What is put into a host's file.
struct Change {
    /// The object of the server.
    entry: Map<String, Value>,
    /// What the host asks its user for.
    questions: Vec<Value>,
}

pub(super) fn run(arguments: &Arguments, config: &Config) -> ExitCode {
    let Some(host) = host::find(&arguments.host) else {
        return exit_refused(&"there is no such host");
    };
    let (server, key) = match server(arguments).and_then(|server| {
        let key = key(arguments, host, config)?;
        Ok((server, key))
    }) {
        Ok(parts) => parts,
        Err(error) => return exit_refused(&error),
    };
    if !entry::is_supported(host, &server) {
        return exit_refused(&format!(
            "{} takes servers behind a URL under Settings > Connectors alone: add {} there",
            host.title,
            arguments.url.as_ref().map_or(LOCAL_URL, Url::as_str),
        ));
    }
    let entry = entry::entry(host, &server, &key);
    let change = Change { questions: entry::questions(host, &entry), entry };
    if arguments.write {
        return match edit::install(arguments, host, config, &change) {
            Ok(lines) => {
                print_text(&lines);
                note(&notes(host, &server, &key, true));
                ExitCode::SUCCESS
            }
            Err(error) => exit_failed(&error),
        };
    }
    match print(host, &change) {
        Ok(text) => print_text(text.trim_end()),
        Err(error) => return exit_failed(&error),
    }
    let place = edit::host_file(arguments.config_file.as_ref(), host, config);
    if let Some((path, _)) = place.filter(|_| host.form != Form::Fields) {
        note(&format!("This belongs into {}.", path.display()));
    }
    note(&notes(host, &server, &key, false));
    ExitCode::SUCCESS
}

pub(super) fn remove(arguments: &Removal, config: &Config) -> ExitCode {
    let Some(host) = host::find(&arguments.host) else {
        return exit_refused(&"there is no such host");
    };
    match edit::uninstall(arguments, host, config) {
        Ok(line) => {
            print_text(&line);
            ExitCode::SUCCESS
        }
        Err(error) => exit_failed(&error),
    }
}

fn server(arguments: &Arguments) -> Result<ServerTarget, String> {
    let remote = arguments
        .url
        .clone()
        .or_else(|| (arguments.host == "n8n").then(|| Url::parse(LOCAL_URL).ok()).flatten());
    if let Some(mut url) = remote {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(format!("--url must be http or https, not {}", url.scheme()));
        }
        if url.path() == "/" {
            url.set_path("/mcp");
        }
        if url.path().ends_with("/sse") {
            let newer = format!("{}/mcp", url.path().trim_end_matches("/sse"));
            url.set_path(&newer);
            return Err(format!("every host here takes Streamable HTTP: give --url {url}"));
        }
        for given in &arguments.given {
            let name = match given.flag {
                "--toolset" => "toolsets",
                "--output" => "output",
                "--read-only" => "readonly",
                other => return Err(format!("{other} is for the server behind the URL to set")),
            };
            let value =
                if given.values.is_empty() { "1".to_owned() } else { given.values.join(",") };
            url.query_pairs_mut().append_pair(name, &value);
        }
        return Ok(ServerTarget::Remote(url));
    }
    if let Some(given) = arguments.given.iter().find(|given| given.setting.is_of_http) {
        return Err(format!(
            "{} is for a server over HTTP, which no host starts: start it, and give its --url here",
            given.flag
        ));
    }
    let command = match &arguments.command {
        Some(command) => std::path::absolute(command),
        None => std::env::current_exe(),
    };
    let command = command.map_err(|error| format!("this program's path is not known: {error}"))?;
    let command = command.to_str().ok_or("this program's path is not text")?.to_owned();
    let arguments = arguments.given.iter().flat_map(GivenFlag::words).collect();
    Ok(ServerTarget::Program { command, arguments })
}

fn key(arguments: &Arguments, host: &Host, config: &Config) -> Result<KeyPlacement, String> {
    if arguments.with_key {
        if host.form == Form::Fields {
            return Err(format!("{} keeps keys among its credentials: give it there", host.title));
        }
        return match &config.key {
            KeySource::Key(key) => Ok(KeyPlacement::Written(key.clone())),
            _ => {
                Err("--with-key needs the key in VENICE_API_KEY or VENICE_API_KEY_FILE".to_owned())
            }
        };
    }
    if arguments.given.iter().any(|given| given.flag == "--sandbox") {
        return Ok(KeyPlacement::None);
    }
    if let Some(file) = &config.key_file {
        return Ok(KeyPlacement::File(file.clone()));
    }
    if host.variables != host::Variables::None {
        return Ok(KeyPlacement::Variable);
    }
    let folder = config.directories.settings.as_ref();
    let folder =
        folder.ok_or("the directory for settings is not known; set VENICE_API_KEY_FILE")?;
    Ok(KeyPlacement::File(folder.join("venice-mcp").join("key")))
}

fn print(host: &Host, change: &Change) -> Result<String, String> {
    match host.form {
        Form::Json(list) => {
            let mut whole = Map::new();
            if !change.questions.is_empty() {
                whole.insert("inputs".to_owned(), json!(change.questions));
            }
            whole.insert(list.to_owned(), json!({NAME: change.entry}));
            serde_json::to_string_pretty(&whole).map_err(|error| error.to_string())
        }
        Form::Toml(list) => toml::merge("", list, change),
        Form::Yaml(list) => Ok(yaml::print(list, &change.entry)),
        Form::Fields => Ok(fields(&change.entry)),
    }
}

/// What a person fills into n8n's node.
fn fields(entry: &Map<String, Value>) -> String {
    let url = entry.get("url").and_then(Value::as_str).unwrap_or_default();
    let authentication = match Url::parse(url) {
        Ok(url) if is_loopback_url(&url) => "None",
        _ => "Bearer Auth, with the token of the server",
    };
    format!(
        "Node: MCP Client Tool\nEndpoint: {url}\nServer Transport: HTTP Streamable\n\
         Authentication: {authentication}\nOptions > Timeout: 600000"
    )
}

/// What is left for the user to do.
fn notes(host: &Host, server: &ServerTarget, key: &KeyPlacement, written: bool) -> String {
    let mut lines = Vec::new();
    match (key, server) {
        (KeyPlacement::File(path), ServerTarget::Program { .. }) if !path.is_file() => lines.push(format!(
            "Put your key into {} (one line; keys are made at https://venice.ai/settings/api): the server does \
             not start without it.",
            path.display()
        )),
        (KeyPlacement::Variable, ServerTarget::Program { .. }) if host.variables != host::Variables::Asked => lines
            .push(format!(
                "{} takes the key from VENICE_API_KEY: set it where you start {0}.",
                host.title
            )),
        (KeyPlacement::Written(_), _) => lines.push("The configuration holds your key: share it with nobody.".to_owned()),
        (_, ServerTarget::Remote(url)) if !is_loopback_url(url) => lines.push(
            "The server behind the URL wants its token (VENICE_MCP_AUTH_TOKEN there) as Authorization: Bearer."
                .to_owned(),
        ),
        _ => {}
    }
    lines.push(host.then.to_owned());
    if !written && host.form != Form::Fields {
        lines.push("With --write, this command does it.".to_owned());
    }
    lines.join("\n")
}

fn note(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}
