//! What a scenario staged: what a monitor of its nodes must have found.

use std::collections::BTreeSet;

use bmon_event::{BlockHash, NodeName, Txid, Wtxid};
use serde::{Deserialize, Serialize};

use crate::{Fault, fork::Rule};

/// Everything staged, each list in the order in which it happened.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Truth {
    /// Blocks that became part of a node's active chain.
    pub blocks: Vec<StagedBlock>,
    /// Transactions that entered a mempool, replaced ones included.
    pub transactions: Vec<StagedTransaction>,
    /// Transactions that took another's place in every mempool.
    pub replacements: Vec<Replacement>,
    /// Transactions that a node refused, one entry for each node.
    pub rejections: Vec<Rejection>,
    /// Changes of branch.
    pub reorgs: Vec<Reorg>,
    /// Blocks that the nodes refused.
    pub invalid_blocks: Vec<InvalidBlock>,
}

/// A block that nodes added to their active chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StagedBlock {
    /// The block.
    pub block: BlockHash,
    /// Its height.
    pub height: u32,
    /// The nodes that must have it in their active chain at some time. Others may have heard of it.
    pub nodes: Vec<NodeName>,
}

/// A transaction that nodes took into their mempools.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StagedTransaction {
    /// The transaction.
    pub txid: Txid,
    /// Its id with witness.
    pub wtxid: Wtxid,
    /// The nodes in whose mempools it must have been.
    pub nodes: Vec<NodeName>,
}

/// A transaction that took another's place in the mempool of every node (BIP 125).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replacement {
    /// The transaction that left.
    pub old: Txid,
    /// The transaction that came.
    pub new: Txid,
}

/// A transaction that a node refused from a peer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejection {
    /// The node.
    pub node: NodeName,
    /// The transaction.
    pub txid: Txid,
    /// Its id with witness.
    pub wtxid: Wtxid,
    /// What is wrong with it.
    pub fault: Fault,
    /// The codes of which the node must give one: which, depends on its implementation and version.
    pub codes: BTreeSet<String>,
}

/// A node left one branch for another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reorg {
    /// The node.
    pub node: NodeName,
    /// Height of the last block that both branches share.
    pub fork_height: u32,
    /// The blocks disconnected, lowest first.
    pub old: Vec<BlockHash>,
    /// The blocks connected in the same step, lowest first; the last made the branch the longer one.
    pub new: Vec<BlockHash>,
}

/// A block that nodes found invalid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvalidBlock {
    /// The block.
    pub block: BlockHash,
    /// Its height.
    pub height: u32,
    /// The nodes that must have found it invalid.
    pub nodes: Vec<NodeName>,
    /// The code that each must give.
    pub code: String,
}

/// A block that nodes found invalid, and a header on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvalidBranch {
    /// The block.
    pub block: InvalidBlock,
    /// The block on it, of which the nodes have the header. It is the tip of a branch that is `invalid`, with Bitcoin Core
    /// up to 29 possibly `headers-only`.
    pub child: BlockHash,
}

/// Blocks of equal height on one parent, each the tip of some nodes, all known to every node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Race {
    /// The parent.
    pub fork: BlockHash,
    /// Its height.
    pub fork_height: u32,
    /// One for each block.
    pub branches: Vec<Branch>,
}

/// A block of a race.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Branch {
    /// The block.
    pub block: BlockHash,
    /// The nodes that saw it first and are on it until the race is decided; the first of them mined it.
    pub nodes: Vec<NodeName>,
}

/// The end of a race.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// The block that every node keeps.
    pub winner: BlockHash,
    /// The block on it that decided the race.
    pub block: BlockHash,
    /// One for each node that was on another block.
    pub reorgs: Vec<Reorg>,
}

/// Headers without blocks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Withheld {
    /// The last block that this branch shares with the active chain.
    pub fork: BlockHash,
    /// Its height.
    pub fork_height: u32,
    /// The blocks that nobody has, lowest first.
    pub blocks: Vec<BlockHash>,
    /// The nodes that have the headers. To each the last of them is the tip of a branch that is `headers-only`.
    pub nodes: Vec<NodeName>,
}

/// Nodes that do not agree on the rules, each side on a chain of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Split {
    /// What they do not agree on.
    pub rule: Rule,
    /// The last block that all agree on.
    pub fork: BlockHash,
    /// Its height.
    pub fork_height: u32,
    /// The nodes that enforce the rule.
    pub strict: Side,
    /// The others.
    pub lenient: Side,
    /// What the nodes refused first. Where the rule is a soft fork, only strict nodes do.
    pub refusals: Vec<Refusal>,
}

/// One side of a split.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Side {
    /// Its nodes.
    pub nodes: Vec<NodeName>,
    /// Its blocks behind the fork, lowest first.
    pub blocks: Vec<BlockHash>,
}

/// A node refused a block that others take.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// The node.
    pub node: NodeName,
    /// The block.
    pub block: BlockHash,
    /// The code that it gives.
    pub reason: String,
}
