//! Replies that are not as they should be.

use insta::assert_snapshot;
use serde_json::json;
use wiremock::matchers::{body_string_contains, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::harness::{Client as _, Setup, TestServer, error};

const TOOL: &str = "venice_chat";

/// An API whose chat answers with these events, and then ends.
async fn broken(events: &str) -> (MockServer, TestServer) {
    let venice = MockServer::start().await;
    let reply = ResponseTemplate::new(200).set_body_raw(events.to_owned(), "text/event-stream");
    let chat = Mock::given(method("POST")).and(path("/chat/completions"));
    chat.respond_with(reply).mount(&venice).await;
    let server = Setup::new().upstream(&venice.uri()).start().await;
    (venice, server)
}

#[tokio::test]
async fn what_came_before_a_failure_is_not_lost() {
    let piece = |text: &str| {
        format!("data: {}\n\n", json!({"choices": [{"index": 0, "delta": {"content": text}}]}))
    };
    let (_venice, server) = broken(&piece("half of it")).await;
    assert_snapshot!(server.said(TOOL, json!({"prompt": "hi"})).await, @"
    error: reply cut short: the stream ended before the answer did
    Venice says: the answer had begun: half of it
    hint: check the network, then call again
    ");

    let failure = json!({"error": {"message": "the provider went away", "type": "server_error"}});
    let events = format!("{}data: {failure}\n\ndata: [DONE]\n\n", piece(&"word ".repeat(1000)));
    let (_venice, server) = broken(&events).await;
    let result = server.call(TOOL, json!({"prompt": "hi"})).await;
    assert_snapshot!(server.text(&result), @"
    error: the stream ended with an error
    Venice says: the provider went away
    5000 characters had arrived and are stored as venice://media/hi-<id>; they begin: word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word  …
    hint: call again later, or use another model
    ");
    let said = error(&result);
    let uri = said.split(' ').find(|word| word.starts_with("venice://media/")).unwrap();
    let stored = server.read(uri.trim_end_matches(';')).await.unwrap();
    assert_eq!(stored, "word ".repeat(1000).into_bytes());
}

#[tokio::test]
async fn a_plain_reply_is_an_answer_or_an_error() {
    let venice = MockServer::start().await;
    let message = json!({"role": "assistant", "content": "hello"});
    let whole = json!({"model": "m", "choices": [{"message": message, "finish_reason": "stop"}]});
    let failure = json!({"error": {"message": "no capacity left", "type": "server_error"}});
    for (text, body) in [("first", whole), ("second", failure)] {
        let chat = Mock::given(method("POST")).and(path("/chat/completions"));
        let chat = chat.and(body_string_contains(text));
        chat.respond_with(ResponseTemplate::new(200).set_body_json(body)).mount(&venice).await;
    }
    let server = Setup::new().upstream(&venice.uri()).start().await;
    let calls = [json!({"prompt": "first"}), json!({"prompt": "second"})];
    assert_snapshot!(server.said_each(TOOL, calls).await, @r#"
    {"prompt":"first"}
      hello
      
      model m (asked for zai-org-glm-5-2)
    {"prompt":"second"}
      error: the stream ended with an error
      Venice says: no capacity left
      hint: call again later, or use another model
    "#);
}

#[tokio::test]
async fn a_success_without_an_answer_is_an_error() {
    let (_venice, server) =
        broken("data: {\"id\": \"x\", \"choices\": []}\n\ndata: [DONE]\n\n").await;
    assert_snapshot!(server.said(TOOL, json!({"prompt": "hi"})).await, @"
    error: Venice's reply holds no answer
    hint: look at the balance before the call is made again
    ");
}
