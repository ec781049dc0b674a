//! What a capability says of itself, and the four steps of its calls. Nothing here knows MCP.
//!
//! A tool is a struct: its fields are the arguments, its doc comment is the description, [`Tool::SPEC`] the
//! rest. A call goes through `check` (rules between arguments), `prepare` (defaults, the catalog's rules, media
//! inputs; nothing is spent), `price` and `run`. Everything before `run` may happen twice for one call.

mod extra;
mod inputs;
mod route;
mod show;

use std::fmt::Write as _;
use std::future::Future;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::catalog::Catalog;
use crate::config::{Models, SafeMode};
use crate::context::{Context, OutputMode};
use crate::error::{Error, Kind, Problem, Result};
use crate::input::{Inputs, Source, Wanted};
use crate::jobs::Jobs;
use crate::media::{MediaRecord, MediaStore, MediaView, NewMedia};
use crate::outcome::{Delivered, Outcome, Remarks};
use crate::spend::{Spending, about};
use crate::storage::Secret;
use crate::venice::{Endpoint, MultipartForm, ReplyHeaders, Venice};

pub use inputs::ReadInputs;
pub use route::{Prepared, Route};

/// One capability.
pub trait Tool: DeserializeOwned + JsonSchema + Send + Sized + 'static {
    /// What the tool says of itself.
    const SPEC: Spec;

    /// What `prepare` made of the arguments: all that `run` needs.
    type Plan: Send + Sync + 'static;

    /// The rules between arguments that a schema cannot say.
    fn check(&self) -> Vec<Problem> {
        Vec::new()
    }

    /// Fills in defaults, applies the catalog's rules and reads media inputs. Spends nothing.
    fn prepare(self, call: &Call) -> impl Future<Output = Result<Self::Plan>> + Send;

    /// What the call will cost, in US dollars, where that is known. Spends nothing.
    fn price(_plan: &Self::Plan, _call: &Call) -> impl Future<Output = Result<Option<f64>>> + Send {
        std::future::ready(Ok(None))
    }

    /// Does it.
    fn run(plan: Self::Plan, call: &Call) -> impl Future<Output = Result<Outcome>> + Send;
}

/// What a tool says of itself beside its arguments.
#[derive(Debug)]
pub struct Spec {
    /// The name that clients call: `venice_*`, at most 32 characters.
    pub name: &'static str,
    /// What people see.
    pub title: &'static str,
    /// The toolset that the tool belongs to.
    pub toolset: &'static str,
    /// What a call changes.
    pub effect: Effect,
    /// The argument that asks for a deletion: published only where deleting is allowed. Only with [`Effect::MayDelete`].
    pub deletes_by: Option<&'static str>,
    /// What a call costs.
    pub cost: Cost,
    /// What comes back.
    pub returns: Returns,
    /// The endpoints that a call may use, the one that does the work first.
    pub endpoints: &'static [&'static Endpoint],
    /// Names that are accepted for arguments, though not published: (alias, argument).
    pub aliases: &'static [(&'static str, &'static str)],
    /// Whether further fields of the request's body are taken in `extra`.
    pub extra: bool,
}

/// What a call changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Nothing: it reads and spends nothing.
    Reads,
    /// It makes something new, or spends; nothing is deleted.
    Creates,
    /// It reads and spends nothing, but deletes media at Venice where an argument asks for that; a server that is
    /// read-only offers it and refuses the argument.
    MayDelete,
    /// It deletes media at Venice.
    Deletes,
}

impl Effect {
    /// Whether a server that is read-only offers the tool.
    #[must_use]
    pub const fn is_harmless(self) -> bool {
        matches!(self, Self::Reads | Self::MayDelete)
    }
}

/// What a call costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cost {
    /// Nothing.
    Free,
    /// Credit: what for, as in `per image`.
    Paid(&'static str),
}

/// What comes back from a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Returns {
    /// Stored media, in the form that `output` asks for.
    Media,
    /// Data with these fields (name, JSON type): an output schema, `structuredContent`, and the same as text.
    Data(&'static [(&'static str, &'static str)]),
    /// Text.
    Text,
}

/// The parts of the server that tools use. Made once.
pub struct Services {
    /// The API.
    pub venice: Venice,
    /// What the API's models are, can do and cost.
    pub catalog: Catalog,
    /// Where media lie.
    pub store: MediaStore,
    /// Where media arguments are read from.
    pub inputs: Inputs,
    /// What calls may cost, and what they have cost.
    pub spending: Spending,
    /// What seals what travels through clients.
    pub secret: Secret,
    /// Queued work.
    pub jobs: Jobs,
    /// The settings that tools fill arguments from.
    pub defaults: Defaults,
}

/// The longest text that a result holds, in characters; a longer one is stored and linked.
const LONGEST_TEXT: usize = 40_000;
/// How much of a longer text the result shows, in characters.
const LONG_TEXT_START: usize = 1000;

/// The settings that tools fill arguments from.
#[derive(Debug, Clone, Default)]
pub struct Defaults {
    /// The models of calls that name none.
    pub models: Models,
    /// What is sent as `safe_mode`.
    pub safe_mode: SafeMode,
    /// Whether calls may send transactions to chains.
    pub crypto_send: bool,
    /// Whether nothing may be spent or deleted.
    pub read_only: bool,
}

/// The fields of a request's body, from a value whose fields have the API's names.
pub fn body_of<T: Serialize>(value: &T) -> Result<Map<String, Value>> {
    match serde_json::to_value(value) {
        Ok(Value::Object(body)) => Ok(body),
        _ => Err(Error::new(Kind::Internal, "the request could not be written as JSON")),
    }
}

/// The fields of a body as those of a form: texts as they are, other values as their JSON.
#[must_use]
pub fn fields_of(body: &Map<String, Value>) -> MultipartForm {
    body.iter().fold(MultipartForm::new(), |form, (name, value)| {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        form.text(name, text)
    })
}

/// The value to send as `safe_mode` for a call that asks for `wanted`.
pub fn safe_mode(setting: SafeMode, wanted: Option<bool>) -> Result<Option<bool>> {
    match (setting, wanted) {
        (SafeMode::Locked, Some(false)) => {
            Err(Error::argument("safe_mode", "is locked to true by this server's VENICE_SAFE_MODE"))
        }
        (SafeMode::Locked | SafeMode::On, None) | (SafeMode::Locked, Some(true)) => Ok(Some(true)),
        (SafeMode::Off, None) => Ok(Some(false)),
        (_, wanted) => Ok(wanted),
    }
}

/// One call on its way through the steps. Cheap to clone.
#[derive(Clone)]
pub struct Call {
    /// What is known of the client.
    pub context: Context,
    /// The parts of the server.
    pub services: Arc<Services>,
    /// The caller's view of the store.
    pub store: MediaView,
    /// The tool that is called.
    pub tool: &'static Spec,
    /// The arguments as they were judged, for the record of what is made.
    pub arguments: Arc<Map<String, Value>>,
    /// How the caller wants media.
    pub output: Option<OutputMode>,
    /// The name that the caller wants media stored under.
    pub save_as: Option<String>,
    /// Further fields of the request's body.
    pub extra: Arc<Map<String, Value>>,
    /// What media arguments were read, by which two calls are known to ask for the same.
    pub inputs: ReadInputs,
}

impl Call {
    /// Reads a media argument. Beside it comes a line that says what `last` stood for.
    pub async fn read(&self, text: &str, wanted: &Wanted<'_>) -> Result<(Source, Option<String>)> {
        let source = self.services.inputs.read(&self.context, &self.store, text, wanted).await?;
        if let (Source::Bytes(input), Cost::Paid(_)) = (&source, self.tool.cost) {
            self.inputs.note(text, input).await;
        }
        let line = match &source {
            Source::Bytes(input) => {
                input.stands_for.as_ref().map(|uri| format!("`last` was {uri}"))
            }
            Source::Url(_) => None,
        };
        Ok((source, line))
    }

    /// A text as the result of a call. One that is too long for a conversation is stored, and the result is
    /// how it begins, and a link.
    pub async fn tell(&self, text: String, made: Made, mut lines: Vec<String>) -> Result<Outcome> {
        let characters = text.chars().count();
        if characters <= LONGEST_TEXT {
            lines.insert(0, text);
            lines.extend(money(&made));
            return Ok(Outcome { lines, ..Outcome::default() });
        }
        let start: String = text.chars().take(LONG_TEXT_START).collect();
        lines.push(format!("the text has {characters} characters; it begins:\n{start} …"));
        let content_type = made.content_type.or_else(|| Some("text/plain".to_owned()));
        let item = self.keep(Made { bytes: text.into(), content_type, ..made }).await?;
        Ok(Outcome {
            media: vec![item],
            output: Some(OutputMode::Link),
            lines,
            ..Outcome::default()
        })
    }

    /// The same, with the remarks in a block of their own: a caller saves the text as a file.
    pub async fn tell_apart(
        &self,
        text: String,
        made: Made,
        lines: Vec<String>,
    ) -> Result<Outcome> {
        let mut outcome = self.tell(text, made, lines).await?;
        if outcome.media.is_empty() && outcome.lines.len() > 1 {
            outcome.blocks.push(outcome.lines.split_off(1).join("\n"));
        }
        Ok(outcome)
    }

    /// Whether nothing may be spent or deleted: by the server's setting, or by the request's.
    #[must_use]
    pub fn is_read_only(&self) -> bool {
        self.services.defaults.read_only || self.context.settings.read_only
    }

    /// Adds the caller's `extra` fields to a request's body; an error where one is not the caller's to set.
    pub fn add_extra(&self, body: &mut Map<String, Value>) -> Result<()> {
        extra::merge(body, &self.extra)
    }

    /// Stores what a call made, and says so in the form of a result.
    pub async fn keep(&self, made: Made) -> Result<Delivered> {
        let record = MediaRecord {
            tool: self.tool.name.to_owned(),
            prompt: made.prompt,
            arguments: (*self.arguments).clone(),
            model: made.model,
            seed: made.seed,
            cost_usd: made.cost_usd,
        };
        let new = NewMedia {
            bytes: made.bytes.clone(),
            content_type: made.content_type,
            save_as: self.save_as.clone(),
            record,
        };
        let media = self.store.put(new).await?;
        let path = self.store.path(&media).await;
        Ok(Delivered { media, path, bytes: Some(made.bytes), remarks: made.remarks })
    }
}

/// What a call cost and what was there before, as one line: `about $0.01, balance before $12.34`.
fn money(made: &Made) -> Option<String> {
    let cost = made.cost_usd.filter(|usd| usd.is_finite());
    let cost = cost.map(about);
    let balance = made.remarks.balance_usd.map(|usd| format!("balance before ${usd:.2}"));
    let parts: Vec<String> = cost.into_iter().chain(balance).collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// One item that a call made, not yet stored.
#[derive(Debug, Default)]
pub struct Made {
    /// The bytes, as Venice sent them.
    pub bytes: bytes::Bytes,
    /// The type that Venice gave them.
    pub content_type: Option<String>,
    /// What was asked for, in words.
    pub prompt: Option<String>,
    /// The model that made it.
    pub model: Option<String>,
    /// The seed it was made with, where the caller gave one.
    pub seed: Option<i64>,
    /// What it cost, in US dollars, where that is known.
    pub cost_usd: Option<f64>,
    /// What Venice said beside it.
    pub remarks: Remarks,
}

impl From<&ReplyHeaders> for Remarks {
    fn from(headers: &ReplyHeaders) -> Self {
        let deprecation = headers.deprecation.as_ref().or(headers.replacement.as_ref()).map(|_| {
            let mut text = headers.deprecation.clone().unwrap_or_else(|| "deprecated".to_owned());
            if let Some(date) = &headers.deprecation_date {
                let _ = write!(text, ", removed on {date}");
            }
            if let Some(replacement) = &headers.replacement {
                let _ = write!(text, ", use {replacement} instead");
            }
            text
        });
        Self {
            balance_usd: headers.balance_usd,
            blurred: headers.blurred,
            enhanced_prompt: headers.enhanced_prompt.clone(),
            deprecation,
        }
    }
}
