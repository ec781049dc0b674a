//! Calls over real sockets.

mod paid;

use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use chrono::Utc;
use futures::StreamExt as _;
use secrecy::SecretString;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;
use wiremock::matchers::{header, method, path, query_param};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::*;
use crate::error::Kind;
use crate::splice::Holes;
use crate::venice::{CallKind, Class, Endpoint, MultipartForm, NoKey};

const MODELS: Endpoint = Endpoint::get("/models", Class::Catalog).public();
const CHARACTER: Endpoint = Endpoint::get("/characters/{slug}", Class::Catalog);
const IMAGE: Endpoint =
    Endpoint::post("/image/generate", CallKind::Paid, Class::Image).plural("/images/generations");
const QUEUE: Endpoint = Endpoint::post("/video/queue", CallKind::Queue, Class::Queue);
const CHAT: Endpoint = Endpoint::post("/chat/completions", CallKind::Paid, Class::Chat);

fn settings(base: &str) -> VeniceSettings {
    VeniceSettings {
        base_url: base.parse().unwrap(),
        key: KeySource::Key(SecretString::from("the-secret-key")),
        plural: false,
        rate_limits: true,
        breaker: true,
        timeout: None,
        reply_alignment: ReplyAlignment { alignment: 1, min_length: usize::MAX },
    }
}

fn venice(server: &MockServer) -> Venice {
    Venice::new(settings(&format!("{}/api/v1/", server.uri())))
}

fn context() -> SendContext {
    SendContext::default()
}

async fn mock(server: &MockServer, reply: ResponseTemplate) {
    Mock::given(wiremock::matchers::any()).respond_with(reply).mount(server).await;
}

async fn count(server: &MockServer) -> usize {
    server.received_requests().await.unwrap().len()
}

/// A server that answers its connections with these bytes, one after the other, and closes each.
async fn raw(replies: Vec<Vec<u8>>) -> (Venice, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}/api/v1", listener.local_addr().unwrap());
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    tokio::spawn(async move {
        for reply in replies {
            let (mut socket, _) = listener.accept().await.unwrap();
            read_request(&mut socket).await;
            counted.fetch_add(1, Ordering::SeqCst);
            socket.write_all(&reply).await.unwrap();
        }
    });
    (Venice::new(settings(&base)), calls)
}

/// Reads until the whole of a request with a short body has arrived.
async fn read_request(socket: &mut TcpStream) {
    let mut bytes = [0; 4096];
    let mut text = String::new();
    loop {
        let count = socket.read(&mut bytes).await.unwrap();
        text.push_str(&String::from_utf8_lossy(&bytes[..count]));
        if let Some((_, body)) = text.split_once("\r\n\r\n")
            && (text.starts_with("GET") || body.ends_with('}'))
        {
            return;
        }
    }
}

fn http(headers: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\n{headers}\r\n\r\n{body}").into_bytes()
}

#[tokio::test]
async fn without_a_key_only_public_endpoints_are_called() {
    let server = MockServer::start().await;
    mock(&server, ResponseTemplate::new(200).set_body_json(json!({"data": []}))).await;
    for (why, words) in [(NoKey::Missing, "no Venice API key"), (NoKey::Unsubstituted, "${...}")] {
        let mut settings = settings(&server.uri());
        settings.key = KeySource::None { why };
        let venice = Venice::new(settings);
        assert!(!venice.has_key(&context()));
        let error = venice.send(&context(), Request::new(&IMAGE)).await.unwrap_err();
        assert_eq!(error.kind, Kind::Key);
        assert!(error.text().contains(words) && error.text().contains("VENICE_API_KEY"));
        assert!(venice.send(&context(), Request::new(&MODELS)).await.is_ok());
    }
    let requests = server.received_requests().await.unwrap();
    assert_eq!(requests.len(), 2);
    assert!(requests.iter().all(|request| !request.headers.contains_key("authorization")));
}

#[tokio::test]
async fn a_request_carries_the_callers_key_and_its_parameters() {
    let server = MockServer::start().await;
    Mock::given(method("GET"))
        .and(path("/api/v1/characters/a%2Fb%20%C3%A9"))
        .and(query_param("limit", "1"))
        .and(header("authorization", "Bearer brought"))
        .and(header("user-agent", concat!("venice-mcp/", env!("CARGO_PKG_VERSION"))))
        .and(header("x-one", "1"))
        .respond_with(ResponseTemplate::new(200).set_body_json(json!({"ok": true})))
        .mount(&server)
        .await;
    let context = SendContext { key: Some(SecretString::from("brought")), ..context() };
    let request =
        Request::new(&CHARACTER).segment("a/b é").query("limit", "1").header("x-one", "1");
    let reply = venice(&server).send(&context, request).await.unwrap();
    assert_eq!(reply.value().unwrap(), json!({"ok": true}));
    let up = venice(&server).send(&context, Request::new(&CHARACTER).segment("..")).await;
    assert_eq!(up.unwrap_err().kind, Kind::NotFound);
}

#[tokio::test]
async fn bodies_carry_media_and_files() {
    let server = MockServer::start().await;
    mock(&server, ResponseTemplate::new(200).set_body_json(json!({}))).await;
    let mut settings = settings(&server.uri());
    settings.plural = true;
    let venice = Venice::new(settings);
    let holes = Holes::default();
    let image = holes.data_url("image/png", Bytes::from_static(b"abc"));
    let request = Request::new(&IMAGE).json_with(json!({"image": image}), holes);
    venice.send(&context(), request).await.unwrap();
    let form =
        MultipartForm::new().text("model", "m").file("file", "a.mp3", "audio/mpeg", "sound".into());
    venice.send(&context(), Request::new(&QUEUE).form(form)).await.unwrap();
    let requests = server.received_requests().await.unwrap();
    assert_eq!(requests[0].url.path(), "/images/generations");
    let body: Value = requests[0].body_json().unwrap();
    assert_eq!(body, json!({"image": "data:image/png;base64,YWJj"}));
    let body = String::from_utf8(requests[1].body.clone()).unwrap();
    assert!(body.contains("name=\"model\"\r\n\r\nm\r\n"), "{body}");
    assert!(
        body.contains("filename=\"a.mp3\"\r\nContent-Type: audio/mpeg\r\n\r\nsound\r\n"),
        "{body}"
    );
    assert!(requests[1].headers.contains_key("content-length"));
}

#[tokio::test]
async fn only_what_is_safe_is_sent_again() {
    let table: [(&'static Endpoint, u16, usize); 7] = [
        (&MODELS, 500, 4),
        (&MODELS, 404, 1),
        (&IMAGE, 500, 1),
        (&IMAGE, 503, 4),
        (&IMAGE, 429, 4),
        (&QUEUE, 503, 1),
        (&QUEUE, 429, 4),
    ];
    let each = table.map(|(endpoint, status, times)| async move {
        let server = MockServer::start().await;
        let body = json!({"error": "words"});
        mock(
            &server,
            ResponseTemplate::new(status).insert_header("retry-after", "0").set_body_json(body),
        )
        .await;
        let request = Request::new(endpoint);
        let error = venice(&server).send(&context(), request).await.unwrap_err();
        assert_eq!(error.status, Some(status));
        assert_eq!(count(&server).await, times, "{} of {}", status, endpoint.path());
    });
    futures::future::join_all(each).await;
}

#[tokio::test]
async fn waiting_is_reported() {
    struct Heard(std::sync::Mutex<Vec<String>>);
    impl crate::context::Progress for Heard {
        fn report(&self, _done: f64, _total: Option<f64>, message: &str) {
            self.0.lock().unwrap().push(message.to_owned());
        }
    }
    let server = MockServer::start().await;
    let busy = ResponseTemplate::new(429).insert_header("retry-after", "0");
    Mock::given(method("POST")).respond_with(busy).up_to_n_times(1).mount(&server).await;
    mock(&server, ResponseTemplate::new(200).set_body_json(json!({}))).await;
    let heard = Arc::new(Heard(std::sync::Mutex::default()));
    let context = SendContext { progress: heard.clone(), ..context() };
    venice(&server).send(&context, Request::new(&IMAGE)).await.unwrap();
    let heard = heard.0.lock().unwrap().clone();
    assert_eq!(heard.len(), 1);
    assert!(heard[0].starts_with("too many requests; trying again in "), "{heard:?}");
}

#[tokio::test]
async fn a_long_wait_is_reported() {
    let server = MockServer::start().await;
    mock(&server, ResponseTemplate::new(429).insert_header("retry-after", "21")).await;
    let error = venice(&server).send(&context(), Request::new(&IMAGE)).await.unwrap_err();
    assert_eq!(error.kind, Kind::Limited);
    assert_eq!(error.retry_after, Some(Duration::from_secs(21)));
    assert_eq!(count(&server).await, 1);
}

#[tokio::test]
async fn network_errors_say_which() {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let mut settings = settings(&format!("http://{closed}"));
    settings.timeout = Some(Duration::from_millis(300));
    let refused = Venice::new(settings).send(&context(), Request::new(&IMAGE)).await.unwrap_err();
    assert!(refused.message.starts_with("connection failed: `127.0.0.1`"), "{refused}");
    assert!(refused.text().contains("nothing was sent"));

    let paid = || Request::new(&IMAGE).json(json!({}));
    let (venice, calls) = raw(vec![Vec::new(), Vec::new()]).await;
    let lost = venice.send(&context(), paid()).await.unwrap_err();
    assert!(lost.message.starts_with("connection lost"), "{lost}");
    assert!(lost.text().contains("may have been charged"));
    assert_eq!(calls.load(Ordering::SeqCst), 1);

    let short = || http("content-type: image/png\r\ncontent-length: 100", "abc");
    let (venice, calls) = raw(vec![short(), short()]).await;
    let cut = venice.send(&context(), paid()).await.unwrap_err();
    assert!(cut.message.starts_with("reply cut short"), "{cut}");
    assert_eq!(calls.load(Ordering::SeqCst), 1);

    let whole = http("content-type: application/json\r\ncontent-length: 2", "{}");
    let (venice, calls) = raw(vec![short(), whole]).await;
    let reply = venice.send(&context(), Request::new(&MODELS)).await.unwrap();
    assert_eq!(&reply.bytes[..], b"{}");
    assert_eq!(calls.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_silent_server_is_given_up_at_the_deadline() {
    let server = MockServer::start().await;
    mock(&server, ResponseTemplate::new(200).set_delay(Duration::from_mins(1))).await;
    let soon = Instant::now() + Duration::from_millis(200);
    let context = SendContext { deadline: Some(soon), ..context() };
    let error = venice(&server).send(&context, Request::new(&IMAGE)).await.unwrap_err();
    assert_eq!(error.kind, Kind::Timeout);
    assert!(error.message.starts_with("timed out"));
}

#[tokio::test]
async fn a_canceled_call_closes_its_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let venice = Venice::new(settings(&format!("http://{}", listener.local_addr().unwrap())));
    let context = context();
    let cancel = context.cancel.clone();
    let call = tokio::spawn(async move { venice.send(&context, Request::new(&MODELS)).await });
    let (mut socket, _) = listener.accept().await.unwrap();
    read_request(&mut socket).await;
    cancel.cancel();
    assert_eq!(call.await.unwrap().unwrap_err().kind, Kind::Canceled);
    let end = tokio::time::timeout(Duration::from_millis(100), socket.read(&mut [0; 1])).await;
    assert_eq!(end.expect("closed in time").unwrap_or_default(), 0);
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let server = MockServer::start().await;
    let elsewhere = MockServer::start().await;
    mock(&server, ResponseTemplate::new(302).insert_header("location", elsewhere.uri())).await;
    let error = venice(&server).send(&context(), Request::new(&MODELS)).await.unwrap_err();
    assert_eq!(error.kind, Kind::Network);
    assert!(error.message.contains("redirect"));
    assert_eq!(count(&elsewhere).await, 0);
}

#[tokio::test]
async fn a_spent_limit_holds_further_calls_of_the_model() {
    let server = MockServer::start().await;
    let reset = (Utc::now().timestamp_millis() + 60_000).to_string();
    let spent = ResponseTemplate::new(200)
        .insert_header("x-ratelimit-remaining-requests", "0")
        .insert_header("x-ratelimit-reset-requests", reset.as_str())
        .set_body_json(json!({}));
    mock(&server, spent).await;
    let of = |model: &str| Request::new(&IMAGE).json(json!({"model": model}));
    let holding = venice(&server);
    holding.send(&context(), of("a")).await.unwrap();
    let error = holding.send(&context(), of("a")).await.unwrap_err();
    assert_eq!(error.kind, Kind::Limited);
    assert!(error.message.starts_with("the rate limit of `a` is reached until "), "{error}");
    assert!(error.retry_after.unwrap() > Duration::from_secs(50));
    holding.send(&context(), of("b")).await.unwrap();
    let other = SendContext { key: Some(SecretString::from("other")), ..context() };
    holding.send(&other, of("a")).await.unwrap();
    assert_eq!(count(&server).await, 3);
    let free = Venice::new(VeniceSettings { rate_limits: false, ..settings(&server.uri()) });
    free.send(&context(), of("a")).await.unwrap();
    free.send(&context(), of("a")).await.unwrap();
}

#[tokio::test]
async fn failures_stop_the_sending_before_venice_blocks_the_key() {
    let server = MockServer::start().await;
    mock(&server, ResponseTemplate::new(400).set_body_json(json!({"error": "bad"}))).await;
    let call = async |venice: &Venice| {
        venice.send(&context(), Request::new(&IMAGE)).await.unwrap_err().kind
    };
    let careful = venice(&server);
    for _ in 0..15 {
        assert_eq!(call(&careful).await, Kind::Arguments);
    }
    assert_eq!(call(&careful).await, Kind::Limited);
    assert_eq!(count(&server).await, 15);
    let free = Venice::new(VeniceSettings { breaker: false, ..settings(&server.uri()) });
    for _ in 0..16 {
        assert_eq!(call(&free).await, Kind::Arguments);
    }
}

#[tokio::test]
async fn a_stream_gives_its_events_and_ends_at_done() {
    let text = "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n: ping\n\ndata: [DONE]\n\ndata: {}\n\n";
    let headers = "content-type: text/event-stream\r\nconnection: close";
    let (venice, _) = raw(vec![http(headers, text)]).await;
    let stream =
        venice.send_for_events(&context(), Request::new(&CHAT).json(json!({}))).await.unwrap();
    let events: Vec<_> = stream.map(Result::unwrap).collect().await;
    assert_eq!(events, [json!({"choices": [{"delta": {"content": "a"}}]})]);
}

#[tokio::test]
async fn a_stream_that_fails_or_breaks_off_ends_with_an_error() {
    let headers = "content-type: text/event-stream\r\nconnection: close";
    let failed = "data: {\"choices\":[]}\n\ndata: {\"error\":{\"message\":\"the-secret-key\",\"code\":\"INFERENCE_FAILED\"}}\n\ndata: [DONE]\n\n";
    let table = [
        (failed, Kind::Venice, "the stream ended"),
        ("data: {}\n\n", Kind::Network, "reply cut short"),
    ];
    for (text, kind, words) in table {
        let (venice, _) = raw(vec![http(headers, text)]).await;
        let stream =
            venice.send_for_events(&context(), Request::new(&CHAT).json(json!({}))).await.unwrap();
        let events: Vec<_> = stream.collect().await;
        assert_eq!(events.len(), 2);
        let error = events[1].as_ref().unwrap_err();
        assert_eq!(error.kind, kind);
        assert!(error.message.starts_with(words), "{error}");
        assert!(!error.text().contains("the-secret-key"));
    }
}

#[tokio::test]
async fn an_open_reply_is_read_as_it_arrives() {
    let short = http("content-type: video/mp4\r\ncontent-length: 100", "abc");
    let whole = http("content-length: 9", "{\"a\": 12}");
    let (venice, _) = raw(vec![short, whole]).await;
    let open =
        venice.send_streaming(&context(), Request::new(&QUEUE).json(json!({}))).await.unwrap();
    assert_eq!((open.content_type.as_str(), open.length), ("video/mp4", Some(100)));
    let chunks: Vec<_> = open.into_stream().collect().await;
    assert_eq!(chunks.len(), 2);
    assert_eq!(chunks[0].as_ref().unwrap(), "abc");
    assert!(chunks[1].as_ref().unwrap_err().message.starts_with("reply cut short"));
    let open =
        venice.send_streaming(&context(), Request::new(&QUEUE).json(json!({}))).await.unwrap();
    assert!(open.is_json());
    assert_eq!(open.collect().await.unwrap().value().unwrap(), json!({"a": 12}));
}

#[cfg(unix)]
#[tokio::test]
async fn a_key_that_is_not_taken_is_asked_for_again() {
    let server = MockServer::start().await;
    Mock::given(header("authorization", "Bearer new"))
        .respond_with(ResponseTemplate::new(200).set_body_json(json!({})))
        .mount(&server)
        .await;
    mock(&server, ResponseTemplate::new(401).set_body_json(json!({"error": "bad key"}))).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ran").display().to_string();
    let script = format!("if [ -e '{file}' ]; then echo new; else touch '{file}'; echo old; fi");
    let mut settings = settings(&server.uri());
    settings.key = KeySource::Command(["sh", "-c", &script].map(str::to_owned).to_vec());
    let venice = Venice::new(settings);
    venice.send(&context(), Request::new(&IMAGE)).await.unwrap();
    venice.send(&context(), Request::new(&IMAGE)).await.unwrap();
    assert_eq!(count(&server).await, 3);
}
