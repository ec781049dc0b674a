//! A server as a host starts it, and a client of it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;

use base64::Engine as _;
use rmcp::ServiceExt as _;
use rmcp::model::{
    CallToolRequestParams, CallToolResult, ClientCapabilities, ClientConfig, Implementation,
    ReadResourceRequestParams, ResourceContents, Tool,
};
use rmcp::service::{RoleClient, RunningService, ServiceError};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::{Child, Command};
use venice_mcp::sandbox::{Sandbox, SandboxSettings};

/// The binary under test.
pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_venice-mcp");

/// What a test wants of its server before it starts.
pub(crate) struct Setup {
    client: String,
    variables: BTreeMap<String, String>,
    home: TempDir,
    settings: SandboxSettings,
}

/// A running server and its client.
pub(crate) struct World {
    pub(crate) sandbox: Arc<Sandbox>,
    pub(crate) home: Arc<TempDir>,
    name: String,
    variables: BTreeMap<String, String>,
    client: RunningService<RoleClient, ClientConfig>,
    child: Child,
}

impl Setup {
    pub(crate) fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let mut variables = BTreeMap::new();
        variables.insert("VENICE_API_KEY".to_owned(), "test-key".to_owned());
        Self { client: "test".to_owned(), variables, home, settings: SandboxSettings::default() }
    }

    pub(crate) fn set(mut self, variable: &str, value: &str) -> Self {
        self.variables.insert(variable.to_owned(), value.to_owned());
        self
    }

    pub(crate) fn client(mut self, name: &str) -> Self {
        name.clone_into(&mut self.client);
        self
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
        self.settings.polls = polls;
        self
    }

    /// Venice by its plural paths.
    pub(crate) fn plural(mut self) -> Self {
        self.settings.plural = true;
        self.set("VENICE_API_PATHS", "plural")
    }

    pub(crate) async fn start(self) -> World {
        let address = "127.0.0.1:0".parse().unwrap();
        let sandbox = Sandbox::start_with(address, self.settings).await.unwrap();
        self.start_on(Arc::new(sandbox)).await
    }

    /// Starts a server on a sandbox that others may use too.
    pub(crate) async fn start_on(self, sandbox: Arc<Sandbox>) -> World {
        World::connect(sandbox, Arc::new(self.home), self.client, self.variables).await
    }
}

/// The binary with an environment of its own, below `home`.
pub(crate) fn command(home: &Path) -> Command {
    let mut command = Command::new(BINARY);
    command
        .env_clear()
        .env("HOME", home)
        .env("VENICE_OUTPUT_DIR", home.join("out"))
        .env("VENICE_INPUT_DIRS", home.join("in"))
        .current_dir(home);
    command
}

impl World {
    pub(crate) async fn start() -> Self {
        Setup::new().start().await
    }

    async fn connect(
        sandbox: Arc<Sandbox>,
        home: Arc<TempDir>,
        name: String,
        variables: BTreeMap<String, String>,
    ) -> Self {
        let mut command = command(home.path());
        command.env("VENICE_BASE_URL", sandbox.base_url());
        command.envs(&variables);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let pipes = (child.stdout.take().unwrap(), child.stdin.take().unwrap());
        let identity = Implementation::new(name.clone(), "1");
        let client = ClientConfig::new(ClientCapabilities::default(), identity);
        let client = client.serve(pipes).await.unwrap();
        Self { sandbox, home, name, variables, client, child }
    }

    /// A second server on the same sandbox and the same directories.
    pub(crate) async fn another(&self) -> Self {
        let (sandbox, home) = (Arc::clone(&self.sandbox), Arc::clone(&self.home));
        Self::connect(sandbox, home, self.name.clone(), self.variables.clone()).await
    }

    /// Kills the server without a word (`SIGKILL`), and starts it anew on what it left.
    pub(crate) async fn killed(mut self) -> Self {
        self.child.kill().await.unwrap();
        self.another().await
    }

    pub(crate) async fn tools(&self) -> Vec<Tool> {
        self.client.list_all_tools().await.unwrap()
    }

    pub(crate) async fn call(&self, tool: &str, arguments: Value) -> CallToolResult {
        self.try_call(tool, arguments).await.unwrap()
    }

    pub(crate) async fn try_call(
        &self,
        tool: &str,
        arguments: Value,
    ) -> Result<CallToolResult, ServiceError> {
        let arguments = arguments.as_object().cloned().unwrap();
        self.client
            .call_tool(CallToolRequestParams::new(tool.to_owned()).with_arguments(arguments))
            .await
    }

    /// The bytes of a resource.
    pub(crate) async fn read(&self, uri: &str) -> Result<Vec<u8>, ServiceError> {
        let request = ReadResourceRequestParams::new(uri);
        let result = self.client.read_resource(request).await?;
        Ok(match &result.contents[0] {
            ResourceContents::BlobResourceContents { blob, .. } => decode(blob),
            ResourceContents::TextResourceContents { text, .. } => text.clone().into_bytes(),
            _ => panic!("unknown contents"),
        })
    }

    pub(crate) fn client(&self) -> &RunningService<RoleClient, ClientConfig> {
        &self.client
    }

    /// The server's process.
    pub(crate) fn process(&self) -> u32 {
        self.child.id().unwrap()
    }

    pub(crate) fn out(&self) -> PathBuf {
        self.home.path().join("out")
    }

    /// Ends the connection, and says with which code the server ended. What it made is still there.
    pub(crate) async fn end(self) -> (Option<i32>, Arc<TempDir>) {
        let Self { client, mut child, home, .. } = self;
        client.cancel().await.unwrap();
        (child.wait().await.unwrap().code(), home)
    }
}

/// The text blocks of a result.
pub(crate) fn text(result: &CallToolResult) -> String {
    let texts = result.content.iter().filter_map(|block| block.as_text());
    texts.map(|text| text.text.as_str()).collect::<Vec<_>>().join("\n")
}

/// The kinds of a result's blocks, in order.
pub(crate) fn kinds(result: &CallToolResult) -> Vec<String> {
    let Value::Array(blocks) = json!(result.content) else { panic!("no blocks") };
    blocks.iter().map(|block| block["type"].as_str().unwrap().to_owned()).collect()
}

/// The blobs of a result: URI, type, bytes.
pub(crate) fn blobs(result: &CallToolResult) -> Vec<(String, String, Vec<u8>)> {
    let blocks = result.content.iter().filter_map(|block| block.as_resource());
    blocks
        .filter_map(|block| match &block.resource {
            ResourceContents::BlobResourceContents { uri, mime_type, blob, .. } => {
                Some((uri.clone(), mime_type.clone().unwrap(), decode(blob)))
            }
            _ => None,
        })
        .collect()
}

/// What the result says of its media to programs.
pub(crate) fn facts(result: &CallToolResult) -> Vec<Value> {
    let meta = result.meta.as_ref().unwrap();
    meta.0["ai.venice/media"].as_array().unwrap().clone()
}

/// The text of a result that must be an error.
#[track_caller]
pub(crate) fn error(result: &CallToolResult) -> String {
    assert_eq!(result.is_error, Some(true), "no error: {}", text(result));
    text(result)
}

pub(crate) fn decode(text: &str) -> Vec<u8> {
    base64::engine::general_purpose::STANDARD.decode(text).unwrap()
}

/// A picture of that size as a PNG.
pub(crate) fn png(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    let picture = image::RgbImage::from_pixel(width, height, image::Rgb([9, 99, 199]));
    picture.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

/// The bodies of the requests to that path so far, in order.
pub(crate) fn sent(world: &World, path: &str) -> Vec<Value> {
    let seen = world.sandbox.seen();
    seen.into_iter().filter(|seen| seen.path.ends_with(path)).map(|seen| seen.body).collect()
}

/// A mono WAV file of that many seconds of silence, 8,000 samples of 16 bits each.
pub(crate) fn wav(seconds: u32) -> Vec<u8> {
    let data = seconds * 16_000;
    let mut bytes = b"RIFF".to_vec();
    bytes.extend((36 + data).to_le_bytes());
    bytes.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    bytes.extend(8000_u32.to_le_bytes());
    bytes.extend(16_000_u32.to_le_bytes());
    bytes.extend(b"\x02\0\x10\0data");
    bytes.extend(data.to_le_bytes());
    bytes.resize(44 + data as usize, 0);
    bytes
}
