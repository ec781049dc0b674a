//! Files in temporary directories.

use futures::stream;

use super::*;

fn storage() -> (tempfile::TempDir, Storage) {
    let directory = tempfile::tempdir().unwrap();
    let storage = Storage::new(directory.path().join("root"), directory.path().join("fallback"));
    (directory, storage)
}

async fn names(storage: &Storage, prefix: &str) -> Vec<String> {
    let mut names: Vec<_> =
        storage.list(prefix).await.unwrap().into_iter().map(|entry| entry.at).collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_new_file_never_takes_the_place_of_another() {
    let (_directory, storage) = storage();
    assert!(storage.create("a/b.txt", Bytes::from_static(b"one")).await.unwrap());
    assert!(!storage.create("a/b.txt", Bytes::from_static(b"two")).await.unwrap());
    assert_eq!(storage.read("a/b.txt").await.unwrap().unwrap(), "one");
    storage.replace("a/b.txt", Bytes::from_static(b"three")).await.unwrap();
    assert_eq!(storage.read("a/b.txt").await.unwrap().unwrap(), "three");
    assert_eq!(storage.warning(), None);
}

#[tokio::test]
async fn nothing_stays_in_the_staging_directory() {
    let (_directory, storage) = storage();
    storage.create("a", Bytes::from_static(b"one")).await.unwrap();
    storage.create("a", Bytes::from_static(b"two")).await.unwrap();
    storage.replace("a", Bytes::from_static(b"three")).await.unwrap();
    storage.create_stream("s", stream::iter([Ok(Bytes::from_static(b"x"))])).await.unwrap();
    assert_eq!(names(&storage, ".venice").await, [""; 0]);
}

#[tokio::test]
async fn a_place_without_hard_links_is_taken_before_the_file_moves_there() {
    let (_directory, storage) = storage();
    for (bytes, published) in [("one", true), ("two", false)] {
        let target = storage.target("a").await.unwrap();
        let staged = target.stage(Bytes::from(bytes)).await.unwrap();
        assert_eq!(staged.publish_reserved(&target).await.unwrap(), published);
        assert_eq!(storage.read("a").await.unwrap().unwrap(), "one");
    }
}

#[tokio::test]
async fn a_stream_becomes_a_file_or_nothing() {
    let (_directory, storage) = storage();
    let whole = Bytes::from(vec![7_u8; 3 << 20]);
    let pieces: Vec<_> = whole.chunks(100_000).map(|piece| Ok(whole.slice_ref(piece))).collect();
    let size = storage.create_stream("v/whole", stream::iter(pieces)).await.unwrap();
    assert_eq!(size, Some(3 << 20));
    assert_eq!(storage.read("v/whole").await.unwrap().unwrap(), whole);

    let (size, pieces) = storage.stream("v/whole").await.unwrap().unwrap();
    let pieces: Vec<Bytes> = pieces.try_collect().await.unwrap();
    assert_eq!(size, 3 << 20);
    assert!(pieces.len() > 1);
    assert_eq!(pieces.concat(), whole);

    let cut = stream::iter([Ok(whole.clone()), Err(Error::new(Kind::Network, "connection lost"))]);
    let error = storage.create_stream("v/cut", cut).await.unwrap_err();
    assert_eq!(error.message, "connection lost");
    assert_eq!(names(&storage, "v").await, ["v/whole"]);
    assert_eq!(names(&storage, ".venice").await, [""; 0]);
}

#[tokio::test]
async fn a_range_ends_where_the_file_ends() {
    let (_directory, storage) = storage();
    storage.create("a", Bytes::from_static(b"0123456789")).await.unwrap();
    for (range, expected) in [(2..5, "234"), (8..99, "89"), (10..12, ""), (40..50, ""), (3..3, "")]
    {
        assert_eq!(storage.read_range("a", range).await.unwrap().unwrap(), expected);
    }
    assert_eq!(storage.read_range("none", 0..1).await.unwrap(), None);
}

#[tokio::test]
async fn what_is_not_there_is_nothing_and_can_be_deleted() {
    let (_directory, storage) = storage();
    assert_eq!(storage.read("none").await.unwrap(), None);
    assert_eq!(storage.size("none").await.unwrap(), None);
    assert!(storage.stream("none").await.unwrap().is_none());
    assert_eq!(storage.inspect("none", |_| ()).await.unwrap(), None);
    assert_eq!(storage.list("none").await.unwrap(), []);
    storage.delete("none").await.unwrap();
}

#[tokio::test]
async fn no_place_leads_out_of_the_root() {
    let (_directory, storage) = storage();
    for at in ["", "/", "..", "../x", "a/../../x", "/etc/passwd", "a//b", "a/", "./a"] {
        let error = storage.create(at, Bytes::new()).await.unwrap_err();
        assert_eq!(error.kind, Kind::Storage, "{at}");
    }
}

#[tokio::test]
async fn a_root_that_cannot_be_made_is_replaced_with_a_warning() {
    let directory = tempfile::tempdir().unwrap();
    let blocked = directory.path().join("file");
    std::fs::write(&blocked, "").unwrap();
    let fallback = directory.path().join("fallback");
    let storage = Storage::new(blocked.join("root"), fallback.clone());
    assert!(storage.create("a", Bytes::from_static(b"kept")).await.unwrap());
    assert_eq!(storage.root().await.unwrap(), fallback);
    assert!(fallback.join("a").is_file());
    let warning = storage.warning().unwrap();
    assert!(warning.contains("file/root") && warning.contains("fallback"), "{warning}");

    let hopeless = Storage::new(blocked.join("root"), blocked.join("other"));
    let error = hopeless.read("a").await.unwrap_err();
    assert!(error.message.contains("root") && error.message.contains("other"), "{error}");
}

#[tokio::test]
async fn lines_are_added_and_a_cut_line_is_ended_first() {
    let (_directory, storage) = storage();
    storage.append("l/day.jsonl", b"one").await.unwrap();
    storage.append("l/day.jsonl", b"two").await.unwrap();
    assert_eq!(storage.read("l/day.jsonl").await.unwrap().unwrap(), "one\ntwo\n");
    storage.replace("l/day.jsonl", Bytes::from_static(b"one\nhalf")).await.unwrap();
    storage.append("l/day.jsonl", b"two").await.unwrap();
    assert_eq!(storage.read("l/day.jsonl").await.unwrap().unwrap(), "one\nhalf\ntwo\n");
}

#[tokio::test]
async fn a_lock_keeps_out_tasks_and_other_servers_until_it_is_dropped() {
    let (directory, storage) = storage();
    let other = Storage::new(directory.path().join("root"), directory.path().join("fallback"));
    let held = storage.lock("job-1").await.unwrap();
    assert!(storage.try_lock("job-1").await.unwrap().is_none());
    assert!(other.try_lock("job-1").await.unwrap().is_none());
    assert!(other.try_lock("job-2").await.unwrap().is_some());
    let waiting = tokio::spawn(async move { other.lock("job-1").await.map(drop) });
    drop(held);
    waiting.await.unwrap().unwrap();
    assert!(storage.try_lock("job-1").await.unwrap().is_some());
}

#[cfg(unix)]
#[tokio::test]
async fn files_and_directories_are_for_this_user_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let (_directory, storage) = storage();
    storage.create("d/a", Bytes::from_static(b"x")).await.unwrap();
    storage.create_stream("d/b", stream::iter([Ok(Bytes::from_static(b"x"))])).await.unwrap();
    storage.append("d/c", b"x").await.unwrap();
    for (at, mode) in [("d", 0o700), ("d/a", 0o600), ("d/b", 0o600), ("d/c", 0o600)] {
        let meta = std::fs::metadata(storage.locate(at).await).unwrap();
        assert_eq!(meta.permissions().mode() & 0o777, mode, "{at}");
    }
    let root = std::fs::metadata(storage.root().await.unwrap()).unwrap();
    assert_eq!(root.permissions().mode() & 0o777, 0o700);
}
