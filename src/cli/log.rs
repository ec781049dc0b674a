//! The log. It goes to stderr, because stdout carries the protocol.

use tracing::level_filters::LevelFilter;
use tracing::{Level, Metadata};
use tracing_subscriber::filter::{FilterExt as _, Targets, filter_fn};
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::config::{Config, LogFormat};

/// Starts the log as the settings say; the error names a filter that cannot be read.
pub fn start_log(config: &Config) -> Result<(), String> {
    let mut wanted: Targets = (config.log.parse())
        .map_err(|error| format!("VENICE_LOG: `{}` is not a log filter: {error}", config.log))?;
    if wanted.default_level().is_none() {
        wanted = wanted.with_default(LevelFilter::WARN);
    }
    let filter = wanted.and(filter_fn(is_discreet));
    let form = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let registry = tracing_subscriber::registry();
    let started = match config.options.log_format {
        LogFormat::Text => {
            registry.with(form.with_ansi(false).compact().with_filter(filter)).try_init()
        }
        LogFormat::Json => registry.with(form.json().with_filter(filter)).try_init(),
    };
    started.map_err(|error| format!("the log could not be started: {error}"))
}

/// Whether an event may be logged. Below info, libraries print whole messages: prompts, media, and headers.
fn is_discreet(metadata: &Metadata<'_>) -> bool {
    metadata.target().starts_with("venice_mcp") || *metadata.level() <= Level::INFO
}
