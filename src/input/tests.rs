mod store;

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x01\0\0\0\x01\0\x08\x06\0\0\0";

const SECRET: &[u8] = b"\x89PNG\r\n\x1a\n the secret of another directory";

/// An output, an input and a working directory side by side, and a file outside of all three.
struct ReadableDirectories {
    root: TempDir,
    inputs: Inputs,
}

impl ReadableDirectories {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        for directory in ["out/.venice/media", "in/sub", "work/.git", "outside"] {
            fs::create_dir_all(root.path().join(directory)).unwrap();
        }
        for file in ["out/a.png", "in/b.png", "in/sub/c d.png", "work/d.png"] {
            fs::write(root.path().join(file), PNG).unwrap();
        }
        for file in ["outside/s.png", "work/.env", "work/.git/config", "out/.venice/media/x.json"] {
            fs::write(root.path().join(file), SECRET).unwrap();
        }
        let inputs = Inputs::new(settings(root.path()));
        Self { root, inputs }
    }

    fn path(&self, name: &str) -> String {
        self.root.path().join(name).to_str().unwrap().to_owned()
    }

    async fn read(&self, text: &str) -> Result<Input> {
        self.read_as(Files::Working, text).await
    }

    async fn read_as(&self, files: Files, text: &str) -> Result<Input> {
        read(&self.inputs, files, &store::empty(), text, &wanted(UrlPolicy::Refuse)).await
    }

    async fn error(&self, text: &str) -> String {
        self.read(text).await.unwrap_err().text()
    }
}

fn settings(root: &Path) -> InputSettings {
    InputSettings {
        output_directory: root.join("out"),
        input_directories: vec![root.join("in")],
        working_directory: Some(root.join("work")),
        home: Some(root.to_owned()),
        fetcher: Fetcher::new(false),
    }
}

fn wanted(urls: UrlPolicy) -> AcceptedMedia<'static> {
    AcceptedMedia {
        argument: "image",
        kinds: &[MediaKind::Image],
        urls,
        max_bytes: 1000,
        pixels: None,
    }
}

async fn read(
    inputs: &Inputs,
    files: Files,
    store: &MediaView,
    text: &str,
    wanted: &AcceptedMedia<'_>,
) -> Result<Input> {
    let context = Context { files, ..Context::default() };
    match inputs.read(&context, store, text, wanted).await? {
        InputSource::Bytes(input) => Ok(input),
        InputSource::Url(url) => panic!("{url}"),
    }
}

#[tokio::test]
async fn files_are_read_from_where_the_call_may_read() {
    let directories = ReadableDirectories::new();
    let (out, inside) = (directories.path("out/a.png"), directories.path("in/b.png"));
    let url = format!("file://{}", directories.path("in/sub/c%20d.png"));
    for text in [&out, &inside, &url, "d.png", "./d.png", "b.png", "sub/c d.png", "~/out/a.png"] {
        let input =
            directories.read(text).await.unwrap_or_else(|error| panic!("{text}: {error:?}"));
        assert_eq!(input.bytes, PNG);
        assert_eq!((input.kind, input.mime_type.as_str()), (MediaKind::Image, "image/png"));
    }
    for (text, allowed) in [(&*out, false), (&*inside, true), ("b.png", true), ("d.png", false)] {
        assert_eq!(directories.read_as(Files::Inputs, text).await.is_ok(), allowed, "{text}");
        let error = directories.read_as(Files::None, text).await.unwrap_err().text();
        assert!(error.contains("is not in an allowed directory"), "{error}");
        assert!(error.contains("give an https:// URL"), "{error}");
    }
}

#[tokio::test]
async fn outside_is_one_error_whether_a_file_exists_or_not() {
    let directories = ReadableDirectories::new();
    for name in ["outside/s.png", "outside/none.png", "outside", "none", "in/../outside/s.png"] {
        let path = directories.path(name);
        let error = directories.error(&path).await;
        assert!(
            error.contains(&format!("- `image`: {path} is not in an allowed directory")),
            "{error}"
        );
    }
    let encoded = format!("file://{}", directories.path("in/%2e%2e/outside/s.png"));
    let slash = format!("file://{}", directories.path("in/..%2foutside/s.png"));
    for text in
        ["../outside/s.png", "/etc/passwd", "~/outside/s.png", r"C:\a.png", &encoded, &slash]
    {
        let error = directories.error(text).await;
        let expected =
            if text.starts_with("C:") { "was not found" } else { "not in an allowed directory" };
        assert!(error.contains(expected), "{error}");
    }
    let error = directories.error("none.png").await;
    assert!(error.contains("none.png was not found"), "{error}");
}

#[tokio::test]
async fn a_hidden_file_is_not_read_but_an_allowed_directory_may_be_hidden() {
    let directories = ReadableDirectories::new();
    for name in ["work/.env", "work/.git/config", "out/.venice/media/x.json", "work/.none"] {
        let error = directories.error(&directories.path(name)).await;
        assert!(error.contains("hidden"), "{error}");
    }
    let read_in = async |directory: &str, file: &str| {
        let settings = InputSettings {
            input_directories: vec![directories.root.path().join(directory)],
            ..settings(directories.root.path())
        };
        let path = directories.path(file);
        let wanted = wanted(UrlPolicy::Refuse);
        let inputs = Inputs::new(settings);
        read(&inputs, Files::Inputs, &store::empty(), &path, &wanted).await
    };
    assert!(read_in("work/.git", "work/.git/config").await.is_ok());
    let error = read_in("out/.venice/media", "out/.venice/media/x.json").await.unwrap_err().text();
    assert!(error.contains("hidden"), "{error}");
}

#[tokio::test]
async fn a_working_directory_that_is_a_home_or_a_root_is_not_readable() {
    let directories = ReadableDirectories::new();
    for working in [directories.root.path(), Path::new("/")] {
        let working_directory = Some(working.to_owned());
        let input_directories = Vec::new();
        let settings = settings(directories.root.path());
        let inputs =
            Inputs::new(InputSettings { input_directories, working_directory, ..settings });
        let name = directories.root.path().strip_prefix(working).unwrap();
        let name = |file: &str| name.join(file).to_str().unwrap().to_owned();
        let store = store::empty();
        let wanted = wanted(UrlPolicy::Refuse);
        let error = read(&inputs, Files::Working, &store, &name("outside/s.png"), &wanted).await;
        let error = error.unwrap_err().text();
        assert!(error.contains("not in an allowed directory"), "{error}");
        // A relative path still starts there, and may lead into an allowed directory.
        assert!(read(&inputs, Files::Working, &store, &name("out/a.png"), &wanted).await.is_ok());
    }
}

#[tokio::test]
async fn what_does_not_fit_is_named_without_its_contents() {
    let directories = ReadableDirectories::new();
    fs::write(directories.path("in/text.png"), "hush").unwrap();
    fs::write(directories.path("in/empty.png"), "").unwrap();
    fs::write(directories.path("in/full.png"), [PNG, &[0; 1000]].concat()).unwrap();
    let sparse = fs::File::create(directories.path("in/sparse.png")).unwrap();
    sparse.set_len(1 << 40).unwrap();
    for (name, part) in [
        ("text.png", "text.png is a document (text/plain); an image is needed"),
        ("empty.png", "empty.png is empty"),
        ("full.png", "full.png has more than 1000 bytes, the most allowed"),
        ("sparse.png", "sparse.png has more than 1000 bytes, the most allowed"),
        ("sub", "sub is a directory, not a file"),
        ("", "is a directory, not a file"),
        ("b.png/x", "b.png/x was not found"),
    ] {
        let error = directories.error(&directories.path(&format!("in/{name}"))).await;
        assert!(error.contains(part), "{error}");
        assert!(!error.contains("hush"), "{error}");
    }
}

#[tokio::test]
async fn links_lead_neither_outside_nor_to_hidden_files() {
    use std::os::unix::fs::symlink;

    let directories = ReadableDirectories::new();
    symlink(directories.path("outside/s.png"), directories.path("in/absolute.png")).unwrap();
    symlink("../outside/s.png", directories.path("in/relative.png")).unwrap();
    symlink("../outside", directories.path("in/directory")).unwrap();
    symlink("../outside/none.png", directories.path("in/dangling.png")).unwrap();
    symlink("sub/c d.png", directories.path("in/inside.png")).unwrap();
    symlink(".env", directories.path("work/env.png")).unwrap();
    assert_eq!(directories.read("inside.png").await.unwrap().bytes, PNG);
    for name in ["absolute.png", "relative.png", "directory/s.png", "dangling.png"] {
        let error = directories.error(&directories.path(&format!("in/{name}"))).await;
        assert!(error.contains("is not in an allowed directory"), "{error}");
    }
    assert!(directories.error("env.png").await.contains("hidden"));
}

#[tokio::test]
async fn a_link_that_is_swapped_meanwhile_never_leads_outside() {
    use std::os::unix::fs::symlink;
    use std::sync::atomic::{AtomicBool, Ordering};

    let directories = ReadableDirectories::new();
    let done = Arc::new(AtomicBool::new(false));
    let swapper = std::thread::spawn({
        let (done, link, other) =
            (done.clone(), directories.path("in/swap"), directories.path("in/other"));
        move || {
            for target in ["sub", "../outside"].into_iter().cycle() {
                symlink(target, &other).unwrap();
                fs::rename(&other, &link).unwrap();
                if done.load(Ordering::Relaxed) {
                    break;
                }
            }
        }
    });
    fs::copy(directories.path("in/b.png"), directories.path("in/sub/s.png")).unwrap();
    let mut read = 0;
    for _ in 0..500 {
        if let Ok(input) = directories.read(&directories.path("in/swap/s.png")).await {
            assert_eq!(input.bytes, PNG);
            read += 1;
        }
    }
    done.store(true, Ordering::Relaxed);
    swapper.join().unwrap();
    assert!(read > 0);
}

#[tokio::test]
async fn pipes_sockets_and_devices_are_refused_at_once() {
    let directories = ReadableDirectories::new();
    let made = std::process::Command::new("mkfifo").arg(directories.path("in/pipe.png")).status();
    assert!(made.unwrap().success());
    let _socket =
        std::os::unix::net::UnixListener::bind(directories.path("in/socket.png")).unwrap();
    let error = directories.error("pipe.png").await;
    assert!(error.contains("pipe.png is a pipe, not a file"), "{error}");
    assert!(directories.read("socket.png").await.is_err());
    let settings = InputSettings {
        input_directories: vec!["/dev".into()],
        ..settings(directories.root.path())
    };
    let inputs = Inputs::new(settings);
    let wanted = wanted(UrlPolicy::Refuse);
    let error = read(&inputs, Files::Inputs, &store::empty(), "/dev/zero", &wanted).await;
    let error = error.unwrap_err().text();
    assert!(error.contains("/dev/zero is a device, not a file"), "{error}");
}

#[tokio::test]
async fn stored_media_are_read_by_uri_or_as_the_last_of_their_kind() {
    let (store, media) =
        store::holding(&[("image/png", PNG), ("image/png", PNG), ("audio/pcm", b"\x01\x02")]).await;
    let uris: Vec<_> = media.iter().map(Media::uri).collect();
    let directories = ReadableDirectories::new();
    let wanted = wanted(UrlPolicy::Refuse);
    let by = async |text: &str, wanted: &AcceptedMedia<'_>| {
        read(&directories.inputs, Files::None, &store, text, wanted).await
    };
    let input = by(&uris[0], &wanted).await.unwrap();
    assert_eq!(input.stands_for, None);
    assert_eq!(Path::new(&input.name).extension().unwrap(), "png");
    let input = by("last", &wanted).await.unwrap();
    assert_eq!(input.stands_for.as_ref(), Some(&uris[1]));
    let error = by(&uris[2], &wanted).await.unwrap_err().text();
    assert!(error.contains(&format!("{} is an audio file (audio/pcm)", uris[2])), "{error}");
    let error = by("venice://media/none", &wanted).await.unwrap_err().text();
    assert!(error.contains("venice://media/none is not stored here"), "{error}");
    let audio = AcceptedMedia { kinds: &[MediaKind::Video, MediaKind::Audio], ..wanted };
    assert_eq!(by("last", &audio).await.unwrap().mime_type, "audio/pcm");
    let images = AcceptedMedia { kinds: &[MediaKind::Video, MediaKind::Image], ..wanted };
    assert_eq!(by("last", &images).await.unwrap().stands_for.as_ref(), Some(&uris[1]));
    let video = AcceptedMedia { kinds: &[MediaKind::Video], ..wanted };
    let error = by("last", &video).await.unwrap_err().text();
    assert!(error.contains("nothing is stored yet that is a video"), "{error}");
    let small = AcceptedMedia { max_bytes: 10, ..wanted };
    assert!(by("last", &small).await.unwrap_err().text().contains("at most 10 are allowed"));
}

#[tokio::test]
async fn a_data_url_is_read_and_comes_back_the_same() {
    let directories = ReadableDirectories::new();
    let text = format!("data:image/png;base64,{}", base64_simd::STANDARD.encode_to_string(PNG));
    let input = directories.read(&text).await.unwrap();
    assert_eq!(input.data_url(), text);
    assert_eq!(format!("data:image/png;base64,{}", input.base64()), text);
    assert_eq!(input.data_url().capacity(), text.len());
    let broken = format!("data:image/png;base64,{}", "hush!".repeat(100));
    let error = directories.error(&broken).await;
    assert!(error.contains("`image`: data:image/png;base64,… is not valid base64"), "{error}");
    assert!(!error.contains("hush"));
}

#[tokio::test]
async fn urls_are_passed_on_fetched_or_refused() {
    let directories = ReadableDirectories::new();
    let (context, store) = (Context::default(), store::empty());
    let by = async |text: &str, urls: UrlPolicy| {
        directories.inputs.read(&context, &store, text, &wanted(urls)).await
    };
    let passed = by("https://example.com/a.png", UrlPolicy::Pass).await.unwrap();
    assert!(matches!(passed, InputSource::Url(url) if url.as_str() == "https://example.com/a.png"));
    for text in
        ["http://example.com/a", "https://127.0.0.1/a", "https://a.internal/", "https://x.local/"]
    {
        for urls in [UrlPolicy::Pass, UrlPolicy::Fetch] {
            let error = by(text, urls).await.unwrap_err();
            assert_eq!(error.kind, Kind::Input);
            assert!(error.text().contains("- `image`: `"), "{}", error.text());
        }
    }
    let error = by("https://example.com/a.png", UrlPolicy::Refuse).await.unwrap_err().text();
    assert!(error.contains("`image`: URLs are not taken here"), "{error}");
}

#[tokio::test]
async fn a_fetched_file_is_checked_like_any_other() {
    let app = axum::Router::new()
        .route("/my%20fox.PNG", axum::routing::get(|| async { PNG }))
        .route("/page.png", axum::routing::get(|| async { "<html>hush</html>" }));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let root = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    let directories = ReadableDirectories::new();
    let fetcher = Fetcher::new(true);
    let inputs = Inputs::new(InputSettings { fetcher, ..settings(directories.root.path()) });
    let by = async |name: &str| {
        let (text, wanted) = (format!("{root}/{name}"), wanted(UrlPolicy::Fetch));
        read(&inputs, Files::None, &store::empty(), &text, &wanted).await
    };
    assert_eq!(by("my%20fox.PNG").await.unwrap().name, "my_fox.png");
    let error = by("page.png").await.unwrap_err().text();
    assert!(error.contains("an image is needed") && !error.contains("hush"), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn no_text_panics_or_reads_outside(
        text in "(file://|~|\\./|%2e|%2F|\\.\\./|/|\\\\|in|out|work|outside|s\\.png|\\.env|[a-z]|\\PC){0,9}",
        from in 0_usize..4,
    ) {
        let directories = ReadableDirectories::new();
        let before = ["", "file://", "in/", "~/"][from];
        let root = if from == 1 { directories.path("in/") } else { String::new() };
        let text = format!("{before}{root}{text}");
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let store = store::empty();
        let wanted = AcceptedMedia { kinds: &[MediaKind::Document], ..wanted(UrlPolicy::Refuse) };
        let result = runtime.block_on(read(&directories.inputs, Files::Working, &store, &text, &wanted));
        if let Ok(input) = result {
            prop_assert!(!input.bytes.ends_with(b"another directory"), "{}", text);
        }
    }
}
