//! What competing branches confirmed differently.

use axum::{Json, extract::State, routing::get};
use bmon_analysis::finding::{Body, DoubleSpend};
use serde::{Deserialize, Serialize};

use super::{Api, Endpoint, Refusal, found, found::Found, parameter, parameter::List};

pub(super) const ENDPOINT: Endpoint = Endpoint {
    path: "/api/v1/double-spends",
    summary: "What competing branches confirmed differently, newest first, for each fork: transactions that the branches \
              beside the main chain have and others spend twice (`double-spend`) or with another fee (`fee-bump`), and, \
              once it is decided, those that no other branch has (`only-here`).",
    parameters: parameter::LIST,
    example: "/api/v1/double-spends?limit=1",
    route: || get(answer),
};

/// The reply.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// What was found of each fork, newest first.
    pub double_spends: Vec<Found<DoubleSpend>>,
    /// What to give as `before` for older ones; null when there are none.
    pub next: Option<String>,
}

async fn answer(State(api): State<Api>, list: List) -> Result<Json<Reply>, Refusal> {
    let (double_spends, next) = found::page(&api, "double-spend", list, take).await?;
    Ok(Json(Reply { double_spends, next }))
}

pub(super) fn take(body: Body) -> Option<DoubleSpend> {
    match body {
        Body::DoubleSpend(found) => Some(found),
        _ => None,
    }
}
