//! Makes batches of what the sources report, and writes them to the spool.
//!
//! A batch is made as soon as the shipper has nothing else to do, so a quiet network is fast. While the shipper is
//! busy, events gather until there are many of them or the first has waited long enough, so a busy network batches by
//! itself. A batch carries the position of every source: an event and the position after it are durable together.
//!
//! While the system refuses to write the spool, nothing more is taken from the sources: they wait, and read on later.
//! After a sync that failed nobody knows what the disk holds, and only a new start can find out: the agent ends.

use std::{
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    },
    time::{Duration, Instant},
};

use bmon_event::{AgentTime, Batch, Epoch, Event, Kind, Network, NodeName, Positions, Source, event::Gap};
use bmon_spool::SpoolError;

use crate::{
    clock::{self, Clock},
    health::{Counters, DropReason},
    outbox::Outbox,
    source::{Position, Report},
    stop::Stop,
};

/// Reports that may wait for the spooler. A source that finds the channel full waits: the log can be read later, and
/// what waits in the ZMQ socket is bounded by the node, which counts what it drops.
const REPORTS_WAITING: usize = 64;
/// Events that make a batch without waiting any longer, and the most in one batch: about 256 KiB before compression.
const EVENTS_PER_BATCH: usize = 2_000;
/// How long an event waits for others while the shipper is busy.
const LONGEST_WAIT: Duration = Duration::from_millis(200);
/// How long to wait before the spool is tried again after the system refused to write it.
const RETRY: Duration = Duration::from_secs(1);

/// What the spooler is told.
#[derive(Debug)]
pub(crate) enum Message {
    /// Something from a source.
    Report(Report),
    /// The shipper has nothing to do: what has gathered may go.
    ShipperIdle,
    /// All sources have ended.
    Finish,
}

/// The channel to the spooler.
pub(crate) fn channel() -> (SyncSender<Message>, Receiver<Message>) {
    sync_channel(REPORTS_WAITING)
}

/// Owns what has been reported and is not yet in the spool.
pub(crate) struct Spooler {
    pub(crate) node: NodeName,
    pub(crate) network: Network,
    pub(crate) clock: Clock,
    pub(crate) counters: Counters,
    pub(crate) outbox: Arc<Outbox>,
    pub(crate) stop: Stop,
    /// With what has gathered included.
    pub(crate) positions: Positions,
    /// Of the last batch.
    pub(crate) spooled: Positions,
    pub(crate) gathered: Gathered,
}

/// Events that wait for a batch.
#[derive(Debug, Default)]
pub(crate) struct Gathered {
    events: Vec<Event>,
    /// When the first of them came.
    since: Option<Instant>,
    /// Whether a position moved since the last batch.
    moved: bool,
}

impl Spooler {
    /// Works until told to finish. What was reported until then is in the spool when this returns.
    pub(crate) fn run(mut self, inbox: &Receiver<Message>) {
        loop {
            match inbox.recv_timeout(self.time_left(clock::instant())) {
                Ok(Message::Report(report)) => self.gather(report, clock::instant()),
                Ok(Message::ShipperIdle) | Err(RecvTimeoutError::Timeout) => {}
                Ok(Message::Finish) | Err(RecvTimeoutError::Disconnected) => break,
            }
            while self.is_due(clock::instant()) {
                match self.spool() {
                    Ok(()) => break,
                    Err(SpoolError::Failed) => return self.give_up(inbox),
                    Err(error) => tell(&error),
                }
                if self.stop.wait(RETRY) {
                    break;
                }
            }
        }
        if let Err(error) = self.spool() {
            tell(&error);
        }
    }

    /// Ends every thread. What is not on the disk is told again by the sources that can, from where the spool says that
    /// they were.
    fn give_up(self, inbox: &Receiver<Message>) {
        tracing::error!("an earlier sync of the spool failed: the agent ends, and has to be started again");
        self.stop.set();
        // A source may wait for room in the channel.
        while !matches!(inbox.recv(), Ok(Message::Finish) | Err(_)) {}
    }

    fn gather(&mut self, report: Report, now: Instant) {
        match report.position {
            Some(Position::Log(position)) => self.positions.log = Some(position),
            Some(Position::Zmq(position)) => self.positions.zmq = Some(position),
            None if report.events.is_empty() => return,
            None => {}
        }
        self.gathered.moved = true;
        if !report.events.is_empty() {
            self.gathered.since.get_or_insert(now);
            self.gathered.events.extend(report.events);
        }
    }

    /// How long nothing needs to be done if nothing happens.
    fn time_left(&self, now: Instant) -> Duration {
        match self.gathered.since {
            Some(since) => LONGEST_WAIT.saturating_sub(now.saturating_duration_since(since)),
            None => Duration::from_hours(1),
        }
    }

    /// A position alone makes no batch: to read some lines again that said nothing costs less than a write to the
    /// disk, and the next event takes it along.
    fn is_due(&self, now: Instant) -> bool {
        let Some(since) = self.gathered.since else { return false };
        self.gathered.events.len() >= EVENTS_PER_BATCH
            || now.saturating_duration_since(since) >= LONGEST_WAIT
            || self.outbox.shipper_is_idle()
    }

    /// Writes what has gathered, if anything. If it fails nothing is lost yet.
    fn spool(&mut self) -> Result<(), SpoolError> {
        while !self.gathered.events.is_empty() || self.gathered.moved {
            self.spool_part()?;
        }
        Ok(())
    }

    /// Writes the first of what has gathered as one batch. Only the batch with the last of it says how far the sources
    /// were read: what is not in the spool is read again after a crash.
    fn spool_part(&mut self) -> Result<(), SpoolError> {
        let events = &mut self.gathered.events;
        let mut rest = events.split_off(events.len().min(EVENTS_PER_BATCH));
        let positions = if rest.is_empty() { &self.positions } else { &self.spooled };
        let now = self.clock.now();
        let mut batch = Batch {
            network: self.network,
            node: self.node.clone(),
            epoch: Epoch(0),
            sequence: 0,
            made_at: now,
            positions: positions.clone(),
            events: std::mem::take(events),
            unknown_events: 0,
        };
        let count = batch.events.len();
        let put = self.outbox.put(now, |epoch, sequence, gap| {
            (batch.epoch, batch.sequence) = (epoch, sequence);
            batch.events.extend(gap.map(|gap| gap_event(gap, now)));
            batch.encode()
        });
        match put {
            Ok(gap) => {
                if rest.is_empty() {
                    self.gathered = Gathered::default();
                }
                self.gathered.events = rest;
                self.spooled = batch.positions;
                if let Some(gap) = gap {
                    tracing::error!(events = gap.lost, reason = gap.reason, "events were dropped");
                    self.counters.add_dropped(DropReason::SpoolFull, gap.lost.unwrap_or_default());
                }
                Ok(())
            }
            Err(error) => {
                batch.events.truncate(count);
                self.gathered.events = batch.events;
                self.gathered.events.append(&mut rest);
                Err(error)
            }
        }
    }
}

fn tell(error: &SpoolError) {
    tracing::error!(error = error as &dyn std::error::Error, "failed to write to the spool");
}

/// The event that tells of a gap.
pub(crate) fn gap_event(gap: Gap, agent_time: AgentTime) -> Event {
    Event { source: Source::Agent, node_time: None, agent_time, kind: Kind::Gap(gap) }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use bmon_event::LogPosition;

    use super::*;
    use crate::outbox::Next;

    fn spooler(dir: &Path) -> Spooler {
        let (outbox, _) = Outbox::open(dir, 4_000_000).unwrap();
        Spooler {
            node: "alice".parse().unwrap(),
            network: Network::from_chain("regtest").unwrap(),
            clock: Clock::default(),
            counters: Counters::default(),
            outbox: Arc::new(outbox),
            stop: Stop::default(),
            positions: Positions::default(),
            spooled: Positions::default(),
            gathered: Gathered::default(),
        }
    }

    fn report(spooler: &Spooler, events: u64) -> Report {
        let agent_time = spooler.clock.now();
        let event = |seconds| Event {
            source: Source::Log,
            node_time: None,
            agent_time,
            kind: Kind::Uptime { seconds },
        };
        let position = LogPosition { offset: events, ..LogPosition::default() };
        Report { events: (0..events).map(event).collect(), position: Some(Position::Log(position)) }
    }

    /// The batches in the spool.
    fn batches(outbox: &Outbox) -> Vec<Batch> {
        let next = || match outbox.next(Duration::ZERO) {
            Next::Batch(sequence, bytes) => {
                outbox.release(sequence).unwrap();
                Some(Batch::decode(&bytes, 1 << 30).unwrap())
            }
            _ => None,
        };
        std::iter::from_fn(next).collect()
    }

    #[test]
    fn many_events_become_many_batches_and_the_last_one_carries_the_position() {
        let dir = tempfile::tempdir().unwrap();
        let mut spooler = spooler(dir.path());
        let (first, second) = (report(&spooler, 1), report(&spooler, 2 * EVENTS_PER_BATCH as u64 + 1));
        spooler.gather(first, clock::instant());
        spooler.spool().unwrap();
        let seen = second.events.clone();
        spooler.gather(second, clock::instant());
        spooler.spool().unwrap();
        let batches = batches(&spooler.outbox);
        let counts: Vec<_> = batches.iter().map(|batch| batch.events.len()).collect();
        assert_eq!(counts, [1, EVENTS_PER_BATCH, EVENTS_PER_BATCH, 1]);
        let told = batches[1..].iter().flat_map(|batch| &batch.events);
        assert!(told.eq(&seen));
        let offset = |batch: &Batch| batch.positions.log.as_ref().map(|position| position.offset);
        let last = Some(2 * EVENTS_PER_BATCH as u64 + 1);
        assert_eq!(batches.iter().map(offset).collect::<Vec<_>>(), [Some(1), Some(1), Some(1), last]);
    }

    #[test]
    fn a_spool_whose_sync_failed_ends_the_agent() {
        let dir = tempfile::tempdir().unwrap();
        let spooler = spooler(dir.path());
        spooler.outbox.fail(dir.path());
        let (stop, report) = (spooler.stop.clone(), report(&spooler, 1));
        let (sender, inbox) = channel();
        let spooling = std::thread::spawn(move || spooler.run(&inbox));
        sender.send(Message::Report(report)).unwrap();
        // A source that does not know yet fills the channel; it must not wait for ever.
        for _ in 0..=2 * REPORTS_WAITING {
            sender.send(Message::ShipperIdle).unwrap();
        }
        while !stop.is_set() {
            std::thread::yield_now();
        }
        sender.send(Message::Finish).unwrap();
        spooling.join().unwrap();
    }
}
