//! Which text model a call uses, and which one can do what another cannot.

use std::sync::Arc;

use super::text::{DEFAULT_MODEL, TextModel, TextRequirements};
use super::{Catalog, ChosenModel, Model, ModelType};
use crate::context::SendContext;
use crate::error::{Error, Result};

/// The model that a call uses. In an id, what follows a colon is for Venice, and not part of the model's name.
pub(crate) async fn choose_text_model(
    catalog: &Catalog,
    context: &SendContext,
    named: Option<&str>,
    configured: Option<&str>,
) -> Result<ChosenModel> {
    let given = |id: &&str| !id.is_empty();
    let wanted = named.map(str::trim).filter(given).or(configured.map(str::trim).filter(given));
    let (plain, suffix) = match wanted.and_then(|id| id.split_once(':')) {
        Some((plain, suffix)) => (Some(plain), Some(suffix)),
        None => (wanted, None),
    };
    let mut chosen =
        catalog.choose_model(context, ModelType::Text, plain, None, DEFAULT_MODEL).await?;
    if let Some(suffix) = suffix {
        chosen.id = format!("{}:{suffix}", chosen.id);
    }
    Ok(chosen)
}

/// Refuses a call that needs what the model cannot do. The hint names a model that can.
pub(crate) async fn check_text_requirements(
    catalog: &Catalog,
    context: &SendContext,
    chosen: &ChosenModel,
    requirements: &TextRequirements<'_>,
) -> Result<()> {
    let Some(model) = &chosen.model else { return Ok(()) };
    let Some(text) = model.details::<TextModel>() else { return Ok(()) };
    let problems = text.check_requirements(&model.id, requirements);
    if problems.is_empty() {
        return Ok(());
    }
    let error = Error::arguments(problems);
    let models = catalog.models(context, ModelType::Text).await.unwrap_or_default();
    Err(match capable_model(&models, requirements) {
        Some(other) => error.hint(format!("the model `{}` can; nothing was spent", other.id)),
        None => error,
    })
}

/// A model that meets the requirements: one that is the default for something, or else the cheapest.
fn capable_model<'a>(
    models: &'a [Arc<Model>],
    requirements: &TextRequirements<'_>,
) -> Option<&'a Model> {
    let rank = |(model, text): &(&Model, &TextModel)| {
        let is_default = model.traits.iter().any(|name| name.starts_with("default"));
        (!is_default, text.input_price_usd().unwrap_or(f64::MAX))
    };
    models
        .iter()
        .filter_map(|model| Some((&**model, model.details::<TextModel>()?)))
        .filter(|(model, text)| {
            text.has_capabilities()
                && model.warnings.is_empty()
                && text.check_requirements(&model.id, requirements).is_empty()
        })
        .min_by(|a, b| {
            let ((is_other, price), (is_other_b, price_b)) = (rank(a), rank(b));
            is_other.cmp(&is_other_b).then(price.total_cmp(&price_b))
        })
        .map(|(model, _)| model)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::row::parse_rows;
    use super::*;

    fn model(id: &str, spec: &Value) -> Arc<Model> {
        let row = json!({"id": id, "type": "text", "model_spec": spec});
        let rows = parse_rows(vec![row], "text");
        Model::from_rows(ModelType::Text, &rows).remove(0)
    }

    #[test]
    fn the_model_that_is_named_instead_can_do_it() {
        let sees = |sees| json!({"capabilities": {"supportsVision": sees}});
        let priced = |usd| {
            let mut spec = sees(true);
            spec["pricing"] = json!({"input": {"usd": usd}});
            spec
        };
        let models = [
            model("blind", &sees(false)),
            model("dear", &priced(3.0)),
            model("cheap", &priced(1.0)),
            model("unknown", &json!({})),
        ];
        let requirements = TextRequirements { images: 1, ..TextRequirements::default() };
        assert_eq!(capable_model(&models, &requirements).unwrap().id, "cheap");
    }
}
