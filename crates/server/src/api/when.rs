//! Instants that a request names.

use bmon_event::ServerTime;

use super::Refusal;

/// The longest stretch of time: ten years.
const MOST_MINUTES: i64 = 10 * 366 * 24 * 60;

/// An instant as it was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    /// By the clock.
    At(ServerTime),
    /// So many microseconds before now.
    Ago(i64),
}

impl When {
    /// What the parameter `name` says.
    pub(super) fn parse(name: &str, text: &str) -> Result<Self, Refusal> {
        let at = || text.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_microsecond);
        let when = length_us(text).map(Self::Ago).or_else(|| at().map(ServerTime::from_micros).map(Self::At));
        let hint = "give a time like `2026-05-31T18:00:00Z`, or how long ago like `90m`, `24h` or `7d`";
        when.ok_or_else(|| Refusal::bad_request(cannot_be(name, text), hint))
    }

    pub(super) const fn instant(self, now: ServerTime) -> ServerTime {
        match self {
            Self::At(at) => at,
            Self::Ago(us) => now.plus_micros(-us),
        }
    }
}

/// How long `text` is in microseconds, `None` if it is no number of minutes, hours or days.
pub fn length_us(text: &str) -> Option<i64> {
    let minutes = |digits: &str, minutes: i64| digits.parse::<i64>().ok()?.checked_mul(minutes);
    let minutes = [("m", 1), ("h", 60), ("d", 24 * 60)]
        .into_iter()
        .find_map(|(unit, length)| text.strip_suffix(unit).and_then(|digits| minutes(digits, length)));
    minutes.filter(|minutes| (1..=MOST_MINUTES).contains(minutes)).map(|minutes| minutes * 60_000_000)
}

/// The words for a parameter that is not understood, with as much of it as they should repeat.
pub(super) fn cannot_be(name: &str, text: &str) -> String {
    format!("`{name}` cannot be `{}`", text.chars().take(80).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_is_by_the_clock_or_so_long_ago() {
        let now = ServerTime::from_micros(1_780_000_000_000_000);
        let parse = |text: &str| When::parse("since", text).map(|when| when.instant(now).as_micros());
        assert_eq!(parse("90m"), Ok(now.as_micros() - 5_400_000_000));
        assert_eq!(parse("2026-05-28T20:26:40Z"), Ok(now.as_micros()));
        assert_eq!(parse("2026-05-28T22:26:40.000001+02:00"), Ok(now.as_micros() + 1));
        assert_eq!(now.to_string().parse::<jiff::Timestamp>().unwrap().as_microsecond(), now.as_micros());
        for bad in ["", "24", "0h", "-1h", "5s", "2026-05-28", "2026-05-28T20:26:40", "yesterday"] {
            assert!(parse(bad).unwrap_err().error.contains(bad), "{bad}");
        }
    }
}
