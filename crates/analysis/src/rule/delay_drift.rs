//! A node becomes slow bit by bit.

use super::{Condition, Declaration, Ground};
use crate::{alert::Severity, finding::Body};

pub(super) const DECLARATION: Declaration = Declaration {
    id: "delay-drift",
    about: "A node has become slower with blocks or transactions bit by bit, beside the others in the same ones, over weeks.",
    loudness: "Warning.",
    grace_us: 0,
    hold_us: 0,
    conditions,
};

fn conditions(ground: &Ground<'_>) -> Vec<Condition> {
    let open = ground.board.iter().filter_map(|finding| match &finding.body {
        Body::DelayDrift(found) if found.over_at_us.is_none() => {
            Some((finding, finding.node.clone()?, found))
        }
        _ => None,
    });
    open.map(|(finding, node, found)| Condition {
        subject: format!("{node} {}", found.measure.as_str()),
        severity: Severity::Warning,
        since: finding.sighted.on_server_clock(),
        summary: format!("{node} {}: {}", found.measure.as_str(), found.explain()),
        node: Some(node),
        findings: vec![finding.id],
    })
    .collect()
}
