//! Coins, by the place where they stand.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::Txid;

/// Where an output stands, as long as nobody spends it: a coin. As text it is `TXID:VOUT`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct OutPoint {
    /// The transaction that has the output.
    pub txid: Txid,
    /// The output's place among its outputs, from 0.
    pub vout: u32,
}

/// A text is not `TXID:VOUT`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a transaction id of 64 hexadecimal digits, `:`, and a place from 0 to {}", OutPoint::LAST)]
pub struct OutPointError;

impl OutPoint {
    /// What a coinbase's input names, and no other's: no coin.
    pub const NULL: Self = Self { txid: Txid::from_bytes([0; 32]), vout: u32::MAX };

    /// The last place that RPC can name (`gettxspendingprevout` in `src/rpc/mempool.cpp@v30` reads an `int`). No
    /// transaction that fits a block has as many outputs.
    pub const LAST: u32 = i32::MAX.unsigned_abs();
}

impl fmt::Display for OutPoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.txid, self.vout)
    }
}

impl FromStr for OutPoint {
    type Err = OutPointError;

    fn from_str(s: &str) -> Result<Self, OutPointError> {
        let (txid, vout) = s.split_once(':').ok_or(OutPointError)?;
        let is_number = !vout.is_empty() && vout.bytes().all(|byte| byte.is_ascii_digit());
        let vout = vout.parse().ok().filter(|vout| is_number && *vout <= Self::LAST);
        let (txid, vout) = txid.parse().ok().zip(vout).ok_or(OutPointError)?;
        Ok(Self { txid, vout })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outpoint_goes_in_and_comes_out_the_same() {
        for vout in [0, 7, OutPoint::LAST] {
            let text = format!("{}:{vout}", "ab".repeat(32));
            assert_eq!(text.parse::<OutPoint>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_names_no_output_is_refused() {
        let txid = "ab".repeat(32);
        for place in ["", ":", ":-1", ":+1", ":1.0", ":2147483648", ":1:2", "1"] {
            let text = format!("{txid}{place}");
            assert_eq!(text.parse::<OutPoint>(), Err(OutPointError), "{text}");
        }
        assert!("ab:1".parse::<OutPoint>().is_err());
    }
}
