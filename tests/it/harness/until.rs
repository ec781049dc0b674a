//! What happens elsewhere, in a process or a file that says nothing of it.

use std::time::Duration;

/// How long is waited for what must happen: no test passes by it.
const GIVE_UP: Duration = Duration::from_mins(1);
/// How often it is looked for.
const INTERVAL: Duration = Duration::from_millis(10);

/// Waits until it is so.
pub(crate) async fn until(mut is_so: impl AsyncFnMut() -> bool) {
    let so = async {
        while !is_so().await {
            tokio::time::sleep(INTERVAL).await;
        }
    };
    tokio::time::timeout(GIVE_UP, so).await.expect("it never came to that");
}

/// What comes of something that must end.
#[track_caller]
pub(crate) fn soon<F: Future>(what: F) -> impl Future<Output = F::Output> {
    let caller = std::panic::Location::caller();
    async move {
        let ended = tokio::time::timeout(GIVE_UP, what).await;
        ended.unwrap_or_else(|_| panic!("{caller}: it never ended"))
    }
}
