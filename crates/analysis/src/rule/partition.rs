//! Nodes follow different chains and go on to do so: one alert while it lasts.

use super::{Condition, Declaration, Ground, list};
use crate::{
    alert::Severity,
    finding::{Body, PartitionSide},
};

pub(super) const DECLARATION: Declaration = Declaration {
    id: "partition",
    about: "Nodes have followed different chains for three blocks, or for half an hour.",
    loudness: "Critical.",
    grace_us: 0,
    hold_us: 0,
    conditions,
};

fn conditions(ground: &Ground<'_>) -> Vec<Condition> {
    let open = ground.board.iter().filter_map(|finding| match &finding.body {
        Body::Partition(found) if found.healed_at_us.is_none() => Some((finding, found)),
        _ => None,
    });
    let side = |side: &PartitionSide| format!("{} on {}", list(&side.nodes), side.first);
    open.map(|(finding, found)| {
        let sides: Vec<_> = found.sides.iter().map(side).collect();
        Condition {
            subject: found.fork.to_string(),
            node: None,
            severity: Severity::Critical,
            since: finding.sighted.on_server_clock(),
            // Without the lengths, which grow all the time and stand in the finding.
            summary: format!(
                "{} chains go on after block {} ({}): {}",
                found.sides.len(),
                found.fork_height,
                found.fork,
                sides.join("; ")
            ),
            findings: vec![finding.id],
        }
    })
    .collect()
}
