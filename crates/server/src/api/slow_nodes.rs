//! Nodes that have become slow, at once or bit by bit.

use axum::{Json, extract::State, routing::get};
use bmon_analysis::finding::{Body, Slowness};
use serde::{Deserialize, Serialize};

use super::{Api, Endpoint, Refusal, found, found::Found, parameter, parameter::List};

pub(super) const ENDPOINT: Endpoint = Endpoint {
    path: "/api/v1/slow-nodes",
    summary: "The times at which a node became slower than it was and than the others in the same blocks, or with transactions in \
              the same hours, newest first: in which stage, by how much, how unusual that is, and what else of it changed; and, \
              with the first part of the list, the last 50 times that one became so bit by bit.",
    parameters: parameter::LIST,
    example: "/api/v1/slow-nodes?limit=1",
    route: || get(answer),
};

/// The reply.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reply {
    /// Nodes that became slow at once, newest first.
    pub slow_nodes: Vec<Found<Slow>>,
    /// Nodes that became slow bit by bit, newest first; empty in later parts of the list.
    pub delay_drifts: Vec<Found<Slow>>,
    /// What to give as `before` for older ones that became slow at once; null when there are none.
    pub next: Option<String>,
}

/// A node has become slow.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Slow {
    /// What is so, in one sentence.
    pub explanation: String,
    /// It as it was found: its fields stand beside this.
    #[serde(flatten)]
    pub slowness: Slowness,
    /// When it was seen to be over: `over_at_us`, readable. Null while it is not.
    pub over_at: Option<String>,
}

/// Drifts in a reply.
const DRIFTS: u32 = 50;

async fn answer(State(api): State<Api>, list: List) -> Result<Json<Reply>, Refusal> {
    let (slow_nodes, next) = found::page(&api, "slow-node", list, take).await?;
    let delay_drifts = if list.before.is_none() {
        found::page(&api, "delay-drift", List { limit: DRIFTS, before: None }, take).await?.0
    } else {
        Vec::new()
    };
    Ok(Json(Reply { slow_nodes, delay_drifts, next }))
}

fn take(body: Body) -> Option<Slow> {
    match body {
        Body::SlowNode(found) | Body::DelayDrift(found) => Some(Slow {
            explanation: found.explain(),
            over_at: found.over_at_us.map(|at| at.to_string()),
            slowness: *found,
        }),
        _ => None,
    }
}
