//! Every setting by name: what the README's table says, and what a test holds against the code.

/// One setting.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    /// The environment variable.
    pub variable: &'static str,
    /// The flag, where there is one: secrets have none.
    pub flag: Option<&'static str>,
    /// What holds where nothing is set.
    pub default: &'static str,
    /// What it sets.
    pub about: &'static str,
}

const fn setting(
    variable: &'static str,
    flag: &'static str,
    default: &'static str,
    about: &'static str,
) -> Setting {
    let flag = if flag.is_empty() { None } else { Some(flag) };
    Setting { variable, flag, default, about }
}

/// All settings, those that most people need first.
pub const SETTINGS: &[Setting] = &[
    setting("VENICE_API_KEY", "", "none", "the API key"),
    setting("VENICE_API_KEY_FILE", "", "none", "a file whose first line is the key"),
    setting(
        "VENICE_API_KEY_COMMAND",
        "",
        "none",
        "a command whose first line of output is the key; split into words, no shell; run at the first call",
    ),
    setting(
        "VENICE_SANDBOX",
        "--sandbox",
        "off",
        "talk to a stand-in for Venice started on this machine; needs no key",
    ),
    setting(
        "VENICE_OUTPUT_DIR",
        "--output-dir",
        "the platform's data directory",
        "where media are stored",
    ),
    setting(
        "VENICE_INPUT_DIRS",
        "--input-dir",
        "none",
        "further directories that media are read from",
    ),
    setting(
        "VENICE_OUTPUT",
        "--output",
        "auto",
        "how media come back: auto, blob, image, link, file, none",
    ),
    setting(
        "VENICE_INLINE_LIMIT",
        "--inline-limit",
        "4MiB",
        "the most bytes of media in one reply, up to 64MiB",
    ),
    setting(
        "VENICE_TOOLSETS",
        "--toolset",
        "default",
        "toolsets to offer, by name; `default` and `all` too",
    ),
    setting("VENICE_TOOLS", "--tool", "none", "tools to offer; without toolsets, only those"),
    setting("VENICE_EXCLUDE_TOOLS", "--exclude-tool", "none", "tools not to offer"),
    setting(
        "VENICE_READ_ONLY",
        "--read-only",
        "off",
        "offer only tools that spend and delete nothing",
    ),
    setting(
        "VENICE_IMAGE_MODEL",
        "--image-model",
        "Venice's default",
        "the image model of calls that name none",
    ),
    setting(
        "VENICE_EDIT_MODEL",
        "--edit-model",
        "firered-image-edit",
        "the edit model of calls that name none",
    ),
    setting(
        "VENICE_TTS_MODEL",
        "--tts-model",
        "tts-kokoro",
        "the speech model of calls that name none",
    ),
    setting(
        "VENICE_ASR_MODEL",
        "--asr-model",
        "nvidia/parakeet-tdt-0.6b-v3",
        "the transcription model of calls that name none",
    ),
    setting(
        "VENICE_CHAT_MODEL",
        "--chat-model",
        "Venice's default",
        "the text model of calls that name none",
    ),
    setting(
        "VENICE_EMBEDDING_MODEL",
        "--embedding-model",
        "text-embedding-bge-m3",
        "the embedding model of calls that name none",
    ),
    setting(
        "VENICE_SAFE_MODE",
        "--safe-mode",
        "api",
        "what is sent as safe_mode: api (nothing), on, off, locked",
    ),
    setting(
        "VENICE_MAX_CALL_USD",
        "--max-call-usd",
        "none",
        "the most US dollars that one call may cost; one whose price is not known is refused",
    ),
    setting(
        "VENICE_BUDGET_USD",
        "--budget-usd",
        "none",
        "the most US dollars that the calls of a UTC day may cost, over all servers on the output directory",
    ),
    setting(
        "VENICE_CONFIRM_OVER_USD",
        "--confirm-over-usd",
        "none",
        "ask the user before a call that costs more; refused where the client cannot ask",
    ),
    setting(
        "VENICE_MEDIA_MAX_BYTES",
        "--media-max-bytes",
        "10GiB",
        "how much the store holds before the oldest media go",
    ),
    setting(
        "VENICE_MEDIA_MAX_AGE",
        "--media-max-age",
        "90d",
        "how long media are kept; none younger than a day goes",
    ),
    setting(
        "VENICE_ALLOW_PRIVATE_URLS",
        "--allow-private-urls",
        "off",
        "fetch media over http and from private addresses too",
    ),
    setting(
        "VENICE_ALLOW_CRYPTO_SEND",
        "--allow-crypto-send",
        "off",
        "let venice_crypto_rpc send transactions, which cannot be undone",
    ),
    setting("VENICE_TIMEOUT", "--timeout", "by kind of call", "the most seconds that a call takes"),
    setting(
        "VENICE_BASE_URL",
        "--base-url",
        "https://api.venice.ai/api/v1",
        "where the API is; http for loopback hosts alone",
    ),
    setting("VENICE_API_PATHS", "", "documented", "`plural` calls paths such as /images/edits"),
    setting(
        "VENICE_RATE_LIMITS",
        "",
        "on",
        "`off`: later calls do not wait for a limit that an earlier reply told of",
    ),
    setting(
        "VENICE_FAILURE_BREAKER",
        "",
        "on",
        "`off`: a run of refused requests does not stop further ones",
    ),
    setting(
        "VENICE_HTTP",
        "--http",
        "off",
        "serve MCP over HTTP in place of stdin and stdout: `on` for 127.0.0.1:3333, or an address",
    ),
    setting(
        "VENICE_NO_SSE",
        "--no-sse",
        "off",
        "do not serve HTTP+SSE, the transport of 2024-11-05",
    ),
    setting(
        "VENICE_MCP_AUTH_TOKEN",
        "",
        "none",
        "what callers send as `Authorization: Bearer`; 16 characters or more",
    ),
    setting("VENICE_MCP_AUTH_TOKEN_FILE", "", "none", "a file whose first line is that token"),
    setting(
        "VENICE_MCP_ALLOW_UNAUTHENTICATED",
        "--allow-unauthenticated",
        "off",
        "listen beyond loopback without a token",
    ),
    setting(
        "VENICE_MCP_ALLOWED_HOSTS",
        "--allowed-host",
        "loopback names",
        "further host names that requests may be for; `*` for all",
    ),
    setting(
        "VENICE_MCP_ALLOWED_ORIGINS",
        "--allowed-origin",
        "the listener's own",
        "further origins whose web pages may call",
    ),
    setting(
        "VENICE_MCP_PUBLIC_URL",
        "--public-url",
        "the request's host",
        "the URL under which clients reach the server, for download links",
    ),
    setting("VENICE_MCP_LINK_TTL", "--link-ttl", "24h", "how long download links work"),
    setting(
        "VENICE_MCP_SECRET_FILE",
        "--secret-file",
        "the store's own",
        "a file of at least 32 random bytes that signs links; replicas share it",
    ),
    setting("VENICE_LOG", "--log", "warn", "what is logged to stderr; RUST_LOG works too"),
    setting("VENICE_LOG_FORMAT", "--log-format", "text", "the form of the log: text or json"),
];

/// The flag beside a variable.
pub(super) fn flag(variable: &str) -> Option<&'static str> {
    SETTINGS.iter().find(|setting| setting.variable == variable)?.flag
}
