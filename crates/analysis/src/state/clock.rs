//! Where a node's clock stands against the server's: an interval for every instant, not a number.

use std::collections::VecDeque;

use bmon_event::{AgentTime, event::ClockSample};

use crate::{row::Offset, settings::Settings};

const SECOND_US: i64 = 1_000_000;

/// How fast two clocks may drift apart, in parts per million: twice the tolerance that quartz crystals of computers are
/// sold with.
pub(crate) const DRIFT_PPM: i64 = 100;
/// Most time exchanges kept. An agent reports the tightest of several, so that these span the window.
const MAX_SAMPLES: usize = 128;

/// The time exchanges of one node's agent with the server.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    /// Pairwise compatible: for any two there is a clock, drifting no faster than it may, that fits both.
    samples: VecDeque<ClockSample>,
    /// Nothing is known of the offset before: the clock was seen to have been set, and what it said until then may
    /// have been said by the clock as it was.
    known_from: Option<AgentTime>,
    /// The last exchange that showed that the clock had been set.
    shown_by: Option<ClockSample>,
    /// How often the clock was seen to have been set.
    steps: u64,
    /// The second that was last asked for, and what holds in all of it.
    second: Option<(i64, Option<Offset>)>,
}

impl Clock {
    /// Adds a time exchange. One that no drift can reconcile with the others means that the clock was set: the
    /// others are dropped.
    pub(crate) fn insert(&mut self, sample: ClockSample, settings: &Settings) {
        if sample.offset_min_us > sample.offset_max_us {
            return;
        }
        self.second = None;
        if self.samples.iter().any(|other| excludes(other, &sample)) {
            self.known_from = self.samples.back().map(|last| self.known_from(last, &sample, settings));
            self.shown_by = Some(sample);
            self.samples.clear();
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
        if nearest > settings.clock_reach_us || self.known_from.is_some_and(|from| at < from) {
            return None;
        }
        let min_us =
            self.samples.iter().map(|sample| sample.offset_min_us - drift(distance(sample, at))).max()?;
        let max_us =
            self.samples.iter().map(|sample| sample.offset_max_us + drift(distance(sample, at))).min()?;
        Some(Offset { min_us, max_us })
    }

    /// The server's clock minus this one at `at`, in an interval that holds for the whole second that `at` is in.
    pub(crate) fn offset_in_second(&mut self, at: AgentTime, settings: &Settings) -> Option<Offset> {
        let second = at.as_micros().div_euclid(SECOND_US);
        if let Some((known, offset)) = self.second
            && known == second
        {
            return offset;
        }
        let middle = AgentTime::from_micros(second.saturating_mul(SECOND_US)).plus_micros(SECOND_US / 2);
        let begins_unknown = self.known_from.is_some_and(|from| middle.plus_micros(-SECOND_US / 2) < from);
        let wider_us = drift(SECOND_US / 2);
        let widened =
            |offset: Offset| Offset { min_us: offset.min_us - wider_us, max_us: offset.max_us + wider_us };
        let offset = self.offset(middle, settings).filter(|_| !begins_unknown).map(widened);
        self.second = Some((second, offset));
        offset
    }

    /// Whether `sample` is what showed that the clock had been set, the last time it was.
    pub(crate) fn was_set(&self, sample: &ClockSample) -> bool {
        self.shown_by.as_ref() == Some(sample)
    }

    /// How often the clock was seen to have been set.
    pub(crate) const fn steps(&self) -> u64 {
        self.steps
    }

    /// From when on the clock as it is now is the only one that can have said a time, after it was set between two
    /// exchanges. A clock that was set back says times for the second time; a time that is so far ahead that it would
    /// be out of reach until everything said before has been heard need not be waited for.
    fn known_from(&self, last: &ClockSample, sample: &ClockSample, settings: &Settings) -> AgentTime {
        let from = sample.at.max(had_it_not_been_set(last, sample)).max(self.known_from.unwrap_or(sample.at));
        from.min(sample.at.plus_micros(settings.clock_window_us.saturating_add(settings.clock_reach_us)))
    }
}

/// The latest that a clock would have shown at the exchange `sample` if it had gone on as at the exchange `last`.
fn had_it_not_been_set(last: &ClockSample, sample: &ClockSample) -> AgentTime {
    let shown = sample.at.plus_micros(sample.offset_max_us.saturating_sub(last.offset_min_us));
    shown.plus_micros(drift(distance(last, shown)))
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
    fn a_clock_that_was_set_forward_is_known_by_the_newest_exchange_and_unknown_before_it() {
        let clock = clock(&[sample(0, 0, 500), sample(6_000_000, -5_000_000, -4_999_900)]);
        assert_eq!(offset(&clock, 6_000_000), Some((-5_000_000, -4_999_900)));
        assert_eq!(offset(&clock, 5_999_999), None);
        assert_eq!(clock.steps(), 1);
    }

    #[test]
    fn a_clock_that_was_set_back_is_unknown_until_it_is_past_all_that_it_had_shown() {
        let mut clock = clock(&[sample(0, 0, 500), sample(1_000_000, 5_000_000, 5_000_100)]);
        // What it would show now, 6.0001 s, and 100 ppm of it.
        assert_eq!(offset(&clock, 1_000_000), None);
        assert_eq!(offset(&clock, 6_000_700), None);
        assert_eq!(offset(&clock, 6_000_701), Some((4_999_499, 5_000_601)));
        assert_eq!(clock.steps(), 1);
        // Set forward again, but not as far as it had been.
        clock.insert(sample(5_500_000, 2_000_000, 2_000_100), &Settings::default());
        assert_eq!(offset(&clock, 6_000_700), None);
        assert!(offset(&clock, 6_000_701).is_some());
    }

    #[test]
    fn a_clock_that_was_far_ahead_is_known_again_after_a_while() {
        const MINUTE: i64 = 60_000_000;
        let mut clock = clock(&[sample(1_000_000 * MINUTE, -999_999 * MINUTE, -999_999 * MINUTE)]);
        for minute in 1..=21 {
            assert_eq!(offset(&clock, minute * MINUTE - 1), None);
            clock.insert(sample(minute * MINUTE, 0, 100), &Settings::default());
        }
        assert_eq!(offset(&clock, 21 * MINUTE), Some((0, 100)));
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

        #[test]
        fn no_offset_is_wrong_after_the_clock_was_set(
            // What it is set by: more than exchanges leave open.
            step in prop_oneof![-100_000_000..-1_000_000_i64, 1_000_000..100_000_000_i64],
            before in prop::collection::vec((0..10_000_000_i64, any::<bool>()), 0..10),
            after in prop::collection::vec(0..10_000_000_i64, 1..10),
            (out, back) in (0..50_000_i64, 0..50_000_i64),
        ) {
            let settings = Settings::default();
            let mut clock = clock(&[sample(0, -back, out)]);
            let (mut now, mut truth) = (0, vec![(0, 0)]);
            let before = before.into_iter().map(|(length, is_exchange)| (length, is_exchange, 0));
            let after = after.into_iter().map(|length| (length, true, -step));
            for (length, is_exchange, offset) in before.chain(after) {
                now += length;
                truth.push((now - offset, offset));
                if is_exchange {
                    clock.insert(sample(now - offset, offset - back, offset + out), &settings);
                }
            }
            prop_assert_eq!(clock.steps(), 1);
            for (at, true_offset) in truth {
                if let Some(found) = clock.offset(AgentTime::from_micros(at), &settings) {
                    prop_assert!(found.min_us <= true_offset && true_offset <= found.max_us, "{at} {true_offset} {found:?}");
                }
            }
        }
    }
}
