//! `POST /audio/transcriptions`

mod subtitles;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::subtitles::{Subtitles, Transcript};
use crate::call::{Call, NewItem, Preparation, form_of};
use crate::catalog::asr::AsrModel;
use crate::catalog::{MODELS, ModelType};
use crate::error::{Problem, Result};
use crate::input::{AcceptedMedia, Input, UrlPolicy};
use crate::media::{self, MediaKind};
use crate::outcome::{Outcome, Remarks};
use crate::tool::{Cost, Effect, Returns, Spec, Tool};
use crate::venice::{CallKind, Class, Endpoint, MultipartForm, Request};

/// Writes down what a recording says.
pub const TRANSCRIBE: Endpoint =
    Endpoint::post("/audio/transcriptions", CallKind::Paid, Class::Transcription);

/// The model where nothing else says one.
const MODEL: &str = "nvidia/parakeet-tdt-0.6b-v3";
/// The same where times are wanted, which the other model does not give.
const TIMED_MODEL: &str = "openai/whisper-large-v3";

/// The largest recording that the API takes, in bytes.
const RECORDING_BYTES: u64 = 25 * 1000 * 1000;

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

/// How Venice writes a text down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum TextFormat {
    /// With what is known beside the text.
    Json,
    /// The text alone.
    Text,
}

/// A request that is ready to be sent.
pub struct Plan {
    form: MultipartForm,
    made: NewItem,
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
        let configured = configured.filter(|model| !timed || *model != MODEL);
        let built_in = if timed { TIMED_MODEL } else { MODEL };
        let named = self.model.as_deref();
        let chosen = call.choose_any_model(ModelType::Asr, named, configured, built_in).await?;
        let wanted = AcceptedMedia {
            argument: "file",
            kinds: &[MediaKind::Audio, MediaKind::Video],
            urls: UrlPolicy::Fetch,
            max_bytes: RECORDING_BYTES,
            pixels: None,
        };
        let input = call.read_bytes(&self.file, &wanted).await?;
        let asr = chosen.details::<AsrModel>();
        let cost_usd =
            asr.zip(seconds(&input).await).and_then(|(asr, seconds)| asr.price_usd(seconds));
        let prompt = Some(format!("transcript of {}", input.name));
        let body = call.body_for(&chosen.id, &self)?;
        let form = form_of(&body).file("file", input.name, input.mime_type, input.bytes);
        let made = NewItem { prompt, model: Some(chosen.id), cost_usd, ..NewItem::default() };
        Ok(Plan { form, made, subtitles: self.subtitles, timed, lines: call.take_notes() })
    }

    fn price(plan: &Plan) -> Option<f64> {
        plan.made.cost_usd
    }

    async fn run(plan: Plan, call: &Call) -> Result<Outcome> {
        let request = Request::new(&TRANSCRIBE).form(plan.form);
        let reply = call.send(request).await?;
        let mut made = plan.made;
        made.remarks = Remarks::from(&reply.headers);
        if !reply.is_json() {
            return call.text_result_apart(reply.text()?.to_owned(), made, plan.lines).await;
        }
        let transcript: Transcript = reply.json()?;
        let mut lines = plan.lines;
        let text = match plan.subtitles.map(|form| transcript.subtitles(form)) {
            Some(Some((text, mime_type))) => {
                made.content_type = Some(mime_type.to_owned());
                text
            }
            Some(None) => {
                lines.push(format!(
                    "the model gave no times, so that this is text and no subtitles; {TIMED_MODEL} gives them"
                ));
                transcript.text()
            }
            None if plan.timed => reply.text()?.to_owned(),
            None => transcript.text(),
        };
        call.text_result_apart(text, made, lines).await
    }
}

/// How long a recording is.
async fn seconds(input: &Input) -> Option<f64> {
    let (bytes, mime_type) = (input.bytes.clone(), input.mime_type.clone());
    tokio::task::spawn_blocking(move || media::duration_seconds(&bytes, &mime_type))
        .await
        .ok()
        .flatten()
}
