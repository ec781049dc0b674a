//! Servers in a YAML file: its comments and its order stay.

use std::fmt::Write as _;
use std::str::FromStr as _;

use serde_json::{Map, Number, Value};
use yaml_edit::{Document, Mapping, ScalarType, ScalarValue, YamlFile, YamlNode};

use super::file::with_line_ends_of;
use super::{Change, NAME, once};

/// Sets the server's mapping below `list`.
pub(super) fn merge(text: &str, list: &str, change: &Change) -> Result<String, String> {
    if servers(text, list)?.get(NAME).is_some_and(|old| *old == Value::Object(change.entry.clone()))
    {
        return Ok(text.to_owned());
    }
    edit(text, list, Some(&change.entry), |file| {
        let Some(top) = top(file) else {
            // Nothing but comments, after which there is room.
            let text = file.to_string();
            let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
            return Ok(format!("{text}{end}{}", print(list, &change.entry)));
        };
        let mut entry = String::new();
        mapping(&mut entry, &change.entry, 0);
        let entry = Document::from_str(&entry).map_err(|error| error.to_string())?;
        match top.get(list) {
            Some(YamlNode::Mapping(servers)) => servers.set(NAME, &entry),
            Some(other) if !output(&other).is_null() => {
                return Err(format!("its `{list}` is not a mapping"));
            }
            _ => {
                let servers = Document::new_mapping();
                servers.set(NAME, &entry);
                top.set(list, &servers);
            }
        }
        Ok(file.to_string())
    })
}

/// Removes the server's mapping, and what is then empty.
pub(super) fn remove(text: &str, list: &str) -> Result<String, String> {
    edit(text, list, None, |file| {
        if let Some(top) = top(file)
            && let Some(servers) = top.get_mapping(list)
        {
            servers.remove(NAME);
            if servers.is_empty() {
                top.remove(list);
            }
        }
        Ok(file.to_string())
    })
}

/// The mapping of every server that the file lists.
pub(super) fn servers(text: &str, list: &str) -> Result<Map<String, Value>, String> {
    match whole(&parse(text)?).remove(list) {
        Some(Value::Object(servers)) => Ok(servers),
        _ => Ok(Map::new()),
    }
}

/// The server as a file of its own.
pub(super) fn print(list: &str, entry: &Map<String, Value>) -> String {
    let mut text = format!("{list}:\n  {NAME}:\n");
    mapping(&mut text, entry, 4);
    text
}

/// What `change` makes of the text, where it then says the same as before but for the server, which is `entry`.
fn edit(
    text: &str,
    list: &str,
    entry: Option<&Map<String, Value>>,
    change: impl FnOnce(&YamlFile) -> Result<String, String>,
) -> Result<String, String> {
    let file = parse(&text.replace("\r\n", "\n"))?;
    let mut expected = whole(&file);
    let new = change(&file)?;
    let mut now = whole(&parse(&new)?);
    let server = take(&mut now, list);
    take(&mut expected, list);
    if now != expected || server.as_ref().and_then(Value::as_object) != entry {
        return Err("it cannot be changed without changing more of it".to_owned());
    }
    Ok(with_line_ends_of(text, new))
}

/// Takes the server out of the list, and the list where it is then empty.
fn take(whole: &mut Map<String, Value>, list: &str) -> Option<Value> {
    let servers = whole.get_mut(list);
    let server = servers.and_then(Value::as_object_mut).and_then(|servers| servers.remove(NAME));
    if whole.get(list).is_some_and(|servers| servers.as_object().is_none_or(Map::is_empty)) {
        whole.remove(list);
    }
    server
}

fn parse(text: &str) -> Result<YamlFile, String> {
    let file = YamlFile::from_str(text).map_err(|error| error.to_string())?;
    if file.documents().count() > 1 {
        return Err("it holds more than one document".to_owned());
    }
    // YAML forbids tabs there, and some parsers take them for spaces.
    if text.lines().any(|line| line.starts_with('\t') && !line.trim().is_empty()) {
        return Err("its lines are indented by tabs".to_owned());
    }
    once(top(&file).iter().flat_map(Mapping::keys).map(|key| name(&key)))?;
    let has_another_top =
        |document: Document| document.as_sequence().is_some() || document.as_scalar().is_some();
    if file.document().is_some_and(has_another_top) {
        return Err("its top level is not a mapping".to_owned());
    }
    Ok(file)
}

fn top(file: &YamlFile) -> Option<Mapping> {
    file.document()?.as_mapping()
}

fn whole(file: &YamlFile) -> Map<String, Value> {
    top(file).map(|top| pairs(&top)).unwrap_or_default()
}

fn pairs(mapping: &Mapping) -> Map<String, Value> {
    mapping.iter().map(|(key, value)| (name(&key), output(&value))).collect()
}

fn name(node: &YamlNode) -> String {
    match output(node) {
        Value::String(name) => name,
        other => other.to_string(),
    }
}

/// A node as JSON, which has no aliases and no tags: those stand as they are written.
fn output(node: &YamlNode) -> Value {
    match node {
        YamlNode::Scalar(scalar) => {
            let value = ScalarValue::from_scalar(scalar);
            match value.scalar_type() {
                ScalarType::Null => Value::Null,
                ScalarType::Boolean => value.to_bool().map_or(Value::Null, Value::Bool),
                ScalarType::Integer => value.to_i64().map_or(Value::Null, Value::from),
                ScalarType::Float => {
                    value.to_f64().and_then(Number::from_f64).map_or(Value::Null, Value::Number)
                }
                _ => Value::from(value.value()),
            }
        }
        YamlNode::Mapping(mapping) => Value::Object(pairs(mapping)),
        YamlNode::Sequence(sequence) => sequence.values().map(|value| output(&value)).collect(),
        YamlNode::Alias(_) | YamlNode::TaggedNode(_) => Value::from(node.to_string()),
    }
}

fn mapping(text: &mut String, values: &Map<String, Value>, indent: usize) {
    for (name, value) in values {
        let _ = write!(text, "{:indent$}{name}:", "");
        match value {
            Value::Object(inner) if !inner.is_empty() => {
                text.push('\n');
                mapping(text, inner, indent + 2);
            }
            // JSON is YAML: quotes keep what would be read as something else.
            other => {
                let _ = writeln!(text, " {}", scalar(other));
            }
        }
    }
}

fn scalar(value: &Value) -> String {
    match value {
        Value::String(text) if is_plain(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Whether the text is a string in YAML without quotes, beyond any doubt.
fn is_plain(text: &str) -> bool {
    let starts = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/');
    let reserved = ["true", "false", "yes", "no", "on", "off", "null", "y", "n"];
    starts
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c))
        && !reserved.iter().any(|word| word.eq_ignore_ascii_case(text))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_yaml_could_misread_is_quoted() {
        let Value::Object(entry) = json!({
            "cmd": "/opt/venice-mcp",
            "args": ["--output", "link"],
            "env": {"A": "no", "B": "${KEY}", "C": "C:\\venice", "D": ""},
            "enabled": true,
            "timeout": 600,
        }) else {
            panic!("no object")
        };
        assert_eq!(
            print("extensions", &entry),
            "extensions:\n  venice:\n    cmd: /opt/venice-mcp\n    args: [\"--output\",\"link\"]\n    env:\n      \
             A: \"no\"\n      B: \"${KEY}\"\n      C: \"C:\\\\venice\"\n      D: \"\"\n    enabled: true\n    timeout: 600\n"
        );
    }
}
