//! MCP over standard input and output: one JSON-RPC message a line, nothing else.

mod host;
mod line;
mod message;
mod writer;

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use rmcp::model::{
    ClientJsonRpcMessage, ClientNotification, ClientRequest, Extensions, GetExtensions as _,
    GetMeta as _, JsonRpcMessage, JsonRpcNotification, JsonRpcRequest, ProtocolVersion, RequestId,
};
use rmcp::service::{RxJsonRpcMessage, ServerInitializeError, TxJsonRpcMessage};
use rmcp::transport::Transport;
use rmcp::{RoleServer, ServerHandler, ServiceExt as _};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

pub use self::host::{StdioReader, StdioWriter, stdio};
use self::line::{Line, Lines};
use self::message::LineError;
use self::writer::Queue;
use crate::error::{Error, Kind, Result};
use crate::splice::Holes;

/// The longest incoming line in bytes: a 35 MB body as base64, with room for the rest of the message.
pub const MAX_LINE_BYTES: usize = 48 * 1024 * 1024;

/// How long calls may go on once the input has ended or the server is asked to stop.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(5);

/// How long the last messages may take to leave once everything else is over.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(2);

/// Runs `handler` over standard input and output until the input ends or `shutdown` is cancelled.
///
/// `prepare` adds facts to the extensions of every incoming request and notification. Calls that are under
/// way at the end get 5 seconds, then are canceled. A client that disconnects is not an error.
pub async fn serve<H: ServerHandler>(
    handler: H,
    prepare: impl Fn(&mut Extensions) + Send + 'static,
    shutdown: CancellationToken,
) -> Result<()> {
    let (reader, writer) = stdio();
    run(handler, Stdio::new(reader, writer, prepare).until(shutdown)).await
}

/// Runs `handler` over `transport` until that ends.
pub(crate) async fn run<H, R>(handler: H, mut transport: Stdio<R>) -> Result<()>
where
    H: ServerHandler,
    R: AsyncRead + Send + Unpin + 'static,
{
    transport.versions = ServerHandler::supported_protocol_versions(&handler).into_owned();
    let (canceled, written) = (transport.canceled.clone(), transport.queue.written());
    let outcome = match handler.serve_with_ct(transport, canceled).await {
        Ok(running) => running.waiting().await.map(drop).map_err(|error| {
            Error::new(Kind::Internal, "the MCP session ended abnormally").source(error)
        }),
        Err(
            ServerInitializeError::ConnectionClosed(_)
            | ServerInitializeError::TransportError { .. }
            | ServerInitializeError::Cancelled,
        ) => Ok(()),
        Err(error) => {
            Err(Error::new(Kind::Internal, "the MCP session could not be opened").source(error))
        }
    };
    if timeout(FLUSH_TIMEOUT, written.cancelled()).await.is_err() {
        tracing::warn!("the client stopped reading; its last replies were not delivered");
    }
    outcome
}

/// The transport: lines from a reader, messages with spliced media to a writer.
///
/// Every request finds a [`Holes`] of its own in its extensions. Its reply, and no other message, is spliced
/// with those.
pub struct Stdio<R> {
    lines: Lines<R>,
    queue: Queue,
    /// The error for the sender of a line that is not a message, kept here while the queue is full.
    reply: Option<Bytes>,
    prepare: Box<dyn Fn(&mut Extensions) + Send>,
    /// The holes of every request that awaits its reply.
    calls: BTreeMap<CallId, Holes>,
    /// The versions whose requests open a session without `initialize`.
    versions: Vec<ProtocolVersion>,
    opened: bool,
    shutdown: CancellationToken,
    grace: Duration,
    deadline: Option<Instant>,
    canceled: CancellationToken,
}

/// A request id in an order: a number, or zero and a string.
type CallId = (i64, Option<Arc<str>>);

fn call_id(id: &RequestId) -> CallId {
    match id {
        RequestId::Number(number) => (*number, None),
        RequestId::String(text) => (0, Some(Arc::clone(text))),
    }
}

impl<R: AsyncRead + Send + Unpin> Stdio<R> {
    /// A transport over `reader` and `writer`; must be called within a runtime, which gets the writing task.
    ///
    /// `prepare` adds facts to the extensions of every incoming request and notification.
    pub fn new<W>(reader: R, writer: W, prepare: impl Fn(&mut Extensions) + Send + 'static) -> Self
    where
        W: AsyncWrite + Send + Unpin + 'static,
    {
        Self {
            lines: Lines::new(reader, MAX_LINE_BYTES),
            queue: Queue::new(writer),
            reply: None,
            prepare: Box::new(prepare),
            calls: BTreeMap::new(),
            versions: ProtocolVersion::KNOWN_VERSIONS.to_vec(),
            opened: false,
            shutdown: CancellationToken::new(),
            grace: SHUTDOWN_GRACE,
            deadline: None,
            canceled: CancellationToken::new(),
        }
    }

    /// Reads no more once `shutdown` is cancelled, as if the input had ended.
    #[must_use]
    pub fn until(mut self, shutdown: CancellationToken) -> Self {
        self.shutdown = shutdown;
        self
    }

    /// The next line, or `None` when the client or this server ends the session.
    async fn line(&mut self) -> Option<Line> {
        if self.deadline.is_some() {
            return None;
        }
        let line = tokio::select! {
            line = self.lines.next() => line,
            () = self.queue.closed() => Ok(Line::End),
            () = self.shutdown.cancelled() => Ok(Line::End),
        };
        match line {
            Ok(Line::End) => None,
            Ok(line) => Some(line),
            Err(error) => {
                tracing::warn!(%error, "standard input failed");
                None
            }
        }
    }

    /// The message of a line, or `None` with the error for its sender in `self.reply`.
    fn message(&mut self, line: Line) -> Option<ClientJsonRpcMessage> {
        let fault = match line {
            Line::End => return None,
            Line::Long(id) => LineError::too_long(id, self.lines.limit),
            Line::Whole(line) => match message::parse(&line)? {
                Ok(message) => return self.accept(message),
                Err(fault) => fault,
            },
        };
        tracing::warn!(code = fault.code, message = %fault.message, "a line was refused");
        self.reply = Some(fault.reply());
        None
    }

    /// Prepares a message for the service, or drops one that would end a session that has not started.
    fn accept(&mut self, mut message: ClientJsonRpcMessage) -> Option<ClientJsonRpcMessage> {
        match &mut message {
            JsonRpcMessage::Request(JsonRpcRequest { id, request, .. }) => {
                self.opened |= opens_session(request, &self.versions);
                let holes = self.holes(id, request);
                request.extensions_mut().insert(holes);
                (self.prepare)(request.extensions_mut());
                return Some(message);
            }
            JsonRpcMessage::Notification(JsonRpcNotification { notification, .. }) => {
                if let ClientNotification::CancelledNotification(canceled) = notification
                    && let Some(id) = &canceled.params.request_id
                {
                    self.calls.remove(&call_id(id));
                }
                (self.prepare)(notification.extensions_mut());
            }
            JsonRpcMessage::Response(_) | JsonRpcMessage::Error(_) => {}
        }
        if !self.opened {
            tracing::debug!("a message before `initialize` was ignored");
        }
        self.opened.then_some(message)
    }

    /// The holes of a request, kept until its reply.
    fn holes(&mut self, id: &RequestId, request: &ClientRequest) -> Holes {
        match request {
            // It is answered when the session ends, and holds no media.
            ClientRequest::SubscriptionsListenRequest(_) => Holes::default(),
            // Two requests with one id get one answer, which may be that of either.
            _ => self.calls.entry(call_id(id)).or_default().clone(),
        }
    }

    /// Waits for the calls under way, then cancels what is left of them, and every subscription.
    ///
    /// The service goes on between two polls of this, so that calls can still report progress.
    async fn wait_for_calls(&mut self) {
        let deadline = *self.deadline.get_or_insert_with(|| Instant::now() + self.grace);
        if !self.calls.is_empty() {
            tokio::select! {
                () = sleep_until(deadline) => {}
                () = self.queue.closed() => {}
            }
        }
        self.canceled.cancel();
    }
}

/// Whether the service opens its session with this request and takes every kind of message from then on.
fn opens_session(request: &ClientRequest, versions: &[ProtocolVersion]) -> bool {
    match request {
        ClientRequest::InitializeRequest(_) => true,
        ClientRequest::PingRequest(_) | ClientRequest::DiscoverRequest(_) => false,
        request => {
            let meta = request.get_meta();
            meta.missing_required_keys(&ProtocolVersion::V_2026_07_28).is_empty()
                && meta.protocol_version().is_some_and(|version| versions.contains(&version))
        }
    }
}

impl<R: AsyncRead + Send + Unpin> Transport<RoleServer> for Stdio<R> {
    type Error = io::Error;

    /// Hands the message to the writing task. What has been handed over is written whole, whether or not the
    /// future lives on.
    fn send(
        &mut self,
        message: TxJsonRpcMessage<RoleServer>,
    ) -> impl Future<Output = io::Result<()>> + Send + 'static {
        let id = match &message {
            JsonRpcMessage::Response(response) => Some(&response.id),
            JsonRpcMessage::Error(error) => error.id.as_ref(),
            JsonRpcMessage::Request(_) | JsonRpcMessage::Notification(_) => None,
        };
        let holes = id.and_then(|id| self.calls.remove(&call_id(id))).unwrap_or_default();
        let sender = self.queue.sender();
        async move { writer::send(sender?, message, holes).await }
    }

    /// The future may be dropped at any time.
    async fn receive(&mut self) -> Option<RxJsonRpcMessage<RoleServer>> {
        loop {
            if self.reply.is_some() {
                self.queue.reserve().await?.send(self.reply.take());
            }
            let Some(line) = self.line().await else {
                self.wait_for_calls().await;
                return None;
            };
            if let Some(message) = self.message(line) {
                return Some(message);
            }
        }
    }

    async fn close(&mut self) -> io::Result<()> {
        self.queue.close(FLUSH_TIMEOUT).await
    }
}

#[cfg(test)]
mod tests;
