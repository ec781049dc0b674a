//! Resolves names to public addresses only.

use std::fmt;
use std::net::SocketAddr;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::address::is_public;

/// A resolver that drops every address that is not public.
#[derive(Debug, Clone, Copy)]
pub(super) struct PublicResolver;

/// A name without a public address. A name that does not exist and a name on the local network give the same error, so
/// that callers do not learn the names on that network.
#[derive(Debug)]
pub(super) struct NoPublicAddress;

impl fmt::Display for NoPublicAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no public address")
    }
}

impl std::error::Error for NoPublicAddress {}

impl Resolve for PublicResolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await;
            let public = found.map(public_only).unwrap_or_default();
            if public.is_empty() {
                return Err(NoPublicAddress.into());
            }
            Ok(Box::new(public.into_iter()) as Addrs)
        })
    }
}

fn public_only(addresses: impl Iterator<Item = SocketAddr>) -> Vec<SocketAddr> {
    addresses.filter(|address| is_public(address.ip())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_name_of_this_machine_resolves_to_nothing() {
        assert!(tokio::net::lookup_host(("localhost", 0)).await.unwrap().next().is_some());
        let result = PublicResolver.resolve("localhost".parse().unwrap()).await;
        assert!(result.err().unwrap().is::<NoPublicAddress>());
    }

    #[test]
    fn only_the_public_addresses_of_a_name_are_kept() {
        let all = ["10.0.0.1:0", "1.1.1.1:0", "[::1]:0"].map(|text| text.parse().unwrap());
        assert_eq!(public_only(all.into_iter()), ["1.1.1.1:0".parse().unwrap()]);
    }
}
