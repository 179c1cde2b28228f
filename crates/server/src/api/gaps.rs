//! What may have been missed.

use axum::{Json, extract::State, routing::get};
use bmon_analysis::finding::Body;
use bmon_event::Source;
use serde::{Deserialize, Serialize};

use super::{Api, Endpoint, Refusal, found, found::Found, parameter, parameter::List};

pub(super) const ENDPOINT: Endpoint = Endpoint {
    path: "/api/v1/gaps",
    summary: "The stretches of time for which a source may have said more than was heard, newest first.",
    parameters: parameter::LIST,
    example: "/api/v1/gaps?limit=1",
    route: || get(answer),
};

/// The reply.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// Gaps, newest first.
    pub gaps: Vec<Found<Gap>>,
    /// What to give as `before` for older ones; null when there are none.
    pub next: Option<String>,
}

/// A stretch of time, by the clock of node and agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// The source that may have said more.
    pub source: Source,
    /// Start; null when it is not known.
    pub from: Option<String>,
    /// The same in microseconds since the Unix epoch.
    pub from_us: Option<i64>,
    /// End.
    pub to: String,
    /// The same in microseconds since the Unix epoch.
    pub to_us: i64,
    /// Events known to be missing; null when their number is not known.
    pub lost: Option<u64>,
    /// Why, for a person to read.
    pub reason: String,
}

async fn answer(State(api): State<Api>, list: List) -> Result<Json<Reply>, Refusal> {
    let (gaps, next) = found::page(&api, "gap", list, take).await?;
    Ok(Json(Reply { gaps, next }))
}

fn take(body: Body) -> Option<Gap> {
    let Body::Gap(gap) = body else { return None };
    Some(Gap {
        source: gap.source,
        from: gap.from.map(|from| from.to_string()),
        from_us: gap.from.map(bmon_event::AgentTime::as_micros),
        to: gap.to.to_string(),
        to_us: gap.to.as_micros(),
        lost: gap.lost,
        reason: gap.reason,
    })
}
