//! Results that are not what the job makes: they are reported, and nothing is deleted at Venice.

use futures::future::join_all;
use serde_json::{Value, json};
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::{job, status, waves};
use crate::harness::{Client as _, Setup, TestServer, error, is_error, media_items, text};

const CLIP: &[u8] = include_bytes!("../../../../src/sandbox/media/clip.mp4");
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0";

/// Where the result of a finished job is.
#[derive(Clone, Copy, PartialEq)]
enum From {
    Retrieve,
    Download,
}

/// An API whose only job is done, with this result.
struct Api {
    server: MockServer,
    from: From,
}

impl Api {
    async fn new(from: From, content_type: &str, body: &[u8]) -> Self {
        let api = Self { server: MockServer::start().await, from };
        api.finish(content_type, body).await;
        api
    }

    /// Replaces what the API answers.
    async fn finish(&self, content_type: &str, body: &[u8]) {
        let server = &self.server;
        server.reset().await;
        let url = format!("{}/result", server.uri());
        let result = ResponseTemplate::new(200).set_body_raw(body, content_type);
        let (retrieve, queued) = match self.from {
            From::Retrieve => (result.clone(), json!({"model": "m", "queue_id": "q-1"})),
            From::Download => {
                let done = ResponseTemplate::new(200).set_body_json(json!({"status": "COMPLETED"}));
                (done, json!({"model": "m", "queue_id": "q-1", "download_url": url}))
            }
        };
        let queued = ResponseTemplate::new(200).set_body_json(queued);
        let success = ResponseTemplate::new(200).set_body_json(json!({"success": true}));
        for (verb, at, answer) in [
            ("POST", "/video/queue", &queued),
            ("POST", "/audio/queue", &queued),
            ("POST", "/video/retrieve", &retrieve),
            ("POST", "/audio/retrieve", &retrieve),
            ("GET", "/result", &result),
            ("DELETE", "/result", &success),
            ("POST", "/video/complete", &success),
            ("POST", "/audio/complete", &success),
        ] {
            let mock = Mock::given(method(verb)).and(path(at));
            mock.respond_with(answer.clone()).mount(server).await;
        }
    }

    async fn start(&self) -> TestServer {
        Setup::new().upstream(&self.server.uri()).start().await
    }

    /// The requests that delete something.
    async fn deletions(&self) -> usize {
        let requests = self.server.received_requests().await.unwrap();
        let deletes = |request: &&wiremock::Request| {
            let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
            request.method.as_str() == "DELETE"
                || request.url.path().ends_with("/complete")
                || body.get("delete_media_on_completion").is_some()
        };
        requests.iter().filter(deletes).count()
    }
}

fn stored_files(server: &TestServer) -> usize {
    let entries = std::fs::read_dir(server.out()).unwrap();
    entries.filter(|entry| entry.as_ref().unwrap().path().extension().is_some()).count()
}

/// The job is queued still, and the result quotes what came.
fn assert_reported(result: &Value, quote: &str) {
    let text = text(result);
    assert!(!is_error(result), "{text}");
    assert!(text.contains(quote), "{text}");
    let job = job(result);
    assert_eq!((&job["status"], &job["queue_id"]), (&json!("queued"), &json!("q-1")), "{text}");
}

#[tokio::test]
async fn what_is_not_a_video_is_reported_and_never_deleted() {
    let page = b"<!DOCTYPE html><h1>502\n  Bad Gateway</h1>".as_slice();
    let html = "Venice sent text/html instead of video: `<!DOCTYPE html><h1>502 Bad Gateway</h1>`";
    let plain = "Venice sent text/plain instead of video: `upstream error`";
    let gone = br#"{"error": "gone"}"#.as_slice();
    let png = "Venice sent image/png instead of video";
    let empty = "the media that arrived were empty";
    let cases = [
        (From::Download, "text/html", page, html),
        (From::Download, "video/mp4", page, html),
        (From::Download, "video/mp4", b"upstream error", plain),
        (From::Download, "application/json", gone, "`{\"error\": \"gone\"}`"),
        (From::Download, "video/mp4", PNG, png),
        (From::Download, "video/mp4", b"", empty),
        (From::Retrieve, "text/html", page, html),
        (From::Retrieve, "video/mp4", page, html),
        (From::Retrieve, "application/json", gone, "`{\"error\":\"gone\"}`"),
        (From::Retrieve, "video/mp4", PNG, png),
        (From::Retrieve, "video/mp4", b"", empty),
    ];
    join_all(cases.map(|(from, content_type, body, quote)| async move {
        let api = Api::new(from, content_type, body).await;
        let server = api.start().await;
        let id = job(&server.call("venice_video_generate", waves(0)).await)["job"].clone();
        let arguments = json!({"job": id, "wait_seconds": 0, "delete_media_on_completion": true});
        let status = server.call("venice_video_status", arguments).await;
        assert_reported(&status, quote);
        assert!(text(&status).contains("nothing was deleted"), "{}", text(&status));
        let complete = server.call("venice_video_complete", json!({"job": id})).await;
        assert!(text(&complete).contains("nothing was deleted"), "{}", text(&complete));
        assert!(text(&complete).contains(quote), "{}", text(&complete));
        assert_eq!(is_error(&complete), !body.is_empty(), "{}", text(&complete));
        assert_eq!(
            (api.deletions().await, stored_files(&server)),
            (0, 0),
            "{content_type} {quote}"
        );
    }))
    .await;
}

#[tokio::test]
async fn a_video_that_comes_after_an_error_page_is_stored_and_may_be_deleted() {
    let api = Api::new(From::Download, "text/html", b"<h1>502</h1>").await;
    let server = api.start().await;
    let id = job(&server.call("venice_video_generate", waves(0)).await)["job"].clone();
    let reported = status(&server, &id, 0).await;
    assert_reported(&reported, "instead of video: `<h1>502</h1>`");
    api.finish("application/octet-stream", CLIP).await;
    // Another server asks at once; this one waits a while after what it got.
    let server = server.killed().await;
    let stored = status(&server, &id, 30).await;
    assert_eq!(job(&stored)["status"], "stored", "{}", text(&stored));
    assert!(text(&stored).starts_with("video/mp4 "), "{}", text(&stored));
    assert_eq!(api.deletions().await, 0);
    let done = server.call("venice_video_complete", json!({ "job": id })).await;
    assert_eq!(job(&done)["status"], "deleted", "{}", text(&done));
    assert_eq!(api.deletions().await, 2, "the download and the job");
}

#[tokio::test]
async fn bytes_of_unknown_form_are_stored_and_not_deleted() {
    let api = Api::new(From::Retrieve, "video/mp4", b"\0\x01\x02\x03 what is this\x04").await;
    let server = api.start().await;
    let stored = server.call("venice_video_generate", waves(20)).await;
    assert_eq!(job(&stored)["status"], "stored", "{}", text(&stored));
    let named = json!({"job": job(&stored)["job"]});
    let refused = error(&server.call("venice_video_complete", named).await);
    assert!(refused.contains("not known to be video: it stays at Venice"), "{refused}");
    assert_eq!(api.deletions().await, 0);
}

#[tokio::test]
async fn a_stored_file_that_is_no_longer_a_video_keeps_the_original() {
    let api = Api::new(From::Retrieve, "video/mp4", CLIP).await;
    let server = api.start().await;
    let stored = server.call("venice_video_generate", waves(20)).await;
    assert_eq!(job(&stored)["status"], "stored", "{}", text(&stored));
    std::fs::write(media_items(&stored)[0]["path"].as_str().unwrap(), "<h1>502</h1>").unwrap();
    let arguments = json!({"job": job(&stored)["job"], "delete_media_on_completion": true});
    let kept = server.call("venice_video_status", arguments).await;
    assert!(text(&kept).contains("could not be deleted at Venice"), "{}", text(&kept));
    assert_eq!((job(&kept)["status"].clone(), api.deletions().await), (json!("stored"), 0));
}

#[tokio::test]
async fn music_is_deleted_only_if_it_is_audio() {
    let api = Api::new(From::Retrieve, "audio/mpeg", b"upstream error").await;
    let server = api.start().await;
    let arguments = json!({"model": "m", "prompt": "calm piano music", "wait_seconds": 0});
    server.call("venice_music_generate", arguments).await;
    let named = json!({"model": "m", "queue_id": "q-1", "wait_seconds": 0});
    let result = server.call("venice_music_status", named).await;
    assert_reported(&result, "Venice sent text/plain instead of audio: `upstream error`");
    let named = json!({"model": "m", "queue_id": "q-1"});
    let refused = error(&server.call("venice_music_complete", named).await);
    assert!(refused.contains("nothing was deleted: Venice sent text/plain"), "{refused}");
    assert_eq!(api.deletions().await, 0);
}
