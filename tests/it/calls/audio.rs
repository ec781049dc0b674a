//! Speech from text, and text from speech.

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::harness::{
    Client as _, Setup, TestServer, blobs, is_error, kinds, media_items, png, text, texts, wav,
};

fn spoken(server: &TestServer) -> Vec<Value> {
    server.sent("/audio/speech")
}

#[tokio::test]
async fn venice_tts() {
    let server = Setup::new().start().await;
    let call = server.transcript("venice_tts", json!({"input": "Hello there."})).await;
    assert_snapshot!(call, @r#"
    venice_tts {"input":"Hello there."}
    > GET /models?type=tts
    > POST /audio/speech
      {"input":"Hello there.","model":"tts-kokoro"}
    < text
      audio/mpeg 1.1 s 4 kB | venice://media/hello-there-<id> | <home>/out/hello-there-<id>.mp3 | model tts-kokoro | less than $0.0001, balance before $12.34
    < resource audio/mpeg, 4224 bytes
      venice://media/hello-there-<id>
    _meta ai.venice/media
      [
        {
          "uri": "venice://media/hello-there-<id>", "mimeType": "audio/mpeg", "bytes": 4224,
          "seconds": 1.056, "path": "<home>/out/hello-there-<id>.mp3",
          "sha256": "<hash>",
          "model": "tts-kokoro", "cost_usd": 0.000042, "balance_usd": 12.34
        }
      ]
    "#);
    let mistake = json!({"input": "Hello.", "voice": "af_skye", "speed": 9});
    assert_snapshot!(server.transcript("venice_tts", mistake).await, @r#"
    venice_tts {"input":"Hello.","voice":"af_skye","speed":9}
    < isError
    < text
      an argument is not valid
      - `speed`: must be at most 4
      hint: correct the arguments and call again; nothing was spent
    "#);
}

#[tokio::test]
async fn every_argument_reaches_venice() {
    let server = Setup::new().start().await;
    let arguments = json!({"input": "Hello.", "model": "tts-qwen3-1-7b", "prompt": "Very happy.",
        "temperature": 0.9, "top_p": 0.8, "language": "English", "speed": 1.5});
    let result = server.call("venice_tts", arguments.clone()).await;
    assert!(!is_error(&result), "{}", text(&result));
    assert_eq!(spoken(&server)[0], arguments);
}

#[tokio::test]
async fn long_text_is_spoken_in_parts_and_joined() {
    let server = Setup::new().set("VENICE_INLINE_LIMIT", "64MiB").start().await;
    let input = "This is a sentence that goes on for a while. ".repeat(200);
    for (format, mime_type) in
        [("wav", "audio/wav"), ("mp3", "audio/mpeg"), ("pcm", "audio/pcm"), ("opus", "audio/opus")]
    {
        let before = spoken(&server).len();
        let arguments = json!({"input": input, "response_format": format});
        let result = server.call("venice_tts", arguments).await;
        assert_eq!(kinds(&result), ["text", "resource"], "{}", text(&result));
        assert_eq!(blobs(&result)[0].1, mime_type);
        let parts = spoken(&server).len() - before;
        assert!(parts >= 3, "{parts} parts");
        let line = format!("joined from {parts} parts");
        assert!(text(&result).lines().any(|one| one == line), "{}", text(&result));
    }
    let flac = json!({"input": input, "response_format": "flac"});
    assert_snapshot!(server.said("venice_tts", flac).await, @"
    error: an argument is not valid
    - `response_format`: `flac` takes one part alone, and this text makes 3
    hint: choose wav or mp3, or speak a shorter text; nothing was spent
    ");
}

#[tokio::test]
async fn a_joined_wav_says_how_long_it_is() {
    let server = Setup::new().set("VENICE_INLINE_LIMIT", "64MiB").start().await;
    let one = json!({"input": "Short.", "response_format": "wav"});
    let one = media_items(&server.call("venice_tts", one).await)[0]["seconds"].as_f64().unwrap();
    let long = "A sentence that goes on for a while. ".repeat(300);
    let all = json!({"input": long, "response_format": "wav"});
    let all = server.call("venice_tts", all).await;
    let (_, _, bytes) = &blobs(&all)[0];
    let size = u32::from_le_bytes(bytes[4..8].try_into().unwrap()) as usize;
    assert_eq!(size + 8, bytes.len());
    assert!(media_items(&all)[0]["seconds"].as_f64().unwrap() > one);
}

#[tokio::test]
async fn voices_and_formats_are_checked_against_the_catalog() {
    let server = Setup::new().start().await;
    let refused = [
        json!({"input": "Hello.", "voice": "af_skj"}),
        json!({"input": "Hello.", "model": "tts-orpheus", "response_format": "mp3"}),
        json!({"input": "  "}),
    ];
    assert_snapshot!(server.said_each("venice_tts", refused).await, @r#"
    {"input":"Hello.","voice":"af_skj"}
      error: an argument is not valid
      - `voice`: `af_skj` is not a voice of tts-kokoro; near ones: `af_sky`
      hint: correct the arguments and call again; nothing was spent
    {"input":"Hello.","model":"tts-orpheus","response_format":"mp3"}
      error: an argument is not valid
      - `response_format`: `mp3` is not offered by tts-orpheus; it offers `wav`
      hint: correct the arguments and call again; nothing was spent
    {"input":"  "}
      error: an argument is not valid
      - `input`: must not be blank
      hint: correct the arguments and call again; nothing was spent
    "#);
    assert!(spoken(&server).is_empty());
}

#[tokio::test]
async fn a_model_from_the_settings_is_used() {
    let server = Setup::new().set("VENICE_TTS_MODEL", "tts-orpheus").start().await;
    let result = server.call("venice_tts", json!({"text": "Hello."})).await;
    assert_eq!(blobs(&result)[0].1, "audio/wav", "{}", text(&result));
}

#[tokio::test]
async fn venice_asr() {
    let server = Setup::new().file("talk.wav", &wav(6)).file("cat.png", &png(9, 9)).start().await;
    let call = server.transcript("venice_asr", json!({"file": "talk.wav"})).await;
    assert_snapshot!(call, @r#"
    venice_asr {"file":"talk.wav"}
    > GET /models?type=asr
    > POST /audio/transcriptions
      {"model":"nvidia/parakeet-tdt-0.6b-v3","file":"<talk.wav, 96044 bytes>"}
    < text
      Hello from the sandbox. This is what the recording says.
    < text
      about $0.0006, balance before $12.34
    "#);
    let mistake = server.transcript("venice_asr", json!({"file": "cat.png"})).await;
    assert_snapshot!(mistake, @r#"
    venice_asr {"file":"cat.png"}
    < isError
    < text
      an argument is not valid
      - `file`: cat.png is an image (image/png); an audio file or a video is needed
      hint: correct the arguments and call again; nothing was spent
    "#);
}

#[tokio::test]
async fn subtitles_are_made_from_times() {
    let server = Setup::new().file("talk.wav", &wav(6)).start().await;
    for (form, start) in [("srt", "1\n00:00:0"), ("vtt", "WEBVTT\n\n00:00:0")] {
        let arguments = json!({"file": "talk.wav", "subtitles": form});
        let result = server.call("venice_asr", arguments).await;
        // The file alone is the first block, so that it can be saved as it is.
        let [file, remarks] = texts(&result)[..] else { panic!("{result}") };
        assert!(file.starts_with(start) && file.trim_end().ends_with('.'), "{file}");
        insta::allow_duplicates! {
            assert_snapshot!(remarks, @"about $0.0006, balance before $12.34");
        }
    }
    let body = server.sent("/audio/transcriptions").remove(0);
    assert_eq!(body["model"], "openai/whisper-large-v3");
    assert_eq!(body["timestamps"], "true");
}

#[tokio::test]
async fn speech_made_here_is_transcribed_as_the_last_item() {
    let server = Setup::new().start().await;
    server.call("venice_tts", json!({"input": "Hello."})).await;
    let last = json!({"file": "last", "timestamps": true});
    assert_snapshot!(server.said("venice_asr", last).await, @r#"
    {"text":"Hello from the sandbox. This is what the recording says.","duration":3.0,"timestamps":{"segment":[{"text":"Hello from the sandbox.","start":0.0,"end":1.2},{"text":"This is what the recording says.","start":1.2,"end":3.0}],"word":[{"word":"Hello","start":0.0,"end":0.3},{"word":"from","start":0.3,"end":0.6},{"word":"the","start":0.6,"end":0.9},{"word":"sandbox.","start":0.9,"end":1.2},{"word":"This","start":1.2,"end":1.5},{"word":"is","start":1.5,"end":1.8},{"word":"what","start":1.8,"end":2.1},{"word":"the","start":2.1,"end":2.4},{"word":"recording","start":2.4,"end":2.7},{"word":"says.","start":2.7,"end":3.0}]}}
    `last` was venice://media/hello-<id>
    about $0.0001, balance before $12.34
    "#);
    // Venice takes Opus by the name of its container alone.
    server.call("venice_tts", json!({"input": "Hello.", "response_format": "opus"})).await;
    let result = server.call("venice_asr", json!({"file": "last"})).await;
    assert!(!is_error(&result), "{}", text(&result));
    let file = server.sent("/audio/transcriptions").pop().unwrap()["file"].to_string();
    let name = std::path::Path::new(file.split(',').next().unwrap());
    assert_eq!(name.extension().unwrap(), "ogg", "{file}");
}
