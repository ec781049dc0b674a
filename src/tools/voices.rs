//! Voices of one's own.
//!
//! `POST /audio/voices`

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::call::{Call, Preparation, form_of};
use crate::catalog::speech::{SpeechModel, VoiceCloning};
use crate::catalog::{MODELS, ModelType};
use crate::error::{Error, Result};
use crate::input::{AcceptedMedia, UrlPolicy};
use crate::media::{self, MediaKind};
use crate::outcome::Outcome;
use crate::tool::{Cost, Effect, Returns, Route, Spec, Tool};
use crate::tools::Family;
use crate::venice::{CallKind, Class, Endpoint, MultipartForm, Request};

/// The toolset `voices`.
pub const FAMILY: Family = Family {
    name: "voices",
    opt_in: true,
    about: "Clone a voice from a recording.",
    tools: &[Route::new::<CloneVoice>()],
};

/// Makes a voice from a recording.
pub const CLONE: Endpoint = Endpoint::post("/audio/voices", CallKind::Paid, Class::Transcription);

/// The model of a call that has no other.
const DEFAULT_MODEL: &str = "tts-chatterbox-hd";
/// The largest recording that the API takes, in bytes.
const MAX_RECORDING_BYTES: u64 = 25 * 1000 * 1000;

/// Clone a voice from a recording of someone who agreed to it. Returns an id that venice_tts takes as voice, with
/// the same model, for about 7 days. Costs a flat fee.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CloneVoice {
    /// Path, https URL, data: URL, venice:// URI or last: mp3, wav, flac or m4a.
    #[serde(skip_serializing)]
    file: String,
    /// A tts model that clones; default tts-chatterbox-hd.
    model: Option<String>,
}

/// A request that is ready to be sent.
pub struct Plan {
    form: MultipartForm,
    model: String,
    cloning: Option<VoiceCloning>,
    lines: Vec<String>,
}

impl Tool for CloneVoice {
    const SPEC: Spec = Spec {
        name: "venice_voice_clone",
        title: "Clone a voice",
        toolset: "voices",
        effect: Effect::Creates,
        deletes_by: None,
        cost: Cost::Paid("per voice"),
        returns: Returns::Data(&[]),
        endpoints: &[&CLONE, &MODELS],
        aliases: &[("sample_audio_url", "file"), ("audio_url", "file"), ("modelId", "model")],
        extra: true,
    };

    type Plan = Plan;

    async fn prepare(self, call: &mut Preparation<'_>) -> Result<Plan> {
        let named = self.model.as_deref();
        let chosen = call.choose_any_model(ModelType::Tts, named, None, DEFAULT_MODEL).await?;
        let wanted = AcceptedMedia {
            argument: "file",
            kinds: &[MediaKind::Audio, MediaKind::Video],
            urls: UrlPolicy::Fetch,
            max_bytes: MAX_RECORDING_BYTES,
            pixels: None,
        };
        let input = call.read_bytes(&self.file, &wanted).await?;
        let cloning = chosen.details::<SpeechModel>().and_then(SpeechModel::cloning).cloned();
        if let Some(cloning) = &cloning {
            let (bytes, mime_type) = (input.bytes.clone(), input.mime_type.clone());
            let measure = move || media::duration_seconds(&bytes, &mime_type);
            let seconds = tokio::task::spawn_blocking(measure).await.ok().flatten();
            Error::reject(cloning.check_recording(&chosen.id, &input.mime_type, seconds))?;
        }
        let body = call.body_for(&chosen.id, &self)?;
        let form = form_of(&body).file("file", input.name, input.mime_type, input.bytes);
        Ok(Plan { form, model: chosen.id, cloning, lines: call.take_notes() })
    }

    async fn run(plan: Plan, call: &Call) -> Result<Outcome> {
        let request = Request::new(&CLONE).form(plan.form);
        let reply = call.send(request).await?;
        let data: Map<String, Value> = reply.json()?;
        let id = data.get("id").and_then(Value::as_str).unwrap_or_default();
        let days = plan.cloning.and_then(|cloning| cloning.retention_days);
        let kept =
            days.map_or_else(String::new, |days| format!("; Venice keeps it for {days} days"));
        let mut lines =
            vec![format!("give `{id}` as voice and `{}` as model to venice_tts{kept}", plan.model)];
        lines.extend(plan.lines);
        Ok(Outcome { lines, ..Outcome::data(data) })
    }
}
