//! Serving MCP, on stdin and stdout or over HTTP.

use std::io::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::build::{BuiltServer, build_server};
use super::exit_failed;
use crate::config::{Config, LogFormat};
use crate::transport::{http::BoundListener, stdio};

/// How long calls that have paid for something may go on after the client has left.
const PAID_CALL_GRACE: Duration = Duration::from_secs(5);

pub(super) async fn run(mut config: Config) -> ExitCode {
    let log_format = config.options.log_format;
    let bound = match config.http.take() {
        Some(settings) => match BoundListener::new(settings).await {
            Ok(bound) => Some(bound),
            Err(error) => return exit_failed(&error),
        },
        None => None,
    };
    let built = match build_server(config).await {
        Ok(built) => built,
        Err(error) => return exit_failed(&format!("the sandbox could not be started: {error}")),
    };
    let shutdown = CancellationToken::new();
    tokio::spawn(cancel_on_signal(shutdown.clone()));
    if let Some(bound) = bound {
        announce(&bound, log_format);
        let BuiltServer { server, store, secret, .. } = &built;
        let serving = bound.serve(server.clone(), store.clone(), secret.clone(), shutdown);
        let left = serving.await;
        server.finish_calls(left).await;
        return ExitCode::SUCCESS;
    }
    let served = Box::pin(stdio::serve(built.server.clone(), |_| {}, shutdown)).await;
    built.server.finish_calls(PAID_CALL_GRACE).await;
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => exit_failed(&error),
    }
}

/// Says where the server is: on stderr for people, in the log for programs.
fn announce(bound: &BoundListener, form: LogFormat) {
    let address = bound.address();
    match form {
        LogFormat::Text => {
            let _ = writeln!(std::io::stderr(), "venice-mcp: MCP is at http://{address}/mcp");
        }
        LogFormat::Json => tracing::info!(%address, "MCP is served over HTTP"),
    }
}

/// Cancels `shutdown` when the process is asked to end.
pub(super) async fn cancel_on_signal(shutdown: CancellationToken) {
    let asked = async {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            let Ok(mut terminate) = signal(SignalKind::terminate()) else {
                return std::future::pending().await;
            };
            terminate.recv().await;
        }
        #[cfg(not(unix))]
        std::future::pending::<()>().await;
    };
    tokio::select! {
        () = asked => {}
        interrupted = tokio::signal::ctrl_c() => {
            if let Err(error) = interrupted {
                tracing::warn!(%error, "interrupts cannot be waited for");
                return;
            }
        }
    }
    shutdown.cancel();
}
