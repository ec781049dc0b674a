//! What each host gets: the form that it can show, and never more than it can take.

use serde_json::{Value, json};

use crate::harness::{Setup, facts, kinds, text};

/// Client names, and the blocks after the text for a picture and for speech.
const HOSTS: &[(&str, &str, &str)] = &[
    ("mcp", "resource", "resource"),
    ("some-new-client", "resource", "resource"),
    ("inspector-client", "resource", "resource"),
    ("claude-code", "resource", "resource"),
    ("Visual Studio Code", "resource", "resource"),
    ("claude-ai", "image", ""),
    ("Anthropic/ClaudeAI", "image", ""),
    ("gemini-cli-mcp-client", "resource", ""),
    ("codex-mcp-client", "image", ""),
    ("cursor-vscode", "image", ""),
    ("goose", "image", ""),
    ("@librechat/api-client", "image", ""),
    ("Cline", "", ""),
    ("Zed", "", ""),
];

fn after_text(result: &rmcp::model::CallToolResult) -> String {
    kinds(result)[1..].join(" ")
}

#[tokio::test]
async fn every_host_gets_what_it_can_show() {
    for (host, picture, speech) in HOSTS {
        let world = Setup::new().client(host).start().await;
        let arguments = json!({"prompt": "a cat", "width": 256, "height": 256});
        let result = world.call("venice_image_generate", arguments).await;
        assert_eq!(after_text(&result), *picture, "{host}: {}", text(&result));
        assert!(text(&result).contains(facts(&result)[0]["path"].as_str().unwrap()));
        let result = world.call("venice_tts", json!({"input": "Hello."})).await;
        assert_eq!(after_text(&result), *speech, "{host}: {}", text(&result));
        assert_eq!(result.structured_content, None);
    }
}

#[tokio::test]
async fn the_claude_apps_never_get_what_they_fail_on() {
    for host in ["claude-ai", "Anthropic/ClaudeAI"] {
        let world = Setup::new().client(host).start().await;
        for output in ["auto", "blob", "image", "link"] {
            let arguments = json!({"input": "Hello.", "output": output});
            let result = world.call("venice_tts", arguments).await;
            assert_eq!(after_text(&result), "", "{host} {output}");
            let arguments = json!({"prompt": "noise", "format": "png", "output": output});
            let result = world.call("venice_image_generate", arguments).await;
            assert!(!kinds(&result).contains(&"resource_link".to_owned()), "{host} {output}");
            let size = serde_json::to_string(&result).unwrap().len();
            assert!(size <= 140_000, "{host} {output}: {size} bytes");
        }
    }
}

#[tokio::test]
async fn a_large_picture_is_a_preview_that_fits_the_host() {
    for (host, budget) in [("claude-ai", 100_000), ("cursor-vscode", 600_000), ("mcp", 4 << 20)] {
        let world = Setup::new().client(host).start().await;
        let arguments = json!({"prompt": "noise", "format": "png", "variants": 4});
        let result = world.call("venice_image_generate", arguments).await;
        let inline: usize = result
            .content
            .iter()
            .map(|block| match json!(block) {
                Value::Object(block) if block["type"] == "image" => {
                    crate::harness::decode(block["data"].as_str().unwrap()).len()
                }
                Value::Object(block) if block["type"] == "resource" => {
                    crate::harness::decode(block["resource"]["blob"].as_str().unwrap()).len()
                }
                _ => 0,
            })
            .sum();
        assert!(inline > 0 && inline <= budget, "{host}: {inline}");
        assert_eq!(facts(&result).len(), 4);
    }
}
