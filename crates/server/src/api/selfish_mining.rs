//! What the signals of selfish mining say.

use axum::{Json, extract::State, routing::get};
use bmon_analysis::finding::{Body, SelfishMining};
use serde::{Deserialize, Serialize};

use super::{Api, Endpoint, Refusal, found, found::Found, parameter, parameter::List};

pub(super) const ENDPOINT: Endpoint = Endpoint {
    path: "/api/v1/selfish-mining",
    summary: "What the signals of selfish mining say, newest first: of each race that a burst of blocks won, and of each \
              window of 2,016 blocks, with the chance of it if all miners are honest. `docs/selfish-mining.md` explains them.",
    parameters: parameter::LIST,
    example: "/api/v1/selfish-mining?limit=1",
    route: || get(answer),
};

/// The reply.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reply {
    /// What was said, newest first.
    pub selfish_mining: Vec<Found<SelfishMining>>,
    /// What to give as `before` for older ones; null when there are none.
    pub next: Option<String>,
}

async fn answer(State(api): State<Api>, list: List) -> Result<Json<Reply>, Refusal> {
    let (selfish_mining, next) = found::page(&api, "selfish-mining", list, take).await?;
    Ok(Json(Reply { selfish_mining, next }))
}

fn take(body: Body) -> Option<SelfishMining> {
    match body {
        Body::SelfishMining(found) => Some(*found),
        _ => None,
    }
}
