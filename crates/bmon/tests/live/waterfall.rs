//! A compact block between two real nodes, one of which lacks a transaction: every step of it is in the API, at the time and
//! with the numbers that the node's log has.

use std::fs;

use crate::support::{LIMIT, Site, micros, wait_for};
use bitcoin::{Amount, consensus::encode::serialize_hex};
use bmon_devnet::{Network, Node, Purse, coin::Lock, exe};
use serde_json::{Value, json};

/// The steps that a node takes with a compact block that it cannot complete by itself, and what each has in the log.
const STEPS: [(&str, &str); 8] = [
    ("header", "header hash=BLOCK"),
    ("compact-block", "Initialized PartiallyDownloadedBlock for block BLOCK"),
    ("transactions-requested", "sending getblocktxn"),
    ("reconstructed", "Successfully reconstructed block BLOCK"),
    ("checked", "BlockChecked: block hash=BLOCK"),
    ("connected", "UpdateTip: new best=BLOCK"),
    ("tip", "Enqueuing UpdatedBlockTip: new block hash=BLOCK"),
    ("announced", "header hash=BLOCK"),
];

#[test]
fn every_step_of_a_compact_block_is_told_at_its_time_and_with_its_numbers() {
    let dir = tempfile::tempdir().unwrap();
    let exes = exe::find().unwrap_or_else(|error| panic!("{error}: {}", error.hint()));
    let mut configs = Network::configs(2, &exes, &dir.path().join("nodes"));
    for config in &mut configs {
        config.debug.push("net".to_owned());
        config.extra_args.push("-logthreadnames=1".to_owned());
    }
    let network = Network::start_from(configs).unwrap();
    let mut site = Site::new(&dir.path().join("site"), network.nodes());
    site.start_server();
    site.start_agent();
    site.wait_for_sources(network.nodes());
    let mut purse = Purse::fill(&network, 2).unwrap();
    // Each implementation once as the one that lacks the transaction.
    for (from, to) in [(0, 1), (1, 0)] {
        network.part(&[1]).unwrap();
        let [from, to] = [from, to].map(|index: usize| &network.nodes()[index]);
        let tx = purse.take().unwrap().pay(Amount::from_sat(10_000));
        let _: Value = from.rpc().call("sendrawtransaction", json!([serialize_hex(&tx)])).unwrap();
        network.join().unwrap();
        let block = from.mine(1, Lock::new(0)).unwrap()[0];
        network.wait_for_tip(&[0, 1], block).unwrap();
        check(&site, to, &block.to_string());
    }
}

fn check(site: &Site, node: &Node, block: &str) {
    let way = wait_for("all steps", LIMIT, || {
        let reply = site.try_get(&format!("blocks/{block}"))?;
        let ways = reply["waterfall"].as_array()?;
        let way = ways.iter().find(|way| way["node"] == node.name().as_str())?.clone();
        STEPS.iter().all(|(name, _)| !step(&way, name).is_null()).then_some(way)
    });
    let log = fs::read_to_string(node.debug_log()).unwrap();
    let first = log.lines().position(|line| line.contains(&format!("header hash={block}"))).unwrap();
    let lines: Vec<_> = log.lines().skip(first).collect();
    for (name, text) in STEPS {
        let text = text.replace("BLOCK", block);
        let line = lines.iter().find(|line| line.contains(&text)).unwrap();
        let told = step(&way, name);
        assert_eq!(told["source"], "log", "{told}");
        // The node's clock is the server's: only the correction is between them.
        let off_us = (told["at_us"].as_i64().unwrap() - micros(line)).abs();
        assert!(off_us <= told["clock_bound_us"].as_i64().unwrap(), "{name}: {told} is not `{line}`");
    }
    let reconstructed = step(&way, "reconstructed");
    for (key, expected) in [("prefilled", 1), ("from_mempool", 0), ("requested", 1)] {
        assert_eq!(reconstructed[key], expected, "{reconstructed}");
    }
    let peer = &step(&way, "compact-block")["peer"];
    assert!(peer.is_u64() && reconstructed["message_bytes"].as_i64() > Some(33), "{reconstructed}");
    for told in ["transactions-requested", "reconstructed", "announced"].map(|name| step(&way, name)) {
        assert_eq!(told["peer"], *peer, "{told}");
    }
    let order: Vec<_> = way["steps"].as_array().unwrap().iter().map(|step| &step["after_us"]).collect();
    assert!(order.is_sorted_by_key(|us| us.as_i64()), "{order:?}");
    assert!(!step(&way, "connecting").is_null(), "`-debug=bench` tells when connecting began");
    check_command(site, node, block);
}

/// The command shows what the API says, and takes the height for the hash.
fn check_command(site: &Site, node: &Node, block: &str) {
    let text = site.bmon(&["block", block]);
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    let of_node = text.split(&format!("\n{}: ", node.name())).nth(1).unwrap();
    assert!(of_node.contains("transactions requested ") && of_node.contains("1 requested ("), "{text}");
    let height = node.height().unwrap().to_string();
    let reply: Value = serde_json::from_str(&site.bmon(&["block", &height, "--json"])).unwrap();
    assert_eq!(reply["block"], block);
    assert!(!reply["waterfall"].as_array().unwrap().is_empty());
}

/// A step of a way, null if the node did not tell it.
fn step<'a>(way: &'a Value, name: &str) -> &'a Value {
    let found = way["steps"].as_array().and_then(|steps| steps.iter().find(|step| step["step"] == name));
    found.unwrap_or(&Value::Null)
}
