//! Video, and what holds for all jobs.

mod loss;
mod wrong_media;

use rmcp::model::CallToolResult;
use serde_json::{Value, json};

use crate::harness::{Setup, World, error, kinds, text};

const TEXT: &str = "kling-2.6-pro-text-to-video";

fn waves(wait: u32) -> Value {
    json!({"model": TEXT, "prompt": "waves", "duration": "5s", "aspect_ratio": "16:9",
        "wait_seconds": wait})
}

/// What the result says of its job to programs.
fn job(result: &CallToolResult) -> Value {
    let meta = result.meta.as_ref().unwrap_or_else(|| panic!("{}", text(result)));
    meta.0.get("ai.venice/job").unwrap_or_else(|| panic!("{}", text(result))).clone()
}

fn requests(world: &World, path: &str) -> usize {
    world.sandbox.seen().iter().filter(|seen| seen.path.ends_with(path)).count()
}

fn sent(world: &World, path: &str) -> Value {
    let seen = world.sandbox.seen();
    let last = seen.iter().rev().find(|seen| seen.path.ends_with(path));
    last.unwrap_or_else(|| panic!("{path} was not requested")).body.clone()
}

async fn status(world: &World, job: &Value, wait: u32) -> CallToolResult {
    world.call("venice_video_status", json!({"job": job, "wait_seconds": wait})).await
}

#[tokio::test]
async fn a_call_waits_for_its_video_and_stores_it() {
    let world = Setup::new().polls(1).start().await;
    let result = world.call("venice_video_generate", waves(30)).await;
    assert_eq!(kinds(&result), ["text", "resource_link"], "{}", text(&result));
    let job = job(&result);
    assert_eq!(job["status"], "stored");
    assert_eq!((&job["kind"], &job["model"]), (&json!("video"), &json!(TEXT)));
    assert!(job["price_usd"].as_f64().unwrap() > 0.0, "{job}");
    let uri = job["media"].as_str().unwrap();
    assert!(text(&result).starts_with("video/mp4 ") && text(&result).contains(uri));
    assert_eq!(&world.read(uri).await.unwrap()[4..8], b"ftyp");
    let body = json!({"model": TEXT, "prompt": "waves", "duration": "5s", "aspect_ratio": "16:9"});
    assert_eq!(sent(&world, "/video/queue"), body);
    assert_eq!(requests(&world, "/video/retrieve"), 2);
}

#[tokio::test]
async fn a_running_job_says_what_to_call_next_and_is_no_error() {
    let world = Setup::new().polls(1).start().await;
    let queued = world.call("venice_video_generate", waves(0)).await;
    assert_ne!(queued.is_error, Some(true), "{}", text(&queued));
    let id = job(&queued)["job"].clone();
    assert_eq!(job(&queued)["status"], "queued");
    let next = format!("venice_video_status with {{\"job\":{id},\"wait_seconds\":50}}");
    assert!(text(&queued).contains(&next), "{}", text(&queued));
    let done = status(&world, &id, 30).await;
    assert_eq!(kinds(&done), ["text", "resource_link"], "{}", text(&done));
    let again = status(&world, &id, 0).await;
    assert_eq!(job(&again)["media"], job(&done)["media"]);
    assert_eq!(requests(&world, "/video/queue"), 1);
}

#[tokio::test]
async fn the_same_call_is_the_same_job_and_is_charged_once() {
    let world = Setup::new().polls(0).start().await;
    let (one, two) = tokio::join!(
        world.call("venice_video_generate", waves(0)),
        world.call("venice_video_generate", waves(20)),
    );
    assert_eq!(job(&one)["job"], job(&two)["job"]);
    let three = world.call("venice_video_generate", waves(20)).await;
    assert!(text(&three).contains("the same call was made at"), "{}", text(&three));
    assert_eq!(job(&three)["media"], job(&two)["media"]);
    assert_eq!(requests(&world, "/video/queue"), 1);
    let mut other = waves(0);
    other["prompt"] = json!("other waves");
    let other = world.call("venice_video_generate", other).await;
    assert_ne!(job(&other)["job"], job(&one)["job"]);
}

#[tokio::test]
async fn the_same_call_is_found_though_the_budget_is_spent() {
    let one = Setup::new().polls(0).set("VENICE_BUDGET_USD", "1000").start().await;
    let result = one.call("venice_video_generate", waves(20)).await;
    let price = job(&result)["price_usd"].as_f64().unwrap();
    let budget = (price * 1.5).to_string();
    let world = Setup::new().polls(0).set("VENICE_BUDGET_USD", &budget).start().await;
    let first = world.call("venice_video_generate", waves(20)).await;
    let again = world.call("venice_video_generate", waves(20)).await;
    assert!(text(&again).contains("the same call was made at"), "{}", text(&again));
    assert_eq!(job(&again)["media"], job(&first)["media"]);
    let mut other = waves(0);
    other["prompt"] = json!("other waves");
    let refused = error(&world.call("venice_video_generate", other).await);
    assert!(refused.contains("budget"), "{refused}");
}

#[tokio::test]
async fn a_job_of_another_server_is_known_by_model_and_queue_id() {
    let world = Setup::new().polls(1).start().await;
    let queued = job(&world.call("venice_video_generate", waves(0)).await);
    let other = Setup::new().start_on(world.sandbox.clone()).await;
    let arguments = json!({"model": TEXT, "queue_id": queued["queue_id"], "wait_seconds": 30,
        "save_as": "found"});
    let found = other.call("venice_video_status", arguments.clone()).await;
    assert_eq!(job(&found)["status"], "stored", "{}", text(&found));
    assert!(text(&found).contains("venice://media/found-"), "{}", text(&found));
    let again = other.call("venice_video_status", arguments).await;
    assert_eq!(job(&again)["media"], job(&found)["media"]);
}

#[tokio::test]
async fn what_is_unknown_is_named() {
    let world = World::start().await;
    let arguments = json!({"model": TEXT, "queue_id": "no-such-id", "wait_seconds": 0});
    let unknown = error(&world.call("venice_video_status", arguments).await);
    assert!(unknown.contains("`queue_id`") && unknown.contains("`no-such-id`"), "{unknown}");
    let unknown = error(&status(&world, &json!("job-0123456789abcdef"), 0).await);
    assert!(unknown.contains("`job`") && unknown.contains("job-0123456789abcdef"), "{unknown}");
    let none = error(&world.call("venice_video_status", json!({})).await);
    assert!(none.contains("model and queue_id"), "{none}");
    assert!(!world.out().join(".venice/jobs").exists(), "nothing is recorded of them");
}

#[tokio::test]
async fn what_lies_elsewhere_is_fetched_and_deleted_there() {
    let world = Setup::new().polls(0).start().await;
    let arguments = json!({"model": "grok-imagine-text-to-video-private", "prompt": "waves",
        "duration": 5, "aspect_ratio": "16:9"});
    let result = world.call("venice_video_generate", arguments).await;
    assert_eq!(job(&result)["status"], "stored", "{}", text(&result));
    assert_eq!(sent(&world, "/video/queue")["duration"], "5s");
    let id = &job(&result)["job"];
    let done = world.call("venice_video_complete", json!({"job": id})).await;
    assert_eq!(job(&done)["status"], "deleted", "{}", text(&done));
}

#[tokio::test]
async fn complete_stores_first_and_leaves_a_running_job_alone() {
    let world = Setup::new().polls(1).start().await;
    let id = job(&world.call("venice_video_generate", waves(0)).await)["job"].clone();
    let running = world.call("venice_video_complete", json!({"job": id})).await;
    assert!(text(&running).contains("nothing was deleted"), "{}", text(&running));
    let stored = status(&world, &id, 30).await;
    let done = world.call("venice_video_complete", json!({"job": id})).await;
    assert_eq!(kinds(&done), ["text", "resource_link"], "{}", text(&done));
    assert_eq!(job(&done)["status"], "deleted");
    assert_eq!(sent(&world, "/video/retrieve")["delete_media_on_completion"], true);
    let uri = job(&stored)["media"].as_str().unwrap().to_owned();
    assert_eq!(&world.read(&uri).await.unwrap()[4..8], b"ftyp");
    let seen = requests(&world, "/video/retrieve");
    let again = world.call("venice_video_complete", json!({"job": id})).await;
    assert!(text(&again).contains("deleted at Venice before"), "{}", text(&again));
    assert_eq!(requests(&world, "/video/retrieve"), seen);
}

#[tokio::test]
async fn a_status_deletes_only_where_it_may() {
    let world = Setup::new().polls(0).start().await;
    let id = job(&world.call("venice_video_generate", waves(20)).await)["job"].clone();
    let reading = Setup::new().set("VENICE_READ_ONLY", "1").start_on(world.sandbox.clone()).await;
    let names: Vec<_> = reading.tools().await.into_iter().map(|tool| tool.name).collect();
    assert!(names.iter().any(|name| name == "venice_video_status"), "{names:?}");
    assert!(!names.iter().any(|name| name == "venice_video_complete"), "{names:?}");
    let delete = json!({"job": id, "delete_media_on_completion": true});
    let refused = error(&reading.call("venice_video_status", delete.clone()).await);
    assert!(refused.contains("read-only"), "{refused}");
    let done = world.call("venice_video_status", delete).await;
    assert_eq!(job(&done)["status"], "deleted", "{}", text(&done));
    assert!(text(&done).contains("deleted at Venice"), "{}", text(&done));
}

#[tokio::test]
async fn a_refused_job_says_whether_it_was_charged_and_is_not_asked_for_again() {
    let world = Setup::new().polls(0).start().await;
    let mut arguments = waves(20);
    arguments["prompt"] = json!("a violation");
    let refused = error(&world.call("venice_video_generate", arguments).await);
    assert!(refused.contains("the credit was refunded"), "{refused}");
    let id = refused.split('`').find(|word| word.starts_with("job-")).unwrap();
    let seen = requests(&world, "/video/retrieve");
    let again = error(&status(&world, &json!(id), 20).await);
    assert!(again.contains("refunded"), "{again}");
    assert_eq!(requests(&world, "/video/retrieve"), seen);
}

#[tokio::test]
async fn consent_is_asked_for_and_passed_on() {
    let world = Setup::new().polls(0).start().await;
    let mut arguments = json!({"model": "seedance-2-0-reference-to-video-basic", "duration": "5s",
        "prompt": "a face that needs consent", "aspect_ratio": "16:9",
        "reference_image_urls": "https://example.com/face.png"});
    let policy = error(&world.call("venice_video_generate", arguments.clone()).await);
    assert!(policy.contains("I have the right to use this likeness."), "{policy}");
    arguments["consents"] = json!({"seedance": {"a": true, "b": true, "c": true}});
    let result = world.call("venice_video_generate", arguments).await;
    assert_eq!(job(&result)["status"], "stored", "{}", text(&result));
}

#[tokio::test]
async fn the_catalog_judges_a_call_before_anything_is_spent() {
    let world = World::start().await;
    let wrong = json!({"model": TEXT, "prompt": "waves", "duration": "7s",
        "image_url": "https://example.com/a.png", "upscale_factor": 2});
    let problems = error(&world.call("venice_video_generate", wrong).await);
    for name in ["`duration`", "`5s`, `10s`", "`aspect_ratio`", "`image_url`", "`upscale_factor`"] {
        assert!(problems.contains(name), "{name}: {problems}");
    }
    let near = json!({"model": "kling-2.6-pro-text-to-vide", "prompt": "waves", "duration": "5s"});
    assert!(error(&world.call("venice_video_generate", near).await).contains(TEXT));
    assert_eq!(requests(&world, "/video/queue"), 0);
}

#[tokio::test]
async fn files_become_part_of_the_request_and_urls_pass() {
    const CLIP: &[u8] = include_bytes!("../../../src/sandbox/media/clip.mp4");
    let world = Setup::new().polls(0).file("clip.mp4", CLIP).start().await;
    let clip = world.home.path().join("in/clip.mp4");
    let arguments = json!({"model": "seedance-2-0-reference-to-video-basic", "prompt": "waves",
        "duration": "5s", "aspect_ratio": "16:9", "reference_video_urls": [clip],
        "keyframes": [{"image_url": "https://example.com/a.png", "frame_index": 3}]});
    let result = world.call("venice_video_generate", arguments).await;
    assert_eq!(job(&result)["status"], "stored", "{}", text(&result));
    let body = sent(&world, "/video/queue");
    // The sandbox's log says of long texts how long they are.
    let length = "data:video/mp4;base64,".len() + CLIP.len().div_ceil(3) * 4;
    assert_eq!(body["reference_video_urls"][0], format!("<{length} bytes of text>"));
    assert_eq!(body["keyframes"][0]["image_url"], "https://example.com/a.png");
    let quote = sent(&world, "/video/quote");
    assert!(quote["reference_video_total_duration"].as_f64().unwrap() > 1.0, "{quote}");
    let wrong = json!({"model": "kling-2.6-pro-image-to-video", "prompt": "waves", "duration": "5s",
        "image_url": clip});
    assert!(error(&world.call("venice_video_generate", wrong).await).contains("`image_url`"));
}

#[tokio::test]
async fn jobs_are_a_resource() {
    let world = Setup::new().polls(0).start().await;
    let result = world.call("venice_video_generate", waves(20)).await;
    let listed = world.read("venice://jobs").await.unwrap();
    let listed: Value = serde_json::from_slice(&listed).unwrap();
    assert_eq!(listed, json!({"jobs": [job(&result)]}));
    let shown = world.client().list_all_resources().await.unwrap();
    assert!(shown.iter().any(|resource| resource.uri == "venice://jobs"), "{shown:?}");
}

#[tokio::test]
async fn a_quote_is_data() {
    let world = World::start().await;
    let arguments = json!({"model": TEXT, "duration": "5s", "aspect_ratio": "16:9"});
    let result = world.call("venice_video_quote", arguments).await;
    assert!(result.structured_content.unwrap()["quote"].as_f64().unwrap() > 0.0);
    let wrong = json!({"model": TEXT, "duration": "7s"});
    assert!(error(&world.call("venice_video_quote", wrong).await).contains("`10s`"));
}

#[tokio::test]
async fn the_plural_paths_are_used_where_they_are_set() {
    let world = Setup::new().polls(0).plural().start().await;
    let result = world.call("venice_video_generate", waves(20)).await;
    assert_eq!(job(&result)["status"], "stored", "{}", text(&result));
    let done = world.call("venice_video_complete", json!({"job": job(&result)["job"]})).await;
    assert_eq!(job(&done)["status"], "deleted", "{}", text(&done));
    let seen = world.sandbox.seen();
    let last = seen.last().unwrap();
    assert_eq!(last.method, "GET");
    assert!(last.path.contains("/videos/generations/"), "{}", last.path);
    assert!(last.query.contains("delete_media_on_completion=true"), "{}", last.query);
}
