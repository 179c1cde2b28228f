//! What is found of the chain as many nodes see it.

use bmon_event::{BlockHash, NodeName, ServerTime};
use serde::{Deserialize, Serialize};

use crate::{
    double_spend::Unshared,
    tree::{ProofOfWork, Status},
};

/// A block after which the chain goes on in more than one way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fork {
    /// The last block that all branches share.
    pub fork: BlockHash,
    /// Its height.
    pub fork_height: u32,
    /// Whether two or more branches have the most work, so that the next block decides.
    pub is_race: bool,
    /// The first block of the branch with the most work that a node follows; `None` in a race, and where work cannot be
    /// compared.
    pub winner: Option<BlockHash>,
    /// When the first node saw the block that decided, on the server's clock, in microseconds since the Unix epoch. `None`
    /// in a race, and where no block did.
    pub decided_at_us: Option<ServerTime>,
    /// The branches, in the order in which their first blocks were seen.
    pub branches: Vec<ForkBranch>,
}

/// One way in which the chain goes on after a fork.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForkBranch {
    /// Its blocks, lowest first, at most six. Of the branch that won one more than the longest other has.
    pub blocks: Vec<BlockHash>,
    /// The pool that mined each of them; `None` while its coinbase was not read, and where that shows none.
    #[serde(default)]
    pub miners: Vec<Option<String>>,
    /// Number of its blocks, counted as far as `blocks` goes for the branch that won, and up to twelve for others.
    pub length: u32,
    /// When the first node saw its first block, on the server's clock, in microseconds since the Unix epoch. The miner's
    /// own time where no node told of the block when it came.
    pub seen_at_us: ServerTime,
    /// The nodes whose active chain it is on.
    pub active_at: Vec<NodeName>,
    /// Other nodes that found its first block valid.
    pub valid_at: Vec<NodeName>,
    /// Nodes that found its first block invalid.
    pub invalid_at: Vec<NodeName>,
    /// Nodes that have the header of its first block and have not said more.
    pub header_only_at: Vec<NodeName>,
}

/// What branches that competed confirmed differently. Transactions are counted once for each block beside the main chain
/// that has them: while a race is open, the main chain is the branch that was seen first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DoubleSpend {
    /// The last block that all branches share.
    pub fork: BlockHash,
    /// Its height.
    pub fork_height: u32,
    /// The first block of the branch with the most work; `None` while the race is open.
    pub winner: Option<BlockHash>,
    /// The blocks that are compared, lowest first, of each branch at most six: the main chain's first, one more than the
    /// longest other has.
    pub branches: Vec<Vec<BlockHash>>,
    /// Those of these blocks that no agent has given yet. While there are any, there may be more than is told here.
    pub missing: Vec<BlockHash>,
    /// Transactions of which another branch spends a coin in one that pays otherwise.
    pub double_spends: u32,
    /// What those whom these pay lose together by it, in satoshi, of each by the worst of its replacements. The sender's
    /// own change is counted too, since nobody can tell it apart.
    pub double_spent_sat: u64,
    /// Transactions of which another branch spends coins only in such as pay the same, but for the fee.
    pub fee_bumps: u32,
    /// Transactions that no other branch has, and whose coins none spends. `None` while the race is open or blocks are
    /// missing.
    pub only_here: Option<u32>,
    /// The transactions: double spends first, then fee bumps, at most 200, each with at most 16 of its replacements.
    pub entries: Vec<Unshared>,
    /// Transactions that are counted above and left out of `entries`.
    pub omitted: u32,
}

/// A block that is not on the chain that nodes follow, although its proof of work is good.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StaleBlock {
    /// The block.
    pub block: BlockHash,
    /// Its height.
    pub height: u32,
    /// Its header in hexadecimal digits.
    pub header: String,
    /// The pool that mined it; `None` while its coinbase was not read, and if that shows none.
    #[serde(default)]
    pub miner: Option<String>,
    /// The block at that height on the chain that nodes follow.
    pub replaced_by: BlockHash,
    /// The last block that both chains share.
    pub fork: BlockHash,
    /// Its height.
    pub fork_height: u32,
    /// Whether it is stale now: a branch that was left can become the active one again.
    pub is_stale: bool,
    /// What it is to each node that knows it.
    pub nodes: Vec<NodeStatus>,
}

impl StaleBlock {
    /// The block below it, `None` if its header is too short.
    pub fn parent(&self) -> Option<BlockHash> {
        // The header has it in the opposite order of bytes.
        let digits = self.header.as_bytes().get(8..72)?;
        let reversed: Vec<u8> = digits.rchunks(2).flatten().copied().collect();
        BlockHash::from_hex(&reversed)
    }

    /// Whether a node found it invalid and none valid: it was not left behind but refused.
    pub fn is_invalid(&self) -> bool {
        let has = |statuses: &[Status]| self.nodes.iter().any(|node| statuses.contains(&node.status));
        has(&[Status::Invalid]) && !has(&[Status::Active, Status::Valid])
    }
}

/// What a block is to a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeStatus {
    /// The node.
    pub node: NodeName,
    /// What the block is to it.
    pub status: Status,
}

/// Nodes disagree on whether a block is valid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ValidityDisagreement {
    /// The block.
    pub block: BlockHash,
    /// Its height.
    pub height: u32,
    /// The nodes that found it invalid.
    pub invalid_at: Vec<Verdict>,
    /// The nodes that found it valid.
    pub valid_at: Vec<NodeName>,
    /// Whether a node that another contradicts follows the block now.
    pub is_open: bool,
}

/// A node's verdict on an invalid block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// The node.
    pub node: NodeName,
    /// Its words, `None` where it told none: `getchaintips` tells none.
    pub reason: Option<String>,
}

/// Nodes follow different chains, and go on to do so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Partition {
    /// The last block that all sides share.
    pub fork: BlockHash,
    /// Its height.
    pub fork_height: u32,
    /// The sides, in the order in which their first blocks were seen.
    pub sides: Vec<PartitionSide>,
    /// The first block of the side that has more work than every other. `None` if none has, or if their work cannot be
    /// compared since it is shown in different ways.
    pub most_work: Option<BlockHash>,
    /// When it was first seen that all nodes follow one side again, on the server's clock, in microseconds since the Unix
    /// epoch. `None` while they do not.
    pub healed_at_us: Option<ServerTime>,
}

/// One side of a partition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartitionSide {
    /// Its first block above the fork.
    pub first: BlockHash,
    /// Its last block that a node follows.
    pub tip: BlockHash,
    /// Blocks above the fork.
    pub length: u32,
    /// How all of its blocks show their work, `None` if not all do it in the same way.
    pub proof_of_work: Option<ProofOfWork>,
    /// The nodes on it.
    pub nodes: Vec<NodeName>,
}

/// A node is behind the others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lag {
    /// The end of its active chain.
    pub tip: BlockHash,
    /// Its height.
    pub height: u32,
    /// The end of the chain with the most work that other nodes follow.
    pub best: BlockHash,
    /// Its height.
    pub best_height: u32,
    /// Blocks of that chain that the node has not connected.
    pub blocks_behind: u32,
    /// When it was seen to have caught up, on the server's clock, in microseconds since the Unix epoch. `None` while it
    /// has not.
    pub caught_up_at_us: Option<ServerTime>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stale(header: String, nodes: Vec<NodeStatus>) -> StaleBlock {
        let hash = BlockHash::from_bytes([1; 32]);
        let (height, fork_height, is_stale) = (2, 1, true);
        StaleBlock {
            block: hash,
            height,
            header,
            replaced_by: hash,
            fork: hash,
            fork_height,
            is_stale,
            miner: None,
            nodes,
        }
    }

    #[test]
    fn the_parent_is_read_off_the_header() {
        // The header of block 1 of the main network.
        let header = "010000006fe28c0ab6f1b372c1a6a246ae63f74f931e8365e15a089c68d6190000000000982051fd1e4ba744bbbe680e\
                      1fee14677ba1a3c3540bf7b1cdb606e857233e0e61bc6649ffff001d01e36299";
        let genesis = "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f".parse().ok();
        assert_eq!(stale(header.to_owned(), Vec::new()).parent(), genesis);
        assert_eq!(stale("0100".to_owned(), Vec::new()).parent(), None);
    }

    #[test]
    fn a_block_is_invalid_if_a_node_refused_it_and_none_accepted_it() {
        let is_invalid = |statuses: &[Status]| {
            let node = |status| NodeStatus { node: "alice".parse().expect("a name"), status };
            stale(String::new(), statuses.iter().copied().map(node).collect()).is_invalid()
        };
        assert!(is_invalid(&[Status::Invalid, Status::HeaderOnly]));
        assert!(!is_invalid(&[Status::Invalid, Status::Valid]));
        assert!(!is_invalid(&[Status::Active, Status::Invalid]));
        assert!(!is_invalid(&[Status::HeaderOnly]));
        assert!(!is_invalid(&[]));
    }
}

/// A soft fork came into another state at a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeploymentChange {
    /// Its name, for example `taproot`.
    pub deployment: String,
    /// The state before: a word of BIP 9, or `active` or `inactive` where it is buried. `None` if the node did not know it.
    pub before: Option<String>,
    /// The state now.
    pub now: String,
    /// The bit of the block version that signals it, `None` but while it is `started` or `locked_in`.
    pub bit: Option<u32>,
    /// Height of the first block to which the state applies, `None` where the node does not tell.
    pub since_height: Option<u32>,
}

/// Many blocks have a bit of their version set that no node knows as a soft fork.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionBit {
    /// The bit, 0 to 12.
    pub bit: u32,
    /// Blocks that have it set, of those looked at.
    pub blocks: u32,
    /// Blocks looked at.
    pub window: u32,
    /// Height of the last of them.
    pub height: u32,
    /// Whether it is so now.
    pub is_open: bool,
}
