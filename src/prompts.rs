//! Prompts: work that takes several tools, told to an agent in the order in which to do it.
//!
//! A prompt is offered where all of its tools are. Its text says which tools to call, what to ask the user before
//! money is spent, and what to show at the end.

mod article;
mod compare;
mod podcast;
mod product;
mod restore;
mod storyboard;

use std::collections::BTreeMap;

use rmcp::ErrorData;
use rmcp::model::{GetPromptResult, JsonObject, PromptArgument, PromptMessage, Role};
use serde_json::Value;

use crate::catalog::ModelType;
use crate::media::MediaKind;

/// All prompts, in the order in which clients see them.
pub const PROMPTS: &[Prompt] = &[
    product::PROMPT,
    storyboard::PROMPT,
    article::PROMPT,
    podcast::PROMPT,
    restore::PROMPT,
    compare::PROMPT,
];

/// What every prompt says of money and of showing.
const CLOSING: &str = "Calls that cost money are made once: if one seems lost, look in venice_media first. For \
everything made, show me its file path or link and its venice:// URI, and at the end what it cost in all.";

/// One prompt.
pub struct Prompt {
    /// Its name.
    pub name: &'static str,
    /// What people see.
    pub title: &'static str,
    /// What it does, in one sentence.
    pub about: &'static str,
    /// What it asks for.
    pub arguments: &'static [Argument],
    /// The tools that its text names.
    pub tools: &'static [&'static str],
    write: fn(&Given) -> String,
}

/// One argument: always a text.
pub struct Argument {
    /// Its name.
    pub name: &'static str,
    /// What it means.
    pub about: &'static str,
    /// Whether the prompt needs it.
    pub required: bool,
    /// What completions offer for it.
    pub offers: Offers,
}

/// What completions offer for an argument.
#[derive(Debug, Clone, Copy)]
pub enum Offers {
    /// Nothing.
    Nothing,
    /// These words.
    Words(&'static [&'static str]),
    /// The models of a type.
    Models(ModelType),
    /// The voices of the speech model that calls use where they name none.
    Voices,
    /// The URIs of stored media of a kind, and `last`.
    Media(MediaKind),
}

/// The arguments of one request, without empty ones.
pub struct Given(BTreeMap<String, String>);

impl Given {
    /// The argument, or what stands for it.
    fn or<'a>(&'a self, name: &str, otherwise: &'a str) -> &'a str {
        self.0.get(name).map_or(otherwise, String::as_str)
    }

    /// The argument within a sentence, or nothing at all.
    fn within(&self, before: &str, name: &str, after: &str) -> String {
        self.0.get(name).map_or_else(String::new, |text| format!("{before}{text}{after}"))
    }
}

impl Prompt {
    /// The prompt as `prompts/list` shows it.
    #[must_use]
    pub fn listed(&self) -> rmcp::model::Prompt {
        let arguments = self.arguments.iter().map(|argument| {
            PromptArgument::new(argument.name)
                .with_description(argument.about)
                .with_required(argument.required)
        });
        let mut prompt =
            rmcp::model::Prompt::new(self.name, Some(self.about), Some(arguments.collect()));
        prompt.title = Some(self.title.to_owned());
        prompt
    }

    /// The prompt with the arguments of a request; an error names every argument that is missing or unknown.
    pub fn fill(&self, arguments: Option<JsonObject>) -> Result<GetPromptResult, ErrorData> {
        let mut given = BTreeMap::new();
        let mut problems = Vec::new();
        for (name, value) in arguments.unwrap_or_default() {
            if !self.arguments.iter().any(|argument| argument.name == name) {
                problems.push(format!("there is no argument `{name}`"));
            }
            let text = match value {
                Value::String(text) => text,
                Value::Null => continue,
                other => other.to_string(),
            };
            if !text.trim().is_empty() {
                given.insert(name, text.trim().to_owned());
            }
        }
        for argument in self.arguments.iter().filter(|argument| argument.required) {
            if !given.contains_key(argument.name) {
                problems.push(format!("`{}` is missing", argument.name));
            }
        }
        if !problems.is_empty() {
            let message = format!("{}: {}", self.name, problems.join(", "));
            return Err(ErrorData::invalid_params(message, None));
        }
        let text = format!("{}\n\n{CLOSING}", (self.write)(&Given(given)));
        let message = PromptMessage::new_text(Role::User, text);
        Ok(GetPromptResult::new(vec![message]).with_description(self.about))
    }
}

/// The prompt of that name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Prompt> {
    PROMPTS.iter().find(|prompt| prompt.name == name)
}

/// An argument that the prompt needs.
const fn required(name: &'static str, about: &'static str, offers: Offers) -> Argument {
    Argument { name, about, required: true, offers }
}

/// An argument that the prompt has a default for.
const fn optional(name: &'static str, about: &'static str, offers: Offers) -> Argument {
    Argument { name, about, required: false, offers }
}
