//! Arguments that nobody would send, for every tool: the pure steps before a call. The targets below `tests/fuzz` go
//! on where these end.

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use venice_mcp::error::Error;
use venice_mcp::schema::{ArgumentValidator, normalize};
use venice_mcp::tools;

/// Any JSON, with the names and values that the tools' schemas are about among the others.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        prop_oneof![
            Just("512"),
            Just("1e400"),
            Just("true"),
            Just("[1, null]"),
            Just("{\"a\": []}"),
            Just("last"),
            Just("Infinity"),
        ]
        .prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((name(), inner), 0..5)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

fn name() -> impl Strategy<Value = String> {
    let known: Vec<String> = tools::all()
        .flat_map(|route| {
            let schema = route.published().schema;
            let names = schema["properties"].as_object().unwrap().keys().cloned();
            let aliases = route.spec.aliases.iter().map(|(alias, _)| (*alias).to_owned());
            names.chain(aliases).collect::<Vec<_>>()
        })
        .collect();
    prop_oneof![4 => prop::sample::select(known), 1 => ".{0,6}"]
}

fn any_arguments() -> impl Strategy<Value = Map<String, Value>> {
    prop::collection::vec((name(), any_json()), 0..8).prop_map(|all| all.into_iter().collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Normalizing twice is normalizing once; whatever passes the published schema is a value of the tool's type, or
    /// is refused with words.
    #[test]
    fn any_arguments_are_validated(arguments in any_arguments()) {
        for route in tools::all() {
            let schema = route.published().schema;
            let validator = ArgumentValidator::new(&schema).unwrap();
            let once = normalize(&schema, route.spec.aliases, arguments.clone());
            let twice = normalize(&schema, route.spec.aliases, once.clone());
            prop_assert_eq!(json!(&once), json!(&twice), "{}", route.spec.name);
            let problems = validator.problems(&json!(&once));
            for problem in &problems {
                prop_assert!(!problem.message.is_empty());
            }
            if problems.is_empty() {
                let mut own = once;
                if route.take_shared(&mut own, &schema).is_ok() {
                    let parsed = route.parse(own.clone());
                    let why = parsed.as_ref().err().map(Error::text);
                    prop_assert!(parsed.is_ok(), "{}: {why:?} of {own:?}", route.spec.name);
                }
            }
        }
    }
}
