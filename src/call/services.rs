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
    pub(crate) venice: Venice,
    /// What the API's models are, can do, and cost.
    pub(crate) catalog: Catalog,
    /// Where media are stored.
    pub(crate) store: MediaStore,
    /// Where media arguments are read from.
    pub(crate) inputs: Inputs,
    /// What calls may cost, and what they have cost.
    pub(crate) spending: Spending,
    /// What signs data that travels through clients.
    pub(crate) secret: Secret,
    /// Queued work.
    pub(crate) jobs: Jobs,
    /// The settings that fill in arguments.
    pub(crate) defaults: Defaults,
}
