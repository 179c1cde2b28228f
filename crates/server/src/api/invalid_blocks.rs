//! Blocks that nodes found invalid.

use axum::{Json, extract::State, routing::get};
use bmon_analysis::finding::{Body, InvalidBlock};
use serde::{Deserialize, Serialize};

use super::{Api, Endpoint, Refusal, found, found::Found, parameter, parameter::List};

pub(super) const ENDPOINT: Endpoint = Endpoint {
    path: "/api/v1/invalid-blocks",
    summary: "The blocks that nodes found invalid, newest first, with each node's reason.",
    parameters: parameter::LIST,
    example: "/api/v1/invalid-blocks?limit=1",
    route: || get(answer),
};

/// The reply.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// Verdicts, newest first.
    pub invalid_blocks: Vec<Found<InvalidBlock>>,
    /// What to give as `before` for older ones; null when there are none.
    pub next: Option<String>,
}

async fn answer(State(api): State<Api>, list: List) -> Result<Json<Reply>, Refusal> {
    let (invalid_blocks, next) = found::page(&api, "invalid-block", list, take).await?;
    Ok(Json(Reply { invalid_blocks, next }))
}

pub(super) fn take(body: Body) -> Option<InvalidBlock> {
    match body {
        Body::InvalidBlock(found) => Some(found),
        _ => None,
    }
}
