//! The blocks that have a transaction, and when each node had them in its chain.

use bmon_analysis::row::Stage;
use bmon_event::{BlockHash, Network};
use bmon_store::{Reader, StoreError};
use serde::{Deserialize, Serialize};

use super::{Arrival, blocks::arrivals_at, main_chain};

/// A block that has the transaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mined {
    /// The block.
    pub block: BlockHash,
    /// Its height; null while it is not known.
    pub height: Option<u32>,
    /// Whether it is in the best chain now.
    pub is_in_best_chain: bool,
    /// When each node connected it to its active chain, the first time, earliest first. Empty if none told.
    pub connected: Vec<Arrival>,
}

impl Mined {
    /// What is known of these blocks of one network: those of the best chain first.
    pub(super) fn read(
        reader: &Reader,
        network: &Network,
        blocks: &[BlockHash],
    ) -> Result<Vec<Self>, StoreError> {
        let mut mined: Vec<_> =
            blocks.iter().map(|block| Self::read_one(reader, network, *block)).collect::<Result<_, _>>()?;
        mined.sort_by_key(|mined| (!mined.is_in_best_chain, mined.height, mined.block));
        Ok(mined)
    }

    fn read_one(reader: &Reader, network: &Network, block: BlockHash) -> Result<Self, StoreError> {
        let times = reader.block(&block)?.filter(|times| times.row.network == *network);
        let height = match times.as_ref().and_then(|times| times.row.height) {
            Some(height) => Some(height),
            None => reader.header_height(network, &block)?,
        };
        Ok(Self {
            block,
            height,
            is_in_best_chain: main_chain::has(reader, network, &block, height)?,
            connected: times.map_or_else(Vec::new, |times| arrivals_at(&times, Stage::Connected)),
        })
    }
}
