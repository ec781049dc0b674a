//! A stand-in for the Venice API on the loopback interface, as strict as the API itself.
//!
//! With it, the whole server can be tried without a key, a network, or credit, and the tests run against it. It
//! implements the published contract, and what is known of the live one, family by family: a request that Venice would
//! refuse is refused here with the same status and the same shape of body. It shares no code with the client, so that
//! each checks the other (docs/decisions/0011).
//!
//! Images, speech, music, and clips are real files that are made here. No model runs, and nothing is fetched. Words in
//! a prompt control the result: `violation` is blocked, `blurred` is blurred, and `noise` makes an image that does not
//! compress. A key that starts with `bad` is refused, and one that starts with `no-credit` has no balance.

mod account;
mod audio;
mod augment;
mod auth;
mod characters;
mod crypto;
mod fields;
mod image;
mod image_file;
mod job;
mod media;
mod middleware;
mod models;
mod music;
mod reply;
mod request;
mod seen;
mod sound;
mod state;
#[cfg(test)]
mod test;
mod text;
mod video;
mod video_rules;

use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::serve::ListenerExt as _;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

pub use seen::Seen;
use state::SandboxState;

/// How the stand-in behaves where the API leaves a choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SandboxSettings {
    /// Serve the plural paths of older notes (`/images/edits`, `/videos/generations/{queue_id}`, …) instead of the
    /// documented ones.
    pub plural: bool,
    /// How many retrieves of a job answer `PROCESSING` before its media comes.
    pub polls: u32,
}

impl Default for SandboxSettings {
    fn default() -> Self {
        Self { plural: false, polls: 2 }
    }
}

/// A running stand-in; dropping it stops the server.
#[derive(Debug)]
pub struct Sandbox {
    base_url: String,
    state: Arc<SandboxState>,
    server: JoinHandle<()>,
    _stop: DropGuard,
}

impl Sandbox {
    /// Starts the stand-in at `address`; port 0 takes a free one.
    pub async fn start(address: SocketAddr) -> io::Result<Self> {
        Self::start_with(address, SandboxSettings::default()).await
    }

    /// Starts the stand-in at `address` with `settings`.
    pub async fn start_with(address: SocketAddr, settings: SandboxSettings) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let mut bound = listener.local_addr()?;
        if bound.ip().is_unspecified() {
            let loopback = match bound.ip() {
                IpAddr::V4(_) => IpAddr::from([127, 0, 0, 1]),
                IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::LOCALHOST),
            };
            bound.set_ip(loopback);
        }
        let state = Arc::new(SandboxState::new(format!("http://{bound}"), settings));
        let router = router(&state);
        let stop = CancellationToken::new();
        let stopped = stop.clone().cancelled_owned();
        let listener = listener.tap_io(|stream| {
            let _ = stream.set_nodelay(true);
        });
        let server = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, router).with_graceful_shutdown(stopped).await
            {
                tracing::warn!(%error, "the sandbox stopped");
            }
        });
        let base_url = format!("http://{bound}/api/v1");
        Ok(Self { base_url, state, server, _stop: stop.drop_guard() })
    }

    /// The address to use instead of Venice's, such as `http://127.0.0.1:4000/api/v1`.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// The latest requests, oldest first: at most 1,000, long strings shortened.
    #[must_use]
    pub fn seen(&self) -> Vec<Seen> {
        self.state.seen()
    }

    /// Waits until the process is interrupted or the server has ended.
    pub async fn stopped(mut self) {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = &mut self.server => {}
        }
    }
}

fn router(state: &Arc<SandboxState>) -> Router {
    let plural = state.settings.plural;
    let api = Router::new()
        .merge(image::routes(plural))
        .merge(audio::routes())
        .merge(models::routes())
        .merge(music::routes())
        .merge(video::routes(plural))
        .merge(text::routes())
        .merge(characters::routes())
        .merge(augment::routes())
        .merge(account::routes())
        .merge(crypto::routes())
        .fallback(reply::no_such_route)
        .method_not_allowed_fallback(reply::wrong_method)
        .layer(from_fn_with_state(state.clone(), middleware::receive))
        .layer(DefaultBodyLimit::disable());
    Router::new()
        .nest("/api/v1", api)
        .merge(video::files())
        .fallback(reply::no_such_route)
        .with_state(state.clone())
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpStream;

    use super::test::TestSandbox;

    #[tokio::test]
    async fn dropping_the_sandbox_closes_its_connections_and_its_port() {
        use tokio::io::AsyncReadExt as _;

        let sandbox = TestSandbox::new().await;
        let url = url::Url::parse(sandbox.sandbox.base_url()).expect("a URL");
        assert_eq!(url.path(), "/api/v1");
        let address = ("127.0.0.1", url.port().expect("a port"));
        let mut stream = TcpStream::connect(address).await.expect("it listens");
        assert_eq!(sandbox.get("/image/styles").await.status, 200);
        drop(sandbox);
        assert!(matches!(stream.read(&mut [0]).await, Ok(0) | Err(_)), "the connection has ended");
        assert!(TcpStream::connect(address).await.is_err(), "nothing listens any more");
    }
}
