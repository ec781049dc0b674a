//! Video: `/video/quote`, `queue`, `retrieve`, `complete`, and the files behind a `download_url`.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::IntoResponse as _;
use axum::routing::{get, post};
use bytes::Bytes;
use serde_json::json;

use super::fields::{FILLED, Field, Fields, STRING, Shape, optional, required};
use super::job::{self, COMPLETE, FakeJobKind, FakeJobPoll, RETRIEVE};
use super::models::SandboxModel;
use super::reply::{self, HandlerResult, Refusal};
use super::request::RequestRef;
use super::state::{SandboxState, StateRef};
use super::video_rules;

/// A clip of two seconds with sound, H.264 and AAC in MP4.
const CLIP: &[u8] = include_bytes!("media/clip.mp4");

const QUOTE: &[Field] = &[
    required("model", FILLED),
    required("duration", video_rules::DURATION),
    optional("aspect_ratio", video_rules::RATIO),
    optional("resolution", video_rules::RESOLUTION),
    optional("upscale_factor", Shape::Integer(1, 4)),
    optional("audio", Shape::Flag),
    optional("video_url", STRING),
    optional("reference_video_total_duration", Shape::Number(0.0, 150.0)),
    optional("reference_image_count", Shape::Integer(0, 30)),
];

const POLL: &[Field] =
    &[optional("model", FILLED), optional("delete_media_on_completion", Shape::Flag)];

pub(super) fn routes(plural: bool) -> Router<Arc<SandboxState>> {
    let router = Router::new().route("/video/transcriptions", post(retired));
    if plural {
        router
            .route("/videos/generations", post(queue))
            .route("/videos/generations/quote", post(quote))
            .route("/videos/generations/complete", post(complete))
            .route("/videos/generations/{queue_id}", get(retrieve_by_path))
    } else {
        router
            .route("/video/queue", post(queue))
            .route("/video/quote", post(quote))
            .route("/video/complete", post(complete))
            .route("/video/retrieve", post(retrieve))
    }
}

/// Finished clips of the models whose media is on another host, which needs no key.
pub(super) fn files() -> Router<Arc<SandboxState>> {
    Router::new().route("/files/{name}", get(file).delete(delete_file))
}

async fn quote(request: RequestRef) -> HandlerResult {
    // A quote ignores unknown fields.
    let body = request.open_json(QUOTE)?;
    let model = SandboxModel::find_online(body.text("model"), "video")?;
    let durations = model.texts("/constraints/durations");
    if !durations.is_empty() && !durations.contains(&body.text_or_empty("duration")) {
        model.check_listed("duration", body.text_or_empty("duration"), "/constraints/durations")?;
    }
    Ok(reply::json(&json!({ "quote": price(&body, model) })))
}

/// Seven cents a second, more with sound and at higher resolutions.
fn price(body: &Fields, model: SandboxModel) -> f64 {
    let seconds = body.text_or_empty("duration").trim_end_matches('s').parse::<u32>().unwrap_or(5);
    let sound = if model.flag("/constraints/audio") && body.get("audio").is_none_or(|on| on == true)
    {
        2
    } else {
        1
    };
    let lines = match body.text("resolution") {
        Some("1080p" | "true_1080p") => 2,
        Some("1440p" | "2160p" | "4k") => 4,
        _ => 1,
    };
    f64::from(seconds * 7 * sound * lines) / 100.0
}

async fn queue(state: StateRef, request: RequestRef) -> HandlerResult {
    let body = request.json(video_rules::QUEUE)?;
    let model = SandboxModel::find_online(body.text("model"), "video")?;
    video_rules::check(&body, model)?;
    let id = state.jobs().queue(FakeJobKind::Video, model.id(), body.text_or_empty("prompt"));
    let mut answer = json!({ "model": model.id(), "queue_id": id });
    if is_elsewhere(model.id())
        && let Some(object) = answer.as_object_mut()
    {
        object.insert("download_url".to_owned(), format!("{}/files/{id}.mp4", state.origin).into());
    }
    let mut answer = reply::json(&answer);
    model.mark(&mut answer);
    Ok(answer)
}

/// Whether the model's clips are fetched from a `download_url`, which only the reply to the queue request contains.
fn is_elsewhere(model: &str) -> bool {
    model.starts_with("grok-imagine")
}

async fn retrieve(state: StateRef, request: RequestRef) -> HandlerResult {
    let body = request.json(RETRIEVE)?;
    collect(
        &state,
        body.text("model"),
        body.text_or_empty("queue_id"),
        body.flag("delete_media_on_completion"),
    )
}

async fn retrieve_by_path(
    state: StateRef,
    Path(id): Path<String>,
    request: RequestRef,
) -> HandlerResult {
    let query = request.query(POLL)?;
    collect(&state, query.text("model"), &id, query.flag("delete_media_on_completion"))
}

fn collect(state: &SandboxState, model: Option<&str>, id: &str, delete: bool) -> HandlerResult {
    // A clip on another host is deleted there.
    let delete = delete && !model.is_some_and(is_elsewhere);
    match state.jobs().poll(FakeJobKind::Video, model, id, delete)? {
        FakeJobPoll::Running(reply) => Ok(reply),
        FakeJobPoll::Done(model) if is_elsewhere(model) => {
            Ok(reply::json(&job::status("COMPLETED")))
        }
        FakeJobPoll::Done(model) => {
            let mut answer = reply::typed("video/mp4", Bytes::from_static(CLIP));
            SandboxModel::find_online(Some(model), "video")?.mark(&mut answer);
            Ok(answer)
        }
    }
}

/// Like the live API since the autumn of 2026: every id is refused, because `delete_media_on_completion` deletes.
async fn complete(request: RequestRef) -> HandlerResult {
    request.json(COMPLETE)?;
    Err(Refusal::bad("Request ID is invalid."))
}

async fn retired() -> Refusal {
    Refusal::new(410, "This endpoint has been retired. Send a video_url part to /chat/completions.")
}

async fn file(State(state): StateRef, Path(name): Path<String>) -> HandlerResult {
    let done = state.jobs().is_done(name.trim_end_matches(".mp4"), FakeJobKind::Video);
    if !done {
        return Err(Refusal::new(404, "Media not found"));
    }
    Ok(reply::typed("video/mp4", Bytes::from_static(CLIP)))
}

async fn delete_file(State(state): StateRef, Path(name): Path<String>) -> HandlerResult {
    if state.jobs().remove(name.trim_end_matches(".mp4"), FakeJobKind::Video) {
        Ok(StatusCode::NO_CONTENT.into_response())
    } else {
        Err(Refusal::new(404, "Media not found"))
    }
}
