//! What the account behind the key has, may do and has used.
//!
//! `GET /api_keys/rate_limits`, `/api_keys/rate_limits/log`, `/api_keys`, `/billing/balance`,
//! `/billing/usage-history` and `/billing/usage-analytics`

use chrono::{DateTime, NaiveDate, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::call::{Call, Preparation, body_of};
use crate::error::{Error, Kind, Problem, Result};
use crate::outcome::Outcome;
use crate::tool::{Cost, Effect, Returns, Route, Spec, Tool};
use crate::tools::Family;
use crate::venice::{Class, Endpoint, Request};

/// The toolset `account`.
pub const FAMILY: Family = Family {
    name: "account",
    opt_in: false,
    about: "See limits, balances and usage.",
    tools: &[Route::new::<ShowAccount>()],
};

/// The limits and balances of the key in use; any key may see them.
pub const RATE_LIMITS: Endpoint = Endpoint::get("/api_keys/rate_limits", Class::Account);
/// The last limits that were exceeded.
pub const RATE_LIMIT_LOG: Endpoint = Endpoint::get("/api_keys/rate_limits/log", Class::Account);
/// The balances of the account.
pub const BALANCE: Endpoint = Endpoint::get("/billing/balance", Class::Account);
/// What was charged, entry by entry.
pub const USAGE_HISTORY: Endpoint = Endpoint::get("/billing/usage-history", Class::Account);
/// What was charged, by day, model and key.
pub const USAGE_ANALYTICS: Endpoint = Endpoint::get("/billing/usage-analytics", Class::Account);
/// The keys of the account, without their secrets.
pub const KEYS: Endpoint = Endpoint::get("/api_keys", Class::Account);

/// The page size of a call that names none: the API's default of 1000 entries would fill a conversation.
const DEFAULT_PAGE_SIZE: u32 = 50;
/// The longest time that the analytics look back, in days.
const MAX_LOOKBACK_DAYS: u32 = 90;

/// Show the account of the API key. rate_limits (with balances) and ledger (what calls here cost) work with every
/// key, the others with an admin key. startTimestamp to cursor filter usage_history, the rest usage_analytics.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShowAccount {
    #[serde(skip_serializing)]
    view: View,
    /// Such as 2026-06-01T00:00:00Z.
    #[schemars(length(max = 40))]
    #[serde(rename = "startTimestamp")]
    start_timestamp: Option<String>,
    #[schemars(length(max = 40))]
    #[serde(rename = "endTimestamp")]
    end_timestamp: Option<String>,
    currency: Option<Currency>,
    /// Default 50.
    #[schemars(range(min = 10, max = 1000))]
    #[serde(rename = "pageSize")]
    page_size: Option<u32>,
    /// nextCursor of the page before, alone.
    #[schemars(length(min = 1, max = 512))]
    cursor: Option<String>,
    /// 1d to 90d; default 7d.
    lookback: Option<String>,
    /// Such as 2026-06-01; with endDate.
    #[serde(rename = "startDate")]
    start_date: Option<String>,
    #[serde(rename = "endDate")]
    end_date: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum View {
    RateLimits,
    RateLimitLog,
    Balance,
    UsageHistory,
    UsageAnalytics,
    ApiKeys,
    Ledger,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Currency {
    Usd,
    Diem,
    BundledCredits,
}

impl View {
    /// The endpoint of the view; None for the ledger, which is this server's own.
    const fn endpoint(self) -> Option<&'static Endpoint> {
        match self {
            Self::RateLimits => Some(&RATE_LIMITS),
            Self::RateLimitLog => Some(&RATE_LIMIT_LOG),
            Self::Balance => Some(&BALANCE),
            Self::UsageHistory => Some(&USAGE_HISTORY),
            Self::UsageAnalytics => Some(&USAGE_ANALYTICS),
            Self::ApiKeys => Some(&KEYS),
            Self::Ledger => None,
        }
    }
}

impl Tool for ShowAccount {
    const SPEC: Spec = Spec {
        name: "venice_account",
        title: "Show the account",
        toolset: "account",
        effect: Effect::Reads,
        deletes_by: None,
        cost: Cost::Free,
        returns: Returns::Data(&[]),
        endpoints: &[
            &RATE_LIMITS,
            &RATE_LIMIT_LOG,
            &BALANCE,
            &USAGE_HISTORY,
            &USAGE_ANALYTICS,
            &KEYS,
        ],
        aliases: &[],
        extra: false,
    };

    type Plan = Self;

    fn check(&self) -> Vec<Problem> {
        let mut problems = self.misplaced_filters();
        let mut refuse = |path: &str, message: &str| problems.push(Problem::new(path, message));
        let times =
            [("startTimestamp", &self.start_timestamp), ("endTimestamp", &self.end_timestamp)];
        for (name, time) in times {
            if time.as_ref().is_some_and(|time| DateTime::parse_from_rfc3339(time).is_err()) {
                refuse(name, "must be a time such as 2026-06-01T00:00:00Z");
            }
        }
        for (name, date) in [("startDate", &self.start_date), ("endDate", &self.end_date)] {
            if date.as_ref().is_some_and(|date| date.parse::<NaiveDate>().is_err()) {
                refuse(name, "must be a date such as 2026-06-01");
            }
        }
        match (&self.start_date, &self.end_date) {
            (Some(_), None) => refuse("endDate", "is required where startDate is given"),
            (None, Some(_)) => refuse("startDate", "is required where endDate is given"),
            _ => {}
        }
        let days = |text: &str| text.strip_suffix('d')?.parse::<u32>().ok();
        let is_lookback =
            |text: &String| days(text).is_some_and(|days| (1..=MAX_LOOKBACK_DAYS).contains(&days));
        if self.lookback.as_ref().is_some_and(|text| !is_lookback(text)) {
            refuse("lookback", "must be a number of days from 1d to 90d");
        }
        problems
    }

    async fn prepare(mut self, _call: &mut Preparation<'_>) -> Result<Self> {
        if self.view == View::UsageHistory && self.cursor.is_none() {
            self.page_size = self.page_size.or(Some(DEFAULT_PAGE_SIZE));
        }
        Ok(self)
    }

    async fn run(plan: Self, call: &Call) -> Result<Outcome> {
        let Some(endpoint) = plan.view.endpoint() else { return plan.ledger(call).await };
        let mut request = Request::new(endpoint);
        for (name, value) in body_of(&plan)? {
            request = request.query(name, value.as_str().map_or(value.to_string(), str::to_owned));
        }
        let reply = call.send(request).await.map_err(explain_admin_views)?;
        let data: Map<String, Value> = reply.json()?;
        let next = data.get("nextCursor").cloned().unwrap_or_default();
        let brief = Map::from_iter([
            ("view".to_owned(), json!(plan.view)),
            ("nextCursor".to_owned(), next),
        ]);
        call.data_result(data, brief).await
    }
}

impl ShowAccount {
    /// What the caller's calls cost by this server's ledger: today, or on the days that were asked for.
    async fn ledger(&self, call: &Call) -> Result<Outcome> {
        let today = Utc::now().date_naive();
        let date = |text: &Option<String>| text.as_ref().and_then(|text| text.parse().ok());
        let days = match (date(&self.start_date), date(&self.end_date)) {
            (Some(first), Some(last)) => first..=last,
            _ => today..=today,
        };
        let (first, last) = (*days.start(), *days.end());
        let spent = call.spent(days).await?;
        let mut data = body_of(&spent)?;
        data.insert("startDate".to_owned(), json!(first));
        data.insert("endDate".to_owned(), json!(last));
        let mut brief = data.clone();
        brief.shift_remove("entries");
        call.data_result(data, brief).await
    }

    /// The filters that do not belong to the view, or that the cursor already contains.
    fn misplaced_filters(&self) -> Vec<Problem> {
        let history = [
            ("startTimestamp", self.start_timestamp.is_some()),
            ("endTimestamp", self.end_timestamp.is_some()),
            ("currency", self.currency.is_some()),
            ("pageSize", self.page_size.is_some()),
        ];
        let cursor = [("cursor", self.cursor.is_some())];
        let analytics = [
            ("lookback", self.lookback.is_some()),
            ("startDate", self.start_date.is_some()),
            ("endDate", self.end_date.is_some()),
        ];
        let mut problems = Vec::new();
        let mut refuse = |filters: &[(&str, bool)], message: &str| {
            let given = filters.iter().filter(|(_, given)| *given);
            problems.extend(given.map(|(name, _)| Problem::new(*name, message)));
        };
        if self.view != View::UsageHistory {
            refuse(&history, "goes with view usage_history");
            refuse(&cursor, "goes with view usage_history");
        } else if self.cursor.is_some() {
            refuse(&history, "is in the cursor already: leave it out");
        }
        let [lookback, dates @ ..] = &analytics;
        if self.view != View::UsageAnalytics {
            refuse(&[*lookback], "goes with view usage_analytics");
        }
        if !matches!(self.view, View::UsageAnalytics | View::Ledger) {
            refuse(dates, "goes with the views usage_analytics and ledger");
        }
        problems
    }
}

/// Adds to the error of a view that needs an admin key which view works without one.
fn explain_admin_views(error: Error) -> Error {
    if error.kind != Kind::Key || !error.message.contains("admin key") {
        return error;
    }
    error.hint(
        "view rate_limits works with this key and has its balances; for the other views make an admin key at \
         https://venice.ai/settings/api and set it as VENICE_API_KEY",
    )
}
