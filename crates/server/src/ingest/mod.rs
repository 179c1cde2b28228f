//! What agents call: deliver a batch, ask for the last accepted one, ask the time.
//!
//! A call is authorised by its node's token before its body is read. A batch is decoded here, once, and answered only
//! after the journal has it on the disk. Whatever is refused is counted by its reason and changes nothing.

mod accepted;
mod batch;
mod body;
mod counter;
mod peer;
mod permit;
mod position;
mod refusal;
mod time;

use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::routing::{get, post};
use bmon_store::Reader;

pub use counter::{Counters, NotifyCounters};
pub use peer::hash_of_token;
pub use refusal::Reason;

pub(crate) use accepted::Accepted;
pub(crate) use counter::{count, timed};
pub(crate) use permit::{Permit, Permits};
pub(crate) use refusal::Refusal;

use crate::journal::Delivery;
use crate::want::Wants;

/// What the handlers need.
#[derive(Debug)]
pub(crate) struct Ingest {
    /// To the journal. Bounded: a full channel is answered with 503.
    pub(crate) deliveries: SyncSender<Delivery>,
    /// What is durable in the journal.
    pub(crate) accepted: Arc<Accepted>,
    /// Finds the node of a token. Asked anew for each call, so that a token set by another process works at once.
    pub(crate) tokens: Mutex<Reader>,
    /// Taken by a batch before it is decoded.
    pub(crate) permits: Permits,
    pub(crate) counters: Arc<Counters>,
    /// What is wanted of agents stands in the answers to them.
    pub(crate) wants: Wants,
    /// Largest body in bytes.
    pub(crate) max_batch_bytes: usize,
    /// Largest batch in bytes when unpacked.
    pub(crate) max_batch_unpacked_bytes: usize,
}

/// The calls under `/ingest/v1`.
pub(crate) fn router(ingest: Ingest) -> Router {
    Router::new()
        .route("/ingest/v1/batches", post(batch::accept))
        .route("/ingest/v1/position", get(position::tell))
        .route("/ingest/v1/time", get(time::tell))
        .with_state(Arc::new(ingest))
}
