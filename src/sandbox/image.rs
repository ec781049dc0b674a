//! Images: styles, generation, edits, upscaling, and background removal.

mod edit;
mod generate;
mod openai;
mod refine;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::Router;
use axum::response::Response;
use axum::routing::{get, post};
use serde_json::json;

use super::image_file::Look;
use super::reply::{self, HandlerResult, set};
use super::state::SandboxState;

/// Some of the style presets that Venice lists. Case matters.
const STYLES: [&str; 24] = [
    "3D Model",
    "Abstract",
    "Analog Film",
    "Anime",
    "Architectural",
    "Cinematic",
    "Comic Book",
    "Craft Clay",
    "Cubist",
    "Digital Art",
    "Enhance",
    "Fantasy Art",
    "Film Noir",
    "Isometric Style",
    "Line Art",
    "Lowpoly",
    "Minimalist",
    "Neon Punk",
    "Origami",
    "Photographic",
    "Pixel Art",
    "Pop Art",
    "Texture",
    "Watercolor",
];

pub(super) fn routes(plural: bool) -> Router<Arc<SandboxState>> {
    let at = |documented, other| if plural { other } else { documented };
    Router::new()
        .route("/image/styles", get(styles))
        .route(at("/image/generate", "/images/generations"), post(generate::generate))
        .route(at("/images/generations", "/images/generations-simple"), post(openai::generate))
        .route(at("/image/edit", "/images/edits"), post(edit::edit))
        .route(at("/image/multi-edit", "/images/edits-multi"), post(edit::multi_edit))
        .route(at("/image/upscale", "/images/upscale"), post(refine::upscale))
        .route(
            at("/image/background-remove", "/images/remove-background"),
            post(refine::remove_background),
        )
}

async fn styles() -> HandlerResult {
    Ok(reply::json(&json!({ "object": "list", "data": STYLES })))
}

/// The look that the words of a prompt ask for.
fn look(prompt: &str, safe: bool) -> Look {
    if prompt.contains("violation") {
        Look::Black
    } else if prompt.contains("blurred") && safe {
        Look::Blurred
    } else if prompt.contains("noise") {
        Look::Noise
    } else {
        Look::Plain
    }
}

/// Sets the headers that say whether the image was blurred or blocked.
fn mark_look(answer: &mut Response, look: Look) {
    set(answer, "x-venice-is-blurred", if look == Look::Blurred { "true" } else { "false" });
    set(
        answer,
        "x-venice-is-content-violation",
        if look == Look::Black { "true" } else { "false" },
    );
}

/// Sets the header with the rewritten prompt, percent-encoded like the API's.
fn mark_enhanced(answer: &mut Response, prompt: &str) {
    let start: String = prompt.chars().take(500).collect();
    let enhanced = format!("{start}, golden hour, fine détail");
    let mut encoded = String::new();
    for byte in enhanced.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            for half in [byte >> 4, byte & 15] {
                encoded.extend(
                    char::from_digit(u32::from(half), 16).map(|digit| digit.to_ascii_uppercase()),
                );
            }
        }
    }
    set(answer, "x-venice-enhanced-prompt", &encoded);
}
