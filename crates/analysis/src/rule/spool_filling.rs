//! What an agent has to say waits at its own disk.

use super::{Condition, Declaration, Ground, MINUTE_US};
use crate::alert::Severity;

pub(super) const DECLARATION: Declaration = Declaration {
    id: "spool-filling",
    about: "An agent has for ten minutes delivered what is more than two minutes old, or has had 256 MiB in its spool: it is told more \
            than it can deliver.",
    loudness: "Warning.",
    // What was kept while the server was away is delivered within minutes.
    grace_us: 10 * MINUTE_US,
    // A way to the server that is just wide enough makes the spool grow and shrink.
    hold_us: 10 * MINUTE_US,
    conditions,
};

fn conditions(ground: &Ground<'_>) -> Vec<Condition> {
    let filling = ground.network.members().iter().filter_map(|(node, member)| {
        // Of one of which nothing is heard another rule tells.
        if ground.now.micros_since(member.heard_at) > 2 * MINUTE_US {
            return None;
        }
        let delivery = &member.delivery;
        let (since, what) = match (delivery.late_since, delivery.large_spool_since) {
            (Some(since), _) => (since, "arrives two minutes or more after it was said"),
            (None, Some(since)) => (since, "takes 256 MiB or more of its spool"),
            (None, None) => return None,
        };
        Some(Condition {
            subject: node.to_string(),
            node: Some(node.clone()),
            severity: Severity::Warning,
            since,
            summary: format!("what the agent of {node} tells {what}, since {since}"),
            findings: Vec::new(),
        })
    });
    filling.collect()
}
