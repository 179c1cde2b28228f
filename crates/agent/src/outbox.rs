//! The spool as the spooler and the shipper share it.
//!
//! The spooler appends and syncs; the shipper reads and releases. Both hold the lock only for that, never while they
//! wait for the network.

use std::{
    ops::RangeInclusive,
    path::Path,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bmon_event::{AgentTime, Batch, Epoch, Event, Source, event::Gap};
use bmon_spool::{Limits, Spool, SpoolError};

use crate::health::Backlog;

/// A batch of the agent's own making is far smaller; the limit is for what damage could make of it.
const UNPACKED_LIMIT: usize = 256 * 1024 * 1024;
/// More than the event that tells of a gap adds to a batch.
const GAP_BYTES: usize = 512;

/// Batches on their way to the server.
#[derive(Debug)]
pub(crate) struct Outbox {
    queue: Mutex<Queue>,
    changed: Condvar,
}

#[derive(Debug)]
struct Queue {
    spool: Spool,
    /// Number of the last batch that is on the disk for certain.
    durable: u64,
    /// Number of the last batch that the server has, or that is given up.
    done: u64,
    /// Whether the shipper waits for a batch.
    idle: bool,
    /// Whether nobody waits for a batch any more.
    closed: bool,
}

/// What the shipper is to do next.
#[derive(Debug)]
pub(crate) enum Next {
    /// A batch to ship.
    Batch(u64, Vec<u8>),
    /// Batches that are gone or damaged. They are passed over.
    Missing(RangeInclusive<u64>),
    /// Nothing yet.
    Nothing,
    /// There is one, but the system refuses to read it now.
    Unreadable(SpoolError),
}

impl Outbox {
    /// Opens the spool. Also gives the last batch in it, which carries the positions to go on from.
    pub(crate) fn open(dir: &Path, limit_bytes: u64) -> Result<(Self, Option<Batch>), SpoolError> {
        let segment_bytes = (limit_bytes / 16).clamp(64 * 1024, 8 * 1024 * 1024);
        let (mut spool, recovery) = Spool::open(dir, Limits { total_bytes: limit_bytes, segment_bytes })?;
        if recovery.torn_bytes > 0 {
            tracing::info!(
                bytes = recovery.torn_bytes,
                "cut off an unfinished record at the end of the spool"
            );
        }
        let mut last = None;
        for sequence in (spool.first()..=spool.last()).rev() {
            match spool.get(sequence) {
                Ok(Some(bytes)) => last = Batch::decode(&bytes, UNPACKED_LIMIT).ok(),
                Ok(None) | Err(SpoolError::Damaged(_)) => {}
                Err(error) => return Err(error),
            }
            if last.is_some() {
                break;
            }
        }
        let queue = Queue {
            durable: spool.last(),
            done: spool.first().saturating_sub(1),
            idle: false,
            closed: false,
            spool,
        };
        Ok((Self { queue: Mutex::new(queue), changed: Condvar::new() }, last))
    }

    /// Names the spool.
    pub(crate) fn epoch(&self) -> Epoch {
        Epoch(self.lock().spool.epoch())
    }

    /// Writes the batch that `encode` makes for this epoch and its sequence number, and waits until it is on the disk.
    /// If older batches have to make room, the batch itself tells of them: `encode` is called once more with the gap,
    /// which is returned. They are removed only when the batch is on the disk.
    pub(crate) fn put(
        &self,
        now: AgentTime,
        mut encode: impl FnMut(Epoch, u64, Option<Gap>) -> Vec<u8>,
    ) -> Result<Option<Gap>, SpoolError> {
        let mut queue = self.lock();
        let (epoch, sequence) = (Epoch(queue.spool.epoch()), queue.spool.last() + 1);
        let mut bytes = encode(epoch, sequence, None);
        let doomed = queue.spool.cost(bytes.len() + GAP_BYTES).map_or(0, |range| *range.end());
        let gap =
            (doomed > queue.done).then(|| queue.loss(doomed).into_gap(now, "the spool was full".to_owned()));
        if gap.is_some() {
            bytes = encode(epoch, sequence, gap.clone());
        }
        let appended = queue.spool.append(&bytes)?;
        queue.spool.sync()?;
        queue.durable = sequence;
        queue.done = queue.done.max(doomed);
        queue.idle = false;
        // What was told to be lost must not arrive after all.
        let removed = queue.spool.release(doomed);
        if let Some(error) = appended.over_bound.or(removed.err()) {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "failed to free a part of the full spool"
            );
        }
        drop(queue);
        self.changed.notify_all();
        Ok(gap)
    }

    /// Waits up to `patience` for the next batch to ship.
    pub(crate) fn next(&self, patience: Duration) -> Next {
        let mut queue = self.lock();
        queue.idle = true;
        let empty = |queue: &mut Queue| queue.durable <= queue.done && !queue.closed;
        let waited = self.changed.wait_timeout_while(queue, patience, empty);
        let (mut queue, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if queue.durable <= queue.done {
            return Next::Nothing;
        }
        queue.idle = false;
        let sequence = queue.done + 1;
        match queue.spool.get(sequence) {
            Ok(Some(bytes)) => Next::Batch(sequence, bytes),
            Ok(None) => Next::Missing(sequence..=sequence.max(queue.spool.first().saturating_sub(1))),
            Err(SpoolError::Damaged(range)) => Next::Missing(range),
            Err(error) => Next::Unreadable(error),
        }
    }

    /// Ends the shipper's waiting for good.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    /// Whether the shipper waits for a batch.
    pub(crate) fn shipper_is_idle(&self) -> bool {
        self.lock().idle
    }

    /// Notes that the server has all batches up to `sequence`, or that they are given up.
    pub(crate) fn release(&self, sequence: u64) -> Result<(), SpoolError> {
        let mut queue = self.lock();
        queue.done = queue.done.max(sequence);
        queue.spool.release(sequence)
    }

    /// Number of the oldest batch that is there.
    pub(crate) fn first(&self) -> u64 {
        self.lock().spool.first()
    }

    /// Number of the last batch.
    pub(crate) fn last(&self) -> u64 {
        self.lock().durable
    }

    /// How much waits for the server.
    pub(crate) fn backlog(&self) -> Backlog {
        let queue = self.lock();
        Backlog { batches: queue.durable.saturating_sub(queue.done), bytes: queue.spool.bytes() }
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue {
    /// What is lost with the batches up to `end`: only what the server does not have.
    fn loss(&mut self, end: u64) -> Loss {
        let mut loss = Loss::default();
        for sequence in self.spool.first().max(self.done + 1)..=end {
            if let Ok(Some(bytes)) = self.spool.get(sequence) {
                loss.add(&bytes);
            }
        }
        loss
    }
}

/// Events that do not reach the server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Loss {
    events: u64,
    from: Option<AgentTime>,
    to: Option<AgentTime>,
}

impl Loss {
    /// Adds the events of one batch.
    pub(crate) fn add(&mut self, bytes: &[u8]) {
        let Ok(batch) = Batch::decode(bytes, UNPACKED_LIMIT) else { return };
        self.events += batch.events.len() as u64;
        let times = || batch.events.iter().map(Event::time);
        self.from = self.from.into_iter().chain(times()).min();
        self.to = self.to.into_iter().chain(times()).max();
    }

    /// The loss as the event that tells of it.
    pub(crate) fn into_gap(self, now: AgentTime, reason: String) -> Gap {
        Gap {
            source: Source::Agent,
            from: self.from,
            to: self.to.unwrap_or(now),
            lost: Some(self.events),
            reason,
        }
    }
}

#[cfg(test)]
impl Outbox {
    /// Makes the spool one whose last sync failed, by taking away its folder `dir`.
    pub(crate) fn fail(&self, dir: &Path) {
        std::fs::remove_dir_all(dir).unwrap();
        self.lock().spool.skip_to(1_000).unwrap_err();
    }
}

#[cfg(test)]
mod tests {
    use bmon_event::{Kind, Network, Positions};

    use super::*;

    const LIMIT_BYTES: u64 = 4_000;

    fn batch(sequence: u64, epoch: Epoch) -> Vec<u8> {
        let event = |us| Event {
            source: Source::Rpc,
            node_time: None,
            agent_time: AgentTime::from_micros(us),
            kind: Kind::Uptime { seconds: 1 },
        };
        let us = 1_000 * i64::try_from(sequence).unwrap();
        let batch = Batch {
            network: Network::from_chain("regtest").unwrap(),
            node: "alice".parse().unwrap(),
            epoch,
            sequence,
            made_at: AgentTime::from_micros(us),
            positions: Positions::default(),
            // Batch 3 has the events 3000, 3001 and 3002.
            events: (us..us + i64::try_from(sequence).unwrap()).map(event).collect(),
            unknown_events: 0,
        };
        batch.encode()
    }

    fn open(dir: &Path) -> (Outbox, Option<Batch>) {
        Outbox::open(dir, LIMIT_BYTES).unwrap()
    }

    fn put(outbox: &Outbox) -> Option<Gap> {
        outbox.put(AgentTime::default(), |epoch, sequence, _| batch(sequence, epoch)).unwrap()
    }

    fn next(outbox: &Outbox) -> Option<u64> {
        match outbox.next(Duration::ZERO) {
            Next::Batch(sequence, bytes) => {
                assert_eq!(bytes, batch(sequence, outbox.epoch()));
                Some(sequence)
            }
            Next::Nothing => None,
            Next::Missing(_) | Next::Unreadable(_) => panic!("a batch cannot be read"),
        }
    }

    #[test]
    fn batches_come_in_order_until_they_are_released() {
        let dir = tempfile::tempdir().unwrap();
        let (outbox, last) = open(dir.path());
        assert!(last.is_none() && next(&outbox).is_none() && outbox.shipper_is_idle());
        put(&outbox);
        put(&outbox);
        assert!(!outbox.shipper_is_idle());
        assert_eq!((next(&outbox), next(&outbox)), (Some(1), Some(1)));
        outbox.release(1).unwrap();
        assert_eq!((next(&outbox), outbox.backlog().batches), (Some(2), 1));
    }

    #[test]
    fn the_last_batch_is_found_again_after_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        let (outbox, _) = open(dir.path());
        put(&outbox);
        put(&outbox);
        let epoch = outbox.epoch();
        drop(outbox);
        let (outbox, last) = open(dir.path());
        assert_eq!((outbox.epoch(), last.unwrap().sequence, outbox.last()), (epoch, 2, 2));
        outbox.release(2).unwrap();
        assert_eq!(next(&outbox), None);
    }

    #[test]
    fn what_is_dropped_at_the_bound_is_counted_unless_the_server_has_it() {
        let dir = tempfile::tempdir().unwrap();
        let (outbox, _) = open(dir.path());
        put(&outbox);
        outbox.release(1).unwrap();
        let gap = std::iter::repeat_with(|| put(&outbox)).flatten().next().unwrap();
        let first = next(&outbox).unwrap();
        assert!(first > 2);
        let lost: u64 = (2..first).sum();
        assert_eq!((gap.source, gap.lost), (Source::Agent, Some(lost)));
        assert_eq!(gap.from, Some(AgentTime::from_micros(2_000)));
        let last_lost = i64::try_from(first - 1).unwrap();
        assert_eq!(gap.to, AgentTime::from_micros(1_001 * last_lost - 1));
    }

    #[test]
    fn the_batch_that_costs_others_tells_of_all_of_them() {
        let dir = tempfile::tempdir().unwrap();
        let (outbox, _) = open(dir.path());
        std::iter::repeat_with(|| put(&outbox)).find(|_| outbox.backlog().bytes > LIMIT_BYTES - 1_000);
        assert_eq!(outbox.first(), 1);
        // Takes the room of more than one segment, which is a quarter of the limit.
        let mut told = None;
        let gap = outbox.put(AgentTime::default(), |_, _, gap| {
            told = gap;
            vec![0; 2_500]
        });
        let gap = gap.unwrap().unwrap();
        assert_eq!(told.as_ref(), Some(&gap));
        assert_eq!(gap.lost, Some((1..outbox.first()).sum()));
        assert!(outbox.first() > 2);
    }

    #[test]
    fn a_batch_that_cannot_be_read_is_told_from_one_that_is_gone_and_from_none() {
        let dir = tempfile::tempdir().unwrap();
        let (outbox, _) = open(dir.path());
        let oldest = dir.path().join("00000000000000000001.seg");
        std::iter::repeat_with(|| put(&outbox)).find(|_| outbox.backlog().bytes > LIMIT_BYTES / 2);
        std::fs::remove_file(&oldest).unwrap();
        std::fs::create_dir(&oldest).unwrap();
        assert!(matches!(outbox.next(Duration::ZERO), Next::Unreadable(_)));
        std::fs::remove_dir(&oldest).unwrap();
        let Next::Missing(range) = outbox.next(Duration::ZERO) else { panic!("the first batches are gone") };
        outbox.release(*range.end()).unwrap();
        assert_eq!(
            (*range.start(), next(&outbox), outbox.first()),
            (1, Some(range.end() + 1), range.end() + 1)
        );
    }

    #[test]
    fn closing_ends_the_wait() {
        let dir = tempfile::tempdir().unwrap();
        let (outbox, _) = open(dir.path());
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| outbox.next(Duration::from_mins(10)));
            outbox.close();
            assert!(matches!(waiting.join().unwrap(), Next::Nothing));
        });
    }
}
