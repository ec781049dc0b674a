//! `POST /augment/text-parser`

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::call::{Call, NewItem, Preparation, form_of};
use crate::error::Result;
use crate::input::{AcceptedMedia, UrlPolicy};
use crate::media::MediaKind;
use crate::outcome::{Outcome, Remarks};
use crate::tool::{Cost, Effect, Returns, Spec, Tool};
use crate::venice::{CallKind, Class, Endpoint, MultipartForm, Request};

/// Extracts the text of a document.
pub const PARSE: Endpoint = Endpoint::post("/augment/text-parser", CallKind::Paid, Class::Document);

/// What a call costs, in US dollars.
const PRICE_USD: f64 = 0.01;
/// The largest document that the API takes, in bytes.
const MAX_DOCUMENT_BYTES: u64 = 25 * 1000 * 1000;

/// Read the text of a document: PDF, EPUB, Word, PowerPoint, Excel, plain text or code. Returns the text; a long
/// one as a link. Costs $0.01.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ParseDocument {
    /// Path, URL or venice:// URI; 25 MB.
    #[serde(skip_serializing)]
    file: String,
    /// json also counts the tokens.
    response_format: Option<TextFormat>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum TextFormat {
    Json,
    Text,
}

/// A request that is ready to be sent.
pub struct Plan {
    form: MultipartForm,
    item: NewItem,
    lines: Vec<String>,
}

/// The reply.
#[derive(Deserialize)]
struct Parsed {
    text: String,
    tokens: Option<f64>,
}

impl Tool for ParseDocument {
    const SPEC: Spec = Spec {
        name: "venice_text_parser",
        title: "Read a document",
        toolset: "web",
        effect: Effect::Creates,
        deletes_by: None,
        cost: Cost::Paid("$0.01"),
        returns: Returns::Text,
        endpoints: &[&PARSE],
        aliases: &[("document_url", "file")],
        extra: true,
    };

    type Plan = Plan;

    async fn prepare(self, call: &mut Preparation<'_>) -> Result<Plan> {
        let wanted = AcceptedMedia {
            argument: "file",
            kinds: &[MediaKind::Document],
            urls: UrlPolicy::Fetch,
            max_bytes: MAX_DOCUMENT_BYTES,
            pixels: None,
        };
        let input = call.read_bytes(&self.file, &wanted).await?;
        let prompt = Some(format!("text of {}", input.name));
        let body = call.body(&self)?;
        let form = form_of(&body).file("file", input.name, input.mime_type, input.bytes);
        let item = NewItem { prompt, cost_usd: Some(PRICE_USD), ..NewItem::default() };
        Ok(Plan { form, item, lines: call.take_notes() })
    }

    fn price(plan: &Plan) -> Option<f64> {
        plan.item.cost_usd
    }

    async fn run(plan: Plan, call: &Call) -> Result<Outcome> {
        let request = Request::new(&PARSE).form(plan.form);
        let reply = call.send(request).await?;
        let item = NewItem { remarks: Remarks::from(&reply.headers), ..plan.item };
        let mut lines = plan.lines;
        if !reply.is_json() {
            return call.text_result(reply.text()?.to_owned(), item, lines).await;
        }
        let parsed: Parsed = reply.json()?;
        lines.extend(parsed.tokens.map(|tokens| format!("({tokens} tokens)")));
        call.text_result(parsed.text, item, lines).await
    }
}
