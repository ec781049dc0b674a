//! A running server: its process, its directories, its sandbox, and its client.

use std::collections::BTreeMap;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;

use serde_json::Value;
use tempfile::TempDir;
use tokio::process::{Child, Command};
use venice_mcp::sandbox::{Sandbox, Seen};

use super::Mcp;

/// The binary under test.
pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_venice-mcp");

/// What servers that are started one after the other share.
#[derive(Clone)]
pub(crate) struct Parts {
    pub(super) sandbox: Arc<Sandbox>,
    pub(super) home: Arc<TempDir>,
    pub(super) client: String,
    pub(super) variables: BTreeMap<String, String>,
}

/// A running server and its client, which it can be used as.
pub(crate) struct TestServer<C = Mcp> {
    pub(crate) sandbox: Arc<Sandbox>,
    pub(crate) home: Arc<TempDir>,
    pub(crate) child: Child,
    pub(super) parts: Parts,
    pub(super) client: C,
}

/// The binary with an environment of its own, below `home`.
pub(crate) fn command(home: &Path) -> Command {
    let mut command = Command::new(BINARY);
    command.env_clear();
    // Without it no Windows program opens a socket.
    command.envs(std::env::var_os("SystemRoot").map(|root| ("SystemRoot", root)));
    command
        .env("HOME", home)
        .env("VENICE_OUTPUT_DIR", home.join("out"))
        .env("VENICE_INPUT_DIRS", home.join("in"))
        .current_dir(home)
        .kill_on_drop(true);
    command
}

/// Copies all that is below a directory.
pub(crate) fn copy_directory(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_directory(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), to).unwrap();
        }
    }
}

impl Parts {
    /// The binary with these settings.
    pub(super) fn command(&self) -> Command {
        let mut command = command(self.home.path());
        // A test may have an upstream of its own.
        command.env("VENICE_BASE_URL", self.sandbox.base_url()).envs(&self.variables);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        command
    }
}

impl<C> TestServer<C> {
    pub(super) fn new(parts: Parts, child: Child, client: C) -> Self {
        let (sandbox, home) = (Arc::clone(&parts.sandbox), Arc::clone(&parts.home));
        Self { sandbox, home, child, parts, client }
    }

    /// The output directory.
    pub(crate) fn out(&self) -> PathBuf {
        self.home.path().join("out")
    }

    /// The path of a file in the input directory.
    pub(crate) fn input(&self, name: &str) -> String {
        self.home.path().join("in").join(name).to_str().unwrap().to_owned()
    }

    /// The requests to the sandbox so far, in order.
    pub(crate) fn requests(&self) -> Vec<Seen> {
        self.sandbox.seen()
    }

    /// The bodies of the requests whose path ends so, in order.
    pub(crate) fn sent(&self, path: &str) -> Vec<Value> {
        let seen = self.requests().into_iter();
        seen.filter(|seen| seen.path.ends_with(path)).map(|seen| seen.body).collect()
    }

    /// The server's process.
    pub(crate) fn process(&self) -> u32 {
        self.child.id().unwrap()
    }
}

impl<C> Deref for TestServer<C> {
    type Target = C;

    fn deref(&self) -> &C {
        &self.client
    }
}
