//! How blocks reach the nodes.

use super::{
    Dashboard,
    panel::{bars, heatmap, lines, stat},
    row,
};

pub(super) fn dashboard() -> Dashboard {
    Dashboard {
        uid: "bmon-blocks",
        title: "bmon: block propagation",
        description: "How long after the first node the others had each block, on the server's clock.",
        from: "now-24h",
        is_of_logs: false,
        rows: vec![row("Now", now()), row("Delays", delays()), row("What they rest on", ground())],
    }
}

fn now() -> Vec<super::Panel> {
    vec![
        stat("Blocks", "Blocks counted at the node that has most, in the time shown. Each is counted a minute after it came.")
            .unit("none")
            .ask("", "max(increase(bmon_propagation_block_delay_seconds_count@nodes[$__range]))"),
        stat("Half within", "Half of all delays of the last six hours are below, at the slowest node. Half of Bitcoin's peers have a \
              block 1.1 s after the first (KIT, November 2024 to October 2025).")
            .unit("s")
            .ask("", "max(bmon:block_delay_seconds:p50_6h@recorded)"),
        stat("Nine of ten within", "Nine of ten delays of the last six hours are below, at the slowest node; 3.6 s in that study.")
            .unit("s")
            .ask("", "max(bmon:block_delay_seconds:p90_6h@recorded)"),
        stat("Age of the tip", "Since when the node that was last told has its tip. On main an hour without a block happens once in \
              two and a half days by chance: exp(-6).")
            .unit("s")
            .from(3600.0, "yellow")
            .from(7200.0, "red")
            .ask("{{network}}", "min by (network) (bmon:node_tip_age_seconds@recorded)"),
        stat("Largest clock error", "A delay below the sum of two nodes' errors does not tell who was first.")
            .unit("s")
            .from(0.05, "yellow")
            .from(0.5, "red")
            .ask("", "max(bmon_clock_bound_seconds@nodes)"),
        stat("Nodes slow", "Alerts of the rules slow-node and delay-drift that fire (docs/rules.md).")
            .from(1.0, "orange")
            .ask("", r#"sum(bmon_alerts{job="bmon", network=~"$network", rule=~"slow-node|delay-drift", state="firing"})"#),
    ]
}

fn delays() -> Vec<super::Panel> {
    vec![
        lines("Half of all blocks", "Median of the delays of the last six hours, from the buckets of a histogram.")
            .unit("s")
            .ask("{{network}} {{node}}", "bmon:block_delay_seconds:p50_6h@recorded"),
        lines("Nine of ten blocks", "90th percentile of the delays of the last six hours, from the buckets of a histogram.")
            .unit("s")
            .ask("{{network}} {{node}}", "bmon:block_delay_seconds:p90_6h@recorded"),
        heatmap("All nodes' delays", "Blocks by how long after the first node each node told of them.")
            .unit("s")
            .ask("{{le}}", "sum by (le) (increase(bmon_propagation_block_delay_seconds_bucket@nodes[$__rate_interval]))"),
        bars("Mean delay", "Mean of the delays in the time shown. A few very late blocks move it; the quantiles they do not.")
            .unit("s")
            .ask(
                "{{network}} {{node}}",
                "sum by (network, node) (increase(bmon_propagation_block_delay_seconds_sum@nodes[$__range])) / \
                 sum by (network, node) (increase(bmon_propagation_block_delay_seconds_count@nodes[$__range]))",
            ),
    ]
}

fn ground() -> Vec<super::Panel> {
    vec![
        lines("Clock error", "Largest error of the offset between the node's clock and the server's (ARCHITECTURE.md, \"Time\").")
            .unit("s")
            .ask("{{network}} {{node}}", "bmon_clock_bound_seconds@nodes"),
        lines("Clock offset", "The server's clock minus the host's. Times are corrected by it, so it need not be small.")
            .unit("s")
            .ask("{{network}} {{node}}", "bmon_clock_offset_seconds@nodes"),
        lines("Peers", "Peers of each node; the block that comes first comes by one of them.")
            .ask("{{network}} {{node}}", "sum by (network, node) (bmon_node_peers@nodes)"),
        lines("Sources", "Sources of each node that work: the log has the best times, ZMQ and RPC are there without it.")
            .ask("{{network}} {{node}}", "sum by (network, node) (bmon_source_working@nodes)"),
    ]
}
