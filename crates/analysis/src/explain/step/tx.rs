//! What messages say of a transaction.

use bmon_corelog::Message;
use bmon_event::Txid;

use super::words;

/// What a message says of the transaction, `None` if it is no step of its own.
pub(super) fn text(message: &Message<'_>, txid: Txid) -> Option<String> {
    peer(message).or_else(|| mempool(message, txid)).or_else(|| orphan(message, txid))
}

fn peer(message: &Message<'_>) -> Option<String> {
    Some(match message {
        Message::InventoryReceived(inventory) if inventory.state.0 == b"new" => {
            format!("announced by peer {}", inventory.peer)
        }
        Message::TransactionRequested(requested) => format!("requested from peer {}", requested.peer),
        Message::TransactionTimeout(timeout) => format!("not sent in time by peer {}", timeout.peer),
        Message::NotAccepted(refused) => {
            format!("refused: {}, from peer {}", words(refused.reason), refused.peer)
        }
        Message::ForceRelayed(relayed) => format!("sent on without being kept, for peer {}", relayed.peer),
        Message::Broadcast(_) => "waits for a first peer to ask for it no longer".to_owned(),
        Message::ReconstructionRequired(required) => {
            format!("not in the mempool, requested from a peer to complete block {}", required.block)
        }
        _ => return None,
    })
}

fn mempool(message: &Message<'_>, txid: Txid) -> Option<String> {
    Some(match message {
        Message::TransactionAddedToMempool(_) => "entered the mempool".to_owned(),
        Message::AcceptToMemoryPool(accepted) => format!("entered the mempool, from peer {}", accepted.peer),
        Message::MempoolReplaced(replaced) if replaced.old == txid => format!("replaced by {}", replaced.new),
        Message::MempoolReplaced(replaced) => format!("replaces {}", replaced.old),
        Message::MempoolReplacedByPackage(replaced) => {
            format!("replaced by a package of {} transactions", replaced.transactions)
        }
        Message::TransactionRemovedFromMempool(removed) => {
            let reason = removed.reason.map_or_else(String::new, |reason| format!(": {}", words(reason)));
            format!("removed{reason}")
        }
        Message::Prioritised(prioritised) => {
            format!("fee for mining changed by {} BTC", words(prioritised.delta.0))
        }
        _ => return None,
    })
}

fn orphan(message: &Message<'_>, txid: Txid) -> Option<String> {
    Some(match message {
        Message::OrphanStored(_) => "kept until its parent comes".to_owned(),
        Message::OrphanQueued(queued) => format!("its parent came: tried again, from peer {}", queued.peer),
        Message::OrphanAccepted(_) => "accepted, now that its parent came".to_owned(),
        Message::OrphanInvalid(invalid) => {
            format!("refused after its parent came: {}, from peer {}", words(invalid.reason), invalid.peer)
        }
        Message::OrphanRemoved(_) => "waits for its parent no longer".to_owned(),
        Message::OrphanTooLarge(_) => "not kept: too large to wait for its parent".to_owned(),
        Message::OrphanRefused(_) => "not kept: its parent was refused".to_owned(),
        Message::ParentTooCheap(_) => "pays too little alone: a child may pay for it".to_owned(),
        Message::PackageReplacementPassed(package) if package.parent == txid => {
            format!("may replace others together with its child {}", package.child)
        }
        Message::PackageReplacementPassed(package) => {
            format!("may replace others together with its parent {}", package.parent)
        }
        _ => return None,
    })
}
