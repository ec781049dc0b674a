//! Waits for limits and for people.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::{Fault, Proxy, Setup};

const IMAGE: &str = "/image/generate";
const TOOL: &str = "venice_image_generate";

fn image(prompt: &str) -> Value {
    json!({"prompt": prompt, "width": 64, "height": 64})
}

#[tokio::test]
async fn a_wait_for_a_limit_that_is_given_up_sends_nothing_more() {
    let proxy = Proxy::start().await;
    let busy = Fault::Answer(429, "retry-after: 2", b"{\"error\":\"slow down\"}".to_vec());
    proxy.fault(IMAGE, 0, 1, busy);
    let server = Setup::new().upstream(&proxy.base_url).start().await;
    let call = server.begin(TOOL, image("a cat")).await;
    proxy.wait_for(IMAGE).await;
    call.cancel(None).await.unwrap();
    tokio::time::sleep(Duration::from_millis(2700)).await;
    assert_eq!(proxy.arrived(IMAGE), 1);
}

#[tokio::test]
async fn a_wait_for_a_limit_shows_signs_of_life() {
    let proxy = Proxy::start().await;
    let busy = Fault::Answer(429, "retry-after: 6", b"{\"error\":\"slow down\"}".to_vec());
    proxy.fault(IMAGE, 0, 1, busy);
    let raw = Setup::new().upstream(&proxy.base_url).lines().await;
    raw.initialize("2025-06-18").await;
    let call = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {
        "name": TOOL, "arguments": image("a cat"), "_meta": {"progressToken": "t"}}});
    raw.write(call.to_string().as_bytes()).await;
    let (mut last, mut messages) = (Instant::now(), Vec::new());
    loop {
        let message = raw.next().await;
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
async fn the_time_that_a_user_takes_is_not_the_calls() {
    let setup = Setup::new().set("VENICE_CONFIRM_OVER_USD", "0.005").set("VENICE_TIMEOUT", "2");
    let raw = setup.lines().await;
    raw.initialize_with("2025-06-18", json!({"elicitation": {}})).await;
    let question = raw.exchange(json!({"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": {"name": TOOL, "arguments": image("a cat")}})).await;
    assert_eq!(question["method"], "elicitation/create", "{question}");
    tokio::time::sleep(Duration::from_millis(2500)).await;
    let answer = raw
        .exchange(json!({"jsonrpc": "2.0", "id": question["id"], "result": {"action": "accept"}}))
        .await;
    let said = answer["result"]["content"][0]["text"].as_str().unwrap();
    assert!(said.contains("image/webp"), "{answer}");
}
