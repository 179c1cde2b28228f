//! One block, step by step.

use axum::{Json, extract::State, routing::get};
use bmon_analysis::{
    finding::InvalidBlock,
    row::{BlockProcessing, BlockSighting, Offset, Stage},
};
use bmon_event::{BlockHash, NodeName, Source, event::Processing};
use serde::{Deserialize, Serialize};

use super::{
    Api, Arrival, Endpoint, Parameter, Refusal,
    blocks::{Block, arrivals_at},
    found::Found,
    invalid_blocks,
    parameter::Hash,
};

pub(super) const ENDPOINT: Endpoint = Endpoint {
    path: "/api/v1/blocks/{hash}",
    summary: "One block: when each node reached which stage with it, how long connecting it took, and every sighting.",
    parameters: &[Parameter { name: "hash", summary: "the block's hash, 64 hexadecimal digits" }],
    example: "/api/v1/blocks/0b01010101010101010101010101010101010101010101010101010101010101",
    route: || get(answer),
};

/// The reply.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// The block as in the list of blocks: its fields stand beside these.
    #[serde(flatten)]
    pub block: Block,
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

async fn answer(State(api): State<Api>, Hash(hash): Hash<BlockHash>) -> Result<Json<Reply>, Refusal> {
    let read = api.read(move |reader| {
        let (nodes, verdicts) = (reader.nodes()?, reader.findings_about_block(&hash)?);
        Ok(reader.block(&hash)?.map(|times| (times, nodes, verdicts)))
    });
    let Some((times, nodes, verdicts)) = read.await? else {
        return Err(Refusal::not_found(
            format!("no node told of block `{hash}`"),
            "check the hash and the network",
        ));
    };
    let stages = Stage::ALL.map(|stage| StageTimes { stage, nodes: arrivals_at(&times, stage) });
    Ok(Json(Reply {
        block: Block::new(
            &times,
            &nodes,
            verdicts.iter().filter_map(|verdict| verdict.node.clone()).collect(),
        ),
        stages: stages.into_iter().filter(|stage| !stage.nodes.is_empty()).collect(),
        processing: times.processing.into_iter().map(NodeProcessing::new).collect(),
        sightings: times.sightings.into_iter().map(Sighting::new).collect(),
        invalid: verdicts.into_iter().filter_map(|found| Found::new(found, invalid_blocks::take)).collect(),
    }))
}
