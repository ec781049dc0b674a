//! A tool as a value: function pointers in a static table, one row a tool.

use std::future::Future;
use std::pin::Pin;

use serde_json::{Map, Value, json};

use super::{Cost, Returns, Spec, Tool, shared};
use crate::call::{Call, CalledTool, Preparation, ReadInputs, SharedArguments};
use crate::error::{Error, Kind, Problem, Result};
use crate::jobs::{JobKind, QueueRequest};
use crate::outcome::Outcome;
use crate::schema::Plain;

type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The arguments of a call as their tool's type.
pub trait Parsed: Send {
    /// The rules between arguments.
    fn check(&self) -> Vec<Problem>;
    /// Prepares the call.
    fn prepare(self: Box<Self>, call: &Call) -> Boxed<'_, Result<Prepared>>;
}

struct Arguments<T: Tool>(T);

impl<T: Tool> Parsed for Arguments<T> {
    fn check(&self) -> Vec<Problem> {
        self.0.check()
    }

    fn prepare(self: Box<Self>, call: &Call) -> Boxed<'_, Result<Prepared>> {
        Box::pin(async move {
            let mut preparation = Preparation::new(call);
            let plan = self.0.prepare(&mut preparation).await?;
            let inputs = preparation.into_read();
            Ok(Prepared { plan: Box::new(PlanOf::<T>(plan)), inputs })
        })
    }
}

/// A call whose arguments have been prepared.
pub struct Prepared {
    /// What to do.
    pub plan: Box<dyn PlannedCall>,
    /// The media arguments that were read for it.
    pub inputs: ReadInputs,
}

/// What a prepared call will do, ready to be priced and run.
pub trait PlannedCall: Send + Sync {
    /// What the call will cost.
    fn price(&self) -> Price<'_>;
    /// Makes the call.
    fn run(self: Box<Self>, call: &Call) -> Boxed<'_, Result<Outcome>>;
}

/// What a call will cost.
pub enum Price<'a> {
    /// So many US dollars, or an amount that is not known.
    Usd(Option<f64>),
    /// What sending this request costs.
    OfJob(&'a QueueRequest),
}

struct PlanOf<T: Tool>(T::Plan);

impl<T: Tool> PlannedCall for PlanOf<T> {
    fn price(&self) -> Price<'_> {
        T::queue_request(&self.0).map_or_else(|| Price::Usd(T::price(&self.0)), Price::OfJob)
    }

    fn run(self: Box<Self>, call: &Call) -> Boxed<'_, Result<Outcome>> {
        Box::pin(T::run(self.0, call))
    }
}

/// One row of the table of tools.
#[derive(Clone, Copy)]
pub struct Route {
    /// The specification of the tool.
    pub spec: &'static Spec,
    /// The kind of job that the tool waits for.
    pub job_kind: Option<&'static JobKind>,
    plain: fn() -> Plain,
    parse: fn(Value) -> Result<Box<dyn Parsed>>,
}

impl Route {
    /// The row of `T`.
    #[must_use]
    pub const fn new<T: Tool>() -> Self {
        Self { spec: &T::SPEC, job_kind: T::JOB_KIND, plain: Plain::of::<T>, parse: parse::<T> }
    }

    /// What is published: the description, and the schema of the tool's own and shared arguments. Expensive; the server
    /// keeps the result.
    #[must_use]
    pub fn published(&self) -> Plain {
        let mut plain = (self.plain)();
        let shared = shared::properties(self.spec);
        if !shared.is_empty()
            && let Some(own) = plain
                .schema
                .entry("properties")
                .or_insert_with(|| Value::Object(Map::new()))
                .as_object_mut()
        {
            own.extend(shared);
        }
        plain
    }

    /// The tool as its calls know it.
    #[must_use]
    pub const fn called(&self) -> CalledTool {
        let Spec { name, title, .. } = *self.spec;
        CalledTool { name, title, is_paid: matches!(self.spec.cost, Cost::Paid(_)) }
    }

    /// The schema of `structuredContent`, if the tool returns data.
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

    /// Takes the shared arguments out of `arguments`, which the published `schema` has accepted.
    pub fn take_shared(
        &self,
        arguments: &mut Map<String, Value>,
        schema: &Map<String, Value>,
    ) -> Result<SharedArguments> {
        shared::take(self.spec, arguments, schema)
    }

    /// The arguments of a call, which the schema has accepted, as the tool's type.
    pub fn parse(&self, arguments: Map<String, Value>) -> Result<Box<dyn Parsed>> {
        (self.parse)(Value::Object(arguments))
    }
}

/// Parses arguments that the schema has accepted. An error means that the schema and the type differ.
fn parse<T: Tool>(arguments: Value) -> Result<Box<dyn Parsed>> {
    let arguments = serde_json::from_value(arguments).map_err(|error| {
        Error::new(Kind::Arguments, format!("the arguments do not fit: {error}"))
    })?;
    Ok(Box::new(Arguments::<T>(arguments)))
}
