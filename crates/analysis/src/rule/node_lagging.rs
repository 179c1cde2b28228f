//! A node is behind the others.

use super::{Condition, Declaration, Ground, MINUTE_US, blocks};
use crate::{alert::Severity, finding::Body};

pub(super) const DECLARATION: Declaration = Declaration {
    id: "node-lagging",
    about: "A node has been two or more blocks behind the others for ten minutes, and has not caught up.",
    loudness: "Warning.",
    // The finding waits already.
    grace_us: 0,
    // A node that is too slow catches up now and then and is behind again with the next blocks, which is found ten minutes after it
    // is so.
    hold_us: 30 * MINUTE_US,
    conditions,
};

/// Steps in which the number of blocks is told, so that an alert is not said again at each.
const STEPS: [u32; 6] = [2, 6, 36, 144, 1_008, 4_032];

fn conditions(ground: &Ground<'_>) -> Vec<Condition> {
    let open = ground.board.iter().filter_map(|finding| match &finding.body {
        Body::Lag(lag) if lag.caught_up_at_us.is_none() => Some((finding, finding.node.clone()?, lag)),
        _ => None,
    });
    open.map(|(finding, node, lag)| {
        let least = STEPS.into_iter().rev().find(|step| *step <= lag.blocks_behind).unwrap_or(1);
        Condition {
            subject: node.to_string(),
            severity: Severity::Warning,
            since: finding.sighted.on_server_clock(),
            summary: format!("{node} is behind the other nodes by {} or more", blocks(least)),
            node: Some(node),
            findings: vec![finding.id],
        }
    })
    .collect()
}
