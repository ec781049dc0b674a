//! What the operator sets for the HTTP listener.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use secrecy::SecretString;
use url::{Host, Url};

/// How MCP is served over HTTP.
#[derive(Debug, Clone)]
pub struct HttpOptions {
    /// Where to listen.
    pub address: SocketAddr,
    /// Whether HTTP+SSE is served too.
    pub sse: bool,
    /// What callers must send as a bearer token. If `None`, everyone may call.
    pub token: Option<SecretString>,
    /// Host names, with or without a port, that requests may be for besides loopback names; `*` for all.
    pub allowed_hosts: Vec<String>,
    /// Origins whose web pages may call, as browsers write them.
    pub allowed_origins: Vec<String>,
    /// The URL under which clients reach the server.
    pub public_url: Option<Url>,
    /// How long download links work.
    pub link_ttl: Duration,
}

impl HttpOptions {
    /// Whether clients are on this machine, as far as is known, and see its files.
    pub(super) fn is_local(&self) -> bool {
        self.address.ip().is_loopback() && self.public_url.is_none()
    }
}

/// Parses a text such as `app.example:8080` into its host, and the port if there is one.
pub(crate) fn parse_authority(text: &str) -> Option<(Host, Option<u16>)> {
    // The URL parser also lowers the case, and knows every form of an address.
    let bare = text.parse::<IpAddr>().ok().filter(IpAddr::is_ipv6);
    let text = bare.map_or_else(|| text.to_owned(), |address| format!("[{address}]"));
    let url = Url::parse(&format!("http://{text}/")).ok()?;
    let is_plain = url.username().is_empty() && url.password().is_none() && url.path() == "/";
    let host = url.host().filter(|_| is_plain && url.query().is_none())?.to_owned();
    // The parser drops port 80, which is as good as none here.
    Some((host, url.port()))
}
