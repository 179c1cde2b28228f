//! When a node reached each stage with each block.

use bmon_event::BlockHash;

use super::{Analysis, Declaration};
use crate::{
    memory::Memory,
    row::{BlockRow, BlockSighting, Row},
    settings::Settings,
    state::{Change, NodeState},
};

pub(super) const DECLARATION: Declaration = Declaration {
    id: "block-arrival",
    about: "When each node saw each block's header, had the block, had checked it and had connected it.",
    make: |settings| Box::new(BlockArrival::new(settings)),
};

#[derive(Debug)]
struct BlockArrival {
    /// Blocks said, and whether with their height.
    said: Memory<BlockHash, bool>,
}

impl BlockArrival {
    fn new(settings: &Settings) -> Self {
        Self { said: Memory::new(settings.blocks) }
    }
}

impl Analysis for BlockArrival {
    fn apply(&mut self, node: &NodeState, change: &Change<'_>, out: &mut Vec<Row>) {
        let Change::Block(told) = change else { return };
        let (network, block, height) = (node.network, told.block, told.height);
        let said = self.said.get(&block);
        if said.is_none() || (said == Some(&false) && height.is_some()) {
            self.said.insert(told.at, block, height.is_some());
            out.push(Row::Block(BlockRow { network, block, height }));
        }
        if told.is_first {
            let (source, stage, sighted) = (told.source, told.stage, node.sighted(told.at));
            out.push(Row::BlockSighting(BlockSighting {
                network,
                block,
                node: node.name.clone(),
                source,
                stage,
                sighted,
            }));
        }
    }
}
