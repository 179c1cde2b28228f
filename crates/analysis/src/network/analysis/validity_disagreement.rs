//! Blocks that some nodes find valid and others invalid: open while a node follows one that another refuses.

use std::collections::BTreeSet;

use bmon_event::BlockHash;

use super::{Declaration, Look, NetworkAnalysis};
use crate::{
    finding::{Body, FindingId, ValidityDisagreement, Verdict},
    network::{Ledger, NetworkState, Saying},
    row::Row,
    tree::Status,
};

const ID: &str = "validity-disagreement";

pub(super) const DECLARATION: Declaration = Declaration {
    id: ID,
    about: "Which blocks some nodes find valid and others invalid.",
    make: || Box::new(Disagreements { ledger: Ledger::default() }),
};

/// Blocks below the best tip above which an old verdict is looked at each time: a day of them.
const RECENT: u32 = 144;

#[derive(Debug)]
struct Disagreements {
    ledger: Ledger,
}

impl NetworkAnalysis for Disagreements {
    fn look(&mut self, look: &Look<'_>, out: &mut Vec<Row>) {
        if look.touched.is_empty() {
            return;
        }
        for block in self.candidates(look) {
            let id = FindingId::new(&look.network.network, ID, &[block.as_bytes()]);
            let Some(found) = find(look.network, block) else { continue };
            if !found.is_open && self.ledger.get(&id).is_none() {
                continue;
            }
            let (seen, sources) = (look.network.first_seen(block), look.network.sources([block]));
            let body = Body::ValidityDisagreement(found);
            self.ledger.say(look.network.network, Saying { id, node: None, seen, sources, body }, out);
        }
    }

    fn ledger(&mut self) -> Option<&mut Ledger> {
        Some(&mut self.ledger)
    }
}

impl Disagreements {
    /// Blocks that a node found invalid lately or of which something was told, and those disagreed on.
    fn candidates(&self, look: &Look<'_>) -> BTreeSet<BlockHash> {
        let tree = look.network.known_tree();
        let recent = tree.height(look.main).unwrap_or_default().saturating_sub(RECENT);
        let is_recent = |block: &BlockHash| {
            look.touched.contains(block) || tree.height(*block).is_some_and(|height| height >= recent)
        };
        let invalid = tree.nodes().flat_map(|node| tree.found_invalid(node));
        let open = self.ledger.iter().filter_map(|finding| match &finding.body {
            Body::ValidityDisagreement(found) if found.is_open => Some(found.block),
            _ => None,
        });
        invalid.filter(is_recent).chain(open).collect()
    }
}

fn find(network: &NetworkState, block: BlockHash) -> Option<ValidityDisagreement> {
    let height = network.known_tree().height(block)?;
    let arrival = network.arrival(block);
    let verdict = |node| {
        let reason = arrival.and_then(|arrival| arrival.reason(&node)).map(str::to_owned);
        Verdict { node, reason }
    };
    let invalid_at: Vec<_> = network.nodes_with(block, &[Status::Invalid]).into_iter().map(verdict).collect();
    let valid_at = network.nodes_with(block, &[Status::Active, Status::Valid]);
    // Once no node follows it, it is of no consequence who thinks what of it.
    let is_followed = !network.nodes_with(block, &[Status::Active]).is_empty();
    let is_open = !invalid_at.is_empty() && is_followed;
    Some(ValidityDisagreement { block, height, invalid_at, valid_at, is_open })
}
