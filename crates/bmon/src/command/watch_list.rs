//! `bmon watch`.

use std::path::Path;

use bmon_analysis::{
    finding::{BlindNode, Step, WatchStep},
    watch::WatchItem,
};
use bmon_event::{Network, NodeName, OutPoint, Txid};
use bmon_server::{
    api::{Found, watch::Reply, watch::WatchedItem},
    database_path,
};
use bmon_store::{Reader, StoreError};
use clap::{Args, Subcommand};

use super::{
    Query,
    beside::{network, now, open},
};
use crate::{
    config::Config,
    failure::{Code, Failure, Result},
    text::list,
};

/// The end of `--help`.
const AFTER_HELP: &str = "\
Every step of what is watched is told: seen by which of the nodes, another transaction for the same coin in a mempool,
replaced, mined, reorged out, spent by another. The list is in the database of the server on this host, which takes it up
within two seconds. Which transaction spends a coin in a mempool Bitcoin Core tells since 24.0; of older nodes it is said that
they cannot tell.";

#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct WatchList {
    #[command(subcommand)]
    command: WatchCommand,
}

#[derive(Subcommand)]
enum WatchCommand {
    /// Watch a transaction
    Tx {
        /// The transaction's id (not the wtxid), 64 hexadecimal digits
        txid: Txid,
        #[command(flatten)]
        network: OfNetwork,
    },
    /// Watch a coin, whichever transaction spends it
    Outpoint {
        /// The transaction that has the output, `:`, and the output's place in it, from 0
        #[arg(value_name = "TXID:VOUT")]
        outpoint: OutPoint,
        #[command(flatten)]
        network: OfNetwork,
    },
    /// What is watched, and what became of it
    List(#[command(flatten)] Query),
    /// Watch something no more; what was found of it stays
    Remove {
        /// `TXID` or `TXID:VOUT`, as it stands on the list
        #[arg(value_name = "TXID[:VOUT]", value_parser = item)]
        item: WatchItem,
        #[command(flatten)]
        network: OfNetwork,
    },
}

#[derive(Args)]
struct OfNetwork {
    /// Its network: `main`, `test`, `testnet4`, `signet`, `regtest`, or the hash of block 0; by default the only one that the
    /// server knows
    #[arg(long, value_parser = network)]
    network: Option<Network>,
}

impl WatchList {
    pub(crate) fn run(self, config: Option<&Path>) -> Result {
        let (item, of) = match self.command {
            WatchCommand::List(query) => return query.show(config, "watch", text),
            WatchCommand::Tx { txid, network } => (WatchItem::Tx(txid), network),
            WatchCommand::Outpoint { outpoint, network } => (WatchItem::Outpoint(outpoint), network),
            WatchCommand::Remove { item, network } => return remove(&super::load(config)?, &item, &network),
        };
        add(&super::load(config)?, &item, &of)
    }
}

fn add(config: &Config, item: &WatchItem, of: &OfNetwork) -> Result {
    let mut store = open(config)?;
    let network = of.choose(config)?;
    let is_new = store.watch(&network, item, now()).map_err(|error| match error {
        StoreError::WatchListFull { .. } => Failure::new(Code::Usage, error)
            .hint("`bmon watch remove` makes room, `bmon watch list` shows what is there"),
        error => error.into(),
    })?;
    println!("{item} of {network} {}", if is_new { "is watched now" } else { "was watched already" });
    Ok(())
}

fn remove(config: &Config, item: &WatchItem, of: &OfNetwork) -> Result {
    let mut store = open(config)?;
    let network = of.choose(config)?;
    if store.unwatch(&network, item)? {
        println!("{item} of {network} is watched no more");
        return Ok(());
    }
    let failure = Failure::message(Code::NotFound, format!("find {item} of {network} on the watch list"));
    Err(failure.hint("`bmon watch list` shows what is there"))
}

impl OfNetwork {
    fn choose(&self, config: &Config) -> Result<Network> {
        if let Some(network) = self.network {
            return Ok(network);
        }
        let networks = Reader::open(&database_path(&config.server.data_dir))?.networks()?;
        match networks[..] {
            [network] => Ok(network),
            [] => {
                Err(Failure::message(Code::Usage, "choose a network: the server knows none yet".to_owned())
                    .hint("name it with --network"))
            }
            _ => Err(Failure::message(Code::Usage, format!("choose a network of {}", list(&networks)))
                .hint("name it with --network")),
        }
    }
}

fn item(text: &str) -> std::result::Result<WatchItem, String> {
    if text.contains(':') {
        text.parse().map(WatchItem::Outpoint).map_err(|error| error.to_string())
    } else {
        text.parse().map(WatchItem::Tx).map_err(|error| error.to_string())
    }
}

fn text(reply: &Reply) -> String {
    let items: Vec<_> = reply.watched.iter().map(watched).collect();
    if items.is_empty() { "nothing is watched\n".to_owned() } else { items.concat() }
}

fn watched(item: &WatchedItem) -> String {
    let steps: String = item.steps.iter().map(step).collect();
    format!("{} ({}): {}\n{steps}", item.item, item.network, item.standing.as_str())
}

fn step(found: &Found<WatchStep>) -> String {
    let step = &found.body.step;
    format!("  {} {}: {}\n", found.at, step.word(), words(step))
}

/// What a step says, with every hash whole.
fn words(step: &Step) -> String {
    match step {
        Step::Seen(seen) => {
            let missing = named(", not by ", &seen.missing_at);
            let refused = named(", refused by ", &seen.refused_at);
            let left: Vec<_> = seen.left_at.iter().map(|left| left.node.clone()).collect();
            format!(
                "{} by {} of {} nodes ({}){missing}{refused}{}{}",
                seen.txid,
                seen.accepted_at.len(),
                seen.nodes,
                list(&seen.accepted_at),
                named(", left the mempool of ", &left),
                cannot_tell(&seen.blind)
            )
        }
        Step::Conflict(conflict) => format!(
            "{} {} in the mempool of {} and spends {} like {}{}",
            conflict.txid,
            if conflict.is_open { "is" } else { "was" },
            list(&conflict.nodes),
            list(&conflict.outpoints),
            list(&conflict.with),
            cannot_tell(&conflict.blind)
        ),
        Step::Replaced(replaced) => {
            let by = replaced.by.iter().map(|by| {
                let txid = by.txid.map_or_else(|| "something".to_owned(), |txid| txid.to_string());
                format!("by {txid} at {}", list(&by.nodes))
            });
            format!("{} {}", replaced.txid, by.collect::<Vec<_>>().join(", "))
        }
        Step::Mined(mined) => {
            let left = if mined.is_in_best_chain { "" } else { ", which is not in the best chain" };
            format!("{} in block {} ({}){left}", mined.txid, mined.height, mined.block)
        }
        Step::ReorgedOut(out) => {
            let again = out.again_in.map_or_else(String::new, |block| format!(", mined again in {block}"));
            let back = if out.is_out { "" } else { ", which is back" };
            format!("{} with block {} ({}){back}{again}", out.txid, out.height, out.block)
        }
        Step::DoubleSpent(spent) => {
            let left = if spent.is_in_best_chain { "" } else { ", which is not in the best chain" };
            format!(
                "{} spends {} instead of {} in block {} ({}){left}",
                spent.txid,
                spent.outpoint,
                list(&spent.instead_of),
                spent.height,
                spent.block
            )
        }
    }
}

fn named(before: &str, nodes: &[NodeName]) -> String {
    if nodes.is_empty() { String::new() } else { format!("{before}{}", list(nodes)) }
}

fn cannot_tell(blind: &[BlindNode]) -> String {
    let blind: Vec<_> = blind.iter().map(|blind| format!("{} ({})", blind.node, blind.reason)).collect();
    if blind.is_empty() {
        String::new()
    } else {
        format!("; who spends a coin there cannot tell {}", list(&blind))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn hash(digit: &str) -> String {
        digit.repeat(64)
    }

    fn found(step: &serde_json::Value) -> serde_json::Value {
        let mut found = json!({
            "id": "00", "revision": 1, "network": "main", "node": null, "at": "then", "at_us": 0, "clock_bound_us": 1,
            "sources": ["log"], "item": format!("tx {}", hash("a")),
        });
        for (key, value) in step.as_object().unwrap() {
            found[key] = value.clone();
        }
        found
    }

    #[test]
    fn every_step_names_its_transactions_blocks_and_nodes_and_who_could_not_tell() {
        let [tx, other, block] = ["a", "b", "c"].map(hash);
        let blind = json!([{ "node": "dave", "reason": "too old" }]);
        let steps = [
            json!({ "step": "seen", "txid": tx, "nodes": 3, "accepted_at": ["alice", "bob"], "missing_at": ["dave"],
                    "refused_at": [], "left_at": [{ "node": "bob", "reason": null }], "inputs": null, "omitted_inputs": 0,
                    "blind": blind }),
            json!({ "step": "conflict", "txid": other, "with": [tx], "outpoints": [{ "txid": hash("d"), "vout": 1 }],
                    "nodes": ["bob"], "is_open": false, "blind": [] }),
            json!({ "step": "replaced", "txid": tx, "by": [{ "txid": null, "nodes": ["bob"] }] }),
            json!({ "step": "mined", "txid": tx, "block": block, "height": 7, "is_in_best_chain": false }),
            json!({ "step": "reorged-out", "txid": tx, "block": block, "height": 7, "is_out": true, "again_in": null }),
            json!({ "step": "double-spent", "txid": other, "instead_of": [tx], "outpoint": { "txid": hash("d"), "vout": 1 },
                    "block": block, "height": 7, "is_in_best_chain": true }),
        ];
        let steps: Vec<_> = steps.iter().map(found).collect();
        let reply = json!({ "watched": [{
            "network": "main", "item": format!("tx {tx}"), "added_at": "then", "added_at_us": 0, "standing": "double-spent",
            "steps": steps,
        }]});
        let coin = format!("{}:1", hash("d"));
        let expected = format!(
            "tx {tx} (main): double-spent\n\
             \x20 then seen: {tx} by 2 of 3 nodes (alice, bob), not by dave, left the mempool of bob; who spends a coin there \
             cannot tell dave (too old)\n\
             \x20 then conflict: {other} was in the mempool of bob and spends {coin} like {tx}\n\
             \x20 then replaced: {tx} by something at bob\n\
             \x20 then mined: {tx} in block 7 ({block}), which is not in the best chain\n\
             \x20 then reorged-out: {tx} with block 7 ({block})\n\
             \x20 then double-spent: {other} spends {coin} instead of {tx} in block 7 ({block})\n"
        );
        assert_eq!(text(&serde_json::from_value(reply).unwrap()), expected);
        assert_eq!(text(&Reply { watched: Vec::new() }), "nothing is watched\n");
    }

    #[test]
    fn what_is_taken_off_the_list_is_named_as_it_was_put_there() {
        let txid = hash("a");
        assert_eq!(item(&txid).unwrap().to_string(), format!("tx {txid}"));
        assert_eq!(item(&format!("{txid}:3")).unwrap().to_string(), format!("outpoint {txid}:3"));
        assert!(item("aa").is_err() && item(&format!("{txid}:x")).is_err());
        assert_eq!(network("signet").unwrap().to_string(), "signet");
        assert!(network("mainnet").is_err());
    }
}
