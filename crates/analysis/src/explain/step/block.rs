//! What messages say of a block.

use bmon_corelog::Message;
use bmon_event::BlockHash;

use super::{thousands, words};

/// What a message says of the block, `None` if it is no step of its own.
pub(super) fn text(message: &Message<'_>, hash: BlockHash) -> Option<String> {
    header(message, hash)
        .or_else(|| download(message))
        .or_else(|| compact(message))
        .or_else(|| verdict(message, hash))
        .or_else(|| chain(message, hash))
}

/// The block's height, `None` if the message does not tell it.
pub(super) fn height(message: &Message<'_>, hash: BlockHash) -> Option<u32> {
    let (block, height) = match message {
        Message::HeaderSeen(seen) => (seen.block, seen.height),
        Message::CompactHeaderSeen(seen) => (seen.block, seen.height?),
        Message::UpdateTip(tip) => (tip.block, tip.height),
        Message::InvalidChainFound(invalid) => (invalid.block, invalid.height),
        Message::BlockConnected(connected) => (connected.block, connected.height),
        Message::BlockDisconnected(disconnected) => (disconnected.block, disconnected.height),
        Message::BlockRequested(requested) => (requested.block, requested.height?),
        _ => return None,
    };
    (block == hash).then_some(height)
}

fn header(message: &Message<'_>, hash: BlockHash) -> Option<String> {
    Some(match message {
        Message::HeaderSeen(seen) => {
            let from = seen.peer.map_or_else(String::new, |peer| format!(" from peer {peer}"));
            format!("header seen{from}, height {}", seen.height)
        }
        Message::CompactHeaderSeen(seen) => {
            let height = seen.height.map_or_else(String::new, |height| format!(", height {height}"));
            format!("header seen in a compact block from peer {}{height}", seen.peer)
        }
        Message::InventoryReceived(inventory) if inventory.state.0 == b"new" => {
            format!("announced by peer {}", inventory.peer)
        }
        Message::HeadersRequestForBlock(request) => {
            format!("headers up to it requested from peer {}", request.peer)
        }
        Message::HeaderUnconnected(header) if header.block == hash => {
            format!("header from peer {}, whose parent is not known", header.peer)
        }
        Message::HeaderUnconnected(header) => {
            format!("header of its child {} from peer {}, but not its own", header.block, header.peer)
        }
        Message::MarkedInvalid(_) => "header refused: it was found invalid before".to_owned(),
        Message::ParentUnknown(_) => "header refused: its parent is not known".to_owned(),
        Message::ParentInvalid(_) => "header refused: its parent is invalid".to_owned(),
        Message::HeaderRefused(refused) => format!("header refused: {}", words(refused.reason)),
        _ => return None,
    })
}

fn download(message: &Message<'_>) -> Option<String> {
    Some(match message {
        Message::BlockRequested(requested) => format!("requested from peer {}", requested.peer),
        Message::DirectFetch(_) => "blocks up to it are fetched".to_owned(),
        Message::LargeReorgNotFetched(_) => "not fetched: too far from the active chain".to_owned(),
        Message::BlockTimeout(timeout) => format!("not sent in time by peer {}", timeout.peer),
        Message::BlockReceived(received) => format!("whole block received from peer {}", received.peer),
        // Which lines are about the block is decided where they are picked.
        Message::MessageReceived(received) => {
            let (command, bytes) = (words(received.command), thousands(received.bytes));
            format!("message `{command}` of {bytes} bytes from peer {}", received.peer)
        }
        Message::MutatedBlock(mutated) => {
            format!("peer {} sent it with transactions that its header does not commit to", mutated.peer)
        }
        Message::ReconstructionFailed(failed) => {
            format!("the compact block from peer {} could not be completed", failed.peer)
        }
        _ => return None,
    })
}

fn compact(message: &Message<'_>) -> Option<String> {
    Some(match message {
        Message::CompactBlockInitializing(compact) => {
            format!("compact block of {} bytes matched with the mempool", thousands(compact.bytes))
        }
        Message::CompactBlockInitialized(compact) => {
            format!("compact block of {} bytes matched with the mempool", thousands(compact.bytes))
        }
        Message::BlockReconstructed(block) => {
            let bytes = block
                .requested_bytes
                .map_or_else(String::new, |bytes| format!(" ({} bytes)", thousands(bytes)));
            let extra = match block.from_extra {
                0 => String::new(),
                extra => format!(" (at least {} of the extra pool)", thousands(extra)),
            };
            format!(
                "reconstructed: {} from mempool{extra}, {} prefilled, {} requested{bytes}",
                thousands(block.from_mempool),
                thousands(block.prefilled),
                thousands(block.requested),
            )
        }
        _ => return None,
    })
}

fn verdict(message: &Message<'_>, hash: BlockHash) -> Option<String> {
    Some(match message {
        Message::NewPowValidBlock(_) => "has work and form: sent on before it is checked".to_owned(),
        Message::BlockChecked(checked) if checked.state == b"Valid" => "checked: valid".to_owned(),
        Message::BlockChecked(checked) => format!("checked: {}", words(checked.state)),
        Message::InvalidChainFound(invalid) => format!("invalid, at height {}", invalid.height),
        Message::InvalidChainBest(best) if best.block == hash => {
            "still the tip: another block is invalid".to_owned()
        }
        Message::BlockValidationError(error) => format!("fails validation: {}", words(error.reason)),
        Message::BlockRefused(refused) => format!("refused: {}", words(refused.reason)),
        Message::AcceptBlockFailed(failed) => {
            let reason = failed.reason.map_or_else(String::new, |reason| format!(": {}", words(reason)));
            format!("not accepted{reason}")
        }
        Message::ConnectTipFailed(failed) => {
            let reason = failed.reason.map_or_else(String::new, |reason| format!(": {}", words(reason)));
            format!("could not be connected{reason}")
        }
        _ => return None,
    })
}

fn chain(message: &Message<'_>, hash: BlockHash) -> Option<String> {
    Some(match message {
        Message::CachedBlock(_) => "connecting begins, with the block still in memory".to_owned(),
        Message::LoadBlock(_) => "connecting begins, with the block loaded from disk".to_owned(),
        Message::ConnectBlock(connect) => format!("connecting took {:.2} ms", connect.ms),
        Message::UpdateTip(tip) => {
            format!(
                "tip, at height {}, {} transactions in the chain",
                tip.height,
                thousands(tip.transactions)
            )
        }
        Message::BlockConnected(connected) => format!("connected at height {}", connected.height),
        Message::BlockDisconnected(disconnected) => {
            format!("disconnected from height {}", disconnected.height)
        }
        Message::DisconnectFailed(_) => "could not be disconnected: the node's data are damaged".to_owned(),
        Message::BackgroundTip(tip) => {
            format!("checked after the fact (assumeutxo), at height {}", tip.height)
        }
        Message::UpdatedBlockTip(tip) if tip.block != hash => format!("built upon: {} is the tip", tip.block),
        _ => return None,
    })
}
