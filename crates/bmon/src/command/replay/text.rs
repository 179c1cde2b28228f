//! The report for people.

use std::{cmp::Reverse, collections::BTreeMap};

use bmon_analysis::replay::{Block, Quantiles, Report, Stages, Time};
use bmon_event::NodeName;

use crate::{
    table::{Align, Table},
    text::{duration, or_dash, short},
};

use Align::{Left, Right};

/// Findings of one kind that are listed one by one; the JSON document has all.
const LISTED: usize = 20;

/// Blocks shown that took longest to reach all nodes.
const SLOWEST: usize = 5;

/// What there is to say, most telling first. Kinds of which nothing was found are left out.
pub(super) fn report(report: &Report) -> String {
    let mut text = nodes(report);
    text.push('\n');
    text.push_str(&lines(report));
    let found = [reorgs(report), invalid_blocks(report), rejections(report), gaps(report), vanished(report)];
    for section in [spread(report)].into_iter().chain(found) {
        if !section.is_empty() {
            text.push('\n');
            text.push_str(&section);
        }
    }
    if !report.warnings.is_empty() {
        text.push('\n');
    }
    report.warnings.iter().for_each(|warning| text.push_str(&format!("warning: {warning}\n")));
    text
}

fn nodes(report: &Report) -> String {
    let mut table = Table::new(vec![
        ("NODE", Left),
        ("FROM", Left),
        ("TO", Left),
        ("FILES", Right),
        ("LINES", Right),
        ("HEIGHT", Right),
        ("TIP", Left),
        ("VERSION", Left),
    ]);
    for node in &report.nodes {
        table.row(vec![
            node.node.to_string(),
            or_dash(node.from.map(second)),
            or_dash(node.to.map(second)),
            node.files.len().to_string(),
            node.lines.to_string(),
            or_dash(node.height),
            node.tip.as_ref().map_or_else(|| "-".to_owned(), short),
            or_dash(node.version.as_ref()),
        ]);
    }
    table.render()
}

/// A time to the second: enough to tell what a log is of.
fn second(time: Time) -> String {
    let text = time.0.to_string();
    text.split_once('.').map_or(text.clone(), |(second, _)| format!("{second}Z"))
}

fn lines(report: &Report) -> String {
    let lines = &report.lines;
    let percent = 100.0 * lines.matched as f64 / lines.total.max(1) as f64;
    let found = [
        (report.blocks.len(), "block"),
        (report.reorgs.len(), "reorg"),
        (report.invalid_blocks.len(), "invalid block"),
        (report.rejections.len(), "rejection"),
        (report.gaps.len(), "gap"),
    ];
    let found = found.map(|(count, what)| format!("{count} {what}{}", if count == 1 { "" } else { "s" }));
    let (total, matched) = (lines.total, lines.matched);
    format!("{total} lines, {matched} of them ({percent:.1} %) messages bmon knows\n{}\n", found.join(", "))
}

fn spread(report: &Report) -> String {
    let Some(Quantiles { p50, p75, p90, p95, p99, p99_9 }) = report.block_spread.quantiles else {
        return String::new();
    };
    let blocks = report.block_spread.blocks;
    let names = ["p50", "p75", "p90", "p95", "p99", "p99.9"];
    let mut table = Table::new(names.map(|name| (name, Right)).to_vec());
    table.row([p50, p75, p90, p95, p99, p99_9].map(|seconds| format!("{seconds:.3} s")).to_vec());
    format!(
        "FROM THE FIRST NODE'S TIP TO THE LAST'S, {blocks} BLOCKS\n{}\n{}",
        table.render(),
        slowest(report)
    )
}

/// The blocks that took longest from the first node to the last.
fn slowest(report: &Report) -> String {
    let connected = |(node, stages): (&NodeName, &Stages)| Some((stages.connected?.0, node.clone()));
    let took = |block: &Block| {
        let times = || block.nodes.iter().filter_map(connected);
        let (first, last) = (times().min()?, times().max()?);
        let by_all = times().count() == report.nodes.len();
        by_all.then(|| (last.0.micros_since(first.0), block.height, block.hash, first.1, last.1))
    };
    let mut slowest: Vec<_> = report.blocks.iter().filter_map(took).collect();
    slowest.sort_by_key(|(us, ..)| Reverse(*us));
    let mut table = Table::new(vec![
        ("SLOWEST", Right),
        ("HEIGHT", Right),
        ("FIRST", Left),
        ("LAST", Left),
        ("BLOCK", Left),
    ]);
    for (us, height, hash, first, last) in slowest.into_iter().take(SLOWEST) {
        let (first, last) = (first.to_string(), last.to_string());
        table.row(vec![duration(us), or_dash(height), first, last, hash.to_string()]);
    }
    table.render()
}

fn reorgs(report: &Report) -> String {
    let mut text = String::new();
    for reorg in report.reorgs.iter().take(LISTED) {
        let fork = or_dash(reorg.fork_height);
        let (node, depth, at) = (&reorg.node, reorg.depth, reorg.finished_at.0);
        text.push_str(&format!("REORG of {node} at {at}: {depth} deep, fork at {fork}\n"));
        reorg.old.iter().for_each(|block| text.push_str(&format!("  - {block}\n")));
        reorg.new.iter().for_each(|block| text.push_str(&format!("  + {block}\n")));
    }
    text + &others(report.reorgs.len(), "reorgs")
}

fn invalid_blocks(report: &Report) -> String {
    let mut text = String::new();
    for block in report.invalid_blocks.iter().take(LISTED) {
        let (node, at, hash) = (&block.node, block.at.0, block.hash);
        let (height, reason) = (or_dash(block.height), or_dash(block.reason.as_ref()));
        text.push_str(&format!("INVALID BLOCK of {node} at {at}: height {height}, {reason}\n  {hash}\n"));
    }
    text + &others(report.invalid_blocks.len(), "invalid blocks")
}

/// One by one where they are few, by reason where they are many.
fn rejections(report: &Report) -> String {
    if report.rejections.is_empty() {
        return String::new();
    }
    if report.rejections.len() > LISTED {
        return rejections_by_code(report);
    }
    let mut table = Table::new(vec![("REJECTED AT", Left), ("NODE", Left), ("TXID", Left), ("REASON", Left)]);
    for found in &report.rejections {
        let (at, node) = (found.at.0.to_string(), found.node.to_string());
        table.row(vec![at, node, found.txid.to_string(), found.reason.clone()]);
    }
    table.render()
}

fn rejections_by_code(report: &Report) -> String {
    let mut counts: BTreeMap<_, u64> = BTreeMap::new();
    for found in &report.rejections {
        *counts.entry((&found.node, found.code.as_str())).or_default() += 1;
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|((node, _), count)| (*node, Reverse(*count)));
    let mut table = Table::new(vec![("REJECTIONS", Right), ("NODE", Left), ("REASON", Left)]);
    for ((node, code), count) in counts {
        table.row(vec![count.to_string(), node.to_string(), code.to_owned()]);
    }
    table.render()
}

fn gaps(report: &Report) -> String {
    let mut text = String::new();
    for gap in report.gaps.iter().take(LISTED) {
        let (node, from, to) = (&gap.node, or_dash(gap.from.map(|at| at.0)), gap.to.0);
        text.push_str(&format!("GAP of {node} from {from} to {to}: {}\n", gap.reason));
    }
    text + &others(report.gaps.len(), "gaps")
}

fn vanished(report: &Report) -> String {
    let mut text = String::new();
    for found in report.vanished_messages.iter().take(LISTED) {
        let (node, at, lines, expected) =
            (&found.node, found.watched_from.0, found.lines_before, found.expected);
        let version = &found.version_after;
        text.push_str(&match (&found.message, found.came_at) {
            (_, Some(_)) => continue,
            (Some(message), _) => format!(
                "VANISHED MESSAGE of {node} since {at}, {version}: {message}, {lines} times in the day before, \
                 {expected:.0} expected\n"
            ),
            (None, _) => format!(
                "UNKNOWN LINES of {node} since {at}, {version}: {:.1} % of all, {:.1} % before\n",
                found.unmatched_after * 100.0,
                found.unmatched_before * 100.0
            ),
        });
    }
    text + &others(report.vanished_messages.len(), "vanished messages")
}

/// Says what is not listed.
fn others(found: usize, what: &str) -> String {
    match found.checked_sub(LISTED) {
        Some(more @ 1..) => format!("and {more} more {what}: `--json` lists all\n"),
        _ => String::new(),
    }
}
