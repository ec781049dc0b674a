//! What the account behind the key has, may do and has used.

pub mod show;

use crate::tool::Route;
use crate::tools::Family;

/// The toolset `account`.
pub const FAMILY: Family = Family {
    name: "account",
    opt_in: false,
    about: "See limits, balances and usage.",
    tools: &[Route::of::<show::ShowAccount>()],
};
