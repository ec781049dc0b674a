//! Chats.

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::harness::{
    Client as _, Setup, TestServer, is_error, kinds, media_items, png, text, texts, wav,
};

const TOOL: &str = "venice_chat";

/// The body of the last request for a chat.
fn last(server: &TestServer) -> Value {
    server.sent("/chat/completions").pop().unwrap()
}

#[tokio::test]
async fn venice_chat() {
    let server = Setup::new().start().await;
    assert_snapshot!(server.transcript(TOOL, json!({"prompt": "hi there"})).await, @r#"
    venice_chat {"prompt":"hi there"}
    > GET /models?type=text
    > POST /chat/completions
      {
        "model": "zai-org-glm-5-2", "stream": true, "stream_options": {"include_usage":true},
        "messages": [{"role":"user","content":"hi there"}]
      }
    < text
      You said: hi there
      
      30 characters of reasoning are left out; strip_thinking_response false shows them
      model zai-org-glm-5-2 | 3 tokens in, 16 out (10 of reasoning)
      less than $0.0001, balance before $12.34
    "#);
    let mistake = json!({"prompt": "hi", "model": "kimi-k4"});
    assert_snapshot!(server.transcript(TOOL, mistake).await, @r#"
    venice_chat {"prompt":"hi","model":"kimi-k4"}
    > GET /models/traits?type=text
    > GET /models/compatibility_mapping?type=text
    < isError
    < text
      an argument is not valid
      - `model`: `kimi-k4` is not a known text model; near ids: `kimi-k3`
      hint: venice_list_models with type `text` lists them; nothing was spent
    "#);
}

#[tokio::test]
async fn every_argument_of_a_chat_reaches_venice_in_its_place() {
    let server = Setup::new().start().await;
    let format = json!({"type": "json_object"});
    let tool = json!({"type": "function", "function": {"name": "f", "parameters":
        {"type": "object", "properties": {"a": {"type": "string", "default": null}}}}});
    let top = json!({"temperature": 0.5, "top_p": 0.5, "top_k": 5, "min_p": 0.5,
        "frequency_penalty": -1.5, "presence_penalty": 1.5, "repetition_penalty": 1.5,
        "max_completion_tokens": 50, "stop": ["END"], "seed": 3, "logprobs": true, "top_logprobs": 2,
        "response_format": format, "tools": [tool], "tool_choice": "none",
        "parallel_tool_calls": false, "prompt_cache_key": "k", "prompt_cache_retention": "24h",
        "verbosity": "low"});
    let venice = json!({"character_slug": "alan-watts", "enable_web_search": "auto",
        "enable_web_scraping": true, "enable_web_citations": true,
        "include_venice_system_prompt": false, "strip_thinking_response": true,
        "disable_thinking": true});
    let mut arguments = json!({"system": "Be brief.", "prompt": "more", "model": "gpt-4o",
        "messages": [{"role": "user", "content": "hi"}], "fallbacks": ["kimi-k3"],
        "extra": {"venice_parameters": {"enable_e2ee": false}, "user": "me"}});
    for (name, value) in top.as_object().unwrap().iter().chain(venice.as_object().unwrap()) {
        arguments[name] = value.clone();
    }
    let result = server.call(TOOL, arguments).await;
    assert!(!is_error(&result), "{}", text(&result));
    let body = last(&server);
    for (name, value) in top.as_object().unwrap() {
        assert_eq!(&body[name], value, "{name}");
    }
    for (name, value) in venice.as_object().unwrap() {
        assert_eq!(&body["venice_parameters"][name], value, "{name}");
        assert!(body.get(name).is_none(), "{name}");
    }
    assert_eq!(body["venice_parameters"]["enable_e2ee"], false);
    assert_eq!(body["user"], "me");
    assert_eq!(body["model"], "openai-gpt-4o-2024-11-20");
    assert_eq!(body["fallbacks"], json!([{"model": "kimi-k3"}]));
    let messages = json!([{"role": "system", "content": "Be brief."},
        {"role": "user", "content": "hi"}, {"role": "user", "content": "more"}]);
    assert_eq!(body["messages"], messages);
    let effort = json!({"prompt": "hi", "reasoning_effort": "high", "enable_x_search": true,
        "model": "grok-4-6"});
    assert!(!is_error(&server.call(TOOL, effort).await));
    assert_eq!(last(&server)["reasoning_effort"], "high");
    assert_eq!(last(&server)["venice_parameters"]["enable_x_search"], true);
}

#[tokio::test]
async fn media_become_the_parts_of_their_types() {
    let setup = Setup::new()
        .file("cat.png", &png(64, 64))
        .file("talk.wav", &wav(1))
        .file("notes.md", b"# Friday");
    let server = setup.start().await;
    let media =
        ["cat.png", "talk.wav", "notes.md", "https://youtu.be/abc", "https://example.com/a.jpg"];
    let arguments = json!({"prompt": "What is this?", "media": media, "model": "gemini-3-5-flash"});
    assert_snapshot!(server.said(TOOL, arguments).await, @"
    You said: What is this? I got 5 media.

    30 characters of reasoning are left out; strip_thinking_response false shows them
    model gemini-3-5-flash | 7005 tokens in, 22 out (10 of reasoning)
    about $0.0111, balance before $12.34
    ");
    let body = last(&server);
    let parts = body["messages"][0]["content"].as_array().unwrap();
    let types: Vec<&str> = parts.iter().map(|part| part["type"].as_str().unwrap()).collect();
    let wanted = ["text", "image_url", "input_audio", "file", "video_url", "image_url"];
    assert_eq!(types, wanted);
    assert_eq!(parts[2]["input_audio"]["format"], "wav");
    assert_eq!(parts[3]["file"]["filename"], "notes.md");
    assert_eq!(parts[4]["video_url"]["url"], "https://youtu.be/abc");
}

#[tokio::test]
async fn what_the_model_cannot_do_is_refused_and_one_that_can_is_named() {
    let server = Setup::new().file("cat.png", &png(64, 64)).start().await;
    let tools = json!([{"type": "function", "function": {"name": "f"}}]);
    let images: Vec<String> = (0..11).map(|n| format!("https://example.com/{n}.png")).collect();
    let refused = server
        .said_each(
            TOOL,
            [
                json!({"prompt": "hi", "images": "cat.png"}),
                json!({"prompt": "hi", "media": images, "model": "gemini-3-5-flash"}),
                json!({"prompt": "hi", "tools": tools, "model": "e2ee-gemma-4-31b"}),
                json!({"prompt": "hi", "logprobs": true}),
                json!({"prompt": "hi", "reasoning_effort": "low"}),
                json!({"prompt": "hi", "enable_x_search": true}),
                json!({"prompt": "hi", "max_tokens": 32001}),
                json!({"prompt": "hi", "fallbacks": ["kimi-k4"]}),
                json!({"prompt": " "}),
                json!({}),
                json!({"messages": [{"role": "me", "content": "hi"}]}),
                json!({"prompt": "hi", "extra": {"stream": false}}),
            ],
        )
        .await;
    assert_snapshot!(refused, @r#"
    {"prompt":"hi","images":"cat.png"}
      error: an argument is not valid
      - `media`: zai-org-glm-5-2 does not accept images
      hint: the model `qwen-3-8-27b` can; nothing was spent
    {"prompt":"hi","media":["https://example.com/0.png","https://example.com/1.png","https://example.com/2.png","https://example.com/3.png","https://example.com/4.png","https://example.com/5.png","https://example.com/6.png","https://example.com/7.png","https://example.com/8.png","https://example.com/9.png","https://example.com/10.png"],"model":"gemini-3-5-flash"}
      error: an argument is not valid
      - `media`: message 0 has 11 images; at most 10 are allowed
      hint: correct the arguments and call again; nothing was spent
    {"prompt":"hi","tools":[{"type":"function","function":{"name":"f"}}],"model":"e2ee-gemma-4-31b"}
      error: an argument is not valid
      - `tools`: e2ee-gemma-4-31b calls no functions
      hint: the model `qwen-3-8-27b` can; nothing was spent
    {"prompt":"hi","logprobs":true}
      error: an argument is not valid
      - `logprobs`: zai-org-glm-5-2 gives no probabilities
      hint: the model `openai-gpt-4o-2024-11-20` can; nothing was spent
    {"prompt":"hi","reasoning_effort":"low"}
      error: an argument is not valid
      - `reasoning_effort`: `low` is not offered by zai-org-glm-5-2; it offers `none`, `high`, `max`
      hint: the model `qwen-3-8-27b` can; nothing was spent
    {"prompt":"hi","enable_x_search":true}
      error: an argument is not valid
      - `enable_x_search`: zai-org-glm-5-2 does not search X
      hint: the model `grok-4-6` can; nothing was spent
    {"prompt":"hi","max_tokens":32001}
      error: an argument is not valid
      - `max_completion_tokens`: must be at most 32000 for zai-org-glm-5-2
      hint: correct the arguments and call again; nothing was spent
    {"prompt":"hi","fallbacks":["kimi-k4"]}
      error: an argument is not valid
      - `fallbacks[0]`: `kimi-k4` is not a known text model; near ids: `kimi-k3`
      hint: venice_list_models with type `text` lists them; nothing was spent
    {"prompt":" "}
      error: an argument is not valid
      - `prompt`: must not be blank
      hint: correct the arguments and call again; nothing was spent
    {}
      error: an argument is not valid
      - `prompt`: is required, or `messages`
      hint: correct the arguments and call again; nothing was spent
    {"messages":[{"role":"me","content":"hi"}]}
      error: an argument is not valid
      - `messages[0].role`: must be one of user, assistant, tool, system, developer
      hint: correct the arguments and call again; nothing was spent
    {"prompt":"hi","extra":{"stream":false}}
      error: some arguments are not valid
      - `extra.stream`: cannot be set in extra
      - `extra.stream`: is set by an argument of this call already
      hint: correct the arguments and call again; nothing was spent
    "#);
    assert!(server.sent("/chat/completions").is_empty());
}

#[tokio::test]
async fn a_tool_call_is_sent_back_as_it_came() {
    let server = Setup::new().start().await;
    let tools = json!([{"type": "function", "name": "weather", "parameters": {"type": "object",
        "properties": {"city": {"type": "string"}}}}]);
    let question = json!({"role": "user", "content": "call it"});
    let first = json!({"messages": [question], "tools": tools, "tool_choice": {"type": "function",
        "function": {"name": "weather"}}});
    let result = server.call(TOOL, first).await;
    let blocks = texts(&result);
    assert_snapshot!(server.text(&result), @r#"
    calls weather with {"city":"Venice"} (id call_sandbox1)

    finish reason tool_calls
    to go on, send in messages: those of this call, the assistant message below unchanged, and {role: tool, tool_call_id, content} for each call
    30 characters of reasoning are left out; strip_thinking_response false shows them
    model zai-org-glm-5-2 | 3 tokens in, 31 out (10 of reasoning)
    about $0.0001, balance before $12.34
    {"role":"assistant","content":"","reasoning_content":"The sandbox thinks of nothing.","tool_calls":[{"id":"call_sandbox1","type":"function","function":{"name":"weather","arguments":"{\"city\":\"Venice\"}"}}]}
    "#);
    let choice = json!({"type": "function", "function": {"name": "weather"}});
    assert_eq!(last(&server)["tool_choice"], choice);
    let message: Value = serde_json::from_str(blocks[1]).unwrap();
    let id = &message["tool_calls"][0]["id"];
    let answer = json!({"role": "tool", "tool_call_id": id, "content": "sunny"});
    let second = json!({"messages": [question, message, answer], "tools": tools});
    let result = server.call(TOOL, second).await;
    assert_eq!(text(&result).lines().next(), Some("You said: sunny"));
    assert_eq!(last(&server)["messages"][1], message);
}

#[tokio::test]
async fn reasoning_is_counted_and_shown_only_where_it_is_asked_for() {
    let server = Setup::new().start().await;
    let shown = json!({"prompt": "hi", "strip_thinking_response": false});
    assert_snapshot!(server.said(TOOL, shown).await, @"
    <think>
    The sandbox thinks of nothing.
    </think>
    You said: hi

    model zai-org-glm-5-2 | 1 tokens in, 14 out (10 of reasoning)
    less than $0.0001, balance before $12.34
    ");
}

#[tokio::test]
async fn sources_are_listed_and_a_cut_answer_says_so() {
    let server = Setup::new().start().await;
    let calls = [
        json!({"prompt": "hi", "enable_web_search": "on"}),
        json!({"prompt": "a long question about it all", "max_completion_tokens": 3}),
    ];
    assert_snapshot!(server.said_each(TOOL, calls).await, @r#"
    {"prompt":"hi","enable_web_search":"on"}
      You said: hi It is said to be so.^1^
      
      30 characters of reasoning are left out; strip_thinking_response false shows them
      model zai-org-glm-5-2 | 1 tokens in, 22 out (10 of reasoning)
      [1] A page of the sandbox: https://example.com/1
      less than $0.0001, balance before $12.34
    {"prompt":"a long question about it all","max_completion_tokens":3}
      You said:
      
      finish reason length: the answer is cut; raise max_completion_tokens
      30 characters of reasoning are left out; strip_thinking_response false shows them
      model zai-org-glm-5-2 | 9 tokens in, 13 out (10 of reasoning)
      less than $0.0001, balance before $12.34
    "#);
}

#[tokio::test]
async fn a_long_answer_is_stored_and_linked() {
    let server = Setup::new().start().await;
    let prompt = "A word and another. ".repeat(2200);
    let result = server.call(TOOL, json!({"prompt": prompt})).await;
    assert_eq!(kinds(&result), ["text", "resource_link"], "{}", text(&result));
    assert!(text(&result).len() < 3000, "{}", text(&result));
    let uri = media_items(&result)[0]["uri"].as_str().unwrap().to_owned();
    let stored = String::from_utf8(server.read(&uri).await.unwrap()).unwrap();
    assert_eq!(stored, format!("You said: {prompt}"));
}

#[tokio::test]
async fn ids_have_suffixes_traits_and_a_setting() {
    let server = Setup::new().set("VENICE_CHAT_MODEL", "default_vision:a=b").start().await;
    for (arguments, wanted) in [
        (json!({"prompt": "hi"}), "qwen-3-8-27b:a=b"),
        (
            json!({"prompt": "hi", "model": "kimi-k3:enable_web_search=on&x=y"}),
            "kimi-k3:enable_web_search=on&x=y",
        ),
        (json!({"prompt": "hi", "modelId": "most_intelligent"}), "grok-4-6"),
    ] {
        let result = server.call(TOOL, arguments).await;
        assert!(!is_error(&result), "{}", text(&result));
        assert_eq!(last(&server)["model"], wanted);
    }
}

#[tokio::test]
async fn tokens_have_a_price_before_and_a_cost_after() {
    let server = Setup::new().set("VENICE_MAX_CALL_USD", "0.001").start().await;
    let refused = [
        json!({"prompt": "hi"}),
        json!({"prompt": "hi", "max_completion_tokens": 1000, "fallbacks": ["kimi-k3"]}),
        json!({"prompt": "hi", "max_completion_tokens": 10, "enable_web_search": "auto"}),
        json!({"prompt": "hi", "model": "grok-4-6", "enable_x_search": true}),
    ];
    assert_snapshot!(server.said_each(TOOL, refused).await, @r#"
    {"prompt":"hi"}
      error: the call would cost about $0.0044, over the $0.001 of --max-call-usd
      hint: use a cheaper model or fewer variants, or raise VENICE_MAX_CALL_USD; nothing was spent
    {"prompt":"hi","max_completion_tokens":1000,"fallbacks":["kimi-k3"]}
      error: the call would cost about $0.0188, over the $0.001 of --max-call-usd
      hint: use a cheaper model or fewer variants, or raise VENICE_MAX_CALL_USD; nothing was spent
    {"prompt":"hi","max_completion_tokens":10,"enable_web_search":"auto"}
      error: the call would cost about $0.01, over the $0.001 of --max-call-usd
      hint: use a cheaper model or fewer variants, or raise VENICE_MAX_CALL_USD; nothing was spent
    {"prompt":"hi","model":"grok-4-6","enable_x_search":true}
      error: the price of the call is not known, and --max-call-usd is $0.001, so that it is not made
      hint: use a model whose price venice_get_model shows; nothing was spent
    "#);
    assert!(server.sent("/chat/completions").is_empty());
    let cheap = json!({"prompt": "hi", "max_completion_tokens": 20});
    let result = server.call(TOOL, cheap).await;
    assert!(!is_error(&result), "{}", text(&result));
    let (_, home) = server.end().await;
    let folder = std::fs::read_dir(home.path().join("out/.venice/ledger")).unwrap();
    let ledger: String =
        folder.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap()).collect();
    let last: Value = serde_json::from_str(ledger.lines().last().unwrap()).unwrap();
    let usd = last["usd"].as_f64().unwrap();
    assert!(usd > 0.0 && usd < 0.00008, "{ledger}");
}
