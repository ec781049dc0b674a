//! The store on temporary directories.

use std::sync::Arc;

use futures::StreamExt as _;
use futures::{TryStreamExt as _, stream};
use serde_json::json;

use super::evict::Evictor;
use super::index::Index;
use super::*;
use crate::context::Caller;
use crate::error::{Error, Kind};
use crate::storage::Storage;

const LIMITS: RetentionLimits =
    RetentionLimits { max_bytes: 10 << 30, max_age: Duration::from_hours(24 * 90) };
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\x20\0\0\0\x10\x08\x06\0\0\0";

fn storage_at(directory: &tempfile::TempDir) -> Storage {
    let path = directory.path();
    Storage::new(path.join("out"), path.join("fallback"))
}

fn store_at(directory: &tempfile::TempDir) -> MediaStore {
    MediaStore::new(storage_at(directory), LIMITS)
}

/// Puts an item into the local user's view, and waits until it is written.
async fn put(store: &MediaStore, new: NewMedia) -> Media {
    put_as(&Caller::Local, store, new).await
}

async fn put_as(caller: &Caller, store: &MediaStore, new: NewMedia) -> Media {
    let view = store.view(caller);
    let media = send(view.put(new)).await.unwrap();
    assert_eq!(view.write_error(&media).await, None);
    media
}

fn image(prompt: &str) -> NewMedia {
    let arguments = json!({"prompt": prompt, "image": "data:image/png;base64,YWJj"});
    let record = MediaRecord {
        tool: "venice_image_generate".to_owned(),
        prompt: Some(prompt.to_owned()),
        arguments: arguments.as_object().unwrap().clone(),
        seed: Some(42),
        ..MediaRecord::default()
    };
    NewMedia { bytes: Bytes::from_static(PNG), record, ..NewMedia::default() }
}

fn text(words: &'static str) -> NewMedia {
    NewMedia {
        bytes: Bytes::from_static(words.as_bytes()),
        content_type: Some("text/plain".to_owned()),
        ..NewMedia::default()
    }
}

/// What calls do with the store happens in tasks that move between threads.
fn send<T: Send>(value: T) -> T {
    value
}

fn ids(items: &[Media]) -> Vec<&str> {
    items.iter().map(|media| media.id.as_str()).collect()
}

#[tokio::test]
async fn what_was_put_is_there_for_the_next_process() {
    let directory = tempfile::tempdir().unwrap();
    let store = store_at(&directory);
    let new = NewMedia { save_as: Some("art/Cat.png".to_owned()), ..image("A cat") };
    let cat = put(&store, new).await;
    assert!(cat.id.starts_with("cat-") && cat.id.ends_with(cat.digits()));
    assert_eq!(cat.location, format!("art/{}", cat.file_name()));
    assert_eq!((cat.kind, cat.width, cat.height), (MediaKind::Image, Some(32), Some(16)));
    let image = cat.record.arguments["image"].as_str().unwrap();
    assert!(image.starts_with("sha256:ba7816bf"), "{image}");
    let later = put(&store, text("a, b")).await;

    let view = store_at(&directory).view(&Caller::Local);
    assert_eq!(send(view.get(&cat.uri())).await.unwrap().as_ref(), Some(&cat));
    assert_eq!(view.get(&cat.id).await.unwrap().as_ref(), Some(&cat));
    assert_eq!(view.bytes(&cat).await.unwrap(), PNG);
    assert_eq!(send(view.range(&cat, 1..4)).await.unwrap(), "PNG");
    assert_eq!(tokio::fs::read(view.local_path(&cat).await.unwrap()).await.unwrap(), PNG);
    assert_eq!(ids(&view.list(None, 9).await.unwrap()), [&later.id, &cat.id]);
    assert_eq!(ids(&send(view.list(None, 1)).await.unwrap()), [&later.id]);
    assert_eq!(view.last(Some(MediaKind::Image)).await.unwrap(), Some(cat));
    assert_eq!(view.last(Some(MediaKind::Video)).await.unwrap(), None);
}

#[tokio::test]
async fn an_item_is_served_before_and_after_it_is_written() {
    let directory = tempfile::tempdir().unwrap();
    let store = store_at(&directory);
    let view = store.view(&Caller::Local);
    // One thread runs this test: the write cannot have begun before something is awaited.
    let media = view.put(image("A cat")).await.unwrap();
    let file = directory.path().join("out").join(&media.location);
    assert!(!file.exists());
    for written in [false, true] {
        assert_eq!(view.get(&media.id).await.unwrap().as_ref(), Some(&media), "{written}");
        assert_eq!(view.bytes(&media).await.unwrap(), PNG);
        assert_eq!(view.range(&media, 1..4).await.unwrap(), "PNG");
        assert_eq!(view.range(&media, 20..900).await.unwrap(), PNG[20..]);
        assert_eq!(ids(&view.list(None, 9).await.unwrap()), [&media.id]);
        assert_eq!(view.last(None).await.unwrap().as_ref(), Some(&media));
        let pieces: Vec<Bytes> = view.stream(&media).await.unwrap().try_collect().await.unwrap();
        assert_eq!(pieces.concat(), PNG);
        store.flush().await;
        assert!(file.is_file());
    }
    // It is no longer in memory.
    storage_at(&directory).delete(&media.location).await.unwrap();
    assert_eq!(view.bytes(&media).await.unwrap_err().kind, Kind::NotFound);
}

#[tokio::test]
async fn what_cannot_be_written_stays_in_memory() {
    let directory = tempfile::tempdir().unwrap();
    let blocked = directory.path().join("file");
    tokio::fs::write(&blocked, "").await.unwrap();
    let store = MediaStore::new(Storage::new(blocked.join("a"), blocked.join("b")), LIMITS);
    let view = store.view(&Caller::Local);
    let media = view.put(image("A cat")).await.unwrap();
    assert!(view.write_error(&media).await.unwrap().contains("cannot use"));
    store.flush().await;
    assert!(view.known_write_error(&media).is_some());
    assert_eq!(view.bytes(&media).await.unwrap(), PNG);
    assert_eq!(view.last(None).await.unwrap(), Some(media));
}

#[tokio::test]
async fn a_stream_is_described_as_its_bytes_are() {
    let directory = tempfile::tempdir().unwrap();
    let store = store_at(&directory);
    let view = store.view(&Caller::Local);
    let cat = put(&store, image("A cat")).await;
    let pieces = || stream::iter(PNG.chunks(3)).map(|piece| Ok(Bytes::from_static(piece)));
    let record = image("A cat").record;
    let streamed = send(view.put_stream(None, Some("s/cat".to_owned()), record.clone(), pieces()));
    let streamed = streamed.await.unwrap();
    assert_eq!((&streamed.sha256, streamed.bytes), (&cat.sha256, cat.bytes));
    assert_eq!((streamed.width, &streamed.record), (Some(32), &cat.record));
    assert_eq!(view.bytes(&streamed).await.unwrap(), PNG);
    assert_eq!(view.last(None).await.unwrap().as_ref(), Some(&streamed));

    let cut = pieces().chain(stream::iter([Err(Error::new(Kind::Network, "connection lost"))]));
    assert!(view.put_stream(None, Some("s/cut".to_owned()), record, cut).await.is_err());
    assert_eq!(view.list(None, 9).await.unwrap().len(), 2);
    let files = storage_at(&directory).list("s").await.unwrap();
    assert_eq!(files.iter().map(|file| &file.key).collect::<Vec<_>>(), [&streamed.location]);
}

#[tokio::test]
async fn two_servers_on_one_directory_see_each_others_items() {
    let directory = tempfile::tempdir().unwrap();
    let stores = [store_at(&directory), store_at(&directory)];
    let mut items = Vec::new();
    for store in stores.iter().cycle().take(4) {
        items.insert(0, put(store, image("A cat")).await);
        for store in &stores {
            assert_eq!(store.view(&Caller::Local).list(None, 9).await.unwrap(), items);
        }
    }
}

#[tokio::test]
async fn another_caller_sees_nothing_of_it() {
    let directory = tempfile::tempdir().unwrap();
    let store = store_at(&directory);
    let callers = [
        Caller::Local,
        Caller::Brought("0123456789abcdef".to_owned()),
        Caller::Brought("../..".to_owned()),
    ];
    for mine in &callers {
        let media = put_as(mine, &store, image("A cat")).await;
        for other in callers.iter().filter(|other| *other != mine) {
            let view = store.view(other);
            assert_eq!(view.get(&media.uri()).await.unwrap(), None);
            assert_eq!(view.bytes(&media).await.unwrap_err().kind, Kind::NotFound);
            assert!(view.list(None, 99).await.unwrap().iter().all(|found| found.id != media.id));
        }
        assert_eq!(store.view(mine).bytes(&media).await.unwrap(), PNG);
        assert_eq!(store.view(mine).list(None, 99).await.unwrap(), [media]);
    }
}

#[tokio::test]
async fn broken_sidecars_and_lost_files_are_skipped() {
    let directory = tempfile::tempdir().unwrap();
    let store = store_at(&directory);
    let view = store.view(&Caller::Local);
    let lost = put(&store, image("lost")).await;
    let kept = put(&store, image("kept")).await;
    let storage = storage_at(&directory);
    storage.delete(&lost.location).await.unwrap();
    storage.create(".venice/media/a-0123456789abcdef.json", "{".into()).await.unwrap();
    // A sidecar that names a file of someone else's.
    let id = "b-0123456789abcdef".to_owned();
    let evil = Media { id: id.clone(), location: ".venice/secret".to_owned(), ..kept.clone() };
    let evil = serde_json::to_vec(&evil).unwrap();
    storage.create(&name::sidecar("", &id), evil.into()).await.unwrap();
    assert_eq!(view.list(None, 9).await.unwrap(), [kept]);
    for id in [&lost.id, "a-0123456789abcdef", &id] {
        assert_eq!(view.get(id).await.unwrap(), None);
    }
    assert_eq!(view.bytes(&lost).await.unwrap_err().kind, Kind::NotFound);
}

#[tokio::test]
async fn eviction_removes_every_callers_old_items_and_never_the_young() {
    let directory = tempfile::tempdir().unwrap();
    let store = store_at(&directory);
    let limits = RetentionLimits { max_bytes: 0, max_age: Duration::ZERO };
    let storage = storage_at(&directory);
    let evictor = Evictor::new(storage.clone(), Arc::new(Index::default()), limits);
    let (local, other) = (Caller::Local, Caller::Brought("0123456789abcdef".to_owned()));
    for caller in [&local, &other] {
        put_as(caller, &store, image("A cat")).await;
    }
    assert_eq!(evictor.evict(Utc::now() + chrono::TimeDelta::hours(23)).await.unwrap(), 0);
    assert_eq!(store.view(&other).list(None, 9).await.unwrap().len(), 1);
    assert_eq!(evictor.evict(Utc::now() + chrono::TimeDelta::hours(25)).await.unwrap(), 2);
    for caller in [&local, &other] {
        assert_eq!(store.view(caller).list(None, 9).await.unwrap(), []);
    }
    assert_eq!(storage.list(".venice/callers").await.unwrap(), []);
}
