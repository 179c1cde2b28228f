//! The server is away for a while: the agent spools, then delivers, and in the end the findings are those of a server
//! that was never away.

use std::{ops::ControlFlow, thread, time::Duration};

use crate::support::{LIMIT, Site, network, setting, wait_for};
use bmon_devnet::{Network, Scenario};
use serde_json::{Value, json};

#[test]
fn after_an_outage_the_findings_are_those_of_an_undisturbed_run() {
    let seconds = setting("BMON_OUTAGE_SECONDS", 5);
    let dir = tempfile::tempdir().unwrap();
    let network = network(dir.path(), 3);
    let [mut undisturbed, mut away] =
        ["undisturbed", "away"].map(|name| Site::new(&dir.path().join(name), network.nodes()));
    for site in [&mut undisturbed, &mut away] {
        site.start_server();
        site.start_agent();
        site.wait_for_sources(network.nodes());
    }

    away.kill_server();
    thread::scope(|scope| {
        // What is tested is a stretch of time.
        let outage = scope.spawn(|| thread::sleep(Duration::from_secs(seconds)));
        let scenario = Scenario {
            blocks: 12 + u32::try_from(seconds / 4).unwrap(),
            transactions: 200 + 20 * u32::try_from(seconds).unwrap(),
            ..Scenario::default()
        };
        scenario.run(&network, &mut |_| ControlFlow::Continue(())).unwrap();
        outage.join().unwrap();
    });
    away.start_server();

    let expected = wait_for("the undisturbed findings to settle", LIMIT, || settled(&undisturbed, &network));
    assert!(!expected["reorgs"].as_array().unwrap().is_empty());
    // The last transactions may come to the database a little later than the blocks.
    let found = wait_for("the same findings after the outage", LIMIT, || {
        let found = findings(&away, &network);
        (found == findings(&undisturbed, &network)).then_some(found)
    });
    println!("{seconds} s away; {} transactions", found["transactions"]);
}

/// The findings, once they have all blocks of the chain.
fn settled(site: &Site, network: &Network) -> Option<Value> {
    let found = findings(site, network);
    let complete =
        found["blocks"].as_array()?.iter().all(|block| block.as_array().is_some_and(|log| log.len() == 3));
    (complete && found == findings(site, network)).then_some(found)
}

/// Everything that rests on the log, whose times are the node's own: the same whoever reads it.
fn findings(site: &Site, network: &Network) -> Value {
    let bodies = |name: &str, keys: &[&str]| {
        let mut bodies: Vec<String> = site
            .list(name)
            .iter()
            .map(|found| keys.iter().map(|key| found[key].to_string()).collect::<Vec<_>>().join(" "))
            .collect();
        bodies.sort();
        bodies
    };
    json!({
        "blocks": blocks(site, network),
        "transactions": site.get("status")["transactions"],
        "reorgs": bodies("reorgs", &["node", "fork_height", "depth", "old", "new"]),
        "rejections": bodies("rejections", &["node", "txid", "code", "reason", "peer"]),
        "invalid": bodies("invalid-blocks", &["node", "block", "height", "reason"]),
    })
}

/// For each block of the active chain, when each node connected it according to its log.
fn blocks(site: &Site, network: &Network) -> Vec<Value> {
    let rpc = network.nodes()[0].rpc();
    let height: u32 = rpc.call("getblockcount", json!([])).unwrap();
    let hash = |height| rpc.call::<String>("getblockhash", json!([height])).unwrap();
    let connected = |hash: String| {
        let reply = site.try_get(&format!("blocks/{hash}"))?;
        let sightings = reply["sightings"].as_array()?.iter();
        let from_log =
            sightings.filter(|sighting| sighting["source"] == "log" && sighting["stage"] == "connected");
        Some(from_log.map(|sighting| json!([sighting["node"], sighting["node_at_us"]])).collect::<Value>())
    };
    (1..=height).map(|height| connected(hash(height)).unwrap_or(Value::Null)).collect()
}
