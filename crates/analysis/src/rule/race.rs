//! Two or more blocks compete, and the next one decides.

use super::{Condition, Declaration, Ground, blocks};
use crate::{alert::Severity, finding::Body};

pub(super) const DECLARATION: Declaration = Declaration {
    id: "race",
    about: "Nodes follow different branches with the same work, so that the next block decides.",
    loudness: "Info; honest mining does it some seventy times a year.",
    grace_us: 0,
    hold_us: 0,
    conditions,
};

fn conditions(ground: &Ground<'_>) -> Vec<Condition> {
    let races = ground.board.iter().filter_map(|finding| match &finding.body {
        Body::Fork(fork) if fork.is_race => Some((finding, fork)),
        _ => None,
    });
    let condition = |(finding, fork): (&crate::finding::Finding, &crate::finding::Fork)| {
        let longest = fork.branches.iter().map(|branch| branch.length).max().unwrap_or_default();
        Condition {
            subject: fork.fork.to_string(),
            node: None,
            severity: Severity::Info,
            since: finding.sighted.on_server_clock(),
            summary: format!(
                "{} branches of {} after block {} ({}) compete",
                fork.branches.len(),
                blocks(longest),
                fork.fork_height,
                fork.fork
            ),
            findings: vec![finding.id],
        }
    };
    races.map(condition).collect()
}
