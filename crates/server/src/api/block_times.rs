//! How each node did with each block.

use axum::{Json, extract::State, routing::get};
use bmon_analysis::finding::{BlockTimes, Body};
use serde::{Deserialize, Serialize};

use super::{Api, Endpoint, Refusal, found, found::Found, parameter, parameter::List};

pub(super) const ENDPOINT: Endpoint = Endpoint {
    path: "/api/v1/block-times",
    summary: "How each node did with each block of the main chain, 144 heights at a time, newest first: how long after the first \
              node it told of the block, how long it took to complete and to connect it, and what it had to request. `at` is the \
              first block's own time.",
    parameters: parameter::LIST,
    example: "/api/v1/block-times?limit=1",
    route: || get(answer),
};

/// The reply.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// One for each node and 144 heights, newest first.
    pub block_times: Vec<Found<BlockTimes>>,
    /// What to give as `before` for older ones; null when there are none.
    pub next: Option<String>,
}

async fn answer(State(api): State<Api>, list: List) -> Result<Json<Reply>, Refusal> {
    let (block_times, next) = found::page(&api, "block-times", list, take).await?;
    Ok(Json(Reply { block_times, next }))
}

fn take(body: Body) -> Option<BlockTimes> {
    match body {
        Body::BlockTimes(found) => Some(*found),
        _ => None,
    }
}
