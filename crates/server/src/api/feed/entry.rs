//! A finding in words.

use bmon_analysis::{
    finding::{
        Body, Finding, InvalidBlock, NodeStatus, Partition, PartitionSide, Reorg, StaleBlock,
        ValidityDisagreement, Verdict,
    },
    tree::Status,
};
use bmon_event::{BlockHash, NodeName};

/// What an entry says.
pub(super) struct Words {
    pub(super) title: String,
    pub(super) text: String,
    /// The block that it is about, `None` where that is several.
    pub(super) block: Option<BlockHash>,
}

pub(super) fn words(finding: &Finding) -> Words {
    let network = &finding.network;
    let node = finding.node.as_ref().map(ToString::to_string).unwrap_or_default();
    let (title, text, block) = match &finding.body {
        Body::StaleBlock(found) => stale_block(found),
        Body::InvalidBlock(found) => invalid_block(&node, found),
        Body::Reorg(found) => reorg(&node, found),
        Body::Partition(found) => partition(found),
        Body::ValidityDisagreement(found) => disagreement(found),
        // No other kind is asked for.
        other => (other.kind().to_owned(), String::new(), None),
    };
    Words { title: format!("{network}: {title}"), text, block }
}

type Told = (String, String, Option<BlockHash>);

fn stale_block(found: &StaleBlock) -> Told {
    let word = match (found.is_stale, found.is_invalid()) {
        (true, false) => "is stale",
        (true, true) => "is invalid and left behind",
        (false, _) => "was stale and is back on the chain",
    };
    let StaleBlock { block, height, replaced_by, fork, fork_height, nodes, .. } = found;
    let text = format!(
        "Block {block} at height {height} {word}. In its place stands {replaced_by}; the chain forked after block \
         {fork_height}, {fork}. {}",
        statuses(nodes)
    );
    (format!("block {height} {word}"), text, Some(*block))
}

fn statuses(nodes: &[NodeStatus]) -> String {
    let word = |status| match status {
        Status::Unknown => "unknown",
        Status::HeaderOnly => "header only",
        Status::Valid => "valid",
        Status::Invalid => "invalid",
        Status::Active => "on the active chain",
    };
    let nodes: Vec<_> = nodes.iter().map(|of| format!("{}: {}", of.node, word(of.status))).collect();
    if nodes.is_empty() { String::new() } else { format!("To the nodes: {}.", nodes.join(", ")) }
}

fn invalid_block(node: &str, found: &InvalidBlock) -> Told {
    let height = found.height.map(|height| format!(" {height}")).unwrap_or_default();
    let reason = found
        .reason
        .as_ref()
        .map_or_else(|| "It told no reason.".to_owned(), |reason| format!("Reason: {reason}"));
    let text = format!("{node} found block {} invalid. {reason}", found.block);
    (format!("{node} found block{height} invalid"), text, Some(found.block))
}

fn reorg(node: &str, found: &Reorg) -> Told {
    let after = found.fork_height.map(|height| format!(" after block {height}")).unwrap_or_default();
    let text = format!("{node} left {} for {}.", blocks(&found.old), blocks(&found.new));
    (format!("reorg of {} blocks at {node}{after}", found.depth), text, None)
}

fn blocks(blocks: &[BlockHash]) -> String {
    if blocks.is_empty() { "no other block".to_owned() } else { list(blocks) }
}

fn partition(found: &Partition) -> Told {
    let end =
        found.healed_at_us.map_or_else(|| "It is not over.".to_owned(), |at| format!("It was over at {at}."));
    let side = |side: &PartitionSide| {
        let nodes = if side.nodes.is_empty() { "no node".to_owned() } else { list(&side.nodes) };
        format!("{nodes}: {} blocks up to {}", side.length, side.tip)
    };
    let sides: Vec<_> = found.sides.iter().map(side).collect();
    let text = format!("After block {}, {}. {}. {end}", found.fork_height, found.fork, sides.join("; "));
    let verb = if found.healed_at_us.is_some() { "followed" } else { "follow" };
    (format!("nodes {verb} different chains after block {}", found.fork_height), text, None)
}

fn disagreement(found: &ValidityDisagreement) -> Told {
    let refusal = |verdict: &Verdict| match &verdict.reason {
        Some(reason) => format!("{} ({reason})", verdict.node),
        None => verdict.node.to_string(),
    };
    let refusals: Vec<_> = found.invalid_at.iter().map(refusal).collect();
    let text = format!(
        "Block {} at height {}: invalid to {}; valid to {}.",
        found.block,
        found.height,
        or_none(&refusals),
        or_none::<NodeName>(&found.valid_at)
    );
    let verb = if found.is_open { "disagree" } else { "disagreed" };
    (format!("nodes {verb} on block {}", found.height), text, Some(found.block))
}

fn or_none<T: ToString>(items: &[T]) -> String {
    if items.is_empty() { "none".to_owned() } else { list(items) }
}

fn list<T: ToString>(items: &[T]) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
