//! The rows of `GET /models`: as Venice sends them for lists, and parsed once for the calls that choose a model.

use std::cell::Cell;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::model_type::{Details, ModelDetails, ModelType};

/// A row as Venice sends it, whatever its type. Only lists show it; it is not cached.
#[derive(Debug, Clone)]
pub struct ModelRow {
    /// The id that requests carry. Case matters.
    pub id: String,
    /// The type, as the API names it; new ones may appear.
    pub type_name: String,
    /// What the API says of the model: constraints, prices, voices, and the rest, by the API's own names.
    pub spec: Map<String, Value>,
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
    pub fn warnings(&self) -> Vec<String> {
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

/// A model, with what calls check and price by.
#[derive(Debug)]
pub struct Model {
    /// The id that requests carry. Case matters.
    pub id: String,
    /// What the model is the best or the default for, such as `default` or `fastest`.
    pub traits: Vec<String>,
    /// What a caller should know before using the model.
    pub warnings: Vec<String>,
    details: Details,
}

impl Model {
    /// Parses a row of that type. The second value is false if a part of the row has an unknown form: nothing is
    /// known of that part then, and Venice decides.
    pub(super) fn from_row(model_type: ModelType, row: &ModelRow) -> (Self, bool) {
        let spec = Spec::new(&row.spec);
        let model = Self {
            id: row.id.clone(),
            traits: spec.part("traits"),
            warnings: row.warnings(),
            details: Details::parse(model_type, &spec),
        };
        (model, spec.is_readable.get())
    }

    /// Parses rows of that type. One line in the log counts the rows of which a part could not be read.
    pub(super) fn from_rows(model_type: ModelType, rows: &[ModelRow]) -> Vec<Arc<Self>> {
        let mut unreadable = Vec::new();
        let models = rows.iter().map(|row| {
            let (model, is_readable) = Self::from_row(model_type, row);
            if !is_readable {
                unreadable.push(row.id.as_str());
            }
            Arc::new(model)
        });
        let models = models.collect();
        if let Some(first) = unreadable.first() {
            let (count, name) = (unreadable.len(), model_type.name());
            tracing::warn!(r#type = name, count, first, "parts of model rows have an unknown form");
        }
        models
    }

    /// The constraints and prices of the model, if it is of that type.
    #[must_use]
    pub fn details<D: ModelDetails>(&self) -> Option<&D> {
        D::from_details(&self.details)
    }

    /// Whether the model has `name` as a trait.
    #[must_use]
    pub fn has_trait(&self, name: &str) -> bool {
        self.traits.iter().any(|one| one == name)
    }
}

/// The `model_spec` of a row while it is parsed.
pub(super) struct Spec<'a> {
    fields: &'a Map<String, Value>,
    is_readable: Cell<bool>,
}

impl<'a> Spec<'a> {
    pub(super) const fn new(fields: &'a Map<String, Value>) -> Self {
        Self { fields, is_readable: Cell::new(true) }
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

    use super::super::image::{ImageModel, ImageRequirements};
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

    #[test]
    fn a_part_of_an_unknown_form_is_not_known_and_the_rest_is() {
        let row = |constraints: Value| {
            let spec = json!({"traits": ["default"], "offline": true,
                "constraints": constraints, "pricing": {"generation": {"usd": 0.5}}});
            parse_rows(vec![json!({"id": "m", "model_spec": spec})], "image").remove(0)
        };
        let requirements = ImageRequirements { prompt: "long", ..ImageRequirements::default() };
        let limited = row(json!({"promptCharacterLimit": 1, "new": [{}]}));
        let (model, is_readable) = Model::from_row(ModelType::Image, &limited);
        let image = model.details::<ImageModel>().unwrap();
        assert!(is_readable && image.check_requirements("m", &requirements).len() == 1);
        let (model, is_readable) =
            Model::from_row(ModelType::Image, &row(json!({"promptCharacterLimit": "1"})));
        let image = model.details::<ImageModel>().unwrap();
        assert!(!is_readable);
        assert_eq!(image.check_requirements("m", &requirements), [], "Venice decides");
        assert_eq!(image.price_usd(&requirements, 1, false), Some(0.5));
        assert!(model.has_trait("default") && model.warnings == ["m is marked offline"]);
    }
}
