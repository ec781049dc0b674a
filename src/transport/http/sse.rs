//! HTTP+SSE, the transport of 2024-11-05: a stream of events down, and a POST for every message up.
//!
//! The first event of a stream names the address for its messages. A stream belongs to the caller that opened it:
//! messages of other callers do not reach it. When the client hangs up, its session ends, and its calls are canceled.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Extension;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::sse::{Event, KeepAlive};
use axum::response::{IntoResponse as _, Response, Sse};
use futures::channel::mpsc;
use futures::{SinkExt as _, StreamExt as _};
use rmcp::model::{ClientJsonRpcMessage, GetExtensions as _, JsonRpcMessage};
use rmcp::service::{RxJsonRpcMessage, TxJsonRpcMessage};
use rmcp::{RoleServer, ServerHandler, ServiceExt as _};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::body::{BodyError, read_body};
use super::{Requester, Shared, reply};
use crate::metrics::OpenStream;
use crate::server::RequestClient;
use crate::transport::STREAM_EVENT_LIMIT;

/// The most streams that are open at once.
const MAX_STREAMS: usize = 512;
/// The most messages that wait on either side of a session.
const MESSAGE_QUEUE_LENGTH: usize = 16;
/// The time between comments that keep a silent stream alive.
const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(15);

type Inbox = mpsc::Sender<RxJsonRpcMessage<RoleServer>>;
type Messages = mpsc::Receiver<RxJsonRpcMessage<RoleServer>>;
type Outbox = mpsc::Sender<TxJsonRpcMessage<RoleServer>>;

/// The open streams, by session id.
pub(super) struct Streams {
    open: Mutex<BTreeMap<String, Session>>,
    serve: Box<ServeSession>,
}

/// Starts a session with its incoming messages, the queue for its replies, and the token that ends it.
type ServeSession = dyn Fn(Messages, Outbox, CancellationToken) + Send + Sync;

/// Our end of a stream.
#[derive(Clone)]
struct Session {
    inbox: Inbox,
    requester: Requester,
}

impl Streams {
    /// Streams of sessions with `handler`.
    pub(super) fn new<H: ServerHandler + Clone>(handler: H) -> Self {
        let serve = move |messages: Messages, outbox: Outbox, session: CancellationToken| {
            tokio::spawn(serve(handler.clone(), messages, outbox, session));
        };
        Self { open: Mutex::default(), serve: Box::new(serve) }
    }

    fn open(&self) -> MutexGuard<'_, BTreeMap<String, Session>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a session; `false` where there are too many.
    fn add(&self, id: &str, session: Session) -> bool {
        let mut open = self.open();
        let room = open.len() < MAX_STREAMS;
        if room {
            open.insert(id.to_owned(), session);
        }
        room
    }
}

/// Lives as long as a stream's response, so that a client that hangs up ends its session at once.
struct EndSessionOnDrop {
    id: String,
    streams: Arc<Streams>,
    session: CancellationToken,
    _counted: OpenStream,
}

impl Drop for EndSessionOnDrop {
    fn drop(&mut self) {
        self.streams.open().remove(&self.id);
        self.session.cancel();
    }
}

/// Opens a stream.
pub(super) async fn open(
    State(shared): State<Arc<Shared>>,
    Extension(streams): Extension<Arc<Streams>>,
    Extension(requester): Extension<Requester>,
) -> Response {
    let id = Uuid::new_v4().simple().to_string();
    let (inbox, messages) = mpsc::channel(MESSAGE_QUEUE_LENGTH);
    let (outbox, replies) = mpsc::channel::<TxJsonRpcMessage<RoleServer>>(MESSAGE_QUEUE_LENGTH);
    if shared.shutdown.is_cancelled() || !streams.add(&id, Session { inbox, requester }) {
        let message = format!("there are {MAX_STREAMS} streams already, or the server stops");
        let response = reply::error(StatusCode::SERVICE_UNAVAILABLE, reply::REFUSED, &message);
        return reply::with_header(response, header::RETRY_AFTER, "5");
    }
    let session = CancellationToken::new();
    let prefix = shared.settings.public_url.as_ref().map_or("", |url| url.path());
    let endpoint = format!("{}/messages?sessionId={id}", prefix.trim_end_matches('/'));
    (streams.serve)(messages, outbox, session.clone());
    let end_session = EndSessionOnDrop { id, streams, session, _counted: OpenStream::new() };
    let first = Event::default().event("endpoint").data(endpoint);
    let rest = replies.map(move |message| {
        let _open = &end_session;
        event(&message)
    });
    let stream = futures::stream::iter([first])
        .chain(rest)
        .take_until(shared.shutdown.clone().cancelled_owned())
        .map(Ok::<_, Infallible>);
    let mut response =
        Sse::new(stream).keep_alive(KeepAlive::new().interval(KEEP_ALIVE_INTERVAL)).into_response();
    // nginx holds a stream back without it.
    response.headers_mut().insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}

/// Runs the session until either end is gone.
async fn serve<H: ServerHandler>(
    handler: H,
    messages: Messages,
    outbox: Outbox,
    session: CancellationToken,
) {
    match handler.serve_with_ct((outbox, messages), session).await {
        Ok(running) => {
            if let Err(error) = running.waiting().await {
                tracing::warn!(%error, "a session over SSE ended abnormally");
            }
        }
        Err(error) => tracing::debug!(%error, "a session over SSE did not begin"),
    }
}

/// A message as an event: JSON has no line breaks, so it is one line of data.
fn event(message: &TxJsonRpcMessage<RoleServer>) -> Event {
    let event = Event::default().event("message");
    match serde_json::to_string(message) {
        Ok(text) => event.data(text),
        Err(error) => {
            tracing::error!(%error, "a message could not be written as JSON");
            Event::default().comment("a message was lost")
        }
    }
}

/// Accepts a message from a stream's client.
pub(super) async fn message(
    State(shared): State<Arc<Shared>>,
    Extension(streams): Extension<Arc<Streams>>,
    Extension(sender): Extension<Requester>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let id = session_id(parts.uri.query().unwrap_or_default());
    let session = id.and_then(|id| streams.open().get(&id).cloned());
    let Some(mut session) = session.filter(|one| one.requester.caller == sender.caller) else {
        let message = "there is no such session; open a stream at /sse first";
        return reply::error(StatusCode::NOT_FOUND, reply::REFUSED, message);
    };
    let (bytes, head) = match read_body(&parts.headers, body).await {
        Ok(read) => read,
        Err(fault) => return fault.reply(),
    };
    let mut message: ClientJsonRpcMessage = match serde_json::from_slice(&bytes) {
        Ok(message) => message,
        Err(error) => return BodyError::not_a_message(&error.to_string()).reply(),
    };
    drop(bytes);
    // The settings and the key of the request that opened the stream hold for all of its messages.
    let client = session.requester.client(&shared, head.is_about_media()).await;
    let client = RequestClient { reply_limit: Some(STREAM_EVENT_LIMIT), ..client };
    match &mut message {
        JsonRpcMessage::Request(request) => {
            request.request.extensions_mut().insert(client);
        }
        JsonRpcMessage::Notification(notification) => {
            notification.notification.extensions_mut().insert(client);
        }
        JsonRpcMessage::Response(_) | JsonRpcMessage::Error(_) => {}
    }
    if session.inbox.send(message).await.is_err() {
        let message = "the session has ended; open a new stream at /sse";
        return reply::error(StatusCode::NOT_FOUND, reply::REFUSED, message);
    }
    (StatusCode::ACCEPTED, "Accepted").into_response()
}

fn session_id(query: &str) -> Option<String> {
    url::form_urlencoded::parse(query.as_bytes())
        .find(|(name, _)| matches!(name.as_ref(), "sessionId" | "session_id"))
        .map(|(_, id)| id.into_owned())
}
