use serde_json::{Value, json};

use crate::harness::{Setup, World, blobs, error, kinds, png, sent, text};

async fn world() -> (World, Value) {
    let setup = Setup::new().file("cat.png", &png(256, 256)).file("dog.png", &png(640, 480));
    let world = setup.file("tiny.png", &png(32, 32)).file("fake.png", b"no picture").start().await;
    let inputs = world.home.path().join("in");
    (world, json!(inputs))
}

fn path(inputs: &Value, name: &str) -> String {
    format!("{}/{name}", inputs.as_str().unwrap())
}

#[tokio::test]
async fn a_picture_is_changed_and_comes_back_as_a_blob() {
    let (world, inputs) = world().await;
    let arguments = json!({"image": path(&inputs, "cat.png"), "prompt": "make it blue",
        "model": "qwen-image-2-edit", "output_format": "webp", "aspect_ratio": "1:1"});
    let result = world.call("venice_image_edit", arguments).await;
    assert_eq!(kinds(&result), ["text", "resource"], "{}", text(&result));
    assert_eq!(blobs(&result)[0].1, "image/webp");
    let body = sent(&world, "/image/edit").remove(0);
    assert_eq!(body["model"], "qwen-image-2-edit");
    assert!(body["image"].as_str().unwrap().starts_with("data:image/png;base64,"), "{body}");
}

#[tokio::test]
async fn a_url_goes_to_venice_as_it_is() {
    let (world, _) = world().await;
    let url = "https://example.com/cat.png";
    let arguments = json!({"image_url": url, "prompt": "make it blue"});
    let result = world.call("venice_image_edit", arguments).await;
    assert_ne!(result.is_error, Some(true), "{}", text(&result));
    assert_eq!(sent(&world, "/image/edit")[0]["image"], url);
    let result = world.call("venice_image_remove_bg", json!({"image": url})).await;
    assert_ne!(result.is_error, Some(true), "{}", text(&result));
    let body = sent(&world, "/image/background-remove").remove(0);
    assert_eq!((&body["image_url"], &body["image"]), (&json!(url), &Value::Null));
}

#[tokio::test]
async fn a_background_is_removed_from_a_picture_of_any_size() {
    let world = Setup::new().file("icon.png", &png(128, 128)).start().await;
    let icon = world.home.path().join("in/icon.png");
    let result = world.call("venice_image_remove_bg", json!({"image": icon})).await;
    assert_ne!(result.is_error, Some(true), "{}", text(&result));
}

#[tokio::test]
async fn a_private_url_is_refused() {
    let (world, _) = world().await;
    for url in ["http://127.0.0.1/x.png", "https://192.168.0.1/x.png", "https://[::1]/x.png"] {
        for tool in ["venice_image_edit", "venice_image_upscale"] {
            let mut arguments = json!({"image": url, "prompt": "x"});
            if tool == "venice_image_upscale" {
                arguments = json!({"image": url});
            }
            let said = error(&world.call(tool, arguments).await);
            assert!(said.contains("`image`"), "{said}");
        }
    }
}

#[tokio::test]
async fn results_of_earlier_calls_are_taken() {
    let (world, _) = world().await;
    let made = world.call("venice_image_generate", json!({"prompt": "a cat"})).await;
    let uri = blobs(&made)[0].0.clone();
    let arguments = json!({"image": uri, "prompt": "make it blue"});
    assert_ne!(world.call("venice_image_edit", arguments).await.is_error, Some(true));
    let arguments = json!({"image": "last", "prompt": "make it red"});
    let result = world.call("venice_image_edit", arguments).await;
    assert!(text(&result).contains("`last` was venice://media/make-it-blue-"), "{}", text(&result));
}

#[tokio::test]
async fn several_pictures_become_one() {
    let (world, inputs) = world().await;
    let arguments = json!({"images": [path(&inputs, "cat.png"), path(&inputs, "dog.png")],
        "prompt": "put them together", "model": "gpt-image-2-edit", "quality": "high"});
    let result = world.call("venice_image_multi_edit", arguments).await;
    assert_eq!(kinds(&result), ["text", "resource"], "{}", text(&result));
    let body = sent(&world, "/image/multi-edit").remove(0);
    assert_eq!((&body["modelId"], &body["model"]), (&json!("gpt-image-2-edit"), &Value::Null));
    assert_eq!(body["images"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_picture_is_scaled_up_from_raw_base64() {
    let (world, inputs) = world().await;
    let arguments = json!({"image": path(&inputs, "cat.png"), "scale": 2, "creativity": 0.01});
    let result = world.call("venice_image_upscale", arguments).await;
    assert!(text(&result).starts_with("image/png 512x512"), "{}", text(&result));
    let body = sent(&world, "/image/upscale").remove(0);
    assert!(!body["image"].as_str().unwrap().starts_with("data:"), "{body}");
}

#[tokio::test]
async fn what_cannot_be_changed_is_refused_before_anything_is_sent() {
    let (world, inputs) = world().await;
    let cat = path(&inputs, "cat.png");
    for (image, wanted) in [
        (path(&inputs, "tiny.png"), "65536"),
        (path(&inputs, "fake.png"), "image"),
        (path(&inputs, "gone.png"), "not found"),
        ("/etc/passwd".to_owned(), "not in an allowed directory"),
    ] {
        let arguments = json!({"image": image, "prompt": "x"});
        let said = error(&world.call("venice_image_edit", arguments).await);
        assert!(said.contains(wanted), "{said}");
    }
    let tier =
        json!({"image": cat, "prompt": "x", "model": "qwen-image-2-edit", "resolution": "2K"});
    assert!(error(&world.call("venice_image_edit", tier).await).contains("`resolution`"));
    let many = json!({"images": vec![cat; 9], "prompt": "x"});
    assert!(error(&world.call("venice_image_multi_edit", many).await).contains("`images`"));
    assert!(sent(&world, "/image/edit").is_empty());
    assert!(sent(&world, "/image/multi-edit").is_empty());
}

#[tokio::test]
async fn a_refused_prompt_is_an_error_in_venices_words() {
    let (world, inputs) = world().await;
    let arguments = json!({"image": path(&inputs, "cat.png"), "prompt": "a violation"});
    let said = error(&world.call("venice_image_edit", arguments).await);
    assert!(said.contains("policy"), "{said}");
}
