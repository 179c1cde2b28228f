//! One block, step by step.

use std::{fmt, str::FromStr};

use axum::{Json, extract::State, routing::get};
use bmon_analysis::{
    finding::{Finding, InvalidBlock},
    row::{BlockProcessing, BlockRow, BlockSighting, BlockStep, NodeRow, Offset, Stage},
};
use bmon_event::{BlockHash, Network, NodeName, Source, event::Processing};
use bmon_store::{BlockTimes, Reader, StoreError};
use serde::{Deserialize, Serialize};

use super::{
    Api, Arrival, Endpoint, Parameter, Refusal,
    arrival::Apart,
    blocks::{Block, arrivals_at},
    found::Found,
    invalid_blocks, main_chain,
    parameter::{Last, OfNetwork},
    waterfall::{Way, ways},
};

pub(super) const ENDPOINT: Endpoint = Endpoint {
    path: "/api/v1/blocks/{hash}",
    summary: "One block: its way through each node step by step (`waterfall`), when each node reached which stage with it, \
              how long connecting it took, and every sighting.",
    parameters: &[
        Parameter {
            name: "hash",
            summary: "the block's hash, 64 hexadecimal digits, or a height: then the block that the main chain has there",
        },
        Parameter {
            name: "network",
            summary: "the network, as other replies name it; may be absent with a hash, and while the server knows of one \
                      only",
        },
    ],
    example: "/api/v1/blocks/0b01010101010101010101010101010101010101010101010101010101010101",
    route: || get(answer),
};

/// The reply.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// The block as in the list of blocks: its fields stand beside these.
    #[serde(flatten)]
    pub block: Block,
    /// The other blocks of this height that any node told of, the first seen first.
    pub others: Vec<BlockHash>,
    /// Its way through each node that told of it, the first node first.
    pub waterfall: Vec<Way>,
    /// Every stage that a node has reached, in the order in which nodes go through them.
    pub stages: Vec<StageTimes>,
    /// How long nodes took to connect it, as their `-debug=bench` tells, by node.
    pub processing: Vec<NodeProcessing>,
    /// Every sighting.
    pub sightings: Vec<Sighting>,
    /// The nodes' verdicts that it is invalid, oldest first.
    pub invalid: Vec<Found<InvalidBlock>>,
}

/// When each node reached one stage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageTimes {
    /// The stage: `header` seen, whole `block` there, `checked`, or `connected` to the active chain.
    pub stage: Stage,
    /// The nodes that reached it, earliest first.
    pub nodes: Vec<Arrival>,
    /// How far apart they did; null with fewer than two whose clocks are known.
    pub apart: Option<Apart>,
}

/// How long one node took to connect the block, the first time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeProcessing {
    /// The node.
    pub node: NodeName,
    /// The steps, in microseconds rounded to tens; null where the node did not tell. Without `load_us` its first lines
    /// are missing.
    #[serde(flatten)]
    pub steps: Processing,
}

impl NodeProcessing {
    fn new(row: BlockProcessing) -> Self {
        Self { node: row.node, steps: row.processing }
    }
}

/// When one source of one node first told of one stage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sighting {
    /// The node.
    pub node: NodeName,
    /// The stage.
    pub stage: Stage,
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
    fn new(sighting: BlockSighting) -> Self {
        let offset_us = sighting.sighted.offset.map(|Offset { min_us, max_us }| [min_us, max_us]);
        Self {
            node: sighting.node,
            stage: sighting.stage,
            source: sighting.source,
            node_at: sighting.sighted.at.to_string(),
            node_at_us: sighting.sighted.at.as_micros(),
            offset_us,
        }
    }
}

/// Which block is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Named {
    /// The one with this hash.
    Hash(BlockHash),
    /// The one that the main chain has at this height.
    Height(u32),
}

/// A text is neither a hash nor a height.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("neither the 64 hexadecimal digits of a hash nor a height")]
pub struct NamedError;

impl FromStr for Named {
    type Err = NamedError;

    fn from_str(text: &str) -> Result<Self, NamedError> {
        let height = || text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten();
        let hash = text.parse().map(Self::Hash).ok();
        hash.or_else(|| height().map(Self::Height)).ok_or(NamedError)
    }
}

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hash(hash) => hash.fmt(f),
            Self::Height(height) => height.fmt(f),
        }
    }
}

/// What the store has of one block.
struct Kept {
    times: BlockTimes,
    steps: Vec<BlockStep>,
    others: Vec<BlockHash>,
    nodes: Vec<NodeRow>,
    verdicts: Vec<Finding>,
}

impl Kept {
    fn read(reader: &Reader, named: Named, network: Option<Network>) -> Result<Option<Self>, StoreError> {
        let hash = match (named, network) {
            (Named::Hash(hash), _) => Some(hash),
            (Named::Height(height), Some(network)) => main_chain::block_at(reader, &network, height)?,
            (Named::Height(_), None) => None,
        };
        let Some(hash) = hash else { return Ok(None) };
        let Some(times) = reader.block(&hash)? else { return Ok(None) };
        if network.is_some_and(|network| network != times.row.network) {
            return Ok(None);
        }
        let BlockRow { network, height, .. } = times.row;
        let mut others = height.map_or(Ok(Vec::new()), |height| reader.blocks_at(&network, height))?;
        others.retain(|other| *other != hash);
        Ok(Some(Self {
            steps: reader.block_steps(&times.row)?,
            others,
            nodes: reader.nodes()?,
            verdicts: reader.findings_about_block(&hash)?,
            times,
        }))
    }

    fn reply(self) -> Reply {
        let Self { times, steps, others, nodes, verdicts } = self;
        let stages = Stage::ALL.map(|stage| {
            let nodes = arrivals_at(&times, stage);
            StageTimes { stage, apart: Apart::of(&nodes), nodes }
        });
        let invalid_for = verdicts.iter().filter_map(|verdict| verdict.node.clone()).collect();
        Reply {
            block: Block::new(&times, &nodes, invalid_for),
            others,
            waterfall: ways(&times, steps),
            stages: stages.into_iter().filter(|stage| !stage.nodes.is_empty()).collect(),
            processing: times.processing.into_iter().map(NodeProcessing::new).collect(),
            sightings: times.sightings.into_iter().map(Sighting::new).collect(),
            invalid: verdicts
                .into_iter()
                .filter_map(|found| Found::new(found, invalid_blocks::take))
                .collect(),
        }
    }
}

async fn answer(
    State(api): State<Api>,
    Last(named): Last<Named>,
    of: OfNetwork,
) -> Result<Json<Reply>, Refusal> {
    let network = match named {
        Named::Hash(_) if of.is_any() => None,
        _ => Some(of.choose(&api.read(Reader::networks).await?)?),
    };
    let kept = api.read(move |reader| Kept::read(reader, named, network)).await?;
    kept.map(|kept| Json(kept.reply())).ok_or_else(|| match named {
        Named::Hash(hash) => {
            Refusal::not_found(format!("no node told of block `{hash}`"), "check the hash and the network")
        }
        Named::Height(height) => Refusal::not_found(
            format!("no node told of a block at height {height}"),
            "`/api/v1/chain` tells the height of the chain; blocks from before the monitor are not known",
        ),
    })
}
