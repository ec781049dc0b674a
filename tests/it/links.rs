//! Download links: what clients on other machines get instead of paths.

use serde_json::json;

use crate::harness::{
    Client as _, Http, Setup, TestServer, copy_directory, decode, terminate, text,
};

const AUTHORIZED: (&str, &str) = ("authorization", "Bearer a-token-of-some-length");

fn remote() -> Setup {
    Setup::new().listen("0.0.0.0:0").set("VENICE_MCP_AUTH_TOKEN", "a-token-of-some-length")
}

/// Makes an image: its bytes, and the link in the result's text.
async fn made(server: &TestServer<Http>, head: &[(&str, &str)]) -> (Vec<u8>, String) {
    let arguments = json!({"prompt": "a cat", "width": 256, "height": 256, "format": "png"});
    let result = server.with(head).call("venice_image_generate", arguments).await;
    let home = server.home.path().to_str().unwrap();
    assert!(!result.to_string().contains(home), "a path beyond loopback: {result}");
    let bytes = decode(result["content"][1]["resource"]["blob"].as_str().unwrap());
    let text = text(&result);
    let line = text.lines().next().unwrap();
    let link =
        line.split(" | ").find(|part| part.starts_with("http")).unwrap_or_else(|| panic!("{line}"));
    (bytes, link.to_owned())
}

#[tokio::test]
async fn a_link_gives_the_item_without_a_token() {
    let server = remote().http().await;
    let brought = ("x-venice-api-key", "good-key");
    for head in [&[AUTHORIZED][..], &[AUTHORIZED, brought]] {
        let (bytes, link) = made(&server, head).await;
        assert!(link.starts_with(&server.url("/media/a-cat-")), "{link}");
        let response = server.client.get(&link).send().await.unwrap();
        assert_eq!(response.status(), 200);
        for (name, value) in [
            ("content-type", "image/png"),
            ("x-content-type-options", "nosniff"),
            ("content-security-policy", "default-src 'none'; sandbox"),
            ("accept-ranges", "bytes"),
        ] {
            assert_eq!(response.headers()[name], value);
        }
        let shown = response.headers()["content-disposition"].to_str().unwrap();
        assert!(shown.starts_with("inline; filename=\"a-cat-"), "{shown}");
        assert_eq!(response.bytes().await.unwrap(), bytes);
        let head = server.client.head(&link).send().await.unwrap();
        assert_eq!(head.headers()["content-length"], bytes.len().to_string());
    }
}

#[tokio::test]
async fn a_link_gives_parts() {
    let server = remote().http().await;
    let (bytes, link) = made(&server, &[AUTHORIZED]).await;
    let length = bytes.len();
    for (range, part) in [
        ("bytes=0-9".to_owned(), 0..10),
        ("bytes=10-".to_owned(), 10..length),
        ("bytes=-7".to_owned(), length - 7..length),
    ] {
        let response = server.client.get(&link).header("range", &range).send().await.unwrap();
        assert_eq!(response.status(), 206, "{range}");
        let told = format!("bytes {}-{}/{length}", part.start, part.end - 1);
        assert_eq!(response.headers()["content-range"], told);
        assert_eq!(response.bytes().await.unwrap(), bytes[part]);
    }
    let beyond = format!("bytes={length}-");
    let response = server.client.get(&link).header("range", beyond).send().await.unwrap();
    assert_eq!(response.status(), 416);
    assert_eq!(response.headers()["content-range"], format!("bytes */{length}"));
}

#[tokio::test]
async fn a_link_that_was_changed_opens_nothing() {
    let server = remote().http().await;
    let (_, link) = made(&server, &[AUTHORIZED]).await;
    let (_, other) = made(&server, &[AUTHORIZED, ("x-venice-api-key", "good-key")]).await;
    let id =
        |link: &str| link.split("/media/").nth(1).unwrap().split('?').next().unwrap().to_owned();
    let changed = [
        link.replace(&id(&link), &id(&other)),
        link.replace("expires=1", "expires=2"),
        link.replace("?expires", "?caller=0123456789abcdef&expires"),
        other.replace("caller=", "other="),
        link.split("&signature").next().unwrap().to_owned(),
        link.replace("signature=", "signature=0"),
    ];
    for link in changed {
        let response = server.client.get(&link).send().await.unwrap();
        assert_eq!(response.status(), 403, "{link}");
    }
}

#[tokio::test]
async fn a_link_expires() {
    let server = remote().set("VENICE_MCP_LINK_TTL", "0").http().await;
    let (_, link) = made(&server, &[AUTHORIZED]).await;
    let response = server.client.get(&link).send().await.unwrap();
    assert_eq!(response.status(), 403);
    insta::assert_snapshot!(response.text().await.unwrap(), @r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32000,"message":"this download link has expired; ask venice_media for a new one"}}"#);
}

#[tokio::test]
async fn a_public_url_is_what_links_begin_with() {
    let server =
        Setup::new().set("VENICE_MCP_PUBLIC_URL", "https://mcp.example/venice/").http().await;
    let (_, link) = made(&server, &[]).await;
    assert!(link.starts_with("https://mcp.example/venice/media/a-cat-"), "{link}");
    let here = link.replace("https://mcp.example/venice", &server.url(""));
    assert_eq!(server.client.get(&here).send().await.unwrap().status(), 200);
    let stream = server.with([("host", "mcp.example")]).get("/sse").await.chunk().await.unwrap();
    let first = String::from_utf8(stream.unwrap().to_vec()).unwrap();
    let data = first.lines().find_map(|line| line.strip_prefix("data: "));
    assert!(data.unwrap().starts_with("/venice/messages?sessionId="), "{first}");
}

#[tokio::test]
async fn a_caller_with_a_key_gets_a_link_on_loopback_too() {
    let server = Setup::new().http().await;
    let (bytes, link) = made(&server, &[("x-venice-api-key", "good-key")]).await;
    assert!(link.starts_with(&server.url("/media/a-cat-")), "{link}");
    assert_eq!(server.client.get(&link).send().await.unwrap().bytes().await.unwrap(), bytes);
}

/// A server beyond loopback that signs with the bytes of `secret`.
fn remote_with_secret(secret: &tempfile::NamedTempFile) -> Setup {
    remote().set("VENICE_MCP_SECRET_FILE", secret.path().to_str().unwrap())
}

#[tokio::test]
async fn servers_with_one_secret_file_accept_each_others_links() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), [7; 32]).unwrap();
    let mut first = remote_with_secret(&file).http().await;
    let (bytes, link) = made(&first, &[AUTHORIZED]).await;
    terminate(&first.child).await;
    first.child.wait().await.unwrap();
    let out = first.out();
    assert!(!out.join(".venice/secret").exists(), "the store got a secret of its own");

    // Both have a copy of the media, as replicas have whose stores are mirrored.
    let (replica, stranger) = (remote_with_secret(&file), remote());
    copy_directory(&out, &replica.home().join("out"));
    copy_directory(&out, &stranger.home().join("out"));
    let (replica, stranger) = (replica.http().await, stranger.http().await);
    let at = |server: &Http| link.replace(&first.url(""), &server.url(""));
    let response = replica.client.get(at(&replica)).send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.bytes().await.unwrap(), bytes);
    assert_eq!(stranger.client.get(at(&stranger)).send().await.unwrap().status(), 403);
}
