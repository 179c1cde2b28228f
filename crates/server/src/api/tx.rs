//! One transaction, step by step.

use axum::{Json, extract::State, routing::get};
use bmon_analysis::{
    finding::RejectedTx,
    row::{Offset, TxLeft, TxNode, TxSeen},
};
use bmon_event::{NodeName, Source, Txid, Wtxid};
use serde::{Deserialize, Serialize};

use super::{
    Api, Arrival, Endpoint, Parameter, Refusal, arrival, arrival::Apart, found::Found, mined::Mined,
    parameter::Hash, rejections,
};

pub(super) const ENDPOINT: Endpoint = Endpoint {
    path: "/api/v1/txs/{txid}",
    summary: "One transaction: when each node first told of it, as accepted or as refused, the refusals, and the blocks that have it, \
              each with the time at which every node connected it to its active chain.",
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
    /// The nodes that told of it, earliest first. Empty once the sightings are older than the server keeps them, and if it is known
    /// from a block only.
    pub seen: Vec<Arrival>,
    /// How far apart they told of it; null with fewer than two whose clocks are known.
    pub apart: Option<Apart>,
    /// The nodes of the network that have not told of it.
    pub missing: Vec<NodeName>,
    /// What each node told of it, by node.
    pub nodes: Vec<NodeTold>,
    /// The nodes' refusals, oldest first.
    pub rejections: Vec<Found<RejectedTx>>,
    /// The blocks that have it, those of the best chain first; of several branches if more than one. Empty while no block was read that
    /// has it: of the best chain the last six blocks are.
    pub mined: Vec<Mined>,
}

/// What one node told of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeTold {
    /// The node.
    pub node: NodeName,
    /// That it accepted it into its mempool; null if it has not told that.
    pub accepted: Option<Seen>,
    /// That it refused it; null if it has not told that. Why stands in `rejections`.
    pub refused: Option<Seen>,
    /// That it left its mempool for another reason than inclusion in a block; null if the node has not told that.
    pub left: Option<Left>,
}

/// When a node first told something, by the best source that did: its log, else ZMQ, else RPC.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// Who told.
    pub source: Source,
    /// When, by the clock of node and agent, uncorrected.
    pub node_at: String,
    /// The same in microseconds since the Unix epoch.
    pub node_at_us: i64,
    /// The server's clock minus that one, in microseconds: the interval it lies in; null when unknown.
    pub offset_us: Option<[i64; 2]>,
}

/// That a transaction left a mempool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Left {
    /// When.
    #[serde(flatten)]
    pub seen: Seen,
    /// Why, in the node's word; null where it did not tell.
    pub reason: Option<String>,
    /// The transaction that took its place; null where none did, or the node did not tell.
    pub by: Option<Txid>,
}

impl NodeTold {
    fn new(told: TxNode) -> Self {
        let left = |left: TxLeft| Left {
            seen: Seen::new(left.seen),
            reason: left.reason.map(|reason| reason.as_str().to_owned()),
            by: left.by,
        };
        Self {
            node: told.node,
            accepted: told.accepted.map(Seen::new),
            refused: told.refused.map(Seen::new),
            left: told.left.map(left),
        }
    }
}

impl Seen {
    fn new(TxSeen { source, sighted }: TxSeen) -> Self {
        Self {
            source,
            node_at: sighted.at.to_string(),
            node_at_us: sighted.at.as_micros(),
            offset_us: sighted.offset.map(|Offset { min_us, max_us }| [min_us, max_us]),
        }
    }
}

async fn answer(State(api): State<Api>, Hash(txid): Hash<Txid>) -> Result<Json<Reply>, Refusal> {
    let read = api.read(move |reader| {
        let times = reader.tx(&txid)?;
        let mined = match &times {
            Some(times) => Mined::read(reader, &times.network, &times.mined)?,
            None => Vec::new(),
        };
        Ok((reader.nodes()?, times, mined, reader.findings_about_tx(&txid)?))
    });
    let (nodes, times, mined, refusals) = read.await?;
    let network = times.as_ref().map(|times| times.network).or(refusals.first().map(|found| found.network));
    let Some(network) = network else {
        let hint = "a txid is wanted, not a wtxid; transactions are kept for a time only";
        return Err(Refusal::not_found(format!("no node told of transaction `{txid}`"), hint));
    };
    let wtxid = times.as_ref().and_then(|times| times.wtxid);
    let told = times.map_or_else(Vec::new, |times| times.nodes);
    let first = |told: &TxNode| told.first().map(|seen| (seen.source, seen.sighted));
    let seen =
        told.iter().filter_map(|told| first(told).map(|(source, sighted)| (&told.node, source, sighted)));
    let seen = arrival::arrivals(seen);
    let of_network = nodes.into_iter().filter(|node| node.network == network);
    Ok(Json(Reply {
        network: network.to_string(),
        txid,
        wtxid,
        apart: Apart::of(&seen),
        missing: arrival::missing(of_network.map(|node| node.node), &seen),
        seen,
        nodes: told.into_iter().map(NodeTold::new).collect(),
        rejections: refusals.into_iter().filter_map(|found| Found::new(found, rejections::take)).collect(),
        mined,
    }))
}
