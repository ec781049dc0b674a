//! Venice for a server in this process: the sandbox, with faults before it.
//!
//! The sandbox runs on threads of its own, in real time. While one of its answers is awaited, the paused clock of a
//! test stands still; it moves only when all that is left is a wait.

use std::sync::{Arc, LazyLock, Mutex};

use axum::http;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use reqwest::{Request, Response};
use tokio::runtime::Runtime;
use venice_mcp::sandbox::{Sandbox, SandboxSettings};
use venice_mcp::venice::HttpSender;

use super::Fault;
use super::proxy::Rule;

/// What the sandbox runs on.
static BACKGROUND: LazyLock<Runtime> = LazyLock::new(|| {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
});

/// Venice for a server in this process.
pub(crate) struct ScriptedVenice {
    shared: Arc<Shared>,
    sandbox: Sandbox,
}

#[derive(Debug)]
struct Shared {
    http: reqwest::Client,
    rules: Mutex<Vec<Rule>>,
    /// The paths that were requested.
    arrived: Mutex<Vec<String>>,
}

/// What the server sends by.
#[derive(Debug)]
struct Sender(Arc<Shared>);

impl ScriptedVenice {
    pub(super) fn start(settings: SandboxSettings) -> Self {
        let address = "127.0.0.1:0".parse().unwrap();
        let started = std::thread::spawn(move || {
            BACKGROUND.block_on(Sandbox::start_with(address, settings)).unwrap()
        });
        let sandbox = started.join().unwrap();
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let shared = Shared { http, rules: Mutex::default(), arrived: Mutex::default() };
        Self { shared: Arc::new(shared), sandbox }
    }

    pub(super) fn base_url(&self) -> &str {
        self.sandbox.base_url()
    }

    pub(super) fn sender(&self) -> Arc<dyn HttpSender> {
        Arc::new(Sender(Arc::clone(&self.shared)))
    }

    /// Breaks the next `times` requests whose path ends so, after `after` others.
    pub(crate) fn fault(&self, path: &'static str, after: usize, times: usize, fault: Fault) {
        self.shared.rules.lock().unwrap().push(Rule { path, after, times, fault });
    }

    /// How many requests of that path have arrived.
    pub(crate) fn arrived(&self, path: &str) -> usize {
        self.shared.arrived.lock().unwrap().iter().filter(|one| one.ends_with(path)).count()
    }
}

impl HttpSender for Sender {
    fn send(&self, request: Request) -> BoxFuture<'static, reqwest::Result<Response>> {
        let path = request.url().path().to_owned();
        self.0.arrived.lock().unwrap().push(path.clone());
        let fault = Rule::take(&mut self.0.rules.lock().unwrap(), &path);
        let shared = Arc::clone(&self.0);
        async move {
            match fault {
                Some(Fault::Answer(status, head, body)) => return Ok(answer(status, head, body)),
                Some(Fault::Hold) => std::future::pending().await,
                Some(Fault::Reset | Fault::Truncate) => panic!("it takes a real connection"),
                None => {}
            }
            // The clock does not move while a blocking task is under way.
            let forward = move || BACKGROUND.block_on(forward(shared, request));
            tokio::task::spawn_blocking(forward).await.unwrap()
        }
        .boxed()
    }
}

/// The sandbox's answer, whole.
async fn forward(shared: Arc<Shared>, request: Request) -> reqwest::Result<Response> {
    let response = shared.http.execute(request).await?;
    let (status, headers) = (response.status(), response.headers().clone());
    let mut whole = http::Response::new(response.bytes().await?);
    *whole.status_mut() = status;
    *whole.headers_mut() = headers;
    Ok(whole.into())
}

fn answer(status: u16, head: &str, body: Vec<u8>) -> Response {
    let mut response = http::Response::builder().status(status);
    for (name, value) in head.lines().filter_map(|line| line.split_once(": ")) {
        response = response.header(name, value);
    }
    response.body(body).unwrap().into()
}
