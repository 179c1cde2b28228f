use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicI64, AtomicU64, Ordering::Relaxed},
};

use bmon_analysis::{Engine, NodeDelays};
use bmon_event::ServerTime;

use super::{Reason, Refusal};
use crate::{clock, notify::NotifierKind};

/// What came in since the server started, and what became of it. Read by the metrics.
#[derive(Debug, Default)]
pub struct Counters {
    /// Batches accepted, repeats not included.
    pub batches: AtomicU64,
    /// Their size in bytes, as delivered.
    pub batch_bytes: AtomicU64,
    /// Events in them.
    pub events: AtomicU64,
    /// Events in them that this version does not know.
    pub unknown_events: AtomicU64,
    /// Batches delivered again after they had been accepted.
    pub repeats: AtomicU64,
    /// Batches accepted with a sequence that does not follow the one before.
    pub jumps: AtomicU64,
    /// Syncs of the journal, each for all batches that waited.
    pub journal_syncs: AtomicU64,
    /// Time spent in them in microseconds.
    pub journal_sync_us: AtomicU64,
    /// Size of the journal on disk in bytes, now.
    pub journal_bytes: AtomicU64,
    /// Number of the journal's newest durable record, now.
    pub journal_last: AtomicU64,
    /// Number of the last record whose rows are in the store, now.
    pub journal_stored: AtomicU64,
    /// How long the last batch waited to be analysed in microseconds, now.
    pub analysis_lag_us: AtomicU64,
    /// Journal records released before the horizon because of the byte bound.
    pub journal_released_early: AtomicU64,
    /// Journal records found damaged, or not understood, when the server started.
    pub journal_damaged: AtomicU64,
    /// Batches analysed.
    pub analysed_batches: AtomicU64,
    /// Time spent with that in microseconds.
    pub batch_analysis_us: AtomicU64,
    /// Times that the analyses looked at what time alone changes.
    pub analysis_ticks: AtomicU64,
    /// Time spent with that in microseconds.
    pub tick_analysis_us: AtomicU64,
    /// Transactions of rows written to the store.
    pub store_commits: AtomicU64,
    /// Time spent with that in microseconds, failures included.
    pub store_commit_us: AtomicU64,
    /// Rows written to the store.
    pub store_rows: AtomicU64,
    /// Commits that failed and were tried again.
    pub store_failures: AtomicU64,
    /// Rows left out of commits because no table takes them.
    pub store_impossible_rows: AtomicU64,
    /// Transactions deleted from the store because of their age.
    pub store_expired: AtomicU64,
    /// Wants asked of agents.
    pub wants: AtomicU64,
    /// Wants that were answered.
    pub want_answers: AtomicU64,
    /// Answers that came late, were not asked for, or were larger than allowed.
    pub want_answers_ignored: AtomicU64,
    /// Headers, and words about blocks, that the analyses dropped.
    pub dropped_words: AtomicU64,
    /// Parts of blocks that are not of the block, or contradict others.
    pub bad_block_parts: AtomicU64,
    /// Parts of blocks that nobody needed, or not any more.
    pub unneeded_block_parts: AtomicU64,
    /// Transactions that the analyses forgot before their time because there were too many.
    pub forgotten_transactions: AtomicU64,
    /// Transactions that came too late to be counted in the spread of their hour.
    pub late_transactions: AtomicU64,
    alertmanager: NotifyCounters,
    webhook: NotifyCounters,
    delays: Mutex<Vec<NodeDelays>>,
    refused: [AtomicU64; Reason::ALL.len()],
}

/// What became of telling one notifier of alerts.
#[derive(Debug, Default)]
pub struct NotifyCounters {
    /// Alerts that it took.
    pub alerts: AtomicU64,
    /// Times that it could not be told of alerts.
    pub failures: AtomicU64,
    /// Alerts of which it could not be told, or not that they ended, for a day after they did.
    pub given_up: AtomicU64,
    /// Since when it cannot be told, in microseconds since the Unix epoch; 0 while it can, as far as is known.
    pub failing_since_us: AtomicI64,
}

impl Counters {
    /// Those of one notifier.
    pub const fn notifier(&self, kind: NotifierKind) -> &NotifyCounters {
        match kind {
            NotifierKind::Alertmanager => &self.alertmanager,
            NotifierKind::Webhook => &self.webhook,
        }
    }

    /// Calls refused, by reason.
    pub fn refused(&self) -> impl Iterator<Item = (Reason, u64)> + '_ {
        Reason::ALL.into_iter().zip(self.refused.iter().map(|count| count.load(Relaxed)))
    }

    /// How late each node told of what came since the server started.
    pub fn delays(&self) -> Vec<NodeDelays> {
        self.delays.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The notifiers that cannot be told of alerts, and since when.
    pub(crate) fn failing_notifiers(&self) -> Vec<(&'static str, ServerTime)> {
        let failing = NotifierKind::ALL.into_iter().filter_map(|kind| {
            let since_us = self.notifier(kind).failing_since_us.load(Relaxed);
            (since_us != 0).then(|| (kind.as_str(), ServerTime::from_micros(since_us)))
        });
        failing.collect()
    }

    /// Takes over how late each node told.
    pub fn set_delays(&self, delays: Vec<NodeDelays>) {
        *self.delays.lock().unwrap_or_else(PoisonError::into_inner) = delays;
    }

    /// Takes over what the analyses counted since the server started.
    pub(crate) fn note_analyses(&self, engine: &Engine) {
        self.set_delays(engine.delays());
        let engine = engine.counters();
        self.forgotten_transactions.store(engine.forgotten_transactions, Relaxed);
        self.late_transactions.store(engine.late_transactions, Relaxed);
        self.dropped_words.store(engine.dropped_words, Relaxed);
        self.bad_block_parts.store(engine.bad_block_parts, Relaxed);
        self.unneeded_block_parts.store(engine.unneeded_block_parts, Relaxed);
    }

    /// Counts a refusal and hands it back.
    pub(crate) fn refuse(&self, refusal: Refusal) -> Refusal {
        if let Some(count) = self.refused.get(refusal.reason() as usize) {
            count.fetch_add(1, Relaxed);
        }
        refusal
    }
}

/// Does what takes time, and adds that in microseconds.
pub(crate) fn timed<T>(us: &AtomicU64, work: impl FnOnce() -> T) -> T {
    let begun_at = clock::monotonic();
    let done = work();
    let took = clock::monotonic().saturating_duration_since(begun_at);
    count(us, u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
    done
}

/// Adds to a counter. Counters are independent of one another and of everything else.
pub(crate) fn count(counter: &AtomicU64, count: u64) {
    counter.fetch_add(count, Relaxed);
}
