//! The parts of the server behind every call.

use crate::catalog::{Catalog, ModelType};
use crate::config::{Models, SafeMode};
use crate::error::{Error, Result};
use crate::input::Inputs;
use crate::jobs::Jobs;
use crate::media::MediaStore;
use crate::spend::Spending;
use crate::storage::Secret;
use crate::venice::Venice;

/// The parts of the server that calls use. Made once.
pub struct Services {
    /// The API.
    pub venice: Venice,
    /// What the API's models are, can do, and cost.
    pub catalog: Catalog,
    /// Where media are stored.
    pub store: MediaStore,
    /// Where media arguments are read from.
    pub inputs: Inputs,
    /// What calls may cost, and what they have cost.
    pub spending: Spending,
    /// What signs data that travels through clients.
    pub secret: Secret,
    /// Queued work.
    pub jobs: Jobs,
    /// The settings that fill in arguments.
    pub defaults: Defaults,
}

/// The settings that fill in arguments, or forbid them.
#[derive(Debug, Clone, Default)]
pub struct Defaults {
    /// The models of calls that name none.
    pub models: Models,
    /// What is sent as `safe_mode`.
    pub safe_mode: SafeMode,
    /// Whether calls may send transactions to blockchains.
    pub crypto_send: bool,
    /// Whether nothing may be spent or deleted.
    pub read_only: bool,
}

impl Defaults {
    /// The model that is set for calls of this type that name none.
    pub(super) fn model(&self, model_type: ModelType) -> Option<&str> {
        let models = &self.models;
        match model_type {
            ModelType::Text => models.chat.as_deref(),
            ModelType::Image => models.image.as_deref(),
            ModelType::Inpaint => models.edit.as_deref(),
            ModelType::Tts => models.tts.as_deref(),
            ModelType::Asr => models.asr.as_deref(),
            ModelType::Embedding => models.embedding.as_deref(),
            _ => None,
        }
    }

    /// The value to send as `safe_mode` for a call that asks for `wanted`; an error if the setting is locked.
    pub(super) fn safe_mode(&self, wanted: Option<bool>) -> Result<Option<bool>> {
        match (self.safe_mode, wanted) {
            (SafeMode::Locked, Some(false)) => Err(Error::argument(
                "safe_mode",
                "is locked to true by this server's VENICE_SAFE_MODE",
            )),
            (SafeMode::Locked | SafeMode::On, None) | (SafeMode::Locked, Some(true)) => {
                Ok(Some(true))
            }
            (SafeMode::Off, None) => Ok(Some(false)),
            (_, wanted) => Ok(wanted),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_overrides_the_safe_mode_unless_it_is_locked() {
        let sent = |safe_mode, wanted| {
            Defaults { safe_mode, ..Defaults::default() }.safe_mode(wanted).ok()
        };
        assert_eq!(sent(SafeMode::Api, None), Some(None));
        assert_eq!(sent(SafeMode::On, None), Some(Some(true)));
        assert_eq!(sent(SafeMode::On, Some(false)), Some(Some(false)));
        assert_eq!(sent(SafeMode::Off, None), Some(Some(false)));
        assert_eq!(sent(SafeMode::Locked, Some(true)), Some(Some(true)));
        assert_eq!(sent(SafeMode::Locked, Some(false)), None);
    }
}
