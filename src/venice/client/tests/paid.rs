//! Paid calls whose clients go away.

use super::*;

#[tokio::test]
async fn a_paid_stream_is_dropped_with_its_client_and_a_paid_reply_is_waited_for() {
    for streams in [true, false] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let venice = Venice::new(settings(&format!("http://{}", listener.local_addr().unwrap())));
        let context = context();
        let (cancel, charges) = (context.cancel.clone(), context.charges.clone());
        let call = tokio::spawn(async move {
            let request = Request::new(&CHAT).json(json!({}));
            if streams {
                venice.stream(&context, request).await.map(drop)
            } else {
                venice.send(&context, request).await.map(drop)
            }
        });
        let (mut socket, _) = listener.accept().await.unwrap();
        read_request(&mut socket).await;
        assert!(charges.any());
        cancel.cancel();
        let end = tokio::time::timeout(Duration::from_millis(100), socket.read(&mut [0; 1])).await;
        assert_eq!(end.is_ok(), streams, "closed, where it is a stream");
        if streams {
            assert_eq!(call.await.unwrap().unwrap_err().kind, Kind::Canceled);
        } else {
            socket.write_all(&http("content-length: 2", "{}")).await.unwrap();
            call.await.unwrap().unwrap();
        }
        assert!(charges.any(), "both may have been charged");
    }
}
