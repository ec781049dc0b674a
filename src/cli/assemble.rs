//! The parts of a server, put together from the settings.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use secrecy::SecretString;

use crate::catalog::Catalog;
use crate::config::{Config, Key};
use crate::input::{InputSettings, Inputs};
use crate::media::{Keep, MediaStore};
use crate::output::OutputSettings;
use crate::sandbox::Sandbox;
use crate::server::{Selection, Server};
use crate::storage::Storage;
use crate::tool::{Defaults, Services};
use crate::venice::fetch::Fetcher;
use crate::venice::{KeySource, NoKey, Venice, VeniceSettings};

/// A server, and the sandbox that it talks to where the settings ask for one.
pub(super) struct Assembled {
    pub(super) server: Server,
    _sandbox: Option<Sandbox>,
}

/// Puts a server together; the error is that of a sandbox that could not be started.
pub(super) async fn assemble(config: Config) -> std::io::Result<Assembled> {
    let sandbox = if config.sandbox {
        Some(Sandbox::start(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await?)
    } else {
        None
    };
    let (selection, warnings) =
        Selection::new(&config.toolsets, &config.tools, &config.exclude_tools, config.read_only);
    for warning in warnings {
        tracing::warn!("{warning}");
    }
    let output = OutputSettings { mode: config.output, inline_limit: config.inline_limit };
    let timeout = config.timeout;
    let services = services(config, sandbox.as_ref());
    let server = Server::new(Arc::new(services), selection, output, timeout);
    Ok(Assembled { server, _sandbox: sandbox })
}

fn services(config: Config, sandbox: Option<&Sandbox>) -> Services {
    let venice = venice(&config, sandbox);
    let storage = Storage::new(config.output_directory.clone(), config.fallback_directory);
    let keep = Keep { max_bytes: config.media_max_bytes, max_age: config.media_max_age };
    let inputs = Inputs::new(InputSettings {
        output_directory: config.output_directory,
        input_directories: config.input_directories,
        working_directory: config.working_directory,
        home: config.home,
        fetcher: Fetcher::new(config.allow_private_urls),
    });
    Services {
        catalog: Catalog::new(venice.clone()),
        venice,
        store: MediaStore::new(storage, keep),
        inputs,
        defaults: Defaults { models: config.models, safe_mode: config.safe_mode },
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
