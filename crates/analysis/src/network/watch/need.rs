//! What is asked of agents for what is watched: the bytes of transactions, whose coins are not known, and who spends the
//! coins in each mempool; and which blocks have to be looked through.

use std::collections::BTreeMap;

use bmon_event::{BlockHash, NodeName, OutPoint, ServerTime, Txid, Wanted};

use super::Watch;
use crate::{
    network::{Need, NetworkState},
    watch::WatchItem,
};

/// How often each mempool is asked about the coins: about as long as a transaction takes to reach most nodes. One that
/// cannot tell is asked again much later: it may have been updated.
const POLL_US: i64 = 10 * SECOND_US;
const POLL_BLIND_US: i64 = 10 * 60 * SECOND_US;
/// Most coins in one question, as many as an agent looks up. If there are more they take turns.
const COINS_AT_ONCE: usize = 256;
/// Transactions that are asked for at once, and for how long while others wait: most that are not had are nowhere.
const TXS_AT_ONCE: usize = 4;
const TX_PATIENCE_US: i64 = 15 * SECOND_US;
/// How far down blocks are looked through at least, and for what is watched at most: a day of the main network.
const LAST: usize = 6;
const DEEPEST: usize = 144;

const SECOND_US: i64 = 1_000_000;

/// What is asked for now.
#[derive(Debug, Default)]
pub(super) struct Asking {
    polls: BTreeMap<NodeName, Poll>,
    /// The nodes whose turn it is, with what they are asked about.
    due: Vec<(NodeName, Vec<OutPoint>)>,
    /// The transactions that are asked for, and since when.
    open: Vec<(Txid, ServerTime)>,
    /// When each was last begun to be asked for.
    tried: BTreeMap<Txid, ServerTime>,
}

/// How it stands with asking a node about the coins.
#[derive(Debug, Default)]
struct Poll {
    /// Counts the answers.
    turn: usize,
    /// An answer came since the last look.
    is_answered: bool,
    is_blind: bool,
    next_at: ServerTime,
}

impl Asking {
    /// The node answered; or said that it cannot tell.
    pub(super) fn note_answer(&mut self, node: &NodeName, is_blind: bool) {
        let poll = self.polls.entry(node.clone()).or_default();
        (poll.is_answered, poll.is_blind) = (true, is_blind);
        // What was asked is answered: the next question comes in its time.
        self.due.retain(|(due, _)| due != node);
    }
}

impl Watch {
    /// Decides what these nodes are asked for now.
    fn plan(&mut self, nodes: &[NodeName], now: ServerTime) {
        let coins: Vec<OutPoint> = self.coins.keys().copied().collect();
        let chunks: Vec<&[OutPoint]> = coins.chunks(COINS_AT_ONCE).collect();
        self.asking.due.clear();
        for node in nodes {
            let poll = self.asking.polls.entry(node.clone()).or_default();
            if std::mem::take(&mut poll.is_answered) {
                poll.turn += 1;
                poll.next_at = now.plus_micros(if poll.is_blind { POLL_BLIND_US } else { POLL_US });
            }
            let chunk = chunks.get(poll.turn % chunks.len().max(1)).filter(|_| now >= poll.next_at);
            self.asking.due.extend(chunk.map(|chunk| (node.clone(), chunk.to_vec())));
        }
        self.plan_txs(now);
    }

    /// Of the transactions that are watched and not had, those that a node has, then those that were not asked for longest.
    fn plan_txs(&mut self, now: ServerTime) {
        let is_lacking = |txid: &Txid| self.txs.get(txid).is_some_and(|tx| tx.inputs.is_none());
        let mut lacking: Vec<Txid> =
            self.items.iter().filter_map(WatchItem::txid).filter(is_lacking).collect();
        let has_others = lacking.len() > TXS_AT_ONCE;
        let is_open = |(txid, since): &(Txid, ServerTime)| {
            lacking.contains(txid) && !(has_others && now.micros_since(*since) >= TX_PATIENCE_US)
        };
        let asking = &mut self.asking;
        asking.open.retain(is_open);
        asking.tried.retain(|txid, _| lacking.contains(txid));
        lacking.retain(|txid| asking.open.iter().all(|(open, _)| open != txid));
        lacking.sort_by_key(|txid| {
            let is_anywhere =
                self.txs.get(txid).is_some_and(|tx| tx.nodes().any(|node| node.accepted.is_some()));
            (asking.tried.get(txid).copied(), !is_anywhere)
        });
        for txid in lacking.into_iter().take(TXS_AT_ONCE.saturating_sub(asking.open.len())) {
            asking.open.push((txid, now));
            asking.tried.insert(txid, now);
        }
    }

    /// The node that is asked first for a transaction is one that has it.
    fn tx_holders(&self, txid: &Txid, nodes: &[NodeName]) -> Vec<NodeName> {
        let rank = |node: &NodeName| {
            let told = self.tx(txid).and_then(|tx| tx.nodes().find(|told| told.node == *node));
            told.map_or(2, |told| match (&told.accepted, &told.left) {
                (Some(_), None) => 0,
                (Some(_), Some(_)) => 1,
                (None, _) => 2,
            })
        };
        let mut holders = nodes.to_vec();
        holders.sort_by_key(rank);
        holders
    }
}

impl NetworkState {
    /// Decides what to ask for, for what is watched.
    pub(crate) fn plan_watch(&mut self, now: ServerTime) {
        if !self.watch.items.is_empty() {
            let nodes: Vec<_> = self.members.keys().cloned().collect();
            self.watch.plan(&nodes, now);
        }
    }

    /// What is lacking of what is watched, but for blocks.
    pub(in crate::network) fn watch_needs(&self) -> Vec<Need> {
        if self.watch.items.is_empty() {
            return Vec::new();
        }
        let network = self.network;
        let nodes: Vec<_> = self.members.keys().cloned().collect();
        let asking = &self.watch.asking;
        let txs =
            asking.open.iter().filter(|(txid, _)| self.watch.tx(txid).is_some_and(|tx| tx.inputs.is_none()));
        let txs = txs.map(|(txid, _)| {
            let (what, nodes) = (Wanted::RawTx { txid: *txid }, self.watch.tx_holders(txid, &nodes));
            Need { network, what, nodes }
        });
        let spends = asking.due.iter().map(|(node, outpoints)| {
            let what = Wanted::MempoolSpends { outpoints: outpoints.clone() };
            Need { network, what, nodes: vec![node.clone()] }
        });
        txs.filter(|need| !need.nodes.is_empty()).chain(spends).collect()
    }

    /// The blocks of the main chain that are to be looked through, the newest first: the last ones for the transactions that
    /// nodes tell of, and for what is watched all since it is.
    pub(in crate::network) fn blocks_to_look_through(&self, main: BlockHash) -> Vec<BlockHash> {
        let is_watching = !self.watch.items.is_empty();
        if !is_watching && !self.bodies.reads_txids {
            return Vec::new();
        }
        let tree = self.known_tree();
        let time_us = |block| tree.get(block).map_or(0, |header| i64::from(header.time()) * SECOND_US);
        let is_recent = |(depth, block): &(usize, BlockHash)| {
            *depth < LAST || is_watching && time_us(*block) >= self.watch.back_to.as_micros()
        };
        let blocks =
            self.down_from(main).take(DEEPEST).enumerate().take_while(is_recent).map(|(_, block)| block);
        blocks.filter(|block| !self.watch.is_looked_through(*block)).collect()
    }
}
