//! What is watched on a network, and what is known of it: who told what of the transactions, which transactions mempools
//! have for the coins, and which blocks have them.
//!
//! All of it only grows, so that the order in which it was told does not matter, and what was found of it before a restart
//! puts it back. What follows from it is said by the analysis of the same name.

mod absorb;
mod contents;
mod need;

use std::collections::{BTreeMap, BTreeSet, VecDeque, btree_map::Entry};

use bmon_event::{
    AgentTime, BlockHash, NodeName, OutPoint, ServerTime, Source, Txid,
    event::{MempoolSpends, RawTx},
};

pub(crate) use self::contents::Contents;
use self::need::Asking;
use super::Recent;
use crate::{
    body::Transaction,
    finding::BlindNode,
    row::{Sighted, TxNode, TxSeen},
    watch::WatchItem,
};

/// Most coins of one transaction that are looked at. Hardly a payment spends more, and one that does cannot be replaced in
/// part.
const MOST_INPUTS: usize = 200;
/// Most transactions that are known to spend one coin: more than anybody replaces one by one.
const MOST_SPENDERS: usize = 64;
/// Most spends that are kept until their coin is known.
const MOST_EARLY: usize = 256;
/// Most blocks of which it is kept what they have, so that what is watched later is found in them, and most that are known
/// to have been looked through.
const MOST_CONTENTS: usize = 24;
const MOST_LOOKED_THROUGH: usize = 1_024;
/// How long before anybody was last heard of blocks are looked through when the list is begun or taken in again: a block's
/// time may be an hour early (`GetMedianTimePast` in `src/chain.h@v30`).
const BACK_US: i64 = 60 * 60 * 1_000_000;

/// What is watched on one network.
#[derive(Debug)]
pub(crate) struct Watch {
    items: BTreeSet<WatchItem>,
    /// The transactions that are watched, and those that spend a coin that is.
    txs: BTreeMap<Txid, WatchedTx>,
    /// The coins that are watched, and those that a transaction that is watched spends.
    coins: BTreeMap<OutPoint, WatchedCoin>,
    /// Why nodes cannot tell who spends a coin in their mempool.
    blind: BTreeMap<NodeName, String>,
    /// Spends of coins that nothing here told of yet, since a transaction's bytes may come later than an answer about it.
    early: VecDeque<(OutPoint, Txid, NodeName, TxSeen)>,
    contents: Recent<Contents>,
    looked_through: Recent<()>,
    /// Blocks that nodes connected, as was found before a restart.
    connected: Recent<()>,
    /// Blocks from this time on are looked through.
    back_to: ServerTime,
    /// Transactions that are of interest only since a moment.
    new_txs: Vec<Txid>,
    asking: Asking,
    /// How often something became known.
    revision: u64,
    /// Spends that were dropped because too many waited, or too many transactions spend one coin.
    dropped: u64,
}

/// What is known of a transaction.
#[derive(Clone, Debug, Default)]
pub(crate) struct WatchedTx {
    nodes: BTreeMap<NodeName, TxNode>,
    /// The coins that it spends, as far as they are looked at; `None` while its bytes were not had.
    pub(crate) inputs: Option<Vec<OutPoint>>,
    /// Coins that it spends and that are not looked at.
    pub(crate) omitted_inputs: u32,
    /// The blocks that have it.
    pub(crate) blocks: BTreeSet<BlockHash>,
}

/// What is known of a coin.
#[derive(Clone, Debug, Default)]
pub(crate) struct WatchedCoin {
    /// The transactions that spend it in mempools, and when each node first told.
    pub(crate) mempools: BTreeMap<Txid, BTreeMap<NodeName, TxSeen>>,
    /// The transaction that each node last told of as spending it in its mempool, and when on its own clock.
    latest: BTreeMap<NodeName, (AgentTime, Txid)>,
    /// The transactions that spend it in blocks.
    pub(crate) blocks: BTreeMap<BlockHash, Txid>,
}

impl WatchedTx {
    /// What each node told of it.
    pub(crate) fn nodes(&self) -> impl Iterator<Item = &TxNode> {
        self.nodes.values()
    }

    /// Whether the node accepted it.
    pub(crate) fn is_accepted_at(&self, node: &NodeName) -> bool {
        self.nodes.get(node).is_some_and(|told| told.accepted.is_some())
    }

    /// Takes in what a node told. Whether it is news.
    fn merge(&mut self, told: TxNode) -> bool {
        let known = self.nodes.entry(told.node.clone()).or_insert_with(|| TxNode::new(told.node.clone()));
        let before = known.clone();
        known.merge(told);
        *known != before
    }

    /// Takes in the coins that it spends.
    fn set_inputs(&mut self, mut inputs: Vec<OutPoint>) {
        inputs.sort_unstable();
        let omitted = inputs.len().saturating_sub(MOST_INPUTS);
        inputs.truncate(MOST_INPUTS);
        self.omitted_inputs = u32::try_from(omitted).unwrap_or(u32::MAX);
        self.inputs = Some(inputs);
    }
}

impl WatchedCoin {
    /// The transactions that mempools had for it when they last told of any.
    pub(crate) fn latest(&self) -> impl Iterator<Item = Txid> {
        self.latest.values().map(|(_, txid)| *txid)
    }

    /// The node's mempool had this for it then. Whether it is another than what it had last.
    fn note_latest(&mut self, node: &NodeName, at: AgentTime, by: Txid) -> bool {
        let known = self.latest.get(node).copied();
        if known.is_some_and(|known| known >= (at, by)) {
            return false;
        }
        self.latest.insert(node.clone(), (at, by));
        known.is_none_or(|(_, before)| before != by)
    }

    /// The transactions that are known to spend it.
    pub(crate) fn spenders(&self) -> BTreeSet<Txid> {
        self.mempools.keys().chain(self.blocks.values()).copied().collect()
    }
}

impl Default for Watch {
    fn default() -> Self {
        Self {
            items: BTreeSet::new(),
            txs: BTreeMap::new(),
            coins: BTreeMap::new(),
            blind: BTreeMap::new(),
            early: VecDeque::new(),
            contents: Recent::new(MOST_CONTENTS),
            looked_through: Recent::new(MOST_LOOKED_THROUGH),
            connected: Recent::new(MOST_LOOKED_THROUGH),
            back_to: ServerTime::default(),
            new_txs: Vec::new(),
            asking: Asking::default(),
            revision: 0,
            dropped: 0,
        }
    }
}

impl Watch {
    /// What is watched.
    pub(crate) const fn items(&self) -> &BTreeSet<WatchItem> {
        &self.items
    }

    /// What is known of a transaction that is watched, or that spends a coin that is.
    pub(crate) fn tx(&self, txid: &Txid) -> Option<&WatchedTx> {
        self.txs.get(txid)
    }

    /// What is known of a coin.
    pub(crate) fn coin(&self, outpoint: &OutPoint) -> Option<&WatchedCoin> {
        self.coins.get(outpoint)
    }

    /// The nodes that cannot tell who spends a coin in their mempool, by name.
    pub(crate) fn blind(&self) -> Vec<BlindNode> {
        let blind = self.blind.iter();
        blind.map(|(node, reason)| BlindNode { node: node.clone(), reason: reason.clone() }).collect()
    }

    /// Whether it was found before a restart that a node added the block to its active chain.
    pub(crate) fn was_connected(&self, block: BlockHash) -> bool {
        self.connected.contains(block)
    }

    /// Spends of coins that were dropped.
    pub(super) const fn dropped(&self) -> u64 {
        self.dropped
    }

    /// A number that rises whenever something becomes known.
    pub(crate) const fn revision(&self) -> u64 {
        self.revision
    }

    /// Watches these and nothing else. Nodes were last heard of at `heard_at`. Whether anything changed.
    pub(super) fn set_items(&mut self, items: BTreeSet<WatchItem>, heard_at: ServerTime) -> bool {
        if items == self.items {
            return false;
        }
        if self.items.is_empty() {
            self.back_to = heard_at.plus_micros(-BACK_US);
            // Blocks that were read while nothing was watched are known by their transactions only.
            self.forget_looked_through();
            for block in self.contents.blocks() {
                self.looked_through.insert(block, ());
            }
        }
        self.items = items;
        self.forget_unwatched();
        for item in self.items.clone() {
            match item {
                WatchItem::Tx(txid) => {
                    self.track(txid);
                    self.watch_inputs(txid);
                }
                WatchItem::Outpoint(outpoint) => drop(self.coins.entry(outpoint).or_default()),
            }
        }
        self.look_through_kept();
        self.revision += 1;
        true
    }

    /// Transactions that became of interest since the last call: what was told of them before is not known here.
    pub(crate) fn take_new_txs(&mut self) -> Vec<Txid> {
        std::mem::take(&mut self.new_txs)
    }

    /// Takes in what a node told of a transaction. What nobody watches is passed over.
    pub(crate) fn note(&mut self, txid: &Txid, told: TxNode) {
        if let Some(tx) = self.txs.get_mut(txid) {
            self.revision += u64::from(tx.merge(told));
        }
    }

    /// Whether a transaction is of interest.
    pub(crate) fn is_of_interest(&self, txid: &Txid) -> bool {
        self.txs.contains_key(txid)
    }

    /// Takes in the bytes of a transaction. Whether they are those of it and of use.
    pub(super) fn raw_tx(&mut self, answer: &RawTx) {
        let Ok(transaction) = Transaction::decode(&answer.raw) else { return };
        let is_needed = self.txs.get(&answer.txid).is_some_and(|tx| tx.inputs.is_none());
        if is_needed && transaction.txid() == answer.txid {
            self.set_inputs(answer.txid, transaction.inputs().map(|input| input.outpoint).collect());
            self.look_through_kept();
        }
    }

    /// Takes in which coins the node's mempool spends, as it told then.
    pub(super) fn mempool_spends(&mut self, node: &NodeName, sighted: Sighted, answer: &MempoolSpends) {
        self.asking.note_answer(node, answer.problem.is_some());
        let before = match &answer.problem {
            Some(problem) => self.blind.insert(node.clone(), problem.clone()),
            None => self.blind.remove(node),
        };
        self.revision += u64::from(before.as_ref() != answer.problem.as_ref());
        let seen = TxSeen { source: Source::Rpc, sighted };
        for spend in &answer.spends {
            self.note_spend(spend.outpoint, spend.by, node, seen, true);
        }
    }

    /// Looks a block through for what is watched, and keeps what it has for a while.
    pub(super) fn look_through(&mut self, contents: Contents) {
        let block = contents.block();
        self.looked_through.insert(block, ());
        self.contents.insert(block, contents);
        self.look_through_kept();
    }

    /// The block was read while nothing was watched.
    pub(super) fn note_looked_through(&mut self, block: BlockHash) {
        self.looked_through.insert(block, ());
    }

    /// Blocks are looked through again.
    pub(super) fn forget_looked_through(&mut self) {
        self.looked_through = Recent::new(MOST_LOOKED_THROUGH);
    }

    /// Whether the block was looked through.
    pub(super) fn is_looked_through(&self, block: BlockHash) -> bool {
        self.looked_through.contains(block)
    }

    fn track(&mut self, txid: Txid) {
        if let Entry::Vacant(place) = self.txs.entry(txid) {
            place.insert(WatchedTx::default());
            self.new_txs.push(txid);
        }
    }

    fn set_inputs(&mut self, txid: Txid, inputs: Vec<OutPoint>) {
        let Some(tx) = self.txs.get_mut(&txid) else { return };
        tx.set_inputs(inputs);
        self.revision += 1;
        if self.items.contains(&WatchItem::Tx(txid)) {
            self.watch_inputs(txid);
        }
        for (outpoint, by, node, seen) in std::mem::take(&mut self.early) {
            self.note_spend(outpoint, by, &node, seen, true);
        }
    }

    /// Looks at the coins that a transaction spends, as far as they are known.
    fn watch_inputs(&mut self, txid: Txid) {
        let inputs = self.txs.get(&txid).and_then(|tx| tx.inputs.as_ref());
        for outpoint in inputs.into_iter().flatten() {
            self.coins.entry(*outpoint).or_default();
        }
    }

    /// Takes in that the node's mempool had a transaction for a coin, which it last told, or once.
    fn note_spend(&mut self, outpoint: OutPoint, by: Txid, node: &NodeName, seen: TxSeen, is_latest: bool) {
        let Some(coin) = self.coins.get_mut(&outpoint) else {
            self.early.push_back((outpoint, by, node.clone(), seen));
            let too_many = self.early.len().saturating_sub(MOST_EARLY);
            self.early.drain(..too_many);
            self.dropped += too_many as u64;
            return;
        };
        if coin.mempools.len() >= MOST_SPENDERS && !coin.mempools.contains_key(&by) {
            self.dropped += 1;
            return;
        }
        let nodes = coin.mempools.entry(by).or_default();
        let known = nodes.insert(node.clone(), seen);
        if let Some(known) = known.filter(|known| !seen.counts_before(known)) {
            nodes.insert(node.clone(), known);
        }
        self.revision += u64::from(known.is_none());
        if is_latest {
            self.revision += u64::from(coin.note_latest(node, seen.sighted.at, by));
        }
        if self.items.contains(&WatchItem::Outpoint(outpoint)) {
            self.track(by);
        }
        self.note(&by, TxNode { accepted: Some(seen), ..TxNode::new(node.clone()) });
    }

    /// Looks through the last blocks again, for what is watched, or known, only now: what is found can be the coins of a
    /// transaction, which are then looked for too.
    fn look_through_kept(&mut self) {
        loop {
            let before = self.revision;
            for block in self.contents.blocks().collect::<Vec<_>>() {
                self.look_through_one(block);
            }
            if self.revision == before {
                return;
            }
        }
    }

    fn look_through_one(&mut self, block: BlockHash) {
        let Some(contents) = self.contents.get(block) else { return };
        let coins = self.coins.keys();
        let spent: Vec<_> =
            coins.filter_map(|outpoint| Some((*outpoint, contents.spender(outpoint)?))).collect();
        let txs = self.txs.keys();
        let mined: Vec<_> = txs.filter_map(|txid| Some((*txid, contents.inputs(txid)?))).collect();
        for (outpoint, by) in spent {
            self.note_spent(outpoint, by, block);
        }
        for (txid, inputs) in mined {
            self.note_mined(txid, block, inputs);
        }
    }

    fn note_spent(&mut self, outpoint: OutPoint, by: Txid, block: BlockHash) {
        let Some(coin) = self.coins.get_mut(&outpoint) else { return };
        self.revision += u64::from(coin.blocks.insert(block, by).is_none());
        if self.items.contains(&WatchItem::Outpoint(outpoint)) {
            self.track(by);
            self.note_mined(by, block, Vec::new());
        }
    }

    fn note_mined(&mut self, txid: Txid, block: BlockHash, inputs: Vec<OutPoint>) {
        let Some(tx) = self.txs.get_mut(&txid) else { return };
        self.revision += u64::from(tx.blocks.insert(block));
        if tx.inputs.is_none() && !inputs.is_empty() {
            self.set_inputs(txid, inputs);
        }
    }

    fn forget_unwatched(&mut self) {
        let items = &self.items;
        let mut txs: BTreeSet<Txid> = items.iter().filter_map(WatchItem::txid).collect();
        let mut coins: BTreeSet<OutPoint> = items.iter().filter_map(WatchItem::outpoint).collect();
        txs.extend(
            coins.iter().filter_map(|outpoint| self.coins.get(outpoint)).flat_map(WatchedCoin::spenders),
        );
        let watched = self.txs.iter().filter(|(txid, _)| items.contains(&WatchItem::Tx(**txid)));
        coins.extend(watched.flat_map(|(_, tx)| tx.inputs.iter().flatten().copied()));
        self.txs.retain(|txid, _| txs.contains(txid));
        self.coins.retain(|outpoint, _| coins.contains(outpoint));
    }
}
