//! How long the steps of connecting a block took.

use serde::{Deserialize, Serialize};

/// What `-debug=bench` tells of one block that a node added to its active chain (`Chainstate::ConnectTip` and
/// `Chainstate::ConnectBlock`, `src/validation.cpp@v30`).
///
/// Durations are in microseconds, but the node prints hundredths of milliseconds: they are multiples of 10, rounded by
/// the node. One that is `None` was not told: the lines before the log or its reader began, the steps that the genesis
/// block does not take, and what versions lack.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Processing {
    /// All of it, from [`Self::load_us`] to [`Self::postprocess_us`].
    pub total_us: u64,
    /// Reading the block from disk; near 0 where it was still in memory. `None` if the first lines are missing.
    pub load_us: Option<u64>,
    /// Everything from [`Self::sanity_us`] to [`Self::index_us`], and telling the other parts of the node.
    pub connect_us: Option<u64>,
    /// The checks that need no context.
    pub sanity_us: Option<u64>,
    /// The checks that depend on the chain before the block.
    pub forks_us: Option<u64>,
    /// Applying the transactions to the UTXO set.
    pub transactions_us: Option<u64>,
    /// Verifying the scripts: the time since the beginning of [`Self::transactions_us`], which is part of it.
    pub scripts_us: Option<u64>,
    /// Writing the undo data. `None` up to 23, where it is part of [`Self::index_us`].
    pub undo_us: Option<u64>,
    /// Updating the block index.
    pub index_us: Option<u64>,
    /// Moving the block's changes into the cache of the UTXO set.
    pub flush_us: Option<u64>,
    /// Writing that cache to disk where it was due.
    pub chainstate_us: Option<u64>,
    /// Freeing the mempool of the block's transactions, and moving the tip.
    pub postprocess_us: Option<u64>,
    /// Transactions in the block.
    pub transactions: Option<u32>,
    /// Inputs of all of them but the coinbase.
    pub inputs: Option<u32>,
}

impl Processing {
    /// The durations that were told, in microseconds, by the names of their fields.
    pub fn durations(&self) -> impl Iterator<Item = (&'static str, u64)> + use<> {
        let durations = [
            ("total_us", Some(self.total_us)),
            ("load_us", self.load_us),
            ("connect_us", self.connect_us),
            ("sanity_us", self.sanity_us),
            ("forks_us", self.forks_us),
            ("transactions_us", self.transactions_us),
            ("scripts_us", self.scripts_us),
            ("undo_us", self.undo_us),
            ("index_us", self.index_us),
            ("flush_us", self.flush_us),
            ("chainstate_us", self.chainstate_us),
            ("postprocess_us", self.postprocess_us),
        ];
        durations.into_iter().filter_map(|(name, us)| Some((name, us?)))
    }
}
