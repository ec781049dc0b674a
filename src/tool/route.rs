//! A tool as a value: function pointers in a static table, one row a tool.

use std::future::Future;
use std::pin::Pin;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Call, Returns, Spec, Tool, extra};
use crate::context::OutputMode;
use crate::error::{Error, Kind, Problem, Result};
use crate::outcome::Outcome;
use crate::schema::Plain;

type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The arguments of a call as their tool's type.
pub trait Parsed: Send {
    /// The rules between arguments.
    fn check(&self) -> Vec<Problem>;
    /// Prepares the call.
    fn prepare(self: Box<Self>, call: &Call) -> Boxed<'_, Result<Box<dyn Prepared>>>;
}

struct Arguments<T: Tool>(T);

impl<T: Tool> Parsed for Arguments<T> {
    fn check(&self) -> Vec<Problem> {
        self.0.check()
    }

    fn prepare(self: Box<Self>, call: &Call) -> Boxed<'_, Result<Box<dyn Prepared>>> {
        Box::pin(async move {
            let plan = self.0.prepare(call).await?;
            Ok(Box::new(Plan::<T>(plan)) as Box<dyn Prepared>)
        })
    }
}

/// A call whose arguments have been prepared, ready to be priced and run.
pub trait Prepared: Send + Sync {
    /// What the call will cost, in US dollars, where that is known.
    fn price<'a>(&'a self, call: &'a Call) -> Boxed<'a, Result<Option<f64>>>;
    /// Does it.
    fn run(self: Box<Self>, call: &Call) -> Boxed<'_, Result<Outcome>>;
}

struct Plan<T: Tool>(T::Plan);

impl<T: Tool> Prepared for Plan<T> {
    fn price<'a>(&'a self, call: &'a Call) -> Boxed<'a, Result<Option<f64>>> {
        Box::pin(T::price(&self.0, call))
    }

    fn run(self: Box<Self>, call: &Call) -> Boxed<'_, Result<Outcome>> {
        Box::pin(T::run(self.0, call))
    }
}

/// One row of the table of tools.
#[derive(Clone, Copy)]
pub struct Route {
    /// What the tool says of itself.
    pub spec: &'static Spec,
    plain: fn() -> Plain,
    parse: fn(Value) -> Result<Box<dyn Parsed>>,
}

impl Route {
    /// The row of `T`.
    #[must_use]
    pub const fn of<T: Tool>() -> Self {
        Self { spec: &T::SPEC, plain: Plain::of::<T>, parse: parse::<T> }
    }

    /// What is published of the tool: what it does, for the model that chooses it, and the schema of the arguments,
    /// which are its own and those that all tools of its kind share.
    #[must_use]
    pub fn published(&self) -> Plain {
        let mut plain = (self.plain)();
        let schema = &mut plain.schema;
        let mut shared = Map::new();
        if self.spec.extra {
            shared.extend(properties::<Extra>());
        }
        if self.spec.returns == Returns::Media {
            shared.extend(properties::<Delivery>());
        }
        if !shared.is_empty()
            && let Some(own) = schema
                .entry("properties")
                .or_insert_with(|| Value::Object(Map::new()))
                .as_object_mut()
        {
            own.extend(shared);
        }
        plain
    }

    /// The schema of `structuredContent`, where the tool returns data.
    #[must_use]
    pub fn output_schema(&self) -> Option<Map<String, Value>> {
        let Returns::Data(fields) = self.spec.returns else { return None };
        let mut schema = Map::from_iter([("type".to_owned(), json!("object"))]);
        let properties: Map<String, Value> = fields
            .iter()
            .map(|(name, kind)| {
                let property = if *kind == "array" {
                    json!({ "type": kind, "items": { "type": "object" } })
                } else {
                    json!({ "type": kind })
                };
                ((*name).to_owned(), property)
            })
            .collect();
        if !properties.is_empty() {
            let names = fields.iter().map(|(name, _)| json!(name)).collect();
            schema.insert("properties".to_owned(), Value::Object(properties));
            schema.insert("required".to_owned(), Value::Array(names));
        }
        Some(schema)
    }

    /// Takes the shared arguments out of `arguments`, which the published `schema` has passed.
    pub fn take_shared(
        &self,
        arguments: &mut Map<String, Value>,
        schema: &Map<String, Value>,
    ) -> Result<Shared> {
        let mut shared = Shared::default();
        if self.spec.returns == Returns::Media {
            let output = arguments.remove("output");
            shared.output = output.as_ref().and_then(Value::as_str).and_then(OutputMode::parse);
            shared.save_as =
                arguments.remove("save_as").and_then(|name| name.as_str().map(str::to_owned));
        }
        if self.spec.extra
            && let Some(extra) = arguments.remove("extra")
        {
            shared.extra = extra::parse(&extra)?;
            self.check_extra(&shared.extra, schema)?;
        }
        Ok(shared)
    }

    /// Refuses what decides the price and has an argument of its own, by which it is judged.
    fn check_extra(&self, given: &Map<String, Value>, schema: &Map<String, Value>) -> Result<()> {
        if given.is_empty() {
            return Ok(());
        }
        let own = schema.get("properties").and_then(Value::as_object);
        let is_own = |name: &str| {
            own.is_some_and(|own| own.contains_key(name))
                || self.spec.aliases.iter().any(|(alias, _)| *alias == name)
        };
        let top = given.keys().map(|name| (name, format!("extra.{name}")));
        let inner = given.get("venice_parameters").and_then(Value::as_object);
        let inner = inner.into_iter().flat_map(Map::keys);
        let inner = inner.map(|name| (name, format!("extra.venice_parameters.{name}")));
        let problems: Vec<Problem> = top
            .chain(inner)
            .filter(|(name, _)| extra::PRICED.contains(&name.as_str()) && is_own(name))
            .map(|(name, path)| Problem::new(path, format!("give it as the argument `{name}`")))
            .collect();
        if problems.is_empty() { Ok(()) } else { Err(Error::arguments(problems)) }
    }

    /// The arguments of a call, which the schema has passed, as the tool's type.
    pub fn parse(&self, arguments: Map<String, Value>) -> Result<Box<dyn Parsed>> {
        (self.parse)(Value::Object(arguments))
    }
}

/// The arguments that tools share, as one call gave them.
#[derive(Debug, Default)]
pub struct Shared {
    /// How the caller wants media.
    pub output: Option<OutputMode>,
    /// The name that the caller wants media stored under.
    pub save_as: Option<String>,
    /// Further fields of the request's body.
    pub extra: Map<String, Value>,
}

/// The arguments of every tool that returns media.
#[derive(Deserialize, JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
struct Delivery {
    output: Option<OutputMode>,
    save_as: Option<String>,
}

/// The argument of every tool that runs a model.
#[derive(Deserialize, JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
struct Extra {
    /// JSON of further fields.
    extra: Option<String>,
}

fn properties<T: JsonSchema>() -> Map<String, Value> {
    match Plain::of::<T>().schema.remove("properties") {
        Some(Value::Object(properties)) => properties,
        _ => Map::new(),
    }
}

/// The schema has passed the arguments, so that what fails here is a difference between it and the type.
fn parse<T: Tool>(arguments: Value) -> Result<Box<dyn Parsed>> {
    let arguments = serde_json::from_value(arguments).map_err(|error| {
        Error::new(Kind::Arguments, format!("the arguments do not fit: {error}"))
    })?;
    Ok(Box::new(Arguments::<T>(arguments)))
}
