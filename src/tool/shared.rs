//! The arguments that tools share.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Returns, Spec, extra};
use crate::call::SharedArguments;
use crate::context::OutputMode;
use crate::error::Result;
use crate::schema::Plain;

/// The arguments of every tool that returns media.
#[derive(Deserialize, JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
struct Delivery {
    output: Option<OutputMode>,
    save_as: Option<String>,
}

/// The argument of every tool that takes further fields of the request's body.
#[derive(Deserialize, JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
struct Extra {
    /// JSON of further fields.
    extra: Option<String>,
}

/// The properties of the shared arguments that the tool takes.
pub(super) fn properties(spec: &Spec) -> Map<String, Value> {
    let mut shared = Map::new();
    if spec.extra {
        shared.extend(properties_of::<Extra>());
    }
    if spec.returns == Returns::Media {
        shared.extend(properties_of::<Delivery>());
    }
    shared
}

fn properties_of<T: JsonSchema>() -> Map<String, Value> {
    match Plain::of::<T>().schema.remove("properties") {
        Some(Value::Object(properties)) => properties,
        _ => Map::new(),
    }
}

/// Takes the shared arguments of the tool out of `arguments`, which the published `schema` has accepted.
pub(super) fn take(
    spec: &Spec,
    arguments: &mut Map<String, Value>,
    schema: &Map<String, Value>,
) -> Result<SharedArguments> {
    let mut shared = SharedArguments::default();
    if spec.returns == Returns::Media {
        let output = arguments.remove("output");
        shared.output = output.as_ref().and_then(Value::as_str).and_then(OutputMode::parse);
        shared.save_as =
            arguments.remove("save_as").and_then(|name| name.as_str().map(str::to_owned));
    }
    if spec.extra
        && let Some(extra) = arguments.remove("extra")
    {
        shared.extra = extra::parse(&extra)?;
        extra::check(&shared.extra, schema, spec.aliases)?;
    }
    Ok(shared)
}
