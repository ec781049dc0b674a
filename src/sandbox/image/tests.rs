//! Tests of the whole family.

use image::GenericImageView as _;
use serde_json::{Value, json};

use crate::sandbox::SandboxSettings;
use crate::sandbox::image_file::{ImageFormat, Look, draw, encode};
use crate::sandbox::media::base64;
use crate::sandbox::test::{TestReply, TestSandbox};

fn sent(width: u32, height: u32) -> String {
    base64(&encode(draw(width, height, "sent", Look::Plain), ImageFormat::Png).expect("an image"))
}

fn first_image(got: &TestReply) -> Vec<u8> {
    use base64::Engine as _;
    let body = got.json();
    let data = body.pointer("/images/0").and_then(Value::as_str).expect("an image");
    base64::engine::general_purpose::STANDARD.decode(data).expect("base64")
}

#[tokio::test]
async fn an_image_has_the_size_and_format_asked_for_and_a_seed_repeats_it() {
    let sandbox = TestSandbox::new().await;
    for (format, kind) in [
        ("png", image::ImageFormat::Png),
        ("jpeg", image::ImageFormat::Jpeg),
        ("webp", image::ImageFormat::WebP),
    ] {
        let body = json!({ "model": "z-image-turbo", "prompt": "a cat", "seed": 7, "width": 320, "height": 200, "format": format });
        let got = sandbox.post("/image/generate", body.clone()).await;
        assert_eq!(got.status, 200, "{}", got.text());
        let image = first_image(&got);
        assert_eq!(image::guess_format(&image).expect("a known format"), kind);
        assert_eq!(image::load_from_memory(&image).expect("it decodes").dimensions(), (320, 200));
        assert_eq!(first_image(&sandbox.post("/image/generate", body).await), image);
        assert_eq!(got.header("x-venice-is-content-violation"), "false");
        assert_eq!(got.header("x-venice-balance-usd"), "12.34");
    }
}

#[tokio::test]
async fn the_words_of_a_prompt_and_the_enhancement_show_in_the_headers() {
    let sandbox = TestSandbox::new().await;
    let ask = |prompt: &str| {
        let body = json!({ "model": "z-image-turbo", "prompt": prompt, "width": 64, "height": 64, "enhance_prompt": true });
        sandbox.post("/image/generate", body)
    };
    let got = ask("a violation").await;
    assert_eq!((got.status, got.header("x-venice-is-content-violation")), (200, "true"));
    assert_eq!(got.header("x-venice-enhanced-prompt"), "");
    let got = ask("a blurred cat").await;
    assert_eq!((got.status, got.header("x-venice-is-blurred")), (200, "true"));
    assert_eq!(
        got.header("x-venice-enhanced-prompt"),
        "a%20blurred%20cat%2C%20golden%20hour%2C%20fine%20d%C3%A9tail"
    );
    assert!(first_image(&ask("noise").await).len() > 64 * 64 * 2, "noise does not compress");
}

#[tokio::test]
async fn what_the_api_refuses_of_a_generation_is_refused() {
    let sandbox = TestSandbox::new().await;
    let cases = [
        (json!({ "sise": 1 }), 400, "Unrecognized key(s) in object: 'sise'"),
        (json!({ "width": 1281 }), 400, "Number must be at most 1280"),
        (json!({ "cfg_scale": 0 }), 400, "Number must be at least more than 0"),
        (json!({ "prompt": "" }), 400, "String must contain at least 1 character(s)"),
        (json!({ "prompt": 3 }), 400, "Expected string, received number"),
        (
            json!({ "model": "z-image-turb" }),
            404,
            "Specified model not found: z-image-turb. Did you mean z-image-turbo?",
        ),
        (json!({ "model": "chroma" }), 503, "The model chroma is temporarily offline."),
        (
            json!({ "variants": 2, "return_binary": true }),
            400,
            "variants is only supported when return_binary is false",
        ),
        (json!({ "style_preset": "anime" }), 400, "Invalid style preset"),
        (json!({ "quality": "low" }), 400, "quality is not supported by z-image-turbo"),
        (
            json!({ "model": "gpt-image-2", "resolution": "8K" }),
            400,
            "Invalid resolution for gpt-image-2. Supported values: 1K, 2K, 4K",
        ),
        (
            json!({ "model": "venice-sd35", "steps": 31 }),
            400,
            "steps must be at most 30 for venice-sd35",
        ),
        (
            json!({ "style_references": [{ "image": sent(256, 256) }] }),
            400,
            "style_references is not supported by z-image-turbo",
        ),
        (json!({ "inpaint": {} }), 400, "inpaint is no longer supported"),
    ];
    for (change, status, message) in cases {
        let mut body = json!({ "model": "z-image-turbo", "prompt": "a cat" });
        body.as_object_mut()
            .expect("an object")
            .extend(change.as_object().expect("an object").clone());
        let got = sandbox.post("/image/generate", body).await;
        assert_eq!((got.status, got.error().as_str()), (status, message), "{change}");
    }
}

#[tokio::test]
async fn ratios_variants_and_a_deprecated_model_are_served() {
    let sandbox = TestSandbox::new().await;
    let body = json!({
        "model": "krea-v2-large", "prompt": "a cat", "aspect_ratio": "16:9", "variants": 2,
        "style_references": [{ "image": sent(256, 256), "strength": 0.5 }],
    });
    let got = sandbox.post("/image/generate", body).await;
    assert_eq!(got.json().pointer("/images").and_then(Value::as_array).map(Vec::len), Some(2));
    assert_eq!(
        image::load_from_memory(&first_image(&got)).expect("it decodes").dimensions(),
        (1024, 576)
    );
    let body = json!({ "model": "lustify-v7", "prompt": "a cat", "width": 64, "height": 64, "return_binary": true });
    let got = sandbox.post("/image/generate", body).await;
    assert_eq!(got.header("content-type"), "image/webp");
    assert_eq!(got.header("x-venice-deprecated-replacement"), "lustify-v8");
}

#[tokio::test]
async fn edits_come_from_the_image_that_was_sent() {
    let sandbox = TestSandbox::new().await;
    let got = sandbox.post("/image/edit", json!({ "model": "firered-image-edit", "prompt": "make it night", "image": sent(300, 260) })).await;
    assert_eq!((got.status, got.header("content-type")), (200, "image/png"));
    assert_eq!(image::load_from_memory(&got.bytes).expect("it decodes").dimensions(), (300, 260));
    let body = json!({ "modelId": "gpt-image-2-edit", "prompt": "both", "images": [sent(300, 260), sent(256, 256)], "quality": "low", "output_format": "jpeg" });
    let got = sandbox.post("/image/multi-edit", body).await;
    assert_eq!((got.status, got.header("content-type")), (200, "image/jpeg"));
    for (path, body, status) in [
        ("/image/edit", json!({ "prompt": "a violation", "image": sent(256, 256) }), 422),
        ("/image/edit", json!({ "prompt": "x", "image": sent(100, 100) }), 400),
        ("/image/edit", json!({ "prompt": "x", "image": "aGVsbG8=" }), 400),
        ("/image/edit", json!({ "prompt": "x", "image": "http://127.0.0.1/a.png" }), 400),
        ("/image/edit", json!({ "prompt": "x", "image": sent(256, 256), "quality": "low" }), 400),
        ("/image/edit", json!({ "prompt": "x", "image": sent(256, 256), "resolution": "2K" }), 400),
        (
            "/image/edit",
            json!({ "prompt": "x", "image": sent(256, 256), "model": "z-image-turbo" }),
            400,
        ),
        (
            "/image/multi-edit",
            json!({ "prompt": "x", "images": [sent(256, 256)], "model": "firered-image-edit" }),
            400,
        ),
        (
            "/image/multi-edit",
            json!({ "modelId": "luma-uni-1-edit", "prompt": "x", "images": [sent(256, 256), sent(256, 256)] }),
            400,
        ),
    ] {
        let got = sandbox.post(path, body).await;
        assert_eq!(got.status, status, "{path}: {}", got.text());
    }
}

#[tokio::test]
async fn upscaling_scales_and_a_cut_out_has_alpha() {
    let sandbox = TestSandbox::new().await;
    let got = sandbox
        .post("/image/upscale", json!({ "image": sent(256, 300), "scale": 2, "enhance": true }))
        .await;
    assert_eq!(image::load_from_memory(&got.bytes).expect("it decodes").dimensions(), (512, 600));
    let got = sandbox.post("/image/upscale", json!({ "image": sent(256, 256), "scale": 1 })).await;
    assert_eq!(got.status, 400);
    let data_uri = format!("data:image/png;base64,{}", sent(256, 256));
    let got = sandbox.post("/image/upscale", json!({ "image": data_uri })).await;
    assert_eq!(got.status, 400);
    let got = sandbox.post("/image/background-remove", json!({ "image": data_uri })).await;
    let image = image::load_from_memory(&got.bytes).expect("it decodes");
    assert_eq!(image.get_pixel(0, 0).0[3], 0);
    assert_eq!(image.get_pixel(128, 128).0[3], 255);
    let both = json!({ "image": data_uri, "image_url": "https://example.com/a.png" });
    assert_eq!(sandbox.post("/image/background-remove", both).await.status, 400);
}

#[tokio::test]
async fn plural_paths_take_the_place_of_the_documented_ones() {
    let sandbox =
        TestSandbox::with(SandboxSettings { plural: true, ..SandboxSettings::default() }).await;
    let body = json!({ "model": "z-image-turbo", "prompt": "a cat", "width": 64, "height": 64 });
    assert_eq!(sandbox.post("/images/generations", body.clone()).await.status, 200);
    assert_eq!(sandbox.post("/image/generate", body).await.status, 404);
    let body = json!({ "model": "z-image-turbo", "prompt": "a cat", "size": "256x256" });
    assert_eq!(sandbox.post("/images/generations-simple", body).await.status, 200);
}

#[tokio::test]
async fn the_small_endpoint_refuses_what_only_the_large_one_knows() {
    let sandbox = TestSandbox::new().await;
    let body = json!({ "model": "no-such-model", "prompt": "a cat", "size": "256x256", "response_format": "url" });
    let got = sandbox.post("/images/generations", body).await;
    let body = got.json();
    let url = body.pointer("/data/0/url").and_then(Value::as_str).expect("a URL");
    assert!(url.starts_with("data:image/png;base64,"));
    let got = sandbox
        .post(
            "/images/generations",
            json!({ "model": "z-image-turbo", "prompt": "a cat", "safe_mode": true }),
        )
        .await;
    assert_eq!(got.error(), "Unrecognized key(s) in object: 'safe_mode'");
    let got = sandbox.post("/images/generations", json!({ "prompt": "a cat" })).await;
    assert_eq!((got.status, got.error().as_str()), (400, "model is required"));
}
