//! What is kept of a block to compare it with others.

use std::iter;

use bmon_event::{BlockHash, Txid};
use sha2::{Digest as _, Sha256};

use super::MAX_FEE_CHANGE_SAT;
use crate::body::{Body, OutPoint, Output, Transaction};

/// What the transactions of a block spend and pay, without its coinbase. It outlives the block's bytes: 56 bytes for each
/// transaction, 36 for each input, 40 for each script that one pays, in three allocations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockSummary {
    block: BlockHash,
    places: Vec<Place>,
    /// Of each transaction behind those of the one before, sorted.
    coins: Vec<OutPoint>,
    /// Of each transaction behind those of the one before, sorted by script.
    payments: Vec<Payment>,
}

/// Where a transaction's coins and payments end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    txid: Txid,
    coins_end: usize,
    payments_end: usize,
    total_sat: u64,
}

/// All that a transaction pays to one script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Payment {
    /// The script's SHA-256: scripts are of any length.
    script: [u8; 32],
    value_sat: u64,
}

impl BlockSummary {
    /// What `body`, that of this block, spends and pays.
    pub fn new(block: BlockHash, body: &Body<'_>) -> Self {
        let mut summary = Self { block, places: Vec::new(), coins: Vec::new(), payments: Vec::new() };
        let mut payments = Vec::new();
        for transaction in body.transactions().iter().filter(|transaction| !transaction.is_coinbase()) {
            payments.clear();
            payments.extend(transaction.outputs().map(Payment::new));
            summary.push(transaction, &mut payments);
        }
        summary.places.shrink_to_fit();
        summary.coins.shrink_to_fit();
        summary.payments.shrink_to_fit();
        summary
    }

    /// The block.
    pub const fn block(&self) -> BlockHash {
        self.block
    }

    fn push(&mut self, transaction: &Transaction<'_>, payments: &mut Vec<Payment>) {
        payments.sort_unstable_by_key(|payment| payment.script);
        payments.dedup_by(|next, kept| {
            let is_same = next.script == kept.script;
            kept.value_sat = kept.value_sat.saturating_add(if is_same { next.value_sat } else { 0 });
            is_same
        });
        let coins_start = self.coins.len();
        self.coins.extend(transaction.inputs().map(|input| input.outpoint));
        self.coins[coins_start..].sort_unstable();
        self.payments.extend_from_slice(payments);
        self.places.push(Place {
            txid: transaction.txid(),
            coins_end: self.coins.len(),
            payments_end: self.payments.len(),
            total_sat: payments.iter().map(|payment| payment.value_sat).fold(0, u64::saturating_add),
        });
    }

    /// All but the coinbase, in the block's order.
    pub(super) fn transactions(&self) -> impl Iterator<Item = Summary<'_>> {
        let ends = self.places.iter().map(|place| (place.coins_end, place.payments_end));
        iter::once((0, 0)).chain(ends).zip(&self.places).map(|((coins, payments), place)| Summary {
            txid: place.txid,
            coins: &self.coins[coins..place.coins_end],
            payments: &self.payments[payments..place.payments_end],
            total_sat: place.total_sat,
        })
    }
}

impl Payment {
    fn new(output: Output<'_>) -> Self {
        Self { script: Sha256::digest(output.script_pubkey).into(), value_sat: output.value_sat }
    }
}

/// What a transaction spends and pays.
#[derive(Clone, Copy, Debug)]
pub(super) struct Summary<'a> {
    pub(super) txid: Txid,
    /// Sorted.
    pub(super) coins: &'a [OutPoint],
    /// Sorted by script, each once.
    payments: &'a [Payment],
    total_sat: u64,
}

impl Summary<'_> {
    /// Whether the two pay the same, but for the fee.
    pub(super) fn pays_the_same_as(&self, other: &Self) -> bool {
        let equal = self.shared(other).filter(|(here, there)| here == there).count();
        let unequal = self.shared(other).count() - equal;
        // Scripts that one or the other pays, less those that both pay the same.
        match self.payments.len() + other.payments.len() - 2 * equal - unequal {
            0 => true,
            1 => self.total_sat.abs_diff(other.total_sat) <= MAX_FEE_CHANGE_SAT && self.is_nested_with(other),
            _ => false,
        }
    }

    /// What `other` does not pay of what this pays.
    pub(super) fn unpaid_sat(&self, other: &Self) -> u64 {
        let paid = self.shared(other).map(|(here, there)| here.min(there));
        self.total_sat.saturating_sub(paid.fold(0, u64::saturating_add))
    }

    /// For each script that both pay what this pays it, and what the other does. The shorter side is gone through, so that
    /// a transaction with many outputs and many replacements is no burden.
    fn shared(&self, other: &Self) -> impl Iterator<Item = (u64, u64)> {
        let is_swapped = self.payments.len() > other.payments.len();
        let (few, many) =
            if is_swapped { (other.payments, self.payments) } else { (self.payments, other.payments) };
        few.iter().filter_map(move |payment| {
            let place = many.binary_search_by_key(&payment.script, |payment| payment.script).ok()?;
            let pair = (payment.value_sat, many[place].value_sat);
            Some(if is_swapped { (pair.1, pair.0) } else { pair })
        })
    }

    /// Whether one of them spends every coin that the other does.
    fn is_nested_with(&self, other: &Self) -> bool {
        let is_longer = self.coins.len() > other.coins.len();
        let (few, many) = if is_longer { (other.coins, self.coins) } else { (self.coins, other.coins) };
        few.iter().all(|coin| many.binary_search(coin).is_ok())
    }
}
