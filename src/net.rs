//! Which hosts are this machine.

use url::{Host, Url};

/// Whether `host` is this machine: a loopback address, `localhost`, or a name below it (RFC 6761, section 6.3).
pub(crate) fn is_loopback<S: AsRef<str>>(host: &Host<S>) -> bool {
    match host {
        Host::Domain(name) => {
            let name = name.as_ref();
            let name = name.strip_suffix('.').unwrap_or(name);
            name.rsplit('.').next().is_some_and(|label| label.eq_ignore_ascii_case("localhost"))
        }
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

/// Whether the host of `url` is this machine.
pub(crate) fn is_loopback_url(url: &Url) -> bool {
    url.host().is_some_and(|host| is_loopback(&host))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_has_many_names() {
        for host in [
            "localhost",
            "LOCALHOST",
            "localhost.",
            "x.localhost",
            "a.b.localhost.",
            "127.0.0.1",
            "127.9.9.9",
            "127.1",
            "[::1]",
        ] {
            let url = Url::parse(&format!("http://{host}:9/api")).unwrap();
            assert!(is_loopback_url(&url), "{host}");
        }
        for host in [
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "notlocalhost",
            "localhost..",
            "10.0.0.1",
            "0.0.0.0",
            "[::]",
            "[2001:db8::1]",
        ] {
            let url = Url::parse(&format!("http://{host}/")).unwrap();
            assert!(!is_loopback_url(&url), "{host}");
        }
        assert!(!is_loopback_url(&Url::parse("data:,x").unwrap()));
    }
}
