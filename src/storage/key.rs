//! The key of an object.

use object_store::path::Path as ObjectPath;

use crate::error::{Error, Kind, Result};

/// The key of an object, or of a directory of objects: one or more parts, separated by `/`. It cannot lead out of the
/// storage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key(ObjectPath);

impl Key {
    /// Parses a key. An error where it is empty, or where a part is empty, `.`, `..`, or has characters that not every
    /// backend can store.
    pub fn parse(text: &str) -> Result<Self> {
        let path = ObjectPath::parse(text).ok().filter(|path| path.as_ref() == text);
        path.filter(|path| !path.as_ref().is_empty()).map(Self).ok_or_else(|| {
            Error::new(Kind::Storage, format!("`{text}` is not a place in the store"))
        })
    }

    /// The key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_ref()
    }

    /// The key as the `object_store` crate takes it.
    pub(super) const fn object_path(&self) -> &ObjectPath {
        &self.0
    }
}
