//! Versions beside each other in the same blocks.

use axum::{Json, extract::State, routing::get};
use bmon_analysis::finding::{Body, VersionComparison};
use serde::{Deserialize, Serialize};

use super::{Api, Endpoint, Refusal, found, found::Found, parameter, parameter::List};

pub(super) const ENDPOINT: Endpoint = Endpoint {
    path: "/api/v1/version-comparisons",
    summary: "How every two versions that nodes run compare in the same blocks, the last that became an alarm or ceased to be one \
              first: the ratio of the medians, the pairs, the chance by the exact sign test, and how the same nodes stood \
              to each other before.",
    parameters: parameter::LIST,
    example: "/api/v1/version-comparisons?limit=1",
    route: || get(answer),
};

/// The reply.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reply {
    /// One for every two versions and each measure.
    pub version_comparisons: Vec<Found<Comparison>>,
    /// What to give as `before` for older ones; null when there are none.
    pub next: Option<String>,
}

/// Two versions in the same blocks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// What is so, in one sentence.
    pub explanation: String,
    /// It as it was found: its fields stand beside this.
    #[serde(flatten)]
    pub comparison: VersionComparison,
}

async fn answer(State(api): State<Api>, list: List) -> Result<Json<Reply>, Refusal> {
    let (version_comparisons, next) = found::page(&api, "version-comparison", list, take).await?;
    Ok(Json(Reply { version_comparisons, next }))
}

fn take(body: Body) -> Option<Comparison> {
    match body {
        Body::VersionComparison(found) => {
            Some(Comparison { explanation: found.explain(), comparison: *found })
        }
        _ => None,
    }
}
