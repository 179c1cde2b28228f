//! Reads text by Core's `printf` format strings.
//!
//! A declaration quotes the format string as Core's source has it. [`literals`] cuts it at compile time into the
//! stretches between its conversions, and a [`Cursor`] walks over a text with them: literal, field, literal, field.
//! What type a field is comes from the message it is put into. A percent sign, `%%`, can only stand directly after a
//! conversion.

use bmon_event::{BlockHash, Txid, Wtxid};

/// The number of conversions (`%s`, `%08x`, `%.2f`) of a format string.
pub(crate) const fn conversions(format: &str) -> usize {
    let mut rest = format.as_bytes();
    let mut count = 0;
    while let Some((_, after)) = next_conversion(rest) {
        rest = after;
        count += 1;
    }
    count
}

/// The stretches before, between and after the conversions of a format string: `N` is one more than these.
#[allow(clippy::indexing_slicing, reason = "runs at compile time, where a panic fails the build")]
pub(crate) const fn literals<const N: usize>(format: &'static str) -> [&'static [u8]; N] {
    let mut literals = [format.as_bytes(); N];
    let mut rest = format.as_bytes();
    let mut count = 0;
    while let Some((literal, after)) = next_conversion(rest) {
        literals[count] = literal;
        rest = after;
        count += 1;
    }
    literals[count] = unescape(rest);
    literals
}

/// What is before and after the first conversion, `None` when there is none.
#[allow(clippy::indexing_slicing, reason = "runs at compile time, where a panic fails the build")]
const fn next_conversion(format: &[u8]) -> Option<(&[u8], &[u8])> {
    let text = unescape(format);
    let mut start = format.len() - text.len();
    while start < text.len() && text[start] != b'%' {
        start += 1;
    }
    if start == text.len() {
        return None;
    }
    let mut end = start + 1;
    // Flags, width, precision and length, then the letter.
    while matches!(text[end], b'0'..=b'9' | b'.' | b'l' | b'z' | b'h') {
        end += 1;
    }
    assert!(text[end].is_ascii_alphabetic(), "`%%` can only stand directly after a conversion");
    Some((text.split_at(start).0, text.split_at(end + 1).1))
}

/// Leaves out the first of two percent signs at the front.
const fn unescape(format: &[u8]) -> &[u8] {
    match format {
        [b'%', rest @ ..] if matches!(rest, [b'%', ..]) => rest,
        _ => format,
    }
}

/// The text before the first conversion of a format string and what follows the conversion, `None` when there is none.
pub(crate) fn split(format: &str) -> Option<(&str, &str)> {
    let (literal, after) = next_conversion(format.as_bytes())?;
    Some((std::str::from_utf8(literal).ok()?, std::str::from_utf8(after).ok()?))
}

/// The text of a format string without conversions.
pub(crate) fn unescaped(format: &str) -> &str {
    if format.starts_with("%%") { format.get(1..).unwrap_or_default() } else { format }
}

/// A place in a text that is read by a format string.
pub(crate) struct Cursor<'a> {
    rest: &'a [u8],
    literals: &'static [&'static [u8]],
    /// The last field was text of any content.
    after_text: bool,
}

impl<'a> Cursor<'a> {
    /// Begins to read `text`. `None` when it does not start with the first literal.
    #[inline]
    pub(crate) fn start(text: &'a [u8], literals: &'static [&'static [u8]]) -> Option<Self> {
        let (first, literals) = literals.split_first()?;
        Some(Self { rest: text.strip_prefix(*first)?, literals, after_text: false })
    }

    /// Reads one conversion and the literal after it.
    #[inline]
    pub(crate) fn field<F: Field<'a>>(&mut self) -> Option<F> {
        let (literal, literals) = self.literals.split_first()?;
        let (field, rest) = F::take(self.rest, literal)?;
        self.rest = rest.strip_prefix(*literal)?;
        self.literals = literals;
        self.after_text = F::IS_TEXT;
        Some(field)
    }

    /// Ends reading. Later versions append to their messages (`, peeraddr=…` with `-logips`, ` warning='…'`), so a
    /// blank or a comma may follow; anything else means that the last field was not read to its end. After text of any
    /// content nothing may follow: it could be that text, and this an imitation of a message.
    #[inline]
    pub(crate) fn end(&self) -> Option<()> {
        match self.rest {
            [] => Some(()),
            [b' ' | b',', ..] if !self.after_text => Some(()),
            _ => None,
        }
    }
}

/// A type that a conversion can be read as.
pub(crate) trait Field<'a>: Sized {
    /// A text that it can be read from, for tests and documentation.
    const SAMPLE: &'static str;
    /// Whether it is text of any content.
    const IS_TEXT: bool = false;

    /// Reads it from the front of `bytes`; `next` is the literal that must follow. Gives what is left, `next` first.
    fn take(bytes: &'a [u8], next: &[u8]) -> Option<(Self, &'a [u8])>;
}

/// [`Field::SAMPLE`] of the field that a closure points out.
pub(crate) const fn sample<'a, M, F: Field<'a>>(_: fn(&M) -> &F) -> &'static str {
    F::SAMPLE
}

macro_rules! hash_field {
    ($($hash:ident)+) => {$(
        impl<'a> Field<'a> for $hash {
            const SAMPLE: &'static str = "00000000000000000002a7c4c1e48d76c5a37902165a270156b7a8d72728a054";

            #[inline]
            fn take(bytes: &'a [u8], _next: &[u8]) -> Option<(Self, &'a [u8])> {
                let (digits, rest) = bytes.split_first_chunk::<64>()?;
                Some((Self::from_hex(digits)?, rest))
            }
        }
    )+};
}

hash_field!(BlockHash Txid Wtxid);

macro_rules! number_field {
    ($($number:ident)+) => {$(
        impl<'a> Field<'a> for $number {
            const SAMPLE: &'static str = "840000";

            #[inline]
            fn take(bytes: &'a [u8], _next: &[u8]) -> Option<(Self, &'a [u8])> {
                let mut value: Self = 0;
                let mut rest = bytes;
                while let [digit @ b'0'..=b'9', after @ ..] = rest {
                    value = value.checked_mul(10)?.checked_add(Self::from(digit - b'0'))?;
                    rest = after;
                }
                (rest.len() < bytes.len()).then_some((value, rest))
            }
        }
    )+};
}

number_field!(u32 u64);

impl<'a> Field<'a> for i64 {
    const SAMPLE: &'static str = "-17";

    #[inline]
    fn take(bytes: &'a [u8], next: &[u8]) -> Option<(Self, &'a [u8])> {
        let (sign, digits) = match bytes {
            [b'-', digits @ ..] => (-1, digits),
            digits => (1, digits),
        };
        let (number, rest) = u64::take(digits, next)?;
        Some((Self::try_from(number).ok()? * sign, rest))
    }
}

/// `true` or `false`, in numbers 1 or 0.
impl<'a> Field<'a> for bool {
    const SAMPLE: &'static str = "true";

    #[inline]
    fn take(bytes: &'a [u8], _next: &[u8]) -> Option<(Self, &'a [u8])> {
        match bytes {
            [b't', b'r', b'u', b'e', rest @ ..] | [b'1', rest @ ..] => Some((true, rest)),
            [b'f', b'a', b'l', b's', b'e', rest @ ..] | [b'0', rest @ ..] => Some((false, rest)),
            _ => None,
        }
    }
}

impl<'a> Field<'a> for f64 {
    const SAMPLE: &'static str = "95.123456";

    #[inline]
    fn take(bytes: &'a [u8], _next: &[u8]) -> Option<(Self, &'a [u8])> {
        let in_number = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'+' | b'e');
        let end = bytes.iter().position(|byte| !in_number(byte)).unwrap_or(bytes.len());
        let (number, rest) = bytes.split_at_checked(end)?;
        Some((short_decimal(number).or_else(|| std::str::from_utf8(number).ok()?.parse().ok())?, rest))
    }
}

/// Reads digits with a point in them, `None` for other forms of numbers and for more than 15 digits. Fast, and exact:
/// both the digits as a whole number and the power of ten are, and one division rounds correctly.
#[inline]
fn short_decimal(number: &[u8]) -> Option<f64> {
    const POWERS: [f64; 16] =
        [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];
    // The point is one of the 16.
    if number.len() > 16 {
        return None;
    }
    let (mut value, mut digits, mut point) = (0_u64, 0, None);
    for byte in number {
        match byte {
            b'0'..=b'9' => (value, digits) = (value * 10 + u64::from(byte - b'0'), digits + 1),
            b'.' if point.is_none() => point = Some(digits),
            _ => return None,
        }
    }
    let power = POWERS.get(digits - point.unwrap_or(digits))?;
    #[expect(clippy::cast_precision_loss, reason = "15 digits are less than 53 bits")]
    (digits > 0 && digits < 16).then_some(value as f64 / power)
}

/// `null` where there is none.
impl<'a, F: Field<'a>> Field<'a> for Option<F> {
    const SAMPLE: &'static str = F::SAMPLE;
    const IS_TEXT: bool = F::IS_TEXT;

    #[inline]
    fn take(bytes: &'a [u8], next: &[u8]) -> Option<(Self, &'a [u8])> {
        match F::take(bytes, next) {
            Some((field, rest)) => Some((Some(field), rest)),
            None => Some((None, bytes.strip_prefix(b"null")?)),
        }
    }
}

/// Text of any content, a peer's included: up to the *last* place where the next literal stands, so that it cannot
/// end early by imitating what follows it.
impl<'a> Field<'a> for &'a [u8] {
    const SAMPLE: &'static str = "bad-txns-in-belowout, value in (0.1) < value out (0.2)";
    const IS_TEXT: bool = true;

    #[inline]
    fn take(bytes: &'a [u8], next: &[u8]) -> Option<(Self, &'a [u8])> {
        let end = match next.first() {
            // Lines are short, so that this is faster than a search that prepares itself.
            Some(first) => memchr::memrchr_iter(*first, bytes)
                .find(|start| bytes.get(*start..).is_some_and(|rest| rest.starts_with(next)))?,
            None => bytes.len(),
        };
        bytes.split_at_checked(end)
    }
}

/// Text of the node's own that does not hold the first byte of the next literal: a number's digits, a date, a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Word<'a>(pub &'a [u8]);

impl Word<'_> {
    /// What its text stands for, `None` if that is none of the kind.
    pub(crate) fn parse<T: std::str::FromStr>(&self) -> Option<T> {
        std::str::from_utf8(self.0).ok()?.parse().ok()
    }
}

impl<'a> Field<'a> for Word<'a> {
    const SAMPLE: &'static str = "0.5";

    #[inline]
    fn take(bytes: &'a [u8], next: &[u8]) -> Option<(Self, &'a [u8])> {
        let end = match next.first() {
            Some(first) => memchr::memchr(*first, bytes)?,
            None => bytes.len(),
        };
        let (word, rest) = bytes.split_at_checked(end)?;
        Some((Self(word), rest))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TIP: &str = "%s: height=%d version=0x%08x log2_work=%.8g tx=%lu cache=%.1fMiB(%utxo)";

    #[test]
    fn a_format_is_cut_at_its_conversions() {
        const LITERALS: [&[u8]; conversions(TIP) + 1] = literals(TIP);
        let literals = LITERALS.map(|literal| std::str::from_utf8(literal).unwrap());
        assert_eq!(
            literals,
            ["", ": height=", " version=0x", " log2_work=", " tx=", " cache=", "MiB(", "txo)"]
        );
        assert_eq!(conversions("none"), 0);
    }

    #[test]
    fn two_percent_signs_after_a_conversion_are_one() {
        const PERCENT: &str = "(%d%%, %.2f%%)";
        static LITERALS: [&[u8]; conversions(PERCENT) + 1] = literals(PERCENT);
        assert_eq!(LITERALS, [b"(".as_slice(), b"%, ", b"%)"]);
    }

    #[test]
    fn fields_are_read_between_the_literals() {
        static LITERALS: [&[u8]; 3] = literals("a=%d b=%s");
        let mut cursor = Cursor::start(b"a=17 b=x, y", &LITERALS).unwrap();
        assert_eq!(cursor.field::<u32>(), Some(17));
        assert_eq!(cursor.field::<&[u8]>(), Some(b"x, y".as_slice()));
        assert_eq!(cursor.end(), Some(()));
        assert_eq!(cursor.field::<u32>(), None);
    }

    #[test]
    fn a_field_that_goes_on_is_not_read() {
        static LITERALS: [&[u8]; 2] = literals("peer=%d");
        for (text, end) in [("peer=1", Some(())), ("peer=1, peeraddr=x", Some(())), ("peer=1x", None)] {
            let mut cursor = Cursor::start(text.as_bytes(), &LITERALS).unwrap();
            assert_eq!(cursor.field::<u64>(), Some(1));
            assert_eq!(cursor.end(), end, "{text}");
        }
    }

    #[test]
    fn nothing_follows_text_that_may_be_anything() {
        static LITERALS: [&[u8]; 2] = literals("write: %s started");
        for (text, end) in [("write: x started", Some(())), ("write: x started completed (1.00ms)", None)] {
            let mut cursor = Cursor::start(text.as_bytes(), &LITERALS).unwrap();
            assert_eq!(cursor.field::<&[u8]>(), Some(b"x".as_slice()));
            assert_eq!(cursor.end(), end, "{text}");
        }
    }

    #[test]
    fn numbers_that_do_not_fit_are_not_read() {
        assert_eq!(u32::take(b"4294967295 ", b" "), Some((u32::MAX, b" ".as_slice())));
        assert_eq!(u32::take(b"4294967296", b""), None);
        assert_eq!(u64::take(b"-1", b""), None);
        assert_eq!(f64::take(b"1.5e+3x", b"x"), Some((1500.0, b"x".as_slice())));
        assert_eq!(f64::take(b"--", b""), None);
        assert_eq!(i64::take(b"-141 ", b" "), Some((-141, b" ".as_slice())));
        assert_eq!(i64::take(b"--1", b""), None);
    }

    proptest! {
        #[test]
        fn short_decimals_are_exact(number in "[0-9]{0,9}(\\.[0-9]{0,8})?") {
            if let Some(value) = short_decimal(number.as_bytes()) {
                prop_assert_eq!(value.to_bits(), number.parse::<f64>().unwrap().to_bits());
            }
        }
    }

    #[test]
    fn what_is_not_there_is_null() {
        assert_eq!(<Option<BlockHash> as Field>::take(b"null (x", b" "), Some((None, b" (x".as_slice())));
        assert_eq!(<Option<u32> as Field>::take(b"7", b""), Some((Some(7), b"".as_slice())));
        assert_eq!(<Option<u32> as Field>::take(b"x", b""), None);
    }

    #[test]
    fn truth_is_a_word_or_a_number() {
        for (text, truth) in [("true", Some(true)), ("0", Some(false)), ("false", Some(false)), ("no", None)]
        {
            assert_eq!(bool::take(text.as_bytes(), b"").map(|(truth, _)| truth), truth, "{text}");
        }
    }

    #[test]
    fn text_ends_at_the_last_place_and_a_word_at_the_first() {
        let bytes = b"x: accepted y: accepted z";
        assert_eq!(<&[u8]>::take(bytes, b": accepted ").unwrap().0, b"x: accepted y");
        assert_eq!(Word::take(bytes, b": accepted ").unwrap().0, Word(b"x"));
    }
}
