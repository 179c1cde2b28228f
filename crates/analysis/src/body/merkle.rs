//! The one hash of all transactions of a block, which its header has.

use sha2::{Digest as _, Sha256};

use super::Transaction;

/// The root of the tree of hashes over these transactions, in the order of the P2P protocol. `None` if there are none, or
/// if two that stand side by side are equal: the same root could be had without one of them.
pub(super) fn root(transactions: &[Transaction<'_>]) -> Option<[u8; 32]> {
    let mut level: Vec<_> = transactions.iter().map(leaf).collect();
    while level.len() > 1 {
        if level.chunks_exact(2).any(|pair| pair.first() == pair.last()) {
            return None;
        }
        level = level.chunks(2).filter_map(|pair| Some(parent(pair.first()?, pair.last()?))).collect();
    }
    level.pop()
}

fn leaf(transaction: &Transaction<'_>) -> [u8; 32] {
    let mut hash = *transaction.txid().as_bytes();
    hash.reverse();
    hash
}

/// Of a last one without another beside it, with itself.
fn parent(left: &[u8; 32], right: &[u8; 32]) -> [u8; 32] {
    Sha256::digest(Sha256::new().chain_update(left).chain_update(right).finalize()).into()
}
