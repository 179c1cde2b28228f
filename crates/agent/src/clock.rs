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
