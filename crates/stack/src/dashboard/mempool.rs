//! The nodes' mempools beside one another.

use super::{
    Dashboard,
    panel::{lines, stat, table},
    row,
};

pub(super) fn dashboard() -> Dashboard {
    Dashboard {
        uid: "bmon-mempool",
        title: "bmon: mempool",
        description: "What the nodes' mempools hold, and where they differ (RPC getmempoolinfo).",
        from: "now-6h",
        is_of_logs: false,
        rows: vec![row("Now", now()), row("Over time", over_time()), row("By node", nodes())],
    }
}

fn now() -> Vec<super::Panel> {
    vec![
        stat("Most transactions", "Transactions in the fullest mempool.")
            .wide(6)
            .ask("{{network}}", "max by (network) (bmon_node_mempool_transactions@nodes)"),
        stat("Fewest transactions", "Transactions in the emptiest mempool: of a node that has just started, or whose policy is strict.")
            .wide(6)
            .ask("{{network}}", "min by (network) (bmon_node_mempool_transactions@nodes)"),
        stat("Largest", "Virtual size of the largest mempool; a block takes a million virtual bytes.")
            .unit("bytes")
            .wide(6)
            .ask("{{network}}", "max by (network) (bmon_node_mempool_virtual_bytes@nodes)"),
        stat("Highest fee to enter", "The highest fee rate that a node wants, in satoshi per 1,000 virtual bytes. It rises when the \
              mempool is full (-maxmempool).")
            .unit("none")
            .wide(6)
            .ask("{{network}}", "max by (network) (bmon_node_mempool_min_fee_sat_per_kvb@nodes)"),
    ]
}

fn over_time() -> Vec<super::Panel> {
    vec![
        lines("Transactions", "Transactions in each node's mempool.")
            .ask("{{network}} {{node}}", "bmon_node_mempool_transactions@nodes"),
        lines("Virtual size", "Virtual size of each node's mempool (BIP 141).")
            .unit("bytes")
            .ask("{{network}} {{node}}", "bmon_node_mempool_virtual_bytes@nodes"),
        lines("Fee to enter", "Fee rate needed to enter, in satoshi per 1,000 virtual bytes (getmempoolinfo, mempoolminfee).")
            .unit("none")
            .ask("{{network}} {{node}}", "bmon_node_mempool_min_fee_sat_per_kvb@nodes"),
        lines("Difference", "Transactions in the fullest mempool less those in the emptiest: nodes that were started together and have \
              one policy stay close.")
            .ask(
                "{{network}}",
                "max by (network) (bmon_node_mempool_transactions@nodes) - min by (network) (bmon_node_mempool_transactions@nodes)",
            ),
        lines("Entered or refused", "Transactions a second of which each node told.")
            .unit("ops")
            .ask("{{network}} {{node}}", "bmon:txs:rate5m@recorded"),
        lines("Refused", "Transactions a second that each node refused, of those that peers sent.")
            .unit("ops")
            .ask("{{network}} {{node}}", "bmon:rejected_txs:rate5m@recorded"),
    ]
}

fn nodes() -> Vec<super::Panel> {
    vec![
        table("Mempools", "One line for each node. Refused are all that the store has.")
            .column("virtual size", "bytes")
            .ask("transactions", "max by (network, node) (bmon_node_mempool_transactions@nodes)")
            .ask("virtual size", "max by (network, node) (bmon_node_mempool_virtual_bytes@nodes)")
            .ask("fee to enter", "max by (network, node) (bmon_node_mempool_min_fee_sat_per_kvb@nodes)")
            .ask(
                "refused",
                r#"sum by (network, node) (bmon_analysis_findings_total{job="bmon", network=~"$network", node=~"$node", kind="rejected-tx"})"#,
            ),
    ]
}
