//! The only place here that reads a clock or sleeps: bounded waits on a state.

use std::{
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use bmon_event::ServerTime;

/// Time between two looks at a state.
const POLL: Duration = Duration::from_millis(20);

/// A state did not come in time.
#[derive(Debug, thiserror::Error)]
#[error("see {what} within {} s", limit.as_secs())]
pub struct Timeout {
    what: String,
    limit: Duration,
}

/// Looks at a state until `probe` gives a value, at most for `limit`. `what` completes "see …".
pub(crate) fn wait_for<T, E: From<Timeout>>(
    what: &str,
    limit: Duration,
    mut probe: impl FnMut() -> Result<Option<T>, E>,
) -> Result<T, E> {
    let end = now() + limit;
    loop {
        if let Some(value) = probe()? {
            return Ok(value);
        }
        if now() >= end {
            return Err(Timeout { what: what.to_owned(), limit }.into());
        }
        thread::sleep(POLL);
    }
}

/// Paces a repeated action: sleeps until `interval` after the previous call, not at all when that is past.
pub(crate) struct Pace {
    interval: Duration,
    next: Instant,
}

impl Pace {
    /// The first call of [`Pace::wait`] returns at once.
    pub(crate) fn new(interval: Duration) -> Self {
        Self { interval, next: now() }
    }

    /// Sleeps until the next action is due.
    pub(crate) fn wait(&mut self) {
        let now = now();
        thread::sleep(self.next.saturating_duration_since(now));
        self.next = self.next.max(now) + self.interval;
    }
}

/// Seconds since the Unix epoch.
pub(crate) fn unix_seconds() -> u64 {
    since_epoch().as_secs()
}

/// The time of day of this host.
pub(crate) fn unix_time() -> ServerTime {
    ServerTime::from_micros(i64::try_from(since_epoch().as_micros()).unwrap_or(i64::MAX))
}

#[expect(clippy::disallowed_methods, reason = "this is the clock module")]
fn since_epoch() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// An instant of the clock that never steps.
#[expect(clippy::disallowed_methods, reason = "this is the clock module")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_that_comes_is_returned_and_one_that_does_not_is_named() {
        let mut looks = 0;
        let third = wait_for("three looks", Duration::from_secs(10), || {
            looks += 1;
            Ok::<_, Timeout>((looks == 3).then_some(looks))
        });
        assert_eq!(third.unwrap(), 3);

        let never = wait_for("the impossible", Duration::ZERO, || Ok::<Option<()>, Timeout>(None));
        assert_eq!(never.unwrap_err().to_string(), "see the impossible within 0 s");
    }
}
