//! What batches tell of transactions: nodes of those that they accept, refuse or drop, and blocks of those that they have.

use bmon_event::{Event, Kind, Network, event::RemovalReason};

use super::{Engine, NodeIndex};
use crate::{
    row::{TxIds, TxLeft, TxSeen},
    transaction::{Telling, Word},
};

impl Engine {
    /// Takes in what an event tells of a transaction, if it does. Whether that is all that it tells.
    pub(super) fn note_transaction(&mut self, node: NodeIndex, event: &Event, by: Telling) -> bool {
        let (ids, is_all) = match &event.kind {
            Kind::TxAdded { txid, wtxid, .. } => (TxIds { txid: *txid, wtxid: *wtxid }, true),
            Kind::TxRejected { txid, wtxid, .. } => (TxIds { txid: *txid, wtxid: *wtxid }, false),
            Kind::TxRemoved { txid, .. } | Kind::TxReplaced { old: txid, .. } => {
                (TxIds { txid: *txid, wtxid: None }, true)
            }
            _ => return false,
        };
        let state = &mut self.nodes[node.0].state;
        if is_all {
            self.events += 1;
            state.note_time(event.time());
        }
        let Some(watching) = self.networks.get_mut(&state.network) else { return is_all };
        watching.state.note_transactions();
        if !self.passes_transactions {
            let seen = TxSeen { source: event.source, sighted: state.sighted_in_second(event.time()) };
            let word = word(&event.kind, seen);
            if watching.state.watch().is_of_interest(&ids.txid) {
                watching.state.watch_mut().note(&ids.txid, word.clone().of(state.name.clone()));
            }
            watching.transactions.note(ids, word, by, &mut self.last_chunk);
        }
        is_all
    }

    /// Takes in which transactions the blocks have that a batch made whole. Those of long ago may have been said or not: the last ones
    /// are read again.
    pub(super) fn note_mined(&mut self, network: Network, by: Telling) {
        let Some(watching) = self.networks.get_mut(&network) else { return };
        if self.passes_transactions {
            watching.state.pass_mined();
        }
        for (block, txids) in watching.state.take_mined() {
            watching.transactions.mined(block, &txids, by, &mut self.last_chunk);
        }
    }
}

/// What an event that tells of a transaction tells of it.
fn word(kind: &Kind, seen: TxSeen) -> Word {
    match kind {
        Kind::TxRejected { .. } => Word::Refused(seen),
        Kind::TxRemoved { reason, .. } => Word::Left(TxLeft { seen, reason: reason.clone(), by: None }),
        Kind::TxReplaced { new, .. } => {
            Word::Left(TxLeft { seen, reason: Some(RemovalReason::Replaced), by: *new })
        }
        _ => Word::Accepted(seen),
    }
}
