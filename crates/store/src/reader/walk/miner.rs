use bmon_analysis::row::MinerRow;
use bmon_event::BlockHash;

use super::Visit;
use crate::{Reader, StoreError, Stretch, reader::miner::miner};

/// A block whose header is not known has a miner all the same.
const MINERS: &str = "
    SELECT hash, pool, address, tag, coinbase_text,
           (SELECT height FROM header WHERE header.network = miner.network AND header.hash = miner.hash) AS height
    FROM miner WHERE network = (SELECT id FROM network WHERE genesis = ?1) AND hash > ?2 ORDER BY hash";

impl Reader {
    /// Walks through the blocks of a network whose coinbase was read, in the order of their hashes, each with its height
    /// where that is known.
    pub fn visit_miners(
        &self,
        stretch: &Stretch,
        after: Option<BlockHash>,
        visit: Visit<'_, (Option<u32>, MinerRow)>,
    ) -> Result<Option<BlockHash>, StoreError> {
        let mut statement = self.connection.prepare_cached(MINERS)?;
        let network = stretch.network;
        // An empty value is before every hash.
        let after = after.map_or_else(Vec::new, |block| block.as_bytes().to_vec());
        let mut rows = statement.query((network.genesis.as_bytes(), after))?;
        while let Some(row) = rows.next()? {
            let block = BlockHash::from_bytes(row.get("hash")?);
            let miner = MinerRow { network, block, miner: miner(row)? };
            if visit((row.get("height")?, miner)).is_break() {
                return Ok(Some(block));
            }
        }
        Ok(None)
    }
}
