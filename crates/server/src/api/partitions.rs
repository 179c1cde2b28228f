//! Nodes that follow different chains.

use axum::{Json, extract::State, routing::get};
use bmon_analysis::finding::{self, Body};
use serde::{Deserialize, Serialize};

use super::{Api, Endpoint, Refusal, found, found::Found, parameter, parameter::List};

pub(super) const ENDPOINT: Endpoint = Endpoint {
    path: "/api/v1/partitions",
    summary: "The times at which nodes followed different chains and went on to do so, newest first: since which block, \
              who is on which side, how far each side has come, and when it was over.",
    parameters: parameter::LIST,
    example: "/api/v1/partitions?limit=1",
    route: || get(answer),
};

/// The reply.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// Partitions, newest first.
    pub partitions: Vec<Found<Partition>>,
    /// What to give as `before` for older ones; null when there are none.
    pub next: Option<String>,
}

/// Nodes follow different chains.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Partition {
    /// The partition as it was found: its fields stand beside this.
    #[serde(flatten)]
    pub partition: finding::Partition,
    /// When it was first seen that all nodes follow one side again: `healed_at_us`, readable. Null while they do not.
    pub healed_at: Option<String>,
}

async fn answer(State(api): State<Api>, list: List) -> Result<Json<Reply>, Refusal> {
    let (partitions, next) = found::page(&api, "partition", list, take).await?;
    Ok(Json(Reply { partitions, next }))
}

pub(super) fn take(body: Body) -> Option<Partition> {
    let Body::Partition(partition) = body else { return None };
    Some(Partition { healed_at: partition.healed_at_us.map(|at| at.to_string()), partition })
}
