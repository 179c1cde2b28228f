//! Block hashes and transaction ids.
//!
//! Bytes are kept in display order, as in the log, in RPC and in ZMQ messages: the first byte is the first two
//! hexadecimal digits. They are not the order of the P2P protocol.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A text is not 64 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected 64 hexadecimal digits")]
pub struct HashError;

macro_rules! hash {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; 32]);

        impl $name {
            /// From bytes in display order.
            pub const fn from_bytes(bytes: [u8; 32]) -> Self {
                Self(bytes)
            }

            /// The bytes in display order.
            pub const fn as_bytes(&self) -> &[u8; 32] {
                &self.0
            }

            /// From 64 hexadecimal digits of either case, `None` for anything else.
            #[inline]
            pub fn from_hex(digits: &[u8]) -> Option<Self> {
                decode(digits).map(Self)
            }
        }

        impl FromStr for $name {
            type Err = HashError;

            fn from_str(s: &str) -> Result<Self, HashError> {
                Self::from_hex(s.as_bytes()).ok_or(HashError)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
            }
        }
    };
}

hash!(
    /// The hash of a block header. Also names blocks whose header this crate cannot hash itself.
    BlockHash
);
hash!(
    /// A transaction id without its witness.
    Txid
);
hash!(
    /// A transaction id with its witness (BIP 141).
    Wtxid
);

/// The value of each hexadecimal digit, `0xff` for every other byte.
const DIGIT: [u8; 256] = {
    let mut table = [0xff; 256];
    let mut value: u8 = 0;
    while value < 16 {
        table[b"0123456789abcdef"[value as usize] as usize] = value;
        table[b"0123456789ABCDEF"[value as usize] as usize] = value;
        value += 1;
    }
    table
};

#[inline]
fn decode(digits: &[u8]) -> Option<[u8; 32]> {
    let digits: &[u8; 64] = digits.try_into().ok()?;
    let mut bytes = [0; 32];
    let mut bad = 0;
    for (byte, pair) in bytes.iter_mut().zip(digits.as_chunks::<2>().0) {
        let (high, low) = (DIGIT[usize::from(pair[0])], DIGIT[usize::from(pair[1])]);
        bad |= high | low;
        *byte = high << 4 | low & 0x0f;
    }
    (bad < 16).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GENESIS: &str = "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f";

    #[test]
    fn hexadecimal_goes_in_and_comes_out_the_same() {
        let hash: BlockHash = GENESIS.parse().unwrap();
        assert_eq!(hash.to_string(), GENESIS);
        assert_eq!(hash.as_bytes()[31], 0x6f);
        assert_eq!(GENESIS.to_uppercase().parse(), Ok(hash));
    }

    #[test]
    fn anything_but_64_digits_is_refused() {
        for bad in [
            "",
            "00",
            &GENESIS[1..],
            &format!("{GENESIS}0"),
            &GENESIS.replace('9', "g"),
            &GENESIS.replace("00", "é"),
        ] {
            assert_eq!(bad.parse::<Txid>(), Err(HashError), "{bad}");
        }
    }

    #[test]
    fn json_is_the_hexadecimal_text() {
        let txid: Txid = GENESIS.parse().unwrap();
        let json = serde_json::to_string(&txid).unwrap();
        assert_eq!(json, format!("\"{GENESIS}\""));
        assert_eq!(serde_json::from_str::<Txid>(&json).unwrap(), txid);
    }
}
