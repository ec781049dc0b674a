//! A client for the tests of the families: one request per plain socket.

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::{Sandbox, SandboxSettings};

/// A reply as a client sees it.
#[derive(Debug)]
pub(super) struct TestReply {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) bytes: Vec<u8>,
}

impl TestReply {
    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).expect("the body is JSON")
    }

    pub(super) fn text(&self) -> String {
        String::from_utf8(self.bytes.clone()).expect("the body is text")
    }

    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("the header is text"))
    }

    /// The first issue's message, or the error.
    pub(super) fn error(&self) -> String {
        let body = self.json();
        let issue = body.pointer("/issues/0/message").or_else(|| body.get("error"));
        issue.and_then(Value::as_str).unwrap_or_default().to_owned()
    }
}

/// A sandbox, and a client with a key.
pub(super) struct TestSandbox {
    pub(super) sandbox: Sandbox,
    pub(super) key: &'static str,
}

impl TestSandbox {
    pub(super) async fn new() -> Self {
        Self::with(SandboxSettings::default()).await
    }

    pub(super) async fn with(settings: SandboxSettings) -> Self {
        let address = "127.0.0.1:0".parse().expect("an address");
        let sandbox = Sandbox::start_with(address, settings).await.expect("it starts");
        Self { sandbox, key: "test-key" }
    }

    pub(super) async fn post(&self, path: &str, body: Value) -> TestReply {
        self.send(
            "POST",
            &format!("/api/v1{path}"),
            "application/json",
            body.to_string().as_bytes(),
        )
        .await
    }

    pub(super) async fn get(&self, path: &str) -> TestReply {
        self.send("GET", &format!("/api/v1{path}"), "", b"").await
    }

    /// Sends a form of texts and of files with their names.
    pub(super) async fn form(
        &self,
        path: &str,
        texts: &[(&str, &str)],
        files: &[(&str, &str, &[u8])],
    ) -> TestReply {
        let mut body = Vec::new();
        for (name, text) in texts {
            let part =
                format!("--x\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{text}\r\n");
            body.extend_from_slice(part.as_bytes());
        }
        for (name, file, bytes) in files {
            let head = format!(
                "--x\r\ncontent-disposition: form-data; name=\"{name}\"; filename=\"{file}\"\r\n\r\n"
            );
            body.extend_from_slice(head.as_bytes());
            body.extend_from_slice(bytes);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(b"--x--\r\n");
        self.send("POST", &format!("/api/v1{path}"), "multipart/form-data; boundary=x", &body).await
    }

    pub(super) async fn send(
        &self,
        method: &str,
        path: &str,
        content_type: &str,
        body: &[u8],
    ) -> TestReply {
        let host = self
            .sandbox
            .base_url()
            .trim_start_matches("http://")
            .split('/')
            .next()
            .expect("a host");
        let mut stream = TcpStream::connect(host).await.expect("it listens");
        let mut lines = vec![
            format!("{method} {path} HTTP/1.1"),
            format!("host: {host}"),
            "connection: close".to_owned(),
            format!("content-length: {}", body.len()),
        ];
        if !content_type.is_empty() {
            lines.push(format!("content-type: {content_type}"));
        }
        if !self.key.is_empty() {
            lines.push(format!("authorization: Bearer {}", self.key));
        }
        let head = lines.join("\r\n") + "\r\n\r\n";
        stream.write_all(head.as_bytes()).await.expect("it reads the head");
        stream.write_all(body).await.expect("it reads the body");
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).await.expect("it answers");
        parse(&bytes)
    }
}

fn parse(bytes: &[u8]) -> TestReply {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").expect("a head");
    let head = std::str::from_utf8(&bytes[..end]).expect("a head of text");
    let mut lines = head.lines();
    let status = lines.next().expect("a status line")[9..12].parse().expect("a status");
    let mut headers = HeaderMap::new();
    for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
        let name: HeaderName = name.parse().expect("a name");
        headers.insert(name, HeaderValue::from_str(value).expect("a value"));
    }
    let chunked = headers.get("transfer-encoding").is_some_and(|value| value == "chunked");
    let rest = &bytes[end + 4..];
    TestReply { status, headers, bytes: if chunked { joined(rest) } else { rest.to_vec() } }
}

fn joined(mut rest: &[u8]) -> Vec<u8> {
    let mut whole = Vec::new();
    while let Some(end) = rest.windows(2).position(|two| two == b"\r\n") {
        let size = std::str::from_utf8(&rest[..end]).expect("a size");
        let size = usize::from_str_radix(size, 16).expect("a size in hex");
        whole.extend_from_slice(&rest[end + 2..end + 2 + size]);
        rest = &rest[end + 4 + size..];
        if size == 0 {
            break;
        }
    }
    whole
}
