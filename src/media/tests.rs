//! The store on temporary directories.

use futures::StreamExt as _;
use futures::{TryStreamExt as _, stream};
use serde_json::json;

use super::*;

const KEEP: Keep = Keep { max_bytes: 10 << 30, max_age: Duration::from_hours(24 * 90) };
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\x20\0\0\0\x10\x08\x06\0\0\0";

fn store_at(directory: &tempfile::TempDir) -> MediaStore {
    let path = directory.path();
    MediaStore::new(Storage::new(path.join("out"), path.join("fallback")), KEEP)
}

fn picture(prompt: &str) -> NewMedia {
    let arguments = json!({"prompt": prompt, "image": "data:image/png;base64,YWJj"});
    let record = Record {
        tool: "venice_image_generate".to_owned(),
        prompt: Some(prompt.to_owned()),
        arguments: arguments.as_object().unwrap().clone(),
        seed: Some(42),
        ..Record::default()
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
    let view = store_at(&directory).view(&Caller::Local);
    let new = NewMedia { save_as: Some("art/Cat.png".to_owned()), ..picture("A cat") };
    let put = send(view.put(new)).await.unwrap();
    assert!(put.id.starts_with("cat-") && put.id.ends_with(put.digits()));
    assert_eq!(put.location, format!("art/{}", put.file_name()));
    assert_eq!((put.kind, put.width, put.height), (MediaKind::Image, Some(32), Some(16)));
    let image = put.record.arguments["image"].as_str().unwrap();
    assert!(image.starts_with("sha256:ba7816bf"), "{image}");
    let later = view.put(text("a, b")).await.unwrap();

    let view = store_at(&directory).view(&Caller::Local);
    assert_eq!(send(view.get(&put.uri())).await.unwrap().as_ref(), Some(&put));
    assert_eq!(view.get(&put.id).await.unwrap().as_ref(), Some(&put));
    assert_eq!(view.bytes(&put).await.unwrap(), PNG);
    assert_eq!(send(view.range(&put, 1..4)).await.unwrap(), "PNG");
    assert_eq!(tokio::fs::read(view.path(&put).await).await.unwrap(), PNG);
    assert_eq!(ids(&view.list(None, 9).await.unwrap()), [&later.id, &put.id]);
    assert_eq!(ids(&send(view.list(None, 1)).await.unwrap()), [&later.id]);
    assert_eq!(view.last(Some(MediaKind::Image)).await.unwrap(), Some(put));
    assert_eq!(view.last(Some(MediaKind::Video)).await.unwrap(), None);
}

#[tokio::test]
async fn what_is_put_beside_is_served_before_and_after_it_is_written() {
    let directory = tempfile::tempdir().unwrap();
    let store = store_at(&directory);
    let view = store.view(&Caller::Local);
    // One thread runs this test: the write cannot have begun before something is awaited.
    let media = view.put_beside(picture("A cat")).await.unwrap();
    assert!(store.inner.memory.is_writing(&name::sidecar("", &media.id)));
    for written in [false, true] {
        assert_eq!(view.get(&media.id).await.unwrap().as_ref(), Some(&media), "{written}");
        assert_eq!(view.bytes(&media).await.unwrap(), PNG);
        assert_eq!(view.range(&media, 1..4).await.unwrap(), "PNG");
        assert_eq!(view.range(&media, 20..900).await.unwrap(), PNG[20..]);
        assert_eq!(ids(&view.list(None, 9).await.unwrap()), [&media.id]);
        assert_eq!(view.last(None).await.unwrap().as_ref(), Some(&media));
        let pieces: Vec<Bytes> = view.stream(&media).await.unwrap().try_collect().await.unwrap();
        assert_eq!(pieces.concat(), PNG);
        store.settle().await;
        assert!(store.inner.memory.list(&name::sidecars("")).is_empty());
    }
    assert!(view.path(&media).await.is_file());
}

#[tokio::test]
async fn what_cannot_be_written_stays_in_memory() {
    let directory = tempfile::tempdir().unwrap();
    let blocked = directory.path().join("file");
    tokio::fs::write(&blocked, "").await.unwrap();
    let store = MediaStore::new(Storage::new(blocked.join("a"), blocked.join("b")), KEEP);
    let view = store.view(&Caller::Local);
    assert_eq!(view.put(picture("A cat")).await.unwrap_err().kind, Kind::Storage);
    assert!(store.inner.memory.list(&name::sidecars("")).is_empty());
    let media = view.put_beside(picture("A cat")).await.unwrap();
    store.settle().await;
    assert_eq!(view.bytes(&media).await.unwrap(), PNG);
    assert_eq!(view.last(None).await.unwrap(), Some(media));
}

#[tokio::test]
async fn a_stream_is_described_as_its_bytes_are() {
    let directory = tempfile::tempdir().unwrap();
    let view = store_at(&directory).view(&Caller::Local);
    let put = view.put(picture("A cat")).await.unwrap();
    let pieces = || stream::iter(PNG.chunks(3)).map(|piece| Ok(Bytes::from_static(piece)));
    let record = picture("A cat").record;
    let streamed = send(view.put_stream(None, Some("s/cat".to_owned()), record.clone(), pieces()));
    let streamed = streamed.await.unwrap();
    assert_eq!((&streamed.sha256, streamed.bytes), (&put.sha256, put.bytes));
    assert_eq!((streamed.width, &streamed.record), (Some(32), &put.record));
    assert_eq!(view.bytes(&streamed).await.unwrap(), PNG);
    assert_eq!(view.last(None).await.unwrap().as_ref(), Some(&streamed));

    let cut = pieces().chain(stream::iter([Err(Error::new(Kind::Network, "connection lost"))]));
    assert!(view.put_stream(None, Some("s/cut".to_owned()), record, cut).await.is_err());
    assert_eq!(view.list(None, 9).await.unwrap().len(), 2);
    let files = view.storage().list("s").await.unwrap();
    assert_eq!(files.iter().map(|file| &file.at).collect::<Vec<_>>(), [&streamed.location]);
}

#[tokio::test]
async fn two_servers_on_one_directory_see_each_others_items() {
    let directory = tempfile::tempdir().unwrap();
    let (one, two) = (store_at(&directory), store_at(&directory));
    let (one, two) = (one.view(&Caller::Local), two.view(&Caller::Local));
    let mut put = Vec::new();
    for view in [&one, &two, &one, &two] {
        put.insert(0, view.put(picture("A cat")).await.unwrap());
        assert_eq!(one.list(None, 9).await.unwrap(), put);
        assert_eq!(two.list(None, 9).await.unwrap(), put);
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
        let media = store.view(mine).put(picture("A cat")).await.unwrap();
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
    let lost = view.put(picture("lost")).await.unwrap();
    let kept = view.put(picture("kept")).await.unwrap();
    let storage = &store.inner.storage;
    storage.delete(&lost.location).await.unwrap();
    storage.create(".venice/media/a-0123456789abcdef.json", "{".into()).await.unwrap();
    // A sidecar that speaks of a file of someone else's.
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
async fn eviction_takes_every_callers_old_items_and_never_the_young() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    let keep = Keep { max_bytes: 0, max_age: Duration::ZERO };
    let store = MediaStore::new(Storage::new(path.join("out"), path.join("fallback")), keep);
    // As if it had just been done: nothing is evicted in the background here.
    *store.inner.evicted.lock().unwrap() = Some(Instant::now());
    let (local, other) = (Caller::Local, Caller::Brought("0123456789abcdef".to_owned()));
    for caller in [&local, &other] {
        store.view(caller).put(picture("A cat")).await.unwrap();
    }
    assert_eq!(store.evict(Utc::now() + chrono::TimeDelta::hours(23)).await.unwrap(), 0);
    assert_eq!(store.view(&other).list(None, 9).await.unwrap().len(), 1);
    assert_eq!(store.evict(Utc::now() + chrono::TimeDelta::hours(25)).await.unwrap(), 2);
    for caller in [&local, &other] {
        assert_eq!(store.view(caller).list(None, 9).await.unwrap(), []);
    }
    assert_eq!(store.inner.storage.list(".venice/callers").await.unwrap(), []);
}
