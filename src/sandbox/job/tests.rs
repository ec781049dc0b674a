//! Tests of jobs from queue to media.

use serde_json::{Value, json};

use crate::sandbox::Settings;
use crate::sandbox::test::{Bench, Got};

const KLING: &str = "kling-2.6-pro-text-to-video";

fn clip(model: &str) -> Value {
    json!({ "model": model, "prompt": "a gondola", "duration": "5s", "aspect_ratio": "16:9" })
}

async fn queued(bench: &Bench, path: &str, body: Value) -> Value {
    let got = bench.post(path, body).await;
    assert_eq!(got.status, 200, "{}", got.text());
    let body = got.json();
    json!({ "model": body["model"], "queue_id": body["queue_id"], "download_url": body["download_url"] })
}

async fn polled(bench: &Bench, path: &str, job: &Value, delete: bool) -> Got {
    let body = json!({ "model": job["model"], "queue_id": job["queue_id"], "delete_media_on_completion": delete });
    bench.post(path, body).await
}

#[tokio::test]
async fn a_clip_comes_after_two_polls_and_goes_with_the_delete_flag() {
    let bench = Bench::new().await;
    let job = queued(&bench, "/video/queue", clip(KLING)).await;
    for _ in 0..2 {
        assert_eq!(
            polled(&bench, "/video/retrieve", &job, true).await.json()["status"],
            "PROCESSING"
        );
    }
    let got = polled(&bench, "/video/retrieve", &job, false).await;
    assert_eq!((got.header("content-type"), &got.bytes[4..8]), ("video/mp4", &b"ftyp"[..]));
    let complete = json!({ "model": KLING, "queue_id": job["queue_id"] });
    assert_eq!(bench.post("/video/complete", complete).await.status, 400);
    assert_eq!(
        polled(&bench, "/video/retrieve", &job, true).await.header("content-type"),
        "video/mp4"
    );
    let got = polled(&bench, "/video/retrieve", &job, false).await;
    assert_eq!((got.status, got.error().as_str()), (400, "Request ID is invalid."));
}

#[tokio::test]
async fn a_grok_clip_lies_behind_its_download_url_and_needs_no_key() {
    let mut bench = Bench::with(Settings { polls: 0, ..Settings::default() }).await;
    let job = queued(&bench, "/video/queue", clip("grok-imagine-text-to-video-private")).await;
    assert_eq!(polled(&bench, "/video/retrieve", &job, true).await.json()["status"], "COMPLETED");
    let url = job["download_url"].as_str().expect("a URL");
    let path = &url[bench.sandbox.base_url().trim_end_matches("/api/v1").len()..];
    bench.key = "";
    assert_eq!(bench.send("GET", path, "", b"").await.header("content-type"), "video/mp4");
    assert_eq!(bench.send("DELETE", path, "", b"").await.status, 204);
    assert_eq!(bench.send("GET", path, "", b"").await.status, 404);
}

#[tokio::test]
async fn what_a_video_model_lacks_is_refused() {
    let bench = Bench::new().await;
    let image = "https://example.com/a.png";
    for (model, change, message) in [
        (KLING, json!({ "aspect_ratio": null }), "Expected string, received null"),
        (
            KLING,
            json!({ "aspect_ratio": "21:9" }),
            "Invalid aspect_ratio for kling-2.6-pro-text-to-video. Supported values: 16:9, 9:16, 1:1",
        ),
        (
            KLING,
            json!({ "duration": "6s" }),
            "Invalid duration for kling-2.6-pro-text-to-video. Supported values: 5s, 10s",
        ),
        (
            KLING,
            json!({ "resolution": "720p" }),
            "resolution is not supported by kling-2.6-pro-text-to-video",
        ),
        (
            KLING,
            json!({ "image_url": image }),
            "image_url is not supported by kling-2.6-pro-text-to-video",
        ),
        (KLING, json!({ "seed": 1 }), "Unrecognized key(s) in object: 'seed'"),
        (
            "kling-2.6-pro-image-to-video",
            json!({ "image_url": image }),
            "aspect_ratio is not supported by kling-2.6-pro-image-to-video",
        ),
        (
            "grok-imagine-text-to-video-private",
            json!({ "audio": true }),
            "audio is not supported by grok-imagine-text-to-video-private",
        ),
        ("topaz-video-upscale", json!({}), "video_url is required for this model"),
        (
            "seedance-2-0-reference-to-video-basic",
            json!({ "image_url": "http://10.0.0.1/a.png" }),
            "Invalid URL: the host is not public",
        ),
    ] {
        let mut body = clip(model);
        body.as_object_mut()
            .expect("an object")
            .extend(change.as_object().expect("an object").clone());
        let got = bench.post("/video/queue", body).await;
        assert_eq!((got.status, got.error().as_str()), (400, message), "{change}");
    }
}

#[tokio::test]
async fn upscaling_needs_no_prompt_and_a_face_needs_consent() {
    let bench = Bench::new().await;
    let image = "https://example.com/a.png";
    let body = json!({ "model": KLING, "prompt": "x", "duration": "5s" });
    assert_eq!(
        bench.post("/video/queue", body).await.error(),
        "aspect_ratio is required for this model"
    );
    let body = json!({ "model": "topaz-video-upscale", "video_url": "https://example.com/a.mp4", "upscale_factor": 2 });
    assert_eq!(bench.post("/video/queue", body).await.status, 200);
    let mut body = clip("seedance-2-0-reference-to-video-basic");
    body["prompt"] = json!("a consent case");
    body["reference_image_urls"] = json!([image]);
    assert_eq!(bench.post("/video/queue", body.clone()).await.status, 409);
    body["consents"] = json!({ "seedance": { "a": true, "b": true, "c": true } });
    assert_eq!(bench.post("/video/queue", body).await.status, 200);
}

#[tokio::test]
async fn a_blocked_job_fails_when_it_is_retrieved() {
    let bench = Bench::with(Settings { polls: 0, ..Settings::default() }).await;
    let mut body = clip(KLING);
    body["prompt"] = json!("a violation");
    let job = queued(&bench, "/video/queue", body).await;
    let got = polled(&bench, "/video/retrieve", &job, false).await;
    assert_eq!(
        (got.status, &got.json()["error"]["type"]),
        (422, &json!("provider_content_policy"))
    );
}

#[tokio::test]
async fn plural_paths_poll_by_path() {
    let bench = Bench::with(Settings { plural: true, polls: 1 }).await;
    let job = queued(&bench, "/videos/generations", clip(KLING)).await;
    let path = format!("/videos/generations/{}", job["queue_id"].as_str().expect("an id"));
    assert_eq!(bench.get(&path).await.json()["status"], "PROCESSING");
    assert_eq!(bench.get(&path).await.header("content-type"), "video/mp4");
    let got =
        bench.post("/videos/generations/quote", json!({ "model": KLING, "duration": "5s" })).await;
    assert_eq!(got.json()["quote"], 0.7);
}

#[tokio::test]
async fn music_is_quoted_queued_collected_and_completed() {
    let bench = Bench::with(Settings { polls: 1, ..Settings::default() }).await;
    let quote = bench
        .post("/audio/quote", json!({ "model": "ace-step-15", "duration_seconds": "90" }))
        .await;
    assert_eq!(quote.json()["quote"], 0.04);
    let body =
        json!({ "model": "ace-step-15", "prompt": "slow strings at dusk", "duration_seconds": 60 });
    let job = queued(&bench, "/audio/queue", body).await;
    let complete = json!({ "model": "ace-step-15", "queue_id": job["queue_id"] });
    assert_eq!(bench.post("/audio/complete", complete.clone()).await.json()["success"], false);
    assert_eq!(polled(&bench, "/audio/retrieve", &job, false).await.json()["status"], "PROCESSING");
    let got = polled(&bench, "/audio/retrieve", &job, false).await;
    assert_eq!((got.header("content-type"), &got.bytes[..4]), ("audio/flac", &b"fLaC"[..]));
    assert_eq!(bench.post("/audio/complete", complete).await.json()["success"], true);
    assert_eq!(polled(&bench, "/audio/retrieve", &job, false).await.status, 400);
}

#[tokio::test]
async fn what_a_music_model_lacks_is_refused() {
    let bench = Bench::new().await;
    for (body, message) in [
        (
            json!({ "model": "ace-step-15", "prompt": "short" }),
            "prompt must be at least 10 characters",
        ),
        (
            json!({ "model": "ace-step-15", "prompt": "slow strings", "duration_seconds": 61 }),
            "duration_seconds must be one of 60, 90, 120, 150, 180, 210",
        ),
        (
            json!({ "model": "ace-step-15", "prompt": "slow strings", "loop": true }),
            "loop is not supported by ace-step-15",
        ),
        (
            json!({ "model": "ace-step-15", "prompt": "slow strings", "lyrics": "la" }),
            "Unrecognized key(s) in object: 'lyrics'",
        ),
        (
            json!({ "model": "minimax-music-v2", "prompt": "slow strings" }),
            "lyrics_prompt is required by minimax-music-v2",
        ),
        (
            json!({ "model": "minimax-music-v2", "prompt": "slow strings", "lyrics_prompt": "la", "duration_seconds": 60 }),
            "duration_seconds is not supported by minimax-music-v2",
        ),
        (
            json!({ "model": "elevenlabs-tts-v3", "prompt": "hello", "speed": 2 }),
            "speed must be between 0.7 and 1.2",
        ),
    ] {
        let got = bench.post("/audio/queue", body).await;
        assert_eq!((got.status, got.error().as_str()), (400, message));
    }
    let body = json!({ "model": "minimax-music-v26", "prompt": "slow strings", "force_instrumental": true });
    assert_eq!(bench.post("/audio/queue", body).await.status, 200);
    assert_eq!(
        bench.post("/audio/quote", json!({ "model": "elevenlabs-tts-v3" })).await.status,
        400
    );
}
