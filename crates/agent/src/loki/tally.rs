//! What is counted of the way to Loki.

use std::sync::{
    Arc,
    atomic::{AtomicI64, AtomicU64, Ordering::Relaxed},
};

/// The counters of the logs of one node, shared by their threads.
#[derive(Clone, Debug, Default)]
pub(crate) struct LokiCounters(Arc<Values>);

#[derive(Debug, Default)]
struct Values {
    entries: AtomicU64,
    bytes: AtomicU64,
    pushes: AtomicU64,
    failures: AtomicU64,
    withheld: AtomicU64,
    cut: AtomicU64,
    refused: AtomicU64,
    forgotten: AtomicU64,
    gaps: AtomicU64,
    newest_us: AtomicI64,
}

/// All of them at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct LokiCounts {
    /// Entries that Loki acknowledged.
    pub(crate) entries: u64,
    /// Bytes that were pushed, as encoded.
    pub(crate) bytes: u64,
    /// Pushes that Loki acknowledged.
    pub(crate) pushes: u64,
    /// Pushes that failed and were, or will be, tried again.
    pub(crate) failures: u64,
    /// Lines that stayed, as they are a wallet's.
    pub(crate) withheld: u64,
    /// Lines of which only the beginning was pushed.
    pub(crate) cut: u64,
    /// Entries that Loki refused, or that are older than it would take.
    pub(crate) refused: u64,
    /// Of those, entries that are no longer kept.
    pub(crate) forgotten: u64,
    /// Times that a part of a log was gone before it was read.
    pub(crate) gaps: u64,
    /// Time of the last line of `debug.log` that Loki acknowledged, 0 before the first.
    pub(crate) newest_us: i64,
}

macro_rules! add {
    ($($(#[$doc:meta])* $add:ident $field:ident;)+) => {$(
        $(#[$doc])*
        pub(super) fn $add(&self, count: u64) {
            self.0.$field.fetch_add(count, Relaxed);
        }
    )+};
}

impl LokiCounters {
    add! {
        add_withheld withheld;
        add_cut cut;
        add_failures failures;
        add_refused refused;
        add_forgotten forgotten;
        add_gaps gaps;
    }

    pub(super) fn add_push(&self, entries: u64, bytes: u64) {
        self.0.pushes.fetch_add(1, Relaxed);
        self.0.entries.fetch_add(entries, Relaxed);
        self.0.bytes.fetch_add(bytes, Relaxed);
    }

    pub(super) fn set_newest(&self, us: i64) {
        self.0.newest_us.store(us, Relaxed);
    }

    pub(crate) fn get(&self) -> LokiCounts {
        let values = &*self.0;
        LokiCounts {
            entries: values.entries.load(Relaxed),
            bytes: values.bytes.load(Relaxed),
            pushes: values.pushes.load(Relaxed),
            failures: values.failures.load(Relaxed),
            withheld: values.withheld.load(Relaxed),
            cut: values.cut.load(Relaxed),
            refused: values.refused.load(Relaxed),
            forgotten: values.forgotten.load(Relaxed),
            gaps: values.gaps.load(Relaxed),
            newest_us: values.newest_us.load(Relaxed),
        }
    }
}
