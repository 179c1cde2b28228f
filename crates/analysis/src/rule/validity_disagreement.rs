//! Nodes disagree on whether a block is valid: the beginning of a split.

use super::{Condition, Declaration, Ground, SECOND_US, list};
use crate::{alert::Severity, finding::Body};

pub(super) const DECLARATION: Declaration = Declaration {
    id: "validity-disagreement",
    about: "Some nodes find a block valid that others find invalid.",
    loudness: "Critical.",
    grace_us: 0,
    hold_us: 10 * SECOND_US,
    conditions,
};

fn conditions(ground: &Ground<'_>) -> Vec<Condition> {
    let open = ground.board.iter().filter_map(|finding| match &finding.body {
        Body::ValidityDisagreement(found) if found.is_open => Some((finding, found)),
        _ => None,
    });
    open.map(|(finding, found)| {
        let reason = found.invalid_at.iter().find_map(|verdict| verdict.reason.as_deref());
        let reason = reason.map_or_else(String::new, |reason| format!(" ({reason})"));
        Condition {
            subject: found.block.to_string(),
            node: None,
            severity: Severity::Critical,
            since: finding.sighted.on_server_clock(),
            summary: format!(
                "block {} ({}) is invalid to {}{reason} and valid to {}",
                found.height,
                found.block,
                list(found.invalid_at.iter().map(|verdict| &verdict.node)),
                list(&found.valid_at)
            ),
            findings: vec![finding.id],
        }
    })
    .collect()
}
