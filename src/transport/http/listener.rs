//! Connections: accepted without delay of small packets, bounded in what an idle or slow one may hold.

use std::pin::pin;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;

/// How long the head of a request may take, and how long a connection may lie idle.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// The most bytes of a request's head, and what is read at a time.
const MAX_HEAD_BYTES: usize = 64 * 1024;
/// The most headers of a request.
const MAX_HEADERS: usize = 100;
/// How long accepting pauses after it failed, mostly because too many files are open.
const ACCEPT_RETRY_DELAY: Duration = Duration::from_millis(50);

/// Connections that may still be served.
pub(super) struct Connections {
    graceful: GracefulShutdown,
    tasks: JoinSet<()>,
}

/// Accepts and serves connections until `shutdown` is canceled.
pub(super) async fn run(
    listener: TcpListener,
    router: Router,
    shutdown: &CancellationToken,
) -> Connections {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(MAX_HEAD_BYTES)
        .max_headers(MAX_HEADERS)
        .keep_alive(true);
    let mut connections = Connections { graceful: GracefulShutdown::new(), tasks: JoinSet::new() };
    let mut stop = pin!(shutdown.cancelled());
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut stop => return connections,
            // Without this, the results of closed connections would pile up.
            Some(_) = connections.tasks.join_next() => continue,
        };
        match accepted {
            Ok((stream, _)) => connections.add(&http, stream, &router),
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_RETRY_DELAY).await;
            }
        }
    }
}

impl Connections {
    fn add(&mut self, http: &http1::Builder, stream: TcpStream, router: &Router) {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "small packets of a connection may be delayed");
        }
        let service = TowerToHyperService::new(router.clone());
        let connection = http.serve_connection(TokioIo::new(stream), service);
        let connection = self.graceful.watch(connection);
        self.tasks.spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection ended early");
            }
        });
    }

    /// Waits until every connection has answered what it was asked, or `deadline`; then they are closed.
    pub(super) async fn finish(mut self, deadline: Instant) {
        if timeout_at(deadline, self.graceful.shutdown()).await.is_err() {
            tracing::warn!("requests were still under way when the server stopped");
        }
        self.tasks.shutdown().await;
    }
}
