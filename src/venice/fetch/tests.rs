use std::future::pending;

use axum::Router;
use axum::body::Body;
use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response as Answer};
use axum::routing::get;

use super::*;

/// A server on this machine; the URL of its root.
async fn serve() -> Url {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let root = format!("http://{}/", listener.local_addr().unwrap());
    let app = Router::new()
        .route("/hops/{left}", get(hops))
        .route("/body/{length}/{name}", get(body))
        .route("/endless", get(endless))
        .route("/stalls", get(stalls))
        .route("/to", get(to))
        .route("/headers", get(headers));
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    root.parse().unwrap()
}

async fn hops(Path(left): Path<u32>) -> Answer {
    match left {
        0 => "arrived".into_response(),
        left => Redirect::temporary(&format!("/hops/{}", left - 1)).into_response(),
    }
}

async fn body(Path((length, _)): Path<(usize, String)>) -> Answer {
    ([("content-type", "image/png")], vec![7_u8; length]).into_response()
}

async fn endless() -> Body {
    Body::from_stream(stream::repeat_with(|| Ok::<_, std::io::Error>(Bytes::from(vec![0; 1000]))))
}

async fn stalls() -> Body {
    let first = stream::once(async { Ok::<_, std::io::Error>(Bytes::from_static(b"a")) });
    Body::from_stream(first.chain(stream::once(pending())))
}

async fn to(axum::extract::RawQuery(query): axum::extract::RawQuery) -> Answer {
    (StatusCode::FOUND, [("location", query.unwrap_or_default())]).into_response()
}

async fn headers(headers: HeaderMap) -> String {
    format!("{headers:?}")
}

async fn fail(fetcher: &Fetcher, url: &Url, max_bytes: u64) -> Error {
    fetcher.get(url, max_bytes).await.unwrap_err()
}

#[tokio::test]
async fn three_redirects_are_followed_and_a_fourth_is_refused() {
    let (root, fetcher) = (serve().await, Fetcher::new(true));
    let answer = fetcher.get(&root.join("hops/3").unwrap(), 100).await.unwrap();
    assert_eq!(answer.bytes, "arrived");
    let error = fail(&fetcher, &root.join("hops/4").unwrap(), 100).await;
    assert_eq!(error.kind, Kind::Input);
    assert!(error.message.ends_with("redirects more than 3 times"), "{error}");
}

#[tokio::test]
async fn the_target_of_a_redirect_is_checked() {
    let (root, fetcher) = (serve().await, Fetcher::new(true));
    for target in ["file:///etc/passwd", "ftp://127.0.0.1/", "http://me:secret@127.0.0.1/"] {
        let error = fail(&fetcher, &root.join(&format!("to?{target}")).unwrap(), 100).await;
        assert_eq!(error.kind, Kind::Input, "{target}");
        assert!(error.message.contains("redirects elsewhere"), "{error}");
        assert!(!error.message.contains("secret"), "{error}");
    }
}

#[test]
fn a_redirect_leads_neither_to_http_nor_to_a_private_host() {
    let fetcher = Fetcher::new(false);
    let from = Url::parse("https://example.com/a/b").unwrap();
    for target in [
        "http://example.com/",
        "https://127.0.0.1/",
        "https://[::ffff:10.0.0.1]/",
        "//169.254.169.254/latest/meta-data",
        "https://localhost:8080/",
        "https://[",
    ] {
        assert!(fetcher.redirect_target(&from, target.as_bytes()).is_err(), "{target}");
    }
    assert!(fetcher.redirect_target(&from, b"https://\xff/").is_err());
    assert_eq!(fetcher.redirect_target(&from, b"../c").unwrap().as_str(), "https://example.com/c");
}

#[tokio::test]
async fn a_guarded_fetcher_reaches_nothing_on_this_machine() {
    let (root, fetcher) = (serve().await, Fetcher::new(false));
    assert!(fail(&fetcher, &root, 100).await.message.contains("only https is allowed"));
    let port = root.port().unwrap();
    let url = Url::parse(&format!("https://127.0.0.1:{port}/")).unwrap();
    assert_eq!(
        fail(&fetcher, &url, 100).await.message,
        "`127.0.0.1` is not a host of the public internet"
    );
}

#[tokio::test]
async fn a_name_that_leads_nowhere_public_is_named_without_its_address() {
    let url = Url::parse("https://nowhere.invalid/a?token=secret").unwrap();
    let error = fail(&Fetcher::new(false), &url, 100).await;
    assert_eq!(error.kind, Kind::Input);
    assert_eq!(error.message, "`nowhere.invalid` has no public address");
}

#[tokio::test]
async fn a_body_is_bounded_by_what_is_announced_and_by_what_arrives() {
    let (root, fetcher) = (serve().await, Fetcher::new(true));
    let url = root.join("body/100/a%20b.png?token=secret").unwrap();
    let answer = fetcher.get(&url, 100).await.unwrap();
    assert_eq!(answer.bytes.len(), 100);
    assert_eq!(answer.content_type.as_deref(), Some("image/png"));
    assert_eq!(answer.name.as_deref(), Some("a%20b.png"));
    // The announced length ends it before the body is opened.
    let error = fetcher.open(&url, 99).await.unwrap_err();
    assert!(error.message.ends_with("has more than 99 bytes, the most allowed"), "{error}");
    assert!(!error.message.contains("secret"));
    let error = fail(&fetcher, &root.join("endless").unwrap(), 5000).await;
    assert!(error.message.ends_with("has more than 5000 bytes, the most allowed"), "{error}");
}

#[tokio::test]
async fn a_body_that_stalls_ends_in_a_timeout() {
    let root = serve().await;
    let short = Duration::from_millis(200);
    let long = Duration::from_mins(1);
    for timeouts in [
        Timeouts { connect: long, idle: short, total: long },
        Timeouts { connect: long, idle: long, total: short },
    ] {
        let fetcher = Fetcher::with_timeouts(true, timeouts);
        // Reading the certificates of the system is no part of what is timed here.
        fetcher.client().unwrap();
        let mut opened = fetcher.open(&root.join("stalls").unwrap(), 100).await.unwrap();
        assert_eq!(opened.chunks.try_next().await.unwrap().unwrap(), "a");
        assert_eq!(opened.chunks.try_next().await.unwrap_err().kind, Kind::Timeout);
    }
}

#[tokio::test]
async fn nothing_is_sent_that_tells_of_the_caller() {
    let (root, fetcher) = (serve().await, Fetcher::new(true));
    let sent = fetcher.get(&root.join("headers").unwrap(), 5000).await.unwrap();
    let sent = std::str::from_utf8(&sent.bytes).unwrap().to_ascii_lowercase();
    for name in ["cookie", "authorization", "referer", "accept-encoding"] {
        assert!(!sent.contains(name), "{sent}");
    }
}

#[tokio::test]
async fn an_answer_that_is_no_success_is_an_error_with_its_status() {
    let (root, fetcher) = (serve().await, Fetcher::new(true));
    let error = fail(&fetcher, &root.join("missing").unwrap(), 100).await;
    assert_eq!(error.kind, Kind::Input);
    assert!(error.message.ends_with("/missing` answered 404 Not Found"), "{error}");
}
