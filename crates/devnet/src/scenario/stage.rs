//! The steps of a scenario. Each waits until all nodes have done what it stands for, and writes down what they did.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::ControlFlow,
};

use bitcoin::{Transaction, consensus::encode::serialize_hex, hashes::Hash as _};
use bmon_event::{BlockHash, NodeName, Txid, Wtxid};
use serde::Deserialize;
use serde_json::json;

use super::{Progress, Scenario, ScenarioError, Step};
use crate::{
    Fault, Network, Node, NodeError, Peer, Purse, Truth,
    block::display_order,
    clock::{Pace, wait_for},
    coin::{Coin, Lock},
    fault::FEE,
    fork,
    network::LIMIT,
    truth::{Rejection, Replacement, StagedBlock, StagedTransaction},
};

/// Blocks that the side that loses makes: the depth of the reorg.
const REORG_DEPTH: u32 = 2;

/// A network on which a scenario happens.
pub(super) struct Stage<'a> {
    network: &'a Network,
    progress: &'a mut dyn FnMut(Progress) -> ControlFlow<()>,
    done: u32,
    total: u32,
    purse: Purse,
    /// One peer for each node, in the order of the nodes.
    peers: Vec<Peer>,
    pace: Pace,
    /// Transactions that no block has yet, with the positions of the nodes that hold them.
    pending: BTreeMap<Txid, Vec<usize>>,
    sent: usize,
    truth: Truth,
}

impl<'a> Stage<'a> {
    /// Makes coins and connects the peers.
    pub(super) fn set(
        network: &'a Network,
        scenario: &Scenario,
        progress: &'a mut dyn FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<Self, ScenarioError> {
        let nodes = network.nodes();
        fork::at_least(network.nodes().len(), 2, "a reorg")?;
        let (total, coins) = scenario.extent();
        let purse = Purse::fill(network, coins)?;
        // After the funding, so that no node asks a peer without blocks for the first of them.
        let peers = nodes.iter().map(|node| Peer::connect(node.p2p_address())).collect::<Result<_, _>>()?;
        let mut stage = Self {
            network,
            progress,
            done: 0,
            total,
            purse,
            peers,
            pace: Pace::new(scenario.interval),
            pending: BTreeMap::new(),
            sent: 0,
            truth: Truth::default(),
        };
        stage.tell(Step::Funding)?;
        Ok(stage)
    }

    /// What was staged.
    pub(super) fn into_truth(self) -> Truth {
        self.truth
    }

    /// Sends a transaction through the next node.
    pub(super) fn transaction(&mut self) -> Result<(), ScenarioError> {
        self.pace.wait();
        let coin = self.coin();
        self.send(&coin.pay(FEE))?;
        self.tell(Step::Transaction)
    }

    /// Sends a transaction and, when every node has it, one that takes its place.
    pub(super) fn replacement(&mut self) -> Result<(), ScenarioError> {
        let everyone = self.network.everyone();
        let coin = self.coin();
        let old = self.send(&coin.pay(FEE))?;
        self.network.wait_for_transaction(&everyone, old)?;
        let new = self.send(&coin.pay(FEE + FEE))?;
        self.network.wait_for_transaction(&everyone, new)?;
        self.pending.remove(&old);
        self.truth.replacements.push(Replacement { old, new });
        self.tell(Step::Replacement)
    }

    /// Brings every node a transaction that some of them refuse.
    pub(super) fn rejection(&mut self, fault: Fault) -> Result<(), ScenarioError> {
        let coin = self.coin();
        let tx = fault.transaction(&coin);
        let (txid, wtxid) = ids(&tx);
        // Those that refuse come first: from those that accept they would hear of it too.
        let refuses = |node: &Node| node.config().policy.refuses(fault);
        let (refusing, accepting): (Vec<_>, Vec<_>) =
            self.network.everyone().into_iter().partition(|&index| refuses(&self.network.nodes()[index]));
        for &index in refusing.iter().chain(&accepting) {
            let node = &self.network.nodes()[index];
            self.peers[index].deliver_transaction(&tx)?;
            let accepted = node.has_in_mempool(txid)?;
            if accepted == refuses(node) {
                return Err(ScenarioError::Policy { node: node.name().clone(), txid, fault, accepted });
            }
        }
        for index in refusing {
            let codes = fault.codes().iter().map(|&code| code.to_owned()).collect();
            self.truth.rejections.push(Rejection { node: self.name(index), txid, wtxid, fault, codes });
        }
        if !accepting.is_empty() {
            self.accepted(&tx, accepting);
        }
        self.tell(Step::Rejection(fault))
    }

    /// Has a node, another one in each round, mine a block.
    pub(super) fn block(&mut self, round: u32) -> Result<(), ScenarioError> {
        self.wait_for_mempools()?;
        let node = round as usize % self.network.nodes().len();
        let everyone = self.network.everyone();
        let height = self.network.nodes()[node].height()?;
        let blocks = self.network.nodes()[node].mine(1, Lock::new(node))?;
        for &tip in &blocks {
            self.network.wait_for_tip(&everyone, tip)?;
        }
        self.staged(height, &blocks, &everyone);
        self.confirm(node, &blocks)?;
        self.tell(Step::Block(height + 1))
    }

    /// Parts the first node from the others, has it make a branch and the others a longer one, and joins them.
    pub(super) fn reorg(&mut self) -> Result<(), ScenarioError> {
        self.wait_for_mempools()?;
        let reorg = fork::part(self.network, 0, REORG_DEPTH)?;
        self.tell(Step::Parting)?;

        fork::join(self.network, &reorg)?;
        self.staged(reorg.fork_height, &reorg.old, &[0]);
        self.staged(reorg.fork_height, &reorg.new, &self.network.everyone());
        self.confirm(1, &reorg.new)?;
        self.truth.reorgs.push(reorg);
        self.tell(Step::Joining)
    }

    /// Brings every node a block whose coinbase pays more than it may.
    pub(super) fn invalid_block(&mut self) -> Result<(), ScenarioError> {
        self.truth.invalid_blocks.push(fork::invalid(self.network)?);
        self.tell(Step::InvalidBlock)
    }

    /// Sends a transaction that every node accepts through the next node.
    fn send(&mut self, tx: &Transaction) -> Result<Txid, ScenarioError> {
        let nodes = self.network.nodes();
        let node = &nodes[self.sent % nodes.len()];
        self.sent += 1;
        let txid = node.rpc().call("sendrawtransaction", json!([serialize_hex(tx)]))?;
        self.accepted(tx, self.network.everyone());
        Ok(txid)
    }

    /// Writes down that the nodes at `positions` have, or will have, a transaction in their mempools.
    fn accepted(&mut self, tx: &Transaction, positions: Vec<usize>) {
        let (txid, wtxid) = ids(tx);
        let nodes = self.network.names_at(&positions);
        self.truth.transactions.push(StagedTransaction { txid, wtxid, nodes });
        self.pending.insert(txid, positions);
    }

    /// Waits until every node has in its mempool what it must have.
    fn wait_for_mempools(&self) -> Result<(), ScenarioError> {
        for (index, node) in self.network.nodes().iter().enumerate() {
            let what = format!("every transaction in the mempool of node `{}`", node.name());
            wait_for(&what, LIMIT, || {
                let mempool: BTreeSet<Txid> = node.rpc().call("getrawmempool", json!([]))?;
                let mut due = self.pending.iter().filter(|(_, nodes)| nodes.contains(&index));
                Ok::<_, ScenarioError>(due.all(|(txid, _)| mempool.contains(txid)).then_some(()))
            })?;
        }
        Ok(())
    }

    /// Writes down that the nodes at `positions` have `blocks`, which lie above `below`.
    fn staged(&mut self, below: u32, blocks: &[BlockHash], positions: &[usize]) {
        let nodes = self.network.names_at(positions);
        let staged = (below + 1..).zip(blocks);
        let staged = staged.map(|(height, &block)| StagedBlock { block, height, nodes: nodes.clone() });
        self.truth.blocks.extend(staged);
    }

    /// Strikes the transactions of `blocks` off the list of those that wait for one.
    fn confirm(&mut self, node: usize, blocks: &[BlockHash]) -> Result<(), NodeError> {
        #[derive(Deserialize)]
        struct Block {
            tx: Vec<Txid>,
        }
        for block in blocks {
            let Block { tx } = self.network.nodes()[node].rpc().call("getblock", json!([block, 1]))?;
            for txid in tx {
                self.pending.remove(&txid);
            }
        }
        Ok(())
    }

    fn tell(&mut self, step: Step) -> Result<(), ScenarioError> {
        self.done += 1;
        match (self.progress)(Progress { step, done: self.done, total: self.total }) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(ScenarioError::Ended),
        }
    }

    fn coin(&mut self) -> Coin {
        self.purse.take().expect("the purse was filled with a coin for every step")
    }

    fn name(&self, index: usize) -> NodeName {
        self.network.nodes()[index].name().clone()
    }
}

fn ids(tx: &Transaction) -> (Txid, Wtxid) {
    let txid = display_order(tx.compute_txid().to_byte_array());
    let wtxid = display_order(tx.compute_wtxid().to_byte_array());
    (Txid::from_bytes(txid), Wtxid::from_bytes(wtxid))
}
