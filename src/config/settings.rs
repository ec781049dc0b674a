//! Every setting, one row each: its variable, its flag, its default, what it sets, and how it is parsed.
//!
//! To add a setting, add its row and the field that the row fills. The flags, `--help`, and the README's table come
//! from the rows.

use super::setting::Setting;
use super::setting::Takes::{Nothing, Path, Paths, Value, Values};
use super::{LogFormat, http, key, log, values};
use crate::call::SafeMode;

/// All settings. `--help` and the README list them in this order.
pub const SETTINGS: &[Setting] = &[
    Setting::new("VENICE_API_KEY", |draft, given| draft.set_key(given, key::from_text))
        .help("The API key"),
    Setting::new("VENICE_API_KEY_FILE", |draft, given| {
        draft.key_file = Some(given.path());
        draft.set_key(given, key::from_file)
    })
    .help("A file whose first line is the key"),
    Setting::new("VENICE_API_KEY_COMMAND", |draft, given| draft.set_key(given, key::from_command))
        .help("A command whose first line of output is the key")
        .detail("split into words, no shell; run at the first call"),
    Setting::new("VENICE_SANDBOX", |draft, given| {
        given.parse_into(&mut draft.options.sandbox, values::switch)
    })
    .flag("--sandbox", Nothing)
    .default_is("off")
    .help("Talk to a stand-in for Venice that is started on this machine; needs no key"),
    Setting::new("VENICE_TOOLSETS", |draft, given| given.names_into(&mut draft.options.toolsets))
        .flag("--toolset", Values("NAME"))
        .default_is("default")
        .help("Toolsets to offer: image, audio, …, `default` or `all`")
        .alias("toolsets"),
    Setting::new("VENICE_TOOLS", |draft, given| given.names_into(&mut draft.options.tools))
        .flag("--tool", Values("NAME"))
        .help("A tool to offer; without --toolset, only those named"),
    Setting::new("VENICE_EXCLUDE_TOOLS", |draft, given| {
        given.names_into(&mut draft.options.exclude_tools)
    })
    .flag("--exclude-tool", Values("NAME"))
    .help("A tool not to offer"),
    Setting::new("VENICE_READ_ONLY", |draft, given| {
        given.parse_into(&mut draft.options.read_only, values::switch)
    })
    .flag("--read-only", Nothing)
    .default_is("off")
    .help("Offer only tools that spend and delete nothing"),
    Setting::new("VENICE_OUTPUT", |draft, given| {
        given.parse_into(&mut draft.options.output, values::output_mode)
    })
    .flag("--output", Value("MODE"))
    .default_value("auto")
    .help("How media come back: auto, blob, image, link, file or none"),
    Setting::new("VENICE_INLINE_LIMIT", |draft, given| {
        given.parse_into(&mut draft.options.inline_limit, values::inline_limit)
    })
    .flag("--inline-limit", Value("SIZE"))
    .default_is("4MiB")
    .help("The most bytes of media in one reply, such as 4MiB")
    .detail("up to 64MiB"),
    Setting::new("VENICE_OUTPUT_DIR", |draft, given| {
        draft.output_directory = Some(given.path());
        Ok(())
    })
    .flag("--output-dir", Path("DIR"))
    .default_is("the platform's data directory")
    .help("Where media are stored"),
    Setting::new("VENICE_INPUT_DIRS", |draft, given| {
        draft.input_directories = given.paths();
        Ok(())
    })
    .flag("--input-dir", Paths("DIR"))
    .help("A directory that media are read from"),
    Setting::new("VENICE_MEDIA_MAX_BYTES", |draft, given| {
        given.parse_into(&mut draft.options.media_max_bytes, values::bytes)
    })
    .flag("--media-max-bytes", Value("SIZE"))
    .default_value("10GiB")
    .help("How much the store holds before the oldest media go"),
    Setting::new("VENICE_MEDIA_MAX_AGE", |draft, given| {
        given.parse_into(&mut draft.options.media_max_age, values::age)
    })
    .flag("--media-max-age", Value("AGE"))
    .default_value("90d")
    .help("How long media are kept, such as 90d")
    .detail("none younger than a day goes"),
    Setting::new("VENICE_ALLOW_PRIVATE_URLS", |draft, given| {
        given.parse_into(&mut draft.options.allow_private_urls, values::switch)
    })
    .flag("--allow-private-urls", Nothing)
    .default_is("off")
    .help("Fetch media over http and from private addresses too"),
    Setting::new("VENICE_ALLOW_CRYPTO_SEND", |draft, given| {
        given.parse_into(&mut draft.options.allow_crypto_send, values::switch)
    })
    .flag("--allow-crypto-send", Nothing)
    .default_is("off")
    .help("Let venice_crypto_rpc send transactions, which cannot be undone"),
    Setting::new("VENICE_IMAGE_MODEL", |draft, given| {
        given.parse_into(&mut draft.options.models.image, values::text)
    })
    .flag("--image-model", Value("ID"))
    .default_is("Venice's default")
    .help("The image model of calls that name none"),
    Setting::new("VENICE_EDIT_MODEL", |draft, given| {
        given.parse_into(&mut draft.options.models.edit, values::text)
    })
    .flag("--edit-model", Value("ID"))
    .default_is("firered-image-edit")
    .help("The edit model of calls that name none"),
    Setting::new("VENICE_TTS_MODEL", |draft, given| {
        given.parse_into(&mut draft.options.models.tts, values::text)
    })
    .flag("--tts-model", Value("ID"))
    .default_is("tts-kokoro")
    .help("The speech model of calls that name none"),
    Setting::new("VENICE_ASR_MODEL", |draft, given| {
        given.parse_into(&mut draft.options.models.asr, values::text)
    })
    .flag("--asr-model", Value("ID"))
    .default_is("nvidia/parakeet-tdt-0.6b-v3")
    .help("The transcription model of calls that name none"),
    Setting::new("VENICE_CHAT_MODEL", |draft, given| {
        given.parse_into(&mut draft.options.models.chat, values::text)
    })
    .flag("--chat-model", Value("ID"))
    .default_is("Venice's default")
    .help("The text model of calls that name none"),
    Setting::new("VENICE_EMBEDDING_MODEL", |draft, given| {
        given.parse_into(&mut draft.options.models.embedding, values::text)
    })
    .flag("--embedding-model", Value("ID"))
    .default_is("text-embedding-bge-m3")
    .help("The embedding model of calls that name none"),
    Setting::new("VENICE_SAFE_MODE", |draft, given| {
        given.parse_into(&mut draft.options.safe_mode, SafeMode::parse)
    })
    .flag("--safe-mode", Value("MODE"))
    .default_value("api")
    .help("What is sent as safe_mode: api, on, off or locked")
    .detail("api sends nothing"),
    Setting::new("VENICE_TIMEOUT", |draft, given| {
        given.parse_into(&mut draft.options.timeout, values::seconds)
    })
    .flag("--timeout", Value("SECONDS"))
    .default_is("by kind of call")
    .help("The most seconds that a call takes"),
    Setting::new("VENICE_MAX_CALL_USD", |draft, given| {
        given.parse_into(&mut draft.options.caps.max_call_usd, values::usd)
    })
    .flag("--max-call-usd", Value("USD"))
    .help("The most US dollars that one call may cost")
    .detail("one whose price is not known is refused"),
    Setting::new("VENICE_BUDGET_USD", |draft, given| {
        given.parse_into(&mut draft.options.caps.budget_usd, values::usd)
    })
    .flag("--budget-usd", Value("USD"))
    .help("The most US dollars that the calls of a UTC day may cost")
    .detail("over all servers on the output directory"),
    Setting::new("VENICE_CONFIRM_OVER_USD", |draft, given| {
        given.parse_into(&mut draft.options.caps.confirm_over_usd, values::usd)
    })
    .flag("--confirm-over-usd", Value("USD"))
    .help("Ask the user before a call that costs more US dollars than this")
    .detail("refused where the client cannot ask"),
    Setting::new("VENICE_BASE_URL", |draft, given| {
        draft.base_url = Some(values::base_url(given.text()?)?);
        Ok(())
    })
    .flag("--base-url", Value("URL"))
    .default_value("https://api.venice.ai/api/v1")
    .help("Where the API is")
    .detail("http for loopback hosts alone"),
    Setting::new("VENICE_API_PATHS", |draft, given| {
        given.parse_into(&mut draft.options.plural_paths, values::plural_paths)
    })
    .default_is("documented")
    .help("`plural` calls paths such as /images/edits"),
    Setting::new("VENICE_RATE_LIMITS", |draft, given| {
        given.parse_into(&mut draft.options.rate_limits, values::switch)
    })
    .default_value("on")
    .help("`off`: later calls do not wait for a limit that an earlier reply told of"),
    Setting::new("VENICE_FAILURE_BREAKER", |draft, given| {
        given.parse_into(&mut draft.options.failure_breaker, values::switch)
    })
    .default_value("on")
    .help("`off`: a run of refused requests does not stop further ones"),
    Setting::new("VENICE_LOG", |draft, given| given.parse_into(&mut draft.log, log::filter))
        .flag("--log", Value("LEVEL"))
        .default_is("warn")
        .help("What is logged to stderr, such as info")
        .detail("RUST_LOG works too"),
    Setting::new("VENICE_LOG_FORMAT", |draft, given| {
        given.parse_into(&mut draft.options.log_format, LogFormat::parse)
    })
    .flag("--log-format", Value("FORM"))
    .default_value("text")
    .help("The form of the log: text or json"),
    Setting::new("VENICE_HTTP", |draft, given| given.parse_into(&mut draft.listen, http::address))
        .flag("--http", Value("ADDRESS"))
        .default_is("off")
        .help("Serve MCP over HTTP at 127.0.0.1:3333 or ADDRESS instead of stdin and stdout")
        .detail("`on` stands for 127.0.0.1:3333")
        .of_http()
        .if_bare("on"),
    Setting::new("VENICE_NO_SSE", |draft, given| {
        given.parse_into(&mut draft.http.sse, |text| values::switch(text).map(|off| !off))
    })
    .flag("--no-sse", Nothing)
    .default_is("off")
    .help("Serve no HTTP+SSE, the transport of 2024-11-05")
    .of_http(),
    Setting::new("VENICE_MCP_AUTH_TOKEN", |draft, given| {
        draft.set_token(given, http::token_from_text)
    })
    .help("What callers send as `Authorization: Bearer`; 16 characters or more")
    .of_http(),
    Setting::new("VENICE_MCP_AUTH_TOKEN_FILE", |draft, given| {
        draft.set_token(given, http::token_from_file)
    })
    .help("A file whose first line is that token")
    .of_http(),
    Setting::new("VENICE_MCP_ALLOWED_HOSTS", |draft, given| {
        draft.http.allowed_hosts = http::hosts(given.names()?)?;
        Ok(())
    })
    .flag("--allowed-host", Values("HOST"))
    .default_is("loopback names")
    .help("A host name that requests may be for, beside loopback names")
    .detail("`*` for all")
    .of_http(),
    Setting::new("VENICE_MCP_ALLOWED_ORIGINS", |draft, given| {
        draft.http.allowed_origins = http::origins(&given.names()?)?;
        Ok(())
    })
    .flag("--allowed-origin", Values("ORIGIN"))
    .default_is("the listener's own")
    .help("An origin whose web pages may call, such as https://app.example")
    .of_http(),
    Setting::new("VENICE_MCP_ALLOW_UNAUTHENTICATED", |draft, given| {
        given.parse_into(&mut draft.allow_unauthenticated, values::switch)
    })
    .flag("--allow-unauthenticated", Nothing)
    .default_is("off")
    .help("Listen beyond loopback without a token")
    .of_http(),
    Setting::new("VENICE_MCP_PUBLIC_URL", |draft, given| {
        given.parse_into(&mut draft.http.public_url, http::public_url)
    })
    .flag("--public-url", Value("URL"))
    .default_is("the request's host")
    .help("The URL under which clients reach the server, for download links")
    .of_http(),
    Setting::new("VENICE_MCP_LINK_TTL", |draft, given| {
        given.parse_into(&mut draft.http.link_ttl, values::age)
    })
    .flag("--link-ttl", Value("AGE"))
    .default_value("24h")
    .help("How long download links work, such as 24h")
    .of_http(),
    Setting::new("VENICE_MCP_SECRET_FILE", |draft, given| {
        given.parse_into(&mut draft.secret, http::secret_from_file)
    })
    .flag("--secret-file", Value("FILE"))
    .default_is("the store's own")
    .help("A file of at least 32 random bytes that signs links; replicas share it")
    .of_http(),
];
