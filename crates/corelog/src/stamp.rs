//! The time at the start of a line.

use bmon_event::NodeTime;

const US_PER_SECOND: i64 = 1_000_000;

/// Reads the time with which Core starts a line, and gives what follows it and its blank. `None` when there is none.
///
/// `2024-05-06T07:08:09Z `, with `-logtimemicros` `2024-05-06T07:08:09.123456Z ` (`LogTimestampStr`,
/// `src/logging.cpp@v30`); up to 0.16 `2024-05-06 07:08:09 ` and `2024-05-06 07:08:09.123456 `
/// (`src/util.cpp@v0.16`).
#[inline]
pub(crate) fn take(bytes: &[u8]) -> Option<(NodeTime, &[u8])> {
    let (date_time, rest) = bytes.split_first_chunk::<19>()?;
    let seconds = seconds(date_time)?;
    let (micros, rest) = match rest {
        [b'.', fraction @ ..] => {
            let (digits, rest) = fraction.split_first_chunk::<6>()?;
            (number(digits)?, rest)
        }
        _ => (0, rest),
    };
    // The zone letter came together with the letter between date and time.
    let end: &[u8] = if date_time[10] == b'T' { b"Z" } else { b"" };
    let rest = rest.strip_prefix(end)?;
    // A message may be empty, and then a carriage return or an editor may have taken the blank with it.
    let rest = if rest.is_empty() { rest } else { rest.strip_prefix(b" ")? };
    Some((NodeTime::from_micros(seconds * US_PER_SECOND + micros), rest))
}

/// Reads ` (mocktime: 2024-05-06T07:08:09Z) `, which stands after the time on regtest, without the leading blank.
#[inline]
pub(crate) fn take_mock(bytes: &[u8]) -> Option<(NodeTime, &[u8])> {
    let (date_time, rest) = bytes.strip_prefix(b"(mocktime: ")?.split_first_chunk::<19>()?;
    Some((NodeTime::from_micros(seconds(date_time)? * US_PER_SECOND), rest.strip_prefix(b"Z) ")?))
}

/// Seconds since the Unix epoch of `YYYY-MM-DDTHH:MM:SS`, or with a blank in place of the `T`.
#[inline]
fn seconds(text: &[u8; 19]) -> Option<i64> {
    let [y0, y1, y2, y3, b'-', m0, m1, b'-', d0, d1, b'T' | b' ', h0, h1, b':', n0, n1, b':', s0, s1] = text
    else {
        return None;
    };
    let year = number(&[*y0, *y1, *y2, *y3])?;
    let (month, day) = (number(&[*m0, *m1])?, number(&[*d0, *d1])?);
    let (hour, minute, second) = (number(&[*h0, *h1])?, number(&[*n0, *n1])?, number(&[*s0, *s1])?);
    // A leap second is written as `60`.
    let valid =
        (1..=12).contains(&month) && (1..=31).contains(&day) && hour < 24 && minute < 60 && second <= 60;
    valid.then(|| ((days(year, month, day) * 24 + hour) * 60 + minute) * 60 + second)
}

/// The number that `N` decimal digits stand for.
#[inline]
fn number<const N: usize>(digits: &[u8; N]) -> Option<i64> {
    let mut value = 0;
    let mut valid = true;
    for digit in digits {
        let digit = digit.wrapping_sub(b'0');
        valid &= digit < 10;
        value = value * 10 + i64::from(digit);
    }
    valid.then_some(value)
}

/// Days from 1970-01-01 to a date of the proleptic Gregorian calendar. The year is taken to begin in March, so that
/// the leap day is its last day.
#[inline]
const fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = year - (month < 3) as i64;
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Option<(String, &[u8])> {
        take(text.as_bytes()).map(|(time, rest)| (time.to_string(), rest))
    }

    #[test]
    fn every_format_since_0_10_is_read() {
        for (text, time) in [
            ("2024-05-06T07:08:09Z x", "2024-05-06T07:08:09.000000Z"),
            ("2024-05-06T07:08:09.000123Z x", "2024-05-06T07:08:09.000123Z"),
            ("2015-02-28 23:59:60 x", "2015-03-01T00:00:00.000000Z"),
            ("2016-02-29 23:59:59.999999 x", "2016-02-29T23:59:59.999999Z"),
        ] {
            assert_eq!(read(text), Some((time.to_owned(), b"x".as_slice())), "{text}");
        }
        assert_eq!(
            read("2024-05-06T07:08:09Z"),
            Some(("2024-05-06T07:08:09.000000Z".to_owned(), b"".as_slice()))
        );
    }

    #[test]
    fn what_only_resembles_a_time_is_none() {
        for text in [
            "",
            "2024-05-06T07:08:09",
            "2024-05-06T07:08:09 x",
            "2024-05-06 07:08:09Z x",
            "2024-13-06T07:08:09Z x",
            "2024-05-06T24:08:09Z x",
            "2024-05-06T07:08:09.12345Z x",
            "2024-05-06T07:08:0:Z x",
            "2024-05-06T07:08:09Zx",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn mock_time_is_read() {
        let (time, rest) = take_mock(b"(mocktime: 2011-02-02T23:16:42Z) [net] x").unwrap();
        assert_eq!((time.to_string().as_str(), rest), ("2011-02-02T23:16:42.000000Z", b"[net] x".as_slice()));
        assert_eq!(take_mock(b"(mocktime: soon) x"), None);
    }

    proptest! {
        #[test]
        fn every_second_of_four_centuries_comes_back(us in -2_208_988_800_000_000_i64..10_413_792_000_000_000) {
            let time = NodeTime::from_micros(us);
            let printed = format!("{time} ");
            prop_assert_eq!(take(printed.as_bytes()), Some((time, b"".as_slice())));
        }
    }
}
