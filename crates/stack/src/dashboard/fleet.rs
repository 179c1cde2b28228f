//! All nodes beside one another, and bmon itself.

use super::{
    Dashboard,
    panel::{lines, stacked, stat, table},
    row,
};

pub(super) fn dashboard() -> Dashboard {
    Dashboard {
        uid: "bmon-fleet",
        title: "bmon: fleet overview",
        description: "All nodes beside one another, the alerts that are open, and how bmon itself does.",
        from: "now-6h",
        is_of_logs: false,
        rows: vec![
            row("Now", now()),
            row("Nodes", nodes()),
            row("Over time", over_time()),
            row("bmon itself", itself()),
        ],
    }
}

fn now() -> Vec<super::Panel> {
    vec![
        stat("Nodes", "Nodes of which bmon has heard.")
            .ask("", "count(bmon_node_heard_timestamp_seconds@nodes)"),
        stat(
            "Silent nodes",
            "Nodes of which nothing was heard for a minute: agents tell of themselves every ten seconds.",
        )
        .from(1.0, "red")
        .ask("", "sum(bmon:node_silent_seconds@recorded > bool 60)"),
        stat("Chain height", "Height of the chain with the most work that a node follows.")
            .unit("none")
            .ask("{{network}}", "max by (network) (bmon_chain_height@networks)"),
        stat("Blocks behind", "The most blocks of that chain that a node has not connected.")
            .from(1.0, "yellow")
            .from(3.0, "red")
            .ask("", "max(bmon_node_blocks_behind@nodes)"),
        stat("Alerts firing", "Alerts that are open, of all rules (docs/rules.md).")
            .from(1.0, "orange")
            .ask("", r#"sum(bmon_alerts{job="bmon", network=~"$network", state="firing"})"#),
        stat("Sources not working", "Sources of nodes (log, ZMQ, RPC, host) that their agent cannot read.")
            .from(1.0, "red")
            .ask("", "sum(1 - bmon_source_working@nodes)"),
    ]
}

fn nodes() -> Vec<super::Panel> {
    vec![
        table(
            "Nodes",
            "The tip's age is by the node's clock. The clock's error is the largest that the offset to the server's clock can have: \
             delays below the sum of two nodes' errors do not tell who was first (ARCHITECTURE.md, \"Time\").",
        )
        .column("tip age", "s")
        .column("silent for", "s")
        .column("clock error", "s")
        .column("spool", "bytes")
        .ask("height", "max by (network, node) (bmon_node_blocks@nodes)")
        .ask("behind", "max by (network, node) (bmon_node_blocks_behind@nodes)")
        .ask("tip age", "max by (network, node) (bmon:node_tip_age_seconds@recorded)")
        .ask("peers", "sum by (network, node) (bmon_node_peers@nodes)")
        .ask("mempool", "max by (network, node) (bmon_node_mempool_transactions@nodes)")
        .ask("warnings", "max by (network, node) (bmon_node_warnings@nodes)")
        .ask("clock error", "max by (network, node) (bmon_clock_bound_seconds@nodes)")
        .ask("silent for", "max by (network, node) (bmon:node_silent_seconds@recorded)")
        .ask("spool", "max by (network, node) (bmon_agent_spool_bytes@nodes)"),
    ]
}

fn over_time() -> Vec<super::Panel> {
    vec![
        lines(
            "Height",
            "Height of each node's active chain (RPC getblockchaininfo and the log's UpdateTip).",
        )
        .unit("none")
        .ask("{{network}} {{node}}", "bmon_node_blocks@nodes"),
        lines("Blocks behind", "Blocks of the chain with the most work that the node has not connected.")
            .ask("{{network}} {{node}}", "bmon_node_blocks_behind@nodes"),
        lines(
            "Block delay, half of all",
            "How long after the first node the node told of a block, for half of the last six hours' blocks.",
        )
        .unit("s")
        .ask("{{network}} {{node}}", "bmon:block_delay_seconds:p50_6h@recorded"),
        stacked("Alerts firing", "Open alerts by rule; each has its runbook in docs/runbooks.").ask(
            "{{network}} {{rule}}",
            r#"sum by (network, rule) (bmon_alerts{job="bmon", network=~"$network", state="firing"}) > 0"#,
        ),
    ]
}

fn itself() -> Vec<super::Panel> {
    vec![
        lines("Events", "Events that agents delivered, a second.")
            .unit("eps")
            .wide(8)
            .ask("events", "sum(rate(bmon_ingest_events_total@server[$__rate_interval]))"),
        lines("From agent to server", "How long after they were made batches came, nine of ten; hours after an outage.")
            .unit("s")
            .wide(8)
            .ask("{{network}} {{node}}", "bmon:ingest_batch_delay_seconds:p90_10m@recorded"),
        lines("Waiting to be analysed", "Records that are durable in the journal and not in the store yet.")
            .wide(8)
            .from(1000.0, "red")
            .ask("records", "bmon:journal_behind_records"),
        lines("Time spent", "Seconds of each second in the analyses, in syncs of the journal and in writing the store. One thread each.")
            .unit("percentunit")
            .wide(8)
            .ask("analyses", "bmon:analysis_seconds:rate5m")
            .ask("journal", "bmon:journal_sync_seconds:rate5m")
            .ask("store", "sum(rate(bmon_store_commit_seconds_total@server[5m]))"),
        lines("On disk", "Size of the journal and of the database without its write-ahead log.")
            .unit("bytes")
            .wide(8)
            .ask("journal", "bmon_journal_size_bytes@server")
            .ask("store", "bmon_store_size_bytes@server"),
        lines("Refused", "Deliveries and other calls of agents that the server refused, by reason; busy is no loss.")
            .unit("ops")
            .wide(8)
            .ask("{{reason}}", "sum by (reason) (rate(bmon_ingest_refusals_total@server[$__rate_interval]))"),
    ]
}
