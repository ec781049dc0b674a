//! What there is to choose from.

pub mod get_character;
pub mod get_model;
pub mod list_characters;
pub mod list_models;

use crate::tool::Route;
use crate::tools::Family;

/// The toolset `catalog`.
pub const FAMILY: Family = Family {
    name: "catalog",
    opt_in: false,
    about: "See which models and characters there are, and what models can do and cost.",
    tools: &[
        Route::new::<list_models::ListModels>(),
        Route::new::<get_model::GetModel>(),
        Route::new::<list_characters::ListCharacters>(),
        Route::new::<get_character::GetCharacter>(),
    ],
};
