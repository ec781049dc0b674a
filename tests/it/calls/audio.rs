use serde_json::{Value, json};

use crate::harness::{Setup, World, blobs, error, facts, kinds, png, sent, text, wav};

fn spoken(world: &World) -> Vec<Value> {
    sent(world, "/audio/speech")
}

#[tokio::test]
async fn speech_comes_back_as_a_blob() {
    let world = World::start().await;
    let result = world.call("venice_tts", json!({"input": "Hello there."})).await;
    assert_eq!(kinds(&result), ["text", "resource"], "{}", text(&result));
    assert_eq!(blobs(&result)[0].1, "audio/mpeg");
    assert_eq!(spoken(&world)[0], json!({"input": "Hello there.", "model": "tts-kokoro"}));
}

#[tokio::test]
async fn every_argument_reaches_venice() {
    let world = World::start().await;
    let arguments = json!({"input": "Hello.", "model": "tts-qwen3-1-7b", "prompt": "Very happy.",
        "temperature": 0.9, "top_p": 0.8, "language": "English", "speed": 1.5});
    let result = world.call("venice_tts", arguments.clone()).await;
    assert_ne!(result.is_error, Some(true), "{}", text(&result));
    assert_eq!(spoken(&world)[0], arguments);
}

#[tokio::test]
async fn long_text_is_spoken_in_parts_and_joined() {
    let world = Setup::new().set("VENICE_INLINE_LIMIT", "64MiB").start().await;
    let input = "This is a sentence that goes on for a while. ".repeat(200);
    for (format, mime_type) in
        [("wav", "audio/wav"), ("mp3", "audio/mpeg"), ("pcm", "audio/pcm"), ("opus", "audio/")]
    {
        let before = spoken(&world).len();
        let arguments = json!({"input": input, "response_format": format});
        let result = world.call("venice_tts", arguments).await;
        assert_eq!(kinds(&result), ["text", "resource"], "{}", text(&result));
        assert!(blobs(&result)[0].1.starts_with(mime_type), "{}", blobs(&result)[0].1);
        let parts = spoken(&world).len() - before;
        assert!(parts >= 3 && text(&result).contains(&format!("joined from {parts} parts")));
    }
    let flac = json!({"input": input, "response_format": "flac"});
    assert!(error(&world.call("venice_tts", flac).await).contains("flac"));
}

#[tokio::test]
async fn a_joined_wav_says_how_long_it_is() {
    let world = Setup::new().set("VENICE_INLINE_LIMIT", "64MiB").start().await;
    let one = json!({"input": "Short.", "response_format": "wav"});
    let one = facts(&world.call("venice_tts", one).await)[0]["seconds"].as_f64().unwrap();
    let long = "A sentence that goes on for a while. ".repeat(300);
    let all = json!({"input": long, "response_format": "wav"});
    let all = world.call("venice_tts", all).await;
    let (_, _, bytes) = &blobs(&all)[0];
    let size = u32::from_le_bytes(bytes[4..8].try_into().unwrap()) as usize;
    assert_eq!(size + 8, bytes.len());
    assert!(facts(&all)[0]["seconds"].as_f64().unwrap() > one);
}

#[tokio::test]
async fn voices_and_formats_are_judged_by_the_catalog() {
    let world = World::start().await;
    let voice = json!({"input": "Hello.", "voice": "af_skj"});
    assert!(error(&world.call("venice_tts", voice).await).contains("`af_sky`"));
    let format = json!({"input": "Hello.", "model": "tts-orpheus", "response_format": "mp3"});
    assert!(error(&world.call("venice_tts", format).await).contains("`wav`"));
    let blank = json!({"input": "  "});
    assert!(error(&world.call("venice_tts", blank).await).contains("`input`"));
    assert!(spoken(&world).is_empty());
}

#[tokio::test]
async fn a_model_from_the_settings_is_used() {
    let world = Setup::new().set("VENICE_TTS_MODEL", "tts-orpheus").start().await;
    let result = world.call("venice_tts", json!({"text": "Hello."})).await;
    assert_eq!(blobs(&result)[0].1, "audio/wav", "{}", text(&result));
}

#[tokio::test]
async fn a_recording_is_written_down() {
    let world = Setup::new().file("talk.wav", &wav(6)).start().await;
    let file = world.home.path().join("in/talk.wav");
    let result = world.call("venice_asr", json!({"file": file})).await;
    assert_eq!(kinds(&result), ["text", "text"], "{}", text(&result));
    let body = sent(&world, "/audio/transcriptions").remove(0);
    assert_eq!(body["model"], "nvidia/parakeet-tdt-0.6b-v3");
    assert!(body.get("timestamps").is_none(), "{body}");
}

#[tokio::test]
async fn subtitles_are_made_from_times() {
    let world = Setup::new().file("talk.wav", &wav(6)).start().await;
    let file = world.home.path().join("in/talk.wav");
    for (form, wanted) in [("srt", "1\n00:00:0"), ("vtt", "WEBVTT\n\n00:00:0")] {
        let arguments = json!({"file": file, "subtitles": form});
        let result = world.call("venice_asr", arguments).await;
        assert!(text(&result).starts_with(wanted), "{}", text(&result));
        assert_eq!(kinds(&result), ["text", "text"]);
        let [file, remarks] =
            [0, 1].map(|block| result.content[block].as_text().unwrap().text.as_str());
        assert!(!file.contains('$') && file.trim_end().ends_with('.'), "{file}");
        assert!(remarks.contains('$') && remarks.contains("balance"), "{remarks}");
    }
    let body = sent(&world, "/audio/transcriptions").remove(0);
    assert_eq!(body["model"], "openai/whisper-large-v3");
    assert_eq!(body["timestamps"], "true");
}

#[tokio::test]
async fn speech_made_here_is_heard_again_as_the_last_item() {
    let world = World::start().await;
    world.call("venice_tts", json!({"input": "Hello."})).await;
    let result = world.call("venice_asr", json!({"file": "last", "timestamps": true})).await;
    assert!(text(&result).contains("`last` was venice://media/hello-"), "{}", text(&result));
    // Venice takes Opus by the name of its container alone.
    world.call("venice_tts", json!({"input": "Hello.", "response_format": "opus"})).await;
    let result = world.call("venice_asr", json!({"file": "last"})).await;
    assert_ne!(result.is_error, Some(true), "{}", text(&result));
    let file = sent(&world, "/audio/transcriptions").pop().unwrap()["file"].to_string();
    assert!(file.contains(".ogg"), "{file}");
}

#[tokio::test]
async fn what_is_no_recording_is_refused() {
    let world = Setup::new().file("cat.png", &png(300, 300)).start().await;
    let file = world.home.path().join("in/cat.png");
    let said = error(&world.call("venice_asr", json!({"file": file})).await);
    assert!(said.contains("audio"), "{said}");
    assert!(sent(&world, "/audio/transcriptions").is_empty());
}
