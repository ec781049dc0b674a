use std::os::fd::{AsFd as _, OwnedFd};

use super::*;

/// A session in which each side has what the host's end of `stdin` and `stdout` gives.
async fn talk(client: (OwnedFd, OwnedFd), server: (OwnedFd, OwnedFd)) {
    let take = |(input, output): &(OwnedFd, OwnedFd)| {
        (host::unix::reader(input.as_fd()).unwrap(), host::unix::writer(output.as_fd()).unwrap())
    };
    let ((reader, writer), ends) = (take(&server), take(&client));
    drop((client, server));
    let session_task = tokio::spawn(run(Echo::default(), Stdio::new(reader, writer, |_| {})));
    let client = session(ends.0, ends.1).await;
    let result = call(&client, "blob", json!({ "size": 1_000_000, "seed": 9 })).await;
    assert!(text(&result) == BASE64_STANDARD.encode(blob(1_000_000, 9)));
    client.cancel().await.unwrap();
    session_task.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_session_over_fifos() {
    let ((down_in, down_out), (up_in, up_out)) = (io::pipe().unwrap(), io::pipe().unwrap());
    talk((up_in.into(), down_out.into()), (down_in.into(), up_out.into())).await;
}

#[tokio::test]
async fn a_session_over_socket_pairs() {
    use std::os::unix::net::UnixStream;
    let (down, up) = (UnixStream::pair().unwrap(), UnixStream::pair().unwrap());
    talk((up.0.into(), down.0.into()), (down.1.into(), up.1.into())).await;
}
