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
use super::{Shared, narrowing, reply};
use crate::context::{Caller, Files, Links, RequestSettings};
use crate::error::Result;
use crate::server::RequestClient;

/// The header of a Venice key.
const KEY_HEADER: &str = "x-venice-api-key";
/// How many hex digits of its HMAC stand for a key.
const KEY_HMAC_DIGITS: usize = 16;

/// Who sent a request, and what its head asks for. Without a key of their own, callers use the server's.
#[derive(Clone)]
pub(in crate::transport) struct Requester {
    pub(in crate::transport) caller: Caller,
    key: Option<SecretString>,
    settings: RequestSettings,
    /// What download links begin with, where they are shown instead of paths.
    link_base: Option<String>,
}

impl Requester {
    /// What the server learns about the client. `media`: whether its answer may name stored media.
    pub(in crate::transport) async fn client(&self, shared: &Shared, media: bool) -> RequestClient {
        let links: Option<Arc<dyn Links>> = match &self.link_base {
            Some(base) if media => {
                Some(Arc::new(DownloadLinks::new(shared, base.clone(), &self.caller).await))
            }
            _ => None,
        };
        let files = match self.caller {
            Caller::Local => Files::Inputs,
            Caller::Brought(_) => Files::None,
        };
        RequestClient {
            caller: self.caller.clone(),
            key: self.key.clone(),
            settings: self.settings.clone(),
            files,
            links,
            ..RequestClient::default()
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
    let authorization = bearer(headers);
    let key = match &shared.settings.token {
        Some(token) if !matches!(&authorization, Ok(Some(given)) if is_token(given, token)) => {
            return wrong_token(headers);
        }
        Some(_) => venice_key(headers, Ok(None)),
        None => venice_key(headers, authorization),
    };
    let key = match key {
        Ok(key) => key,
        Err(message) => return unauthorized(CHALLENGE_INVALID, &message),
    };
    let settings = match narrowing::parse_settings(headers, uri) {
        Ok(settings) => settings,
        Err(message) => return reply::error(StatusCode::BAD_REQUEST, reply::REFUSED, &message),
    };
    match requester(&shared, key, settings, headers, uri).await {
        Ok(requester) => {
            request.extensions_mut().insert(requester);
            next.run(request).await
        }
        Err(error) => {
            tracing::error!(%error, "the server's secret cannot be used");
            let message = "the server's secret cannot be used; its log says why";
            reply::error(StatusCode::INTERNAL_SERVER_ERROR, reply::INTERNAL, message)
        }
    }
}

/// Whether `given` is the server's token. Takes the same time for every wrong one.
fn is_token(given: &str, token: &SecretString) -> bool {
    let (given, token) = (Sha256::digest(given), Sha256::digest(token.expose_secret()));
    given.as_slice().ct_eq(token.as_slice()).into()
}

/// The challenge to a request whose credential was read and is wrong, or cannot be read.
const CHALLENGE_INVALID: &str = r#"Bearer realm="venice-mcp", error="invalid_token""#;

fn wrong_token(headers: &HeaderMap) -> Response {
    if headers.contains_key(header::AUTHORIZATION) {
        return unauthorized(CHALLENGE_INVALID, "the token is not this server's");
    }
    let message =
        "this server wants its token (VENICE_MCP_AUTH_TOKEN) as `Authorization: Bearer …`";
    unauthorized(r#"Bearer realm="venice-mcp""#, message)
}

fn unauthorized(challenge: &str, message: &str) -> Response {
    let response = reply::error(StatusCode::UNAUTHORIZED, reply::REFUSED, message);
    reply::with_header(response, header::WWW_AUTHENTICATE, challenge)
}

/// Whose request it is, by the key that it brought.
async fn requester(
    shared: &Shared,
    key: Option<SecretString>,
    settings: RequestSettings,
    headers: &HeaderMap,
    uri: &Uri,
) -> Result<Requester> {
    let caller = match &key {
        None => Caller::Local,
        Some(key) => {
            let mut signer = shared.secret.signer("caller").await?;
            signer.part(key.expose_secret());
            Caller::Brought(signer.sign().chars().take(KEY_HMAC_DIGITS).collect())
        }
    };
    // A caller with a key of its own reads no files of this machine, so a path is of no use to it.
    let sees_files = shared.settings.is_local() && key.is_none();
    let link_base = (!sees_files).then(|| link_base(shared, headers, uri));
    Ok(Requester { caller, key, settings, link_base })
}

/// The Venice key that the request brings: its own header, else `authorization`, which is the value of that header
/// where the server wants no token there. `None` only where the request has no such header at all: a credential that
/// is there and cannot be read must never run the call on the operator's key.
fn venice_key(
    headers: &HeaderMap,
    authorization: std::result::Result<Option<&str>, String>,
) -> std::result::Result<Option<SecretString>, String> {
    let (name, key) = match only_value(headers, KEY_HEADER, "X-Venice-Api-Key")? {
        Some(key) => ("X-Venice-Api-Key", key),
        None => match authorization? {
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

/// The credential of the `Authorization` header.
fn bearer(headers: &HeaderMap) -> std::result::Result<Option<&str>, String> {
    let Some(value) = only_value(headers, header::AUTHORIZATION.as_str(), "Authorization")? else {
        return Ok(None);
    };
    match value.split_once([' ', '\t']) {
        Some((scheme, credential)) if scheme.eq_ignore_ascii_case("bearer") => {
            Ok(Some(credential.trim()))
        }
        _ => Err("`Authorization` must be `Bearer` and a key; a proxy that checks another scheme \
                  must not pass it on"
            .to_owned()),
    }
}

/// The value of a header that may be given once, without white space around it. An empty value is an error: it is what
/// a host sends whose setting was never filled in.
fn only_value<'a>(
    headers: &'a HeaderMap,
    header: &str,
    name: &str,
) -> std::result::Result<Option<&'a str>, String> {
    let mut values = headers.get_all(header).iter();
    let Some(first) = values.next() else { return Ok(None) };
    if values.any(|other| other != first) {
        return Err(format!("`{name}` is given more than once, with different values"));
    }
    match first.to_str().map(str::trim) {
        Ok("") => Err(format!("`{name}` is empty; leave it out to use the server's own key")),
        Ok(value) => Ok(Some(value)),
        Err(_) => Err(format!("the key in `{name}` has characters that no key has")),
    }
}

/// What this client's links begin with: the public URL, or the host that it called, which has been checked.
fn link_base(shared: &Shared, headers: &HeaderMap, uri: &Uri) -> String {
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
    use proptest::prelude::*;

    use super::*;

    fn headers(given: &[(&'static str, &'static str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        given.iter().map(pair).fold(HeaderMap::new(), |mut headers, (name, value)| {
            headers.append(name, value);
            headers
        })
    }

    fn key(given: &[(&'static str, &'static str)]) -> std::result::Result<Option<String>, String> {
        let headers = headers(given);
        let key = venice_key(&headers, bearer(&headers))?;
        Ok(key.map(|key| key.expose_secret().to_owned()))
    }

    #[test]
    fn a_key_comes_in_its_own_header_first() {
        let both = [("x-venice-api-key", "one"), ("authorization", "Bearer two")];
        assert_eq!(key(&both).unwrap().as_deref(), Some("one"));
        assert_eq!(key(&both[1..]).unwrap().as_deref(), Some("two"));
        assert_eq!(key(&[]).unwrap(), None);
        let token = venice_key(&headers(&both[1..]), Ok(None)).unwrap();
        assert!(token.is_none(), "with a token of its own, the server does not take it for a key");
    }

    #[test]
    fn a_placeholder_is_refused_by_name() {
        let error = key(&[("x-venice-api-key", "${VENICE_API_KEY}")]).unwrap_err();
        assert!(error.contains("X-Venice-Api-Key"), "{error}");
    }

    #[test]
    fn a_credential_that_cannot_be_read_is_never_ignored() {
        for given in [
            &[("x-venice-api-key", "")][..],
            &[("x-venice-api-key", " ")],
            &[("x-venice-api-key", "a b")],
            &[("x-venice-api-key", ""), ("x-venice-api-key", "one")],
            &[("x-venice-api-key", "one"), ("x-venice-api-key", "two")],
            &[("x-venice-api-key", ""), ("authorization", "Bearer two")],
            &[("authorization", "")],
            &[("authorization", "Bearer")],
            &[("authorization", "Bearer ")],
            &[("authorization", "no-scheme")],
            &[("authorization", "Basic eDp5")],
            &[("authorization", "Bearer one"), ("authorization", "Bearer two")],
        ] {
            assert!(key(given).is_err(), "{given:?}");
        }
        for (name, value) in
            [("x-venice-api-key", "k\u{e9}y".as_bytes()), ("authorization", b"Bearer k\xe9y")]
        {
            let mut headers = HeaderMap::new();
            headers.insert(name, HeaderValue::from_bytes(value).unwrap());
            assert!(venice_key(&headers, bearer(&headers)).is_err(), "{name}");
        }
        let same = [("authorization", "Bearer\tone"), ("authorization", "Bearer\tone")];
        assert_eq!(key(&same).unwrap().as_deref(), Some("one"));
    }

    proptest! {
        #[test]
        fn headers_of_any_bytes_bring_a_key_or_are_refused(
            own in prop::collection::vec(any::<Vec<u8>>(), 0..3),
            authorization in prop::collection::vec(any::<Vec<u8>>(), 0..3),
        ) {
            let mut headers = HeaderMap::new();
            for (name, values) in
                [(HeaderName::from_static(KEY_HEADER), own), (header::AUTHORIZATION, authorization)]
            {
                for value in values.iter().filter_map(|bytes| HeaderValue::from_bytes(bytes).ok()) {
                    headers.append(&name, value);
                }
            }
            let key = venice_key(&headers, bearer(&headers));
            prop_assert_eq!(matches!(key, Ok(None)), headers.is_empty());
        }
    }

    #[test]
    fn only_the_whole_token_opens() {
        let token = SecretString::from("sixteen-characters");
        let opens = |value| {
            let headers = headers(&[("authorization", value)]);
            matches!(bearer(&headers), Ok(Some(given)) if is_token(given, &token))
        };
        assert!(opens("Bearer sixteen-characters") && opens("bearer  sixteen-characters"));
        assert!(!opens("Bearer sixteen-character") && !opens("sixteen-characters"));
    }
}
