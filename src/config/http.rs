//! The settings of the HTTP server: where it listens, who may call it, and what its links look like.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use super::{Invalid, directories};
use crate::storage::SecretBytes;
use crate::transport::http::{HttpOptions, parse_authority};

/// Where the server listens when only HTTP is asked for.
pub(super) const DEFAULT_ADDRESS: SocketAddr =
    SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), DEFAULT_PORT);
const DEFAULT_PORT: u16 = 3333;
const MIN_TOKEN_CHARACTERS: usize = 16;
const MIN_SECRET_BYTES: usize = 32;

/// Parses an address, a port, `on`, or `off`.
pub(super) fn address(text: &str) -> Result<Option<SocketAddr>, String> {
    match text.to_ascii_lowercase().as_str() {
        "1" | "true" | "yes" | "on" => return Ok(Some(DEFAULT_ADDRESS)),
        "0" | "false" | "no" | "off" => return Ok(None),
        _ => {}
    }
    let local = text.strip_prefix("localhost").unwrap_or(text);
    let port = local.strip_prefix(':').unwrap_or(local);
    let found = match port.parse::<u16>() {
        Ok(port) => Some(SocketAddr::new(DEFAULT_ADDRESS.ip(), port)),
        Err(_) if text.eq_ignore_ascii_case("localhost") => Some(DEFAULT_ADDRESS),
        Err(_) => text
            .parse()
            .ok()
            .or_else(|| Some(SocketAddr::new(text.parse::<IpAddr>().ok()?, DEFAULT_PORT))),
    };
    found.map(Some).ok_or_else(|| "write an IP address and a port, such as 127.0.0.1:3333".into())
}

/// The token that `text` is.
pub(super) fn token_from_text(text: &str) -> Result<SecretString, String> {
    let token = SecretString::from(text.trim());
    let text = token.expose_secret();
    if text.len() < MIN_TOKEN_CHARACTERS {
        return Err(format!("must have {MIN_TOKEN_CHARACTERS} characters or more"));
    }
    if text.starts_with("${") || !text.chars().all(|c| c.is_ascii_graphic()) {
        return Err("must be visible ASCII characters, and no placeholder".to_owned());
    }
    Ok(token)
}

/// The token in the first line of `file`.
pub(super) fn token_from_file(file: &str) -> Result<SecretString, String> {
    token_from_text(&directories::first_line(file)?)
}

/// The secret that the bytes of `file` are.
pub(super) fn secret_from_file(file: &str) -> Result<SecretBytes, String> {
    let bytes = std::fs::read(directories::file(file)).map_err(|error| error.to_string())?;
    if bytes.len() < MIN_SECRET_BYTES {
        return Err(format!("it must hold {MIN_SECRET_BYTES} bytes or more"));
    }
    Ok(SecretBytes::new(bytes))
}

/// Validates host names, each with or without a port, and `*`.
pub(super) fn hosts(hosts: Vec<String>) -> Result<Vec<String>, String> {
    let is_wrong =
        |text: &&String| *text != "*" && (text.contains('*') || parse_authority(text).is_none());
    match hosts.iter().find(is_wrong) {
        Some(text) => {
            Err(format!("`{text}` is no host name; write one such as app.example, or `*` for all"))
        }
        None => Ok(hosts),
    }
}

/// Origins as browsers write them.
pub(super) fn origins(origins: &[String]) -> Result<Vec<String>, String> {
    origins.iter().map(|text| origin(text)).collect()
}

fn origin(text: &str) -> Result<String, String> {
    let url = Url::parse(text).ok().filter(|url| url.has_host() && url.path() == "/");
    url.map(|url| url.origin().ascii_serialization())
        .ok_or_else(|| format!("`{text}` is no origin; write one such as https://app.example"))
}

/// Parses the URL under which clients reach the server.
pub(super) fn public_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text.trim_end_matches('/')).map_err(|error| error.to_string())?;
    let is_plain = url.query().is_none() && url.fragment().is_none();
    if matches!(url.scheme(), "http" | "https") && url.has_host() && is_plain {
        Ok(url)
    } else {
        Err("must be an http:// or https:// URL without a query".to_owned())
    }
}

/// Refuses a listener that other machines reach without a token, unless that is allowed.
pub(super) fn check_access(options: &HttpOptions, allow_everyone: bool) -> Result<(), Invalid> {
    let address = options.address;
    if address.ip().is_loopback() || options.token.is_some() || allow_everyone {
        return Ok(());
    }
    let message = format!(
        "{address} is reached from beyond this machine: set VENICE_MCP_AUTH_TOKEN, or allow everyone \
         with --allow-unauthenticated"
    );
    Err(Invalid::new("--http", message))
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn origins_are_kept_as_browsers_write_them() {
        let read = |text: &str| origins(&[text.to_owned()]);
        assert_eq!(read("https://App.example:443/").unwrap(), ["https://app.example"]);
        assert_eq!(read("http://a.example:81").unwrap(), ["http://a.example:81"]);
        assert!(read("app.example").is_err() && read("https://a.example/path").is_err());
    }
}
