//! How transactions reach the nodes.

use super::{
    Dashboard,
    panel::{bars, heatmap, lines, stat},
    row,
};

pub(super) fn dashboard() -> Dashboard {
    Dashboard {
        uid: "bmon-transactions",
        title: "bmon: transaction propagation",
        description: "How long after the first node the others told of each transaction, on the server's clock.",
        from: "now-3h",
        is_of_logs: false,
        rows: vec![row("Now", now()), row("Delays", delays()), row("How many", counts())],
    }
}

fn now() -> Vec<super::Panel> {
    vec![
        stat("Transactions", "Transactions a second of which the busiest node told, accepted or refused, in the last five minutes.")
            .unit("ops")
            .wide(6)
            .ask("", "max(bmon:txs:rate5m@recorded)"),
        stat("Half within", "Half of the delays of the last ten minutes are below, at the slowest node. Half of Bitcoin's peers have a \
              transaction 4.7 s after the first (KIT, November 2024 to October 2025): it is held back at random for privacy.")
            .unit("s")
            .wide(6)
            .ask("", "max(bmon:tx_delay_seconds:p50_10m@recorded)"),
        stat("Nine of ten within", "Nine of ten delays of the last ten minutes are below, at the slowest node; 14 s in that study.")
            .unit("s")
            .wide(6)
            .ask("", "max(bmon:tx_delay_seconds:p90_10m@recorded)"),
        stat("Refused", "Transactions a second that nodes refused in the last five minutes.")
            .unit("ops")
            .wide(6)
            .ask("", "sum(bmon:rejected_txs:rate5m@recorded)"),
    ]
}

fn delays() -> Vec<super::Panel> {
    vec![
        lines(
            "Half of all transactions",
            "Median of the delays of the last ten minutes, from the buckets of a histogram.",
        )
        .unit("s")
        .ask("{{network}} {{node}}", "bmon:tx_delay_seconds:p50_10m@recorded"),
        lines(
            "Nine of ten transactions",
            "90th percentile of the delays of the last ten minutes, from the buckets of a histogram.",
        )
        .unit("s")
        .ask("{{network}} {{node}}", "bmon:tx_delay_seconds:p90_10m@recorded"),
        heatmap("All nodes' delays", "Transactions by how long after the first node each node told of them.")
            .unit("s")
            .ask(
                "{{le}}",
                "sum by (le) (increase(bmon_propagation_tx_delay_seconds_bucket@nodes[$__rate_interval]))",
            ),
        bars("Mean delay", "Mean of the delays in the time shown.").unit("s").ask(
            "{{network}} {{node}}",
            "sum by (network, node) (increase(bmon_propagation_tx_delay_seconds_sum@nodes[$__range])) / \
                 sum by (network, node) (increase(bmon_propagation_tx_delay_seconds_count@nodes[$__range]))",
        ),
    ]
}

fn counts() -> Vec<super::Panel> {
    vec![
        lines(
            "Transactions",
            "Transactions a second of which each node told. A node with a policy of its own tells of fewer.",
        )
        .unit("ops")
        .ask("{{network}} {{node}}", "bmon:txs:rate5m@recorded"),
        lines(
            "Refused transactions",
            "Transactions a second that each node refused; bmon's page names each with its reason.",
        )
        .unit("ops")
        .ask("{{network}} {{node}}", "bmon:rejected_txs:rate5m@recorded"),
        lines("ZMQ messages", "Messages a second of each node's publisher (sequence and hashblock).")
            .unit("ops")
            .ask("{{network}} {{node}}", "rate(bmon_agent_zmq_messages_total@nodes[$__rate_interval])"),
        lines(
            "Not in the spread",
            "Transactions that came too late to be counted, or were forgotten because there were too many.",
        )
        .unit("ops")
        .ask("late", "sum(rate(bmon_analysis_late_transactions_total@server[$__rate_interval]))")
        .ask("forgotten", "sum(rate(bmon_analysis_forgotten_transactions_total@server[$__rate_interval]))"),
    ]
}
