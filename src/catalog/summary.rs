//! A model in few words: what an agent chooses by.

use serde_json::{Map, Value, json};

use super::Model;

/// The types by which `GET /models` lists, `code` and `all` among them.
pub const TYPES: &[&str] = &[
    "text",
    "image",
    "inpaint",
    "upscale",
    "video",
    "music",
    "tts",
    "asr",
    "embedding",
    "code",
    "all",
];

/// The limits that are shown, by the API's names and in this order. They stand in `constraints`, in `capabilities`
/// or beside them.
const LIMITS: &[&str] = &[
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

/// Flags that are shown though their names do not say that they are one.
const FLAGS: &[&str] = &["uncensored", "audio", "audio_configurable", "audio_input", "video_input"];

impl Model {
    /// What an agent chooses by: id, name, privacy, prices in US dollars, limits, and what the model can do.
    #[must_use]
    pub fn summary(&self) -> Map<String, Value> {
        let mut row = Map::from_iter([("id".to_owned(), json!(self.id))]);
        let mut add = |name: &str, value: Value| {
            if !is_empty(&value) {
                row.insert(name.to_owned(), value);
            }
        };
        for name in ["name", "privacy", "traits"] {
            add(name, self.spec.get(name).cloned().unwrap_or_default());
        }
        add("usd", self.dollars());
        for name in LIMITS {
            let limit = self.places().into_iter().find_map(|place| place.get(*name));
            add(name, limit.cloned().unwrap_or_default());
        }
        add("can", json!(self.abilities()));
        let voices = self.spec.get("voices").and_then(Value::as_array).map_or(0, Vec::len);
        add("voices", if voices > 0 { json!(voices) } else { Value::Null });
        add("warning", json!(self.warnings().join("; ")));
        // A format says something where there is a choice.
        if row.get("supported_formats").and_then(Value::as_array).is_some_and(|all| all.len() == 1)
        {
            row.shift_remove("default_format");
        }
        row
    }

    /// Where the API keeps what it says of a model.
    fn places(&self) -> Vec<&Map<String, Value>> {
        let inner = |name: &str| self.spec.get(name).and_then(Value::as_object);
        [inner("constraints"), inner("capabilities"), Some(&self.spec)]
            .into_iter()
            .flatten()
            .collect()
    }

    /// What the model can do: the flags that are on, without the words that they share. End-to-end encryption is
    /// left out, for this client has none.
    fn abilities(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        // The efforts that are listed say that there are any.
        let has_efforts =
            self.places().iter().any(|place| place.contains_key("reasoningEffortOptions"));
        for (name, value) in self.places().into_iter().flatten() {
            let short = ["supports_", "supports", "optimizedFor"]
                .iter()
                .find_map(|word| name.strip_prefix(word))
                .or_else(|| FLAGS.contains(&name.as_str()).then_some(name.as_str()));
            if let Some(short) = short
                .filter(|short| *short != "E2EE" && !(has_efforts && *short == "ReasoningEffort"))
                && value.as_bool() == Some(true)
            {
                names.push(uncapitalized(short));
            }
        }
        names
    }

    /// The prices without their second currency. What an image model's row says of upscaling is the price of the
    /// upscaler, and left out.
    fn dollars(&self) -> Value {
        let mut usd = self.spec.get("pricing").map(dollars).unwrap_or_default();
        if self.kind == "image"
            && let Some(prices) = usd.as_object_mut()
        {
            prices.shift_remove("upscale");
        }
        usd
    }
}

/// `{"usd": 1, "diem": 1}` becomes `1`.
fn dollars(pricing: &Value) -> Value {
    match pricing {
        Value::Object(fields) => match fields.get("usd") {
            Some(usd) => dollars(usd),
            None => fields.iter().map(|(name, value)| (name.clone(), dollars(value))).collect(),
        },
        Value::Number(number) if number.is_f64() => {
            // Sums of binary fractions have long tails.
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
    use super::*;

    fn summary(kind: &str, spec: &Value) -> Value {
        let row = json!({"id": "m", "type": kind, "model_spec": spec});
        let model: Model = serde_json::from_value(row).unwrap();
        Value::Object(model.summary())
    }

    #[test]
    fn a_text_model_is_its_prices_limits_and_short_abilities() {
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
