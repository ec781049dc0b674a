//! The HTTP client library, set up.

use std::time::Duration;

use reqwest::{Client, redirect};
use url::{Host, Url};

use crate::error::{Error, Kind, Result};

const CONNECT_TIME: Duration = Duration::from_secs(10);

/// Builds the client. This machine itself is reached without a proxy, and without TLS no certificates are needed.
pub(super) fn build(base_url: &Url) -> Result<Client> {
    // An error says that a provider is installed, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let is_local = match base_url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    let builder = || {
        let builder = Client::builder()
            .user_agent(concat!("venice-mcp/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none())
            .connect_timeout(CONNECT_TIME);
        if is_local { builder.no_proxy() } else { builder }
    };
    let is_plain = base_url.scheme() == "http";
    // Reading the system's certificates takes longer than the rest of a start.
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
