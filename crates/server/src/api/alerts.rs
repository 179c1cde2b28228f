//! What someone should know now, and what there was.

use axum::{
    Json,
    extract::{FromRequestParts, Query, State},
    http::request::Parts,
    routing::get,
};
use bmon_analysis::alert::{Alert as Row, AlertState, Severity};
use bmon_event::{NodeName, ServerTime};
use bmon_store::{Page, Silence};
use serde::{Deserialize, Serialize};

use super::{
    Api, Endpoint, Parameter, Refusal,
    parameter::List,
    when::{When, cannot_be},
};
use crate::Links;

pub(super) const ENDPOINT: Endpoint = Endpoint {
    path: "/api/v1/alerts",
    summary: "The alerts, those that began last first. `docs/rules.md` says what each rule tells.",
    parameters: &[
        Parameter { name: "open", summary: "`true` for those that are not over; all when absent" },
        Parameter {
            name: "state",
            summary: "`pending`, `firing` or `resolved`, for those in that state; in any when absent",
        },
        Parameter {
            name: "since",
            summary: "for those that were not over before this: a time like `2026-05-31T18:00:00Z`, or how long ago like `7d`",
        },
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
    /// The silence that keeps notifiers from being told of it, or did when it was over; null for none.
    pub silenced_by: Option<SilencedBy>,
    /// What to do: the address of a page on this server.
    pub runbook: String,
}

/// A silence that matches an alert.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SilencedBy {
    /// Its number.
    pub id: i64,
    /// Until when.
    pub ends_at: String,
    /// The same in microseconds since the Unix epoch.
    pub ends_at_us: i64,
    /// Why.
    pub comment: String,
}

impl SilencedBy {
    fn new(silence: &Silence) -> Self {
        Self {
            id: silence.id,
            ends_at: silence.ends_at.to_string(),
            ends_at_us: silence.ends_at.as_micros(),
            comment: silence.comment.clone(),
        }
    }
}

impl Alert {
    fn new(row: Row, silences: &[Silence], links: &Links, now: ServerTime) -> Self {
        let silence = silences.iter().filter(|silence| silence.holds(&row, now));
        Self {
            silenced_by: silence.max_by_key(|silence| silence.ends_at).map(SilencedBy::new),
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
            fired_at_us: row.fired_at_us.map(ServerTime::as_micros),
            resolved_at: row.resolved_at_us.map(|at| at.to_string()),
            resolved_at_us: row.resolved_at_us.map(ServerTime::as_micros),
            summary: row.summary,
            findings: row.findings.iter().map(ToString::to_string).collect(),
        }
    }
}

/// Which alerts are asked for.
#[derive(Clone, Copy, Debug)]
struct Which {
    open: bool,
    state: Option<AlertState>,
    since: Option<When>,
    list: List,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawWhich {
    open: Option<String>,
    state: Option<String>,
    since: Option<String>,
    limit: Option<String>,
    before: Option<String>,
}

impl<S: Sync> FromRequestParts<S> for Which {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        let Query(raw) = Query::<RawWhich>::try_from_uri(&parts.uri).map_err(|error| {
            let parameters = "the parameters are `open`, `state`, `since`, `limit` and `before`";
            Refusal::bad_request(error.body_text(), parameters)
        })?;
        let open = match raw.open.as_deref() {
            None | Some("false") => false,
            Some("true") => true,
            Some(text) => {
                return Err(Refusal::bad_request(cannot_be("open", text), "give `true` or `false`"));
            }
        };
        let state = raw.state.as_deref().map(|text| {
            let found = AlertState::ALL.into_iter().find(|state| state.as_str() == text);
            let hint = "give `pending`, `firing` or `resolved`";
            found.ok_or_else(|| Refusal::bad_request(cannot_be("state", text), hint))
        });
        let (state, since) =
            (state.transpose()?, raw.since.map(|text| When::parse("since", &text)).transpose()?);
        if open && (state.is_some() || since.is_some()) {
            let error = "`open` cannot stand beside `state` or `since`";
            return Err(Refusal::bad_request(error, "those that are open are so now, whenever they began"));
        }
        Ok(Self { open, state, since, list: List::parse(raw.limit, raw.before)? })
    }
}

async fn answer(State(api): State<Api>, which: Which) -> Result<Json<Reply>, Refusal> {
    let Which { open, state, since, list: List { limit, before } } = which;
    let now = api.now();
    let since = since.map(|since| since.instant(now));
    let (silences, Page { items, next }) = api
        .read(move |reader| {
            let alerts = if open {
                reader.open_alerts(limit, before)
            } else {
                reader.alerts_of(state, since, limit, before)
            };
            Ok((reader.silences()?, alerts?))
        })
        .await?;
    let alerts = items.into_iter().map(|row| Alert::new(row, &silences, api.links(), now)).collect();
    Ok(Json(Reply { alerts, next: next.map(|cursor| cursor.to_string()) }))
}
