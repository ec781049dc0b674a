//! What a reply says apart from its answer: model, tokens, cost, and sources.

use serde_json::Value;

use crate::catalog::text::{SEARCH_USD, TextPricing};
use crate::outcome::Remarks;
use crate::venice::ReplyHeaders;

/// The tokens and dollars of a call, as the reply counts them.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Usage {
    input: Option<u64>,
    output: Option<u64>,
    cached: Option<u64>,
    reasoning: Option<u64>,
    /// What was charged, in US dollars.
    usd: Option<f64>,
}

impl Usage {
    /// Adds what `event` says. Chat and responses have different names for the same numbers.
    pub(super) fn add_event(&mut self, event: &Value) {
        // Most events of a stream have no usage.
        if let Some(Value::Object(usage)) = event.get("usage") {
            let number =
                |names: [&str; 2]| names.iter().find_map(|name| usage.get(*name)?.as_u64());
            let detail = |names: [&str; 2], detail: &str| {
                names.iter().find_map(|name| usage.get(*name)?.get(detail)?.as_u64())
            };
            let input_details = ["prompt_tokens_details", "input_tokens_details"];
            let output_details = ["completion_tokens_details", "output_tokens_details"];
            self.input = number(["prompt_tokens", "input_tokens"]).or(self.input);
            self.output = number(["completion_tokens", "output_tokens"]).or(self.output);
            self.cached = detail(input_details, "cached_tokens").or(self.cached);
            self.reasoning = detail(output_details, "reasoning_tokens").or(self.reasoning);
        }
        let usd = event.get("cost").and_then(|cost| cost.get("usd")?.as_f64());
        self.usd = usd.filter(|usd| usd.is_finite() && *usd >= 0.0).or(self.usd);
    }

    /// What the call cost in US dollars: as the reply says, else by the tokens that it counts and the searches that
    /// were made.
    pub(super) fn cost(&self, pricing: Option<TextPricing>, searches: usize) -> Option<f64> {
        let count = |tokens| f64::from(u32::try_from(tokens).unwrap_or(u32::MAX));
        let both = self.input.zip(self.output).zip(pricing);
        let counted =
            both.and_then(|((input, output), pricing)| pricing.usd(count(input), count(output)));
        let searches = f64::from(u32::try_from(searches).unwrap_or(u32::MAX)) * SEARCH_USD;
        self.usd.or(counted.map(|usd| usd + searches))
    }

    fn describe(&self) -> String {
        let more = |count: Option<u64>, what: &str| match count.filter(|count| *count > 0) {
            Some(count) => format!(" ({count} {what})"),
            None => String::new(),
        };
        let input = self.input.map(|n| format!("{n} tokens in{}", more(self.cached, "cached")));
        let output =
            self.output.map(|n| format!("{n} out{}", more(self.reasoning, "of reasoning")));
        [input, output].into_iter().flatten().collect::<Vec<_>>().join(", ")
    }
}

/// The line about the model of a reply, such as `model m | 9 tokens in, 4 out`.
fn model_line(asked: &str, model: Option<&str>, usage: &Usage) -> String {
    let plain = asked.split(':').next().unwrap_or(asked);
    let model = model.filter(|model| !model.is_empty()).unwrap_or(plain);
    let mut parts = vec![if model == plain || model == asked {
        format!("model {model}")
    } else {
        format!("model {model} (asked for {plain})")
    }];
    parts.push(usage.describe());
    parts.retain(|part| !part.is_empty());
    parts.join(" | ")
}

/// The text below an answer.
pub(super) struct Footer<'a> {
    /// What the caller needs to know about the answer.
    pub(super) notes: Vec<String>,
    /// The model that was asked.
    pub(super) asked: &'a str,
    /// The model that answered, if the reply says so.
    pub(super) answered: Option<&'a str>,
    pub(super) usage: &'a Usage,
    pub(super) sources: &'a Sources,
    pub(super) headers: &'a ReplyHeaders,
}

impl Footer<'_> {
    /// The footer as lines, followed by `more`. A blank line separates them from the answer.
    pub(super) fn lines(self, more: Vec<String>) -> Vec<String> {
        let mut lines = self.notes;
        lines.push(model_line(self.asked, self.answered, self.usage));
        lines.extend(self.sources.lines());
        lines.extend(deprecation_line(self.headers, self.asked));
        lines.extend(more);
        if let Some(first) = lines.first_mut() {
            first.insert(0, '\n');
        }
        lines
    }
}

/// The line about a model that will be removed.
fn deprecation_line(headers: &ReplyHeaders, model: &str) -> Option<String> {
    Some(format!("deprecation of {model}: {}", Remarks::from(headers).deprecation?))
}

/// The pages that an answer cites: their URLs and titles.
#[derive(Debug, Default)]
pub(super) struct Sources(Vec<(String, String)>);

impl Sources {
    /// The pages of a complete list. The marks in the answer are numbers in this list.
    pub(super) fn from_citations(citations: &[Value]) -> Self {
        Self(citations.iter().map(page).collect())
    }

    /// Adds a citation: an object with `url`, and `title` if there is one. Each page is listed once.
    pub(super) fn add(&mut self, citation: &Value) {
        let page = page(citation);
        if !page.0.is_empty() && !self.0.iter().any(|(known, _)| *known == page.0) {
            self.0.push(page);
        }
    }

    /// One line for each page.
    pub(super) fn lines(&self) -> impl Iterator<Item = String> {
        self.0.iter().enumerate().map(|(index, (url, title))| {
            let number = index + 1;
            if title.is_empty() {
                format!("[{number}] {url}")
            } else {
                format!("[{number}] {title}: {url}")
            }
        })
    }
}

fn page(citation: &Value) -> (String, String) {
    let text = |name: &str| citation.get(name).and_then(Value::as_str).unwrap_or_default().trim();
    (one_line(text("url")), one_line(text("title")))
}

fn one_line(text: &str) -> String {
    text.replace(|character: char| character.is_control(), " ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_line_says_what_is_known() {
        let mut usage = Usage::default();
        usage.add_event(&json!({"usage": null}));
        assert_eq!(model_line("m:a=b", None, &usage), "model m");
        usage.add_event(&json!({"usage": {"prompt_tokens": 9, "completion_tokens": 40,
            "completion_tokens_details": {"reasoning_tokens": 30}}}));
        usage.add_event(&json!({"usage": null, "cost": {"usd": 1.5}}));
        assert_eq!(
            model_line("m", Some("n"), &usage),
            "model n (asked for m) | 9 tokens in, 40 out (30 of reasoning)"
        );
        assert_eq!(usage.usd, Some(1.5));
        usage.add_event(&json!({"usage": {"input_tokens": 7}, "cost": {"usd": -1}}));
        assert_eq!((usage.input, usage.usd), (Some(7), Some(1.5)));
    }

    #[test]
    fn sources_are_numbered() {
        let page = json!({"title": "A", "url": "https://a.example"});
        let listed = Sources::from_citations(&[page.clone(), page]);
        let lines: Vec<String> = listed.lines().collect();
        assert_eq!(lines, ["[1] A: https://a.example", "[2] A: https://a.example"]);
        let mut sources = Sources::default();
        for citation in [
            json!({"title": "A\npage", "url": "https://a.example"}),
            json!({"url": "https://b.example"}),
            json!({"title": "again", "url": "https://a.example"}),
            json!({"title": "nothing"}),
        ] {
            sources.add(&citation);
        }
        let lines: Vec<String> = sources.lines().collect();
        assert_eq!(lines, ["[1] A page: https://a.example", "[2] https://b.example"]);
    }
}
