//! Which block has a transaction is known of those too that nobody watches.

use bmon_devnet::{Purse, coin::Lock};
use serde_json::Value;

use crate::{
    support::{self, LIMIT, Site, wait_for},
    watch::{FEE, mine_apart, reorg_to_empty, send},
};

/// What is said of the blocks that have the transaction, as soon as `is` holds of it.
fn mined(site: &Site, txid: &str, is: impl Fn(&[Value]) -> bool) -> Vec<Value> {
    wait_for(&format!("the blocks of {txid}"), LIMIT, || {
        let mined = site.try_get(&format!("txs/{txid}"))?["mined"].as_array()?.clone();
        is(&mined).then_some(mined)
    })
}

fn connected(mined: &Value) -> usize {
    mined["connected"].as_array().unwrap().len()
}

#[test]
fn a_payment_is_mined_left_behind_and_mined_again_through_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let network = support::network(dir.path(), 2);
    let payment = Purse::fill(&network, 1).unwrap().take().unwrap().pay(FEE);
    let txid = payment.compute_txid().to_string();
    let mut site = Site::new(&dir.path().join("bmon"), network.nodes());
    site.start_server();
    site.start_agent();
    site.wait_for_sources(network.nodes());

    send(&network, 0, &payment);
    let (block, height) = mine_apart(&network);
    let first = mined(&site, &txid, |mined| mined.len() == 1 && connected(&mined[0]) == 1);
    let is_it = |mined: &Value| mined["block"] == block.to_string() && mined["height"] == height;
    assert!(is_it(&first[0]) && first[0]["is_in_best_chain"] == true, "{first:?}");
    assert_eq!(first[0]["connected"][0]["node"], network.nodes()[0].name().as_str());
    assert_eq!(site.get(&format!("txs/{txid}"))["seen"].as_array().unwrap().len(), 2);
    let told =
        format!("mined in {block}, height {height}, at {}", first[0]["connected"][0]["at"].as_str().unwrap());
    let text = site.bmon(&["tx", &txid]);
    assert!(text.lines().any(|line| line == told), "{told} is not in {text}");

    reorg_to_empty(&network);
    mined(&site, &txid, |mined| mined.len() == 1 && mined[0]["is_in_best_chain"] == false);
    let text = site.bmon(&["tx", &txid]);
    let left = format!("{told}, in a block that was left behind");
    assert!(text.lines().any(|line| line == left), "{left} is not in {text}");

    site.kill_server();
    site.start_server();
    site.wait_for_sources(network.nodes());
    // The first node took it back into its mempool when it left the block.
    let again = network.nodes()[0].mine(1, Lock::new(0)).unwrap()[0];
    let both = mined(&site, &txid, |mined| mined.len() == 2 && connected(&mined[0]) == 2);
    assert!(both[0]["block"] == again.to_string() && both[0]["is_in_best_chain"] == true, "{both:?}");
    assert!(is_it(&both[1]) && both[1]["is_in_best_chain"] == false, "{both:?}");
}
