//! The secret of the servers on a directory.

use bytes::Bytes;
use sha2::{Digest as _, Sha256};
use tokio::sync::OnceCell;

use super::Storage;
use crate::error::{Error, Kind, Result};

/// Where it lies. Files of the store are readable by their owner alone.
const PLACE: &str = ".venice/secret";

/// 32 random bytes that all servers on a directory share, made when they are first needed.
pub struct Secret {
    storage: Storage,
    bytes: OnceCell<[u8; 32]>,
}

impl Secret {
    /// The secret of `storage`. Touches nothing yet.
    #[must_use]
    pub fn new(storage: Storage) -> Self {
        Self { storage, bytes: OnceCell::new() }
    }

    /// The bytes.
    pub async fn bytes(&self) -> Result<[u8; 32]> {
        self.bytes.get_or_try_init(|| self.load()).await.copied()
    }

    async fn load(&self) -> Result<[u8; 32]> {
        let mut fresh = Vec::with_capacity(32);
        for _ in 0..3 {
            // 122 bits of each are random.
            fresh.extend_from_slice(uuid::Uuid::new_v4().as_bytes());
        }
        let fresh: [u8; 32] = Sha256::digest(&fresh).into();
        if self.storage.create(PLACE, Bytes::copy_from_slice(&fresh)).await? {
            return Ok(fresh);
        }
        let there = self.storage.read(PLACE).await?.unwrap_or_default();
        <[u8; 32]>::try_from(there.as_ref()).map_err(|_| {
            Error::new(Kind::Storage, format!("`{PLACE}` does not have 32 bytes"))
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
        let secret = || Secret::new(Storage::new(root.clone(), directory.path().join("fallback")));
        let first = secret().bytes().await.unwrap();
        assert_eq!(secret().bytes().await.unwrap(), first);
        assert_ne!(first, [0; 32]);
        std::fs::write(root.join(".venice/secret"), "short").unwrap();
        assert!(secret().bytes().await.is_err());
    }
}
