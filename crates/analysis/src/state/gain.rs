//! What a node's clock gained on the server's from one time exchange to another.

use std::collections::VecDeque;

use bmon_event::event::ClockSample;

/// A clock that is brought right bit by bit is so at 500 ppm at most by the kernel (`adjtimex(2)`, Linux 6.12; ntpd does
/// the same); this leaves as much for the exchanges to be wrong. What is faster was set.
const SLEWED_PPM: i64 = 1_000;
/// Less is brought right bit by bit: ntpd sets a clock that is off by 128 ms or more (`tinker step`, ntp.conf(5), 4.2.8).
pub(crate) const LEAST_STEP_US: i64 = 100_000;
/// Between exchanges farther apart than this nobody can tell a clock that was set from one that ran fast.
const FAR_US: i64 = 30 * 60 * 1_000_000;

/// What a node's clock gained on the server's, in microseconds; below 0 if it lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::struct_field_names, reason = "a number says its unit in its name")]
pub(crate) struct Gain {
    /// At least.
    pub(crate) least_us: i64,
    /// At most.
    pub(crate) most_us: i64,
    /// The time that passed meanwhile, by the server's clock.
    pub(crate) within_us: i64,
}

impl Gain {
    /// From one exchange to a later one.
    pub(crate) fn between(before: &ClockSample, after: &ClockSample) -> Self {
        let server =
            |sample: &ClockSample| sample.at.plus_micros(sample.offset_min_us.midpoint(sample.offset_max_us));
        Self {
            least_us: before.offset_min_us.saturating_sub(after.offset_max_us),
            most_us: before.offset_max_us.saturating_sub(after.offset_min_us),
            within_us: server(after).micros_since(server(before)).saturating_abs(),
        }
    }

    /// The gain's distance from 0 for certain.
    pub(crate) const fn certain_us(&self) -> i64 {
        if self.least_us > 0 {
            self.least_us
        } else if self.most_us < 0 {
            self.most_us.saturating_neg()
        } else {
            0
        }
    }

    /// The bound that is nearer to 0.
    pub(crate) const fn nearer_us(&self) -> i64 {
        if self.least_us > 0 {
            self.least_us
        } else if self.most_us < 0 {
            self.most_us
        } else {
            0
        }
    }

    /// Whether the exchanges are too far apart to tell a step from a drift.
    pub(crate) const fn is_far(&self) -> bool {
        self.within_us > FAR_US
    }

    /// Whether the clock was set: it gained more than a clock does that drifts, or is brought right bit by bit.
    pub(crate) const fn is_step(&self) -> bool {
        let allowed_us = (self.within_us / 1_000_000).saturating_mul(SLEWED_PPM);
        self.certain_us() > allowed_us.saturating_add(LEAST_STEP_US)
    }
}

/// Exchanges that the next one is compared with: of some that took long the tightest tells most.
const KEPT: usize = 8;

/// Tells when a clock was set.
#[derive(Clone, Debug, Default)]
pub(crate) struct Steps {
    /// The last exchanges since the clock was last set.
    last: VecDeque<ClockSample>,
}

impl Steps {
    /// Takes in an exchange: what the clock was set by since one before, by the pair that leaves the least open.
    pub(crate) fn note(&mut self, sample: &ClockSample) -> Option<Gain> {
        let gains = self.last.iter().map(|before| Gain::between(before, sample));
        let step = gains.filter(Gain::is_step).min_by_key(|gain| gain.most_us - gain.least_us);
        if step.is_some() {
            self.last.clear();
        }
        self.last.push_back(*sample);
        if self.last.len() > KEPT {
            self.last.pop_front();
        }
        step
    }

    /// The time since the last exchange that was taken in before this one, `None` for the first.
    pub(crate) fn since_last(&self, sample: &ClockSample) -> Option<Gain> {
        self.last.back().map(|before| Gain::between(before, sample))
    }
}

#[cfg(test)]
mod tests {
    use bmon_event::AgentTime;
    use proptest::prelude::*;

    use super::*;

    const SECOND: i64 = 1_000_000;

    fn sample(at: i64, offset: i64, half_width: i64) -> ClockSample {
        let (offset_min_us, offset_max_us) = (offset - half_width, offset + half_width);
        ClockSample { at: AgentTime::from_micros(at), offset_min_us, offset_max_us }
    }

    #[test]
    fn a_clock_that_was_set_is_told_from_one_that_is_brought_right_bit_by_bit() {
        // Set forward by 2 s within 10 s: its offset falls by as much.
        let gain = Gain::between(&sample(0, 0, 500), &sample(12 * SECOND, -2 * SECOND, 700));
        assert_eq!(gain, Gain { least_us: 1_998_800, most_us: 2_001_200, within_us: 10 * SECOND });
        assert!(gain.is_step());
        let back = Gain::between(&sample(0, 0, 500), &sample(8 * SECOND, 2 * SECOND, 500));
        assert_eq!((back.nearer_us(), back.certain_us(), back.is_step()), (-1_999_000, 1_999_000, true));
        // 500 ppm over a minute.
        assert!(!Gain::between(&sample(0, 0, 500), &sample(60 * SECOND, -30_000, 500)).is_step());
    }

    #[test]
    fn an_exchange_that_took_long_tells_no_step() {
        let gain = Gain::between(&sample(0, 0, 500), &sample(10 * SECOND, -2 * SECOND, 2 * SECOND));
        assert_eq!((gain.certain_us(), gain.is_step()), (0, false));
    }

    #[test]
    fn after_a_long_time_without_exchanges_only_a_large_step_is_one() {
        let hour = 3_600 * SECOND;
        assert!(!Gain::between(&sample(0, 0, 0), &sample(hour, 3_600_000, 0)).is_step());
        assert!(Gain::between(&sample(0, 0, 0), &sample(hour, 3_800_000, 0)).is_step());
    }

    #[test]
    fn a_step_is_told_once_and_by_the_tightest_pair() {
        let mut steps = Steps::default();
        assert_eq!(steps.note(&sample(0, 0, 500)), None);
        assert_eq!(steps.note(&sample(10 * SECOND, 0, 300_000)), None);
        // Too wide to tell, then tight.
        assert_eq!(steps.note(&sample(22 * SECOND, -2 * SECOND, 3 * SECOND)), None);
        let step = steps.note(&sample(32 * SECOND, -2 * SECOND, 600)).unwrap();
        assert_eq!((step.least_us, step.most_us, step.within_us), (1_998_900, 2_001_100, 30 * SECOND));
        assert_eq!(steps.note(&sample(42 * SECOND, -2 * SECOND, 500)), None);
    }

    proptest! {
        #[test]
        fn honest_clocks_are_never_taken_for_set(
            seconds in 1..86_400_i64, ppm in -100..=100_i64, start in -1_000_000_000..1_000_000_000_i64,
            widths in prop::array::uniform4(0..1_000_000_i64),
        ) {
            let change = seconds * ppm;
            let [a, b, c, d] = widths;
            let before = ClockSample { at: AgentTime::from_micros(0), offset_min_us: start - a, offset_max_us: start + b };
            let after = ClockSample {
                at: AgentTime::from_micros(seconds * SECOND),
                offset_min_us: start + change - c,
                offset_max_us: start + change + d,
            };
            let gain = Gain::between(&before, &after);
            prop_assert!(gain.least_us <= -change && -change <= gain.most_us);
            prop_assert!(!gain.is_step(), "{:?}", gain);
        }
    }
}
