//! The server does not keep up with what it is told.

use super::{Condition, Declaration, Ground, MINUTE_US};
use crate::alert::Severity;

pub(super) const DECLARATION: Declaration = Declaration {
    id: "analysis-behind",
    about: "For five minutes what agents delivered has waited ten seconds or more to be analysed.",
    loudness: "Warning; the same in every network.",
    // What agents kept while the server was away comes at once.
    grace_us: 5 * MINUTE_US,
    // A server that just keeps up is behind with each burst.
    hold_us: 5 * MINUTE_US,
    conditions,
};

fn conditions(ground: &Ground<'_>) -> Vec<Condition> {
    let since = ground.server.behind_since;
    let behind = since.map(|since| Condition {
        subject: "server".to_owned(),
        node: None,
        severity: Severity::Warning,
        since,
        summary: format!("what agents deliver waits ten seconds or more to be analysed, since {since}"),
        findings: Vec::new(),
    });
    behind.into_iter().collect()
}
