//! It is not known what a node's clock shows.

use super::{Condition, Declaration, Ground, MINUTE_US};
use crate::alert::Severity;

pub(super) const DECLARATION: Declaration = Declaration {
    id: "clock-lost",
    about: "For fifteen minutes the clock of a node that is heard was not known, or to half a second only.",
    loudness: "Warning.",
    // The first exchange of times comes with the first delivery, and one that was lost is followed by the next.
    grace_us: 15 * MINUTE_US,
    // The bound goes up and down with the way between agent and server.
    hold_us: 10 * MINUTE_US,
    conditions,
};

fn conditions(ground: &Ground<'_>) -> Vec<Condition> {
    let lost = ground.network.members().iter().filter_map(|(node, member)| {
        let since = member.delivery.clock_lost_since?;
        // Of one of which nothing is heard another rule tells.
        (ground.now.micros_since(member.heard_at) <= 2 * MINUTE_US).then_some((node, since))
    });
    lost.map(|(node, since)| Condition {
        subject: node.to_string(),
        node: Some(node.clone()),
        severity: Severity::Warning,
        since,
        summary: format!("the clock of {node} is not known to half a second, since {since}"),
        findings: Vec::new(),
    })
    .collect()
}
