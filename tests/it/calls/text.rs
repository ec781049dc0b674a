use rmcp::model::CallToolResult;
use serde_json::{Value, json};
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::harness::{Setup, World, error, facts, kinds, png, sent, text, wav};

async fn chat(world: &World, arguments: Value) -> CallToolResult {
    world.call("venice_chat", arguments).await
}

/// The body of the last request for a chat.
fn asked(world: &World) -> Value {
    sent(world, "/chat/completions").pop().unwrap()
}

fn block(result: &CallToolResult, index: usize) -> String {
    result.content[index].as_text().unwrap().text.clone()
}

#[tokio::test]
async fn an_answer_comes_with_its_model_tokens_and_cost() {
    let world = World::start().await;
    let result = chat(&world, json!({"prompt": "hi there"})).await;
    assert_eq!(kinds(&result), ["text"], "{}", text(&result));
    let said = text(&result);
    assert!(said.starts_with("You said: hi there\n"), "{said}");
    for part in ["model zai-org-glm-5-2 | ", " tokens in, ", " out", "than $0.0001"] {
        assert!(said.contains(part), "{said}");
    }
    let body = asked(&world);
    assert_eq!(body["stream"], true);
    assert_eq!(body["messages"], json!([{"role": "user", "content": "hi there"}]));
}

#[tokio::test]
async fn every_argument_of_a_chat_reaches_venice_in_its_place() {
    let world = World::start().await;
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
    let result = chat(&world, arguments).await;
    assert_ne!(result.is_error, Some(true), "{}", text(&result));
    let body = asked(&world);
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
    assert_ne!(chat(&world, effort).await.is_error, Some(true));
    assert_eq!(asked(&world)["reasoning_effort"], "high");
    assert_eq!(asked(&world)["venice_parameters"]["enable_x_search"], true);
}

#[tokio::test]
async fn media_become_the_parts_of_their_types() {
    let setup = Setup::new()
        .file("cat.png", &png(64, 64))
        .file("talk.wav", &wav(1))
        .file("notes.md", b"# Friday");
    let world = setup.start().await;
    let place = |name: &str| world.home.path().join("in").join(name).display().to_string();
    let media = json!([
        place("cat.png"),
        place("talk.wav"),
        place("notes.md"),
        "https://youtu.be/abc",
        "https://example.com/a.jpg"
    ]);
    let arguments = json!({"prompt": "What is this?", "media": media, "model": "gemini-3-5-flash"});
    let result = chat(&world, arguments).await;
    assert_ne!(result.is_error, Some(true), "{}", text(&result));
    assert!(text(&result).contains("I got 5 media"), "{}", text(&result));
    let body = asked(&world);
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
    let world = Setup::new().file("cat.png", &png(64, 64)).start().await;
    let picture = world.home.path().join("in/cat.png");
    let tools = json!([{"type": "function", "function": {"name": "f"}}]);
    for (arguments, argument, part) in [
        (json!({"prompt": "hi", "images": picture}), "media", "`qwen-3-8-27b` can"),
        (json!({"prompt": "hi", "tools": tools, "model": "e2ee-gemma-4-31b"}), "tools", "can"),
        (json!({"prompt": "hi", "logprobs": true}), "logprobs", "`openai-gpt-4o-2024-11-20` can"),
        (json!({"prompt": "hi", "reasoning_effort": "low"}), "reasoning_effort", "`high`"),
        (json!({"prompt": "hi", "enable_x_search": true}), "enable_x_search", "`grok-4-6` can"),
        (json!({"prompt": "hi", "max_tokens": 32001}), "max_completion_tokens", "32000"),
        (json!({"prompt": "hi", "model": "kimi-k4"}), "model", "`kimi-k3`"),
        (json!({"prompt": "hi", "fallbacks": ["kimi-k4"]}), "fallbacks[0]", "`kimi-k3`"),
        (json!({"prompt": " "}), "prompt", "blank"),
        (json!({}), "prompt", "`messages`"),
        (json!({"messages": [{"role": "me", "content": "hi"}]}), "messages[0].role", "user"),
        (json!({"prompt": "hi", "extra": {"stream": false}}), "extra.stream", ""),
    ] {
        let said = error(&chat(&world, arguments).await);
        assert!(said.contains(&format!("`{argument}`")) && said.contains(part), "{said}");
    }
    assert!(sent(&world, "/chat/completions").is_empty());
}

#[tokio::test]
async fn eleven_pictures_are_too_many_for_one_message() {
    let world = World::start().await;
    let media: Vec<String> = (0..11).map(|n| format!("https://example.com/{n}.png")).collect();
    let arguments = json!({"prompt": "hi", "media": media, "model": "gemini-3-5-flash"});
    let said = error(&chat(&world, arguments).await);
    assert!(said.contains("11 pictures") && said.contains("10"), "{said}");
}

#[tokio::test]
async fn a_tool_call_is_sent_back_as_it_came() {
    let world = World::start().await;
    let tools = json!([{"type": "function", "name": "weather", "parameters": {"type": "object",
        "properties": {"city": {"type": "string"}}}}]);
    let question = json!({"role": "user", "content": "call it"});
    let first = json!({"messages": [question], "tools": tools, "tool_choice": {"type": "function",
        "function": {"name": "weather"}}});
    let result = chat(&world, first).await;
    assert_eq!(kinds(&result), ["text", "text"], "{}", text(&result));
    let said = block(&result, 0);
    assert!(said.starts_with("calls weather with {\"city\":\"Venice\"} (id "), "{said}");
    let choice = json!({"type": "function", "function": {"name": "weather"}});
    assert_eq!(asked(&world)["tool_choice"], choice);
    let message: Value = serde_json::from_str(&block(&result, 1)).unwrap();
    assert_eq!(message["reasoning_content"], "The sandbox thinks of nothing.");
    let id = &message["tool_calls"][0]["id"];
    let answer = json!({"role": "tool", "tool_call_id": id, "content": "sunny"});
    let second = json!({"messages": [question, message, answer], "tools": tools});
    let result = chat(&world, second).await;
    assert!(text(&result).starts_with("You said: sunny"), "{}", text(&result));
    assert_eq!(asked(&world)["messages"][1], message);
}

#[tokio::test]
async fn reasoning_is_counted_and_shown_only_where_it_is_asked_for() {
    let world = World::start().await;
    let said = text(&chat(&world, json!({"prompt": "hi"})).await);
    assert!(said.contains("30 characters of reasoning are left out"), "{said}");
    assert!(!said.contains("thinks of nothing"), "{said}");
    let shown = json!({"prompt": "hi", "strip_thinking_response": false});
    let said = text(&chat(&world, shown).await);
    assert!(said.starts_with("<think>\nThe sandbox thinks of nothing.\n</think>\nYou"), "{said}");
}

#[tokio::test]
async fn sources_and_a_cut_answer_are_told() {
    let world = World::start().await;
    let searched = json!({"prompt": "hi", "enable_web_search": "on"});
    let said = text(&chat(&world, searched).await);
    assert!(said.contains("[1] A page of the sandbox: https://example.com/1"), "{said}");
    let cut = json!({"prompt": "a long question about it all", "max_completion_tokens": 3});
    let said = text(&chat(&world, cut).await);
    assert!(said.contains("finish reason length"), "{said}");
}

#[tokio::test]
async fn a_long_answer_is_stored_and_linked() {
    let world = World::start().await;
    let prompt = "A word and another. ".repeat(2200);
    let result = chat(&world, json!({"prompt": prompt})).await;
    assert_eq!(kinds(&result), ["text", "resource_link"], "{}", text(&result));
    assert!(text(&result).len() < 3000, "{}", text(&result));
    let uri = facts(&result)[0]["uri"].as_str().unwrap().to_owned();
    let stored = String::from_utf8(world.read(&uri).await.unwrap()).unwrap();
    assert_eq!(stored, format!("You said: {prompt}"));
}

#[tokio::test]
async fn ids_have_suffixes_traits_and_a_setting() {
    let world = Setup::new().set("VENICE_CHAT_MODEL", "default_vision:a=b").start().await;
    for (arguments, wanted) in [
        (json!({"prompt": "hi"}), "qwen-3-8-27b:a=b"),
        (
            json!({"prompt": "hi", "model": "kimi-k3:enable_web_search=on&x=y"}),
            "kimi-k3:enable_web_search=on&x=y",
        ),
        (json!({"prompt": "hi", "modelId": "most_intelligent"}), "grok-4-6"),
    ] {
        let result = chat(&world, arguments).await;
        assert_ne!(result.is_error, Some(true), "{}", text(&result));
        assert_eq!(asked(&world)["model"], wanted);
    }
}

/// A stand-in whose chat answers with these events, and then ends.
async fn broken(events: &str) -> (MockServer, World) {
    let venice = MockServer::start().await;
    let reply = ResponseTemplate::new(200).set_body_raw(events.to_owned(), "text/event-stream");
    let chat = Mock::given(method("POST")).and(path("/chat/completions"));
    chat.respond_with(reply).mount(&venice).await;
    let world = Setup::new().set("VENICE_BASE_URL", &venice.uri()).start().await;
    (venice, world)
}

#[tokio::test]
async fn what_came_before_a_failure_is_not_lost() {
    let piece = |text: &str| {
        format!("data: {}\n\n", json!({"choices": [{"index": 0, "delta": {"content": text}}]}))
    };
    let (_venice, world) = broken(&piece("half of it")).await;
    let said = error(&chat(&world, json!({"prompt": "hi"})).await);
    assert!(said.contains("cut short") && said.contains("half of it"), "{said}");

    let failure = json!({"error": {"message": "the provider went away", "type": "server_error"}});
    let events = format!("{}data: {failure}\n\ndata: [DONE]\n\n", piece(&"word ".repeat(1000)));
    let (_venice, world) = broken(&events).await;
    let said = error(&chat(&world, json!({"prompt": "hi"})).await);
    assert!(said.contains("the provider went away"), "{said}");
    let uri = said.split(' ').find(|word| word.starts_with("venice://media/")).unwrap();
    let stored = world.read(uri.trim_end_matches(';')).await.unwrap();
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
        let chat = chat.and(wiremock::matchers::body_string_contains(text));
        chat.respond_with(ResponseTemplate::new(200).set_body_json(body)).mount(&venice).await;
    }
    let world = Setup::new().set("VENICE_BASE_URL", &venice.uri()).start().await;
    let said = text(&chat(&world, json!({"prompt": "first"})).await);
    assert!(said.starts_with("hello\n") && said.contains("model m"), "{said}");
    let said = error(&chat(&world, json!({"prompt": "second"})).await);
    assert!(said.contains("no capacity left"), "{said}");
}

#[tokio::test]
async fn tokens_have_a_price_before_and_a_cost_after() {
    let world = Setup::new().set("VENICE_MAX_CALL_USD", "0.001").start().await;
    let search = json!({"prompt": "hi", "max_completion_tokens": 10, "enable_web_search": "auto"});
    for (arguments, price) in [
        (json!({"prompt": "hi"}), "$0.0044"),
        (
            json!({"prompt": "hi", "max_completion_tokens": 1000, "fallbacks": ["kimi-k3"]}),
            "$0.018",
        ),
        (search, "$0.01"),
    ] {
        let said = error(&chat(&world, arguments).await);
        assert!(said.contains(price) && said.contains("--max-call-usd"), "{said}");
    }
    let unknown = json!({"prompt": "hi", "model": "grok-4-6", "enable_x_search": true});
    assert!(error(&chat(&world, unknown).await).contains("not known"));
    assert!(sent(&world, "/chat/completions").is_empty());
    let cheap = json!({"prompt": "hi", "max_completion_tokens": 20});
    let said = text(&chat(&world, cheap).await);
    assert!(said.starts_with("You said: hi"), "{said}");
    let (_, home) = world.end().await;
    let folder = std::fs::read_dir(home.path().join("out/.venice/ledger")).unwrap();
    let ledger: String =
        folder.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap()).collect();
    let last: Value = serde_json::from_str(ledger.lines().last().unwrap()).unwrap();
    let usd = last["usd"].as_f64().unwrap();
    assert!(usd > 0.0 && usd < 0.00008, "{ledger}");
}

#[tokio::test]
async fn a_success_without_an_answer_is_an_error() {
    let (_venice, world) =
        broken("data: {\"id\": \"x\", \"choices\": []}\n\ndata: [DONE]\n\n").await;
    let said = error(&chat(&world, json!({"prompt": "hi"})).await);
    assert!(said.contains("holds no answer"), "{said}");
}

#[tokio::test]
async fn a_response_is_read_from_its_items() {
    let world = World::start().await;
    let arguments = json!({"text": "think", "reasoning_effort": "high", "max_tokens": 50,
        "temperature": 0.5, "top_p": 0.5, "web_search": true, "include": ["a"],
        "fallbacks": ["kimi-k3"], "reasoning_summary": "concise"});
    let result = world.call("venice_responses", arguments).await;
    let said = text(&result);
    assert!(said.contains("The sandbox thinks of nothing."), "{said}");
    for part in ["You said: think", "web searches: 1", "model zai-org-glm-5-2 | ", "about $0.01"] {
        assert!(said.contains(part), "{said}");
    }
    let body = sent(&world, "/responses").pop().unwrap();
    let wanted = json!({"max_output_tokens": 50, "temperature": 0.5, "top_p": 0.5,
        "web_search": true, "include": ["a"], "model": "zai-org-glm-5-2", "stream": true,
        "input": "think", "reasoning": {"effort": "high", "summary": "concise"},
        "fallbacks": [{"model": "kimi-k3"}]});
    assert_eq!(body, wanted);
}

#[tokio::test]
async fn items_go_in_and_calls_of_functions_come_back_as_items() {
    let world = World::start().await;
    let items = json!([{"role": "user", "content": "call it"}]);
    let tool = json!({"type": "function", "name": "f", "parameters": {"type": "object"}});
    let arguments = json!({"input": items, "system": "Be brief.", "tools": [tool]});
    let result = world.call("venice_responses", arguments).await;
    assert_eq!(kinds(&result), ["text", "text"], "{}", text(&result));
    assert!(text(&result).contains("calls f with {} (call_id call_sandbox1)"));
    let back: Value = serde_json::from_str(&block(&result, 1)).unwrap();
    let types: Vec<&str> =
        back.as_array().unwrap().iter().map(|item| item["type"].as_str().unwrap()).collect();
    assert_eq!(types, ["reasoning", "function_call"]);
    let body = sent(&world, "/responses").pop().unwrap();
    assert_eq!(body["input"][0]["role"], "system");
    assert_eq!(body["input"][1], items[0]);
    assert_eq!(body["tools"][0]["function"]["name"], "f");
    let sealed = json!({"input": "hi", "model": "e2ee-gemma-4-31b"});
    let said = error(&world.call("venice_responses", sealed).await);
    assert!(said.contains("venice_chat"), "{said}");
}

#[tokio::test]
async fn vectors_are_stored_and_stay_out_of_the_result() {
    let world = World::start().await;
    let arguments = json!({"input": ["a", "b", "c"]});
    let result = world.call("venice_embeddings", arguments).await;
    let data = result.structured_content.clone().unwrap();
    assert_eq!(data["model"], "text-embedding-bge-m3");
    assert_eq!((&data["count"], &data["dimensions"]), (&json!(3), &json!(1024)));
    assert_eq!(serde_json::from_str::<Value>(&block(&result, 0)).unwrap(), data);
    assert!(serde_json::to_string(&result).unwrap().len() < 4000);
    assert_eq!(facts(&result)[0]["mimeType"], "application/json");
    let stored = world.read(data["uri"].as_str().unwrap()).await.unwrap();
    let stored: Value = serde_json::from_slice(&stored).unwrap();
    assert_eq!(stored["data"][2]["embedding"].as_array().unwrap().len(), 1024);

    let arguments = json!({"text": "a", "model": "text-embedding-3-small", "dimensions": 256,
        "encoding_format": "base64"});
    let result = world.call("venice_embeddings", arguments).await;
    assert_eq!(result.structured_content.unwrap()["dimensions"], 256);
    assert_eq!(sent(&world, "/embeddings").pop().unwrap()["encoding_format"], "base64");
}

#[tokio::test]
async fn texts_and_dimensions_are_judged_before_they_are_sent() {
    let world = Setup::new().set("VENICE_EMBEDDING_MODEL", "text-embedding-ada-002").start().await;
    for (arguments, argument) in [
        (json!({"input": ["a", "b".repeat(30_000)]}), "input[1]"),
        (json!({"input": ["a", ""]}), "input[1]"),
        (json!({"input": "a", "dimensions": 256}), "dimensions"),
        (json!({"input": []}), "input"),
        (json!({"input": vec!["a"; 2049]}), "input"),
    ] {
        let said = error(&world.call("venice_embeddings", arguments).await);
        assert!(said.contains(&format!("`{argument}`")), "{said}");
    }
    assert!(sent(&world, "/embeddings").is_empty());
    let result = world.call("venice_embeddings", json!({"input": "a"})).await;
    assert_eq!(result.structured_content.unwrap()["model"], "text-embedding-bge-m3");
}
