//! The settings of the HTTP server: where it listens, who may call it, and what its links look like.

#![expect(clippy::doc_markdown, reason = "the comments of the flags are the text of --help")]

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use url::{Host, Url};

use super::{Invalid, Read, directories, on, parsed, units};

/// Where the server listens when only HTTP is asked for.
const ADDRESS: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), PORT);
const PORT: u16 = 3333;
/// The shortest token in characters.
const TOKEN: usize = 16;
/// The shortest secret in bytes.
const SECRET: usize = 32;

/// The flags of the HTTP server. Values stay text here: they are read by the same code as the variables.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "HTTP (each is also an environment variable, see the README)")]
pub struct HttpFlags {
    /// Serve MCP over HTTP, at 127.0.0.1:3333 or ADDRESS, in place of stdin and stdout [VENICE_HTTP].
    #[arg(long, value_name = "ADDRESS", global = true, num_args = 0..=1, default_missing_value = "on")]
    pub http: Option<String>,
    /// Serve no HTTP+SSE, the transport of 2024-11-05 [VENICE_NO_SSE].
    #[arg(long, global = true)]
    pub no_sse: bool,
    /// A host name that requests may be for, beside loopback names [VENICE_MCP_ALLOWED_HOSTS].
    #[arg(long, value_name = "HOST", global = true)]
    pub allowed_host: Vec<String>,
    /// An origin whose web pages may call, such as https://app.example [VENICE_MCP_ALLOWED_ORIGINS].
    #[arg(long, value_name = "ORIGIN", global = true)]
    pub allowed_origin: Vec<String>,
    /// Listen beyond loopback without a token [VENICE_MCP_ALLOW_UNAUTHENTICATED].
    #[arg(long, global = true)]
    pub allow_unauthenticated: bool,
    /// The URL under which clients reach the server, for download links [VENICE_MCP_PUBLIC_URL].
    #[arg(long, value_name = "URL", global = true)]
    pub public_url: Option<String>,
    /// How long download links work, such as 24h [VENICE_MCP_LINK_TTL].
    #[arg(long, value_name = "AGE", global = true)]
    pub link_ttl: Option<String>,
    /// A file of at least 32 random bytes that signs links; replicas share it [VENICE_MCP_SECRET_FILE].
    #[arg(long, value_name = "FILE", global = true)]
    pub secret_file: Option<String>,
}

/// How MCP is served over HTTP.
#[derive(Debug, Clone)]
pub struct Http {
    /// Where to listen.
    pub address: SocketAddr,
    /// Whether HTTP+SSE is served too.
    pub sse: bool,
    /// What callers must show; everyone may call without.
    pub token: Option<SecretString>,
    /// Host names, with or without a port, that requests may be for beside loopback names; `*` for all.
    pub allowed_hosts: Vec<String>,
    /// Origins whose web pages may call, as browsers write them.
    pub allowed_origins: Vec<String>,
    /// The URL under which clients reach the server.
    pub public_url: Option<Url>,
    /// How long download links work.
    pub link_ttl: Duration,
}

/// Bytes that no log shows.
#[derive(Clone)]
pub struct SecretBytes(Vec<u8>);

impl SecretBytes {
    /// The bytes.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for SecretBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretBytes")
    }
}

impl Http {
    /// The settings of HTTP, where it is asked for.
    pub(super) fn from(flags: HttpFlags, read: Read<'_>) -> Result<Option<Self>, Invalid> {
        let address = parsed(flags.http, "VENICE_HTTP", read, address)?.flatten();
        let token = token(read)?;
        let unauthenticated =
            flags.allow_unauthenticated || on("VENICE_MCP_ALLOW_UNAUTHENTICATED", read)?;
        let settings = Self {
            address: address.unwrap_or(ADDRESS),
            sse: !(flags.no_sse || on("VENICE_NO_SSE", read)?),
            token,
            allowed_hosts: hosts(flags.allowed_host, read)?,
            allowed_origins: super::names(flags.allowed_origin, "VENICE_MCP_ALLOWED_ORIGINS", read)
                .iter()
                .map(|text| origin(text))
                .collect::<Result<_, _>>()?,
            public_url: parsed(flags.public_url, "VENICE_MCP_PUBLIC_URL", read, public_url)?,
            link_ttl: parsed(flags.link_ttl, "VENICE_MCP_LINK_TTL", read, units::age)?
                .unwrap_or(Duration::from_hours(24)),
        };
        let Some(address) = address else { return Ok(None) };
        if !address.ip().is_loopback() && settings.token.is_none() && !unauthenticated {
            let message = format!(
                "{address} is reached from beyond this machine: set VENICE_MCP_AUTH_TOKEN, or allow everyone \
                 with --allow-unauthenticated"
            );
            return Err(Invalid::new("--http", message));
        }
        Ok(Some(settings))
    }

    /// Whether clients are on this machine, as far as is known, and see its files.
    #[must_use]
    pub fn is_local(&self) -> bool {
        self.address.ip().is_loopback() && self.public_url.is_none()
    }
}

/// An address, a port, `on` or `off`.
fn address(text: &str) -> Result<Option<SocketAddr>, String> {
    match text.to_ascii_lowercase().as_str() {
        "1" | "true" | "yes" | "on" => return Ok(Some(ADDRESS)),
        "0" | "false" | "no" | "off" => return Ok(None),
        _ => {}
    }
    let local = text.strip_prefix("localhost").unwrap_or(text);
    let port = local.strip_prefix(':').unwrap_or(local);
    let found = match port.parse::<u16>() {
        Ok(port) => Some(SocketAddr::new(ADDRESS.ip(), port)),
        Err(_) if text.eq_ignore_ascii_case("localhost") => Some(ADDRESS),
        Err(_) => {
            text.parse().ok().or_else(|| Some(SocketAddr::new(text.parse::<IpAddr>().ok()?, PORT)))
        }
    };
    found.map(Some).ok_or_else(|| "write an IP address and a port, such as 127.0.0.1:3333".into())
}

fn token(read: Read<'_>) -> Result<Option<SecretString>, Invalid> {
    let (variable, text) = if let Some(text) = read("VENICE_MCP_AUTH_TOKEN") {
        ("VENICE_MCP_AUTH_TOKEN", text)
    } else if let Some(file) = read("VENICE_MCP_AUTH_TOKEN_FILE") {
        let text = std::fs::read_to_string(directories::file(&file)).map_err(|error| {
            Invalid::new("VENICE_MCP_AUTH_TOKEN_FILE", format!("`{file}` cannot be read: {error}"))
        })?;
        let line = text.lines().next().unwrap_or_default().to_owned();
        ("VENICE_MCP_AUTH_TOKEN_FILE", line)
    } else {
        return Ok(None);
    };
    let token = SecretString::from(text.trim());
    let text = token.expose_secret();
    if text.len() < TOKEN {
        return Err(Invalid::new(variable, format!("must have {TOKEN} characters or more")));
    }
    if text.starts_with("${") || !text.chars().all(|c| c.is_ascii_graphic()) {
        return Err(Invalid::new(variable, "must be visible ASCII characters, and no placeholder"));
    }
    Ok(Some(token))
}

/// Host names, each with or without a port, and `*`.
fn hosts(flags: Vec<String>, read: Read<'_>) -> Result<Vec<String>, Invalid> {
    let setting = if flags.is_empty() { "VENICE_MCP_ALLOWED_HOSTS" } else { "--allowed-host" };
    let hosts = super::names(flags, "VENICE_MCP_ALLOWED_HOSTS", read);
    let wrong = |text: &&String| *text != "*" && (text.contains('*') || authority(text).is_none());
    hosts.iter().find(wrong).map_or_else(
        || Ok(hosts.clone()),
        |text| {
            let message =
                format!("`{text}` is no host name; write one such as app.example, or `*` for all");
            Err(Invalid::new(setting, message))
        },
    )
}

/// The host in a text such as `app.example:8080`, and the port where there is one.
#[must_use]
pub fn authority(text: &str) -> Option<(Host, Option<u16>)> {
    // The URL parser also lowers the case, and knows every form of an address.
    let bare = text.parse::<IpAddr>().ok().filter(IpAddr::is_ipv6);
    let text = bare.map_or_else(|| text.to_owned(), |address| format!("[{address}]"));
    let url = Url::parse(&format!("http://{text}/")).ok()?;
    let plain = url.username().is_empty() && url.password().is_none() && url.path() == "/";
    let host = url.host().filter(|_| plain && url.query().is_none())?.to_owned();
    // The parser drops port 80, which is as good as none here.
    Some((host, url.port()))
}

/// An origin as browsers write it.
fn origin(text: &str) -> Result<String, Invalid> {
    let url = Url::parse(text).ok().filter(|url| url.has_host() && url.path() == "/");
    url.map(|url| url.origin().ascii_serialization()).ok_or_else(|| {
        let message = format!("`{text}` is no origin; write one such as https://app.example");
        Invalid::new("VENICE_MCP_ALLOWED_ORIGINS", message)
    })
}

fn public_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text.trim_end_matches('/')).map_err(|error| error.to_string())?;
    let plain = url.query().is_none() && url.fragment().is_none();
    if matches!(url.scheme(), "http" | "https") && url.has_host() && plain {
        Ok(url)
    } else {
        Err("must be an http:// or https:// URL without a query".to_owned())
    }
}

/// The bytes of the secret file, where one is named.
pub(super) fn secret(flag: Option<String>, read: Read<'_>) -> Result<Option<SecretBytes>, Invalid> {
    parsed(flag, "VENICE_MCP_SECRET_FILE", read, |file| {
        let bytes = std::fs::read(directories::file(file)).map_err(|error| error.to_string())?;
        if bytes.len() < SECRET {
            return Err(format!("it must hold {SECRET} bytes or more"));
        }
        Ok(SecretBytes(bytes))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(variables: &[(&str, &str)]) -> Result<Option<Http>, Invalid> {
        Http::from(HttpFlags::default(), &|name| {
            variables.iter().find(|(one, _)| *one == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn addresses_are_read_in_every_usual_form() {
        let read = |text| address(text).unwrap().map(|address| address.to_string());
        assert_eq!(read("on").as_deref(), Some("127.0.0.1:3333"));
        assert_eq!(read("8080").as_deref(), Some("127.0.0.1:8080"));
        assert_eq!(read(":8080").as_deref(), Some("127.0.0.1:8080"));
        assert_eq!(read("localhost:1").as_deref(), Some("127.0.0.1:1"));
        assert_eq!(read("0.0.0.0").as_deref(), Some("0.0.0.0:3333"));
        assert_eq!(read("[::1]:9").as_deref(), Some("[::1]:9"));
        assert_eq!(read("off"), None);
        assert!(address("example.com:1").is_err() && address("demo").is_err());
    }

    #[test]
    fn nothing_listens_unless_it_is_asked_to() {
        assert!(load(&[("VENICE_MCP_AUTH_TOKEN", "sixteen-characters")]).unwrap().is_none());
    }

    #[test]
    fn beyond_loopback_a_token_or_a_word_is_needed() {
        let open = ("VENICE_HTTP", "0.0.0.0:1");
        let message = load(&[open]).unwrap_err().to_string();
        assert!(message.contains("--allow-unauthenticated"), "{message}");
        assert!(load(&[open, ("VENICE_MCP_AUTH_TOKEN", "short")]).is_err());
        assert!(load(&[open, ("VENICE_MCP_AUTH_TOKEN", "sixteen-characters")]).is_ok());
        assert!(load(&[open, ("VENICE_MCP_ALLOW_UNAUTHENTICATED", "1")]).is_ok());
    }

    #[test]
    fn origins_are_kept_as_browsers_write_them() {
        let list = ("VENICE_MCP_ALLOWED_ORIGINS", "https://App.example:443/, http://a.example:81");
        let http = load(&[("VENICE_HTTP", "on"), list]).unwrap().unwrap();
        assert_eq!(http.allowed_origins, ["https://app.example", "http://a.example:81"]);
        assert!(load(&[("VENICE_MCP_ALLOWED_ORIGINS", "app.example")]).is_err());
        assert!(load(&[("VENICE_MCP_ALLOWED_ORIGINS", "https://a.example/path")]).is_err());
    }
}
