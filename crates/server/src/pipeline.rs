//! From the journal to the store: one thread that owns the state, one that owns the database.
//!
//! The state thread takes batches in journal order and a tick once a second, and gives rows. The store thread writes
//! all rows that wait in one transaction, together with the journal position and the accepted sequences that they
//! stand for, and then tells the page what changed. Both channels are bounded: a database that does not keep up
//! makes the journal thread wait, and that makes deliveries be refused.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::time::Duration;

use bmon_analysis::{Engine, ServerHealth, finding::Body, row::Row};
use bmon_event::{Batch, Epoch, NodeName, ServerTime};
use bmon_store::{Commit, ImpossibleRow, Store, StoreError};

use crate::api::{Notices, Topic};
use crate::clock::{self, EngineTime};
use crate::ingest::{Counters, Permit, count, timed};
use crate::seek::Seeker;
use crate::want::Wants;
use crate::watch_list::WatchList;

const TICK: Duration = Duration::from_secs(1);

/// A batch that waits longer to be analysed waits long: batches come each ten seconds from a quiet node.
const LONG_US: i64 = 10 * 1_000_000;

/// Most rows in one transaction, so that it takes milliseconds and readers see it soon.
const MOST_ROWS: usize = 10_000;

/// Chunks of transactions deleted in one step of the store's retention.
const EXPIRED_AT_ONCE: u32 = 16;

/// How long to wait before a failed commit is tried again.
const RETRY: Duration = Duration::from_secs(1);

/// A durable batch.
#[derive(Debug)]
pub(crate) struct Entry {
    /// Number of its journal record.
    pub(crate) position: u64,
    pub(crate) received_at: ServerTime,
    pub(crate) batch: Batch,
    /// Dropped with the batch.
    pub(crate) permit: Permit,
}

/// What follows from an entry or a tick.
#[derive(Debug)]
pub(crate) struct Changes {
    rows: Vec<Row>,
    /// The last journal record of which all rows are in this or earlier changes.
    position: u64,
    /// The entry's batch, `None` for a tick.
    accepted: Option<(NodeName, Epoch, u64)>,
}

/// What the state thread goes on from.
#[derive(Debug)]
pub(crate) struct Begun {
    pub(crate) engine: Engine,
    /// The last time that the engine was told.
    pub(crate) time: EngineTime,
    /// The last journal record that the engine has.
    pub(crate) position: u64,
    pub(crate) watch_list: WatchList,
}

/// The state thread: applies entries until there are no more.
pub(crate) fn analyse(
    begun: Begun,
    wants: &Wants,
    counters: &Counters,
    entries: &Receiver<Entry>,
    changes: &SyncSender<Changes>,
) {
    let Begun { mut engine, mut time, mut position, mut watch_list } = begun;
    let (mut seeker, mut asked_at) = (Seeker::default(), clock::monotonic());
    let mut next_tick = asked_at + TICK;
    let mut lag = Lag::default();
    let mut time_at = |wall: ServerTime| {
        let now = clock::monotonic();
        time.advance(wall, now.duration_since(std::mem::replace(&mut asked_at, now)))
    };
    loop {
        let mut rows = Vec::new();
        let accepted = match entries.recv_timeout(next_tick.saturating_duration_since(clock::monotonic())) {
            Ok(Entry { position: at, received_at, batch, permit: _permit }) => {
                position = at;
                let now = time_at(received_at);
                lag.note(received_at, clock::now());
                timed(&counters.batch_analysis_us, || engine.apply(&batch, now, &mut rows));
                count(&counters.analysed_batches, 1);
                wants.hear(batch.network, &batch.node, batch.events, clock::monotonic());
                Some((batch.node, batch.epoch, batch.sequence))
            }
            Err(RecvTimeoutError::Timeout) => {
                lag = Lag::default();
                None
            }
            Err(RecvTimeoutError::Disconnected) => {
                engine.say_all(time_at(clock::now()), &mut rows);
                // Nobody takes it if the store thread has ended too; the journal has it.
                let _ = changes.send(Changes { rows, position, accepted: None });
                return;
            }
        };
        if clock::monotonic() >= next_tick {
            next_tick = clock::monotonic() + TICK;
            watch_list.follow(&mut engine);
            counters.analysis_lag_us.store(lag.us, Relaxed);
            let failing_notifiers = counters.failing_notifiers();
            engine.note_server(ServerHealth { behind_since: lag.long_since, failing_notifiers });
            let now = time_at(clock::now());
            timed(&counters.tick_analysis_us, || engine.tick(now, &mut rows));
            count(&counters.analysis_ticks, 1);
            seeker.tidy(clock::monotonic());
            counters.note_analyses(&engine);
        }
        seeker.seek(engine.needs(), wants, clock::monotonic());
        let nothing_new = rows.is_empty() && accepted.is_none();
        let said = position - engine.unsaid_batches();
        if !nothing_new && changes.send(Changes { rows, position: said, accepted }).is_err() {
            return;
        }
    }
}

/// How long what agents deliver waits to be analysed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Lag {
    us: u64,
    /// Since when it waits long.
    long_since: Option<ServerTime>,
}

impl Lag {
    /// An entry that was received then is taken now.
    fn note(&mut self, received_at: ServerTime, now: ServerTime) {
        let us = now.micros_since(received_at);
        self.us = u64::try_from(us).unwrap_or_default();
        self.long_since = (us >= LONG_US).then(|| self.long_since.unwrap_or(now));
    }
}

/// The store thread: what it owns.
#[derive(Debug)]
pub(crate) struct Writer {
    pub(crate) store: Store,
    pub(crate) notices: Notices,
    pub(crate) counters: Arc<Counters>,
    /// Age at which transactions are deleted.
    pub(crate) transaction_retention: Duration,
    /// Have something for those that tell others of alerts when some have changed.
    pub(crate) alerted: Vec<SyncSender<()>>,
    /// The silences as they were last looked at: the end of each, and whether it lasted.
    pub(crate) silences: Vec<(i64, ServerTime, bool)>,
    /// Set when the server stops: what cannot be written then is written from the journal after the next start.
    pub(crate) stopping: Arc<AtomicBool>,
}

impl Writer {
    /// Writes changes until there are no more.
    pub(crate) fn run(mut self, changes: &Receiver<Changes>) {
        let mut next_tick = clock::monotonic() + TICK;
        loop {
            match changes.recv_timeout(next_tick.saturating_duration_since(clock::monotonic())) {
                Ok(first) => {
                    let group = gather(first, changes);
                    if !self.write(&group) {
                        return;
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            if clock::monotonic() >= next_tick {
                next_tick = clock::monotonic() + TICK;
                self.expire();
                self.follow_silences();
            }
        }
    }

    /// Writes a group, again and again if it has to. Tells whether it is written.
    fn write(&mut self, group: &Group) -> bool {
        while let Err(error) = self.commit(group) {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "cannot write to the database; trying again"
            );
            count(&self.counters.store_failures, 1);
            if self.stopping.load(Relaxed) {
                return false;
            }
            std::thread::park_timeout(RETRY);
        }
        true
    }

    fn commit(&mut self, group: &Group) -> Result<(), StoreError> {
        let Group { rows, position, accepted } = group;
        let whole = Commit { rows, journal_position: *position, accepted };
        timed(&self.counters.store_commit_us, || commit(&mut self.store, &whole, &self.counters))?;
        count(&self.counters.store_commits, 1);
        count(&self.counters.store_rows, rows.len() as u64);
        self.counters.journal_stored.store(*position, Relaxed);
        for topic in Topic::ALL.into_iter().filter(|topic| rows.iter().any(|row| topic_of(row) == *topic)) {
            self.notices.publish(topic);
        }
        if rows.iter().any(|row| matches!(row, Row::Alert(_))) {
            self.tell_notifiers();
        }
        Ok(())
    }

    fn tell_notifiers(&self) {
        for alerted in &self.alerted {
            // If it is full, whoever takes it will look; and if nobody is there any more, the server stops.
            let _ = alerted.try_send(());
        }
    }

    /// When a silence began or ended: who is told of alerts is told of others, and the page shows them otherwise.
    fn follow_silences(&mut self) {
        let now = clock::now();
        match self.store.silences() {
            Ok(silences) => {
                let silences = silences.iter();
                let found = silences.map(|silence| (silence.id, silence.ends_at, silence.is_active(now)));
                let found: Vec<_> = found.collect();
                if found != self.silences {
                    self.silences = found;
                    self.notices.publish(Topic::Alerts);
                    self.tell_notifiers();
                }
            }
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "cannot read the silences now");
            }
        }
    }

    /// Deletes a few of the transactions that are too old.
    fn expire(&mut self) {
        match self.store.expire(clock::now(), self.transaction_retention, EXPIRED_AT_ONCE) {
            Ok(expired) => count(&self.counters.store_expired, expired),
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "cannot delete old transactions now"
                );
            }
        }
    }
}

/// Writes what can be written: a row that cannot be must not stop the server, now or when the journal is replayed.
pub(crate) fn commit(store: &mut Store, commit: &Commit<'_>, counters: &Counters) -> Result<(), StoreError> {
    for ImpossibleRow { row, error } in store.commit_possible(commit)? {
        tracing::error!(
            ?row,
            error = &error as &dyn std::error::Error,
            "no table takes a row, which is lost; this is an error in bmon"
        );
        count(&counters.store_impossible_rows, 1);
    }
    Ok(())
}

/// What goes into one transaction.
struct Group {
    rows: Vec<Row>,
    position: u64,
    accepted: Vec<(NodeName, Epoch, u64)>,
}

fn gather(first: Changes, changes: &Receiver<Changes>) -> Group {
    let mut group =
        Group { rows: first.rows, position: first.position, accepted: first.accepted.into_iter().collect() };
    while group.rows.len() < MOST_ROWS {
        let Ok(next) = changes.try_recv() else { break };
        group.rows.extend(next.rows);
        group.position = next.position;
        group.accepted.extend(next.accepted);
    }
    group
}

fn topic_of(row: &Row) -> Topic {
    match row {
        Row::Node(_) => Topic::Nodes,
        Row::Block(_)
        | Row::BlockSighting(_)
        | Row::BlockProcessing(_)
        | Row::BlockStep(_)
        | Row::Header(_)
        | Row::Miner(_)
        | Row::RawBlock(_) => Topic::Blocks,
        Row::TxChunk(_) | Row::TxSpread(_) => Topic::Txs,
        Row::Alert(_) => Topic::Alerts,
        Row::Tips(_) => Topic::Tips,
        Row::Finding(finding) => match finding.body {
            Body::Reorg(_) => Topic::Reorgs,
            Body::RejectedTx(_) => Topic::Rejections,
            Body::InvalidBlock(_) => Topic::InvalidBlocks,
            Body::Gap(_) => Topic::Gaps,
            Body::VanishedMessage(_) => Topic::VanishedMessages,
            Body::Fork(_) => Topic::Forks,
            Body::StaleBlock(_) => Topic::StaleBlocks,
            Body::ValidityDisagreement(_) => Topic::ValidityDisagreements,
            Body::Partition(_) => Topic::Partitions,
            Body::Lag(_) => Topic::Lags,
            Body::DeploymentChange(_) | Body::VersionBit(_) => Topic::Deployments,
            Body::DoubleSpend(_) => Topic::DoubleSpends,
            Body::SelfishMining(_) => Topic::SelfishMining,
            Body::BlockTimes(_) => Topic::BlockTimes,
            Body::SlowNode(_) | Body::DelayDrift(_) => Topic::SlowNodes,
            Body::VersionComparison(_) => Topic::VersionComparisons,
            Body::ClockStep(_) | Body::ClockDrift(_) => Topic::Clocks,
            Body::Watch(_) => Topic::Watch,
        },
    }
}

#[cfg(test)]
mod tests {
    use bmon_analysis::finding::{Finding, FindingId, Gap};
    use bmon_analysis::row::{Offset, Sighted};
    use bmon_event::{AgentTime, Network, Source};

    use super::*;

    /// A finding whose time on the server's clock is beyond 63 bits.
    fn impossible() -> Row {
        let (network, at) = (Network::from_chain("regtest").unwrap(), AgentTime::from_micros(i64::MAX));
        let gap = Gap { source: Source::Log, from: None, to: at, lost: None, reason: String::new() };
        Row::Finding(Box::new(Finding {
            id: FindingId::new(&network, "gap", &[]),
            revision: 1,
            network,
            node: Some("alice".parse().unwrap()),
            sighted: Sighted { at, offset: Some(Offset { min_us: 2, max_us: 4 }) },
            sources: vec![Source::Log],
            body: Body::Gap(gap),
        }))
    }

    #[test]
    fn what_waits_long_is_known_since_the_first_that_did_until_one_did_not() {
        let (mut lag, at) = (Lag::default(), ServerTime::from_micros);
        let second = 1_000_000;
        lag.note(at(0), at(9 * second));
        assert_eq!(lag, Lag { us: 9_000_000, long_since: None });
        lag.note(at(second), at(11 * second));
        lag.note(at(2 * second), at(15 * second));
        assert_eq!(lag, Lag { us: 13_000_000, long_since: Some(at(11 * second)) });
        // By a clock that was set back it waited for no time.
        lag.note(at(20 * second), at(19 * second));
        assert_eq!(lag, Lag::default());
    }

    #[test]
    fn a_row_that_no_table_takes_is_counted_and_does_not_stop_the_server() {
        let dir = tempfile::tempdir().unwrap();
        let writer = Writer {
            store: Store::open(&dir.path().join("bmon.sqlite")).unwrap(),
            notices: Notices::default(),
            counters: Arc::default(),
            transaction_retention: Duration::MAX,
            alerted: Vec::new(),
            silences: Vec::new(),
            stopping: Arc::new(AtomicBool::new(true)),
        };
        let counters = Arc::clone(&writer.counters);
        let (changes, waiting) = std::sync::mpsc::sync_channel(1);
        changes.send(Changes { rows: vec![impossible()], position: 4, accepted: None }).unwrap();
        drop(changes);
        writer.run(&waiting);
        assert_eq!(counters.journal_stored.load(Relaxed), 4);
        assert_eq!(counters.store_impossible_rows.load(Relaxed), 1);
    }
}
