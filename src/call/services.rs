//! The parts of the server behind every call.

use super::Defaults;
use crate::catalog::Catalog;
use crate::input::Inputs;
use crate::jobs::Jobs;
use crate::media::MediaStore;
use crate::spend::Spending;
use crate::storage::Secret;
use crate::venice::Venice;

/// The parts of the server that calls use. Made once.
pub(crate) struct Services {
    /// The API.
    pub venice: Venice,
    /// What the API's models are, can do, and cost.
    pub catalog: Catalog,
    /// Where media are stored.
    pub store: MediaStore,
    /// Where media arguments are read from.
    pub inputs: Inputs,
    /// What calls may cost, and what they have cost.
    pub spending: Spending,
    /// What signs data that travels through clients.
    pub secret: Secret,
    /// Queued work.
    pub jobs: Jobs,
    /// The settings that fill in arguments.
    pub defaults: Defaults,
}
