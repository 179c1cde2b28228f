//! Transactions that nodes refuse, and the policies that decide which node refuses which.

use bitcoin::{Amount, ScriptBuf, Transaction, TxOut};
use serde::{Deserialize, Serialize};

use crate::coin::Coin;

/// What is wrong with a staged transaction. All are matters of policy: every one could be in a valid block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    /// It pays no fee.
    NoFee,
    /// One of its outputs is worth less than it costs to spend.
    Dust,
    /// It carries 60 bytes of data.
    Data,
}

/// Ample for every staged transaction at every policy here.
pub(crate) const FEE: Amount = Amount::from_sat(10_000);

/// Below the limit for P2WSH at the default of `-dustrelayfee`, which is 330.
const DUST: Amount = Amount::from_sat(100);

impl Fault {
    /// Every fault.
    pub const ALL: [Self; 3] = [Self::NoFee, Self::Dust, Self::Data];

    /// A transaction that spends `coin` and has this fault and no other.
    pub fn transaction(self, coin: &Coin) -> Transaction {
        match self {
            Self::NoFee => coin.pay(Amount::ZERO),
            Self::Dust => {
                let dust = TxOut { value: DUST, ..coin.change(Amount::ZERO) };
                coin.spend(vec![dust, coin.change(FEE + DUST)])
            }
            Self::Data => {
                let data = ScriptBuf::new_op_return([0x2e; 60]);
                let data = TxOut { value: Amount::ZERO, script_pubkey: data };
                coin.spend(vec![data, coin.change(FEE)])
            }
        }
    }

    /// The codes with which implementations refuse it.
    pub const fn codes(self) -> &'static [&'static str] {
        match self {
            // The second while the mempool's own minimum is above that for relay.
            Self::NoFee => &["min relay fee not met", "mempool min fee not met"],
            // The second is Knots'.
            Self::Dust => &["dust", "dust-nonanchor"],
            // The second is Core's before 30.0 (`src/policy/policy.cpp@v29`) and Knots'.
            Self::Data => &["datacarrier", "scriptpubkey"],
        }
    }
}

/// Settings that decide what a node relays, and what follows for the staged transactions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Lines for `bitcoin.conf`.
    pub settings: &'static [&'static str],
    /// What the node refuses.
    pub refuses: &'static [Fault],
}

impl Policy {
    /// Refuses all that is staged.
    pub const STRICT: Self = Self {
        settings: &["acceptnonstdtxn=0", "minrelaytxfee=0.00002", "datacarriersize=40"],
        refuses: &[Fault::NoFee, Fault::Dust, Fault::Data],
    };
    /// Takes data.
    pub const USUAL: Self = Self {
        settings: &["acceptnonstdtxn=0", "datacarriersize=83"],
        refuses: &[Fault::NoFee, Fault::Dust],
    };
    /// Takes all that pays something.
    pub const OPEN: Self = Self {
        settings: &["acceptnonstdtxn=0", "minrelaytxfee=0.000001", "datacarriersize=83", "dustrelayfee=0"],
        refuses: &[Fault::NoFee],
    };

    /// The policies of a network's nodes, in order; a larger network begins again.
    pub const ALL: [Self; 3] = [Self::STRICT, Self::USUAL, Self::OPEN];

    /// Whether a node with this policy refuses a transaction with `fault`.
    pub fn refuses(&self, fault: Fault) -> bool {
        self.refuses.contains(&fault)
    }
}

impl Default for Policy {
    /// The implementation's own settings for regtest, where non-standard transactions are accepted.
    fn default() -> Self {
        Self { settings: &[], refuses: &[Fault::NoFee] }
    }
}
