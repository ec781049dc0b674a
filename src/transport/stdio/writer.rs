//! The one task that writes.
//!
//! A sender may be dropped half-way, when a call is canceled or the session ends. Since the task alone
//! touches the output, it always gets whole messages, one after another.

use std::io::{self, ErrorKind};
use std::time::Duration;

use bytes::Bytes;
use rmcp::RoleServer;
use rmcp::service::TxJsonRpcMessage;
use tokio::io::{AsyncWrite, AsyncWriteExt as _};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::splice::{self, Holes, Part};

/// Messages that may wait to be written; with more, senders wait and at last the reading stops.
const QUEUE_LENGTH: usize = 16;

/// One message with its line's end.
#[derive(Debug)]
pub(super) struct Message {
    parts: Vec<Part>,
    done: Option<oneshot::Sender<io::Result<()>>>,
}

/// The way to the writing task.
#[derive(Debug)]
pub(super) struct Queue {
    sender: Option<mpsc::Sender<Message>>,
    task: tokio::task::AbortHandle,
    written: CancellationToken,
}

impl Queue {
    /// Spawns the task that owns `writer`.
    pub(super) fn new<W>(writer: W) -> Self
    where
        W: AsyncWrite + Send + Unpin + 'static,
    {
        let (sender, messages) = mpsc::channel(QUEUE_LENGTH);
        let written = CancellationToken::new();
        let guard = written.clone().drop_guard();
        let task = tokio::spawn(async move {
            write_all(writer, messages).await;
            drop(guard);
        });
        Self { sender: Some(sender), task: task.abort_handle(), written }
    }

    /// A way for one message; an error once the queue is closed.
    pub(super) fn sender(&self) -> io::Result<mpsc::Sender<Message>> {
        self.sender.clone().ok_or_else(writer_gone)
    }

    /// A place for a reply that nobody waits for; `None` once the output is gone.
    pub(super) async fn reserve(&self) -> Option<QueueSlot<'_>> {
        self.sender.as_ref()?.reserve().await.ok().map(QueueSlot)
    }

    /// Waits until nothing can be written any more.
    pub(super) async fn closed(&self) {
        if let Some(sender) = &self.sender {
            sender.closed().await;
        }
    }

    /// Is cancelled when the task has written everything, or has failed.
    pub(super) fn written(&self) -> CancellationToken {
        self.written.clone()
    }

    /// Takes no more messages and waits until the last is out, for `patience` at most.
    pub(super) async fn close(&mut self, patience: Duration) -> io::Result<()> {
        self.sender = None;
        timeout(patience, self.written.cancelled()).await.map_err(|_| {
            self.task.abort();
            io::Error::new(ErrorKind::TimedOut, "the client does not read")
        })
    }
}

/// A place in the queue.
#[derive(Debug)]
pub(super) struct QueueSlot<'a>(mpsc::Permit<'a, Message>);

impl QueueSlot<'_> {
    /// Sends a line, if there is one.
    pub(super) fn send(self, line: Option<Bytes>) {
        if let Some(line) = line {
            self.0.send(Message { parts: vec![Part::Text(line)], done: None });
        }
    }
}

/// Sends one message with its media, and waits until it is written.
pub(super) async fn send(
    sender: mpsc::Sender<Message>,
    message: TxJsonRpcMessage<RoleServer>,
    holes: Holes,
) -> io::Result<()> {
    let mut json = serde_json::to_vec(&message)?;
    drop(message);
    json.push(b'\n');
    let (done, written) = oneshot::channel();
    let message = Message { parts: splice::cut(Bytes::from(json), &holes), done: Some(done) };
    sender.send(message).await.map_err(|_| writer_gone())?;
    drop(sender);
    written.await.map_err(|_| writer_gone())?
}

fn writer_gone() -> io::Error {
    io::Error::new(ErrorKind::NotConnected, "the connection is closed")
}

async fn write_all<W>(mut writer: W, mut messages: mpsc::Receiver<Message>)
where
    W: AsyncWrite + Unpin,
{
    let mut scratch = Vec::new();
    while let Some(Message { parts, done }) = messages.recv().await {
        let mut result = splice::write(&mut writer, parts, &mut scratch).await;
        if result.is_ok() {
            result = writer.flush().await;
        }
        let failed = result.is_err();
        if let Err(error) = &result {
            tracing::debug!(%error, "standard output failed");
        }
        if let Some(done) = done {
            let _ = done.send(result);
        }
        if failed {
            return;
        }
    }
    if let Err(error) = writer.shutdown().await {
        tracing::debug!(%error, "standard output was not closed");
    }
}
