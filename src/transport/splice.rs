//! Base64 put into outgoing JSON while it is being sent.
//!
//! The bytes of a blob are encoded piece by piece where the message leaves; memory beyond the raw
//! bytes is one piece, whatever the size.

use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use base64_simd::STANDARD;
use bytes::Bytes;
use futures::Stream;
use memchr::memmem::Finder;
use tokio::io::{AsyncWrite, AsyncWriteExt as _};

use crate::output::Blobs;

/// Raw bytes encoded at a time: a multiple of 3, so that only a blob's last piece is padded. Whoever writes to a pipe
/// and whoever reads from it wait for each other at every piece: a few large ones take less time than many small ones.
const RAW: usize = 96 * 1024;

/// A stretch of an outgoing message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// JSON text, sent as it is.
    Text(Bytes),
    /// Raw bytes, sent as padded base64.
    Blob(Bytes),
}

impl Part {
    /// The number of bytes that the part takes when sent.
    #[must_use]
    pub fn length(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Blob(raw) => raw.len().div_ceil(3).saturating_mul(4),
        }
    }
}

/// Cuts serialized JSON at the tokens of `blobs`, each of which is used up at its first occurrence.
///
/// Text that merely looks like a token is left alone.
#[must_use]
pub fn cut(json: Bytes, blobs: &Blobs) -> Vec<Part> {
    if blobs.is_empty() {
        return vec![Part::Text(json)];
    }
    let mut parts = Vec::new();
    let finder = Finder::new(Blobs::MARK);
    let (mut rest, mut from) = (json, 0);
    while !blobs.is_empty()
        && let Some(found) = rest.get(from..).and_then(|text| finder.find(text))
    {
        let start = from + found;
        let end = start + Blobs::TOKEN_LENGTH;
        let token = rest.get(start..end).and_then(|token| str::from_utf8(token).ok());
        if let Some(raw) = token.and_then(|token| blobs.take(token)) {
            let mut text = rest.split_to(end);
            text.truncate(start);
            parts.extend([Part::Text(text), Part::Blob(raw)]);
            from = 0;
        } else {
            from = start + Blobs::MARK.len();
        }
    }
    parts.push(Part::Text(rest));
    parts
}

/// Writes `parts`, encoding through `scratch`, which grows to 128 KiB and may be used again.
pub async fn write<W>(writer: &mut W, parts: Vec<Part>, scratch: &mut Vec<u8>) -> io::Result<()>
where
    W: AsyncWrite + Unpin,
{
    for part in parts {
        match part {
            Part::Text(text) => writer.write_all(&text).await?,
            Part::Blob(raw) => {
                for piece in raw.chunks(RAW) {
                    scratch.clear();
                    STANDARD.encode_append(piece, scratch);
                    writer.write_all(scratch).await?;
                }
            }
        }
    }
    Ok(())
}

/// The body of an HTTP reply: `json` with the tokens of `blobs` replaced by base64.
#[must_use]
pub fn body(json: Bytes, blobs: &Blobs) -> Body {
    let parts = cut(json, blobs);
    let length = parts.iter().map(Part::length).sum();
    Body { chunks: Chunks { parts: parts.into_iter(), raw: Bytes::new() }, length }
}

/// A stream of the chunks of a reply, of 128 KiB at most where they are base64.
#[derive(Debug)]
pub struct Body {
    chunks: Chunks,
    length: usize,
}

impl Body {
    /// The exact number of bytes of the whole body, for `Content-Length`.
    #[must_use]
    pub const fn length(&self) -> usize {
        self.length
    }

    /// The same chunks as a stream of results, the form that HTTP servers take.
    pub fn infallible(self) -> impl Stream<Item = Result<Bytes, Infallible>> + Send + 'static {
        futures::StreamExt::map(self, Ok)
    }
}

impl Stream for Body {
    type Item = Bytes;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Bytes>> {
        Poll::Ready(self.chunks.next())
    }
}

/// The parts of a message as they are sent, made one at a time.
#[derive(Debug)]
struct Chunks {
    parts: std::vec::IntoIter<Part>,
    raw: Bytes,
}

impl Iterator for Chunks {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        loop {
            if !self.raw.is_empty() {
                let piece = self.raw.split_to(RAW.min(self.raw.len()));
                return Some(Bytes::from(STANDARD.encode_to_string(piece)));
            }
            match self.parts.next()? {
                Part::Text(text) if text.is_empty() => {}
                Part::Text(text) => return Some(text),
                Part::Blob(raw) => self.raw = raw,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use base64::prelude::{BASE64_STANDARD, Engine as _};
    use futures::StreamExt as _;
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    /// A text of the message: its own words, or the place of a blob.
    #[derive(Debug, Clone)]
    enum Piece {
        Words(String),
        Blob(Vec<u8>),
    }

    fn bytes_of(length: usize, seed: u8) -> Vec<u8> {
        (0..length).map(|at| (at % 251).to_le_bytes()[0] ^ seed).collect()
    }

    fn piece() -> impl Strategy<Value = Piece> {
        let sizes = prop_oneof![
            prop::sample::select(vec![0, 1, 2, 3, 4, RAW - 1, RAW, RAW + 1, RAW + 2, 2 * RAW]),
            0..4 * RAW,
        ];
        let words = prop_oneof![
            any::<String>(),
            Just(Blobs::MARK.to_owned()),
            "(venice-splice:){1,3}[0-9a-f]{0,40}",
            "venice-splice:[0-9a-f]{32}",
        ];
        prop_oneof![
            words.prop_map(Piece::Words),
            (sizes, any::<u8>()).prop_map(|(length, seed)| Piece::Blob(bytes_of(length, seed))),
        ]
    }

    /// The message as it would be without splicing, and the message with tokens.
    fn messages(pieces: &[Piece], blobs: &Blobs) -> (Vec<u8>, Bytes) {
        let texts = |blob: &dyn Fn(&[u8]) -> String| -> Vec<u8> {
            let list: Vec<_> = pieces
                .iter()
                .map(|piece| match piece {
                    Piece::Words(words) => words.clone(),
                    Piece::Blob(raw) => blob(raw),
                })
                .collect();
            serde_json::to_vec(&json!({ "id": 1, "result": list })).unwrap()
        };
        let plain = texts(&|raw| BASE64_STANDARD.encode(raw));
        let marked = texts(&|raw| blobs.put(Bytes::copy_from_slice(raw)));
        (plain, Bytes::from(marked))
    }

    fn run<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn a_spliced_message_is_the_plain_one(pieces in prop::collection::vec(piece(), 0..6)) {
            let blobs = Blobs::default();
            let (plain, marked) = messages(&pieces, &blobs);
            let mut written = Vec::new();
            run(write(&mut written, cut(marked, &blobs), &mut Vec::new())).unwrap();
            prop_assert!(written == plain);
            prop_assert!(blobs.is_empty());
        }

        #[test]
        fn a_body_is_the_plain_message_of_the_length_told(
            pieces in prop::collection::vec(piece(), 0..6),
        ) {
            let blobs = Blobs::default();
            let (plain, marked) = messages(&pieces, &blobs);
            let body = body(marked, &blobs);
            prop_assert_eq!(body.length(), plain.len());
            let chunks: Vec<Bytes> = run(body.collect());
            prop_assert!(chunks.iter().all(|chunk| !chunk.is_empty()));
            prop_assert!(chunks.concat() == plain);
        }
    }

    #[test]
    fn a_token_directly_behind_its_mark_is_found() {
        let blobs = Blobs::default();
        let token = blobs.put(Bytes::from_static(b"abc"));
        let parts = cut(Bytes::from(format!("{}{token}", Blobs::MARK)), &blobs);
        let text = |text: &'static str| Part::Text(Bytes::from_static(text.as_bytes()));
        let expected = vec![text(Blobs::MARK), Part::Blob(Bytes::from_static(b"abc")), text("")];
        assert_eq!(parts, expected);
    }

    #[test]
    fn a_token_of_another_message_is_left_alone() {
        let (own, other) = (Blobs::default(), Blobs::default());
        let _own = own.put(Bytes::from_static(b"mine"));
        let json = Bytes::from(other.put(Bytes::from_static(b"theirs")));
        assert_eq!(cut(json.clone(), &own), vec![Part::Text(json)]);
        assert!(!other.is_empty());
    }

    #[test]
    fn no_chunk_of_base64_is_larger_than_one_piece() {
        let blobs = Blobs::default();
        let json = Bytes::from(blobs.put(Bytes::from(vec![7; 10 * RAW + 5])));
        let sizes: Vec<usize> = run(body(json, &blobs).map(|chunk| chunk.len()).collect());
        assert_eq!(sizes.iter().max(), Some(&(RAW / 3 * 4)));
        assert_eq!(sizes.len(), 11);
    }
}
