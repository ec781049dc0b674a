//! The secret that all servers on a storage share.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use sha2::{Digest as _, Sha256};
use tokio::sync::OnceCell;

use super::Storage;
use crate::error::{Error, Kind, Result};

/// Its key. Stored files are readable by their owner only.
const SECRET_KEY: &str = ".venice/secret";

/// Bytes that no log shows.
#[derive(Clone)]
pub struct SecretBytes(Vec<u8>);

impl SecretBytes {
    /// Hides `bytes`.
    #[must_use]
    pub const fn new(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl fmt::Debug for SecretBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretBytes")
    }
}

/// 32 secret bytes: from the settings, or random ones that all servers on a storage share and that are created when they
/// are first needed. Cheap to clone.
#[derive(Clone)]
pub struct Secret {
    inner: Arc<Inner>,
}

struct Inner {
    given: Option<SecretBytes>,
    storage: Storage,
    stored: OnceCell<[u8; 32]>,
}

impl Secret {
    /// The secret derived from `given`, or else that of `storage`. Touches nothing yet.
    #[must_use]
    pub fn new(given: Option<SecretBytes>, storage: Storage) -> Self {
        Self { inner: Arc::new(Inner { given, storage, stored: OnceCell::new() }) }
    }

    /// The bytes.
    pub async fn bytes(&self) -> Result<[u8; 32]> {
        match &self.inner.given {
            Some(given) => Ok(Sha256::digest(&given.0).into()),
            None => self.inner.stored.get_or_try_init(|| self.load()).await.copied(),
        }
    }

    async fn load(&self) -> Result<[u8; 32]> {
        let storage = &self.inner.storage;
        if storage.size(SECRET_KEY).await?.is_none() {
            let mut fresh = [0; 32];
            getrandom::fill(&mut fresh).map_err(|error| {
                Error::new(Kind::Internal, "the system gave no random bytes")
                    .source(std::io::Error::from(error))
            })?;
            if storage.create(SECRET_KEY, Bytes::copy_from_slice(&fresh)).await? {
                return Ok(fresh);
            }
        }
        // Another server created it.
        let there = storage.read(SECRET_KEY).await?.unwrap_or_default();
        <[u8; 32]>::try_from(there.as_ref()).map_err(|_| {
            Error::new(Kind::Storage, format!("`{SECRET_KEY}` does not have 32 bytes"))
                .hint("remove the file; a new one is made")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn servers_on_a_directory_share_one_secret() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().join("out");
        let secret =
            || Secret::new(None, Storage::new(root.clone(), directory.path().join("fallback")));
        let first = secret().bytes().await.unwrap();
        assert_eq!(secret().bytes().await.unwrap(), first);
        assert_ne!(first, [0; 32]);
        std::fs::write(root.join(".venice/secret"), "short").unwrap();
        assert!(secret().bytes().await.is_err());
    }
}
