//! Tests of the whole family, and of the families that answer with text.

use serde_json::{Value, json};

use crate::sandbox::test::TestSandbox;

const GLM: &str = "zai-org-glm-5-2";

fn chat(text: &str, more: Value) -> Value {
    let mut body = json!({ "model": GLM, "messages": [{ "role": "user", "content": text }] });
    if let (Value::Object(body), Value::Object(more)) = (&mut body, more) {
        body.extend(more);
    }
    body
}

fn weather() -> Value {
    let parameters = json!({ "type": "object", "properties": { "city": { "type": "string" } } });
    json!([{ "type": "function", "function": { "name": "weather", "parameters": parameters } }])
}

#[tokio::test]
async fn a_chat_answers_with_what_was_said_its_usage_and_its_cost() {
    let sandbox = TestSandbox::new().await;
    for model in [GLM, "default", "zai-org-glm-5-2:enable_web_search=on"] {
        let body = sandbox
            .post("/chat/completions", chat("hello", json!({ "model": model })))
            .await
            .json();
        assert_eq!(body["choices"][0]["message"]["content"], "You said: hello");
        assert_eq!(body["model"], GLM);
        assert!(body["cost"]["usd"].as_f64().expect("a cost") > 0.0);
    }
    let body = chat("please call it", json!({ "tools": weather() }));
    let body = sandbox.post("/chat/completions", body).await.json();
    assert_eq!(body["choices"][0]["finish_reason"], "tool_calls");
    assert_eq!(
        body["choices"][0]["message"]["tool_calls"][0]["function"]["arguments"],
        r#"{"city":"Venice"}"#
    );
    let schema =
        json!({ "type": "object", "properties": { "n": { "type": "integer", "minimum": 3 } } });
    let format = json!({ "type": "json_schema", "json_schema": { "name": "x", "schema": schema } });
    let body = sandbox
        .post("/chat/completions", chat("hi", json!({ "response_format": format })))
        .await
        .json();
    assert_eq!(body["choices"][0]["message"]["content"], r#"{"n":3}"#);
}

#[tokio::test]
async fn a_stream_is_words_then_the_end_then_usage_and_cost() {
    let sandbox = TestSandbox::new().await;
    let body = chat("call me", json!({ "stream": true, "tools": weather() }));
    let got = sandbox.post("/chat/completions", body).await;
    assert_eq!(got.header("content-type"), "text/event-stream");
    let text = got.text();
    let events: Vec<&str> =
        text.split("\n\n").filter_map(|event| event.strip_prefix("data: ")).collect();
    assert_eq!(events.last(), Some(&"[DONE]"));
    let events: Vec<Value> =
        events.iter().filter_map(|event| serde_json::from_str(event).ok()).collect();
    let calls =
        events.iter().filter(|event| event.pointer("/choices/0/delta/tool_calls").is_some());
    assert_eq!(calls.count(), 1);
    let last = events.last().expect("an event");
    assert!(
        last["choices"].as_array().is_some_and(Vec::is_empty) && last["cost"]["usd"].is_number()
    );
}

#[tokio::test]
async fn what_a_text_model_lacks_is_refused() {
    let sandbox = TestSandbox::new().await;
    let part = json!([{ "role": "user", "content": [{ "type": "image_url", "image_url": { "url": "https://example.com/a.png" } }] }]);
    for (more, status) in [
        (json!({ "model": "glm" }), 404),
        (json!({ "temperature": 2.5 }), 400),
        (json!({ "reasoning_effort": "low" }), 400),
        (json!({ "logprobs": true }), 400),
        (json!({ "messages": part }), 400),
        (json!({ "messages": [] }), 400),
        (json!({ "messages": [{ "role": "tool", "content": "x" }] }), 400),
        (json!({ "unknown": 1 }), 400),
        (json!({ "max_completion_tokens": 1_000_000 }), 400),
        (json!({ "venice_parameters": { "character_slug": "nobody" } }), 404),
        (json!({ "venice_parameters": { "enable_web_search": true } }), 400),
        (json!({ "venice_parameters": { "unknown": true } }), 200),
        (json!({ "model": "qwen-3-8-27b", "messages": part }), 200),
    ] {
        let got = sandbox.post("/chat/completions", chat("hi", more.clone())).await;
        assert_eq!(got.status, status, "{more}: {}", got.text());
    }
}

#[tokio::test]
async fn responses_have_output_items_and_no_output_text() {
    let sandbox = TestSandbox::new().await;
    let body =
        json!({ "model": GLM, "input": [{ "role": "user", "content": "hello" }], "seed": 1 });
    let body = sandbox.post("/responses", body).await.json();
    assert_eq!(body["output"][1]["content"][0]["text"], "You said: hello");
    assert!(body.get("output_text").is_none());
    let body = json!({ "model": "e2ee-gemma-4-31b", "input": "hello" });
    assert_eq!(sandbox.post("/responses", body).await.status, 400);
}

#[tokio::test]
async fn embeddings_are_numbers_or_their_bytes() {
    let sandbox = TestSandbox::new().await;
    let model = "text-embedding-3-small";
    let body = json!({ "model": model, "input": ["a", "b"], "dimensions": 8 });
    let body = sandbox.post("/embeddings", body).await.json();
    assert_eq!(body["data"][1]["embedding"].as_array().map(Vec::len), Some(8));
    let body =
        json!({ "model": model, "input": "a", "dimensions": 8, "encoding_format": "base64" });
    let body = sandbox.post("/embeddings", body).await.json();
    assert_eq!(body["data"][0]["embedding"].as_str().map(str::len), Some(44));
    for body in [
        json!({ "model": "text-embedding-bge-m3", "input": "a", "dimensions": 8 }),
        json!({ "model": model, "input": [1, 2] }),
        json!({ "model": model, "input": "word ".repeat(6000) }),
        json!({ "input": "a" }),
    ] {
        assert_eq!(sandbox.post("/embeddings", body).await.status, 400);
    }
}

#[tokio::test]
async fn the_web_the_characters_and_the_chains_answer_and_refuse() {
    let sandbox = TestSandbox::new().await;
    let got = sandbox.post("/augment/search", json!({ "query": "canals", "limit": 3 })).await;
    assert_eq!(got.json()["results"].as_array().map(Vec::len), Some(3));
    assert_eq!(
        sandbox.post("/augment/search", json!({ "query": "x".repeat(401) })).await.status,
        400
    );
    let scrape = |url: &str| sandbox.post("/augment/scrape", json!({ "url": url }));
    assert_eq!(scrape("https://example.com/a").await.json()["format"], "markdown");
    assert_eq!(scrape("http://localhost/").await.status, 400);
    assert_eq!(scrape("https://x.com/a").await.status, 400);
    assert_eq!(scrape("https://nowhere.invalid/").await.status, 500);
    let got = sandbox.form("/augment/text-parser", &[], &[("file", "a.md", b"# Hello")]).await;
    assert_eq!(got.json(), json!({ "text": "# Hello", "tokens": 3 }));
    assert_eq!(
        sandbox.form("/augment/text-parser", &[], &[("file", "a.doc", b"x")]).await.status,
        400
    );
    let found = sandbox.get("/characters?search=watts&tags=philosophy&isAdult=false").await.json();
    assert_eq!(found["data"].as_array().map(Vec::len), Some(1));
    assert_eq!(sandbox.get("/characters?tag=philosophy").await.status, 400);
    assert_eq!(sandbox.get("/characters/nobody").await.status, 404);
    assert_eq!(
        sandbox.get("/characters/alan-watts/reviews?pageSize=2").await.json()["pagination"]["totalPages"],
        2
    );
    let call = json!({ "jsonrpc": "2.0", "id": 7, "method": "eth_blockNumber", "params": [] });
    let got = sandbox.post("/crypto/rpc/base-mainnet", json!([call, call])).await;
    assert_eq!((got.json()[1]["id"].as_i64(), got.header("x-venice-rpc-credits")), (Some(7), "40"));
    assert_eq!(sandbox.post("/crypto/rpc/nowhere", call).await.status, 400);
    assert!(
        sandbox.get("/crypto/rpc/networks").await.json()["networks"]
            .as_array()
            .is_some_and(|all| !all.is_empty())
    );
}
