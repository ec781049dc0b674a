//! What holds for every tool, whatever it does.

use serde_json::{Value, json};
use venice_mcp::tool::{Cost, Effect, Returns};
use venice_mcp::tools;

use crate::harness::{Client as _, Setup, kinds};
use crate::tidy::files;

/// Keywords that some host refuses.
const FORBIDDEN: &[&str] = &[
    "$ref",
    "$defs",
    "$schema",
    "oneOf",
    "anyOf",
    "allOf",
    "not",
    "if",
    "format",
    "nullable",
    "title",
    "exclusiveMinimum",
    "exclusiveMaximum",
];

/// Names that hosts and providers refuse are longer, or have other characters.
fn is_plain_name(name: &str) -> bool {
    name.len() <= 64 && name.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c))
}

fn walk(tool: &str, path: &str, schema: &Value, depth: usize) {
    let object = schema.as_object().unwrap_or_else(|| panic!("{tool}{path} is no object"));
    assert!(depth <= 3, "{tool}{path} is too deep");
    for keyword in FORBIDDEN {
        assert!(!object.contains_key(*keyword), "{tool}{path} has {keyword}");
    }
    let kind = object["type"].as_str().unwrap_or_else(|| panic!("{tool}{path} has no one type"));
    if kind == "array" {
        walk(tool, &format!("{path}[]"), &object["items"], depth);
    }
    if let Some(options) = object.get("enum") {
        assert!(options.as_array().unwrap().iter().all(Value::is_string), "{tool}{path}");
    }
    if let Some(description) = object.get("description").filter(|_| depth > 0) {
        let length = description.as_str().unwrap().chars().count();
        assert!(length <= 80, "{tool}{path}: a description of {length} characters");
    }
    for (name, property) in
        object.get("properties").and_then(Value::as_object).into_iter().flatten()
    {
        assert!(is_plain_name(name), "{tool}{path}.{name}");
        walk(tool, &format!("{path}.{name}"), property, depth + 1);
    }
}

#[test]
fn schemas_are_plain_and_closed() {
    for route in tools::all() {
        let schema = Value::Object(route.published().schema);
        walk(route.spec.name, "", &schema, 0);
        assert_eq!(schema["additionalProperties"], json!(false), "{}", route.spec.name);
        jsonschema::meta::validate(&schema).unwrap();
        if let Some(output) = route.output_schema() {
            assert_eq!(output["type"], "object");
            assert!(matches!(route.spec.returns, Returns::Data(_)));
        }
    }
}

/// The doc comments of all types in `text`, each on one line.
fn docs_of_types(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut comment: Vec<&str> = Vec::new();
    let mut in_attribute = false;
    for line in text.lines().map(str::trim) {
        if let Some(words) = line.strip_prefix("///") {
            comment.push(words.trim());
            continue;
        }
        if in_attribute || line.starts_with("#[") {
            in_attribute = !line.ends_with(']');
            continue;
        }
        let item = match line.split_once(' ') {
            Some((visibility, item)) if visibility.starts_with("pub") => item,
            _ => line,
        };
        if (item.starts_with("struct ") || item.starts_with("enum ")) && !comment.is_empty() {
            found.push(comment.join(" ").trim().to_owned());
        }
        comment.clear();
    }
    found
}

/// The descriptions of the properties below `schema`, with their paths.
fn descriptions(path: &str, schema: &Value, found: &mut Vec<(String, String)>) {
    let properties = schema.get("properties").and_then(Value::as_object);
    let named = properties.into_iter().flatten().map(|(name, one)| (format!("{path}.{name}"), one));
    let items = schema.get("items").map(|items| (format!("{path}[]"), items));
    for (path, inner) in named.chain(items) {
        if let Some(description) = inner.get("description").and_then(Value::as_str) {
            found.push((path.clone(), description.to_owned()));
        }
        descriptions(&path, inner, found);
    }
}

#[test]
fn every_published_description_was_written_for_agents() {
    let docs: Vec<String> =
        files("src", ".rs").iter().flat_map(|(_, text)| docs_of_types(text)).collect();
    assert!(docs.len() > 300, "only {} types with doc comments were found", docs.len());
    let mut leaks = Vec::new();
    for route in tools::all() {
        let mut published = Vec::new();
        let schema = Value::Object(route.published().schema);
        descriptions(route.spec.name, &schema, &mut published);
        leaks.extend(published.into_iter().filter(|(_, text)| docs.contains(text)));
    }
    assert!(leaks.is_empty(), "doc comments of types are published: {leaks:#?}");
}

#[test]
fn names_and_descriptions_follow_the_rules() {
    let mut names: Vec<&str> = tools::all().map(|route| route.spec.name).collect();
    for route in tools::all() {
        let spec = route.spec;
        assert!(spec.name.starts_with("venice_") && spec.name.len() <= 32, "{}", spec.name);
        let description = route.published().description;
        assert!((20..=600).contains(&description.len()), "{}: {description}", spec.name);
        assert!(description.ends_with('.'), "{}", spec.name);
        let paid = matches!(spec.cost, Cost::Paid(_));
        let says = description.contains("Costs") || description.contains('$');
        assert_eq!(paid, says, "{} must say what it costs", spec.name);
        assert!(!paid || spec.effect != Effect::Reads, "{} spends", spec.name);
        let charged = spec.endpoints.iter().any(|endpoint| endpoint.kind().is_charged());
        assert_eq!(
            paid, charged,
            "{}: what it costs, and whether an endpoint is charged",
            spec.name
        );
    }
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), tools::all().count());
}

#[test]
fn an_endpoint_is_declared_once() {
    let mut seen: Vec<(String, *const ())> = Vec::new();
    for route in tools::all() {
        for endpoint in route.spec.endpoints {
            let key = format!("{} {}", endpoint.method(), endpoint.path());
            let place = std::ptr::from_ref(*endpoint).cast::<()>();
            let other = seen.iter().find(|(other, _)| *other == key).map(|(_, place)| *place);
            assert!(other.is_none_or(|other| other == place), "{key} is declared twice");
            seen.push((key, place));
        }
    }
}

#[test]
fn aliases_stand_for_arguments_and_hide_none() {
    for route in tools::all() {
        let schema = route.published().schema;
        let properties = schema["properties"].as_object().unwrap();
        for (alias, name) in route.spec.aliases {
            assert!(properties.contains_key(*name), "{}: {name}", route.spec.name);
            assert!(!properties.contains_key(*alias), "{}: {alias}", route.spec.name);
        }
    }
}

#[tokio::test]
async fn missing_and_odd_arguments_never_break_a_tool() {
    let server = Setup::new().set("VENICE_TOOLSETS", "all").start().await;
    for tool in server.tool_names().await {
        let odd = json!({"prompt": {"deep": [[[]]]}, "input": 5, "uri": [], "\u{0}": null});
        for arguments in [json!({}), odd] {
            let result = server.call(&tool, arguments).await;
            assert!(!kinds(&result).is_empty(), "{tool}");
        }
    }
}

#[tokio::test]
async fn hints_say_what_a_tool_changes() {
    let server = Setup::new().set("VENICE_TOOLSETS", "all").start().await;
    for tool in server.tools().await {
        let hints = &tool["annotations"];
        let spec = tools::all().find(|route| route.spec.name == tool["name"]).unwrap().spec;
        assert!(hints["title"].is_string());
        assert_eq!(hints["readOnlyHint"], spec.effect == Effect::Reads, "{tool}");
        assert_eq!(hints["destructiveHint"] == false, spec.effect == Effect::Creates, "{tool}");
    }
}
