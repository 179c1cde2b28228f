//! Every block that any node told of, and when each node reached each stage with it.

use std::collections::HashMap;

use bmon_event::{AgentTime, BlockHash, NodeName, event::Processing};

use super::report::{Block, Stages, Time};
use crate::row::{BlockProcessing, BlockSighting, Stage};

/// Times by stage, in the order of [`Stage::ALL`].
type Times = [Option<AgentTime>; Stage::ALL.len()];

#[derive(Debug)]
pub(super) struct Blocks {
    nodes: Vec<NodeName>,
    blocks: HashMap<BlockHash, Told>,
}

#[derive(Debug)]
struct Told {
    height: Option<u32>,
    /// By node, in the order of [`Blocks::nodes`].
    nodes: Box<[ByNode]>,
}

/// What one node told of a block.
#[derive(Clone, Debug, Default)]
struct ByNode {
    times: Times,
    /// With the time when it was done.
    processing: Option<Box<(AgentTime, Processing)>>,
}

impl Blocks {
    pub(super) fn new(nodes: &[NodeName]) -> Self {
        Self { nodes: nodes.to_vec(), blocks: HashMap::new() }
    }

    pub(super) fn note(&mut self, block: BlockHash, height: Option<u32>) {
        let told = self.told(block);
        told.height = told.height.or(height);
    }

    pub(super) fn sight(&mut self, row: &BlockSighting) {
        let Some(node) = self.nodes.iter().position(|name| *name == row.node) else { return };
        let time = &mut self.told(row.block).nodes[node].times[row.stage as usize];
        *time = Some(time.map_or(row.sighted.at, |known| known.min(row.sighted.at)));
    }

    pub(super) fn process(&mut self, row: &BlockProcessing) {
        let Some(node) = self.nodes.iter().position(|name| *name == row.node) else { return };
        let processing = &mut self.told(row.block).nodes[node].processing;
        if processing.as_ref().is_none_or(|known| row.sighted.at < known.0) {
            *processing = Some(Box::new((row.sighted.at, row.processing)));
        }
    }

    /// For every block that all of at least two nodes connected, microseconds from the first of them to the last.
    pub(super) fn spreads_us(&self) -> Vec<i64> {
        if self.nodes.len() < 2 {
            return Vec::new();
        }
        self.blocks.values().filter_map(Told::spread_us).collect()
    }

    /// The blocks by height, those of equal height by the time at which the first node told of them. Blocks of
    /// unknown height come last.
    pub(super) fn report(&self) -> Vec<Block> {
        let mut blocks: Vec<_> = self.blocks.iter().collect();
        blocks.sort_by_cached_key(|(hash, told)| (told.height.is_none(), told.height, told.first(), **hash));
        let block = |(hash, told): (&BlockHash, &Told)| Block {
            hash: *hash,
            height: told.height,
            nodes: self
                .nodes
                .iter()
                .zip(&told.nodes)
                .filter_map(|(node, told)| Some((node.clone(), told.stages()?)))
                .collect(),
        };
        blocks.into_iter().map(block).collect()
    }

    fn told(&mut self, block: BlockHash) -> &mut Told {
        let nodes = self.nodes.len();
        let new = || Told { height: None, nodes: vec![ByNode::default(); nodes].into() };
        self.blocks.entry(block).or_insert_with(new)
    }
}

impl Told {
    fn spread_us(&self) -> Option<i64> {
        let connected = || self.nodes.iter().map(|told| told.times[Stage::Connected as usize]);
        let (first, last) = (connected().min()??, connected().max()??);
        Some(last.micros_since(first))
    }
    fn first(&self) -> Option<AgentTime> {
        self.nodes.iter().flat_map(|told| told.times).flatten().min()
    }
}

impl ByNode {
    /// `None` for a node that did not tell of the block.
    fn stages(&self) -> Option<Stages> {
        let time = |stage: Stage| self.times[stage as usize].map(Time);
        let processing = self.processing.as_ref().map(|processing| processing.1);
        (processing.is_some() || self.times.iter().any(Option::is_some)).then(|| Stages {
            header: time(Stage::Header),
            block: time(Stage::Block),
            checked: time(Stage::Checked),
            connected: time(Stage::Connected),
            processing,
        })
    }
}
