//! One node with its host and its agent.

use super::{
    Dashboard,
    panel::{lines, stat},
    row,
};

pub(super) fn dashboard() -> Dashboard {
    Dashboard {
        uid: "bmon-node",
        title: "bmon: one node",
        description: "A node, its host and its agent. What only an agent's own page has is empty where agent.metrics_listen is not set.",
        from: "now-6h",
        is_of_logs: false,
        rows: vec![
            row("Now", now()),
            row("Node", node()),
            row("Host", host()),
            row("Process", process()),
            row("Agent", agent()),
        ],
    }
}

fn now() -> Vec<super::Panel> {
    vec![
        stat("Height", "Height of the active chain.")
            .unit("none")
            .ask("{{node}}", "max by (node) (bmon_node_blocks@nodes)"),
        stat("Uptime", "Since when the node runs (RPC uptime).")
            .unit("s")
            .ask("{{node}}", "max by (node) (bmon_node_uptime_seconds@nodes)"),
        stat(
            "Initial download",
            "1 while the node says that it is in initial block download (getblockchaininfo).",
        )
        .from(1.0, "orange")
        .ask("{{node}}", "max by (node) (bmon_node_initial_block_download@nodes)"),
        stat(
            "Warnings",
            "Warnings that the node gives (getblockchaininfo, getnetworkinfo); bmon's page has their text.",
        )
        .from(1.0, "orange")
        .ask("{{node}}", "max by (node) (bmon_node_warnings@nodes)"),
        stat("Sources working", "Of log, ZMQ, RPC and host, how many the agent can read.")
            .ask("{{node}}", "sum by (node) (bmon_source_working@nodes)"),
        stat("Heard of", "Since when nothing is heard of the node.")
            .unit("s")
            .from(60.0, "red")
            .ask("{{node}}", "max by (node) (bmon:node_silent_seconds@recorded)"),
    ]
}

fn node() -> Vec<super::Panel> {
    vec![
        lines("Height and headers", "The active chain, and the best chain of headers.")
            .unit("none")
            .ask("{{node}} blocks", "bmon_node_blocks@nodes")
            .ask("{{node}} headers", "bmon_node_headers@nodes"),
        lines(
            "Peers",
            "Peers by who connected (RPC getpeerinfo). Without inbound peers a node may not be reachable.",
        )
        .ask("{{node}} {{direction}}", "bmon_node_peers@nodes"),
        lines("Mempool", "Transactions in the mempool.")
            .ask("{{node}}", "bmon_node_mempool_transactions@nodes"),
        lines("Block delay", "How long after the first node it told of blocks, in the last six hours.")
            .unit("s")
            .ask("{{node}} half", "bmon:block_delay_seconds:p50_6h@recorded")
            .ask("{{node}} nine of ten", "bmon:block_delay_seconds:p90_6h@recorded"),
    ]
}

fn host() -> Vec<super::Panel> {
    vec![
        lines("CPU", "Share of all cores' time in use.")
            .unit("percentunit")
            .at_most(1.0)
            .wide(8)
            .ask("{{node}}", "bmon_host_cpu_busy_ratio@nodes"),
        lines("Load", "Load average of one minute.").wide(8).ask("{{node}}", "bmon_host_load1@nodes"),
        lines("Memory in use", "Share of physical memory that is not available (MemAvailable of proc(5)).")
            .unit("percentunit")
            .at_most(1.0)
            .from(0.9, "red")
            .wide(8)
            .ask("{{node}}", "1 - bmon_host_memory_available_bytes@nodes / bmon_host_memory_total_bytes@nodes"),
        lines("Disk free", "Free bytes on the file system of the node's data directory; bitcoind ends when it is full.")
            .unit("bytes")
            .wide(8)
            .ask("{{node}}", "bmon_host_disk_free_bytes@nodes"),
        lines("Network", "Bytes a second of the host's network devices, received, and sent as negative.")
            .unit("Bps")
            .wide(8)
            .ask("{{node}} received", "rate(bmon_agent_host_network_received_bytes_total@agents[$__rate_interval])")
            .ask("{{node}} sent", "-rate(bmon_agent_host_network_sent_bytes_total@agents[$__rate_interval])"),
        lines("Clock", "The kernel's bound on its clock's error (adjtimex), and the largest error of the offset to the server's.")
            .unit("s")
            .wide(8)
            .ask("{{node}} kernel", "bmon_host_clock_max_error_seconds@nodes")
            .ask("{{node}} offset", "bmon_clock_bound_seconds@nodes"),
    ]
}

fn process() -> Vec<super::Panel> {
    vec![
        lines("CPU of bitcoind", "Cores in use by the node's process.")
            .unit("none")
            .wide(8)
            .ask("{{node}}", "rate(bmon_agent_node_cpu_seconds_total@agents[$__rate_interval])"),
        lines(
            "Memory of bitcoind",
            "Resident memory of the node's process; -dbcache and -maxmempool bound most of it.",
        )
        .unit("bytes")
        .wide(8)
        .ask("{{node}}", "bmon_agent_node_resident_memory_bytes@agents"),
        lines(
            "Open files of bitcoind",
            "Files and sockets that are open, and that may be. Told to the node's own user only.",
        )
        .wide(8)
        .ask("{{node}} open", "bmon_agent_node_open_files@agents")
        .ask("{{node}} limit", "bmon_agent_node_max_open_files@agents"),
    ]
}

fn agent() -> Vec<super::Panel> {
    vec![
        lines("Log", "Lines of debug.log a second, and those that are a message bmon knows.")
            .unit("ops")
            .wide(8)
            .ask("{{node}} lines", "rate(bmon_agent_log_lines_total@nodes[$__rate_interval])")
            .ask("{{node}} matched", "rate(bmon_agent_log_lines_matched_total@nodes[$__rate_interval])"),
        lines("Lag of the log", "How long after its own stamp the last event of debug.log was received; up to a second too much where \
               stamps are cut to whole seconds (without -logtimemicros).")
            .unit("s")
            .wide(8)
            .ask("{{node}}", r#"bmon_agent_source_lag_seconds{job="bmon-agent", network=~"$network|", node=~"$node", source="log"}"#),
        lines("RPC", "Share of time spent waiting for RPC replies, and calls a second that failed.")
            .unit("percentunit")
            .wide(8)
            .ask("{{node}} waiting", "rate(bmon_agent_rpc_seconds_total@nodes[$__rate_interval])")
            .ask("{{node}} failed", "rate(bmon_agent_rpc_errors_total@nodes[$__rate_interval])"),
        lines("Spool", "What the server has not taken yet; beyond agent.spool_max_bytes the oldest is dropped and told as a gap.")
            .unit("bytes")
            .wide(8)
            .ask("{{node}}", "bmon_agent_spool_bytes@nodes"),
        lines("Dropped", "Events a second that do not reach the server, by why.")
            .unit("ops")
            .wide(8)
            .ask(
                "{{node}} {{reason}}",
                "rate(bmon_agent_dropped_events_total@agents[$__rate_interval])",
            ),
        lines("Memory of the agent", "Resident memory of the agent's process, which the nodes beside it share.")
            .unit("bytes")
            .wide(8)
            .ask("{{node}}", "bmon_agent_resident_memory_bytes@nodes"),
    ]
}
