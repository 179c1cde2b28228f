//! `GET /ingest/v1/time`: the two middle stamps of a time exchange.

use axum::Json;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use bmon_event::ServerTime;

use super::Refusal;
use super::peer::Peer;
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
}

/// `Received` is the first argument, so that its stamp is the first thing done.
pub(super) async fn tell(Received(received): Received, _peer: Peer) -> Result<Json<Answer>, Refusal> {
    Ok(Json(Answer { received_us: received.as_micros(), sent_us: clock::now().as_micros() }))
}
