use serde_json::{Value, json};

use crate::harness::{Setup, World, blobs, error, kinds, text};

fn requests(world: &World, path: &str) -> Vec<Value> {
    let seen = world.sandbox.seen();
    seen.iter().filter(|seen| seen.path.ends_with(path)).map(|seen| seen.body.clone()).collect()
}

#[tokio::test]
async fn music_comes_back_as_a_blob_once_it_is_done() {
    let world = Setup::new().polls(1).start().await;
    let arguments = json!({"model": "ace-step-15", "prompt": "calm piano music",
        "duration_seconds": 60});
    let result = world.call("venice_music_generate", arguments.clone()).await;
    assert_eq!(kinds(&result), ["text", "resource"], "{}", text(&result));
    assert_eq!(blobs(&result)[0].1, "audio/flac");
    assert!(text(&result).contains("about $0.03"), "{}", text(&result));
    assert_eq!(requests(&world, "/audio/queue"), [arguments]);
}

#[tokio::test]
async fn every_argument_reaches_venice() {
    let world = Setup::new().polls(0).start().await;
    let speech = json!({"model": "elevenlabs-tts-v3", "prompt": "Hello there.", "voice": "Roger",
        "speed": 1.1, "language_code": "en"});
    let effect = json!({"model": "elevenlabs-sound-effects-v2", "prompt": "rain on a tin roof",
        "duration_seconds": 5, "loop": true});
    let song = json!({"model": "minimax-music-v26", "prompt": "a sea shanty with drums",
        "lyrics_optimizer": true});
    let tune = json!({"model": "ace-step-15", "prompt": "a sea shanty with drums",
        "force_instrumental": true, "lyrics_prompt": "Heave away"});
    for arguments in [speech, effect, song, tune] {
        let result = world.call("venice_music_generate", arguments.clone()).await;
        assert_ne!(result.is_error, Some(true), "{}", text(&result));
        assert_eq!(requests(&world, "/audio/queue").last(), Some(&arguments));
    }
    assert_eq!(requests(&world, "/audio/quote")[0]["character_count"], 12);
}

#[tokio::test]
async fn the_catalog_judges_a_call_before_anything_is_spent() {
    let world = World::start().await;
    for (arguments, wanted) in [
        (json!({"model": "ace-step-15", "prompt": "piano"}), "at least 10"),
        (json!({"model": "minimax-music-v2", "prompt": "a sea shanty"}), "`lyrics_prompt`"),
        (json!({"model": "minimax-music-v26", "prompt": "a sea shanty"}), "force_instrumental"),
        (
            json!({"model": "ace-step-15", "prompt": "calm piano music", "duration_seconds": 61}),
            "`60`, `90`",
        ),
        (json!({"model": "ace-step-15", "prompt": "calm piano music", "loop": true}), "`loop`"),
        (json!({"model": "elevenlabs-tts-v3", "prompt": "Hello.", "voice": "Rogre"}), "`Roger`"),
    ] {
        let problems = error(&world.call("venice_music_generate", arguments).await);
        assert!(problems.contains(wanted), "{wanted}: {problems}");
    }
    assert!(requests(&world, "/audio/queue").is_empty());
}

#[tokio::test]
async fn complete_deletes_what_is_stored_here() {
    let world = Setup::new().polls(0).start().await;
    let arguments = json!({"model": "ace-step-15", "prompt": "calm piano music"});
    let result = world.call("venice_music_generate", arguments).await;
    let job = result.meta.as_ref().unwrap().0["ai.venice/job"].clone();
    let named = json!({"model": job["model"], "queue_id": job["queue_id"]});
    let done = world.call("venice_music_complete", named.clone()).await;
    assert_eq!(kinds(&done), ["text", "resource_link"], "{}", text(&done));
    assert_eq!(requests(&world, "/audio/complete"), std::slice::from_ref(&named));
    let again = world.call("venice_music_complete", named).await;
    assert!(text(&again).contains("deleted at Venice before"), "{}", text(&again));
    let video = world.call("venice_video_status", json!({"job": job["job"]})).await;
    assert!(error(&video).contains("no video job"));
}

#[tokio::test]
async fn a_quote_wants_what_the_price_depends_on() {
    let world = World::start().await;
    let arguments = json!({"model": "ace-step-15", "duration_seconds": "60"});
    let result = world.call("venice_audio_quote", arguments).await;
    assert_eq!(result.structured_content, Some(json!({"quote": 0.03})));
    let speech = json!({"model": "elevenlabs-tts-v3"});
    assert!(error(&world.call("venice_audio_quote", speech).await).contains("`character_count`"));
}
