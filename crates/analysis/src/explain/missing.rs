//! What is not known, and what would have told it.

use bmon_corelog::Category;
use bmon_event::{AgentTime, NodeName, Source, Subject};

use super::{document::Node, witness::LogRead};

/// Debug categories by what they tell of a block.
const OF_A_BLOCK: &[(Category, &str)] = &[
    (Category::CmpctBlock, "how a compact block was completed"),
    (Category::Net, "which peers announced and sent it"),
    (Category::Validation, "that it was checked, connected and disconnected"),
];

/// Debug categories by what they tell of a transaction.
const OF_A_TX: &[(Category, &str)] = &[
    (Category::Mempool, "that a peer's transaction was accepted, and what it replaced"),
    (Category::MempoolRej, "why a peer's transaction was refused"),
    (Category::TxPackages, "that it waits for its parent"),
    (Category::Validation, "that it entered or left the mempool, and why"),
    (Category::Net, "which peers announced it"),
];

/// Adds to a node what is not known of it. `first` is when the first node knew the subject, by this node's clock, and
/// that node's name.
pub(super) fn of_node(
    node: &mut Node,
    read: Option<&LogRead>,
    subject: Subject,
    first: Option<(AgentTime, &NodeName)>,
) {
    let Some(read) = read else { return };
    let knows = node.steps.iter().any(|step| step.source == Source::Log);
    let mut unknown = Vec::new();
    if !knows {
        unknown.push(match (read.lines, read.from.zip(read.to)) {
            (Some(lines), Some((from, to))) => {
                format!("its log does not mention it ({lines} lines, from {from} to {to})")
            }
            (Some(lines), None) => format!("its log does not mention it ({lines} lines without a time)"),
            (None, _) => "what was searched of its log does not mention it".to_owned(),
        });
    } else if !read.is_complete {
        unknown.push("not all of its log was searched: there may be more lines".to_owned());
    }
    unknown.extend(first.and_then(|(at, name)| outside(node, read, at, name)));
    let told = match subject {
        Subject::Block(_) => OF_A_BLOCK,
        Subject::Tx(_) => OF_A_TX,
    };
    unknown.extend(categories(read, told));
    unknown.append(&mut node.unknown);
    node.unknown = unknown;
}

/// What to say if the log begins after the first node knew of it, or ended before.
fn outside(node: &Node, read: &LogRead, at: AgentTime, first: &NodeName) -> Option<String> {
    if *first == node.node {
        return None;
    }
    match (read.from, read.to) {
        (Some(from), _) if from > at => Some(format!("its log begins at {from}, after {first} knew of it")),
        (_, Some(to)) if to < at => Some(format!("its log ends at {to}, before {first} knew of it")),
        _ => None,
    }
}

/// What is not in the log for want of a debug category.
fn categories(read: &LogRead, told: &[(Category, &str)]) -> Option<String> {
    let seen = read.categories?;
    let off: Vec<_> = told.iter().filter(|(category, _)| !seen.holds(*category)).collect();
    if off.is_empty() {
        return None;
    }
    let would: Vec<_> =
        off.iter().map(|(category, what)| format!("`-debug={}` tells {what}", category.as_str())).collect();
    Some(format!("its log has no line of these categories: {}", would.join("; ")))
}

/// What no node can tell.
pub(super) fn of_all(subject: &str, nodes: &[Node]) -> Vec<String> {
    let mut unknown = Vec::new();
    let know = nodes.iter().filter(|node| node.delay_us.is_some());
    let compared = know.clone().count() > 1;
    if compared && know.clone().any(|node| node.bound_us.is_none()) {
        unknown.push(
            "the nodes' clocks were not all compared: times of different nodes contain the clocks' difference"
                .to_owned(),
        );
    }
    if subject == "tx" && nodes.iter().any(is_in_mempool) {
        unknown.push(
            "whether a block took it from the mempool: a log does not tell which transactions a block holds"
                .to_owned(),
        );
    }
    unknown
}

/// Whether the transaction entered the node's mempool, and its log does not say that it left.
fn is_in_mempool(node: &Node) -> bool {
    let last = node.steps.iter().rev().filter_map(|step| step.message).find_map(|message| match message {
        "TransactionAddedToMempool" | "AcceptToMemoryPool" | "OrphanAccepted" => Some(true),
        "TransactionRemovedFromMempool" | "MempoolReplaced" | "MempoolReplacedByPackage" => Some(false),
        _ => None,
    });
    last == Some(true)
}
