//! Servers in a JSON file that may have comments: everything else in it stays as it was written.

use jsonc_parser::ParseOptions;
use jsonc_parser::cst::{CstInputValue, CstNode, CstObject, CstRootNode};
use serde_json::{Map, Value};

use super::entry::is_ours;
use super::{Change, NAME, once};

/// Sets the server's object below `list`, and adds the questions that are not there yet.
pub(super) fn merge(text: &str, list: &str, change: &Change) -> Result<String, String> {
    let (mark, root) = parse(text)?;
    let top = root.object_value_or_create().ok_or("its top level is not an object")?;
    let servers =
        top.object_value_or_create(list).ok_or(format!("its `{list}` is not an object"))?;
    let entry = Value::Object(change.entry.clone());
    match servers.get(NAME) {
        Some(old) if old.to_serde_value().as_ref() == Some(&entry) => {}
        Some(old) => old.set_value(input(&entry)),
        None => drop(servers.append(NAME, input(&entry))),
    }
    for question in &change.questions {
        let asked =
            top.array_value_or_create("inputs").ok_or("its `inputs` is not an array".to_owned())?;
        let same = |one: &CstNode| {
            one.to_serde_value().is_some_and(|one| one.get("id") == question.get("id"))
        };
        if !asked.elements().iter().any(same) {
            asked.append(input(question));
        }
    }
    Ok(mark + &root.to_string())
}

/// Removes the server's object and its questions, and what is then empty.
pub(super) fn remove(text: &str, list: &str) -> Result<String, String> {
    let (mark, root) = parse(text)?;
    let Some(top) = root.object_value() else { return Ok(text.to_owned()) };
    let Some(server) = top.object_value(list).and_then(|servers| servers.get(NAME)) else {
        return Ok(text.to_owned());
    };
    server.remove();
    if let Some(asked) = top.array_value("inputs") {
        for one in asked.elements() {
            if one.to_serde_value().is_some_and(|one| is_ours(&one)) {
                one.remove();
            }
        }
        if asked.elements().is_empty() {
            drop_property(&top, "inputs");
        }
    }
    if top.object_value(list).is_some_and(|servers| servers.properties().is_empty()) {
        drop_property(&top, list);
    }
    Ok(mark + &root.to_string())
}

/// The object of every server that the file lists.
pub(super) fn servers(text: &str, list: &str) -> Result<Map<String, Value>, String> {
    let (_, root) = parse(text)?;
    match root.to_serde_value() {
        Some(Value::Object(mut top)) => Ok(match top.remove(list) {
            Some(Value::Object(servers)) => servers,
            _ => Map::new(),
        }),
        _ => Ok(Map::new()),
    }
}

fn drop_property(object: &CstObject, name: &str) {
    if let Some(property) = object.get(name) {
        property.remove();
    }
}

/// The file's byte order mark, if it has one, and its tree.
fn parse(text: &str) -> Result<(String, CstRootNode), String> {
    let (mark, text) = match text.strip_prefix('\u{feff}') {
        Some(rest) => ("\u{feff}".to_owned(), rest),
        None => (String::new(), text),
    };
    let text = if text.trim().is_empty() { "{}\n" } else { text };
    let options = ParseOptions {
        allow_comments: true,
        allow_trailing_commas: true,
        allow_loose_object_property_names: false,
        allow_missing_commas: false,
        allow_single_quoted_strings: false,
        allow_hexadecimal_numbers: false,
        allow_unary_plus_numbers: false,
        allow_bare_decimal_point_numbers: false,
        allow_non_finite_numbers: false,
        allow_extended_string_escapes: false,
    };
    let root = CstRootNode::parse(text, &options).map_err(|error| error.to_string())?;
    let properties = root.object_value().into_iter().flat_map(|top| top.properties());
    once(properties.map(|property| {
        property.name().and_then(|name| name.decoded_value().ok()).unwrap_or_default()
    }))?;
    Ok((mark, root))
}

fn input(value: &Value) -> CstInputValue {
    match value {
        Value::Null => CstInputValue::Null,
        Value::Bool(value) => CstInputValue::Bool(*value),
        Value::Number(value) => CstInputValue::Number(value.to_string()),
        Value::String(value) => CstInputValue::String(value.clone()),
        Value::Array(values) => CstInputValue::Array(values.iter().map(input).collect()),
        Value::Object(values) => CstInputValue::Object(
            values.iter().map(|(name, value)| (name.clone(), input(value))).collect(),
        ),
    }
}
