//! Somebody who is to be told of alerts cannot be.

use super::{Condition, Declaration, Ground, MINUTE_US};
use crate::alert::Severity;

pub(super) const DECLARATION: Declaration = Declaration {
    id: "notifier-failing",
    about: "For five minutes a notifier could not be told of alerts.",
    loudness: "Critical: what should wake somebody may not; the same in every network.",
    grace_us: 5 * MINUTE_US,
    // One that takes some alerts and refuses others is one trouble.
    hold_us: 5 * MINUTE_US,
    conditions,
};

fn conditions(ground: &Ground<'_>) -> Vec<Condition> {
    let failing = ground.server.failing_notifiers.iter();
    failing
        .map(|(notifier, since)| Condition {
            subject: (*notifier).to_owned(),
            node: None,
            severity: Severity::Critical,
            since: *since,
            summary: format!("{notifier} cannot be told of alerts, since {since}"),
            findings: Vec::new(),
        })
        .collect()
}
