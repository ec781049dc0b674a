//! Builds a server from the settings.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use rmcp::ServiceExt as _;
use secrecy::SecretString;

use crate::call::{Defaults, Services};
use crate::catalog::Catalog;
use crate::config::Config;
use crate::input::{InputSettings, Inputs};
use crate::jobs::Jobs;
use crate::media::{MediaStore, RetentionLimits};
use crate::net::is_loopback_url;
use crate::output::OutputSettings;
use crate::sandbox::Sandbox;
use crate::server::{Selection, Server};
use crate::spend::Spending;
use crate::storage::{DIRECT_WRITE_ALIGNMENT_BYTES, MIN_DIRECT_WRITE_BYTES, Secret, Storage};
use crate::tools;
use crate::venice::fetch::Fetcher;
use crate::venice::{HttpSender, KeySource, ReplyAlignment, Venice, VeniceSettings};

/// A server, and the sandbox that it talks to if the settings ask for one.
pub(super) struct BuiltServer {
    pub(super) server: Server,
    pub(super) store: MediaStore,
    pub(super) secret: Secret,
    _sandbox: Option<Sandbox>,
}

/// Builds a server. Fails only if its sandbox cannot be started.
pub(super) async fn build_server(config: Config) -> std::io::Result<BuiltServer> {
    let sandbox = if config.options.sandbox {
        Some(Sandbox::start(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await?)
    } else {
        None
    };
    let venice = build_venice(&config, sandbox.as_ref());
    let is_sandboxed = sandbox.is_some();
    let built = build_server_on(config, venice, is_sandboxed);
    Ok(BuiltServer { _sandbox: sandbox, ..built })
}

/// Serves MCP on `stream` until its other end closes. Requests to Venice are answered by `sender` instead of the network.
///
/// # Errors
///
/// What the client did wrong before its session began.
pub async fn serve_with_sender(
    config: Config,
    sender: Arc<dyn HttpSender>,
    stream: tokio::io::DuplexStream,
) -> Result<(), String> {
    let venice = Venice::with_sender(venice_settings(&config, None), sender);
    let server = build_server_on(config, venice, false).server;
    let running = server.serve(stream).await.map_err(|error| error.to_string())?;
    running.waiting().await.map(drop).map_err(|error| error.to_string())
}

fn build_server_on(config: Config, venice: Venice, is_sandboxed: bool) -> BuiltServer {
    let selection = Selection::new(
        &config.options.toolsets,
        &config.options.tools,
        &config.options.exclude_tools,
        config.options.read_only,
    );
    let output =
        OutputSettings { mode: config.options.output, inline_limit: config.options.inline_limit };
    let timeout = config.options.timeout;
    let storage =
        Storage::new(config.directories.output.clone(), config.directories.fallback.clone());
    let secret = Secret::new(config.secret.clone(), storage.clone());
    let services = build_services(config, venice, &storage, secret.clone(), is_sandboxed);
    let store = services.store.clone();
    let server = Server::new(Arc::new(services), selection, output, timeout);
    BuiltServer { server, store, secret, _sandbox: None }
}

fn build_services(
    config: Config,
    venice: Venice,
    storage: &Storage,
    secret: Secret,
    is_sandboxed: bool,
) -> Services {
    let private =
        config.options.allow_private_urls || is_sandboxed || is_loopback_url(&config.base_url);
    let directories = config.directories;
    let limits = RetentionLimits {
        max_bytes: config.options.media_max_bytes,
        max_age: config.options.media_max_age,
    };
    let inputs = Inputs::new(InputSettings {
        output_directory: directories.output,
        input_directories: directories.input,
        working_directory: directories.working,
        home: directories.home,
        fetcher: Fetcher::new(config.options.allow_private_urls),
    });
    let store = MediaStore::new(storage.clone(), limits);
    Services {
        catalog: Catalog::new(venice.clone()),
        // Media that an API on this machine made are on this machine too.
        jobs: Jobs::new(
            venice.clone(),
            storage.clone(),
            Fetcher::for_downloads(private),
            tools::job_kinds().collect(),
        ),
        venice,
        spending: Spending::new(storage.clone(), config.options.caps),
        secret,
        store,
        inputs,
        defaults: Defaults {
            models: config.options.models,
            safe_mode: config.options.safe_mode,
            crypto_send: config.options.allow_crypto_send,
            read_only: config.options.read_only,
        },
    }
}

/// The client of the API that the settings name, or of the sandbox.
pub(super) fn build_venice(config: &Config, sandbox: Option<&Sandbox>) -> Venice {
    Venice::new(venice_settings(config, sandbox))
}

fn venice_settings(config: &Config, sandbox: Option<&Sandbox>) -> VeniceSettings {
    let sandboxed = sandbox.and_then(|sandbox| sandbox.base_url().parse().ok());
    let (base_url, key) = match sandboxed {
        Some(base_url) => (base_url, KeySource::Key(SecretString::from("sandbox"))),
        None => (config.base_url.clone(), config.key.clone()),
    };
    VeniceSettings {
        base_url,
        key,
        plural: config.options.plural_paths,
        rate_limits: config.options.rate_limits,
        breaker: config.options.failure_breaker,
        timeout: config.options.timeout,
        // The store writes large media without a copy if their memory begins where the disk wants it.
        reply_alignment: ReplyAlignment {
            alignment: DIRECT_WRITE_ALIGNMENT_BYTES,
            min_length: MIN_DIRECT_WRITE_BYTES,
        },
    }
}
