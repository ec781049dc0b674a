//! The API key, and where it comes from.

use std::fmt;
use std::process::Stdio;
use std::time::Duration;

use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::io::AsyncReadExt as _;
use tokio::process::Command;
use tokio::sync::Mutex;

use crate::context::SendContext;
use crate::error::{Error, Kind, Result};

/// How long the key's command may take.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(10);
/// How much of the command's output is read, in bytes.
const MAX_OUTPUT_BYTES: u64 = 64 * 1024;

/// Where the server's own API key comes from.
#[derive(Clone)]
pub enum KeySource {
    /// There is none.
    None {
        /// Why there is none.
        why: NoKey,
    },
    /// It is this one.
    Key(SecretString),
    /// The first line that this program prints. It is given as words, and run without a shell: at the first call, and
    /// again after Venice rejected the key.
    Command(Vec<String>),
}

impl fmt::Debug for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None { .. } => "None",
            Self::Key(_) => "Key",
            Self::Command(_) => "Command",
        })
    }
}

/// Why there is no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoKey {
    /// Nothing was set.
    Missing,
    /// The host passed on a `${...}` from its configuration without filling it in.
    Unsubstituted,
}

impl NoKey {
    /// The error of a call that needs a key.
    pub(crate) fn error(self) -> Error {
        match self {
            Self::Missing => Error::new(Kind::Key, "no Venice API key is set"),
            Self::Unsubstituted => Error::new(
                Kind::Key,
                "`VENICE_API_KEY` is a placeholder: the host did not fill in its `${...}`",
            )
            .hint(
                "set VENICE_API_KEY in the environment that the host is started from, or write the key itself \
                 into the host's configuration; keys are made at https://venice.ai/settings/api",
            ),
        }
    }
}

/// The keys of all callers.
#[derive(Debug)]
pub(crate) struct Keys {
    source: KeySource,
    /// The key that the command printed last.
    printed: Mutex<Option<SecretString>>,
}

impl Keys {
    pub(crate) fn new(source: KeySource) -> Self {
        Self { source, printed: Mutex::default() }
    }

    /// Whether a call has a key, as far as that is known without running the command.
    pub(crate) const fn has_key(&self, context: &SendContext) -> bool {
        context.key.is_some() || !matches!(self.source, KeySource::None { .. })
    }

    /// An error if a call has no key.
    pub(crate) fn require(&self, context: &SendContext) -> Result<()> {
        match &self.source {
            KeySource::None { why } if context.key.is_none() => Err(why.error()),
            _ => Ok(()),
        }
    }

    /// The key of a call: the caller's own, or else the server's.
    pub(crate) async fn get(&self, context: &SendContext) -> Result<SecretString> {
        if let Some(key) = &context.key {
            return Ok(key.clone());
        }
        match &self.source {
            KeySource::None { why } => Err(why.error()),
            KeySource::Key(key) => Ok(key.clone()),
            KeySource::Command(words) => {
                let mut printed = self.printed.lock().await;
                if let Some(key) = printed.as_ref() {
                    return Ok(key.clone());
                }
                let key = run_command(words).await?;
                *printed = Some(key.clone());
                Ok(key)
            }
        }
    }

    /// Another key than `rejected`, which Venice did not accept; `None` if there is no other.
    pub(crate) async fn renew(
        &self,
        context: &SendContext,
        rejected: &SecretString,
    ) -> Option<SecretString> {
        let KeySource::Command(words) = &self.source else { return None };
        if context.key.is_some() {
            return None;
        }
        let differs = |key: &&SecretString| key.expose_secret() != rejected.expose_secret();
        let mut printed = self.printed.lock().await;
        if let Some(newer) = printed.as_ref().filter(differs) {
            return Some(newer.clone());
        }
        *printed = None;
        let key = run_command(words).await.ok()?;
        *printed = Some(key.clone());
        Some(key).filter(|key| differs(&key))
    }
}

/// The `Authorization` header with the key, marked so that it stays out of logs.
pub(crate) fn authorization(key: &SecretString) -> Result<HeaderValue> {
    let text = SecretString::from(format!("Bearer {}", key.expose_secret().trim()));
    let mut value = HeaderValue::from_str(text.expose_secret())
        .map_err(|_| Error::new(Kind::Key, "the Venice API key has characters that no key has"))?;
    value.set_sensitive(true);
    Ok(value)
}

/// Runs the command and takes the first line that it prints.
async fn run_command(words: &[String]) -> Result<SecretString> {
    let Some((program, rest)) = words.split_first() else {
        return Err(Error::new(Kind::Key, "`VENICE_API_KEY_COMMAND` names no program"));
    };
    let failed = |what: String| {
        Error::new(Kind::Key, format!("`VENICE_API_KEY_COMMAND` (`{program}`) {what}"))
            .hint("run the command by hand; it has to print the Venice API key as its first line")
    };
    let mut child = Command::new(program)
        .args(rest)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| failed(format!("could not be started: {error}")))?;
    let mut text = String::new();
    let output = async {
        if let Some(stdout) = child.stdout.take() {
            stdout.take(MAX_OUTPUT_BYTES).read_to_string(&mut text).await?;
        }
        child.wait().await
    };
    let status = tokio::time::timeout(COMMAND_TIMEOUT, output)
        .await
        .map_err(|_| failed(format!("did not end within {} s", COMMAND_TIMEOUT.as_secs())))?
        .map_err(|error| failed(format!("could not be read: {error}")))?;
    if !status.success() {
        return Err(failed(format!("failed: {status}")));
    }
    let key = text.lines().next().unwrap_or_default().trim();
    if key.is_empty() {
        return Err(failed("printed no key".to_owned()));
    }
    Ok(SecretString::from(key))
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn keys(script: &str) -> Keys {
        let words = ["sh", "-c", script].map(str::to_owned);
        Keys::new(KeySource::Command(words.to_vec()))
    }

    #[tokio::test]
    async fn the_key_is_the_first_line_that_the_command_prints() {
        let keys = keys("echo ' abc '; echo def");
        let key = keys.get(&SendContext::default()).await.unwrap();
        assert_eq!(key.expose_secret(), "abc");
        assert!(
            keys.renew(&SendContext::default(), &key).await.is_none(),
            "it prints the same again"
        );
    }

    #[tokio::test]
    async fn a_rejected_key_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("key");
        tokio::fs::write(&file, "old").await.unwrap();
        let keys = keys(&format!("cat '{}'", file.display()));
        let old = keys.get(&SendContext::default()).await.unwrap();
        tokio::fs::write(&file, "new").await.unwrap();
        assert_eq!(keys.get(&SendContext::default()).await.unwrap().expose_secret(), "old");
        assert_eq!(keys.renew(&SendContext::default(), &old).await.unwrap().expose_secret(), "new");
        assert_eq!(keys.get(&SendContext::default()).await.unwrap().expose_secret(), "new");
    }

    #[tokio::test]
    async fn a_command_that_fails_is_named_without_its_words() {
        let error = keys("exit 3").get(&SendContext::default()).await.unwrap_err();
        assert_eq!(error.kind, Kind::Key);
        assert_eq!(error.message, "`VENICE_API_KEY_COMMAND` (`sh`) failed: exit status: 3");
        let silent = keys("true").get(&SendContext::default()).await.unwrap_err();
        assert!(silent.message.ends_with("printed no key"));
    }
}
