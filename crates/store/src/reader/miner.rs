use bmon_analysis::{
    pool::{Mark, Miner, Recognised},
    row::MinerRow,
};
use bmon_event::{BlockHash, Network};
use rusqlite::{OptionalExtension, Row};

use crate::{Reader, StoreError, code};

/// Those of the last blocks of each network. A network's height is that of its highest header.
const LAST: &str = "
    SELECT genesis, miner.hash, pool, address, tag, coinbase_text
    FROM header JOIN network ON network.id = header.network
    JOIN miner ON miner.network = header.network AND miner.hash = header.hash
    WHERE height >= (SELECT max(height) FROM header AS other WHERE other.network = header.network) - ?1
    ORDER BY header.network, height, header.hash";

const OF_BLOCK: &str = "
    SELECT pool, address, tag, coinbase_text FROM miner JOIN network ON network.id = miner.network
    WHERE genesis = ?1 AND hash = ?2";

impl Reader {
    /// Who mined the blocks of the last `depth` heights of each network, as far as it is known, the lowest first.
    pub fn last_miners(&self, depth: u32) -> Result<Vec<MinerRow>, StoreError> {
        let mut statement = self.connection.prepare_cached(LAST)?;
        let mut rows = statement.query([depth])?;
        let mut miners = Vec::new();
        while let Some(row) = rows.next()? {
            miners.push(MinerRow {
                network: code::network(row.get("genesis")?),
                block: BlockHash::from_bytes(row.get("hash")?),
                miner: miner(row)?,
            });
        }
        Ok(miners)
    }

    /// Who mined a block, `None` if its coinbase was not read.
    pub fn miner(&self, network: &Network, block: &BlockHash) -> Result<Option<Miner>, StoreError> {
        let mut statement = self.connection.prepare_cached(OF_BLOCK)?;
        let key = (network.genesis.as_bytes(), block.as_bytes());
        Ok(statement.query_row(key, miner).optional()?)
    }
}

pub(super) fn miner(row: &Row<'_>) -> rusqlite::Result<Miner> {
    let (name, address, tag): (Option<String>, Option<String>, Option<String>) =
        (row.get("pool")?, row.get("address")?, row.get("tag")?);
    let by = address.map(|address| Mark::Address { address }).or(tag.map(|tag| Mark::Tag { tag }));
    let pool = name.zip(by).map(|(name, by)| Recognised { name, by });
    Ok(Miner { pool, coinbase_text: row.get("coinbase_text")? })
}
