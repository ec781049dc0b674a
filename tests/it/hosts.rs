//! What each host gets: the form that it can show, and never more than it can take.

use serde_json::{Value, json};

use crate::harness::{Client as _, Setup, decode, kinds, media_items, text};

/// Client names, and the blocks after the text for an image and for speech.
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

fn after_text(result: &Value) -> String {
    kinds(result)[1..].join(" ")
}

#[tokio::test]
async fn every_host_gets_what_it_can_show() {
    for (host, image, speech) in HOSTS {
        let server = Setup::new().client(host).start().await;
        let arguments = json!({"prompt": "a cat", "width": 256, "height": 256});
        let result = server.call("venice_image_generate", arguments).await;
        assert_eq!(after_text(&result), *image, "{host}: {}", text(&result));
        let path = media_items(&result)[0]["path"].as_str().unwrap().to_owned();
        assert!(text(&result).split(" | ").any(|part| part == path), "{}", text(&result));
        let result = server.call("venice_tts", json!({"input": "Hello."})).await;
        assert_eq!(after_text(&result), *speech, "{host}: {}", text(&result));
        assert_eq!(result["structuredContent"], Value::Null);
    }
}

#[tokio::test]
async fn the_claude_apps_never_get_what_they_fail_on() {
    for host in ["claude-ai", "Anthropic/ClaudeAI"] {
        let server = Setup::new().client(host).start().await;
        for output in ["auto", "blob", "image", "link"] {
            let arguments = json!({"input": "Hello.", "output": output});
            let result = server.call("venice_tts", arguments).await;
            assert_eq!(after_text(&result), "", "{host} {output}");
            let arguments = json!({"prompt": "noise", "format": "png", "output": output});
            let result = server.call("venice_image_generate", arguments).await;
            assert!(!kinds(&result).contains(&"resource_link"), "{host} {output}");
            let size = serde_json::to_string(&result).unwrap().len();
            assert!(size <= 140_000, "{host} {output}: {size} bytes");
        }
    }
}

#[tokio::test]
async fn a_large_image_is_a_preview_that_fits_the_host() {
    for (host, budget) in [("claude-ai", 100_000), ("cursor-vscode", 600_000), ("mcp", 4 << 20)] {
        let server = Setup::new().client(host).start().await;
        let arguments = json!({"prompt": "noise", "format": "png", "variants": 4});
        let result = server.call("venice_image_generate", arguments).await;
        let blocks = result["content"].as_array().unwrap().iter();
        let inline = blocks.filter_map(|block| {
            block["data"].as_str().or_else(|| block["resource"]["blob"].as_str())
        });
        let inline: usize = inline.map(|base64| decode(base64).len()).sum();
        assert!(inline > 0 && inline <= budget, "{host}: {inline}");
        assert_eq!(media_items(&result).len(), 4);
    }
}
