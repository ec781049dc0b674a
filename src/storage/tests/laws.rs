//! What is true of every backend.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::future::join_all;
use futures::{TryStreamExt as _, stream};

use crate::error::{Error, Kind};
use crate::storage::{LeaseGrant, LogPosition, Storage, StorageBackend, Version};

const MINUTE: Duration = Duration::from_mins(1);

async fn keys(storage: &Storage, prefix: &str) -> Vec<String> {
    let mut keys: Vec<_> =
        storage.list(prefix).await.unwrap().into_iter().map(|entry| entry.key).collect();
    keys.sort();
    keys
}

/// Runs `task` 16 times at the same time.
async fn together<T: Send + 'static, F>(task: impl Fn(usize) -> F) -> Vec<T>
where
    F: Future<Output = T> + Send + 'static,
{
    let tasks: Vec<_> = (0..16).map(|number| tokio::spawn(task(number))).collect();
    join_all(tasks).await.into_iter().map(|done| done.unwrap()).collect()
}

pub(super) async fn a_key_is_created_once(storage: Storage) {
    let created = together(|number| {
        let storage = storage.clone();
        async move { storage.create("a/b.txt", number.to_string().into()).await.unwrap() }
    });
    let created = created.await;
    let winners: Vec<_> = (0..16).filter(|number| created[*number]).collect();
    let read = storage.read("a/b.txt").await.unwrap().unwrap();
    assert_eq!(winners.iter().map(usize::to_string).collect::<Vec<_>>(), [read]);
}

pub(super) async fn replacing_does_not_ask_what_was_there(storage: Storage) {
    for text in ["one", "two"] {
        storage.replace("a", Bytes::from_static(text.as_bytes())).await.unwrap();
        assert_eq!(storage.read("a").await.unwrap().unwrap(), text);
    }
}

pub(super) async fn a_stream_is_stored_whole_or_not_at_all(storage: Storage) {
    let whole = Bytes::from(vec![7_u8; 3 << 20]);
    let pieces = || whole.chunks(100_000).map(|piece| Ok(whole.slice_ref(piece)));
    let size = storage.create_stream("v/whole", stream::iter(pieces())).await.unwrap();
    assert_eq!(size, Some(3 << 20));
    assert_eq!(storage.read("v/whole").await.unwrap().unwrap(), whole);
    let (size, read) = storage.stream("v/whole").await.unwrap().unwrap();
    let read: Vec<Bytes> = read.try_collect().await.unwrap();
    assert_eq!((size, read.concat()), (3 << 20, whole.to_vec()));

    let other = || stream::iter([Ok(Bytes::from_static(b"other"))]);
    assert_eq!(storage.create_stream("v/whole", other()).await.unwrap(), None);
    assert_eq!(storage.size("v/whole").await.unwrap(), Some(3 << 20));

    let cut = stream::iter(pieces().chain([Err(Error::new(Kind::Network, "connection lost"))]));
    let error = storage.create_stream("v/cut", cut).await.unwrap_err();
    assert_eq!((error.kind, error.message.as_str()), (Kind::Network, "connection lost"));
    assert_eq!(keys(&storage, "v").await, ["v/whole"]);
}

pub(super) async fn a_range_ends_where_the_object_ends(storage: Storage) {
    storage.create("a", Bytes::from_static(b"0123456789")).await.unwrap();
    for (range, expected) in [(2..5, "234"), (8..99, "89"), (10..12, ""), (40..50, ""), (3..3, "")]
    {
        assert_eq!(storage.read_range("a", range).await.unwrap().unwrap(), expected);
    }
}

pub(super) async fn what_does_not_exist_is_none_and_can_be_deleted(storage: Storage) {
    assert_eq!(storage.read("none").await.unwrap(), None);
    assert_eq!(storage.read_versioned("none").await.unwrap(), None);
    assert_eq!(storage.read_range("none", 0..1).await.unwrap(), None);
    assert_eq!(storage.size("none").await.unwrap(), None);
    assert!(storage.stream("none").await.unwrap().is_none());
    assert_eq!(storage.list("none").await.unwrap(), []);
    assert_eq!(storage.read_log("none", &LogPosition::default()).await.unwrap().records, [""; 0]);
    storage.delete("none").await.unwrap();
    storage.create("none", Bytes::new()).await.unwrap();
    storage.delete("none").await.unwrap();
    assert_eq!(storage.read("none").await.unwrap(), None);
}

pub(super) async fn no_key_leads_out_of_the_storage(storage: Storage) {
    for key in ["", "/", "..", "../x", "a/../../x", "/etc/passwd", "a//b", "a/", "./a"] {
        let error = storage.create(key, Bytes::new()).await.unwrap_err();
        assert_eq!(error.kind, Kind::Storage, "{key}");
    }
}

pub(super) async fn a_list_has_what_is_below_a_directory(storage: Storage) {
    for key in ["d/a", "d/e/b", "da", "d.x/c"] {
        storage.create(key, Bytes::from_static(b"12")).await.unwrap();
    }
    assert_eq!(keys(&storage, "d").await, ["d/a", "d/e/b"]);
    let entry = storage.list("d/e").await.unwrap().pop().unwrap();
    let age = chrono::Utc::now().signed_duration_since(entry.modified).abs();
    assert_eq!((entry.key.as_str(), entry.bytes), ("d/e/b", 2));
    assert!(age < chrono::TimeDelta::minutes(1), "{age}");
}

pub(super) async fn an_update_needs_the_version_it_was_made_from(storage: Storage) {
    let swap = async |text: &'static str, expected: Option<&Version>| {
        storage.update("a", Bytes::from_static(text.as_bytes()), expected).await.unwrap()
    };
    let first = swap("one", None).await.unwrap();
    assert_eq!(swap("two", None).await, None);
    assert_eq!(storage.read_versioned("a").await.unwrap().unwrap().version, first);
    let second = swap("two", Some(&first)).await.unwrap();
    assert_eq!(swap("three", Some(&first)).await, None);
    assert_eq!(storage.read("a").await.unwrap().unwrap(), "two");
    swap("three", Some(&second)).await.unwrap();
    let missing = storage.update("none", Bytes::new(), Some(&first)).await.unwrap();
    assert_eq!(missing, None);
    assert_eq!(storage.read("none").await.unwrap(), None);
}

pub(super) async fn no_update_is_lost_between_many_writers(storage: Storage) {
    storage.create("count", Bytes::from_static(b"0")).await.unwrap();
    let add = async |storage: &Storage| loop {
        let read = storage.read_versioned("count").await.unwrap().unwrap();
        let count: u32 = std::str::from_utf8(&read.bytes).unwrap().parse().unwrap();
        let next = (count + 1).to_string().into();
        if storage.update("count", next, Some(&read.version)).await.unwrap().is_some() {
            return;
        }
    };
    together(|_| {
        let storage = storage.clone();
        async move {
            for _ in 0..5 {
                add(&storage).await;
            }
        }
    })
    .await;
    assert_eq!(storage.read("count").await.unwrap().unwrap(), "80");
}

pub(super) async fn a_log_gives_each_record_once(storage: Storage) {
    storage.append("l/day.jsonl", &["one", "two"]).await.unwrap();
    let first = storage.read_log("l/day.jsonl", &LogPosition::default()).await.unwrap();
    assert_eq!((first.records, first.restarted), (vec!["one".into(), "two".into()], false));
    let nothing = storage.read_log("l/day.jsonl", &first.position).await.unwrap();
    assert_eq!((nothing.records, nothing.restarted), (Vec::<Bytes>::new(), false));
    storage.append("l/day.jsonl", &["three"]).await.unwrap();
    let third = storage.read_log("l/day.jsonl", &nothing.position).await.unwrap();
    assert_eq!(third.records, ["three"]);
    storage.append("l/other.jsonl", &["four"]).await.unwrap();
    let all = storage.read_log("l/day.jsonl", &LogPosition::default()).await.unwrap();
    assert_eq!(all.records, ["one", "two", "three"]);
}

pub(super) async fn records_of_many_writers_do_not_mix(storage: Storage) {
    let record = |writer: usize, number: usize| format!("{writer} {number} {}", "x".repeat(3000));
    together(|writer| {
        let storage = storage.clone();
        async move {
            for number in [0, 2, 4] {
                let records = [record(writer, number), record(writer, number + 1)];
                storage.append("log", &records).await.unwrap();
            }
        }
    })
    .await;
    let read = storage.read_log("log", &LogPosition::default()).await.unwrap().records;
    assert_eq!(read.len(), 16 * 6);
    for writer in 0..16 {
        let start = format!("{writer} ");
        let own: Vec<_> = read.iter().filter(|line| line.starts_with(start.as_bytes())).collect();
        let expected: Vec<_> = (0..6).map(|number| record(writer, number)).collect();
        assert_eq!(own, expected.iter().collect::<Vec<_>>());
    }
}

pub(super) async fn one_holder_at_a_time_has_a_lease(storage: Storage) {
    let backend = Arc::clone(&storage.inner.backend);
    let granted = together(|number| {
        let backend = Arc::clone(&backend);
        async move { backend.acquire_lease("x", &format!("h{number}"), MINUTE).await.unwrap() }
    });
    let granted: Vec<_> = granted.await.into_iter().flatten().collect();
    let [grant] = &granted[..] else { panic!("{granted:?}") };
    assert_eq!(backend.acquire_lease("x", "other", MINUTE).await.unwrap(), None);
    assert_eq!(backend.acquire_lease("x", &grant.holder, MINUTE).await.unwrap(), None);
    assert!(backend.acquire_lease("y", "other", MINUTE).await.unwrap().is_some());
    backend.release_lease(grant);
    let next = acquire_soon(&*backend, "x", "next").await;
    assert!(next.token > grant.token);
}

pub(super) async fn a_lease_that_ended_is_for_the_next_holder(storage: Storage) {
    let backend = Arc::clone(&storage.inner.backend);
    let late = backend.acquire_lease("x", "late", Duration::ZERO).await.unwrap().unwrap();
    assert!(backend.renew_lease(&late, MINUTE).await.unwrap());
    assert_eq!(backend.acquire_lease("x", "next", MINUTE).await.unwrap(), None);
    assert!(backend.renew_lease(&late, Duration::ZERO).await.unwrap());
    let next = backend.acquire_lease("x", "next", MINUTE).await.unwrap().unwrap();
    assert!(next.token > late.token);
    // The former holder wakes up: it can neither renew nor give back what is no longer its own.
    assert!(!backend.renew_lease(&late, MINUTE).await.unwrap());
    backend.release_lease(&late);
    for _ in 0..100 {
        assert_eq!(backend.acquire_lease("x", "third", MINUTE).await.unwrap(), None);
        tokio::task::yield_now().await;
    }
    assert!(backend.renew_lease(&next, MINUTE).await.unwrap());
}

pub(super) async fn a_held_lease_makes_tasks_and_servers_wait(storage: Storage) {
    let other = Storage::with_backend(Arc::clone(&storage.inner.backend));
    let held = storage.acquire_lease("job-1").await.unwrap();
    assert!(storage.try_acquire_lease("job-1").await.unwrap().is_none());
    assert!(other.try_acquire_lease("job-1").await.unwrap().is_none());
    assert!(other.try_acquire_lease("job-2").await.unwrap().is_some());
    let token = held.fencing_token();
    let waiting = [storage, other].map(|storage| {
        tokio::spawn(async move { storage.acquire_lease("job-1").await.unwrap().fencing_token() })
    });
    drop(held);
    let tokens: Vec<_> = join_all(waiting).await.into_iter().map(|done| done.unwrap()).collect();
    assert!(tokens.iter().all(|later| *later > token) && tokens[0] != tokens[1], "{tokens:?}");
}

/// The lease once it is free: giving one back may take a backend a moment.
async fn acquire_soon(backend: &dyn StorageBackend, name: &str, holder: &str) -> LeaseGrant {
    loop {
        if let Some(grant) = backend.acquire_lease(name, holder, MINUTE).await.unwrap() {
            return grant;
        }
        tokio::task::yield_now().await;
    }
}
