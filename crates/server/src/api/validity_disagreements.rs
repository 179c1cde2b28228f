//! Blocks on which nodes disagree.

use axum::{Json, extract::State, routing::get};
use bmon_analysis::finding::{Body, ValidityDisagreement};
use serde::{Deserialize, Serialize};

use super::{Api, Endpoint, Refusal, found, found::Found, parameter, parameter::List};

pub(super) const ENDPOINT: Endpoint = Endpoint {
    path: "/api/v1/validity-disagreements",
    summary: "The blocks that some nodes found valid and others invalid, newest first, with the reasons that they gave.",
    parameters: parameter::LIST,
    example: "/api/v1/validity-disagreements?limit=1",
    route: || get(answer),
};

/// The reply.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// Disagreements, newest first.
    pub validity_disagreements: Vec<Found<ValidityDisagreement>>,
    /// What to give as `before` for older ones; null when there are none.
    pub next: Option<String>,
}

async fn answer(State(api): State<Api>, list: List) -> Result<Json<Reply>, Refusal> {
    let (validity_disagreements, next) = found::page(&api, "validity-disagreement", list, take).await?;
    Ok(Json(Reply { validity_disagreements, next }))
}

pub(super) fn take(body: Body) -> Option<ValidityDisagreement> {
    match body {
        Body::ValidityDisagreement(found) => Some(found),
        _ => None,
    }
}
