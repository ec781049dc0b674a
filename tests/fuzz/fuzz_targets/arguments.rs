//! Arguments of every tool: normalizing twice is normalizing once, and what passes the schema fits the tool's type.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::{Map, Value, json};
use venice_mcp::schema::{ArgumentValidator, normalize};
use venice_mcp::tools;

fuzz_target!(|text: &str| {
    let Ok(arguments) = serde_json::from_str::<Map<String, Value>>(text) else { return };
    for route in tools::all() {
        let schema = route.published().schema;
        let once = normalize(&schema, route.spec.aliases, arguments.clone());
        let twice = normalize(&schema, route.spec.aliases, once.clone());
        assert_eq!(json!(&once), json!(&twice));
        let problems = ArgumentValidator::new(&schema).unwrap().problems(&json!(&once));
        let mut own = once;
        if problems.is_empty() && route.take_shared(&mut own, &schema).is_ok() {
            drop(route.parse(own).unwrap());
        }
    }
});
