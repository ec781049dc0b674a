//! MCP over HTTP: one listener for every route.
//!
//! `/mcp` is Streamable HTTP without sessions, so that any replica can answer any request; `/sse` and `/messages`
//! are the HTTP+SSE of 2024-11-05. Every request passes, in this order: a span with its id, the check of Host and
//! Origin, CORS, and, except for `/media` and the health checks, the check of its token.

mod body;
mod caller;
mod guard;
mod health;
mod listener;
mod mcp;
mod media;
mod narrowing;
mod options;
mod reply;
mod secret;
mod sse;
mod trace;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::Request;
use axum::http::{HeaderName, Method, StatusCode, header};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Extension, Router};
use rmcp::ServerHandler;
use tokio::net::TcpListener;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tower_http::cors::{AllowHeaders, AllowOrigin, CorsLayer};

use crate::error::{Error, Kind, Result};
use crate::media::MediaStore;
use crate::storage::Secret;

use caller::Requester;
use guard::Guard;
pub use options::HttpOptions;
pub(crate) use options::parse_authority;
use secret::SigningSecret;

/// How long requests under way may go on after a stop signal.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(5);

/// How long a browser may cache the answer to a preflight request.
const PREFLIGHT_MAX_AGE: Duration = Duration::from_hours(1);

/// The name of the header that carries the client's name from its `initialize` to later requests.
pub(super) const SESSION: HeaderName = HeaderName::from_static("mcp-session-id");

/// The parts that the routes share.
pub(super) struct Shared {
    pub(super) store: MediaStore,
    pub(super) settings: HttpOptions,
    secret: SigningSecret,
    pub(super) shutdown: CancellationToken,
}

/// A listener that has its address and does not serve yet.
pub struct BoundListener {
    listener: TcpListener,
    address: SocketAddr,
    settings: HttpOptions,
}

impl BoundListener {
    /// Binds the address of `settings`. Fails where it is in use or not one of this machine's.
    pub async fn new(settings: HttpOptions) -> Result<Self> {
        let address = settings.address;
        let cannot = |error: std::io::Error| {
            Error::new(Kind::Internal, format!("cannot listen on {address}: {error}"))
        };
        let listener = TcpListener::bind(address).await.map_err(cannot)?;
        let address = listener.local_addr().map_err(cannot)?;
        Ok(Self { listener, address, settings })
    }

    /// The address it listens on. The port is the one that the system chose where the settings say 0.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves `handler` until `shutdown` is canceled, and then for at most 5 seconds what is under way. What is left
    /// of those seconds is for work that goes on without its client.
    pub async fn serve<H>(
        self,
        handler: H,
        store: MediaStore,
        secret: Secret,
        shutdown: CancellationToken,
    ) -> Duration
    where
        H: ServerHandler + Clone,
    {
        let Self { listener, address, settings } = self;
        let guard = Guard::new(&settings, address);
        let secret = SigningSecret::new(secret);
        let shared = Arc::new(Shared { store, settings, secret, shutdown: shutdown.clone() });
        let stop = CancellationToken::new();
        let router = router(shared, &handler, guard, stop.clone());
        let connections = listener::run(listener, router, &shutdown).await;
        let deadline = Instant::now() + SHUTDOWN_GRACE;
        connections.finish(deadline).await;
        stop.cancel();
        deadline.saturating_duration_since(Instant::now())
    }
}

fn router<H>(shared: Arc<Shared>, handler: &H, guard: Guard, stop: CancellationToken) -> Router
where
    H: ServerHandler + Clone,
{
    let guard = Arc::new(guard);
    let mut protected = Router::new()
        .route("/mcp", mcp::route(handler.clone(), stop))
        .route("/metrics", get(health::metrics));
    if shared.settings.sse {
        let streams = Arc::new(sse::Streams::new(handler.clone()));
        protected = protected
            .route("/sse", get(sse::open))
            .route("/messages", post(sse::message))
            .layer(Extension(streams));
    }
    let identify = from_fn_with_state(Arc::clone(&shared), caller::identify);
    protected
        .route_layer(identify)
        .route("/media/{id}", get(media::download))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .method_not_allowed_fallback(wrong_method)
        .fallback(unknown_path)
        .layer(cors(Arc::clone(&guard)))
        .layer(from_fn_with_state(guard, guard::check))
        .layer(from_fn(trace::request))
        .with_state(shared)
}

/// Pages of allowed origins may call, and may read the session header.
fn cors(guard: Arc<Guard>) -> CorsLayer {
    CorsLayer::new()
        .allow_origin(AllowOrigin::predicate(move |origin, _| guard.allows_origin(origin)))
        .allow_methods([Method::GET, Method::POST, Method::DELETE])
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers([SESSION, trace::REQUEST_ID, header::WWW_AUTHENTICATE])
        .max_age(PREFLIGHT_MAX_AGE)
}

async fn unknown_path(request: Request) -> Response {
    let message = format!("there is nothing at `{}`; MCP is at /mcp", request.uri().path());
    reply::error(StatusCode::NOT_FOUND, reply::REFUSED, &message)
}

async fn wrong_method(request: Request) -> Response {
    let message = format!("`{}` takes no {} requests", request.uri().path(), request.method());
    reply::error(StatusCode::METHOD_NOT_ALLOWED, reply::REFUSED, &message)
}
