//! Amounts in replies: numbers in BTC, read exactly.

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// An amount in satoshi. `None` for a number that is no amount; one odd field does not fail a reply.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sats(pub(super) Option<u64>);

impl<'de> Deserialize<'de> for Sats {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(satoshi(Box::<RawValue>::deserialize(deserializer)?.get())))
    }
}

/// The node writes amounts as digits, a point, and eight digits (`ValueFromAmount`, `src/core_io.cpp@30.99`). Read
/// as a float, an amount would be off by a satoshi now and then.
fn satoshi(number: &str) -> Option<u64> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || fraction.len() > 8 || !digits(whole) || !digits(fraction) {
        return None;
    }
    format!("{whole}{fraction:0<8}").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_exact() {
        for (number, sats) in [
            ("0.00001000", Some(1000)),
            ("0.29", Some(29_000_000)),
            ("20999999.97690000", Some(2_099_999_997_690_000)),
            ("1", Some(100_000_000)),
            ("0.00000001", Some(1)),
            ("-0.1", None),
            ("1e-8", None),
            ("0.000000001", None),
            ("null", None),
        ] {
            assert_eq!(serde_json::from_str::<Sats>(number).unwrap(), Sats(sats), "{number}");
        }
    }
}
