//! What a test wants of its server before it starts.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use venice_mcp::sandbox::{Sandbox, SandboxSettings};

use super::server::{Parts, TestServer};
use super::{Http, InProcess, Lines, Mcp};

/// What a test wants of its server before it starts: without more, one with a key, on a sandbox of its own.
pub(crate) struct Setup {
    pub(super) client: String,
    listen: &'static str,
    pub(super) variables: BTreeMap<String, String>,
    pub(super) home: TempDir,
    pub(super) sandbox: SandboxSettings,
    pub(super) user_agrees_after: Option<Duration>,
}

impl Setup {
    pub(crate) fn new() -> Self {
        Self {
            client: "test".to_owned(),
            listen: "127.0.0.1:0",
            variables: BTreeMap::new(),
            home: tempfile::tempdir().unwrap(),
            sandbox: SandboxSettings::default(),
            user_agrees_after: None,
        }
        .set("VENICE_API_KEY", "test-key")
    }

    pub(crate) fn set(mut self, variable: &str, value: &str) -> Self {
        self.variables.insert(variable.to_owned(), value.to_owned());
        self
    }

    /// Another upstream than the sandbox.
    pub(crate) fn upstream(self, base_url: &str) -> Self {
        self.set("VENICE_BASE_URL", base_url)
    }

    /// The name that the client gives itself.
    pub(crate) fn client(mut self, name: &str) -> Self {
        name.clone_into(&mut self.client);
        self
    }

    /// The client asks its user where the server wants it, and the user agrees after that time.
    pub(crate) fn user_agrees_after(mut self, time: Duration) -> Self {
        self.user_agrees_after = Some(time);
        self
    }

    /// Where a server over HTTP listens.
    pub(crate) fn listen(mut self, address: &'static str) -> Self {
        self.listen = address;
        self
    }

    /// Where the server's directories will be.
    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    /// A file in the input directory.
    pub(crate) fn file(self, name: &str, bytes: &[u8]) -> Self {
        let inputs = self.home.path().join("in");
        std::fs::create_dir_all(&inputs).unwrap();
        std::fs::write(inputs.join(name), bytes).unwrap();
        self
    }

    /// How often a job answers that it runs before its media comes.
    pub(crate) const fn polls(mut self, polls: u32) -> Self {
        self.sandbox.polls = polls;
        self
    }

    /// Venice by its plural paths.
    pub(crate) fn plural(mut self) -> Self {
        self.sandbox.plural = true;
        self.set("VENICE_API_PATHS", "plural")
    }

    /// A server on stdin and stdout, and a real MCP client of it.
    pub(crate) async fn start(self) -> TestServer {
        let sandbox = self.start_sandbox().await;
        self.start_on(sandbox).await
    }

    /// The same on a sandbox that others may use too.
    pub(crate) async fn start_on(self, sandbox: Arc<Sandbox>) -> TestServer {
        let parts = Parts {
            sandbox,
            home: Arc::new(self.home),
            client: self.client,
            variables: self.variables,
        };
        Mcp::start(parts).await
    }

    /// A server on stdin and stdout whose lines the test writes and reads itself.
    pub(crate) async fn lines(self) -> TestServer<Lines> {
        let sandbox = self.start_sandbox().await;
        let parts = self.parts(sandbox);
        let mut child = parts.command().kill_on_drop(true).spawn().unwrap();
        let lines = Lines::new(&mut child);
        TestServer::new(parts, child, lines)
    }

    /// A server over HTTP.
    pub(crate) async fn http(self) -> TestServer<Http> {
        let listen = self.listen;
        let sandbox = self.start_sandbox().await;
        Http::start(self.parts(sandbox), listen).await
    }

    /// A server in this process, on time that the test controls.
    pub(crate) async fn in_process(self) -> InProcess {
        InProcess::start(self).await
    }

    async fn start_sandbox(&self) -> Arc<Sandbox> {
        let address = "127.0.0.1:0".parse().unwrap();
        Arc::new(Sandbox::start_with(address, self.sandbox).await.unwrap())
    }

    fn parts(self, sandbox: Arc<Sandbox>) -> Parts {
        let Self { client, variables, home, .. } = self;
        Parts { sandbox, home: Arc::new(home), client, variables }
    }
}
