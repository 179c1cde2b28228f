//! RPC `uptime`.

use std::time::Duration;

use bmon_event::Kind;

use super::Poller;
use crate::config::IntervalConfig;

pub(super) struct Uptime;

impl Poller for Uptime {
    fn method(&self) -> &'static str {
        "uptime"
    }

    fn interval(&self, intervals: &IntervalConfig) -> Duration {
        Duration::from_millis(intervals.uptime_ms)
    }

    fn read(&self, reply: &str) -> serde_json::Result<Kind> {
        Ok(Kind::Uptime { seconds: serde_json::from_str(reply)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reply_is_a_number_of_seconds() {
        assert_eq!(Uptime.read("42").unwrap(), Kind::Uptime { seconds: 42 });
        assert!(Uptime.read("null").is_err());
    }
}
