//! What the analyses find.
//!
//! A finding has an id that depends only on what it is about, so that a repeat or a revision replaces it, and says what
//! it rests on.

mod anomaly;
mod chain;
mod explain;
mod selfish_mining;
mod watch;

use bmon_event::{AgentTime, BlockHash, Network, NodeName, Source, Txid, Wtxid};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

pub use anomaly::{
    Before, Beside, BlockTimes, Change, ClockDrift, ClockStep, DAY, Extent, Measure, Slowness, Unit,
    VersionChange, VersionComparison, VersionFrom,
};
pub use chain::{
    DeploymentChange, DoubleSpend, Fork, ForkBranch, Lag, NodeStatus, Partition, PartitionSide, StaleBlock,
    ValidityDisagreement, Verdict, VersionBit,
};
pub use selfish_mining::SelfishMining;
pub use watch::{
    BlindNode, Conflict, DoubleSpent, LeftAt, Mined, ReorgedOut, Replaced, ReplacedBy, SeenTx, Step,
    WatchStep,
};

use crate::row::Sighted;

/// Names a finding: the hash of what it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FindingId(pub [u8; 16]);

impl FindingId {
    /// The id of the finding of `kind` on `network` that is about `subject`, whose parts are taken in order.
    pub fn new(network: &Network, kind: &str, subject: &[&[u8]]) -> Self {
        let mut hasher = Sha256::new();
        for part in [network.genesis.as_bytes().as_slice(), kind.as_bytes()].iter().chain(subject) {
            hasher.update((part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        let mut id = [0; 16];
        for (byte, digest) in id.iter_mut().zip(hasher.finalize()) {
            *byte = digest;
        }
        Self(id)
    }
}

/// Writes and reads an id as 32 hexadecimal digits.
macro_rules! as_hex {
    ($type:ty) => {
        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let digits = String::deserialize(deserializer)?;
                let mut bytes = [0; 16];
                for (place, byte) in bytes.iter_mut().enumerate() {
                    let pair = digits.get(2 * place..2 * place + 2);
                    let value = pair.and_then(|pair| u8::from_str_radix(pair, 16).ok());
                    *byte =
                        value.ok_or_else(|| serde::de::Error::custom("expected 32 hexadecimal digits"))?;
                }
                Ok(Self(bytes))
            }
        }
    };
}

pub(crate) use as_hex;

as_hex!(FindingId);

/// Something that an analysis found.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// What names it.
    pub id: FindingId,
    /// 1 when first said; one more each time it is said with other content.
    pub revision: u32,
    /// The network.
    pub network: Network,
    /// The node it is about, `None` for the network as a whole.
    pub node: Option<NodeName>,
    /// When it happened: on the clock of node and agent, of the node that told first where it is about the network.
    pub sighted: Sighted,
    /// Who told: the sources whose events it rests on.
    pub sources: Vec<Source>,
    /// What was found.
    pub body: Body,
}

/// What was found. The tag is the id of the analysis.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Body {
    /// A node left one branch for another.
    Reorg(Reorg),
    /// A node refused a transaction.
    RejectedTx(RejectedTx),
    /// A node found a block invalid.
    InvalidBlock(InvalidBlock),
    /// A source may have said more than was heard.
    Gap(Gap),
    /// A message is absent from a node's log since its version changed.
    VanishedMessage(VanishedMessage),
    /// The chain went on in more than one way.
    Fork(Fork),
    /// A block was left behind.
    StaleBlock(StaleBlock),
    /// Nodes disagree on whether a block is valid.
    ValidityDisagreement(ValidityDisagreement),
    /// Branches confirmed different transactions.
    DoubleSpend(DoubleSpend),
    /// Nodes follow different chains.
    Partition(Partition),
    /// A node is behind the others.
    Lag(Lag),
    /// A soft fork came into another state at a node.
    DeploymentChange(DeploymentChange),
    /// Miners signal for a soft fork that no node knows.
    VersionBit(VersionBit),
    /// Somebody may mine selfishly, or how it stands with the signals that tell so.
    SelfishMining(Box<SelfishMining>),
    /// How a node did with the blocks of 144 heights.
    BlockTimes(Box<BlockTimes>),
    /// A node has become slow.
    SlowNode(Box<Slowness>),
    /// A node becomes slow, bit by bit.
    DelayDrift(Box<Slowness>),
    /// Versions differ in how they do with the same blocks.
    VersionComparison(Box<VersionComparison>),
    /// A clock was set.
    ClockStep(ClockStep),
    /// A clock runs at another speed than the server's.
    ClockDrift(ClockDrift),
    /// A step of something that is watched.
    Watch(Box<WatchStep>),
}

impl Body {
    /// The id of the analysis that found it.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Reorg(_) => "reorg",
            Self::RejectedTx(_) => "rejected-tx",
            Self::InvalidBlock(_) => "invalid-block",
            Self::Gap(_) => "gap",
            Self::VanishedMessage(_) => "vanished-message",
            Self::Fork(_) => "fork",
            Self::StaleBlock(_) => "stale-block",
            Self::ValidityDisagreement(_) => "validity-disagreement",
            Self::DoubleSpend(_) => "double-spend",
            Self::Partition(_) => "partition",
            Self::Lag(_) => "lag",
            Self::DeploymentChange(_) => "deployment-change",
            Self::VersionBit(_) => "version-bit",
            Self::SelfishMining(_) => "selfish-mining",
            Self::BlockTimes(_) => "block-times",
            Self::SlowNode(_) => "slow-node",
            Self::DelayDrift(_) => "delay-drift",
            Self::VersionComparison(_) => "version-comparison",
            Self::ClockStep(_) => "clock-step",
            Self::ClockDrift(_) => "clock-drift",
            Self::Watch(_) => "watch",
        }
    }
}

/// A node left one branch for another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reorg {
    /// Height of the last block that both branches share, `None` where no source told any height.
    pub fork_height: Option<u32>,
    /// Number of blocks disconnected.
    pub depth: u32,
    /// The blocks disconnected, lowest first.
    pub old: Vec<BlockHash>,
    /// The blocks connected in the same step, lowest first: the last made the branch the longer one. Empty when the
    /// blocks were removed without others in their place, as RPC `invalidateblock` can.
    pub new: Vec<BlockHash>,
    /// From when the first block had left to when the last had come, in microseconds, on the node's clock: how long the
    /// switch took. `None` in what an earlier version found.
    #[serde(default)]
    pub duration_us: Option<i64>,
}

/// A node refused a transaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RejectedTx {
    /// The transaction.
    pub txid: Txid,
    /// Its id with witness, `None` where the message does not tell.
    pub wtxid: Option<Wtxid>,
    /// The reason's code, for example `min relay fee not met`.
    pub code: String,
    /// The code and what follows it, as the node wrote it.
    pub reason: String,
    /// The peer that sent it, `None` where the message does not tell.
    pub peer: Option<u64>,
}

/// A node found a block invalid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvalidBlock {
    /// The block.
    pub block: BlockHash,
    /// Its height, `None` where no message told it.
    pub height: Option<u32>,
    /// The node's words, `None` where no message told them.
    pub reason: Option<String>,
}

/// A stretch of time for which a source's events may be missing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// The source that may have said more.
    pub source: Source,
    /// Start, `None` when it is not known.
    pub from: Option<AgentTime>,
    /// End.
    pub to: AgentTime,
    /// Events known to be missing, `None` when their number is not known.
    pub lost: Option<u64>,
    /// Why, for a person to read.
    pub reason: String,
}

/// A message was common in a node's log and is absent since its version changed: bmon may not know its new wording.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VanishedMessage {
    /// Its name, as in `docs/log-messages.md`. `None` where no single message vanished, but many more lines than before
    /// are no message that bmon knows.
    pub message: Option<String>,
    /// The banner of the version that had it.
    pub version_before: String,
    /// The banner of the version that has it not.
    pub version_after: String,
    /// Its lines in the last day of the old version; without a message, those that were none.
    pub lines_before: u64,
    /// Lines of it that were to be expected from the new version while it was watched.
    pub expected: f64,
    /// Share of the old version's lines that were no known message, from 0 to 1.
    pub unmatched_before: f64,
    /// The same of the new version.
    pub unmatched_after: f64,
    /// When the version changed.
    pub watched_from: AgentTime,
    /// How far the log was read when this was found.
    pub watched_to: AgentTime,
    /// When the message came after all, `None` while it has not.
    pub came_at: Option<AgentTime>,
}
