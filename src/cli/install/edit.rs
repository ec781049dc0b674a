//! Adds the server to a host's file and removes it again. The file as it was before is kept as a copy.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::host::{Form, Host};
use super::{Arguments, Change, NAME, Removal, entry, file, json, toml, yaml};
use crate::config::Config;

/// The error for a host whose fields a person fills in.
const NOT_WRITTEN: &str = "its form is not written";

/// Adds the server to the host's file. Returns the lines to show the user.
pub(super) fn install(
    arguments: &Arguments,
    host: &Host,
    config: &Config,
    change: &Change,
) -> Result<String, String> {
    let (path, may_be_first) = writable_file(arguments.config_file.as_ref(), host, config)?;
    let shown = path.display();
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    if let Some(folder) = folder.filter(|folder| !folder.is_dir()) {
        if !may_be_first {
            return Err(format!(
                "{} does not seem to be here: there is no directory {}; --config-file names another file",
                host.title,
                folder.display()
            ));
        }
        std::fs::create_dir_all(folder)
            .map_err(|error| format!("{} cannot be made: {error}", folder.display()))?;
    }
    let before = file::read(&path).map_err(|error| unchanged(&path, "read", &error))?;
    if before.is_none() && host.name == "librechat" {
        return Err(format!(
            "there is no {shown}: LibreChat does not start from a file that holds servers alone; make it as its \
             documentation says, or name it with --config-file"
        ));
    }
    let old = before.as_deref().unwrap_or_default();
    let earlier = servers(host, old).map_err(|error| unchanged(&path, "used", &error))?;
    let new = merged(host, old, change).map_err(|error| unchanged(&path, "used", &error))?;
    if before.as_deref() == Some(&new) {
        return Ok(format!("{shown} has this server already; nothing was changed."));
    }
    let mut said = format!("{} will find the server: {shown} was written.", host.title);
    let own = earlier.get(NAME).map(entry::starts_this);
    let backup = file::backup(&path);
    // What was there before the first installation is what uninstalling brings back.
    if before.is_some() && !(own == Some(true) && backup.is_file()) {
        file::copy(&path, &backup).map_err(|error| unchanged(&path, "copied", &error))?;
        let _ = write!(said, "\nThe file as it was is kept as {}.", backup.display());
    }
    if own == Some(false) {
        let _ = write!(said, "\nIts server `{NAME}`, of another program, was replaced.");
    }
    file::replace(&path, &new, arguments.with_key)
        .map_err(|error| unchanged(&path, "written", &error))?;
    Ok(said)
}

/// Removes the server from the host's file. Returns the line to show the user.
pub(super) fn uninstall(
    arguments: &Removal,
    host: &Host,
    config: &Config,
) -> Result<String, String> {
    let (path, _) = writable_file(arguments.config_file.as_ref(), host, config)?;
    let shown = path.display();
    let read = file::read(&path).map_err(|error| unchanged(&path, "read", &error))?;
    let Some(text) = read else { return Ok(format!("there is no {shown}")) };
    let listed = servers(host, &text).map_err(|error| unchanged(&path, "used", &error))?;
    let Some(entry) = listed.get(NAME) else {
        return Ok(format!("{shown} has no server `{NAME}`; nothing was changed."));
    };
    let backup = file::backup(&path);
    let earlier = file::read(&backup).ok().flatten();
    let whole =
        earlier.as_ref().filter(|earlier| is_result_of_install(host, earlier, entry, &text));
    if whole.is_none() && !entry::starts_this(entry) {
        return Err(format!(
            "the server `{NAME}` of {shown} starts another program and was left: take it out by hand"
        ));
    }
    let other = earlier.as_ref().and_then(|earlier| servers(host, earlier).ok()?.remove(NAME));
    let other = other.filter(|other| !entry::starts_this(other));
    let new = match (whole, other) {
        (Some(whole), _) => Ok(whole.clone()),
        (None, Some(Value::Object(entry))) => {
            merged(host, &text, &Change { questions: entry::questions(host, &entry), entry })
        }
        (None, _) => without(host, &text),
    };
    let new = new.map_err(|error| unchanged(&path, "used", &error))?;
    file::replace(&path, &new, false).map_err(|error| unchanged(&path, "written", &error))?;
    let _ = std::fs::remove_file(&backup);
    Ok(format!("{} will not find the server any more: {shown} was written.", host.title))
}

fn without(host: &Host, text: &str) -> Result<String, String> {
    match host.form {
        Form::Json(list) => json::remove(text, list),
        Form::Toml(list) => toml::remove(text, list),
        Form::Yaml(list) => yaml::remove(text, list),
        Form::Fields => Err(NOT_WRITTEN.to_owned()),
    }
}

/// Whether `text` is `earlier` with nothing but this server added, so that `earlier` can be restored as a whole.
fn is_result_of_install(host: &Host, earlier: &str, entry: &Value, text: &str) -> bool {
    let Value::Object(entry) = entry.clone() else { return false };
    let change = Change { questions: entry::questions(host, &entry), entry };
    let had = servers(host, earlier).ok().and_then(|mut servers| servers.remove(NAME));
    !had.is_some_and(|had| entry::starts_this(&had))
        && merged(host, earlier, &change).is_ok_and(|merged| merged == text)
}

fn merged(host: &Host, text: &str, change: &Change) -> Result<String, String> {
    match host.form {
        Form::Json(list) => json::merge(text, list, change),
        Form::Toml(list) => toml::merge(text, list, change),
        Form::Yaml(list) => yaml::merge(text, list, change),
        Form::Fields => Err(NOT_WRITTEN.to_owned()),
    }
}

/// The object of every server that a host's file lists.
pub(in crate::cli) fn servers(host: &Host, text: &str) -> Result<Map<String, Value>, String> {
    match host.form {
        Form::Json(list) => json::servers(text, list),
        Form::Toml(list) => toml::servers(text, list),
        Form::Yaml(list) => yaml::servers(text, list),
        Form::Fields => Ok(Map::new()),
    }
}

fn writable_file(
    given: Option<&PathBuf>,
    host: &Host,
    config: &Config,
) -> Result<(PathBuf, bool), String> {
    match host.form {
        Form::Fields => Err(format!("{} keeps no file: fill the fields in by hand", host.title)),
        Form::Json(_) | Form::Toml(_) | Form::Yaml(_) => {
            host_file(given, host, config).ok_or_else(|| {
                format!("where {} keeps its file is not known; use --config-file", host.title)
            })
        }
    }
}

fn unchanged(path: &Path, what: &str, error: &str) -> String {
    format!("{} cannot be {what} and is as it was: {error}", path.display())
}

/// The host's file, and whether it may be the first of its directory.
pub(super) fn host_file(
    given: Option<&PathBuf>,
    host: &Host,
    config: &Config,
) -> Option<(PathBuf, bool)> {
    if let Some(path) = given {
        return Some((path.clone(), true));
    }
    let place = host.places.first()?;
    Some((place.path(config)?, place.is_of_project()))
}
