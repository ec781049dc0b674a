//! What a tool is: its arguments, its specification, and the steps of its calls. Nothing here knows MCP.
//!
//! A tool is a struct: its fields are the arguments, its doc comment is the description, [`Tool::SPEC`] the rest. A
//! call goes through `check` (rules between arguments), `prepare` (defaults, the catalog's rules, media inputs; nothing
//! is spent), `price`, and `run`. Everything before `run` may happen twice for one call.

mod extra;
mod route;
mod shared;
mod spec;

use std::future::Future;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use crate::call::{Call, Preparation};
use crate::error::{Problem, Result};
use crate::jobs::{JobKind, QueueRequest};
use crate::outcome::Outcome;

pub use route::{PlannedCall, Prepared, Price, Route};
pub use spec::{Cost, Effect, Returns, Spec};

/// One capability.
pub trait Tool: DeserializeOwned + JsonSchema + Send + Sized + 'static {
    /// The specification of the tool.
    const SPEC: Spec;

    /// The kind of job that the tool waits for, by which the server knows it.
    const JOB_KIND: Option<&'static JobKind> = None;

    /// What `prepare` made of the arguments: all that `run` needs.
    type Plan: Send + Sync + 'static;

    /// The rules between arguments that a schema cannot express.
    fn check(&self) -> Vec<Problem> {
        Vec::new()
    }

    /// Fills in defaults, applies the catalog's rules, and reads media inputs. Spends nothing.
    fn prepare(self, call: &mut Preparation<'_>)
    -> impl Future<Output = Result<Self::Plan>> + Send;

    /// What the call will cost in US dollars, if known. Not asked for a tool that queues a job.
    fn price(_plan: &Self::Plan) -> Option<f64> {
        None
    }

    /// The request by which the call queues a job. It costs nothing if the same one was sent a short time ago.
    fn queue_request(_plan: &Self::Plan) -> Option<&QueueRequest> {
        None
    }

    /// Makes the call.
    fn run(plan: Self::Plan, call: &Call) -> impl Future<Output = Result<Outcome>> + Send;
}
