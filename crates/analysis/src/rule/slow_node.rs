//! A node has become slow.

use super::{Condition, Declaration, Ground};
use crate::{
    alert::Severity,
    finding::{Body, Slowness},
};

pub(super) const DECLARATION: Declaration = Declaration {
    id: "slow-node",
    about: "A node has become slower with blocks or transactions than it was, and than the others are in the same ones.",
    loudness: "Warning.",
    grace_us: 0,
    hold_us: 0,
    conditions,
};

fn conditions(ground: &Ground<'_>) -> Vec<Condition> {
    slow(ground, |body| match body {
        Body::SlowNode(found) => Some(found),
        _ => None,
    })
}

/// Those of the findings that `of` takes that are not over.
pub(super) fn slow(ground: &Ground<'_>, of: fn(&Body) -> Option<&Slowness>) -> Vec<Condition> {
    let open = ground.board.iter().filter_map(|finding| {
        let found = of(&finding.body).filter(|found| found.over_at_us.is_none())?;
        Some((finding, finding.node.clone()?, found))
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
