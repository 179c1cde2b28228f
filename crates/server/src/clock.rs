//! The only place that reads this host's clocks.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bmon_event::ServerTime;

/// Now, by the clock that every answer and every received batch is stamped with.
#[expect(clippy::disallowed_methods, reason = "this is the server's clock module")]
pub(crate) fn now() -> ServerTime {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    ServerTime::from_micros(i64::try_from(since_epoch.as_micros()).unwrap_or(i64::MAX))
}

/// A clock that never steps, for durations and deadlines.
#[expect(clippy::disallowed_methods, reason = "this is the server's clock module")]
pub(crate) fn monotonic() -> Instant {
    Instant::now()
}

/// The engine's time: that of the wall clock, but it never goes back. While the wall clock is behind, because it was
/// ahead for a moment or was set back, this one goes on half as fast as time passes: what waits for a time still comes
/// to its turn, and the wall clock is met again.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct EngineTime(ServerTime);

impl EngineTime {
    /// The time that was last told.
    pub(crate) const fn last(self) -> ServerTime {
        self.0
    }

    /// The time now, `elapsed` after it was last asked for, when the wall clock shows `wall`.
    pub(crate) fn advance(&mut self, wall: ServerTime, elapsed: Duration) -> ServerTime {
        let half_us = i64::try_from((elapsed / 2).as_micros()).unwrap_or(i64::MAX);
        self.0 = self.0.plus_micros(half_us).max(wall);
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wall_clock_that_was_ahead_for_a_moment_is_met_again_and_time_never_stands_still() {
        let mut time = EngineTime::default();
        let second = Duration::from_secs(1);
        let shown = [100, 110, 102, 103, 104, 116, 117].map(|wall| ServerTime::from_micros(wall * 1_000_000));
        let told = shown.map(|wall| time.advance(wall, second).as_micros() / 100_000);
        assert_eq!(told, [1000, 1100, 1105, 1110, 1115, 1160, 1170]);
    }
}
