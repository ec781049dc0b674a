//! `POST /audio/transcriptions`

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::subtitles::{Subtitles, Transcript};
use crate::call::{Call, NewItem, Preparation, form_of};
use crate::catalog::asr::AsrModel;
use crate::catalog::{MODELS, ModelType};
use crate::error::{Problem, Result};
use crate::input::{AcceptedMedia, Input, UrlPolicy};
use crate::media::{self, MediaKind};
use crate::outcome::{Outcome, Remarks};
use crate::tool::{Cost, Effect, Returns, Spec, Tool};
use crate::venice::{CallKind, Class, Endpoint, MultipartForm, Request};

/// Transcribes a recording.
pub const TRANSCRIBE: Endpoint =
    Endpoint::post("/audio/transcriptions", CallKind::Paid, Class::Transcription);

/// The model of a call that has no other.
const DEFAULT_MODEL: &str = "nvidia/parakeet-tdt-0.6b-v3";
/// The model for timestamps, which the other one does not give.
const DEFAULT_TIMED_MODEL: &str = "openai/whisper-large-v3";

/// The largest recording that the API takes, in bytes.
const MAX_RECORDING_BYTES: u64 = 25 * 1000 * 1000;

/// Write down what a recording says, also with timestamps or as subtitles. Returns the text. Costs credit per
/// second of audio.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Transcribe {
    /// Path, URL, venice:// URI or last; 25 MB.
    #[serde(skip_serializing)]
    file: String,
    /// Of type asr; the default fits the call.
    #[serde(skip_serializing)]
    model: Option<String>,
    response_format: Option<TextFormat>,
    /// Say when each part is spoken.
    timestamps: Option<bool>,
    /// Such as en.
    #[schemars(length(min = 2, max = 8))]
    language: Option<String>,
    #[serde(skip_serializing)]
    subtitles: Option<Subtitles>,
}

/// The form of a transcript.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum TextFormat {
    /// The text, and what else is known.
    Json,
    /// Only the text.
    Text,
}

/// A request that is ready to be sent.
pub struct Plan {
    form: MultipartForm,
    item: NewItem,
    subtitles: Option<Subtitles>,
    timed: bool,
    lines: Vec<String>,
}

impl Tool for Transcribe {
    const SPEC: Spec = Spec {
        name: "venice_asr",
        title: "Speech to text",
        toolset: "audio",
        effect: Effect::Creates,
        deletes_by: None,
        cost: Cost::Paid("per second of audio"),
        returns: Returns::Text,
        endpoints: &[&TRANSCRIBE, &MODELS],
        aliases: &[("audio_url", "file"), ("modelId", "model")],
        extra: true,
    };

    type Plan = Plan;

    fn check(&self) -> Vec<Problem> {
        let timed = self.timestamps == Some(true) || self.subtitles.is_some();
        if timed && self.response_format == Some(TextFormat::Text) {
            return vec![Problem::new("response_format", "times need json; leave it out")];
        }
        Vec::new()
    }

    async fn prepare(mut self, call: &mut Preparation<'_>) -> Result<Plan> {
        let timed = self.timestamps == Some(true) || self.subtitles.is_some();
        if timed {
            self.timestamps = Some(true);
        }
        let configured = call.configured_model(ModelType::Asr);
        // The built-in model for plain text gives no times, wherever its name comes from.
        let configured = configured.filter(|model| !timed || *model != DEFAULT_MODEL);
        let built_in = if timed { DEFAULT_TIMED_MODEL } else { DEFAULT_MODEL };
        let named = self.model.as_deref();
        let chosen = call.choose_any_model(ModelType::Asr, named, configured, built_in).await?;
        let wanted = AcceptedMedia {
            argument: "file",
            kinds: &[MediaKind::Audio, MediaKind::Video],
            urls: UrlPolicy::Fetch,
            max_bytes: MAX_RECORDING_BYTES,
            pixels: None,
        };
        let input = call.read_bytes(&self.file, &wanted).await?;
        let asr = chosen.details::<AsrModel>();
        let cost_usd = asr
            .zip(duration_seconds(&input).await)
            .and_then(|(asr, seconds)| asr.price_usd(seconds));
        let prompt = Some(format!("transcript of {}", input.name));
        let body = call.body_for(&chosen.id, &self)?;
        let form = form_of(&body).file("file", input.name, input.mime_type, input.bytes);
        let item = NewItem { prompt, model: Some(chosen.id), cost_usd, ..NewItem::default() };
        Ok(Plan { form, item, subtitles: self.subtitles, timed, lines: call.take_notes() })
    }

    fn price(plan: &Plan) -> Option<f64> {
        plan.item.cost_usd
    }

    async fn run(plan: Plan, call: &Call) -> Result<Outcome> {
        let request = Request::new(&TRANSCRIBE).form(plan.form);
        let reply = call.send(request).await?;
        let mut item = plan.item;
        item.remarks = Remarks::from(&reply.headers);
        if !reply.is_json() {
            return call.text_result_apart(reply.text()?.to_owned(), item, plan.lines).await;
        }
        let transcript: Transcript = reply.json()?;
        let mut lines = plan.lines;
        let text = match plan.subtitles.map(|form| transcript.subtitles(form)) {
            Some(Some((text, mime_type))) => {
                item.content_type = Some(mime_type.to_owned());
                text
            }
            Some(None) => {
                lines.push(format!(
                    "the model gave no times, so that this is text and no subtitles; {DEFAULT_TIMED_MODEL} gives them"
                ));
                transcript.text()
            }
            None if plan.timed => reply.text()?.to_owned(),
            None => transcript.text(),
        };
        call.text_result_apart(text, item, lines).await
    }
}

/// How long a recording is.
async fn duration_seconds(input: &Input) -> Option<f64> {
    let (bytes, mime_type) = (input.bytes.clone(), input.mime_type.clone());
    tokio::task::spawn_blocking(move || media::duration_seconds(&bytes, &mime_type))
        .await
        .ok()
        .flatten()
}
