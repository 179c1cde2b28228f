//! An agent is there, and what its node's log says is not.

use bmon_event::{NodeName, ServerTime, Source};

use super::{Condition, Declaration, Ground, MINUTE_US};
use crate::{alert::Severity, network::Member};

pub(super) const DECLARATION: Declaration = Declaration {
    id: "log-not-read",
    about: "A node's agent delivers, but for five minutes it could not read the node's debug.log, read it a minute late, or found \
            nothing new in it although the node has a new block.",
    loudness: "Warning.",
    // What was written while an agent did not run is read late, and within minutes.
    grace_us: 5 * MINUTE_US,
    // A log on a disk that now and then does not answer is one trouble.
    hold_us: 2 * MINUTE_US,
    conditions,
};

/// An agent tells so often how much it has read, and some more.
const TOLD_US: i64 = MINUTE_US;

fn conditions(ground: &Ground<'_>) -> Vec<Condition> {
    let unread = ground.network.members().iter().filter_map(|(node, member)| {
        let (since, what) = unread(ground, node, member)?;
        Some(Condition {
            subject: node.to_string(),
            node: Some(node.clone()),
            severity: Severity::Warning,
            since,
            summary: what,
            findings: Vec::new(),
        })
    });
    unread.collect()
}

/// Since when the log is not read as it should be, and how it is not.
fn unread(ground: &Ground<'_>, node: &NodeName, member: &Member) -> Option<(ServerTime, String)> {
    if let Some((since, detail)) = member.broken.get(&Source::Log) {
        return Some((*since, format!("the agent of {node} does not read its log: {detail}")));
    }
    if let Some(since) = member.delivery.lines_late_since(ground.now) {
        let what =
            format!("the agent of {node} reads its log a minute or more after it is written, since {since}");
        return Some((since, what));
    }
    let (until, tip) = (member.delivery.log_read_until()?, member.tip?);
    let told_at = ground.network.first_time(tip.block);
    let is_told = ground.now.micros_since(member.told_until) <= TOLD_US;
    let is_quiet =
        told_at.micros_since(until) > TOLD_US && is_told && member.initial_block_download != Some(true);
    is_quiet.then(|| {
        let block = tip.block;
        (
            told_at,
            format!("the log of {node} has said nothing since {until}, although the node has block {block}"),
        )
    })
}
