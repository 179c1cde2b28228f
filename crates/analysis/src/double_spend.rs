//! What competing branches confirmed differently.
//!
//! While a branch may still be left for another one, a payment in it is worth what the other says of it. Each
//! transaction that not every branch has is one of three things:
//!
//! - [`OnlyHere`](Fate::OnlyHere): one branch alone has it, and no other spends its coins.
//! - [`FeeBump`](Fate::FeeBump): another branch spends a coin of its in other transactions, which pay the same.
//! - [`DoubleSpend`](Fate::DoubleSpend): another branch spends a coin of its in a transaction that pays otherwise.
//!
//! What spends from a transaction that was replaced is not one of the last two for that: the other branch cannot have it
//! any more, but nobody replaced it.
//!
//! Whether two transactions pay the same is judged as if either had replaced the other, so that both are told alike. What
//! they pay each script in all is compared:
//!
//! - If they pay every script the same, it is the same payment, whatever coins it spends.
//! - If one script alone is paid less by one of them, or not at all, by no more than [`MAX_FEE_CHANGE_SAT`], and one of them
//!   spends every coin that the other does, then that script is the change, which pays for the fee.
//! - All else is a double spend. Which output is the change nobody can tell, so a fee bump that added a large coin, or that
//!   sends the change elsewhere, is taken for one too; [`unpaid_sat`](Replacement::unpaid_sat) helps to judge it.
//!
//! Coinbases are left out: each block has its own. What this cannot see are double spends in the mempool and in blocks
//! above those compared.

mod summary;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use bmon_event::{BlockHash, Txid};
use serde::{Deserialize, Serialize};

pub use self::summary::BlockSummary;
use self::summary::Summary;
use crate::body::OutPoint;

/// Branches that are compared at most. Two are the rule, three an exception; this leaves room for one more.
pub const MAX_BRANCHES: usize = 4;
/// Blocks of a branch that are compared at most: after six, people take a payment as made.
pub const MAX_BLOCKS: usize = 6;
/// By how much a fee is changed at most, in satoshi: from nothing to 1000 sat/vB for 1000 vB. The larger this is, the
/// larger is the theft that may pass for it.
pub const MAX_FEE_CHANGE_SAT: u64 = 1_000_000;

/// A transaction in a block, which is not in every branch. A transaction in blocks of several branches is told once for
/// each block, but only if it was replaced elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unshared {
    /// The transaction.
    pub txid: Txid,
    /// The block that has it.
    pub block: BlockHash,
    /// What became of it in the other branches.
    pub fate: Fate,
    /// The transactions of other branches that spend a coin of its, in the order of their ids and blocks. Empty for
    /// `only-here`.
    pub replacements: Vec<Replacement>,
}

/// What became of a transaction in the other branches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fate {
    /// No other branch has it or spends a coin of its.
    OnlyHere,
    /// All that replaces it pays the same.
    FeeBump,
    /// Something that replaces it pays otherwise.
    DoubleSpend,
}

/// A transaction of another branch that spends a coin of one in this.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Replacement {
    /// The transaction.
    pub txid: Txid,
    /// The block that has it.
    pub block: BlockHash,
    /// Whether it pays the same as what it replaces, but for the fee.
    pub pays_the_same: bool,
    /// What it does not pay to those whom the replaced one pays, in satoshi: what they lose together by the replacement,
    /// the sender's change included.
    pub unpaid_sat: u64,
}

/// Branches that cannot be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BranchError {
    /// Fewer than two, or too many.
    #[error("2 to {MAX_BRANCHES} branches can be compared, not {0}")]
    Branches(usize),
    /// One is too long.
    #[error("branches of up to {MAX_BLOCKS} blocks can be compared, not of {0}")]
    Blocks(usize),
}

/// Compares branches, each the blocks above the fork, and tells what not all of them have, in the order of ids and blocks.
/// Neither the order of the branches nor that of a branch's blocks matters. Branches of a fork of three may share blocks.
///
/// A branch is taken to be what its node found valid: of two transactions in it that spend the same coin, one may be
/// passed over.
pub fn compare(branches: &[Vec<&BlockSummary>]) -> Result<Vec<Unshared>, BranchError> {
    if !(2..=MAX_BRANCHES).contains(&branches.len()) {
        return Err(BranchError::Branches(branches.len()));
    }
    if let Some(long) = branches.iter().map(Vec::len).find(|length| *length > MAX_BLOCKS) {
        return Err(BranchError::Blocks(long));
    }
    let unshared = unshared(branches);
    let spenders = spenders(&unshared);
    let told = unshared.iter().flat_map(|(txid, confirmed)| {
        let replacements = replacements(&unshared, &spenders, confirmed);
        let fate = fate(confirmed.branches, &replacements);
        let at = |block| {
            fate.map(|fate| Unshared { txid: *txid, block, fate, replacements: replacements.clone() })
        };
        confirmed.blocks.iter().copied().filter_map(at).collect::<Vec<_>>()
    });
    Ok(told.collect())
}

/// Branches, a bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Branches(u8);

impl Branches {
    const fn one(place: usize) -> Self {
        Self(1 << place)
    }

    const fn with(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }

    const fn is_apart_from(self, others: Self) -> bool {
        self.0 & others.0 == 0
    }

    const fn count(self) -> u32 {
        self.0.count_ones()
    }
}

/// A transaction, and where it is.
#[derive(Debug)]
struct Confirmed<'a> {
    summary: Summary<'a>,
    branches: Branches,
    blocks: BTreeSet<BlockHash>,
}

/// Who spends each coin, for each branch.
type Spenders = HashMap<OutPoint, [Option<Txid>; MAX_BRANCHES]>;

/// The transactions that are not in every branch: what all have, as nearly all of them have nearly everything, is not
/// looked at again.
fn unshared<'a>(branches: &[Vec<&'a BlockSummary>]) -> BTreeMap<Txid, Confirmed<'a>> {
    let mut everywhere = HashMap::<Txid, Branches>::new();
    for (place, block) in blocks(branches) {
        for summary in block.transactions() {
            let branches = everywhere.entry(summary.txid).or_default();
            *branches = branches.with(Branches::one(place));
        }
    }
    let mut unshared = BTreeMap::new();
    for (_, block) in blocks(branches) {
        for summary in block.transactions() {
            let branches_of = everywhere.get(&summary.txid).copied().unwrap_or_default();
            if branches_of.count() as usize == branches.len() {
                continue;
            }
            let new = || Confirmed { summary, branches: branches_of, blocks: BTreeSet::new() };
            unshared.entry(summary.txid).or_insert_with(new).blocks.insert(block.block());
        }
    }
    unshared
}

/// Each block with the place of its branch.
fn blocks<'a>(branches: &[Vec<&'a BlockSummary>]) -> impl Iterator<Item = (usize, &'a BlockSummary)> {
    let branches = branches.iter().enumerate();
    branches.flat_map(|(place, branch)| branch.iter().map(move |block| (place, *block)))
}

/// One spender of a coin is kept for each branch, so that all that follows takes time in proportion to the inputs.
fn spenders(unshared: &BTreeMap<Txid, Confirmed<'_>>) -> Spenders {
    let mut spenders = Spenders::new();
    for (txid, confirmed) in unshared {
        for coin in confirmed.summary.coins {
            let spenders = spenders.entry(*coin).or_default();
            for (place, spender) in spenders.iter_mut().enumerate() {
                if !confirmed.branches.is_apart_from(Branches::one(place)) {
                    spender.get_or_insert(*txid);
                }
            }
        }
    }
    spenders
}

fn replacements(
    unshared: &BTreeMap<Txid, Confirmed<'_>>,
    spenders: &Spenders,
    confirmed: &Confirmed<'_>,
) -> Vec<Replacement> {
    let coins = confirmed.summary.coins.iter();
    let others: BTreeSet<_> = coins.filter_map(|coin| spenders.get(coin)).flatten().flatten().collect();
    let others = others.into_iter().filter_map(|txid| Some((*txid, unshared.get(txid)?)));
    let apart = others.filter(|(_, other)| other.branches.is_apart_from(confirmed.branches));
    let told = apart.flat_map(|(txid, other)| {
        let pays_the_same = confirmed.summary.pays_the_same_as(&other.summary);
        let unpaid_sat = confirmed.summary.unpaid_sat(&other.summary);
        other.blocks.iter().map(move |block| Replacement { txid, block: *block, pays_the_same, unpaid_sat })
    });
    told.collect()
}

/// `None` for what several branches have and none replaced.
fn fate(branches: Branches, replacements: &[Replacement]) -> Option<Fate> {
    match replacements {
        [] => (branches.count() == 1).then_some(Fate::OnlyHere),
        all if all.iter().all(|replacement| replacement.pays_the_same) => Some(Fate::FeeBump),
        _ => Some(Fate::DoubleSpend),
    }
}
