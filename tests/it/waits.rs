//! Waits: for limits, for people, and for what never comes. No test here takes the time that it is about.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::harness::{Client as _, Fault, Setup, is_error, media_items, text};

const IMAGE: &str = "/image/generate";
const TOOL: &str = "venice_image_generate";

fn image(prompt: &str) -> Value {
    json!({"prompt": prompt, "width": 64, "height": 64, "output": "none"})
}

/// The answer of an API that wants to be left alone for so many seconds.
fn busy(head: &'static str) -> Fault {
    Fault::Answer(429, head, b"{\"error\":\"slow down\"}".to_vec())
}

#[tokio::test(start_paused = true)]
async fn a_wait_for_a_limit_that_is_given_up_sends_nothing_more() {
    let server = Setup::new().in_process().await;
    server.venice.fault(IMAGE, 0, 1, busy("retry-after: 2"));
    let call = server.begin(TOOL, image("a cat")).await;
    server.progress_says("trying again").await;
    call.cancel(None).await.unwrap();
    sleep(Duration::from_hours(1)).await;
    assert_eq!(server.venice.arrived(IMAGE), 1);
}

#[tokio::test(start_paused = true)]
async fn a_wait_for_a_limit_shows_signs_of_life() {
    let server = Setup::new().in_process().await;
    server.venice.fault(IMAGE, 0, 1, busy("retry-after: 12"));
    let start = Instant::now();
    let result = server.call(TOOL, image("a cat")).await;
    assert!(!is_error(&result), "{}", text(&result));
    let end = start.elapsed();
    assert!((12..15).contains(&end.as_secs()), "{end:?}");
    // A host gives a call up that says nothing for long.
    let mut last = Duration::ZERO;
    for at in server.progress(start).into_iter().chain([end]) {
        assert!(
            at.checked_sub(last).unwrap() <= Duration::from_millis(5010),
            "silent from {last:?} to {at:?}"
        );
        last = at;
    }
    assert_eq!(server.venice.arrived(IMAGE), 2);
}

#[tokio::test(start_paused = true)]
async fn a_limit_holds_the_next_call_of_its_model() {
    let server = Setup::new().in_process().await;
    server.venice.fault(IMAGE, 0, 1, busy("retry-after: 20"));
    let first = server.begin(TOOL, image("a cat")).await;
    server.progress_says("trying again").await;
    first.cancel(None).await.unwrap();
    let start = Instant::now();
    let result = server.call(TOOL, image("a dog")).await;
    assert!(!is_error(&result), "{}", text(&result));
    assert!(start.elapsed() >= Duration::from_secs(19), "{:?}", start.elapsed());
    assert_eq!(server.venice.arrived(IMAGE), 2);
    let start = Instant::now();
    server.call("venice_tts", json!({"input": "Hi.", "output": "none"})).await;
    assert!(start.elapsed() < Duration::from_secs(1), "another model has a limit of its own");
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_lasts_too_long_is_an_error() {
    let server = Setup::new().in_process().await;
    server.venice.fault(IMAGE, 0, 9, busy("retry-after: 4000"));
    let start = Instant::now();
    let result = server.call(TOOL, image("a cat")).await;
    assert!(is_error(&result), "{}", text(&result));
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
    assert_eq!(server.venice.arrived(IMAGE), 1);
}

#[tokio::test(start_paused = true)]
async fn many_refused_requests_stop_all_until_they_are_forgotten() {
    let server = Setup::new().in_process().await;
    let refused = Fault::Answer(400, "", b"{\"error\":\"no\"}".to_vec());
    server.venice.fault(IMAGE, 0, 1000, refused);
    for _ in 0..20 {
        server.call(TOOL, image("a cat")).await;
    }
    // Venice blocks a key after 20 within half a minute.
    let sent = server.venice.arrived(IMAGE);
    assert_eq!(sent, 15);
    sleep(Duration::from_secs(31)).await;
    server.call(TOOL, image("a cat")).await;
    assert_eq!(server.venice.arrived(IMAGE), sent + 1);
}

#[tokio::test(start_paused = true)]
async fn a_request_without_an_answer_ends_at_the_deadline() {
    let server = Setup::new().set("VENICE_TIMEOUT", "7").in_process().await;
    server.venice.fault("/models", 0, 9, Fault::Hold);
    let start = Instant::now();
    let result = server.call("venice_list_models", json!({"type": "image"})).await;
    assert!(is_error(&result), "{}", text(&result));
    assert_eq!(start.elapsed().as_secs(), 7);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_runs_out_of_time_keeps_the_parts_it_has() {
    let server = Setup::new().set("VENICE_TIMEOUT", "4").in_process().await;
    server.venice.fault("/audio/speech", 3, 1, Fault::Hold);
    let input = "A sentence that goes on for a while. ".repeat(500);
    let start = Instant::now();
    let result = server.call("venice_tts", json!({"input": input})).await;
    assert!(is_error(&result), "{}", text(&result));
    assert_eq!(start.elapsed().as_secs(), 4);
    assert_eq!(server.venice.arrived("/audio/speech"), 5);
    // The three parts before the one without an answer are joined; the one after it is stored by itself.
    assert_eq!(media_items(&server.call("venice_media", json!({})).await).len(), 2);
}

#[tokio::test(start_paused = true)]
async fn the_time_that_a_user_takes_is_not_the_calls() {
    let setup = Setup::new().set("VENICE_CONFIRM_OVER_USD", "0.005").set("VENICE_TIMEOUT", "2");
    let server = setup.user_agrees_after(Duration::from_secs(50)).in_process().await;
    let start = Instant::now();
    let result = server.call(TOOL, image("a cat")).await;
    assert!(!is_error(&result), "{}", text(&result));
    assert_eq!(start.elapsed().as_secs(), 50);
}
