use crate::{OutPoint, Txid};

/// Which transactions of the node's mempool spend some coins, as a server [wanted](crate::Want) to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MempoolSpends {
    /// The want's id.
    pub want: u64,
    /// The coins, of those that were asked about, that a transaction of the mempool spends.
    pub spends: Vec<MempoolSpend>,
    /// Why the node cannot tell, for a person to read. `None` if it can.
    pub problem: Option<String>,
}

/// A coin that a transaction of a mempool spends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MempoolSpend {
    /// The coin.
    pub outpoint: OutPoint,
    /// The transaction.
    pub by: Txid,
}

impl MempoolSpends {
    /// Bytes in it.
    pub fn bytes(&self) -> usize {
        self.spends.len() * MempoolSpend::BYTES + self.problem.as_ref().map_or(0, String::len)
    }
}

impl MempoolSpend {
    /// Bytes of it: two hashes and a place.
    pub const BYTES: usize = 32 + 4 + 32;
}
