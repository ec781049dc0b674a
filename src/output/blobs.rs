//! Where the bytes of a reply wait until it leaves.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use uuid::Uuid;

/// Bytes of one message or one HTTP request, each under a token that stands for them in the JSON. The transport
/// puts their base64 in the token's place. A clone is the same set; what nobody takes goes when the last clone does.
#[derive(Clone, Default)]
pub struct Blobs {
    waiting: Arc<Mutex<BTreeMap<String, Bytes>>>,
}

impl Blobs {
    /// What every token begins with. Text that begins so without being a token of the set is only text.
    pub const MARK: &str = "venice-splice:";
    /// The bytes of a token, all of them ASCII: the mark and 32 hex digits.
    pub const TOKEN_LENGTH: usize = Self::MARK.len() + 32;

    /// Keeps `bytes` until they are taken, and gives their token, which cannot be guessed.
    #[must_use]
    pub fn put(&self, bytes: Bytes) -> String {
        let token = format!("{}{}", Self::MARK, Uuid::new_v4().simple());
        self.waiting().insert(token.clone(), bytes);
        token
    }

    /// The bytes that `token` stands for. A token works once.
    #[must_use]
    pub fn take(&self, token: &str) -> Option<Bytes> {
        self.waiting().remove(token)
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.waiting().is_empty()
    }

    fn waiting(&self) -> MutexGuard<'_, BTreeMap<String, Bytes>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// Tokens and bytes belong in no log.
impl fmt::Debug for Blobs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Blobs").field("waiting", &self.waiting().len()).finish()
    }
}

/// The form in which bytes stand in a reply's JSON.
#[derive(Debug, Clone)]
pub enum Encoding {
    /// A token, which the transport replaces by base64 as the reply leaves: no copy of the text is ever held.
    Spliced(Blobs),
    /// Base64.
    Plain,
}

impl Encoding {
    /// What stands for `bytes` in the JSON.
    #[must_use]
    pub fn encode(&self, bytes: Bytes) -> String {
        match self {
            Self::Spliced(blobs) => blobs.put(bytes),
            Self::Plain => base64_simd::STANDARD.encode_to_string(&bytes),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_gives_its_bytes_once() {
        let blobs = Blobs::default();
        let token = Encoding::Spliced(blobs.clone()).encode(Bytes::from_static(b"picture"));
        assert_eq!(token.len(), Blobs::TOKEN_LENGTH);
        assert!(token.starts_with(Blobs::MARK));
        assert!(token.bytes().skip(Blobs::MARK.len()).all(|byte| byte.is_ascii_hexdigit()));
        assert_eq!(blobs.take("venice-splice:00000000000000000000000000000000"), None);
        assert_eq!(blobs.take(&token).as_deref(), Some(b"picture".as_slice()));
        assert_eq!(blobs.take(&token), None);
        assert!(blobs.is_empty());
    }

    #[test]
    fn plain_bytes_are_base64() {
        assert_eq!(Encoding::Plain.encode(Bytes::from_static(b"\xff\xfe\xfd!")), "//79IQ==");
    }

    #[test]
    fn a_log_shows_neither_tokens_nor_bytes() {
        let blobs = Blobs::default();
        let token = blobs.put(Bytes::from_static(b"picture"));
        let text = format!("{:?}", Encoding::Spliced(blobs));
        assert!(!text.contains(&token) && !text.contains("picture"), "{text}");
    }
}
