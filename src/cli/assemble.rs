//! The parts of a server, put together from the settings.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use secrecy::SecretString;

use crate::call::{Defaults, Services};
use crate::catalog::Catalog;
use crate::config::{Config, Key};
use crate::input::{InputSettings, Inputs};
use crate::jobs::Jobs;
use crate::media::{MediaStore, RetentionLimits};
use crate::net::is_loopback_url;
use crate::output::OutputSettings;
use crate::sandbox::Sandbox;
use crate::server::{Selection, Server};
use crate::spend::Spending;
use crate::storage::{DIRECT_WRITE_ALIGNMENT_BYTES, MIN_DIRECT_WRITE_BYTES, Secret, Storage};
use crate::venice::fetch::Fetcher;
use crate::venice::{KeySource, NoKey, ReplyAlignment, Venice, VeniceSettings};

/// A server, and the sandbox that it talks to where the settings ask for one.
pub(super) struct Assembled {
    pub(super) server: Server,
    pub(super) store: MediaStore,
    pub(super) secret: Secret,
    _sandbox: Option<Sandbox>,
}

/// Puts a server together; the error is that of a sandbox that could not be started.
pub(super) async fn assemble(config: Config) -> std::io::Result<Assembled> {
    let sandbox = if config.sandbox {
        Some(Sandbox::start(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await?)
    } else {
        None
    };
    let selection =
        Selection::new(&config.toolsets, &config.tools, &config.exclude_tools, config.read_only);
    let output = OutputSettings { mode: config.output, inline_limit: config.inline_limit };
    let timeout = config.timeout;
    let storage =
        Storage::new(config.directories.output.clone(), config.directories.fallback.clone());
    let secret = Secret::new(config.secret.clone(), storage.clone());
    let services = services(config, &storage, secret.clone(), sandbox.as_ref());
    let store = services.store.clone();
    let server = Server::new(Arc::new(services), selection, output, timeout);
    Ok(Assembled { server, store, secret, _sandbox: sandbox })
}

fn services(
    config: Config,
    storage: &Storage,
    secret: Secret,
    sandbox: Option<&Sandbox>,
) -> Services {
    let private =
        config.allow_private_urls || sandbox.is_some() || is_loopback_url(&config.base_url);
    let venice = venice(&config, sandbox);
    let directories = config.directories;
    let limits =
        RetentionLimits { max_bytes: config.media_max_bytes, max_age: config.media_max_age };
    let inputs = Inputs::new(InputSettings {
        output_directory: directories.output,
        input_directories: directories.input,
        working_directory: directories.working,
        home: directories.home,
        fetcher: Fetcher::new(config.allow_private_urls),
    });
    let store = MediaStore::new(storage.clone(), limits);
    Services {
        catalog: Catalog::new(venice.clone()),
        // What an API on this machine made lies on this machine.
        jobs: Jobs::new(venice.clone(), storage.clone(), Fetcher::for_downloads(private)),
        venice,
        spending: Spending::new(storage.clone(), config.caps),
        secret,
        store,
        inputs,
        defaults: Defaults {
            models: config.models,
            safe_mode: config.safe_mode,
            crypto_send: config.allow_crypto_send,
            read_only: config.read_only,
        },
    }
}

/// The API that the settings name, or the sandbox in its place.
pub(super) fn venice(config: &Config, sandbox: Option<&Sandbox>) -> Venice {
    let sandboxed = sandbox.and_then(|sandbox| sandbox.base_url().parse().ok());
    let (base_url, key) = match sandboxed {
        Some(base_url) => (base_url, KeySource::Key(SecretString::from("sandbox"))),
        None => (config.base_url.clone(), key_source(config.key.clone())),
    };
    Venice::new(VeniceSettings {
        base_url,
        key,
        plural: config.plural_paths,
        rate_limits: config.rate_limits,
        breaker: config.failure_breaker,
        timeout: config.timeout,
        // The store writes large media without a copy if their memory begins where the disk wants it.
        reply_alignment: ReplyAlignment {
            alignment: DIRECT_WRITE_ALIGNMENT_BYTES,
            min_length: MIN_DIRECT_WRITE_BYTES,
        },
    })
}

fn key_source(key: Key) -> KeySource {
    match key {
        Key::Missing => KeySource::None { why: NoKey::Missing },
        Key::Unsubstituted => KeySource::None { why: NoKey::Unsubstituted },
        Key::Given(key) => KeySource::Key(key),
        Key::Command(words) => KeySource::Command(words),
    }
}
