//! `POST /embeddings`

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::tokens;
use crate::sandbox::fields::{FILLED, Field, STRING, Shape, optional, required};
use crate::sandbox::image_file;
use crate::sandbox::media::base64;
use crate::sandbox::models::SandboxModel;
use crate::sandbox::reply::{self, HandlerResult, Refusal};
use crate::sandbox::request::RequestRef;
use crate::sandbox::state::StateRef;

const BODY: &[Field] = &[
    required("model", FILLED),
    required("input", Shape::Either(&[FILLED, Shape::List(1, 2048, &FILLED)])),
    optional("encoding_format", Shape::OneOf(&["float", "base64"])),
    optional("dimensions", Shape::Integer(1, 100_000)),
    optional("user", STRING),
];

pub(super) async fn embed(state: StateRef, request: RequestRef) -> HandlerResult {
    let body = request.json(BODY)?;
    let model = SandboxModel::resolve(body.text("model"), "embedding")?;
    let own = model.integer("/embeddingDimensions").unwrap_or(1024);
    let size = body.integer("dimensions").unwrap_or(own);
    if size > own || (size != own && !model.flag("/supportsCustomDimensions")) {
        let message = format!("dimensions {size} is not supported by {}", model.id());
        return Err(Refusal::field("dimensions", message));
    }
    let texts: Vec<String> = match body.text("input") {
        Some(text) => vec![text.to_owned()],
        None => body.list("input").iter().filter_map(Value::as_str).map(str::to_owned).collect(),
    };
    let most = model
        .integer("/maxInputTokens")
        .and_then(|most| usize::try_from(most).ok())
        .unwrap_or(8192);
    // The live API's estimate: 3.2 characters per token, minus five percent.
    if texts.iter().any(|text| tokens(text) * 95 / 100 > most) {
        return Err(Refusal::field("input", format!("input exceeds {most} tokens")));
    }
    let packed = body.text("encoding_format") == Some("base64");
    let used: usize = texts.iter().map(|text| tokens(text)).sum();
    let size = usize::try_from(size).unwrap_or(1024);
    let made = image_file::run_blocking(&state, move || {
        let item = |(index, text): (usize, &String)| {
            let vector = vector(text, size);
            let embedding = if packed {
                base64(&vector.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>())
                    .into()
            } else {
                json!(vector)
            };
            json!({ "object": "embedding", "index": index, "embedding": embedding })
        };
        Ok(texts.iter().enumerate().map(item).collect::<Vec<Value>>())
    })
    .await?;
    let mut answer = reply::json(&json!({
        "object": "list",
        "model": model.id(),
        "data": made,
        "usage": { "prompt_tokens": used, "total_tokens": used },
    }));
    model.mark(&mut answer);
    Ok(answer)
}

/// Numbers between -1 and 1 that depend only on the text.
fn vector(text: &str, size: usize) -> Vec<f32> {
    let start: [u8; 32] = Sha256::digest(text.as_bytes()).into();
    let mut state =
        start.iter().fold(1u64, |sum, byte| (sum << 7) ^ (sum >> 57) ^ u64::from(*byte)) | 1;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let [low, high, ..] = state.to_le_bytes();
        f32::from(i16::from_le_bytes([low, high])) / 32_768.0
    };
    std::iter::repeat_with(next).take(size).collect()
}
