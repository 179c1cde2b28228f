//! What was found puts back what is known: after a restart, and when something is watched again.

use bmon_event::{BlockHash, Source, Txid, event::RemovalReason};

use super::Watch;
use crate::{
    finding::{Conflict, Finding, LeftAt, Replaced, SeenTx, Step, WatchStep},
    row::{TxLeft, TxNode, TxSeen},
    watch::WatchItem,
};

impl Watch {
    /// Takes in what was found before. What is not watched is passed over.
    pub(crate) fn absorb(&mut self, finding: &Finding, found: &WatchStep) {
        if !self.items.contains(&found.item) {
            return;
        }
        // Each node told a little later than the first; only the first time is told of again.
        let source = finding.sources.first().copied().unwrap_or(Source::Rpc);
        let seen = TxSeen { source, sighted: finding.sighted };
        match &found.step {
            Step::Seen(step) => self.absorb_seen(found.item, step, seen),
            Step::Conflict(step) => self.absorb_conflict(found.item, step, seen),
            Step::Replaced(step) => self.absorb_replaced(found.item, step, seen),
            Step::Mined(step) => self.absorb_block(found.item, step.txid, step.block),
            Step::ReorgedOut(step) => self.absorb_block(found.item, step.txid, step.block),
            Step::DoubleSpent(step) => {
                self.track_of(found.item, step.txid);
                self.connected.insert(step.block, ());
                self.coins.entry(step.outpoint).or_default().blocks.insert(step.block, step.txid);
            }
        }
        self.revision += 1;
    }

    fn absorb_seen(&mut self, item: WatchItem, step: &SeenTx, seen: TxSeen) {
        self.track_of(item, step.txid);
        for node in &step.accepted_at {
            self.note(&step.txid, TxNode { accepted: Some(seen), ..TxNode::new(node.clone()) });
        }
        for node in &step.refused_at {
            self.note(&step.txid, TxNode { refused: Some(seen), ..TxNode::new(node.clone()) });
        }
        for left in &step.left_at {
            let told = TxNode { left: Some(tx_left(left, seen)), ..TxNode::new(left.node.clone()) };
            self.note(&step.txid, told);
        }
        if let Some(inputs) = &step.inputs {
            self.set_inputs(step.txid, inputs.clone());
            self.txs.entry(step.txid).and_modify(|tx| tx.omitted_inputs = step.omitted_inputs);
        }
        self.blind.extend(step.blind.iter().map(|blind| (blind.node.clone(), blind.reason.clone())));
    }

    fn absorb_conflict(&mut self, item: WatchItem, step: &Conflict, seen: TxSeen) {
        self.track_of(item, step.txid);
        for outpoint in &step.outpoints {
            self.coins.entry(*outpoint).or_default();
            for node in &step.nodes {
                self.note_spend(*outpoint, step.txid, node, seen, step.is_open);
            }
        }
    }

    fn absorb_replaced(&mut self, item: WatchItem, step: &Replaced, seen: TxSeen) {
        self.track_of(item, step.txid);
        for (by, node) in step.by.iter().flat_map(|by| by.nodes.iter().map(|node| (by.txid, node))) {
            let left = TxLeft { seen, reason: Some(RemovalReason::Replaced), by };
            self.note(&step.txid, TxNode { left: Some(left), ..TxNode::new(node.clone()) });
        }
    }

    fn absorb_block(&mut self, item: WatchItem, txid: Txid, block: BlockHash) {
        self.track_of(item, txid);
        self.connected.insert(block, ());
        if let Some(tx) = self.txs.get_mut(&txid) {
            tx.blocks.insert(block);
        }
        if let WatchItem::Outpoint(outpoint) = item {
            self.coins.entry(outpoint).or_default().blocks.insert(block, txid);
        }
    }

    /// Tracks the transaction of a step, unless it only stands against the one that is watched.
    fn track_of(&mut self, item: WatchItem, txid: Txid) {
        if item.txid().is_none_or(|watched| watched == txid) {
            self.track(txid);
        }
    }
}

fn tx_left(left: &LeftAt, seen: TxSeen) -> TxLeft {
    let reason = left.reason.as_deref().map(RemovalReason::from_word);
    TxLeft { seen, reason, by: None }
}
