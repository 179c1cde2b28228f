//! How what an agent tells comes in: in time or late, with a clock that is known or not, from a log that is read or not.

use bmon_event::{Event, Kind, ServerTime, Source, event::AgentHealth};

use crate::row::Sighted;

const MINUTE_US: i64 = 60 * 1_000_000;
/// A batch that is older than this when it comes was kept: agents deliver at once, or when the last delivery is answered.
const LATE_US: i64 = 2 * MINUTE_US;
/// A line of the log that is read later than this after it was written: the log is looked at many times a second.
const READ_LATE_US: i64 = MINUTE_US;
/// How long a line that was read late tells that lines are.
const LATE_LINE_TELLS_US: i64 = MINUTE_US;
/// From this error on a node's times are compared with nobody's to any use.
const WIDE_US: i64 = 500_000;
/// A quarter of what a spool may take unless it is set otherwise; how it is set the agent does not tell.
const LARGE_SPOOL_BYTES: u64 = 256 << 20;

/// What is known of the deliveries of one agent.
#[derive(Clone, Debug, Default)]
pub(crate) struct Delivery {
    /// Since when batches come that are older than they should be.
    pub(crate) late_since: Option<ServerTime>,
    /// Since when the agent's clock is not known, or not well enough.
    pub(crate) clock_lost_since: Option<ServerTime>,
    /// Since when the spool is large.
    pub(crate) large_spool_since: Option<ServerTime>,
    /// Since when lines of the log are read late, and when the last was.
    late_lines: Option<(ServerTime, ServerTime)>,
    /// Bytes of the log that were read, and when that last changed; `None` until it is told.
    log_read: Option<(u64, ServerTime)>,
}

impl Delivery {
    /// Takes in a batch that came at this time, and was made then.
    pub(super) fn note_batch(&mut self, at: ServerTime, made: Sighted, events: &[Event]) {
        let since = |since: Option<ServerTime>, is_so: bool| is_so.then(|| since.unwrap_or(at));
        let is_late = made.offset.is_some() && at.micros_since(made.on_server_clock()) >= LATE_US;
        self.late_since = since(self.late_since, is_late);
        let is_lost = made.offset.is_none_or(|offset| offset.max_us - offset.min_us >= 2 * WIDE_US);
        self.clock_lost_since = since(self.clock_lost_since, is_lost);
        // What a stretch of the log held is said with the next line, whenever that comes.
        let line =
            |event: &&Event| event.source == Source::Log && !matches!(event.kind, Kind::LogMessages(_));
        if let Some(event) = events.iter().rfind(line)
            && let Some(written) = event.node_time
        {
            let is_late = event.agent_time.micros_since(written.on_agent_clock()) >= READ_LATE_US;
            self.late_lines = is_late.then(|| (self.late_lines.map_or(at, |(since, _)| since), at));
        }
    }

    /// Takes in what the agent counted until then.
    pub(super) fn note_health(&mut self, health: &AgentHealth, at: ServerTime) {
        if self.log_read.is_none_or(|(bytes, _)| bytes != health.log_bytes) {
            self.log_read = Some((health.log_bytes, at));
        }
        let is_large = health.spool_bytes >= LARGE_SPOOL_BYTES;
        self.large_spool_since = is_large.then(|| self.large_spool_since.unwrap_or(at));
    }

    /// Since when the log is read later than it is written.
    pub(crate) fn lines_late_since(&self, now: ServerTime) -> Option<ServerTime> {
        let (since, last) = self.late_lines?;
        (now.micros_since(last) <= LATE_LINE_TELLS_US).then_some(since)
    }

    /// Until when anything of the log was read, `None` where that is not told.
    pub(crate) fn log_read_until(&self) -> Option<ServerTime> {
        self.log_read.map(|(_, at)| at)
    }
}
