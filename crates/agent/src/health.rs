//! What the agent counts about itself.

use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use bmon_event::{AgentTime, event::AgentHealth};

use crate::source::rpc::Failure;

/// The counters of one agent, shared by its threads. They count from the agent's start.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counters(Arc<Values>);

#[derive(Debug, Default)]
struct Values {
    log_bytes: AtomicU64,
    log_lines: AtomicU64,
    log_lines_matched: AtomicU64,
    zmq_messages: AtomicU64,
    rpc_calls: AtomicU64,
    rpc_failures: [AtomicU64; Failure::ALL.len()],
    rpc_time_us: AtomicU64,
    dropped_events: [AtomicU64; DropReason::ALL.len()],
    delivered_batches: AtomicU64,
    delivered_bytes: AtomicU64,
    wants_fulfilled: AtomicU64,
    wants_refused: AtomicU64,
    want_log_bytes: AtomicU64,
}

/// Why events do not reach the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DropReason {
    /// The spool was full.
    SpoolFull,
    /// The server cannot use the batch.
    Unusable,
    /// The batch cannot be read back from the spool. How many events it had is not known: each such batch counts as none.
    Unreadable,
}

impl DropReason {
    /// Every reason.
    pub(crate) const ALL: [Self; 3] = [Self::SpoolFull, Self::Unusable, Self::Unreadable];

    /// The word for it in metrics.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::SpoolFull => "spool_full",
            Self::Unusable => "unusable",
            Self::Unreadable => "unreadable",
        }
    }
}

/// What only the agent itself tells of its work, beside what is an event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Work {
    /// RPC calls that failed, by why.
    pub(crate) rpc_failures: Vec<(Failure, u64)>,
    /// Events that were dropped, by why.
    pub(crate) dropped_events: Vec<(DropReason, u64)>,
    /// Batches that the server acknowledged.
    pub(crate) delivered_batches: u64,
    /// Their size as delivered.
    pub(crate) delivered_bytes: u64,
}

/// How much waits for the server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Backlog {
    /// Batches that the server has not acknowledged.
    pub(crate) batches: u64,
    /// Size of the spool on disk.
    pub(crate) bytes: u64,
}

impl Counters {
    /// Counts what was read of the log.
    pub(crate) fn add_log(&self, bytes: u64, lines: u64, matched: u64) {
        self.0.log_bytes.fetch_add(bytes, Relaxed);
        self.0.log_lines.fetch_add(lines, Relaxed);
        self.0.log_lines_matched.fetch_add(matched, Relaxed);
    }

    /// Counts messages received over ZMQ.
    pub(crate) fn add_zmq(&self, messages: u64) {
        self.0.zmq_messages.fetch_add(messages, Relaxed);
    }

    /// Counts one RPC call and the time spent waiting for it.
    pub(crate) fn add_rpc(&self, waited: Duration, failure: Option<Failure>) {
        self.0.rpc_calls.fetch_add(1, Relaxed);
        if let Some(count) = failure.and_then(|failure| self.0.rpc_failures.get(failure as usize)) {
            count.fetch_add(1, Relaxed);
        }
        self.0.rpc_time_us.fetch_add(u64::try_from(waited.as_micros()).unwrap_or(u64::MAX), Relaxed);
    }

    /// Counts events that were dropped.
    pub(crate) fn add_dropped(&self, reason: DropReason, events: u64) {
        if let Some(count) = self.0.dropped_events.get(reason as usize) {
            count.fetch_add(events, Relaxed);
        }
    }

    /// Counts a batch that the server acknowledged.
    pub(crate) fn add_delivered(&self, bytes: u64) {
        self.0.delivered_batches.fetch_add(1, Relaxed);
        self.0.delivered_bytes.fetch_add(bytes, Relaxed);
    }

    /// Counts a want of the server, and what was read of the log for it.
    pub(crate) fn add_want(&self, fulfilled: bool, log_bytes: u64) {
        let values = &*self.0;
        let count = if fulfilled { &values.wants_fulfilled } else { &values.wants_refused };
        count.fetch_add(1, Relaxed);
        values.want_log_bytes.fetch_add(log_bytes, Relaxed);
    }

    /// All counters as the event that goes to the server, which also says where metrics are served.
    pub(crate) fn read(&self, started_at: AgentTime, backlog: Backlog) -> AgentHealth {
        let values = &*self.0;
        AgentHealth {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            started_at_us: started_at.as_micros(),
            log_bytes: values.log_bytes.load(Relaxed),
            log_lines: values.log_lines.load(Relaxed),
            log_lines_matched: values.log_lines_matched.load(Relaxed),
            zmq_messages: values.zmq_messages.load(Relaxed),
            rpc_calls: values.rpc_calls.load(Relaxed),
            rpc_errors: sum(&values.rpc_failures),
            rpc_time_us: values.rpc_time_us.load(Relaxed),
            dropped_events: sum(&values.dropped_events),
            spool_batches: backlog.batches,
            spool_bytes: backlog.bytes,
            resident_bytes: resident_bytes(),
            wants_fulfilled: values.wants_fulfilled.load(Relaxed),
            wants_refused: values.wants_refused.load(Relaxed),
            want_log_bytes: values.want_log_bytes.load(Relaxed),
            metrics_address: None,
        }
    }

    /// All that is no part of that event.
    pub(crate) fn work(&self) -> Work {
        let values = &*self.0;
        let counts =
            |counts: &[AtomicU64]| counts.iter().map(|count| count.load(Relaxed)).collect::<Vec<_>>();
        Work {
            rpc_failures: Failure::ALL.into_iter().zip(counts(&values.rpc_failures)).collect(),
            dropped_events: DropReason::ALL.into_iter().zip(counts(&values.dropped_events)).collect(),
            delivered_batches: values.delivered_batches.load(Relaxed),
            delivered_bytes: values.delivered_bytes.load(Relaxed),
        }
    }
}

fn sum(counts: &[AtomicU64]) -> u64 {
    counts.iter().map(|count| count.load(Relaxed)).sum()
}

/// Resident memory of this process, from `VmRSS` of proc(5).
fn resident_bytes() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_add_up_and_memory_is_known() {
        let counters = Counters::default();
        counters.add_rpc(Duration::from_millis(2), None);
        counters.add_rpc(Duration::from_millis(3), Some(Failure::Timeout));
        counters.add_dropped(DropReason::SpoolFull, 3);
        counters.add_dropped(DropReason::Unusable, 4);
        counters.add_delivered(70);
        counters.add_log(100, 3, 2);
        counters.add_want(true, 64);
        counters.add_want(false, 2);
        counters.add_want(false, 0);
        let backlog = Backlog { batches: 7, bytes: 9 };
        let health = counters.read(AgentTime::from_micros(5), backlog);
        assert_eq!((health.rpc_calls, health.rpc_errors, health.rpc_time_us), (2, 1, 5000));
        assert_eq!((health.log_bytes, health.log_lines, health.log_lines_matched), (100, 3, 2));
        assert_eq!((health.wants_fulfilled, health.wants_refused, health.want_log_bytes), (1, 2, 66));
        assert_eq!((health.spool_batches, health.spool_bytes, health.started_at_us), (7, 9, 5));
        let work = counters.work();
        assert_eq!((health.dropped_events, work.dropped_events[1]), (7, (DropReason::Unusable, 4)));
        assert!(work.rpc_failures.contains(&(Failure::Timeout, 1)));
        assert_eq!((work.delivered_batches, work.delivered_bytes), (1, 70));
        assert!(health.resident_bytes.unwrap() > 100_000);
    }
}
