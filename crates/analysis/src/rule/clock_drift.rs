//! A node's clock runs at another speed than the server's.

use super::{Condition, Declaration, Ground};
use crate::{alert::Severity, finding::Body};

pub(super) const DECLARATION: Declaration = Declaration {
    id: "clock-drift",
    about: "A node's clock drifts faster than 100 parts per million, or by half a second within six hours.",
    loudness: "Warning. If it is so for every node, it is the server's clock.",
    grace_us: 0,
    hold_us: 0,
    conditions,
};

fn conditions(ground: &Ground<'_>) -> Vec<Condition> {
    let open = ground.board.iter().filter_map(|finding| match &finding.body {
        Body::ClockDrift(found) if found.over_at_us.is_none() => {
            Some((finding, finding.node.clone()?, found))
        }
        _ => None,
    });
    open.map(|(finding, node, found)| Condition {
        subject: node.to_string(),
        severity: Severity::Warning,
        since: finding.sighted.on_server_clock(),
        summary: format!("the clock of {node} {}", found.explain()),
        node: Some(node),
        findings: vec![finding.id],
    })
    .collect()
}
