//! Base64 put into JSON as the JSON leaves.
//!
//! Media travel through the crate as bytes. Where JSON has to carry them, it gets a token, and [`Holes`] keeps the
//! bytes. What sends the JSON cuts it at its tokens, and either encodes piece by piece while it writes ([`write`],
//! [`body`]) or into one buffer of the exact size ([`fill`]).

mod holes;
#[cfg(test)]
mod tests;
mod write;

use bytes::Bytes;
use memchr::memmem::Finder;

pub use holes::{Encoding, Holes};
pub use write::{Body, body, fill, write};

/// A stretch of an outgoing text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// JSON, sent as it is.
    Text(Bytes),
    /// Raw bytes, sent as padded base64.
    Base64(Bytes),
}

impl Part {
    /// How many bytes are sent.
    #[must_use]
    pub fn length(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Base64(raw) => raw.len().div_ceil(3).saturating_mul(4),
        }
    }
}

/// Cuts serialized JSON at the tokens of `holes`. The first occurrence of a token uses it up.
///
/// Text that merely looks like a token is left alone.
#[must_use]
pub fn cut(json: Bytes, holes: &Holes) -> Vec<Part> {
    if holes.is_empty() {
        return vec![Part::Text(json)];
    }
    let mut parts = Vec::new();
    let finder = Finder::new(Holes::MARK);
    let (mut rest, mut from) = (json, 0);
    while !holes.is_empty()
        && let Some(found) = rest.get(from..).and_then(|text| finder.find(text))
    {
        let start = from + found;
        let end = start + Holes::TOKEN_LENGTH;
        let token = rest.get(start..end).and_then(|token| str::from_utf8(token).ok());
        if let Some(raw) = token.and_then(|token| holes.take(token)) {
            let mut text = rest.split_to(end);
            text.truncate(start);
            parts.extend([Part::Text(text), Part::Base64(raw)]);
            from = 0;
        } else {
            from = start + Holes::MARK.len();
        }
    }
    parts.push(Part::Text(rest));
    parts
}
