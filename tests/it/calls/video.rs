//! Videos.

mod jobs;
mod loss;
mod wrong_media;

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::harness::{Client as _, Setup, TestServer, is_error, kinds, text};

const GENERATE: &str = "venice_video_generate";
const STATUS: &str = "venice_video_status";
const COMPLETE: &str = "venice_video_complete";
const MODEL: &str = "kling-2.6-pro-text-to-video";

fn waves(wait: u32) -> Value {
    json!({"model": MODEL, "prompt": "waves", "duration": "5s", "aspect_ratio": "16:9",
        "wait_seconds": wait})
}

fn other_waves() -> Value {
    json!({"model": MODEL, "prompt": "other waves", "duration": "5s", "aspect_ratio": "16:9",
        "wait_seconds": 0})
}

/// What the result says of its job to programs.
fn job(result: &Value) -> Value {
    let job = &result["_meta"]["ai.venice/job"];
    assert!(job.is_object(), "{result}");
    job.clone()
}

fn last(server: &TestServer, path: &str) -> Value {
    server.sent(path).pop().unwrap_or_else(|| panic!("{path} was not requested"))
}

async fn status(server: &TestServer, job: &Value, wait: u32) -> Value {
    server.call(STATUS, json!({"job": job, "wait_seconds": wait})).await
}

#[tokio::test]
async fn venice_video_generate() {
    let server = Setup::new().polls(0).start().await;
    assert_snapshot!(server.transcript(GENERATE, waves(30)).await, @r#"
    venice_video_generate {"model":"kling-2.6-pro-text-to-video","prompt":"waves","duration":"5s","aspect_ratio":"16:9","wait_seconds":30}
    > GET /models?type=video
    > POST /video/quote
      {"model":"kling-2.6-pro-text-to-video","duration":"5s","aspect_ratio":"16:9"}
    > POST /video/queue
      {"model":"kling-2.6-pro-text-to-video","prompt":"waves","duration":"5s","aspect_ratio":"16:9"}
    > POST /video/retrieve
      {"model":"kling-2.6-pro-text-to-video","queue_id":"<uuid>"}
    < text
      video/mp4 2.0 s 11 kB | venice://media/waves-<id> | <home>/out/waves-<id>.mp4 | model kling-2.6-pro-text-to-video | about $0.70
      job job-<id>
    < resource_link
      {
        "type": "resource_link", "uri": "venice://media/waves-<id>",
        "name": "waves-<id>.mp4", "mimeType": "video/mp4", "size": 11496
      }
    _meta ai.venice/job
      {
        "job": "job-<id>", "kind": "video", "model": "kling-2.6-pro-text-to-video",
        "queue_id": "<uuid>", "status": "stored", "price_usd": 0.7,
        "queued_at": "<time>", "media": "venice://media/waves-<id>"
      }
    _meta ai.venice/media
      [
        {
          "uri": "venice://media/waves-<id>", "mimeType": "video/mp4", "bytes": 11496,
          "seconds": 2.043, "path": "<home>/out/waves-<id>.mp4",
          "sha256": "<hash>",
          "model": "kling-2.6-pro-text-to-video", "cost_usd": 0.7
        }
      ]
    "#);
    let mistake = json!({"model": MODEL, "prompt": "waves", "duration": "7s",
        "image_url": "https://example.com/a.png", "upscale_factor": 2});
    assert_snapshot!(server.transcript(GENERATE, mistake).await, @r#"
    venice_video_generate {"model":"kling-2.6-pro-text-to-video","prompt":"waves","duration":"7s","image_url":"https://example.com/a.png","upscale_factor":2}
    < isError
    < text
      some arguments are not valid
      - `duration`: `7s` is not offered by kling-2.6-pro-text-to-video; it offers `5s`, `10s`
      - `aspect_ratio`: is required by kling-2.6-pro-text-to-video; it offers `16:9`, `9:16`, `1:1`
      - `upscale_factor`: is not for kling-2.6-pro-text-to-video, which makes no clip larger
      - `image_url`: is not taken by kling-2.6-pro-text-to-video; use an image-to-video model
      hint: correct the arguments and call again; nothing was spent
    "#);
    let near = json!({"model": "kling-2.6-pro-text-to-vide", "prompt": "waves", "duration": "5s"});
    assert_snapshot!(server.said(GENERATE, near).await, @"
    error: an argument is not valid
    - `model`: `kling-2.6-pro-text-to-vide` is not a known video model; near ids: `kling-2.6-pro-text-to-video`, `kling-2.6-pro-image-to-video`
    hint: venice_list_models with type `video` lists them; nothing was spent
    ");
    assert_eq!(server.sent("/video/queue").len(), 1);
}

#[tokio::test]
async fn a_call_waits_for_its_video_and_stores_it() {
    let server = Setup::new().polls(1).start().await;
    let result = server.call(GENERATE, waves(30)).await;
    let uri = job(&result)["media"].as_str().unwrap().to_owned();
    assert_eq!(&server.read(&uri).await.unwrap()[4..8], b"ftyp");
    assert_eq!(server.sent("/video/retrieve").len(), 2);
}

#[tokio::test]
async fn the_same_call_is_the_same_job_and_is_charged_once() {
    let server = Setup::new().polls(0).start().await;
    let (one, two) =
        tokio::join!(server.call(GENERATE, waves(0)), server.call(GENERATE, waves(20)));
    assert_eq!(job(&one)["job"], job(&two)["job"]);
    let three = server.call(GENERATE, waves(20)).await;
    assert_snapshot!(server.text(&three), @"
    video/mp4 2.0 s 11 kB | venice://media/waves-<id> | <home>/out/waves-<id>.mp4 | model kling-2.6-pro-text-to-video | about $0.70
    the same call was made at <time>: this is its job job-<id>; nothing more was charged
    job job-<id>
    ");
    assert_eq!(job(&three)["media"], job(&two)["media"]);
    assert_eq!(server.sent("/video/queue").len(), 1);
    let other = server.call(GENERATE, other_waves()).await;
    assert_ne!(job(&other)["job"], job(&one)["job"]);
}

#[tokio::test]
async fn the_same_call_is_found_though_the_budget_is_spent() {
    let one = Setup::new().polls(0).set("VENICE_BUDGET_USD", "1000").start().await;
    let result = one.call(GENERATE, waves(20)).await;
    let price = job(&result)["price_usd"].as_f64().unwrap();
    let budget = (price * 1.5).to_string();
    let server = Setup::new().polls(0).set("VENICE_BUDGET_USD", &budget).start().await;
    let first = server.call(GENERATE, waves(20)).await;
    let again = server.call(GENERATE, waves(20)).await;
    assert_eq!(job(&again)["media"], job(&first)["media"]);
    assert_eq!(server.sent("/video/queue").len(), 1);
    assert_snapshot!(server.said(GENERATE, other_waves()).await, @"
    error: the call would cost about $0.70, and $0.70 of today's $1.<id> of --budget-usd are spent or reserved
    hint: wait for the next UTC day, or raise VENICE_BUDGET_USD; nothing was spent
    ");
}

#[tokio::test]
async fn what_is_stored_elsewhere_is_fetched_and_deleted_there() {
    let server = Setup::new().polls(0).start().await;
    let arguments = json!({"model": "grok-imagine-text-to-video-private", "prompt": "waves",
        "duration": 5, "aspect_ratio": "16:9"});
    let result = server.call(GENERATE, arguments).await;
    assert_eq!(job(&result)["status"], "stored", "{}", text(&result));
    assert_eq!(last(&server, "/video/queue")["duration"], "5s");
    let id = &job(&result)["job"];
    let done = server.call(COMPLETE, json!({"job": id})).await;
    assert_eq!(job(&done)["status"], "deleted", "{}", text(&done));
}

#[tokio::test]
async fn consent_is_asked_for_and_passed_on() {
    let server = Setup::new().polls(0).start().await;
    let mut arguments = json!({"model": "seedance-2-0-reference-to-video-basic", "duration": "5s",
        "prompt": "a face that needs consent", "aspect_ratio": "16:9",
        "reference_image_urls": "https://example.com/face.png"});
    assert_snapshot!(server.said(GENERATE, arguments.clone()).await, @"
    error: the user has to consent to a policy first
    Venice says: This request needs consent for face media.
    more: https://docs.venice.ai
    consent_version: 1
    face_media_roles: reference_image
    policy:
    I have the right to use this likeness.
    request id: <id>-SBX
    hint: show the user the policy; if they agree, call again with the consent it asks for
    ");
    arguments["consents"] = json!({"seedance": {"a": true, "b": true, "c": true}});
    let result = server.call(GENERATE, arguments).await;
    assert_eq!(job(&result)["status"], "stored", "{}", text(&result));
}

#[tokio::test]
async fn files_become_part_of_the_request_and_urls_pass() {
    const CLIP: &[u8] = include_bytes!("../../../src/sandbox/media/clip.mp4");
    let server = Setup::new().polls(0).file("clip.mp4", CLIP).start().await;
    let clip = server.input("clip.mp4");
    let arguments = json!({"model": "seedance-2-0-reference-to-video-basic", "prompt": "waves",
        "duration": "5s", "aspect_ratio": "16:9", "reference_video_urls": [clip],
        "keyframes": [{"image_url": "https://example.com/a.png", "frame_index": 3}]});
    let result = server.call(GENERATE, arguments).await;
    assert_eq!(job(&result)["status"], "stored", "{}", text(&result));
    let body = last(&server, "/video/queue");
    // The sandbox's log says of long texts how long they are.
    let length = "data:video/mp4;base64,".len() + CLIP.len().div_ceil(3) * 4;
    assert_eq!(body["reference_video_urls"][0], format!("<{length} bytes of text>"));
    assert_eq!(body["keyframes"][0]["image_url"], "https://example.com/a.png");
    let quote = last(&server, "/video/quote");
    assert!(quote["reference_video_total_duration"].as_f64().unwrap() > 1.0, "{quote}");
    let wrong = json!({"model": "kling-2.6-pro-image-to-video", "prompt": "waves", "duration": "5s",
        "image_url": clip});
    assert_snapshot!(server.said(GENERATE, wrong).await, @"
    error: an argument is not valid
    - `image_url`: <home>/in/clip.mp4 is a video (video/mp4); an image is needed
    hint: correct the arguments and call again; nothing was spent
    ");
}

#[tokio::test]
async fn venice_video_quote() {
    let server = Setup::new().start().await;
    let call = json!({"model": MODEL, "duration": "5s", "aspect_ratio": "16:9"});
    assert_snapshot!(server.transcript("venice_video_quote", call).await, @r#"
    venice_video_quote {"model":"kling-2.6-pro-text-to-video","duration":"5s","aspect_ratio":"16:9"}
    > GET /models?type=video
    > POST /video/quote
      {"model":"kling-2.6-pro-text-to-video","duration":"5s","aspect_ratio":"16:9"}
    < text: structuredContent
    structuredContent
      {"quote":0.7}
    "#);
    let mistake = json!({"model": MODEL, "duration": "7s"});
    assert_snapshot!(server.transcript("venice_video_quote", mistake).await, @r#"
    venice_video_quote {"model":"kling-2.6-pro-text-to-video","duration":"7s"}
    < isError
    < text
      an argument is not valid
      - `duration`: `7s` is not offered by kling-2.6-pro-text-to-video; it offers `5s`, `10s`
      hint: correct the arguments and call again; nothing was spent
    "#);
}

#[tokio::test]
async fn the_plural_paths_are_used_where_they_are_set() {
    let server = Setup::new().polls(0).plural().start().await;
    let result = server.call(GENERATE, waves(20)).await;
    assert_eq!(job(&result)["status"], "stored", "{}", text(&result));
    let done = server.call(COMPLETE, json!({"job": job(&result)["job"]})).await;
    assert_eq!(job(&done)["status"], "deleted", "{}", text(&done));
    let seen = server.requests();
    let last = seen.last().unwrap();
    let queue_id = job(&result)["queue_id"].as_str().unwrap().to_owned();
    assert_eq!(
        (last.method.as_str(), &last.path),
        ("GET", &format!("/videos/generations/{queue_id}"))
    );
    let deletes = last.query.split('&').any(|one| one == "delete_media_on_completion=true");
    assert!(deletes, "{}", last.query);
    assert!(!is_error(&done) && kinds(&done).len() == 2, "{}", text(&done));
}
