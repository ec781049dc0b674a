//! Servers in a TOML file: its comments and its order stay.

use serde_json::{Map, Number, Value as Json};
use toml_edit::{Array, DocumentMut, InlineTable, Item, Table, Value};

use super::file::with_line_ends_of;
use super::{Change, NAME};

/// Sets the server's table below `list`.
pub(super) fn merge(text: &str, list: &str, change: &Change) -> Result<String, String> {
    if servers(text, list)?.get(NAME).is_some_and(|old| *old == Json::Object(change.entry.clone()))
    {
        return Ok(text.to_owned());
    }
    let mut document = parse(text)?;
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
    Ok(close(text, &document))
}

/// Removes the server's table, and what is then empty.
pub(super) fn remove(text: &str, list: &str) -> Result<String, String> {
    let mut document = parse(text)?;
    let top = document.as_table_mut();
    if let Some(servers) = top.get_mut(list).and_then(Item::as_table_like_mut) {
        servers.remove(NAME);
        if servers.is_empty() {
            top.remove(list);
        }
    }
    Ok(close(text, &document))
}

/// The table of every server that the file lists.
pub(super) fn servers(text: &str, list: &str) -> Result<Map<String, Json>, String> {
    let document = parse(text)?;
    let servers = document.get(list).and_then(Item::as_table_like);
    let tables = servers.into_iter().flat_map(|servers| servers.iter());
    Ok(tables.map(|(name, item)| (name.to_owned(), output(item))).collect())
}

/// The byte order mark that some editors of Windows begin a file with.
const MARK: char = '\u{feff}';

fn parse(text: &str) -> Result<DocumentMut, String> {
    text.strip_prefix(MARK).unwrap_or(text).parse::<DocumentMut>().map_err(|error| {
        // The text draws the place with lines of its own, of which the first has its number.
        let text = error.to_string();
        format!("{}: {}", text.lines().next().unwrap_or_default(), error.message().trim())
    })
}

/// The document as text, with the mark and the line ends of what it was, which the tree does not keep.
fn close(before: &str, document: &DocumentMut) -> String {
    let mark = before.chars().next().filter(|first| *first == MARK);
    let text = mark.into_iter().collect::<String>() + &document.to_string();
    with_line_ends_of(before, text)
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
