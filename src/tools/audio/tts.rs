//! `POST /audio/speech`

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use futures::StreamExt as _;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::speech_parts::{SpeechPlan, SpokenPart};
use crate::call::{Call, Preparation};
use crate::catalog::MODELS;
use crate::catalog::speech::{SpeechModel, max_part_chars, max_whole_chars};
use crate::error::{Error, Problem, Result};
use crate::outcome::Outcome;
use crate::speech::{self, SpeechFormat};
use crate::tool::{Cost, Effect, Returns, Spec, Tool};
use crate::venice::{CallKind, Class, Endpoint, Reply, Request};

/// Turns text into speech.
pub const SPEECH: Endpoint = Endpoint::post("/audio/speech", CallKind::Paid, Class::Speech);

/// The model of a call that has no other.
const DEFAULT_MODEL: &str = "tts-kokoro";

/// How many parts of one text are spoken at the same time.
const MAX_CONCURRENT_PARTS: usize = 4;

/// Turn text into speech. Returns one audio file as an embedded resource; long text is spoken in parts
/// and joined. Costs credit per character.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Speech {
    #[schemars(length(min = 1, max = 100_000))]
    input: String,
    /// Default tts-kokoro.
    model: Option<String>,
    /// venice_get_model lists a model's; case matters.
    #[schemars(length(max = 512))]
    voice: Option<String>,
    /// Default: the model's own.
    response_format: Option<ResponseFormat>,
    #[schemars(range(min = 0.25, max = 4.0))]
    speed: Option<f64>,
    /// Name or code, as the model wants it.
    #[schemars(length(min = 2, max = 32))]
    language: Option<String>,
    /// How to speak; Qwen and Gemini models.
    #[schemars(length(max = 500))]
    prompt: Option<String>,
    #[schemars(range(min = 0.0, max = 2.0))]
    temperature: Option<f64>,
    #[schemars(range(min = 0.0, max = 1.0))]
    top_p: Option<f64>,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum ResponseFormat {
    Mp3,
    Opus,
    Aac,
    Flac,
    Wav,
    Pcm,
}

impl ResponseFormat {
    const fn name(self) -> &'static str {
        match self {
            Self::Mp3 => "mp3",
            Self::Opus => "opus",
            Self::Aac => "aac",
            Self::Flac => "flac",
            Self::Wav => "wav",
            Self::Pcm => "pcm",
        }
    }
}

impl Tool for Speech {
    const SPEC: Spec = Spec {
        name: "venice_tts",
        title: "Text to speech",
        toolset: "audio",
        effect: Effect::Creates,
        deletes_by: None,
        cost: Cost::Paid("per character"),
        returns: Returns::Media,
        endpoints: &[&SPEECH, &MODELS],
        aliases: &[("text", "input"), ("modelId", "model"), ("format", "response_format")],
        extra: true,
    };

    type Plan = SpeechPlan;

    fn check(&self) -> Vec<Problem> {
        if self.input.trim().is_empty() {
            return vec![Problem::new("input", "must not be blank")];
        }
        Vec::new()
    }

    async fn prepare(self, call: &mut Preparation<'_>) -> Result<SpeechPlan> {
        let mut format = self.response_format.map(ResponseFormat::name).map(str::to_owned);
        let check = |speech: &SpeechModel, id: &str| {
            let voice = self.voice.as_deref();
            let problems = speech.check_voice_and_format(id, voice, format.as_deref());
            format = format.take().or_else(|| speech.default_format().map(str::to_owned));
            (problems, speech.price_usd(&self.input))
        };
        let (chosen, price) =
            call.choose_model(self.model.as_deref(), DEFAULT_MODEL, check).await?;
        let format = format.as_deref().and_then(SpeechFormat::from_name);
        let parts = parts(&self.input, &chosen.id);
        let joined = parts.len() > 1;
        if joined && format.is_some_and(|format| !format.can_join()) {
            return Err(Error::argument(
                "response_format",
                format!("`flac` takes one part alone, and this text makes {}", parts.len()),
            )
            .hint("choose wav or mp3, or speak a shorter text; nothing was spent"));
        }
        let text = self.input.clone();
        let body = call.body_for(&chosen.id, &self)?;
        Ok(SpeechPlan {
            parts,
            body,
            format,
            model: chosen.id,
            text,
            price,
            lines: call.take_notes(),
        })
    }

    fn price(plan: &SpeechPlan) -> Option<f64> {
        plan.price
    }

    async fn run(plan: SpeechPlan, call: &Call) -> Result<Outcome> {
        let state = Speaking::default();
        let requests: Vec<_> =
            (0..plan.parts.len()).map(|index| plan.part(index, call, &state)).collect();
        let parts: Vec<SpokenPart> =
            futures::stream::iter(requests).buffered(MAX_CONCURRENT_PARTS).collect().await;
        plan.finish(parts, call).await
    }
}

/// What the parts of one speech share.
#[derive(Default)]
struct Speaking {
    failed: AtomicBool,
    done: AtomicUsize,
}

impl SpeechPlan {
    /// Speaks one part. Once a part has failed, no further one is sent; those under way are paid for and finish.
    async fn part(&self, index: usize, call: &Call, state: &Speaking) -> SpokenPart {
        let Some(text) = self.parts.get(index).filter(|_| !state.failed.load(Ordering::SeqCst))
        else {
            return SpokenPart { index, spoken: None };
        };
        let spoken = speak(text, &self.body, call).await;
        state.failed.fetch_or(spoken.is_err(), Ordering::SeqCst);
        let done = state.done.fetch_add(1, Ordering::SeqCst) + 1;
        if self.parts.len() > 1 && spoken.is_ok() {
            report(call, done, self.parts.len());
        }
        SpokenPart { index, spoken: Some(spoken) }
    }
}

/// The text as one part if a request takes it, otherwise split between sentences.
fn parts(text: &str, model: &str) -> Vec<String> {
    if text.chars().count() <= max_whole_chars(model) {
        return vec![text.to_owned()];
    }
    speech::split(text, max_part_chars(model)).into_iter().map(str::to_owned).collect()
}

/// One part, which has to come back as media.
async fn speak(part: &str, body: &Map<String, Value>, call: &Call) -> Result<Reply> {
    let mut body = body.clone();
    body.insert("input".to_owned(), json!(part));
    let request = Request::new(&SPEECH).json(Value::Object(body));
    let reply = call.send(request).await?;
    reply.media()?;
    Ok(reply)
}

#[expect(clippy::cast_precision_loss, reason = "there are at most some hundred parts")]
fn report(call: &Call, done: usize, total: usize) {
    let message = format!("spoke {done} of {total} parts");
    call.report_progress(done as f64, Some(total as f64), &message);
}
