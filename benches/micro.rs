//! Measures the parts of a call one by one: what a schema costs, a judgement, base64, a hash, the store, a result.
//!
//! ```text
//! cargo bench --bench micro                all of it, in about a minute
//! cargo bench --bench micro -- base64      what has that in its name
//! ```
//!
//! Figures of the store hold the disk's fsync, and those of the same bytes through another library stand beside ours.

#![expect(clippy::unwrap_used, reason = "a measurement that goes wrong ends with what went wrong")]

use std::hint::black_box;
use std::io::Cursor;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use base64::prelude::{BASE64_STANDARD, Engine as _};
use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use futures::StreamExt as _;
use image::{ImageFormat, RgbImage};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use venice_mcp::context::{Caller, Context};
use venice_mcp::media::{Media, MediaRecord, MediaStore, MediaView, NewMedia, RetentionLimits};
use venice_mcp::outcome::{Delivered, Outcome, Remarks};
use venice_mcp::output::{OutputSettings, RenderOptions, render};
use venice_mcp::schema::{ArgumentValidator, normalize};
use venice_mcp::splice::{self, Encoding, Holes};
use venice_mcp::storage::Storage;
use venice_mcp::tool::Route;
use venice_mcp::tools;

const KILO: usize = 1000;
const MEBI: usize = 1 << 20;

/// The first bytes of a PNG of 1024 by 1024 pixels.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x04\0\0\0\x04\0\x08\x02\0\0\0";

/// An image of that size, as far as a look at its head tells.
fn image(bytes: usize) -> Bytes {
    let noise = (0..bytes).map(|at| (at * 7 % 251).to_le_bytes()[0]);
    PNG.iter().copied().chain(noise.skip(PNG.len())).collect()
}

/// A real image of about a megabyte, which a decoder takes.
fn noise() -> Bytes {
    let noise = (0..590 * 590 * 3_u32).map(|at| at.wrapping_mul(2_654_435_761).to_le_bytes()[2]);
    let pixels = RgbImage::from_raw(590, 590, noise.collect()).unwrap();
    let mut png = Cursor::new(Vec::new());
    pixels.write_to(&mut png, ImageFormat::Png).unwrap();
    png.into_inner().into()
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

fn generate() -> &'static Route {
    tools::all().find(|route| route.spec.name == "venice_image_generate").unwrap()
}

/// Arguments as a model writes them, two of them in another type than the schema's.
fn arguments() -> Map<String, Value> {
    let arguments = json!({
        "prompt": "a lighthouse at dawn, oil on canvas, wide brush strokes, fog over the sea",
        "model": "z-image-turbo", "width": "1024", "height": 768, "format": "webp",
        "steps": 8, "seed": 42, "safe_mode": "true", "negative_prompt": null
    });
    arguments.as_object().unwrap().clone()
}

fn schemas(criterion: &mut Criterion) {
    criterion.bench_function("schema/of all tools", |bench| {
        bench.iter(|| {
            for route in tools::all() {
                black_box((route.published(), route.output_schema()));
            }
        });
    });
    let schema = generate().published().schema;
    criterion.bench_function("schema/judge made", |bench| {
        bench.iter(|| ArgumentValidator::new(black_box(&schema)).unwrap());
    });
    let judge = ArgumentValidator::new(&schema).unwrap();
    let arguments = arguments();
    criterion.bench_function("schema/call normalized and judged", |bench| {
        bench.iter(|| {
            let aliases = generate().spec.aliases;
            let arguments = Value::Object(normalize(&schema, aliases, arguments.clone()));
            assert!(judge.problems(&arguments).is_empty());
        });
    });
}

fn base64(criterion: &mut Criterion) {
    let runtime = runtime();
    for size in [MEBI, 8 * MEBI] {
        let raw = image(size);
        let mut group = criterion.benchmark_group(format!("base64/{} MiB", size / MEBI));
        group.throughput(Throughput::Bytes(size as u64));
        let mut scratch = Vec::new();
        group.bench_function("spliced into a line", |bench| {
            bench.iter(|| {
                let parts = vec![splice::Part::Base64(raw.clone())];
                runtime.block_on(splice::write(&mut tokio::io::sink(), parts, &mut scratch))
            });
        });
        group.bench_function("spliced into an HTTP body", |bench| {
            bench.iter(|| {
                let holes = Holes::default();
                let json = Bytes::from(holes.base64(raw.clone()));
                let lengths = splice::body(json, &holes).map(|chunk| chunk.len());
                runtime.block_on(lengths.fold(0, async |all, length| all + length))
            });
        });
        group.bench_function("as one string, base64 crate", |bench| {
            bench.iter(|| BASE64_STANDARD.encode(&raw));
        });
        group.finish();
    }
}

fn hash(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("sha256");
    for size in [64 * KILO, 8000 * KILO] {
        let raw = image(size);
        group.throughput(Throughput::Bytes(size as u64));
        group.bench_function(format!("{} kB", size / KILO), |bench| {
            bench.iter(|| Sha256::digest(&raw));
        });
    }
    group.finish();
}

/// A store in a directory of its own.
struct Stored {
    store: MediaStore,
    view: MediaView,
    _directory: TempDir,
}

impl Stored {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let storage = Storage::new(directory.path().join("out"), directory.path().join("other"));
        let limits = RetentionLimits { max_bytes: u64::MAX, max_age: Duration::from_hours(1) };
        let store = MediaStore::new(storage, limits);
        let view = store.view(&Caller::Local);
        Self { store, view, _directory: directory }
    }

    /// Takes `put` as often as is asked for and times it, without what goes on after it and the removal of its file.
    async fn time<F: Future<Output = Media>>(&self, times: u64, put: impl Fn() -> F) -> Duration {
        let mut taken = Duration::ZERO;
        for _ in 0..times {
            let from = Instant::now();
            let media = put().await;
            taken += from.elapsed();
            self.store.flush().await;
            std::fs::remove_file(self.view.local_path(&media).await.unwrap()).unwrap();
        }
        taken
    }
}

fn new(bytes: &Bytes) -> NewMedia {
    let record = MediaRecord {
        tool: "venice_image_generate".to_owned(),
        prompt: Some("a lighthouse at dawn".to_owned()),
        arguments: arguments(),
        model: Some("z-image-turbo".to_owned()),
        ..MediaRecord::default()
    };
    NewMedia {
        bytes: bytes.clone(),
        content_type: Some("image/png".to_owned()),
        save_as: None,
        record,
    }
}

fn store(criterion: &mut Criterion) {
    let runtime = runtime();
    for size in [64 * KILO, 8000 * KILO] {
        let stored = Stored::new();
        let bytes = image(size);
        let mut group = criterion.benchmark_group(format!("store/{} kB", size / KILO));
        group
            .sample_size(10)
            .measurement_time(Duration::from_secs(2))
            .throughput(Throughput::Bytes(size as u64));
        group.bench_function("answered while it is stored", |bench| {
            let put = async || stored.view.put(new(&bytes)).await.unwrap();
            bench.iter_custom(|times| runtime.block_on(stored.time(times, put)));
        });
        group.bench_function("stored before it is answered", |bench| {
            let put = async || {
                let media = stored.view.put(new(&bytes)).await.unwrap();
                assert_eq!(stored.view.write_error(&media).await, None);
                media
            };
            bench.iter_custom(|times| runtime.block_on(stored.time(times, put)));
        });
        group.finish();
    }
}

fn output(criterion: &mut Criterion) {
    let runtime = runtime();
    let stored = Stored::new();
    let bytes = noise();
    let media = runtime.block_on(stored.view.put(new(&bytes))).unwrap();
    let settings = OutputSettings::default();
    for client in ["a client", "claude-code", "cursor-vscode"] {
        let context = Context { client: Some(client.to_owned()), ..Context::default() };
        criterion.bench_function(&format!("output/1 MB image for {client}"), |bench| {
            bench.iter(|| {
                let item = Delivered {
                    media: media.clone(),
                    path: Some(PathBuf::from("/out/an-image.png")),
                    bytes: Some(bytes.clone()),
                    remarks: Remarks::default(),
                };
                let outcome = Outcome { media: vec![item], ..Outcome::default() };
                let encoding = Encoding::Spliced(Holes::default());
                let options = RenderOptions {
                    asked: None,
                    context: &context,
                    view: &stored.view,
                    settings: &settings,
                    encoding: &encoding,
                };
                runtime.block_on(render(outcome, &options))
            });
        });
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(1));
    targets = schemas, base64, hash, store, output
}
criterion_main!(benches);
