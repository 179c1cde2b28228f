//! Transactions that nodes refused.

use axum::{Json, extract::State, routing::get};
use bmon_analysis::finding::{Body, RejectedTx};
use serde::{Deserialize, Serialize};

use super::{Api, Endpoint, Refusal, found, found::Found, parameter, parameter::List};

pub(super) const ENDPOINT: Endpoint = Endpoint {
    path: "/api/v1/rejections",
    summary: "The transactions that nodes refused, newest first, with each node's reason.",
    parameters: parameter::LIST,
    example: "/api/v1/rejections?limit=1",
    route: || get(answer),
};

/// The reply.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// Refusals, newest first.
    pub rejections: Vec<Found<RejectedTx>>,
    /// What to give as `before` for older ones; null when there are none.
    pub next: Option<String>,
}

async fn answer(State(api): State<Api>, list: List) -> Result<Json<Reply>, Refusal> {
    let (rejections, next) = found::page(&api, "rejected-tx", list, take).await?;
    Ok(Json(Reply { rejections, next }))
}

pub(super) fn take(body: Body) -> Option<RejectedTx> {
    match body {
        Body::RejectedTx(found) => Some(found),
        _ => None,
    }
}
