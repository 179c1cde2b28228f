//! One entry per number that every node has.

use bmon_analysis::row::{AgentRow, NodeRow};

use super::family::{Family, Sample};

macro_rules! per_node {
    ($name:literal, $help:literal, $counter:literal, |$row:ident| $value:expr) => {
        Family {
            name: $name,
            help: $help,
            counter: $counter,
            samples: |row: &NodeRow| {
                fn value($row: &NodeRow) -> Option<f64> {
                    Some($value)
                }
                value(row).map(|value| (labels(row), value)).into_iter().collect()
            },
        }
    };
}

pub(super) const FAMILIES: &[Family<NodeRow>] = &[
    per_node!("bmon_node_heard_timestamp_seconds", "When the server last heard of the node", false, |row| {
        seconds(row.heard_at.as_micros())
    }),
    per_node!("bmon_node_blocks", "Height of the node's active chain", false, |row| row.height?.into()),
    per_node!("bmon_node_headers", "Height of the node's best header chain", false, |row| row
        .headers?
        .into()),
    per_node!(
        "bmon_node_tip_timestamp_seconds",
        "When the node's tip last changed, by its own clock",
        false,
        |row| seconds(row.tip_at?.as_micros())
    ),
    per_node!(
        "bmon_node_chain_tips",
        "Branches that getchaintips lists, the active one included",
        false,
        |row| row.chain_tips?.into()
    ),
    per_node!(
        "bmon_node_initial_block_download",
        "Whether the node is in initial block download",
        false,
        |row| flag(row.initial_block_download?)
    ),
    per_node!("bmon_node_mempool_transactions", "Transactions in the node's mempool", false, |row| row
        .mempool_transactions?
        as f64),
    per_node!("bmon_node_mempool_virtual_bytes", "Virtual size of the node's mempool", false, |row| row
        .mempool_virtual_bytes?
        as f64),
    per_node!(
        "bmon_node_mempool_min_fee_sat_per_kvb",
        "Fee rate needed to enter the node's mempool in satoshi per 1,000 virtual bytes",
        false,
        |row| row.mempool_min_fee_sat_per_kvb? as f64
    ),
    per_node!("bmon_node_uptime_seconds", "Time since the node started", false, |row| row.uptime_seconds?
        as f64),
    per_node!("bmon_node_warnings", "Warnings that the node gives", false, |row| row.warnings.len() as f64),
    per_node!(
        "bmon_clock_offset_seconds",
        "The server's clock minus the host's: the middle of the interval it lies in",
        false,
        |row| seconds(row.offset?.middle_us())
    ),
    per_node!("bmon_clock_bound_seconds", "Largest error of the offset", false, |row| seconds(
        row.offset?.bound_us()
    )),
    per_node!("bmon_host_cpu_busy_ratio", "Share of CPU time in use", false, |row| row.host.cpu_busy?),
    per_node!("bmon_host_load1", "Load average of one minute", false, |row| row.host.load_1m?),
    per_node!("bmon_host_memory_total_bytes", "Physical memory", false, |row| row.host.memory_total_bytes?
        as f64),
    per_node!("bmon_host_memory_available_bytes", "Memory still available", false, |row| row
        .host
        .memory_available_bytes?
        as f64),
    per_node!("bmon_host_disk_total_bytes", "Size of the data directory's file system", false, |row| row
        .host
        .disk_total_bytes?
        as f64),
    per_node!(
        "bmon_host_disk_free_bytes",
        "Free bytes on the data directory's file system",
        false,
        |row| row.host.disk_free_bytes? as f64
    ),
    per_node!(
        "bmon_host_clock_synchronised",
        "Whether the kernel says that its clock is synchronised",
        false,
        |row| flag(row.host.clock_synchronised?)
    ),
    per_node!(
        "bmon_host_clock_max_error_seconds",
        "The kernel's bound on its clock's error",
        false,
        |row| row.host.clock_max_error_us? as f64 / 1e6
    ),
    per_node!("bmon_agent_start_time_seconds", "When the agent started, by its own clock", false, |row| {
        seconds(agent(row)?.started_at_us)
    }),
    per_node!("bmon_agent_log_bytes", "Bytes of debug.log read", true, |row| agent(row)?.log_bytes as f64),
    per_node!("bmon_agent_log_lines", "Lines of debug.log read", true, |row| agent(row)?.log_lines as f64),
    per_node!(
        "bmon_agent_log_lines_matched",
        "Lines of debug.log that are a message bmon knows",
        true,
        |row| agent(row)?.log_lines_matched as f64
    ),
    per_node!("bmon_agent_zmq_messages", "ZMQ messages received", true, |row| agent(row)?.zmq_messages
        as f64),
    per_node!("bmon_agent_rpc_calls", "RPC calls made", true, |row| agent(row)?.rpc_calls as f64),
    per_node!("bmon_agent_rpc_errors", "RPC calls that failed", true, |row| agent(row)?.rpc_errors as f64),
    per_node!("bmon_agent_rpc_seconds", "Time spent waiting for RPC replies", true, |row| agent(row)?
        .rpc_time_us
        as f64
        / 1e6),
    per_node!("bmon_agent_dropped_events", "Events dropped because the spool was full", true, |row| agent(
        row
    )?
    .dropped_events
        as f64),
    per_node!(
        "bmon_agent_spool_batches",
        "Batches in the spool that the server has not acknowledged",
        false,
        |row| agent(row)?.spool_batches as f64
    ),
    per_node!("bmon_agent_spool_bytes", "Size of the spool on disk", false, |row| agent(row)?.spool_bytes
        as f64),
    per_node!("bmon_agent_resident_memory_bytes", "Resident memory of the agent", false, |row| agent(row)?
        .resident_bytes?
        as f64),
    per_node!("bmon_agent_wants_fulfilled", "Wants of the server that the agent fulfilled", true, |row| {
        agent(row)?.wants_fulfilled as f64
    }),
    per_node!(
        "bmon_agent_wants_refused",
        "Wants of the server that the agent refused or left aside",
        true,
        |row| agent(row)?.wants_refused as f64
    ),
    per_node!("bmon_agent_want_log_bytes", "Bytes of debug.log read for wants", true, |row| {
        agent(row)?.want_log_bytes as f64
    }),
    Family {
        name: "bmon_node_peers",
        help: "Peers of the node, by who connected",
        counter: false,
        samples: peers,
    },
    Family {
        name: "bmon_source_working",
        help: "Whether a source of the node works",
        counter: false,
        samples: sources,
    },
];

fn labels(row: &NodeRow) -> Vec<(&'static str, String)> {
    vec![("network", row.network.to_string()), ("node", row.node.to_string())]
}

fn labels_with(row: &NodeRow, name: &'static str, value: &str) -> Vec<(&'static str, String)> {
    let mut labels = labels(row);
    labels.push((name, value.to_owned()));
    labels
}

fn peers(row: &NodeRow) -> Vec<Sample> {
    let directions = [("in", row.peers_in), ("out", row.peers_out)];
    let sample = |(direction, peers): (&str, Option<u32>)| {
        peers.map(|peers| (labels_with(row, "direction", direction), f64::from(peers)))
    };
    directions.into_iter().filter_map(sample).collect()
}

fn sources(row: &NodeRow) -> Vec<Sample> {
    let sources = row.sources.iter();
    sources.map(|state| (labels_with(row, "source", state.source.as_str()), flag(state.working))).collect()
}

/// The agent's counters, `None` before it told them: every agent has a version.
fn agent(row: &NodeRow) -> Option<&AgentRow> {
    Some(&row.agent).filter(|agent| !agent.version.is_empty())
}

fn flag(flag: bool) -> f64 {
    f64::from(u8::from(flag))
}

pub(super) fn seconds(us: i64) -> f64 {
    us as f64 / 1e6
}
