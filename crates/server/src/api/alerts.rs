//! What someone should know now, and what there was.

use axum::{
    Json,
    extract::{FromRequestParts, Query, State},
    http::request::Parts,
    routing::get,
};
use bmon_analysis::alert::{Alert as Row, AlertState, Severity};
use bmon_event::NodeName;
use bmon_store::Page;
use serde::{Deserialize, Serialize};

use super::{Api, Endpoint, Parameter, Refusal, parameter::List};
use crate::Links;

pub(super) const ENDPOINT: Endpoint = Endpoint {
    path: "/api/v1/alerts",
    summary: "The alerts, those that began last first. `docs/rules.md` says what each rule tells.",
    parameters: &[
        Parameter { name: "open", summary: "`true` for those that are not over; all when absent" },
        Parameter { name: "limit", summary: "most items to give, from 1 to 500; 50 when absent" },
        Parameter { name: "before", summary: "`next` of an earlier reply: go on with older items" },
    ],
    example: "/api/v1/alerts?limit=1",
    route: || get(answer),
};

/// The reply.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// Alerts, those that began last first.
    pub alerts: Vec<Alert>,
    /// What to give as `before` for older ones; null when there are none.
    pub next: Option<String>,
}

/// An alert as it stands. Times are on the server's clock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    /// Names the alert, through every revision.
    pub id: String,
    /// 1 when first said, one more each time its content changed.
    pub revision: u32,
    /// The network: its name in `getblockchaininfo`, else its genesis hash.
    pub network: String,
    /// The rule.
    pub rule: String,
    /// What it is about among all that the rule may find: a block's hash, a node's name.
    pub subject: String,
    /// The node it is about; null when it is about the network as a whole.
    pub node: Option<NodeName>,
    /// `info`, `warning` or `critical`.
    pub severity: Severity,
    /// `pending`, `firing` or `resolved`.
    pub state: AlertState,
    /// Since when its condition holds.
    pub active_at: String,
    /// The same in microseconds since the Unix epoch.
    pub active_at_us: i64,
    /// When it fired; null if it did not, or not yet.
    pub fired_at: Option<String>,
    /// The same in microseconds since the Unix epoch.
    pub fired_at_us: Option<i64>,
    /// When it was over; null while it is not.
    pub resolved_at: Option<String>,
    /// The same in microseconds since the Unix epoch.
    pub resolved_at_us: Option<i64>,
    /// What is so, with the numbers.
    pub summary: String,
    /// The ids of the findings that it rests on.
    pub findings: Vec<String>,
    /// What to do: the address of a page on this server.
    pub runbook: String,
}

impl Alert {
    fn new(row: Row, links: &Links) -> Self {
        Self {
            id: row.id.to_string(),
            revision: row.revision,
            network: row.network.to_string(),
            runbook: links.runbook(&row.rule),
            rule: row.rule,
            subject: row.subject,
            node: row.node,
            severity: row.severity,
            state: row.state,
            active_at: row.active_at_us.to_string(),
            active_at_us: row.active_at_us.as_micros(),
            fired_at: row.fired_at_us.map(|at| at.to_string()),
            fired_at_us: row.fired_at_us.map(bmon_event::ServerTime::as_micros),
            resolved_at: row.resolved_at_us.map(|at| at.to_string()),
            resolved_at_us: row.resolved_at_us.map(bmon_event::ServerTime::as_micros),
            summary: row.summary,
            findings: row.findings.iter().map(ToString::to_string).collect(),
        }
    }
}

/// Whether only those are asked for that are not over.
#[derive(Clone, Copy, Debug)]
struct Which {
    open: bool,
    list: List,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawWhich {
    open: Option<String>,
    limit: Option<String>,
    before: Option<String>,
}

impl<S: Sync> FromRequestParts<S> for Which {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        let Query(raw) = Query::<RawWhich>::try_from_uri(&parts.uri).map_err(|error| {
            Refusal::bad_request(error.body_text(), "the parameters are `open`, `limit` and `before`")
        })?;
        let open = match raw.open.as_deref() {
            None | Some("false") => false,
            Some("true") => true,
            Some(_) => return Err(Refusal::bad_request("`open` cannot be that", "give `true` or `false`")),
        };
        Ok(Self { open, list: List::parse(raw.limit, raw.before)? })
    }
}

async fn answer(State(api): State<Api>, which: Which) -> Result<Json<Reply>, Refusal> {
    let Which { open, list: List { limit, before } } = which;
    let Page { items, next } = api
        .read(
            move |reader| if open { reader.open_alerts(limit, before) } else { reader.alerts(limit, before) },
        )
        .await?;
    let alerts = items.into_iter().map(|row| Alert::new(row, api.links())).collect();
    Ok(Json(Reply { alerts, next: next.map(|cursor| cursor.to_string()) }))
}
