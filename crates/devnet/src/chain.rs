//! What nodes say of their chains, and waits on it.

use bmon_event::{
    BlockHash, NodeName,
    event::{ChainTip, TipStatus},
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{Network, Node, NodeError, RpcError, clock::wait_for, coin::Lock, network::LIMIT};

/// `RPC_VERIFY_ERROR` and `RPC_DESERIALIZATION_ERROR` (`src/rpc/protocol.h@v30`): a header is refused, or cannot be read.
const REFUSED: [i64; 2] = [-25, -22];

impl Node {
    /// The tip of the active chain.
    pub fn best_block(&self) -> Result<BlockHash, NodeError> {
        Ok(self.rpc().call("getbestblockhash", json!([]))?)
    }

    /// Height of the tip.
    pub fn height(&self) -> Result<u32, NodeError> {
        Ok(self.rpc().call("getblockcount", json!([]))?)
    }

    /// Every branch that the node knows of (RPC `getchaintips`).
    pub fn chain_tips(&self) -> Result<Vec<ChainTip>, NodeError> {
        #[derive(Deserialize)]
        struct Tip {
            height: u32,
            hash: BlockHash,
            branchlen: u32,
            status: String,
        }
        let tips: Vec<Tip> = self.rpc().call("getchaintips", json!([]))?;
        let read = |tip: Tip| ChainTip {
            block: tip.hash,
            height: tip.height,
            branch_length: tip.branchlen,
            status: TipStatus::from_word(&tip.status),
        };
        Ok(tips.into_iter().map(read).collect())
    }

    /// A header in hexadecimal, as the node serializes it: 160 digits, with `BLAKE2b` 328.
    pub fn header(&self, block: BlockHash) -> Result<String, NodeError> {
        Ok(self.rpc().call("getblockheader", json!([block, false]))?)
    }

    /// Why the node refuses a header (RPC `submitheader`), `None` if it takes it or has it already. A header of a block
    /// that it found invalid is refused too.
    pub(crate) fn refusal(&self, header: &str) -> Result<Option<String>, NodeError> {
        match self.rpc().call::<Value>("submitheader", json!([header])) {
            Ok(_) => Ok(None),
            Err(RpcError::Refused { code, message, .. }) if REFUSED.contains(&code) => Ok(Some(message)),
            Err(error) => Err(error.into()),
        }
    }
}

impl Network {
    /// The positions of all nodes.
    pub(crate) fn everyone(&self) -> Vec<usize> {
        (0..self.nodes().len()).collect()
    }

    /// The names of the nodes at `positions`.
    pub(crate) fn names_at(&self, positions: &[usize]) -> Vec<NodeName> {
        positions.iter().map(|&index| self.nodes()[index].name().clone()).collect()
    }

    /// The positions of the nodes called `names`.
    pub(crate) fn positions(&self, names: &[NodeName]) -> Vec<usize> {
        let is_one = |&index: &usize| names.contains(self.nodes()[index].name());
        self.everyone().into_iter().filter(is_one).collect()
    }

    /// Waits until all nodes have the same tip and returns it with its height. A network without history gets a first
    /// block: nodes with a tip older than a day are in initial block download.
    pub(crate) fn settle(&self) -> Result<(BlockHash, u32), NodeError> {
        let first = &self.nodes()[0];
        if first.height()? == 0 {
            first.mine(1, Lock::new(0))?;
        }
        wait_for("one tip on all nodes", LIMIT, || {
            let (tip, height) = (first.best_block()?, first.height()?);
            for node in self.nodes() {
                if node.best_block()? != tip {
                    return Ok(None);
                }
            }
            Ok(Some((tip, height)))
        })
    }

    /// Waits until every node at `positions` names `block` as the tip of a branch with `status`.
    pub(crate) fn wait_for_branch(
        &self,
        positions: &[usize],
        block: BlockHash,
        status: &TipStatus,
    ) -> Result<(), NodeError> {
        for &index in positions {
            let node = &self.nodes()[index];
            let what = format!("a branch `{block}` that is `{}` on node `{}`", status.as_str(), node.name());
            wait_for(&what, LIMIT, || {
                let tips = node.chain_tips()?;
                let found = tips.iter().any(|tip| tip.block == block && tip.status == *status);
                Ok::<_, NodeError>(found.then_some(()))
            })?;
        }
        Ok(())
    }

    /// Mines at the first of the nodes at `positions`, and waits until all of them have the last block as their tip.
    pub(crate) fn mine_on(&self, positions: &[usize], count: u32) -> Result<Vec<BlockHash>, NodeError> {
        let Some(&miner) = positions.first() else { return Ok(Vec::new()) };
        let blocks = self.nodes()[miner].mine(count, Lock::new(miner))?;
        if let Some(&tip) = blocks.last() {
            self.wait_for_tip(positions, tip)?;
        }
        Ok(blocks)
    }
}
