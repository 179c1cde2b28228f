//! An agent delivers, and the node itself does not answer.

use bmon_event::Source;

use super::{Condition, Declaration, Ground, MINUTE_US};
use crate::alert::Severity;

pub(super) const DECLARATION: Declaration = Declaration {
    id: "node-unreachable",
    about: "A node's agent has not reached the node's RPC server for two minutes.",
    loudness: "Warning.",
    grace_us: 2 * MINUTE_US,
    // A node that starts, or that has more to do than it can, answers some calls and not others.
    hold_us: 2 * MINUTE_US,
    conditions,
};

fn conditions(ground: &Ground<'_>) -> Vec<Condition> {
    let broken = ground.network.members().iter().filter_map(|(node, member)| {
        let (since, detail) = member.broken.get(&Source::Rpc)?;
        Some((node, since, detail))
    });
    broken
        .map(|(node, since, detail)| Condition {
            subject: node.to_string(),
            node: Some(node.clone()),
            severity: Severity::Warning,
            since: *since,
            summary: format!("the agent of {node} does not reach the node: {detail}"),
            findings: Vec::new(),
        })
        .collect()
}
