//! One transaction, step by step.

use axum::{Json, extract::State, routing::get};
use bmon_analysis::{
    finding::RejectedTx,
    row::{Offset, TxSighting},
};
use bmon_event::{NodeName, Source, Txid, Wtxid};
use serde::{Deserialize, Serialize};

use super::{Api, Arrival, Endpoint, Parameter, Refusal, arrival, found::Found, parameter::Hash, rejections};

pub(super) const ENDPOINT: Endpoint = Endpoint {
    path: "/api/v1/txs/{txid}",
    summary: "One transaction: when each node first told of it, as accepted or as refused, and the refusals.",
    parameters: &[Parameter {
        name: "txid",
        summary: "the transaction's id (not the wtxid), 64 hexadecimal digits",
    }],
    example: "/api/v1/txs/7101010101010101010101010101010101010101010101010101010101010101",
    route: || get(answer),
};

/// The reply.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// The network: its name in `getblockchaininfo`, else its genesis hash.
    pub network: String,
    /// The transaction.
    pub txid: Txid,
    /// Its id with witness; null where no node told it.
    pub wtxid: Option<Wtxid>,
    /// The nodes that told of it, earliest first. Empty once the sightings are older than the server keeps them.
    pub seen: Vec<Arrival>,
    /// The nodes of the network that have not told of it.
    pub missing: Vec<NodeName>,
    /// Every sighting.
    pub sightings: Vec<Sighting>,
    /// The nodes' refusals, oldest first.
    pub rejections: Vec<Found<RejectedTx>>,
}

/// When one source of one node first told of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sighting {
    /// The node.
    pub node: NodeName,
    /// Who told.
    pub source: Source,
    /// When, by the clock of node and agent, uncorrected.
    pub node_at: String,
    /// The same in microseconds since the Unix epoch.
    pub node_at_us: i64,
    /// The server's clock minus that one, in microseconds: the interval it lies in; null when unknown.
    pub offset_us: Option<[i64; 2]>,
}

impl Sighting {
    fn new(sighting: TxSighting) -> Self {
        Self {
            node: sighting.node,
            source: sighting.source,
            node_at: sighting.sighted.at.to_string(),
            node_at_us: sighting.sighted.at.as_micros(),
            offset_us: sighting.sighted.offset.map(|Offset { min_us, max_us }| [min_us, max_us]),
        }
    }
}

async fn answer(State(api): State<Api>, Hash(txid): Hash<Txid>) -> Result<Json<Reply>, Refusal> {
    let read =
        api.read(move |reader| Ok((reader.nodes()?, reader.tx(&txid)?, reader.findings_about_tx(&txid)?)));
    let (nodes, times, refusals) = read.await?;
    let network = times.as_ref().map(|times| times.network).or(refusals.first().map(|found| found.network));
    let Some(network) = network else {
        let hint = "a txid is wanted, not a wtxid; transactions are kept for a time only";
        return Err(Refusal::not_found(format!("no node told of transaction `{txid}`"), hint));
    };
    let wtxid = times.as_ref().and_then(|times| times.wtxid);
    let sightings = times.map_or_else(Vec::new, |times| times.sightings);
    let seen = sightings.iter().map(|sighting| (&sighting.node, sighting.source, sighting.sighted));
    let seen = arrival::arrivals(seen);
    let of_network = nodes.into_iter().filter(|node| node.network == network);
    Ok(Json(Reply {
        network: network.to_string(),
        txid,
        wtxid,
        missing: arrival::missing(of_network.map(|node| node.node), &seen),
        seen,
        sightings: sightings.into_iter().map(Sighting::new).collect(),
        rejections: refusals.into_iter().filter_map(|found| Found::new(found, rejections::take)).collect(),
    }))
}
