//! The plural paths of older notes: the same tools, and no path of the other form.

use serde_json::json;

use crate::harness::{Client as _, Setup, is_error, png, text};

#[tokio::test]
async fn image_tools_use_the_plural_paths_where_they_are_set() {
    let server = Setup::new().plural().file("cat.png", &png(300, 300)).start().await;
    for (tool, arguments, path) in [
        ("venice_image_generate", json!({"prompt": "a cat"}), "/images/generations"),
        ("venice_image_generate_openai", json!({"prompt": "a cat"}), "/images/generations-simple"),
        ("venice_image_edit", json!({"prompt": "blue", "image": "cat.png"}), "/images/edits"),
        (
            "venice_image_multi_edit",
            json!({"prompt": "blue", "images": ["cat.png", "cat.png"]}),
            "/images/edits-multi",
        ),
        ("venice_image_upscale", json!({"image": "cat.png"}), "/images/upscale"),
        ("venice_image_remove_bg", json!({"image": "cat.png"}), "/images/remove-background"),
    ] {
        let result = server.call(tool, arguments).await;
        assert!(!is_error(&result), "{tool}: {}", text(&result));
        let seen = server.requests();
        let last = seen.iter().rev().find(|seen| seen.method == "POST").unwrap();
        assert_eq!(last.path, path, "{tool}");
    }
    let styles = server.call("venice_image_styles", json!({})).await;
    assert!(!is_error(&styles), "{}", text(&styles));
}
