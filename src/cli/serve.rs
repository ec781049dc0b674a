//! Serving MCP on stdin and stdout.

use std::process::ExitCode;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::{assemble::assemble, fail};
use crate::config::Config;
use crate::transport::stdio;

/// How long calls that have paid for something may go on after the client has left.
const PATIENCE: Duration = Duration::from_secs(5);

pub(super) async fn run(config: Config) -> ExitCode {
    let assembled = match assemble(config).await {
        Ok(assembled) => assembled,
        Err(error) => return fail(&format!("the sandbox could not be started: {error}")),
    };
    let shutdown = CancellationToken::new();
    tokio::spawn(cancel_on_signal(shutdown.clone()));
    let served = stdio::serve(assembled.server.clone(), |_| {}, shutdown).await;
    assembled.server.settle(PATIENCE).await;
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error),
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
