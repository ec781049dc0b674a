//! The secret of this server, and what it signs: whose a key is, and which links are its own.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::error::{Error, Kind, Result};
use crate::hex;
use crate::storage;

/// Signs with the secret of the server.
pub(super) struct SigningSecret(storage::Secret);

/// What signs. It is the same for every server that has the same secret.
#[derive(Clone)]
pub(super) struct Signer(Hmac<Sha256>);

impl SigningSecret {
    pub(super) const fn new(secret: storage::Secret) -> Self {
        Self(secret)
    }

    /// What signs for `purpose`; signatures of one purpose are worth nothing for another.
    pub(super) async fn signer(&self, purpose: &str) -> Result<Signer> {
        let mut signer = signer(&self.0.bytes().await?)?;
        signer.part(purpose);
        Ok(signer)
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
        hex::encode(&self.0.finalize().into_bytes())
    }

    /// Whether `signature`, in hex digits, is right. Takes the same time for every wrong one of its length.
    pub(super) fn verify(self, signature: &str) -> bool {
        subtle::ConstantTimeEq::ct_eq(self.sign().as_bytes(), signature.as_bytes()).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn sign(secret: &SigningSecret, parts: &[&str]) -> String {
        let mut signer = secret.signer("test").await.unwrap();
        for part in parts {
            signer.part(part);
        }
        signer.sign()
    }

    #[tokio::test]
    async fn a_signature_holds_for_its_parts_alone() {
        let directory = tempfile::tempdir().unwrap();
        let storage = storage::Storage::new(directory.path().into(), directory.path().into());
        let secret = SigningSecret::new(storage::Secret::new(None, storage));
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
