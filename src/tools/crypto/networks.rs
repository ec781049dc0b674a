//! `GET /crypto/rpc/networks`

use schemars::JsonSchema;
use serde::Deserialize;

use crate::call::{Call, Preparation};
use crate::error::Result;
use crate::outcome::Outcome;
use crate::tool::{Cost, Effect, Returns, Spec, Tool};
use crate::venice::{Class, Endpoint, Request};

/// The networks whose nodes can be asked.
pub const NETWORKS: Endpoint = Endpoint::get("/crypto/rpc/networks", Class::Crypto).public();

/// List the networks that venice_crypto_rpc reaches.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListNetworks {}

impl Tool for ListNetworks {
    const SPEC: Spec = Spec {
        name: "venice_crypto_networks",
        title: "List networks",
        toolset: "crypto",
        effect: Effect::Reads,
        deletes_by: None,
        cost: Cost::Free,
        returns: Returns::Data(&[]),
        endpoints: &[&NETWORKS],
        aliases: &[],
        extra: false,
    };

    type Plan = Self;

    async fn prepare(self, _call: &mut Preparation<'_>) -> Result<Self> {
        Ok(self)
    }

    async fn run(_plan: Self, call: &Call) -> Result<Outcome> {
        let reply = call.send(Request::new(&NETWORKS)).await?;
        Ok(Outcome::data(reply.json()?))
    }
}
