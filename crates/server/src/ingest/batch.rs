//! `POST /ingest/v1/batches`: one batch in, its sequence out, once it is durable.

use std::sync::Arc;
use std::sync::mpsc::TrySendError;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use bmon_event::{Batch, DecodeError, Want};
use tokio::sync::oneshot;

use super::peer::Peer;
use super::{Ingest, Refusal, body};
use crate::clock;
use crate::journal::Delivery;

/// The answer to an accepted batch.
#[derive(serde::Serialize)]
pub(super) struct Answer {
    /// Sequence of the batch.
    sequence: u64,
    /// What is wanted of the agent.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    wants: Vec<Want>,
}

pub(super) async fn accept(
    State(ingest): State<Arc<Ingest>>,
    peer: Result<Peer, Refusal>,
    body: Body,
) -> Result<Json<Answer>, Refusal> {
    match peer {
        Ok(peer) => match deliver(&ingest, &peer, body).await {
            Ok(sequence) => {
                let wants = ingest.wants.open(&peer.node, clock::monotonic());
                Ok(Json(Answer { sequence, wants }))
            }
            Err(refusal) => Err(ingest.counters.refuse(refusal)),
        },
        Err(refusal) => {
            body::drain(body).await;
            Err(refusal)
        }
    }
}

async fn deliver(ingest: &Ingest, peer: &Peer, body: Body) -> Result<u64, Refusal> {
    let bytes = body::read(body, ingest.max_batch_bytes).await?;
    let received_at = clock::now();
    let permit = ingest.permits.take(&peer.node).await?;
    let batch = Batch::decode(&bytes, ingest.max_batch_unpacked_bytes).map_err(|error| match error {
        DecodeError::TooLarge { limit } => Refusal::UnpacksTooLarge { limit },
        error => Refusal::NotABatch(error),
    })?;
    if batch.node != peer.node {
        return Err(Refusal::OtherNode { token: peer.node.clone(), batch: batch.node });
    }
    let (sequence, (reply, answer)) = (batch.sequence, oneshot::channel());
    ingest.deliveries.try_send(Delivery { received_at, batch, permit, bytes, reply }).map_err(|error| {
        match error {
            TrySendError::Full(_) => Refusal::Busy,
            TrySendError::Disconnected(_) => Refusal::Stopping,
        }
    })?;
    // The journal drops the sender without an answer only when it stops.
    answer.await.unwrap_or(Err(Refusal::Stopping)).map(|()| sequence)
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::mpsc::sync_channel;

    use axum::http::{Request, StatusCode};
    use bmon_event::{AgentTime, Epoch, Network, Positions};
    use bmon_store::{Reader, Store};
    use http_body_util::BodyExt;
    use tower::ServiceExt;

    use super::*;
    use crate::ingest::{Permits, hash_of_token, router};
    use crate::want::Wants;

    fn batch() -> Vec<u8> {
        let batch = Batch {
            network: Network::from_chain("regtest").unwrap(),
            node: "alice".parse().unwrap(),
            epoch: Epoch(1),
            sequence: 1,
            made_at: AgentTime::default(),
            positions: Positions::default(),
            events: Vec::new(),
            unknown_events: 0,
        };
        batch.encode()
    }

    /// Status and body of the answer to a batch that may be the second of its node, when nobody takes deliveries from the
    /// other end.
    async fn answer(open: bool, second: bool) -> (StatusCode, String) {
        let dir = tempfile::tempdir().unwrap();
        let permits = Permits::default();
        let before = permits.take(&"alice".parse().unwrap()).await.unwrap();
        let _before = second.then_some(before);
        let path = dir.path().join("bmon.sqlite");
        Store::open(&path).unwrap().set_token(&"alice".parse().unwrap(), hash_of_token("token")).unwrap();
        let (deliveries, waiting) = sync_channel(0);
        let waiting = open.then_some(waiting);
        let router = router(Ingest {
            deliveries,
            accepted: Arc::default(),
            tokens: Mutex::new(Reader::open(&path).unwrap()),
            permits,
            counters: Arc::default(),
            wants: Wants::new(clock::now(), Arc::default()),
            max_batch_bytes: 1_000,
            max_batch_unpacked_bytes: 1_000,
        });
        let request = Request::post("/ingest/v1/batches").header("Authorization", "Bearer token");
        let answer = router.oneshot(request.body(Body::from(batch())).unwrap()).await.unwrap();
        drop(waiting);
        let status = answer.status();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test(start_paused = true)]
    async fn a_batch_waits_for_the_one_before_it_even_if_the_journal_has_ended() {
        let (status, body) = answer(false, true).await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(body.contains(r#""error":"too many batches waiting""#), "{body}");
    }

    #[tokio::test]
    async fn a_full_channel_and_an_ended_journal_are_answered_with_try_again() {
        let (status, body) = answer(true, false).await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(body.contains(r#""error":"too many batches waiting","hint":"try again"#), "{body}");
        let (status, body) = answer(false, false).await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(body.contains(r#""error":"server stopping""#), "{body}");
    }
}
