//! Who may call, and what each caller sees.

use std::process::Stdio;

use insta::{allow_duplicates, assert_snapshot};
use serde_json::{Value, json};

use crate::harness::{Client as _, Setup, command, kinds, media_items, request, text, until};

const TOKEN: &str = "a-token-of-some-length";
const AUTHORIZED: (&str, &str) = ("authorization", "Bearer a-token-of-some-length");
const ROUTES: &[&str] =
    &["/mcp", "/sse", "/messages", "/media/x", "/healthz", "/readyz", "/metrics", "/no"];

#[tokio::test]
async fn other_hosts_and_origins_are_refused_on_every_route() {
    let server = Setup::new().http().await;
    for path in ROUTES {
        let response = server.with([("host", "evil.example")]).get(path).await;
        assert_eq!(response.status(), 403, "{path}");
        let answer: Value = response.json().await.unwrap();
        let message = answer["error"]["message"].as_str().unwrap();
        allow_duplicates! {
            assert_snapshot!(message, @"this server does not answer for the host `evil.example`; start it with --allowed-host evil.example");
        }
        let response = server.with([("origin", "https://evil.example")]).get(path).await;
        assert_eq!(response.status(), 403, "{path}");
        let answer: Value = response.json().await.unwrap();
        allow_duplicates! {
            assert_snapshot!(answer["error"]["message"].as_str().unwrap(), @"web pages of `https://evil.example` may not call this server; start it with --allowed-origin https://evil.example");
        }
    }
    let own = format!("http://localhost:{}", server.address.port());
    assert_eq!(server.with([("origin", own.as_str())]).get("/healthz").await.status(), 200);
}

#[tokio::test]
async fn allowed_hosts_and_origins_are_served_and_browsers_are_answered() {
    let server = Setup::new()
        .set("VENICE_MCP_ALLOWED_HOSTS", "mcp.example")
        .set("VENICE_MCP_ALLOWED_ORIGINS", "https://app.example")
        .set("VENICE_MCP_AUTH_TOKEN", TOKEN)
        .http()
        .await;
    assert_eq!(server.with([("host", "mcp.example")]).get("/healthz").await.status(), 200);
    let origin = ("origin", "https://app.example");
    let preflight = server
        .client
        .request(reqwest::Method::OPTIONS, server.url("/mcp"))
        .header(origin.0, origin.1)
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "authorization,mcp-protocol-version")
        .send()
        .await
        .unwrap();
    assert_eq!(preflight.status(), 200, "a preflight request brings no token");
    assert_eq!(preflight.headers()["access-control-allow-origin"], origin.1);
    assert_snapshot!(preflight.headers()["access-control-allow-headers"].to_str().unwrap(), @"authorization,mcp-protocol-version");
    let response = server.with([origin, AUTHORIZED]).post("/mcp", request("ping", json!({}))).await;
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["access-control-allow-origin"], origin.1);
    assert_snapshot!(response.headers()["access-control-expose-headers"].to_str().unwrap(), @"mcp-session-id,x-request-id,www-authenticate");
}

#[tokio::test]
async fn a_token_guards_everything_but_health_and_links() {
    let server = Setup::new().set("VENICE_MCP_AUTH_TOKEN", TOKEN).http().await;
    let wrong = ("authorization", "Bearer a-token-of-some-lengtX");
    for path in ["/mcp", "/sse", "/messages", "/metrics"] {
        for head in [&[][..], &[wrong], &[("x-venice-api-key", "key")]] {
            let response = match path {
                "/sse" | "/metrics" => server.with(head).get(path).await,
                _ => server.with(head).post(path, request("ping", json!({}))).await,
            };
            assert_eq!(response.status(), 401, "{path}");
            let challenge = response.headers()["www-authenticate"].to_str().unwrap();
            assert!(challenge.starts_with("Bearer"), "{challenge}");
            assert!(!response.text().await.unwrap().contains(TOKEN));
        }
    }
    for path in ["/healthz", "/readyz"] {
        assert_eq!(server.get(path).await.status(), 200, "{path}");
    }
    assert_eq!(server.get("/media/x").await.status(), 403);
    assert_eq!(server.with([AUTHORIZED]).get("/metrics").await.status(), 200);
    assert!(!server.with([AUTHORIZED]).tool_names().await.is_empty());
}

#[tokio::test]
async fn a_listener_beyond_loopback_needs_a_token_or_a_word() {
    let home = tempfile::tempdir().unwrap();
    let mut errors = String::new();
    for token in [None, Some("too-short"), Some("${VENICE_MCP_AUTH_TOKEN}")] {
        let mut command = command(home.path());
        command.args(["--http", "0.0.0.0:0"]).stdin(Stdio::null());
        command.envs(token.map(|token| ("VENICE_MCP_AUTH_TOKEN", token)));
        let output = command.output().await.unwrap();
        assert_eq!(output.status.code(), Some(2), "{token:?}");
        errors += &String::from_utf8(output.stderr).unwrap();
    }
    assert_snapshot!(errors, @"
    venice-mcp: --http: 0.0.0.0:0 is reached from beyond this machine: set VENICE_MCP_AUTH_TOKEN, or allow everyone with --allow-unauthenticated
    venice-mcp: VENICE_MCP_AUTH_TOKEN: must have 16 characters or more
    venice-mcp: VENICE_MCP_AUTH_TOKEN: must be visible ASCII characters, and no placeholder
    ");
    let open = Setup::new().listen("0.0.0.0:0").set("VENICE_MCP_ALLOW_UNAUTHENTICATED", "1");
    let server = open.http().await;
    assert!(!server.tool_names().await.is_empty());
}

#[tokio::test]
async fn a_brought_key_is_used_alone() {
    let server = Setup::new().set("VENICE_API_KEY", "bad-key").http().await;
    let speech = || json!({"input": "Hello."});
    let own = server.call("venice_tts", speech()).await;
    assert_eq!(own["isError"], true, "{own}");
    let brought = ("x-venice-api-key", "good-key");
    let result = server.with([brought]).call("venice_tts", speech()).await;
    assert_eq!(kinds(&result), ["text", "resource"], "{result}");
    let bearer = ("authorization", "Bearer good-key");
    let list = server.with([bearer]).call("venice_media", json!({})).await;
    // The same key is the same store.
    assert_eq!(media_items(&list)[0]["uri"], result["content"][1]["resource"]["uri"]);

    let uri = result["content"][1]["resource"]["uri"].as_str().unwrap();
    for other in [&[][..], &[("x-venice-api-key", "other-key")]] {
        let list = server.with(other).call("venice_media", json!({})).await;
        assert_eq!(text(&list), "nothing is stored yet");
        let shown = server.with(other).call("venice_media", json!({"uri": uri})).await;
        assert_eq!(shown["isError"], true, "{shown}");
        let read = server.with(other).ask("resources/read", json!({"uri": uri})).await;
        assert!(read["error"].is_object(), "{read}");
    }

    let server = Setup::new().http().await;
    let bad = server.with([("x-venice-api-key", "bad-key")]).call("venice_tts", speech()).await;
    assert_eq!(bad["isError"], true, "the server's own key stands in: {bad}");
    for unreadable in [
        ("x-venice-api-key", "${VENICE_API_KEY}"),
        ("x-venice-api-key", "k\u{e9}y-of-bob"),
        ("x-venice-api-key", ""),
        ("authorization", "Bearer k\u{e9}y"),
        ("authorization", "key-without-scheme"),
    ] {
        let response = server.with([unreadable]).send("ping", json!({})).await;
        assert_eq!(response.status(), 401, "{unreadable:?}");
    }
}

#[tokio::test]
async fn input_directories_are_for_callers_on_the_servers_key() {
    let server = Setup::new().http().await;
    let inputs = server.home.path().join("in");
    std::fs::create_dir_all(&inputs).unwrap();
    let image = json!({"prompt": "a cat", "width": 256, "height": 256});
    let made = server.call("venice_image_generate", image).await;
    let path = made["_meta"]["ai.venice/media"][0]["path"].as_str().unwrap();
    until(async || std::path::Path::new(path).is_file()).await;
    let input = inputs.join("cat.webp");
    std::fs::copy(path, &input).unwrap();
    let arguments = |image: &str| json!({"image": image});
    let own = server.call("venice_image_remove_bg", arguments(input.to_str().unwrap())).await;
    assert!(own["isError"] != true, "{own}");
    let head = [("x-venice-api-key", "good-key")];
    for image in [input.to_str().unwrap(), path, "last"] {
        let result = server.with(head).call("venice_image_remove_bg", arguments(image)).await;
        assert_eq!(result["isError"], true, "{image}: {result}");
    }
}

#[tokio::test]
async fn neither_key_nor_token_nor_prompt_nor_media_is_logged_or_counted() {
    let canaries =
        ["canary-key-5d1f", "canary-token-9b2e-0123", "canary-prompt", "canary-brought-77"];
    let authorized = ("authorization", "Bearer canary-token-9b2e-0123");
    let server = Setup::new()
        .set("VENICE_API_KEY", canaries[0])
        .set("VENICE_MCP_AUTH_TOKEN", canaries[1])
        .http()
        .await;
    let brought = ("x-venice-api-key", canaries[3]);
    let prompt = json!({"prompt": "canary-prompt", "width": 256, "height": 256});
    let made = server.with([authorized]).call("venice_image_generate", prompt.clone()).await;
    let blob = made["content"][1]["resource"]["blob"].as_str().unwrap().to_owned();
    let mut said = Vec::new();
    server.with([authorized, brought]).call("venice_image_generate", prompt).await;
    for (tool, arguments) in [
        (
            "venice_image_remove_bg",
            json!({"image": format!("data:image/png;base64,{blob}"), "x": 1}),
        ),
        ("venice_tts", json!({"input": "canary-prompt", "speed": 99})),
        ("venice_image_edit", json!({"prompt": "canary-prompt", "image": "/nowhere/canary"})),
    ] {
        let failed = server.with([authorized, brought]).call(tool, arguments).await;
        assert_eq!(failed["isError"], true, "{failed}");
        said.push(failed.to_string());
    }
    let wrong = [("authorization", "Bearer canary-token-9b2e-XXXX"), brought];
    said.push(server.with(wrong).send("ping", json!({})).await.text().await.unwrap());
    said.push(
        server
            .with([authorized, brought])
            .post("/mcp", "{canary-prompt")
            .await
            .text()
            .await
            .unwrap(),
    );
    said.push(server.with([authorized]).get("/metrics").await.text().await.unwrap());
    let (code, log) = server.end().await;
    assert_eq!(code, Some(0));
    said.push(log);
    for (at, text) in said.iter().enumerate() {
        for canary in canaries.iter().chain(&[&blob[40..80]]) {
            assert!(!text.contains(canary), "{canary} in {at}: {text}");
        }
    }
}
