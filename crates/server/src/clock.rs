//! The only place that reads this host's clocks.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

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
