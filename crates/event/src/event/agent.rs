//! What an agent tells about itself and its sources.

use super::Source;
use crate::{AgentTime, MetricsAddress};

/// The tightest of the time exchanges with the server since the previous sample. The server's clock minus the
/// agent's lies in [`offset_min_us`, `offset_max_us`]: no symmetry of the path is assumed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockSample {
    /// When the exchange ended (the fourth stamp).
    pub at: AgentTime,
    /// Lower bound: the server's stamp on sending less the agent's on receiving, in microseconds.
    pub offset_min_us: i64,
    /// Upper bound: the server's stamp on receiving less the agent's on sending, in microseconds.
    pub offset_max_us: i64,
}

/// A stretch of time for which a source's events may be missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// The source that may have said more.
    pub source: Source,
    /// Start, `None` when it is not known.
    pub from: Option<AgentTime>,
    /// End.
    pub to: AgentTime,
    /// Events known to be missing, `None` when their number is not known.
    pub lost: Option<u64>,
    /// Why, for a person to read.
    pub reason: String,
}

/// The agent's own counters since it started, and what it costs the node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AgentHealth {
    /// Version of bmon.
    pub version: String,
    /// When the agent started, in microseconds of its clock.
    pub started_at_us: i64,
    /// Bytes of `debug.log` read.
    pub log_bytes: u64,
    /// Lines of `debug.log` read.
    pub log_lines: u64,
    /// Lines that are a message bmon knows.
    pub log_lines_matched: u64,
    /// ZMQ messages received.
    pub zmq_messages: u64,
    /// RPC calls made.
    pub rpc_calls: u64,
    /// RPC calls that failed.
    pub rpc_errors: u64,
    /// Time spent waiting for RPC replies, in microseconds.
    pub rpc_time_us: u64,
    /// Events dropped because the spool was full.
    pub dropped_events: u64,
    /// Batches in the spool that the server has not acknowledged.
    pub spool_batches: u64,
    /// Size of the spool on disk in bytes.
    pub spool_bytes: u64,
    /// Resident memory of the agent in bytes, `None` where the system does not tell.
    pub resident_bytes: Option<u64>,
    /// Wants of the server that were fulfilled.
    pub wants_fulfilled: u64,
    /// Wants of the server that were refused or left aside.
    pub wants_refused: u64,
    /// Bytes of `debug.log` read for wants.
    pub want_log_bytes: u64,
    /// Where it serves its metrics, `None` where it serves none or does not know how others reach them.
    pub metrics_address: Option<MetricsAddress>,
}
