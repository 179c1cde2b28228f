//! The steps of a block's way into a node that tell more than a time.

use bmon_event::{BlockHash, Network, NodeName, Source};
use serde::{Deserialize, Serialize};

use super::Sighted;

/// A step of a block's way into a node, when one source of the node first told of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockStep {
    /// The network.
    pub network: Network,
    /// The block.
    pub block: BlockHash,
    /// The node.
    pub node: NodeName,
    /// Who told.
    pub source: Source,
    /// What happened.
    pub step: Step,
    /// When.
    pub sighted: Sighted,
}

/// What happened to a block on its way into a node, in the order in which a node goes through the steps. A block needs
/// few of them: one that comes as a compact block without being asked for is neither requested nor received whole.
/// Peers are the node's own numbers for its connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "kebab-case")]
pub enum Step {
    /// A peer announced it: the first from which the node heard of it.
    Announced {
        /// What the announcement came in.
        message: Announcement,
        /// The peer.
        peer: u64,
    },
    /// The node asked for it.
    Requested {
        /// The peer that was asked.
        peer: u64,
    },
    /// The node matched a compact block (BIP 152) with its mempool.
    CompactBlock {
        /// Size of the compact block in bytes.
        bytes: u64,
        /// The peer that sent it, `None` where the log does not tell.
        #[serde(skip_serializing_if = "Option::is_none")]
        peer: Option<u64>,
    },
    /// The node asked for the transactions that it lacked of a compact block.
    TransactionsRequested {
        /// The peer that was asked.
        peer: u64,
    },
    /// The whole block came.
    Received {
        /// The peer that sent it.
        peer: u64,
        /// Size of the message in bytes, `None` where the log does not tell.
        #[serde(skip_serializing_if = "Option::is_none")]
        bytes: Option<u64>,
    },
    /// A compact block was completed.
    Reconstructed(Reconstruction),
    /// The active chain ends in it, and is not changed further for now.
    Tip {},
}

/// The message in which a peer announced a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Announcement {
    /// `inv`: its hash.
    Inv,
    /// `headers`: its header.
    Headers,
    /// `cmpctblock`: its header and what stands for its transactions (BIP 152).
    Cmpctblock,
    /// `block`: the whole block, which the node had not heard of.
    Block,
}

/// What a compact block (BIP 152) was completed from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reconstruction {
    /// Transactions that came with the compact block.
    pub prefilled: u32,
    /// Transactions found in the mempool, those of the extra pool included.
    pub from_mempool: u32,
    /// Transactions found in the extra pool, at least: those that the node dropped or replaced lately.
    pub from_extra: u32,
    /// Transactions that had to be requested.
    pub requested: u32,
    /// Their size in bytes, `None` up to Bitcoin Core 29.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requested_bytes: Option<u64>,
    /// Size in bytes of the message that brought them; `None` without such a message and where the log does not tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_bytes: Option<u64>,
    /// The peer whose message completed it, `None` where the log does not tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peer: Option<u64>,
}

impl Step {
    /// The words for the steps in output and in the store, in order.
    pub const NAMES: [&str; 7] = [
        "announced",
        "requested",
        "compact-block",
        "transactions-requested",
        "received",
        "reconstructed",
        "tip",
    ];

    /// The word for it in output and in the store.
    pub const fn as_str(&self) -> &'static str {
        Self::NAMES[match self {
            Self::Announced { .. } => 0,
            Self::Requested { .. } => 1,
            Self::CompactBlock { .. } => 2,
            Self::TransactionsRequested { .. } => 3,
            Self::Received { .. } => 4,
            Self::Reconstructed(_) => 5,
            Self::Tip {} => 6,
        }]
    }
}
