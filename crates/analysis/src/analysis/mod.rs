//! The analyses, one in each file. An analysis is told what changed at one node and says rows; it keeps only what it
//! has said already. Its id is its file's name in kebab-case.

mod block_arrival;
mod block_processing;
mod block_step;
mod clock_step;
mod deployment_change;
mod gap;
mod invalid_block;
mod rejected_tx;
mod reorg;
mod vanished_message;

use std::fmt;

use crate::{
    row::Row,
    settings::Settings,
    state::{Change, NodeState},
};

/// Says rows about one node.
pub(crate) trait Analysis: fmt::Debug + Send {
    /// Looks at one change of `node`, whose state includes it.
    fn apply(&mut self, node: &NodeState, change: &Change<'_>, out: &mut Vec<Row>);
}

/// An analysis as it is registered.
#[derive(Clone, Copy, Debug)]
pub struct Declaration {
    /// Its id: the same word in findings, URLs, metrics and docs.
    pub id: &'static str,
    /// What it tells, in one sentence.
    pub about: &'static str,
    /// Makes one for a node.
    make: fn(&Settings) -> Box<dyn Analysis>,
}

/// Every analysis, in the order in which they look at a change.
pub const ALL: &[Declaration] = &[
    block_arrival::DECLARATION,
    block_processing::DECLARATION,
    block_step::DECLARATION,
    reorg::DECLARATION,
    rejected_tx::DECLARATION,
    invalid_block::DECLARATION,
    gap::DECLARATION,
    vanished_message::DECLARATION,
    deployment_change::DECLARATION,
    clock_step::DECLARATION,
];

/// Every analysis, made for one node.
pub(crate) fn make_all(settings: &Settings) -> Vec<Box<dyn Analysis>> {
    ALL.iter().map(|declaration| (declaration.make)(settings)).collect()
}
