//! The agent's own page. Names are `bmon_agent_<noun>_<base unit>[_total]`, in seconds and bytes, without rates; labels are
//! bounded.

use bmon_metric::{Family, Sample};

use super::{Metric, View, by, flag, metric, seconds, signed_seconds};
use crate::observed::SourceSeen;

macro_rules! of_all {
    ($($entry:tt)*) => { metric!(of_all &[], $($entry)*) };
}

macro_rules! of_node {
    ($($entry:tt)*) => { metric!(of_node &["node"], $($entry)*) };
}

/// What all nodes beside the agent share: its process, and the host.
pub(super) const OF_ALL: &[Metric] = &[
    Metric {
        family: Family {
            name: "bmon_agent_build_info",
            help: "Version of the agent",
            counter: false,
            samples: |view| vec![(vec![("version", view.health.version.clone())], 1.0)],
        },
        unit: "",
        from: "the agent",
        labels: &["version"],
    },
    of_all!(
        "bmon_agent_start_time_seconds",
        gauge,
        "seconds since 1970",
        "the agent",
        "When the agent started, by the host's clock",
        |view| signed_seconds(view.health.started_at_us)
    ),
    of_all!(
        "bmon_agent_resident_memory_bytes",
        gauge,
        "bytes",
        "`/proc/self/status`",
        "Resident memory of the agent's process",
        |view| view.health.resident_bytes? as f64
    ),
    of_all!(
        "bmon_agent_host_cpu_busy_seconds",
        counter,
        "seconds",
        "`/proc/stat`",
        "CPU time of all cores since the host started that was not idle",
        |view| seconds(view.seen.host.as_ref()?.cpu_busy_us?)
    ),
    of_all!(
        "bmon_agent_host_cpu_seconds",
        counter,
        "seconds",
        "`/proc/stat`",
        "CPU time of all cores since the host started",
        |view| seconds(view.seen.host.as_ref()?.cpu_total_us?)
    ),
    of_all!("bmon_agent_host_load1", gauge, "", "`/proc/loadavg`", "Load average of one minute", |view| view
        .seen
        .host
        .as_ref()?
        .load_1m?),
    of_all!(
        "bmon_agent_host_memory_total_bytes",
        gauge,
        "bytes",
        "`/proc/meminfo`",
        "Physical memory",
        |view| view.seen.host.as_ref()?.memory_total_bytes? as f64
    ),
    of_all!(
        "bmon_agent_host_memory_available_bytes",
        gauge,
        "bytes",
        "`/proc/meminfo`",
        "Memory still available",
        |view| view.seen.host.as_ref()?.memory_available_bytes? as f64
    ),
    of_all!(
        "bmon_agent_host_network_received_bytes",
        counter,
        "bytes",
        "`/proc/net/dev`",
        "Bytes that the host's network devices received since the host started",
        |view| view.seen.traffic?.received_bytes as f64
    ),
    of_all!(
        "bmon_agent_host_network_sent_bytes",
        counter,
        "bytes",
        "`/proc/net/dev`",
        "Bytes that the host's network devices sent since the host started",
        |view| view.seen.traffic?.sent_bytes as f64
    ),
    of_all!(
        "bmon_agent_host_clock_synchronised",
        gauge,
        "0 or 1",
        "`adjtimex`",
        "Whether the kernel says that its clock is synchronised",
        |view| flag(view.seen.host.as_ref()?.clock_synchronised?)
    ),
    of_all!(
        "bmon_agent_host_clock_max_error_seconds",
        gauge,
        "seconds",
        "`adjtimex`",
        "The kernel's bound on its clock's error",
        |view| seconds(view.seen.host.as_ref()?.clock_max_error_us?)
    ),
];

/// What is of one node, or of the agent's work for it.
pub(super) const OF_A_NODE: &[Metric] = &[
    of_node!(
        "bmon_agent_clock_offset_seconds",
        gauge,
        "seconds",
        "exchange of times",
        "The server's clock minus the host's: the middle of the interval it lies in",
        |view| {
            let sample = view.seen.clock?;
            signed_seconds(sample.offset_min_us.midpoint(sample.offset_max_us))
        }
    ),
    of_node!(
        "bmon_agent_clock_bound_seconds",
        gauge,
        "seconds",
        "exchange of times",
        "Largest error of that offset when it was measured",
        |view| {
            let sample = view.seen.clock?;
            signed_seconds(sample.offset_max_us.saturating_sub(sample.offset_min_us)) / 2.0
        }
    ),
    of_node!(
        "bmon_agent_disk_total_bytes",
        gauge,
        "bytes",
        "`statvfs`",
        "Size of the file system of the node's data directory",
        |view| view.seen.host.as_ref()?.disk_total_bytes? as f64
    ),
    of_node!(
        "bmon_agent_disk_free_bytes",
        gauge,
        "bytes",
        "`statvfs`",
        "Free bytes on the file system of the node's data directory",
        |view| view.seen.host.as_ref()?.disk_free_bytes? as f64
    ),
    of_node!(
        "bmon_agent_node_cpu_seconds",
        counter,
        "seconds",
        "`/proc/PID/stat`",
        "CPU time of the node's process",
        |view| seconds(view.seen.process?.cpu_us?)
    ),
    of_node!(
        "bmon_agent_node_resident_memory_bytes",
        gauge,
        "bytes",
        "`/proc/PID/status`",
        "Resident memory of the node's process",
        |view| view.seen.process?.resident_bytes? as f64
    ),
    of_node!(
        "bmon_agent_node_open_files",
        gauge,
        "files",
        "`/proc/PID/fd`",
        "Files and sockets that the node's process has open; told to the node's own user only",
        |view| view.seen.process?.open_files? as f64
    ),
    of_node!(
        "bmon_agent_node_max_open_files",
        gauge,
        "files",
        "`/proc/PID/limits`",
        "Files and sockets that the node's process may have open",
        |view| view.seen.process?.max_open_files? as f64
    ),
    Metric {
        family: Family {
            name: "bmon_agent_source_working",
            help: "Whether a source of the node works",
            counter: false,
            samples: |view| sources(view, |source| source.working.map(flag)),
        },
        unit: "0 or 1",
        from: "the agent",
        labels: &["node", "source"],
    },
    Metric {
        family: Family {
            name: "bmon_agent_source_heard_timestamp_seconds",
            help: "When the last event of a source was received, by the host's clock",
            counter: false,
            samples: |view| sources(view, |source| source.heard_at.map(|at| signed_seconds(at.as_micros()))),
        },
        unit: "seconds since 1970",
        from: "the agent",
        labels: &["node", "source"],
    },
    Metric {
        family: Family {
            name: "bmon_agent_source_lag_seconds",
            help: "How long after its own stamp the last event of a source was received; up to a second too much where stamps \
                   are cut to whole seconds",
            counter: false,
            samples: |view| sources(view, |source| source.lag_us.map(signed_seconds)),
        },
        unit: "seconds",
        from: "`debug.log`",
        labels: &["node", "source"],
    },
    of_node!("bmon_agent_log_bytes", counter, "bytes", "the agent", "Bytes of debug.log read", |view| view
        .health
        .log_bytes
        as f64),
    of_node!("bmon_agent_log_lines", counter, "lines", "the agent", "Lines of debug.log read", |view| view
        .health
        .log_lines
        as f64),
    of_node!(
        "bmon_agent_log_lines_matched",
        counter,
        "lines",
        "the agent",
        "Lines of debug.log that are a message bmon knows",
        |view| view.health.log_lines_matched as f64
    ),
    of_node!(
        "bmon_agent_zmq_messages",
        counter,
        "messages",
        "the agent",
        "ZMQ messages received",
        |view| view.health.zmq_messages as f64
    ),
    of_node!("bmon_agent_rpc_calls", counter, "calls", "the agent", "RPC calls made", |view| view
        .health
        .rpc_calls
        as f64),
    Metric {
        family: Family {
            name: "bmon_agent_rpc_errors",
            help: "RPC calls that failed, by why",
            counter: true,
            samples: |view| by(&view.node_label(), "reason", failures(view)),
        },
        unit: "calls",
        from: "the agent",
        labels: &["node", "reason"],
    },
    of_node!(
        "bmon_agent_rpc_seconds",
        counter,
        "seconds",
        "the agent",
        "Time spent waiting for RPC replies",
        |view| seconds(view.health.rpc_time_us)
    ),
    of_node!(
        "bmon_agent_spool_batches",
        gauge,
        "batches",
        "the spool",
        "Batches in the spool that the server has not acknowledged",
        |view| view.health.spool_batches as f64
    ),
    of_node!("bmon_agent_spool_bytes", gauge, "bytes", "the spool", "Size of the spool on disk", |view| view
        .health
        .spool_bytes
        as f64),
    Metric {
        family: Family {
            name: "bmon_agent_dropped_events",
            help: "Events that do not reach the server, by why; a batch that cannot be read counts as none",
            counter: true,
            samples: |view| {
                let dropped = view.work.dropped_events.iter();
                by(&view.node_label(), "reason", dropped.map(|(why, count)| (why.as_str(), *count as f64)))
            },
        },
        unit: "events",
        from: "the agent",
        labels: &["node", "reason"],
    },
    of_node!(
        "bmon_agent_delivery_working",
        gauge,
        "0 or 1",
        "the agent",
        "Whether the server takes batches",
        |view| flag(view.delivers)
    ),
    of_node!(
        "bmon_agent_delivered_batches",
        counter,
        "batches",
        "the agent",
        "Batches that the server acknowledged",
        |view| view.work.delivered_batches as f64
    ),
    of_node!(
        "bmon_agent_delivered_bytes",
        counter,
        "bytes",
        "the agent",
        "Size of the batches that the server acknowledged, as delivered",
        |view| view.work.delivered_bytes as f64
    ),
    of_node!(
        "bmon_agent_wants_fulfilled",
        counter,
        "wants",
        "the agent",
        "Wants of the server that the agent fulfilled",
        |view| view.health.wants_fulfilled as f64
    ),
    of_node!(
        "bmon_agent_wants_refused",
        counter,
        "wants",
        "the agent",
        "Wants of the server that the agent refused or left aside",
        |view| view.health.wants_refused as f64
    ),
    of_node!(
        "bmon_agent_want_log_bytes",
        counter,
        "bytes",
        "the agent",
        "Bytes of debug.log read for wants",
        |view| view.health.want_log_bytes as f64
    ),
    of_node!(
        "bmon_agent_loki_entries",
        counter,
        "lines",
        "the agent",
        "Lines of the node's logs that Loki acknowledged, those that were sent again included",
        |view| view.loki?.entries as f64
    ),
    of_node!(
        "bmon_agent_loki_pushes",
        counter,
        "pushes",
        "the agent",
        "Pushes that Loki acknowledged",
        |view| view.loki?.pushes as f64
    ),
    of_node!(
        "bmon_agent_loki_pushed_bytes",
        counter,
        "bytes",
        "the agent",
        "Size of the pushes that Loki acknowledged, as sent",
        |view| view.loki?.bytes as f64
    ),
    of_node!(
        "bmon_agent_loki_failures",
        counter,
        "pushes",
        "the agent",
        "Pushes that failed and were tried again",
        |view| view.loki?.failures as f64
    ),
    of_node!(
        "bmon_agent_loki_newest_timestamp_seconds",
        gauge,
        "seconds since 1970",
        "`debug.log`",
        "Time of the last line of debug.log that Loki acknowledged since the agent started",
        |view| Some(view.loki?.newest_us).filter(|us| *us > 0).map(signed_seconds)?
    ),
    of_node!(
        "bmon_agent_loki_withheld_lines",
        counter,
        "lines",
        "the agent",
        "Lines that did not leave the host because they are a wallet's",
        |view| view.loki?.withheld as f64
    ),
    of_node!(
        "bmon_agent_loki_cut_lines",
        counter,
        "lines",
        "the agent",
        "Lines over the limit, of which only the beginning was pushed",
        |view| view.loki?.cut as f64
    ),
    of_node!(
        "bmon_agent_loki_refused_entries",
        counter,
        "lines",
        "the agent",
        "Lines that Loki does not take: refused by it, or older than it would take; kept in a file beside the spool",
        |view| view.loki?.refused as f64
    ),
    of_node!(
        "bmon_agent_loki_forgotten_entries",
        counter,
        "lines",
        "the agent",
        "Lines that Loki does not take and that are no longer kept either",
        |view| view.loki?.forgotten as f64
    ),
    of_node!(
        "bmon_agent_loki_gaps",
        counter,
        "gaps",
        "the agent",
        "Times that a part of a log was gone before it was read for Loki",
        |view| view.loki?.gaps as f64
    ),
];

fn sources(view: &View, value: fn(&SourceSeen) -> Option<f64>) -> Vec<Sample> {
    let values = view.seen.sources.iter().filter_map(|(source, seen)| Some((source.as_str(), value(seen)?)));
    by(&view.node_label(), "source", values)
}

/// How many RPC calls failed, by why.
pub(super) fn failures(view: &View) -> impl Iterator<Item = (&'static str, f64)> {
    view.work.rpc_failures.iter().map(|(failure, count)| (failure.as_str(), *count as f64))
}
