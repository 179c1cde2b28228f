//! Nodes left blocks for others: one alert for each branch that was left, however many nodes left it.

use std::collections::BTreeMap;

use bmon_event::BlockHash;

use super::{Condition, Declaration, Ground, blocks, list};
use crate::{
    alert::Severity,
    finding::{Body, Finding, Reorg},
};

pub(super) const DECLARATION: Declaration = Declaration {
    id: "reorg",
    about: "Nodes left blocks of their active chain for others.",
    loudness: "Info for one block, warning for two, critical from three on.",
    grace_us: 0,
    hold_us: 0,
    conditions,
};

fn conditions(ground: &Ground<'_>) -> Vec<Condition> {
    // The lowest block that was left names the branch: nodes may have followed it for different lengths.
    let mut branches: BTreeMap<BlockHash, Vec<(&Finding, &Reorg)>> = BTreeMap::new();
    for finding in ground.board.lately(ground.now) {
        if let Body::Reorg(reorg) = &finding.body
            && let Some(first) = reorg.old.first()
        {
            branches.entry(*first).or_default().push((finding, reorg));
        }
    }
    branches.into_iter().map(|(first, found)| condition(first, &found)).collect()
}

fn condition(first: BlockHash, found: &[(&Finding, &Reorg)]) -> Condition {
    let depth = found.iter().map(|(_, reorg)| reorg.depth).max().unwrap_or_default();
    let fork = found.iter().find_map(|(_, reorg)| reorg.fork_height);
    let fork =
        fork.map_or_else(|| "at an unknown height".to_owned(), |height| format!("after block {height}"));
    let nodes = list(found.iter().filter_map(|(finding, _)| finding.node.as_ref()));
    Condition {
        subject: first.to_string(),
        node: None,
        severity: match depth {
            0 | 1 => Severity::Info,
            2 => Severity::Warning,
            _ => Severity::Critical,
        },
        since: found.iter().map(|(finding, _)| finding.sighted.on_server_clock()).min().unwrap_or_default(),
        summary: format!("{} left {} {fork}, the first of them {first}", nodes, blocks(depth)),
        findings: found.iter().map(|(finding, _)| finding.id).collect(),
    }
}
