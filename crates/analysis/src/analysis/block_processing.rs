//! How long a node took to connect each block.

use bmon_event::Kind;

use super::{Analysis, Declaration};
use crate::{
    row::{BlockProcessing, Row},
    state::{Change, NodeState},
};

pub(super) const DECLARATION: Declaration = Declaration {
    id: "block-processing",
    about: "How long each node took to connect each block, step by step.",
    make: |_| Box::new(Processed),
};

#[derive(Debug)]
struct Processed;

impl Analysis for Processed {
    fn apply(&mut self, node: &NodeState, change: &Change<'_>, out: &mut Vec<Row>) {
        let Change::Told(event) = change else { return };
        let Kind::BlockProcessed { block, processing, .. } = &event.kind else { return };
        out.push(Row::BlockProcessing(Box::new(BlockProcessing {
            network: node.network,
            block: *block,
            node: node.name.clone(),
            sighted: node.sighted(event.time()),
            processing: **processing,
        })));
    }
}
