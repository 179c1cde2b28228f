//! Where a node's clock stands against the server's: an interval for every instant, not a number.

use std::collections::VecDeque;

use bmon_event::{AgentTime, event::ClockSample};

use crate::{row::Offset, settings::Settings};

/// How fast two clocks may drift apart, in parts per million: twice the tolerance that quartz crystals of computers are
/// sold with.
const DRIFT_PPM: i64 = 100;
/// Most time exchanges kept. An agent reports the tightest of several, so that these span the window.
const MAX_SAMPLES: usize = 128;

/// The time exchanges of one node's agent with the server.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    /// Pairwise compatible: for any two there is a clock, drifting no faster than it may, that fits both.
    samples: VecDeque<ClockSample>,
    /// When the clock was seen to have been set. Nothing is known of the offset before.
    stepped_at: Option<AgentTime>,
    /// How often the clock was seen to have been set.
    steps: u64,
}

impl Clock {
    /// Adds a time exchange. One that no drift can reconcile with the others means that the clock was set: the
    /// others are dropped.
    pub(crate) fn insert(&mut self, sample: ClockSample, settings: &Settings) {
        if sample.offset_min_us > sample.offset_max_us {
            return;
        }
        if self.samples.iter().any(|other| excludes(other, &sample)) {
            self.samples.clear();
            self.stepped_at = Some(sample.at);
            self.steps += 1;
        }
        self.samples.push_back(sample);
        while self.samples.len() > MAX_SAMPLES
            || self
                .samples
                .front()
                .is_some_and(|old| sample.at.micros_since(old.at) > settings.clock_window_us)
        {
            self.samples.pop_front();
        }
    }

    /// The server's clock minus this one at `at`, `None` without a time exchange near enough. Honest exchanges
    /// give an interval that holds the true offset.
    pub(crate) fn offset(&self, at: AgentTime, settings: &Settings) -> Option<Offset> {
        let nearest = self.samples.iter().map(|sample| distance(sample, at)).min()?;
        if nearest > settings.clock_reach_us || self.stepped_at.is_some_and(|stepped| at < stepped) {
            return None;
        }
        let min_us =
            self.samples.iter().map(|sample| sample.offset_min_us - drift(distance(sample, at))).max()?;
        let max_us =
            self.samples.iter().map(|sample| sample.offset_max_us + drift(distance(sample, at))).min()?;
        Some(Offset { min_us, max_us })
    }

    /// How often the clock was seen to have been set.
    pub(crate) const fn steps(&self) -> u64 {
        self.steps
    }
}

/// Microseconds between a time exchange and an instant.
fn distance(sample: &ClockSample, at: AgentTime) -> i64 {
    at.micros_since(sample.at).saturating_abs()
}

/// The most that two clocks drift apart in `distance_us`, in microseconds, rounded up.
const fn drift(distance_us: i64) -> i64 {
    distance_us / 1_000_000 * DRIFT_PPM + (distance_us % 1_000_000 * DRIFT_PPM + 999_999) / 1_000_000
}

/// Whether no clock that drifts as slowly as it must fits both.
fn excludes(one: &ClockSample, other: &ClockSample) -> bool {
    let drift = drift(distance(one, other.at));
    one.offset_min_us - drift > other.offset_max_us || other.offset_min_us - drift > one.offset_max_us
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sample(at: i64, offset_min_us: i64, offset_max_us: i64) -> ClockSample {
        ClockSample { at: AgentTime::from_micros(at), offset_min_us, offset_max_us }
    }

    fn clock(samples: &[ClockSample]) -> Clock {
        let mut clock = Clock::default();
        for sample in samples {
            clock.insert(*sample, &Settings::default());
        }
        clock
    }

    fn offset(clock: &Clock, at: i64) -> Option<(i64, i64)> {
        clock
            .offset(AgentTime::from_micros(at), &Settings::default())
            .map(|offset| (offset.min_us, offset.max_us))
    }

    #[test]
    fn an_interval_widens_by_100_ppm_with_the_distance_in_time() {
        let clock = clock(&[sample(0, 1_000, 2_000)]);
        assert_eq!(offset(&clock, 0), Some((1_000, 2_000)));
        assert_eq!(offset(&clock, 10_000_000), Some((0, 3_000)));
        assert_eq!(offset(&clock, -10_000_000), Some((0, 3_000)));
        assert_eq!(offset(&clock, 601_000_000), None);
    }

    #[test]
    fn the_intersection_of_two_exchanges_is_tighter_than_each() {
        let clock = clock(&[sample(0, 0, 500), sample(1_000_000, 400, 2_000)]);
        assert_eq!(offset(&clock, 1_000_000), Some((400, 600)));
        assert_eq!(clock.steps(), 0);
    }

    #[test]
    fn a_clock_that_was_set_is_known_by_the_newest_exchange_and_unknown_before_it() {
        let clock = clock(&[sample(0, 0, 500), sample(1_000_000, 5_000_000, 5_000_100)]);
        assert_eq!(offset(&clock, 1_000_000), Some((5_000_000, 5_000_100)));
        assert_eq!(offset(&clock, 999_999), None);
        assert_eq!(clock.steps(), 1);
    }

    #[test]
    fn an_exchange_that_cannot_be_is_left_out() {
        assert_eq!(offset(&clock(&[sample(0, 2, 1)]), 0), None);
    }

    proptest! {
        #[test]
        fn the_true_offset_is_always_inside(
            start in -10_000_000_000..10_000_000_000_i64,
            // Each leg: length in microseconds, drift in parts per million, and the delays of an exchange at its end.
            legs in prop::collection::vec((0..30_000_000_i64, -100..=100_i64, 0..50_000_i64, 0..50_000_i64), 1..60),
        ) {
            let (mut clock, settings) = (Clock::default(), Settings::default());
            let mut truth = vec![(AgentTime::from_micros(0), start)];
            for (length, ppm, out, back) in legs {
                let (at, offset) = *truth.last().unwrap();
                // Rounded towards zero, so that rounding never adds drift.
                let (at, offset) = (at.plus_micros(length), offset + length * ppm / 1_000_000);
                truth.push((at, offset));
                clock.insert(ClockSample { at, offset_min_us: offset - back, offset_max_us: offset + out }, &settings);
                for (at, offset) in &truth {
                    if let Some(found) = clock.offset(*at, &settings) {
                        prop_assert!(found.min_us <= *offset && *offset <= found.max_us, "{at} {offset} {found:?}");
                    }
                }
            }
            prop_assert_eq!(clock.steps(), 0);
        }
    }
}
