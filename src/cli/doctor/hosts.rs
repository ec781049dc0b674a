//! Which hosts on this machine are configured, and whether they start this program.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::Check;
use crate::cli::install::entry::{command, url, variables};
use crate::cli::install::host::{HOSTS, Host};
use crate::cli::install::{file, servers};
use crate::config::Config;

/// A server in a host's file that is one of ours.
struct Found {
    title: &'static str,
    host: &'static str,
    place: PathBuf,
    entry: Map<String, Value>,
}

pub(super) fn check_hosts(config: &Config) -> Vec<Check> {
    let mut checks = Vec::new();
    for host in HOSTS {
        for place in host.places.iter().filter_map(|place| place.path(config)) {
            match listed(host, &place) {
                Ok(found) => checks.extend(found.iter().map(check_entry)),
                Err(error) => checks.push(Check::warning(
                    "host",
                    format!("{}: {} cannot be read: {error}", host.title, place.display()),
                    format!("fix the file: {} cannot read it either", host.title),
                )),
            }
        }
    }
    if checks.is_empty() {
        checks.push(Check::warning(
            "host",
            "no host is configured in the usual places",
            "venice-mcp install HOST --write (claude-desktop, claude-code, cursor, vscode, …)",
        ));
    }
    checks
}

/// The servers in the file that are ours by name or by program.
fn listed(host: &'static Host, place: &Path) -> Result<Vec<Found>, String> {
    let Some(text) = file::read(place)? else { return Ok(Vec::new()) };
    let ours = servers(host, &text)?.into_iter().filter_map(|(name, entry)| {
        let Value::Object(entry) = entry else { return None };
        let stem = command(&entry).and_then(|command| Path::new(command).file_stem());
        let ours = name == "venice" || stem.is_some_and(|stem| stem == "venice-mcp");
        ours.then(|| Found {
            title: host.title,
            host: host.name,
            place: place.to_path_buf(),
            entry,
        })
    });
    Ok(ours.collect())
}

fn check_entry(found: &Found) -> Check {
    let place = format!("{} ({})", found.title, found.place.display());
    let again = format!("venice-mcp install {} --write", found.host);
    let Some(command) = command(&found.entry) else {
        return match url(&found.entry) {
            Some(url) => {
                let host =
                    url::Url::parse(url).ok().and_then(|url| Some(url.host_str()?.to_owned()));
                Check::ok("host", format!("{place} calls a server at {}", host.unwrap_or_default()))
            }
            None => Check::problem("host", format!("{place} names neither program nor URL"), again),
        };
    };
    let program = Path::new(command);
    if !program.is_absolute() {
        return Check::warning(
            "host",
            format!("{place} starts `{command}` from the PATH that it has"),
            format!("where it does not find it: {again}"),
        );
    }
    if !program.is_file() {
        return Check::problem(
            "host",
            format!("{place} starts {command}, which is not there"),
            again,
        );
    }
    if let Some(file) = missing_key_file(&found.entry) {
        return Check::problem(
            "host",
            format!("{place} names the key file {file}, which is not there"),
            "put your key into it, one line",
        );
    }
    let real = |path: &Path| std::fs::canonicalize(path).ok();
    let this = std::env::current_exe().ok().and_then(|path| real(&path));
    if real(program) == this {
        return Check::ok("host", format!("{place} starts this program"));
    }
    Check::warning("host", format!("{place} starts another one, {command}"), again)
}

/// The key file that the host's configuration names, if it does not exist.
fn missing_key_file(entry: &Map<String, Value>) -> Option<&str> {
    let file = variables(entry)?.get("VENICE_API_KEY_FILE")?.as_str()?;
    (!Path::new(file).is_file()).then_some(file)
}
