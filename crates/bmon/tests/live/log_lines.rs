//! What the logs of real nodes say about a block and a transaction, asked of a live server.

use std::fs;

use crate::support::{LIMIT, Site, network, wait_for};
use bmon_devnet::{Network, Node, Purse, coin::Lock};
use bmon_event::Txid;
use serde_json::{Value, json};

#[test]
fn a_live_server_tells_what_each_log_says_about_a_block_and_a_transaction() {
    let dir = tempfile::tempdir().unwrap();
    let network = network(dir.path(), 2);
    let mut site = Site::new(&dir.path().join("site"), network.nodes());
    site.start_server();
    site.start_agent();
    site.wait_for_sources(network.nodes());

    let transaction = transaction(&network);
    let block = network.nodes()[0].mine(1, Lock::new(0)).unwrap()[0].to_string();
    for (kind, hash, messages) in [
        ("tx", &transaction, ["TransactionAddedToMempool: txid=", "AcceptToMemoryPool: peer="]),
        ("block", &block, ["UpdateTip: new best=", "BlockConnected: block hash="]),
    ] {
        let found = wait_for(kind, LIMIT, || told(&site, &network, &format!("log-lines/{kind}/{hash}")));
        for node in network.nodes() {
            check(node, &found[node.name().as_str()], hash);
        }
        for message in messages {
            let text = found.to_string();
            assert!(text.contains(message), "no `{message}` in {text}");
        }
    }
    agents_that_are_away_are_named(&mut site, &network, &format!("log-lines/block/{block}"));
}

/// The id of a transaction that both nodes have.
fn transaction(network: &Network) -> String {
    let coin = Purse::fill(network, 1).unwrap().take().unwrap();
    let transaction = coin.pay(bitcoin::Amount::from_sat(10_000));
    let hex = bitcoin::consensus::encode::serialize_hex(&transaction);
    let txid: Txid = network.nodes()[0].rpc().call("sendrawtransaction", json!([hex])).unwrap();
    network.wait_for_transaction(&[0, 1], txid).unwrap();
    txid.to_string()
}

/// The lines of each node by its name, once all have told all.
fn told(site: &Site, network: &Network, path: &str) -> Option<Value> {
    let reply = site.try_get(path)?;
    let nodes = reply["nodes"].as_array()?;
    let complete = nodes.iter().filter(|node| node["complete"] == true && node["problem"].is_null());
    let lines: serde_json::Map<_, _> =
        complete.map(|node| (node["node"].as_str().unwrap().to_owned(), node["lines"].clone())).collect();
    (lines.len() == network.nodes().len() && lines.values().all(|lines| !lines[0].is_null()))
        .then(|| lines.into())
}

/// Every line stands in the node's log, in this order, and every line of the log with the hash is there, unless it is
/// one of a message that bmon does not know.
fn check(node: &Node, lines: &Value, hash: &str) {
    let log = fs::read(node.debug_log()).unwrap();
    let log = String::from_utf8_lossy(&log);
    let mut rest = log.lines();
    for line in lines.as_array().unwrap() {
        assert!(rest.any(|known| known == line), "not in its place in the log of {}: {line}", node.name());
    }
    let named = |line: &&str| line.contains(hash);
    let told = lines.as_array().unwrap().iter().filter_map(Value::as_str).filter(named).count();
    let written = log.lines().filter(named).count();
    println!("{}: {told} of {written} lines with {hash}", node.name());
    assert!(told * 10 >= written * 9, "{told} of {written} lines with {hash}");
}

fn agents_that_are_away_are_named(site: &mut Site, network: &Network, path: &str) {
    site.kill_agent();
    let reply = site.get(path);
    let nodes = reply["nodes"].as_array().unwrap();
    assert_eq!(nodes.len(), network.nodes().len());
    for (node, found) in network.nodes().iter().zip(nodes) {
        let problem = found["problem"].as_str().unwrap();
        assert_eq!((&found["node"], &found["complete"]), (&json!(node.name().as_str()), &json!(false)));
        assert!(
            problem == "the node's agent did not answer in time" || problem == "the node's agent is away",
            "{problem}"
        );
    }
    site.start_agent();
    wait_for("answers of an agent that is back", LIMIT, || told(site, network, path));
}
