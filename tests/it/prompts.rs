//! Prompts: what is listed, what they say, and what completes their arguments.

use insta::assert_snapshot;
use rmcp::model::{
    ArgumentInfo, CompleteRequestParams, GetPromptRequestParams, PromptReference, Reference,
};
use serde_json::{Map, Value, json};
use venice_mcp::prompts::PROMPTS;
use venice_mcp::tools;

use crate::harness::{Client as _, Setup};

/// Every argument with its own name in brackets, so that a snapshot shows where each goes.
fn all_given(prompt: &venice_mcp::prompts::Prompt) -> Map<String, Value> {
    let given = prompt.arguments.iter();
    given.map(|one| (one.name.to_owned(), json!(format!("<{}>", one.name)))).collect()
}

fn said(result: &rmcp::model::GetPromptResult) -> String {
    result.messages[0].content.as_text().unwrap().text.clone()
}

#[test]
fn every_prompt_says_what_it_said() {
    for prompt in PROMPTS {
        let whole = said(&prompt.fill(Some(all_given(prompt))).unwrap());
        let required = prompt.arguments.iter().filter(|one| one.required);
        let required = required.map(|one| (one.name.to_owned(), json!("<needed>"))).collect();
        let least = said(&prompt.fill(Some(required)).unwrap());
        let text = format!("{whole}\n\n--- with what is required alone ---\n\n{least}\n");
        insta::with_settings!({prepend_module_to_snapshot => false, omit_expression => true}, {
            insta::assert_snapshot!(format!("prompt_{}", prompt.name), text);
        });
        for argument in prompt.arguments.iter().filter(|one| !one.required) {
            assert!(!least.contains(&format!("<{}>", argument.name)), "{least}");
        }
        for argument in prompt.arguments {
            let named = whole.contains(&format!("<{}>", argument.name));
            assert!(
                named || argument.name == "color" || argument.name == "model",
                "{}",
                argument.name
            );
        }
    }
}

#[test]
fn a_text_names_the_tools_that_its_prompt_needs_and_no_other() {
    for prompt in PROMPTS {
        let text = said(&prompt.fill(Some(all_given(prompt))).unwrap());
        assert!(text.len() < 2500, "{}: {} bytes", prompt.name, text.len());
        let words = text.split(|c: char| !c.is_ascii_lowercase() && c != '_');
        let named: Vec<&str> = words.filter(|word| word.starts_with("venice_")).collect();
        for tool in &named {
            // A page of the web is read by a tool that an agent may also do without.
            assert!(prompt.tools.contains(tool) || *tool == "venice_web_scrape", "{tool}");
        }
        for tool in prompt.tools {
            let conditional = prompt.name == "product_images";
            assert!(named.contains(tool) || conditional, "{}: {tool}", prompt.name);
        }
    }
}

#[tokio::test]
async fn a_prompt_is_listed_where_its_tools_are() {
    let names = async |setup: Setup| -> Vec<String> {
        let server = setup.start().await;
        let prompts = server.service().list_all_prompts().await.unwrap();
        prompts.into_iter().map(|prompt| prompt.name).collect()
    };
    let there = |tool: &&str| tools::all().any(|route| route.spec.name == *tool);
    let possible = PROMPTS.iter().filter(|prompt| prompt.tools.iter().all(&there));
    let wanted: Vec<&str> = possible.map(|prompt| prompt.name).collect();
    assert!(wanted.len() >= 5);
    assert_eq!(names(Setup::new()).await, wanted);
    assert_eq!(names(Setup::new().set("VENICE_TOOLSETS", "audio")).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_prompt_is_filled_with_its_arguments_and_mistakes_are_named() {
    let server = Setup::new().start().await;
    let get = async |name: &str, arguments: Value| {
        let mut request = GetPromptRequestParams::new(name);
        request.arguments = arguments.as_object().cloned();
        server.service().get_prompt(request).await
    };
    let result = get("compare_models", json!({"prompt": "a red fox", "format": ""})).await.unwrap();
    assert_snapshot!(said(&result), @"
    Compare image models on this prompt: a red fox

    1. With venice_list_models (type image), look up these models and their prices: three that differ in price and look. Show me the list and the sum, and wait for my word.
    2. Call venice_image_generate once for each, with the same prompt, aspect_ratio 1:1, seed 42 and save_as compare/<model>. Change nothing else; where a model refuses an argument, leave that one out and say so.
    3. Show a table: model, image, price, how long it took, what it got right and wrong. Then name the one that you would take, and why.

    Calls that cost money are made once: if one seems lost, look in venice_media first. For everything made, show me its file path or link and its venice:// URI, and at the end what it cost in all.
    ");
    let mut refused = Vec::new();
    for (name, arguments) in [
        ("compare_models", json!({})),
        ("compare_models", json!({"prompt": "x", "colour": "red"})),
        ("paint", json!({})),
    ] {
        refused.push(get(name, arguments).await.unwrap_err().to_string());
    }
    assert_snapshot!(refused.join("\n"), @"
    Mcp error: -32602: compare_models: `prompt` is missing
    Mcp error: -32602: compare_models: there is no argument `colour`
    Mcp error: -32602: there is no prompt `paint` here
    ");
}

#[tokio::test]
async fn arguments_are_completed() {
    let server = Setup::new().start().await;
    let complete = async |prompt: &str, argument: &str, typed: &str| {
        let reference = Reference::Prompt(PromptReference::new(prompt));
        let argument = ArgumentInfo::new(argument, typed);
        let request = CompleteRequestParams::new(reference, argument);
        server.service().complete(request).await.unwrap().completion.values
    };
    assert_eq!(complete("restore_image", "color", "re").await, ["refresh"]);
    let models = complete("compare_models", "models", "qwen-image,z-").await;
    assert!(models.iter().any(|list| list == "qwen-image,z-image-turbo"), "{models:?}");
    assert!(!complete("podcast", "host", "").await.is_empty());
    server.call("venice_image_generate", json!({"prompt": "an old photo"})).await;
    let images = complete("restore_image", "image", "").await;
    assert_eq!(images[0], "last");
    assert!(images[1].starts_with("venice://media/an-old-photo"), "{images:?}");
    assert!(complete("restore_image", "nothing", "").await.is_empty());
    assert!(complete("paint", "prompt", "").await.is_empty());
}
