//! Whose agent is calling.

use std::sync::{Arc, PoisonError};

use axum::extract::FromRequestParts;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use bmon_event::NodeName;
use sha2::{Digest, Sha256};

use super::{Ingest, Refusal};

/// The SHA-256 of a token, which is all that the server keeps of it.
pub fn hash_of_token(token: &str) -> [u8; 32] {
    Sha256::digest(token).into()
}

/// The node whose token the call carries in `Authorization: Bearer TOKEN`.
pub(super) struct Peer {
    pub(super) node: NodeName,
}

impl FromRequestParts<Arc<Ingest>> for Peer {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, ingest: &Arc<Ingest>) -> Result<Self, Refusal> {
        find(parts, ingest).map(|node| Self { node }).map_err(|refusal| ingest.counters.refuse(refusal))
    }
}

fn find(parts: &Parts, ingest: &Ingest) -> Result<NodeName, Refusal> {
    let header = parts.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = header.and_then(|value| value.strip_prefix("Bearer ")).ok_or(Refusal::NoToken)?;
    // A reader of a write-ahead log waits for nobody: this is microseconds, not worth another thread.
    let tokens = ingest.tokens.lock().unwrap_or_else(PoisonError::into_inner);
    match tokens.node_of_token(hash_of_token(token)) {
        Ok(node) => node.ok_or(Refusal::UnknownToken),
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "cannot look up a token");
            Err(Refusal::StoreFailed)
        }
    }
}
