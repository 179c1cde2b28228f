//! What happens on the network: blocks, transactions, replacements, rejections, a reorg and an invalid block.

use std::{fmt, ops::ControlFlow, time::Duration};

use crate::{Fault, Network, NodeError, PeerError, Timeout, Truth};

mod stage;

use stage::Stage;

/// How much happens, and how fast.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scenario {
    /// Blocks that nodes mine in turn. The blocks of the reorg come in addition.
    pub blocks: u32,
    /// Transactions that every node accepts, sent through the nodes in turn. Replacements come in addition.
    pub transactions: u32,
    /// Time between two transactions.
    pub interval: Duration,
}

impl Default for Scenario {
    /// The demo's: about ten seconds.
    fn default() -> Self {
        Self { blocks: 12, transactions: 240, interval: Duration::from_millis(25) }
    }
}

/// Something was staged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// What.
    pub step: Step,
    /// Steps done, this one included.
    pub done: u32,
    /// Steps in all.
    pub total: u32,
}

/// What was staged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The nodes have coins to spend.
    Funding,
    /// A transaction was sent.
    Transaction,
    /// A transaction has taken another's place on every node.
    Replacement,
    /// A transaction with this fault was brought to every node.
    Rejection(Fault),
    /// A block of this height is the tip of every node.
    Block(u32),
    /// The nodes were parted, and each side has made a branch.
    Parting,
    /// They were joined again and agree: a reorg.
    Joining,
    /// A block that is not valid was brought to every node.
    InvalidBlock,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Funding => f.write_str("coins to spend"),
            Self::Transaction => f.write_str("transaction"),
            Self::Replacement => f.write_str("replacement"),
            Self::Rejection(Fault::NoFee) => f.write_str("transaction without a fee"),
            Self::Rejection(Fault::Dust) => f.write_str("transaction with dust"),
            Self::Rejection(Fault::Data) => f.write_str("transaction with data"),
            Self::Block(height) => write!(f, "block {height}"),
            Self::Parting => f.write_str("nodes parted, two branches"),
            Self::Joining => f.write_str("nodes joined, reorg"),
            Self::InvalidBlock => f.write_str("invalid block"),
        }
    }
}

/// The scenario could not be staged.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// The caller ended it before its end.
    #[error("stage everything: it was ended before")]
    Ended,
    /// There are not enough nodes for it.
    #[error("stage {what} with {nodes} nodes, it takes at least {least}")]
    TooFewNodes {
        /// What was to be staged.
        what: &'static str,
        /// The nodes that there are.
        nodes: usize,
        /// The nodes that it takes.
        least: usize,
    },
    /// A node took a block that it must refuse.
    #[error("stage a split: node `{node}` does not refuse the header of block `{block}`")]
    NotStrict {
        /// The node.
        node: bmon_event::NodeName,
        /// The block.
        block: bmon_event::BlockHash,
    },
    /// A node refused a block that it must take.
    #[error("stage a split: node `{node}` refuses block `{block}`: {reason}")]
    NotLenient {
        /// The node.
        node: bmon_event::NodeName,
        /// The block.
        block: bmon_event::BlockHash,
        /// The code that it gives.
        reason: String,
    },
    /// No length of either side ends a split by this rule.
    #[error("heal a split by `{0}`: neither side takes the other's blocks")]
    NeverHeals(crate::fork::Rule),
    /// A node decided on a staged transaction otherwise than its policy says.
    #[error(
        "stage transaction `{txid}` ({fault:?}) on node `{node}`: accepted: {accepted}, against its policy"
    )]
    Policy {
        /// The node.
        node: bmon_event::NodeName,
        /// The transaction.
        txid: bmon_event::Txid,
        /// What is wrong with it.
        fault: Fault,
        /// What the node did.
        accepted: bool,
    },
    /// A node failed, or did not come into a state.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// The peer that brings transactions and blocks failed.
    #[error(transparent)]
    Peer(#[from] PeerError),
}

impl From<Timeout> for ScenarioError {
    fn from(timeout: Timeout) -> Self {
        Self::Node(timeout.into())
    }
}

impl From<crate::RpcError> for ScenarioError {
    fn from(error: crate::RpcError) -> Self {
        Self::Node(error.into())
    }
}

impl Scenario {
    /// Stages everything on a network whose nodes have no common history yet, or one that another run left, and
    /// returns what was staged. Each step waits until all nodes have done what it stands for;
    /// `progress` hears of each and can end it there.
    pub fn run(
        &self,
        network: &Network,
        progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<Truth, ScenarioError> {
        let blocks = self.blocks.max(1);
        let mut stage = Stage::set(network, self, progress)?;
        for round in 0..blocks {
            // Spread evenly, the remainder too.
            let due = |round| u64::from(self.transactions) * u64::from(round) / u64::from(blocks);
            for _ in due(round)..due(round + 1) {
                stage.transaction()?;
            }
            stage.replacement()?;
            if faults_in(round) {
                for fault in Fault::ALL {
                    stage.rejection(fault)?;
                }
            }
            if round == blocks / 2 {
                stage.reorg()?;
            }
            if round == blocks * 3 / 4 {
                stage.invalid_block()?;
            }
            stage.block(round)?;
        }
        Ok(stage.into_truth())
    }

    /// Steps of a run, and coins that it spends.
    fn extent(&self) -> (u32, u32) {
        let blocks = self.blocks.max(1);
        let rejections = (0..blocks).filter(|&round| faults_in(round)).count() * Fault::ALL.len();
        let rejections = u32::try_from(rejections).unwrap_or(u32::MAX);
        let coins = self.transactions + blocks + rejections;
        let once = [Step::Funding, Step::Parting, Step::Joining, Step::InvalidBlock];
        (coins + blocks + u32::try_from(once.len()).unwrap_or(u32::MAX), coins)
    }
}

/// Transactions with faults are staged in every third round.
const fn faults_in(round: u32) -> bool {
    round.is_multiple_of(3)
}
