//! Agent and server are killed at random moments while blocks and transactions flow: nothing that a node's log says is
//! lost or counted twice, and of what ZMQ said only what is reported as a gap.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::ControlFlow,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use crate::support::{LIMIT, Random, Site, network, of_source, setting, transactions_in_log, wait_for};
use bmon_devnet::{Network, Node, Scenario, ScenarioError, coin::Lock};
use bmon_event::NodeName;
use serde_json::Value;

#[test]
fn nothing_is_lost_or_counted_twice_when_agent_and_server_are_killed() {
    let kills = setting("BMON_KILLS", 4);
    let mut random = Random::seeded();
    let dir = tempfile::tempdir().unwrap();
    let network = network(dir.path(), 2);
    let mut site = Site::new(&dir.path().join("site"), network.nodes());
    site.start_server();
    site.start_agent();
    site.wait_for_sources(network.nodes());

    let ended = AtomicBool::new(false);
    thread::scope(|scope| {
        let flow = scope.spawn(|| flow(&network, kills, &ended));
        for _ in 0..kills {
            pause(&mut random);
            site.kill_agent();
            pause(&mut random);
            site.start_agent();
            pause(&mut random);
            site.kill_server();
            pause(&mut random);
            site.start_server();
        }
        ended.store(true, Ordering::Relaxed);
        flow.join().unwrap();
    });

    let fence = fence(&site, &network);
    wait_for("exactly the transactions of the logs", LIMIT, || {
        let all: BTreeSet<_> = logs(&network).into_values().flat_map(BTreeMap::into_keys).collect();
        (site.get("status")["transactions"] == all.len()).then_some(())
    });
    let mut logs = logs(&network);
    for (node, log) in &mut logs {
        // What came after the fence may still be on its way over ZMQ.
        log.retain(|_, at| *at <= fence[node]);
    }
    for node in network.nodes() {
        check_transactions(&site, node, &logs[node.name()]);
    }
    check_blocks(&site, &network);
    let transactions = site.get("status")["transactions"].clone();
    println!("{kills} kills each; {transactions} transactions; {} gaps", site.list("gaps").len());
}

/// When each node's log first tells of each transaction.
fn logs(network: &Network) -> BTreeMap<NodeName, BTreeMap<String, i64>> {
    let log = |node: &Node| (node.name().clone(), transactions_in_log(&node.debug_log()));
    network.nodes().iter().map(log).collect()
}

/// Blocks and transactions until `ended`: one long scenario, since each begins with new coins, and regtest's coinbases
/// halve every 150 blocks.
fn flow(network: &Network, kills: u64, ended: &AtomicBool) {
    let kills = u32::try_from(kills).unwrap();
    let scenario = Scenario {
        blocks: 10 + 6 * kills,
        transactions: 200 + 120 * kills,
        interval: Duration::from_millis(20),
    };
    let mut go_on =
        |_| if ended.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
    let end = scenario.run(network, &mut go_on);
    assert!(matches!(end, Err(ScenarioError::Ended)), "the flow ended before the last kill: {end:?}");
}

/// The random moment is the subject of the test; no state is waited for.
fn pause(random: &mut Random) {
    thread::sleep(Duration::from_millis(random.below(400)));
}

/// Mines until a block has arrived from every node over both ways: behind everything that was said before it. When each
/// node's log told of it.
fn fence(site: &Site, network: &Network) -> BTreeMap<NodeName, i64> {
    wait_for("a block that every node told by log and by ZMQ", LIMIT, || {
        let block = network.nodes()[0].mine(1, Lock::new(0)).unwrap()[0];
        // A block that is mined before the last subscription stands never comes over ZMQ; another one is tried then.
        (0..100).find_map(|_| {
            thread::sleep(Duration::from_millis(20));
            let reply = site.try_get(&format!("blocks/{block}"))?;
            network.nodes().iter().map(|node| fenced(&reply, node)).collect()
        })
    })
}

/// When the log of `node` told of the block in `reply`, if ZMQ told of it too.
fn fenced(reply: &Value, node: &Node) -> Option<(NodeName, i64)> {
    of_source(reply, node.name(), "zmq").next()?;
    let first =
        of_source(reply, node.name(), "log").filter_map(|sighting| sighting["node_at_us"].as_i64()).min()?;
    Some((node.name().clone(), first))
}

/// Each transaction of the log was first told at the log's own time, whatever ZMQ told before. What was told last comes to the
/// database a little later.
fn check_transactions(site: &Site, node: &Node, log: &BTreeMap<String, i64>) {
    for (txid, at) in log {
        let what = format!("{txid} at {} from the log at {at}", node.name());
        wait_for(&what, LIMIT, || {
            let reply = site.get(&format!("txs/{txid}"));
            let mut nodes = reply["nodes"].as_array()?.iter();
            let told = nodes.find(|told| told["node"] == node.name().as_str())?;
            let seen = ["accepted", "refused"].map(|verdict| &told[verdict]);
            let seen = seen.into_iter().filter(|seen| seen["source"] == "log");
            let first = seen.filter_map(|seen| seen["node_at_us"].as_i64()).min();
            (first == Some(*at)).then_some(())
        });
    }
}

/// Waits until `what` the log told of at `at` has come over ZMQ, or a gap says that it may not have: which is said only
/// once the next subscription stands. How often it has come.
fn heard_or_gap(site: &Site, node: &Node, at: i64, what: &str, heard: impl Fn() -> usize) -> usize {
    let what = format!("{what} of {at} at {} over ZMQ, or a gap that covers it", node.name());
    wait_for(&what, Duration::from_secs(10), || {
        let heard = heard();
        (heard > 0 || in_gap(&site.list("gaps"), node, at)).then_some(heard)
    })
}

/// Every block of the active chain, connected on every node, by log and by ZMQ.
fn check_blocks(site: &Site, network: &Network) {
    let rpc = network.nodes()[0].rpc();
    let height: u32 = rpc.call("getblockcount", serde_json::json!([])).unwrap();
    for height in 1..=height {
        let hash: String = rpc.call("getblockhash", serde_json::json!([height])).unwrap();
        for node in network.nodes() {
            let log = connected(site, node, &hash, "log");
            assert_eq!(log.len(), 1, "block {height} at {}: {log:?}", node.name());
            let heard = || connected(site, node, &hash, "zmq").len();
            assert!(heard_or_gap(site, node, log[0], &hash, heard) <= 1, "block {height} at {}", node.name());
        }
    }
}

/// When `source` first told that `node` connected a block.
fn connected(site: &Site, node: &Node, hash: &str, source: &str) -> Vec<i64> {
    of_source(&site.get(&format!("blocks/{hash}")), node.name(), source)
        .filter(|sighting| sighting["stage"] == "connected")
        .map(|sighting| sighting["node_at_us"].as_i64().unwrap())
        .collect()
}

/// Whether a ZMQ gap of `node` covers `at`.
fn in_gap(gaps: &[Value], node: &Node, at: i64) -> bool {
    // The log's stamp and the message's arrival are not the same instant: the node writes, then publishes.
    const SKEW_US: i64 = 250_000;
    gaps.iter().any(|gap| {
        gap["node"] == node.name().as_str()
            && gap["source"] == "zmq"
            && gap["from_us"].as_i64().is_none_or(|from| from - SKEW_US <= at)
            && at <= gap["to_us"].as_i64().unwrap() + SKEW_US
    })
}
