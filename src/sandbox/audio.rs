//! Speech, transcriptions, and cloned voices.

use std::sync::Arc;

use axum::Router;
use axum::routing::post;
use serde_json::{Value, json};

use super::fields::{FILLED, Field, STRING, Shape, optional, required};
use super::media::{SniffedKind, sniff_kind};
use super::models::SandboxModel;
use super::reply::{self, HandlerResult, Refusal};
use super::request::FormPart;
use super::request::RequestRef;
use super::state::{SandboxState, StateRef};
use super::{image_file, sound};

const SPEECH: &[Field] = &[
    required("input", Shape::Text(1, 4096)),
    optional("model", FILLED),
    optional("voice", Shape::Text(1, 512)),
    optional("response_format", Shape::OneOf(&["mp3", "opus", "aac", "flac", "wav", "pcm"])),
    optional("speed", Shape::Number(0.25, 4.0)),
    optional("streaming", Shape::Flag),
    optional("language", Shape::Text(2, 32)),
    optional("prompt", Shape::Text(0, 500)),
    optional("temperature", Shape::Number(0.0, 2.0)),
    optional("top_p", Shape::Number(0.0, 1.0)),
];

const TRANSCRIPTION: &[Field] = &[
    optional("model", STRING),
    optional("response_format", Shape::OneOf(&["json", "text"])),
    optional("timestamps", Shape::Flag),
    optional("language", STRING),
];

const VOICE: &[Field] = &[optional("model", STRING)];

const NO_AUDIO: &str = "No audio file provided";
const HEARD: [&str; 10] = ["wav", "wave", "flac", "m4a", "aac", "mp4", "mp3", "ogg", "oga", "webm"];
const SAMPLES: [&str; 5] = ["mp3", "wav", "flac", "mp4", "m4a"];

pub(super) fn routes() -> Router<Arc<SandboxState>> {
    Router::new()
        .route("/audio/speech", post(speech))
        .route("/audio/transcriptions", post(transcribe))
        .route("/audio/voices", post(clone_voice))
}

async fn speech(state: StateRef, request: RequestRef) -> HandlerResult {
    let body = request.json(SPEECH)?;
    let model = SandboxModel::find_online(body.text("model"), "tts")?;
    let input = body.text_or_empty("input").to_owned();
    if !input.chars().any(char::is_alphanumeric) {
        return Err(Refusal::field("input", "input contains nothing that can be spoken"));
    }
    let voice =
        body.text("voice").or_else(|| model.text("/default_voice")).unwrap_or_default().to_owned();
    let cloned = voice.starts_with("vv_") && model.at("/voice_cloning").is_some();
    if !cloned && !model.flag("/supports_custom_voice_id") {
        model.check_listed("voice", &voice, "/voices")?;
    }
    let format = body.text("response_format").or_else(|| model.text("/default_format"));
    let format = format.unwrap_or("mp3").to_owned();
    model.check_listed("response_format", &format, "/supported_formats")?;
    let speed = if model.id() == "tts-kokoro" { body.number("speed").unwrap_or(1.0) } else { 1.0 };
    let made = move || Ok(sound::speak(&input, &voice, speed, &format));
    let (content_type, file) = image_file::run_blocking(&state, made).await?;
    let mut answer = reply::typed(content_type, file);
    model.mark(&mut answer);
    Ok(answer)
}

async fn transcribe(request: RequestRef) -> HandlerResult {
    let (body, files) = request.form(TRANSCRIPTION, "file", NO_AUDIO)?;
    let model =
        SandboxModel::find_online(body.text("model").filter(|model| !model.is_empty()), "asr")?;
    let file = files.first().ok_or_else(|| Refusal::bad(NO_AUDIO))?;
    check_audio(file, &HEARD)?;
    let text = "Hello from the sandbox. This is what the recording says.";
    if body.text("response_format") == Some("text") {
        return Ok(reply::typed("text/plain; charset=utf-8", text));
    }
    let mut answer = json!({ "text": text, "duration": 3.0 });
    if body.flag("timestamps")
        && let Some(object) = answer.as_object_mut()
    {
        object.insert("timestamps".to_owned(), timestamps(model.id(), text));
    }
    let mut answer = reply::json(&answer);
    model.mark(&mut answer);
    Ok(answer)
}

/// Timestamps of three tenths of a second per word, in the granularities that the model has.
fn timestamps(model: &str, text: &str) -> Value {
    let mut at = 0;
    let words = text.split(' ').map(|word| {
        let start = at;
        at += 3;
        json!({ "word": word, "start": f64::from(start) / 10.0, "end": f64::from(at) / 10.0 })
    });
    let words: Vec<Value> = words.collect();
    let segments = json!([
        { "text": "Hello from the sandbox.", "start": 0.0, "end": 1.2 },
        { "text": "This is what the recording says.", "start": 1.2, "end": 3.0 },
    ]);
    match model {
        "openai/whisper-large-v3" => json!({ "segment": segments, "word": words }),
        "fal-ai/wizper" => json!({ "segment": segments }),
        "nvidia/parakeet-tdt-0.6b-v3" => json!({ "segment": segments, "word": words, "char": [] }),
        _ => json!({ "word": words }),
    }
}

async fn clone_voice(state: StateRef, request: RequestRef) -> HandlerResult {
    let (body, files) = request.form(VOICE, "file", NO_AUDIO)?;
    let model =
        SandboxModel::find_online(Some(body.text("model").unwrap_or("tts-chatterbox-hd")), "tts")?;
    if model.at("/voice_cloning").is_none() {
        return Err(Refusal::new(
            403,
            format!("Voice cloning is not available for {}", model.id()),
        ));
    }
    let file = files.first().ok_or_else(|| Refusal::bad(NO_AUDIO))?;
    check_audio(file, &SAMPLES)?;
    Ok(reply::json(
        &json!({ "id": format!("vv_sandbox{}", state.next_number()), "model": model.id() }),
    ))
}

/// Checks the extension of a recording's name and its first bytes.
fn check_audio(part: &FormPart, extensions: &[&str]) -> Result<(), Refusal> {
    let name = part.file.as_deref().unwrap_or_default();
    let extension = name.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase());
    let named = extension.is_some_and(|extension| extensions.contains(&extension.as_str()));
    let sounds = matches!(sniff_kind(&part.bytes), Some(SniffedKind::Audio | SniffedKind::Video));
    if named && sounds {
        Ok(())
    } else {
        Err(Refusal::bad(format!("Unsupported audio format. Supported: {}", extensions.join(", "))))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::sandbox::test::TestSandbox;

    #[tokio::test]
    async fn speech_is_a_file_of_the_format_asked_for_and_longer_texts_are_longer() {
        let sandbox = TestSandbox::new().await;
        for (format, kind, magic) in [
            ("mp3", "audio/mpeg", &b"\xFF\xF3"[..]),
            ("opus", "audio/opus", b"OggS"),
            ("aac", "audio/aac", b"\xFF\xF1"),
            ("flac", "audio/flac", b"fLaC"),
            ("wav", "audio/wav", b"RIFF"),
            ("pcm", "audio/pcm", b""),
        ] {
            let body =
                json!({ "model": "tts-kokoro", "input": "hello", "response_format": format });
            let got = sandbox.post("/audio/speech", body).await;
            assert_eq!((got.status, got.header("content-type")), (200, kind));
            assert!(got.bytes.starts_with(magic) && got.bytes.len() > 1000, "{format}");
        }
        let body = json!({ "model": "tts-orpheus", "input": "hello" });
        let short = sandbox.post("/audio/speech", body).await;
        assert_eq!(short.header("content-type"), "audio/wav");
        assert_eq!(short.bytes.len(), 44 + 5 * 60 * 24 * 2);
        let body = json!({ "model": "tts-orpheus", "input": "hello, hello" });
        assert!(sandbox.post("/audio/speech", body).await.bytes.len() > short.bytes.len());
    }

    #[tokio::test]
    async fn what_a_speech_model_lacks_is_refused() {
        let sandbox = TestSandbox::new().await;
        for (body, status, message) in [
            (json!({ "input": "hi" }), 400, "model is required"),
            (
                json!({ "model": "kokoro", "input": "hi" }),
                404,
                "Specified model not found: kokoro. Did you mean tts-kokoro?",
            ),
            (
                json!({ "model": "tts-orpheus", "input": "hi", "response_format": "mp3" }),
                400,
                "Invalid response_format for tts-orpheus. Supported values: wav",
            ),
            (
                json!({ "model": "tts-orpheus", "input": "hi", "voice": "af_sky" }),
                400,
                "Invalid voice for tts-orpheus. Supported values: dan, jess, leah, leo, mia, tara, zac, zoe",
            ),
            (
                json!({ "model": "tts-kokoro", "input": "hi", "text": "x" }),
                400,
                "Unrecognized key(s) in object: 'text'",
            ),
            (
                json!({ "model": "tts-kokoro", "input": "hi", "speed": 5 }),
                400,
                "Number must be at most 4",
            ),
        ] {
            let got = sandbox.post("/audio/speech", body).await;
            assert_eq!((got.status, got.error().as_str()), (status, message));
        }
    }

    #[tokio::test]
    async fn recordings_come_as_forms_and_are_judged_by_name_and_bytes() {
        let sandbox = TestSandbox::new().await;
        let wav: &[u8] = b"RIFF\x24\0\0\0WAVEfmt ";
        let whisper = ("model", "openai/whisper-large-v3");
        let path = "/audio/transcriptions";
        let got =
            sandbox.form(path, &[whisper, ("timestamps", "true")], &[("file", "a.wav", wav)]).await;
        assert_eq!(got.json()["timestamps"]["word"][0]["word"], "Hello");
        let got = sandbox
            .form(path, &[whisper, ("response_format", "text")], &[("file", "a.wav", wav)])
            .await;
        assert_eq!(got.header("content-type"), "text/plain; charset=utf-8");
        for (texts, file, status) in [
            (vec![whisper, ("response_format", "srt")], ("file", "a.wav", wav), 400),
            (vec![whisper], ("file", "a.txt", wav), 400),
            (vec![whisper], ("file", "a.wav", b"hello"), 400),
            (vec![whisper], ("audio", "a.wav", wav), 400),
            (vec![("model", "whisper-large-v3")], ("file", "a.wav", wav), 404),
            (vec![], ("file", "a.wav", wav), 400),
        ] {
            assert_eq!(
                sandbox.form(path, &texts, &[file]).await.status,
                status,
                "{texts:?} {}",
                file.1
            );
        }
        let got = sandbox.post(path, json!({ "model": "x" })).await;
        assert_eq!((got.status, got.error().as_str()), (400, "No audio file provided"));
        let got = sandbox.form("/audio/voices", &[], &[("file", "a.wav", wav)]).await;
        assert!(got.json()["id"].as_str().expect("an id").starts_with("vv_"));
    }
}
