//! What happens to a call: normalize, validate, check, prepare, price, run, render.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;

use futures::FutureExt as _;
use rmcp::ErrorData;
use rmcp::model::{CallToolResponse, CallToolResult};
use serde_json::{Map, Value, json};
use tokio_util::sync::CancellationToken;

use super::client::Asked;
use super::shown::Mounted;
use super::{Server, canceled, identity};
use crate::context::OutputMode;
use crate::error::{Error, Kind, Result};
use crate::outcome::Outcome;
use crate::output::{How, error_result, render};
use crate::schema;
use crate::tool::{Call, Prepared, Returns};

/// Where a result says which server made it, by the 2026-07-28 revision.
const SERVER_INFO: &str = "io.modelcontextprotocol/serverInfo";

impl Server {
    /// Runs one call in a task of its own. A canceled call is told so, and goes on alone only where it has
    /// already paid for something.
    pub(super) async fn call(
        &self,
        mounted: &Mounted,
        arguments: Map<String, Value>,
        asked: Asked,
        client_gone: CancellationToken,
    ) -> std::result::Result<CallToolResponse, ErrorData> {
        let _gone = Gone(asked.context.cancel.clone());
        let server = self.clone();
        let name = mounted.spec().name;
        let mut task =
            self.shared.calls.spawn(async move { server.answer(name, arguments, asked).await });
        tokio::select! {
            done = &mut task => {
                let mut result = done.unwrap_or_else(|_| error_result(&fault()));
                let meta = result.meta.get_or_insert_default();
                meta.0.insert(SERVER_INFO.to_owned(), json!(identity()));
                Ok(result.into())
            }
            () = client_gone.cancelled() => Err(canceled()),
        }
    }

    /// The result of a call: whatever happens in it is an answer.
    async fn answer(
        &self,
        name: &str,
        arguments: Map<String, Value>,
        asked: Asked,
    ) -> CallToolResult {
        let started = Instant::now();
        let steps = AssertUnwindSafe(self.steps(name, arguments, &asked)).catch_unwind();
        let result = match steps.await {
            Ok(Ok(result)) => result,
            Ok(Err(error)) => {
                let kind = error.kind.name();
                tracing::info!(tool = name, kind, error = %error.message, "the call failed");
                if let Some(source) = &error.source {
                    tracing::debug!(tool = name, source, "the cause of the failed call");
                }
                error_result(&error)
            }
            Err(_) => {
                tracing::error!(tool = name, "the call panicked");
                error_result(&fault())
            }
        };
        tracing::debug!(
            tool = name,
            milliseconds = started.elapsed().as_millis(),
            "the call ended"
        );
        result
    }

    async fn steps(
        &self,
        name: &str,
        arguments: Map<String, Value>,
        asked: &Asked,
    ) -> Result<CallToolResult> {
        let mounted = self.shared.mounted.iter().find(|one| one.spec().name == name);
        let mounted = mounted.ok_or_else(fault)?;
        let (call, arguments) = self.judge(mounted, arguments, asked)?;
        let parsed = mounted.route.parse(arguments)?;
        let problems = parsed.check();
        if !problems.is_empty() {
            return Err(Error::arguments(problems));
        }
        let prepared = parsed.prepare(&call).await?;
        let mut outcome = self.run(prepared, &call).await?;
        if !outcome.media.is_empty() {
            outcome.lines.extend(call.services.store.warning());
        }
        let how = How {
            asked: call.output,
            context: &asked.context,
            view: &call.store,
            settings: &self.shared.output,
            encoding: &asked.encoding,
        };
        Ok(render(outcome, &how).await)
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
        let shared = mounted.route.take_shared(&mut arguments)?;
        let services = Arc::clone(&self.shared.services);
        let call = Call {
            context: asked.context.clone(),
            store: services.store.view(&asked.context.caller),
            services,
            tool: spec,
            arguments: Arc::new(arguments.clone()),
            output: shared.output.filter(|mode| *mode != OutputMode::Auto),
            save_as: shared.save_as,
            extra: Arc::new(shared.extra),
        };
        Ok((call, arguments))
    }

    async fn run(&self, prepared: Box<dyn Prepared>, call: &Call) -> Result<Outcome> {
        let price = prepared.price(call).await?;
        tracing::debug!(tool = call.tool.name, price, "the call is ready to run");
        let run = prepared.run(call);
        let Some(deadline) = call.context.deadline else { return run.await };
        tokio::time::timeout_at(deadline.into(), run).await.unwrap_or_else(|_| {
            let mut error = Error::new(Kind::Timeout, "the call took longer than VENICE_TIMEOUT");
            if call.tool.returns == Returns::Media {
                error = error
                    .hint("it may have been charged; look in venice_media before calling again");
            }
            Err(error)
        })
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

fn fault() -> Error {
    Error::new(Kind::Internal, "the server made a mistake; the call did not finish")
}
