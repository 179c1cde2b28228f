//! The only place that reads a clock.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use bmon_event::AgentTime;

/// The agent's clock: the host's, shifted by a constant where a test asks for it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Clock {
    offset_us: i64,
}

impl Clock {
    /// The host's clock plus `offset_us` microseconds.
    pub(crate) const fn shifted(offset_us: i64) -> Self {
        Self { offset_us }
    }

    /// The time of day.
    #[expect(clippy::disallowed_methods, reason = "this is the clock module")]
    pub(crate) fn now(self) -> AgentTime {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let us = i64::try_from(since_epoch.as_micros()).unwrap_or(i64::MAX);
        AgentTime::from_micros(us).plus_micros(self.offset_us)
    }

    /// Both clocks.
    pub(crate) fn read(self) -> Reading {
        Reading { at: self.now(), instant: instant() }
    }
}

/// How far the time of day and the clock that never steps may part between two readings of both, without the time of day
/// having been set. Both are slewed alike (`man 2 clock_gettime`), so it only has to cover the time between the reads.
const APART_US: u64 = 1_000;

/// The time of day and the clock that never steps, read together.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reading {
    pub(crate) at: AgentTime,
    pub(crate) instant: Instant,
}

impl Reading {
    /// Whether the time of day was set between this reading and a later one.
    pub(crate) fn was_set_before(self, later: Self) -> bool {
        let elapsed = i64::try_from(later.instant.saturating_duration_since(self.instant).as_micros());
        let shown = later.at.micros_since(self.at);
        elapsed.is_ok_and(|elapsed| shown.abs_diff(elapsed) > APART_US)
    }
}

/// An instant of the clock that never steps, for measuring how long something took.
#[expect(clippy::disallowed_methods, reason = "this is the clock module")]
pub(crate) fn instant() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shifted_clock_differs_by_its_offset() {
        let (before, shifted, after) =
            (Clock::default().now(), Clock::shifted(-5_000_000).now(), Clock::default().now());
        let back = shifted.plus_micros(5_000_000);
        assert!(before <= back && back <= after);
    }
}
