//! Whether Venice can be reached, accepts the key, and has credit left for it.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value};
use tokio::time::Instant;

use super::Check;
use crate::cli::build::build_venice;
use crate::config::Config;
use crate::context::SendContext;
use crate::error::{Error, Kind};
use crate::sandbox::Sandbox;
use crate::venice::{Class, Endpoint, KeySource, Request, Venice};

/// Says whether a key may spend, and how much there is.
static LIMITS: Endpoint = Endpoint::get("/api_keys/rate_limits", Class::Account);
/// Answers without a key.
static MODELS: Endpoint = Endpoint::get("/models", Class::Catalog).public();

/// How long the API may take to answer.
const API_TIMEOUT: Duration = Duration::from_secs(20);

/// Where credit is bought.
const CREDIT: &str = "add credit at https://venice.ai/settings/api";

/// What the API says of a key.
#[derive(Debug, Deserialize)]
struct Limits {
    data: Account,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Account {
    #[serde(default)]
    access_permitted: Option<bool>,
    #[serde(default)]
    balances: Map<String, Value>,
    #[serde(default)]
    key_expiration: Option<String>,
}

pub(super) async fn check_api(config: &Config) -> std::io::Result<Vec<Check>> {
    let sandbox = if config.options.sandbox {
        Some(Sandbox::start(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await?)
    } else {
        None
    };
    let address = sandbox.as_ref().map_or(config.base_url.as_str(), Sandbox::base_url).to_owned();
    let timeout = config.options.timeout.unwrap_or(API_TIMEOUT).min(API_TIMEOUT);
    let mut config = config.clone();
    config.options.timeout = Some(timeout);
    let venice = build_venice(&config, sandbox.as_ref());
    let context =
        SendContext { deadline: Instant::now().checked_add(timeout), ..SendContext::default() };
    let no_key = matches!(config.key, KeySource::None { .. });
    if no_key && sandbox.is_none() {
        let reached = venice.send(&context, Request::new(&MODELS).query("type", "tts")).await;
        return Ok(vec![
            reached.err().map_or_else(|| reachable(&address), |error| network(&address, &error)),
        ]);
    }
    Ok(account(&venice, &context, &address).await)
}

async fn account(venice: &Venice, context: &SendContext, address: &str) -> Vec<Check> {
    let answer = venice.send(context, Request::new(&LIMITS)).await;
    let limits = answer.and_then(|reply| reply.json::<Limits>());
    let account = match limits {
        Ok(limits) => limits.data,
        Err(error) if matches!(error.kind, Kind::Network | Kind::Timeout) => {
            return vec![network(address, &error)];
        }
        Err(error) if error.status.is_none() => {
            // The key's command failed, or the reply was not Venice's.
            let text = error.text();
            let fix = text.rsplit_once("hint: ").map_or("", |(_, hint)| hint);
            return vec![Check::problem("api", first_line(&error), fix)];
        }
        Err(error) => return vec![reachable(address), refused(&error)],
    };
    vec![reachable(address), accepted(&account), balance(&account)]
}

fn reachable(address: &str) -> Check {
    Check::ok("api", format!("{address} answers"))
}

fn network(address: &str, error: &Error) -> Check {
    Check::problem(
        "api",
        format!("{address} cannot be used: {}", first_line(error)),
        "look at the network, at HTTPS_PROXY and NO_PROXY, and at VENICE_BASE_URL where it is set",
    )
}

fn refused(error: &Error) -> Check {
    let fix = match error.kind {
        Kind::Key => {
            "create a new key at https://venice.ai/settings/api and replace this one with it"
        }
        Kind::Credit => CREDIT,
        _ => "try again in a while",
    };
    Check::problem("access", first_line(error), fix)
}

fn first_line(error: &Error) -> String {
    let detail = error.detail.as_deref().map_or(String::new(), |detail| format!(" ({detail})"));
    let text = format!("{}{detail}", error.message);
    text.lines().next().unwrap_or_default().to_owned()
}

fn accepted(account: &Account) -> Check {
    let until = account.key_expiration.as_ref();
    let until = until.map_or(String::new(), |until| format!(", until {until}"));
    if account.access_permitted == Some(false) {
        return Check::problem(
            "access",
            format!("Venice knows the key and does not let it call{until}"),
            format!("look at the key's limits, or {CREDIT}"),
        );
    }
    Check::ok("access", format!("Venice takes the key{until}"))
}

fn balance(account: &Account) -> Check {
    let mut known = Vec::new();
    let mut left = false;
    for (currency, amount) in &account.balances {
        let Some(amount) = amount.as_f64() else { continue };
        left |= amount > 0.0;
        known.push(format!("{amount:.2} {currency}"));
    }
    if known.is_empty() {
        return Check::ok("balance", "Venice does not say");
    }
    let known = known.join(", ");
    if left { Check::ok("balance", known) } else { Check::problem("balance", known, CREDIT) }
}
