//! Music, sound effects and long speech: `/audio/quote`, `queue`, `retrieve`, `complete`.

use std::sync::Arc;

use axum::Router;
use axum::routing::post;
use bytes::Bytes;
use serde_json::{Value, json};

use super::fields::{FILLED, Field, Fields, STRING, Shape, optional, required};
use super::job::{COMPLETE, FakeJobKind, FakeJobPoll, RETRIEVE};
use super::models::SandboxModel;
use super::reply::{self, HandlerResult, Refusal};
use super::request::RequestRef;
use super::sound;
use super::state::{SandboxState, StateRef};

/// Whole seconds, as a number or as its digits.
const SECONDS: Shape = Shape::Either(&[Shape::Integer(1, 100_000), Shape::Text(1, 6)]);

const QUOTE: &[Field] = &[
    required("model", FILLED),
    optional("duration_seconds", SECONDS),
    optional("character_count", Shape::Integer(1, 1_000_000)),
];

const QUEUE: &[Field] = &[
    required("model", FILLED),
    required("prompt", STRING),
    optional("lyrics_prompt", STRING),
    optional("duration_seconds", SECONDS),
    optional("force_instrumental", Shape::Flag),
    optional("lyrics_optimizer", Shape::Flag),
    optional("loop", Shape::Flag),
    optional("voice", FILLED),
    optional("language_code", FILLED),
    optional("speed", Shape::Number(0.25, 4.0)),
];

/// Fields that a model takes only where its flag says so.
const GATED: [(&str, &str); 6] = [
    ("lyrics_prompt", "/supports_lyrics"),
    ("force_instrumental", "/supports_force_instrumental"),
    ("lyrics_optimizer", "/supports_lyrics_optimizer"),
    ("loop", "/supports_loop"),
    ("speed", "/supports_speed"),
    ("language_code", "/supports_language_code"),
];

pub(super) fn routes() -> Router<Arc<SandboxState>> {
    Router::new()
        .route("/audio/quote", post(quote))
        .route("/audio/queue", post(queue))
        .route("/audio/retrieve", post(retrieve))
        .route("/audio/complete", post(complete))
}

async fn quote(request: RequestRef) -> HandlerResult {
    let body = request.json(QUOTE)?;
    let model = SandboxModel::find_online(body.text("model"), "music")?;
    check_duration(&body, model)?;
    Ok(reply::json(&json!({ "quote": price(&body, model)? })))
}

/// US dollars by the one pricing that the model has.
fn price(body: &Fields, model: SandboxModel) -> Result<f64, Refusal> {
    let seconds = seconds(body).or_else(|| model.integer("/default_duration")).unwrap_or(30);
    if let Some(usd) = model.number("/pricing/generation/usd") {
        return Ok(usd);
    }
    if let Some(usd) = model.number("/pricing/per_second/usd") {
        return Ok(usd * f64::from(i32::try_from(seconds).unwrap_or(i32::MAX)));
    }
    if let Some(usd) = model.number("/pricing/per_thousand_characters/usd") {
        let count = body.integer("character_count");
        let count = count
            .ok_or_else(|| Refusal::field("character_count", "character_count is required"))?;
        return Ok(usd * f64::from(i32::try_from(count).unwrap_or(i32::MAX)) / 1000.0);
    }
    let tiers = model.at("/pricing/durations").and_then(Value::as_object);
    let tier = tiers.into_iter().flat_map(|tiers| tiers.values()).find(|tier| {
        let bound = |name| tier.get(name).and_then(Value::as_i64).unwrap_or_default();
        (bound("min_seconds")..=bound("max_seconds")).contains(&seconds)
    });
    Ok(tier.and_then(|tier| tier.get("usd")).and_then(Value::as_f64).unwrap_or_default())
}

async fn queue(state: StateRef, request: RequestRef) -> HandlerResult {
    let body = request.json(QUEUE)?;
    let model = SandboxModel::find_online(body.text("model"), "music")?;
    check(&body, model)?;
    let id = state.jobs().queue(FakeJobKind::Music, model.id(), body.text_or_empty("prompt"));
    let mut answer =
        reply::json(&json!({ "model": model.id(), "queue_id": id, "status": "QUEUED" }));
    model.mark(&mut answer);
    Ok(answer)
}

fn check(body: &Fields, model: SandboxModel) -> Result<(), Refusal> {
    let prompt = body.text_or_empty("prompt");
    model.check_length("prompt", prompt, "/prompt_character_limit")?;
    let least = model.integer("/min_prompt_length").and_then(|least| usize::try_from(least).ok());
    if least.is_some_and(|least| prompt.trim().chars().count() < least) {
        let message = format!("prompt must be at least {} characters", least.unwrap_or_default());
        return Err(Refusal::field("prompt", message));
    }
    for (name, flag) in GATED {
        if body.has(name) && !model.flag(flag) {
            return Err(Refusal::field(name, format!("{name} is not supported by {}", model.id())));
        }
    }
    if let Some(voice) = body.text("voice") {
        model.check_listed("voice", voice, "/voices")?;
    }
    if let (Some(speed), Some(least), Some(most)) =
        (body.number("speed"), model.number("/min_speed"), model.number("/max_speed"))
        && !(least..=most).contains(&speed)
    {
        return Err(Refusal::field("speed", format!("speed must be between {least} and {most}")));
    }
    check_lyrics(body, model)?;
    check_duration(body, model)
}

fn check_lyrics(body: &Fields, model: SandboxModel) -> Result<(), Refusal> {
    const NAME: &str = "lyrics_prompt";
    let lyrics = body.text_or_empty(NAME).trim();
    if body.flag("lyrics_optimizer") && !lyrics.is_empty() {
        return Err(Refusal::field(
            NAME,
            "lyrics_prompt must be empty when lyrics_optimizer is true",
        ));
    }
    let made = body.flag("lyrics_optimizer") || body.flag("force_instrumental");
    let needs = match model.id() {
        "minimax-music-v25" | "minimax-music-v26" => !made,
        _ => model.flag("/lyrics_required"),
    };
    if needs && lyrics.is_empty() {
        return Err(Refusal::field(NAME, format!("lyrics_prompt is required by {}", model.id())));
    }
    if lyrics.is_empty() {
        Ok(())
    } else {
        model.check_length(NAME, lyrics, "/lyrics_character_limit")
    }
}

fn seconds(body: &Fields) -> Option<i64> {
    body.integer("duration_seconds")
}

fn check_duration(body: &Fields, model: SandboxModel) -> Result<(), Refusal> {
    const NAME: &str = "duration_seconds";
    if !body.has(NAME) {
        return Ok(());
    }
    let refused = |message: String| Err(Refusal::field(NAME, message));
    let Some(seconds) = seconds(body) else { return refused("Expected a whole number".to_owned()) };
    if let Some(options) = model.at("/duration_options").and_then(Value::as_array) {
        if options.iter().any(|option| option.as_i64() == Some(seconds)) {
            return Ok(());
        }
        let options: Vec<String> = options.iter().map(ToString::to_string).collect();
        return refused(format!("duration_seconds must be one of {}", options.join(", ")));
    }
    match (model.integer("/min_duration"), model.integer("/max_duration")) {
        (Some(least), Some(most)) if (least..=most).contains(&seconds) => Ok(()),
        (Some(least), Some(most)) => {
            refused(format!("duration_seconds must be between {least} and {most}"))
        }
        _ => refused(format!("duration_seconds is not supported by {}", model.id())),
    }
}

async fn retrieve(state: StateRef, request: RequestRef) -> HandlerResult {
    let body = request.json(RETRIEVE)?;
    let delete = body.flag("delete_media_on_completion");
    match state.jobs().poll(
        FakeJobKind::Music,
        body.text("model"),
        body.text_or_empty("queue_id"),
        delete,
    )? {
        FakeJobPoll::Running(reply) => Ok(reply),
        FakeJobPoll::Done(id) => {
            let model = SandboxModel::find_online(Some(id), "music")?;
            let flac = model.text("/default_format") == Some("flac");
            let (content_type, format, file) = if flac {
                ("audio/flac", "flac", sound::MUSIC_FLAC)
            } else {
                ("audio/mpeg", "mp3", sound::MUSIC_MP3)
            };
            let mut answer = reply::typed(content_type, Bytes::from_static(file));
            reply::set(&mut answer, "x-venice-audio-format", format);
            reply::set(&mut answer, "x-venice-inference-time", "2000");
            model.mark(&mut answer);
            Ok(answer)
        }
    }
}

async fn complete(state: StateRef, request: RequestRef) -> HandlerResult {
    let body = request.json(COMPLETE)?;
    let id = body.text_or_empty("queue_id");
    let done =
        state.jobs().is_done(id, FakeJobKind::Music) && state.jobs().remove(id, FakeJobKind::Music);
    Ok(reply::json(&json!({ "success": done })))
}
