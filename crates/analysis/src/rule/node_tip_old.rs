//! A node has had no new block for long, and others have.

use bmon_event::{BlockHash, ServerTime};

use super::{Condition, Declaration, Ground, MINUTE_US, OLD_US};
use crate::alert::Severity;

pub(super) const DECLARATION: Declaration = Declaration {
    id: "node-tip-old",
    about: "A node's tip is 90 minutes old although other nodes have newer blocks.",
    loudness: "Warning.",
    // After a long wait every node is without the new block for a moment.
    grace_us: 2 * MINUTE_US,
    hold_us: 0,
    conditions,
};

fn conditions(ground: &Ground<'_>) -> Vec<Condition> {
    let Some(main) = ground.main else { return Vec::new() };
    let age_us = |block| ground.now.micros_since(ground.network.first_time(block));
    if age_us(main) >= OLD_US {
        return Vec::new();
    }
    let tree = ground.network.known_tree();
    let old = ground.network.live(ground.now).filter(|(node, tip)| {
        *tip != main && age_us(*tip) >= OLD_US && !ground.network.is_catching_up(node, ground.now)
    });
    let condition = |(node, tip): (&bmon_event::NodeName, _)| {
        let (seen_at, height) = (ground.network.first_time(tip), tree.height(tip).unwrap_or_default());
        Condition {
            subject: node.to_string(),
            node: Some(node.clone()),
            severity: Severity::Warning,
            since: next_at(ground, main, height).max(seen_at.plus_micros(OLD_US)),
            summary: format!(
                "the tip of {node} is still block {height} ({tip}), first seen at {seen_at}; others have newer blocks"
            ),
            findings: Vec::new(),
        }
    };
    old.map(condition).collect()
}

/// When the first block of the main chain above that height was first seen.
fn next_at(ground: &Ground<'_>, main: BlockHash, height: u32) -> ServerTime {
    let next = ground.network.known_tree().ancestor(main, height + 1);
    next.map_or(ground.now, |next| ground.network.first_time(next))
}
