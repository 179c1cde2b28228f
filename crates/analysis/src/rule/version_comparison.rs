//! A version is slower than another in the same blocks, and was not before it was that version.

use super::{Condition, Declaration, Ground};
use crate::{alert::Severity, finding::Body};

pub(super) const DECLARATION: Declaration = Declaration {
    id: "version-comparison",
    about: "Since nodes run another version they are slower beside the others in the same blocks than they were before.",
    loudness: "Info.",
    grace_us: 0,
    hold_us: 0,
    conditions,
};

fn conditions(ground: &Ground<'_>) -> Vec<Condition> {
    let open = ground.board.iter().filter_map(|finding| match &finding.body {
        Body::VersionComparison(found) if found.is_alarm => Some((finding, found)),
        _ => None,
    });
    open.map(|(finding, found)| {
        let change = found.before.as_ref().map_or(found.ratio, |before| found.ratio / before.ratio);
        Condition {
            subject: format!("{} {}", found.measure.as_str(), found.version),
            node: None,
            severity: Severity::Info,
            since: finding.sighted.on_server_clock(),
            // In steps, so that the alert is not said again each day.
            summary: format!(
                "{}: {} is slower than {} by {:.0} % or more in the same blocks from height {} on, beside how the same \
                 nodes stood before",
                found.measure.as_str(),
                found.version,
                found.other_version,
                ((change - 1.0) * 20.0).floor() * 5.0,
                found.from_height
            ),
            findings: vec![finding.id],
        }
    })
    .collect()
}
