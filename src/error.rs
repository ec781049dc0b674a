//! The one error of the crate: what happened, who can fix it, and what to do next.
//!
//! An error is written for the agent that reads it. Its message is a lower-case fragment that names the
//! argument, path or id in backticks; its hint is the next step. It knows neither HTTP nor MCP.

use std::fmt::Write as _;
use std::time::Duration;

/// The result of everything in this crate that can fail.
pub type Result<T> = std::result::Result<T, Error>;

/// The longest text of an error in bytes: hosts cut longer ones.
const TEXT_LIMIT: usize = 2000;

/// Who has to act on an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The arguments of the call are wrong.
    Arguments,
    /// A media string does not lead to usable bytes.
    Input,
    /// A rule of this server forbids the call.
    Refused,
    /// The API key is missing, or Venice does not take it.
    Key,
    /// The account has no credit left for the call.
    Credit,
    /// Venice, or the model's provider, refused the content.
    Moderated,
    /// Too many requests; `retry_after` says when to call again.
    Limited,
    /// Venice answered with an error that none of the other kinds describes.
    Venice,
    /// No usable reply arrived from Venice.
    Network,
    /// A model, a stored item or a job does not exist.
    NotFound,
    /// The output directory could not be read or written.
    Storage,
    /// The call took longer than it may.
    Timeout,
    /// The client canceled the call.
    Canceled,
    /// A fault of this server.
    Internal,
}

impl Kind {
    /// The kind's name in logs and metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Arguments => "arguments",
            Self::Input => "input",
            Self::Refused => "refused",
            Self::Key => "key",
            Self::Credit => "credit",
            Self::Moderated => "moderated",
            Self::Limited => "limited",
            Self::Venice => "venice",
            Self::Network => "network",
            Self::NotFound => "not_found",
            Self::Storage => "storage",
            Self::Timeout => "timeout",
            Self::Canceled => "canceled",
            Self::Internal => "internal",
        }
    }

    /// The hint of an error that brings none of its own.
    pub(crate) const fn hint(self) -> &'static str {
        match self {
            Self::Arguments => "correct the arguments and call again; nothing was spent",
            Self::Input => {
                "give a readable path, a data: URL, an https:// URL, a venice://media/ URI or `last`"
            }
            Self::Refused => "change the call, or the setting that forbids it",
            Self::Key => {
                "set VENICE_API_KEY in the server's environment; keys are made at https://venice.ai/settings/api"
            }
            Self::Credit => "add credit at https://venice.ai/settings/api, then call again",
            Self::Moderated => "rephrase the prompt, or use another model",
            Self::Limited => "wait, then call again",
            Self::Venice => "change the call according to the message; do not repeat it unchanged",
            Self::Network => "check the network, then call again",
            Self::NotFound => "list what there is, and call again with one of its ids",
            Self::Storage => "free space, or set VENICE_OUTPUT_DIR to a writable directory",
            Self::Timeout => "call again, or raise VENICE_TIMEOUT",
            Self::Canceled => "call again if the result is still wanted",
            Self::Internal => "call again; if it happens again, report it with the server's log",
        }
    }
}

/// One thing that is wrong with one argument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where: an argument's name, or a path such as `style_references[0].strength`; empty for the whole.
    pub path: String,
    /// What is wrong with it, and what is allowed.
    pub message: String,
}

impl Problem {
    /// A problem of the argument at `path`.
    pub fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { path: path.into(), message: message.into() }
    }
}

/// What went wrong, for whoever made the call.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// Who has to act.
    pub kind: Kind,
    /// What happened, in one line.
    pub message: String,
    /// Every problem of the arguments, where those are at fault.
    pub problems: Vec<Problem>,
    /// What to do next; without one, what the kind suggests.
    pub hint: Option<String>,
    /// When the call may be made again, where that is known.
    pub retry_after: Option<Duration>,
    /// The HTTP status that Venice answered with.
    pub status: Option<u16>,
    /// What Venice said, in its own words.
    pub detail: Option<String>,
    /// Whether the text is given whole, however long: a policy that the user has to read.
    pub whole: bool,
    /// The id under which Venice's support finds the request.
    pub request_id: Option<String>,
    /// The cause, for the log.
    #[source]
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// An error of `kind` with a one-line message.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            problems: Vec::new(),
            hint: None,
            retry_after: None,
            status: None,
            detail: None,
            whole: false,
            request_id: None,
            source: None,
        }
    }

    /// The error of a call whose arguments have these problems.
    #[must_use]
    pub fn arguments(problems: Vec<Problem>) -> Self {
        let what = if problems.len() == 1 { "an argument is" } else { "some arguments are" };
        Self { problems, ..Self::new(Kind::Arguments, format!("{what} not valid")) }
    }

    /// Refuses the arguments if they have any problems.
    pub fn reject(problems: Vec<Problem>) -> Result<()> {
        if problems.is_empty() { Ok(()) } else { Err(Self::arguments(problems)) }
    }

    /// The error of a call with one wrong argument.
    pub fn argument(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self::arguments(vec![Problem::new(path, message)])
    }

    /// Adds what to do next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds the cause.
    #[must_use]
    pub fn source(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// The same error once more, without its cause.
    #[must_use]
    pub fn restated(&self) -> Self {
        Self {
            kind: self.kind,
            message: self.message.clone(),
            problems: self.problems.clone(),
            hint: self.hint.clone(),
            retry_after: self.retry_after,
            request_id: self.request_id.clone(),
            status: self.status,
            detail: self.detail.clone(),
            whole: self.whole,
            source: None,
        }
    }

    /// The text that the caller reads: what happened, every problem, Venice's words, and a line of hint.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = self.message.clone();
        for problem in &self.problems {
            let place = if problem.path.is_empty() { "arguments" } else { &problem.path };
            let _ = write!(text, "\n- `{place}`: {}", problem.message);
        }
        if let Some(detail) = &self.detail {
            let _ = write!(text, "\nVenice says: {detail}");
        }
        let mut tail = String::new();
        if let Some(wait) = self.retry_after {
            let _ = write!(tail, "\nretry after {} s", wait.as_secs_f64().ceil());
        }
        if let Some(id) = &self.request_id {
            let _ = write!(tail, "\nrequest id: {id}");
        }
        let hint = self.hint.as_deref().unwrap_or_else(|| self.kind.hint());
        let _ = write!(tail, "\nhint: {hint}");
        if !self.whole {
            shorten(&mut text, TEXT_LIMIT.saturating_sub(tail.len()));
        }
        text + &tail
    }
}

/// Cuts `text` to `limit` bytes at a character's end, and says so.
pub(crate) fn shorten(text: &mut String, limit: usize) {
    const MARK: &str = " … (shortened)";
    if text.len() > limit {
        text.truncate(text.floor_char_boundary(limit.saturating_sub(MARK.len())));
        text.push_str(MARK);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_names_every_problem_and_ends_with_the_hint() {
        let error = Error::arguments(vec![
            Problem::new("width", "must be at most 1280"),
            Problem::new("", "unknown"),
        ]);
        assert_eq!(
            error.text(),
            "some arguments are not valid\n- `width`: must be at most 1280\n- `arguments`: unknown\n\
             hint: correct the arguments and call again; nothing was spent"
        );
    }

    #[test]
    fn a_long_text_is_cut_before_the_hint() {
        let error = Error::new(Kind::Venice, "é".repeat(4000)).hint("do this");
        let text = error.text();
        assert!(text.len() <= TEXT_LIMIT);
        assert!(text.ends_with("(shortened)\nhint: do this"));
    }

    #[test]
    fn a_text_to_be_read_whole_is_not_cut() {
        let mut error = Error::new(Kind::Refused, "consent is needed");
        error.detail = Some("policy ".repeat(1000));
        error.whole = true;
        assert!(error.text().len() > 7000);
    }
}
