use std::time::{Duration, Instant};

const MINUTE: Duration = Duration::from_mins(1);

/// How much of something may be used in a minute. A minute begins with the first use after the one before.
#[derive(Debug)]
pub(super) struct PerMinute {
    limit: u64,
    used: u64,
    since: Option<Instant>,
}

impl PerMinute {
    pub(super) const fn new(limit: u64) -> Self {
        Self { limit, used: 0, since: None }
    }

    /// How much may still be used.
    pub(super) fn left(&mut self, now: Instant) -> u64 {
        if self.since.is_none_or(|since| now.saturating_duration_since(since) >= MINUTE) {
            (self.used, self.since) = (0, Some(now));
        }
        self.limit.saturating_sub(self.used)
    }

    /// Notes a use.
    pub(super) fn spend(&mut self, amount: u64) {
        self.used = self.used.saturating_add(amount);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock;

    #[test]
    fn what_is_used_comes_back_after_a_minute() {
        let (mut bytes, start) = (PerMinute::new(10), clock::instant());
        assert_eq!(bytes.left(start), 10);
        bytes.spend(7);
        assert_eq!(bytes.left(start + Duration::from_secs(59)), 3);
        bytes.spend(u64::MAX);
        assert_eq!(bytes.left(start + Duration::from_secs(59)), 0);
        assert_eq!(bytes.left(start + MINUTE), 10);
    }
}
