//! Sets up the HTTP client library.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use futures::future::BoxFuture;
use reqwest::{Client, Request, Response, redirect};
use url::{Host, Url};

use crate::error::{Error, Kind, Result};
use crate::net::is_loopback_url;

/// The addresses of this machine's names (RFC 6761, section 6.3), in the order in which a resolver returns them. The port
/// is that of the URL.
const LOOPBACK: [SocketAddr; 2] = [
    SocketAddr::new(IpAddr::V6(Ipv6Addr::LOCALHOST), 0),
    SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0),
];

/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Stands in for the network: it answers the requests that would leave for Venice. With it, a server can be tested on a
/// paused clock.
pub trait HttpSender: std::fmt::Debug + Send + Sync {
    /// The response to `request`. Timeouts and retries are not its concern.
    fn send(&self, request: Request) -> BoxFuture<'static, reqwest::Result<Response>>;
}

/// Builds the client. This machine is reached without a proxy, and plain http needs no certificates.
pub(super) fn build(base_url: &Url) -> Result<Client> {
    // This fails if a provider is installed already, which is just as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let is_local = is_loopback_url(base_url);
    let builder = || {
        let builder = Client::builder()
            .user_agent(concat!("venice-mcp/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none())
            .connect_timeout(CONNECT_TIMEOUT);
        match base_url.host() {
            // A name server must not decide where the key goes in clear text.
            Some(Host::Domain(name)) if is_local => {
                builder.no_proxy().resolve_to_addrs(name, &LOOPBACK)
            }
            _ if is_local => builder.no_proxy(),
            _ => builder,
        }
    };
    let is_plain = base_url.scheme() == "http";
    // Reading the system's certificates takes longer than the rest of the startup.
    let built = if is_local && is_plain { builder().tls_certs_only([]) } else { builder() }.build();
    let built = match built {
        Err(_) if is_plain => builder().tls_certs_only([]).build(),
        built => built,
    };
    built.map_err(|error| {
        Error::new(Kind::Internal, "the HTTP client could not be set up")
            .hint("install the system's CA certificates, or name a file of them in SSL_CERT_FILE")
            .source(error)
    })
}
