//! The whole scenario on real nodes, compared with what the nodes themselves wrote about it.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by a panic, in its own functions too")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    ops::ControlFlow,
    time::Duration,
};

use bmon_devnet::{Network, Node, Progress, Scenario, Step, Truth, exe};
use bmon_event::NodeName;
use serde_json::json;
use tempfile::TempDir;

fn start(dir: &TempDir) -> Network {
    let exes = exe::find().unwrap_or_else(|error| panic!("failed to {error}\nhint: {}", error.hint()));
    Network::start(3, &exes, dir.path()).unwrap()
}

/// The nodes' logs, by name.
struct Logs(BTreeMap<NodeName, String>);

impl Logs {
    fn read(network: &Network) -> Self {
        let read = |node: &Node| (node.name().clone(), fs::read_to_string(node.debug_log()).unwrap());
        Self(network.nodes().iter().map(read).collect())
    }

    /// Each line of the node that holds all of `parts`.
    fn lines<'a>(&'a self, node: &NodeName, parts: &[&str]) -> Vec<&'a str> {
        self.0[node].lines().filter(|line| parts.iter().all(|part| line.contains(part))).collect()
    }

    fn has(&self, node: &NodeName, parts: &[&str]) {
        assert!(!self.lines(node, parts).is_empty(), "{node} has no line with {parts:?}");
    }
}

fn check_chain(truth: &Truth, logs: &Logs) {
    for staged in &truth.blocks {
        for node in &staged.nodes {
            let height = format!("height={} ", staged.height);
            logs.has(node, &[&format!("UpdateTip: new best={}", staged.block), &height]);
        }
    }
    for node in logs.0.keys() {
        let mut expected: Vec<String> = Vec::new();
        for reorg in truth.reorgs.iter().filter(|reorg| reorg.node == *node) {
            expected.extend(reorg.old.iter().rev().map(ToString::to_string));
            assert_eq!(reorg.new.len(), reorg.old.len() + 1);
        }
        let disconnected: Vec<_> = logs.lines(node, &["BlockDisconnected: block hash="]);
        let disconnected = disconnected.iter().filter(|line| !line.contains("Enqueuing"));
        let hash = |line: &&str| line.split("hash=").nth(1).unwrap()[..64].to_owned();
        assert_eq!(disconnected.map(hash).collect::<Vec<_>>(), expected, "{node}");
    }
    for staged in &truth.invalid_blocks {
        for node in &staged.nodes {
            logs.has(node, &[&format!("BlockChecked: block hash={} state={}", staged.block, staged.code)]);
        }
    }
}

fn check_transactions(truth: &Truth, logs: &Logs) {
    for staged in &truth.transactions {
        let ids = format!("txid={} wtxid={}", staged.txid, staged.wtxid);
        for node in logs.0.keys() {
            let added = logs.lines(node, &["] TransactionAddedToMempool: ", &ids]);
            assert_eq!(added.len(), usize::from(staged.nodes.contains(node)), "{node} {ids}");
        }
    }
    for staged in &truth.replacements {
        for node in logs.0.keys() {
            let old = format!("replacing mempool tx {}", staged.old);
            logs.has(node, &[&old, &format!("New tx {}", staged.new)]);
        }
    }
}

fn check_rejections(truth: &Truth, logs: &Logs) {
    for node in logs.0.keys() {
        let mut staged: BTreeMap<String, _> = BTreeMap::new();
        for rejection in truth.rejections.iter().filter(|rejection| rejection.node == *node) {
            staged.insert(rejection.txid.to_string(), (&rejection.codes, &rejection.wtxid));
        }
        let mut refused = BTreeSet::new();
        // A node may refuse one twice: a new block makes it forget what it refused, and an open node announces it.
        for line in logs.lines(node, &["was not accepted: "]) {
            let txid = line.split(' ').nth(2).unwrap();
            let reason = line.split("was not accepted: ").nth(1).unwrap();
            let Some((codes, wtxid)) = staged.get(txid) else {
                // On a busy machine coins overtake the blocks that they need, or come behind their own; and a good
                // transaction comes from one peer after its replacement came from another.
                let funding = ["bad-txns-premature-spend-of-coinbase", "txn-already-known"];
                let is_good = truth.transactions.iter().any(|good| good.txid.to_string() == txid);
                assert!(is_good || funding.iter().any(|code| reason.starts_with(code)), "{line}");
                continue;
            };
            assert!(line.contains(&format!("(wtxid={wtxid})")), "{line}");
            assert!(codes.contains(reason.split(", ").next().unwrap()), "{codes:?}: {line}");
            refused.insert(txid.to_owned());
        }
        assert_eq!(refused, staged.into_keys().collect(), "{node}");
    }
}

#[test]
fn the_nodes_logs_agree_with_what_was_staged() {
    let dir = TempDir::new().unwrap();
    let network = start(&dir);
    let mut steps: Vec<Progress> = Vec::new();
    let mut note = |progress| {
        steps.push(progress);
        ControlFlow::Continue(())
    };
    let truth = Scenario::default().run(&network, &mut note).unwrap();

    assert!(truth.blocks.len() >= 10 && truth.transactions.len() >= 200);
    assert!(truth.replacements.len() >= 10);
    let rejected = |fault| truth.rejections.iter().filter(move |staged| staged.fault == fault).count();
    assert!(bmon_devnet::Fault::ALL.into_iter().all(|fault| rejected(fault) > 0));
    assert!(matches!(truth.reorgs.as_slice(), [reorg] if reorg.old.len() == 2));
    assert_eq!(truth.invalid_blocks.len(), 1);
    assert!(steps.iter().zip(1..).all(|(step, number)| step.done == number));
    assert!(steps.last().is_some_and(|last| last.done == last.total && matches!(last.step, Step::Block(_))));

    let logs = Logs::read(&network);
    check_chain(&truth, &logs);
    check_transactions(&truth, &logs);
    check_rejections(&truth, &logs);

    let json = serde_json::to_string(&truth).unwrap();
    assert_eq!(serde_json::from_str::<Truth>(&json).unwrap(), truth);
}

#[test]
fn a_second_run_on_the_same_network_stages_everything_again() {
    let dir = TempDir::new().unwrap();
    let network = start(&dir);
    let small = Scenario { blocks: 1, transactions: 3, interval: Duration::ZERO };
    let first = small.run(&network, &mut |_| ControlFlow::Continue(())).unwrap();
    let second = small.run(&network, &mut |_| ControlFlow::Continue(())).unwrap();
    for truth in [&first, &second] {
        assert_eq!((truth.blocks.len(), truth.transactions.len()), (1 + 5, 3 + 2 + 2));
        assert_eq!((truth.reorgs.len(), truth.invalid_blocks.len()), (1, 1));
    }
    assert!(first.transactions.iter().all(|staged| !second.transactions.contains(staged)));
    assert!(first.blocks.iter().all(|staged| !second.blocks.contains(staged)));
}

#[test]
fn parted_nodes_hear_nothing_of_each_other_until_they_are_joined() {
    let dir = TempDir::new().unwrap();
    let network = start(&dir);
    network.part(&[1]).unwrap();
    let peers = |index: usize| -> Vec<serde_json::Value> {
        network.nodes()[index].rpc().call("getpeerinfo", json!([])).unwrap()
    };
    assert_eq!([peers(0).len(), peers(1).len(), peers(2).len()], [1, 0, 1]);

    let block = network.nodes()[0].mine(1, bmon_devnet::coin::Lock::new(0)).unwrap()[0];
    network.wait_for_tip(&[0, 2], block).unwrap();
    let height: u32 = network.nodes()[1].rpc().call("getblockcount", json!([])).unwrap();
    assert_eq!(height, 0);

    network.join().unwrap();
    network.wait_for_tip(&[0, 1, 2], block).unwrap();
}
