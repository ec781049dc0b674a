//! Many calls at once while one request in fifty fails: every call is answered, and the servers stay small.
//!
//! The short form takes seconds. `SOAK_CALLS=30000 SOAK_CLIENTS=32 cargo test --test it soak -- --nocapture` is the
//! long one.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::timeout;

use crate::harness::{Client as _, Proxy, Setup, TestServer, is_error, text};

/// How many calls a client has under way.
const AT_ONCE: usize = 8;
/// How much a server may grow after its first calls, in kB.
const GROWTH: u64 = 48 * 1024;
/// The most files and sockets that a server has open.
const HANDLES: usize = 200;

fn setting(name: &str, default: usize) -> usize {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// A call of the mix, and whether it spends.
fn call(number: usize) -> (&'static str, Value, bool) {
    let size = 64 + 8 * (number % 8);
    match number % 8 {
        0 | 1 => (
            "venice_image_generate",
            json!({"prompt": format!("soak {number}"), "width": size, "height": size}),
            true,
        ),
        2 => ("venice_tts", json!({"input": format!("Number {number}.")}), true),
        3 => ("venice_list_models", json!({"type": "image", "limit": 5}), false),
        4 => ("venice_media", json!({"limit": 3}), false),
        5 => ("venice_image_styles", json!({"search": "water"}), false),
        6 => ("venice_image_generate", json!({"prompt": "", "width": "many"}), false),
        _ => ("venice_get_model", json!({"model": "z-image-turbo"}), false),
    }
}

#[derive(Default)]
struct Counts {
    next: AtomicUsize,
    good: AtomicUsize,
    failed: AtomicUsize,
    bought: AtomicUsize,
}

async fn client(server: &TestServer, counts: &Counts, calls: usize) {
    loop {
        let number = counts.next.fetch_add(1, Ordering::SeqCst);
        if number >= calls {
            return;
        }
        let (tool, arguments, spends) = call(number);
        let answer = timeout(Duration::from_mins(2), server.call(tool, arguments)).await;
        let result = answer.unwrap_or_else(|_| panic!("call {number} of {tool} was not answered"));
        assert!(!text(&result).is_empty());
        if is_error(&result) {
            counts.failed.fetch_add(1, Ordering::SeqCst);
        } else {
            counts.good.fetch_add(1, Ordering::SeqCst);
            counts.bought.fetch_add(usize::from(spends), Ordering::SeqCst);
        }
    }
}

/// Resident memory in kB and open handles of a process, where the system tells.
fn weight(process: u32) -> Option<(u64, usize)> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    let memory = line.split_whitespace().nth(1)?.parse().ok()?;
    let handles = std::fs::read_dir(format!("/proc/{process}/fd")).ok()?.count();
    Some((memory, handles))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_reply_is_lost_and_no_server_grows() {
    let (calls, clients) = (setting("SOAK_CALLS", 320), setting("SOAK_CLIENTS", 3));
    let proxy = Proxy::start().await;
    let shared = tempfile::tempdir().unwrap();
    let mut servers = Vec::new();
    for _ in 0..clients {
        let setup = Setup::new()
            .set("VENICE_BASE_URL", &proxy.base_url)
            .set("VENICE_OUTPUT_DIR", shared.path().to_str().unwrap())
            .set("VENICE_BUDGET_USD", "100000")
            .set("VENICE_FAILURE_BREAKER", "off")
            .set("VENICE_LOG", "off");
        servers.push(setup.start().await);
    }
    proxy.break_one_in(50);
    let counts = Counts::default();
    let run = async |until: usize| {
        let each = servers.iter().flat_map(|server| (0..AT_ONCE).map(move |_| server));
        futures::future::join_all(each.map(|server| client(server, &counts, until))).await;
    };
    // The first calls fill caches and pools.
    run(calls / 3).await;
    let before: Vec<_> = servers.iter().map(|server| weight(server.process())).collect();
    counts.next.store(calls / 3, Ordering::SeqCst);
    run(calls).await;
    for (server, before) in servers.iter().zip(before) {
        if let Some(((memory, handles), (first, _))) = weight(server.process()).zip(before) {
            println!("server of {memory} kB, {first} kB before, {handles} handles");
            assert!(memory < first + GROWTH, "{first} kB became {memory} kB");
            assert!(handles < HANDLES, "{handles} handles");
        }
    }
    let Counts { good, failed, bought, .. } = counts;
    let (good, failed, bought) = (good.into_inner(), failed.into_inner(), bought.into_inner());
    println!("{good} good, {failed} failed, {bought} bought");
    assert_eq!(good + failed, calls);
    assert!(failed >= calls / 8 && failed < calls / 4, "{failed} of {calls} failed");
    for server in servers {
        assert_eq!(server.end().await.0, Some(0));
    }
    let ledger = shared.path().join(".venice/ledger");
    let texts = std::fs::read_dir(ledger).unwrap().map(|file| file.unwrap().path());
    let text: String = texts.map(|path| std::fs::read_to_string(path).unwrap()).collect();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let count = |state: &str| lines.iter().filter(|line| line["state"] == state).count();
    assert_eq!(count("settled"), bought, "what was bought is what is settled");
    assert!(count("reserved") >= count("settled") + count("released"));
}
