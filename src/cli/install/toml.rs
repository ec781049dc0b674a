//! Servers in a TOML file: its comments and its order stay.

use serde_json::{Map, Number, Value as Json};
use toml_edit::{Array, DocumentMut, InlineTable, Item, Table, Value};

use super::{Change, NAME};

/// Sets the server's table below `list`.
pub(super) fn merge(text: &str, list: &str, change: &Change) -> Result<String, String> {
    if servers(text, list)?.get(NAME).is_some_and(|old| *old == Json::Object(change.entry.clone()))
    {
        return Ok(text.to_owned());
    }
    let (mark, returns, mut document) = open(text)?;
    let top = document.as_table_mut();
    let servers = top.entry(list).or_insert_with(|| {
        let mut table = Table::new();
        table.set_implicit(true);
        Item::Table(table)
    });
    let servers = servers.as_table_like_mut().ok_or(format!("its `{list}` is not a table"))?;
    let mut table = Table::new();
    for (name, value) in &change.entry {
        table.insert(name, Item::Value(input(value)));
    }
    servers.insert(NAME, Item::Table(table));
    Ok(close(mark, returns, &document))
}

/// Removes the server's table, and what is then empty; nothing where it is not there.
pub(super) fn remove(text: &str, list: &str) -> Result<Option<String>, String> {
    let (mark, returns, mut document) = open(text)?;
    let top = document.as_table_mut();
    let Some(servers) = top.get_mut(list).and_then(Item::as_table_like_mut) else {
        return Ok(None);
    };
    if servers.remove(NAME).is_none() {
        return Ok(None);
    }
    if servers.is_empty() {
        top.remove(list);
    }
    Ok(Some(close(mark, returns, &document)))
}

/// The table of every server that the file lists.
pub(super) fn servers(text: &str, list: &str) -> Result<Map<String, Json>, String> {
    let (_, _, document) = open(text)?;
    let servers = document.get(list).and_then(Item::as_table_like);
    let tables = servers.into_iter().flat_map(|servers| servers.iter());
    Ok(tables.map(|(name, item)| (name.to_owned(), output(item))).collect())
}

/// The file's byte order mark, if it has one, whether its lines end as on Windows, and its tree, which keeps neither.
fn open(text: &str) -> Result<(&'static str, bool, DocumentMut), String> {
    let plain = text.strip_prefix('\u{feff}');
    let mark = if plain.is_some() { "\u{feff}" } else { "" };
    let document = plain.unwrap_or(text).parse::<DocumentMut>().map_err(|error| {
        // The text draws the place with lines of its own, of which the first has its number.
        let text = error.to_string();
        format!("{}: {}", text.lines().next().unwrap_or_default(), error.message().trim())
    })?;
    Ok((mark, text.contains("\r\n"), document))
}

fn close(mark: &str, returns: bool, document: &DocumentMut) -> String {
    let text = document.to_string();
    format!("{mark}{}", if returns { text.replace('\n', "\r\n") } else { text })
}

fn input(value: &Json) -> Value {
    match value {
        Json::Null => Value::from(""),
        Json::Bool(value) => Value::from(*value),
        Json::Number(value) => match value.as_i64() {
            Some(whole) => Value::from(whole),
            None => Value::from(value.as_f64().unwrap_or_default()),
        },
        Json::String(value) => Value::from(value.as_str()),
        Json::Array(values) => Value::Array(values.iter().map(input).collect::<Array>()),
        Json::Object(values) => Value::InlineTable(
            values
                .iter()
                .map(|(name, value)| (name.as_str(), input(value)))
                .collect::<InlineTable>(),
        ),
    }
}

fn output(item: &Item) -> Json {
    if let Some(table) = item.as_table_like() {
        return table.iter().map(|(name, item)| (name.to_owned(), output(item))).collect();
    }
    item.as_value().map_or(Json::Null, value)
}

fn value(value: &Value) -> Json {
    match value {
        Value::String(text) => Json::from(text.value().as_str()),
        Value::Integer(whole) => Json::from(*whole.value()),
        Value::Float(number) => Number::from_f64(*number.value()).map_or(Json::Null, Json::Number),
        Value::Boolean(is) => Json::from(*is.value()),
        Value::Datetime(time) => Json::from(time.value().to_string()),
        Value::Array(values) => values.iter().map(self::value).collect(),
        Value::InlineTable(table) => {
            table.iter().map(|(name, one)| (name.to_owned(), self::value(one))).collect()
        }
    }
}
