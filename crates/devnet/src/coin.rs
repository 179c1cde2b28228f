//! Coins without keys and without a wallet: outputs that anyone may spend.
//!
//! The script is the shortest that every implementation relays by default: P2WSH (BIP 141) of the one opcode `OP_n`,
//! which leaves a true value and nothing else. The witness is that script alone. Each node mines to another `n`, so
//! that two nodes never make the same block.

use bitcoin::{
    Address, Amount, FeeRate, Network, OutPoint, ScriptBuf, Sequence, Transaction, TxIn, TxOut, Witness,
    absolute::LockTime, script::Builder, transaction::Version,
};

/// Who an output belongs to, in name only: anyone can open it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lock(u8);

impl Lock {
    /// One of sixteen locks: there are no more opcodes `OP_n`, and `index` wraps.
    pub const fn new(index: usize) -> Self {
        #[expect(clippy::cast_possible_truncation, reason = "1 to 16")]
        Self((index % 16) as u8 + 1)
    }

    /// The output script.
    pub fn script_pubkey(self) -> ScriptBuf {
        self.witness_script().to_p2wsh()
    }

    /// The address for `generatetoaddress`.
    pub fn address(self) -> String {
        Address::p2wsh(&self.witness_script(), Network::Regtest).to_string()
    }

    fn witness_script(self) -> ScriptBuf {
        Builder::new().push_int(i64::from(self.0)).into_script()
    }
}

/// An output that can be spent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coin {
    /// Where it is.
    pub outpoint: OutPoint,
    /// What it is worth.
    pub value: Amount,
    /// What opens it.
    pub lock: Lock,
}

impl Coin {
    /// A transaction that spends this coin alone and may be replaced (BIP 125).
    pub fn spend(&self, outputs: Vec<TxOut>) -> Transaction {
        let input = TxIn {
            previous_output: self.outpoint,
            script_sig: ScriptBuf::new(),
            sequence: Sequence::ENABLE_RBF_NO_LOCKTIME,
            witness: Witness::from_slice(&[self.lock.witness_script().as_bytes()]),
        };
        Transaction { version: Version::TWO, lock_time: LockTime::ZERO, input: vec![input], output: outputs }
    }

    /// A transaction that pays what remains after `fee` back to the same lock.
    pub fn pay(&self, fee: Amount) -> Transaction {
        self.spend(vec![self.change(fee)])
    }

    /// The output of what remains after `spent`, nothing if that is more than there is.
    pub fn change(&self, spent: Amount) -> TxOut {
        let value = self.value.checked_sub(spent).unwrap_or(Amount::ZERO);
        TxOut { value, script_pubkey: self.lock.script_pubkey() }
    }

    /// A transaction that splits the coin into `count` equal ones at `rate`, and those coins.
    pub fn split(&self, count: u32, rate: FeeRate) -> (Transaction, Vec<Self>) {
        let output = |value| TxOut { value, script_pubkey: self.lock.script_pubkey() };
        let mut tx = self.spend(vec![output(Amount::ZERO); count as usize]);
        let fee = rate.fee_wu(tx.weight()).unwrap_or(Amount::ZERO);
        let value = self.value.checked_sub(fee).unwrap_or(Amount::ZERO) / u64::from(count.max(1));
        for each in &mut tx.output {
            each.value = value;
        }
        let txid = tx.compute_txid();
        let coins = (0..count).map(|vout| Self { outpoint: OutPoint { txid, vout }, value, lock: self.lock });
        let coins = coins.collect();
        (tx, coins)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn coin() -> Coin {
        Coin { outpoint: OutPoint::null(), value: Amount::ONE_BTC, lock: Lock::new(0) }
    }

    #[test]
    fn locks_have_addresses_of_their_own() {
        let addresses: std::collections::BTreeSet<_> =
            (0..16).map(|index| Lock::new(index).address()).collect();
        assert_eq!(addresses.len(), 16);
        assert!(addresses.iter().all(|address| address.starts_with("bcrt1q")));
        assert_eq!(Lock::new(16), Lock::new(0));
    }

    #[test]
    fn a_split_spends_all_but_the_fee() {
        let rate = FeeRate::from_sat_per_kwu(5_000);
        let (tx, coins) = coin().split(300, rate);
        assert_eq!(coins.len(), 300);
        let out: Amount = tx.output.iter().map(|output| output.value).sum();
        let fee = Amount::ONE_BTC - out;
        assert!(fee >= rate.fee_wu(tx.weight()).unwrap());
        assert!(fee < rate.fee_wu(tx.weight()).unwrap() + Amount::from_sat(300));
        assert_eq!(coins[7].outpoint, OutPoint { txid: tx.compute_txid(), vout: 7 });
    }

    #[test]
    fn replacements_differ_only_in_what_they_pay() {
        let cheap = coin().pay(Amount::from_sat(1000));
        let dear = coin().pay(Amount::from_sat(3000));
        assert_eq!(cheap.input, dear.input);
        assert_ne!(cheap.compute_txid(), dear.compute_txid());
    }
}
