//! The time of an entry, in nanoseconds.

use serde::{Deserialize, Serialize};

/// What gives each line of a log a time of its own: that of the line, and below the line's resolution the number of lines before it
/// that have the same. It is a function of the lines, so that a line that is sent again has the time it had, and two equal lines
/// stay two (Loki keeps one of entries that are equal in time, labels and text).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Instants {
    /// The latest time of a line.
    newest_us: Option<i64>,
    /// Lines of that time, after the first.
    same: u32,
    /// Lines whose time was before the latest, since threads overtake one another and clocks are set.
    back: u32,
}

/// How exact the times of a log are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Resolution {
    /// Whole seconds, or a time that lines got from their reading.
    #[default]
    Second,
    /// With `-logtimemicros`.
    Microsecond,
}

impl Resolution {
    /// Nanoseconds from one time to the next.
    const fn nanos(self) -> u32 {
        match self {
            Self::Second => 1_000_000_000,
            Self::Microsecond => 1_000,
        }
    }
}

impl Instants {
    /// The time of the next line in nanoseconds since 1970. The first half of what is below the resolution counts the lines of an
    /// instant; the second half those that come after a later instant has been, of whatever time: some hundred of them in a row, or
    /// with whole seconds some hundred million, have times of their own.
    pub(super) fn next(&mut self, us: i64, resolution: Resolution) -> i64 {
        let half = resolution.nanos() / 2;
        let below = if self.newest_us.is_none_or(|newest| us > newest) {
            (self.newest_us, self.same) = (Some(us), 0);
            0
        } else if self.newest_us == Some(us) && self.same + 1 < half {
            self.same += 1;
            self.same
        } else {
            self.back = self.back.wrapping_add(1);
            half + self.back % half
        };
        us.saturating_mul(1_000).saturating_add(i64::from(below))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_lines_of_an_instant_are_counted() {
        let mut instants = Instants::default();
        let times = [7, 7, 7, 9, 8, 9].map(|us| instants.next(us, Resolution::Microsecond));
        assert_eq!(times, [7_000, 7_001, 7_002, 9_000, 8_501, 9_001]);
    }

    #[test]
    fn a_second_has_room_for_its_lines_and_a_microsecond_for_a_thousand() {
        let mut instants = Instants::default();
        let times: HashSet<_> = (0..1_000).map(|_| instants.next(5, Resolution::Microsecond)).collect();
        assert_eq!(times.len(), 1_000);
        assert!(times.iter().all(|time| time / 1_000 == 5));
        let mut instants = Instants::default();
        let times: HashSet<_> = (0..100_000).map(|_| instants.next(5_000_000, Resolution::Second)).collect();
        assert_eq!(times.len(), 100_000);
        assert!(times.iter().all(|time| time / 1_000_000_000 == 5));
    }

    proptest! {
        #[test]
        fn no_two_lines_have_the_same_time_and_none_leaves_its_instant(steps in prop::collection::vec(-3_i64..4, 1..400)) {
            for (unit, resolution) in [(1, Resolution::Microsecond), (1_000_000, Resolution::Second)] {
                let (mut instants, mut us, mut seen) = (Instants::default(), 1_000_000_000, HashSet::new());
                for step in &steps {
                    us += step * unit;
                    let time = instants.next(us, resolution);
                    prop_assert!(seen.insert(time));
                    prop_assert!((us * 1_000..(us + unit) * 1_000).contains(&time));
                }
            }
        }

        #[test]
        fn what_is_read_again_has_the_times_it_had(steps in prop::collection::vec(-2_i64..3, 1..60), cut in any::<prop::sample::Index>()) {
            let (mut instants, mut us) = (Instants::default(), 1_000_000);
            let cut = cut.index(steps.len());
            let mut times = Vec::new();
            let mut kept = (instants.clone(), us);
            for (index, step) in steps.iter().enumerate() {
                if index == cut {
                    kept = (instants.clone(), us);
                }
                us += step;
                times.push(instants.next(us, Resolution::Microsecond));
            }
            let (mut instants, mut us) = kept;
            let again: Vec<_> = steps[cut..].iter().map(|step| { us += step; instants.next(us, Resolution::Microsecond) }).collect();
            prop_assert_eq!(again, &times[cut..]);
        }
    }
}
