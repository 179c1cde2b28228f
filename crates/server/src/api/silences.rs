//! Of which alerts nobody is told.

use axum::{
    Json,
    extract::{FromRequestParts, Query, State},
    http::request::Parts,
    routing::get,
};
use bmon_event::{NodeName, ServerTime};
use bmon_store::Silence as Row;
use serde::{Deserialize, Serialize};

use super::{Api, Endpoint, Parameter, Refusal};

pub(super) const ENDPOINT: Endpoint = Endpoint {
    path: "/api/v1/silences",
    summary: "The silences that last, what was made last first: no notifier is told of an alert that one matches. \
              `bmon alerts silence` makes them on the server's host.",
    parameters: &[Parameter { name: "all", summary: "`true` for those that ended too" }],
    example: "/api/v1/silences",
    route: || get(answer),
};

/// The reply.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// Silences, what was made last first.
    pub silences: Vec<Silence>,
}

/// Alerts of which nobody is told for a while. Times are by the clock of the server's host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Silence {
    /// Its number.
    pub id: i64,
    /// Whether it lasts.
    pub is_active: bool,
    /// The network of the alerts; null for any.
    pub network: Option<String>,
    /// Their rule; null for any.
    pub rule: Option<String>,
    /// The node they are about; null for any, and for alerts about none.
    pub node: Option<NodeName>,
    /// Since when.
    pub begins_at: String,
    /// The same in microseconds since the Unix epoch.
    pub begins_at_us: i64,
    /// Until when.
    pub ends_at: String,
    /// The same in microseconds since the Unix epoch.
    pub ends_at_us: i64,
    /// Why.
    pub comment: String,
}

impl Silence {
    pub(super) fn new(row: &Row, now: ServerTime) -> Self {
        Self {
            id: row.id,
            is_active: row.is_active(now),
            network: row.matcher.network.map(|network| network.to_string()),
            rule: row.matcher.rule.clone(),
            node: row.matcher.node.clone(),
            begins_at: row.begins_at.to_string(),
            begins_at_us: row.begins_at.as_micros(),
            ends_at: row.ends_at.to_string(),
            ends_at_us: row.ends_at.as_micros(),
            comment: row.comment.clone(),
        }
    }
}

/// Whether those are asked for too that ended.
#[derive(Clone, Copy, Debug)]
struct Which {
    all: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawWhich {
    all: Option<String>,
}

impl<S: Sync> FromRequestParts<S> for Which {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        let Query(raw) = Query::<RawWhich>::try_from_uri(&parts.uri)
            .map_err(|error| Refusal::bad_request(error.body_text(), "the parameter is `all`"))?;
        match raw.all.as_deref() {
            None | Some("false") => Ok(Self { all: false }),
            Some("true") => Ok(Self { all: true }),
            Some(_) => Err(Refusal::bad_request("`all` cannot be that", "give `true` or `false`")),
        }
    }
}

async fn answer(State(api): State<Api>, Which { all }: Which) -> Result<Json<Reply>, Refusal> {
    let now = api.now();
    let mut silences = api.read(bmon_store::Reader::silences).await?;
    silences.retain(|silence| all || silence.is_active(now));
    Ok(Json(Reply { silences: silences.iter().map(|row| Silence::new(row, now)).collect() }))
}
