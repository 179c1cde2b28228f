//! `bmon tx`.

use std::path::Path;

use bmon_event::{NodeName, Txid};
use bmon_server::api::{mined::Mined, tx::Reply};
use clap::Args;

use super::Query;
use crate::{
    failure::Result,
    table::{Align, Table},
    text::delay,
};

#[derive(Args)]
pub(crate) struct Tx {
    /// The transaction's id (not the wtxid), 64 hexadecimal digits
    txid: Txid,
    #[command(flatten)]
    query: Query,
}

impl Tx {
    pub(crate) fn run(self, config: Option<&Path>) -> Result {
        self.query.show(config, &format!("txs/{}", self.txid), text)
    }
}

fn text(reply: &Reply) -> String {
    use Align::{Left, Right};
    let mut table =
        Table::new(vec![("NODE", Left), ("SEEN AT", Left), ("DELAY", Right), ("SOURCE", Left), ("", Left)]);
    for (rank, arrival) in reply.seen.iter().enumerate() {
        table.row(vec![
            arrival.node.to_string(),
            arrival.at.clone(),
            delay(arrival, rank),
            arrival.source.as_str().to_owned(),
            fate(reply, &arrival.node),
        ]);
    }
    for node in &reply.missing {
        let fate = fate(reply, node);
        table.row(vec![node.to_string(), "not seen".into(), "-".into(), String::new(), fate]);
    }
    let apart = reply.apart.map_or_else(String::new, |apart| format!("\n{}\n", crate::text::apart(apart)));
    let mined = reply.mined.iter().map(mined);
    table.render() + &apart + &mined.collect::<String>()
}

/// A block that has the transaction, and when each node connected it.
fn mined(Mined { block, height, is_in_best_chain, connected }: &Mined) -> String {
    use Align::{Left, Right};
    let height = height.map_or_else(String::new, |height| format!(", height {height}"));
    let at = connected.first().map_or_else(String::new, |first| format!(", at {}", first.at));
    let fate = if *is_in_best_chain { "" } else { ", in a block that was left behind" };
    let line = format!("\nmined in {block}{height}{at}{fate}\n");
    if connected.is_empty() {
        return line;
    }
    let mut table =
        Table::new(vec![("NODE", Left), ("CONNECTED AT", Left), ("DELAY", Right), ("SOURCE", Left)]);
    for (rank, arrival) in connected.iter().enumerate() {
        table.row(vec![
            arrival.node.to_string(),
            arrival.at.clone(),
            delay(arrival, rank),
            arrival.source.as_str().to_owned(),
        ]);
    }
    line + &table.render()
}

/// What became of the transaction at a node.
fn fate(reply: &Reply, node: &NodeName) -> String {
    let rejection = reply.rejections.iter().find(|found| found.node.as_ref() == Some(node));
    let told = reply.nodes.iter().find(|told| told.node == *node);
    let left = told.and_then(|told| told.left.as_ref());
    let rejected = rejection.map(|found| format!("rejected: {}", found.body.reason));
    let left = left.map(|left| match (&left.reason, left.by) {
        (_, Some(by)) => format!("replaced by {by}"),
        (Some(reason), None) => format!("left: {reason}"),
        (None, None) => "left".to_owned(),
    });
    [rejected, left].into_iter().flatten().collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use bmon_event::{BlockHash, Source};
    use bmon_server::api::{Apart, Arrival};

    use super::*;

    fn arrival(node: &str, delay_us: i64) -> Arrival {
        Arrival {
            node: node.parse().unwrap(),
            source: Source::Log,
            at: format!("2026-05-28T20:26:{delay_us:02}Z"),
            at_us: delay_us,
            clock_bound_us: Some(1),
            delay_us,
            bound_us: Some(2),
            distinguishable: Some(delay_us > 2),
        }
    }

    #[test]
    fn each_block_is_told_with_the_nodes_that_connected_it() {
        let block = |number, height, is_in_best_chain, connected| Mined {
            block: BlockHash::from_bytes([number; 32]),
            height,
            is_in_best_chain,
            connected,
        };
        let reply = Reply {
            network: "regtest".to_owned(),
            txid: Txid::from_bytes([7; 32]),
            wtxid: None,
            seen: vec![arrival("bob", 0), arrival("carol", 8)],
            apart: Some(Apart { nodes: 2, spread_us: 8, bound_us: 2, standard_deviation_us: 4 }),
            missing: vec!["alice".parse().unwrap()],
            nodes: Vec::new(),
            rejections: Vec::new(),
            mined: vec![
                block(1, Some(9), true, vec![arrival("alice", 0), arrival("bob", 12)]),
                block(2, None, false, Vec::new()),
            ],
        };
        let expected = [
            "NODE   SEEN AT               DELAY  SOURCE",
            "bob    2026-05-28T20:26:00Z  first  log",
            "carol  2026-05-28T20:26:08Z  +8 µs  log",
            "alice  not seen                  -",
            "",
            "2 nodes within 8 µs ±2 µs, standard deviation 4 µs",
            "",
            &format!("mined in {}, height 9, at 2026-05-28T20:26:00Z", "01".repeat(32)),
            "NODE   CONNECTED AT           DELAY  SOURCE",
            "alice  2026-05-28T20:26:00Z   first  log",
            "bob    2026-05-28T20:26:12Z  +12 µs  log",
            "",
            &format!("mined in {}, in a block that was left behind", "02".repeat(32)),
            "",
        ];
        assert_eq!(text(&reply), expected.join("\n"));
    }
}
