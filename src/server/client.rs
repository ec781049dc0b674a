//! What a transport knows of a client, and what a request adds to it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::http::request::Parts;
use rmcp::service::{RequestContext, RoleServer};
use secrecy::SecretString;
use tokio_util::sync::CancellationToken;

use super::confirm::Way;
use super::progress::Reporter;
use crate::context::{Caller, Charges, Context, Files, Links, Progress, Settings, Silent};
use crate::splice::{Encoding, Holes};

/// What a transport knows of the client of one request. It travels in the request's extensions, or in those
/// of its HTTP head.
#[derive(Clone, Default)]
pub struct Client {
    /// Whose request it is.
    pub caller: Caller,
    /// The Venice key that the request brought.
    pub key: Option<SecretString>,
    /// The client's name, where the transport knows it better than the request.
    pub name: Option<String>,
    /// What headers and URL ask for.
    pub settings: Settings,
    /// Which files the request may read.
    pub files: Files,
    /// What stands in place of paths.
    pub links: Option<Arc<dyn Links>>,
    /// Whether progress is held back at first, so that a short call is answered by its result alone.
    pub patient: bool,
    /// The most bytes of media that the reply carries.
    pub reply_limit: Option<u64>,
}

impl Client {
    /// The client of a request; a local one where the transport says nothing.
    pub(super) fn of(request: &RequestContext<RoleServer>) -> Self {
        let extensions = &request.extensions;
        extensions
            .get::<Self>()
            .or_else(|| extensions.get::<Parts>()?.extensions.get::<Self>())
            .cloned()
            .unwrap_or_default()
    }
}

/// What a request asks the server for: the context of its call, and the form in which bytes leave.
pub(super) struct Asked {
    pub(super) context: Context,
    pub(super) encoding: Encoding,
    /// How the user behind the client is asked.
    pub(super) way: Way,
}

impl Asked {
    /// What `request` of `client` asks for, within `timeout`.
    pub(super) fn new(
        request: &RequestContext<RoleServer>,
        client: Client,
        timeout: Option<Duration>,
    ) -> Self {
        let extensions = &request.extensions;
        let holes = extensions
            .get::<Holes>()
            .or_else(|| extensions.get::<Parts>()?.extensions.get::<Holes>());
        let progress: Arc<dyn Progress> = match request.meta.get_progress_token() {
            Some(token) => Arc::new(Reporter::start(request.peer.clone(), token, client.patient)),
            None => Arc::new(Silent),
        };
        let arrived = Instant::now();
        let context = Context {
            caller: client.caller,
            key: client.key,
            client: client.name.or_else(|| request.client_info().map(|client| client.name)),
            settings: client.settings,
            arrived,
            deadline: timeout.map(|timeout| arrived + timeout),
            cancel: CancellationToken::new(),
            charges: Charges::default(),
            files: client.files,
            links: client.links,
            reply_limit: client.reply_limit,
            progress,
            confirm: Arc::new(Silent),
        };
        let encoding = holes.cloned().map_or(Encoding::Plain, Encoding::Spliced);
        Self { context, encoding, way: Way::None }
    }

    /// The same, with a user who can be asked.
    pub(super) fn asking(mut self, way: Way) -> Self {
        self.context.confirm = way.confirm();
        self.way = way;
        self
    }
}
