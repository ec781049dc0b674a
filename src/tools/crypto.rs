//! Nodes of block chains.

pub mod networks;
pub mod rpc;

use crate::tool::Route;
use crate::tools::Family;

/// The toolset `crypto`.
pub const FAMILY: Family = Family {
    name: "crypto",
    opt_in: true,
    about: "Ask nodes of block chains.",
    tools: &[Route::new::<networks::ListNetworks>(), Route::new::<rpc::CallNode>()],
};
