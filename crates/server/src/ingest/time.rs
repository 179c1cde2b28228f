//! `GET /ingest/v1/time`: the two middle stamps of a time exchange.

use std::sync::Arc;

use axum::Json;
use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use bmon_event::{ServerTime, Want};

use super::peer::Peer;
use super::{Ingest, Refusal};
use crate::clock;

/// When the call came in.
pub(super) struct Received(ServerTime);

impl<S: Sync> FromRequestParts<S> for Received {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(_: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self(clock::now()))
    }
}

/// The answer.
#[derive(serde::Serialize)]
pub(super) struct Answer {
    /// When the server received the call, in microseconds since the Unix epoch.
    received_us: i64,
    /// When it sent the answer.
    sent_us: i64,
    /// What is wanted of the agent.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    wants: Vec<Want>,
}

/// `Received` is the first argument, so that its stamp is the first thing done.
pub(super) async fn tell(
    Received(received): Received,
    State(ingest): State<Arc<Ingest>>,
    peer: Peer,
) -> Result<Json<Answer>, Refusal> {
    let wants = ingest.wants.open(&peer.node, clock::monotonic());
    Ok(Json(Answer { received_us: received.as_micros(), sent_us: clock::now().as_micros(), wants }))
}
