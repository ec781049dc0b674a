//! Music, speech, and sound effects that Venice queues as jobs.

use insta::assert_snapshot;
use serde_json::json;

use crate::harness::{Client as _, Setup, blobs, is_error, text};

const GENERATE: &str = "venice_music_generate";

#[tokio::test]
async fn venice_music_generate() {
    let server = Setup::new().polls(0).start().await;
    let call = json!({"model": "ace-step-15", "prompt": "calm piano music",
        "duration_seconds": 60});
    assert_snapshot!(server.transcript(GENERATE, call).await, @r#"
    venice_music_generate {"model":"ace-step-15","prompt":"calm piano music","duration_seconds":60}
    > GET /models?type=music
    > POST /audio/quote
      {"model":"ace-step-15","duration_seconds":60}
    > POST /audio/queue
      {"model":"ace-step-15","prompt":"calm piano music","duration_seconds":60}
    > POST /audio/retrieve
      {"model":"ace-step-15","queue_id":"<uuid>"}
    < text
      audio/flac 1.0 s 13 kB | venice://media/calm-piano-music-<id> | <home>/out/calm-piano-music-<id>.flac | model ace-step-15 | about $0.03
      job job-<id>
    < resource audio/flac, 13224 bytes
      venice://media/calm-piano-music-<id>
    _meta ai.venice/job
      {
        "job": "job-<id>", "kind": "music", "model": "ace-step-15",
        "queue_id": "<uuid>", "status": "stored", "price_usd": 0.03,
        "queued_at": "<time>",
        "media": "venice://media/calm-piano-music-<id>"
      }
    _meta ai.venice/media
      [
        {
          "uri": "venice://media/calm-piano-music-<id>", "mimeType": "audio/flac",
          "bytes": 13224, "seconds": 1.0,
          "path": "<home>/out/calm-piano-music-<id>.flac",
          "sha256": "<hash>",
          "model": "ace-step-15", "cost_usd": 0.03
        }
      ]
    "#);
    let mistake = json!({"model": "ace-step-15", "prompt": "calm piano music",
        "duration_seconds": 61});
    assert_snapshot!(server.transcript(GENERATE, mistake).await, @r#"
    venice_music_generate {"model":"ace-step-15","prompt":"calm piano music","duration_seconds":61}
    < isError
    < text
      an argument is not valid
      - `duration_seconds`: 61 is not offered by ace-step-15; it offers `60`, `90`, `120`, `150`, `180`, `210`
      hint: correct the arguments and call again; nothing was spent
    "#);
}

#[tokio::test]
async fn music_comes_back_as_a_blob_once_it_is_done() {
    let server = Setup::new().polls(1).start().await;
    let arguments = json!({"model": "ace-step-15", "prompt": "calm piano music"});
    let result = server.call(GENERATE, arguments).await;
    assert_eq!(blobs(&result)[0].1, "audio/flac", "{}", text(&result));
    assert_eq!(server.sent("/audio/queue").len(), 1);
    assert_eq!(server.sent("/audio/retrieve").len(), 2);
}

#[tokio::test]
async fn every_argument_reaches_venice() {
    let server = Setup::new().polls(0).start().await;
    let speech = json!({"model": "elevenlabs-tts-v3", "prompt": "Hello there.", "voice": "Roger",
        "speed": 1.1, "language_code": "en"});
    let effect = json!({"model": "elevenlabs-sound-effects-v2", "prompt": "rain on a tin roof",
        "duration_seconds": 5, "loop": true});
    let song = json!({"model": "minimax-music-v26", "prompt": "a sea shanty with drums",
        "lyrics_optimizer": true});
    let tune = json!({"model": "ace-step-15", "prompt": "a sea shanty with drums",
        "force_instrumental": true, "lyrics_prompt": "Heave away"});
    for arguments in [speech, effect, song, tune] {
        let result = server.call(GENERATE, arguments.clone()).await;
        assert!(!is_error(&result), "{}", text(&result));
        assert_eq!(server.sent("/audio/queue").last(), Some(&arguments));
    }
    assert_eq!(server.sent("/audio/quote")[0]["character_count"], 12);
}

#[tokio::test]
async fn the_catalog_is_checked_before_anything_is_spent() {
    let server = Setup::new().start().await;
    let refused = server
        .said_each(
            GENERATE,
            [
                json!({"model": "ace-step-15", "prompt": "piano"}),
                json!({"model": "minimax-music-v2", "prompt": "a sea shanty"}),
                json!({"model": "minimax-music-v26", "prompt": "a sea shanty"}),
                json!({"model": "ace-step-15", "prompt": "calm piano music", "loop": true}),
                json!({"model": "elevenlabs-tts-v3", "prompt": "Hello.", "voice": "Rogre"}),
            ],
        )
        .await;
    assert_snapshot!(refused, @r#"
    {"model":"ace-step-15","prompt":"piano"}
      error: an argument is not valid
      - `prompt`: has 5 characters; ace-step-15 wants at least 10
      hint: correct the arguments and call again; nothing was spent
    {"model":"minimax-music-v2","prompt":"a sea shanty"}
      error: an argument is not valid
      - `lyrics_prompt`: is required by minimax-music-v2
      hint: correct the arguments and call again; nothing was spent
    {"model":"minimax-music-v26","prompt":"a sea shanty"}
      error: an argument is not valid
      - `lyrics_prompt`: is required by minimax-music-v26, unless force_instrumental is true
      hint: correct the arguments and call again; nothing was spent
    {"model":"ace-step-15","prompt":"calm piano music","loop":true}
      error: an argument is not valid
      - `loop`: is not offered by ace-step-15: leave it out
      hint: correct the arguments and call again; nothing was spent
    {"model":"elevenlabs-tts-v3","prompt":"Hello.","voice":"Rogre"}
      error: an argument is not valid
      - `voice`: `Rogre` is not a voice of elevenlabs-tts-v3; near ones: `Roger`
      hint: correct the arguments and call again; nothing was spent
    "#);
    assert!(server.sent("/audio/queue").is_empty());
}

#[tokio::test]
async fn venice_music_status() {
    let server = Setup::new().polls(1).start().await;
    let arguments = json!({"model": "ace-step-15", "prompt": "calm piano music",
        "wait_seconds": 0});
    let queued = server.call(GENERATE, arguments).await;
    let job = &queued["_meta"]["ai.venice/job"]["job"];
    let call = json!({"job": job, "wait_seconds": 30});
    assert_snapshot!(server.transcript("venice_music_status", call).await, @r#"
    venice_music_status {"job":"job-<id>","wait_seconds":30}
    > POST /audio/retrieve
      {"model":"ace-step-15","queue_id":"<uuid>"}
    > POST /audio/retrieve
      {"model":"ace-step-15","queue_id":"<uuid>"}
    < text
      audio/flac 1.0 s 13 kB | venice://media/calm-piano-music-<id> | <home>/out/calm-piano-music-<id>.flac | model ace-step-15 | about $0.03
      job job-<id>
    < resource audio/flac, 13224 bytes
      venice://media/calm-piano-music-<id>
    _meta ai.venice/job
      {
        "job": "job-<id>", "kind": "music", "model": "ace-step-15",
        "queue_id": "<uuid>", "status": "stored", "price_usd": 0.03,
        "queued_at": "<time>",
        "media": "venice://media/calm-piano-music-<id>"
      }
    _meta ai.venice/media
      [
        {
          "uri": "venice://media/calm-piano-music-<id>", "mimeType": "audio/flac",
          "bytes": 13224, "seconds": 1.0,
          "path": "<home>/out/calm-piano-music-<id>.flac",
          "sha256": "<hash>",
          "model": "ace-step-15", "cost_usd": 0.03
        }
      ]
    "#);
    let mistake = json!({"job": "job-0123456789abcdef", "wait_seconds": 0});
    assert_snapshot!(server.transcript("venice_music_status", mistake).await, @r#"
    venice_music_status {"job":"job-<id>","wait_seconds":0}
    < isError
    < text
      an argument is not valid
      - `job`: `job-<id>` is no music job here
      hint: give model and queue_id where another server queued it; venice://jobs lists this server's
    "#);
    let other = server.said("venice_video_status", json!({"job": job})).await;
    assert_snapshot!(other, @"
    error: an argument is not valid
    - `job`: `job-<id>` is no video job here
    hint: give model and queue_id where another server queued it; venice://jobs lists this server's
    ");
}

#[tokio::test]
async fn venice_music_complete() {
    let server = Setup::new().polls(0).start().await;
    let arguments = json!({"model": "ace-step-15", "prompt": "calm piano music"});
    let result = server.call(GENERATE, arguments).await;
    let job = &result["_meta"]["ai.venice/job"];
    let named = json!({"model": job["model"], "queue_id": job["queue_id"]});
    let call = server.transcript("venice_music_complete", named.clone()).await;
    assert_snapshot!(call, @r#"
    venice_music_complete {"model":"ace-step-15","queue_id":"<uuid>"}
    > POST /audio/complete
      {"model":"ace-step-15","queue_id":"<uuid>"}
    < text
      audio/flac 1.0 s 13 kB | venice://media/calm-piano-music-<id> | <home>/out/calm-piano-music-<id>.flac | model ace-step-15 | about $0.03
      stored here, and deleted at Venice
      job job-<id>
    < resource_link
      {
        "type": "resource_link", "uri": "venice://media/calm-piano-music-<id>",
        "name": "calm-piano-music-<id>.flac", "mimeType": "audio/flac", "size": 13224
      }
    _meta ai.venice/job
      {
        "job": "job-<id>", "kind": "music", "model": "ace-step-15",
        "queue_id": "<uuid>", "status": "deleted", "price_usd": 0.03,
        "queued_at": "<time>",
        "media": "venice://media/calm-piano-music-<id>"
      }
    _meta ai.venice/media
      [
        {
          "uri": "venice://media/calm-piano-music-<id>", "mimeType": "audio/flac",
          "bytes": 13224, "seconds": 1.0,
          "path": "<home>/out/calm-piano-music-<id>.flac",
          "sha256": "<hash>",
          "model": "ace-step-15", "cost_usd": 0.03
        }
      ]
    "#);
    let again = server.transcript("venice_music_complete", named).await;
    assert_snapshot!(again, @r#"
    venice_music_complete {"model":"ace-step-15","queue_id":"<uuid>"}
    < text
      audio/flac 1.0 s 13 kB | venice://media/calm-piano-music-<id> | <home>/out/calm-piano-music-<id>.flac | model ace-step-15 | about $0.03
      stored here; it was deleted at Venice before
      job job-<id>
    < resource_link
      {
        "type": "resource_link", "uri": "venice://media/calm-piano-music-<id>",
        "name": "calm-piano-music-<id>.flac", "mimeType": "audio/flac", "size": 13224
      }
    _meta ai.venice/job
      {
        "job": "job-<id>", "kind": "music", "model": "ace-step-15",
        "queue_id": "<uuid>", "status": "deleted", "price_usd": 0.03,
        "queued_at": "<time>",
        "media": "venice://media/calm-piano-music-<id>"
      }
    _meta ai.venice/media
      [
        {
          "uri": "venice://media/calm-piano-music-<id>", "mimeType": "audio/flac",
          "bytes": 13224, "seconds": 1.0,
          "path": "<home>/out/calm-piano-music-<id>.flac",
          "sha256": "<hash>",
          "model": "ace-step-15", "cost_usd": 0.03
        }
      ]
    "#);
    let mistake = server.transcript("venice_music_complete", json!({})).await;
    assert_snapshot!(mistake, @"
    venice_music_complete {}
    < isError
    < text
      an argument is not valid
      - `job`: is required, or model and queue_id in its place
      hint: correct the arguments and call again; nothing was spent
    ");
}

#[tokio::test]
async fn venice_audio_quote() {
    let server = Setup::new().start().await;
    let call = json!({"model": "ace-step-15", "duration_seconds": "60"});
    assert_snapshot!(server.transcript("venice_audio_quote", call).await, @r#"
    venice_audio_quote {"model":"ace-step-15","duration_seconds":"60"}
    > GET /models?type=music
    > POST /audio/quote
      {"model":"ace-step-15","duration_seconds":60}
    < text: structuredContent
    structuredContent
      {"quote":0.03}
    "#);
    let mistake = json!({"model": "elevenlabs-tts-v3"});
    assert_snapshot!(server.transcript("venice_audio_quote", mistake).await, @r#"
    venice_audio_quote {"model":"elevenlabs-tts-v3"}
    < isError
    < text
      an argument is not valid
      - `character_count`: is required: elevenlabs-tts-v3 is charged by characters
      hint: correct the arguments and call again; nothing was spent
    "#);
}
