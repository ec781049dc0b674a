//! What a call came to: media, data, text. Plain values, before they become MCP content.

use std::fmt::Write as _;
use std::path::PathBuf;

use bytes::Bytes;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::context::{Context, OutputMode};
use crate::media::Media;
use crate::venice::ReplyHeaders;

/// The result of a tool's `run`.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// The media, in the order in which they were made.
    pub media: Vec<Delivered>,
    /// What a program reads: becomes `structuredContent`, and the first text says the same.
    pub data: Option<Map<String, Value>>,
    /// How the media are shown whatever the caller asks for: a list is text alone.
    pub output: Option<OutputMode>,
    /// Lines of text: all of it where there is nothing else, and what stands below the summary of media.
    pub lines: Vec<String>,
    /// Text blocks of their own, below the first: what the caller hands on unchanged.
    pub blocks: Vec<String>,
    /// What Venice charged, in US dollars, if its replies say so. Otherwise the call's price counts as its cost.
    pub cost_usd: Option<f64>,
    /// What programs alone read beside it, such as `ai.venice/job`: becomes part of the result's `_meta`.
    pub meta: Map<String, Value>,
}

impl Outcome {
    /// An outcome that is data.
    #[must_use]
    pub fn data(data: Map<String, Value>) -> Self {
        Self { data: Some(data), ..Self::default() }
    }

    /// Adds an amount in US dollars that a reply named. Amounts that cannot be a cost are ignored.
    pub fn add_cost(&mut self, usd: Option<f64>) {
        if let Some(usd) = usd.filter(|usd| usd.is_finite() && *usd >= 0.0) {
            self.cost_usd = Some(self.cost_usd.unwrap_or_default() + usd);
        }
    }

    /// An outcome that is text.
    pub fn text(text: impl Into<String>) -> Self {
        Self { lines: vec![text.into()], ..Self::default() }
    }
}

/// One stored item, as one result shows it.
#[derive(Debug, Clone)]
pub struct Delivered {
    /// The item in the store.
    pub media: Media,
    /// Its file on this machine; `None` where the storage has no files.
    pub path: Option<PathBuf>,
    /// Its bytes, where the call has them at hand; else they are read when they are needed.
    pub bytes: Option<Bytes>,
    /// What Venice said about making it.
    pub remarks: Remarks,
}

/// Where a caller finds an item's file.
#[derive(Debug)]
pub enum Place {
    /// A path on the machine that the caller shares with the server.
    Path(String),
    /// A download link, for everyone else.
    Link(String),
}

impl Place {
    /// Where the caller finds `item`, and what is to be said about that; `fault` is why it has no file.
    #[must_use]
    pub fn of(
        item: &Delivered,
        context: &Context,
        fault: Option<String>,
    ) -> (Option<Self>, Option<String>) {
        let Some(links) = &context.links else {
            if let Some(why) = fault {
                return (None, Some(unwritten(&item.media, &format!(" ({why})"))));
            }
            let path = item.path.as_ref().map(|path| path.display().to_string());
            return (path.map(Self::Path), None);
        };
        match links.link(&item.media.id) {
            // Don't leak disk errors to remote clients.
            Ok(link) => (Some(Self::Link(link)), fault.map(|_| unwritten(&item.media, ""))),
            Err(error) => {
                (None, Some(format!("{} has no download link: {error}", item.media.uri())))
            }
        }
    }

    /// The path or the link.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Path(text) | Self::Link(text) => text,
        }
    }
}

fn unwritten(media: &Media, why: &str) -> String {
    let uri = media.uri();
    format!(
        "{uri} could not be stored{why}: it is in the server's memory alone, lost when the server ends, and written \
         with the next item that can be"
    )
}

/// What Venice said about one item, beyond its bytes.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Remarks {
    /// The credit that was there before the call, in US dollars.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub balance_usd: Option<f64>,
    /// Whether adult content was blurred.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub blurred: bool,
    /// The prompt that the model was given instead of the caller's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enhanced_prompt: Option<String>,
    /// That the model goes away, when, and what takes its place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deprecation: Option<String>,
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
