//! The thread of one notifier: it reads from the store what is to be told, when alerts change and every half minute.
//!
//! An alert that fires is told until it ends, and for a while that it ended. One that fired and ended while nobody could
//! be told is told late, for a day; after that it is given up and counted.

use std::{
    sync::{
        Arc,
        atomic::Ordering::Relaxed,
        mpsc::{Receiver, RecvTimeoutError},
    },
    time::Duration,
};

use bmon_analysis::alert::AlertId;
use bmon_event::ServerTime;
use bmon_store::{Reader, Store, StoreError, ToTell, Told};

use super::{Notifier, NotifyError};
use crate::{
    clock,
    ingest::{Counters, NotifyCounters, count},
};

const MINUTE_US: i64 = 60 * 1_000_000;
const DAY_US: i64 = 24 * 60 * MINUTE_US;

/// From one telling to the next if nothing changes.
const AGAIN: Duration = Duration::from_secs(30);
/// From a telling that failed to the next, at first and at most.
const RETRY: Duration = Duration::from_secs(1);
const LONGEST_RETRY: Duration = Duration::from_secs(30);
/// For how long it is told that an alert ended, as Prometheus does (`resolvedRetention` in `rules/alerting.go@v2.42`).
const ENDED_US: i64 = 15 * MINUTE_US;
/// When one that ended and could not be told is given up.
const GIVEN_UP_US: i64 = DAY_US;
/// Of alerts that are over, those that began before are not looked at.
const LOOKED_AT_US: i64 = 8 * DAY_US;
/// Most alerts that are told at once.
const MOST: u32 = 1_000;

/// The thread that tells.
#[derive(Debug)]
pub(crate) struct Notify {
    pub(crate) store: Store,
    pub(crate) reader: Reader,
    pub(crate) notifier: Arc<dyn Notifier>,
    pub(crate) counters: Arc<Counters>,
}

/// A telling failed.
#[derive(Debug, thiserror::Error)]
enum RoundError {
    #[error(transparent)]
    Notify(#[from] NotifyError),
    #[error("look up what is to be told")]
    Store(#[from] StoreError),
}

impl Notify {
    /// Tells until nobody changes alerts any more. `changed` has something for each time that some did.
    pub(crate) fn run(mut self, changed: &Receiver<()>) {
        let notifier = self.notifier.kind().as_str();
        let mut failures = 0_u32;
        loop {
            let now = clock::now();
            let pause = match self.round(now) {
                Ok(()) => {
                    self.counters().failing_since_us.store(0, Relaxed);
                    if std::mem::take(&mut failures) > 0 {
                        tracing::info!(notifier, "alerts are told again");
                    }
                    AGAIN
                }
                Err(error) => {
                    count(&self.counters().failures, 1);
                    if failures == 0 {
                        self.counters().failing_since_us.store(now.as_micros(), Relaxed);
                        let error = &error as &dyn std::error::Error;
                        tracing::warn!(error, notifier, "cannot tell of alerts; trying again");
                    }
                    failures = failures.saturating_add(1);
                    RETRY.saturating_mul(1 << failures.min(5)).min(LONGEST_RETRY)
                }
            };
            if !wait(changed, pause, failures > 0, self.notifier.group_wait()) {
                return;
            }
        }
    }

    fn counters(&self) -> &NotifyCounters {
        self.counters.notifier(self.notifier.kind())
    }

    fn round(&mut self, now: ServerTime) -> Result<(), RoundError> {
        let (name, begun) = (self.notifier.kind().as_str(), now.plus_micros(-LOOKED_AT_US));
        let mut to_tell = self.reader.alerts_to_tell(name, now.plus_micros(-ENDED_US), begun, MOST)?;
        self.hold_back(&mut to_tell, now)?;
        if to_tell.iter().any(|told| is_given_up(told, now)) {
            let given_up = self.store.give_up_telling(name, now.plus_micros(-GIVEN_UP_US), begun)?;
            count(&self.counters().given_up, given_up);
            to_tell.retain(|told| !is_given_up(told, now));
        }
        // Who refuses one message may take the next; who does not answer will not.
        let mut result = Ok(());
        for message in self.notifier.messages(to_tell) {
            match self.notifier.tell(&message, now) {
                Ok(()) => self.note(&message, now)?,
                Err(error @ NotifyError::Unreachable { .. }) => return Err(error.into()),
                Err(error) => result = Err(error.into()),
            }
        }
        result
    }

    /// Leaves out what is silenced and not told yet. Of what was over under a silence nobody is ever told.
    fn hold_back(&mut self, to_tell: &mut Vec<ToTell>, now: ServerTime) -> Result<(), StoreError> {
        let silences = self.reader.silences()?;
        let is_held = |ToTell { alert, told_at, .. }: &ToTell| {
            told_at.is_none() && silences.iter().any(|silence| silence.holds(alert, now))
        };
        let over = to_tell.iter().filter(|told| is_held(told) && told.alert.resolved_at_us.is_some());
        let over: Vec<AlertId> = over.map(|told| told.alert.id).collect();
        if !over.is_empty() {
            self.store.pass_over(self.notifier.kind().as_str(), &over)?;
        }
        to_tell.retain(|told| !is_held(told));
        Ok(())
    }

    /// Notes what was new in a message that was taken.
    fn note(&mut self, message: &[ToTell], now: ServerTime) -> Result<(), StoreError> {
        let told = message.iter().filter_map(|ToTell { alert, told_at, told_over_at }| {
            let is_over = told_at.is_some();
            let is_news = !is_over || (alert.resolved_at_us.is_some() && told_over_at.is_none());
            is_news.then_some(Told { alert: alert.id, is_over })
        });
        let told: Vec<Told> = told.collect();
        if !told.is_empty() {
            self.store.note_told(self.notifier.kind().as_str(), &told, now)?;
            count(&self.counters().alerts, told.iter().filter(|told| !told.is_over).count() as u64);
        }
        Ok(())
    }
}

/// Whether it ended long ago and was not told, or that it did was not.
fn is_given_up(ToTell { alert, told_over_at, .. }: &ToTell, now: ServerTime) -> bool {
    told_over_at.is_none() && alert.resolved_at_us.is_some_and(|ended| now.micros_since(ended) > GIVEN_UP_US)
}

/// Waits for a change and those that come with it, or while a telling has failed for the whole pause. False when there will be
/// no more.
fn wait(changed: &Receiver<()>, pause: Duration, is_failing: bool, group_wait: Duration) -> bool {
    let end = clock::monotonic() + pause;
    loop {
        match changed.recv_timeout(end.saturating_duration_since(clock::monotonic())) {
            Ok(()) if is_failing => {}
            Ok(()) => return gather(changed, group_wait),
            Err(RecvTimeoutError::Timeout) => return true,
            Err(RecvTimeoutError::Disconnected) => return false,
        }
    }
}

/// Waits for others that change with the first. False when there will be no more.
fn gather(changed: &Receiver<()>, group_wait: Duration) -> bool {
    let end = clock::monotonic() + group_wait;
    loop {
        match changed.recv_timeout(end.saturating_duration_since(clock::monotonic())) {
            Ok(()) => {}
            Err(RecvTimeoutError::Timeout) => return true,
            Err(RecvTimeoutError::Disconnected) => return false,
        }
    }
}

#[cfg(test)]
mod tests;
