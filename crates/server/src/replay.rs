//! What happens between opening the files and taking the first batch: the state is built again from the journal.

use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use bmon_analysis::{Engine, row::Row};
use bmon_event::{Batch, Epoch, NodeName, ServerTime};
use bmon_spool::{Spool, SpoolError};
use bmon_store::{Commit, Store};

use crate::ServerError;
use crate::clock::EngineTime;
use crate::ingest::{Accepted, Counters, count};
use crate::{journal, pipeline};

const TICK_US: i64 = 1_000_000;

/// What a record may unpack to. All were accepted under the limit of their time, which may have been larger than today's.
const UNPACKED_BYTES: usize = 1 << 30;

/// Most rows in one transaction.
const MOST_ROWS: usize = 10_000;

/// Applies every record of the journal to `engine`. Rows of records that the store does not have yet are written; of
/// the others only findings, because a finding may have been made by a tick whose rows the last commit had not.
pub(crate) struct Replay<'a> {
    pub(crate) engine: &'a mut Engine,
    pub(crate) store: &'a mut Store,
    pub(crate) accepted: &'a Accepted,
    pub(crate) counters: &'a Counters,
}

/// Rows that wait to be written.
#[derive(Default)]
struct Pending {
    rows: Vec<Row>,
    position: u64,
    accepted: Vec<(NodeName, Epoch, u64)>,
    time: EngineTime,
    /// When the last record was received.
    received_at: ServerTime,
    /// The engine's time of the last tick.
    ticked_at: ServerTime,
}

impl Pending {
    /// The engine's time when a record was received: the time that passed is that between two records.
    fn advance(&mut self, received_at: ServerTime) -> ServerTime {
        let elapsed_us = received_at.micros_since(self.received_at).max(0);
        self.received_at = received_at;
        self.time.advance(received_at, Duration::from_micros(elapsed_us.unsigned_abs()))
    }
}

impl Replay<'_> {
    pub(crate) fn run(mut self, journal: &Spool) -> Result<EngineTime, ServerError> {
        let stored = self.store.journal_position()?;
        self.accepted
            .raise(self.store.accepted()?.into_iter().map(|(node, epoch, highest)| ((node, epoch), highest)));
        let mut pending = Pending { position: stored, ..Pending::default() };
        self.engine.set_catching_up(true);
        self.engine.set_passing_transactions(true);
        for record in journal.iter_from(0) {
            match record {
                Ok(record) => self.apply(record.sequence, &record.payload, stored, &mut pending)?,
                Err(SpoolError::Damaged(lost)) => {
                    tracing::error!(first = lost.start(), last = lost.end(), "journal records are damaged");
                    count(&self.counters.journal_damaged, lost.end() + 1 - lost.start());
                    // What is not said is counted in records that were applied: none may be missing among them.
                    self.engine.say_all(pending.time.last(), &mut pending.rows);
                }
                Err(error) => return Err(error.into()),
            }
            if pending.rows.len() >= MOST_ROWS {
                self.commit(&mut pending)?;
            }
        }
        self.engine.say_all(pending.time.last(), &mut pending.rows);
        pending.position = pending.position.max(journal.last());
        self.commit(&mut pending)?;
        self.engine.set_catching_up(false);
        self.engine.set_passing_transactions(false);
        Ok(pending.time)
    }

    /// Applies one record. That it is no batch of this version is an error only if the store does not have it yet: to
    /// pass it over would lose it.
    fn apply(
        &mut self,
        sequence: u64,
        record: &[u8],
        stored: u64,
        pending: &mut Pending,
    ) -> Result<(), ServerError> {
        // What is too short to be a record has no batch in it, which decoding tells.
        let (received_at, bytes) = journal::parse_record(record).unwrap_or_default();
        let batch = match Batch::decode(bytes, UNPACKED_BYTES) {
            Ok(batch) => batch,
            Err(source) if sequence > stored => return Err(ServerError::Record { sequence, source }),
            Err(error) => {
                tracing::error!(
                    record = sequence,
                    error = &error as &dyn std::error::Error,
                    "a journal record is not a batch that this version knows; its rows are stored"
                );
                count(&self.counters.journal_damaged, 1);
                return Ok(());
            }
        };
        let before = pending.rows.len();
        let now = pending.advance(received_at);
        if now.micros_since(pending.ticked_at) >= TICK_US {
            pending.ticked_at = now;
            self.engine.tick(now, &mut pending.rows);
        }
        self.engine.set_passing_transactions(sequence <= stored);
        self.engine.apply(&batch, now, &mut pending.rows);
        if sequence <= stored {
            let new: Vec<Row> =
                pending.rows.drain(before..).filter(|row| matches!(row, Row::Finding(_))).collect();
            pending.rows.extend(new);
        } else {
            pending.position = sequence - self.engine.unsaid_batches();
            pending.accepted.push((batch.node.clone(), batch.epoch, batch.sequence));
        }
        self.accepted.raise([((batch.node, batch.epoch), batch.sequence)]);
        Ok(())
    }

    fn commit(&mut self, pending: &mut Pending) -> Result<(), ServerError> {
        let Pending { rows, position, accepted, .. } = pending;
        let commit = Commit { rows, journal_position: *position, accepted };
        pipeline::commit(self.store, &commit, self.counters)?;
        self.counters.journal_stored.store(*position, Relaxed);
        rows.clear();
        accepted.clear();
        Ok(())
    }
}
