//! A model's row in brief: what an agent chooses a model by.

use serde_json::{Map, Value, json};

use super::ModelRow;
use super::ModelType;

/// The constraints that a summary shows, by the API's names and in this order. The API has them in `constraints`, in
/// `capabilities`, or next to those.
const SHOWN_CONSTRAINTS: &[&str] = &[
    "promptCharacterLimit",
    "prompt_character_limit",
    "min_prompt_length",
    "lyrics_character_limit",
    "widthHeightDivisor",
    "aspectRatios",
    "aspect_ratios",
    "resolutions",
    "qualities",
    "defaultQuality",
    "model_type",
    "durations",
    "duration_options",
    "min_duration",
    "max_duration",
    "lyrics_required",
    "maxInputImages",
    "maxStyleReferences",
    "maxImages",
    "maxVideos",
    "default_voice",
    "default_format",
    "supported_formats",
    "embeddingDimensions",
    "maxInputTokens",
    "availableContextTokens",
    "maxCompletionTokens",
    "reasoningEffortOptions",
];

/// Abilities whose names have no prefix.
const UNPREFIXED_ABILITIES: &[&str] =
    &["uncensored", "audio", "audio_configurable", "audio_input", "video_input"];

impl ModelRow {
    /// Id, name, privacy, prices in US dollars, constraints, and what the model can do.
    #[must_use]
    pub(crate) fn summary(&self) -> Map<String, Value> {
        let mut row = Map::from_iter([("id".to_owned(), json!(self.id))]);
        let mut add = |name: &str, value: Value| {
            if !is_empty(&value) {
                row.insert(name.to_owned(), value);
            }
        };
        for name in ["name", "privacy", "traits"] {
            add(name, self.spec.get(name).cloned().unwrap_or_default());
        }
        add("usd", self.prices_usd());
        for name in SHOWN_CONSTRAINTS {
            let constraint = self.sections().into_iter().find_map(|section| section.get(*name));
            add(name, constraint.cloned().unwrap_or_default());
        }
        add("can", json!(self.abilities()));
        let voices = self.spec.get("voices").and_then(Value::as_array).map_or(0, Vec::len);
        add("voices", if voices > 0 { json!(voices) } else { Value::Null });
        add("warning", json!(self.warnings().join("; ")));
        // A default format is worth showing only if there is a choice.
        if row.get("supported_formats").and_then(Value::as_array).is_some_and(|all| all.len() == 1)
        {
            row.shift_remove("default_format");
        }
        row
    }

    /// The objects in which the API describes a model.
    fn sections(&self) -> Vec<&Map<String, Value>> {
        let inner = |name: &str| self.spec.get(name).and_then(Value::as_object);
        [inner("constraints"), inner("capabilities"), Some(&self.spec)]
            .into_iter()
            .flatten()
            .collect()
    }

    /// What the model can do: the flags that are true, without their common prefixes. End-to-end encryption is left
    /// out, because this client does not support it.
    fn abilities(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        // Listed efforts imply the ability.
        let has_efforts =
            self.sections().iter().any(|section| section.contains_key("reasoningEffortOptions"));
        for (name, value) in self.sections().into_iter().flatten() {
            let short = ["supports_", "supports", "optimizedFor"]
                .iter()
                .find_map(|word| name.strip_prefix(word))
                .or_else(|| UNPREFIXED_ABILITIES.contains(&name.as_str()).then_some(name.as_str()));
            if let Some(short) = short
                .filter(|short| *short != "E2EE" && !(has_efforts && *short == "ReasoningEffort"))
                && value.as_bool() == Some(true)
            {
                names.push(uncapitalized(short));
            }
        }
        names
    }

    /// The prices without their second currency. In the row of an image model, the price of upscaling is that of the
    /// upscaler, and is left out.
    fn prices_usd(&self) -> Value {
        let mut usd = self.spec.get("pricing").map(only_usd).unwrap_or_default();
        if self.type_name == ModelType::Image.name()
            && let Some(prices) = usd.as_object_mut()
        {
            prices.shift_remove("upscale");
        }
        usd
    }
}

/// `{"usd": 1, "diem": 1}` becomes `1`.
fn only_usd(pricing: &Value) -> Value {
    match pricing {
        Value::Object(fields) => match fields.get("usd") {
            Some(usd) => only_usd(usd),
            None => fields.iter().map(|(name, value)| (name.clone(), only_usd(value))).collect(),
        },
        Value::Number(number) if number.is_f64() => {
            // Rounded, because sums of binary fractions have long tails.
            json!(number.as_f64().map(|usd| (usd * 1e9).round() / 1e9))
        }
        other => other.clone(),
    }
}

fn uncapitalized(name: &str) -> String {
    let mut letters = name.chars();
    match letters.next() {
        Some(first) => first.to_lowercase().chain(letters).collect(),
        None => String::new(),
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::String(text) => text.is_empty(),
        Value::Bool(flag) => !flag,
        Value::Number(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::row::parse_rows;
    use super::*;

    fn summary(kind: &str, spec: &Value) -> Value {
        let row = json!({"id": "m", "type": kind, "model_spec": spec});
        Value::Object(parse_rows(vec![row], kind).remove(0).summary())
    }

    #[test]
    fn a_text_model_is_its_prices_constraints_and_short_abilities() {
        let spec = json!({"name": "M", "privacy": "private", "traits": [], "availableContextTokens": 1000,
            "pricing": {"input": {"usd": 1.4, "diem": 1.4}}, "capabilities": {"supportsVision": true,
            "supportsE2EE": true, "supportsXSearch": true, "supportsReasoningEffort": true, "supportsAudioInput": false,
            "optimizedForCode": true, "quantization": "fp8", "reasoningEffortOptions": ["low"]}});
        let wanted = json!({"id": "m", "name": "M", "privacy": "private", "usd": {"input": 1.4},
            "availableContextTokens": 1000, "reasoningEffortOptions": ["low"],
            "can": ["vision", "xSearch", "code"]});
        assert_eq!(summary("text", &spec), wanted);
    }

    #[test]
    fn the_price_of_the_upscaler_is_not_that_of_an_image_model() {
        let pricing = json!({"generation": {"usd": 0.01}, "upscale": {"2x": {"usd": 0.02}}});
        let spec = json!({ "pricing": pricing });
        assert_eq!(summary("image", &spec)["usd"], json!({"generation": 0.01}));
        assert_eq!(summary("upscale", &spec)["usd"]["upscale"], json!({"2x": 0.02}));
    }

    #[test]
    fn prices_have_no_binary_tails_and_one_format_needs_no_default() {
        let spec = json!({"pricing": {"inpaint": {"usd": 0.009_200_000_000_000_002}},
            "supported_formats": ["mp3"], "default_format": "mp3", "supports_loop": true});
        let wanted = json!({"id": "m", "usd": {"inpaint": 0.0092}, "supported_formats": ["mp3"],
            "can": ["loop"]});
        assert_eq!(summary("music", &spec), wanted);
    }
}
