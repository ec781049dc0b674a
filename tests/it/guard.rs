//! Who may call, and what each caller sees.

use std::process::Stdio;

use serde_json::{Value, json};

use crate::harness::command;
use crate::served::{Served, Setup, kinds, request, text};

const TOKEN: &str = "a-token-of-some-length";
const AUTHORIZED: (&str, &str) = ("authorization", "Bearer a-token-of-some-length");
const ROUTES: &[&str] =
    &["/mcp", "/sse", "/messages", "/media/x", "/healthz", "/readyz", "/metrics", "/no"];

#[tokio::test]
async fn other_hosts_and_origins_are_refused_on_every_route() {
    let served = Served::start().await;
    for path in ROUTES {
        let response = served.get(path, &[("host", "evil.example")]).await;
        assert_eq!(response.status(), 403, "{path}");
        let answer: Value = response.json().await.unwrap();
        let message = answer["error"]["message"].as_str().unwrap();
        assert!(message.contains("--allowed-host evil.example"), "{message}");
        let response = served.get(path, &[("origin", "https://evil.example")]).await;
        assert_eq!(response.status(), 403, "{path}");
        assert!(response.text().await.unwrap().contains("--allowed-origin https://evil.example"));
    }
    let own = format!("http://localhost:{}", served.address.port());
    assert_eq!(served.get("/healthz", &[("origin", &own)]).await.status(), 200);
}

#[tokio::test]
async fn allowed_hosts_and_origins_are_served_and_browsers_told() {
    let served = Setup::new()
        .set("VENICE_MCP_ALLOWED_HOSTS", "mcp.example")
        .set("VENICE_MCP_ALLOWED_ORIGINS", "https://app.example")
        .set("VENICE_MCP_AUTH_TOKEN", TOKEN)
        .start()
        .await;
    assert_eq!(served.get("/healthz", &[("host", "mcp.example")]).await.status(), 200);
    let origin = ("origin", "https://app.example");
    let preflight = served
        .http
        .request(reqwest::Method::OPTIONS, served.url("/mcp"))
        .header(origin.0, origin.1)
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "authorization,mcp-protocol-version")
        .send()
        .await
        .unwrap();
    assert_eq!(preflight.status(), 200, "a preflight request brings no token");
    assert_eq!(preflight.headers()["access-control-allow-origin"], origin.1);
    let allowed = preflight.headers()["access-control-allow-headers"].to_str().unwrap();
    assert!(allowed.contains("authorization"), "{allowed}");
    let response = served.post("/mcp", &[origin, AUTHORIZED], request("ping", json!({}))).await;
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["access-control-allow-origin"], origin.1);
    let exposed = response.headers()["access-control-expose-headers"].to_str().unwrap();
    assert!(exposed.contains("mcp-session-id"), "{exposed}");
}

#[tokio::test]
async fn a_token_guards_everything_but_health_and_links() {
    let served = Setup::new().set("VENICE_MCP_AUTH_TOKEN", TOKEN).start().await;
    let wrong = ("authorization", "Bearer a-token-of-some-lengtX");
    for path in ["/mcp", "/sse", "/messages", "/metrics"] {
        for head in [&[][..], &[wrong], &[("x-venice-api-key", "key")]] {
            let response = match path {
                "/sse" | "/metrics" => served.get(path, head).await,
                _ => served.post(path, head, request("ping", json!({}))).await,
            };
            assert_eq!(response.status(), 401, "{path}");
            let challenge = response.headers()["www-authenticate"].to_str().unwrap();
            assert!(challenge.starts_with("Bearer"), "{challenge}");
            assert!(!response.text().await.unwrap().contains(TOKEN));
        }
    }
    for path in ["/healthz", "/readyz"] {
        assert_eq!(served.get(path, &[]).await.status(), 200, "{path}");
    }
    assert_eq!(served.get("/media/x", &[]).await.status(), 403);
    assert_eq!(served.get("/metrics", &[AUTHORIZED]).await.status(), 200);
    assert!(!served.tools(&[AUTHORIZED], "/mcp").await.is_empty());
}

#[tokio::test]
async fn a_listener_beyond_loopback_needs_a_token_or_a_word() {
    let home = tempfile::tempdir().unwrap();
    for token in [None, Some("too-short"), Some("${VENICE_MCP_AUTH_TOKEN}")] {
        let mut command = command(home.path());
        command.args(["--http", "0.0.0.0:0"]).stdin(Stdio::null());
        command.envs(token.map(|token| ("VENICE_MCP_AUTH_TOKEN", token)));
        let output = command.output().await.unwrap();
        assert_eq!(output.status.code(), Some(2), "{token:?}");
        let lines = String::from_utf8(output.stderr).unwrap();
        assert_eq!(lines.lines().count(), 1, "{lines}");
        assert!(!lines.contains("too-short"), "{lines}");
    }
    let open = Setup::new().listen("0.0.0.0:0").set("VENICE_MCP_ALLOW_UNAUTHENTICATED", "1");
    let served = open.start().await;
    assert!(!served.tools(&[], "/mcp").await.is_empty());
}

#[tokio::test]
async fn a_brought_key_is_used_alone() {
    let served = Setup::new().set("VENICE_API_KEY", "bad-key").start().await;
    let speech = || json!({"input": "Hello."});
    let own = served.call(&[], "venice_tts", speech()).await;
    assert_eq!(own["isError"], true, "{own}");
    let brought = ("x-venice-api-key", "good-key");
    let result = served.call(&[brought], "venice_tts", speech()).await;
    assert_eq!(kinds(&result), ["text", "resource"], "{result}");
    let bearer = ("authorization", "Bearer good-key");
    let list = served.call(&[bearer], "venice_media", json!({})).await;
    assert!(text(&list).contains("venice://media/hello-"), "the same key, the same store: {list}");

    let uri = result["content"][1]["resource"]["uri"].as_str().unwrap();
    for other in [&[][..], &[("x-venice-api-key", "other-key")]] {
        let list = served.call(other, "venice_media", json!({})).await;
        assert_eq!(text(&list), "nothing is stored yet");
        let shown = served.call(other, "venice_media", json!({"uri": uri})).await;
        assert_eq!(shown["isError"], true, "{shown}");
        let read = served.ask(other, "resources/read", json!({"uri": uri})).await;
        assert!(read["error"].is_object(), "{read}");
    }

    let served = Served::start().await;
    let bad = served.call(&[("x-venice-api-key", "bad-key")], "venice_tts", speech()).await;
    assert_eq!(bad["isError"], true, "the server's own key stands in: {bad}");
    for unreadable in [
        ("x-venice-api-key", "${VENICE_API_KEY}"),
        ("x-venice-api-key", "k\u{e9}y-of-bob"),
        ("x-venice-api-key", ""),
        ("authorization", "Bearer k\u{e9}y"),
        ("authorization", "key-without-scheme"),
    ] {
        let response = served.send(&[unreadable], "ping", json!({})).await;
        assert_eq!(response.status(), 401, "{unreadable:?} runs on nobody's key");
    }
}

#[tokio::test]
async fn input_directories_are_for_callers_on_the_servers_key() {
    let served = Served::start().await;
    let inputs = served.home.path().join("in");
    std::fs::create_dir_all(&inputs).unwrap();
    let made = served
        .call(&[], "venice_image_generate", json!({"prompt": "a cat", "width": 256, "height": 256}))
        .await;
    let path = made["_meta"]["ai.venice/media"][0]["path"].as_str().unwrap();
    for _ in 0..100 {
        if std::path::Path::new(path).is_file() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let input = inputs.join("cat.webp");
    std::fs::copy(path, &input).unwrap();
    let arguments = |image: &str| json!({"image": image});
    let own = served.call(&[], "venice_image_remove_bg", arguments(input.to_str().unwrap())).await;
    assert!(own["isError"] != true, "{own}");
    let head = [("x-venice-api-key", "good-key")];
    for image in [input.to_str().unwrap(), path, "last"] {
        let result = served.call(&head, "venice_image_remove_bg", arguments(image)).await;
        assert_eq!(result["isError"], true, "{image}: {result}");
    }
}

#[tokio::test]
async fn neither_key_nor_token_nor_prompt_nor_media_is_logged_or_counted() {
    let canaries =
        ["canary-key-5d1f", "canary-token-9b2e-0123", "canary-prompt", "canary-brought-77"];
    let authorized = ("authorization", "Bearer canary-token-9b2e-0123");
    let served = Setup::new()
        .set("VENICE_API_KEY", canaries[0])
        .set("VENICE_MCP_AUTH_TOKEN", canaries[1])
        .start()
        .await;
    let brought = ("x-venice-api-key", canaries[3]);
    let prompt = json!({"prompt": "canary-prompt", "width": 256, "height": 256});
    let made = served.call(&[authorized], "venice_image_generate", prompt.clone()).await;
    let blob = made["content"][1]["resource"]["blob"].as_str().unwrap().to_owned();
    let mut said = Vec::new();
    served.call(&[authorized, brought], "venice_image_generate", prompt).await;
    for (tool, arguments) in [
        (
            "venice_image_remove_bg",
            json!({"image": format!("data:image/png;base64,{blob}"), "x": 1}),
        ),
        ("venice_tts", json!({"input": "canary-prompt", "speed": 99})),
        ("venice_image_edit", json!({"prompt": "canary-prompt", "image": "/nowhere/canary"})),
    ] {
        let failed = served.call(&[authorized, brought], tool, arguments).await;
        assert_eq!(failed["isError"], true, "{failed}");
        said.push(failed.to_string());
    }
    let wrong = [("authorization", "Bearer canary-token-9b2e-XXXX"), brought];
    said.push(served.send(&wrong, "ping", json!({})).await.text().await.unwrap());
    said.push(
        served.post("/mcp", &[authorized, brought], "{canary-prompt").await.text().await.unwrap(),
    );
    said.push(served.get("/metrics", &[authorized]).await.text().await.unwrap());
    let (code, log) = served.end().await;
    assert_eq!(code, Some(0));
    said.push(log);
    for (at, text) in said.iter().enumerate() {
        for canary in canaries.iter().chain(&[&blob[40..80]]) {
            assert!(!text.contains(canary), "{canary} in {at}: {text}");
        }
    }
}
