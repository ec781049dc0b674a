//! Paid calls whose clients go away.

use std::sync::atomic::AtomicU32;

use super::*;
use crate::context::Payer;

/// Counts the requests that may have been charged.
#[derive(Default)]
struct Counting(AtomicU32);

impl Counting {
    fn requests(&self) -> u32 {
        self.0.load(Ordering::SeqCst)
    }
}

impl Payer for Counting {
    fn request_left(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }

    fn request_not_charged(&self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }

    fn may_have_paid(&self) -> bool {
        self.requests() > 0
    }
}

fn paying() -> (SendContext, Arc<Counting>) {
    let payer = Arc::<Counting>::default();
    (SendContext { payer: payer.clone(), ..context() }, payer)
}

#[tokio::test]
async fn a_paid_stream_is_dropped_with_its_client_and_a_paid_reply_is_waited_for() {
    for streams in [true, false] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let venice = Venice::new(settings(&format!("http://{}", listener.local_addr().unwrap())));
        let (context, payer) = paying();
        let cancel = context.cancel.clone();
        let call = tokio::spawn(async move {
            let request = Request::new(&CHAT).json(json!({}));
            if streams {
                venice.send_for_events(&context, request).await.map(drop)
            } else {
                venice.send(&context, request).await.map(drop)
            }
        });
        let (mut socket, _) = listener.accept().await.unwrap();
        read_request(&mut socket).await;
        assert_eq!(payer.requests(), 1);
        cancel.cancel();
        let end = tokio::time::timeout(Duration::from_millis(100), socket.read(&mut [0; 1])).await;
        assert_eq!(end.is_ok(), streams, "closed, where it is a stream");
        if streams {
            assert_eq!(call.await.unwrap().unwrap_err().kind, Kind::Canceled);
        } else {
            socket.write_all(&http("content-length: 2", "{}")).await.unwrap();
            call.await.unwrap().unwrap();
        }
        assert_eq!(payer.requests(), 1, "both may have been charged");
    }
}

/// How many requests of a paid call count after it was answered with each status, for a queue request and for others.
#[tokio::test]
async fn an_answer_says_whether_a_request_was_charged() {
    let blocked =
        || ResponseTemplate::new(200).insert_header("x-venice-is-content-violation", "true");
    let cases = [
        (ResponseTemplate::new(200), 1, 1),
        (blocked(), 0, 0),
        (ResponseTemplate::new(400), 0, 0),
        (ResponseTemplate::new(500), 1, 1),
        (ResponseTemplate::new(503).insert_header("retry-after", "3600"), 0, 1),
    ];
    for (reply, other, queued) in cases {
        for (endpoint, requests) in [(&CHAT, other), (&QUEUE, queued)] {
            let server = MockServer::start().await;
            mock(&server, reply.clone().set_body_json(json!({}))).await;
            let (context, payer) = paying();
            let request = Request::new(endpoint).json(json!({}));
            let _ = venice(&server).send(&context, request).await;
            assert_eq!(payer.requests(), requests, "{reply:?} to {}", endpoint.path());
        }
    }
}

#[tokio::test]
async fn a_request_that_found_no_server_or_is_free_does_not_count() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let (mut context, payer) = paying();
    context.deadline = Some(Instant::now() + Duration::from_millis(300));
    let refused = Venice::new(settings(&format!("http://{address}")));
    refused.send(&context, Request::new(&CHAT).json(json!({}))).await.unwrap_err();
    assert_eq!(payer.requests(), 0);
    let server = MockServer::start().await;
    mock(&server, ResponseTemplate::new(404)).await;
    let (context, payer) = paying();
    let _ = venice(&server).send(&context, Request::new(&MODELS)).await;
    assert_eq!(payer.requests(), 0);
}
