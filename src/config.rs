//! The settings: flags and environment variables are parsed once, at start.
//!
//! Nothing else in the crate reads the environment. A flag wins over its variable, an empty variable counts as unset,
//! and secrets have no flags.

mod directories;
mod draft;
mod flags;
mod given_values;
mod http;
mod key;
mod log;
mod setting;
mod settings;
mod values;

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use url::Url;

use crate::call::{DefaultModels, SafeMode};
use crate::context::OutputMode;
use crate::spend::Caps;
use crate::storage::SecretBytes;
use crate::transport::http::HttpOptions;
use crate::venice::KeySource;

pub use directories::Directories;
use draft::Draft;
pub use flags::Flags;
pub use log::LogFormat;
pub use setting::Setting;
pub use settings::SETTINGS;

/// The variables of other programs that decide how Venice is reached.
const PROXY_VARIABLES: [&str; 8] = [
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
pub type Read<'a> = &'a dyn Fn(&str) -> Option<OsString>;

/// Every setting, validated.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where the API key comes from.
    pub key: KeySource,
    /// The variable that names the key, if one is set.
    pub key_variable: Option<&'static str>,
    /// The file that holds the key, if a variable names one.
    pub key_file: Option<PathBuf>,
    /// Where the API is.
    pub base_url: Url,
    /// Where media are stored and read from.
    pub directories: Directories,
    /// The proxy variables that are set. The API client follows them.
    pub proxy_variables: Vec<&'static str>,
    /// How MCP is served over HTTP. If `None`, it is served on stdin and stdout.
    pub http: Option<HttpOptions>,
    /// What signs download links and requests for confirmation. If `None`, the store has a secret of its own.
    pub secret: Option<SecretBytes>,
    /// What is logged, as a filter of `tracing`.
    pub log: String,
    /// The settings that depend on no other.
    pub options: Options,
}

/// The settings that depend on no other. Each is filled by its row of [`SETTINGS`].
#[derive(Debug, Clone, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a setting of its own")]
pub struct Options {
    /// Whether `/v1/…` plural paths are called instead of the documented ones.
    pub plural_paths: bool,
    /// Whether the server talks to a sandbox that it starts itself.
    pub sandbox: bool,
    /// The toolsets to offer: names, `default`, and `all`. Empty for the default ones.
    pub toolsets: Vec<String>,
    /// Tools to offer in addition to the toolsets.
    pub tools: Vec<String>,
    /// Tools not to offer.
    pub exclude_tools: Vec<String>,
    /// Whether tools that spend or delete are hidden.
    pub read_only: bool,
    /// How media reach the client.
    pub output: OutputMode,
    /// The most bytes of media in one reply, if set by hand.
    pub inline_limit: Option<u64>,
    /// The most bytes that the store holds before the oldest items go.
    pub media_max_bytes: u64,
    /// How long the store keeps an item.
    pub media_max_age: Duration,
    /// Whether media are fetched from private addresses and over plain HTTP too.
    pub allow_private_urls: bool,
    /// Whether calls may send transactions to chains.
    pub allow_crypto_send: bool,
    /// The models of calls that name none.
    pub models: DefaultModels,
    /// What is sent as `safe_mode`.
    pub safe_mode: SafeMode,
    /// Whether calls wait for a rate limit that an earlier reply reported.
    pub rate_limits: bool,
    /// Whether a run of refused requests stops further ones for a while.
    pub failure_breaker: bool,
    /// The most time that one call takes, if set by hand.
    pub timeout: Option<Duration>,
    /// What calls may cost.
    pub caps: Caps,
    /// The form of the log.
    pub log_format: LogFormat,
}

impl Config {
    /// The settings of this process.
    ///
    /// # Errors
    ///
    /// The first setting that cannot be used.
    pub fn load(flags: &Flags) -> Result<Self, Invalid> {
        Self::from_sources(flags, &|name| std::env::var_os(name), std::env::current_dir().ok())
    }

    /// The settings in `flags` and in the environment that `read` reads.
    ///
    /// # Errors
    ///
    /// The first setting that cannot be used.
    pub fn from_sources(
        flags: &Flags,
        read: Read<'_>,
        working_directory: Option<PathBuf>,
    ) -> Result<Self, Invalid> {
        let is_blank = |value: &OsString| value.to_str().is_some_and(|text| text.trim().is_empty());
        let read = &|name: &str| read(name).filter(|value| !is_blank(value));
        let mut draft = Draft::new();
        for setting in SETTINGS {
            let flag = setting.flag.and_then(|flag| flags.get(flag));
            setting.apply(&mut draft, flag, read(setting.variable))?;
        }
        draft.finish(read, working_directory)
    }
}

#[cfg(test)]
mod tests {
    use clap::{Args as _, FromArgMatches as _};

    use super::*;

    const BASE_URL: &str = "https://api.venice.ai/api/v1";

    fn load(flags: &[&str], variables: &[(&str, &str)]) -> Result<Config, Invalid> {
        let command = Flags::augment_args(clap::Command::new("test").no_binary_name(true));
        let flags = Flags::from_arg_matches(&command.get_matches_from(flags)).unwrap();
        let read = |name: &str| {
            variables.iter().find(|(one, _)| *one == name).map(|(_, value)| OsString::from(value))
        };
        Config::from_sources(&flags, &read, Some(PathBuf::from("/work")))
    }

    #[test]
    fn an_empty_environment_is_enough() {
        let config = load(&[], &[("VENICE_OUTPUT", " ")]).unwrap();
        assert_eq!(config.base_url.as_str(), BASE_URL);
        let options = config.options;
        assert!(options.rate_limits && options.failure_breaker && !options.read_only);
        assert_eq!(options.media_max_bytes, 10 << 30);
        assert!(matches!(config.key, KeySource::None { .. }));
        assert!(config.http.is_none());
    }

    #[test]
    fn a_flag_wins_over_its_variable() {
        let link = &["--output", "link"];
        assert_eq!(
            load(link, &[("VENICE_OUTPUT", "file")]).unwrap().options.output,
            OutputMode::Link
        );
        assert_eq!(load(link, &[("VENICE_OUTPUT", "?")]).unwrap().options.output, OutputMode::Link);
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
            ("VENICE_API_KEY", "a b"),
            ("VENICE_MCP_AUTH_TOKEN", "short"),
            ("VENICE_MCP_ALLOWED_ORIGINS", "app.example"),
        ] {
            let message = load(&[], &[(variable, value)]).unwrap_err().to_string();
            assert!(message.starts_with(&format!("{variable}: ")), "{message}");
            assert!(!message.contains('\n'), "{message}");
        }
        let message = load(&["--output", "loud"], &[]).unwrap_err().to_string();
        assert!(message.starts_with("--output: `loud` cannot be used: must be auto"), "{message}");
    }

    #[test]
    fn lists_and_sizes_are_read_in_their_usual_forms() {
        let variables = [
            ("VENICE_TOOLSETS", "image, audio"),
            ("VENICE_INLINE_LIMIT", "1MiB"),
            ("VENICE_OUTPUT_DIR", "made"),
        ];
        let config = load(&[], &variables).unwrap();
        assert_eq!(config.options.toolsets, ["image", "audio"]);
        assert_eq!(config.options.inline_limit, Some(1 << 20));
        assert_eq!(config.directories.output, PathBuf::from("/work/made"));
        let flags = ["--toolset", "image", "--toolsets", "audio,text", "--input-dir", "a:b"];
        let config = load(&flags, &variables).unwrap();
        assert_eq!(config.options.toolsets, ["image", "audio", "text"]);
        assert_eq!(config.directories.input, [PathBuf::from("/work/a:b")]);
    }

    #[test]
    fn the_first_variable_that_names_the_key_counts() {
        let variables = [("VENICE_API_KEY", "abc"), ("VENICE_API_KEY_FILE", "/does/not/exist")];
        let config = load(&[], &variables).unwrap();
        assert_eq!(config.key_variable, Some("VENICE_API_KEY"));
        assert!(matches!(config.key, KeySource::Key(_)));
        assert_eq!(config.key_file, Some(PathBuf::from("/does/not/exist")));
    }

    #[test]
    fn beyond_loopback_a_token_or_a_word_is_needed() {
        let open = ("VENICE_HTTP", "0.0.0.0:1");
        let message = load(&[], &[open]).unwrap_err().to_string();
        assert!(message.contains("--allow-unauthenticated"), "{message}");
        let token = ("VENICE_MCP_AUTH_TOKEN", "sixteen-characters");
        assert!(load(&[], &[open, token]).unwrap().http.is_some());
        assert!(load(&["--allow-unauthenticated"], &[open]).unwrap().http.is_some());
        assert!(load(&[], &[token]).unwrap().http.is_none());
    }
}
