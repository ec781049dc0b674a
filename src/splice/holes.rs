//! The bytes that wait for the JSON they belong to.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use uuid::Uuid;

/// The holes of one JSON text: bytes, each under a token that stands for their base64 until the text leaves.
///
/// A clone is the same set. Bytes that nothing takes are dropped with the last clone.
///
/// ```
/// # use venice_mcp::splice::{Holes, fill};
/// let holes = Holes::default();
/// let image = holes.data_url("image/png", bytes::Bytes::from_static(b"abc"));
/// let json = serde_json::json!({ "image": image }).to_string();
/// assert_eq!(fill(json.into(), &holes), r#"{"image":"data:image/png;base64,YWJj"}"#);
/// ```
#[derive(Clone, Default)]
pub struct Holes {
    waiting: Arc<Mutex<BTreeMap<String, Bytes>>>,
}

impl Holes {
    /// The start of every token. Text that starts like this without being a token of the set is only text.
    pub(super) const MARK: &str = "venice-splice:";
    /// The length of a token in bytes, all of them ASCII: the mark and 32 hex digits.
    pub(super) const TOKEN_LENGTH: usize = Self::MARK.len() + 32;

    /// The token that stands for `bytes` as base64. It cannot be guessed, works once, and may be part of a longer
    /// string.
    #[must_use]
    pub fn base64(&self, bytes: Bytes) -> String {
        let token = format!("{}{}", Self::MARK, Uuid::new_v4().simple());
        self.waiting().insert(token.clone(), bytes);
        token
    }

    /// The string that stands for `bytes` as a `data:` URL of that MIME type.
    #[must_use]
    pub fn data_url(&self, mime_type: &str, bytes: Bytes) -> String {
        format!("data:{mime_type};base64,{}", self.base64(bytes))
    }

    /// Takes the bytes that `token` stands for.
    pub(crate) fn take(&self, token: &str) -> Option<Bytes> {
        self.waiting().remove(token)
    }

    /// Whether all bytes have been taken.
    pub(crate) fn is_empty(&self) -> bool {
        self.waiting().is_empty()
    }

    fn waiting(&self) -> MutexGuard<'_, BTreeMap<String, Bytes>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// Logs show neither tokens nor bytes.
impl fmt::Debug for Holes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Holes").field("waiting", &self.waiting().len()).finish()
    }
}

/// How bytes are written into the JSON of a result.
#[derive(Debug, Clone)]
pub enum Encoding {
    /// As a token, which the transport replaces while it sends: the base64 is never held as a whole.
    Spliced(Holes),
    /// As base64.
    Plain,
}

impl Encoding {
    /// The string that stands for `bytes` in the JSON.
    #[must_use]
    pub fn encode(&self, bytes: Bytes) -> String {
        match self {
            Self::Spliced(holes) => holes.base64(bytes),
            Self::Plain => base64_simd::STANDARD.encode_to_string(&bytes),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_gives_its_bytes_once() {
        let holes = Holes::default();
        let token = Encoding::Spliced(holes.clone()).encode(Bytes::from_static(b"image"));
        assert_eq!(token.len(), Holes::TOKEN_LENGTH);
        assert!(token.starts_with(Holes::MARK));
        assert!(token.bytes().skip(Holes::MARK.len()).all(|byte| byte.is_ascii_hexdigit()));
        assert_eq!(holes.take("venice-splice:00000000000000000000000000000000"), None);
        assert_eq!(holes.take(&token).as_deref(), Some(b"image".as_slice()));
        assert_eq!(holes.take(&token), None);
        assert!(holes.is_empty());
    }

    #[test]
    fn plain_bytes_are_base64() {
        assert_eq!(Encoding::Plain.encode(Bytes::from_static(b"\xff\xfe\xfd!")), "//79IQ==");
    }

    #[test]
    fn a_log_shows_neither_tokens_nor_bytes() {
        let holes = Holes::default();
        let token = holes.base64(Bytes::from_static(b"image"));
        let text = format!("{:?}", Encoding::Spliced(holes));
        assert!(!text.contains(&token) && !text.contains("image"), "{text}");
    }
}
