//! A reply whose headers are in and whose body is still arriving.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use futures::stream::{BoxStream, StreamExt as _};
use reqwest::Response;
use secrecy::SecretString;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::endpoint::CallKind;
use super::error::{SendFailure, canceled, cut_short, deadline_exceeded, idle_timeout, too_long};
use super::limits::Permit;
use super::reply::{
    Reply, ReplyHeaders, content_type, declared_type, is_generic, is_html, is_json,
};
use crate::error::Result;

/// The most bytes reserved for a body before they arrive, whatever its headers announce.
const MAX_RESERVED_BYTES: u64 = 64 * 1024 * 1024;

/// Where the memory of a large reply begins. Whatever takes the bytes next may need that: a disk that is written past
/// the page cache takes only aligned memory, and would cost a copy otherwise.
#[derive(Debug, Clone, Copy)]
pub struct ReplyAlignment {
    /// What the address is a multiple of, in bytes: a power of two.
    pub alignment: usize,
    /// The length in bytes from which a reply is aligned.
    pub min_length: usize,
}

impl ReplyAlignment {
    /// A buffer that has room for `length` more bytes, which are aligned if they are that many. What the buffer holds
    /// already is padding.
    fn buffer(self, length: usize) -> Vec<u8> {
        let room = if length >= self.min_length { self.alignment } else { 0 };
        let mut buffer: Vec<u8> = Vec::with_capacity(length + room);
        if room > 0 {
            let padding = buffer.as_ptr().align_offset(self.alignment).min(room);
            buffer.resize(padding, 0);
        }
        buffer
    }
}

/// A reply whose headers are in. Dropping it closes the connection.
pub struct StreamingReply {
    /// The HTTP status, a success.
    pub status: u16,
    /// The MIME type, as in [`Reply`].
    pub content_type: String,
    /// What the headers say.
    pub headers: ReplyHeaders,
    /// How many bytes the body has, where that is announced.
    pub length: Option<u64>,
    pub(crate) key: Option<SecretString>,
    pub(crate) limits: ReplyLimits,
    alignment: ReplyAlignment,
    /// Bytes that have arrived and have not been handed on.
    head: Bytes,
    response: Option<Response>,
    received_bytes: u64,
    _permit: Permit,
}

/// The limits within which a body must arrive.
#[derive(Debug, Clone)]
pub(crate) struct ReplyLimits {
    pub(crate) kind: CallKind,
    pub(crate) deadline: Instant,
    pub(crate) idle: Duration,
    pub(crate) max_bytes: u64,
    pub(crate) cancel: CancellationToken,
}

impl ReplyLimits {
    /// Waits for `work` for the idle time and `more`, but not past the deadline.
    pub(crate) async fn wait<T>(
        &self,
        more: Duration,
        work: impl Future<Output = T>,
    ) -> std::result::Result<T, SendFailure> {
        let idle = self.idle.saturating_add(more);
        let left = self.deadline.saturating_duration_since(Instant::now());
        tokio::select! {
            biased;
            () = self.cancel.cancelled() => Err(canceled().into()),
            done = tokio::time::timeout(idle.min(left), work) => {
                done.map_err(|_| {
                    if idle < left { idle_timeout(idle, self.kind) } else { deadline_exceeded(self.kind) }
                })
            }
        }
    }
}

impl fmt::Debug for StreamingReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamingReply")
            .field("status", &self.status)
            .field("content_type", &self.content_type)
            .finish_non_exhaustive()
    }
}

impl StreamingReply {
    /// Reads as much of the body as its type takes to know.
    pub(crate) async fn new(
        response: Response,
        key: Option<SecretString>,
        limits: ReplyLimits,
        alignment: ReplyAlignment,
        permit: Permit,
    ) -> std::result::Result<Self, SendFailure> {
        let mut open = Self {
            status: response.status().as_u16(),
            content_type: declared_type(response.headers()),
            headers: ReplyHeaders::parse(response.headers()),
            length: response.content_length(),
            key,
            limits,
            alignment,
            head: Bytes::new(),
            response: Some(response),
            received_bytes: 0,
            _permit: permit,
        };
        if open.length.is_some_and(|length| length > open.limits.max_bytes) {
            return Err(too_long(open.limits.max_bytes));
        }
        if is_generic(&open.content_type) {
            let head = open.receive().await?.unwrap_or_default();
            if let Some(response) = &open.response {
                open.content_type = content_type(response.headers(), &head);
            }
            open.head = head;
        }
        Ok(open)
    }

    /// Whether the body is JSON.
    #[must_use]
    pub fn is_json(&self) -> bool {
        is_json(&self.content_type)
    }

    /// Whether the body is HTML.
    pub(crate) fn is_html(&self) -> bool {
        is_html(&self.content_type, &self.head)
    }

    /// The rest of the body, in memory.
    pub async fn collect(mut self) -> Result<Reply> {
        self.fill().await.map_err(|failure| *failure.error)?;
        let Self { status, content_type, headers, head: bytes, .. } = self;
        Ok(Reply { status, content_type, bytes, headers })
    }

    /// The body as it arrives. An error ends it; a body that ends without one is complete.
    pub fn into_stream(self) -> BoxStream<'static, Result<Bytes>> {
        // The state moves with every piece; boxed, only a pointer does.
        futures::stream::unfold(Some(Box::new(self)), |open| async {
            let mut open = open?;
            match open.chunk().await {
                Ok(chunk) => chunk.map(|chunk| (Ok(chunk), Some(open))),
                Err(failure) => Some((Err(*failure.error), None)),
            }
        })
        .boxed()
    }

    /// Reads the whole body into memory. Bytes that arrive in one piece are not copied.
    pub(crate) async fn fill(&mut self) -> std::result::Result<(), SendFailure> {
        let Some(first) = self.chunk().await? else { return Ok(()) };
        let Some(second) = self.chunk().await? else {
            self.head = first;
            return Ok(());
        };
        let announced = self.length.unwrap_or_default().min(MAX_RESERVED_BYTES);
        let size = usize::try_from(announced).unwrap_or_default().max(first.len() + second.len());
        let mut body = self.alignment.buffer(size);
        let start = body.len();
        body.extend_from_slice(&first);
        body.extend_from_slice(&second);
        while let Some(chunk) = self.chunk().await? {
            body.extend_from_slice(&chunk);
        }
        self.head = Bytes::from(body).slice(start..);
        Ok(())
    }

    /// The next bytes of the body; `None` at its end.
    pub(crate) async fn chunk(&mut self) -> std::result::Result<Option<Bytes>, SendFailure> {
        if self.head.is_empty() {
            return self.receive().await;
        }
        Ok(Some(std::mem::take(&mut self.head)))
    }

    async fn receive(&mut self) -> std::result::Result<Option<Bytes>, SendFailure> {
        let Some(response) = self.response.as_mut() else { return Ok(None) };
        let chunk = self.limits.wait(Duration::ZERO, response.chunk()).await?;
        let chunk = chunk.map_err(|error| cut_short(error, self.limits.kind))?;
        self.received_bytes += chunk.as_ref().map_or(0, |chunk| chunk.len() as u64);
        if self.received_bytes > self.limits.max_bytes {
            return Err(too_long(self.limits.max_bytes));
        }
        if chunk.is_none() {
            self.response = None;
        }
        Ok(chunk)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Kind;

    #[test]
    fn a_large_body_is_aligned() {
        let policy = ReplyAlignment { alignment: 4096, min_length: 1000 };
        for length in [1000, 4096, 100_000] {
            let mut buffer = policy.buffer(length);
            let (start, capacity) = (buffer.len(), buffer.capacity());
            buffer.resize(start + length, 7);
            assert!(buffer[start..].as_ptr().addr().is_multiple_of(4096));
            assert_eq!(buffer.capacity(), capacity, "it did not move");
        }
        assert!(policy.buffer(999).is_empty());
    }

    #[tokio::test]
    async fn a_body_that_does_not_arrive_times_out() {
        let limits = |idle: u64, left: u64| ReplyLimits {
            kind: CallKind::Paid,
            deadline: Instant::now() + Duration::from_millis(left),
            idle: Duration::from_millis(idle),
            max_bytes: 0,
            cancel: CancellationToken::new(),
        };
        let wait = async |limits: ReplyLimits| {
            let never = std::future::pending::<()>();
            limits.wait(Duration::ZERO, never).await.unwrap_err().error
        };
        let idle = wait(limits(10, 60_000)).await;
        assert_eq!(idle.message, "timed out: nothing arrived from Venice for 1 s");
        assert!(idle.text().contains("may have been charged"));
        let late = wait(limits(60_000, 10)).await;
        assert_eq!(late.message, "timed out: the call took longer than it may");
        let canceled = limits(60_000, 60_000);
        canceled.cancel.cancel();
        assert_eq!(wait(canceled).await.kind, Kind::Canceled);
    }
}
