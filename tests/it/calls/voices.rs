use serde_json::json;

use crate::harness::{Setup, World, error, text, wav};

async fn start() -> World {
    let setup = Setup::new().set("VENICE_TOOLSETS", "voices,audio");
    setup.file("long.wav", &wav(6)).file("short.wav", &wav(2)).start().await
}

#[tokio::test]
async fn a_cloned_voice_speaks() {
    let world = start().await;
    let result = world.call("venice_voice_clone", json!({"sample_audio_url": "long.wav"})).await;
    let data = result.structured_content.clone().unwrap_or_else(|| panic!("{}", text(&result)));
    let id = data["id"].as_str().unwrap();
    assert!(id.starts_with("vv_") && text(&result).contains("7 days"), "{}", text(&result));
    let seen = world.sandbox.seen();
    let sent = seen.iter().find(|seen| seen.path == "/audio/voices").unwrap();
    assert_eq!(sent.body["model"], "tts-chatterbox-hd");
    assert_eq!(sent.body["file"], "<long.wav, 96044 bytes>");
    let speech = json!({"input": "Hello.", "voice": id, "model": data["model"]});
    let speech = world.call("venice_tts", speech).await;
    assert_ne!(speech.is_error, Some(true), "{}", text(&speech));
}

#[tokio::test]
async fn a_recording_is_judged_before_it_is_sent() {
    let world = start().await;
    let short = error(&world.call("venice_voice_clone", json!({"file": "short.wav"})).await);
    assert!(short.contains("2.0 s") && short.contains("at least 5 s"), "{short}");
    let model = json!({"file": "long.wav", "model": "tts-chatterbox"});
    let model = error(&world.call("venice_voice_clone", model).await);
    assert!(model.contains("`tts-chatterbox-hd`"), "{model}");
    assert!(world.sandbox.seen().iter().all(|seen| seen.path != "/audio/voices"));
}

#[tokio::test]
async fn a_model_that_cannot_clone_is_refused_in_venices_words() {
    let world = start().await;
    let arguments = json!({"file": "long.wav", "model": "tts-kokoro"});
    let said = error(&world.call("venice_voice_clone", arguments).await);
    assert!(said.contains("tts-kokoro"), "{said}");
}
