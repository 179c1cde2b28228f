//! The time at the start of a line.

use bmon_event::NodeTime;

const US_PER_SECOND: i64 = 1_000_000;

/// The last minute that was read: most lines begin with the minute of the line before.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Minute {
    /// `YYYY-MM-DDTHH:MM`.
    text: [u8; 16],
    /// Its start in seconds since the Unix epoch.
    start: i64,
}

impl Minute {
    /// Before the first line.
    pub(crate) const NONE: Self = Self { text: [0; 16], start: 0 };

    /// As [`seconds`].
    #[inline]
    fn seconds(&mut self, text: &[u8; 19]) -> Option<i64> {
        let [minute @ .., colon, s0, s1] = text;
        if *minute == self.text && *colon == b':' {
            let second = number(&[*s0, *s1])?;
            return (second <= 60).then_some(self.start + second);
        }
        let seconds = seconds(text)?;
        (self.text, self.start) = (*minute, seconds - number(&[*s0, *s1])?);
        Some(seconds)
    }
}

/// Reads the time with which Core starts a line, and gives what follows it and its blank. `None` when there is none.
///
/// `2024-05-06T07:08:09Z `, with `-logtimemicros` `2024-05-06T07:08:09.123456Z ` (`LogTimestampStr`,
/// `src/logging.cpp@v30`); up to 0.16 `2024-05-06 07:08:09 ` and `2024-05-06 07:08:09.123456 `
/// (`src/util.cpp@v0.16`).
#[inline]
pub(crate) fn take<'a>(bytes: &'a [u8], minute: &mut Minute) -> Option<(NodeTime, &'a [u8])> {
    let (date_time, rest) = bytes.split_first_chunk::<19>()?;
    let seconds = minute.seconds(date_time)?;
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
///
/// Every line begins with it, so that its bytes are read eight at a time.
#[inline]
fn seconds(text: &[u8; 19]) -> Option<i64> {
    let [date @ .., _, _, _, _, _, _, _, _, _, _, _] = text;
    let [_, _, _, _, _, _, _, _, time @ .., _, _, _] = text;
    let [.., zone_or_blank, _, _, _, _, _, b':', s0, s1] = text else { return None };
    let (date, time) = (u64::from_le_bytes(*date), u64::from_le_bytes(*time));
    // `____-__-`, and `_____:__` behind the letter, which is looked at alone.
    let separated = date & 0xff00_00ff_0000_0000 == 0x2d00_002d_0000_0000
        && time & 0x0000_ff00_0000_0000 == 0x0000_3a00_0000_0000
        && matches!(zone_or_blank, b'T' | b' ');
    let (date, time) = (pairs(date, 0x00ff_ff00_ffff_ffff)?, pairs(time, 0xffff_00ff_ff00_ffff)?);
    let (year, month) = (lane(date, 0) * 100 + lane(date, 2), lane(date, 5));
    let (day, hour, minute) = (lane(time, 0), lane(time, 3), lane(time, 6));
    let second = number(&[*s0, *s1])?;
    // A leap second is written as `60`.
    let valid = separated
        && (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && hour < 24
        && minute < 60
        && second <= 60;
    valid.then(|| ((days(year, month, day) * 24 + hour) * 60 + minute) * 60 + second)
}

/// Reads eight bytes at once, those of `mask` being decimal digits: the number that a digit and the next one stand for
/// is where the first of them was. `None` when they are not digits.
#[inline]
const fn pairs(bytes: u64, mask: u64) -> Option<u64> {
    let digits = (bytes ^ 0x3030_3030_3030_3030) & mask;
    // What is more than 9 has its highest bit set, or has it after the addition. A carry into the next byte comes only
    // from a byte of the first kind.
    let above = digits | digits.wrapping_add(0x7676_7676_7676_7676);
    if above & 0x8080_8080_8080_8080 != 0 {
        return None;
    }
    Some(digits * 10 + (digits >> 8))
}

/// The byte of this number, counted from the lowest.
#[inline]
const fn lane(bytes: u64, number: u32) -> i64 {
    (bytes >> (8 * number) & 0xff).cast_signed()
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
        take(text.as_bytes(), &mut { Minute::NONE }).map(|(time, rest)| (time.to_string(), rest))
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

    /// The same byte by byte.
    fn plainly(text: &[u8; 19]) -> Option<i64> {
        let text = std::str::from_utf8(text).ok().filter(|text| text.is_ascii())?;
        let part = |from, to| -> Option<i64> {
            let part: &str = &text[from..to];
            part.bytes().all(|byte| byte.is_ascii_digit()).then(|| part.parse().ok())?
        };
        let letter = |place: usize| text.as_bytes()[place];
        let marks = letter(4) == b'-' && letter(7) == b'-' && letter(13) == b':' && letter(16) == b':';
        let (year, month, day) = (part(0, 4)?, part(5, 7)?, part(8, 10)?);
        let (hour, minute, second) = (part(11, 13)?, part(14, 16)?, part(17, 19)?);
        let valid = marks
            && matches!(letter(10), b'T' | b' ')
            && (1..=12).contains(&month)
            && (1..=31).contains(&day)
            && hour < 24
            && minute < 60
            && second <= 60;
        valid.then(|| ((days(year, month, day) * 24 + hour) * 60 + minute) * 60 + second)
    }

    proptest! {
        #[test]
        fn eight_bytes_at_once_are_as_good_as_one(
            us in -2_208_988_800_000_000_i64..10_413_792_000_000_000,
            changed in prop::collection::vec((0_usize..19, prop_oneof![any::<u8>(), b'/'..=b':']), 0..4),
        ) {
            let printed = NodeTime::from_micros(us).to_string();
            let mut text: [u8; 19] = printed.as_bytes()[..19].try_into().unwrap();
            for (place, byte) in changed {
                text[place] = byte;
            }
            prop_assert_eq!(seconds(&text), plainly(&text));
            let mut minute = Minute::NONE;
            minute.seconds(printed.as_bytes()[..19].try_into().unwrap());
            prop_assert_eq!(minute.seconds(&text), plainly(&text));
            prop_assert_eq!(minute.seconds(&text), plainly(&text));
        }

        #[test]
        fn every_second_of_four_centuries_comes_back(us in -2_208_988_800_000_000_i64..10_413_792_000_000_000) {
            let time = NodeTime::from_micros(us);
            let printed = format!("{time} ");
            prop_assert_eq!(take(printed.as_bytes(), &mut { Minute::NONE }), Some((time, b"".as_slice())));
        }
    }
}
