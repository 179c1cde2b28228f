//! What an explanation is about.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::{BlockHash, Txid};

/// A block or a transaction that someone asks about. As text it is `block HASH` or `tx TXID`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// A block, by its hash.
    Block(BlockHash),
    /// A transaction, by its id without witness.
    Tx(Txid),
}

/// A text is not `block HASH` or `tx TXID`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected `block` or `tx` and 64 hexadecimal digits")]
pub struct SubjectError;

impl Subject {
    /// From the word for what it is and its 64 hexadecimal digits, `None` when either is not that.
    pub fn from_parts(word: &str, digits: &str) -> Option<Self> {
        match word {
            "block" => BlockHash::from_hex(digits.as_bytes()).map(Self::Block),
            "tx" => Txid::from_hex(digits.as_bytes()).map(Self::Tx),
            _ => None,
        }
    }

    /// The word for what it is: `block` or `tx`.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Block(_) => "block",
            Self::Tx(_) => "tx",
        }
    }

    /// Its hash in hexadecimal digits.
    pub fn hash(&self) -> String {
        match self {
            Self::Block(block) => block.to_string(),
            Self::Tx(txid) => txid.to_string(),
        }
    }

    /// The bytes of its hash in display order.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        match self {
            Self::Block(block) => block.as_bytes(),
            Self::Tx(txid) => txid.as_bytes(),
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Block(block) => write!(f, "block {block}"),
            Self::Tx(txid) => write!(f, "tx {txid}"),
        }
    }
}

impl FromStr for Subject {
    type Err = SubjectError;

    fn from_str(s: &str) -> Result<Self, SubjectError> {
        s.split_once(' ').and_then(|(word, digits)| Self::from_parts(word, digits)).ok_or(SubjectError)
    }
}

impl Serialize for Subject {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Subject {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str = "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f";

    #[test]
    fn a_subject_goes_in_and_comes_out_the_same() {
        for word in ["block", "tx"] {
            let text = format!("{word} {HASH}");
            let subject: Subject = text.parse().unwrap();
            assert_eq!((subject.to_string(), subject.word()), (text, word));
            assert_eq!(subject.as_bytes()[31], 0x6f);
        }
    }

    #[test]
    fn anything_but_a_word_and_a_hash_is_refused() {
        for bad in [HASH, "block", "block ", "tx 00", &format!("header {HASH}"), &format!("block  {HASH}")] {
            assert_eq!(bad.parse::<Subject>(), Err(SubjectError), "{bad}");
        }
    }
}
