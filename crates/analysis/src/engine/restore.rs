//! What an engine takes in of what earlier ones said, and of what it is to watch.

use std::collections::BTreeSet;

use bmon_event::{Network, ServerTime, Txid};

use super::{Engine, Watching};
use crate::{
    alert::Alert,
    finding::{Body, Finding},
    row::{HeaderRow, MinerRow, NodeRow, RawBlockRow, Sighted, TxChunk, TxNode, TxSpread},
    transaction,
    watch::WatchItem,
};

impl Engine {
    /// Takes in transactions that an earlier engine said. The older must come first.
    pub fn restore_tx_chunk(&mut self, chunk: &TxChunk) {
        self.last_chunk = self.last_chunk.max(chunk.id);
        self.watching(chunk.network).transactions.restore(chunk);
    }

    /// When the oldest hour began of which the transactions can change at this time.
    pub const fn open_hours_since(now: ServerTime) -> ServerTime {
        transaction::open_since(now)
    }

    /// Takes in the transactions of an hour that can change no more, as an earlier engine last said them.
    pub fn restore_tx_spread(&mut self, row: &TxSpread) {
        self.watching(row.network).state.restore_hour(row.begun_at, &row.spread);
    }

    /// Lets chunks of transactions have higher numbers than this, which earlier ones may have had.
    pub fn begin_tx_chunks_after(&mut self, id: u64) {
        self.last_chunk = self.last_chunk.max(id);
    }

    /// Takes in a header that an earlier engine said. Of each network the lowest must come first.
    pub fn restore_header(&mut self, row: &HeaderRow) {
        self.watching(row.network).state.restore_header(row.block, row.height, &row.raw);
    }

    /// Takes in a node as an earlier engine last said it.
    pub fn restore_node(&mut self, row: &NodeRow) {
        let sighted = row.tip_at.map(|at| Sighted { at, offset: row.offset });
        let tip = row.tip.zip(sighted).map(|(tip, sighted)| (tip, row.height, sighted));
        let state = &mut self.watching(row.network).state;
        state.restore_member(&row.node, tip, row.initial_block_download, row.heard_at);
        state.restore_peers(&row.node, row.peers_in, row.peers_out);
    }

    /// Takes in who mined a block, as an earlier engine said it.
    pub fn restore_miner(&mut self, row: MinerRow) {
        self.watching(row.network).state.restore_miner(row);
    }

    /// Takes in a block that was left behind, as an earlier engine said it. Its header must come first.
    pub fn restore_raw_block(&mut self, row: &RawBlockRow) {
        self.watching(row.network).state.restore_raw_block(row.block, &row.raw);
    }

    /// Takes in a finding about a network that an earlier engine said, so that it is revised and not begun anew.
    pub fn restore_finding(&mut self, finding: Finding) {
        let kind = finding.body.kind();
        let Watching { state, analyses, board, .. } = self.watching(finding.network);
        board.put(&finding);
        if let Body::BlockTimes(times) = &finding.body
            && let Some(node) = &finding.node
        {
            state.restore_block_times(node, (**times).clone(), finding.sighted.on_server_clock());
        }
        if let Body::DoubleSpend(found) = &finding.body
            && found.missing.is_empty()
        {
            state.restore_compared(found.fork, found.branches.clone());
        }
        if let Body::Watch(found) = &finding.body {
            state.watch_mut().absorb(&finding, found);
        }
        if let Some((_, analysis)) = analyses.iter_mut().find(|(id, _)| *id == kind) {
            analysis.restore(finding);
        }
    }

    /// Takes in an alert that an earlier engine said, so that it goes on, or is not opened a second time.
    pub fn restore_alert(&mut self, alert: Alert) {
        self.watching(alert.network).alarms.restore(alert);
    }

    /// Watches these on the network and nothing else. What was found of them before goes on.
    pub fn set_watch_items(&mut self, network: Network, items: BTreeSet<WatchItem>) {
        let Watching { state, analyses, .. } = self.watching(network);
        if !state.set_watch_items(items) {
            return;
        }
        for finding in
            analyses.iter_mut().filter_map(|(_, analysis)| analysis.ledger()).flat_map(|said| said.iter())
        {
            if let Body::Watch(found) = &finding.body {
                state.watch_mut().absorb(finding, found);
            }
        }
    }

    /// Takes in what nodes told of a transaction that is watched, before it was.
    pub fn restore_watched_tx(&mut self, network: Network, txid: Txid, nodes: Vec<TxNode>) {
        let watch = self.watching(network).state.watch_mut();
        for told in nodes {
            watch.note(&txid, told);
        }
    }
}
