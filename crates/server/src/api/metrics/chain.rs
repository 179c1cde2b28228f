//! One entry per number that the chain of every network has.

use bmon_analysis::row::{NodeTip, TipsRow};
use bmon_store::{Reader, StoreError};

use super::family::{Family, Sample};
use crate::api::chain::Chain;

/// The chain of one network, and where its nodes are.
#[derive(Debug)]
pub(super) struct Counted {
    chain: Chain,
    nodes: Vec<NodeTip>,
}

/// Of every network of whose chain something is known.
pub(super) fn read(reader: &Reader) -> Result<Vec<Counted>, StoreError> {
    let read = |row: TipsRow| {
        let chain = Chain::read(reader, &row)?;
        Ok(chain.map(|chain| Counted { chain, nodes: row.nodes }))
    };
    reader.tips()?.into_iter().filter_map(|row| read(row).transpose()).collect()
}

pub(super) const FAMILIES: &[Family<Counted>] = &[
    Family {
        name: "bmon_chain_height",
        help: "Height of the chain with the most work that a node follows",
        counter: false,
        samples: |counted| one(counted, counted.chain.height),
    },
    Family {
        name: "bmon_chain_stale_blocks",
        help: "Stale blocks in the last 2016 blocks, invalid ones not included",
        counter: false,
        samples: |counted| one(counted, counted.chain.recent.stale_blocks),
    },
    Family {
        name: "bmon_chain_unused_tips",
        help: "Ends of branches of stale blocks in the last 2016 blocks, invalid ones not included",
        counter: false,
        samples: |counted| one(counted, counted.chain.recent.unused_tips),
    },
    Family {
        name: "bmon_node_blocks_behind",
        help: "Blocks of the chain with the most work that the node has not connected",
        counter: false,
        samples: behind,
    },
];

fn labels(counted: &Counted) -> Vec<(&'static str, String)> {
    vec![("network", counted.chain.network.clone())]
}

fn one(counted: &Counted, value: u32) -> Vec<Sample> {
    vec![(labels(counted), value.into())]
}

fn behind(counted: &Counted) -> Vec<Sample> {
    let sample = |at: &NodeTip| {
        let mut labels = labels(counted);
        labels.push(("node", at.node.to_string()));
        (labels, at.blocks_behind.into())
    };
    counted.nodes.iter().map(sample).collect()
}
