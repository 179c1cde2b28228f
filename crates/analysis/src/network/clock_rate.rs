//! How fast a node's clock runs beside the server's, as far as the time exchanges of the last hours tell.

use std::collections::VecDeque;

use bmon_event::event::ClockSample;

use crate::{
    row::{Offset, Sighted},
    state::{
        clock::DRIFT_PPM,
        gain::{Gain, LEAST_STEP_US, Steps},
    },
};

const MINUTE_US: i64 = 60 * 1_000_000;
/// One exchange is kept of each so long, the tightest.
const SPACING_US: i64 = 10 * MINUTE_US;
/// Exchanges are kept for so long.
const SPAN_US: i64 = 6 * 60 * MINUTE_US;

/// Gained or lost within these hours, this is a clock that nobody sets right: one that is set right is off by milliseconds.
const ADRIFT_US: i64 = 500_000;
/// A clock runs right again if it surely drifts less than half of what it may.
const RIGHT_PPM: f64 = DRIFT_PPM as f64 / 2.0;

/// The exchanges of the last hours since the clock was set, if it was.
#[derive(Clone, Debug, Default)]
pub(crate) struct ClockRate {
    kept: VecDeque<ClockSample>,
    steps: Steps,
    /// What first showed that the clock runs wrong, `None` while it runs right.
    wrong: Option<Rate>,
}

/// What a clock gained since one of the exchanges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rate {
    pub(crate) gain: Gain,
    /// When it was last compared.
    pub(crate) sighted: Sighted,
}

impl Rate {
    /// The least of the bounds of its rate and the greatest, in parts per million.
    pub(crate) fn bounds_ppm(&self) -> (f64, f64) {
        let within_s = self.gain.within_us as f64 / 1e6;
        (self.gain.least_us as f64 / within_s, self.gain.most_us as f64 / within_s)
    }

    fn certain_ppm(&self) -> f64 {
        self.gain.certain_us() as f64 / (self.gain.within_us as f64 / 1e6)
    }

    /// A step too small to be told as one is no drift either.
    fn is_wrong(&self) -> bool {
        let certain_us = self.gain.certain_us();
        self.certain_ppm() > DRIFT_PPM as f64 && certain_us > LEAST_STEP_US || certain_us >= ADRIFT_US
    }
}

impl ClockRate {
    /// Takes in an exchange.
    pub(super) fn note(&mut self, sample: &ClockSample) {
        if sample.offset_min_us > sample.offset_max_us {
            return;
        }
        let is_far = self.steps.since_last(sample).is_some_and(|gain| gain.is_far());
        if self.steps.note(sample).is_some() || is_far {
            self.kept.clear();
        }
        let spell = |sample: &ClockSample| sample.at.as_micros().div_euclid(SPACING_US);
        let width = |sample: &ClockSample| sample.offset_max_us.saturating_sub(sample.offset_min_us);
        match self.kept.back_mut() {
            Some(last) if spell(last) == spell(sample) => {
                if width(sample) < width(last) {
                    *last = *sample;
                }
            }
            _ => self.kept.push_back(*sample),
        }
        self.kept.retain(|kept| sample.at.micros_since(kept.at) <= SPAN_US);
        match (self.wrong, self.worst()) {
            (None, worst) => self.wrong = worst,
            (Some(_), None) if self.is_right() => self.wrong = None,
            _ => {}
        }
    }

    /// What first showed that the clock runs wrong, `None` if it runs right.
    pub(crate) const fn wrong(&self) -> Option<Rate> {
        self.wrong
    }

    /// Whether the clock runs right for certain.
    pub(crate) fn is_right(&self) -> bool {
        self.rates().any(|rate| {
            let (least, most) = rate.bounds_ppm();
            least > -RIGHT_PPM && most < RIGHT_PPM
        })
    }

    /// The rate that is the farthest from right for certain, if one is farther than it may be.
    fn worst(&self) -> Option<Rate> {
        let wrong = self.rates().filter(Rate::is_wrong);
        wrong.max_by(|one, other| one.certain_ppm().total_cmp(&other.certain_ppm()))
    }

    /// What the clock gained until now since each of the exchanges that are far enough back, the longest ago first.
    fn rates(&self) -> impl Iterator<Item = Rate> {
        let last = self.kept.back().copied();
        let rate = move |before: &ClockSample| {
            let last = last?;
            let gain = Gain::between(before, &last);
            let offset = Some(Offset { min_us: last.offset_min_us, max_us: last.offset_max_us });
            (gain.within_us >= SPACING_US).then_some(Rate { gain, sighted: Sighted { at: last.at, offset } })
        };
        self.kept.iter().filter_map(rate)
    }
}

#[cfg(test)]
mod tests {
    use bmon_event::AgentTime;

    use super::*;

    /// A clock that gains so many parts per million from the start, and is set by so much at a minute; exchanges each
    /// minute, 20 ms wide.
    fn clock(ppm: i64, minutes: i64, set: Option<(i64, i64)>) -> ClockRate {
        let mut rate = ClockRate::default();
        for minute in 0..minutes {
            let step = set.filter(|(at, _)| minute >= *at).map_or(0, |(_, by)| by);
            let gained = minute * 60 * ppm + step;
            rate.note(&ClockSample {
                at: AgentTime::from_micros(minute * MINUTE_US + gained),
                offset_min_us: -gained - 10_000,
                offset_max_us: -gained + 10_000,
            });
        }
        rate
    }

    #[test]
    fn the_longest_time_tells_the_rate_best() {
        let rate = clock(150, 300, None);
        let (least, most) = rate.rates().next().unwrap().bounds_ppm();
        assert!(least < 150.0 && 150.0 < most && most - least < 3.0, "{least} {most}");
    }

    #[test]
    fn what_is_known_is_bounded_in_time_and_number() {
        let rate = clock(0, 10_000, None);
        assert!(rate.kept.len() <= 38 && rate.rates().all(|rate| rate.gain.within_us <= SPAN_US));
    }

    #[test]
    fn a_clock_is_wrong_that_drifts_faster_than_it_may_or_on_and_on_and_no_other_is() {
        assert!(clock(120, 120, None).wrong().is_some());
        assert!(clock(-120, 120, None).wrong().is_some());
        assert!(clock(30, 340, None).wrong().is_some());
        assert!(clock(30, 200, None).wrong().is_none());
        assert!(clock(15, 1_000, None).wrong().is_none());
        for by_us in [-2_000_000, 150_000, 90_000] {
            assert!(clock(0, 1_000, Some((500, by_us))).wrong().is_none());
        }
        assert!(clock(0, 60, None).is_right() && !clock(200, 60, None).is_right());
    }

    #[test]
    fn a_clock_that_was_set_is_watched_anew() {
        let rate = clock(0, 200, Some((100, 2_000_000)));
        assert!(rate.rates().all(|rate| rate.gain.certain_us() == 0), "{rate:?}");
        assert!(rate.rates().count() > 5);
    }
}
