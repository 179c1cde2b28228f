//! What can go wrong beside the agent: the node restarts, its log is rotated, its RPC hangs. The agent recovers by
//! itself and says what it missed.

use std::time::Duration;

use crate::support::{LIMIT, Site, network, of_source, wait_for};
use bmon_devnet::{Network, Node, Rotation, coin::Lock};

/// A watched node, everything working.
fn watched(dir: &std::path::Path) -> (Network, Site) {
    let network = network(dir, 1);
    let mut site = Site::new(&dir.join("site"), network.nodes());
    site.start_server();
    site.start_agent();
    site.wait_for_sources(network.nodes());
    (network, site)
}

/// Mines a block and waits until the server has it from `sources`.
fn mined_block_arrives(node: &Node, site: &Site, sources: &[&str]) {
    let block = node.mine(1, Lock::new(0)).unwrap()[0];
    for source in sources {
        wait_for(&format!("block {block} from {source}"), LIMIT, || {
            let reply = site.try_get(&format!("blocks/{block}"))?;
            of_source(&reply, node.name(), source).next().map(|_| ())
        });
    }
}

/// Whether no call is said to fail.
fn rpc_is_well(site: &Site, node: &Node) -> Option<bool> {
    let source = site.source(node, "rpc")?;
    Some(source["working"] == true && !source["detail"].as_str()?.contains(", but "))
}

#[test]
fn a_restarted_node_is_watched_on() {
    let dir = tempfile::tempdir().unwrap();
    let (mut network, site) = watched(dir.path());
    mined_block_arrives(&network.nodes()[0], &site, &["log", "zmq"]);
    network.nodes_mut()[0].stop().unwrap();
    let node = &network.nodes()[0];
    for source in ["zmq", "rpc"] {
        wait_for(&format!("{source} to be shown as not working"), LIMIT, || {
            (site.source(node, source)?["working"] == false).then_some(())
        });
    }
    network.nodes_mut()[0].start_again().unwrap();
    site.wait_for_sources(network.nodes());
    mined_block_arrives(&network.nodes()[0], &site, &["log", "zmq"]);
    let gaps = wait_for("the gap for the time without ZMQ", LIMIT, || {
        let gaps = site.list("gaps");
        gaps.iter().any(|gap| gap["source"] == "zmq").then_some(gaps)
    });
    assert!(gaps.iter().all(|gap| gap["source"] != "log"), "the log lost nothing: {gaps:?}");
}

#[test]
fn a_rotated_log_is_followed() {
    let dir = tempfile::tempdir().unwrap();
    let (network, site) = watched(dir.path());
    let node = &network.nodes()[0];
    for how in [Rotation::Rename, Rotation::CopyTruncate] {
        mined_block_arrives(node, &site, &["log"]);
        node.rotate_log(how).unwrap();
        mined_block_arrives(node, &site, &["log"]);
    }
    let gaps = site.list("gaps");
    assert!(gaps.is_empty(), "rotation loses nothing: {gaps:?}");
}

#[test]
fn a_node_that_hangs_is_shown_and_recovers() {
    let dir = tempfile::tempdir().unwrap();
    let (network, site) = watched(dir.path());
    let node = &network.nodes()[0];
    node.pause().unwrap();
    wait_for("RPC to be shown as not working", LIMIT, || (!rpc_is_well(&site, node)?).then_some(()));
    let heard = |site: &Site| site.get("nodes")["nodes"][0]["heard_at_us"].as_i64().unwrap();
    let before = heard(&site);
    wait_for("the agent to be heard meanwhile", Duration::from_secs(30), || {
        (heard(&site) > before).then_some(())
    });
    node.resume().unwrap();
    wait_for("RPC to be shown as well again", LIMIT, || rpc_is_well(&site, node)?.then_some(()));
    mined_block_arrives(node, &site, &["log", "zmq"]);
}
