//! Jobs of videos: how far they are, and what is left of them at Venice.

use insta::assert_snapshot;
use serde_json::{Value, json};

use super::{COMPLETE, GENERATE, MODEL, STATUS, job, status, waves};
use crate::harness::{Client as _, Setup, error, text};

#[tokio::test]
async fn venice_video_status() {
    let server = Setup::new().polls(2).start().await;
    // A running job says what to call next, and is not an error.
    assert_snapshot!(server.transcript(GENERATE, waves(0)).await, @r#"
    venice_video_generate {"model":"kling-2.6-pro-text-to-video","prompt":"waves","duration":"5s","aspect_ratio":"16:9","wait_seconds":0}
    > GET /models?type=video
    > POST /video/quote
      {"model":"kling-2.6-pro-text-to-video","duration":"5s","aspect_ratio":"16:9"}
    > POST /video/queue
      {"model":"kling-2.6-pro-text-to-video","prompt":"waves","duration":"5s","aspect_ratio":"16:9"}
    < text
      job-<id> of kling-2.6-pro-text-to-video is queued at Venice, about $0.70
      next: call venice_video_status with {"job":"job-<id>","wait_seconds":50}; it goes on meanwhile. Do not call venice_video_generate again: that would be charged again.
    _meta ai.venice/job
      {
        "job": "job-<id>", "kind": "video", "model": "kling-2.6-pro-text-to-video",
        "queue_id": "<uuid>", "status": "queued", "price_usd": 0.7,
        "queued_at": "<time>"
      }
    "#);
    let id = job(&server.call(GENERATE, waves(0)).await)["job"].clone();
    let running = json!({"job": id, "wait_seconds": 0});
    assert_snapshot!(server.said(STATUS, running).await, @r#"
    job-<id> of kling-2.6-pro-text-to-video is running for 1 s; such jobs take 2 s: any moment now, about $0.70
    next: call venice_video_status with {"job":"job-<id>","wait_seconds":50}; it goes on meanwhile. Do not call venice_video_generate again: that would be charged again.
    "#);
    let call = json!({"job": id, "wait_seconds": 30});
    assert_snapshot!(server.transcript(STATUS, call).await, @r#"
    venice_video_status {"job":"job-<id>","wait_seconds":30}
    > POST /video/retrieve
      {"model":"kling-2.6-pro-text-to-video","queue_id":"<uuid>"}
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
    let mistake = json!({"model": MODEL, "queue_id": "no-such-id", "wait_seconds": 0});
    assert_snapshot!(server.transcript(STATUS, mistake).await, @r#"
    venice_video_status {"model":"kling-2.6-pro-text-to-video","queue_id":"no-such-id","wait_seconds":0}
    > POST /video/retrieve
      {"model":"kling-2.6-pro-text-to-video","queue_id":"no-such-id"}
    < isError
    < text
      video job `job-<id>` of kling-2.6-pro-text-to-video: Venice knows no such job
      - `queue_id`: Venice does not accept `no-such-id`
      Venice says: Request ID is invalid.
      request id: <id>-SBX
      hint: jobs are kept for 24 h, for the key that queued them
    "#);
    assert_eq!(server.sent("/video/queue").len(), 1);
}

#[tokio::test]
async fn a_stored_job_is_known_and_not_asked_for_again() {
    let server = Setup::new().polls(0).start().await;
    let done = server.call(GENERATE, waves(30)).await;
    let polls = server.sent("/video/retrieve").len();
    let again = status(&server, &job(&done)["job"], 0).await;
    assert_eq!(job(&again)["media"], job(&done)["media"]);
    assert_eq!(server.sent("/video/retrieve").len(), polls);
}

#[tokio::test]
async fn a_job_of_another_server_is_known_by_model_and_queue_id() {
    let server = Setup::new().polls(1).start().await;
    let queued = job(&server.call(GENERATE, waves(0)).await);
    let other = Setup::new().start_on(server.sandbox.clone()).await;
    let arguments = json!({"model": MODEL, "queue_id": queued["queue_id"], "wait_seconds": 30,
        "save_as": "found"});
    let found = other.call(STATUS, arguments.clone()).await;
    assert_snapshot!(other.text(&found), @"
    video/mp4 2.0 s 11 kB | venice://media/found-<id> | <home>/out/found-<id>.mp4 | model kling-2.6-pro-text-to-video
    job job-<id>
    ");
    let again = other.call(STATUS, arguments).await;
    assert_eq!(job(&again)["media"], job(&found)["media"]);
}

#[tokio::test]
async fn what_is_unknown_is_named() {
    let server = Setup::new().start().await;
    let refused = [json!({"job": "job-0123456789abcdef", "wait_seconds": 0}), json!({})];
    assert_snapshot!(server.said_each(STATUS, refused).await, @r#"
    {"job":"job-<id>","wait_seconds":0}
      error: an argument is not valid
      - `job`: `job-<id>` is no video job here
      hint: give model and queue_id where another server queued it; venice://jobs lists this server's
    {}
      error: an argument is not valid
      - `job`: is required, or model and queue_id in its place
      hint: correct the arguments and call again; nothing was spent
    "#);
    assert!(!server.out().join(".venice/jobs").exists(), "nothing is recorded of them");
}

#[tokio::test]
async fn venice_video_complete() {
    let server = Setup::new().polls(1).start().await;
    let id = job(&server.call(GENERATE, waves(0)).await)["job"].clone();
    let running = server.said(COMPLETE, json!({"job": id})).await;
    assert_snapshot!(running, @r#"
    job-<id> of kling-2.6-pro-text-to-video is running for 1 s; such jobs take 2 s: any moment now, about $0.70
    next: call venice_video_status with {"job":"job-<id>","wait_seconds":50}; it goes on meanwhile. Do not call venice_video_generate again: that would be charged again.
    it still runs: nothing was deleted; call again once it is done
    "#);
    let stored = status(&server, &id, 30).await;
    let call = server.transcript(COMPLETE, json!({"job": id})).await;
    assert_snapshot!(call, @r#"
    venice_video_complete {"job":"job-<id>"}
    > POST /video/retrieve
      {
        "model": "kling-2.6-pro-text-to-video", "queue_id": "<uuid>",
        "delete_media_on_completion": true
      }
    < text
      video/mp4 2.0 s 11 kB | venice://media/waves-<id> | <home>/out/waves-<id>.mp4 | model kling-2.6-pro-text-to-video | about $0.70
      stored here, and deleted at Venice
      job job-<id>
    < resource_link
      {
        "type": "resource_link", "uri": "venice://media/waves-<id>",
        "name": "waves-<id>.mp4", "mimeType": "video/mp4", "size": 11496
      }
    _meta ai.venice/job
      {
        "job": "job-<id>", "kind": "video", "model": "kling-2.6-pro-text-to-video",
        "queue_id": "<uuid>", "status": "deleted", "price_usd": 0.7,
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
    let uri = job(&stored)["media"].as_str().unwrap().to_owned();
    assert_eq!(&server.read(&uri).await.unwrap()[4..8], b"ftyp");
    let again = server.transcript(COMPLETE, json!({"job": id})).await;
    assert_snapshot!(again, @r#"
    venice_video_complete {"job":"job-<id>"}
    < text
      video/mp4 2.0 s 11 kB | venice://media/waves-<id> | <home>/out/waves-<id>.mp4 | model kling-2.6-pro-text-to-video | about $0.70
      stored here; it was deleted at Venice before
      job job-<id>
    < resource_link
      {
        "type": "resource_link", "uri": "venice://media/waves-<id>",
        "name": "waves-<id>.mp4", "mimeType": "video/mp4", "size": 11496
      }
    _meta ai.venice/job
      {
        "job": "job-<id>", "kind": "video", "model": "kling-2.6-pro-text-to-video",
        "queue_id": "<uuid>", "status": "deleted", "price_usd": 0.7,
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
    let mistake = server.transcript(COMPLETE, json!({"queue_id": "q"})).await;
    assert_snapshot!(mistake, @r#"
    venice_video_complete {"queue_id":"q"}
    < isError
    < text
      an argument is not valid
      - `model`: goes with queue_id
      hint: correct the arguments and call again; nothing was spent
    "#);
}

#[tokio::test]
async fn a_status_deletes_only_where_it_may() {
    let server = Setup::new().polls(0).start().await;
    let id = job(&server.call(GENERATE, waves(20)).await)["job"].clone();
    let reading = Setup::new().set("VENICE_READ_ONLY", "1").start_on(server.sandbox.clone()).await;
    let names = reading.tool_names().await;
    let has = |name: &str| names.iter().any(|one| one == name);
    assert_eq!((has(STATUS), has(COMPLETE)), (true, false));
    let delete = json!({"job": id, "delete_media_on_completion": true});
    assert_snapshot!(reading.said(STATUS, delete.clone()).await, @"
    error: `delete_media_on_completion` is refused: this server is read-only
    hint: leave it out
    ");
    let done = server.call(STATUS, delete).await;
    assert_eq!(job(&done)["status"], "deleted", "{}", text(&done));
    assert_snapshot!(server.text(&done), @"
    video/mp4 2.0 s 11 kB | venice://media/waves-<id> | <home>/out/waves-<id>.mp4 | model kling-2.6-pro-text-to-video | about $0.70
    its media were deleted at Venice
    job job-<id>
    ");
}

#[tokio::test]
async fn a_refused_job_says_whether_it_was_charged_and_is_not_asked_for_again() {
    let server = Setup::new().polls(0).start().await;
    let mut arguments = waves(20);
    arguments["prompt"] = json!("a violation");
    let result = server.call(GENERATE, arguments).await;
    assert_snapshot!(server.text(&result), @"
    error: video job `job-<id>` of kling-2.6-pro-text-to-video: Venice, or the model's provider, refused the content
    Venice says: The provider refused the prompt for its content policy.
    the credit was refunded
    request id: <id>-SBX
    hint: rephrase the prompt, or use another model
    ");
    let refused = error(&result);
    let id = refused.split('`').find(|word| word.starts_with("job-")).unwrap();
    let seen = server.sent("/video/retrieve").len();
    let again = server.said(STATUS, json!({"job": id, "wait_seconds": 20})).await;
    assert_snapshot!(again, @"
    error: video job `job-<id>` of kling-2.6-pro-text-to-video: Venice, or the model's provider, refused the content
    Venice says: The provider refused the prompt for its content policy.
    the credit was refunded
    request id: <id>-SBX
    hint: rephrase the prompt, or use another model
    ");
    assert_eq!(server.sent("/video/retrieve").len(), seen);
}

#[tokio::test]
async fn jobs_are_a_resource() {
    let server = Setup::new().polls(0).start().await;
    let result = server.call(GENERATE, waves(20)).await;
    let listed = server.read("venice://jobs").await.unwrap();
    let listed: Value = serde_json::from_slice(&listed).unwrap();
    assert_eq!(listed, json!({"jobs": [job(&result)]}));
    let shown = server.service().list_all_resources().await.unwrap();
    assert!(shown.iter().any(|resource| resource.uri == "venice://jobs"), "{shown:?}");
}
