//! Nodes that are behind the others.

use axum::{Json, extract::State, routing::get};
use bmon_analysis::finding::{self, Body};
use serde::{Deserialize, Serialize};

use super::{Api, Endpoint, Refusal, found, found::Found, parameter, parameter::List};

pub(super) const ENDPOINT: Endpoint = Endpoint {
    path: "/api/v1/lags",
    summary: "The times at which a node was behind the others for long, newest first: by how many blocks, and when it had \
              caught up.",
    parameters: parameter::LIST,
    example: "/api/v1/lags?limit=1",
    route: || get(answer),
};

/// The reply.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// Lags, newest first.
    pub lags: Vec<Found<Lag>>,
    /// What to give as `before` for older ones; null when there are none.
    pub next: Option<String>,
}

/// A node is behind the others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lag {
    /// The lag as it was found: its fields stand beside this.
    #[serde(flatten)]
    pub lag: finding::Lag,
    /// When it was seen to have caught up: `caught_up_at_us`, readable. Null while it has not.
    pub caught_up_at: Option<String>,
}

async fn answer(State(api): State<Api>, list: List) -> Result<Json<Reply>, Refusal> {
    let (lags, next) = found::page(&api, "lag", list, take).await?;
    Ok(Json(Reply { lags, next }))
}

fn take(body: Body) -> Option<Lag> {
    let Body::Lag(lag) = body else { return None };
    Some(Lag { caught_up_at: lag.caught_up_at_us.map(|at| at.to_string()), lag })
}
