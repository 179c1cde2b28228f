//! What is watched is told step by step, as real nodes go through it.

use std::collections::BTreeMap;

use bitcoin::{Amount, Transaction, consensus::encode::serialize_hex};
use bmon_devnet::{Network, Purse, coin::Lock};
use bmon_event::BlockHash;
use serde_json::{Value, json};

use crate::support::{self, LIMIT, Site, wait_for};

const FEE: Amount = Amount::from_sat(5_000);

/// Sends a transaction through a node and waits until both have it.
fn send(network: &Network, node: usize, tx: &Transaction) {
    let rpc = network.nodes()[node].rpc();
    let _: String = rpc.call("sendrawtransaction", json!([serialize_hex(tx)])).unwrap();
    network.wait_for_transaction(&[0, 1], tx.compute_txid().to_string().parse().unwrap()).unwrap();
}

/// What is said of an item.
fn watched(site: &Site, item: &str) -> Option<Value> {
    site.try_get("watch")?["watched"].as_array()?.iter().find(|watched| watched["item"] == item).cloned()
}

/// A step of an item, as soon as `is` holds of it.
fn step(site: &Site, item: &str, word: &str, is: impl Fn(&Value) -> bool) -> Value {
    wait_for(&format!("`{word}` of {item}"), LIMIT, || {
        let watched = watched(site, item)?;
        watched["steps"].as_array()?.iter().find(|step| step["step"] == word && is(step)).cloned()
    })
}

fn standing(site: &Site, item: &str, expected: &str) {
    wait_for(&format!("{item} to be {expected}"), LIMIT, || {
        (watched(site, item)?["standing"] == expected).then_some(())
    });
}

/// A block of a node's own, without the transactions of its mempool.
fn mine_empty(network: &Network, node: usize) -> BlockHash {
    let address = Lock::new(node).address();
    let made: Value = network.nodes()[node].rpc().call("generateblock", json!([address, []])).unwrap();
    made["hash"].as_str().unwrap().parse().unwrap()
}

/// The revision of each finding, by its id.
fn revisions(site: &Site, items: &[&str]) -> BTreeMap<String, u64> {
    let steps =
        items.iter().flat_map(|item| watched(site, item).unwrap()["steps"].as_array().unwrap().clone());
    steps.map(|step| (step["id"].as_str().unwrap().to_owned(), step["revision"].as_u64().unwrap())).collect()
}

#[test]
fn a_payment_is_replaced_its_replacement_mined_and_reorged_out_and_each_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let network = support::network(dir.path(), 2);
    let coin = Purse::fill(&network, 1).unwrap().take().unwrap();
    let (payment, replacement) = (coin.pay(FEE), coin.pay(FEE + FEE));
    let [paid, replaced] = [&payment, &replacement].map(|tx| tx.compute_txid().to_string());
    let outpoint = coin.outpoint.to_string();
    let items = [format!("tx {paid}"), format!("tx {replaced}"), format!("outpoint {outpoint}")];
    let [first, second, of_coin] = items.each_ref().map(String::as_str);

    let mut site = Site::new(&dir.path().join("bmon"), network.nodes());
    site.start_server();
    site.start_agent();
    site.wait_for_sources(network.nodes());
    // One before it was heard of, the others after.
    for (word, what) in [("tx", &replaced), ("outpoint", &outpoint)] {
        let said = site.bmon(&["watch", word, what]);
        assert_eq!(said, format!("{word} {what} of regtest is watched now\n"));
    }
    send(&network, 0, &payment);
    site.bmon(&["watch", "tx", &paid]);
    let seen = step(&site, first, "seen", |step| step["accepted_at"].as_array().unwrap().len() == 2);
    assert_eq!((&seen["nodes"], &seen["missing_at"], &seen["blind"]), (&json!(2), &json!([]), &json!([])));
    step(&site, of_coin, "seen", |step| step["txid"] == paid.as_str());
    wait_for("the coins of the payment", LIMIT, || {
        let seen = step(&site, first, "seen", |_| true);
        (seen["inputs"][0]["txid"] == coin.outpoint.txid.to_string()).then_some(())
    });

    send(&network, 1, &replacement);
    let both = |by: &Value| by["txid"] == replaced.as_str() && by["nodes"].as_array().unwrap().len() == 2;
    step(&site, first, "replaced", |step| step["by"].as_array().unwrap().iter().any(&both));
    let conflict = step(&site, first, "conflict", |step| step["nodes"].as_array().unwrap().len() == 2);
    assert_eq!((conflict["txid"].as_str(), &conflict["with"]), (Some(replaced.as_str()), &json!([paid])));
    standing(&site, first, "replaced");
    standing(&site, second, "seen");

    let (block, height) = mine_apart(&network);
    let is_in = |step: &Value| step["block"] == block.to_string() && step["height"] == height;
    step(&site, second, "mined", |step| is_in(step) && step["is_in_best_chain"] == true);
    let spent = step(&site, first, "double-spent", &is_in);
    assert_eq!((spent["txid"].as_str(), &spent["instead_of"]), (Some(replaced.as_str()), &json!([paid])));
    step(&site, of_coin, "double-spent", &is_in);
    standing(&site, first, "double-spent");
    standing(&site, second, "mined");

    reorg_to_empty(&network);
    let out = step(&site, second, "reorged-out", |step| is_in(step) && step["is_out"] == true);
    assert_eq!(out["again_in"], Value::Null);
    step(&site, second, "mined", |step| is_in(step) && step["is_in_best_chain"] == false);
    standing(&site, second, "reorged-out");
    standing(&site, first, "replaced");
    let alert = |item: &str, word: &str| {
        let subject = format!("{item} {word}");
        wait_for(&format!("the alert of {subject}"), LIMIT, || {
            site.list("alerts")
                .into_iter()
                .find(|alert| alert["rule"] == "watch" && alert["subject"] == subject.as_str())
        })
    };
    for (item, word) in [(first, "conflict"), (first, "double-spent"), (second, "reorged-out")] {
        assert_eq!(alert(item, word)["severity"], "critical");
    }

    let before = revisions(&site, &[first, second, of_coin]);
    site.kill_server();
    site.start_server();
    site.wait_for_sources(network.nodes());
    // Nodes take the transactions of the blocks that they leave back into their mempools.
    let again = network.nodes()[0].mine(1, Lock::new(0)).unwrap()[0];
    step(&site, second, "reorged-out", |step| step["again_in"] == again.to_string());
    standing(&site, second, "mined");
    let after = revisions(&site, &[first, second, of_coin]);
    assert!(
        before.iter().all(|(id, revision)| after.get(id).is_some_and(|after| after >= revision)),
        "{after:?}"
    );
    let text = site.bmon(&["watch", "list"]);
    for words in
        [format!("{first} (regtest): double-spent\n"), format!("reorged-out: {replaced} with block {height}")]
    {
        assert!(text.contains(&words), "{words} is not in {text}");
    }
    for what in [&paid, &replaced, &outpoint] {
        site.bmon(&["watch", "remove", what]);
    }
    assert_eq!(site.bmon(&["watch", "list"]), "nothing is watched\n");
}

/// Parts the nodes, and has the first mine what is in its mempool.
fn mine_apart(network: &Network) -> (BlockHash, u32) {
    network.part(&[0]).unwrap();
    let node = &network.nodes()[0];
    let block = node.mine(1, Lock::new(0)).unwrap()[0];
    (block, node.height().unwrap())
}

/// Has the second node make a longer branch without any transaction, and joins the nodes.
fn reorg_to_empty(network: &Network) {
    let tip = [mine_empty(network, 1), mine_empty(network, 1)][1];
    network.join().unwrap();
    network.wait_for_tip(&[0, 1], tip).unwrap();
}
