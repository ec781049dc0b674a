//! The types of models. Their only list is `model_types!` in the parent module: what is listed, completed, fetched, and
//! parsed follows from it.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use super::{Details, ModelType};

/// What a row says that depends on the type of its model.
pub(crate) trait ModelDetails: Sized {
    /// The type whose rows are parsed into this.
    const TYPE: ModelType;

    /// The details, if they are of this type.
    fn from_details(details: &Details) -> Option<&Self>;
}

macro_rules! model_types {
    ($($(#[doc = $doc:literal])+ $name:ident($details:ty) = $api_name:literal,)+) => {
        /// A type of model, as `GET /models?type=` names it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum ModelType {
            $($(#[doc = $doc])+ $name,)+
        }

        impl ModelType {
            /// Every type, in the order in which they are listed.
            pub(crate) const ALL: &[Self] = &[$(Self::$name,)+];

            /// The type's name in the API.
            #[must_use]
            pub(crate) const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => $api_name,)+
                }
            }
        }

        /// The typed part of a model's row.
        #[derive(Debug)]
        pub(crate) enum Details {
            $($(#[doc = $doc])+ $name($details),)+
        }

        impl Details {
            /// Parses the row of a model of that type.
            fn parse(model_type: ModelType, spec: &row::ModelSpec<'_>) -> Self {
                match model_type {
                    $(ModelType::$name => Self::$name(<$details>::from_spec(spec)),)+
                }
            }
        }

        $(impl ModelDetails for $details {
            const TYPE: ModelType = ModelType::$name;

            fn from_details(details: &Details) -> Option<&Self> {
                if let Details::$name(details) = details { Some(details) } else { None }
            }
        })+
    };
}

pub(super) use model_types;

/// What `GET /models?type=` lists by: a type, or one of two groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ModelFilter {
    /// The models of one type.
    Type(ModelType),
    /// Text models that are good at code.
    Code,
    /// Every model, also of types that this list does not have.
    All,
}

impl ModelFilter {
    /// Every filter, types first.
    pub(crate) fn every() -> impl Iterator<Item = Self> {
        let types = ModelType::ALL.iter().copied().map(Self::Type);
        types.chain([Self::Code, Self::All])
    }

    /// The filter's name in the API.
    #[must_use]
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Type(model_type) => model_type.name(),
            Self::Code => "code",
            Self::All => "all",
        }
    }

    /// The filter of that name.
    #[must_use]
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::every().find(|filter| filter.name() == name)
    }
}

impl<'de> Deserialize<'de> for ModelFilter {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = Cow::<str>::deserialize(deserializer)?;
        Self::from_name(&name)
            .ok_or_else(|| D::Error::custom(format_args!("`{name}` is not a type of models")))
    }
}

impl JsonSchema for ModelFilter {
    fn schema_name() -> Cow<'static, str> {
        "ModelFilter".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let names: Vec<&str> = Self::every().map(Self::name).collect();
        json_schema!({ "type": "string", "enum": names })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_filter_is_found_by_its_name() {
        for filter in ModelFilter::every() {
            assert_eq!(ModelFilter::from_name(filter.name()), Some(filter));
        }
        assert_eq!(ModelFilter::from_name("decision"), None);
    }
}
