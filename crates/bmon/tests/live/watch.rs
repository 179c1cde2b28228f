//! What is watched is told step by step, as real nodes go through it.

use std::{collections::BTreeMap, path::Path};

use bitcoin::{Amount, Transaction, consensus::encode::serialize_hex};
use bmon_devnet::{
    Network, Purse,
    coin::{Coin, Lock},
};
use bmon_event::BlockHash;
use serde_json::{Value, json};

use crate::support::{self, LIMIT, Site, wait_for};

pub(crate) const FEE: Amount = Amount::from_sat(5_000);

/// Sends a transaction through a node and waits until both have it.
pub(crate) fn send(network: &Network, node: usize, tx: &Transaction) {
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
fn revisions(site: &Site, items: &[String]) -> BTreeMap<String, u64> {
    let steps =
        items.iter().flat_map(|item| watched(site, item).unwrap()["steps"].as_array().unwrap().clone());
    steps.map(|step| (step["id"].as_str().unwrap().to_owned(), step["revision"].as_u64().unwrap())).collect()
}

/// A coin that is paid twice, and who watches it.
struct Staged {
    network: Network,
    site: Site,
    coin: Coin,
    paid: String,
    replaced: String,
}

impl Staged {
    fn new(dir: &Path) -> Self {
        let network = support::network(dir, 2);
        let coin = Purse::fill(&network, 1).unwrap().take().unwrap();
        let [paid, replaced] = [FEE, FEE + FEE].map(|fee| coin.pay(fee).compute_txid().to_string());
        let mut site = Site::new(&dir.join("bmon"), network.nodes());
        site.start_server();
        site.start_agent();
        site.wait_for_sources(network.nodes());
        Self { network, site, coin, paid, replaced }
    }

    /// The payment, its replacement, and the coin, as they stand on the list.
    fn items(&self) -> [String; 3] {
        [
            format!("tx {}", self.paid),
            format!("tx {}", self.replaced),
            format!("outpoint {}", self.coin.outpoint),
        ]
    }

    fn step(&self, item: &str, word: &str, is: impl Fn(&Value) -> bool) -> Value {
        step(&self.site, item, word, is)
    }

    /// The payment, which is watched only when it is there already.
    fn pay(&self) {
        let (site, [first, _, of_coin]) = (&self.site, self.items());
        for (word, what) in [("tx", &self.replaced), ("outpoint", &self.coin.outpoint.to_string())] {
            let said = site.bmon(&["watch", word, what]);
            assert_eq!(said, format!("{word} {what} of regtest is watched now\n"));
        }
        send(&self.network, 0, &self.coin.pay(FEE));
        site.bmon(&["watch", "tx", &self.paid]);
        let both = |step: &Value| step["accepted_at"].as_array().unwrap().len() == 2;
        let seen = self.step(&first, "seen", |step| both(step) && !step["inputs"].is_null());
        assert_eq!(
            (&seen["nodes"], &seen["missing_at"], &seen["blind"]),
            (&json!(2), &json!([]), &json!([]))
        );
        assert_eq!(seen["inputs"][0]["txid"], self.coin.outpoint.txid.to_string());
        self.step(&of_coin, "seen", |step| step["txid"] == self.paid.as_str());
    }

    fn replace(&self) {
        let [first, second, _] = self.items();
        send(&self.network, 1, &self.coin.pay(FEE + FEE));
        let both =
            |by: &Value| by["txid"] == self.replaced.as_str() && by["nodes"].as_array().unwrap().len() == 2;
        self.step(&first, "replaced", |step| step["by"].as_array().unwrap().iter().any(both));
        let conflict = self.step(&first, "conflict", |step| step["nodes"].as_array().unwrap().len() == 2);
        let (txid, with) = (conflict["txid"].as_str(), &conflict["with"]);
        assert_eq!((txid, with), (Some(self.replaced.as_str()), &json!([self.paid])));
        standing(&self.site, &first, "replaced");
        standing(&self.site, &second, "seen");
    }

    /// The replacement is in a block, which is left for others that have nothing.
    fn mine_and_leave(&self) -> u32 {
        let (site, [first, second, of_coin]) = (&self.site, self.items());
        let (block, height) = mine_apart(&self.network);
        let is_in = |step: &Value| step["block"] == block.to_string() && step["height"] == height;
        self.step(&second, "mined", |step| is_in(step) && step["is_in_best_chain"] == true);
        let spent = self.step(&first, "double-spent", is_in);
        assert_eq!(
            (spent["txid"].as_str(), &spent["instead_of"]),
            (Some(&*self.replaced), &json!([self.paid]))
        );
        self.step(&of_coin, "double-spent", is_in);
        standing(site, &first, "double-spent");
        standing(site, &second, "mined");

        reorg_to_empty(&self.network);
        let out = self.step(&second, "reorged-out", |step| is_in(step) && step["is_out"] == true);
        assert_eq!(out["again_in"], Value::Null);
        self.step(&second, "mined", |step| is_in(step) && step["is_in_best_chain"] == false);
        standing(site, &second, "reorged-out");
        standing(site, &first, "replaced");
        height
    }

    fn check_alerts(&self) {
        let [first, second, _] = self.items();
        for (item, word) in [(&first, "conflict"), (&first, "double-spent"), (&second, "reorged-out")] {
            let subject = format!("{item} {word}");
            let is_it = |alert: &Value| alert["rule"] == "watch" && alert["subject"] == subject.as_str();
            let alert = wait_for(&format!("the alert of {subject}"), LIMIT, || {
                self.site.list("alerts").into_iter().find(is_it)
            });
            assert_eq!(alert["severity"], "critical");
        }
    }

    /// The server is killed and started, and goes on.
    fn restart(&mut self) {
        let items = self.items();
        let before = revisions(&self.site, &items);
        self.site.kill_server();
        self.site.start_server();
        self.site.wait_for_sources(self.network.nodes());
        // Nodes take the transactions of the blocks that they leave back into their mempools.
        let again = self.network.nodes()[0].mine(1, Lock::new(0)).unwrap()[0];
        self.step(&items[1], "reorged-out", |step| step["again_in"] == again.to_string());
        standing(&self.site, &items[1], "mined");
        let after = revisions(&self.site, &items);
        let goes_on = |(id, revision): (&String, &u64)| after.get(id).is_some_and(|after| after >= revision);
        assert!(before.iter().all(goes_on), "{before:?} {after:?}");
    }
}

#[test]
fn a_payment_is_replaced_its_replacement_mined_and_reorged_out_and_each_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let mut staged = Staged::new(dir.path());
    staged.pay();
    staged.replace();
    let height = staged.mine_and_leave();
    staged.check_alerts();
    staged.restart();
    let (site, [first, ..]) = (&staged.site, staged.items());
    let text = site.bmon(&["watch", "list"]);
    let out = format!("reorged-out: {} with block {height}", staged.replaced);
    for words in [format!("{first} (regtest): double-spent\n"), out] {
        assert!(text.contains(&words), "{words} is not in {text}");
    }
    for what in [&staged.paid, &staged.replaced, &staged.coin.outpoint.to_string()] {
        site.bmon(&["watch", "remove", what]);
    }
    assert_eq!(site.bmon(&["watch", "list"]), "nothing is watched\n");
}

/// Parts the nodes, and has the first mine what is in its mempool.
pub(crate) fn mine_apart(network: &Network) -> (BlockHash, u32) {
    network.part(&[0]).unwrap();
    let node = &network.nodes()[0];
    let block = node.mine(1, Lock::new(0)).unwrap()[0];
    (block, node.height().unwrap())
}

/// Has the second node make a longer branch without any transaction, and joins the nodes.
pub(crate) fn reorg_to_empty(network: &Network) {
    let tip = [mine_empty(network, 1), mine_empty(network, 1)][1];
    network.join().unwrap();
    network.wait_for_tip(&[0, 1], tip).unwrap();
}
