//! A host's file as it is changed: merged, with a copy of what it was, or left as it is.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::host::{Form, Host};
use super::{Arguments, Change, NAME, Removal, entry, file, json, toml, yaml};
use crate::config::Config;

/// Merges the server into the host's file: what to tell the user.
pub(super) fn write(
    arguments: &Arguments,
    host: &Host,
    config: &Config,
    change: &Change,
) -> Result<String, String> {
    let (path, may_be_first) = writable(arguments.config_file.as_ref(), host, config)?;
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
    let before = file::read(&path).map_err(|error| untouched(&path, "read", &error))?;
    if before.is_none() && host.name == "librechat" {
        return Err(format!(
            "there is no {shown}: LibreChat does not start from a file that holds servers alone; make it as its \
             documentation says, or name it with --config-file"
        ));
    }
    let old = before.as_deref().unwrap_or_default();
    let new = merged(host, old, change).map_err(|error| untouched(&path, "used", &error))?;
    if before.as_deref() == Some(&new) {
        return Ok(format!("{shown} has this server already; nothing was changed."));
    }
    let mut said = format!("{} will find the server: {shown} was written.", host.title);
    if before.is_some() {
        let backup = file::backup(&path);
        std::fs::copy(&path, &backup)
            .map_err(|error| untouched(&path, "copied", &error.to_string()))?;
        let _ = write!(said, "\nThe file as it was is kept as {}.", backup.display());
    }
    file::replace(&path, &new).map_err(|error| untouched(&path, "written", &error))?;
    Ok(said)
}

/// Takes the server out of the host's file: what to tell the user.
pub(super) fn removed(arguments: &Removal, host: &Host, config: &Config) -> Result<String, String> {
    let (path, _) = writable(arguments.config_file.as_ref(), host, config)?;
    let shown = path.display();
    let read = file::read(&path).map_err(|error| untouched(&path, "read", &error))?;
    let Some(text) = read else { return Ok(format!("there is no {shown}")) };
    let without = match host.form {
        Form::Json(list) => json::remove(&text, list),
        Form::Toml(list) => toml::remove(&text, list),
        Form::Yaml(list) => yaml::remove(&text, list),
        Form::Fields => Ok(None),
    };
    let without = without.map_err(|error| untouched(&path, "used", &error))?;
    let Some(without) = without else {
        return Ok(format!("{shown} has no server `{NAME}`; nothing was changed."));
    };
    let backup = file::backup(&path);
    let earlier = file::read(&backup).ok().flatten();
    let new = earlier.filter(|earlier| adds_nothing_else(host, earlier, &text)).unwrap_or(without);
    file::replace(&path, &new).map_err(|error| untouched(&path, "written", &error))?;
    let _ = std::fs::remove_file(&backup);
    Ok(format!("{} will not find the server any more: {shown} was written.", host.title))
}

/// Whether `text` is what the earlier file becomes by the server alone, so that it can come back as it was.
fn adds_nothing_else(host: &Host, earlier: &str, text: &str) -> bool {
    let listed = servers(host, earlier).and_then(|before| Ok((before, servers(host, text)?)));
    let Ok((before, mut now)) = listed else { return false };
    let Some(Value::Object(entry)) = now.remove(NAME) else { return false };
    if before.contains_key(NAME) {
        return false;
    }
    let change = Change { questions: entry::questions(host, &entry), entry };
    merged(host, earlier, &change).is_ok_and(|merged| merged == text)
}

fn merged(host: &Host, text: &str, change: &Change) -> Result<String, String> {
    match host.form {
        Form::Json(list) => json::merge(text, list, change),
        Form::Toml(list) => toml::merge(text, list, change),
        Form::Yaml(list) => yaml::merge(text, list, change),
        Form::Fields => Err("its form is not written".to_owned()),
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

fn writable(
    given: Option<&PathBuf>,
    host: &Host,
    config: &Config,
) -> Result<(PathBuf, bool), String> {
    match host.form {
        Form::Fields => Err(format!("{} keeps no file: fill the fields in by hand", host.title)),
        Form::Json(_) | Form::Toml(_) | Form::Yaml(_) => {
            place(given, host, config).ok_or_else(|| {
                format!("where {} keeps its file is not known; use --config-file", host.title)
            })
        }
    }
}

fn untouched(path: &Path, what: &str, error: &str) -> String {
    format!("{} cannot be {what} and is as it was: {error}", path.display())
}

/// The host's file, and whether it may be the first of its directory.
pub(super) fn place(
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
