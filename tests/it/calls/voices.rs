//! Voices cloned from recordings.

use insta::assert_snapshot;
use serde_json::json;

use crate::harness::{Client as _, Setup, TestServer, is_error, text, wav};

const TOOL: &str = "venice_voice_clone";

async fn start() -> TestServer {
    let setup = Setup::new().set("VENICE_TOOLSETS", "voices,audio");
    setup.file("long.wav", &wav(6)).file("short.wav", &wav(2)).start().await
}

#[tokio::test]
async fn venice_voice_clone() {
    let server = start().await;
    let call = server.transcript(TOOL, json!({"sample_audio_url": "long.wav"})).await;
    assert_snapshot!(call, @r#"
    venice_voice_clone {"sample_audio_url":"long.wav"}
    > GET /models?type=tts
    > POST /audio/voices
      {"model":"tts-chatterbox-hd","file":"<long.wav, 96044 bytes>"}
    < text: structuredContent
    < text
      give `vv_sandbox3` as voice and `tts-chatterbox-hd` as model to venice_tts; Venice keeps it for 7 days
    structuredContent
      {"id":"vv_sandbox3","model":"tts-chatterbox-hd"}
    "#);
    let mistake = server.transcript(TOOL, json!({"file": "short.wav"})).await;
    assert_snapshot!(mistake, @r#"
    venice_voice_clone {"file":"short.wav"}
    < isError
    < text
      an argument is not valid
      - `file`: has 2.0 s; tts-chatterbox-hd needs at least 5 s
      hint: correct the arguments and call again; nothing was spent
    "#);
}

#[tokio::test]
async fn a_cloned_voice_speaks() {
    let server = start().await;
    let voice = server.call(TOOL, json!({"file": "long.wav"})).await["structuredContent"].take();
    let speech = json!({"input": "Hello.", "voice": voice["id"], "model": voice["model"]});
    let speech = server.call("venice_tts", speech).await;
    assert!(!is_error(&speech), "{}", text(&speech));
}

#[tokio::test]
async fn a_model_that_cannot_clone_is_refused() {
    let server = start().await;
    let refused = [
        json!({"file": "long.wav", "model": "tts-chatterbox"}),
        json!({"file": "long.wav", "model": "tts-kokoro"}),
    ];
    assert_snapshot!(server.said_each(TOOL, refused).await, @r#"
    {"file":"long.wav","model":"tts-chatterbox"}
      error: an argument is not valid
      - `model`: `tts-chatterbox` is not a known tts model; near ids: `tts-chatterbox-hd`
      hint: venice_list_models with type `tts` lists them; nothing was spent
    {"file":"long.wav","model":"tts-kokoro"}
      error: Venice does not allow the call
      Venice says: Voice cloning is not available for tts-kokoro
      request id: <id>-SBX
      hint: use another model; the region, its privacy or the key's settings forbid this one
    "#);
}
