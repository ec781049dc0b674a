//! What there is to choose from.

pub mod get_model;
pub mod list_models;

use crate::tool::Route;
use crate::tools::Family;

/// The toolset `catalog`.
pub const FAMILY: Family = Family {
    name: "catalog",
    opt_in: false,
    about: "See which models there are, what they can do and what they cost.",
    tools: &[Route::of::<list_models::ListModels>(), Route::of::<get_model::GetModel>()],
};
