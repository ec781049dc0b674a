//! Responses.

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::harness::{Client as _, Setup, texts};

const TOOL: &str = "venice_responses";

#[tokio::test]
async fn venice_responses() {
    let server = Setup::new().start().await;
    let call = json!({"text": "think", "reasoning_effort": "high", "max_tokens": 50,
        "temperature": 0.5, "top_p": 0.5, "web_search": true, "include": ["a"],
        "fallbacks": ["kimi-k3"], "reasoning_summary": "concise"});
    assert_snapshot!(server.transcript(TOOL, call).await, @r#"
    venice_responses {"text":"think","reasoning_effort":"high","max_tokens":50,"temperature":0.5,"top_p":0.5,"web_search":true,"include":["a"],"fallbacks":["kimi-k3"],"reasoning_summary":"concise"}
    > GET /models?type=text
    > POST /responses
      {
        "max_output_tokens": 50, "temperature": 0.5, "top_p": 0.5, "web_search": true, "include": ["a"],
        "model": "zai-org-glm-5-2", "stream": true, "input": "think",
        "reasoning": {"effort":"high","summary":"concise"}, "fallbacks": [{"model":"kimi-k3"}]
      }
    < text
      <think>
      The sandbox thinks of nothing.
      </think>
      You said: think
      
      web searches: 1
      model zai-org-glm-5-2 | 2 tokens in, 5 out
      about $0.01, balance before $12.34
    "#);
    let mistake = json!({"input": "hi", "model": "e2ee-gemma-4-31b"});
    assert_snapshot!(server.transcript(TOOL, mistake).await, @r#"
    venice_responses {"input":"hi","model":"e2ee-gemma-4-31b"}
    < isError
    < text
      an argument is not valid
      - `model`: e2ee-gemma-4-31b is not offered here; use venice_chat, or another model
      hint: the model `qwen-3-8-27b` can; nothing was spent
    "#);
}

#[tokio::test]
async fn items_go_in_and_calls_of_functions_come_back_as_items() {
    let server = Setup::new().start().await;
    let items = json!([{"role": "user", "content": "call it"}]);
    let tool = json!({"type": "function", "name": "f", "parameters": {"type": "object"}});
    let arguments = json!({"input": items, "system": "Be brief.", "tools": [tool]});
    let result = server.call(TOOL, arguments).await;
    let [said, back] = texts(&result)[..] else { panic!("{result}") };
    assert_snapshot!(said, @"
    You said: call it
    calls f with {} (call_id call_sandbox1)

    to go on, send in input: the items of this call, those below unchanged, and {type: function_call_output, call_id, output} for each call
    a summary of the reasoning (30 characters) is left out; reasoning_summary shows it
    model zai-org-glm-5-2 | 3 tokens in, 6 out
    less than $0.0001, balance before $12.34
    ");
    let back: Value = serde_json::from_str(back).unwrap();
    let types: Vec<&str> =
        back.as_array().unwrap().iter().map(|item| item["type"].as_str().unwrap()).collect();
    assert_eq!(types, ["reasoning", "function_call"]);
    let body = server.sent("/responses").pop().unwrap();
    assert_eq!(body["input"][0]["role"], "system");
    assert_eq!(body["input"][1], items[0]);
    assert_eq!(body["tools"][0]["function"]["name"], "f");
}
