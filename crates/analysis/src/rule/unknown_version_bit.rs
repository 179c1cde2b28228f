//! Miners signal for something that no node knows.

use super::{Condition, Declaration, Ground};
use crate::{alert::Severity, finding::Body};

pub(super) const DECLARATION: Declaration = Declaration {
    id: "unknown-version-bit",
    about: "More than half of the last 100 blocks have a bit of their version set that no node knows as a soft fork.",
    loudness: "Warning.",
    grace_us: 0,
    hold_us: 0,
    conditions,
};

fn conditions(ground: &Ground<'_>) -> Vec<Condition> {
    let open = ground.board.iter().filter_map(|finding| match &finding.body {
        Body::VersionBit(found) if found.is_open => Some((finding, found)),
        _ => None,
    });
    open.map(|(finding, found)| Condition {
        subject: found.bit.to_string(),
        node: None,
        severity: Severity::Warning,
        since: finding.sighted.on_server_clock(),
        summary: format!(
            "{} of the {} blocks up to height {} have bit {} of their version set, which no node knows as a soft fork",
            found.blocks, found.window, found.height, found.bit
        ),
        findings: vec![finding.id],
    })
    .collect()
}
