//! Blocks that were left behind.

use axum::{Json, extract::State, routing::get};
use bmon_analysis::finding::{self, Body};
use serde::{Deserialize, Serialize};

use super::{Api, Endpoint, Refusal, found, found::Found, parameter, parameter::List};

pub(super) const ENDPOINT: Endpoint = Endpoint {
    path: "/api/v1/stale-blocks",
    summary: "The blocks with good proof of work that are not on the chain that nodes follow, newest first: the header, \
              what stands in their place, and what each node says of them.",
    parameters: parameter::LIST,
    example: "/api/v1/stale-blocks?limit=1",
    route: || get(answer),
};

/// The reply.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// Stale blocks, newest first, and with them those that were stale once.
    pub stale_blocks: Vec<Found<StaleBlock>>,
    /// What to give as `before` for older ones; null when there are none.
    pub next: Option<String>,
}

/// A block that was left behind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StaleBlock {
    /// The block as it was found: its fields stand beside this.
    #[serde(flatten)]
    pub block: finding::StaleBlock,
    /// Whether a node found it invalid and none valid: then it is no stale block to those who count them.
    pub is_invalid: bool,
}

async fn answer(State(api): State<Api>, list: List) -> Result<Json<Reply>, Refusal> {
    let (stale_blocks, next) = found::page(&api, "stale-block", list, take).await?;
    Ok(Json(Reply { stale_blocks, next }))
}

pub(super) fn take(body: Body) -> Option<StaleBlock> {
    let Body::StaleBlock(block) = body else { return None };
    Some(StaleBlock { is_invalid: block.is_invalid(), block })
}
