//! The journal thread: accepted batches go to the disk here, and are answered only then.
//!
//! The journal is a spool whose records are the time of receipt (microseconds, 8 bytes, little-endian) and the batch
//! as it was delivered. All batches that wait are appended, one `fdatasync` makes them durable together, then all are
//! answered and handed on. Segments are freed when they are older than the horizon or too many, but never before
//! their rows are in the store; when that makes the journal full, batches are refused and stay with their agents.
//!
//! After a sync that failed nobody knows what the disk holds, and only a new start can find out: the thread ends, and
//! the server with it.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc::{Receiver, SyncSender};
use std::time::Duration;

use bmon_event::{Batch, Epoch, NodeName, ServerTime};
use bmon_spool::{Limits, Recovery, Spool, SpoolError};
use tokio::sync::oneshot;

use crate::clock;
use crate::ingest::{Accepted, Counters, Permit, Refusal, count};
use crate::pipeline::Entry;

/// Most batches for one sync: what a second of a busy fleet brings.
const MOST_AT_ONCE: usize = 1024;

/// A batch on its way to the disk, and who waits for it.
#[derive(Debug)]
pub(crate) struct Delivery {
    pub(crate) received_at: ServerTime,
    pub(crate) batch: Batch,
    /// Goes where the batch goes.
    pub(crate) permit: Permit,
    /// The batch as it was delivered.
    pub(crate) bytes: Vec<u8>,
    pub(crate) reply: oneshot::Sender<Result<(), Refusal>>,
}

/// How long and how much the journal keeps.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Retention {
    pub(crate) horizon: Duration,
    pub(crate) max_bytes: u64,
}

/// Opens the journal in `dir`. It never drops anything by itself.
pub(crate) fn open(dir: &Path, retention: Retention) -> Result<(Spool, Recovery), SpoolError> {
    let segment_bytes = (retention.max_bytes / 16).clamp(64 << 10, 8 << 20);
    Spool::open(dir, Limits { total_bytes: u64::MAX, segment_bytes })
}

/// Time of receipt and batch of a record, `None` if it is too short to be one.
pub(crate) fn parse_record(record: &[u8]) -> Option<(ServerTime, &[u8])> {
    let (received_us, batch) = record.split_first_chunk()?;
    Some((ServerTime::from_micros(i64::from_le_bytes(*received_us)), batch))
}

/// What the thread owns.
pub(crate) struct Journal {
    spool: Spool,
    retention: Retention,
    accepted: Arc<Accepted>,
    counters: Arc<Counters>,
    entries: SyncSender<Entry>,
    /// Sequences that are appended and not yet durable.
    ahead: HashMap<(NodeName, Epoch), u64>,
    /// The last record of the oldest segment, and when it was received if that can be told.
    oldest: Option<(u64, Option<ServerTime>)>,
    record: Vec<u8>,
    /// Whether a sync has failed.
    lost: bool,
}

impl Journal {
    pub(crate) fn new(
        spool: Spool,
        retention: Retention,
        accepted: Arc<Accepted>,
        counters: Arc<Counters>,
        entries: SyncSender<Entry>,
    ) -> Self {
        counters.journal_bytes.store(spool.bytes(), Relaxed);
        counters.journal_last.store(spool.last(), Relaxed);
        Self {
            spool,
            retention,
            accepted,
            counters,
            entries,
            ahead: HashMap::new(),
            oldest: None,
            record: Vec::new(),
            lost: false,
        }
    }

    /// Runs until nobody delivers any more, nobody takes entries any more, or a sync has failed.
    pub(crate) fn run(mut self, deliveries: &Receiver<Delivery>) {
        while let Ok(first) = deliveries.recv() {
            let mut group = vec![first];
            group.extend(deliveries.try_iter().take(MOST_AT_ONCE - 1));
            let durable = self.store(group);
            if durable.into_iter().any(|entry| self.entries.send(entry).is_err()) {
                tracing::error!("the thread that analyses batches has ended; no more are accepted");
                return;
            }
            if self.lost {
                tracing::error!("a sync of the journal failed: the server ends, and has to be started again");
                return;
            }
        }
    }

    /// Makes a group durable, answers it, and gives what is new in it.
    fn store(&mut self, group: Vec<Delivery>) -> Vec<Entry> {
        let mut placed = Vec::with_capacity(group.len());
        for delivery in group {
            match self.append(&delivery) {
                Ok(position) => placed.push((delivery, position)),
                Err(refusal) => answer(delivery.reply, Err(refusal)),
            }
        }
        let durable = self.sync();
        let mut entries = Vec::with_capacity(placed.len());
        for (Delivery { received_at, batch, permit, reply, .. }, position) in placed {
            if durable {
                answer(reply, Ok(()));
                entries.extend(position.map(|position| Entry { position, received_at, batch, permit }));
            } else {
                answer(reply, Err(Refusal::JournalFailed));
            }
        }
        entries
    }

    /// Appends a batch and gives the number of its record, `None` for a repeat.
    fn append(&mut self, delivery: &Delivery) -> Result<Option<u64>, Refusal> {
        let batch = &delivery.batch;
        let key = (batch.node.clone(), batch.epoch);
        let highest = self.ahead.get(&key).copied();
        let highest = highest.unwrap_or_else(|| self.accepted.highest(&batch.node, batch.epoch));
        if batch.sequence <= highest {
            count(&self.counters.repeats, 1);
            return Ok(None);
        }
        self.make_room(delivery.bytes.len() as u64, delivery.received_at)?;
        self.record.clear();
        self.record.extend_from_slice(&delivery.received_at.as_micros().to_le_bytes());
        self.record.extend_from_slice(&delivery.bytes);
        let appended = self.spool.append(&self.record).map_err(|error| failed(&error))?;
        count(&self.counters.batches, 1);
        count(&self.counters.batch_bytes, delivery.bytes.len() as u64);
        count(&self.counters.events, batch.events.len() as u64);
        count(&self.counters.unknown_events, batch.unknown_events);
        count(&self.counters.jumps, u64::from(batch.sequence > highest + 1));
        self.ahead.insert(key, batch.sequence);
        Ok(Some(appended.sequence))
    }

    /// Waits for the disk. Tells whether everything appended is durable.
    fn sync(&mut self) -> bool {
        let start = clock::monotonic();
        let synced = self.spool.sync();
        if let Err(error) = &synced {
            failed(error);
            self.ahead.clear();
            self.lost = true;
            return false;
        }
        if !self.ahead.is_empty() {
            self.accepted.raise(self.ahead.drain());
            count(&self.counters.journal_syncs, 1);
            let took = clock::monotonic().duration_since(start);
            count(&self.counters.journal_sync_us, u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
            self.counters.journal_bytes.store(self.spool.bytes(), Relaxed);
            self.counters.journal_last.store(self.spool.last(), Relaxed);
        }
        true
    }

    /// Frees what need not be kept, and refuses what does not fit then.
    fn make_room(&mut self, incoming: u64, now: ServerTime) -> Result<(), Refusal> {
        let stored = self.counters.journal_stored.load(Relaxed);
        while let Some(end) = self.spool.oldest_segment_end().filter(|&end| end <= stored) {
            let expired = self.received_at(end).is_some_and(|at| {
                u128::try_from(now.micros_since(at)).is_ok_and(|age| age > self.retention.horizon.as_micros())
            });
            if !expired && self.spool.bytes() + incoming <= self.retention.max_bytes {
                break;
            }
            let records = end + 1 - self.spool.first();
            self.spool.release(end).map_err(|error| failed(&error))?;
            count(&self.counters.journal_released_early, if expired { 0 } else { records });
        }
        let full = self.spool.bytes() + incoming > self.retention.max_bytes;
        if full { Err(Refusal::JournalFull) } else { Ok(()) }
    }

    /// When the record was received, `None` if it is damaged. Remembered, because it is asked for again and again
    /// while that record is the last of the oldest segment.
    fn received_at(&mut self, sequence: u64) -> Option<ServerTime> {
        match self.oldest {
            Some((known, received_at)) if known == sequence => received_at,
            _ => {
                let record = self.spool.get(sequence).ok().flatten();
                let received_at = record.and_then(|record| parse_record(&record).map(|(at, _)| at));
                self.oldest = Some((sequence, received_at));
                received_at
            }
        }
    }
}

/// The agent may have hung up: the batch is accepted all the same, and its repeat will be recognised.
fn answer(reply: oneshot::Sender<Result<(), Refusal>>, result: Result<(), Refusal>) {
    let _ = reply.send(result);
}

fn failed(error: &SpoolError) -> Refusal {
    tracing::error!(error = error as &dyn std::error::Error, "cannot write the journal");
    Refusal::JournalFailed
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::sync_channel;

    use bmon_event::{AgentTime, Network, Positions};

    use super::*;

    fn delivery(sequence: u64, received_us: i64) -> (Delivery, oneshot::Receiver<Result<(), Refusal>>) {
        let batch = Batch {
            network: Network::from_chain("regtest").unwrap(),
            node: "alice".parse().unwrap(),
            epoch: Epoch(1),
            sequence,
            made_at: AgentTime::default(),
            positions: Positions::default(),
            events: Vec::new(),
            unknown_events: 0,
        };
        let (reply, answer) = oneshot::channel();
        let permit = Permit::alone();
        let bytes = vec![7; 20_000];
        (Delivery { received_at: ServerTime::from_micros(received_us), batch, permit, bytes, reply }, answer)
    }

    fn journal(dir: &Path) -> Journal {
        let retention = Retention { horizon: Duration::from_secs(1), max_bytes: 200_000 };
        let (spool, _) = open(dir, retention).unwrap();
        let (entries, _) = sync_channel(1);
        Journal::new(spool, retention, Arc::default(), Arc::default(), entries)
    }

    #[test]
    fn a_full_journal_refuses_until_the_store_has_caught_up() {
        let dir = tempfile::tempdir().unwrap();
        let mut journal = journal(dir.path());
        for sequence in 1..=9 {
            assert_eq!(journal.append(&delivery(sequence, 0).0).unwrap(), Some(sequence));
        }
        assert!(matches!(journal.append(&delivery(10, 0).0), Err(Refusal::JournalFull)));
        assert!(matches!(journal.append(&delivery(9, 0).0), Ok(None)), "a repeat needs no room");
        journal.counters.journal_stored.store(3, Relaxed);
        assert_eq!(journal.append(&delivery(10, 0).0).unwrap(), Some(10));
        assert_eq!((journal.spool.first(), journal.counters.journal_released_early.load(Relaxed)), (4, 3));
    }

    #[test]
    fn what_is_older_than_the_horizon_goes_when_it_is_stored() {
        let dir = tempfile::tempdir().unwrap();
        let mut journal = journal(dir.path());
        for sequence in 1..=4 {
            journal.append(&delivery(sequence, 0).0).unwrap();
        }
        journal.append(&delivery(5, 5_000_000).0).unwrap();
        assert_eq!(journal.spool.first(), 1, "not stored yet");
        journal.counters.journal_stored.store(5, Relaxed);
        journal.append(&delivery(6, 1_000_000).0).unwrap();
        assert_eq!(journal.spool.first(), 1, "not older than the horizon");
        journal.append(&delivery(7, 1_000_001).0).unwrap();
        assert_eq!((journal.spool.first(), journal.counters.journal_released_early.load(Relaxed)), (4, 0));
    }

    #[test]
    fn a_group_is_answered_after_its_sync_and_a_repeat_in_it_is_known() {
        let dir = tempfile::tempdir().unwrap();
        let mut journal = journal(dir.path());
        let (group, answers): (Vec<_>, Vec<_>) =
            [1, 2, 2, 1, 3].map(|sequence| delivery(sequence, 0)).into_iter().unzip();
        let entries = journal.store(group);
        assert_eq!(
            entries.iter().map(|entry| (entry.position, entry.batch.sequence)).collect::<Vec<_>>(),
            [(1, 1), (2, 2), (3, 3)]
        );
        for mut answer in answers {
            assert!(matches!(answer.try_recv(), Ok(Ok(()))));
        }
        assert_eq!(journal.accepted.highest(&"alice".parse().unwrap(), Epoch(1)), 3);
        assert_eq!(
            (journal.counters.repeats.load(Relaxed), journal.counters.journal_syncs.load(Relaxed)),
            (2, 1)
        );
    }

    #[test]
    fn after_a_failed_sync_the_group_is_refused_and_the_thread_ends() {
        let dir = tempfile::tempdir().unwrap();
        let mut journal = journal(dir.path());
        std::fs::remove_dir_all(dir.path()).unwrap();
        // Fails as a sync does: what the disk holds is not known from here on.
        journal.spool.skip_to(100).unwrap_err();
        let (deliveries, delivered) = sync_channel(1);
        let thread = std::thread::spawn(move || journal.run(&delivered));
        let (delivery, answer) = delivery(1, 0);
        deliveries.send(delivery).unwrap();
        assert!(matches!(answer.blocking_recv().unwrap(), Err(Refusal::JournalFailed)));
        thread.join().unwrap();
    }
}
