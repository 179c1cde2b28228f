//! `GET /ingest/v1/position?epoch=N`: the highest accepted sequence of the caller's node and epoch.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use bmon_event::Epoch;

use super::peer::Peer;
use super::{Ingest, Refusal};

/// The question.
#[derive(serde::Deserialize)]
pub(super) struct Question {
    /// The epoch as a decimal number.
    epoch: u64,
}

/// The answer.
#[derive(serde::Serialize)]
pub(super) struct Answer {
    /// The highest accepted sequence, 0 when there is none.
    sequence: u64,
}

pub(super) async fn tell(
    State(ingest): State<Arc<Ingest>>,
    peer: Peer,
    question: Result<Query<Question>, QueryRejection>,
) -> Result<Json<Answer>, Refusal> {
    let Query(Question { epoch }) = question.map_err(|_| ingest.counters.refuse(Refusal::BadEpoch))?;
    Ok(Json(Answer { sequence: ingest.accepted.highest(&peer.node, Epoch(epoch)) }))
}
