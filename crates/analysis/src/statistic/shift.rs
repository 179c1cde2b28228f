//! Whether the last values of a series are above the rest: a sudden shift, found by a cumulative sum with a large slack.
//!
//! One value far out is enough, or several that are less far out one after the other. What is usual is taken from the values
//! before them, which a slow change takes along: that is for [`super::creep`].

use super::{Cusum, Rank, Robust, median};

/// When a series has shifted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ShiftTest {
    /// Values at the end that are judged.
    pub recent: usize,
    /// Values before them at most that tell what is usual.
    pub past: usize,
    /// How many it takes at least.
    pub least_past: usize,
    /// What a value may exceed the usual by, in scales.
    pub slack: f64,
    /// The sum from which on it is an alarm: a single value that is this and the slack above the usual.
    pub bound: f64,
    /// The scale is no less.
    pub least_scale: f64,
    /// A shift by less is none, however sure it is.
    pub least_shift: f64,
}

/// How the end of a series stands to the values before.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shift {
    /// The cumulative sum now, in scales.
    pub score: f64,
    /// The place in the series at which it began to grow; the last place if it has not.
    pub from: usize,
    /// What is usual.
    pub usual: Robust,
    /// The median since then.
    pub now: f64,
    /// That among the values of the past.
    pub rank: Rank,
}

impl Shift {
    /// How many scales the values are above the usual since it began.
    pub fn z(&self) -> f64 {
        self.usual.z(self.now)
    }
}

impl ShiftTest {
    /// Judges a series, oldest first, in which a place may be empty. `None` if its last place is, or the past is too short.
    pub fn judge(&self, series: &[Option<f64>]) -> Option<Shift> {
        let last = (*series.last()?)?;
        let recent = series.len().saturating_sub(self.recent);
        let past: Vec<f64> =
            series.get(recent.saturating_sub(self.past)..recent)?.iter().flatten().copied().collect();
        if past.len() < self.least_past {
            return None;
        }
        let usual = Robust::of(&past, self.least_scale)?;
        let (mut cusum, mut from) = (Cusum::new(self.slack), series.len() - 1);
        for (place, value) in (recent..).zip(series.get(recent..)?) {
            let Some(value) = value else { continue };
            cusum.push(usual.z(*value));
            if cusum.length() == 1 {
                from = place;
            }
        }
        if cusum.length() == 0 {
            from = series.len() - 1;
        }
        let run: Vec<f64> = series.get(from..)?.iter().flatten().copied().collect();
        let now = median(&run).unwrap_or(last);
        Some(Shift { score: cusum.sum(), from, usual, now, rank: Rank::of(now, &past) })
    }

    /// Whether the series has shifted, and its last value is still above what is let pass.
    pub fn is_alarm(&self, shift: &Shift, last: f64) -> bool {
        shift.score >= self.bound
            && shift.now - shift.usual.median >= self.least_shift
            && shift.usual.z(last) >= self.slack
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TEST: ShiftTest = ShiftTest {
        recent: 6,
        past: 40,
        least_past: 20,
        slack: 2.0,
        bound: 4.0,
        least_scale: 0.1,
        least_shift: 0.5,
    };

    /// Forty values about 1 whose scale is 1.4826 × 0.1, then these.
    fn after_usual(last: &[f64]) -> Vec<Option<f64>> {
        let usual = (0..40).map(|place| 1.0 + 0.1 * f64::from([-1, 1, -2, 2][place % 4]) * 2.0 / 3.0);
        usual.chain(last.iter().copied()).map(Some).collect()
    }

    fn is_alarm(last: &[f64]) -> bool {
        let series = after_usual(last);
        TEST.judge(&series).is_some_and(|shift| TEST.is_alarm(&shift, *last.last().unwrap()))
    }

    #[test]
    fn one_value_far_out_or_some_less_far_out_are_an_alarm() {
        assert!(is_alarm(&[1.0, 1.0, 1.0, 1.0, 1.0, 1.95]));
        assert!(!is_alarm(&[1.0, 1.0, 1.0, 1.0, 1.0, 1.6]));
        assert!(is_alarm(&[1.0, 1.0, 1.0, 1.6, 1.6, 1.6]));
        assert!(!is_alarm(&[1.0, 1.0, 1.0, 1.6, 1.0, 1.6]));
    }

    #[test]
    fn what_is_over_or_below_or_too_little_is_none() {
        assert!(!is_alarm(&[1.0, 1.0, 1.0, 2.9, 2.9, 1.0]));
        assert!(!is_alarm(&[0.1; 6]));
        let shift = TEST.judge(&after_usual(&[1.45; 6])).unwrap();
        assert!(shift.score > TEST.bound && !TEST.is_alarm(&shift, 1.45), "{shift:?}");
    }

    #[test]
    fn it_tells_since_when_how_far_and_how_often_that_was() {
        let shift = TEST.judge(&after_usual(&[1.0, 1.0, 2.0, 2.2, 2.1])).unwrap();
        assert_eq!((shift.from, shift.rank), (42, Rank { past: 39, as_large: 0 }));
        assert!((shift.now - 2.1).abs() < 1e-9 && (shift.usual.median - 1.0).abs() < 0.1, "{shift:?}");
        assert!(shift.z() > 7.0);
    }

    #[test]
    fn without_a_past_or_a_last_value_nothing_is_told() {
        assert_eq!(TEST.judge(&[]), None);
        assert_eq!(TEST.judge(&vec![Some(1.0); 25]), None);
        assert!(TEST.judge(&vec![Some(1.0); 26]).is_some());
        let mut series = after_usual(&[1.0; 6]);
        series.push(None);
        assert_eq!(TEST.judge(&series), None);
    }

    proptest! {
        #[test]
        fn no_past_makes_a_series_an_alarm_that_is_never_above_it(
            past in prop::collection::vec(prop::option::weighted(0.9, 0.0..1.0_f64), 30..60),
            recent in prop::collection::vec(-1.0..0.0_f64, 6),
        ) {
            let series: Vec<_> = past.into_iter().chain(recent.iter().copied().map(Some)).collect();
            if let Some(shift) = TEST.judge(&series) {
                prop_assert!(!TEST.is_alarm(&shift, recent[5]), "{shift:?}");
                prop_assert!(shift.from >= series.len() - 6 && shift.score >= 0.0);
            }
        }
    }
}
