//! Reorgs.

use axum::{Json, extract::State, routing::get};
use bmon_analysis::finding::{Body, Reorg};
use serde::{Deserialize, Serialize};

use super::{Api, Endpoint, Refusal, found, found::Found, parameter, parameter::List};

pub(super) const ENDPOINT: Endpoint = Endpoint {
    path: "/api/v1/reorgs",
    summary: "The reorgs of every node's active chain, newest first: fork height, depth, the blocks left and the blocks joined.",
    parameters: parameter::LIST,
    example: "/api/v1/reorgs?limit=1",
    route: || get(answer),
};

/// The reply.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// Reorgs, newest first.
    pub reorgs: Vec<Found<Reorg>>,
    /// What to give as `before` for older ones; null when there are none.
    pub next: Option<String>,
}

async fn answer(State(api): State<Api>, list: List) -> Result<Json<Reply>, Refusal> {
    let (reorgs, next) = found::page(&api, "reorg", list, take).await?;
    Ok(Json(Reply { reorgs, next }))
}

pub(super) fn take(body: Body) -> Option<Reorg> {
    match body {
        Body::Reorg(found) => Some(found),
        _ => None,
    }
}
