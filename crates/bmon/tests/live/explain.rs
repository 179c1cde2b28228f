//! `bmon explain` asks a live server about a block and a refused transaction of real nodes.

use crate::support::{LIMIT, Site, network, wait_for};
use bmon_devnet::{Fault, Network, Peer, Purse, coin::Lock};
use serde_json::Value;

#[test]
fn a_live_server_explains_a_block_and_a_refused_transaction_with_lines() {
    let dir = tempfile::tempdir().unwrap();
    let network = network(dir.path(), 2);
    let mut site = Site::new(&dir.path().join("site"), network.nodes());
    site.start_server();
    site.start_agent();
    site.wait_for_sources(network.nodes());

    let refused = refused_transaction(&network);
    let block = network.nodes()[0].mine(1, Lock::new(0)).unwrap()[0];
    let tx = explained(&site, "tx", &refused, |node| has_step(node, "NotAccepted"));
    for node in &tx {
        let step = step(node, "NotAccepted").unwrap();
        assert!(step["text"].as_str().unwrap().contains("fee not met"), "{step}");
    }
    let block = block.to_string();
    let nodes =
        explained(&site, "block", &block, |node| has_step(node, "UpdateTip") && has_source(node, "zmq"));
    for node in &nodes {
        assert!(node["bound_us"].is_number() && node["offset_us"].is_array(), "{node}");
        let line = step(node, "UpdateTip").unwrap()["lines"][0].as_str().unwrap().to_owned();
        assert!(line.contains(&format!("UpdateTip: new best={block} ")), "{line}");
    }

    let text = site.bmon(&["explain", "block", &block, "--server", &site.url]);
    assert!(text.contains("known to 2 of 2 nodes") && text.contains("told by zmq"), "{text}");
    // The nodes are of one host, and its clock was compared with the server's.
    assert!(!text.contains("clock difference unknown"), "{text}");

    let unknown = "ee".repeat(32);
    let output = site.command(&["explain", "block", &unknown, "--server", &site.url]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
}

/// The id of a transaction without a fee that every node was sent, and that none takes.
fn refused_transaction(network: &Network) -> String {
    let coin = Purse::fill(network, 1).unwrap().take().unwrap();
    let transaction = Fault::NoFee.transaction(&coin);
    for node in network.nodes() {
        Peer::connect(node.p2p_address()).unwrap().deliver_transaction(&transaction).unwrap();
    }
    transaction.compute_txid().to_string()
}

/// The nodes of an explanation, once all of them know what is `wanted`.
fn explained(site: &Site, word: &str, hash: &str, wanted: impl Fn(&Value) -> bool) -> Vec<Value> {
    wait_for(&format!("the explanation of {word} {hash}"), LIMIT, || {
        let output = site.command(&["explain", word, hash, "--json"]).output().unwrap();
        let document: Value = serde_json::from_slice(&output.stdout).ok()?;
        let nodes = document["nodes"].as_array()?.clone();
        (nodes.len() == 2 && nodes.iter().all(&wanted)).then_some(nodes)
    })
}

fn step<'a>(node: &'a Value, message: &str) -> Option<&'a Value> {
    node["steps"].as_array()?.iter().find(|step| step["message"] == message)
}

fn has_step(node: &Value, message: &str) -> bool {
    step(node, message).is_some()
}

fn has_source(node: &Value, source: &str) -> bool {
    node["steps"].as_array().unwrap().iter().any(|step| step["source"] == source)
}
