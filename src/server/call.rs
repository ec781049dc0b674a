//! What happens to a call: normalize, validate, check, prepare, run (and before it, where it costs: price, caps, the
//! user's word, the reservation), render.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::FutureExt as _;
use rmcp::ErrorData;
use rmcp::model::CallToolResponse;
use serde_json::{Map, Value, json};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use super::client::Asked;
use super::orphans::Entered;
use super::shown::Mounted;
use super::{Server, canceled, identity};
use crate::call::Call;
use crate::error::{Error, Kind, Result};
use crate::metrics;
use crate::outcome::Outcome;
use crate::output::{How, error_result, render};
use crate::schema;
use crate::tool::PlannedCall;

/// Where a result says which server made it, by the 2026-07-28 revision.
const SERVER_INFO: &str = "io.modelcontextprotocol/serverInfo";

/// How long a call whose time is over may take to store what it paid for.
const STORING: Duration = Duration::from_secs(2);

impl Server {
    /// Runs one call in a task of its own. A canceled call is told so, and goes on alone only where it has
    /// already paid for something.
    pub(super) async fn call(
        &self,
        mounted: Arc<Mounted>,
        arguments: Map<String, Value>,
        asked: Asked,
        client_gone: CancellationToken,
    ) -> std::result::Result<CallToolResponse, ErrorData> {
        let _gone = Gone(asked.context.cancel.clone());
        let server = self.clone();
        let (answer, mut answered) = oneshot::channel();
        let answering = async move {
            // Where nobody takes it, what it holds waits for the same call to be made again.
            let _ = answer.send(server.answer(&mounted, arguments, asked).await);
        };
        self.shared.calls.spawn(answering.in_current_span());
        let answered = tokio::select! {
            biased;
            done = &mut answered => done.ok(),
            () = client_gone.cancelled() => {
                answered.close();
                Some(answered.try_recv().map_err(|_| canceled())?)
            }
        };
        let mut response = answered.map_or_else(|| error_result(&fault()).into(), Answered::take);
        let meta = match &mut response {
            CallToolResponse::Complete(result) => Some(&mut result.meta),
            CallToolResponse::InputRequired(result) => Some(&mut result.meta),
            _ => None,
        };
        if let Some(meta) = meta {
            meta.get_or_insert_default().0.insert(SERVER_INFO.to_owned(), json!(identity()));
        }
        Ok(response)
    }

    /// The answer to a call: whatever happens in it is one.
    async fn answer(
        &self,
        mounted: &Mounted,
        arguments: Map<String, Value>,
        asked: Asked,
    ) -> Answered {
        let name = mounted.spec().name;
        let started = Instant::now();
        let mut entered = None;
        let steps = AssertUnwindSafe(self.steps(mounted, arguments, &asked, &mut entered));
        let response = match steps.catch_unwind().await {
            Ok(Ok(response)) => {
                metrics::count_call(name, None);
                response
            }
            Ok(Err(error)) => {
                metrics::count_call(name, Some(error.kind));
                let kind = error.kind.name();
                tracing::info!(tool = name, kind, error = %error.message, "the call failed");
                if let Some(source) = &error.source {
                    tracing::debug!(tool = name, source, "the cause of the failed call");
                }
                error_result(&discreet(error, &asked)).into()
            }
            Err(_) => {
                metrics::count_call(name, Some(Kind::Internal));
                tracing::error!(tool = name, "the call panicked");
                error_result(&fault()).into()
            }
        };
        tracing::debug!(
            tool = name,
            milliseconds = started.elapsed().as_millis(),
            "the call ended"
        );
        Answered { response, entered }
    }

    async fn steps(
        &self,
        mounted: &Mounted,
        arguments: Map<String, Value>,
        asked: &Asked,
        entered: &mut Option<Entered>,
    ) -> Result<CallToolResponse> {
        let (call, arguments) = self.judge(mounted, arguments, asked)?;
        let parsed = mounted.route.parse(arguments)?;
        let problems = parsed.check();
        if !problems.is_empty() {
            return Err(Error::arguments(problems));
        }
        let services = &self.shared.services;
        services.jobs.resume(call.context(), call.view());
        if call.tool().is_paid {
            // Before the catalog is asked, which needs no key: its absence is told at once.
            services.venice.require_key(call.context())?;
        }
        let prepared = parsed.prepare(&call).await?;
        let mut outcome = if call.tool().is_paid {
            match self.buy(prepared, &call).await? {
                None => return Ok(asked.way.question().ok_or_else(fault)?.into()),
                Some((result, entry)) => {
                    *entered = Some(entry);
                    result?
                }
            }
        } else {
            self.run(prepared.plan, &call).await?
        };
        if !outcome.media.is_empty() && asked.context.links.is_none() {
            outcome.lines.extend(services.store.warning());
        }
        let how = How {
            asked: call.output(),
            context: &asked.context,
            view: call.view(),
            settings: &self.shared.output,
            encoding: &asked.encoding,
        };
        Ok(render(outcome, &how).await.into())
    }

    /// The call that the arguments make, and what of them is the tool's own.
    fn judge(
        &self,
        mounted: &Mounted,
        arguments: Map<String, Value>,
        asked: &Asked,
    ) -> Result<(Call, Map<String, Value>)> {
        let spec = mounted.spec();
        let arguments = schema::normalize(mounted.schema(), spec.aliases, arguments);
        let arguments = Value::Object(arguments);
        let problems = mounted.judge()?.problems(&arguments);
        if !problems.is_empty() {
            return Err(Error::arguments(problems));
        }
        let Value::Object(mut arguments) = arguments else { return Err(fault()) };
        let shared = mounted.route.take_shared(&mut arguments, mounted.schema())?;
        let services = Arc::clone(&self.shared.services);
        let (context, tool) = (asked.context.clone(), mounted.route.called());
        let call = Call::new(services, context, tool, arguments.clone(), shared);
        Ok((call, arguments))
    }

    /// Does what the call asks for, within the time that is set for it.
    pub(super) async fn run(&self, plan: Box<dyn PlannedCall>, call: &Call) -> Result<Outcome> {
        let run = plan.run(call);
        let Some(mut deadline) = call.context().deadline else { return run.await };
        if call.tool().is_paid {
            // Its requests end in time by themselves, and what others of them made is stored then.
            deadline += STORING;
        }
        tokio::time::timeout_at(deadline.into(), run).await.unwrap_or_else(|_| {
            let mut error = Error::new(Kind::Timeout, "the call took longer than VENICE_TIMEOUT");
            if call.context().charges.any() {
                error = error
                    .hint("it may have been charged; look in venice_media before calling again");
            }
            Err(error)
        })
    }
}

/// The answer to a call, and the entry of what it paid for.
struct Answered {
    response: CallToolResponse,
    entered: Option<Entered>,
}

impl Answered {
    /// The answer, for the client that waits for it.
    fn take(self) -> CallToolResponse {
        if let Some(entered) = self.entered {
            entered.received();
        }
        self.response
    }
}

/// Tells the call that nobody waits for it any more, whether it was canceled or its request was dropped.
struct Gone(CancellationToken);

impl Drop for Gone {
    fn drop(&mut self) {
        // After the call has ended this says nothing to anyone.
        self.0.cancel();
    }
}

/// The error without places on this machine, where the client is on another.
fn discreet(error: Error, asked: &Asked) -> Error {
    if error.kind != Kind::Storage || asked.context.links.is_none() {
        return error;
    }
    tracing::error!(%error, "the store failed");
    Error::new(Kind::Storage, "the server's store failed; its log says why")
        .hint("tell the server's operator, then call again")
}

fn fault() -> Error {
    Error::new(Kind::Internal, "the server made a mistake; the call did not finish")
}
