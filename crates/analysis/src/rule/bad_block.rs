//! Nodes found a block invalid whose proof of work they accepted.

use std::collections::BTreeMap;

use bmon_event::BlockHash;

use super::{Condition, Declaration, Ground, list};
use crate::{
    alert::Severity,
    finding::{Body, Finding, InvalidBlock},
};

pub(super) const DECLARATION: Declaration = Declaration {
    id: "bad-block",
    about: "A node found a block invalid.",
    loudness: "Warning. That a node finds it valid is another rule's, and louder.",
    grace_us: 0,
    hold_us: 0,
    conditions,
};

fn conditions(ground: &Ground<'_>) -> Vec<Condition> {
    let mut by_block: BTreeMap<BlockHash, Vec<(&Finding, &InvalidBlock)>> = BTreeMap::new();
    for finding in ground.board.lately(ground.now) {
        if let Body::InvalidBlock(found) = &finding.body {
            by_block.entry(found.block).or_default().push((finding, found));
        }
    }
    by_block.into_iter().map(|(block, found)| condition(block, &found)).collect()
}

fn condition(block: BlockHash, found: &[(&Finding, &InvalidBlock)]) -> Condition {
    let height = found.iter().find_map(|(_, found)| found.height);
    let height = height.map_or_else(String::new, |height| format!(" at height {height}"));
    let reason = found.iter().find_map(|(_, found)| found.reason.as_deref());
    let nodes = list(found.iter().filter_map(|(finding, _)| finding.node.as_ref()));
    Condition {
        subject: block.to_string(),
        node: None,
        severity: Severity::Warning,
        since: found.iter().map(|(finding, _)| finding.sighted.on_server_clock()).min().unwrap_or_default(),
        summary: format!(
            "{nodes} found block {block}{height} invalid: {}",
            reason.unwrap_or("no reason was told")
        ),
        findings: found.iter().map(|(finding, _)| finding.id).collect(),
    }
}
