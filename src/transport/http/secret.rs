//! The secret of this server, and what it signs: whose a key is, and which links are its own.

use std::fmt::Write as _;

use bytes::Bytes;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use tokio::sync::OnceCell;

use crate::config::SecretBytes;
use crate::error::{Error, Kind, Result};
use crate::storage::Storage;

/// Where the store keeps the secret.
const PLACE: &str = ".venice/secret";
/// The length of a secret that is made here, in bytes.
const LENGTH: usize = 32;

/// The secret: of the settings, or of the store, where it is made when it is first needed.
pub(super) struct Secret {
    given: Option<SecretBytes>,
    storage: Storage,
    stored: OnceCell<Bytes>,
}

/// What signs. It is the same for every server that has the same secret.
#[derive(Clone)]
pub(super) struct Signer(Hmac<Sha256>);

impl Secret {
    pub(super) fn new(given: Option<SecretBytes>, storage: Storage) -> Self {
        Self { given, storage, stored: OnceCell::new() }
    }

    /// What signs for `purpose`; signatures of one purpose are worth nothing for another.
    pub(super) async fn signer(&self, purpose: &str) -> Result<Signer> {
        let mut signer = match &self.given {
            Some(given) => signer(given.expose())?,
            None => signer(self.stored.get_or_try_init(|| self.find()).await?)?,
        };
        signer.part(purpose);
        Ok(signer)
    }

    /// The secret of the store, which another server may have made.
    async fn find(&self) -> Result<Bytes> {
        if let Some(found) = self.read().await? {
            return Ok(found);
        }
        let mut bytes = [0; LENGTH];
        getrandom::fill(&mut bytes).map_err(|error| {
            Error::new(Kind::Internal, "the system gave no random bytes")
                .source(std::io::Error::from(error))
        })?;
        let made = Bytes::copy_from_slice(&bytes);
        if self.storage.create(PLACE, made.clone()).await? {
            return Ok(made);
        }
        let missing = || Error::new(Kind::Storage, format!("`{PLACE}` cannot be read"));
        self.read().await?.ok_or_else(missing)
    }

    async fn read(&self) -> Result<Option<Bytes>> {
        match self.storage.read(PLACE).await? {
            Some(found) if found.len() < LENGTH => {
                let message = format!("`{PLACE}` has fewer than {LENGTH} bytes");
                Err(Error::new(Kind::Storage, message).hint("remove the file; a new one is made"))
            }
            found => Ok(found),
        }
    }
}

fn signer(secret: &[u8]) -> Result<Signer> {
    Hmac::new_from_slice(secret)
        .map(Signer)
        .map_err(|_| Error::new(Kind::Internal, "the secret cannot sign"))
}

impl Signer {
    fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// Adds a text. Its length goes before it, so that no two lists of texts are signed alike.
    pub(super) fn part(&mut self, text: &str) {
        self.update(&(text.len() as u64).to_be_bytes());
        self.update(text.as_bytes());
    }

    /// The signature in hex digits.
    pub(super) fn sign(self) -> String {
        self.0.finalize().into_bytes().iter().fold(String::with_capacity(64), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
    }

    /// Whether `signature`, in hex digits, is right. Takes the same time for every wrong one of its length.
    pub(super) fn verify(self, signature: &str) -> bool {
        subtle::ConstantTimeEq::ct_eq(self.sign().as_bytes(), signature.as_bytes()).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn sign(secret: &Secret, parts: &[&str]) -> String {
        let mut signer = secret.signer("test").await.unwrap();
        for part in parts {
            signer.part(part);
        }
        signer.sign()
    }

    #[tokio::test]
    async fn the_secret_is_made_once_and_shared_through_the_store() {
        let directory = tempfile::tempdir().unwrap();
        let storage = || Storage::new(directory.path().into(), directory.path().into());
        let (one, two) = (Secret::new(None, storage()), Secret::new(None, storage()));
        assert!(!directory.path().join(PLACE).exists());
        assert_eq!(sign(&one, &["a"]).await, sign(&two, &["a"]).await);
        let bytes = std::fs::read(directory.path().join(PLACE)).unwrap();
        assert_eq!(bytes.len(), LENGTH);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = directory.path().join(PLACE).metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[tokio::test]
    async fn a_signature_holds_for_its_parts_alone() {
        let directory = tempfile::tempdir().unwrap();
        let storage = Storage::new(directory.path().into(), directory.path().into());
        let secret = Secret::new(None, storage);
        let right = sign(&secret, &["ab", "c"]).await;
        assert_ne!(right, sign(&secret, &["a", "bc"]).await);
        let mut signer = secret.signer("test").await.unwrap();
        signer.part("ab");
        signer.part("c");
        assert!(signer.verify(&right));
        let signer = secret.signer("test").await.unwrap();
        assert!(!signer.verify(&right) && !secret.signer("other").await.unwrap().verify(""));
    }
}
