//! Requests whose parameters are wrong, on every transport.

use std::fmt::Write as _;

use insta::{allow_duplicates, assert_snapshot};
use serde_json::{Value, json};

use crate::harness::{Client, Setup, Sse, TestServer, decode, is_error, text};

/// What is said to methods with parameters that none of them takes.
async fn mistakes(client: &impl Client) -> String {
    let mut said = String::new();
    for (method, params) in [
        ("tools/call", json!({"name": "venice_tts", "arguments": [1]})),
        ("tools/call", json!({"name": "venice_tts", "arguments": "no JSON"})),
        ("tools/call", json!({"name": "venice_tts", "arguments": "[1]"})),
        ("tools/call", json!({"arguments": {}})),
        ("tools/call", json!({"arguments": "{}"})),
        ("resources/read", json!({})),
        ("prompts/get", json!({})),
        ("completion/complete", json!({})),
        ("tools/paint", json!({})),
    ] {
        let answer = client.ask(method, params.clone()).await;
        let (code, message) = (&answer["error"]["code"], &answer["error"]["message"]);
        let _ = writeln!(said, "{method} {params}\n  {code} {}", message.as_str().unwrap());
    }
    said
}

/// Calls with wrong parameters, and with arguments that are the text of an object.
async fn check(client: &impl Client) {
    let said = mistakes(client).await;
    allow_duplicates! {
        assert_snapshot!(said, @r#"
        tools/call {"name":"venice_tts","arguments":[1]}
          -32602 `arguments` must be an object, with the arguments by name
        tools/call {"name":"venice_tts","arguments":"no JSON"}
          -32602 `arguments` must be an object, with the arguments by name
        tools/call {"name":"venice_tts","arguments":"[1]"}
          -32602 `arguments` must be an object, with the arguments by name
        tools/call {"arguments":{}}
          -32602 the parameters of tools/call are wrong: missing field `name`
        tools/call {"arguments":"{}"}
          -32602 the parameters of tools/call are wrong: missing field `name`
        resources/read {}
          -32602 the parameters of resources/read are wrong: missing field `uri`
        prompts/get {}
          -32602 the parameters of prompts/get are wrong: missing field `name`
        completion/complete {}
          -32602 the parameters of completion/complete are wrong: missing field `ref`
        tools/paint {}
          -32601 tools/paint
        "#);
    }
    let spoken = client.call("venice_tts", json!("{\"input\": \"Hi.\"}")).await;
    let resource = &spoken["content"][1]["resource"];
    assert_eq!(resource["mimeType"], "audio/mpeg");
    assert!(decode(resource["blob"].as_str().unwrap()).len() > 500);
    assert!(spoken["resultType"].is_null());
}

#[tokio::test]
async fn wrong_parameters_are_named_on_stdio() {
    let server = Setup::new().lines().await;
    server.initialize("2025-06-18").await;
    check(&*server).await;
    let request = json!({"jsonrpc": "2.0", "id": 2, "method": "resources/read"});
    assert_eq!(server.exchange(request).await["error"]["code"], -32602);
}

#[tokio::test]
async fn wrong_parameters_are_named_over_http() {
    let server = Setup::new().http().await;
    check(&*server).await;
    let answer = server.ask("initialize", json!({})).await;
    assert_snapshot!(answer["error"], @r#"{"code":-32602,"message":"the parameters of initialize are wrong: missing field `protocolVersion`"}"#);
    // Of the revision without a handshake it is not a method.
    let meta = json!({"io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": "raw", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {}});
    let head = [("mcp-protocol-version", "2026-07-28"), ("mcp-method", "initialize")];
    let answer = server.with(head).ask("initialize", json!({"_meta": meta})).await;
    assert_eq!(answer["error"]["code"], -32601, "{answer}");
}

#[tokio::test]
async fn wrong_parameters_are_named_over_sse() {
    let server = Setup::new().http().await;
    let stream = Sse::open(&server, "/sse").await;
    stream.initialize().await;
    check(&stream).await;
}

/// What is said to a number in each of some arguments.
async fn refused(server: &TestServer, number: &str) -> String {
    let hello = json!({"messages": [{"role": "user", "content": "hi"}]});
    let mut all = String::new();
    for (tool, mut arguments, name) in [
        ("venice_image_generate", json!({"prompt": "a cat"}), "steps"),
        ("venice_chat", hello.clone(), "top_k"),
        ("venice_chat", hello.clone(), "max_completion_tokens"),
        ("venice_chat", hello, "seed"),
        ("venice_responses", json!({"input": "hi"}), "max_output_tokens"),
        ("venice_embeddings", json!({"input": "hi"}), "dimensions"),
        ("venice_list_characters", json!({}), "offset"),
        ("venice_get_character", json!({"slug": "alan-watts"}), "page"),
    ] {
        arguments[name] = serde_json::from_str(number).unwrap();
        let _ = writeln!(all, "{tool} {name}\n  {}", server.said(tool, arguments).await);
    }
    all
}

#[tokio::test]
async fn a_number_beyond_all_bounds_is_refused_by_name() {
    let server = Setup::new().set("VENICE_TOOLSETS", "all").start().await;
    for number in ["18446744073709551615", "1e30"] {
        let said = refused(&server, number).await;
        allow_duplicates! {
            assert_snapshot!(said, @"
            venice_image_generate steps
              error: an argument is not valid
            - `steps`: must be at most 9223372036854775807
            hint: correct the arguments and call again; nothing was spent
            venice_chat top_k
              error: an argument is not valid
            - `top_k`: must be at most 9223372036854775807
            hint: correct the arguments and call again; nothing was spent
            venice_chat max_completion_tokens
              error: an argument is not valid
            - `max_completion_tokens`: must be at most 9223372036854775807
            hint: correct the arguments and call again; nothing was spent
            venice_chat seed
              error: an argument is not valid
            - `seed`: must be at most 9223372036854775807
            hint: correct the arguments and call again; nothing was spent
            venice_responses max_output_tokens
              error: an argument is not valid
            - `max_output_tokens`: must be at most 9223372036854775807
            hint: correct the arguments and call again; nothing was spent
            venice_embeddings dimensions
              error: an argument is not valid
            - `dimensions`: must be at most 9223372036854775807
            hint: correct the arguments and call again; nothing was spent
            venice_list_characters offset
              error: an argument is not valid
            - `offset`: must be at most 9223372036854775807
            hint: correct the arguments and call again; nothing was spent
            venice_get_character page
              error: an argument is not valid
            - `page`: must be at most 9223372036854775807
            hint: correct the arguments and call again; nothing was spent
            ");
        }
    }
    for number in ["-9300000000000000000", "-1e18"] {
        let said = refused(&server, number).await;
        allow_duplicates! {
            assert_snapshot!(said, @"
            venice_image_generate steps
              error: an argument is not valid
            - `steps`: must be at least 1
            hint: correct the arguments and call again; nothing was spent
            venice_chat top_k
              error: an argument is not valid
            - `top_k`: must be at least 0
            hint: correct the arguments and call again; nothing was spent
            venice_chat max_completion_tokens
              error: an argument is not valid
            - `max_completion_tokens`: must be at least 1
            hint: correct the arguments and call again; nothing was spent
            venice_chat seed
              error: an argument is not valid
            - `seed`: must be at least 1
            hint: correct the arguments and call again; nothing was spent
            venice_responses max_output_tokens
              error: an argument is not valid
            - `max_output_tokens`: must be at least 1
            hint: correct the arguments and call again; nothing was spent
            venice_embeddings dimensions
              error: an argument is not valid
            - `dimensions`: must be at least 1
            hint: correct the arguments and call again; nothing was spent
            venice_list_characters offset
              error: an argument is not valid
            - `offset`: must be at least 0
            hint: correct the arguments and call again; nothing was spent
            venice_get_character page
              error: an argument is not valid
            - `page`: must be at least 1
            hint: correct the arguments and call again; nothing was spent
            ");
        }
    }
}

#[tokio::test]
async fn a_large_number_is_sent_as_it_is() {
    let server = Setup::new().start().await;
    let mut large = json!({"messages": [{"role": "user", "content": "hi"}], "top_k": 1e18});
    // It fits the type of the argument; Venice may still refuse it.
    assert_snapshot!(server.said("venice_chat", large.clone()).await, @"
    You said: hi

    30 characters of reasoning are left out; strip_thinking_response false shows them
    model zai-org-glm-5-2 | 1 tokens in, 14 out (10 of reasoning)
    less than $0.0001, balance before $12.34
    ");
    large["top_k"] = json!(4.0);
    large["seed"] = json!(9_007_199_254_740_991_i64);
    let result = server.call("venice_chat", large.clone()).await;
    assert!(!is_error(&result), "{}", text(&result));
    let sent: Vec<Value> = server.sent("/chat/completions");
    assert_eq!(sent.last().unwrap()["seed"], large["seed"]);
}
