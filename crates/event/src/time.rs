//! Instants, each of which says whose clock read it.
//!
//! All are microseconds since the Unix epoch, UTC. Instants of different clocks do not compare or subtract: the
//! clock fold of the analysis turns one into the other, with an error bound.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! instant {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(i64);

        impl $name {
            /// The instant `us` microseconds after the Unix epoch.
            pub const fn from_micros(us: i64) -> Self {
                Self(us)
            }

            /// Microseconds since the Unix epoch.
            pub const fn as_micros(self) -> i64 {
                self.0
            }

            /// Microseconds from `earlier` to `self`, negative when `earlier` is later.
            pub const fn micros_since(self, earlier: Self) -> i64 {
                self.0.saturating_sub(earlier.0)
            }

            /// The instant `us` microseconds later.
            #[must_use]
            pub const fn plus_micros(self, us: i64) -> Self {
                Self(self.0.saturating_add(us))
            }
        }

        impl fmt::Display for $name {
            /// RFC 3339 UTC with microseconds.
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                rfc3339(self.0, f)
            }
        }
    };
}

instant!(
    /// An instant by the clock of the node's host, as the node itself wrote or sent it.
    NodeTime
);
instant!(
    /// An instant by the clock of the agent's host, read when the agent received something. The node runs on the
    /// same host, so both share one clock error.
    AgentTime
);
instant!(
    /// An instant by the clock of the server's host.
    ServerTime
);

impl NodeTime {
    /// The same instant as the agent's clock shows it: node and agent share a host and its clock.
    pub const fn on_agent_clock(self) -> AgentTime {
        AgentTime(self.0)
    }
}

const US_PER_SECOND: i64 = 1_000_000;
const SECONDS_PER_DAY: i64 = 86_400;

fn rfc3339(us: i64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let seconds = us.div_euclid(US_PER_SECOND);
    let micros = us.rem_euclid(US_PER_SECOND);
    let (year, month, day) = civil_from_days(seconds.div_euclid(SECONDS_PER_DAY));
    let of_day = seconds.rem_euclid(SECONDS_PER_DAY);
    let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
    write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{micros:06}Z")
}

/// Year, month and day of the proleptic Gregorian calendar, `days` after 1970-01-01. The year is taken to begin in
/// March, so that the leap day is its last day and 400 years are one cycle of 146,097 days.
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let from_march_0000 = days + 719_468;
    let cycle = from_march_0000.div_euclid(146_097);
    let day_of_cycle = from_march_0000.rem_euclid(146_097);
    let year_of_cycle =
        (day_of_cycle - day_of_cycle / 1_460 + day_of_cycle / 36_524 - day_of_cycle / 146_096) / 365;
    let day_of_year = day_of_cycle - (365 * year_of_cycle + year_of_cycle / 4 - year_of_cycle / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    (cycle * 400 + year_of_cycle + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_print_as_rfc_3339_with_microseconds() {
        assert_eq!(NodeTime::from_micros(0).to_string(), "1970-01-01T00:00:00.000000Z");
        assert_eq!(AgentTime::from_micros(1_231_006_505_000_001).to_string(), "2009-01-03T18:15:05.000001Z");
        assert_eq!(ServerTime::from_micros(1_709_164_800_999_999).to_string(), "2024-02-29T00:00:00.999999Z");
        assert_eq!(NodeTime::from_micros(-1).to_string(), "1969-12-31T23:59:59.999999Z");
    }

    #[test]
    fn a_step_back_is_a_negative_difference() {
        let (early, late) = (NodeTime::from_micros(5), NodeTime::from_micros(12));
        assert_eq!(late.micros_since(early), 7);
        assert_eq!(early.micros_since(late), -7);
    }
}
