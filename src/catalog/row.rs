//! The rows of `GET /models`, as Venice sends them.

use std::cell::Cell;

use serde::Deserialize;
use serde_json::{Map, Value};

/// A row as Venice sends it, whatever its type. Only lists show it; it is not cached.
#[derive(Debug, Clone)]
pub(crate) struct ModelRow {
    /// The id that requests carry. Case matters.
    pub(crate) id: String,
    /// The type, as the API names it; new ones may appear.
    pub(crate) type_name: String,
    /// What the API says of the model: constraints, prices, voices, and the rest, by the API's own names.
    pub(crate) spec: Map<String, Value>,
}

impl ModelRow {
    /// Takes a row apart; `None` if it has no id.
    fn parse(row: Value) -> Option<Self> {
        let Value::Object(mut fields) = row else { return None };
        let id = fields.get("id")?.as_str()?.to_owned();
        let type_name = fields.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
        let spec = match fields.get_mut("model_spec").map(Value::take) {
            Some(Value::Object(spec)) => spec,
            _ => Map::new(),
        };
        Some(Self { id, type_name, spec })
    }

    /// What a caller should know before using the model: that it is offline, or will be removed.
    #[must_use]
    pub(crate) fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if self.spec.get("offline").and_then(Value::as_bool) == Some(true) {
            warnings.push(format!("{} is marked offline", self.id));
        }
        if let Some(deprecation) = self.spec.get("deprecation").filter(|value| value.is_object()) {
            let text = |name: &str| deprecation.get(name).and_then(Value::as_str);
            let date = text("removesAt").or_else(|| text("date")).unwrap_or("a date not given");
            let replacement = text("replacementModelId")
                .map(|id| format!(", use {id} instead"))
                .unwrap_or_default();
            warnings.push(format!("{} is deprecated: removed on {date}{replacement}", self.id));
        }
        warnings
    }
}

/// The rows that have an id. A broken row costs only itself: one line in the log counts those that were skipped.
pub(super) fn parse_rows(rows: Vec<Value>, filter: &str) -> Vec<ModelRow> {
    let count = rows.len();
    let mut first = None;
    let parse = |(index, row)| {
        let row = ModelRow::parse(row);
        if row.is_none() {
            first.get_or_insert(index);
        }
        row
    };
    let parsed: Vec<ModelRow> = rows.into_iter().enumerate().filter_map(parse).collect();
    if let Some(first_index) = first {
        let skipped = count - parsed.len();
        tracing::warn!(r#type = filter, skipped, first_index, "model rows without an id");
    }
    parsed
}

/// The `model_spec` of a row while it is parsed.
pub(super) struct ModelSpec<'a> {
    fields: &'a Map<String, Value>,
    is_readable: Cell<bool>,
}

impl<'a> ModelSpec<'a> {
    pub(super) const fn new(fields: &'a Map<String, Value>) -> Self {
        Self { fields, is_readable: Cell::new(true) }
    }

    /// Whether every part that was asked for had a known form.
    pub(super) const fn is_readable(&self) -> bool {
        self.is_readable.get()
    }

    /// The field of that name; the default if it is missing, null, or of an unknown form.
    pub(super) fn part<T: Deserialize<'a> + Default>(&self, name: &str) -> T {
        self.fields
            .get(name)
            .filter(|value| !value.is_null())
            .map_or_else(T::default, |value| self.read(value))
    }

    /// Everything as one value, for the types whose constraints are not in a field of their own.
    pub(super) fn whole<T: Deserialize<'a> + Default>(&self) -> T {
        self.read(self.fields)
    }

    fn read<T: Deserialize<'a> + Default>(&self, value: impl serde::Deserializer<'a>) -> T {
        T::deserialize(value).unwrap_or_else(|_| {
            self.is_readable.set(false);
            T::default()
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_row_without_an_id_costs_only_itself() {
        let rows = vec![
            json!({"id": "first", "type": "image", "model_spec": {"name": "First"}}),
            json!("not a row"),
            json!({"type": "image", "model_spec": {}}),
            json!({"id": 7}),
            json!({"id": "bare"}),
            json!({"id": "odd", "type": "hologram", "model_spec": {"depth": {"max": 3}}}),
        ];
        let rows = parse_rows(rows, "all");
        let ids: Vec<&str> = rows.iter().map(|row| row.id.as_str()).collect();
        assert_eq!(ids, ["first", "bare", "odd"]);
        let types: Vec<&str> = rows.iter().map(|row| row.type_name.as_str()).collect();
        assert_eq!(types, ["image", "", "hologram"], "unknown types can be listed");
        assert_eq!(rows[2].spec["depth"]["max"], 3, "unknown fields pass through");
    }
}
