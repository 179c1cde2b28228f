//! Nothing is heard of a node: its agent does not deliver.

use super::{Condition, Declaration, Ground, MINUTE_US};
use crate::alert::Severity;

pub(super) const DECLARATION: Declaration = Declaration {
    id: "node-silent",
    about: "The agent of a node has delivered nothing for two minutes; a healthy one does every ten seconds.",
    loudness: "Warning.",
    grace_us: 2 * MINUTE_US,
    // An agent that only now and then gets through is one trouble, not one each time.
    hold_us: 2 * MINUTE_US,
    conditions,
};

/// After this a node is no part of the network any more: it was retired, or someone has known for long.
const GONE_US: i64 = 7 * 24 * 60 * MINUTE_US;
/// What an agent is silent for between two deliveries, and some more.
const SILENT_US: i64 = MINUTE_US / 2;

fn conditions(ground: &Ground<'_>) -> Vec<Condition> {
    let network = ground.network;
    let silent = network.members().iter().filter(|(_, member)| {
        ground.now.micros_since(member.heard_at) < GONE_US
            && ground.now.micros_since(network.silent_since(member)) >= SILENT_US
    });
    silent
        .map(|(node, member)| Condition {
            subject: node.to_string(),
            node: Some(node.clone()),
            severity: Severity::Warning,
            since: network.silent_since(member),
            summary: format!("nothing was heard of {node} since {}", member.heard_at),
            findings: Vec::new(),
        })
        .collect()
}
