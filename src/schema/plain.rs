//! A type's schema, in the plain form that every host reads.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value};

/// Keywords that some hosts reject or that do not help a model.
const DROPPED: &[&str] =
    &["$schema", "$id", "$defs", "title", "format", "default", "examples", "writeOnly", "readOnly"];

/// Keywords whose values are numbers.
const BOUNDS: &[&str] = &["minimum", "maximum"];

/// What is published of a type.
#[derive(Debug, Clone, Default)]
pub struct Plain {
    /// Its doc comment, on one line.
    pub description: String,
    /// Its schema: one `type` everywhere, no combinators, references or nulls.
    pub schema: Map<String, Value>,
}

impl Plain {
    /// What is published of `T`.
    #[must_use]
    pub fn of<T: JsonSchema>() -> Self {
        let mut root = generate::<T>();
        let types = match root.shift_remove("$defs") {
            Some(Value::Object(types)) => types,
            _ => Map::new(),
        };
        let mut schema = Value::Object(root);
        simplify(&mut schema, &types);
        let Value::Object(mut schema) = schema else { return Self::default() };
        let description = match schema.shift_remove("description") {
            Some(Value::String(description)) => description,
            _ => String::new(),
        };
        schema.entry("properties").or_insert_with(|| Value::Object(Map::new()));
        Self { description, schema }
    }
}

/// The schema as schemars generates it. Types stay in `$defs`, because the doc comment of a type is written for readers
/// of the source, and must not become the description of a property, which is written for agents.
fn generate<T: JsonSchema>() -> Map<String, Value> {
    let settings = SchemaSettings::draft2020_12().with(|settings| settings.meta_schema = None);
    let schema = settings.into_generator().into_root_schema_for::<T>();
    match schema.to_value() {
        Value::Object(schema) => schema,
        _ => Map::new(),
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Simplifies `value`; `types` are the definitions that it refers to.
fn simplify(value: &mut Value, types: &Map<String, Value>) {
    let Value::Object(schema) = value else { return };
    unwrap_nullable(schema);
    inline_type(schema, types);
    fold_choices(schema);
    for keyword in DROPPED {
        schema.shift_remove(*keyword);
    }
    if schema.get("additionalProperties") == Some(&Value::Bool(true)) {
        schema.shift_remove("additionalProperties");
    }
    if let Some(Value::Array(types)) = schema.get("type")
        && let Some(only) = types.iter().find(|one| one.as_str() != Some("null")).cloned()
    {
        schema.insert("type".to_owned(), only);
    }
    if let Some(Value::Array(options)) = schema.get_mut("enum") {
        options.retain(|option| !option.is_null());
    }
    if let Some(Value::String(description)) = schema.get_mut("description") {
        *description = one_line(description);
        if description.is_empty() {
            schema.shift_remove("description");
        }
    }
    for bound in BOUNDS {
        if let Some(value) = schema.get_mut(*bound)
            && let Some(whole) = whole(value)
        {
            *value = whole;
        }
    }
    if let Some(Value::Object(properties)) = schema.get_mut("properties") {
        properties.values_mut().for_each(|property| simplify(property, types));
    }
    if let Some(items) = schema.get_mut("items") {
        if *items == Value::Bool(true) {
            *items = serde_json::json!({ "type": "object" });
        }
        simplify(items, types);
    }
}

/// Replaces a reference by the type that it names, without the type's own description.
fn inline_type(schema: &mut Map<String, Value>, types: &Map<String, Value>) {
    let Some(Value::String(reference)) = schema.shift_remove("$ref") else { return };
    let name = reference.trim_start_matches("#/$defs/");
    let Some(Value::Object(definition)) = types.get(name) else { return };
    for (keyword, value) in definition {
        if keyword != "description" {
            schema.insert(keyword.clone(), value.clone());
        }
    }
}

/// 4 instead of 4.0: the same number in fewer tokens.
fn whole(bound: &Value) -> Option<Value> {
    bound.as_f64().filter(|_| bound.is_f64()).and_then(super::integer_value).map(Value::from)
}

/// `anyOf: [schema, null]`, the form of an optional type, becomes the schema.
fn unwrap_nullable(schema: &mut Map<String, Value>) {
    let Some(Value::Array(choices)) = schema.get_mut("anyOf") else { return };
    let is_null = |choice: &Value| choice.get("type").and_then(Value::as_str) == Some("null");
    choices.retain(|choice| !is_null(choice));
    if choices.len() == 1
        && let Some(Value::Object(only)) = choices.pop()
    {
        schema.shift_remove("anyOf");
        for (keyword, value) in only {
            schema.entry(keyword).or_insert(value);
        }
    }
}

/// `oneOf` of constants, the form of an enum whose variants are documented, becomes `enum`.
fn fold_choices(schema: &mut Map<String, Value>) {
    let Some(Value::Array(choices)) = schema.get("oneOf") else { return };
    let mut names = Vec::new();
    for choice in choices {
        match (choice.get("const"), choice.get("enum")) {
            (Some(constant), _) => names.push(constant.clone()),
            (None, Some(Value::Array(several))) => names.extend(several.iter().cloned()),
            _ => return,
        }
    }
    schema.shift_remove("oneOf");
    schema.insert("type".to_owned(), Value::from("string"));
    schema.insert("enum".to_owned(), Value::Array(names));
}
