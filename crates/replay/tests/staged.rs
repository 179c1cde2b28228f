//! What is staged on real nodes comes back exactly from their logs: a node of every version at hand, three at least.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by a panic, in its own functions too")]

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::ControlFlow,
    time::Duration,
};

use bmon_analysis::{Settings, replay::Report};
use bmon_devnet::{Network, Scenario, Truth, exe};
use bmon_replay::{Node, Replay, ReplayError, Window};

/// What a node tells of the transactions that make the coins, before anything is staged: one can come before the block
/// that makes it possible, or after the block that has it.
const FUNDING: [&str; 2] = ["bad-txns-premature-spend-of-coinbase", "txn-already-known"];

fn stage() -> (Truth, Report) {
    let dir = tempfile::tempdir().unwrap();
    let exes = exe::find().unwrap_or_else(|error| panic!("failed to {error}\nhint: {}", error.hint()));
    let mut network = Network::start(exes.len().max(3), &exes, dir.path()).unwrap();
    let scenario = Scenario { blocks: 4, transactions: 30, interval: Duration::from_millis(5) };
    let truth = scenario.run(&network, &mut |_| ControlFlow::Continue(())).unwrap();
    network.nodes_mut().iter_mut().for_each(|node| node.stop().unwrap());
    let node = |node: &bmon_devnet::Node| Node { name: node.name().clone(), files: vec![node.debug_log()] };
    let nodes: Vec<_> = network.nodes().iter().map(node).collect();
    let regtest = bmon_event::Network::from_chain("regtest").unwrap();
    let replay = Replay::open(&nodes, Window::default()).unwrap();
    let report = replay.run::<ReplayError>(regtest, Settings::default(), |_| Ok(()));
    (truth, report.unwrap())
}

fn check_blocks(truth: &Truth, report: &Report) {
    let found: BTreeMap<_, _> = report.blocks.iter().map(|block| (block.hash, block)).collect();
    for staged in &truth.blocks {
        let block = found[&staged.block];
        assert_eq!(block.height, Some(staged.height));
        for node in &staged.nodes {
            let stages = &block.nodes[node];
            assert!(stages.connected.is_some(), "{} on {node}", staged.block);
            let Some(took) = stages.processing else {
                panic!("{} on {node} took unknown time", staged.block)
            };
            assert_eq!((took.transactions.is_some(), took.durations().count()), (true, 12), "{took:?}");
        }
    }
    let staged = truth.reorgs.iter();
    let staged = staged.map(|reorg| (&reorg.node, Some(reorg.fork_height), &reorg.old, &reorg.new));
    let found = report.reorgs.iter();
    let found = found.map(|reorg| (&reorg.node, reorg.fork_height, &reorg.old, &reorg.new));
    assert_eq!(found.collect::<BTreeSet<_>>(), staged.collect());
}

fn check_rejections(truth: &Truth, report: &Report) {
    let found = report.rejections.iter();
    let found: BTreeMap<_, _> =
        found.map(|found| ((&found.node, found.txid, found.wtxid), &found.code)).collect();
    let staged = truth.rejections.iter();
    let staged: BTreeMap<_, _> =
        staged.map(|staged| ((&staged.node, staged.txid, Some(staged.wtxid)), &staged.codes)).collect();
    for (key, codes) in &staged {
        assert!(found.get(key).is_some_and(|code| codes.contains(*code)), "{key:?}: {:?}", found.get(key));
    }
    // A good transaction can come from one peer after it, or its replacement, came from another.
    for ((node, txid, wtxid), code) in found.into_iter().filter(|(key, _)| !staged.contains_key(key)) {
        let is_good = truth.transactions.iter().any(|good| good.txid == txid && Some(good.wtxid) == wtxid);
        assert!(is_good || FUNDING.contains(&code.as_str()), "{txid} on {node}: {code}");
    }
}

fn check_invalid_blocks(truth: &Truth, report: &Report) {
    let staged = truth.invalid_blocks.iter();
    let staged =
        staged.flat_map(|staged| staged.nodes.iter().map(|node| (staged.block, node, &*staged.code)));
    let found = report.invalid_blocks.iter();
    let found = found.map(|found| (found.hash, &found.node, code(found.reason.as_deref())));
    assert_eq!(found.collect::<BTreeSet<_>>(), staged.collect());
}

/// The first of the node's words, which is Core's code for the reason.
fn code(reason: Option<&str>) -> &str {
    reason.unwrap_or_default().split(',').next().unwrap_or_default()
}

#[test]
fn everything_staged_on_real_nodes_comes_back_exactly() {
    let (truth, report) = stage();
    check_blocks(&truth, &report);
    check_rejections(&truth, &report);
    check_invalid_blocks(&truth, &report);
    assert_eq!((report.warnings, report.gaps), (vec![], vec![]));
    assert!(report.nodes.iter().all(|node| node.version.is_some() && node.tip.is_some()));
}
