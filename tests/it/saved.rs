//! What was paid for is not lost where a later step fails.

use insta::assert_snapshot;
use serde_json::json;

use crate::harness::{
    Client as _, Fault, Proxy, Setup, TestServer, blobs, error, kinds, media_items, text,
};

const SPEECH: &str = "/audio/speech";

async fn server(proxy: &Proxy) -> TestServer {
    Setup::new().set("VENICE_BASE_URL", &proxy.base_url).start().await
}

/// A text of at least five parts.
fn long() -> String {
    "A sentence that goes on for a while. ".repeat(500)
}

/// The stored items that a text names.
fn named(text: &str) -> Vec<String> {
    let uris = text.split("venice://media/").skip(1);
    uris.map(|rest| {
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '-');
        format!("venice://media/{}", &rest[..end.unwrap_or(rest.len())])
    })
    .collect()
}

#[tokio::test]
async fn parts_that_were_spoken_are_stored_when_another_fails() {
    let proxy = Proxy::start().await;
    let broken = Fault::Answer(400, "", br#"{"error": "this part is odd"}"#.to_vec());
    proxy.fault(SPEECH, 1, 1, broken);
    let server = server(&proxy).await;
    let said = error(&server.call("venice_tts", json!({"input": long()})).await);
    let items = named(&said);
    // How many were spoken before the other failed is a matter of time.
    let first = said.lines().next().unwrap().split(';').next().unwrap();
    assert_snapshot!(first, @"part 2 of 5 failed: Venice refused the arguments");
    assert!(!items.is_empty(), "{said}");
    for item in items {
        assert!(!server.read(&item).await.unwrap().is_empty());
    }
    let sent = proxy.arrived(SPEECH);
    let kept = sent - 1;
    let listed = media_items(&server.call("venice_media", json!({})).await);
    assert!(kept >= 1 && listed.iter().all(|item| item["mimeType"] == "audio/mpeg"), "{listed:?}");
}

#[tokio::test]
async fn parts_that_do_not_join_are_stored_one_by_one() {
    let proxy = Proxy::start().await;
    let junk = || Fault::Answer(200, "content-type: audio/mpeg", b"no sound at all".to_vec());
    proxy.fault(SPEECH, 2, 1, junk());
    let server = server(&proxy).await;
    let said = error(&server.call("venice_tts", json!({"input": long()})).await);
    let items = named(&said);
    assert_eq!(items.len(), 5, "{said}");
    for item in items {
        assert!(!server.read(&item).await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn a_broken_image_does_not_take_the_others_with_it() {
    let proxy = Proxy::start().await;
    let pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
    let body = json!({"images": [pixel, "not base64!", pixel]}).to_string();
    let answer = Fault::Answer(200, "content-type: application/json", body.into_bytes());
    proxy.fault("/image/generate", 0, 1, answer);
    let server = server(&proxy).await;
    let arguments = json!({"prompt": "a cat", "variants": 3, "width": 64, "height": 64});
    let result = server.call("venice_image_generate", arguments).await;
    assert_eq!(kinds(&result), ["text", "resource", "resource"], "{}", text(&result));
    assert_snapshot!(server.text(&result), @"
    image/png 1x1 70 B | venice://media/a-cat-<id> | <home>/out/a-cat-<id>.png | model z-image-turbo | about $0.01
    image/png 1x1 70 B | venice://media/a-cat-<id> | <home>/out/a-cat-<id>.png | model z-image-turbo | about $0.01
    image 2 could not be decoded: it is not valid base64
    ");
}

#[tokio::test]
async fn vectors_of_a_reply_that_counts_nothing_are_stored() {
    let proxy = Proxy::start().await;
    let body = json!({"object": "list", "model": null, "usage": null,
        "data": [{"object": "embedding", "index": 0, "embedding": [0.5, 0.25]}]});
    let answer =
        Fault::Answer(200, "content-type: application/json", body.to_string().into_bytes());
    proxy.fault("/embeddings", 0, 1, answer);
    let result = server(&proxy).await.call("venice_embeddings", json!({"input": "a"})).await;
    assert_eq!(result["structuredContent"].clone()["dimensions"], 2);
}

#[tokio::test]
async fn bytes_are_delivered_though_nothing_can_be_stored() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let server = Setup::new()
        .set("VENICE_OUTPUT_DIR", file.join("out").to_str().unwrap())
        .set("TMPDIR", file.to_str().unwrap())
        .start()
        .await;
    let arguments = json!({"prompt": "a cat", "width": 64, "height": 64});
    let result = server.call("venice_image_generate", arguments).await;
    assert_eq!(kinds(&result), ["text", "resource"], "{}", text(&result));
    let (uri, _, bytes) = blobs(&result).remove(0);
    assert_eq!(server.read(&uri).await.unwrap(), bytes);
}

#[tokio::test]
async fn a_file_that_could_not_be_written_is_not_named_until_it_is() {
    let server = Setup::new().start().await;
    let records = server.out().join(".venice/media");
    std::fs::create_dir_all(server.out().join(".venice")).unwrap();
    std::fs::write(&records, "in the way").unwrap();
    let arguments = json!({"prompt": "a cat", "width": 64, "height": 64, "output": "file"});
    let result = server.call("venice_image_generate", arguments.clone()).await;
    let said = text(&result);
    assert_snapshot!(server.text(&result), @"
    image/webp 64x64 560 B | venice://media/a-cat-<id> | model z-image-turbo | about $0.01, balance before $12.34
    venice://media/a-cat-<id> could not be stored (cannot write `<home>/out/.venice/media/a-cat-<id>.json`: File exists (os error 17)): it is in the server's memory alone, lost when the server ends, and written with the next item that can be
    ");
    assert!(media_items(&result)[0].get("path").is_none(), "{:?}", media_items(&result));
    assert!(server.read(&named(&said)[0]).await.unwrap().starts_with(b"RIFF"));

    std::fs::remove_file(&records).unwrap();
    let stored = server.call("venice_image_generate", arguments).await;
    assert!(media_items(&stored)[0]["path"].is_string(), "{}", text(&stored));
    let listed = server.call("venice_media", json!({})).await;
    let paths: Vec<_> = media_items(&listed).iter().map(|item| item["path"].clone()).collect();
    assert_eq!(paths.len(), 2, "{}", text(&listed));
    for path in paths {
        let bytes = std::fs::read(path.as_str().unwrap()).unwrap();
        assert!(bytes.starts_with(b"RIFF"), "{path}");
    }
}

#[tokio::test]
async fn what_waits_in_memory_is_written_after_a_video_and_at_the_end() {
    let video = json!({"model": "kling-2.6-pro-text-to-video", "prompt": "waves", "duration": "5s",
        "aspect_ratio": "16:9", "wait_seconds": 20});
    for video in [Some(video), None] {
        let server = Setup::new().polls(0).start().await;
        let records = server.out().join(".venice/media");
        std::fs::create_dir_all(server.out().join(".venice")).unwrap();
        std::fs::write(&records, "in the way").unwrap();
        let arguments = json!({"prompt": "a cat", "width": 64, "height": 64, "output": "file"});
        let waiting = server.call("venice_image_generate", arguments).await;
        assert!(media_items(&waiting)[0].get("path").is_none(), "{}", text(&waiting));
        std::fs::remove_file(&records).unwrap();
        if let Some(video) = &video {
            let result = server.call("venice_video_generate", video.clone()).await;
            assert_eq!(media_items(&result)[0]["mimeType"], "video/mp4", "{}", text(&result));
        }
        let (_, home) = server.end().await;
        let stored = std::fs::read_dir(home.path().join("out/.venice/media")).unwrap().count();
        assert_eq!(stored, if video.is_some() { 2 } else { 1 });
    }
}
