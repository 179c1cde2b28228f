//! Clocks that were set, or run at another speed than the server's.

use axum::{Json, extract::State, routing::get};
use bmon_analysis::finding::{self, Body, ClockStep};
use serde::{Deserialize, Serialize};

use super::{Api, Endpoint, Refusal, found, found::Found, parameter, parameter::List};

pub(super) const ENDPOINT: Endpoint = Endpoint {
    path: "/api/v1/clocks",
    summary: "The times at which the clock of a node was set, newest first: by how much, within which bounds; and, with the first \
              part of the list, the last 50 times that one ran at another speed than the server's.",
    parameters: parameter::LIST,
    example: "/api/v1/clocks?limit=1",
    route: || get(answer),
};

/// The reply.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reply {
    /// Clocks that were set, newest first.
    pub steps: Vec<Found<ClockStep>>,
    /// Clocks that ran at another speed, newest first; empty in later parts of the list.
    pub drifts: Vec<Found<ClockDrift>>,
    /// What to give as `before` for older steps; null when there are none.
    pub next: Option<String>,
}

/// A clock runs at another speed than the server's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClockDrift {
    /// It as it was found: its fields stand beside this.
    #[serde(flatten)]
    pub drift: finding::ClockDrift,
    /// When it was seen to be over: `over_at_us`, readable. Null while it is not.
    pub over_at: Option<String>,
}

/// Drifts in a reply.
const DRIFTS: u32 = 50;

async fn answer(State(api): State<Api>, list: List) -> Result<Json<Reply>, Refusal> {
    let (steps, next) = found::page(&api, "clock-step", list, step).await?;
    let drifts = if list.before.is_none() {
        found::page(&api, "clock-drift", List { limit: DRIFTS, before: None }, drift).await?.0
    } else {
        Vec::new()
    };
    Ok(Json(Reply { steps, drifts, next }))
}

fn step(body: Body) -> Option<ClockStep> {
    match body {
        Body::ClockStep(found) => Some(found),
        _ => None,
    }
}

fn drift(body: Body) -> Option<ClockDrift> {
    match body {
        Body::ClockDrift(drift) => {
            Some(ClockDrift { over_at: drift.over_at_us.map(|at| at.to_string()), drift })
        }
        _ => None,
    }
}
