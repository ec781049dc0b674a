//! The settings: flags and environment variables become validated values, once, at start.
//!
//! Nothing else in the crate reads the environment. A flag wins over its variable, an empty variable is an
//! unset one, and secrets have no flags.

mod directories;
mod flags;
mod http;
mod key;
mod log;
mod settings;
mod units;

use std::path::PathBuf;
use std::time::Duration;

use url::Url;

use crate::context::OutputMode;
use crate::net::is_loopback_url;

pub use directories::Directories;
pub use flags::{Flags, LogFormat, SafeMode};
pub use http::{Http, HttpFlags, SecretBytes, authority};
pub use key::Key;
pub use settings::{SETTINGS, Setting};

/// The API that is called where nothing else is said.
pub const BASE_URL: &str = "https://api.venice.ai/api/v1";

/// The most bytes of media in one reply that a limit set by hand may allow.
pub const HIGHEST_INLINE_LIMIT: u64 = 64 << 20;

/// The variables of other programs that decide how Venice is reached.
const NETWORK: [&str; 8] = [
    "HTTPS_PROXY",
    "https_proxy",
    "HTTP_PROXY",
    "http_proxy",
    "ALL_PROXY",
    "all_proxy",
    "NO_PROXY",
    "no_proxy",
];

/// A setting that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{setting}: {message}")]
pub struct Invalid {
    /// The variable, or the flag.
    pub setting: String,
    /// What is wrong with it, and what is allowed.
    pub message: String,
}

impl Invalid {
    fn new(setting: impl Into<String>, message: impl Into<String>) -> Self {
        Self { setting: setting.into(), message: message.into() }
    }
}

/// Reads one variable of the environment.
pub type Read<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Every setting, checked.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a setting of its own")]
pub struct Config {
    /// The API key.
    pub key: Key,
    /// The variable that names the key, where one does.
    pub key_variable: Option<&'static str>,
    /// The file that holds the key, where a variable names one.
    pub key_file: Option<PathBuf>,
    /// Where the API is.
    pub base_url: Url,
    /// Whether the plural paths are called in place of the documented ones.
    pub plural_paths: bool,
    /// Whether the server talks to a sandbox that it starts itself.
    pub sandbox: bool,
    /// The toolsets to offer: names, `default` and `all`; none for the default ones.
    pub toolsets: Vec<String>,
    /// Tools to offer beside the toolsets.
    pub tools: Vec<String>,
    /// Tools not to offer.
    pub exclude_tools: Vec<String>,
    /// Whether tools that spend or delete are hidden.
    pub read_only: bool,
    /// How media reach the client.
    pub output: OutputMode,
    /// The most bytes of media in one reply, where set by hand.
    pub inline_limit: Option<u64>,
    /// Where media are stored and read from.
    pub directories: Directories,
    /// The proxy variables that are set: the API client heeds them.
    pub network_variables: Vec<&'static str>,
    /// The most bytes that the store holds before the oldest go.
    pub media_max_bytes: u64,
    /// How long the store keeps an item.
    pub media_max_age: Duration,
    /// Whether media are fetched from private addresses and over plain HTTP too.
    pub allow_private_urls: bool,
    /// Whether calls may send transactions to chains.
    pub allow_crypto_send: bool,
    /// The models of calls that name none.
    pub models: Models,
    /// What is sent as `safe_mode`.
    pub safe_mode: SafeMode,
    /// Whether calls wait for a rate limit that an earlier reply told of.
    pub rate_limits: bool,
    /// Whether a run of refused requests stops further ones for a while.
    pub failure_breaker: bool,
    /// The most time that one call takes, where set by hand.
    pub timeout: Option<Duration>,
    /// What calls may cost.
    pub caps: Caps,
    /// How MCP is served over HTTP; over stdin and stdout where it is not.
    pub http: Option<Http>,
    /// What signs download links and requests for confirmation, where it is not the store's own.
    pub secret: Option<SecretBytes>,
    /// What is logged: levels as `tracing` filters write them.
    pub log: String,
    /// The form of the log.
    pub log_format: LogFormat,
}

/// The models of calls that name none.
#[derive(Debug, Clone, Default)]
pub struct Models {
    /// Text to image.
    pub image: Option<String>,
    /// Image to image.
    pub edit: Option<String>,
    /// Text to speech.
    pub tts: Option<String>,
    /// Speech to text.
    pub asr: Option<String>,
    /// Text to text.
    pub chat: Option<String>,
    /// Text to vectors.
    pub embedding: Option<String>,
}

/// What calls may cost, in US dollars; nothing is capped where nothing is set.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Caps {
    /// The most that one call may cost.
    pub max_call_usd: Option<f64>,
    /// The most that all calls of a UTC day may cost.
    pub budget_usd: Option<f64>,
    /// What a call may cost before its user is asked.
    pub confirm_over_usd: Option<f64>,
}

impl Config {
    /// The settings of this process.
    pub fn load(flags: Flags) -> Result<Self, Invalid> {
        let is_no_text = |variable: &str| {
            matches!(std::env::var(variable), Err(std::env::VarError::NotUnicode(_)))
        };
        // Taken for unset, it would leave open what it was to close.
        if let Some(setting) = SETTINGS.iter().find(|setting| is_no_text(setting.variable)) {
            return Err(Invalid::new(setting.variable, "is not UTF-8"));
        }
        Self::from(flags, &|name| std::env::var(name).ok(), std::env::current_dir().ok())
    }

    /// The settings in `flags` and in the environment that `read` reads.
    pub fn from(
        flags: Flags,
        read: Read<'_>,
        working_directory: Option<PathBuf>,
    ) -> Result<Self, Invalid> {
        let read = &|name: &str| read(name).filter(|value| !value.trim().is_empty());
        let models = Models::find(&flags, read);
        let caps = Caps::find(&flags, read)?;
        let sandbox = flags.sandbox || on("VENICE_SANDBOX", read)?;
        let (output, input) = (flags.output_dir, flags.input_dir);
        let directories = Directories::find(output, input, sandbox, read, working_directory);
        Ok(Self {
            key: Key::find(read)?,
            key_file: read("VENICE_API_KEY_FILE")
                .map(|file| directories.whole(PathBuf::from(file))),
            key_variable: key::VARIABLES.into_iter().find(|name| read(name).is_some()),
            base_url: base_url(flags.base_url, read)?,
            plural_paths: choice("VENICE_API_PATHS", read, &["documented", "plural"])?
                == Some("plural"),
            sandbox,
            toolsets: names(flags.toolset, "VENICE_TOOLSETS", read),
            tools: names(flags.tool, "VENICE_TOOLS", read),
            exclude_tools: names(flags.exclude_tool, "VENICE_EXCLUDE_TOOLS", read),
            read_only: flags.read_only || on("VENICE_READ_ONLY", read)?,
            output: parsed(flags.output, "VENICE_OUTPUT", read, |text| {
                OutputMode::parse(text).ok_or("must be auto, blob, image, link, file or none")
            })?
            .unwrap_or_default(),
            inline_limit: parsed(flags.inline_limit, "VENICE_INLINE_LIMIT", read, inline_limit)?,
            directories,
            network_variables: NETWORK.into_iter().filter(|name| read(name).is_some()).collect(),
            media_max_bytes: parsed(
                flags.media_max_bytes,
                "VENICE_MEDIA_MAX_BYTES",
                read,
                units::bytes,
            )?
            .unwrap_or(10 * 1024 * 1024 * 1024),
            media_max_age: parsed(flags.media_max_age, "VENICE_MEDIA_MAX_AGE", read, units::age)?
                .unwrap_or(Duration::from_hours(90 * 24)),
            allow_private_urls: flags.allow_private_urls || on("VENICE_ALLOW_PRIVATE_URLS", read)?,
            allow_crypto_send: flags.allow_crypto_send || on("VENICE_ALLOW_CRYPTO_SEND", read)?,
            models,
            safe_mode: parsed(flags.safe_mode, "VENICE_SAFE_MODE", read, SafeMode::parse)?
                .unwrap_or_default(),
            rate_limits: switch("VENICE_RATE_LIMITS", read)?,
            failure_breaker: switch("VENICE_FAILURE_BREAKER", read)?,
            timeout: parsed(flags.timeout, "VENICE_TIMEOUT", read, units::seconds)?,
            caps,
            secret: http::secret(flags.http.secret_file.clone(), read)?,
            http: Http::from(flags.http, read)?,
            log: log::find(flags.log, read)?,
            log_format: parsed(flags.log_format, "VENICE_LOG_FORMAT", read, LogFormat::parse)?
                .unwrap_or_default(),
        })
    }
}

impl Models {
    fn find(flags: &Flags, read: Read<'_>) -> Self {
        let model = |flag: &Option<String>, variable| flag.clone().or_else(|| read(variable));
        Self {
            image: model(&flags.image_model, "VENICE_IMAGE_MODEL"),
            edit: model(&flags.edit_model, "VENICE_EDIT_MODEL"),
            tts: model(&flags.tts_model, "VENICE_TTS_MODEL"),
            asr: model(&flags.asr_model, "VENICE_ASR_MODEL"),
            chat: model(&flags.chat_model, "VENICE_CHAT_MODEL"),
            embedding: model(&flags.embedding_model, "VENICE_EMBEDDING_MODEL"),
        }
    }
}

impl Caps {
    fn find(flags: &Flags, read: Read<'_>) -> Result<Self, Invalid> {
        let usd =
            |flag: &Option<String>, variable| parsed(flag.clone(), variable, read, units::usd);
        Ok(Self {
            max_call_usd: usd(&flags.max_call_usd, "VENICE_MAX_CALL_USD")?,
            budget_usd: usd(&flags.budget_usd, "VENICE_BUDGET_USD")?,
            confirm_over_usd: usd(&flags.confirm_over_usd, "VENICE_CONFIRM_OVER_USD")?,
        })
    }
}

/// The base URL: https, or http to this machine alone, for the key goes there.
fn base_url(flag: Option<String>, read: Read<'_>) -> Result<Url, Invalid> {
    let setting = if flag.is_some() { "--base-url" } else { "VENICE_BASE_URL" };
    let text = flag.or_else(|| read("VENICE_BASE_URL")).unwrap_or_else(|| BASE_URL.to_owned());
    let url = Url::parse(text.trim().trim_end_matches('/'))
        .map_err(|error| Invalid::new(setting, format!("`{text}` is not a URL: {error}")))?;
    match url.scheme() {
        "https" if url.has_host() => Ok(url),
        "http" if is_loopback_url(&url) => Ok(url),
        "http" => Err(Invalid::new(setting, "http is for loopback hosts alone; use https")),
        _ => Err(Invalid::new(setting, format!("`{text}` must start with https://"))),
    }
}

/// Names separated by commas or space: from the flags if there are any, else from the variable.
fn names(flags: Vec<String>, variable: &str, read: Read<'_>) -> Vec<String> {
    let given = if flags.is_empty() { read(variable).into_iter().collect() } else { flags };
    given
        .iter()
        .flat_map(|list| list.split([',', ' ', ';']))
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect()
}

fn inline_limit(text: &str) -> Result<u64, String> {
    let limit = units::bytes(text)?;
    if limit > HIGHEST_INLINE_LIMIT { Err("at most 64MiB".to_owned()) } else { Ok(limit) }
}

/// The value of the flag, else of the variable, as `parse` reads it. The error names the one that was given.
fn parsed<T, E: ToString>(
    flag: Option<String>,
    variable: &str,
    read: Read<'_>,
    parse: impl Fn(&str) -> Result<T, E>,
) -> Result<Option<T>, Invalid> {
    let by_flag = flag.as_ref().and_then(|_| settings::flag(variable));
    let Some(text) = flag.or_else(|| read(variable)) else { return Ok(None) };
    parse(text.trim()).map(Some).map_err(|error| {
        let setting = by_flag.unwrap_or(variable);
        Invalid::new(setting, format!("`{text}` cannot be used: {}", error.to_string()))
    })
}

fn choice<'a>(
    variable: &str,
    read: Read<'_>,
    allowed: &[&'a str],
) -> Result<Option<&'a str>, Invalid> {
    parsed(None, variable, read, |text| {
        let found = allowed.iter().find(|one| one.eq_ignore_ascii_case(text)).copied();
        found.ok_or_else(|| format!("must be one of {}", allowed.join(", ")))
    })
}

/// Whether the variable says yes; no where it is not set.
fn on(variable: &str, read: Read<'_>) -> Result<bool, Invalid> {
    let said = choice(variable, read, &["1", "true", "yes", "on", "0", "false", "no", "off"])?;
    Ok(matches!(said, Some("1" | "true" | "yes" | "on")))
}

/// Whether the variable leaves a part on; yes where it is not set.
fn switch(variable: &str, read: Read<'_>) -> Result<bool, Invalid> {
    Ok(read(variable).is_none() || on(variable, read)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(variables: &[(&str, &str)]) -> Result<Config, Invalid> {
        let read = |name: &str| {
            variables.iter().find(|(one, _)| *one == name).map(|(_, value)| (*value).to_owned())
        };
        Config::from(Flags::default(), &read, Some(PathBuf::from("/work")))
    }

    #[test]
    fn an_empty_environment_is_enough() {
        let config = load(&[("VENICE_OUTPUT", " ")]).unwrap();
        assert_eq!(config.base_url.as_str(), BASE_URL);
        assert!(config.rate_limits && config.failure_breaker && !config.read_only);
        assert!(matches!(config.key, Key::Missing));
    }

    #[test]
    fn a_flag_wins_over_its_variable() {
        let flags = Flags { output: Some("link".into()), ..Flags::default() };
        let read = |name: &str| (name == "VENICE_OUTPUT").then(|| "file".to_owned());
        assert_eq!(Config::from(flags, &read, None).unwrap().output, OutputMode::Link);
    }

    #[test]
    fn a_bad_value_is_named_with_its_setting() {
        for (variable, value) in [
            ("VENICE_OUTPUT", "loud"),
            ("VENICE_INLINE_LIMIT", "4 parsecs"),
            ("VENICE_BASE_URL", "http://example.com"),
            ("VENICE_BASE_URL", "not a url"),
            ("VENICE_READ_ONLY", "maybe"),
            ("VENICE_TIMEOUT", "-1"),
            ("VENICE_BUDGET_USD", "-1"),
            ("VENICE_MAX_CALL_USD", "NaN"),
            ("VENICE_API_KEY_FILE", "/does/not/exist"),
        ] {
            let message = load(&[(variable, value)]).unwrap_err().to_string();
            assert!(message.starts_with(variable) && !message.contains('\n'), "{message}");
        }
    }

    #[test]
    fn lists_and_sizes_are_read_in_their_usual_forms() {
        let config = load(&[
            ("VENICE_TOOLSETS", "image, audio"),
            ("VENICE_INLINE_LIMIT", "1MiB"),
            ("VENICE_OUTPUT_DIR", "made"),
        ])
        .unwrap();
        assert_eq!(config.toolsets, ["image", "audio"]);
        assert_eq!(config.inline_limit, Some(1 << 20));
        assert_eq!(config.directories.output, PathBuf::from("/work/made"));
    }
}
