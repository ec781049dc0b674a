//! What a transport knows about the client of a request, and what the request adds.

use std::sync::Arc;
use std::time::Duration;

use axum::http::request::Parts;
use rmcp::service::{RequestContext, RoleServer};
use secrecy::SecretString;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::progress::Reporter;
use crate::context::{
    Caller, Context, Files, FreeCall, Links, Progress, RequestSettings, SendContext, Silent,
};
use crate::splice::{Encoding, Holes};

/// What a transport knows about the client of one request. It travels in the request's extensions, or in those of
/// its HTTP head.
#[derive(Clone, Default)]
pub(crate) struct RequestClient {
    /// Whose request it is.
    pub caller: Caller,
    /// The Venice key that the request brought.
    pub key: Option<SecretString>,
    /// The client's name, where the transport knows it better than the request.
    pub name: Option<String>,
    /// The settings in the request's headers and URL.
    pub settings: RequestSettings,
    /// Which files the request may read.
    pub files: Files,
    /// Makes download links, which replace paths for clients on other machines.
    pub links: Option<Arc<dyn Links>>,
    /// Whether progress is withheld at first, so that the reply to a short call is only its result.
    pub delay_progress: bool,
    /// The maximum size of the media in a reply, in bytes.
    pub reply_limit: Option<u64>,
}

impl RequestClient {
    /// The client of a request; a local one if the transport added none.
    pub(super) fn from_request(request: &RequestContext<RoleServer>) -> Self {
        let extensions = &request.extensions;
        extensions
            .get::<Self>()
            .or_else(|| extensions.get::<Parts>()?.extensions.get::<Self>())
            .cloned()
            .unwrap_or_default()
    }
}

/// One request as the server handles it: the context of its call, and how bytes leave in the reply.
pub(super) struct Incoming {
    pub(super) context: Context,
    pub(super) encoding: Encoding,
}

impl Incoming {
    /// The request that `client` sent. `timeout` sets its deadline.
    pub(super) fn new(
        request: &RequestContext<RoleServer>,
        client: RequestClient,
        timeout: Option<Duration>,
    ) -> Self {
        let extensions = &request.extensions;
        let holes = extensions
            .get::<Holes>()
            .or_else(|| extensions.get::<Parts>()?.extensions.get::<Holes>());
        let progress: Arc<dyn Progress> = match request.meta.get_progress_token() {
            Some(token) => {
                Arc::new(Reporter::start(request.peer.clone(), token, client.delay_progress))
            }
            None => Arc::new(Silent),
        };
        let arrived = Instant::now();
        let send = SendContext {
            caller: client.caller,
            key: client.key,
            deadline: timeout.map(|timeout| arrived + timeout),
            cancel: CancellationToken::new(),
            payer: Arc::new(FreeCall),
            progress,
        };
        let context = Context {
            send,
            client: client.name.or_else(|| request.client_info().map(|client| client.name)),
            settings: client.settings,
            arrived,
            files: client.files,
            links: client.links,
            reply_limit: client.reply_limit,
        };
        let encoding = holes.cloned().map_or(Encoding::Plain, Encoding::Spliced);
        Self { context, encoding }
    }
}
