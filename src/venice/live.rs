//! A reply whose headers are in, and whose body is still arriving.

use std::fmt;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures::stream::{BoxStream, StreamExt as _};
use reqwest::Response;
use secrecy::SecretString;
use tokio_util::sync::CancellationToken;

use super::endpoint::CallKind;
use super::error::{Failure, canceled, cut_short, timed_out, too_long};
use super::limits::Permit;
use super::reply::{Facts, Reply, content_type, declared_type, is_html, is_json, says_nothing};
use crate::error::Result;
use crate::storage::{BLOCK, LARGE};

/// The most that is set aside for a body before its bytes arrive, whatever its headers announce.
const SET_ASIDE: u64 = 64 * 1024 * 1024;

/// A reply whose headers are in. Dropping it closes the connection.
pub struct OpenReply {
    /// The HTTP status, a success.
    pub status: u16,
    /// The MIME type, as in [`Reply`].
    pub content_type: String,
    /// What the headers say.
    pub facts: Facts,
    /// How many bytes the body has, where that is announced.
    pub length: Option<u64>,
    pub(crate) key: Option<SecretString>,
    pub(crate) bounds: Bounds,
    /// What has arrived and was not yet handed on.
    head: Bytes,
    response: Option<Response>,
    taken: u64,
    _permit: Permit,
}

/// What bounds the arrival of a body.
#[derive(Debug, Clone)]
pub(crate) struct Bounds {
    pub(crate) kind: CallKind,
    pub(crate) deadline: Instant,
    pub(crate) idle: Duration,
    pub(crate) bytes: u64,
    pub(crate) cancel: CancellationToken,
}

impl Bounds {
    /// Waits for `work`, as long as something may take to arrive, and `more`.
    pub(crate) async fn wait<T>(
        &self,
        more: Duration,
        work: impl Future<Output = T>,
    ) -> std::result::Result<T, Failure> {
        let idle = self.idle.saturating_add(more);
        let left = self.deadline.saturating_duration_since(Instant::now());
        tokio::select! {
            biased;
            () = self.cancel.cancelled() => Err(canceled().into()),
            done = tokio::time::timeout(idle.min(left), work) => {
                done.map_err(|_| timed_out(idle, idle < left, self.kind))
            }
        }
    }
}

impl fmt::Debug for OpenReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenReply")
            .field("status", &self.status)
            .field("content_type", &self.content_type)
            .finish_non_exhaustive()
    }
}

impl OpenReply {
    /// Reads as much of the body as it takes to know what it is.
    pub(crate) async fn new(
        response: Response,
        key: Option<SecretString>,
        bounds: Bounds,
        permit: Permit,
    ) -> std::result::Result<Self, Failure> {
        let mut open = Self {
            status: response.status().as_u16(),
            content_type: declared_type(response.headers()),
            facts: Facts::of(response.headers()),
            length: response.content_length(),
            key,
            bounds,
            head: Bytes::new(),
            response: Some(response),
            taken: 0,
            _permit: permit,
        };
        if open.length.is_some_and(|length| length > open.bounds.bytes) {
            return Err(too_long(open.bounds.bytes));
        }
        if says_nothing(&open.content_type) {
            let head = open.arriving().await?.unwrap_or_default();
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
        let Self { status, content_type, facts, head: bytes, .. } = self;
        Ok(Reply { status, content_type, bytes, facts })
    }

    /// The body as it arrives. An error ends it: a body that ends without one is whole.
    pub fn into_stream(self) -> BoxStream<'static, Result<Bytes>> {
        // It moves with every piece: boxed, that is a pointer.
        futures::stream::unfold(Some(Box::new(self)), |open| async {
            let mut open = open?;
            match open.chunk().await {
                Ok(chunk) => chunk.map(|chunk| (Ok(chunk), Some(open))),
                Err(failure) => Some((Err(*failure.error), None)),
            }
        })
        .boxed()
    }

    /// Takes the whole body into memory. Bytes that come in one piece are not copied.
    pub(crate) async fn fill(&mut self) -> std::result::Result<(), Failure> {
        let Some(first) = self.chunk().await? else { return Ok(()) };
        let Some(second) = self.chunk().await? else {
            self.head = first;
            return Ok(());
        };
        let announced = self.length.unwrap_or_default().min(SET_ASIDE);
        let size = usize::try_from(announced).unwrap_or_default().max(first.len() + second.len());
        // What is large begins where the store can write it without another copy.
        let room = if size >= LARGE { BLOCK } else { 0 };
        let mut body: Vec<u8> = Vec::with_capacity(size + room);
        let start = body.as_ptr().align_offset(BLOCK).min(room);
        body.resize(start, 0);
        body.extend_from_slice(&first);
        body.extend_from_slice(&second);
        while let Some(chunk) = self.chunk().await? {
            body.extend_from_slice(&chunk);
        }
        self.head = Bytes::from(body).slice(start..);
        Ok(())
    }

    /// The next bytes of the body; none at its end.
    pub(crate) async fn chunk(&mut self) -> std::result::Result<Option<Bytes>, Failure> {
        if self.head.is_empty() {
            return self.arriving().await;
        }
        Ok(Some(std::mem::take(&mut self.head)))
    }

    async fn arriving(&mut self) -> std::result::Result<Option<Bytes>, Failure> {
        let Some(response) = self.response.as_mut() else { return Ok(None) };
        let chunk = self.bounds.wait(Duration::ZERO, response.chunk()).await?;
        let chunk = chunk.map_err(|error| cut_short(error, self.bounds.kind))?;
        self.taken += chunk.as_ref().map_or(0, |chunk| chunk.len() as u64);
        if self.taken > self.bounds.bytes {
            return Err(too_long(self.bounds.bytes));
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

    #[tokio::test]
    async fn what_does_not_arrive_is_given_up() {
        let bounds = |idle: u64, left: u64| Bounds {
            kind: CallKind::Paid,
            deadline: Instant::now() + Duration::from_millis(left),
            idle: Duration::from_millis(idle),
            bytes: 0,
            cancel: CancellationToken::new(),
        };
        let wait = async |bounds: Bounds| {
            let never = std::future::pending::<()>();
            bounds.wait(Duration::ZERO, never).await.unwrap_err().error
        };
        let idle = wait(bounds(10, 60_000)).await;
        assert_eq!(idle.message, "timed out: nothing arrived from Venice for 1 s");
        assert!(idle.text().contains("may have been charged"));
        let late = wait(bounds(60_000, 10)).await;
        assert_eq!(late.message, "timed out: the call took longer than it may");
        let canceled = bounds(60_000, 60_000);
        canceled.cancel.cancel();
        assert_eq!(wait(canceled).await.kind, Kind::Canceled);
    }
}
