//! Clients that go away: what is dropped, and what was paid for and is kept.

use std::time::{Duration, Instant};

use rmcp::model::{CallToolRequest, CallToolRequestParams, ClientRequest};
use rmcp::service::PeerRequestOptions;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::harness::{Setup, World, blobs, text};
use crate::proxy::{Fault, Proxy};
use crate::stdio::Raw;

const IMAGE: &str = "/image/generate";
const TOOL: &str = "venice_image_generate";

async fn world(proxy: &Proxy) -> World {
    Setup::new().set("VENICE_BASE_URL", &proxy.base_url).start().await
}

fn picture(prompt: &str) -> Value {
    json!({"prompt": prompt, "width": 64, "height": 64})
}

/// Starts a call, waits until `path` was requested, and gives the call up.
async fn give_up(world: &World, proxy: &Proxy, tool: &str, arguments: Value, path: &str) {
    let arguments = arguments.as_object().cloned().unwrap();
    let params = CallToolRequestParams::new(tool.to_owned()).with_arguments(arguments);
    let request = ClientRequest::CallToolRequest(CallToolRequest::new(params));
    let options = PeerRequestOptions::no_options();
    let call = world.client().send_cancellable_request(request, options).await.unwrap();
    proxy.wait_for(path).await;
    call.cancel(None).await.unwrap();
}

/// Waits until so many items are stored.
async fn stored(world: &World, number: usize) -> String {
    for _ in 0..500 {
        let listed = text(&world.call("venice_media", json!({})).await);
        if listed.matches("venice://media/").count() >= number {
            return listed;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("nothing was stored");
}

#[tokio::test]
async fn a_free_call_that_is_given_up_closes_its_connection_at_once() {
    let proxy = Proxy::start().await;
    proxy.fault("/models", 0, 9, Fault::Hold);
    let world = world(&proxy).await;
    give_up(&world, &proxy, "venice_list_models", json!({"type": "image"}), "/models").await;
    let start = Instant::now();
    timeout(Duration::from_secs(5), proxy.wait_for_close("/models")).await.expect("still open");
    assert!(start.elapsed() < Duration::from_millis(100), "{:?}", start.elapsed());
    proxy.release();
    assert!(text(&world.call("venice_list_models", json!({"type": "tts"})).await).contains("tts"));
}

#[tokio::test]
async fn a_paid_call_that_has_not_sent_its_request_is_dropped() {
    let proxy = Proxy::start().await;
    proxy.fault("/models", 0, 9, Fault::Hold);
    let world = world(&proxy).await;
    give_up(&world, &proxy, TOOL, picture("a cat"), "/models").await;
    let closed = timeout(Duration::from_secs(5), proxy.wait_for_close("/models"));
    closed.await.expect("still open");
    proxy.release();
    world.end().await;
    assert_eq!(proxy.arrived(IMAGE), 0);
}

#[tokio::test]
async fn a_wait_for_a_limit_that_is_given_up_sends_nothing_more() {
    let proxy = Proxy::start().await;
    let busy = Fault::Answer(429, "retry-after: 2", b"{\"error\":\"slow down\"}".to_vec());
    proxy.fault(IMAGE, 0, 1, busy);
    let world = world(&proxy).await;
    give_up(&world, &proxy, TOOL, picture("a cat"), IMAGE).await;
    tokio::time::sleep(Duration::from_millis(2700)).await;
    assert_eq!(proxy.arrived(IMAGE), 1);
}

#[tokio::test]
async fn a_paid_result_that_nobody_received_is_stored_and_handed_out_once() {
    let proxy = Proxy::start().await;
    proxy.fault(IMAGE, 0, 1, Fault::Hold);
    let world = world(&proxy).await;
    give_up(&world, &proxy, TOOL, picture("a lost cat"), IMAGE).await;
    proxy.release();
    let listed = stored(&world, 1).await;
    assert!(listed.contains("a-lost-cat"), "{listed}");
    let mut other = picture("a lost cat");
    other["seed"] = json!(1);
    let other = text(&world.call(TOOL, other).await);
    assert!(!other.contains("nothing was charged again"), "{other}");
    assert_eq!(proxy.arrived(IMAGE), 2);

    let mut again = picture("a lost cat");
    again["output"] = json!("blob");
    let again = world.call(TOOL, again).await;
    assert!(text(&again).contains("nothing was charged again"), "{}", text(&again));
    let (uri, _, bytes) = blobs(&again).remove(0);
    assert!(listed.contains(&uri), "{uri}");
    assert_eq!(world.read(&uri).await.unwrap(), bytes);
    assert_eq!(proxy.arrived(IMAGE), 2, "it was paid for again");

    let third = text(&world.call(TOOL, picture("a lost cat")).await);
    assert!(!third.contains("nothing was charged again"), "{third}");
    assert_eq!(proxy.arrived(IMAGE), 3);
}

#[tokio::test]
async fn the_same_call_waits_for_the_one_that_is_under_way_without_its_client() {
    let proxy = Proxy::start().await;
    proxy.fault(IMAGE, 0, 1, Fault::Hold);
    let world = world(&proxy).await;
    give_up(&world, &proxy, TOOL, picture("a cat"), IMAGE).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    let again = world.call(TOOL, picture("a cat"));
    let release = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        proxy.release();
    };
    let (again, ()) = tokio::join!(again, release);
    assert!(text(&again).contains("nothing was charged again"), "{}", text(&again));
    assert_eq!((blobs(&again).len(), proxy.arrived(IMAGE)), (1, 1));
}

#[tokio::test]
async fn an_edit_of_last_is_the_same_call_though_last_has_moved() {
    let proxy = Proxy::start().await;
    let world = world(&proxy).await;
    world.call(TOOL, json!({"prompt": "a cat", "width": 512, "height": 512})).await;
    proxy.fault("/image/edit", 0, 1, Fault::Hold);
    let edit = json!({"image": "last", "prompt": "make it blue"});
    give_up(&world, &proxy, "venice_image_edit", edit.clone(), "/image/edit").await;
    proxy.release();
    stored(&world, 2).await;
    let again = world.call("venice_image_edit", edit).await;
    assert!(text(&again).contains("nothing was charged again"), "{}", text(&again));
    assert_eq!(proxy.arrived("/image/edit"), 1);
}

#[tokio::test]
async fn a_paid_call_outlives_the_end_of_its_client() {
    let proxy = Proxy::start().await;
    proxy.fault(IMAGE, 0, 1, Fault::Hold);
    let kept = tempfile::tempdir().unwrap();
    let world = Setup::new()
        .set("VENICE_BASE_URL", &proxy.base_url)
        .set("VENICE_OUTPUT_DIR", kept.path().to_str().unwrap())
        .start()
        .await;
    give_up(&world, &proxy, TOOL, picture("a late cat"), IMAGE).await;
    let release = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        proxy.release();
    };
    let (end, ()) = tokio::join!(world.end(), release);
    assert_eq!(end.0, Some(0));
    let mut files = std::fs::read_dir(kept.path()).unwrap();
    let late = |name: &str| name.starts_with("a-late-cat-");
    let found = files.any(|file| late(file.unwrap().file_name().to_str().unwrap()));
    assert!(found, "the picture was lost");
}

#[tokio::test]
async fn a_wait_for_a_limit_shows_signs_of_life() {
    let proxy = Proxy::start().await;
    let busy = Fault::Answer(429, "retry-after: 6", b"{\"error\":\"slow down\"}".to_vec());
    proxy.fault(IMAGE, 0, 1, busy);
    let mut raw =
        Raw::with(&[("VENICE_BASE_URL", &proxy.base_url), ("VENICE_API_KEY", "test-key")]);
    raw.initialize("2025-06-18").await;
    let call = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {
        "name": TOOL, "arguments": picture("a cat"), "_meta": {"progressToken": "t"}}});
    raw.write(call.to_string().as_bytes()).await;
    let (mut last, mut messages) = (Instant::now(), Vec::new());
    loop {
        let message = raw.read().await;
        assert!(last.elapsed() < Duration::from_millis(5500), "silent for {:?}", last.elapsed());
        last = Instant::now();
        if message["id"] == 1 {
            assert_eq!(message["result"]["isError"], false, "{message}");
            break;
        }
        messages.push(message["params"]["message"].as_str().unwrap().to_owned());
    }
    assert!(messages.len() >= 2, "{messages:?}");
    assert!(messages.iter().any(|message| message.contains("trying again in ")), "{messages:?}");
}

#[tokio::test]
async fn a_client_that_goes_away_leaves_the_catalog_to_the_others() {
    let proxy = Proxy::start().await;
    proxy.fault("/models", 0, 1, Fault::Hold);
    let world = Setup::new()
        .set("VENICE_BASE_URL", &proxy.base_url)
        .set("VENICE_BUDGET_USD", "1")
        .start()
        .await;
    give_up(&world, &proxy, TOOL, picture("a cat"), "/models").await;
    timeout(Duration::from_secs(5), proxy.wait_for_close("/models")).await.unwrap();
    let result = world.call(TOOL, picture("a dog")).await;
    assert_ne!(result.is_error, Some(true), "{}", text(&result));
}
