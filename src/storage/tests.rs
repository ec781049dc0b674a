//! The laws, over each backend, and what is true of one backend only.

mod laws;
mod objects;

use std::time::Duration;

use futures::stream;

use self::objects::Objects;
use super::*;
use crate::error::Kind;

fn local() -> (tempfile::TempDir, Storage) {
    let directory = tempfile::tempdir().unwrap();
    let storage = local_at(&directory);
    (directory, storage)
}

fn local_at(directory: &tempfile::TempDir) -> Storage {
    Storage::new(directory.path().join("root"), directory.path().join("fallback"))
}

/// Runs each law over each backend.
macro_rules! laws {
    ($($law:ident)*) => {
        mod local {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $law() {
                let (_directory, storage) = super::local();
                super::laws::$law(storage).await;
            })*
        }

        mod objects_in_memory {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $law() {
                let backend = std::sync::Arc::new(super::objects::Objects::new());
                super::laws::$law(super::Storage::with_backend(backend)).await;
            })*
        }
    };
}

laws! {
    a_key_is_created_once
    replacing_does_not_ask_what_was_there
    a_stream_is_stored_whole_or_not_at_all
    a_range_ends_where_the_object_ends
    what_does_not_exist_is_none_and_can_be_deleted
    no_key_leads_out_of_the_storage
    a_list_has_what_is_below_a_directory
    an_update_needs_the_version_it_was_made_from
    no_update_is_lost_between_many_writers
    a_log_gives_each_record_once
    records_of_many_writers_do_not_mix
    one_holder_at_a_time_has_a_lease
    a_lease_that_ended_is_for_the_next_holder
    a_held_lease_makes_tasks_and_servers_wait
}

#[tokio::test]
async fn nothing_stays_in_the_staging_directory() {
    let (_directory, storage) = local();
    storage.create("a", Bytes::from_static(b"one")).await.unwrap();
    storage.create("a", Bytes::from_static(b"two")).await.unwrap();
    storage.replace("a", Bytes::from_static(b"three")).await.unwrap();
    storage.create_stream("s", stream::iter([Ok(Bytes::from_static(b"x"))])).await.unwrap();
    let cut = [Ok(Bytes::from_static(b"x")), Err(crate::error::Error::new(Kind::Network, "cut"))];
    storage.create_stream("t", stream::iter(cut)).await.unwrap_err();
    assert_eq!(storage.list(".venice").await.unwrap(), []);
}

#[tokio::test]
async fn a_root_that_cannot_be_made_is_replaced_with_a_warning() {
    let directory = tempfile::tempdir().unwrap();
    let blocked = directory.path().join("file");
    std::fs::write(&blocked, "").unwrap();
    let fallback = directory.path().join("fallback");
    let storage = Storage::new(blocked.join("root"), fallback.clone());
    assert!(storage.create("a", Bytes::from_static(b"kept")).await.unwrap());
    assert_eq!(storage.local_path("a").await, Some(fallback.join("a")));
    assert!(fallback.join("a").is_file());
    let warning = storage.warning().unwrap();
    assert!(warning.contains("file/root") && warning.contains("fallback"), "{warning}");

    let hopeless = Storage::new(blocked.join("root"), blocked.join("other"));
    let error = hopeless.read("a").await.unwrap_err();
    assert!(error.message.contains("root") && error.message.contains("other"), "{error}");
}

#[tokio::test]
async fn nothing_is_created_before_the_first_use() {
    let (directory, storage) = local();
    assert!(!storage.is_initialized().await);
    assert!(!directory.path().join("root").exists());
    storage.create("a", Bytes::new()).await.unwrap();
    assert!(storage.is_initialized().await && local_at(&directory).is_initialized().await);
}

#[tokio::test]
async fn a_line_that_was_cut_short_is_ended_first_and_a_cut_log_is_read_from_its_start() {
    let (_directory, storage) = local();
    storage.replace("log", Bytes::from_static(b"one\nhalf")).await.unwrap();
    let first = storage.read_log("log", &LogPosition::default()).await.unwrap();
    assert_eq!(first.records, ["one"]);
    storage.append("log", &["two"]).await.unwrap();
    assert_eq!(storage.read("log").await.unwrap().unwrap(), "one\nhalf\ntwo\n");
    let second = storage.read_log("log", &first.position).await.unwrap();
    assert_eq!((second.records, second.restarted), (vec!["half".into(), "two".into()], false));
    storage.replace("log", Bytes::from_static(b"new\n")).await.unwrap();
    let third = storage.read_log("log", &second.position).await.unwrap();
    assert_eq!((third.records, third.restarted), (vec!["new".into()], true));
}

#[tokio::test]
async fn servers_on_one_directory_keep_each_other_out() {
    let (directory, storage) = local();
    let other = local_at(&directory);
    let held = storage.acquire_lease("job-1").await.unwrap();
    let token = held.fencing_token();
    assert!(other.try_acquire_lease("job-1").await.unwrap().is_none());
    let waiting = tokio::spawn(async move {
        let lease = other.acquire_lease("job-1").await.unwrap();
        lease.fencing_token()
    });
    drop(held);
    assert!(waiting.await.unwrap() > token);
    assert!(storage.try_acquire_lease("job-1").await.unwrap().is_some());
}

#[tokio::test]
async fn updates_of_servers_on_one_directory_are_not_lost() {
    let (directory, storage) = local();
    let first = storage.update("a", Bytes::from_static(b"0"), None).await.unwrap().unwrap();
    let servers = [storage, local_at(&directory)];
    let swaps = servers.iter().zip(["one", "two"]).map(|(storage, text)| {
        storage.update("a", Bytes::from_static(text.as_bytes()), Some(&first))
    });
    let done = futures::future::join_all(swaps).await;
    assert_eq!(done.iter().filter(|done| done.as_ref().unwrap().is_some()).count(), 1);
}

#[tokio::test]
async fn a_lease_is_given_back_when_its_caller_goes_away_while_it_is_acquired() {
    let (_directory, storage) = local();
    storage.create("a", Bytes::new()).await.unwrap();
    // Polled once: the file is being opened and locked on another thread.
    let mut acquiring = Box::pin(storage.try_acquire_lease("x"));
    assert!(futures::poll!(&mut acquiring).is_pending());
    drop(acquiring);
    let lease = storage.acquire_lease("x").await.unwrap();
    assert!(!lease.is_lost());
}

#[tokio::test]
async fn a_held_lease_is_renewed_until_somebody_else_has_it() {
    let objects = Objects::new();
    let storage = Storage::with_backend(Arc::new(objects.clone()));
    let stored = || async { storage.read_versioned(".venice/leases/x").await.unwrap().unwrap() };
    let lease = storage.acquire_lease("x").await.unwrap();
    let first = stored().await;
    while stored().await == first {
        tokio::task::yield_now().await;
    }
    assert!(!lease.is_lost());
    let steal = async || {
        let version = stored().await.version;
        objects.write_lease("x", (99, "thief"), Duration::from_mins(1), Some(&version)).await
    };
    while !steal().await.unwrap() {}
    while !lease.is_lost() {
        tokio::task::yield_now().await;
    }
}

#[cfg(unix)]
#[tokio::test]
async fn files_and_directories_are_for_this_user_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let (directory, storage) = local();
    storage.create("d/a", Bytes::from_static(b"x")).await.unwrap();
    storage.create_stream("d/b", stream::iter([Ok(Bytes::from_static(b"x"))])).await.unwrap();
    storage.append("d/c", &["x"]).await.unwrap();
    for (key, mode) in [("d", 0o700), ("d/a", 0o600), ("d/b", 0o600), ("d/c", 0o600)] {
        let meta = std::fs::metadata(storage.local_path(key).await.unwrap()).unwrap();
        assert_eq!(meta.permissions().mode() & 0o777, mode, "{key}");
    }
    let root = std::fs::metadata(directory.path().join("root")).unwrap();
    assert_eq!(root.permissions().mode() & 0o777, 0o700);
}
