//! Clients that go away: what is dropped, and what was paid for and is kept.

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::harness::{
    Client as _, Fault, Proxy, Setup, TestServer, blobs, is_error, soon, text, until,
};

const IMAGE: &str = "/image/generate";
const TOOL: &str = "venice_image_generate";
const HANDED_OUT: &str = "nothing was charged again";

async fn start(proxy: &Proxy) -> TestServer {
    Setup::new().upstream(&proxy.base_url).start().await
}

fn image(prompt: &str) -> Value {
    json!({"prompt": prompt, "width": 64, "height": 64})
}

/// Starts a call, waits until `path` was requested, and gives the call up.
async fn give_up(server: &TestServer, proxy: &Proxy, tool: &str, arguments: Value, path: &str) {
    let call = server.begin(tool, arguments).await;
    proxy.wait_for(path).await;
    call.cancel(None).await.unwrap();
}

/// The URIs of what is stored, the newest first, once it is so many.
async fn stored(server: &TestServer, number: usize) -> Vec<Value> {
    let mut items = Vec::new();
    until(async || {
        let mut listed = server.call("venice_media", json!({})).await;
        items = match listed["_meta"]["ai.venice/media"].take() {
            Value::Array(items) => items,
            _ => Vec::new(),
        };
        items.len() >= number
    })
    .await;
    items.into_iter().map(|item| item["uri"].clone()).collect()
}

/// Whether the result is one that was paid for before.
fn is_handed_out(result: &Value) -> bool {
    text(result).lines().any(|line| line.ends_with(HANDED_OUT))
}

#[tokio::test]
async fn a_free_call_that_is_given_up_closes_its_connection() {
    let proxy = Proxy::start().await;
    proxy.fault("/models", 0, 9, Fault::Hold);
    let server = start(&proxy).await;
    give_up(&server, &proxy, "venice_list_models", json!({"type": "image"}), "/models").await;
    // Its reply is still held: nothing but the call's end closes the connection.
    soon(proxy.wait_for_close("/models")).await;
    proxy.release();
    let listed = server.call("venice_list_models", json!({"type": "tts"})).await;
    assert!(!is_error(&listed), "{}", text(&listed));
}

#[tokio::test]
async fn a_paid_call_that_has_not_sent_its_request_is_dropped() {
    let proxy = Proxy::start().await;
    proxy.fault("/models", 0, 9, Fault::Hold);
    let server = start(&proxy).await;
    give_up(&server, &proxy, TOOL, image("a cat"), "/models").await;
    soon(proxy.wait_for_close("/models")).await;
    proxy.release();
    server.end().await;
    assert_eq!(proxy.arrived(IMAGE), 0);
}

#[tokio::test]
async fn a_paid_result_that_was_not_received_is_stored_and_handed_out_once() {
    let proxy = Proxy::start().await;
    proxy.fault(IMAGE, 0, 1, Fault::Hold);
    let server = start(&proxy).await;
    give_up(&server, &proxy, TOOL, image("a lost cat"), IMAGE).await;
    proxy.release();
    let lost = stored(&server, 1).await.remove(0);
    let mut other = image("a lost cat");
    other["seed"] = json!(1);
    let other = server.call(TOOL, other).await;
    assert!(!is_handed_out(&other), "{}", text(&other));
    assert_eq!(proxy.arrived(IMAGE), 2);

    let mut again = image("a lost cat");
    again["output"] = json!("blob");
    let again = server.call(TOOL, again).await;
    assert_snapshot!(server.text(&again), @"
    image/webp 64x64 620 B | venice://media/a-lost-cat-<id> | <home>/out/a-lost-cat-<id>.webp | model z-image-turbo | about $0.01, balance before $12.34
    made by an earlier call of the same arguments, whose client had gone; nothing was charged again
    ");
    assert!(is_handed_out(&again));
    let (uri, _, bytes) = blobs(&again).remove(0);
    assert_eq!(lost, uri);
    assert_eq!(server.read(&uri).await.unwrap(), bytes);
    assert_eq!(proxy.arrived(IMAGE), 2, "it was paid for again");

    let third = server.call(TOOL, image("a lost cat")).await;
    assert!(!is_handed_out(&third), "{}", text(&third));
    assert_eq!(proxy.arrived(IMAGE), 3);
}

#[tokio::test]
async fn the_same_call_waits_for_the_one_that_is_under_way_without_its_client() {
    let proxy = Proxy::start().await;
    proxy.fault(IMAGE, 0, 1, Fault::Hold);
    let server = start(&proxy).await;
    give_up(&server, &proxy, TOOL, image("a cat"), IMAGE).await;
    let again = server.call(TOOL, image("a cat"));
    let release = async {
        // Requests are read in order: once this one is answered, the call before it is under way.
        server.tools().await;
        proxy.release();
    };
    let (again, ()) = tokio::join!(again, release);
    assert!(is_handed_out(&again), "{}", text(&again));
    assert_eq!((blobs(&again).len(), proxy.arrived(IMAGE)), (1, 1));
}

#[tokio::test]
async fn an_edit_of_last_is_the_same_call_though_last_has_moved() {
    let proxy = Proxy::start().await;
    let server = start(&proxy).await;
    server.call(TOOL, json!({"prompt": "a cat", "width": 512, "height": 512})).await;
    proxy.fault("/image/edit", 0, 1, Fault::Hold);
    let edit = json!({"image": "last", "prompt": "make it blue"});
    give_up(&server, &proxy, "venice_image_edit", edit.clone(), "/image/edit").await;
    proxy.release();
    stored(&server, 2).await;
    let again = server.call("venice_image_edit", edit).await;
    assert!(is_handed_out(&again), "{}", text(&again));
    assert_eq!(proxy.arrived("/image/edit"), 1);
}

#[tokio::test]
async fn a_paid_call_outlives_the_end_of_its_client() {
    let proxy = Proxy::start().await;
    proxy.fault(IMAGE, 0, 1, Fault::Hold);
    let kept = tempfile::tempdir().unwrap();
    let server = Setup::new()
        .upstream(&proxy.base_url)
        .set("VENICE_OUTPUT_DIR", kept.path().to_str().unwrap())
        .start()
        .await;
    give_up(&server, &proxy, TOOL, image("a late cat"), IMAGE).await;
    let (mut child, _home) = server.disconnect().await;
    proxy.release();
    assert_eq!(child.wait().await.unwrap().code(), Some(0));
    let mut files = std::fs::read_dir(kept.path()).unwrap();
    let late = |name: &str| name.starts_with("a-late-cat-");
    let found = files.any(|file| late(file.unwrap().file_name().to_str().unwrap()));
    assert!(found, "the image was lost");
}

#[tokio::test]
async fn a_client_that_goes_away_leaves_the_catalog_to_the_others() {
    let proxy = Proxy::start().await;
    proxy.fault("/models", 0, 1, Fault::Hold);
    let server = Setup::new().upstream(&proxy.base_url).set("VENICE_BUDGET_USD", "1").start().await;
    give_up(&server, &proxy, TOOL, image("a cat"), "/models").await;
    soon(proxy.wait_for_close("/models")).await;
    let result = server.call(TOOL, image("a dog")).await;
    assert!(!is_error(&result), "{}", text(&result));
}
