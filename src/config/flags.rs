//! The flags that settings have. Each has a variable beside it.

#![expect(clippy::doc_markdown, reason = "these comments are the text of --help")]

use std::path::PathBuf;

/// The settings as flags. Values stay text here: they are read by the same code as the variables.
#[expect(clippy::struct_excessive_bools, reason = "each is one flag")]
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Settings (each is also an environment variable, see the README)")]
pub struct Flags {
    /// Talk to a stand-in for Venice that is started on this machine; needs no key.
    #[arg(long, global = true)]
    pub sandbox: bool,
    /// Toolsets to offer: image, audio, …, `default` or `all` [VENICE_TOOLSETS].
    #[arg(long, alias = "toolsets", value_name = "NAME", global = true)]
    pub toolset: Vec<String>,
    /// A tool to offer; without --toolset, only those named [VENICE_TOOLS].
    #[arg(long, value_name = "NAME", global = true)]
    pub tool: Vec<String>,
    /// A tool not to offer [VENICE_EXCLUDE_TOOLS].
    #[arg(long, value_name = "NAME", global = true)]
    pub exclude_tool: Vec<String>,
    /// Offer only tools that spend and delete nothing [VENICE_READ_ONLY].
    #[arg(long, global = true)]
    pub read_only: bool,
    /// How media come back: auto, blob, image, link, file or none [VENICE_OUTPUT].
    #[arg(long, value_name = "MODE", global = true)]
    pub output: Option<String>,
    /// The most bytes of media in one reply, such as 4MiB [VENICE_INLINE_LIMIT].
    #[arg(long, value_name = "SIZE", global = true)]
    pub inline_limit: Option<String>,
    /// Where media are stored [VENICE_OUTPUT_DIR].
    #[arg(long, value_name = "DIR", global = true)]
    pub output_dir: Option<PathBuf>,
    /// A directory that media are read from [VENICE_INPUT_DIRS].
    #[arg(long, value_name = "DIR", global = true)]
    pub input_dir: Vec<PathBuf>,
    /// How much the store holds before the oldest media go [VENICE_MEDIA_MAX_BYTES].
    #[arg(long, value_name = "SIZE", global = true)]
    pub media_max_bytes: Option<String>,
    /// How long media are kept, such as 90d [VENICE_MEDIA_MAX_AGE].
    #[arg(long, value_name = "AGE", global = true)]
    pub media_max_age: Option<String>,
    /// Fetch media over http and from private addresses too [VENICE_ALLOW_PRIVATE_URLS].
    #[arg(long, global = true)]
    pub allow_private_urls: bool,
    /// Let venice_crypto_rpc send transactions, which cannot be undone [VENICE_ALLOW_CRYPTO_SEND].
    #[arg(long, global = true)]
    pub allow_crypto_send: bool,
    /// The image model of calls that name none [VENICE_IMAGE_MODEL].
    #[arg(long, value_name = "ID", global = true)]
    pub image_model: Option<String>,
    /// The edit model of calls that name none [VENICE_EDIT_MODEL].
    #[arg(long, value_name = "ID", global = true)]
    pub edit_model: Option<String>,
    /// The speech model of calls that name none [VENICE_TTS_MODEL].
    #[arg(long, value_name = "ID", global = true)]
    pub tts_model: Option<String>,
    /// The transcription model of calls that name none [VENICE_ASR_MODEL].
    #[arg(long, value_name = "ID", global = true)]
    pub asr_model: Option<String>,
    /// The text model of calls that name none [VENICE_CHAT_MODEL].
    #[arg(long, value_name = "ID", global = true)]
    pub chat_model: Option<String>,
    /// The embedding model of calls that name none [VENICE_EMBEDDING_MODEL].
    #[arg(long, value_name = "ID", global = true)]
    pub embedding_model: Option<String>,
    /// What is sent as safe_mode: api, on, off or locked [VENICE_SAFE_MODE].
    #[arg(long, value_name = "MODE", global = true)]
    pub safe_mode: Option<String>,
    /// The most seconds that a call takes [VENICE_TIMEOUT].
    #[arg(long, value_name = "SECONDS", global = true)]
    pub timeout: Option<String>,
    /// The most US dollars that one call may cost [VENICE_MAX_CALL_USD].
    #[arg(long, value_name = "USD", global = true)]
    pub max_call_usd: Option<String>,
    /// The most US dollars that the calls of a UTC day may cost [VENICE_BUDGET_USD].
    #[arg(long, value_name = "USD", global = true)]
    pub budget_usd: Option<String>,
    /// Ask the user before a call that costs more US dollars than this [VENICE_CONFIRM_OVER_USD].
    #[arg(long, value_name = "USD", global = true)]
    pub confirm_over_usd: Option<String>,
    /// Where the API is [VENICE_BASE_URL].
    #[arg(long, value_name = "URL", global = true)]
    pub base_url: Option<String>,
    /// What is logged to stderr, such as info [VENICE_LOG].
    #[arg(long, value_name = "LEVEL", global = true)]
    pub log: Option<String>,
    /// The form of the log: text or json [VENICE_LOG_FORMAT].
    #[arg(long, value_name = "FORM", global = true)]
    pub log_format: Option<String>,
    /// The flags of the HTTP server.
    #[command(flatten)]
    pub http: super::HttpFlags,
}

/// What is sent as `safe_mode` where the call does not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SafeMode {
    /// Nothing: the API decides.
    #[default]
    Api,
    /// `true`.
    On,
    /// `false`.
    Off,
    /// `true`, and a call that says otherwise is refused.
    Locked,
}

impl SafeMode {
    /// The mode of that name, in any case.
    pub fn parse(name: &str) -> Result<Self, &'static str> {
        match name.to_ascii_lowercase().as_str() {
            "api" => Ok(Self::Api),
            "on" => Ok(Self::On),
            "off" => Ok(Self::Off),
            "locked" => Ok(Self::Locked),
            _ => Err("must be api, on, off or locked"),
        }
    }
}

/// The form of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

impl LogFormat {
    /// The form of that name, in any case.
    pub fn parse(name: &str) -> Result<Self, &'static str> {
        match name.to_ascii_lowercase().as_str() {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err("must be text or json"),
        }
    }
}
