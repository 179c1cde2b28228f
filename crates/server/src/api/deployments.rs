//! Soft forks: what became of those that nodes know, and bits that miners set and no node knows.

use axum::{Json, extract::State, routing::get};
use bmon_analysis::finding::{Body, DeploymentChange, VersionBit};
use serde::{Deserialize, Serialize};

use super::{Api, Endpoint, Refusal, found, found::Found, parameter, parameter::List};

pub(super) const ENDPOINT: Endpoint = Endpoint {
    path: "/api/v1/deployments",
    summary: "The soft forks that came into another state at a node, newest first; and, with the first part of the list, the \
              last 50 times that many blocks had a bit of their version set that no node knows.",
    parameters: parameter::LIST,
    example: "/api/v1/deployments?limit=1",
    route: || get(answer),
};

/// The reply.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// Changes, newest first.
    pub deployments: Vec<Found<DeploymentChange>>,
    /// Unknown bits, newest first; empty in later parts of the list.
    pub version_bits: Vec<Found<VersionBit>>,
    /// What to give as `before` for older changes; null when there are none.
    pub next: Option<String>,
}

/// Unknown bits in a reply.
const BITS: u32 = 50;

async fn answer(State(api): State<Api>, list: List) -> Result<Json<Reply>, Refusal> {
    let (deployments, next) = found::page(&api, "deployment-change", list, change).await?;
    let version_bits = if list.before.is_none() {
        found::page(&api, "version-bit", List { limit: BITS, before: None }, bit).await?.0
    } else {
        Vec::new()
    };
    Ok(Json(Reply { deployments, version_bits, next }))
}

fn change(body: Body) -> Option<DeploymentChange> {
    match body {
        Body::DeploymentChange(found) => Some(found),
        _ => None,
    }
}

fn bit(body: Body) -> Option<VersionBit> {
    match body {
        Body::VersionBit(found) => Some(found),
        _ => None,
    }
}
