//! The server itself.

use axum::{Json, extract::State, routing::get};
use serde::{Deserialize, Serialize};

use super::{Api, Endpoint, Refusal, parameter::Nothing};

pub(super) const ENDPOINT: Endpoint = Endpoint {
    path: "/api/v1/status",
    summary: "The server itself: version, age, and how much it keeps.",
    parameters: &[],
    example: "/api/v1/status",
    route: || get(answer),
};

/// The reply.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// Version of bmon.
    pub version: String,
    /// When the reply was made, on the server's clock.
    pub now: String,
    /// The same in microseconds since the Unix epoch.
    pub now_us: i64,
    /// When the server started.
    pub started_at: String,
    /// The same in microseconds since the Unix epoch.
    pub started_at_us: i64,
    /// The networks that nodes are on: the name in `getblockchaininfo`, else the genesis hash.
    pub networks: Vec<String>,
    /// Nodes that are watched.
    pub nodes: u64,
    /// The journal record up to which the store says everything.
    pub journal_position: u64,
    /// Size of the database file in bytes, without its write-ahead log.
    pub store_bytes: u64,
    /// Blocks in the store.
    pub blocks: u64,
    /// Transactions in the store.
    pub transactions: u64,
    /// Transactions that were deleted because of their age.
    pub transactions_deleted: u64,
    /// Findings in the store.
    pub findings: u64,
}

async fn answer(State(api): State<Api>, _: Nothing) -> Result<Json<Reply>, Refusal> {
    let (now, started_at) = (api.now(), api.started_at());
    let read = api.read(move |reader| {
        let (nodes, counts) = (reader.nodes()?, reader.counts()?);
        let mut networks: Vec<_> = nodes.iter().map(|node| node.network.to_string()).collect();
        networks.dedup();
        Ok(Reply {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            now: now.to_string(),
            now_us: now.as_micros(),
            started_at: started_at.to_string(),
            started_at_us: started_at.as_micros(),
            networks,
            nodes: nodes.len() as u64,
            journal_position: reader.journal_position()?,
            store_bytes: reader.size_bytes()?,
            blocks: counts.blocks.kept,
            transactions: counts.transactions.kept,
            transactions_deleted: counts.transactions.deleted,
            findings: counts.findings.iter().map(|count| count.findings).sum(),
        })
    });
    Ok(Json(read.await?))
}
