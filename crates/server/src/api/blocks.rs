//! Blocks, and how they reached the nodes.

use axum::{Json, extract::State, routing::get};
use bmon_analysis::{
    pool::{self, Mark},
    row::{NodeRow, Stage},
};
use bmon_event::{BlockHash, NodeName};
use bmon_store::{BlockTimes, Page, StoreError};
use serde::{Deserialize, Serialize};

use super::{Api, Arrival, Endpoint, Refusal, arrival, parameter, parameter::List};

pub(super) const ENDPOINT: Endpoint = Endpoint {
    path: "/api/v1/blocks",
    summary: "Blocks in the order in which they were first seen, newest first, each with the time at which every node \
              connected it to its active chain.",
    parameters: parameter::LIST,
    example: "/api/v1/blocks?limit=2",
    route: || get(answer),
};

/// The reply.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// Blocks, newest first.
    pub blocks: Vec<Block>,
    /// What to give as `before` for older ones; null when there are none.
    pub next: Option<String>,
}

/// A block, and how it reached the nodes of its network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block {
    /// The network: its name in `getblockchaininfo`, else its genesis hash.
    pub network: String,
    /// The block.
    pub block: BlockHash,
    /// Its height; null while no node told it.
    pub height: Option<u32>,
    /// Who mined it; null while its coinbase was not read.
    pub miner: Option<Miner>,
    /// When any node first told of it, even of its header alone, on the server's clock as well as it is known.
    pub first_at: String,
    /// The same in microseconds since the Unix epoch.
    pub first_at_us: i64,
    /// The nodes that connected it to their active chain, earliest first.
    pub connected: Vec<Arrival>,
    /// The nodes of the network that have not connected it, or from which that has not been heard.
    pub missing: Vec<NodeName>,
    /// The nodes that found it invalid.
    pub invalid_for: Vec<NodeName>,
}

/// Who mined a block, as far as its coinbase tells, by the pools that were known when it was read. Anyone can write
/// another's tag.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Miner {
    /// The pool; null if the coinbase shows none that is known.
    pub pool: Option<String>,
    /// What it was recognised by, an `address` that is paid or a `tag` that is written; null if it was not.
    pub by: Option<Mark>,
    /// What a person can read in the coinbase; empty if nothing.
    pub coinbase_text: String,
}

impl Miner {
    fn new(miner: pool::Miner) -> Self {
        let (pool, by) = miner.pool.map(|pool| (pool.name, pool.by)).unzip();
        Self { pool, by, coinbase_text: miner.coinbase_text }
    }
}

impl Block {
    /// From what the store has, where `nodes` are those of every network.
    pub(super) fn new(times: &BlockTimes, nodes: &[NodeRow], invalid_for: Vec<NodeName>) -> Self {
        let connected = arrivals_at(times, Stage::Connected);
        let of_network = nodes.iter().filter(|node| node.network == times.row.network);
        Self {
            network: times.row.network.to_string(),
            block: times.row.block,
            height: times.row.height,
            miner: times.miner.clone().map(Miner::new),
            first_at: times.first_at.to_string(),
            first_at_us: times.first_at.as_micros(),
            missing: arrival::missing(of_network.map(|node| node.node.clone()), &connected),
            connected,
            invalid_for,
        }
    }
}

/// When each node reached `stage` with the block.
pub(super) fn arrivals_at(times: &BlockTimes, stage: Stage) -> Vec<Arrival> {
    let at_stage = times.sightings.iter().filter(|sighting| sighting.stage == stage);
    arrival::arrivals(at_stage.map(|sighting| (&sighting.node, sighting.source, sighting.sighted)))
}

async fn answer(State(api): State<Api>, list: List) -> Result<Json<Reply>, Refusal> {
    let read = api.read(move |reader| {
        let nodes = reader.nodes()?;
        let Page { items, next } = reader.blocks(list.limit, list.before)?;
        let block = |times: &BlockTimes| {
            let verdicts = reader.findings_about_block(&times.row.block)?;
            Ok(Block::new(times, &nodes, verdicts.into_iter().filter_map(|verdict| verdict.node).collect()))
        };
        let blocks = items.iter().map(block).collect::<Result<_, StoreError>>()?;
        Ok(Reply { blocks, next: next.map(|cursor| cursor.to_string()) })
    });
    Ok(Json(read.await?))
}
