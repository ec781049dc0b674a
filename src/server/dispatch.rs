//! What happens to a call: normalize, validate, check, prepare, run, render. A paid call is priced, checked against
//! the caps, confirmed, and reserved before it runs.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use rmcp::ErrorData;
use rmcp::model::CallToolResponse;
use serde_json::{Map, Value, json};
use tokio::sync::oneshot;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use super::confirm::ConfirmVia;
use super::incoming::Incoming;
use super::paid::{InFlight, PaidOutcome};
use super::toolset::MountedTool;
use super::{Server, canceled, implementation};
use crate::call::Call;
use crate::context::Context;
use crate::error::{Error, Kind, Result};
use crate::metrics;
use crate::outcome::Outcome;
use crate::output::{RenderOptions, error_result, render};
use crate::schema;
use crate::tool::PlannedCall;

/// The `_meta` key under which revision 2026-07-28 expects the server's name and version.
const SERVER_INFO: &str = "io.modelcontextprotocol/serverInfo";

/// How long a paid call may take after its deadline to store what it paid for.
const STORE_GRACE: Duration = Duration::from_secs(2);

/// One `tools/call`, with its tool looked up.
pub(super) struct ToolRequest {
    pub(super) tool: Arc<MountedTool>,
    pub(super) arguments: Map<String, Value>,
    pub(super) incoming: Incoming,
    pub(super) confirm: ConfirmVia,
}

/// The response to a call. A paid call stays in flight until the client has it.
struct Answered {
    response: CallToolResponse,
    in_flight: Option<InFlight>,
}

/// How far a call got: its result, or the question that the client has to answer first.
struct Finished {
    result: Result<CallToolResponse>,
    in_flight: Option<InFlight>,
}

impl Server {
    /// Runs one call in its own task. If the client cancels, it gets an error at once, and the task goes on only if
    /// the call has already paid for something.
    pub(super) async fn dispatch(
        &self,
        request: ToolRequest,
        client_gone: CancellationToken,
    ) -> std::result::Result<CallToolResponse, ErrorData> {
        let _cancel = CancelOnDrop(request.incoming.context.send.cancel.clone());
        let server = self.clone();
        let (sender, mut receiver) = oneshot::channel();
        let answering = async move {
            // If the client has gone, the result of a paid call waits for the same call to be made again.
            let _ = sender.send(server.answer(request).await);
        };
        self.shared.calls.spawn(answering.in_current_span());
        let answered = tokio::select! {
            biased;
            answered = &mut receiver => answered.ok(),
            () = client_gone.cancelled() => {
                receiver.close();
                Some(receiver.try_recv().map_err(|_| canceled())?)
            }
        };
        let mut response =
            answered.map_or_else(|| error_result(&internal_error()).into(), Answered::receive);
        let meta = match &mut response {
            CallToolResponse::Complete(result) => Some(&mut result.meta),
            CallToolResponse::InputRequired(result) => Some(&mut result.meta),
            _ => None,
        };
        if let Some(meta) = meta {
            let info = json!(implementation());
            meta.get_or_insert_default().0.insert(SERVER_INFO.to_owned(), info);
        }
        Ok(response)
    }

    /// The response to a call. Errors and panics become error results.
    async fn answer(&self, request: ToolRequest) -> Answered {
        let started = Instant::now();
        let tool = request.tool.spec().name;
        let hides_paths = request.incoming.context.links.is_some();
        let finished = AssertUnwindSafe(self.execute(request)).catch_unwind().await;
        let Finished { result, in_flight } = match finished {
            Ok(Ok(finished)) => finished,
            Ok(Err(error)) => Finished { result: Err(error), in_flight: None },
            Err(_) => {
                tracing::error!(tool, "the call panicked");
                Finished { result: Err(internal_error()), in_flight: None }
            }
        };
        metrics::count_call(tool, result.as_ref().err().map(|error| error.kind));
        let response = result.unwrap_or_else(|error| {
            let kind = error.kind.name();
            tracing::info!(tool, kind, error = %error.message, "the call failed");
            if let Some(source) = &error.source {
                tracing::debug!(tool, source, "the cause of the failed call");
            }
            error_result(&if hides_paths { hide_storage_details(error) } else { error }).into()
        });
        tracing::debug!(tool, milliseconds = started.elapsed().as_millis(), "the call ended");
        Answered { response, in_flight }
    }

    /// Takes a call through its steps. An error means that the call ended before it ran.
    async fn execute(&self, request: ToolRequest) -> Result<Finished> {
        let ToolRequest { tool, arguments, incoming, confirm } = request;
        let (call, arguments) = self.validate_arguments(&tool, arguments, &incoming.context)?;
        let parsed = tool.route.parse(arguments)?;
        let problems = parsed.check();
        if !problems.is_empty() {
            return Err(Error::arguments(problems));
        }
        let services = &self.shared.services;
        services.jobs.resume(call.context(), call.view());
        if call.tool().is_paid {
            // The catalog needs no key, so that a missing one is reported here, before the catalog is fetched.
            services.venice.require_key(&call.context().send)?;
        }
        let prepared = parsed.prepare(&call).await?;
        let (result, in_flight) = if call.tool().is_paid {
            match self.run_paid(prepared, &call, &confirm).await? {
                PaidOutcome::AskFirst(question) => {
                    return Ok(Finished { result: Ok((*question).into()), in_flight: None });
                }
                PaidOutcome::Ran(result, in_flight) => (*result, Some(in_flight)),
            }
        } else {
            (self.run(prepared.plan, &call).await, None)
        };
        let result = match result {
            Ok(outcome) => Ok(self.render(outcome, &call, &incoming).await),
            Err(error) => Err(error),
        };
        Ok(Finished { result, in_flight })
    }

    /// The call that the arguments make, and those arguments that belong to the tool alone.
    fn validate_arguments(
        &self,
        tool: &MountedTool,
        arguments: Map<String, Value>,
        context: &Context,
    ) -> Result<(Call, Map<String, Value>)> {
        let spec = tool.spec();
        let arguments = schema::normalize(tool.schema(), spec.aliases, arguments);
        let arguments = Value::Object(arguments);
        let problems = tool.validator()?.problems(&arguments);
        if !problems.is_empty() {
            return Err(Error::arguments(problems));
        }
        let Value::Object(mut arguments) = arguments else { return Err(internal_error()) };
        let shared = tool.route.take_shared(&mut arguments, tool.schema())?;
        let services = Arc::clone(&self.shared.services);
        let called = tool.route.called();
        let call = Call::new(services, context.clone(), called, arguments.clone(), shared);
        Ok((call, arguments))
    }

    /// Runs a prepared call within its deadline.
    pub(super) async fn run(&self, plan: Box<dyn PlannedCall>, call: &Call) -> Result<Outcome> {
        let run = plan.run(call);
        let Some(mut deadline) = call.context().send.deadline else { return run.await };
        if call.tool().is_paid {
            // Requests end at the deadline by themselves. What others of the call returned is stored after that.
            deadline += STORE_GRACE;
        }
        tokio::time::timeout_at(deadline, run).await.unwrap_or_else(|_| {
            let mut error = Error::new(Kind::Timeout, "the call took longer than VENICE_TIMEOUT");
            if call.context().send.payer.may_have_paid() {
                error = error
                    .hint("it may have been charged; look in venice_media before calling again");
            }
            Err(error)
        })
    }

    /// The outcome of a call as its client wants it.
    async fn render(
        &self,
        mut outcome: Outcome,
        call: &Call,
        incoming: &Incoming,
    ) -> CallToolResponse {
        if !outcome.media.is_empty() && incoming.context.links.is_none() {
            outcome.lines.extend(self.shared.services.store.warning());
        }
        let options = RenderOptions {
            asked: call.output(),
            context: &incoming.context,
            view: call.view(),
            settings: &self.shared.output,
            encoding: &incoming.encoding,
        };
        render(outcome, &options).await.into()
    }
}

impl Answered {
    /// The response, for a client that is still there to receive it.
    fn receive(self) -> CallToolResponse {
        if let Some(in_flight) = self.in_flight {
            in_flight.received();
        }
        self.response
    }
}

/// Cancels a call when its client stops waiting, whether the request was canceled or dropped. After the call has ended
/// this has no effect.
struct CancelOnDrop(CancellationToken);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

/// Logs a storage error, and gives one without paths of this machine for clients on another.
fn hide_storage_details(error: Error) -> Error {
    if error.kind != Kind::Storage {
        return error;
    }
    tracing::error!(%error, "the store failed");
    Error::new(Kind::Storage, "the server's store failed; its log says why")
        .hint("tell the server's operator, then call again")
}

fn internal_error() -> Error {
    Error::new(Kind::Internal, "the server made a mistake; the call did not finish")
}
