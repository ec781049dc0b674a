//! Settings while they are read: those that depend on each other are put together at the end.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;
use url::Url;

use super::given_values::GivenValues;
use super::{Config, Directories, Invalid, Options, PROXY_VARIABLES, Read, http, log};
use crate::storage::SecretBytes;
use crate::transport::http::HttpOptions;
use crate::venice::{KeySource, NoKey};

/// What the rows have filled in so far.
pub(super) struct Draft {
    pub(super) options: Options,
    pub(super) base_url: Option<Url>,
    /// The key, and the variable that names it.
    key: Option<(&'static str, KeySource)>,
    pub(super) key_file: Option<PathBuf>,
    pub(super) output_directory: Option<PathBuf>,
    pub(super) input_directories: Vec<PathBuf>,
    /// Where to listen. If `None`, HTTP is not served.
    pub(super) listen: Option<SocketAddr>,
    /// All other options of the listener.
    pub(super) http: HttpOptions,
    pub(super) allow_unauthenticated: bool,
    pub(super) secret: Option<SecretBytes>,
    pub(super) log: Option<String>,
}

impl Draft {
    pub(super) fn new() -> Self {
        Self {
            options: Options::default(),
            base_url: None,
            key: None,
            key_file: None,
            output_directory: None,
            input_directories: Vec::new(),
            listen: None,
            http: HttpOptions {
                address: http::DEFAULT_ADDRESS,
                sse: true,
                token: None,
                allowed_hosts: Vec::new(),
                allowed_origins: Vec::new(),
                public_url: None,
                link_ttl: Duration::ZERO,
            },
            allow_unauthenticated: false,
            secret: None,
            log: None,
        }
    }

    /// Takes the key that was given, unless an earlier variable named one.
    pub(super) fn set_key(
        &mut self,
        given: &GivenValues<'_>,
        parse: fn(&str) -> Result<KeySource, String>,
    ) -> Result<(), String> {
        if self.key.is_none() {
            self.key = Some((given.name, parse(given.text()?)?));
        }
        Ok(())
    }

    /// Takes the token that was given, unless an earlier variable named one.
    pub(super) fn set_token(
        &mut self,
        given: &GivenValues<'_>,
        parse: fn(&str) -> Result<SecretString, String>,
    ) -> Result<(), String> {
        if self.http.token.is_none() {
            self.http.token = Some(parse(given.text()?)?);
        }
        Ok(())
    }

    /// The settings.
    pub(super) fn finish(
        self,
        read: Read<'_>,
        working_directory: Option<PathBuf>,
    ) -> Result<Config, Invalid> {
        let base_url =
            self.base_url.ok_or_else(|| Invalid::new("VENICE_BASE_URL", "is not set"))?;
        let directories = Directories::new(
            self.output_directory,
            self.input_directories,
            self.options.sandbox,
            working_directory,
        );
        let (key_variable, key) = match self.key {
            Some((variable, key)) => (Some(variable), key),
            None => (None, KeySource::None { why: NoKey::Missing }),
        };
        let http = match self.listen {
            Some(address) => {
                let options = HttpOptions { address, ..self.http };
                http::check_access(&options, self.allow_unauthenticated)?;
                Some(options)
            }
            None => None,
        };
        Ok(Config {
            key,
            key_variable,
            key_file: self.key_file.map(|file| directories.absolute(file)),
            base_url,
            directories,
            proxy_variables: PROXY_VARIABLES
                .into_iter()
                .filter(|name| read(name).is_some())
                .collect(),
            http,
            secret: self.secret,
            log: self.log.unwrap_or_else(|| log::default_filter(read)),
            options: self.options,
        })
    }
}
