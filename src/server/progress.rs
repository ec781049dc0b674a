//! Progress notifications: every report of a call, and a keep-alive between them.

use std::time::Duration;

use rmcp::model::{ProgressNotificationParam, ProgressToken};
use rmcp::service::{Peer, RoleServer};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use crate::context::Progress;

/// The longest time between two notifications.
const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(5);

/// One report of a call.
struct Report {
    done: f64,
    total: Option<f64>,
    message: String,
}

/// Sends the reports of one call to its client, until it is dropped.
pub(super) struct Reporter {
    reports: mpsc::UnboundedSender<Report>,
}

impl Reporter {
    /// Starts a task that notifies `peer` under `token`. With `delayed` it sends nothing within the first interval.
    pub(super) fn start(peer: Peer<RoleServer>, token: ProgressToken, delayed: bool) -> Self {
        let (reports, inbox) = mpsc::unbounded_channel();
        tokio::spawn(notify(peer, token, inbox, delayed));
        Self { reports }
    }
}

impl Progress for Reporter {
    fn report(&self, done: f64, total: Option<f64>, message: &str) {
        let report = Report { done, total, message: message.to_owned() };
        // The task ends only when the client has gone.
        let _ = self.reports.send(report);
    }
}

async fn notify(
    peer: Peer<RoleServer>,
    token: ProgressToken,
    mut reports: mpsc::UnboundedReceiver<Report>,
    mut delayed: bool,
) {
    let mut last = Report { done: 0.0, total: None, message: "working".to_owned() };
    let mut sent = f64::NEG_INFINITY;
    let mut next = Instant::now() + KEEP_ALIVE_INTERVAL;
    loop {
        tokio::select! {
            report = reports.recv() => match report {
                Some(report) => {
                    last = report;
                    if delayed {
                        continue;
                    }
                }
                None => return,
            },
            () = sleep_until(next) => delayed = false,
        }
        next = Instant::now() + KEEP_ALIVE_INTERVAL;
        // The protocol requires increasing values. A keep-alive goes half of the way to the next whole step, so that
        // it never reaches it.
        sent = if last.done > sent { last.done } else { sent + (last.done + 1.0 - sent) / 2.0 };
        let mut notification = ProgressNotificationParam::new(token.clone(), sent.max(0.0))
            .with_message(last.message.clone());
        if let Some(total) = last.total {
            notification = notification.with_total(total);
        }
        if peer.notify_progress(notification).await.is_err() {
            return;
        }
    }
}
