//! Writes a text whose holes are filled.

use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use base64_simd::STANDARD;
use bytes::Bytes;
use futures::Stream;
use tokio::io::{AsyncWrite, AsyncWriteExt as _};

use super::{Holes, Part, cut};

/// Raw bytes encoded at a time, 128 KiB of base64: a multiple of 3, so that only the last piece is padded. The two ends
/// of a pipe wait for each other at every piece, so that a few large pieces take less time than many small ones.
pub(super) const RAW_PIECE_BYTES: usize = 96 * 1024;

/// Writes `parts`, encoding through `scratch`, which grows to 128 KiB and can be used again.
pub async fn write<W>(writer: &mut W, parts: Vec<Part>, scratch: &mut Vec<u8>) -> io::Result<()>
where
    W: AsyncWrite + Unpin,
{
    for part in parts {
        match part {
            Part::Text(text) => writer.write_all(&text).await?,
            Part::Base64(raw) => {
                for piece in raw.chunks(RAW_PIECE_BYTES) {
                    scratch.clear();
                    STANDARD.encode_append(piece, scratch);
                    writer.write_all(scratch).await?;
                }
            }
        }
    }
    Ok(())
}

/// `json` with the tokens of `holes` replaced by base64, in one buffer of the exact size: a body that can be sent
/// again, also by the HTTP library, which repeats a request that the server has refused to look at.
#[must_use]
pub fn fill(json: Bytes, holes: &Holes) -> Bytes {
    if holes.is_empty() { json } else { join(cut(json, holes)).into() }
}

pub(super) fn join(parts: Vec<Part>) -> Vec<u8> {
    let mut whole = Vec::with_capacity(parts.iter().map(Part::length).sum());
    for part in parts {
        match part {
            Part::Text(text) => whole.extend_from_slice(&text),
            Part::Base64(raw) => STANDARD.encode_append(&raw, &mut whole),
        }
    }
    whole
}

/// `json` with the tokens of `holes` replaced by base64, as the body of an HTTP reply.
#[must_use]
pub fn body(json: Bytes, holes: &Holes) -> Body {
    let parts = cut(json, holes);
    let length = parts.iter().map(Part::length).sum();
    Body { pieces: Pieces { parts: parts.into_iter(), raw: Bytes::new() }, length }
}

/// A stream of the pieces of a body; those of base64 have at most 128 KiB.
#[derive(Debug)]
pub struct Body {
    pieces: Pieces,
    length: usize,
}

impl Body {
    /// The exact number of bytes of the whole body, for `Content-Length`.
    #[must_use]
    pub const fn length(&self) -> usize {
        self.length
    }

    /// The pieces as a stream of results, as HTTP servers want it.
    pub fn infallible(self) -> impl Stream<Item = Result<Bytes, Infallible>> + Send + 'static {
        futures::StreamExt::map(self, Ok)
    }
}

impl Stream for Body {
    type Item = Bytes;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Bytes>> {
        Poll::Ready(self.pieces.next())
    }
}

/// The pieces of a text as they are sent, each made when it is asked for.
#[derive(Debug)]
struct Pieces {
    parts: std::vec::IntoIter<Part>,
    /// What is left of the part that is being encoded.
    raw: Bytes,
}

impl Iterator for Pieces {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        loop {
            if !self.raw.is_empty() {
                let piece = self.raw.split_to(RAW_PIECE_BYTES.min(self.raw.len()));
                return Some(Bytes::from(STANDARD.encode_to_string(piece)));
            }
            match self.parts.next()? {
                Part::Text(text) if text.is_empty() => {}
                Part::Text(text) => return Some(text),
                Part::Base64(raw) => self.raw = raw,
            }
        }
    }
}
