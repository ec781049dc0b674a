//! Which hosts a request may be for, and which web pages may send it: the defense against DNS rebinding.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::Response;
use url::{Host, Url};

use super::options::{HttpOptions, parse_authority};
use super::reply;
use crate::net::is_loopback;

/// The rules of one listener.
pub(super) struct Guard {
    hosts: Vec<Authority>,
    any_host: bool,
    origins: Vec<String>,
}

/// A host, and the port where it matters.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Authority {
    host: Host,
    port: Option<u16>,
}

impl Authority {
    fn parse(text: &str) -> Option<Self> {
        let (host, port) = parse_authority(text)?;
        Some(Self { host, port })
    }

    fn allows(&self, other: &Self) -> bool {
        self.host == other.host && self.port.is_none_or(|port| other.port == Some(port))
    }
}

impl Guard {
    /// The rules of a listener at `address`.
    pub(super) fn new(settings: &HttpOptions, address: SocketAddr) -> Self {
        let allowed = settings.allowed_hosts.iter();
        let mut hosts: Vec<Authority> = allowed.filter_map(|text| Authority::parse(text)).collect();
        if !address.ip().is_unspecified() {
            hosts.extend(Authority::parse(&address.ip().to_string()));
        }
        let port = address.port();
        let mut origins: Vec<String> = ["localhost", "127.0.0.1", "[::1]"]
            .iter()
            .filter_map(|host| normal(&format!("http://{host}:{port}")))
            .chain(normal(&format!("http://{address}")))
            .chain(settings.allowed_origins.iter().cloned())
            .collect();
        if let Some(url) = &settings.public_url {
            let host = url.host().map(|host| Authority { host: host.to_owned(), port: None });
            hosts.extend(host);
            origins.push(url.origin().ascii_serialization());
        }
        let any_host = settings.allowed_hosts.iter().any(|host| host == "*");
        Self { hosts, any_host, origins }
    }

    /// Whether pages of this origin may call.
    pub(super) fn allows_origin(&self, origin: &HeaderValue) -> bool {
        let origin = origin.to_str().ok().and_then(normal);
        origin.is_some_and(|origin| self.origins.contains(&origin))
    }

    fn allows_host(&self, host: &str) -> bool {
        Authority::parse(host).is_some_and(|host| {
            self.any_host
                || is_loopback(&host.host)
                || self.hosts.iter().any(|one| one.allows(&host))
        })
    }

    /// Why a request is refused, where it is.
    fn objection(&self, uri: &Uri, headers: &HeaderMap) -> Option<String> {
        let host = uri.authority().map(axum::http::uri::Authority::as_str).or_else(|| {
            let mut given = headers.get_all(header::HOST).iter();
            let first = given.next()?.to_str().ok()?;
            given.next().is_none().then_some(first)
        });
        match host {
            Some(host) if self.allows_host(host) => {}
            Some(host) => {
                let host = shown(host);
                return Some(format!(
                    "this server does not answer for the host `{host}`; start it with --allowed-host {host}"
                ));
            }
            None => return Some("the request names no host, or several".to_owned()),
        }
        let mut origins = headers.get_all(header::ORIGIN).iter();
        let wrong = origins.find(|origin| !self.allows_origin(origin))?;
        let origin = shown(wrong.to_str().unwrap_or("?"));
        Some(format!(
            "web pages of `{origin}` may not call this server; start it with --allowed-origin {origin}"
        ))
    }
}

/// An origin in the one form that browsers write.
fn normal(text: &str) -> Option<String> {
    let url = Url::parse(text).ok().filter(Url::has_host)?;
    Some(url.origin().ascii_serialization())
}

/// As much of a header as an answer repeats.
fn shown(text: &str) -> String {
    text.chars().filter(char::is_ascii_graphic).take(100).collect()
}

/// Refuses requests for other hosts and of other origins.
pub(super) async fn check(
    State(guard): State<Arc<Guard>>,
    request: Request,
    next: Next,
) -> Response {
    match guard.objection(request.uri(), request.headers()) {
        None => next.run(request).await,
        Some(message) => {
            tracing::warn!("{message}");
            reply::error(StatusCode::FORBIDDEN, reply::REFUSED, &message)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guard(address: &str, hosts: &[&str], public: Option<&str>) -> Guard {
        let settings = HttpOptions {
            address: address.parse().unwrap(),
            sse: true,
            token: None,
            allowed_hosts: hosts.iter().map(|&host| host.to_owned()).collect(),
            allowed_origins: vec!["https://app.example".to_owned()],
            public_url: public.map(|url| url.parse().unwrap()),
            link_ttl: std::time::Duration::from_secs(1),
        };
        Guard::new(&settings, settings.address)
    }

    fn origin(guard: &Guard, origin: &'static str) -> bool {
        guard.allows_origin(&HeaderValue::from_static(origin))
    }

    #[test]
    fn loopback_names_are_hosts_and_others_are_not() {
        let guard = guard("127.0.0.1:3333", &[], None);
        for host in ["localhost", "LOCALHOST:99", "127.0.0.1:3333", "127.9.9.9", "[::1]:3333"] {
            assert!(guard.allows_host(host), "{host}");
        }
        for host in [
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "a@localhost",
            "",
            "*",
        ] {
            assert!(!guard.allows_host(host), "{host}");
        }
    }

    #[test]
    fn further_hosts_are_those_of_the_settings() {
        let guard =
            guard("192.0.2.7:80", &["mcp.example:8443", "b.example"], Some("https://c.example/x"));
        for host in ["192.0.2.7", "mcp.example:8443", "b.example:1", "c.example"] {
            assert!(guard.allows_host(host), "{host}");
        }
        assert!(!guard.allows_host("mcp.example"));
        assert!(self::guard("0.0.0.0:1", &["*"], None).allows_host("anything.example"));
    }

    #[test]
    fn origins_are_the_listeners_own_and_those_of_the_settings() {
        let guard = guard("127.0.0.1:3333", &[], Some("https://c.example/x"));
        for allowed in [
            "http://localhost:3333",
            "http://127.0.0.1:3333",
            "https://app.example",
            "https://c.example:443",
        ] {
            assert!(origin(&guard, allowed), "{allowed}");
        }
        for refused in [
            "http://localhost:8080",
            "https://localhost:3333",
            "http://app.example",
            "null",
            "https://evil.example",
        ] {
            assert!(!origin(&guard, refused), "{refused}");
        }
    }
}
