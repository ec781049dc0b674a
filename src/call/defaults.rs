//! The settings that fill in arguments, or forbid them.

use crate::catalog::ModelType;
use crate::error::{Error, Result};

/// The settings that fill in arguments, or forbid them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Defaults {
    /// The models of calls that name none.
    pub(crate) models: DefaultModels,
    /// What is sent as `safe_mode`.
    pub(crate) safe_mode: SafeMode,
    /// Whether calls may send transactions to blockchains.
    pub(crate) crypto_send: bool,
    /// Whether nothing may be spent or deleted.
    pub(crate) read_only: bool,
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

/// The models of calls that name none.
#[derive(Debug, Clone, Default)]
pub struct DefaultModels {
    /// Text to image.
    pub(crate) image: Option<String>,
    /// Image to image.
    pub(crate) edit: Option<String>,
    /// Text to speech.
    pub(crate) tts: Option<String>,
    /// Speech to text.
    pub(crate) asr: Option<String>,
    /// Text to text.
    pub(crate) chat: Option<String>,
    /// Text to vectors.
    pub(crate) embedding: Option<String>,
}

/// What is sent as `safe_mode` if the call does not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SafeMode {
    /// Nothing: the API decides.
    #[default]
    Api,
    /// `true`.
    On,
    /// `false`.
    Off,
    /// `true`, and a call that asks for `false` is refused.
    Locked,
}

impl SafeMode {
    /// The mode of that name, in any case.
    pub(crate) fn parse(name: &str) -> std::result::Result<Self, &'static str> {
        match name.to_ascii_lowercase().as_str() {
            "api" => Ok(Self::Api),
            "on" => Ok(Self::On),
            "off" => Ok(Self::Off),
            "locked" => Ok(Self::Locked),
            _ => Err("must be api, on, off or locked"),
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
