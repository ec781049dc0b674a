//! The facade that tools speak to: what a call may do, and nothing else of the server.
//!
//! A tool prepares with a [`Preparation`], which chooses a model, reads media, and builds request bodies, but cannot
//! send a paid request. It runs with a [`Call`], which sends requests and keeps what came back. The [`Services`] behind
//! both are out of a tool's reach.

mod body;
mod defaults;
mod inputs;
mod item;
mod preparation;
mod services;
mod text;

use std::ops::RangeInclusive;
use std::sync::Arc;

use chrono::NaiveDate;
use serde_json::{Map, Value};
use tokio::time::Instant;

use crate::catalog::{ModelFilter, ModelRow};
use crate::context::{Context, OutputMode, Payer};
use crate::error::{Error, Kind, Result};
use crate::jobs::{CallerJobs, JobKind, JobPlan, JobTarget, QueueRequest, StatusRequest};
use crate::media::{Media, MediaView};
use crate::outcome::{Delivered, Outcome, Place, Remarks};
use crate::spend::Spent;
use crate::venice::{EventStream, Reply, Request};

pub(crate) use body::{body_of, form_of};
pub(crate) use defaults::{DefaultModels, Defaults, SafeMode};
pub(crate) use inputs::ReadInputs;
pub(crate) use item::NewItem;
pub(crate) use preparation::{NewJob, Preparation};
pub(crate) use services::Services;

/// The tool that a call names.
#[derive(Debug, Clone, Copy)]
pub struct CalledTool {
    /// The name that clients call.
    pub(crate) name: &'static str,
    /// The title that people see.
    pub(crate) title: &'static str,
    /// Whether calls cost credit.
    pub(crate) is_paid: bool,
}

/// The arguments that tools share, as one call gave them.
#[derive(Debug, Default)]
pub struct SharedArguments {
    /// How the caller wants media.
    pub(crate) output: Option<OutputMode>,
    /// The name that the caller wants media stored under.
    pub(crate) save_as: Option<String>,
    /// Further fields of the request's body.
    pub(crate) extra: Map<String, Value>,
}

/// One call of a tool. Cheap to clone.
#[derive(Clone)]
pub struct Call {
    context: Context,
    services: Arc<Services>,
    /// The caller's view of the store.
    store: MediaView,
    tool: CalledTool,
    /// The tool's own arguments, as they were validated.
    arguments: Arc<Map<String, Value>>,
    shared: Arc<SharedArguments>,
}

/// What a tool uses while it runs.
impl Call {
    /// Sends a request, and returns the reply.
    pub(crate) async fn send(&self, request: Request) -> Result<Reply> {
        self.services.venice.send(&self.context.send, request).await
    }

    /// Sends a request whose reply arrives as events.
    pub(crate) async fn stream(&self, request: Request) -> Result<EventStream> {
        self.services.venice.send_for_events(&self.context.send, request).await
    }

    /// Tells a waiting client how far the call is: `done` of `total` units, and `message` in words.
    pub(crate) fn report_progress(&self, done: f64, total: Option<f64>, message: &str) {
        self.context.send.progress.report(done, total, message);
    }

    /// A stored item as part of a result.
    pub(crate) async fn deliver(&self, media: Media) -> Delivered {
        let path = self.store.local_path(&media).await;
        Delivered { media, path, bytes: None, remarks: Remarks::default() }
    }

    /// Where the caller finds the item's file, and a note if it has none.
    pub(crate) async fn place(&self, item: &Delivered) -> (Option<Place>, Option<String>) {
        let fault = self.store.write_error(&item.media).await;
        Place::of(item, &self.context, fault)
    }

    /// Asks Venice for a price, and returns it as data with the field `quote`, in US dollars.
    pub(crate) async fn ask_price(&self, request: Request) -> Result<Outcome> {
        match self.send(request).await?.value()? {
            Value::Object(data) if data.get("quote").is_some_and(Value::is_number) => {
                Ok(Outcome::data(data))
            }
            _ => Err(Error::new(Kind::Network, "Venice's reply has no `quote`")),
        }
    }

    /// Queues a job, unless the same request was sent a short time ago, and waits for it.
    pub(crate) async fn start_job(&self, plan: JobPlan) -> Result<Outcome> {
        self.jobs().start(plan).await
    }

    /// How far a job is, and its result.
    pub(crate) async fn job_status(
        &self,
        kind: &'static JobKind,
        request: StatusRequest,
    ) -> Result<Outcome> {
        self.jobs().status(kind, request).await
    }

    /// Stores the result of a job, then deletes it at Venice.
    pub(crate) async fn complete_job(
        &self,
        kind: &'static JobKind,
        target: JobTarget,
    ) -> Result<Outcome> {
        self.jobs().complete(kind, target).await
    }

    /// The rows of models as Venice lists them now.
    pub(crate) async fn list_models(&self, filter: ModelFilter) -> Result<Vec<ModelRow>> {
        self.services.catalog.rows(&self.context.send, filter).await
    }

    /// What the caller's calls cost on these days, by the server's own ledger.
    pub(crate) async fn spent(&self, days: RangeInclusive<NaiveDate>) -> Result<Spent> {
        self.services.spending.ledger().read(&self.context.send.caller, days).await
    }
}

/// What the server uses to take a call through its steps.
impl Call {
    pub(crate) fn new(
        services: Arc<Services>,
        context: Context,
        tool: CalledTool,
        arguments: Map<String, Value>,
        shared: SharedArguments,
    ) -> Self {
        let store = services.store.view(&context.send.caller);
        let (arguments, shared) = (Arc::new(arguments), Arc::new(shared));
        Self { context, services, store, tool, arguments, shared }
    }

    pub(crate) const fn tool(&self) -> CalledTool {
        self.tool
    }

    pub(crate) const fn context(&self) -> &Context {
        &self.context
    }

    /// The caller's view of the store.
    pub(crate) const fn view(&self) -> &MediaView {
        &self.store
    }

    /// The tool's own arguments.
    pub(crate) fn arguments(&self) -> &Map<String, Value> {
        &self.arguments
    }

    /// How the caller wants media, if the call says so.
    pub(crate) fn output(&self) -> Option<OutputMode> {
        self.shared.output.filter(|mode| *mode != OutputMode::Auto)
    }

    /// This call, with the payer of its charged requests, and another deadline.
    pub(crate) fn paid_by(&self, payer: Arc<dyn Payer>, deadline: Option<Instant>) -> Self {
        let mut call = self.clone();
        let send = &mut call.context.send;
        (send.payer, send.deadline) = (payer, deadline);
        call
    }

    /// What sending `request` costs in US dollars, if known: nothing if the same one was sent a short time ago.
    pub(crate) async fn job_price(&self, request: &QueueRequest) -> Result<Option<f64>> {
        self.jobs().price(request).await
    }

    /// The caller's jobs.
    fn jobs(&self) -> CallerJobs<'_> {
        self.services.jobs.for_call(&self.context, &self.store)
    }
}
