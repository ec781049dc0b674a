//! What a call made, and how it is stored.

use bytes::Bytes;

use super::Call;
use crate::error::Result;
use crate::media::{MediaRecord, NewMedia};
use crate::outcome::{Delivered, Remarks};

/// One item that a call made, not stored yet.
#[derive(Debug, Default)]
pub(crate) struct NewItem {
    /// The bytes, as Venice sent them.
    pub(crate) bytes: Bytes,
    /// The type that Venice gave them.
    pub(crate) content_type: Option<String>,
    /// What was asked for, in words.
    pub(crate) prompt: Option<String>,
    /// The model that made it.
    pub(crate) model: Option<String>,
    /// The seed it was made with, if the caller gave one.
    pub(crate) seed: Option<i64>,
    /// What it cost in US dollars, if known.
    pub(crate) cost_usd: Option<f64>,
    /// What Venice said about making it.
    pub(crate) remarks: Remarks,
}

impl Call {
    /// Stores what the call made, and returns it as part of a result.
    pub(crate) async fn keep(&self, item: NewItem) -> Result<Delivered> {
        let NewItem { bytes, content_type, prompt, model, seed, cost_usd, remarks } = item;
        let new = NewMedia {
            bytes: bytes.clone(),
            content_type,
            save_as: self.shared.save_as.clone(),
            record: self.record(prompt, model, seed, cost_usd),
        };
        let media = self.store.put(new).await?;
        let path = self.store.local_path(&media).await;
        Ok(Delivered { media, path, bytes: Some(bytes), remarks })
    }

    /// How an item was made.
    pub(super) fn record(
        &self,
        prompt: Option<String>,
        model: Option<String>,
        seed: Option<i64>,
        cost_usd: Option<f64>,
    ) -> MediaRecord {
        let (tool, arguments) = (self.tool.name.to_owned(), (*self.arguments).clone());
        MediaRecord { tool, prompt, arguments, model, seed, cost_usd }
    }
}
