//! `POST /embeddings`

use std::fmt;

use schemars::JsonSchema;
use serde::de::{IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value, json};

use crate::call::{Call, NewItem, Preparation};
use crate::catalog::MODELS;
use crate::catalog::embedding::{DEFAULT_MODEL, EmbeddingModel, EmbeddingPricing};
use crate::catalog::text::estimate_tokens;
use crate::context::OutputMode;
use crate::error::{Error, Kind, Problem, Result};
use crate::outcome::{Outcome, Remarks};
use crate::tool::{Cost, Effect, Returns, Spec, Tool};
use crate::venice::{CallKind, Class, Endpoint, Request};

/// Turns texts into vectors.
pub const EMBED: Endpoint = Endpoint::post("/embeddings", CallKind::Paid, Class::Embedding);

/// Turn texts into vectors. They are stored as a JSON file (data[].embedding, in the order of input), and the result
/// names it. Costs credit per token.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Embed {
    #[schemars(length(min = 1, max = 2048))]
    input: Vec<String>,
    /// Default text-embedding-bge-m3.
    #[serde(skip_serializing)]
    model: Option<String>,
    #[schemars(range(min = 1))]
    dimensions: Option<u64>,
    encoding_format: Option<Format>,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Format {
    Float,
    Base64,
}

/// A request that is ready to be sent.
pub struct Plan {
    body: Map<String, Value>,
    item: NewItem,
    pricing: Option<EmbeddingPricing>,
    lines: Vec<String>,
}

impl Tool for Embed {
    const SPEC: Spec = Spec {
        name: "venice_embeddings",
        title: "Embeddings",
        toolset: "text",
        effect: Effect::Creates,
        deletes_by: None,
        cost: Cost::Paid("per token"),
        returns: Returns::Data(&[
            ("model", "string"),
            ("count", "integer"),
            ("dimensions", "integer"),
            ("uri", "string"),
        ]),
        endpoints: &[&EMBED, &MODELS],
        aliases: &[("text", "input"), ("modelId", "model")],
        extra: true,
    };

    type Plan = Plan;

    fn check(&self) -> Vec<Problem> {
        let blank = self.input.iter().enumerate().filter(|(_, text)| text.is_empty()).take(10);
        blank
            .map(|(index, _)| Problem::new(format!("input[{index}]"), "must not be empty"))
            .collect()
    }

    async fn prepare(self, call: &mut Preparation<'_>) -> Result<Plan> {
        let check = |model: &EmbeddingModel, id: &str| {
            let problems = model.check_input(id, &self.input, self.dimensions);
            let tokens = self.input.iter().map(|text| estimate_tokens(text.chars().count())).sum();
            (problems, model.pricing().usd(tokens))
        };
        let named = self.model.as_deref();
        let (chosen, cost_usd) = call.choose_model(named, DEFAULT_MODEL, check).await?;
        let body = call.body_for(&chosen.id, &self)?;
        let prompt = Some("embeddings".to_owned());
        let pricing = chosen.details().map(EmbeddingModel::pricing);
        let item = NewItem { prompt, model: Some(chosen.id), cost_usd, ..NewItem::default() };
        Ok(Plan { body, item, pricing, lines: call.take_notes() })
    }

    fn price(plan: &Plan) -> Option<f64> {
        plan.item.cost_usd
    }

    async fn run(plan: Plan, call: &Call) -> Result<Outcome> {
        let Plan { body, mut item, pricing, lines } = plan;
        let request = Request::new(&EMBED).json(Value::Object(body));
        let reply = call.send(request).await?;
        let list: List = reply.json()?;
        let dimensions = list.data.first().map_or(0, |item| item.embedding.0);
        if dimensions == 0 {
            let hint = "look at the balance before the call is made again";
            return Err(Error::new(Kind::Network, "Venice's reply holds no vectors").hint(hint));
        }
        let used = list.usage.and_then(|usage| usage.total_tokens.or(usage.prompt_tokens));
        let counted = used.zip(pricing).and_then(|(used, pricing)| pricing.usd(f64::from(used)));
        item.cost_usd = counted.or(item.cost_usd);
        let answered = list.model.or_else(|| item.model.clone()).unwrap_or_default();
        item.remarks = Remarks::from(&reply.headers);
        let stored = NewItem {
            bytes: reply.bytes,
            content_type: Some("application/json".to_owned()),
            ..item
        };
        let kept = call.keep(stored).await?;
        let mut data = Map::from_iter([
            ("model".to_owned(), json!(answered)),
            ("count".to_owned(), json!(list.data.len())),
            ("dimensions".to_owned(), json!(dimensions)),
            ("uri".to_owned(), json!(kept.media.uri())),
        ]);
        if let Some(used) = used {
            data.insert("tokens".to_owned(), json!(used));
        }
        let output = Some(OutputMode::Link);
        let mut outcome = Outcome { media: vec![kept], output, lines, ..Outcome::data(data) };
        outcome.add_cost(counted);
        Ok(outcome)
    }
}

/// The reply, as far as the result needs it.
#[derive(Deserialize)]
struct List {
    model: Option<String>,
    data: Vec<Item>,
    usage: Option<Used>,
}

#[derive(Deserialize)]
struct Item {
    embedding: VectorLength,
}

#[derive(Deserialize)]
struct Used {
    prompt_tokens: Option<u32>,
    total_tokens: Option<u32>,
}

/// The length of a vector, counted without keeping its numbers.
#[derive(Debug, PartialEq)]
struct VectorLength(usize);

impl<'de> Deserialize<'de> for VectorLength {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        deserializer.deserialize_any(VectorLengthVisitor)
    }
}

struct VectorLengthVisitor;

impl<'de> Visitor<'de> for VectorLengthVisitor {
    type Value = VectorLength;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of numbers, or their base64")
    }

    fn visit_str<E>(self, text: &str) -> std::result::Result<VectorLength, E> {
        let digits = text.trim_end_matches('=').len();
        Ok(VectorLength(digits * 3 / 4 / size_of::<f32>()))
    }

    fn visit_seq<A: SeqAccess<'de>>(
        self,
        mut list: A,
    ) -> std::result::Result<VectorLength, A::Error> {
        let mut count = 0;
        while list.next_element::<IgnoredAny>()?.is_some() {
            count += 1;
        }
        Ok(VectorLength(count))
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;

    use super::*;

    #[test]
    fn a_vector_is_counted_in_both_forms() {
        for size in [1, 2, 3, 256, 1024] {
            let floats: VectorLength = serde_json::from_value(json!(vec![0.5; size])).unwrap();
            let packed = base64::engine::general_purpose::STANDARD.encode(vec![0_u8; size * 4]);
            let packed: VectorLength = serde_json::from_value(json!(packed)).unwrap();
            assert_eq!((floats, packed), (VectorLength(size), VectorLength(size)));
        }
    }
}
