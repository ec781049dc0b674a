//! Whose request it is: the check of the server's token, and the Venice key that a request brings.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::Response;
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::media::DownloadLinks;
use super::{Shared, asked, reply};
use crate::context::{Caller, Files, Links, Settings};
use crate::error::Result;
use crate::server::Client;

/// The header of a Venice key.
const KEY: &str = "x-venice-api-key";
/// How many hex digits of its HMAC stand for a key.
const DIGITS: usize = 16;

/// Who sent a request, and what its head asks for. Without a key of their own, callers use the server's.
#[derive(Clone)]
pub(in crate::transport) struct Identity {
    pub(in crate::transport) caller: Caller,
    key: Option<SecretString>,
    settings: Settings,
    /// What download links begin with, where they stand in place of paths.
    base: Option<String>,
}

impl Identity {
    /// What the server is told of the client. `media`: whether its answer may name stored media.
    pub(in crate::transport) async fn client(&self, shared: &Shared, media: bool) -> Client {
        let links: Option<Arc<dyn Links>> = match &self.base {
            Some(base) if media => {
                Some(Arc::new(DownloadLinks::new(shared, base.clone(), &self.caller).await))
            }
            _ => None,
        };
        let files = match self.caller {
            Caller::Local => Files::Inputs,
            Caller::Brought(_) => Files::None,
        };
        Client {
            caller: self.caller.clone(),
            key: self.key.clone(),
            settings: self.settings.clone(),
            files,
            links,
            ..Client::default()
        }
    }
}

/// Refuses a request without the server's token, and finds out whose it is.
pub(super) async fn identify(
    State(shared): State<Arc<Shared>>,
    mut request: Request,
    next: Next,
) -> Response {
    let (headers, uri) = (request.headers(), request.uri());
    if let Some(token) = &shared.settings.token
        && !shows(headers, token)
    {
        return unauthorized(headers);
    }
    match identity(&shared, headers, uri).await {
        Ok(Ok(identity)) => {
            request.extensions_mut().insert(identity);
            next.run(request).await
        }
        Ok(Err(message)) => reply::error(StatusCode::BAD_REQUEST, reply::REFUSED, &message),
        Err(error) => {
            tracing::error!(%error, "the server's secret cannot be used");
            let message = "the server's secret cannot be used; its log says why";
            reply::error(StatusCode::INTERNAL_SERVER_ERROR, reply::INTERNAL, message)
        }
    }
}

/// Whether the request shows `token`. Takes the same time for every wrong one.
fn shows(headers: &HeaderMap, token: &SecretString) -> bool {
    let given = bearer(headers).unwrap_or_default();
    let (given, token) = (Sha256::digest(given), Sha256::digest(token.expose_secret()));
    given.as_slice().ct_eq(token.as_slice()).into()
}

fn unauthorized(headers: &HeaderMap) -> Response {
    let (challenge, message) = if headers.contains_key(header::AUTHORIZATION) {
        (r#"Bearer realm="venice-mcp", error="invalid_token""#, "the token is not this server's")
    } else {
        (
            r#"Bearer realm="venice-mcp""#,
            "this server wants its token (VENICE_MCP_AUTH_TOKEN) as `Authorization: Bearer …`",
        )
    };
    let response = reply::error(StatusCode::UNAUTHORIZED, reply::REFUSED, message);
    reply::with_header(response, header::WWW_AUTHENTICATE, challenge)
}

/// Whose request it is; the inner error is for its sender.
async fn identity(
    shared: &Shared,
    headers: &HeaderMap,
    uri: &Uri,
) -> Result<std::result::Result<Identity, String>> {
    let (key, settings) =
        match (key(headers, shared.settings.token.is_none()), asked::settings(headers, uri)) {
            (Ok(key), Ok(settings)) => (key, settings),
            (Err(message), _) | (_, Err(message)) => return Ok(Err(message)),
        };
    let caller = match &key {
        None => Caller::Local,
        Some(key) => {
            let mut signer = shared.secret.signer("caller").await?;
            signer.part(key.expose_secret());
            Caller::Brought(signer.sign().chars().take(DIGITS).collect())
        }
    };
    // Who brought a key reads no files of this machine, so that a path is of no use to them.
    let sees_files = shared.settings.is_local() && key.is_none();
    let base = (!sees_files).then(|| base(shared, headers, uri));
    Ok(Ok(Identity { caller, key, settings, base }))
}

/// The key that the request brings. `Authorization` is one where the server wants no token there.
fn key(
    headers: &HeaderMap,
    authorization: bool,
) -> std::result::Result<Option<SecretString>, String> {
    let own = headers.get(KEY).map(|value| value.to_str().unwrap_or("\n").trim());
    let own = own.filter(|key| !key.is_empty());
    let (name, key) = match own {
        Some(key) => ("X-Venice-Api-Key", key),
        None => match bearer(headers).filter(|key| authorization && !key.is_empty()) {
            Some(key) => ("Authorization", key),
            None => return Ok(None),
        },
    };
    if key.starts_with("${") || key.starts_with("{{") {
        return Err(format!("the key in `{name}` is a placeholder that the host did not fill in"));
    }
    if !key.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(format!("the key in `{name}` has characters that no key has"));
    }
    Ok(Some(SecretString::from(key)))
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, rest) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| rest.trim())
}

/// What this client's links begin with: the public URL, or the host that it called, which has been checked.
fn base(shared: &Shared, headers: &HeaderMap, uri: &Uri) -> String {
    if let Some(url) = &shared.settings.public_url {
        return url.as_str().trim_end_matches('/').to_owned();
    }
    let host = uri.authority().map(Authority::as_str);
    let host = host.or_else(|| headers.get(header::HOST)?.to_str().ok());
    format!("http://{}", host.unwrap_or("localhost"))
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    fn headers(given: &[(&'static str, &'static str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        given.iter().map(pair).collect()
    }

    fn found(given: &[(&'static str, &'static str)], authorization: bool) -> Option<String> {
        let key = key(&headers(given), authorization).unwrap();
        key.map(|key| key.expose_secret().to_owned())
    }

    #[test]
    fn a_key_comes_in_its_own_header_first() {
        let both = [("x-venice-api-key", "one"), ("authorization", "Bearer two")];
        assert_eq!(found(&both, true).as_deref(), Some("one"));
        assert_eq!(found(&both[1..], true).as_deref(), Some("two"));
        assert_eq!(found(&both[1..], false), None, "there it is the server's token");
        assert_eq!(found(&[("authorization", "Basic eDp5")], true), None);
        assert_eq!(found(&[("x-venice-api-key", " ")], true), None);
    }

    #[test]
    fn a_placeholder_is_refused_by_name() {
        let error = key(&headers(&[("x-venice-api-key", "${VENICE_API_KEY}")]), true).unwrap_err();
        assert!(error.contains("X-Venice-Api-Key"), "{error}");
        assert!(key(&headers(&[("x-venice-api-key", "a b")]), true).is_err());
    }

    #[test]
    fn only_the_whole_token_opens() {
        let token = SecretString::from("sixteen-characters");
        let shows = |value| shows(&headers(&[("authorization", value)]), &token);
        assert!(shows("Bearer sixteen-characters") && shows("bearer  sixteen-characters"));
        assert!(!shows("Bearer sixteen-character") && !shows("sixteen-characters"));
    }
}
