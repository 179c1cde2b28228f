//! When which height was there, from the first block of each day.

use bmon_event::{NodeName, ServerTime};

use super::{
    DAYS, History,
    axis::{Axis, begin_of_hour, hour_of},
};
use crate::finding::DAY;

/// From block to block where nothing tells better.
const INTERVAL_US: i64 = 600 * 1_000_000;

impl History {
    /// A day's first block was found at this time, by its header.
    pub(super) fn begin_day(&mut self, day: u32, at: ServerTime) {
        self.begun.insert(day, at);
        self.begun = self.begun.split_off(&day.saturating_sub(DAYS));
    }

    /// When this place was there. `None` before the first day that is known.
    pub(crate) fn time_of(&self, axis: Axis, place: u32) -> Option<ServerTime> {
        if axis == Axis::Hour {
            return Some(begin_of_hour(place));
        }
        let (day, blocks) = (place / DAY, i64::from(place % DAY));
        let (known, at) = self.begun.range(..=day).next_back()?;
        let us = match self.begun.get(&(day + 1)).filter(|_| *known == day) {
            Some(next) => next.micros_since(*at) / i64::from(DAY) * blocks,
            None => (i64::from(day - known) * i64::from(DAY) + blocks) * INTERVAL_US,
        };
        Some(at.plus_micros(us))
    }

    /// The place at this time: the height there was, or the hour.
    pub(crate) fn place_at(&self, axis: Axis, time: ServerTime) -> Option<u32> {
        if axis == Axis::Hour {
            return Some(hour_of(time));
        }
        let (day, at) = self.begun.iter().rev().find(|(_, at)| **at <= time)?;
        let since_us = time.micros_since(*at);
        let blocks = match self.begun.get(&(day + 1)) {
            Some(next) => (since_us.saturating_mul(i64::from(DAY)) / next.micros_since(*at).max(1))
                .min(i64::from(DAY) - 1),
            None => since_us / INTERVAL_US,
        };
        Some((day * DAY).saturating_add(u32::try_from(blocks).unwrap_or_default()))
    }

    /// From which place on the node has had the version that it has at this one; `None` if it has had none other as far back as
    /// it is known.
    pub(crate) fn version_since(&self, node: &NodeName, axis: Axis, place: u32) -> Option<u32> {
        let height = match axis {
            Axis::Height => place,
            Axis::Hour => self.place_at(Axis::Height, self.time_of(axis, place + 1)?)?,
        };
        let (_, before, since) = self.last_change(node, height);
        before?;
        match axis {
            Axis::Height => Some(since),
            Axis::Hour => self.place_at(axis, self.time_of(Axis::Height, since)?),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND_US: i64 = 1_000_000;

    fn at(seconds: i64) -> ServerTime {
        ServerTime::from_micros(seconds * SECOND_US)
    }

    #[test]
    fn heights_are_found_by_time_and_times_by_height() {
        let mut history = History::default();
        assert_eq!(history.time_of(Axis::Height, 5), None);
        // The third day took half as long as it should have, and of the fifth nothing is known.
        for (day, seconds) in [(2, 1_000_000), (3, 1_043_200), (5, 1_216_000)] {
            history.begin_day(day, at(seconds));
        }
        for (height, seconds) in [
            (2 * DAY, 1_000_000),
            (2 * DAY + 72, 1_021_600),
            (3 * DAY, 1_043_200),
            (3 * DAY + 1, 1_043_800),
            (4 * DAY, 1_129_600),
            (5 * DAY + 10, 1_222_000),
            (9 * DAY, 1_561_600),
        ] {
            assert_eq!(history.time_of(Axis::Height, height), Some(at(seconds)), "{height}");
            assert_eq!(history.place_at(Axis::Height, at(seconds)), Some(height), "{seconds}");
        }
        assert_eq!(history.place_at(Axis::Height, at(999_999)), None);
        assert_eq!(history.place_at(Axis::Hour, at(7_200)), Some(2));
        assert_eq!(history.time_of(Axis::Hour, 2), Some(at(7_200)));
    }
}
