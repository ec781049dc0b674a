//! A model's row, parsed once for the calls that choose a model.

use std::sync::Arc;

use super::row::{ModelRow, ModelSpec};
use super::{Details, ModelDetails, ModelType};

/// A model, with what calls check and price by.
#[derive(Debug)]
pub(crate) struct Model {
    /// The id that requests carry. Case matters.
    pub(crate) id: String,
    /// What the model is the best or the default for, such as `default` or `fastest`.
    pub(crate) traits: Vec<String>,
    /// What a caller should know before using the model.
    pub(crate) warnings: Vec<String>,
    details: Details,
}

impl Model {
    /// Parses a row of that type. The second value is false if a part of the row has an unknown form: nothing is
    /// known of that part then, and Venice decides.
    pub(super) fn from_row(model_type: ModelType, row: &ModelRow) -> (Self, bool) {
        let spec = ModelSpec::new(&row.spec);
        let model = Self {
            id: row.id.clone(),
            traits: spec.part("traits"),
            warnings: row.warnings(),
            details: Details::parse(model_type, &spec),
        };
        (model, spec.is_readable())
    }

    /// Parses rows of that type. One line in the log counts the rows of which a part could not be read.
    pub(super) fn from_rows(model_type: ModelType, rows: &[ModelRow]) -> Vec<Arc<Self>> {
        let mut unreadable = Vec::new();
        let models = rows.iter().map(|row| {
            let (model, is_readable) = Self::from_row(model_type, row);
            if !is_readable {
                unreadable.push(row.id.as_str());
            }
            Arc::new(model)
        });
        let models = models.collect();
        if let Some(first) = unreadable.first() {
            let (count, name) = (unreadable.len(), model_type.name());
            tracing::warn!(r#type = name, count, first, "parts of model rows have an unknown form");
        }
        models
    }

    /// The constraints and prices of the model, if it is of that type.
    #[must_use]
    pub(crate) fn details<D: ModelDetails>(&self) -> Option<&D> {
        D::from_details(&self.details)
    }

    /// Whether the model has `name` as a trait.
    #[must_use]
    pub(super) fn has_trait(&self, name: &str) -> bool {
        self.traits.iter().any(|one| one == name)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::image::{ImageModel, ImageRequirements};
    use super::super::row::parse_rows;
    use super::*;

    #[test]
    fn a_part_of_an_unknown_form_is_not_known_and_the_rest_is() {
        let row = |constraints: Value| {
            let spec = json!({"traits": ["default"], "offline": true,
                "constraints": constraints, "pricing": {"generation": {"usd": 0.5}}});
            parse_rows(vec![json!({"id": "m", "model_spec": spec})], "image").remove(0)
        };
        let requirements = ImageRequirements { prompt: "long", ..ImageRequirements::default() };
        let limited = row(json!({"promptCharacterLimit": 1, "new": [{}]}));
        let (model, is_readable) = Model::from_row(ModelType::Image, &limited);
        let image = model.details::<ImageModel>().unwrap();
        assert!(is_readable && image.check_requirements("m", &requirements).len() == 1);
        let (model, is_readable) =
            Model::from_row(ModelType::Image, &row(json!({"promptCharacterLimit": "1"})));
        let image = model.details::<ImageModel>().unwrap();
        assert!(!is_readable);
        assert_eq!(image.check_requirements("m", &requirements), [], "Venice decides");
        assert_eq!(image.price_usd(&requirements, 1, false), Some(0.5));
        assert!(model.has_trait("default") && model.warnings == ["m is marked offline"]);
    }
}
