//! Tells others of alerts: one thread, which reads them from the store when they change and every half minute.
//!
//! An alert that fires is told until it ends, and for a while that it ended. One that fired and ended while nobody could
//! be told is told late, for a day; after that it is given up and counted. Which was told is in the store, so that a
//! restart changes nothing.

mod alertmanager;

use std::{
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError},
    },
    time::Duration,
};

use bmon_analysis::alert::AlertId;
use bmon_event::ServerTime;
use bmon_store::{Reader, Store, StoreError, ToTell};

pub use self::alertmanager::{Alertmanager, NotifyError};
use crate::{
    clock,
    ingest::{Counters, count},
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
    pub(crate) alertmanager: Alertmanager,
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
        let mut failures = 0_u32;
        loop {
            let pause = match self.round(clock::now()) {
                Ok(()) => {
                    if std::mem::take(&mut failures) > 0 {
                        tracing::info!(notifier = Alertmanager::NAME, "alerts are told again");
                    }
                    AGAIN
                }
                Err(error) => {
                    count(&self.counters.notify_failures, 1);
                    if failures == 0 {
                        let error = &error as &dyn std::error::Error;
                        tracing::warn!(
                            error,
                            notifier = Alertmanager::NAME,
                            "cannot tell of alerts; trying again"
                        );
                    }
                    failures = failures.saturating_add(1);
                    RETRY.saturating_mul(1 << failures.min(5)).min(LONGEST_RETRY)
                }
            };
            if !wait(changed, pause, failures > 0) {
                return;
            }
        }
    }

    fn round(&mut self, now: ServerTime) -> Result<(), RoundError> {
        let (name, begun) = (Alertmanager::NAME, now.plus_micros(-LOOKED_AT_US));
        let mut to_tell = self.reader.alerts_to_tell(name, now.plus_micros(-ENDED_US), begun, MOST)?;
        if to_tell.iter().any(|told| is_given_up(told, now)) {
            let given_up = self.store.give_up_telling(name, now.plus_micros(-GIVEN_UP_US), begun)?;
            count(&self.counters.notify_given_up, given_up);
            to_tell.retain(|told| !is_given_up(told, now));
        }
        if to_tell.is_empty() {
            return Ok(());
        }
        self.alertmanager.tell(&to_tell, now)?;
        let new = to_tell.iter().filter(|told| told.told_at.is_none());
        let new: Vec<AlertId> = new.map(|told| told.alert.id).collect();
        if !new.is_empty() {
            self.store.note_told(name, &new, now)?;
            count(&self.counters.notified_alerts, new.len() as u64);
        }
        Ok(())
    }
}

/// Whether it ended long ago and was not told.
fn is_given_up(ToTell { alert, told_at }: &ToTell, now: ServerTime) -> bool {
    told_at.is_none() && alert.resolved_at_us.is_some_and(|ended| now.micros_since(ended) > GIVEN_UP_US)
}

/// Waits for a change, or while a telling has failed for the whole pause. False when there will be no more.
fn wait(changed: &Receiver<()>, pause: Duration, is_failing: bool) -> bool {
    let end = clock::monotonic() + pause;
    loop {
        match changed.recv_timeout(end.saturating_duration_since(clock::monotonic())) {
            Ok(()) if is_failing => {}
            Ok(()) | Err(RecvTimeoutError::Timeout) => return true,
            Err(RecvTimeoutError::Disconnected) => return false,
        }
    }
}

#[cfg(test)]
mod tests;
