//! How each block came into a node: who announced it, what was asked for, what it was completed from.
//!
//! When the header was seen, the block was checked and connected is told by `block-arrival` already; here stand the
//! steps that say more than a time, or that only few blocks go through.

use bmon_event::{BlockHash, Event, Kind, Source};

use super::{Analysis, Declaration};
use crate::{
    row::{Announcement, BlockStep, Reconstruction, Row, Step},
    state::{Change, NodeState},
};

pub(super) const DECLARATION: Declaration = Declaration {
    id: "block-step",
    about: "How each block came into each node: announced by whom, requested, received or completed from what.",
    make: |_| Box::new(Stepped),
};

#[derive(Debug)]
struct Stepped;

impl Analysis for Stepped {
    fn apply(&mut self, node: &NodeState, change: &Change<'_>, out: &mut Vec<Row>) {
        let Change::Told(event) = change else { return };
        let Some((block, step)) = step(event) else { return };
        out.push(Row::BlockStep(Box::new(BlockStep {
            network: node.network,
            block,
            node: node.name.clone(),
            source: event.source,
            step,
            sighted: node.sighted(event.time()),
        })));
    }
}

fn step(event: &Event) -> Option<(BlockHash, Step)> {
    Some(match event.kind {
        Kind::BlockAnnounced { block, peer } => (block, Step::Announced { message: Announcement::Inv, peer }),
        Kind::HeaderSeen { block, peer: Some(peer), compact, .. } => {
            let message = if compact { Announcement::Cmpctblock } else { Announcement::Headers };
            (block, Step::Announced { message, peer })
        }
        Kind::BlockRequested { block, peer, .. } => (block, Step::Requested { peer }),
        Kind::CompactBlockMatched { block, bytes, peer } => (block, Step::CompactBlock { bytes, peer }),
        Kind::BlockTransactionsRequested { block, peer } => (block, Step::TransactionsRequested { peer }),
        Kind::BlockReceived { block, peer, bytes } => (block, Step::Received { peer, bytes }),
        Kind::BlockReconstructed { block, .. } => (block, Step::Reconstructed(reconstruction(&event.kind)?)),
        Kind::TipSettled { block } => (block, Step::Tip {}),
        // `hashblock` names the last block of an activation (`CZMQNotificationInterface::UpdatedBlockTip`,
        // `src/zmq/zmqnotificationinterface.cpp@v30`). `UpdateTip` lines name every block on the way there.
        Kind::Tip { block, .. } if event.source == Source::Zmq => (block, Step::Tip {}),
        _ => return None,
    })
}

const fn reconstruction(kind: &Kind) -> Option<Reconstruction> {
    let Kind::BlockReconstructed {
        prefilled,
        from_mempool,
        from_extra,
        requested,
        requested_bytes,
        peer,
        message_bytes,
        ..
    } = *kind
    else {
        return None;
    };
    Some(Reconstruction {
        prefilled,
        from_mempool,
        from_extra,
        requested,
        requested_bytes,
        message_bytes,
        peer,
    })
}
