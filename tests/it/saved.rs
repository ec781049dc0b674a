//! What was paid for is not lost where a later step fails.

use serde_json::json;

use crate::harness::{Setup, World, blobs, error, facts, kinds, text};
use crate::proxy::{Fault, Proxy};

const SPEECH: &str = "/audio/speech";

async fn world(proxy: &Proxy) -> World {
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
    let world = world(&proxy).await;
    let said = error(&world.call("venice_tts", json!({"input": long()})).await);
    assert!(said.contains("this part is odd") && said.contains("of 5 failed"), "{said}");
    let items = named(&said);
    assert!(!items.is_empty() && said.contains("speak the rest"), "{said}");
    for item in items {
        assert!(!world.read(&item).await.unwrap().is_empty());
    }
    let sent = proxy.arrived(SPEECH);
    let kept = sent - 1;
    let listed = text(&world.call("venice_media", json!({})).await);
    assert!(kept >= 1 && listed.contains("audio/mpeg"), "{listed}");
}

#[tokio::test]
async fn parts_that_do_not_join_are_stored_one_by_one() {
    let proxy = Proxy::start().await;
    let junk = || Fault::Answer(200, "content-type: audio/mpeg", b"no sound at all".to_vec());
    proxy.fault(SPEECH, 2, 1, junk());
    let world = world(&proxy).await;
    let said = error(&world.call("venice_tts", json!({"input": long()})).await);
    let items = named(&said);
    assert_eq!(items.len(), 5, "{said}");
    assert!(said.contains("part 3 as ") || said.contains("part 5 as "), "{said}");
    for item in items {
        assert!(!world.read(&item).await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn a_broken_picture_does_not_take_the_others_with_it() {
    let proxy = Proxy::start().await;
    let pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
    let body = json!({"images": [pixel, "not base64!", pixel]}).to_string();
    let answer = Fault::Answer(200, "content-type: application/json", body.into_bytes());
    proxy.fault("/image/generate", 0, 1, answer);
    let world = world(&proxy).await;
    let arguments = json!({"prompt": "a cat", "variants": 3, "width": 64, "height": 64});
    let result = world.call("venice_image_generate", arguments).await;
    assert_eq!(kinds(&result), ["text", "resource", "resource"], "{}", text(&result));
    assert!(text(&result).contains("picture 2 came broken"), "{}", text(&result));
}

#[tokio::test]
async fn vectors_of_a_reply_that_counts_nothing_are_stored() {
    let proxy = Proxy::start().await;
    let body = json!({"object": "list", "model": null, "usage": null,
        "data": [{"object": "embedding", "index": 0, "embedding": [0.5, 0.25]}]});
    let answer =
        Fault::Answer(200, "content-type: application/json", body.to_string().into_bytes());
    proxy.fault("/embeddings", 0, 1, answer);
    let result = world(&proxy).await.call("venice_embeddings", json!({"input": "a"})).await;
    assert_eq!(result.structured_content.unwrap()["dimensions"], 2);
}

#[tokio::test]
async fn bytes_are_delivered_though_nothing_can_be_stored() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let world = Setup::new()
        .set("VENICE_OUTPUT_DIR", file.join("out").to_str().unwrap())
        .set("TMPDIR", file.to_str().unwrap())
        .start()
        .await;
    let arguments = json!({"prompt": "a cat", "width": 64, "height": 64});
    let result = world.call("venice_image_generate", arguments).await;
    assert_eq!(kinds(&result), ["text", "resource"], "{}", text(&result));
    let (uri, _, bytes) = blobs(&result).remove(0);
    assert_eq!(world.read(&uri).await.unwrap(), bytes);
}

#[tokio::test]
async fn a_file_that_could_not_be_written_is_not_named_until_it_is() {
    let world = World::start().await;
    let records = world.out().join(".venice/media");
    std::fs::create_dir_all(world.out().join(".venice")).unwrap();
    std::fs::write(&records, "in the way").unwrap();
    let arguments = json!({"prompt": "a cat", "width": 64, "height": 64, "output": "file"});
    let result = world.call("venice_image_generate", arguments.clone()).await;
    let said = text(&result);
    assert!(
        said.contains("could not be stored (") && said.contains("in the server's memory alone"),
        "{said}"
    );
    assert!(facts(&result)[0].get("path").is_none(), "{:?}", facts(&result));
    assert!(world.read(&named(&said)[0]).await.unwrap().starts_with(b"RIFF"));

    std::fs::remove_file(&records).unwrap();
    let said = text(&world.call("venice_image_generate", arguments).await);
    assert!(!said.contains("could not"), "{said}");
    let listed = world.call("venice_media", json!({})).await;
    let paths: Vec<_> = facts(&listed).iter().map(|item| item["path"].clone()).collect();
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
        let world = Setup::new().polls(0).start().await;
        let records = world.out().join(".venice/media");
        std::fs::create_dir_all(world.out().join(".venice")).unwrap();
        std::fs::write(&records, "in the way").unwrap();
        let arguments = json!({"prompt": "a cat", "width": 64, "height": 64, "output": "file"});
        let said = text(&world.call("venice_image_generate", arguments).await);
        assert!(said.contains("could not be stored ("), "{said}");
        std::fs::remove_file(&records).unwrap();
        if let Some(video) = &video {
            let result = world.call("venice_video_generate", video.clone()).await;
            assert!(text(&result).contains("video/mp4"), "{}", text(&result));
        }
        let (_, home) = world.end().await;
        let stored = std::fs::read_dir(home.path().join("out/.venice/media")).unwrap().count();
        assert_eq!(stored, if video.is_some() { 2 } else { 1 });
    }
}

#[tokio::test]
async fn a_call_that_runs_out_of_time_keeps_the_parts_it_has() {
    let proxy = Proxy::start().await;
    proxy.fault(SPEECH, 3, 1, Fault::Hold);
    let world = Setup::new()
        .set("VENICE_BASE_URL", &proxy.base_url)
        .set("VENICE_TIMEOUT", "4")
        .start()
        .await;
    let said = error(&world.call("venice_tts", json!({"input": long()})).await);
    assert!(said.contains("timed out") && said.contains("are stored: "), "{said}");
}
