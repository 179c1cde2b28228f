//! Carries one log to Loki: reads some lines, pushes them until Loki has acknowledged each, notes the place, and goes on.

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use bmon_event::LogPosition;

use super::{
    place::{Place, PlaceFile},
    push::{Push, Timestamp},
    refused::Refused,
    shaper::{Batch, Origin, Past, Shaper},
    sink::{Sink, SinkError},
    tally::LokiCounters,
};
use crate::{
    clock::{self, Clock},
    config::LokiConfig,
    shipper::chain,
    source::log::{Follower, Step},
    stop::Stop,
};

/// How often new lines are looked for.
const POLL: Duration = Duration::from_millis(100);
/// How long to wait before the file is tried again after the system refused it.
const RETRY: Duration = Duration::from_secs(1);
/// The first pause after a failure; it doubles up to the longest.
const SHORTEST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// From one word of trouble to the next, whatever it is.
const QUIET: Duration = Duration::from_mins(1);

/// Works in a thread of its own.
pub(super) struct Carrier {
    pub(super) path: PathBuf,
    pub(super) follower: Follower,
    pub(super) file: PlaceFile,
    /// The place up to which Loki has everything.
    pub(super) place: Place,
    pub(super) shaper: Shaper,
    pub(super) sink: Sink,
    pub(super) refused: Refused,
    pub(super) config: LokiConfig,
    pub(super) clock: Clock,
    pub(super) counters: LokiCounters,
    pub(super) stop: Stop,
    pub(super) batch: Batch,
    /// When it was last told that something is wrong.
    pub(super) told_at: Option<Instant>,
    /// It was told, and not yet that it is well again.
    pub(super) is_told: bool,
}

/// The agent is asked to end.
pub(super) struct Ended;

impl Carrier {
    /// Works until asked to stop.
    pub(super) fn run(mut self) {
        while !self.stop.is_set() {
            if self.carry().is_err() {
                return;
            }
        }
    }

    /// Gathers a batch, and has Loki take it.
    fn carry(&mut self) -> Result<(), Ended> {
        self.gather()?;
        let push = self.batch.take();
        if !push.is_empty() {
            let push = self.in_time(push);
            self.deliver(push)?;
        }
        let position = self.follower.position();
        if position != self.place.position {
            self.note_place(position)?;
        }
        Ok(())
    }

    /// Reads until a batch is full, or the lines have waited long enough for others.
    fn gather(&mut self) -> Result<(), Ended> {
        let mut first: Option<Instant> = None;
        let patience = Duration::from_millis(self.config.batch_wait_ms);
        while self.batch.bytes < self.config.batch_bytes {
            let now = clock::instant();
            if first.is_some_and(|first| now.saturating_duration_since(first) >= patience) {
                return Ok(());
            }
            match self.step(now)? {
                Duration::ZERO => {}
                pause => {
                    if self.stop.wait(pause.min(patience.max(POLL))) {
                        return Err(Ended);
                    }
                }
            }
            if first.is_none() && self.follower.position() != self.place.position {
                first = Some(now);
            }
        }
        Ok(())
    }

    /// Does one step of reading. Returns how long to wait before the next.
    fn step(&mut self, now: Instant) -> Result<Duration, Ended> {
        let was_new = self.place.position.is_none() && self.follower.position().is_none();
        match self.follower.step(now) {
            Ok(Step::Lines(bytes)) => {
                let needs_time = self.shaper.past.needs_time(bytes) && !self.place.is_timed;
                if needs_time {
                    let now = self.clock.now();
                    self.shaper.past.set_time(now);
                    self.place.past.set_time(now);
                    self.place.is_timed = true;
                }
                self.shaper.shape(bytes, &mut self.batch);
                self.count();
                if needs_time {
                    self.write_place()?;
                }
                Ok(Duration::ZERO)
            }
            Ok(Step::Moved) => {
                if was_new {
                    self.learn_version();
                }
                Ok(Duration::ZERO)
            }
            Ok(Step::Lost) => {
                self.counters.add_gaps(1);
                tracing::error!(path = %self.path.display(), "a part of the log is gone before Loki had it");
                Ok(Duration::ZERO)
            }
            Ok(Step::Idle) => Ok(POLL),
            Ok(Step::Missing) => Ok(RETRY),
            Err(error) => {
                self.tell(&format!("failed to read `{}`: {}", self.path.display(), chain(&error)));
                Ok(RETRY)
            }
        }
    }

    fn count(&mut self) {
        let tally = std::mem::take(&mut self.shaper.tally);
        self.counters.add_withheld(tally.withheld);
        self.counters.add_cut(tally.cut);
    }

    /// A log that is first met in the middle has told the node's version before.
    fn learn_version(&mut self) {
        let Some(position) = self.follower.position().filter(|_| self.shaper.origin == Origin::DebugLog)
        else {
            return;
        };
        match super::sample::version_before(&self.path, position.offset) {
            Ok(version) => self.shaper.past = Past::of_version(version),
            Err(error) => tracing::warn!(
                error = &error as &dyn std::error::Error,
                path = %self.path.display(),
                "failed to look for the node's version"
            ),
        }
    }

    /// Gives up what Loki would not take for its age, which it need not be asked for.
    fn in_time(&mut self, mut push: Push) -> Push {
        let age_ns = self.config.max_age_hours.saturating_mul(3_600 * 1_000_000_000);
        let oldest = self.clock.now().as_micros().saturating_mul(1_000).saturating_sub(age_ns);
        let mut old = push.clone_labels();
        for (labelled, old) in push.streams.iter_mut().zip(&mut old.streams) {
            let entries = &mut labelled.stream.entries;
            let is_old = |nanos: Option<Timestamp>| nanos.is_some_and(|time| time.as_nanos() < oldest);
            old.stream.entries = entries.extract_if(.., |entry| is_old(entry.timestamp)).collect();
        }
        if !old.is_empty() {
            self.give_up(
                &old,
                &format!("older than {} hours (agent.loki.max_age_hours)", self.config.max_age_hours),
            );
        }
        push
    }

    /// Pushes until Loki has acknowledged each entry, or refused it by itself.
    fn deliver(&mut self, push: Push) -> Result<(), Ended> {
        if push.is_empty() {
            return Ok(());
        }
        let mut pause = SHORTEST_PAUSE;
        loop {
            if self.stop.is_set() {
                return Err(Ended);
            }
            match self.sink.push(&push) {
                Ok(bytes) => {
                    self.counters.add_push(push.len() as u64, bytes as u64);
                    self.well();
                    return Ok(());
                }
                Err(SinkError::Refused(reason)) => return self.divide(push, &reason),
                Err(error) => {
                    self.counters.add_failures(1);
                    let asked = if let SinkError::NotReady { pause, .. } = &error { *pause } else { None };
                    self.tell(&chain(&error));
                    if self.stop.wait(asked.unwrap_or(pause)) {
                        return Err(Ended);
                    }
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
        }
    }

    /// Loki refused something of this. Which entries that is, its words do not tell for all: each half is pushed by itself, down to
    /// single entries. What it had taken is the same again.
    fn divide(&mut self, mut push: Push, reason: &str) -> Result<(), Ended> {
        let Some(second) = push.split() else {
            self.give_up(&push, reason);
            return Ok(());
        };
        self.deliver(push)?;
        self.deliver(second)
    }

    fn give_up(&mut self, push: &Push, reason: &str) {
        self.counters.add_refused(push.len() as u64);
        match self.refused.keep(push, reason) {
            Ok(forgotten) => self.counters.add_forgotten(forgotten),
            Err(error) => {
                self.counters.add_forgotten(push.len() as u64);
                tracing::error!(error = &error as &dyn std::error::Error, "failed to keep what Loki refused");
            }
        }
        self.tell(&format!("Loki does not take some lines: {reason}"));
    }

    fn note_place(&mut self, position: Option<LogPosition>) -> Result<(), Ended> {
        self.place = Place { position, past: self.shaper.past.clone(), is_timed: false };
        self.write_place()?;
        if self.shaper.origin == Origin::DebugLog {
            self.counters.set_newest(self.place.past.last_us());
        }
        Ok(())
    }

    /// Writes the place, however often it takes: without it the next lines must not leave.
    fn write_place(&mut self) -> Result<(), Ended> {
        loop {
            match self.file.write(&self.place) {
                Ok(()) => return Ok(()),
                Err(error) => {
                    self.tell(&format!(
                        "failed to write `{}`: {}",
                        self.file.path().display(),
                        chain(&error)
                    ));
                }
            }
            if self.stop.wait(RETRY) {
                return Err(Ended);
            }
        }
    }

    /// Says what is wrong, now and then: Loki's words differ from push to push, and the agent's own log may be among what is pushed.
    fn tell(&mut self, reason: &str) {
        let now = clock::instant();
        if self.told_at.is_some_and(|told_at| now.saturating_duration_since(told_at) < QUIET) {
            return;
        }
        tracing::warn!(reason, path = %self.path.display(), "trouble on the way to Loki");
        (self.told_at, self.is_told) = (Some(now), true);
    }

    fn well(&mut self) {
        if std::mem::take(&mut self.is_told) {
            tracing::info!(path = %self.path.display(), "Loki takes lines");
        }
    }
}
