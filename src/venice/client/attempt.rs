//! One attempt to send a request.

use std::time::Duration;

use reqwest::{RequestBuilder, Response};
use secrecy::{ExposeSecret, SecretString};
use tokio::time::Instant;

use super::Inner;
use super::charge::ChargedRequest;
use super::prepared::{PreparedRequest, ReplyMode};
use crate::metrics;
use crate::venice::error::{ErrorReply, SendFailure, id_field_names, unanswered};
use crate::venice::reply::{ReplyHeaders, declared_type, is_html};
use crate::venice::retry::SendOutcome;
use crate::venice::streaming_reply::StreamingReply;

/// How much of an error's body is read, in bytes.
const MAX_ERROR_BYTES: usize = 64 * 1024;

type SendResult<T> = Result<T, SendFailure>;

impl Inner {
    /// Sends a request once. In mode `Whole` the body is read too.
    pub(super) async fn send_once(
        &self,
        request: &PreparedRequest<'_>,
        key: Option<&SecretString>,
    ) -> SendResult<StreamingReply> {
        let permit = self.gate.permit(request).await?;
        let message = request.message(self.http()?, key)?;
        let charged = ChargedRequest::leave(request);
        let response = exchange(request, self.send_with(message))
            .await
            .map_err(|failure| charged.failed(failure))?;
        let retry_after = self.gate.record(&response, request, key);
        charged.answered(response.status().as_u16(), response.headers());
        if !response.status().is_success() {
            return Err(read_error(request, response, retry_after, key).await);
        }
        let mut reply = StreamingReply::new(
            response,
            key.cloned(),
            request.limits.clone(),
            self.reply_alignment,
            permit,
        )
        .await?;
        if request.mode == ReplyMode::Whole {
            reply.fill().await?;
        }
        Ok(reply)
    }

    /// Sends the message over the network, or hands it to what stands in for that.
    async fn send_with(&self, message: RequestBuilder) -> reqwest::Result<Response> {
        match &self.sender {
            None => message.send().await,
            Some(sender) => sender.send(message.build()?).await,
        }
    }
}

/// Sends the message and waits for the headers of its reply.
async fn exchange(
    request: &PreparedRequest<'_>,
    response: impl Future<Output = reqwest::Result<Response>>,
) -> SendResult<Response> {
    let path = request.request.endpoint.path();
    let start = Instant::now();
    let sent = request.limits.wait(request.upload_time, response).await;
    let response = sent.and_then(|sent| {
        let host = request.url.host_str().unwrap_or_default();
        sent.map_err(|error| unanswered(error, host, request.limits.kind))
    });
    let status = response.as_ref().ok().map(|response| response.status().as_u16());
    metrics::count_request(path, status, start.elapsed());
    if let Some(status) = status {
        let milliseconds = start.elapsed().as_millis();
        tracing::debug!(path, status, milliseconds, "Venice answered");
    }
    response
}

/// Reads a reply that is an error.
async fn read_error(
    request: &PreparedRequest<'_>,
    mut response: Response,
    retry_after: Option<Duration>,
    key: Option<&SecretString>,
) -> SendFailure {
    let mut body = Vec::new();
    while body.len() < MAX_ERROR_BYTES {
        let chunk = request.limits.wait(Duration::ZERO, response.chunk()).await;
        let Ok(Ok(Some(chunk))) = chunk else { break };
        body.extend_from_slice(chunk.get(..MAX_ERROR_BYTES - body.len()).unwrap_or(&chunk));
    }
    let status = response.status().as_u16();
    let reply = ErrorReply {
        status,
        html: is_html(&declared_type(response.headers()), &body),
        body: &body,
        kind: request.limits.kind,
        retry_after,
        request_id: ReplyHeaders::parse(response.headers()).request_id,
        ids: request.request.text_fields(id_field_names()),
        key: key.map(ExposeSecret::expose_secret),
    };
    SendFailure::new(SendOutcome::Status(status), reply.error())
}
