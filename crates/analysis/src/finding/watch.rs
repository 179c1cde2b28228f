use bmon_event::{BlockHash, NodeName, OutPoint, Txid};
use serde::{Deserialize, Serialize};

use crate::watch::WatchItem;

/// A step of something that is watched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WatchStep {
    /// What is watched.
    pub item: WatchItem,
    /// The step.
    #[serde(flatten)]
    pub step: Step,
}

/// What became of something that is watched: of a transaction, or of one that spends a coin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "kebab-case")]
pub enum Step {
    /// Nodes accepted it into their mempools.
    Seen(SeenTx),
    /// Mempools had another transaction for a coin of its; of a coin, they had this one of several.
    Conflict(Conflict),
    /// Another transaction took its place in mempools.
    Replaced(Replaced),
    /// A block has it.
    Mined(Mined),
    /// A block that has it left the best chain.
    ReorgedOut(ReorgedOut),
    /// Another transaction that spends the same coin is in the best chain.
    DoubleSpent(DoubleSpent),
}

/// Who accepted a transaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenTx {
    /// The transaction.
    pub txid: Txid,
    /// Nodes of the network.
    pub nodes: u32,
    /// The nodes that accepted it, by name.
    pub accepted_at: Vec<NodeName>,
    /// The nodes that did not, as far as they told.
    pub missing_at: Vec<NodeName>,
    /// The nodes that refused it at a time; they may have accepted it at another.
    pub refused_at: Vec<NodeName>,
    /// The nodes whose mempool it left for another reason than inclusion in a block; it may have come back.
    pub left_at: Vec<LeftAt>,
    /// The coins that it spends, at most 200; `None` while its bytes were not had.
    pub inputs: Option<Vec<OutPoint>>,
    /// Coins that it spends and that are not looked at, since there are too many.
    pub omitted_inputs: u32,
    /// The nodes that cannot tell who spends a coin in their mempool.
    pub blind: Vec<BlindNode>,
}

/// That a transaction left a node's mempool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftAt {
    /// The node.
    pub node: NodeName,
    /// Why, in the node's word; `None` where it did not tell.
    pub reason: Option<String>,
}

/// A node that cannot tell who spends a coin in its mempool.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct BlindNode {
    /// The node.
    pub node: NodeName,
    /// Why, for a person to read.
    pub reason: String,
}

/// A transaction in mempools that another cannot be in a chain with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conflict {
    /// The transaction.
    pub txid: Txid,
    /// Those that spend the same coins: the one that is watched, or of a coin all that are known.
    pub with: Vec<Txid>,
    /// The coins.
    pub outpoints: Vec<OutPoint>,
    /// The nodes in whose mempools it was.
    pub nodes: Vec<NodeName>,
    /// Whether it was in one of them when that was last told to have any for the coin; of a coin, with another in another
    /// mempool.
    pub is_open: bool,
    /// The nodes that cannot tell who spends a coin in their mempool.
    pub blind: Vec<BlindNode>,
}

/// A transaction whose place another took.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replaced {
    /// The transaction that left.
    pub txid: Txid,
    /// What took its place, and where.
    pub by: Vec<ReplacedBy>,
}

/// What took a transaction's place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ReplacedBy {
    /// The transaction; `None` where the nodes did not tell.
    pub txid: Option<Txid>,
    /// The nodes in whose mempools it did.
    pub nodes: Vec<NodeName>,
}

/// A block that has a transaction, and that is or was in the best chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mined {
    /// The transaction.
    pub txid: Txid,
    /// The block.
    pub block: BlockHash,
    /// Its height.
    pub height: u32,
    /// Whether it is in the best chain now.
    pub is_in_best_chain: bool,
}

/// A block that has a transaction, that a node connected, and that a chain with more work went past.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReorgedOut {
    /// The transaction.
    pub txid: Txid,
    /// The block.
    pub block: BlockHash,
    /// Its height.
    pub height: u32,
    /// Whether it is so now: false once the block is back in the best chain.
    pub is_out: bool,
    /// A block of the best chain that has the transaction too; `None` if none that was looked through has it.
    pub again_in: Option<BlockHash>,
}

/// A transaction of the best chain that spends the coin of another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DoubleSpent {
    /// The transaction of the best chain.
    pub txid: Txid,
    /// Those that cannot be in the best chain any more: the one that is watched, or of a coin all that were known.
    pub instead_of: Vec<Txid>,
    /// The coin; of several one.
    pub outpoint: OutPoint,
    /// The block that has it.
    pub block: BlockHash,
    /// Its height.
    pub height: u32,
    /// Whether the block is in the best chain now.
    pub is_in_best_chain: bool,
}

impl Step {
    /// The word for it in output, and in the ids of findings.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Seen(_) => "seen",
            Self::Conflict(_) => "conflict",
            Self::Replaced(_) => "replaced",
            Self::Mined(_) => "mined",
            Self::ReorgedOut(_) => "reorged-out",
            Self::DoubleSpent(_) => "double-spent",
        }
    }

    /// What it is about besides what is watched: the step is said once for each. A transaction, or the block.
    pub const fn about(&self) -> [u8; 32] {
        match self {
            Self::Seen(SeenTx { txid, .. })
            | Self::Conflict(Conflict { txid, .. })
            | Self::Replaced(Replaced { txid, .. })
            | Self::DoubleSpent(DoubleSpent { txid, .. }) => *txid.as_bytes(),
            Self::Mined(Mined { block, .. }) | Self::ReorgedOut(ReorgedOut { block, .. }) => {
                *block.as_bytes()
            }
        }
    }

    /// Whether somebody who relies on the transaction must know at once.
    pub const fn is_alarming(&self) -> bool {
        match self {
            Self::Conflict(conflict) => conflict.is_open,
            Self::ReorgedOut(out) => out.is_out && out.again_in.is_none(),
            Self::DoubleSpent(spent) => spent.is_in_best_chain,
            Self::Seen(_) | Self::Replaced(_) | Self::Mined(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Body;

    #[test]
    fn a_step_is_one_flat_object_that_comes_back_as_it_was() {
        let (txid, block) = (Txid::from_bytes([7; 32]), BlockHash::from_bytes([8; 32]));
        let mined = Mined { txid, block, height: 5, is_in_best_chain: true };
        let body = Body::Watch(Box::new(WatchStep { item: WatchItem::Tx(txid), step: Step::Mined(mined) }));
        let json = serde_json::to_string(&body).unwrap();
        let expected = format!(
            r#"{{"kind":"watch","item":"tx {txid}","step":"mined","txid":"{txid}","block":"{block}","height":5,"is_in_best_chain":true}}"#
        );
        assert_eq!(json, expected);
        assert_eq!(serde_json::from_str::<Body>(&json).unwrap(), body);
    }
}
