//! Who mined a block, by the coinbase that a real node gives a live server.

use crate::support::{LIMIT, Site, network, wait_for};
use bmon_devnet::coin::Lock;

#[test]
fn the_coinbase_of_a_new_block_is_asked_of_an_agent_and_kept_through_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let network = network(dir.path(), 2);
    let mut site = Site::new(&dir.path().join("site"), network.nodes());
    site.start_server();
    site.start_agent();
    site.wait_for_sources(network.nodes());

    let block = network.nodes()[0].mine(1, Lock::new(0)).unwrap()[0].to_string();
    let miner = |site: &Site| {
        let reply = site.try_get(&format!("blocks/{block}"))?;
        (!reply["miner"].is_null()).then(|| reply["miner"].clone())
    };
    let told = wait_for("the miner", LIMIT, || miner(&site));
    // Nobody writes a pool's name into a block of a test network.
    assert!(told["pool"].is_null() && told["coinbase_text"].is_string(), "{told}");
    site.kill_server();
    site.start_server();
    assert_eq!(wait_for("the miner after a restart", LIMIT, || miner(&site)), told);
}
